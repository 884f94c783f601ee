"""IAM groups, and which users are in them."""

from typing import Any

from msgspec.structs import replace

from iamd import ids
from iamd.call import Call
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import listed_user, named_group, named_user, shown_group
from iamd.services.iam.errors import DeleteConflict, EntityAlreadyExists
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import Group, User, fold


@operation(on=arns.new_group)
def create_group(call: Call, *, group_name: str, path: str = "/") -> dict[str, Any]:
    """Create a group without members."""
    _refuse_taken(call, group_name)
    quotas.check_groups(call)
    group = Group(group_name=group_name, group_id=ids.unique_id(ids.GROUP), path=path, created=call.now)
    call.put(group)
    return {"Group": shown_group(call.account, group)}


@reading(on=arns.group)
def get_group(
    call: Call, *, group_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Show a group with its members."""
    group = named_group(call, group_name)
    members = call.account.find(User, "group", group.group_id)
    cut, more = page(
        call, members, key=lambda user: user.user_name, max_items=max_items, marker=marker, query=(group.group_id,)
    )
    shown = [listed_user(call.account, user) for user in cut]
    return {"Group": shown_group(call.account, group), "Users": shown, **more}


@reading(on=arns.listed("group"))
def list_groups(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the groups whose path begins with `path_prefix`."""
    groups = [group for group in call.account.all(Group) if group.path.startswith(path_prefix)]
    cut, more = page(
        call, groups, key=lambda group: group.group_name, max_items=max_items, marker=marker, query=(path_prefix,)
    )
    return {"Groups": [shown_group(call.account, group) for group in cut], **more}


@reading(on=arns.user)
def list_groups_for_user(
    call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the groups that a user is in."""
    user = named_user(call, user_name)
    found = (call.account.get(Group, group_id) for group_id in user.groups)
    groups = [group for group in found if group is not None]
    cut, more = page(
        call, groups, key=lambda group: group.group_name, max_items=max_items, marker=marker, query=(user.user_id,)
    )
    return {"Groups": [shown_group(call.account, group) for group in cut], **more}


@operation(on=arns.updated_group)
def update_group(
    call: Call, *, group_name: str, new_path: str | None = None, new_group_name: str | None = None
) -> None:
    """Give a group another name or path; it keeps its unique id, members and policies."""
    group = named_group(call, group_name)
    if new_group_name is not None and fold(new_group_name) != fold(group_name):
        _refuse_taken(call, new_group_name)
    call.put(replace(group, group_name=new_group_name or group.group_name, path=new_path or group.path))


@operation(on=arns.group)
def delete_group(call: Call, *, group_name: str) -> None:
    """Delete a group that has no members and no policies."""
    group = named_group(call, group_name)
    if call.account.find(User, "group", group.group_id):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if group.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if group.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    call.delete(group)


@operation(on=arns.group)
def add_user_to_group(call: Call, *, group_name: str, user_name: str) -> None:
    """Make a user a member of a group; one that is a member stays so."""
    group = named_group(call, group_name)
    user = named_user(call, user_name)
    if group.group_id not in user.groups:
        quotas.check("GroupsPerUser", len(user.groups) + 1, quotas.GROUPS_PER_USER)
        call.put(replace(user, groups=(*user.groups, group.group_id)))


@operation(on=arns.group)
def remove_user_from_group(call: Call, *, group_name: str, user_name: str) -> None:
    """Take a user out of a group; AWS answers one that is not a member no differently."""
    # AWS: of two unknown names the user's is told (recorded answers, February 2026).
    user = named_user(call, user_name)
    group = named_group(call, group_name)
    call.put(replace(user, groups=tuple(group_id for group_id in user.groups if group_id != group.group_id)))


def _refuse_taken(call: Call, group_name: str) -> None:
    if call.account.find(Group, "name", fold(group_name)):
        raise EntityAlreadyExists(f"Group with name {group_name} already exists.")
