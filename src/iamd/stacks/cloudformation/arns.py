"""What CloudFormation's operations touch: stacks, with the condition keys of the service.

The keys of each action are those of the Service Authorization Reference, "Actions, resources, and condition keys for
AWS CloudFormation". A stack that is not there has `*` in the place of its id.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from iamd import arn as arns
from iamd.authz.context import resource_tags
from iamd.call import Call
from iamd.services.registry import Target
from iamd.stacks import entities
from iamd.stacks.faults import ValidationError
from iamd.store.stack_records import Stack

Context = dict[str, str | tuple[str, ...]]

_SERVICE = "cloudformation.amazonaws.com"
_KEYS = {
    "change_set_name": "cloudformation:changesetname",
    "resource_types": "cloudformation:resourcetypes",
    "role_arn": "cloudformation:rolearn",
    "stack_policy_url": "cloudformation:stackpolicyurl",
    "template_url": "cloudformation:templateurl",
}


def nothing(_call: Call, **_: Any) -> Target:
    """An operation that touches no stack."""
    return Target()


def stack(call: Call, *, stack_name: str | None = None, **parameters: Any) -> Target:
    """The stack of this name or id; all of them where none is named."""
    if stack_name is None:
        return Target(context=_keys(parameters))
    return _stack(call, stack_name, parameters)


def of_change_set(call: Call, *, change_set_name: str, stack_name: str | None = None, **parameters: Any) -> Target:
    """The stack of a change set."""
    given = {**parameters, "change_set_name": change_set_name}
    found = entities.find_change_set(call.account, call.region, change_set_name, stack_name)
    if found is not None:
        # AWS: the key is the name, however the request names the change set.
        return _stack(call, found.stack_id, {**given, "change_set_name": found.name})
    return _stack(call, stack_name, given) if stack_name is not None else Target(context=_keys(given))


def template_of(call: Call, *, stack_name: str | None = None, change_set_name: str | None = None, **_: Any) -> Target:
    """The stack whose template, or whose change set's, is shown."""
    if change_set_name is not None:
        return of_change_set(call, change_set_name=change_set_name, stack_name=stack_name)
    return stack(call, stack_name=stack_name)


def made(call: Call, *, stack_name: str, **parameters: Any) -> Sequence[Target]:
    """The stack that is made, changed or deleted, the tags that it is given, and the role that it is handed."""
    found = _stack(call, stack_name, parameters)
    targets = [found]
    if parameters.get("tags"):
        keys: Context = {**found.context, "cloudformation:createaction": call.operation}
        targets.append(Target(arn=found.arn, action="cloudformation:TagResource", context=keys))
    targets += _protected(call, found, parameters)
    role_arn = parameters.get("role_arn")
    if role_arn is not None:
        targets.append(_passed(call, role_arn))
    return tuple(targets)


def _protected(call: Call, found: Target, parameters: dict[str, Any]) -> Sequence[Target]:
    """The policies that an update sets.

    AWS: whoever updates protected resources by a policy of the update's own, or adds a policy to a stack that is there,
    needs SetStackPolicy (User Guide, protect-stack-resources).
    """
    if call.operation != "UpdateStack":
        return ()
    urls = [
        parameters.get(f"{name}_url") or ""
        for name in ("stack_policy", "stack_policy_during_update")
        if parameters.get(f"{name}_body") or parameters.get(f"{name}_url")
    ]
    keys = [{**found.context, _KEYS["stack_policy_url"]: url} if url else _without_url(found.context) for url in urls]
    return [Target(arn=found.arn, action="cloudformation:SetStackPolicy", context=one) for one in keys]


def _without_url(context: Mapping[str, str | tuple[str, ...]]) -> Context:
    return {key: value for key, value in context.items() if key != _KEYS["stack_policy_url"]}


def _passed(call: Call, role_arn: str) -> Target:
    parsed = arns.parse(role_arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        raise ValidationError(f"Role {role_arn} is invalid or cannot be assumed")
    if parsed.account != call.identity.account_id:
        # AWS: roles are passed within an account (IAM User Guide, id_roles_use_passrole).
        raise ValidationError("Cross-account pass role is not allowed.")
    return Target(arn=role_arn, action="iam:PassRole", context={"iam:passedtoservice": _SERVICE})


def _stack(call: Call, name: str, parameters: dict[str, Any]) -> Target:
    found = entities.find_stack(call.account, call.region, name)
    tags = _tags(found)
    return Target(
        arn=_arn(call, found, name), context={**resource_tags(tags), **_keys(parameters)}, makes=found is None
    )


def _tags(found: Stack | None) -> Any:
    return found.state.tags if found is not None and found.state is not None else ()


def _arn(call: Call, found: Stack | None, name: str) -> str:
    if found is not None:
        return found.stack_id
    if name.startswith("arn:"):
        return name
    return f"arn:{arns.PARTITION}:cloudformation:{call.region}:{call.identity.account_id}:stack/{name}/*"


def _keys(parameters: dict[str, Any]) -> Context:
    keys: Context = {}
    for name, key in _KEYS.items():
        value = parameters.get(name)
        if value:
            keys[key] = tuple(value) if isinstance(value, list) else str(value)
    return keys
