"""Inline policies: documents that are part of one user, group or role.

Names that differ by case alone are of one policy, which keeps the spelling that it was first put under. AWS: recorded
answers (September 2026) to PutUserPolicy, PutGroupPolicy and PutRolePolicy; Get answers with the name that was asked.
"""

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
from iamd.store.records import Entity, InlinePolicy, fold

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
    return {"UserName": user_name, **_shown(named_user(call, user_name), "user", policy_name)}


@reading(on=arns.group)
def get_group_policy(call: Call, *, group_name: str, policy_name: str) -> dict[str, Any]:
    """Show a policy that is embedded in a group."""
    return {"GroupName": group_name, **_shown(named_group(call, group_name), "group", policy_name)}


@reading(on=arns.role)
def get_role_policy(call: Call, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """Show a policy that is embedded in a role."""
    return {"RoleName": role_name, **_shown(named_role(call, role_name), "role", policy_name)}


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
    there = _find(entity, policy_name)
    put = InlinePolicy(policy_name if there is None else there.policy_name, policy_document)
    # SECURITY: a Deny that takes an Allow's place, or the other way about, leaves nothing of it.
    return replace(entity, inline_policies=(*_others(entity, policy_name), put))


def _check_size(entity: Entity, quota: int, whose: str) -> None:
    # AWS: the sizes of all policies that are embedded in one entity count together (IAM User Guide, "IAM and AWS STS
    # quotas", reference_iam-quotas).
    if sum(policy_documents.size(policy.document) for policy in entity.inline_policies) > quota:
        raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {whose}")


def _find(entity: Entity, policy_name: str) -> InlinePolicy | None:
    wanted = fold(policy_name)
    return next((policy for policy in entity.inline_policies if fold(policy.policy_name) == wanted), None)


def _others(entity: Entity, policy_name: str) -> tuple[InlinePolicy, ...]:
    unwanted = fold(policy_name)
    return tuple(policy for policy in entity.inline_policies if fold(policy.policy_name) != unwanted)


def _policy(entity: Entity, kind: str, policy_name: str) -> InlinePolicy:
    policy = _find(entity, policy_name)
    if policy is None:
        raise NoSuchEntity(f"The {kind} policy with name {policy_name} cannot be found.")
    return policy


def _without(entity: Bearer, kind: str, policy_name: str) -> Bearer:
    _policy(entity, kind, policy_name)
    return replace(entity, inline_policies=_others(entity, policy_name))


def _shown(entity: Entity, kind: str, policy_name: str) -> dict[str, str]:
    policy = _policy(entity, kind, policy_name)
    return {"PolicyName": policy_name, "PolicyDocument": shown_document(policy.document)}


def _listed(
    call: Call, policies: Sequence[InlinePolicy], entity_id: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    names = [policy.policy_name for policy in policies]
    cut, more = page(call, names, key=str, max_items=max_items, marker=marker, query=(entity_id,))
    return {"PolicyNames": cut, **more}
