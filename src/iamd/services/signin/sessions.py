"""Sessions of people in a browser: a sealed cookie says whose, and a record says that it has not been ended.

Both are needed. The record ends a session at once, in every worker; the cookie bears what a session of STS bears in
its token, so that whoever signs in calls operations as an Identity like every other.
"""

import hmac
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from iamd.auth import credentials
from iamd.auth.identity import Identity
from iamd.auth.sealing import Keyring, SealError
from iamd.auth.tokens import Session, SessionKind
from iamd.call import Call
from iamd.services.signin import people
from iamd.services.signin.people import Person, View
from iamd.services.sts.sessions import new_key
from iamd.store.sign_in_records import ConsoleSession, ConsoleSessions

PURPOSE = "console-session"
ABSOLUTE_SECONDS = 12 * 60 * 60
"""AWS: a session in the console lasts 12 hours (IAM User Guide, "How IAM users sign in to AWS")."""
IDLE_SECONDS = 60 * 60
SEEN_SECONDS = 60
"""How exactly a cookie says when it was last seen."""
AT_A_TIME = 24
"""How many sessions a person has; one more ends the oldest."""


class Cookie(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie holds: the session, the mark of the password that began it, and when it was last seen."""

    session: Session
    password_mark: str
    seen: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a session that is good now."""

    person: Person
    identity: Identity
    cookie: Cookie

    @property
    def session(self) -> Session:
        """The session."""
        return self.cookie.session


def begin(call: Call, person: Person, mfa_time: int | None) -> str:
    """Begin a session of a person who has proven who it is; gives the cookie."""
    session = new_session(call, person, mfa_time)
    live = [one for one in _live(person) if one.expires > call.now][-AT_A_TIME + 1 :]
    live.append(ConsoleSession(access_key_id=session.access_key_id, began=session.issued, expires=session.expires))
    call.change.put(person.account.id, ConsoleSessions(user_id=person.user_id, sessions=tuple(live)))
    return sealed(Cookie(session, person.password_mark, call.now), call.keyring)


def new_session(call: Call, person: Person, mfa_time: int | None) -> Session:
    """A session that nobody has begun yet."""
    key_id, secret = new_key(person.account.id)
    return Session(
        kind=SessionKind.USER,
        access_key_id=key_id,
        secret_access_key=secret,
        account=person.account.id,
        principal_id=person.principal_id,
        issued=call.now,
        expires=call.now + ABSOLUTE_SECONDS,
        name="" if person.user is None else person.user.user_name,
        mfa_time=mfa_time,
        assumed_by=person.identity().arn,
        source_account=person.account.id,
        ancestors=(person.principal_id,),
    )


def sealed(cookie: Cookie, keyring: Keyring) -> str:
    """The cookie as the browser has it."""
    return keyring.seal_text(PURPOSE, (), msgspec.msgpack.encode(cookie))


def opened(text: str, view: View, keyring: Keyring, now: int) -> SignedIn | None:
    """Who is signed in by a cookie; None for one that is not genuine or whose session is over, whatever ended it."""
    try:
        cookie = msgspec.msgpack.decode(keyring.open_text(PURPOSE, (), text), type=Cookie)
    except (SealError, msgspec.MsgspecError):
        return None
    session = cookie.session
    if now >= session.expires or now - cookie.seen > IDLE_SECONDS:
        return None
    person = people.person(view, session.account, session.principal_id)
    # SECURITY: WEB-02: sign-out, another password and a password or user that is gone end a session at once.
    if person is None or person.profile is None or not _is_live(person, session):
        return None
    if not hmac.compare_digest(cookie.password_mark.encode(), person.password_mark.encode()):
        return None
    identity = credentials.identity_of(session, view)
    return None if identity is None else SignedIn(person, identity, cookie)


def seen(signed_in: SignedIn, keyring: Keyring, now: int) -> str | None:
    """The cookie as of now, when it is time to give the browser a new one."""
    cookie = signed_in.cookie
    return sealed(replace(cookie, seen=now), keyring) if now - cookie.seen >= SEEN_SECONDS else None


def end(call: Call, person: Person, access_key_id: str) -> None:
    """End a session."""
    left = tuple(one for one in _live(person) if one.access_key_id != access_key_id and one.expires > call.now)
    call.change.put(person.account.id, ConsoleSessions(user_id=person.user_id, sessions=left))


def _live(person: Person) -> tuple[ConsoleSession, ...]:
    record = person.account.get(ConsoleSessions, person.user_id)
    return () if record is None else record.sessions


def _is_live(person: Person, session: Session) -> bool:
    return any(one.access_key_id == session.access_key_id for one in _live(person))
