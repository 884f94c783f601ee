"""The state machine, execution or activity that a request to Step Functions is for, by ARN or by the name it gets.

AWS: Step Functions Developer Guide, "Creating granular permissions" and "Authorizing versions and aliases": a request
for a version or an alias is decided on the state machine, with `states:StateMachineQualifier`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import formed, own

# Step Functions API Reference, CreateStateMachine: name. SECURITY: no colon, slash or wildcard.
_PLAIN: Final = r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}"
_NAME: Final = re.compile(_PLAIN)
_LABEL: Final = rf"(?:/{_PLAIN})?"
_MACHINE: Final = re.compile(rf"stateMachine:(?P<name>{_PLAIN}){_LABEL}(?::(?P<qualifier>{_PLAIN}))?")
_EXECUTION: Final = re.compile(rf"execution:{_PLAIN}{_LABEL}:{_PLAIN}")
_EXPRESS: Final = re.compile(rf"express:{_PLAIN}{_LABEL}:{_PLAIN}:{_PLAIN}")
_MAP_RUN: Final = re.compile(rf"mapRun:{_PLAIN}{_LABEL}:{_PLAIN}")
_ACTIVITY: Final = re.compile(rf"activity:{_PLAIN}")
_MACHINES: Final = ("stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn")


class InvalidArn(AWSError):
    """An ARN that nothing of Step Functions here has."""

    code = "InvalidArn"
    status = 400


class InvalidName(AWSError):
    """A name that no state machine or activity has."""

    code = "InvalidName"
    status = 400


class ValidationException(AWSError):
    """Parameters that exclude each other."""

    code = "ValidationException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs that the table's rows name, and the qualifier of a state machine."""
    parameters, name = asked.parameters, asked.operation.name
    if name in {"CreateStateMachine", "CreateActivity"}:
        kind = "stateMachine" if name == "CreateStateMachine" else "activity"
        return {"machine" if kind == "stateMachine" else "activity": _new(kind, parameters["name"], asked)}
    if name == "CreateStateMachineAlias":
        return {**_machine(_routed(parameters), asked), "qualifier": parameters["name"]}
    named = [member for member in (*_MACHINES, "mapRunArn", "executionArn", "activityArn") if parameters.get(member)]
    if len(named) > 1:
        # AWS: one or the other (API Reference, ListExecutions).
        raise ValidationException("Either a state machine ARN or a map run ARN must be given, not both.")
    found: dict[str, Any] = {}
    for member in named:
        found |= _of_member(member, parameters[member], asked)
    return found | (_tagged(parameters["resourceArn"], asked) if parameters.get("resourceArn") else {})


def _new(kind: str, name: Any, asked: Asked) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidName(f"Invalid Name: '{name}'")
    return own("states", f"{kind}:{name}", asked)


def _of_member(member: str, value: Any, asked: Asked) -> dict[str, Any]:
    if member in _MACHINES:
        return _machine(value, asked)
    if member == "executionArn":
        pattern = _EXPRESS if asked.operation.name == "DescribeExecution" and ":express:" in value else _EXECUTION
        return {"execution": _arn(value, pattern, asked)}
    if member == "mapRunArn":
        return {"map_run": _arn(value, _MAP_RUN, asked)}
    return {"activity": _arn(value, _ACTIVITY, asked)}


def _tagged(value: Any, asked: Asked) -> dict[str, Any]:
    return {"tagged": _arn(value, _ACTIVITY if ":activity:" in value else _MACHINE, asked)}


def _machine(value: Any, asked: Asked) -> dict[str, Any]:
    """The state machine without its version or alias, which is the qualifier."""
    text = _arn(value, _MACHINE, asked)
    place, _, rest = text.partition(":stateMachine:")
    match = _MACHINE.fullmatch(f"stateMachine:{rest}")
    if match is None:
        raise TypeError(text)
    found = {"machine": f"{place}:stateMachine:{match['name']}"}
    return found | ({"qualifier": match["qualifier"]} if match["qualifier"] else {})


def _routed(parameters: Mapping[str, Any]) -> Any:
    """The state machine's version that an alias gets, of one state machine alone."""
    named = [one.get("stateMachineVersionArn") for one in parameters["routingConfiguration"]]
    if len({str(arn).rpartition(":")[0] for arn in named}) != 1:
        # AWS: versions of one state machine (API Reference, CreateStateMachineAlias).
        raise ValidationException("An alias routes to versions of one state machine.")
    return named[0]


def _arn(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    return formed(value, "states", pattern, asked, InvalidArn(f"Invalid Arn: '{value}'"))
