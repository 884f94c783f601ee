"""Policies attached to roots, organizational units and accounts."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.data.organization_policies import RCP_FULL_AWS_ACCESS, SERVICE_CONTROL_POLICY
from iamd.services.organizations import answers, arns, entities, quotas
from iamd.services.organizations.entities import AnyPolicy, AnyTarget
from iamd.services.organizations.errors import (
    ConstraintViolation,
    DuplicatePolicyAttachment,
    InvalidInput,
    PolicyNotAttached,
    PolicyTypeNotEnabled,
)
from iamd.services.organizations.pages import page
from iamd.services.registry import operation, reading
from iamd.store.account import Account
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit
from iamd.store.records import GLOBAL, AccountRecord


@operation(on=arns.attached)
def attach_policy(call: Call, *, policy_id: str, target_id: str) -> None:
    """Attach a policy; it binds what stands there and below from now on."""
    organization = entities.managed_organization(call)
    policy = entities.named_policy(call, organization, policy_id)
    target = entities.named_target(call, organization, target_id)
    if policy.type not in organization.policy_types:
        raise PolicyTypeNotEnabled
    if policy_id in target.attached_policies:
        raise DuplicatePolicyAttachment
    count = _count(call.view.shared, organization, target, policy.type)
    quotas.check("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", count + 1, quotas.ATTACHED[policy.type])
    call.change.put(GLOBAL, replace(target, attached_policies=(*target.attached_policies, policy_id)))


@operation(on=arns.attached)
def detach_policy(call: Call, *, policy_id: str, target_id: str) -> None:
    """Detach a policy; at least one SCP stays, and AWS's RCP."""
    organization = entities.managed_organization(call)
    policy = entities.named_policy(call, organization, policy_id)
    target = entities.named_target(call, organization, target_id)
    if policy_id not in target.attached_policies:
        raise PolicyNotAttached
    if policy_id == RCP_FULL_AWS_ACCESS.policy_id:
        raise InvalidInput("NON_DETACHABLE_POLICY", "You can't detach this AWS Managed Policy.")
    shared = call.view.shared
    if policy.type == SERVICE_CONTROL_POLICY and _count(shared, organization, target, policy.type) == 1:
        raise ConstraintViolation(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You cannot remove the last policy attached to the specified target. "
            "You must have at least one attached at all times.",
        )
    left = tuple(one for one in target.attached_policies if one != policy_id)
    call.change.put(GLOBAL, replace(target, attached_policies=left))


@reading(on=arns.target)
def list_policies_for_target(
    call: Call,
    *,
    target_id: str,
    filter: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List the policies of a type that are attached to a root, unit or account itself."""
    organization = entities.readable_organization(call)
    target = entities.named_target(call, organization, target_id)
    found = [
        policy
        for policy in entities.policies_of(call.view.shared, organization, filter)
        if policy.policy_id in target.attached_policies
    ]
    return listed(call, organization, found, max_results, next_token, (target_id, filter))


@reading(on=arns.policy)
def list_targets_for_policy(
    call: Call, *, policy_id: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    """List the roots, units and accounts that a policy is attached to."""
    organization = entities.readable_organization(call)
    entities.named_policy(call, organization, policy_id)
    cut, more = page(
        call,
        targets_of(call.view.shared, organization, policy_id),
        key=entities.target_id,
        max_results=max_results,
        next_token=next_token,
        query=(policy_id,),
    )
    return {"Targets": [_shown(call, organization, target) for target in cut], **more}


def listed(
    call: Call,
    organization: Organization,
    found: Sequence[AnyPolicy],
    max_results: int | None,
    next_token: str | None,
    query: tuple[str, ...],
) -> dict[str, Any]:
    """A page of policies by id."""
    cut, more = page(
        call,
        found,
        key=lambda policy: policy.policy_id,
        max_results=max_results,
        next_token=next_token,
        query=query,
    )
    return {"Policies": [answers.summary(organization, policy) for policy in cut], **more}


def targets_of(shared: Account, organization: Organization, policy_id: str) -> list[AnyTarget]:
    """What a policy is attached to in an organization."""
    found: list[AnyTarget] = [organization] if policy_id in organization.attached_policies else []
    below: list[AnyTarget] = [
        *shared.find(OrganizationalUnit, "policy", policy_id),
        *shared.find(Membership, "policy", policy_id),
    ]
    return found + [one for one in below if one.organization_id == organization.organization_id]


def _count(shared: Account, organization: Organization, target: AnyTarget, policy_type: str) -> int:
    ids = {policy.policy_id for policy in entities.policies_of(shared, organization, policy_type)}
    return len(ids.intersection(target.attached_policies))


def _shown(call: Call, organization: Organization, target: AnyTarget) -> dict[str, str]:
    match target:
        case Organization():
            kind, name = "ROOT", entities.ROOT_NAME
        case OrganizationalUnit():
            kind, name = "ORGANIZATIONAL_UNIT", target.name
        case Membership():
            kind, name = "ACCOUNT", _name(entities.record_of(call, target.account_id))
    return {
        "TargetId": entities.target_id(target),
        "Arn": entities.target_arn(organization, target),
        "Name": name,
        "Type": kind,
    }


def _name(record: AccountRecord | None) -> str:
    return record.name if record is not None else ""
