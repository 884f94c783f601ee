"""What a handshake is: whom it is from and for, how long it stands, and how it looks."""

from typing import Any, Final

from iamd.call import Call
from iamd.services.organizations import answers, entities
from iamd.store.organization_records import Handshake, Membership, Organization
from iamd.store.records import AccountRecord, Tag

ACCOUNT, EMAIL, ORGANIZATION = "ACCOUNT", "EMAIL", "ORGANIZATION"
INVITE, ENABLE, APPROVE = "INVITE", "ENABLE_ALL_FEATURES", "APPROVE_ALL_FEATURES"
REQUESTED: Final = "REQUESTED"
OPEN, ACCEPTED, DECLINED, CANCELED, EXPIRED = "OPEN", "ACCEPTED", "DECLINED", "CANCELED", "EXPIRED"

INVITED: Final = "INVITED"
"""How accounts joined that were not made by the organization, its management account too."""

DAY: Final = 24 * 3600
VALID_SECONDS: Final = 15 * DAY
"""AWS: an invitation expires after 15 days (Organizations User Guide, "Quotas and service limits")."""

FEATURES_SECONDS: Final = 90 * DAY
"""AWS: and a request to enable all features after 90 (the same page)."""

SHOWN_SECONDS: Final = 30 * DAY
"""AWS: a handshake that ended is shown for 30 days (Organizations API Reference, ListHandshakesForAccount)."""


def new(
    call: Call,
    organization: Organization,
    *,
    target_type: str,
    target: str,
    expires: int,
    action: str = INVITE,
    notes: str | None = None,
    tags: tuple[Tag, ...] = (),
    parent: str | None = None,
) -> Handshake:
    """A handshake that an organization begins now."""
    record = entities.record_of(call, organization.management_account_id)
    return Handshake(
        handshake_id=entities.new_id("h-", 32),
        organization_id=organization.organization_id,
        management_account_id=organization.management_account_id,
        management_email=record.email if record is not None else "",
        management_name=record.name if record is not None else "",
        feature_set=organization.feature_set,
        target_type=target_type,
        target=target,
        requested=call.now,
        expires=expires,
        notes=notes,
        tags=tags,
        action=action,
        parent=parent,
    )


def arn_of(handshake: Handshake) -> str:
    """The ARN of a handshake, which belongs to the management account that sent it."""
    resource = f"handshake/{handshake.organization_id}/{handshake.action.lower()}/{handshake.handshake_id}"
    return f"arn:aws:organizations::{handshake.management_account_id}:{resource}"


def pending_features(call: Call, organization_id: str) -> Handshake | None:
    """The request to enable an organization's features that is under way, or None."""
    sent = call.view.shared.find(Handshake, "organization", organization_id)
    return next((one for one in sent if one.action == ENABLE and state_of(call, one) in {OPEN, REQUESTED}), None)


def state_of(call: Call, handshake: Handshake) -> str:
    """The state it is in now: one that is still open ends by itself."""
    if handshake.state != OPEN:
        return handshake.state
    if call.now >= handshake.expires:
        return EXPIRED
    return REQUESTED if handshake.action == ENABLE and not is_approved(call, handshake) else OPEN


def is_approved(call: Call, handshake: Handshake) -> bool:
    """Whether every invited account of the organization has accepted what it was asked as part of a handshake."""
    sent = call.view.shared.find(Handshake, "organization", handshake.organization_id)
    approving = {one.target for one in sent if one.parent == handshake.handshake_id and one.state == ACCEPTED}
    return all(one.account_id in approving for one in invited_to(call, handshake.organization_id))


def invited_to(call: Call, organization_id: str) -> list[Membership]:
    """The accounts that joined an organization by invitation: those whose consent a change of its features needs."""
    found = call.view.shared.find(Membership, "organization", organization_id)
    organization = call.view.shared.get(Organization, organization_id)
    own = organization.management_account_id if organization is not None else None
    return [one for one in found if one.joined_method == INVITED and one.account_id != own]


def is_shown(call: Call, handshake: Handshake) -> bool:
    """Whether it is open, or ended not so long ago that it is forgotten."""
    ended = handshake.ended if handshake.ended is not None else handshake.expires
    return call.now < ended + SHOWN_SECONDS


def names_of(call: Call) -> tuple[str, ...]:
    """What the caller's account is invited by: its number, and its address."""
    record = call.account.get(AccountRecord, call.account.id)
    email = record.email.lower() if record is not None else ""
    return (call.account.id, email) if email else (call.account.id,)


def is_for_caller(call: Call, handshake: Handshake) -> bool:
    """Whether it is the caller's account that is invited, or that took the invitation."""
    if handshake.account_id is not None:
        return handshake.account_id == call.account.id
    return handshake.target.lower() in names_of(call)


def is_of_caller(call: Call, handshake: Handshake) -> bool:
    """Whether it is the caller's organization that invites."""
    organization = entities.organization_in(call)
    return organization is not None and organization.organization_id == handshake.organization_id


def concerns(call: Call, handshake: Handshake) -> bool:
    """Whether the caller's account has to do with it, and it is not forgotten."""
    return is_shown(call, handshake) and (is_for_caller(call, handshake) or is_of_caller(call, handshake))


def shown(call: Call, handshake: Handshake) -> dict[str, Any]:
    """A handshake as answers have it; AWS names the organization's party without the beginning of its id."""
    organization = {"Id": handshake.organization_id.removeprefix("o-"), "Type": ORGANIZATION}
    # AWS: once an account has taken an invitation to an address, the account is the party.
    taken = handshake.account_id
    party = {"Id": taken, "Type": ACCOUNT} if taken else {"Id": handshake.target, "Type": handshake.target_type}
    return {
        "Id": handshake.handshake_id,
        "Arn": arn_of(handshake),
        "Parties": [organization] if handshake.action == ENABLE else [organization, party],
        "State": state_of(call, handshake),
        "RequestedTimestamp": answers.moment(handshake.requested),
        "ExpirationTimestamp": answers.moment(handshake.expires),
        "Action": handshake.action,
        "Resources": _resources(handshake),
    }


def _resources(handshake: Handshake) -> list[dict[str, Any]]:
    sender = {
        "MASTER_EMAIL": handshake.management_email,
        "MASTER_NAME": handshake.management_name,
        "ORGANIZATION_FEATURE_SET": handshake.feature_set,
    }
    of_sender = [{"Type": kind, "Value": value} for kind, value in sender.items() if value]
    found: list[dict[str, Any]] = [
        {"Type": ORGANIZATION, "Value": handshake.organization_id, "Resources": of_sender},
    ]
    if handshake.action != ENABLE:
        found.append({"Type": handshake.target_type, "Value": handshake.target})
    if handshake.parent is not None:
        found.append({"Type": "PARENT_HANDSHAKE", "Value": handshake.parent})
    return found + ([{"Type": "NOTES", "Value": handshake.notes}] if handshake.notes is not None else [])
