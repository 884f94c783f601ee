"""GetAccountAuthorizationDetails: the account's users, groups, roles and policies, with all that connects them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from iamd.call import Call
from iamd.data import managed_policies
from iamd.services.iam import arns, entities, policies, policy_versions, roles
from iamd.services.iam.entities import AnyPolicy
from iamd.services.iam.errors import ValidationError
from iamd.services.iam.instance_profiles import listed_profile, profiles_of
from iamd.services.paging import InvalidMarker, page
from iamd.services.registry import reading
from iamd.store.records import Entity, Group, InlinePolicy, ManagedPolicy, Role, User

PASSWORD_LAST_USED = "PasswordLastUsed"
"""What UserDetail does not have, though User does."""

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@dataclass(frozen=True, slots=True)
class Item:
    """One entity or policy that a page may hold: the list it stands in, and how to describe it."""

    place: str
    list_name: str
    describe: Callable[[], dict[str, Any]]


@reading(on=arns.anything, is_long=True)
def get_account_authorization_details(
    call: Call, *, filter: list[str] | None = None, max_items: int | None = None, marker: str | None = None
) -> dict[str, Any]:
    """Describe users, groups, roles and managed policies, or those kinds of them that `filter` names."""
    wanted = frozenset(filter) if filter else frozenset(FILTERS)
    items = [item for name in FILTERS if name in wanted for item in FILTERS[name](call)]
    query = tuple(sorted(wanted))
    try:
        cut, more = page(call, items, key=lambda item: item.place, max_items=max_items, marker=marker, query=query)
    except InvalidMarker as error:
        # AWS's recorded answer (September 2026), though the marker was none at all.
        raise ValidationError("Marker and Filter do not match") if filter else error from error
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    for item in cut:
        lists[item.list_name].append(item.describe())
    return {**lists, **more}


def _users(call: Call) -> Iterator[Item]:
    for user in call.account.all(User):
        yield Item(f"1{user.user_name}", "UserDetailList", partial(user_detail, call, user))


def _groups(call: Call) -> Iterator[Item]:
    for group in call.account.all(Group):
        yield Item(f"2{group.group_name}", "GroupDetailList", partial(group_detail, call, group))


def _roles(call: Call) -> Iterator[Item]:
    for role in call.account.all(Role):
        yield Item(f"3{role.role_name}", "RoleDetailList", partial(role_detail, call, role))


def _local_policies(call: Call) -> Iterator[Item]:
    return _policies(call, call.account.all(ManagedPolicy))


def _aws_policies(call: Call) -> Iterator[Item]:
    """AWS's policies that somebody in the account has."""
    catalogue = managed_policies.catalogue()
    return _policies(call, [catalogue[one] for one in sorted(used_policies(call)) if one in catalogue])


def _policies(call: Call, found: Collection[AnyPolicy]) -> Iterator[Item]:
    for policy in found:
        yield Item(f"4{policy.arn}", "Policies", partial(policy_detail, call, policy))


FILTERS: dict[str, Callable[[Call], Iterator[Item]]] = {
    "User": _users,
    "Group": _groups,
    "Role": _roles,
    "LocalManagedPolicy": _local_policies,
    "AWSManagedPolicy": _aws_policies,
}
"""What each value of Filter asks for."""


def used_policies(call: Call) -> set[str]:
    """The ARNs of all policies that entities of the account have attached or as their boundary."""
    used: set[str] = set()
    for kind in (User, Group, Role):
        for entity in call.account.all(kind):
            used.update(entity.attached_policies)
            if isinstance(entity, (User, Role)) and entity.permissions_boundary is not None:
                used.add(entity.permissions_boundary)
    return used


def user_detail(call: Call, user: User) -> dict[str, Any]:
    """A user with its policies and groups.

    AWS: recorded answers (September 2026) leave out a user's list of inline policies when it is empty, and no other.
    """
    shown = entities.shown_user(call.account, user)
    inline = {"UserPolicyList": inline_details(user.inline_policies)} if user.inline_policies else {}
    groups = (call.account.get(Group, group_id) for group_id in user.groups)
    return {
        **{name: value for name, value in shown.items() if name != PASSWORD_LAST_USED},
        **inline,
        "GroupList": sorted(group.group_name for group in groups if group is not None),
        "AttachedManagedPolicies": attached_details(call, user),
    }


def group_detail(call: Call, group: Group) -> dict[str, Any]:
    """A group with its policies."""
    return {
        **entities.shown_group(call.account, group),
        "GroupPolicyList": inline_details(group.inline_policies),
        "AttachedManagedPolicies": attached_details(call, group),
    }


def role_detail(call: Call, role: Role) -> dict[str, Any]:
    """A role with its policies, its instance profiles and its last use."""
    return {
        **roles.role_of_profile(call, role),
        **entities.shown_attributes(role),
        "InstanceProfileList": [listed_profile(call, profile) for profile in profiles_of(call, role)],
        "RolePolicyList": inline_details(role.inline_policies),
        "AttachedManagedPolicies": attached_details(call, role),
        "RoleLastUsed": roles.last_used(call, role),
    }


def policy_detail(call: Call, policy: AnyPolicy) -> dict[str, Any]:
    """A managed policy with the documents of its versions, and without description, as in AWS's recorded answers."""
    versions = policy_versions.versions(policy)
    return {
        **policies.listed_policy(call, policy),
        "PolicyVersionList": [policy_versions.shown_version(policy, version) for version in versions],
    }


def inline_details(policies: Collection[InlinePolicy]) -> list[dict[str, Any]]:
    """Inline policies by name, with their documents."""
    return [
        {"PolicyName": policy.policy_name, "PolicyDocument": entities.shown_document(policy.document)}
        for policy in sorted(policies, key=lambda policy: policy.policy_name)
    ]


def attached_details(call: Call, entity: Entity) -> list[dict[str, Any]]:
    """The managed policies that an entity has attached."""
    found = (entities.policy_in(call.account, policy_arn) for policy_arn in entity.attached_policies)
    return [{"PolicyName": policy.policy_name, "PolicyArn": policy.arn} for policy in found if policy is not None]
