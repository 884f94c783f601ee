"""What an organization is made of: found by its ids, with its ARNs, and as it looks on the wire."""

import secrets
import string

from iamd import arn
from iamd.authz import organization_arns
from iamd.call import Call
from iamd.data import organization_policies
from iamd.data.organization_policies import ManagedOrganizationPolicy
from iamd.services.organizations.errors import (
    AccessDenied,
    AccountNotFound,
    OrganizationalUnitNotFound,
    OrganizationsNotInUse,
    ParentNotFound,
    PolicyNotFound,
    RootNotFound,
    TargetNotFound,
)
from iamd.store.account import Account
from iamd.store.organization_records import (
    Membership,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
    TrustedService,
)
from iamd.store.records import AccountRecord

AnyPolicy = OrganizationPolicy | ManagedOrganizationPolicy
"""A policy of the organization's own or of AWS's; both have an id, a type, a name, a description and a content."""

Parent = Organization | OrganizationalUnit
"""What accounts and units can stand under; an organization stands for its root."""

AnyTarget = Parent | Membership
"""What policies can be attached to."""

ALL_FEATURES = "ALL"
ROOT_NAME = "Root"

_ALPHABET = string.ascii_lowercase + string.digits


# Who may ask


def organization_in(call: Call) -> Organization | None:
    """The organization of the caller's account, or None."""
    membership = call.view.shared.get(Membership, call.identity.account_id)
    return call.view.shared.get(Organization, membership.organization_id) if membership is not None else None


def own_organization(call: Call) -> Organization:
    """The organization of the caller's account, or AWSOrganizationsNotInUse."""
    found = organization_in(call)
    if found is None:
        raise OrganizationsNotInUse
    return found


def managed_organization(call: Call) -> Organization:
    """The organization that the caller's account manages, or AWS's refusal."""
    found = own_organization(call)
    if found.management_account_id != call.identity.account_id:
        # SECURITY: an account's policies don't make it its organization's master.
        raise AccessDenied
    return found


def readable_organization(call: Call) -> Organization:
    """The organization that the caller's account may look at: it manages it, or is a delegated administrator."""
    found = own_organization(call)
    membership = call.view.shared.get(Membership, call.identity.account_id)
    if found.management_account_id == call.identity.account_id:
        return found
    if membership is None or not membership.delegated_services:
        raise AccessDenied
    return found


def is_trusted(organization: Organization, service_principal: str) -> bool:
    """Whether a service has access to the organization."""
    return any(one.service_principal == service_principal for one in organization.trusted_services)


def delegation(membership: Membership, service_principal: str) -> TrustedService | None:
    """What makes an account the delegated administrator of a service, or None."""
    return next((one for one in membership.delegated_services if one.service_principal == service_principal), None)


def administers(call: Call, organization: Organization, service_principal: str) -> bool:
    """Whether the caller's account administers a service of its organization: it manages it, or is delegated to."""
    account_id = call.identity.account_id
    membership = member_in(call.view.shared, organization, account_id)
    is_delegated = membership is not None and delegation(membership, service_principal) is not None
    return is_management(organization, account_id) or is_delegated


# Finding


def is_management(organization: Organization, account_id: str) -> bool:
    """Whether the account manages the organization."""
    return organization.management_account_id == account_id


def member_in(shared: Account, organization: Organization, account_id: str) -> Membership | None:
    """The account of this number in the organization, or None."""
    found = shared.get(Membership, account_id)
    return found if found is not None and found.organization_id == organization.organization_id else None


def unit_in(shared: Account, organization: Organization, unit_id: str) -> OrganizationalUnit | None:
    """The unit of this id in the organization, or None."""
    found = shared.get(OrganizationalUnit, unit_id)
    return found if found is not None and found.organization_id == organization.organization_id else None


def parent_in(shared: Account, organization: Organization, parent_id: str) -> Parent | None:
    """The root (as the organization) or unit of this id, or None."""
    return organization if parent_id == organization.root_id else unit_in(shared, organization, parent_id)


def policy_in(shared: Account, organization: Organization, policy_id: str) -> AnyPolicy | None:
    """The policy of this id, AWS's or the organization's, or None."""
    managed = organization_policies.MANAGED.get(policy_id)
    if managed is not None:
        return managed
    found = shared.get(OrganizationPolicy, policy_id)
    return found if found is not None and found.organization_id == organization.organization_id else None


def target_in(shared: Account, organization: Organization, target_id: str) -> AnyTarget | None:
    """The root, unit or account of this id, or None."""
    return parent_in(shared, organization, target_id) or member_in(shared, organization, target_id)


def named_account(call: Call, organization: Organization, account_id: str) -> Membership:
    """The account of this number in the organization, or AccountNotFound."""
    found = member_in(call.view.shared, organization, account_id)
    if found is None:
        raise AccountNotFound
    return found


def named_unit(call: Call, organization: Organization, unit_id: str) -> OrganizationalUnit:
    """The unit of this id, or OrganizationalUnitNotFound."""
    found = unit_in(call.view.shared, organization, unit_id)
    if found is None:
        raise OrganizationalUnitNotFound
    return found


def named_parent(call: Call, organization: Organization, parent_id: str) -> Parent:
    """The root (as the organization) or unit of this id, or ParentNotFound."""
    found = parent_in(call.view.shared, organization, parent_id)
    if found is None:
        raise ParentNotFound
    return found


def named_policy(call: Call, organization: Organization, policy_id: str) -> AnyPolicy:
    """The policy of this id, or PolicyNotFound."""
    found = policy_in(call.view.shared, organization, policy_id)
    if found is None:
        raise PolicyNotFound
    return found


def named_target(call: Call, organization: Organization, target_id: str) -> AnyTarget:
    """The root, unit or account of this id, or TargetNotFound."""
    found = target_in(call.view.shared, organization, target_id)
    if found is None:
        raise TargetNotFound
    return found


def check_root(organization: Organization, root_id: str) -> None:
    """Raise RootNotFound unless the organization's root has this id."""
    if root_id != organization.root_id:
        raise RootNotFound


def accounts_of(shared: Account, organization: Organization) -> list[Membership]:
    """Every account of the organization, the management account too."""
    return shared.find(Membership, "organization", organization.organization_id)


def policies_of(shared: Account, organization: Organization, policy_type: str) -> list[AnyPolicy]:
    """AWS's policies of a type and the organization's own."""
    own: list[AnyPolicy] = list(shared.find(OrganizationPolicy, "organization", organization.organization_id))
    return [policy for policy in [*organization_policies.MANAGED.values(), *own] if policy.type == policy_type]


def record_of(call: Call, account_id: str) -> AccountRecord | None:
    """What iamd has of an account beside its place."""
    return call.account_of(account_id).get(AccountRecord, account_id)


# Ids and ARNs


def new_id(prefix: str, length: int) -> str:
    """A random id of lower-case letters and digits, as `ou-` and eight of them."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def organizations_arn(organization: Organization, resource: str) -> str:
    """The ARN of something that an organization has: all of it belongs to the management account."""
    return f"arn:{arn.PARTITION}:organizations::{organization.management_account_id}:{resource}"


def organization_arn(organization: Organization) -> str:
    """The ARN of an organization."""
    return organizations_arn(organization, f"organization/{organization.organization_id}")


def root_arn(organization: Organization) -> str:
    """The ARN of an organization's root."""
    return organizations_arn(organization, f"root/{organization.organization_id}/{organization.root_id}")


def unit_arn(organization: Organization, unit_id: str) -> str:
    """The ARN of an organizational unit."""
    return organizations_arn(organization, f"ou/{organization.organization_id}/{unit_id}")


def account_arn(organization: Organization, account_id: str) -> str:
    """The ARN of an account in an organization."""
    return organizations_arn(organization, f"account/{organization.organization_id}/{account_id}")


def policy_arn(organization: Organization, policy: AnyPolicy) -> str:
    """The ARN of a policy; AWS's own belong to no organization."""
    return organization_arns.policy_arn(organization, policy.type, policy.policy_id)


def target_arn(organization: Organization, target: AnyTarget) -> str:
    """The ARN of a root, unit or account."""
    match target:
        case Organization():
            return root_arn(target)
        case OrganizationalUnit():
            return unit_arn(organization, target.organizational_unit_id)
        case Membership():
            return account_arn(organization, target.account_id)


def target_id(target: AnyTarget) -> str:
    """The id of a root, unit or account."""
    return target.root_id if isinstance(target, Organization) else target.key
