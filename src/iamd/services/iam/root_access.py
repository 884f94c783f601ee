"""Central root access: whether an organization's administrators may act as the root users of its member accounts.

AWS: IAM User Guide, "Centralize root access for member accounts" (id_root-enable-root-access), and the errors of each
operation in the IAM API Reference. sts:AssumeRoot is what the features are for.
"""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.iam import arns
from iamd.services.iam.errors import (
    AccountNotManagementOrDelegatedAdministrator,
    CallerIsNotManagementAccount,
    OrganizationNotFound,
    OrganizationNotInAllFeaturesMode,
    ServiceAccessNotEnabled,
)
from iamd.services.organizations import entities
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Organization
from iamd.store.records import GLOBAL

SERVICE = "iam.amazonaws.com"
"""The principal by which Organizations trusts IAM, and whose delegated administrators have root access."""

CREDENTIALS_MANAGEMENT = "RootCredentialsManagement"
SESSIONS = "RootSessions"


@operation(on=arns.anything)
def enable_organizations_root_credentials_management(call: Call) -> dict[str, Any]:
    """Let administrators delete and recover the credentials of member accounts' root users."""
    return _enabled(call, CREDENTIALS_MANAGEMENT)


@operation(on=arns.anything)
def enable_organizations_root_sessions(call: Call) -> dict[str, Any]:
    """Let administrators unlock buckets and queues of member accounts as their root users."""
    return _enabled(call, SESSIONS)


@operation(on=arns.anything)
def disable_organizations_root_credentials_management(call: Call) -> dict[str, Any]:
    """Let administrators no longer delete and recover the credentials of member accounts' root users."""
    return _disabled(call, CREDENTIALS_MANAGEMENT)


@operation(on=arns.anything)
def disable_organizations_root_sessions(call: Call) -> dict[str, Any]:
    """Let administrators no longer unlock buckets and queues of member accounts as their root users."""
    return _disabled(call, SESSIONS)


@reading(on=arns.anything)
def list_organizations_features(call: Call) -> dict[str, Any]:
    """Show which features of central root access are enabled."""
    return _shown(_administered(call))


def _enabled(call: Call, feature: str) -> dict[str, Any]:
    organization = _administered(call)
    # AWS: of these operations only those that enable a feature know this error.
    if not entities.is_management(organization, call.identity.account_id):
        raise CallerIsNotManagementAccount("The account making the request is not the management account.")
    return _put(call, organization, {*organization.root_access_features, feature})


def _disabled(call: Call, feature: str) -> dict[str, Any]:
    organization = _administered(call)
    return _put(call, organization, {*organization.root_access_features} - {feature})


def _put(call: Call, organization: Organization, features: set[str]) -> dict[str, Any]:
    changed = replace(organization, root_access_features=tuple(sorted(features)))
    if changed != organization:
        call.change.put(GLOBAL, changed)
    return _shown(changed)


def _administered(call: Call) -> Organization:
    """The organization that the caller's account administers IAM for, or AWS's refusal."""
    organization = entities.organization_in(call)
    if organization is None:
        raise OrganizationNotFound("No organization is associated with your account.")
    # SECURITY: an account's policies don't make it an administrator of its organization.
    if not entities.administers(call, organization, SERVICE):
        raise AccountNotManagementOrDelegatedAdministrator(
            "The account making the request is not the management account or a delegated administrator of IAM."
        )
    if organization.feature_set != entities.ALL_FEATURES:
        raise OrganizationNotInAllFeaturesMode("Your organization does not have all features enabled.")
    if not entities.is_trusted(organization, SERVICE):
        raise ServiceAccessNotEnabled(
            f"Trusted Access for IAM not enabled by organization of input account {call.identity.account_id}."
        )
    return organization


def _shown(organization: Organization) -> dict[str, Any]:
    return {
        "OrganizationId": organization.organization_id,
        "EnabledFeatures": list(organization.root_access_features),
    }
