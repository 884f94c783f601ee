"""One request as a CloudTrail record (CloudTrail User Guide, "CloudTrail record contents").

An Outcome notes what a request came to; its JSON waits for the store, which chains and writes it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import repeat
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from iamd import ids
from iamd.arn import partition_of
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import explanations, told_keys
from iamd.authz.authorize import Verdict
from iamd.authz.told_keys import Told
from iamd.clock import iso_of
from iamd.http import HttpRequest
from iamd.services.cloudtrail.resources import MEMBERS, bucket_named, of_bucket, resources_of
from iamd.services.cloudtrail.shown import HIDDEN, MASKING, MAX_TEXT, cut, masked, parameters, shown
from iamd.services.cloudtrail.user_identity import Caller, caller, foreign_identity, known_key_id, unknown_identity
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.events import Event, EventResource
from iamd.wire import models

__all__ = ["HIDDEN", "Outcome", "event_of", "events_of"]

_ENCODER = msgspec.json.Encoder()

EVENT_VERSION = "1.11"

READ_ONLY_SERVICES = frozenset({"sts"})
"""Services of which AWS calls every event read-only: STS gives credentials, and changes nothing."""

NAMED_BY_EXCEPTION = frozenset({"iam", "sts"})
"""Services whose records name an error by its exception, not by its code on the wire: `NoSuchEntityException`.

AWS: seen in CloudTrail's records of failed IAM requests; what is no exception of the model keeps its code
(`AccessDenied`).
"""

DENIED_IN_SHORT = frozenset({"organizations"})
"""Services whose records call a denial by policies `AccessDenied`, whatever its code on the wire.

AWS: seen in CloudTrail's record of a LeaveOrganization that no policy allowed.
"""


ASSUMING_ROOT = ("sts", "AssumeRoot")
"""The operation whose records say `assumedRoot` of their caller's session.

AWS: IAM User Guide, "Track privileged tasks in AWS CloudTrail" (cloudtrail-track-privileged-tasks), whose example of
what the session did then does not say it.
"""


UNTOLD_CALLERS = frozenset({"cognito-identity", "cognito-idp"})
"""Services of whose unsigned callers records say no more than that they are unknown.

AWS: Cognito Developer Guide, "Example Amazon Cognito events", GetCredentialsForIdentity.
"""


class Outcome(msgspec.Struct, frozen=True):
    """What a request came to: who, what, on what, decided how, answered with what.

    `unverified_key_id` is the access key that the request named, whether it was signed with it or not. `recipient` is
    the account whose event this is; `shared_event_id` is set when another account is told of the request as well.
    `bucket_owner` is the account whose bucket it names, empty where that is not known.
    """

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
    notes: Mapping[str, Any] = msgspec.field(default_factory=dict)
    recipient: str = ""
    view: Snapshot | Change | None = None
    unverified_key_id: str | None = None
    bucket_owner: str | None = None
    event_id: str = msgspec.field(default_factory=ids.request_id)
    shared_event_id: str | None = None

    @property
    def changes_nothing(self) -> bool:
        """What the record's `readOnly` says."""
        return self.read_only or self.service in READ_ONLY_SERVICES


Decision = explanations.Noted | dict[str, Any]


class Explained(msgspec.Struct, frozen=True, rename="camel"):
    """What `iamd explain` shows of a request."""

    revision: int
    decisions: Sequence[Decision]
    bucket_owner: str | UnsetType = UNSET
    """By this and the parameters it is known which resources the record lists (`resources.listed_in`)."""
    secure: bool | UnsetType = UNSET
    """Whether it counts as asked over TLS; left out when not."""


_NAMES: Final = {
    "source_ip_address": "sourceIPAddress",
    "request_id": "requestID",
    "event_id": "eventID",
    "shared_event_id": "sharedEventID",
}


def _member(field: str) -> str:
    first, *others = field.split("_")
    return _NAMES.get(field) or first + "".join(map(str.capitalize, others))


class Record(msgspec.Struct, frozen=True, rename=_member):
    """The record of a request, members in CloudTrail's order; those that are UNSET are left out."""

    event_version: str
    user_identity: msgspec.Raw | Mapping[str, Any]
    event_time: str
    event_source: str
    event_name: str
    aws_region: str
    source_ip_address: str
    user_agent: str
    error_code: str | UnsetType
    error_message: str | UnsetType
    request_parameters: msgspec.Raw | None
    response_elements: Mapping[str, Any] | None
    request_id: str
    event_id: str
    read_only: bool
    additional_event_data: Mapping[str, Any] | UnsetType
    resources: Sequence[Mapping[str, str]] | UnsetType
    event_type: str
    management_event: bool
    recipient_account_id: str
    shared_event_id: str | UnsetType
    vpc_endpoint_id: str | UnsetType
    vpc_endpoint_account_id: str | UnsetType
    event_category: str
    iamd: Explained


def events_of(outcome: Outcome) -> list[Event]:
    """The events of a request: the caller's account's, and one for each other account whose resource it used.

    AWS: both share a `sharedEventID` (CloudTrail User Guide, "CloudTrail record contents", sharedEventID).
    """
    owner = outcome.bucket_owner
    if not outcome.notes and (owner is None or owner == outcome.recipient):
        # Nearly all.
        return [event_of(outcome)]
    owners = _other_owners(outcome)
    if not owners:
        return [event_of(outcome)]
    shared = ids.request_id()
    told = [replace(outcome, shared_event_id=shared)]
    told += [replace(told[0], recipient=owner, event_id=ids.request_id()) for owner in owners]
    return [event_of(one) for one in told]


def _other_owners(outcome: Outcome) -> list[str]:
    listed, owner, view = outcome.notes.get("resources"), outcome.bucket_owner, outcome.view
    if outcome.error_code is not None or view is None:
        return []
    if not listed:
        return [owner] if owner and owner != outcome.recipient and view.account(owner) is not None else []
    owners = {one["accountId"] for one in listed if "accountId" in one} - {outcome.recipient}
    return sorted(owner for owner in owners if view.account(owner) is not None)


def event_of(outcome: Outcome) -> Event:
    """The outcome as the store takes it."""
    identity = outcome.identity
    # Whether the caller's own account is told, or nobody else can be.
    is_callers = identity is None or identity.account_id == outcome.recipient or not identity.account_id
    found = _caller(outcome, is_callers)
    # SECURITY: how the caller's own policies were decided is for the caller's account alone.
    told, changes_nothing = outcome.verdicts if is_callers else (), outcome.changes_nothing
    # A few hundred bytes wait for the store, not all that a request came to.
    document: bytes | Callable[[], bytes]
    try:
        document = _ENCODER.encode(_record(outcome, found, told, changes_nothing))
    except (TypeError, ValueError, OverflowError):
        # What can't be encoded is left to the store, which writes a record that says so.
        document = partial(_document, outcome, found, told)
    return Event(
        outcome.event_id,
        outcome.request.id,
        outcome.time,
        outcome.recipient,
        outcome.name,
        outcome.source,
        document,
        changes_nothing,
        found.user_name,
        found.access_key_id,
        _resources(outcome),
    )


def _resources(outcome: Outcome) -> tuple[EventResource, ...]:
    service, asked = outcome.service, outcome.parameters
    if service == "s3":
        # Buckets are found by their names, which parameters tell.
        name = asked.get("Bucket") if asked else None
        return bucket_named(name) if isinstance(name, str) else ()
    if not outcome.notes and service not in MEMBERS and service != "sts":
        return ()
    return resources_of(service, asked, outcome.response, outcome.notes.get("resources", ()))


def _caller(outcome: Outcome, is_callers: bool) -> Caller:
    """The caller as the recipient's account is told of them."""
    identity = outcome.identity
    if identity is None:
        element = unknown_identity(outcome.unverified_key_id)
        return Caller(ANONYMOUS, element, None, known_key_id(outcome.unverified_key_id), {})
    if identity is ANONYMOUS and outcome.service in UNTOLD_CALLERS:
        return Caller(identity, {"type": "Unknown"}, None, None, {})
    if not is_callers:
        return Caller(identity, foreign_identity(identity), None, None, {})
    found = caller(identity, outcome.view)
    if (outcome.service, outcome.name) == ASSUMING_ROOT and outcome.error_code is None:
        _mark_assumed_root(found.element)
    return found


def _mark_assumed_root(element: msgspec.Raw | dict[str, Any]) -> None:
    """Say in the session's own element that it assumed a root user; callers without a session have none."""
    if isinstance(element, dict) and "sessionContext" in element:
        element["sessionContext"]["assumedRoot"] = "true"


def _document(outcome: Outcome, found: Caller, told: Sequence[Verdict]) -> bytes:
    """The record's JSON."""
    return _ENCODER.encode(_record(outcome, found, told, outcome.changes_nothing))


def _record(outcome: Outcome, found: Caller, told: Sequence[Verdict], changes_nothing: bool) -> Record:
    """The record of a request."""
    asking = _asking(outcome.identity) if outcome.identity is not None else None
    request, notes, service, view = outcome.request, outcome.notes, outcome.service, outcome.view
    agent = asking or _agent(request.fields.get(b"user-agent", b"")[:MAX_TEXT])
    asked, answered = outcome.parameters, outcome.response if not outcome.read_only else None
    if service in MASKING:
        asked, answered = masked(service, asked), masked(service, answered)
    code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    owner = outcome.bucket_owner
    if outcome.error_code is not None:
        code, message = _error(outcome, outcome.error_code)
        if owner is not None and owner != outcome.recipient:
            # As in `_listed`.
            owner = ""
    asked_for = parameters(asked, notes.get("requestParameters"), service) if asked or notes else None
    listed: Sequence[Mapping[str, str]] | UnsetType = _listed(outcome) if notes else UNSET
    if owner is not None and listed is UNSET and asked_for is None and "Bucket" in (outcome.parameters or {}):
        # There are too many parameters for the record, which so does not tell what it lists.
        named = outcome.parameters or {}
        listed = of_bucket(partition_of(outcome.region), named["Bucket"], named.get("Key"), owner)
    address, is_secure = asking or request.source_ip, request.secure or request.counts_as_secure
    decisions: list[Decision] = []
    if told:
        keys = told_keys.told(found.keys, outcome.time, outcome.region, address, agent, outcome.recipient, is_secure)
        decisions = _noted(told, view, keys)
    return Record(
        EVENT_VERSION,
        found.element,
        iso_of(outcome.time),
        outcome.source,
        outcome.name,
        outcome.region,
        address,
        agent,
        code,
        message,
        asked_for,
        shown(answered) if answered else None,
        request.id,
        outcome.event_id,
        changes_nothing,
        notes.get("additionalEventData", UNSET) if notes else UNSET,
        listed,
        "AwsApiCall",
        outcome.management,
        outcome.recipient,
        outcome.shared_event_id or UNSET,
        UNSET if request.vpc_endpoint is None else request.vpc_endpoint.id,
        UNSET if request.vpc_endpoint is None else request.vpc_endpoint.account,
        "Management" if outcome.management else "Data",
        Explained(
            0 if view is None else view.revision,
            decisions,
            UNSET if owner is None or listed is not UNSET else owner,
            is_secure or UNSET,
        ),
    )


def _asking(identity: Identity) -> str | None:
    """The service that asks for itself or for the caller.

    AWS: the address and the agent of a service's own request are its name ("CloudTrail record contents").
    """
    return identity.service.name if identity.service is not None else identity.invoked_by


def _noted(told: Sequence[Verdict], view: Snapshot | Change | None, keys: Told) -> list[Decision]:
    """What the event keeps of the decisions; of most requests there is one."""
    if len(told) == 1:
        return [explanations.noted(told[0], view, keys)]
    return list(map(explanations.noted, told, repeat(view), repeat(keys)))


def _listed(outcome: Outcome) -> Sequence[Mapping[str, str]] | UnsetType:
    """The resources that a record lists.

    AWS: who is refused is not told whose another account's bucket is (CloudTrail User Guide, "Redacting bucket owner
    account IDs for data events called by other accounts").
    """
    listed: Sequence[Mapping[str, str]] | UnsetType = outcome.notes.get("resources", UNSET)
    if not listed or outcome.service != "s3" or outcome.error_code is None:
        return listed
    return [
        one if one.get("accountId") == outcome.recipient else {key: one[key] for key in one if key != "accountId"}
        for one in listed
    ]


@lru_cache(maxsize=256)
def _agent(header: bytes) -> str:
    """What a client calls itself; no more is given here, and remembered, than a record has room for."""
    return cut(header.decode("latin-1"))


def _error(outcome: Outcome, code: str) -> tuple[str, str | UnsetType]:
    """The code that a record names an error by, and its message."""
    message = cut(outcome.error_message) if outcome.error_message else UNSET
    is_denied = bool(outcome.verdicts) and not outcome.verdicts[-1].decision.allowed
    if is_denied and outcome.service in DENIED_IN_SHORT:
        return "AccessDenied", message
    return _error_name(outcome.service, code), message


def _error_name(service: str, code: str) -> str:
    modelled = models.service(service).errors.get(code) if service in NAMED_BY_EXCEPTION else None
    return code if modelled is None else modelled.shape.name
