"""The resource policies of CloudWatch Logs: those of an account in a Region, under names, for all of its log groups.

AWS: CloudWatch Logs API Reference, PutResourcePolicy: they let services write, and are not enforced for anybody else.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from iamd import policy_places
from iamd.errors import AWSError
from iamd.gateway import policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, Of, checked
from iamd.gateway.resources import Facts

_SERVICES: Final = {"aws:PrincipalIsAWSService": "true"}
WHOLE: Final = "whole"
"""The fact which policy was set, of which only what is about services counts."""
LARGEST_POLICY: Final = 5_120
"""CloudWatch Logs API Reference, ResourcePolicy: policyDocument."""


class InvalidLogPolicy(AWSError):
    """A policy that CloudWatch Logs does not take."""

    code = "InvalidParameterException"
    status = 400


def _put(asked: Asked, _: str, facts: Facts) -> Effect:
    place = _place(asked)
    text = policy_principals.stored(checked(_given(asked, "policyDocument"), InvalidLogPolicy), asked, facts.view)
    arn = arn_of(_given(asked, "policyName"), asked)
    return Effect(Kind.SET_POLICY, arn, _of_services(text), has_policy=True, done={"name": place, WHOLE: text})


def _delete(asked: Asked, _: str, __: Facts) -> Effect:
    return Effect(Kind.END, arn_of(_given(asked, "policyName"), asked))


def arn_of(name: str, asked: Asked) -> str:
    """The name that iamd keeps a policy of the caller's account under, in the form of an ARN."""
    return f"{_place(asked)}:{name}"


def _place(asked: Asked) -> str:
    return policy_places.of_account("logs", asked.region, asked.account)


def _given(asked: Asked, member: str) -> str:
    """A member that the model does not require, and policies of an account do."""
    found: str | None = asked.parameters.get(member)
    if not found:
        raise InvalidLogPolicy(f"{member} must be given.")
    return found


def _of_services(text: str) -> str | None:
    """The statements of a policy, as far as they are about services; None when there are none."""
    document = json.loads(text)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [found for one in statements if (found := _of_service(one)) is not None]
    return json.dumps({**document, "Statement": kept}) if kept else None


def _of_service(statement: dict[str, Any]) -> dict[str, Any] | None:
    """A statement as far as it is about services; None when it is not."""
    principal = statement.get("Principal")
    if statement["Effect"] == "Deny":
        # SECURITY: whom else a denial is for, a service must not write past it.
        condition = dict(statement.get("Condition") or {})
        return {**statement, "Condition": {**condition, "Bool": _SERVICES | dict(condition.get("Bool") or {})}}
    if not isinstance(principal, dict) or "Service" not in principal:
        return None
    return {**statement, "Principal": {"Service": principal["Service"]}}


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("logs", "PutResourcePolicy"): _put,
    ("logs", "DeleteResourcePolicy"): _delete,
}
