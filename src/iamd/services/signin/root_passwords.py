"""The root user's password, which no operation of IAM changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from iamd.auth import passwords
from iamd.call import Call
from iamd.services import attempts
from iamd.services.iam import password_rules
from iamd.services.iam.errors import PasswordPolicyViolation
from iamd.services.signin import events, people
from iamd.services.signin.people import Person
from iamd.services.signin.sessions import SignedIn
from iamd.store.change import Change
from iamd.store.records import ROOT, AccountRecord, LoginProfile
from iamd.store.store import Store

WRONG = "The old password was incorrect."


@dataclass(frozen=True, slots=True)
class _Compared:
    old_is_right: bool
    new_hash: str


async def change(
    store: Store, call_of: Callable[[Change], Call], signed_in: SignedIn, old_password: str, new_password: str
) -> str | None:
    """Change the root user's own password; gives what is wrong, or None."""
    before = signed_in.person
    compared = await asyncio.to_thread(_compare, before, old_password, new_password)
    return await store.written(lambda change: _change(call_of(change), before, compared, new_password))


def _compare(person: Person, old_password: str, new_password: str) -> _Compared:
    hashed = None if person.profile is None else person.profile.password_hash
    return _Compared(passwords.verify(old_password, hashed), passwords.hash_password(new_password))


def _change(call: Call, before: Person, compared: _Compared, new_password: str) -> str | None:
    person = people.person(call.view, before.account.id, before.principal_id)
    if person is None or person.profile is None:
        return WRONG
    whose = people.password_attempts(person)
    is_counted = attempts.begin(call, whose)
    if not is_counted or not compared.old_is_right or person.profile != before.profile:
        events.password_updated(call, person, error=events.FAILED)
        return WRONG
    attempts.forget(call, whose)
    try:
        check(person.record, new_password)
    except PasswordPolicyViolation as error:
        events.password_updated(call, person, error=error.message)
        return error.message
    profile = replace(person.profile, password_hash=compared.new_hash, changed=call.now)
    call.change.put(person.account.id, profile)
    events.password_updated(call, person)
    return None


def check(record: AccountRecord, password: str) -> None:
    """Raise PasswordPolicyViolation for what is no password of a root user.

    AWS: the account's own password policy is not for it (IAM User Guide, "Set an account password policy"), and of
    what its password must be, the default policy's rules are the ones that are documented.
    """
    password_rules.check(replace(record, password_policy=None), password)


def new_profile(now: int, password_hash: str) -> LoginProfile:
    """The first password of a root user."""
    return LoginProfile(user_id=ROOT, password_hash=password_hash, created=now, changed=now)
