"""Handshakes: accounts are invited to an organization or asked for consent, and accept or decline.

AWS: Organizations API Reference, the operations of these names; what parties and resources are, which state refuses
what, and the words of refusals are those of AWS's recorded answers (September 2026).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd.call import Call
from iamd.data.organization_policies import DEFAULTS
from iamd.services.organizations import arns, entities, invitations, quotas
from iamd.services.organizations.accounts import depart
from iamd.services.organizations.errors import (
    AccessDenied,
    DuplicateHandshake,
    HandshakeAlreadyInState,
    HandshakeConstraintViolation,
    HandshakeNotFound,
    InvalidHandshakeTransition,
    InvalidInput,
)
from iamd.services.organizations.invitations import (
    ACCEPTED,
    ACCOUNT,
    CANCELED,
    DECLINED,
    EMAIL,
    ENABLE,
    INVITE,
    INVITED,
    OPEN,
    REQUESTED,
)
from iamd.services.organizations.organizations import check_dependency, make_service_linked_role
from iamd.services.organizations.pages import page
from iamd.services.organizations.service_events import account_joined
from iamd.services.organizations.tags import checked_tags
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Handshake, Membership, Organization
from iamd.store.records import GLOBAL

_NUMBER: Final = re.compile(r"[0-9]{12}", re.ASCII)
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

Filter = Mapping[str, str]


@operation(on=arns.invited)
def invite_account_to_organization(
    call: Call, *, target: Mapping[str, str], notes: str | None = None, tags: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Invite an account, by its number or its address; it stands for 15 days. No mail is sent."""
    organization = entities.managed_organization(call)
    _check_target(target)
    checked = checked_tags(tags)
    shared = call.view.shared
    if invitations.pending_features(call, organization.organization_id) is not None:
        raise HandshakeConstraintViolation(
            "INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES",
            "You can't invite accounts while your organization is in the process of enabling all features.",
        )
    if target["Type"] == ACCOUNT and entities.member_in(shared, organization, target["Id"]) is not None:
        raise _already_in()
    sent = shared.find(Handshake, "organization", organization.organization_id)
    open_ones = [one for one in sent if one.action == INVITE and invitations.state_of(call, one) == OPEN]
    if any(one.target.lower() == target["Id"].lower() for one in open_ones):
        raise DuplicateHandshake
    if len(entities.accounts_of(shared, organization)) + len(open_ones) >= quotas.ACCOUNTS:
        raise HandshakeConstraintViolation(
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS accounts."
        )
    handshake = invitations.new(
        call,
        organization,
        target_type=target["Type"],
        target=target["Id"],
        expires=call.now + invitations.VALID_SECONDS,
        notes=notes,
        tags=checked,
    )
    for old in sent:
        if not invitations.is_shown(call, old):
            call.change.delete(GLOBAL, old)
    call.change.put(GLOBAL, handshake)
    return {"Handshake": invitations.shown(call, handshake)}


@operation(on=arns.accepted)
def accept_handshake(call: Call, *, handshake_id: str) -> dict[str, Any]:
    """Join the organization that invites the caller's account, leaving another; or consent to its features."""
    handshake = _received(call, handshake_id)
    _check_open(call, handshake, ACCEPTED)
    organization = call.view.shared.get(Organization, handshake.organization_id)
    if organization is None:
        raise HandshakeNotFound
    if handshake.action != INVITE:
        _consent(call, organization, handshake)
        return _ended(call, handshake, ACCEPTED)
    _leave(call, organization)
    check_dependency(call)
    _join(call, organization, handshake)
    return _ended(call, replace(handshake, account_id=call.account.id), ACCEPTED)


@operation(on=arns.handshake)
def decline_handshake(call: Call, *, handshake_id: str) -> dict[str, Any]:
    """Decline an invitation that the caller's account has."""
    handshake = _received(call, handshake_id)
    _check_open(call, handshake, DECLINED)
    return _ended(call, handshake, DECLINED)


@operation(on=arns.handshake)
def cancel_handshake(call: Call, *, handshake_id: str) -> dict[str, Any]:
    """Take back an invitation that the caller's account has sent."""
    handshake = _concerning(call, handshake_id)
    # SECURITY: the management account alone acts for its organization.
    if handshake.management_account_id != call.account.id or not invitations.is_of_caller(call, handshake):
        raise AccessDenied
    _check_open(call, handshake, CANCELED)
    for part in call.view.shared.find(Handshake, "organization", handshake.organization_id):
        if part.parent == handshake.handshake_id and part.state == OPEN:
            _ended(call, part, CANCELED)
    return _ended(call, handshake, CANCELED)


@reading(on=arns.handshake)
def describe_handshake(call: Call, *, handshake_id: str) -> dict[str, Any]:
    """Show an invitation to who has sent it or has it."""
    handshake = _concerning(call, handshake_id)
    if not invitations.is_for_caller(call, handshake):
        entities.readable_organization(call)
    return {"Handshake": invitations.shown(call, handshake)}


@reading(on=arns.nothing)
def list_handshakes_for_account(
    call: Call, *, filter: Filter | None = None, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the invitations that the caller's account has or had."""
    found = {
        one.key: one
        for name in invitations.names_of(call)
        for one in call.view.shared.find(Handshake, "target", name)
        if invitations.is_for_caller(call, one)
    }
    return _listed(call, list(found.values()), filter or {}, max_results, next_token)


@reading(on=arns.nothing)
def list_handshakes_for_organization(
    call: Call, *, filter: Filter | None = None, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the invitations that the caller's organization has sent."""
    organization = entities.readable_organization(call)
    found = call.view.shared.find(Handshake, "organization", organization.organization_id)
    return _listed(call, found, filter or {}, max_results, next_token)


def _check_target(target: Mapping[str, str]) -> None:
    match target["Type"]:
        case "ACCOUNT" if _NUMBER.fullmatch(target["Id"]) is None:
            raise InvalidInput("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
        case "EMAIL" if _ADDRESS.fullmatch(target["Id"]) is None:
            raise InvalidInput(
                "INVALID_EMAIL_ADDRESS_TARGET",
                "You specified an invalid email address for the invited account owner.",
            )
        case other if other not in {ACCOUNT, EMAIL}:
            raise InvalidInput(
                "INVALID_PARTY_TYPE_TARGET", "You specified an invalid party type as the target parameter."
            )


def _concerning(call: Call, handshake_id: str) -> Handshake:
    """The handshake of this id, if the caller's account has to do with it."""
    found = call.view.shared.get(Handshake, handshake_id)
    # SECURITY: who has nothing to do with an invitation is not told that there is one.
    if found is None or not invitations.concerns(call, found):
        raise HandshakeNotFound
    return found


def _received(call: Call, handshake_id: str) -> Handshake:
    found = _concerning(call, handshake_id)
    if not invitations.is_for_caller(call, found):
        raise AccessDenied
    return found


def _check_open(call: Call, handshake: Handshake, wanted: str) -> None:
    state = invitations.state_of(call, handshake)
    if state == wanted:
        raise HandshakeAlreadyInState
    # AWS: a change of features is made when everybody has consented, and can be given up before.
    if state != OPEN and not (state == REQUESTED and wanted != ACCEPTED):
        raise InvalidHandshakeTransition


def _consent(call: Call, organization: Organization, handshake: Handshake) -> None:
    """Have all features on when it is the management account that accepts at last; else the consent itself is all."""
    if entities.own_organization(call).organization_id != organization.organization_id:
        raise AccessDenied
    if handshake.action == ENABLE:
        call.change.put(GLOBAL, replace(organization, feature_set=entities.ALL_FEATURES))


def _leave(call: Call, organization: Organization) -> None:
    """Take the caller's account out of the organization that it is in, so that it can join another."""
    current = entities.organization_in(call)
    if current is None:
        return
    if current.organization_id == organization.organization_id:
        raise _already_in()
    depart(call, current, entities.named_account(call, current, call.account.id), "LEFT")


def _join(call: Call, organization: Organization, handshake: Handshake) -> None:
    account_id = call.account.id
    count = len(entities.accounts_of(call.view.shared, organization))
    quotas.check("ACCOUNT_NUMBER_LIMIT_EXCEEDED", count + 1, quotas.ACCOUNTS)
    membership = Membership(
        organization_id=organization.organization_id,
        account_id=account_id,
        parent_id=organization.root_id,
        joined=call.now,
        joined_method=INVITED,
        attached_policies=tuple(DEFAULTS[policy_type].policy_id for policy_type in organization.policy_types),
        tags=handshake.tags,
    )
    call.change.put(GLOBAL, membership)
    make_service_linked_role(call, account_id)
    account_joined(call, organization, membership)


def _ended(call: Call, handshake: Handshake, state: str) -> dict[str, Any]:
    ended = replace(handshake, state=state, ended=call.now)
    call.change.put(GLOBAL, ended)
    return {"Handshake": invitations.shown(call, ended)}


def _listed(
    call: Call, found: Sequence[Handshake], filter: Filter, max_results: int | None, next_token: str | None
) -> dict[str, Any]:
    if len(filter) > 1:
        raise InvalidInput("MAX_LIMIT_EXCEEDED_FILTER", "You specified too many filter parameters.")
    cut, more = page(
        call,
        [one for one in found if invitations.is_shown(call, one) and _is_asked_for(one, filter)],
        key=lambda one: f"{one.requested:012d} {one.handshake_id}",
        max_results=max_results,
        next_token=next_token,
        query=tuple(part for item in sorted(filter.items()) for part in item),
    )
    return {"Handshakes": [invitations.shown(call, one) for one in cut], **more}


def _is_asked_for(handshake: Handshake, filter: Filter) -> bool:
    is_of_action = filter.get("ActionType", handshake.action) == handshake.action
    return is_of_action and filter.get("ParentHandshakeId", handshake.parent) == handshake.parent


def _already_in() -> HandshakeConstraintViolation:
    return HandshakeConstraintViolation(
        "ALREADY_IN_AN_ORGANIZATION", "The AWS account is already a member of an organization."
    )
