"""The accounts of an organization: listed, shown, moved, closed and removed."""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.organizations import answers, arns, entities, quotas
from iamd.services.organizations.entities import ALL_FEATURES
from iamd.services.organizations.errors import (
    AccountAlreadyClosed,
    ConstraintViolation,
    DestinationParentNotFound,
    DuplicateAccount,
    MasterCannotLeaveOrganization,
    SourceParentNotFound,
)
from iamd.services.organizations.pages import page
from iamd.services.organizations.service_events import account_closed, account_departed
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Membership, Organization
from iamd.store.records import GLOBAL

DAY = 24 * 3600
CLOSING_DAYS = 30
CREATED = "CREATED"


@reading(on=arns.nothing)
def list_accounts(call: Call, *, next_token: str | None = None, max_results: int | None = None) -> dict[str, Any]:
    """List every account of the organization, in the order in which they joined."""
    organization = entities.readable_organization(call)
    found = entities.accounts_of(call.view.shared, organization)
    return listed(call, organization, found, max_results, next_token)


@reading(on=arns.account)
def describe_account(call: Call, *, account_id: str) -> dict[str, Any]:
    """Show one account."""
    organization = entities.readable_organization(call)
    found = entities.named_account(call, organization, account_id)
    return {"Account": answers.account(call, organization, found)}


@operation(on=arns.moved)
def move_account(call: Call, *, account_id: str, source_parent_id: str, destination_parent_id: str) -> None:
    """Move an account from the root or unit that it is in to another."""
    organization = entities.managed_organization(call)
    found = entities.named_account(call, organization, account_id)
    shared = call.view.shared
    if entities.parent_in(shared, organization, source_parent_id) is None or found.parent_id != source_parent_id:
        raise SourceParentNotFound
    if entities.parent_in(shared, organization, destination_parent_id) is None:
        raise DestinationParentNotFound
    if source_parent_id == destination_parent_id:
        raise DuplicateAccount
    call.change.put(GLOBAL, replace(found, parent_id=destination_parent_id))


@operation(on=arns.account)
def close_account(call: Call, *, account_id: str) -> None:
    """Close an account: from now on none of its credentials count. It stays in the organization as closed.

    AWS takes some minutes, in which the account is PENDING_CLOSURE.
    """
    organization = entities.managed_organization(call)
    found = entities.named_account(call, organization, account_id)
    if entities.is_management(organization, account_id):
        raise ConstraintViolation(
            "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You can't close the management account of an organization."
        )
    if organization.feature_set != ALL_FEATURES:
        raise ConstraintViolation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "All features must be enabled.")
    record = entities.record_of(call, account_id)
    if found.closed is not None or record is None:
        raise AccountAlreadyClosed
    _refuse_delegated(found)
    _check_closing(call, organization)
    closed = replace(found, closed=call.now)
    call.change.put(account_id, replace(record, suspended=True))
    call.change.put(GLOBAL, closed)
    account_closed(call, organization, closed)


@operation(on=arns.account)
def remove_account_from_organization(call: Call, *, account_id: str) -> None:
    """Make an account one that is in no organization; no policy of the organization binds it then."""
    organization = entities.managed_organization(call)
    depart(call, organization, entities.named_account(call, organization, account_id), "REMOVED")


@operation(on=arns.nothing)
def leave_organization(call: Call) -> None:
    """Take the caller's own account out of its organization, as its management account could."""
    organization = entities.own_organization(call)
    depart(call, organization, entities.named_account(call, organization, call.identity.account_id), "LEFT")


def listed(
    call: Call,
    organization: Organization,
    found: list[Membership],
    max_results: int | None,
    next_token: str | None,
    query: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A page of accounts, in the order in which they joined."""
    cut, more = page(
        call,
        found,
        key=lambda membership: f"{membership.joined:012d} {membership.account_id}",
        max_results=max_results,
        next_token=next_token,
        query=query,
    )
    return {"Accounts": [answers.account(call, organization, one) for one in cut], **more}


def depart(call: Call, organization: Organization, found: Membership, method: str) -> None:
    """Take an account out of its organization, if it can leave."""
    if entities.is_management(organization, found.account_id):
        raise MasterCannotLeaveOrganization
    _refuse_delegated(found)
    if found.joined_method == CREATED and call.now < found.joined + quotas.DAYS_BEFORE_REMOVAL * DAY:
        raise ConstraintViolation(
            "WAIT_PERIOD_ACTIVE",
            f"The account must be {quotas.DAYS_BEFORE_REMOVAL} days old before it can leave the organization.",
        )
    call.change.delete(GLOBAL, found)
    account_departed(call, organization, found.account_id, method)


def _refuse_delegated(found: Membership) -> None:
    if found.delegated_services:
        raise ConstraintViolation(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You must first deregister the account as a delegated administrator.",
        )


def _check_closing(call: Call, organization: Organization) -> None:
    accounts = entities.accounts_of(call.view.shared, organization)
    since = call.now - CLOSING_DAYS * DAY
    closed = sum(one.closed is not None and one.closed > since for one in accounts)
    quotas.check("CLOSE_ACCOUNT_QUOTA_EXCEEDED", closed + 1, quotas.closable(len(accounts) - 1))
