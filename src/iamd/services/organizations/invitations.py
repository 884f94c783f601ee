"""What an invitation is: whom it is from and for, how long it stands, and how it looks."""

from typing import Any, Final

from iamd.call import Call
from iamd.services.organizations import answers, entities
from iamd.store.records import AccountRecord, Handshake

ACCOUNT, EMAIL, ORGANIZATION = "ACCOUNT", "EMAIL", "ORGANIZATION"
INVITE: Final = "INVITE"
OPEN, ACCEPTED, DECLINED, CANCELED, EXPIRED = "OPEN", "ACCEPTED", "DECLINED", "CANCELED", "EXPIRED"

DAY: Final = 24 * 3600
VALID_SECONDS: Final = 15 * DAY
"""AWS: an invitation expires after 15 days (Organizations User Guide, "Quotas and service limits")."""

SHOWN_SECONDS: Final = 30 * DAY
"""AWS: a handshake that ended is shown for 30 days (Organizations API Reference, ListHandshakesForAccount)."""


def arn_of(handshake: Handshake) -> str:
    """The ARN of a handshake, which belongs to the management account that sent it."""
    resource = f"handshake/{handshake.organization_id}/invite/{handshake.handshake_id}"
    return f"arn:aws:organizations::{handshake.management_account_id}:{resource}"


def state_of(call: Call, handshake: Handshake) -> str:
    """The state it is in now: one that is still open ends by itself."""
    return EXPIRED if handshake.state == OPEN and call.now >= handshake.expires else handshake.state


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
        "Parties": [organization, party],
        "State": state_of(call, handshake),
        "RequestedTimestamp": answers.moment(handshake.requested),
        "ExpirationTimestamp": answers.moment(handshake.expires),
        "Action": INVITE,
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
        {"Type": handshake.target_type, "Value": handshake.target},
    ]
    return found + ([{"Type": "NOTES", "Value": handshake.notes}] if handshake.notes is not None else [])
