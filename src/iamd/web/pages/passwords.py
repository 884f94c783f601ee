"""Another password: because it is due before a session begins, or because who is signed in wants one."""

import asyncio
from typing import Final

from iamd.auth import passwords
from iamd.auth.identity import Identity
from iamd.call import Call
from iamd.errors import AWSError
from iamd.http import HttpResponse
from iamd.services.signin import root_passwords, sessions, sign_in, steps
from iamd.services.signin.people import Person, View
from iamd.services.signin.sign_in import Due
from iamd.services.signin.steps import Stage, Step
from iamd.store.change import Change
from iamd.web.operations import Recheck, perform, recheck_of
from iamd.web.pages.sign_in import Next, signed_in
from iamd.web.visit import HOME, SIGN_IN, Visit, is_at

DIFFERENT: Final = "The new password and its repetition are not the same."
WHY: Final = {
    Due.RESET: "You must set a new password before you go on.",
    Due.EXPIRED: "Your password has expired. Set a new one to go on.",
}


async def show_due(visit: Visit) -> HttpResponse:
    """The page that asks for another password before a session begins."""
    person = _due_person(visit, visit.runtime.store.snapshot())
    return visit.redirect(SIGN_IN) if person is None else _due_page(visit, person)


async def submit_due(visit: Visit) -> HttpResponse:
    """Change the password that is due, and begin the session."""
    snapshot, step = visit.runtime.store.snapshot(), visit.step
    person = _due_person(visit, snapshot)
    if person is None or step is None:
        return visit.redirect(SIGN_IN)
    new = visit.field("new_password")
    if new != visit.field("again"):
        return _due_page(visit, person, error=DIFFERENT)
    identity = _identity(visit.call(snapshot), person, step)

    def recheck(change: Change) -> Identity | None:
        still = _due_person(visit, change)
        return None if still is None else _identity(visit.call(change), still, step)

    error = await _change(visit, identity, recheck, new)
    if error is not None:
        return _due_page(visit, person, error=error)
    return await _begin(visit, person, step, new)


def _identity(call: Call, person: Person, step: Step) -> Identity:
    """The person while signing in: with the MFA device that was used, if one was."""
    return person.identity(sessions.new_session(call, person, step.mfa_time))


def _due_person(visit: Visit, view: View) -> Person | None:
    step = visit.step
    return steps.person_of(view, step) if step is not None and is_at(step, Stage.PASSWORD) else None


def _due_page(visit: Visit, person: Person, *, error: str | None = None) -> HttpResponse:
    why = WHY.get(sign_in.due(person, visit.now) or Due.RESET)
    return visit.page(
        "password.html", status=403 if error else 200, action=f"{SIGN_IN}/password", why=why, error=error, back=SIGN_IN
    )


async def _begin(visit: Visit, before: Person, step: Step, password: str) -> HttpResponse:
    """Begin the session of who has just set this password, if it is the password still."""
    snapshot = visit.runtime.store.snapshot()
    after = sign_in.again(snapshot, before)
    hashed = None if after is None or after.profile is None else after.profile.password_hash
    is_right = await asyncio.to_thread(passwords.verify, password, hashed)

    def work(change: Change) -> Next | None:
        call = visit.call(change)
        person = sign_in.again(change, before)
        if person is None or person.profile is None or not is_right or person.profile.password_hash != hashed:
            return None
        if not steps.use(call, step):
            return None
        return signed_in(visit, call, person, mfa_time=step.mfa_time, serial_number=step.mfa_serial_number)

    found = await visit.runtime.store.written(work)
    return visit.redirect(SIGN_IN) if found is None else visit.redirect(found.path, *found.cookies)


async def show(visit: Visit) -> HttpResponse:
    """The page for who wants another password."""
    return visit.redirect(SIGN_IN) if visit.signed_in is None else _own_page(visit)


async def submit(visit: Visit) -> HttpResponse:
    """Change one's own password; every session of one's own ends, but for a new one in this browser."""
    found = visit.signed_in
    if found is None:
        return visit.redirect(SIGN_IN)
    new = visit.field("new_password")
    if new != visit.field("again"):
        return _own_page(visit, error=DIFFERENT)
    if found.person.user is None:
        error = await root_passwords.change(visit.runtime.store, visit.call, found, visit.field("old_password"), new)
    else:
        error = await _change(visit, found.identity, recheck_of(visit), new)
    return _own_page(visit, error=error) if error is not None else await _renew(visit, found.person, new)


async def _renew(visit: Visit, before: Person, password: str) -> HttpResponse:
    """A new session in place of the one that ended with the old password."""
    snapshot = visit.runtime.store.snapshot()
    after = sign_in.again(snapshot, before)
    hashed = None if after is None or after.profile is None else after.profile.password_hash
    is_right = await asyncio.to_thread(passwords.verify, password, hashed)
    mfa_time = None if visit.signed_in is None else visit.signed_in.session.mfa_time

    def work(change: Change) -> str | None:
        person = sign_in.again(change, before)
        if person is None or person.profile is None or not is_right or person.profile.password_hash != hashed:
            return None
        return sessions.begin(visit.call(change), person, mfa_time)

    session = await visit.runtime.store.written(work)
    return visit.redirect(SIGN_IN) if session is None else visit.redirect(HOME, visit.with_session(session))


def _own_page(visit: Visit, *, error: str | None = None) -> HttpResponse:
    status = 403 if error else 200
    return visit.page("password.html", status=status, action=f"{HOME}password", why=None, error=error, back=HOME)


async def _change(visit: Visit, identity: Identity, recheck: Recheck, new: str) -> str | None:
    """Call ChangePassword as the person; gives what is wrong, or None."""
    parameters = {"OldPassword": visit.field("old_password"), "NewPassword": new}
    try:
        await perform(visit, identity, recheck, "ChangePassword", parameters)
    except AWSError as error:
        return error.message or "The password could not be changed."
    return None
