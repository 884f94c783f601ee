"""Organizational units, and who is above and below whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd.authz import organizations
from iamd.call import Call
from iamd.data.organization_policies import DEFAULTS
from iamd.services.organizations import accounts, answers, arns, entities, quotas
from iamd.services.organizations.errors import (
    ChildNotFound,
    DuplicateOrganizationalUnit,
    OrganizationalUnitNotEmpty,
)
from iamd.services.organizations.pages import page
from iamd.services.organizations.tags import checked_tags
from iamd.services.registry import operation, reading
from iamd.store.account import Account
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit
from iamd.store.records import GLOBAL

ACCOUNT, UNIT, ROOT = "ACCOUNT", "ORGANIZATIONAL_UNIT", "ROOT"

GivenTags = Sequence[Mapping[str, str]]


@operation(on=arns.new_unit)
def create_organizational_unit(call: Call, *, parent_id: str, name: str, tags: GivenTags = ()) -> dict[str, Any]:
    """Make a unit in the root or in another unit; AWS's policies of the enabled types are attached to it."""
    organization = entities.managed_organization(call)
    entities.named_parent(call, organization, parent_id)
    shared = call.view.shared
    _refuse_taken(shared, parent_id, name)
    count = len(shared.find(OrganizationalUnit, "organization", organization.organization_id))
    quotas.check("OU_NUMBER_LIMIT_EXCEEDED", count + 1, quotas.UNITS)
    # The root itself is no unit.
    quotas.check("OU_DEPTH_LIMIT_EXCEEDED", len(organizations.targets_above(parent_id, shared)), quotas.DEPTH)
    unit = OrganizationalUnit(
        organizational_unit_id=_free_id(shared, organization),
        organization_id=organization.organization_id,
        parent_id=parent_id,
        name=name,
        attached_policies=tuple(DEFAULTS[policy_type].policy_id for policy_type in organization.policy_types),
        tags=checked_tags(tags),
    )
    call.change.put(GLOBAL, unit)
    return {"OrganizationalUnit": answers.unit(call, organization, unit)}


@reading(on=arns.unit)
def describe_organizational_unit(call: Call, *, organizational_unit_id: str) -> dict[str, Any]:
    """Show one unit."""
    organization = entities.readable_organization(call)
    unit = entities.named_unit(call, organization, organizational_unit_id)
    return {"OrganizationalUnit": answers.unit(call, organization, unit)}


@operation(on=arns.unit)
def update_organizational_unit(call: Call, *, organizational_unit_id: str, name: str | None = None) -> dict[str, Any]:
    """Give a unit another name; its id, policies and accounts stay."""
    organization = entities.managed_organization(call)
    unit = entities.named_unit(call, organization, organizational_unit_id)
    if name is not None and name != unit.name:
        _refuse_taken(call.view.shared, unit.parent_id, name)
        unit = replace(unit, name=name)
        call.change.put(GLOBAL, unit)
    return {"OrganizationalUnit": answers.unit(call, organization, unit)}


@operation(on=arns.unit)
def delete_organizational_unit(call: Call, *, organizational_unit_id: str) -> None:
    """Delete a unit that has no accounts and no units."""
    organization = entities.managed_organization(call)
    unit = entities.named_unit(call, organization, organizational_unit_id)
    shared = call.view.shared
    units = shared.find(OrganizationalUnit, "parent", organizational_unit_id)
    within = shared.find(Membership, "parent", organizational_unit_id)
    if units or within:
        raise OrganizationalUnitNotEmpty
    call.change.delete(GLOBAL, unit)


@reading(on=arns.parent)
def list_organizational_units_for_parent(
    call: Call, *, parent_id: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the units that are directly in a root or unit, by name."""
    organization = entities.readable_organization(call)
    entities.named_parent(call, organization, parent_id)
    found = call.view.shared.find(OrganizationalUnit, "parent", parent_id)
    cut, more = page(
        call,
        found,
        key=lambda unit: unit.name,
        max_results=max_results,
        next_token=next_token,
        query=(parent_id,),
    )
    return {"OrganizationalUnits": [answers.unit(call, organization, unit) for unit in cut], **more}


@reading(on=arns.parent)
def list_accounts_for_parent(
    call: Call, *, parent_id: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the accounts that are directly in a root or unit, in the order in which they joined."""
    organization = entities.readable_organization(call)
    entities.named_parent(call, organization, parent_id)
    found = call.view.shared.find(Membership, "parent", parent_id)
    return accounts.listed(call, organization, found, max_results, next_token, (parent_id,))


@reading(on=arns.parent)
def list_children(
    call: Call, *, parent_id: str, child_type: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the ids of the accounts, or of the units, that are directly in a root or unit."""
    organization = entities.readable_organization(call)
    entities.named_parent(call, organization, parent_id)
    shared = call.view.shared
    if child_type == ACCOUNT:
        found = [account.key for account in shared.find(Membership, "parent", parent_id)]
    else:
        found = [unit.key for unit in shared.find(OrganizationalUnit, "parent", parent_id)]
    cut, more = page(
        call,
        found,
        key=str,
        max_results=max_results,
        next_token=next_token,
        query=(parent_id, child_type),
    )
    return {"Children": [{"Id": child_id, "Type": child_type} for child_id in cut], **more}


@reading(on=arns.child)
def list_parents(
    call: Call, *, child_id: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the parents of a unit or account, of which there is one."""
    organization = entities.readable_organization(call)
    shared = call.view.shared
    child = entities.unit_in(shared, organization, child_id) or entities.member_in(shared, organization, child_id)
    if child is None:
        raise ChildNotFound
    cut, more = page(
        call, [child.parent_id], key=str, max_results=max_results, next_token=next_token, query=(child_id,)
    )
    return {"Parents": [_shown_parent(organization, parent_id) for parent_id in cut], **more}


def _shown_parent(organization: Organization, parent_id: str) -> dict[str, str]:
    return {"Id": parent_id, "Type": ROOT if parent_id == organization.root_id else UNIT}


def _refuse_taken(shared: Account, parent_id: str, name: str) -> None:
    if any(unit.name == name for unit in shared.find(OrganizationalUnit, "parent", parent_id)):
        raise DuplicateOrganizationalUnit


def _free_id(shared: Account, organization: Organization) -> str:
    while True:
        found = entities.new_id(f"ou-{organization.root_id.removeprefix('r-')}-", 8)
        if shared.get(OrganizationalUnit, found) is None:
            return found
