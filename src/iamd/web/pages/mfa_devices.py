"""One's own MFA devices: shown, security keys registered, others assigned by their codes, and deactivated."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from iamd.auth import security_keys
from iamd.auth.security_keys import NotVerified, Place, Registered
from iamd.errors import AWSError
from iamd.http import HttpResponse
from iamd.services.iam import mfa_devices
from iamd.services.iam.security_keys import enable_security_key, new_serial_number, registration, user_handle
from iamd.services.signin import sign_in, steps
from iamd.services.signin.people import Person
from iamd.services.signin.sessions import SignedIn
from iamd.services.signin.steps import Stage, Step
from iamd.store.change import Change
from iamd.store.records import MFADevice
from iamd.store.sign_in_records import SecurityKey
from iamd.web.operations import perform, recheck_of
from iamd.web.visit import HOME, SIGN_IN, Visit, is_at

PATH: Final = f"{HOME}mfa"
_DIGITS: Final = re.compile(r"[0-9.]+", re.ASCII).fullmatch
ROOT_DEVICE: Final = "root-account-mfa-device"
"""AWS's console names the root user's virtual device so."""
NOT_REGISTERED: Final = "The security key was not registered. Try again."


async def show(visit: Visit) -> HttpResponse:
    """The devices, and the forms that add one."""
    return visit.redirect(SIGN_IN) if visit.signed_in is None else await page(visit, visit.signed_in)


async def register(visit: Visit) -> HttpResponse:
    """Register the security key that has answered what this browser's page asked."""
    found, step = visit.signed_in, visit.step
    if found is None:
        return visit.redirect(SIGN_IN)
    if step is None or not is_at(step, Stage.REGISTER) or step.principal_id != found.person.principal_id:
        return await page(visit, found, error=NOT_REGISTERED)
    place = Place(visit.host_name, visit.origin)
    try:
        key = await asyncio.to_thread(
            security_keys.registered,
            place,
            step.challenge,
            visit.field("credential"),
            visit.runtime.security_key_models,
            datetime.fromtimestamp(visit.now, UTC).date(),
        )
    except NotVerified:
        return await page(visit, found, error=NOT_REGISTERED)
    if not await _use(visit, step):
        return await page(visit, found, error=NOT_REGISTERED)
    return await _answer(visit, found, _enable_key(visit, found, key, place))


async def _use(visit: Visit, step: Step) -> bool:
    def work(change: Change) -> bool:
        return steps.use(visit.call(change), step)

    return await visit.runtime.store.written(work)


async def _enable_key(visit: Visit, found: SignedIn, key: Registered, place: Place) -> None:
    person = found.person
    serial_number = new_serial_number(person.account.id, person.user, visit.field("name").strip())
    await perform(
        visit,
        found.identity,
        recheck_of(visit),
        "EnableMFADevice",
        _named(person) | {"SerialNumber": serial_number},
        function=enable_security_key,
        on=registration,
        arguments={"registered": key, "rp_id": place.rp_id},
    )


async def assign(visit: Visit) -> HttpResponse:
    """Assign a virtual device or a hardware token by two codes in a row."""
    found = visit.signed_in
    if found is None:
        return visit.redirect(SIGN_IN)
    function = mfa_devices.enable_for_root if found.person.user is None else None
    asked = _ask(visit, found, "EnableMFADevice", _named(found.person) | _codes(visit), function)
    return await _answer(visit, found, asked, entered=visit.field("serial_number").strip())


async def resync(visit: Visit) -> HttpResponse:
    """Learn how a device's clock runs by two codes in a row."""
    found = visit.signed_in
    if found is None:
        return visit.redirect(SIGN_IN)
    function = mfa_devices.resync_for_root if found.person.user is None else None
    return await _answer(
        visit, found, _ask(visit, found, "ResyncMFADevice", _named(found.person) | _codes(visit), function)
    )


async def deactivate(visit: Visit) -> HttpResponse:
    """Deactivate a device."""
    found = visit.signed_in
    return visit.redirect(SIGN_IN) if found is None else await _answer(visit, found, _deactivate(visit, found))


async def remove(visit: Visit) -> HttpResponse:
    """Deactivate a virtual device and delete it; deactivated it stays when it may not be deleted."""
    found = visit.signed_in
    return visit.redirect(SIGN_IN) if found is None else await _answer(visit, found, _remove(visit, found))


async def delete(visit: Visit) -> HttpResponse:
    """Delete a virtual device that is nobody's."""
    found = visit.signed_in
    return visit.redirect(SIGN_IN) if found is None else await _answer(visit, found, _delete(visit, found))


async def _deactivate(visit: Visit, found: SignedIn) -> None:
    given = _named(found.person) | {"SerialNumber": visit.field("serial_number")}
    function = mfa_devices.deactivate_for_root if found.person.user is None else None
    await _ask(visit, found, "DeactivateMFADevice", given, function)


async def _delete(visit: Visit, found: SignedIn) -> None:
    await _ask(visit, found, "DeleteVirtualMFADevice", {"SerialNumber": visit.field("serial_number")})


async def _remove(visit: Visit, found: SignedIn) -> None:
    await _deactivate(visit, found)
    await _delete(visit, found)


async def _ask(
    visit: Visit,
    found: SignedIn,
    name: str,
    given: Mapping[str, Any],
    function: Callable[..., Any] | None = None,
) -> Mapping[str, Any]:
    return await perform(visit, found.identity, recheck_of(visit), name, given, function=function) or {}


def _codes(visit: Visit) -> dict[str, Any]:
    return {
        "SerialNumber": visit.field("serial_number").strip(),
        "AuthenticationCode1": visit.field("code1"),
        "AuthenticationCode2": visit.field("code2"),
    }


async def _answer(visit: Visit, found: SignedIn, asked: Coroutine[Any, Any, Any], entered: str = "") -> HttpResponse:
    try:
        await asked
    except AWSError as error:
        return await page(visit, found, error=words(error), entered=entered)
    return visit.redirect(PATH)


def words(error: AWSError) -> str:
    """What a person is told of an operation's error."""
    return error.message or "That could not be done."


def _named(person: Person) -> dict[str, Any]:
    return {} if person.user is None else {"UserName": person.user.user_name}


async def page(
    visit: Visit, found: SignedIn, *, error: str | None = None, entered: str = "", leftover: str | None = None
) -> HttpResponse:
    """The page; `entered` is the serial number that was, and `leftover` a device that is there and nobody's."""
    person = found.person
    step = steps.of(person, Stage.REGISTER, visit.now)
    view = visit.runtime.store.snapshot()
    devices = mfa_devices.devices_of(visit.call(view, found.identity), person.user)
    return visit.page(
        "mfa_devices.html",
        status=403 if error else 200,
        set_cookies=(visit.with_step(step),),
        devices=[_shown(device) for device in sorted(devices, key=lambda device: device.serial_number)],
        options=await asyncio.to_thread(_options, visit, person, step),
        host=visit.host_name,
        can_register=not _is_address(visit.host_name),
        error=error,
        entered=entered,
        leftover=leftover,
        new_name=ROOT_DEVICE if person.user is None else person.user.user_name,
    )


def _shown(device: MFADevice | SecurityKey) -> dict[str, Any]:
    has_codes = isinstance(device, MFADevice)
    return {
        "serial_number": device.serial_number,
        "has_codes": has_codes,
        "is_virtual": isinstance(device, MFADevice) and not device.hardware,
    }


def _options(visit: Visit, person: Person, step: Step) -> str:
    has = [key.credential_id for key in sign_in.security_keys(person) if key.rp_id == visit.host_name]
    handle = user_handle(person.account.id, person.user_id)
    place = Place(visit.host_name, visit.origin)
    return security_keys.registration_options(
        place,
        step.challenge,
        user_handle=handle,
        user_name=person.name,
        has=has,
        attested=bool(visit.runtime.security_key_models),
    )


def _is_address(host: str) -> bool:
    """Whether a host is an address: browsers register keys for names only (WebAuthn Level 3, 5.1.2)."""
    return host.startswith("[") or _DIGITS(host) is not None
