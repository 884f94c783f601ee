"""CloudFormation: stacks by name or ARN, stack sets, change sets; what a stack makes is read elsewhere.

`gateway/cloudformation/stack.py` tells what a request makes the service do, once the request itself is allowed.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.gateway.actions.asked import Asked, invalid

# CloudFormation API Reference, CreateStack: StackName.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
_STACK: Final = re.compile(r"stack/(?P<name>[A-Za-z][A-Za-z0-9-]{0,127})/[A-Za-z0-9-]+", re.ASCII)
_CHANGE_SET: Final = re.compile(r"changeSet/[A-Za-z][A-Za-z0-9-]{0,127}/[A-Za-z0-9-]+", re.ASCII)
_STACK_SET: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}(?::[A-Za-z0-9-]+)?", re.ASCII)


def values(asked: Asked) -> Mapping[str, Any]:
    """What the rows of CloudFormation's table name."""
    given = asked.parameters
    found: dict[str, Any] = {}
    if given.get("StackName"):
        found["stack"] = _stack(given["StackName"], asked)
    if given.get("ChangeSetName"):
        _check_change_set(given["ChangeSetName"])
        found["change_set"] = given["ChangeSetName"]
        if "stack" not in found:
            found["stack"] = _stack(_stack_of_change_set(given["ChangeSetName"], asked), asked)
    if given.get("StackSetName"):
        if not _STACK_SET.fullmatch(given["StackSetName"]):
            raise invalid("Invalid StackSetName")
        name, _, identifier = given["StackSetName"].partition(":")
        place = f"arn:{asked.partition}:cloudformation:{asked.region}:{asked.account}"
        found["stack_set"] = f"{place}:stackset/{name}:{identifier or '*'}"
    return found


def _stack(name: str, asked: Asked) -> str:
    """The ARN of a stack; one that is named by name has no id yet, or none that was given."""
    if name.startswith("arn:"):
        _parsed(name, asked)
        return name
    return f"{stack_arn(asked)}/*"


def stack_name(asked: Asked) -> str:
    """The name of the stack that a request names by name, by ARN, or by the ARN of its change set."""
    name = asked.parameters.get("StackName")
    if not name:
        name = _stack_of_change_set(str(asked.parameters.get("ChangeSetName")), asked)
    if name.startswith("arn:"):
        return _parsed(name, asked)
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    return str(name)


def stack_arn(asked: Asked) -> str:
    """The ARN of a stack without its id: facts are kept by it, since a name stands for one stack at a time."""
    return f"arn:{asked.partition}:cloudformation:{asked.region}:{asked.account}:stack/{stack_name(asked)}"


def _parsed(text: str, asked: Asked) -> str:
    arn = arns.parse(text)
    match = _STACK.fullmatch(arn.resource) if arn is not None and arn.service == "cloudformation" else None
    if match is None or arn is None or arn.account != asked.account:
        raise invalid(f"Stack with id {text} does not exist")
    return match["name"]


def _check_change_set(name: str) -> None:
    arn = arns.parse(name)
    if _NAME.fullmatch(name) or (arn is not None and _CHANGE_SET.fullmatch(arn.resource)):
        return
    raise invalid(f"ChangeSet [{name}] does not exist")


CHANGE_SET_STACK: Final = "stack"
"""The fact that names the stack of a change set, by its ARN."""


def _stack_of_change_set(name: str, asked: Asked) -> str:
    found = asked.known(name).get(CHANGE_SET_STACK)
    if found is None:
        raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
    return found


def change_set_name(asked: Asked, name: str) -> str:
    """The name by which a change set is remembered: names are unique within a stack."""
    return f"cloudformation:{asked.region}:{asked.account}:{stack_name(asked)}:{name}"
