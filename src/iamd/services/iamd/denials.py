"""What was denied, by principal, with the statement that would allow it: for who begins to enforce policies."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from iamd import arn
from iamd.call import Call
from iamd.policy.decision import Layer, Outcome
from iamd.services.iamd.decisions import no_arn, nothing, shown_statement
from iamd.services.registry import reading
from iamd.store.errors import Unavailable
from iamd.store.log import Denial

DENIED, WOULD_BE_DENIED = "Denied", "WouldBeDenied"
MOST: Final = 1000

NAMING: Final = frozenset({Layer.RESOURCE, Layer.TRUST})
"""The policies whose statements name whom they are for."""


@reading(on=nothing, is_long=True)
def report_denials(
    call: Call,
    *,
    start_time: datetime | None = None,
    principal_arn: str | None = None,
    kind: str | None = None,
    max_results: int = MOST,
) -> dict[str, Any]:
    """List what the account's principals were denied, and what they would be with `--enforce strict`.

    What happened most often stands first. An explicit denial has no statement that would allow it.
    Raises NoSuchPrincipal for what is no ARN; who is gone still has denials.
    """
    if principal_arn is not None and arn.parse(principal_arn) is None:
        raise no_arn(call, principal_arn)
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    since = start_time.timestamp() if start_time is not None else 0.0
    found = [
        one
        for one in call.store.denials(call.identity.account_id, since)
        if principal_arn in {None, one.who} and kind in {None, _kind(one)}
    ]
    return {"Denials": [_shown(one) for one in found[:max_results]], "IsTruncated": len(found) > max_results}


def _kind(denial: Denial) -> str:
    return WOULD_BE_DENIED if denial.is_only_told else DENIED


def _shown(denial: Denial) -> dict[str, Any]:
    decision = msgspec.json.decode(denial.decision, type=dict[str, Any])
    shown = {
        "PrincipalArn": denial.who or "anonymous",
        "Action": denial.action,
        "Resource": denial.resource,
        "Kind": _kind(denial),
        "Count": denial.times,
        "LastTime": datetime.fromtimestamp(denial.time, UTC),
        "LastRequestId": denial.request_id,
        "Reason": decision["message"],
        "Layer": decision["layer"],
    }
    if decision["outcome"] == Outcome.EXPLICITLY_DENIED:
        return shown | {"DeniedBy": [shown_statement(one) for one in decision["statements"]]}
    return shown | {"Statement": json.dumps(_statement(denial, decision))}


def _statement(denial: Denial, decision: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy of the layer that did not allow it has to say."""
    said = {"Action": denial.action, "Resource": _lasting(denial.resource)}
    if decision["layer"] not in NAMING:
        service = decision["context"].get(_PASSED_TO) if denial.action == "iam:PassRole" else None
        passed = {"Condition": {"StringEquals": {"iam:PassedToService": service}}} if service else {}
        return {"Effect": "Allow", **said, **passed}
    if is_service(denial.who):
        # AWS: a service is let in for one resource, not for everybody's ("The confused deputy problem").
        source = decision["context"].get("aws:sourcearn")
        condition = {"Condition": {"ArnEquals": {"aws:SourceArn": source}}} if source else {}
        return {"Effect": "Allow", "Principal": {"Service": denial.who}, **said, **condition}
    return {"Effect": "Allow", "Principal": {"AWS": denial.who} if denial.who else "*", **said}


_PASSED_TO: Final = "iam:passedtoservice"
_PASSING: Final = re.compile(
    r"(arn:[^:]*:states:[^:]*:[^:]*:(?:execution|express):[^:]+):.+"
    r"|(arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:]+:log-stream):.+",
    re.DOTALL,
)
"""Resources that are made anew all the time: executions of state machines, and streams of logs."""


def _lasting(resource: str) -> str:
    """A resource as a policy names it that is to hold tomorrow."""
    found = _PASSING.fullmatch(resource)
    return f"{found[1] or found[2]}:*" if found is not None else resource


def is_service(who: str) -> bool:
    """Whether it is a service principal, not an ARN."""
    return bool(who) and not who.startswith("arn:")
