"""The queue, definition or other resource that a request to AWS Batch is for, by name or ARN; what a job is made of.

AWS: Service Authorization Reference, list_awsbatch; Batch API Reference.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.batch_containers import containers
from iamd.gateway.actions.given_arn import formed, own

# Batch API Reference, CreateJobQueue: jobQueueName, which is the form of all names. A job in an array has its index
# behind its id, a node of one its number.
_NAME: Final = r"[A-Za-z0-9_-]{1,128}"
_JOB: Final = re.compile(r"[A-Za-z0-9-]{1,64}(?:[:#][0-9]{1,6}){0,2}", re.ASCII)
_REVISION: Final = rf"{_NAME}:[0-9]{{1,10}}"
_QUOTA_SHARE: Final = rf"job-queue/{_NAME}/quota-share/{_NAME}"
_TAGGED: Final = re.compile(
    rf"(?:compute-environment|consumable-resource|job-queue|scheduling-policy|service-environment)/{_NAME}"
    rf"|{_QUOTA_SHARE}|job-definition/{_REVISION}|(?:service-)?job/{_JOB.pattern}",
    re.ASCII,
)
# The members that name something by name or ARN, and what kind of thing it is.
_NAMED: Final = {
    "computeEnvironment": ("environment", "compute-environment", _NAME),
    "computeEnvironmentName": ("environment", "compute-environment", _NAME),
    "consumableResource": ("consumable", "consumable-resource", _NAME),
    "consumableResourceName": ("consumable", "consumable-resource", _NAME),
    "jobQueue": ("queue", "job-queue", _NAME),
    "jobQueueName": ("queue", "job-queue", _NAME),
    "serviceEnvironment": ("service_environment", "service-environment", _NAME),
    "serviceEnvironmentName": ("service_environment", "service-environment", _NAME),
    "schedulingPolicyArn": ("policy", "scheduling-policy", _NAME),
}
_LISTING: Final = frozenset({"ListJobs", "ListServiceJobs"})
# The bulk operations need the action of the single one (Batch API Reference, CancelJobs).
_EACH: Final = {
    "CancelJobs": ("CancelJob", "job"),
    "TerminateJobs": ("TerminateJob", "job"),
    "TerminateServiceJobs": ("TerminateServiceJob", "service-job"),
}


class ClientError(AWSError):
    """A name or an ARN of nothing that Batch can have (Batch API Reference, ClientException)."""

    code = "ClientException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs of what the request names; none for what only filters a list."""
    parameters, name = asked.parameters, asked.operation.name
    if name in _LISTING:
        return {}
    found: dict[str, Any] = {
        value: _arn(parameters[member], kind, form, asked)
        for member, (value, kind, form) in _NAMED.items()
        if parameters.get(member)
    }
    if name == "DeregisterJobDefinition":
        found["definition"] = _arn(parameters["jobDefinition"], "job-definition", _REVISION, asked)
    if name.endswith("SchedulingPolicy"):
        found["policy"] = _arn(parameters.get("arn") or parameters["name"], "scheduling-policy", _NAME, asked)
    if "jobId" in parameters:
        found["job"] = _checked(parameters["jobId"], _JOB)
    if "quotaShareArn" in parameters:
        found["quota_share"] = _whole(parameters["quotaShareArn"], re.compile(_QUOTA_SHARE, re.ASCII), asked)
    elif parameters.get("quotaShareName"):
        share = _checked(parameters["quotaShareName"], re.compile(_NAME, re.ASCII))
        found["quota_share"] = f"{found['queue']}/quota-share/{share}"
    if "resourceArn" in parameters:
        found["tagged"] = _whole(parameters["resourceArn"], _TAGGED, asked)
    return found


def _checked(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ClientError(f"{value} is not valid.")
    return value


def _whole(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    return formed(value, "batch", pattern, asked, ClientError(f"{value} is not valid."))


def _arn(value: Any, kind: str, form: str, asked: Asked) -> str:
    """The ARN of what is named by its name or by its ARN."""
    if isinstance(value, str) and value.startswith("arn:"):
        return _whole(value, re.compile(rf"{kind}/(?:{form})", re.ASCII), asked)
    return own("batch", f"{kind}/{_checked(value, re.compile(form, re.ASCII))}", asked)


def _targets(arns: Iterable[str], asked: Asked, context: Mapping[str, Any]) -> Iterator[Target]:
    action = f"batch:{asked.operation.name}"
    return (Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(arns))


def _tagging(arn: str, asked: Asked) -> list[Target]:
    tagged = tags.of(asked.parameters)
    return [Target(arn=arn, action="batch:TagResource", context=tagged)] if asked.parameters.get("tags") else []


def each_job(asked: Asked) -> list[Target]:
    """Each job, by the action that does it to one."""
    action, kind = _EACH[asked.operation.name]
    return [
        Target(arn=own("batch", f"{kind}/{_checked(job, _JOB)}", asked), action=f"batch:{action}")
        for job in dict.fromkeys(asked.parameters["jobs"])
    ]


def job_queue(asked: Asked) -> list[Target]:
    """The queue, and the environments and the scheduling policy that it is given."""
    parameters, named = asked.parameters, values(asked)
    arns = [named["queue"], *([named["policy"]] if "policy" in named else [])]
    for member, inner in (("computeEnvironmentOrder", "computeEnvironment"),
                          ("serviceEnvironmentOrder", "serviceEnvironment")):  # fmt: skip
        _, kind, form = _NAMED[inner]
        arns += [_arn(one[inner], kind, form, asked) for one in parameters.get(member) or []]
    return [*_targets(arns, asked, tags.of(parameters)), *_tagging(named["queue"], asked)]


def register_job_definition(asked: Asked) -> list[Target]:
    """The definition, once for each of its containers, and the consumable resources that its jobs take."""
    parameters, action = asked.parameters, "batch:RegisterJobDefinition"
    name = _checked(parameters["jobDefinitionName"], re.compile(_NAME, re.ASCII))
    definition, tagged = own("batch", f"job-definition/{name}", asked), tags.of(parameters)
    of_containers = [{**tagged, **keys.of("batch", action, one)} for one in containers(parameters)]
    return [
        *(Target(arn=definition, action=action, context=context) for context in of_containers),
        *_targets(_consumables(parameters, asked), asked, {**tagged, **of_containers[0]}),
        *_tagging(f"{definition}:*", asked),
    ]


def _consumables(parameters: Mapping[str, Any], asked: Asked) -> Iterator[str]:
    """The consumable resources of a job, of its override, and of its nodes."""
    _, kind, form = _NAMED["consumableResource"]
    members = ("consumableResourceProperties", "consumableResourcePropertiesOverride")
    nodes = [
        *(at(parameters, "nodeProperties.nodeRangeProperties") or []),
        *(at(parameters, "nodeOverrides.nodePropertyOverrides") or []),
    ]
    for part in (parameters, *nodes):
        for member in members:
            for one in at(part, f"{member}.consumableResourceList") or []:
                yield _arn(one["consumableResource"], kind, form, asked)


def submit_job(asked: Asked) -> list[Target]:
    """The definition and the queue, once for each container that is overridden, and consumable resources."""
    parameters, action = asked.parameters, "batch:SubmitJob"
    definition = _arn(parameters["jobDefinition"], "job-definition", rf"{_NAME}(?::[0-9]{{1,10}})?", asked)
    arns = [definition, values(asked)["queue"], *_consumables(parameters, asked)]
    tagged, found = tags.of(parameters), []
    for container in [*containers(parameters), *_of_nodes(parameters)]:
        context = {**tagged, **keys.of("batch", action, {**parameters, **container})}
        found += [one for one in _targets(arns, asked, context) if one not in found]
    return [*found, *_tagging(own("batch", "job/*", asked), asked)]


def _of_nodes(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = at(parameters, "nodeOverrides.nodePropertyOverrides") or []
    return [one for node in nodes for one in containers(node) if one]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "each_job": each_job,
    "job_queue": job_queue,
    "register_job_definition": register_job_definition,
    "submit_job": submit_job,
}
