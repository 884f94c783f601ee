"""Managed policies attached to users, groups and roles: AWS's and the customer's."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from iamd import arn
from iamd.call import Call
from iamd.data import managed_policies
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import (
    AnyPolicy,
    check_arn,
    named_group,
    named_policy,
    named_role,
    named_user,
    policy_in,
)
from iamd.services.iam.errors import NoSuchEntity, PolicyNotAttachable, ValidationError
from iamd.services.iam.protected_roles import SERVICE_LINKED_PATH, refuse_protected
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import Entity, Group, Role, User

Bearer = TypeVar("Bearer", bound=Entity)


@operation(on=arns.user)
def attach_user_policy(call: Call, *, user_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a user; attached already, it stays so."""
    call.put(_attached(call, named_user(call, user_name), policy_arn, "PoliciesPerUser"))


@operation(on=arns.group)
def attach_group_policy(call: Call, *, group_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a group; attached already, it stays so."""
    call.put(_attached(call, named_group(call, group_name), policy_arn, "PoliciesPerGroup"))


@operation(on=arns.role)
def attach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a role; attached already, it stays so."""
    role = named_role(call, role_name)
    refuse_protected(role)
    call.put(_attached(call, role, policy_arn, "PoliciesPerRole"))


@operation(on=arns.user)
def detach_user_policy(call: Call, *, user_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a user."""
    call.put(_detached(named_user(call, user_name), policy_arn))


@operation(on=arns.group)
def detach_group_policy(call: Call, *, group_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a group."""
    call.put(_detached(named_group(call, group_name), policy_arn))


@operation(on=arns.role)
def detach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a role."""
    role = named_role(call, role_name)
    refuse_protected(role)
    call.put(_detached(role, policy_arn))


@reading(on=arns.user)
def list_attached_user_policies(
    call: Call, *, user_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the managed policies that are attached to a user."""
    user = named_user(call, user_name)
    return _listed(call, user, user.user_id, path_prefix, marker, max_items)


@reading(on=arns.group)
def list_attached_group_policies(
    call: Call, *, group_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the managed policies that are attached to a group."""
    group = named_group(call, group_name)
    return _listed(call, group, group.group_id, path_prefix, marker, max_items)


@reading(on=arns.role)
def list_attached_role_policies(
    call: Call, *, role_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the managed policies that are attached to a role."""
    role = named_role(call, role_name)
    return _listed(call, role, role.role_id, path_prefix, marker, max_items)


Use = tuple[str, str, str]
"""Who uses a policy: `User`, `Group` or `Role`, its name, its unique id."""

USES: Sequence[tuple[type[User | Group | Role], str, str, Callable[[Any], Use]]] = (
    (Group, "Group", "policy", lambda group: ("Group", group.group_name, group.group_id)),
    (User, "User", "policy", lambda user: ("User", user.user_name, user.user_id)),
    (User, "User", "boundary", lambda user: ("User", user.user_name, user.user_id)),
    (Role, "Role", "policy", lambda role: ("Role", role.role_name, role.role_id)),
    (Role, "Role", "boundary", lambda role: ("Role", role.role_name, role.role_id)),
)
"""Each way in which a policy can be used: by which records, in which of their indexes."""

INDEXES = {None: ("policy", "boundary"), "PermissionsPolicy": ("policy",), "PermissionsBoundary": ("boundary",)}
"""The indexes that each PolicyUsageFilter looks into."""


@reading(on=arns.policy)
def list_entities_for_policy(
    call: Call,
    *,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the users, groups and roles that a managed policy is attached to or limits."""
    named_policy(call, policy_arn)
    uses = {
        shown(entity)
        for kind, name, index, shown in USES
        if index in INDEXES[policy_usage_filter] and entity_filter in {None, name}
        for entity in call.account.find(kind, index, policy_arn)
        if entity.path.startswith(path_prefix)
    }
    query = (policy_arn, entity_filter or "", path_prefix, policy_usage_filter or "")
    cut, more = page(call, list(uses), key=_use_key, max_items=max_items, marker=marker, query=query)
    return {
        **{f"Policy{kind}s": [_shown_use(use) for use in cut if use[0] == kind] for kind in ("Group", "User", "Role")},
        **more,
    }


def check_attachable(call: Call, policy_arn: str, otherwise: str) -> None:
    """Raise NoSuchEntity, saying `otherwise`, or PolicyNotAttachable unless this policy may be given to somebody."""
    policy = policy_in(call.account, policy_arn)
    of_aws = policy if isinstance(policy, managed_policies.ManagedPolicy) else None
    # AWS: a deprecated policy stays with those who have it and can be attached to nobody else (IAM User Guide,
    # "Deprecated AWS managed policies", access_policies_managed-deprecated).
    if policy is None or (of_aws is not None and of_aws.deprecated):
        raise NoSuchEntity(otherwise)
    if of_aws is not None and of_aws.path.startswith(SERVICE_LINKED_PATH):
        raise PolicyNotAttachable("Cannot attach a Service Role Policy to a Customer Role.")


def _attached(call: Call, entity: Bearer, policy_arn: str, quota_name: str) -> Bearer:
    # AWS's recorded answer of AttachRolePolicy; other operations were seen to call the same InvalidInput.
    if arn.parse(policy_arn) is None:
        raise ValidationError(f"ARN {policy_arn} is not valid.")
    if policy_arn in entity.attached_policies:
        return entity
    check_attachable(call, policy_arn, f"Policy {policy_arn} does not exist or is not attachable.")
    quotas.check(quota_name, len(entity.attached_policies) + 1, quotas.ATTACHED_POLICIES)
    return replace(entity, attached_policies=(*entity.attached_policies, policy_arn))


def _detached(entity: Bearer, policy_arn: str) -> Bearer:
    check_arn(policy_arn)
    if policy_arn not in entity.attached_policies:
        raise NoSuchEntity(f"Policy {policy_arn} was not found.")
    return replace(entity, attached_policies=tuple(a for a in entity.attached_policies if a != policy_arn))


def _listed(
    call: Call, entity: Entity, entity_id: str, path_prefix: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    found = (policy_in(call.account, policy_arn) for policy_arn in entity.attached_policies)
    policies = [policy for policy in found if policy is not None and policy.path.startswith(path_prefix)]
    query = (entity_id, path_prefix)
    cut, more = page(call, policies, key=_policy_key, max_items=max_items, marker=marker, query=query)
    shown = [{"PolicyName": policy.policy_name, "PolicyArn": policy.arn} for policy in cut]
    return {"AttachedPolicies": shown, **more}


def _policy_key(policy: AnyPolicy) -> str:
    # One of AWS's and one of the customer's may have the same name; the ARN tells them apart.
    return f"{policy.policy_name} {policy.arn}"


def _use_key(use: Use) -> str:
    return f"{use[0]} {use[1]}"


def _shown_use(use: Use) -> dict[str, str]:
    kind, name, unique_id = use
    return {f"{kind}Name": name, f"{kind}Id": unique_id}
