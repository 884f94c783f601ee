"""IAM users."""

from typing import Any

from msgspec.structs import replace

from iamd import ids
from iamd.call import Call
from iamd.services.iam import arns, permissions_boundaries, quotas
from iamd.services.iam.entities import (
    listed_user,
    moment,
    named_or_calling_user,
    named_user,
    shown_user,
)
from iamd.services.iam.errors import DeleteConflict, EntityAlreadyExists
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import (
    AccessKey,
    AccountRecord,
    LoginProfile,
    MFADevice,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    User,
    fold,
)
from iamd.store.sign_in_records import ConsoleSessions, SecurityKey


@operation(on=arns.new_user)
def create_user(
    call: Call,
    *,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: GivenTags | None = None,
) -> dict[str, Any]:
    """Create a user, which has no permissions and no credentials yet."""
    _refuse_taken(call, user_name)
    quotas.check_users(call)
    user = User(
        user_name=user_name,
        user_id=ids.unique_id(ids.USER),
        path=path,
        created=call.now,
        permissions_boundary=permissions_boundaries.checked(call, permissions_boundary),
        tags=checked_tags(User, tags),
    )
    call.put(user)
    return {"User": shown_user(call.account, user)}


@reading(on=arns.user)
def get_user(call: Call, *, user_name: str | None = None) -> dict[str, Any]:
    """Show a user; without a name the one who calls."""
    user = named_or_calling_user(call, user_name)
    return {"User": _shown_root(call) if user is None else shown_user(call.account, user)}


@reading(on=arns.listed("user"))
def list_users(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the users whose path begins with `path_prefix`."""
    users = [user for user in call.account.all(User) if user.path.startswith(path_prefix)]
    cut, more = page(
        call, users, key=lambda user: user.user_name, max_items=max_items, marker=marker, query=(path_prefix,)
    )
    return {"Users": [listed_user(call.account, user) for user in cut], **more}


@operation(on=arns.updated_user)
def update_user(call: Call, *, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
    """Give a user another name or path; it keeps its unique id and with it all that it has."""
    user = named_user(call, user_name)
    if new_user_name is not None and fold(new_user_name) != fold(user_name):
        _refuse_taken(call, new_user_name)
    call.put(replace(user, user_name=new_user_name or user.user_name, path=new_path or user.path))


@operation(on=arns.user)
def delete_user(call: Call, *, user_name: str) -> None:
    """Delete a user that has no credentials, no policies and no groups."""
    user = named_user(call, user_name)
    if call.account.find(AccessKey, "user", user.user_id):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    if call.account.find(SigningCertificate, "user", user.user_id):
        raise DeleteConflict("Cannot delete entity, must delete certificates first.")
    if call.account.get(LoginProfile, user.user_id) is not None:
        raise DeleteConflict("Cannot delete entity, must delete login profile first.")
    if any(call.account.find(kind, "user", user.user_id) for kind in (MFADevice, SecurityKey)):
        raise DeleteConflict("Cannot delete entity, must remove tokens from principal first.")
    if user.groups:
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if user.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if user.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    if any(call.account.find(kind, "user", user.user_id) for kind in (SSHPublicKey, ServiceSpecificCredential)):
        raise DeleteConflict("Cannot delete entity, must remove referenced objects first.")
    call.delete(user)
    sessions = call.account.get(ConsoleSessions, user.user_id)
    if sessions is not None:
        call.delete(sessions)


def _refuse_taken(call: Call, user_name: str) -> None:
    if call.account.find(User, "name", fold(user_name)):
        raise EntityAlreadyExists(f"User with name {user_name} already exists.")


def _shown_root(call: Call) -> dict[str, Any]:
    """The root user as GetUser shows it to itself: it has no name and no path."""
    record = call.account.get(AccountRecord, call.account.id)
    shown: dict[str, Any] = {"UserId": call.account.id, "Arn": call.identity.arn}
    if record is not None:
        shown["CreateDate"] = moment(record.created)
        if record.root_password_last_used is not None:
            shown["PasswordLastUsed"] = moment(record.root_password_last_used)
    return shown
