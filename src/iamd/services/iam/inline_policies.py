"""Inline policies: documents that are part of one user, group or role."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from iamd.call import Call
from iamd.policy.kinds import PolicyType
from iamd.services.iam import arns, policy_documents, quotas
from iamd.services.iam.entities import named_group, named_role, named_user, shown_document
from iamd.services.iam.errors import LimitExceeded, NoSuchEntity
from iamd.services.iam.protected_roles import refuse_protected
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import Entity, InlinePolicy

Bearer = TypeVar("Bearer", bound=Entity)


@operation(on=arns.user)
def put_user_policy(call: Call, *, user_name: str, policy_name: str, policy_document: str) -> None:
    """Embed a policy in a user, in place of the one of the same name."""
    user = _with(named_user(call, user_name), policy_name, policy_document)
    _check_size(user, quotas.USER_POLICY_SIZE, f"user {user_name}")
    call.put(user)


@operation(on=arns.group)
def put_group_policy(call: Call, *, group_name: str, policy_name: str, policy_document: str) -> None:
    """Embed a policy in a group, in place of the one of the same name."""
    group = _with(named_group(call, group_name), policy_name, policy_document)
    _check_size(group, quotas.GROUP_POLICY_SIZE, f"group {group_name}")
    call.put(group)


@operation(on=arns.role)
def put_role_policy(call: Call, *, role_name: str, policy_name: str, policy_document: str) -> None:
    """Embed a policy in a role, in place of the one of the same name."""
    role = named_role(call, role_name)
    refuse_protected(role)
    changed = _with(role, policy_name, policy_document)
    _check_size(changed, quotas.ROLE_POLICY_SIZE, f"role {role_name}")
    call.put(changed)


@reading(on=arns.user)
def get_user_policy(call: Call, *, user_name: str, policy_name: str) -> dict[str, Any]:
    """Show a policy that is embedded in a user."""
    return {"UserName": user_name, **_shown(_policy(named_user(call, user_name), "user", policy_name))}


@reading(on=arns.group)
def get_group_policy(call: Call, *, group_name: str, policy_name: str) -> dict[str, Any]:
    """Show a policy that is embedded in a group."""
    return {"GroupName": group_name, **_shown(_policy(named_group(call, group_name), "group", policy_name))}


@reading(on=arns.role)
def get_role_policy(call: Call, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """Show a policy that is embedded in a role."""
    return {"RoleName": role_name, **_shown(_policy(named_role(call, role_name), "role", policy_name))}


@operation(on=arns.user)
def delete_user_policy(call: Call, *, user_name: str, policy_name: str) -> None:
    """Delete a policy that is embedded in a user."""
    call.put(_without(named_user(call, user_name), "user", policy_name))


@operation(on=arns.group)
def delete_group_policy(call: Call, *, group_name: str, policy_name: str) -> None:
    """Delete a policy that is embedded in a group."""
    call.put(_without(named_group(call, group_name), "group", policy_name))


@operation(on=arns.role)
def delete_role_policy(call: Call, *, role_name: str, policy_name: str) -> None:
    """Delete a policy that is embedded in a role."""
    role = named_role(call, role_name)
    refuse_protected(role)
    call.put(_without(role, "role", policy_name))


@reading(on=arns.user)
def list_user_policies(
    call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of the policies that are embedded in a user."""
    user = named_user(call, user_name)
    return _listed(call, user.inline_policies, user.user_id, marker, max_items)


@reading(on=arns.group)
def list_group_policies(
    call: Call, *, group_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of the policies that are embedded in a group."""
    group = named_group(call, group_name)
    return _listed(call, group.inline_policies, group.group_id, marker, max_items)


@reading(on=arns.role)
def list_role_policies(
    call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of the policies that are embedded in a role."""
    role = named_role(call, role_name)
    return _listed(call, role.inline_policies, role.role_id, marker, max_items)


def _with(entity: Bearer, policy_name: str, policy_document: str) -> Bearer:
    policy_documents.check(policy_document, PolicyType.IDENTITY)
    policies = {policy.policy_name: policy for policy in entity.inline_policies}
    policies[policy_name] = InlinePolicy(policy_name, policy_document)
    return replace(entity, inline_policies=tuple(policies.values()))


def _check_size(entity: Entity, quota: int, whose: str) -> None:
    # AWS: the sizes of all policies that are embedded in one entity count together (IAM User Guide, "IAM and AWS STS
    # quotas", reference_iam-quotas).
    if sum(policy_documents.size(policy.document) for policy in entity.inline_policies) > quota:
        raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {whose}")


def _policy(entity: Entity, kind: str, policy_name: str) -> InlinePolicy:
    for policy in entity.inline_policies:
        if policy.policy_name == policy_name:
            return policy
    raise NoSuchEntity(f"The {kind} policy with name {policy_name} cannot be found.")


def _without(entity: Bearer, kind: str, policy_name: str) -> Bearer:
    gone = _policy(entity, kind, policy_name)
    return replace(entity, inline_policies=tuple(policy for policy in entity.inline_policies if policy is not gone))


def _shown(policy: InlinePolicy) -> dict[str, str]:
    return {"PolicyName": policy.policy_name, "PolicyDocument": shown_document(policy.document)}


def _listed(
    call: Call, policies: Sequence[InlinePolicy], entity_id: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    names = [policy.policy_name for policy in policies]
    cut, more = page(call, names, key=str, max_items=max_items, marker=marker, query=(entity_id,))
    return {"PolicyNames": cut, **more}
