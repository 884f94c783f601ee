"""Services with access to an organization, and the accounts that administer them for it."""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.data.trusted_services import TRUSTED_SERVICES
from iamd.services.organizations import answers, arns, entities
from iamd.services.organizations.entities import ALL_FEATURES
from iamd.services.organizations.errors import (
    AccountAlreadyRegistered,
    AccountNotRegistered,
    ConstraintViolation,
    InvalidInput,
)
from iamd.services.organizations.pages import page
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Membership, Organization, TrustedService
from iamd.store.records import GLOBAL


@operation(on=arns.service)
def enable_aws_service_access(call: Call, *, service_principal: str) -> None:
    """Let a service see the organization and work in its accounts; one that may already stays as it is."""
    organization = entities.managed_organization(call)
    _check_service(organization, service_principal)
    if entities.is_trusted(organization, service_principal):
        return
    trusted = TrustedService(service_principal, call.now)
    call.change.put(GLOBAL, replace(organization, trusted_services=(*organization.trusted_services, trusted)))


@operation(on=arns.service)
def disable_aws_service_access(call: Call, *, service_principal: str) -> None:
    """Let a service see the organization no longer."""
    organization = entities.managed_organization(call)
    _check_service(organization, service_principal)
    left = tuple(one for one in organization.trusted_services if one.service_principal != service_principal)
    call.change.put(GLOBAL, replace(organization, trusted_services=left))


@reading(on=arns.nothing)
def list_aws_service_access_for_organization(
    call: Call, *, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the services that have access to the organization."""
    organization = entities.readable_organization(call)
    cut, more = page(
        call,
        organization.trusted_services,
        key=lambda one: one.service_principal,
        max_results=max_results,
        next_token=next_token,
    )
    shown = [{"ServicePrincipal": one.service_principal, "DateEnabled": answers.moment(one.enabled)} for one in cut]
    return {"EnabledServicePrincipals": shown, **more}


@operation(on=arns.account)
def register_delegated_administrator(call: Call, *, account_id: str, service_principal: str) -> None:
    """Let a member account administer a service for the organization, and with it look at the organization."""
    organization = entities.managed_organization(call)
    found = entities.named_account(call, organization, account_id)
    _check_service(organization, service_principal)
    if entities.is_management(organization, account_id):
        raise ConstraintViolation(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register master account/yourself as delegated administrator for your organization.",
        )
    if found.closed is not None:
        raise ConstraintViolation(
            "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register a suspended account as a delegated administrator.",
        )
    if not entities.is_trusted(organization, service_principal):
        raise ConstraintViolation(
            "SERVICE_ACCESS_NOT_ENABLED",
            "You must enable service access before you register a delegated administrator.",
        )
    if entities.delegation(found, service_principal) is not None:
        raise AccountAlreadyRegistered
    delegated = (*found.delegated_services, TrustedService(service_principal, call.now))
    call.change.put(GLOBAL, replace(found, delegated_services=delegated))


@operation(on=arns.account)
def deregister_delegated_administrator(call: Call, *, account_id: str, service_principal: str) -> None:
    """Let a member account administer a service no longer."""
    organization = entities.managed_organization(call)
    found = entities.named_account(call, organization, account_id)
    _check_service(organization, service_principal)
    if entities.delegation(found, service_principal) is None:
        raise AccountNotRegistered
    left = tuple(one for one in found.delegated_services if one.service_principal != service_principal)
    call.change.put(GLOBAL, replace(found, delegated_services=left))


@reading(on=arns.service)
def list_delegated_administrators(
    call: Call,
    *,
    service_principal: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List the accounts that administer a service, or any, for the organization."""
    organization = entities.readable_organization(call)
    if service_principal is not None:
        _check_service(organization, service_principal)
    found = [
        one
        for one in entities.accounts_of(call.view.shared, organization)
        if one.delegated_services
        and (service_principal is None or entities.delegation(one, service_principal) is not None)
    ]
    cut, more = page(
        call,
        found,
        key=lambda one: one.account_id,
        max_results=max_results,
        next_token=next_token,
        query=(service_principal or "",),
    )
    return {
        "DelegatedAdministrators": [_shown(call, organization, one, service_principal) for one in cut],
        **more,
    }


@reading(on=arns.account)
def list_delegated_services_for_account(
    call: Call, *, account_id: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the services that an account administers for the organization."""
    organization = entities.readable_organization(call)
    found = entities.named_account(call, organization, account_id)
    if not found.delegated_services:
        raise AccountNotRegistered
    cut, more = page(
        call,
        found.delegated_services,
        key=lambda one: one.service_principal,
        max_results=max_results,
        next_token=next_token,
        query=(account_id,),
    )
    shown = [
        {"ServicePrincipal": one.service_principal, "DelegationEnabledDate": answers.moment(one.enabled)} for one in cut
    ]
    return {"DelegatedServices": shown, **more}


def _check_service(organization: Organization, service_principal: str) -> None:
    if organization.feature_set != ALL_FEATURES:
        raise ConstraintViolation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "All features must be enabled.")
    if service_principal not in TRUSTED_SERVICES:
        raise InvalidInput("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal.")


def _shown(
    call: Call, organization: Organization, membership: Membership, service_principal: str | None
) -> dict[str, Any]:
    """An administrator with when it became one: of this service, or of its first."""
    named = entities.delegation(membership, service_principal) if service_principal is not None else None
    since = min(one.enabled for one in membership.delegated_services) if named is None else named.enabled
    return {**answers.listed_account(call, organization, membership), "DelegationEnabledDate": answers.moment(since)}
