"""Signing in: the password, the MFA device, and what a person must do before a session begins."""

from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from iamd.auth import passwords
from iamd.call import Call
from iamd.services import attempts
from iamd.services.iam import one_time_codes
from iamd.services.signin import events, people, sessions
from iamd.services.signin.people import Asked, Person, View
from iamd.store.records import MFADevice
from iamd.store.sign_in_records import SecurityKey

DAY = 24 * 60 * 60
FROM_ONE_ADDRESS = 50
"""How many passwords and codes one address may get wrong in any quarter of an hour, whoever's they are (WEB-04)."""
LAST_USED_SECONDS = 5 * 60
"""AWS: of uses within five minutes the first is told (IAM User Guide, "Generate credential reports")."""


class Due(StrEnum):
    """What keeps a person from a session though password and MFA device were right."""

    RESET = "reset"
    """PasswordResetRequired."""
    EXPIRED = "expired"
    """The password is older than MaxPasswordAge."""
    HARD_EXPIRED = "hard expired"
    """It is, and only an administrator may set another one (HardExpiry)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing a password found, and with which hash: all that is slow about it."""

    password_hash: str | None
    is_right: bool


def is_turned_away(call: Call, asked: Asked, *, login_to: str) -> bool:
    """Whether the caller's address has no attempt left; that it tried is recorded then, and counted for nobody.

    SECURITY: WEB-04: such an address costs no comparison, and can't use up the attempts of those whose names it knows.
    """
    if attempts.are_left(call, _source(call), FROM_ONE_ADDRESS):
        return False
    person = people.asked_for(call.view, asked)
    if person is None or person.profile is None:
        events.unknown(call, asked, login_to=login_to)
    else:
        events.failed(call, person, login_to=login_to)
    return True


def compare(view: View, asked: Asked, password: str) -> Compared:
    """Compare the password, at the same cost whether there is such a person or not (WEB-05)."""
    person = people.asked_for(view, asked)
    hashed = None if person is None or person.profile is None else person.profile.password_hash
    return Compared(hashed, passwords.verify(password, hashed))


def checked(call: Call, asked: Asked, compared: Compared, *, login_to: str) -> Person | None:
    """The person whose password it is, or None: unknown, wrong, locked, cut, or changed meanwhile, all the same."""
    person = people.asked_for(call.view, asked)
    whose = people.attempts_of(call.view, asked)
    # SECURITY: WEB-04: counted in the write itself, and whoever guesses when none is left learns nothing of the guess.
    is_left = attempts.are_left(call, _source(call), FROM_ONE_ADDRESS)
    is_counted = attempts.begin(call, whose)
    if person is None or person.profile is None:
        attempts.note_failed(call, _source(call), FROM_ONE_ADDRESS)
        events.unknown(call, asked, login_to=login_to)
        return None
    is_right = compared.is_right and compared.password_hash == person.profile.password_hash
    if not (is_left and is_counted and is_right) or person.is_cut(call.view):
        attempts.note_failed(call, _source(call), FROM_ONE_ADDRESS)
        events.failed(call, person, login_to=login_to)
        return None
    attempts.forget(call, whose)
    return person


def code_is_right(call: Call, person: Person, serial_number: str, code: str, *, login_to: str) -> bool:
    """Whether one of the person's devices shows this code now; each code is taken once, and guesses are counted."""
    device = next((one for one in code_devices(person) if one.serial_number == serial_number), None)
    if (
        device is not None
        and attempts.are_left(call, _source(call), FROM_ONE_ADDRESS)
        and one_time_codes.accept(call, person.account.id, device, code)
    ):
        return True
    refuse_device(call, person, serial_number if device is not None else "", login_to=login_to)
    return False


def refuse_device(call: Call, person: Person, serial_number: str, *, login_to: str) -> None:
    """Record that an MFA device was not the right one, and count it."""
    attempts.note_failed(call, _source(call), FROM_ONE_ADDRESS)
    events.failed(call, person, login_to=login_to, mfa_serial_number=serial_number)


def note_signature(call: Call, person: Person, key: SecurityKey, sign_count: int) -> None:
    """Remember how often a security key has signed."""
    call.change.put(person.account.id, replace(key, sign_count=sign_count))


def code_devices(person: Person) -> list[MFADevice]:
    """The person's devices that show codes, virtual ones and hardware tokens."""
    return person.account.find(MFADevice, "user", person.user_id)


def security_keys(person: Person) -> list[SecurityKey]:
    """The person's FIDO security keys, wherever they were registered."""
    return person.account.find(SecurityKey, "user", person.user_id)


def mfa_type(person: Person) -> str | None:
    """The kind of the device that is asked for, as CloudTrail's CheckMfa has it; None when the person has none."""
    if security_keys(person):
        return "U2F MFA"
    devices = code_devices(person)
    if not devices:
        return None
    return "Hardware MFA" if devices[0].hardware else "Virtual MFA"


def due(person: Person, now: int) -> Due | None:
    """What the person must do first; the root user's password is not under the account's password policy."""
    if person.user is None or person.profile is None:
        return None
    policy = person.record.password_policy
    age = None if policy is None else policy.max_password_age
    if policy is not None and age is not None and now >= person.profile.changed + age * DAY:
        return Due.HARD_EXPIRED if policy.hard_expiry else Due.EXPIRED
    return Due.RESET if person.profile.reset_required else None


def again(view: View, before: Person) -> Person | None:
    """The person as it is now."""
    return people.person(view, before.account.id, before.principal_id)


def finish(call: Call, person: Person, *, mfa_time: int | None, mfa_serial_number: str | None, login_to: str) -> str:
    """Begin the session of a person who has proven all that is asked for; gives its cookie."""
    _note_password(call, person)
    events.signed_in(call, person, login_to=login_to, mfa_serial_number=mfa_serial_number)
    return sessions.begin(call, person, mfa_time)


def _note_password(call: Call, person: Person) -> None:
    """Remember that the password was used now."""
    user, record = person.user, person.record
    last = record.root_password_last_used if user is None else user.password_last_used
    if last is not None and call.now - last < LAST_USED_SECONDS:
        return
    if user is None:
        call.change.put(person.account.id, replace(record, root_password_last_used=call.now))
    else:
        call.change.put(person.account.id, replace(user, password_last_used=call.now))


def _source(call: Call) -> str:
    return f"password from {call.request.source_ip}"
