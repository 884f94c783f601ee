"""One request as a CloudTrail record (CloudTrail User Guide, "CloudTrail record contents").

`record` notes what a request came to; the record's JSON is made when the store writes it, off the request's way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from iamd import ids
from iamd.auth.identity import Identity
from iamd.authz import policies
from iamd.authz.authorize import Verdict
from iamd.clock import iso, iso_of
from iamd.http import HttpRequest
from iamd.policy.decision import Match, denial_message
from iamd.policy.request import PrincipalKind
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.events import Event, EventResource

EVENT_VERSION = "1.11"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in place of a value that it must not show."""

# SECURITY: these never reach an event, whatever the operation (AUD-04); compared without case.
SECRET_MEMBERS = frozenset(
    {
        "secretaccesskey", "sessiontoken", "password", "oldpassword", "newpassword", "samlassertion", "privatekey",
        "webidentitytoken", "plaintext", "tokencode", "authenticationcode1", "authenticationcode2", "qrcodepng",
        "base32stringseed", "secretstring", "secretbinary", "accesstoken", "refreshtoken", "clientsecret", "idtoken",
        "devicecode",
    }
)  # fmt: skip

MAX_TEXT = 1024
"""Longest text of a parameter that an event keeps whole; AWS, too, leaves out what is too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a request came to: who, what, on what, decided how, answered with what."""

    request: HttpRequest
    time: int
    service: str
    source: str
    name: str
    region: str
    identity: Identity | None
    read_only: bool
    management: bool = True
    parameters: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    verdicts: Sequence[Verdict] = ()
    error_code: str | None = None
    error_message: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    recipient: str = ""
    view: Snapshot | Change | None = None
    event_id: str = field(default_factory=ids.request_id)


def event_of(outcome: Outcome) -> Event:
    """The outcome as the store takes it; its JSON is made when it is written."""
    identity = outcome.identity
    return Event(
        event_id=outcome.event_id,
        request_id=outcome.request.id,
        time=outcome.time,
        account=outcome.recipient,
        name=outcome.name,
        source=outcome.source,
        read_only=outcome.read_only,
        user_name=_user_name(identity),
        access_key_id=identity.access_key_id if identity is not None else None,
        document=lambda: cloudtrail_record(outcome),
        resources=tuple(
            EventResource(resource.get("type", ""), resource["ARN"]) for resource in outcome.notes.get("resources", ())
        ),
    )


def _user_name(identity: Identity | None) -> str | None:
    if identity is None:
        return None
    if identity.is_root:
        return "root"
    return identity.session.session_name if identity.session is not None else identity.name


def cloudtrail_record(outcome: Outcome) -> dict[str, Any]:
    """The record of a request, members in CloudTrail's order; `iamd` holds what `iamd explain` shows."""
    request = outcome.request
    record: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(outcome.identity),
        "eventTime": iso_of(outcome.time),
        "eventSource": outcome.source,
        "eventName": outcome.name,
        "awsRegion": outcome.region,
        "sourceIPAddress": request.source_ip,
        "userAgent": request.header(b"user-agent") or "",
    }
    if outcome.error_code is not None:
        record["errorCode"] = outcome.error_code
        if outcome.error_message:
            record["errorMessage"] = outcome.error_message
    record["requestParameters"] = shown(outcome.parameters) if outcome.parameters else None
    record["responseElements"] = shown(outcome.response) if outcome.response and not outcome.read_only else None
    record |= {
        "requestID": request.id,
        "eventID": outcome.event_id,
        "readOnly": outcome.read_only,
        **outcome.notes,
        "eventType": "AwsApiCall",
        "managementEvent": outcome.management,
        "recipientAccountId": outcome.recipient,
        "eventCategory": "Management" if outcome.management else "Data",
    }
    record["iamd"] = {
        "revision": outcome.view.revision if outcome.view is not None else 0,
        "decisions": [_decision(outcome, verdict) for verdict in outcome.verdicts],
    }
    return record


def _decision(outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    asked, decision = verdict.request, verdict.decision
    return {
        "action": asked.action,
        "resource": asked.resource,
        "outcome": decision.outcome,
        "layer": decision.layer,
        "message": "" if decision.allowed else denial_message(decision, asked),
        "statements": [_statement(outcome, asked.resource, match) for match in decision.matched],
        "context": dict(asked.context),
    }


def _statement(outcome: Outcome, resource: str, match: Match) -> dict[str, Any]:
    name = ""
    if outcome.identity is not None and outcome.view is not None:
        name = policies.name_of(match, outcome.identity, outcome.view, resource)
    return {"layer": match.layer, "policy": name, "index": match.statement.index, "sid": match.statement.sid or ""}


def user_identity(identity: Identity | None) -> dict[str, Any]:
    """The `userIdentity` element (CloudTrail User Guide, "CloudTrail userIdentity element")."""
    if identity is None or identity.kind is PrincipalKind.ANONYMOUS:
        return {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    kinds = {PrincipalKind.ROOT: "Root", PrincipalKind.USER: "IAMUser", PrincipalKind.ROLE_SESSION: "AssumedRole"}
    element: dict[str, Any] = {
        "type": kinds.get(identity.kind, "FederatedUser"),
        "principalId": identity.user_id,
        "arn": identity.arn,
        "accountId": identity.account_id,
    }
    if identity.access_key_id:
        element["accessKeyId"] = identity.access_key_id
    if identity.kind is PrincipalKind.USER and identity.name is not None:
        element["userName"] = identity.name
    if identity.session is not None:
        element["sessionContext"] = _session_context(identity)
    return element


def _session_context(identity: Identity) -> dict[str, Any]:
    session = identity.session
    if session is None:
        return {}
    context: dict[str, Any] = {}
    if identity.kind is PrincipalKind.ROLE_SESSION:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": identity.entity_id,
            "arn": identity.entity_arn,
            "accountId": identity.account_id,
            "userName": identity.name,
        }
    context["attributes"] = {
        "creationDate": iso_of(session.issued),
        "mfaAuthenticated": "true" if session.mfa_time is not None else "false",
    }
    if session.source_identity is not None:
        context["sourceIdentity"] = session.source_identity
    return context


def shown(value: Any, name: str = "") -> Any:
    """A parameter or response as an event shows it: camelCase names, dates as text, secrets hidden, bodies left out."""
    if name.lower() in SECRET_MEMBERS:
        return HIDDEN
    if isinstance(value, Mapping):
        return {_camel(key): shown(item, key) for key, item in value.items() if item is not None}
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT * 16 else value[: MAX_TEXT * 16]
    if isinstance(value, list | tuple):
        return [shown(item, name) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return HIDDEN
    return value


def _camel(name: str) -> str:
    # CloudTrail lowers the first letter and no more: its records say `userName`, and `aWSServiceName` too.
    return name[:1].lower() + name[1:]
