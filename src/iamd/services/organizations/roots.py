"""The root of an organization, and the policy types that are enabled in it."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.data.organization_policies import DEFAULTS
from iamd.services.organizations import answers, arns, entities
from iamd.services.organizations.entities import ALL_FEATURES, AnyTarget
from iamd.services.organizations.errors import (
    PolicyTypeAlreadyEnabled,
    PolicyTypeNotAvailable,
    PolicyTypeNotEnabled,
)
from iamd.services.organizations.pages import page
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Organization, OrganizationalUnit
from iamd.store.records import GLOBAL


@reading(on=arns.nothing)
def list_roots(call: Call, *, next_token: str | None = None, max_results: int | None = None) -> dict[str, Any]:
    """List the roots of the organization, of which there is one."""
    organization = entities.readable_organization(call)
    cut, more = page(call, [organization], key=lambda one: one.root_id, max_results=max_results, next_token=next_token)
    return {"Roots": [answers.root(one) for one in cut], **more}


@operation(on=arns.root)
def enable_policy_type(call: Call, *, root_id: str, policy_type: str) -> dict[str, Any]:
    """Put the policies of a type in force; AWS's own, which allows everything, is attached to everything.

    AWS: Organizations User Guide, "Enabling a policy type" (enable-policy-type).
    """
    organization = entities.managed_organization(call)
    entities.check_root(organization, root_id)
    check_available(organization, policy_type)
    if policy_type in organization.policy_types:
        raise PolicyTypeAlreadyEnabled
    default = DEFAULTS[policy_type].policy_id
    for target in _targets(call, organization):
        call.change.put(GLOBAL, replace(target, attached_policies=(*target.attached_policies, default)))
    return _with_types(call, organization, (*organization.policy_types, policy_type))


@operation(on=arns.root)
def disable_policy_type(call: Call, *, root_id: str, policy_type: str) -> dict[str, Any]:
    """Put the policies of a type out of force; they are detached from everything, and stay to be attached again."""
    organization = entities.managed_organization(call)
    entities.check_root(organization, root_id)
    if policy_type not in organization.policy_types:
        raise PolicyTypeNotEnabled
    gone = {policy.policy_id for policy in entities.policies_of(call.view.shared, organization, policy_type)}
    for target in _targets(call, organization):
        left = tuple(policy_id for policy_id in target.attached_policies if policy_id not in gone)
        call.change.put(GLOBAL, replace(target, attached_policies=left))
    return _with_types(call, organization, tuple(one for one in organization.policy_types if one != policy_type))


def check_available(organization: Organization, policy_type: str) -> None:
    """Raise PolicyTypeNotAvailable for a type that the feature set, or iamd, does not have."""
    if organization.feature_set != ALL_FEATURES or policy_type not in DEFAULTS:
        raise PolicyTypeNotAvailable


def _targets(call: Call, organization: Organization) -> Iterator[AnyTarget]:
    yield organization
    yield from call.view.shared.find(OrganizationalUnit, "organization", organization.organization_id)
    yield from entities.accounts_of(call.view.shared, organization)


def _with_types(call: Call, organization: Organization, types: tuple[str, ...]) -> dict[str, Any]:
    current = call.view.shared.get(Organization, organization.organization_id) or organization
    changed = replace(current, policy_types=types)
    call.change.put(GLOBAL, changed)
    return {"Root": answers.root(changed)}
