"""The condition keys that a request's record tells by its own members, so that its decisions need not tell them again.

They are a quarter of an event, which is hashed, stored and kept.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

import msgspec

from iamd.authz.authorize import Verdict
from iamd.authz.context import Value, of_moment
from iamd.policy.request import Context

# What records call the callers who belong to an account, and aws:PrincipalType does.
_TYPES: Final = {
    "Root": "Account",
    "IAMUser": "User",
    "AssumedRole": "AssumedRole",
    "FederatedUser": "FederatedUser",
}
_OF_REQUEST: Final = (
    "aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:requestedregion", "aws:sourceip", "aws:useragent",
    "aws:resourceaccount", "aws:viaawsservice",
)  # fmt: skip
_of_request: Final = itemgetter(*_OF_REQUEST)
_IS_OF_REQUEST: Final = frozenset(_OF_REQUEST)


class Told(msgspec.Struct, frozen=True):
    """The keys that a record tells: by its `userIdentity`, and the values of `_OF_REQUEST`."""

    callers: Context
    of_request: tuple[Value, ...]


def told(callers: Context, moment: int, region: str, address: str, agent: str, recipient: str, secure: bool) -> Told:
    """What a record tells by its members, which `of_record` reads again."""
    current, epoch = of_moment(moment).values()
    is_secure = "true" if secure else "false"
    return Told(callers, (current, epoch, is_secure, region, address, agent, recipient, "false"))


def rest(verdict: Verdict, told: Told) -> Context | None:
    """Those of a decision's keys that its record does not tell; None when the record tells something else of one."""
    if verdict.parts is None:
        return None
    callers, targets = verdict.parts
    keys = verdict.request.context
    # Another key than these would be one more, unless the target has one of the others: AssumeRole with a code does.
    if len(keys) != len(callers) + len(_OF_REQUEST) + len(targets) or callers != told.callers:
        return None
    if targets and not (_IS_OF_REQUEST.isdisjoint(targets) and callers.keys().isdisjoint(targets)):
        return None
    try:
        return targets if _of_request(keys) == told.of_request else None
    except KeyError:
        return None


def of_record(record: Mapping[str, Any]) -> Context:
    """The keys that a record tells."""
    found = told(
        of_caller(record["userIdentity"]),
        int(datetime.fromisoformat(record["eventTime"]).timestamp()),
        record["awsRegion"],
        record["sourceIPAddress"],
        record["userAgent"],
        record["recipientAccountId"],
        secure=record["iamd"].get("secure", False),
    )
    return {**found.callers, **dict(zip(_OF_REQUEST, found.of_request, strict=True))}


def of_caller(element: Mapping[str, Any]) -> Context:
    """What a record's `userIdentity` tells."""
    kind = _TYPES.get(element["type"])
    if kind is None or "accountId" not in element:
        return {}
    session = element.get("sessionContext", {})
    # AWS: for a role session the key holds the role's ARN (IAM User Guide, reference_policies_condition-keys).
    entity = session.get("sessionIssuer", element) if kind == "AssumedRole" else element
    keys: dict[str, str | None] = {
        "aws:userid": element["principalId"],
        "aws:principalisawsservice": "false",
        "aws:principaltype": kind,
        "aws:principalaccount": element["accountId"],
        "aws:principalarn": entity.get("arn"),
        "aws:username": element.get("userName") if kind == "User" else None,
    }
    if session:
        attributes = session["attributes"]
        keys["aws:tokenissuetime"] = attributes["creationDate"]
        keys["aws:multifactorauthpresent"] = attributes["mfaAuthenticated"]
        keys["aws:sourceidentity"] = session.get("sourceIdentity")
        keys["aws:federatedprovider"] = session.get("webIdFederationData", {}).get("federatedProvider")
    return {key: value for key, value in keys.items() if value is not None}
