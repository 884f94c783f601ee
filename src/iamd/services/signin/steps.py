"""Steps: how far somebody has come who is signing in, sealed into a cookie of its own."""

import secrets
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from iamd.auth.sealing import Keyring, SealError
from iamd.call import Call
from iamd.services.signin import people
from iamd.services.signin.people import Person, View

PURPOSE = "sign-in-step"
SECONDS = 10 * 60
"""How long a step may take (invariant WEB-06: 15 minutes at most)."""


class Stage(StrEnum):
    """What is asked for next."""

    NAME = "name"
    """Name and password."""
    MFA = "mfa"
    """An MFA device; the password was right."""
    PASSWORD = "password"
    """Another password; all else was right."""
    REGISTER = "register"
    """A security key that is to be registered."""


class Step(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One step: of whom, once the password was right, and with which MFA device, once it was used.

    `challenge` is what a security key signs (WebAuthn Level 3, 13.4.3). `page` is where the person wanted to go, a path
    that these pages have named themselves.
    """

    id: str
    stage: Stage
    expires: int
    account: str = ""
    principal_id: str = ""
    password_mark: str = ""
    mfa_time: int | None = None
    mfa_serial_number: str | None = None
    challenge: bytes = b""
    page: str = ""


def first(now: int, page: str = "") -> Step:
    """The step of somebody of whom nothing is known."""
    return Step(id=_new_id(), stage=Stage.NAME, expires=now + SECONDS, page=page)


def of(
    person: Person,
    stage: Stage,
    now: int,
    *,
    mfa_time: int | None = None,
    mfa_serial_number: str | None = None,
    page: str = "",
) -> Step:
    """A step of a person whose password was right."""
    return Step(
        id=_new_id(),
        stage=stage,
        expires=now + SECONDS,
        account=person.account.id,
        principal_id=person.principal_id,
        password_mark=person.password_mark,
        mfa_time=mfa_time,
        mfa_serial_number=mfa_serial_number,
        challenge=secrets.token_bytes(32),
        page=page,
    )


def again(step: Step) -> Step:
    """The same step with another question, which must be answered as soon."""
    return replace(step, id=_new_id(), challenge=secrets.token_bytes(32))


def sealed(step: Step, keyring: Keyring) -> str:
    """The step as the browser has it."""
    return keyring.seal_text(PURPOSE, (), msgspec.msgpack.encode(step))


def opened(text: str, keyring: Keyring, now: int) -> Step | None:
    """The step of a cookie; None for one that is not genuine or too old."""
    try:
        step = msgspec.msgpack.decode(keyring.open_text(PURPOSE, (), text), type=Step)
    except (SealError, msgspec.MsgspecError):
        return None
    return step if now < step.expires else None


def person_of(view: View, step: Step) -> Person | None:
    """The person whose step it is; None when password or account have changed since."""
    person = people.person(view, step.account, step.principal_id)
    if person is None or person.profile is None or person.is_cut(view):
        return None
    return person if person.password_mark == step.password_mark else None


def use(call: Call, step: Step) -> bool:
    """Take a step, which can be taken once."""
    return call.change.use_once(PURPOSE, step.id, step.expires)


def _new_id() -> str:
    return secrets.token_urlsafe(16)
