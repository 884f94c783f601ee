"""Amazon ECS: clusters, services, tasks and the rest, by name or ARN, and the roles of task definitions.

A name stands in a cluster, which is `default` unless the request says otherwise (API Reference, of every operation that
has the parameter `cluster`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from iamd.authz.target import Target
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.ecs_definitions import definition, definition_keys, has_unknown_roles
from iamd.gateway.actions.forms import Form, InvalidParameter, arn

_NAME: Final = "[A-Za-z0-9_-]{1,255}"
_PLAIN: Final = re.compile(_NAME, re.ASCII)
# What lies within a cluster, by the member that names it, or several of it.
_WITHIN: Final[Mapping[str, str]] = {
    "service": "service",
    "services": "service",
    "serviceName": "service",
    "serviceArn": "service",
    "task": "task",
    "tasks": "task",
    "containerInstance": "container-instance",
    "containerInstances": "container-instance",
    "daemonName": "daemon",
    "daemonArn": "daemon",
    "taskSet": "task-set",
    "taskSets": "task-set",
}
# What lies directly in an account.
_PLAINLY: Final[Mapping[str, str]] = {
    "clusterName": "cluster",
    "clusters": "cluster",
    "capacityProvider": "capacity-provider",
    "capacityProviders": "capacity-provider",
    "gateway": "gateway",
    "names": "gateway",
}
# Whole ARNs, by the pattern of their resource.
_WHOLE: Final[Mapping[str, Form]] = {
    "serviceDeploymentArn": arn("ecs", f"service-deployment/{_NAME}/{_NAME}/{_NAME}"),
    "serviceDeploymentArns": arn("ecs", f"service-deployment/{_NAME}/{_NAME}/{_NAME}"),
    "serviceRevisionArns": arn("ecs", f"service-revision/{_NAME}/{_NAME}/{_NAME}"),
    "daemonDeploymentArns": arn("ecs", f"daemon-deployment/{_NAME}/{_NAME}/{_NAME}"),
    "daemonRevisionArns": arn("ecs", f"daemon-revision/{_NAME}/{_NAME}/{_NAME}"),
    "gatewayRouteArn": arn("ecs", f"gateway-route/{_NAME}/{_NAME}/{_NAME}"),
    "resourceArn": arn(
        "ecs",
        f"(?:(?:capacity-provider|cluster)/{_NAME}|(?:container-instance|daemon|gateway|service|task)/{_NAME}/{_NAME}"
        f"|task-set/{_NAME}/{_NAME}/{_NAME}|(?:daemon-)?task-definition/{_NAME}:[0-9]+)",
    ),
}
# What these are parts of; both must be allowed (Service Authorization Reference).
_PARENTS: Final = {
    "service-deployment": "service",
    "service-revision": "service",
    "daemon-deployment": "daemon",
    "daemon-revision": "daemon",
    "gateway-route": "gateway",
}


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of everything that the parameters name (`services_arn` of `services`), and what the keys say."""
    cluster = _cluster(asked)
    found: dict[str, Any] = {
        "cluster_arn": _arn(asked, f"cluster/{cluster}"),
        "cluster_name": cluster,
        "passed_to": "ecs-tasks.amazonaws.com",
    }
    found |= _named(asked, cluster)
    found |= _parents(found)
    if "service_arn" in found:
        found["task_set_place"] = str(found["service_arn"]).replace(":service/", ":task-set/")
    found |= definition(asked)
    found["roles_are_unknown"] = has_unknown_roles(asked, found) or None
    found |= _keys(asked, cluster)
    return {name: value for name, value in found.items() if value not in ([], None)}


def _named(asked: Asked, cluster: str) -> dict[str, Any]:
    given, found = asked.parameters, dict[str, Any]()
    # ListTasks filters by these, and decides by the cluster alone.
    passed_over = _FILTERS if asked.operation.name == "ListTasks" else frozenset[str]()
    for member, kind in _WITHIN.items():
        if given.get(member) and member not in passed_over:
            found[_value_name(member)] = _each(given[member], partial(_within, kind=kind, cluster=cluster, asked=asked))
    for member, kind in _PLAINLY.items():
        if given.get(member):
            found[_value_name(member)] = _each(given[member], partial(_plain, kind=kind, asked=asked))
    for member, form in _WHOLE.items():
        if given.get(member):
            found[_snake(member)] = _each(given[member], partial(_held, form=form, asked=asked))
    return found


_FILTERS: Final = frozenset({"daemonName", "serviceName"})


def _value_name(member: str) -> str:
    """`service_arn` of `service`, of `serviceName` and of `serviceArn`."""
    named = re.sub(r"(?<=[a-z])(?:Name|Arn)\Z", "", member)
    return f"{_snake(named)}_arn"


def _snake(member: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", member)


def _each(value: Any, read: Callable[[str], str]) -> Any:
    return [read(str(one)) for one in value] if isinstance(value, list) else read(str(value))


def _arn(asked: Asked, resource: str) -> str:
    return f"arn:{asked.partition}:ecs:{asked.region}:{asked.account}:{resource}"


def _cluster(asked: Asked) -> str:
    """The name of the cluster; that of another account's can't be named."""
    named = asked.parameters.get("cluster") or asked.parameters.get("clusterArn") or "default"
    return _plain(str(named), "cluster", asked).rpartition("/")[2]


def _plain(named: str, kind: str, asked: Asked) -> str:
    """The ARN of a cluster, capacity provider or gateway."""
    ended = f"{kind}/{_NAME}/{_NAME}" if kind == "gateway" else f"{kind}/{_NAME}"
    if named.startswith("arn:"):
        return _own(_held(named, arn("ecs", ended), asked), asked)
    if not _PLAIN.fullmatch(named):
        raise _invalid(named)
    return _arn(asked, f"{kind}/{named}/*" if kind == "gateway" else f"{kind}/{named}")


def _within(named: str, kind: str, cluster: str, asked: Asked) -> str:
    """The ARN of what lies in the cluster, by its name, id or ARN."""
    service = str(asked.parameters.get("service") or "").rpartition("/")[2]
    place = f"{cluster}/{service}" if kind == "task-set" else cluster
    if not named.startswith("arn:"):
        if not _PLAIN.fullmatch(named):
            raise _invalid(named)
        return _arn(asked, f"{kind}/{place}/{named}")
    ended = f"{kind}/{_NAME}/{_NAME}" + (f"/{_NAME}" if kind == "task-set" else "")
    _own(_held(named, arn("ecs", ended), asked), asked)
    if _names_clusters(asked) and named.split("/")[1:-1] != place.split("/"):
        # SECURITY: what a backend takes the id of an ARN for must be what was decided on.
        raise InvalidParameter(f"Identifier is for cluster {named.split('/')[1]}. Your cluster is {cluster}")
    return named


def _names_clusters(asked: Asked) -> bool:
    members = asked.operation.input.members if asked.operation.input is not None else {}
    return "cluster" in members


def _held(named: str, form: Form, asked: Asked) -> str:
    if not form.fits(named, asked):
        raise _invalid(named)
    return named


def _own(named: str, asked: Asked) -> str:
    # AWS: nothing of ECS but capacity providers' groups is shared with other accounts.
    if named.split(":")[4] != asked.account:
        raise InvalidParameter("Invalid identifier: Identifier is for another account.")
    return named


def _invalid(named: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid identifier: {named}")


def _parents(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """The services, daemons and gateways that the deployments, revisions and routes of the request belong to."""
    parents: dict[str, list[str]] = {}
    for member in map(_snake, _WHOLE):
        value = found.get(member, [])
        for one in value if isinstance(value, list) else [value]:
            place, _, resource = one.rpartition(":")
            kind, *path = resource.split("/")
            if kind in _PARENTS:
                parent = f"{place}:{_PARENTS[kind]}/{path[0]}/{path[1]}"
                parents.setdefault(f"{_PARENTS[kind]}_of_it", []).append(parent)
    return {name: list(dict.fromkeys(arns)) for name, arns in parents.items()}


def _keys(asked: Asked, cluster: str) -> dict[str, Any]:
    given, operation = asked.parameters, asked.operation.name
    told: dict[str, Any] = dict(definition_keys(given))
    if "tags" in given and not operation.startswith(("Tag", "Untag")):
        told["create_action"] = operation
    told["providers"] = _providers(asked)
    network = at(given, "networkConfiguration.awsvpcConfiguration") or {}
    told["subnets"] = network.get("subnets") or at(given, "networkConfiguration.subnets")
    if "assignPublicIp" in network:
        told["public_ip"] = network["assignPublicIp"] == "ENABLED"
    if operation in _LAUNCHING:
        told["ebs"] = bool(given.get("volumeConfigurations"))
        told["connect"] = at(given, "serviceConnectConfiguration.enabled")
        told["lattice"] = bool(given.get("vpcLatticeConfigurations"))
    namespace = at(given, "serviceConnectConfiguration.namespace") or given.get("namespace")
    told["namespace"] = namespace if str(namespace).startswith("arn:") else None
    told["attribute_targets"] = _attribute_targets(asked, cluster)
    return told


_LAUNCHING: Final = frozenset({"CreateService", "RunTask", "StartTask", "UpdateService"})


def _providers(asked: Asked) -> list[str]:
    given = asked.parameters
    named = [one.get("capacityProvider") for one in given.get("capacityProviderStrategy") or []]
    named += given.get("capacityProviderArns") or []
    if asked.operation.name in {"CreateCluster", "PutClusterCapacityProviders"}:
        named += given.get("capacityProviders") or []
        named += [one.get("capacityProvider") for one in given.get("defaultCapacityProviderStrategy") or []]
    return list(dict.fromkeys(_plain(str(one), "capacity-provider", asked) for one in named if one))


def _attribute_targets(asked: Asked, cluster: str) -> list[str]:
    """The container instances that attributes are put on or taken off (API Reference, PutAttributes)."""
    given: Iterable[Mapping[str, Any]] = asked.parameters.get("attributes") or []
    if asked.operation.name not in {"PutAttributes", "DeleteAttributes"}:
        return []
    targets = [str(one.get("targetId") or "") for one in given]
    return [_within(one, "container-instance", cluster, asked) if one else _any(cluster, asked) for one in targets]


def _any(cluster: str, asked: Asked) -> str:
    return _arn(asked, f"container-instance/{cluster}/*")


def start_task(asked: Asked) -> list[Target]:
    """StartTask on the task definition once for each container instance; its tags, and its roles where not known."""
    found = {**asked.parameters, **asked.place, **values(asked)}
    definition_arn, tagged = str(found["definition"]), tags.of(asked.parameters)
    context = {**tagged, **keys.of("ecs", "ecs:StartTask", found, definition_arn)}
    own = Target(arn=definition_arn, action="ecs:StartTask", context=context)
    targets = [
        replace(own, context={**context, "ecs:container-instances": instance})
        for instance in found["container_instances_arn"]
    ]
    if tagged:
        task = _arn(asked, f"task/{found['cluster_name']}/*")
        context = {**tagged, **keys.of("ecs", "ecs:TagResource", found, task)}
        targets.append(Target(arn=task, action="ecs:TagResource", context=context, makes=True))
    if "roles_are_unknown" in found:
        passing = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}
        role = f"arn:{asked.partition}:iam::{asked.account}:role/*"
        targets.append(Target(arn=role, action="iam:PassRole", context=passing))
    return targets


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"start_task": start_task}
