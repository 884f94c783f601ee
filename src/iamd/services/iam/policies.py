"""Managed policies: the customer's own, which are created and deleted, and AWS's, which are only shown."""

from datetime import datetime
from typing import Any

from iamd import arn, ids
from iamd.call import Call
from iamd.data import managed_policies
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import AnyPolicy, given_tags, moment, named_customer_policy, named_policy, shown_tags
from iamd.services.iam.errors import DeleteConflict, EntityAlreadyExists
from iamd.services.iam.policy_documents import check_managed
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import Group, ManagedPolicy, PolicyVersion, Role, User, fold

FIRST_VERSION = "v1"


@operation(on=arns.new_policy)
def create_policy(
    call: Call,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str | None = None,
    tags: GivenTags | None = None,
) -> dict[str, Any]:
    """Create a customer managed policy; its document is the default version v1."""
    if call.account.find(ManagedPolicy, "name", fold(policy_name)):
        raise EntityAlreadyExists(f"A policy called {policy_name} already exists. Duplicate names are not allowed.")
    quotas.check_policies(call)
    check_managed(policy_document)
    policy = ManagedPolicy(
        policy_name=policy_name,
        policy_id=ids.unique_id(ids.MANAGED_POLICY),
        arn=arn.iam(call.account.id, "policy", path, policy_name),
        path=path,
        description=description,
        created=call.now,
        updated=call.now,
        versions=(PolicyVersion(version_id=FIRST_VERSION, document=policy_document, created=call.now),),
        default_version_id=FIRST_VERSION,
        last_version=1,
        tags=checked_tags(ManagedPolicy, tags),
    )
    call.put(policy)
    # AWS: recorded answers (February and September 2026) have no description, and tags where there are some.
    shown = {"Tags": given_tags(policy.tags)} if policy.tags else {}
    return {"Policy": listed_policy(call, policy) | shown}


@reading(on=arns.policy)
def get_policy(call: Call, *, policy_arn: str) -> dict[str, Any]:
    """Show a managed policy, AWS's or the customer's, without its document."""
    return {"Policy": shown_policy(call, named_policy(call, policy_arn))}


@reading(on=arns.listed_policies)
def list_policies(
    call: Call,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List managed policies by owner, path and use."""
    found = [
        policy
        for policy in of_scope(call, scope)
        if policy.path.startswith(path_prefix) and _is_used_so(call, policy, only_attached, policy_usage_filter)
    ]
    query = (scope, str(only_attached), path_prefix, policy_usage_filter or "")
    cut, more = page(call, found, key=lambda policy: policy.arn, max_items=max_items, marker=marker, query=query)
    return {"Policies": [listed_policy(call, policy) for policy in cut], **more}


@operation(on=arns.changed_policy)
def delete_policy(call: Call, *, policy_arn: str) -> None:
    """Delete a customer managed policy that nobody has and that has no version but the default one."""
    policy = named_customer_policy(call, policy_arn)
    if attachment_count(call, policy_arn) or boundary_count(call, policy_arn):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    call.delete(policy)


def of_scope(call: Call, scope: str) -> list[AnyPolicy]:
    """The managed policies of AWS, of the account ("Local"), or of both ("All")."""
    policies: list[AnyPolicy] = []
    if scope != "Local":
        policies.extend(managed_policies.catalogue().values())
    if scope != "AWS":
        policies.extend(call.account.all(ManagedPolicy))
    return policies


def attachment_count(call: Call, policy_arn: str) -> int:
    """How many users, groups and roles of the account have the policy attached."""
    return sum(len(call.account.find(kind, "policy", policy_arn)) for kind in (User, Group, Role))


def boundary_count(call: Call, policy_arn: str) -> int:
    """How many users and roles of the account have the policy as their permissions boundary."""
    return sum(len(call.account.find(kind, "boundary", policy_arn)) for kind in (User, Role))


def listed_policy(call: Call, policy: AnyPolicy) -> dict[str, Any]:
    """A managed policy as ListPolicies shows it.

    AWS: listings leave out description and tags (IAM API Reference, ListPolicies and Policy).
    """
    return {
        "PolicyName": policy.policy_name,
        "PolicyId": policy.policy_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": attachment_count(call, policy.arn),
        "PermissionsBoundaryUsageCount": boundary_count(call, policy.arn),
        "IsAttachable": is_attachable(policy),
        "CreateDate": created(policy),
        "UpdateDate": updated(policy),
    }


def shown_policy(call: Call, policy: AnyPolicy) -> dict[str, Any]:
    """A managed policy as it is shown alone."""
    tags = policy.tags if isinstance(policy, ManagedPolicy) else ()
    return listed_policy(call, policy) | described(policy) | {"Tags": shown_tags(tags)}


def described(policy: AnyPolicy) -> dict[str, Any]:
    """The description of a policy that has one."""
    found = policy.description if isinstance(policy, ManagedPolicy) else managed_policies.description(policy.arn)
    return {} if found is None else {"Description": found}


def is_attachable(policy: AnyPolicy) -> bool:
    """Whether further entities can have the policy; AWS's deprecated ones stay with those who have them."""
    return isinstance(policy, ManagedPolicy) or not policy.deprecated


def created(policy: AnyPolicy) -> datetime:
    """When a managed policy was created."""
    return moment(policy.created) if isinstance(policy, ManagedPolicy) else policy.create_date


def updated(policy: AnyPolicy) -> datetime:
    """When a managed policy last got a version."""
    return moment(policy.updated) if isinstance(policy, ManagedPolicy) else policy.update_date


def _is_used_so(call: Call, policy: AnyPolicy, only_attached: bool, usage: str | None) -> bool:
    # AWS: PolicyUsageFilter narrows OnlyAttached, and filters nothing without it (recorded answers, September 2026).
    if not only_attached:
        return True
    uses = {"PermissionsPolicy": attachment_count, "PermissionsBoundary": boundary_count}
    counts = uses.values() if usage is None else (uses[usage],)
    return any(count(call, policy.arn) for count in counts)
