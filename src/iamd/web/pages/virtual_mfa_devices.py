"""A new virtual MFA device of one's own: its QR code and its key, shown once, and the two codes that assign it."""

import base64
from collections.abc import Mapping
from typing import Any

from iamd import arn
from iamd.auth import mfa
from iamd.errors import AWSError
from iamd.http import HttpResponse
from iamd.services.iam import mfa_devices
from iamd.services.iam.errors import EntityAlreadyExists
from iamd.services.signin.sessions import SignedIn
from iamd.store.records import MFADevice
from iamd.web.operations import perform, recheck_of
from iamd.web.pages.mfa_devices import page, words
from iamd.web.visit import SIGN_IN, Visit


async def create(visit: Visit) -> HttpResponse:
    """Create a device by CreateVirtualMFADevice, and show what an authenticator app needs of it."""
    found = visit.signed_in
    if found is None:
        return visit.redirect(SIGN_IN)
    name = visit.field("device_name").strip()
    given = {"VirtualMFADeviceName": name}
    try:
        made = await perform(visit, found.identity, recheck_of(visit), "CreateVirtualMFADevice", given)
    except EntityAlreadyExists as error:
        return await page(visit, found, error=words(error), leftover=_leftover(visit, found, name))
    except AWSError as error:
        return await page(visit, found, error=words(error))
    return _shown(visit, found, name, (made or {})["VirtualMFADevice"])


def _shown(visit: Visit, found: SignedIn, name: str, device: Mapping[str, Any]) -> HttpResponse:
    # Imported here, as in `responses`.
    from markupsafe import Markup  # noqa: PLC0415

    key: str = device["Base32StringSeed"].decode("ascii")
    call = visit.call(visit.runtime.store.snapshot(), found.identity)
    uri = mfa_devices.uri_of(call, name, base64.b32decode(key))
    return visit.page(
        "virtual_mfa_device.html",
        serial_number=device["SerialNumber"],
        key=" ".join(key[start : start + 4] for start in range(0, len(key), 4)),
        # SECURITY: the picture is made of squares alone; nothing of the name stands in it.
        qr=Markup(mfa.qr_svg(uri)),  # noqa: S704
    )


def _leftover(visit: Visit, found: SignedIn, name: str) -> str | None:
    """The device of this name, when it is nobody's: one that was begun with and not assigned."""
    serial_number = arn.iam(found.person.account.id, "mfa", "/", name)
    account = visit.runtime.store.snapshot().account(found.person.account.id)
    device = account.get(MFADevice, serial_number) if account is not None else None
    return serial_number if device is not None and device.user_id is None else None
