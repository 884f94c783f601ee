"""The sign-in page: who one is and one's password, then the MFA device, then what is due before a session begins."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from iamd.auth import security_keys
from iamd.auth.security_keys import Known, NotVerified, Place
from iamd.call import Call
from iamd.http import HttpResponse
from iamd.services import attempts
from iamd.services.signin import events, sign_in, steps
from iamd.services.signin.people import Asked, Person, password_attempts
from iamd.services.signin.sign_in import Due
from iamd.services.signin.steps import Stage, Step
from iamd.store.change import Change
from iamd.store.sign_in_records import SecurityKey
from iamd.web import cookies
from iamd.web.turns import NoTurn, Turns
from iamd.web.visit import HOME, SIGN_IN, Visit, is_at

MFA: Final = f"{SIGN_IN}/mfa"
PASSWORD: Final = f"{SIGN_IN}/password"

WRONG: Final = "Your sign-in information is not correct. Check it and try again."
WRONG_CODE: Final = "The MFA device was not accepted. Wait for a new code and try again."
EXPIRED: Final = "Your password has expired. Ask your administrator to set a new one."
AT_ONCE: Final = 4
"""How many passwords are compared at a time: each takes 19 MiB and tens of milliseconds."""
OF_ONE_ADDRESS: Final = 8
"""How many of one address are compared or wait to be."""
BUSY: Final = "Too many people sign in from your network at this moment. Try again."

_comparing = Turns(AT_ONCE, OF_ONE_ADDRESS)


@dataclass(frozen=True, slots=True)
class Next:
    """Where a person who has come so far goes on; `cookie` is what the browser keeps until then."""

    path: str
    cookies: tuple[bytes, ...] = ()
    refusal: str | None = None


async def show(visit: Visit) -> HttpResponse:
    """The page that asks who one is; who is signed in already goes on."""
    if visit.signed_in is not None:
        return visit.redirect(HOME)
    query = parse_qs(visit.request.query.decode("latin-1"), max_num_fields=16)
    as_root = "root" in query or b"root" in visit.request.query.split(b"&")
    wanted = visit.step.page if visit.step is not None else ""
    cookie = visit.with_step(steps.first(visit.now, wanted))
    asked = Asked(account=query.get("account", [""])[0][:128], email="" if as_root else None)
    return _name_page(visit, asked, set_cookies=(cookie,))


async def submit(visit: Visit) -> HttpResponse:
    """Check name and password; whatever is wrong, the answer is the same."""
    if visit.signed_in is not None or not is_at(visit.step, Stage.NAME):
        return visit.redirect(SIGN_IN)
    asked = _asked(visit)
    try:
        async with _comparing.turn(visit.request.source_ip):
            compared = await _compared(visit, asked)
    except NoTurn:
        return _name_page(visit, asked, error=BUSY, status=429)
    if compared is None:
        return _name_page(visit, asked, error=WRONG, status=403)

    def work(change: Change) -> Next | None:
        call = visit.call(change)
        person = sign_in.checked(call, asked, compared, login_to=_login_to(visit))
        return None if person is None else _after_password(visit, call, person)

    found = await visit.runtime.store.written(work)
    if found is None:
        return _name_page(visit, asked, error=WRONG, status=403)
    return _name_page(visit, asked, error=found.refusal, status=403) if found.refusal else _go(visit, found)


async def _compared(visit: Visit, asked: Asked) -> sign_in.Compared | None:
    """What comparing the password found; None, without comparing, for an address that may not try any more."""

    def is_turned_away(change: Change) -> bool:
        return sign_in.is_turned_away(visit.call(change), asked, login_to=_login_to(visit))

    if await visit.runtime.store.written(is_turned_away):
        return None
    snapshot = visit.runtime.store.snapshot()
    return await asyncio.to_thread(sign_in.compare, snapshot, asked, visit.field("password"))


def _asked(visit: Visit) -> Asked:
    if visit.field("kind") == "root":
        return Asked(email=visit.field("email").strip())
    return Asked(account=visit.field("account").strip(), user_name=visit.field("user_name").strip())


def _name_page(
    visit: Visit, asked: Asked, *, error: str | None = None, status: int = 200, set_cookies: tuple[bytes, ...] = ()
) -> HttpResponse:
    return visit.page("sign_in.html", status=status, set_cookies=set_cookies, asked=asked, error=error)


def _after_password(visit: Visit, call: Call, person: Person) -> Next:
    kind = sign_in.mfa_type(person)
    if kind is None:
        return after_proof(visit, call, person, mfa_time=None, serial_number=None)
    events.mfa_asked(call, person, kind)
    return Next(MFA, (visit.with_step(steps.of(person, Stage.MFA, call.now, page=_page(visit))),))


def _page(visit: Visit) -> str:
    return visit.step.page if visit.step is not None else ""


def after_proof(visit: Visit, call: Call, person: Person, *, mfa_time: int | None, serial_number: str | None) -> Next:
    """Where a person goes on whose password and MFA device were right: to another password, or in."""
    due = sign_in.due(person, call.now)
    if due is Due.HARD_EXPIRED:
        events.failed(call, person, login_to=_login_to(visit), mfa_serial_number=serial_number)
        return Next(SIGN_IN, refusal=EXPIRED)
    if due is not None:
        step = steps.of(
            person,
            Stage.PASSWORD,
            call.now,
            mfa_time=mfa_time,
            mfa_serial_number=serial_number,
            page=_page(visit),
        )
        return Next(PASSWORD, (visit.with_step(step),))
    return signed_in(visit, call, person, mfa_time=mfa_time, serial_number=serial_number)


def signed_in(visit: Visit, call: Call, person: Person, *, mfa_time: int | None, serial_number: str | None) -> Next:
    """A session of the person, who has done all that is asked for."""
    session = sign_in.finish(
        call, person, mfa_time=mfa_time, mfa_serial_number=serial_number, login_to=_login_to(visit)
    )
    # SECURITY: WEB-02: a session has an id that nobody knew before it began.
    return Next(visit.wanted, (visit.with_session(session), visit.without(cookies.STEP)))


def _go(visit: Visit, found: Next) -> HttpResponse:
    return visit.redirect(found.path, *found.cookies)


def _login_to(visit: Visit) -> str:
    return visit.origin + HOME


async def show_mfa(visit: Visit) -> HttpResponse:
    """The page that asks for an MFA device."""
    step = visit.step
    person = None if step is None else steps.person_of(visit.runtime.store.snapshot(), step)
    if step is None or person is None or not is_at(step, Stage.MFA):
        return visit.redirect(SIGN_IN)
    return await _mfa_page(visit, step, person)


async def submit_mfa(visit: Visit) -> HttpResponse:
    """Check the code of a device, or the answer of a security key."""
    step = visit.step
    snapshot = visit.runtime.store.snapshot()
    person = None if step is None else steps.person_of(snapshot, step)
    if step is None or person is None or not is_at(step, Stage.MFA):
        return visit.redirect(SIGN_IN)
    answer = visit.field("credential")
    proven = await asyncio.to_thread(_answered, visit, step, person, answer) if answer else None
    found = await visit.runtime.store.written(partial(_proven, visit, step, proven, bool(answer)))
    if isinstance(found, Next):
        if found.refusal is None:
            return _go(visit, found)
        return visit.page("message.html", status=403, title="Sign-in failed", text=found.refusal, link=SIGN_IN)
    if found is None:
        return visit.redirect(SIGN_IN)
    cookie = visit.with_step(found)
    return await _mfa_page(visit, found, person, error=WRONG_CODE, status=403, set_cookies=(cookie,))


def _proven(visit: Visit, step: Step, proven: "_Answered | None", by_key: bool, change: Change) -> Next | Step | None:
    """Where the person goes on; another step to try again, or None when this one is over."""
    call = visit.call(change)
    person = steps.person_of(change, step)
    # SECURITY: WEB-06: what a step asks is answered once, rightly or not.
    if person is None or not steps.use(call, step):
        return None
    serial = _right_key(call, person, proven, visit) if by_key else _right_code(call, person, visit)
    if serial is None:
        return steps.again(step)
    return after_proof(visit, call, person, mfa_time=call.now, serial_number=serial)


def _right_code(call: Call, person: Person, visit: Visit) -> str | None:
    devices = sign_in.code_devices(person)
    serial = visit.field("serial_number") or (devices[0].serial_number if len(devices) == 1 else "")
    is_right = sign_in.code_is_right(call, person, serial, visit.field("code"), login_to=_login_to(visit))
    return serial if is_right else None


@dataclass(frozen=True, slots=True)
class _Answered:
    """A key that has answered, as it was then, and its new count of signatures."""

    key: SecurityKey
    sign_count: int


def _answered(visit: Visit, step: Step, person: Person, answer: str) -> _Answered | None:
    place = Place(visit.host_name, visit.origin)
    try:
        named = security_keys.credential_id_of(answer)
        for key in sign_in.security_keys(person):
            # SECURITY: a key answers at the place alone where it was registered.
            if key.credential_id == named and key.rp_id == place.rp_id:
                known = Known(key.credential_id, key.public_key, key.sign_count)
                return _Answered(key, security_keys.answered(place, step.challenge, answer, known))
    except NotVerified:
        return None
    return None


def _right_key(call: Call, person: Person, proven: _Answered | None, visit: Visit) -> str | None:
    whose = f"security key {password_attempts(person)}"
    is_counted = attempts.begin(call, whose)
    if proven is None or not is_counted or proven.key not in sign_in.security_keys(person):
        sign_in.refuse_device(
            call, person, "" if proven is None else proven.key.serial_number, login_to=_login_to(visit)
        )
        return None
    attempts.forget(call, whose)
    sign_in.note_signature(call, person, proven.key, proven.sign_count)
    return proven.key.serial_number


async def _mfa_page(
    visit: Visit,
    step: Step,
    person: Person,
    *,
    error: str | None = None,
    status: int = 200,
    set_cookies: tuple[bytes, ...] = (),
) -> HttpResponse:
    keys = sign_in.security_keys(person)
    here = [key.credential_id for key in keys if key.rp_id == visit.host_name]
    question = None
    if here:
        place = Place(visit.host_name, visit.origin)
        question = await asyncio.to_thread(security_keys.question, place, step.challenge, here)
    return visit.page(
        "mfa.html",
        status=status,
        set_cookies=set_cookies,
        devices=[device.serial_number for device in sign_in.code_devices(person)],
        question=question,
        elsewhere=sorted({key.rp_id for key in keys} - {visit.host_name}) if not here else [],
        error=error,
    )
