"""The resource policies of CloudWatch Logs: those of an account in a Region, under names, for all of its log groups.

AWS: CloudWatch Logs API Reference, PutResourcePolicy: they let services write, and are not enforced for anybody else.
"""

import json
from collections.abc import Mapping
from typing import Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, Of, checked
from iamd.gateway.resources import Facts, log_policy_place

LARGEST_POLICY: Final = 5_120
"""CloudWatch Logs API Reference, ResourcePolicy: policyDocument."""


class InvalidLogPolicy(AWSError):
    """A policy that CloudWatch Logs does not take."""

    code = "InvalidParameterException"
    status = 400


def _put(asked: Asked, _: str, __: Facts) -> Effect:
    arn, place = _named(asked)
    text = checked(_given(asked, "policyDocument"), InvalidLogPolicy)
    return Effect(Kind.SET_POLICY, arn, _of_services(text), has_policy=True, done={"name": place})


def _delete(asked: Asked, _: str, __: Facts) -> Effect:
    return Effect(Kind.END, _named(asked)[0])


def _named(asked: Asked) -> tuple[str, str]:
    """The name that iamd keeps a policy under, in the form of an ARN, and that of its account and Region."""
    place = log_policy_place(asked.region, asked.account)
    return f"{place}:{_given(asked, 'policyName')}", place


def _given(asked: Asked, member: str) -> str:
    """A member that the model does not require, and policies of an account do."""
    found: str | None = asked.parameters.get(member)
    if not found:
        raise InvalidLogPolicy(f"{member} must be given.")
    return found


def _of_services(text: str) -> str | None:
    """The statements of a policy that are about services; None when there are none."""
    document = json.loads(text)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [
        one for one in statements if isinstance(one.get("Principal"), dict) and one["Principal"].keys() == {"Service"}
    ]
    return json.dumps({**document, "Statement": kept}) if kept else None


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("logs", "PutResourcePolicy"): _put,
    ("logs", "DeleteResourcePolicy"): _delete,
}
