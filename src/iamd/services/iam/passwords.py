"""Console passwords: login profiles of users and of the root user, and the change of one's own password.

AWS: a session of AssumeRoot names no user, and so means the root user of its account, whose password it lets somebody
recover, or takes away (IAM API Reference, CreateLoginProfile; IAM User Guide, id_root-user-privileged-task).
"""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from iamd.auth import passwords
from iamd.call import Call
from iamd.services import attempts
from iamd.services.iam import arns, password_rules
from iamd.services.iam.account import record_of
from iamd.services.iam.entities import calling_user, moment, named_or_calling_iam_user, named_user
from iamd.services.iam.errors import (
    AccessDenied,
    EntityAlreadyExists,
    EntityTemporarilyUnmodifiable,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
    ValidationError,
)
from iamd.services.registry import Target, operation, reading
from iamd.store.records import LoginProfile, User

REMEMBERED = 24
"""How many earlier passwords are remembered: as many as a password policy can forbid."""

ROOT = "root"
"""What stands for the root user in the key of a login profile."""

RECOVERABLE = ""
"""The hash of a password that the root user has still to set: no password has it."""


def _hash_password(call: Call, *, password: str | None = None, **_: Any) -> str | None:
    return None if password is None else passwords.hash_password(password)


@operation(on=arns.user, prepare=_hash_password)
def create_login_profile(
    call: Call, *, user_name: str | None = None, password: str | None = None, password_reset_required: bool = False
) -> dict[str, Any]:
    """Give a user its first password, or let the root user set one."""
    user = _bearer(call, user_name)
    if call.account.get(LoginProfile, _key(user)) is not None:
        raise EntityAlreadyExists(f"Login Profile for user {_name(user)} already exists.")
    if user is not None:
        _check_given(call, password)
    elif password is not None:
        raise ValidationError("Password must be omitted with a session of AssumeRoot.")
    profile = LoginProfile(
        user_id=_key(user),
        password_hash=call.prepared or RECOVERABLE,
        created=call.now,
        changed=call.now,
        reset_required=password_reset_required,
    )
    call.put(profile)
    return {"LoginProfile": _shown(user, profile)}


@reading(on=arns.user)
def get_login_profile(call: Call, *, user_name: str | None = None) -> dict[str, Any]:
    """Show that a user has a password, and since when."""
    user = _bearer(call, user_name)
    return {"LoginProfile": _shown(user, _profile(call, user))}


@operation(on=arns.user, prepare=_hash_password)
def update_login_profile(
    call: Call, *, user_name: str, password: str | None = None, password_reset_required: bool | None = None
) -> None:
    """Set a user's password, or whether the user must set a new one at the next sign-in."""
    user = named_user(call, user_name)
    profile = _profile(call, user)
    if password is not None:
        password_rules.check(record_of(call), password)
        profile = _changed(call, profile, call.prepared)
    if password_reset_required is not None:
        profile = replace(profile, reset_required=password_reset_required)
    call.put(profile)


@operation(on=arns.user)
def delete_login_profile(call: Call, *, user_name: str | None = None) -> None:
    """Take a user's password away."""
    call.delete(_profile(call, _bearer(call, user_name)))


@dataclass(frozen=True, slots=True)
class _Compared:
    """What comparing hashes found, and for which profile: all that is slow about ChangePassword."""

    profile: LoginProfile
    old_is_right: bool
    new_is_old: bool
    new_hash: str


def _compare(call: Call, *, old_password: str, new_password: str) -> _Compared | None:
    user = calling_user(call)
    profile = None if user is None else call.account.get(LoginProfile, user.user_id)
    if profile is None:
        return None
    old_is_right = passwords.verify(old_password, profile.password_hash)
    # SECURITY: whoever does not know the password learns nothing about earlier ones, not by time either.
    if not old_is_right:
        return _Compared(profile, old_is_right, new_is_old=False, new_hash="")
    policy = record_of(call).password_policy
    forbidden = (policy.password_reuse_prevention or 0) if policy is not None else 0
    earlier = (profile.password_hash, *profile.previous_hashes)[:forbidden]
    new_is_old = passwords.was_used(new_password, earlier)
    return _Compared(profile, old_is_right, new_is_old, passwords.hash_password(new_password))


def _own(call: Call, **_: Any) -> Target:
    return arns.granted_by_password_policy(call, arns.user(call))


@operation(on=_own, prepare=_compare)
def change_password(call: Call, *, old_password: str, new_password: str) -> None:
    """Change the password of the user who calls, who must know the old one."""
    user = calling_user(call)
    if user is None:
        raise InvalidUserType("Only an IAM user can change its own password with this operation.")
    profile = _profile(call, user)
    compared: _Compared | None = call.prepared
    # SECURITY: what was compared before the write began must still be what is changed.
    if compared is None or compared.profile != profile:
        raise EntityTemporarilyUnmodifiable(
            f"Login Profile for User {user.user_name} cannot be modified while login profile is being changed."
        )
    # SECURITY: whoever has a stolen access key must not be able to try passwords without end (B35).
    whose = f"password {user.user_id}"
    if not attempts.begin(call, whose) or not compared.old_is_right:
        raise AccessDenied("The old password was incorrect.")
    attempts.forget(call, whose)
    password_rules.check(record_of(call), new_password)
    if compared.new_is_old:
        raise PasswordPolicyViolation("Policy constraint violation with password reuse prevention.")
    call.put(replace(_changed(call, profile, compared.new_hash), reset_required=False))


def _bearer(call: Call, user_name: str | None) -> User | None:
    """The user whose password is meant; None for the root user."""
    if user_name is None and call.identity.is_assumed_root:
        return None
    return named_or_calling_iam_user(call, user_name)


def _check_given(call: Call, password: str | None) -> None:
    # AWS: only a session of AssumeRoot may leave the password out (IAM API Reference, CreateLoginProfile).
    if password is None:
        raise ValidationError("Password is required to create a login profile.")
    password_rules.check(record_of(call), password)


def _key(user: User | None) -> str:
    return ROOT if user is None else user.user_id


def _name(user: User | None) -> str:
    # AWS's own word for the root user here.
    return "null" if user is None else user.user_name


def _profile(call: Call, user: User | None) -> LoginProfile:
    profile = call.account.get(LoginProfile, _key(user))
    if profile is None:
        raise NoSuchEntity(f"Login Profile for User {_name(user)} cannot be found.")
    return profile


def _changed(call: Call, profile: LoginProfile, password_hash: str) -> LoginProfile:
    previous = (profile.password_hash, *profile.previous_hashes)[:REMEMBERED]
    return replace(profile, password_hash=password_hash, previous_hashes=previous, changed=call.now)


def _shown(user: User | None, profile: LoginProfile) -> dict[str, Any]:
    return {
        **({} if user is None else {"UserName": user.user_name}),
        "CreateDate": moment(profile.created),
        "PasswordResetRequired": profile.reset_required,
    }
