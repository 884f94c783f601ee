"""Organizations: made by the account that manages it, shown to its accounts, deleted when it has no others."""

from typing import Any

from iamd import arn, ids
from iamd.authz import context, vpc_endpoints
from iamd.authz.authorize import Denied, authorize
from iamd.authz.target import Target
from iamd.call import Call
from iamd.data.organization_policies import FULL_AWS_ACCESS, SERVICE_CONTROL_POLICY
from iamd.data.service_linked_roles import ServiceLinkedRole, service_linked_role
from iamd.services.iam.protected_roles import SERVICE_LINKED_PATH
from iamd.services.organizations import answers, arns, entities, invitations
from iamd.services.organizations.entities import ALL_FEATURES
from iamd.services.organizations.errors import (
    AccessDeniedForDependency,
    AlreadyInOrganization,
    HandshakeConstraintViolation,
    OrganizationNotEmpty,
)
from iamd.services.organizations.invitations import INVITED
from iamd.services.organizations.service_events import account_departed, account_joined
from iamd.services.registry import operation, reading
from iamd.store.organization_records import (
    AccountCreation,
    Handshake,
    Membership,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
)
from iamd.store.records import GLOBAL, Record, Role, fold

SERVICE = "organizations.amazonaws.com"
# As listings of accounts that are an organization's show it.
ROLE_DESCRIPTION = (
    "Service-linked role used by AWS Organizations to enable integration of other AWS services with Organizations."
)


@operation(on=arns.nothing)
def create_organization(call: Call, *, feature_set: str = ALL_FEATURES) -> dict[str, Any]:
    """Make the caller's account the management account of a new organization.

    AWS: with all features, service control policies are enabled in the root from the start (CreateOrganization).
    """
    account_id = call.identity.account_id
    if call.view.shared.get(Membership, account_id) is not None:
        raise AlreadyInOrganization
    has_all = feature_set == ALL_FEATURES
    check_dependency(call)
    attached = (FULL_AWS_ACCESS.policy_id,) if has_all else ()
    organization = Organization(
        organization_id=_free_id(call, Organization, "o-", 10),
        management_account_id=account_id,
        root_id=_free_root(call),
        feature_set=feature_set,
        created=call.now,
        policy_types=(SERVICE_CONTROL_POLICY,) if has_all else (),
        attached_policies=attached,
    )
    membership = Membership(
        organization_id=organization.organization_id,
        account_id=account_id,
        parent_id=organization.root_id,
        joined=call.now,
        joined_method=INVITED,
        attached_policies=attached,
    )
    call.change.put(GLOBAL, organization)
    call.change.put(GLOBAL, membership)
    make_service_linked_role(call, account_id)
    account_joined(call, organization, membership)
    return {"Organization": answers.organization(call, organization)}


@reading(on=arns.nothing)
def describe_organization(call: Call) -> dict[str, Any]:
    """Show the organization of the caller's account to whichever account it is."""
    return {"Organization": answers.organization(call, entities.own_organization(call))}


@operation(on=arns.nothing)
def enable_all_features(call: Call) -> dict[str, Any]:
    """Ask every invited account for its consent; when all have accepted, accepting this handshake enables them.

    AWS: Organizations API Reference, EnableAllFeatures; Organizations User Guide, "Enabling all features in your
    organization" (orgs_manage_org_support-all-features).
    """
    organization = entities.managed_organization(call)
    if organization.feature_set == ALL_FEATURES:
        raise HandshakeConstraintViolation(
            "ORGANIZATION_ALREADY_HAS_ALL_FEATURES", "All features are already enabled on this organization."
        )
    if invitations.pending_features(call, organization.organization_id) is not None:
        raise HandshakeConstraintViolation(
            "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION",
            "The organization has already started the process to enable all features.",
        )
    expires = call.now + invitations.FEATURES_SECONDS
    whole = invitations.new(
        call,
        organization,
        target_type=invitations.ORGANIZATION,
        target=call.account.id,
        expires=expires,
        action=invitations.ENABLE,
    )
    for member in invitations.invited_to(call, organization.organization_id):
        part = invitations.new(
            call,
            organization,
            target_type=invitations.ACCOUNT,
            target=member.account_id,
            expires=expires,
            action=invitations.APPROVE,
            parent=whole.handshake_id,
        )
        call.change.put(GLOBAL, part)
    call.change.put(GLOBAL, whole)
    return {"Handshake": invitations.shown(call, whole)}


@operation(on=arns.nothing)
def delete_organization(call: Call) -> None:
    """Delete an organization that has no account but the one that manages it, with its units and policies."""
    organization = entities.managed_organization(call)
    shared = call.view.shared
    accounts = entities.accounts_of(shared, organization)
    if len(accounts) > 1:
        raise OrganizationNotEmpty
    kinds: tuple[type[Record], ...] = (OrganizationalUnit, OrganizationPolicy, AccountCreation, Handshake)
    for kind in kinds:
        for record in shared.find(kind, "organization", organization.organization_id):
            call.change.delete(GLOBAL, record)
    for record in (*accounts, organization):
        call.change.delete(GLOBAL, record)
    account_departed(call, organization, call.identity.account_id, "LEFT")


def make_service_linked_role(call: Call, account_id: str) -> None:
    """Give an account the role that Organizations acts by in it, unless it is there.

    AWS: it is made in each account (Organizations User Guide, "Organizations and service-linked roles",
    orgs_integrate_services).
    """
    template = _template()
    if call.account_of(account_id).find(Role, "name", fold(template.role_name)):
        return
    role = Role(
        role_name=template.role_name,
        role_id=ids.unique_id(ids.ROLE),
        path=template.path,
        created=call.now,
        trust_policy=template.trust_policy(),
        description=ROLE_DESCRIPTION,
        attached_policies=(template.policy_arn,),
        service_linked=template.service_name,
    )
    call.change.put(account_id, role)


def _template() -> ServiceLinkedRole:
    template = service_linked_role(SERVICE)
    if template is None:
        raise LookupError(SERVICE)
    return template


def check_dependency(call: Call) -> None:
    """Raise AccessDeniedForDependency unless the caller may make the role, or its account has it."""
    if call.account.find(Role, "name", fold(_template().role_name)):
        return
    # AWS: whoever makes an organization needs iam:CreateServiceLinkedRole (Organizations User Guide, "Creating an
    # organization"), and is told so by an error of its own.
    role = Target(
        arn=arn.iam(call.identity.account_id, "role", f"{SERVICE_LINKED_PATH}{SERVICE}/", _template().role_name),
        context={"iam:awsservicename": SERVICE},
    )
    try:
        authorize(
            call.identity,
            call.view,
            "iam:CreateServiceLinkedRole",
            [role],
            lambda: context.of_request(call.request, call.region, call.now),
            call.now,
            endpoint=vpc_endpoints.of(call.request, call.identity),
        )
    except Denied as denied:
        raise AccessDeniedForDependency(denied.message) from denied


def _free_id(call: Call, kind: type[Record], prefix: str, length: int) -> str:
    while True:
        found = entities.new_id(prefix, length)
        if call.view.shared.get(kind, found) is None:
            return found


def _free_root(call: Call) -> str:
    while True:
        found = entities.new_id("r-", 4)
        if call.view.shared.one(Organization, "root", found) is None:
            return found
