"""What requests to EventBridge do to the policies of event buses (EventBridge API Reference, PutPermission)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.events import bus_arn
from iamd.gateway.effect import Effect, Kind, Of, checked, end, make
from iamd.gateway.resources import Facts

LARGEST_POLICY: Final = 10_240
"""EventBridge API Reference, PutPermission: 10 KB."""


class PolicyLengthExceeded(AWSError):
    """A bus's policy that has grown too large."""

    code = "PolicyLengthExceededException"
    status = 400


class InvalidBusPolicy(AWSError):
    """A policy that EventBridge does not take."""

    code = "ValidationException"
    status = 400


def _put(asked: Asked, _: str, facts: Facts) -> Effect:
    given, bus = asked.parameters, bus_arn(asked.parameters.get("EventBusName"), asked)
    text = given.get("Policy")
    if not text:
        # AWS: the statement of an id that is there already is replaced.
        kept = [one for one in _statements(bus, facts) if one.get("Sid") != given.get("StatementId")]
        text = json.dumps({"Version": "2012-10-17", "Statement": [*kept, _statement(given, bus)]})
    return Effect(Kind.SET_POLICY, bus, checked(text, InvalidBusPolicy), has_policy=True)


def _statement(given: Mapping[str, Any], bus: str) -> dict[str, Any]:
    missing = [member for member in ("StatementId", "Action", "Principal") if not given.get(member)]
    if missing:
        raise InvalidBusPolicy(f"Parameter {missing[0]} must be given when there is no Policy.")
    principal, condition = given["Principal"], given.get("Condition")
    within = {"Condition": {condition["Type"]: {condition["Key"]: condition["Value"]}}} if condition else {}
    return {
        "Sid": given["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": arns.root(principal)},
        "Action": given["Action"],
        "Resource": bus,
        **within,
    }


def _remove(asked: Asked, _: str, facts: Facts) -> Effect | None:
    given, bus = asked.parameters, bus_arn(asked.parameters.get("EventBusName"), asked)
    known = [] if given.get("RemoveAllPermissions") else _statements(bus, facts)
    kept = [one for one in known if one.get("Sid") != given.get("StatementId")]
    if not given.get("RemoveAllPermissions") and len(kept) == len(known):
        # The service has its own words for a statement that is not there.
        return None
    text = json.dumps({"Version": "2012-10-17", "Statement": kept}) if kept else None
    return Effect(Kind.SET_POLICY, bus, text, has_policy=True)


def _statements(bus: str, facts: Facts) -> list[dict[str, Any]]:
    known = facts.get(bus)
    statements = json.loads(known.policy)["Statement"] if known is not None and known.policy is not None else []
    return statements if isinstance(statements, list) else [statements]


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("events", "CreateEventBus"): make,
    ("events", "DeleteEventBus"): end,
    ("events", "PutPermission"): _put,
    ("events", "RemovePermission"): _remove,
}
