"""An organization and what it is made of, as answers have them."""

from datetime import UTC, datetime
from typing import Any

from iamd.authz import organizations
from iamd.call import Call
from iamd.data.organization_policies import SERVICE_CONTROL_POLICY, ManagedOrganizationPolicy
from iamd.services.organizations import entities
from iamd.services.organizations.entities import AnyPolicy
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit
from iamd.store.records import Tag


def moment(seconds: int) -> datetime:
    """A time as answers have it."""
    return datetime.fromtimestamp(seconds, UTC)


def tags(tags: tuple[Tag, ...]) -> list[dict[str, str]]:
    """Tags as answers have them."""
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def organization(call: Call, organization: Organization) -> dict[str, Any]:
    """An organization as it is shown.

    AWS: AvailablePolicyTypes tells of SCPs alone and is deprecated (Organizations API Reference, Organization).
    """
    management = organization.management_account_id
    record = entities.record_of(call, management)
    has_all = organization.feature_set == entities.ALL_FEATURES
    return {
        "Id": organization.organization_id,
        "Arn": entities.organization_arn(organization),
        "FeatureSet": organization.feature_set,
        "MasterAccountArn": entities.account_arn(organization, management),
        "MasterAccountId": management,
        **({"MasterAccountEmail": record.email} if record is not None and record.email else {}),
        "AvailablePolicyTypes": [{"Type": SERVICE_CONTROL_POLICY, "Status": "ENABLED"}] if has_all else [],
    }


def root(organization: Organization) -> dict[str, Any]:
    """The root with the policy types that are enabled in it."""
    return {
        "Id": organization.root_id,
        "Arn": entities.root_arn(organization),
        "Name": entities.ROOT_NAME,
        "PolicyTypes": [{"Type": policy_type, "Status": "ENABLED"} for policy_type in organization.policy_types],
    }


def unit(call: Call, organization: Organization, unit: OrganizationalUnit) -> dict[str, Any]:
    """A unit, with the path of its own."""
    above = organizations.targets_above(unit.parent_id, call.view.shared)
    return {
        "Id": unit.organizational_unit_id,
        "Arn": entities.unit_arn(organization, unit.organizational_unit_id),
        "Name": unit.name,
        "Path": organizations.path_of([*above, unit]),
    }


def listed_account(call: Call, organization: Organization, membership: Membership) -> dict[str, Any]:
    """An account without its path, as lists of administrators have it."""
    record = entities.record_of(call, membership.account_id)
    suspended = record is None or record.suspended
    return {
        "Id": membership.account_id,
        "Arn": entities.account_arn(organization, membership.account_id),
        **({"Email": record.email} if record is not None and record.email else {}),
        **({"Name": record.name} if record is not None else {}),
        "Status": "SUSPENDED" if suspended else "ACTIVE",
        "State": "CLOSED" if membership.closed is not None else "SUSPENDED" if suspended else "ACTIVE",
        "JoinedMethod": membership.joined_method,
        "JoinedTimestamp": moment(membership.joined),
    }


def account(call: Call, organization: Organization, membership: Membership) -> dict[str, Any]:
    """An account as the organization shows it."""
    above = organizations.targets_above(membership.parent_id, call.view.shared)
    path = f"{organizations.path_of(above)}{membership.account_id}/"
    return {**listed_account(call, organization, membership), "Paths": [path]}


def summary(organization: Organization, policy: AnyPolicy) -> dict[str, Any]:
    """A policy without its content."""
    return {
        "Id": policy.policy_id,
        "Arn": entities.policy_arn(organization, policy),
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": isinstance(policy, ManagedOrganizationPolicy),
    }


def policy(organization: Organization, policy: AnyPolicy) -> dict[str, Any]:
    """A policy with its content."""
    return {"PolicySummary": summary(organization, policy), "Content": policy.content}
