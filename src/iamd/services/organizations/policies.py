"""Policies of an organization: made, shown, changed and deleted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.data import organization_policies, service_reference
from iamd.data.organization_policies import (
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    ManagedOrganizationPolicy,
)
from iamd.policy import document, syntax
from iamd.policy.kinds import PolicyType
from iamd.policy.malformed import ORGANIZATIONS
from iamd.services.organizations import answers, arns, entities, quotas
from iamd.services.organizations.attachments import listed, targets_of
from iamd.services.organizations.errors import (
    DuplicatePolicy,
    InvalidInput,
    MalformedPolicyDocument,
    PolicyInUse,
)
from iamd.services.organizations.roots import check_available
from iamd.services.organizations.tags import checked_tags
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Organization, OrganizationPolicy
from iamd.store.records import GLOBAL

KINDS: Mapping[str, PolicyType] = {
    SERVICE_CONTROL_POLICY: PolicyType.SCP,
    RESOURCE_CONTROL_POLICY: PolicyType.RCP,
}
"""What the policies of each type are to the policy engine."""

GivenTags = Sequence[Mapping[str, str]]


@operation(on=arns.new_policy)
def create_policy(
    call: Call,
    *,
    content: str,
    description: str,
    name: str,
    type: str,
    tags: GivenTags = (),
) -> dict[str, Any]:
    """Make a policy; it binds nobody until it is attached."""
    organization = entities.managed_organization(call)
    check_available(organization, type)
    _refuse_taken(call, organization, name)
    count = sum(policy.type == type for policy in _own(call, organization))
    quotas.check("POLICY_NUMBER_LIMIT_EXCEEDED", count + 1, quotas.POLICIES[type])
    check_content(content, type)
    policy = OrganizationPolicy(
        policy_id=_free_id(call),
        organization_id=organization.organization_id,
        type=type,
        name=name,
        description=description,
        content=content,
        tags=checked_tags(tags),
    )
    call.change.put(GLOBAL, policy)
    return {"Policy": answers.policy(organization, policy)}


@reading(on=arns.policy)
def describe_policy(call: Call, *, policy_id: str) -> dict[str, Any]:
    """Show a policy with its content, AWS's or the organization's."""
    organization = entities.readable_organization(call)
    return {"Policy": answers.policy(organization, entities.named_policy(call, organization, policy_id))}


@reading(on=arns.policy_type)
def list_policies(
    call: Call,
    *,
    filter: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List the policies of a type, AWS's and the organization's, by id."""
    organization = entities.readable_organization(call)
    found = entities.policies_of(call.view.shared, organization, filter)
    return listed(call, organization, found, max_results, next_token, (filter,))


@operation(on=arns.policy)
def update_policy(
    call: Call,
    *,
    policy_id: str,
    name: str | None = None,
    description: str | None = None,
    content: str | None = None,
) -> dict[str, Any]:
    """Change what is given of a policy; where it is attached, its new content binds at once."""
    organization = entities.managed_organization(call)
    policy = _changeable(call, organization, policy_id)
    if name is not None and name != policy.name:
        _refuse_taken(call, organization, name)
    if content is not None:
        check_content(content, policy.type)
    changed = replace(
        policy,
        name=policy.name if name is None else name,
        description=policy.description if description is None else description,
        content=policy.content if content is None else content,
    )
    call.change.put(GLOBAL, changed)
    return {"Policy": answers.policy(organization, changed)}


@operation(on=arns.policy)
def delete_policy(call: Call, *, policy_id: str) -> None:
    """Delete a policy that is attached to nothing."""
    organization = entities.managed_organization(call)
    policy = _changeable(call, organization, policy_id)
    if targets_of(call.view.shared, organization, policy_id):
        raise PolicyInUse
    call.change.delete(GLOBAL, policy)


def _own(call: Call, organization: Organization) -> list[OrganizationPolicy]:
    return call.view.shared.find(OrganizationPolicy, "organization", organization.organization_id)


def _changeable(call: Call, organization: Organization, policy_id: str) -> OrganizationPolicy:
    found = entities.named_policy(call, organization, policy_id)
    if isinstance(found, ManagedOrganizationPolicy):
        raise InvalidInput("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")
    return found


def _refuse_taken(call: Call, organization: Organization, name: str) -> None:
    names = {policy.name for policy in organization_policies.MANAGED.values()}
    if name in names or any(policy.name == name for policy in _own(call, organization)):
        raise DuplicatePolicy


def check_content(content: str, policy_type: str) -> None:
    """Raise what Organizations answers unless `content` may be that of a policy of this type."""
    quotas.check("POLICY_CONTENT_LIMIT_EXCEEDED", len(content), quotas.POLICY_SIZE[policy_type])
    try:
        document.validate(content, KINDS[policy_type])
    except document.MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.message) from malformed
    if policy_type == RESOURCE_CONTROL_POLICY and not all(map(_supports_rcps, _services_in(content))):
        raise MalformedPolicyDocument(ORGANIZATIONS)


def _services_in(content: str) -> Iterator[str]:
    """The prefixes of the actions in a policy that has no NotAction."""
    for statement in syntax.read(content).statements:
        for action in syntax.strings(statement.members["Action"]) or ():
            yield action.partition(":")[0]


def _supports_rcps(prefix: str) -> bool:
    # AWS: of other services no action is taken, known or not; of these any is (Organizations User Guide, "Resource
    # control policies", orgs_manage_policies_rcps, the list of services; recorded answers).
    service = service_reference.service(prefix)
    return service is not None and service.resource_control_policies


def _free_id(call: Call) -> str:
    while True:
        found = entities.new_id("p-", 8)
        if call.view.shared.get(OrganizationPolicy, found) is None:
            return found
