"""MFA devices: virtual ones, hardware tokens, and security keys.

Devices that show codes are enabled for a user by two codes in a row: virtual ones are made here, hardware tokens are
those that the operator has registered (services/iamd/hardware_tokens.py). A security key is enabled where the browser
asks it (security_keys.py), and listed and deactivated here.
"""

from typing import Any

from msgspec.structs import replace

from iamd import arn
from iamd.auth import mfa
from iamd.auth.identity import Identity
from iamd.call import Call
from iamd.policy.request import PrincipalKind
from iamd.services.iam import arns, one_time_codes, quotas
from iamd.services.iam.account import record_of
from iamd.services.iam.entities import (
    listed_user,
    moment,
    named_mfa_device,
    named_or_calling_iam_user,
    named_or_calling_user,
    named_user,
    shown_tags,
)
from iamd.services.iam.errors import (
    AccessDenied,
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    InvalidInput,
    NoSuchEntity,
    ValidationError,
)
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import GLOBAL, ROOT, MFADevice, User
from iamd.store.sign_in_records import HardwareToken, SecurityKey

AnyDevice = MFADevice | SecurityKey

WRONG_CODE = "Authentication code for device is not valid."
IN_USE = "MFA Device is already in use."
NO_SECURITY_KEY = (
    "The MFA device serial number sent in the request is invalid or not supported by this API. Currently, only hardware"
    " FIDO security keys are supported. Please use the compatible device or API."
)
MAX_SERIAL_NUMBER = 256
"""AWS: no operation takes a longer one (IAM API Reference, EnableMFADevice, SerialNumber)."""
ASSIGNMENTS = {"Any": (True, False), "Assigned": (True,), "Unassigned": (False,)}


@operation(on=arns.new_mfa_device)
def create_virtual_mfa_device(
    call: Call, *, virtual_mfa_device_name: str, path: str = "/", tags: GivenTags | None = None
) -> dict[str, Any]:
    """Create a device that is nobody's yet; its seed is in this answer and never again."""
    serial_number = arn.iam(call.account.id, "mfa", path, virtual_mfa_device_name)
    if len(serial_number) > MAX_SERIAL_NUMBER:
        raise InvalidInput(f"The serial number of a virtual MFA device has {MAX_SERIAL_NUMBER} characters at most.")
    if call.account.get(MFADevice, serial_number) is not None:
        raise EntityAlreadyExists("MFA device already exists.")
    quotas.check_virtual_mfa_devices(call)
    seed = mfa.generate_seed()
    device = MFADevice(
        serial_number=serial_number,
        path=path,
        sealed_seed=one_time_codes.sealed_seed(call.keyring, call.account.id, serial_number, seed),
        created=call.now,
        tags=checked_tags(MFADevice, tags),
    )
    call.put(device)
    shown = {
        "SerialNumber": serial_number,
        "Base32StringSeed": mfa.base32_seed(seed),
        "QRCodePNG": mfa.qr_png(uri_of(call, virtual_mfa_device_name, seed)),
    }
    return {"VirtualMFADevice": shown | _tags(device)}


def uri_of(call: Call, name: str, seed: bytes) -> str:
    """What authenticator apps read of a new device, beside the account's alias or number."""
    return mfa.otpauth_uri(seed, user_name=name, account_id=record_of(call).alias or call.account.id)


@operation(on=arns.mfa_device)
def delete_virtual_mfa_device(call: Call, *, serial_number: str) -> None:
    """Delete a device that is nobody's."""
    device = call.account.get(MFADevice, serial_number)
    if device is None or device.hardware:
        raise _missing(serial_number)
    if device.user_id is not None:
        raise DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
    call.delete(device)


@operation(on=arns.user)
def enable_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Give a device that shows codes to a user, who proves by two codes in a row to have it."""
    enable(call, named_user(call, user_name), serial_number, authentication_code1, authentication_code2)


def enable_for_root(call: Call, *, serial_number: str, authentication_code1: str, authentication_code2: str) -> None:
    """Give a device that shows codes to the root user, for whom EnableMFADevice has no name."""
    enable(call, None, serial_number, authentication_code1, authentication_code2)


def enable(call: Call, user: User | None, serial_number: str, code1: str, code2: str) -> None:
    """Give a device to a user, or to the root user."""
    # AWS's recorded answers: before anything is said of the device.
    refuse_without_mfa(call, user)
    device = _device_to_enable(call, serial_number)
    _refuse_enabled(device, user)
    check_one_more(call, user)
    drift = _synchronised(call, device, code1, code2)
    if device.hardware:
        _take_token(call, serial_number)
    call.put(replace(device, user_id=_user_id(user), enabled=call.now, drift=drift))


@operation(on=arns.user)
def resync_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Learn from two codes in a row how far a device's clock is off."""
    _resync(call, named_user(call, user_name), serial_number, authentication_code1, authentication_code2)


def resync_for_root(call: Call, *, serial_number: str, authentication_code1: str, authentication_code2: str) -> None:
    """The same of a device of the root user, who has signed in."""
    _resync(call, None, serial_number, authentication_code1, authentication_code2)


def _resync(call: Call, user: User | None, serial_number: str, code1: str, code2: str) -> None:
    device = _device_of(call, user, serial_number)
    if isinstance(device, SecurityKey):
        # A security key shows no codes, so no code is its.
        raise InvalidAuthenticationCode(WRONG_CODE)
    drift = _synchronised(call, device, code1, code2)
    call.put(replace(device, drift=drift))


@operation(on=arns.user)
def deactivate_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> None:
    """Take a device from a user; a virtual one and a hardware token are nobody's then, a security key is forgotten."""
    # AWS: of root users only a session of AssumeRoot may leave the name out (IAM API Reference, DeactivateMFADevice).
    is_assumed = call.identity.is_assumed_root
    user = named_or_calling_user(call, user_name) if is_assumed else named_or_calling_iam_user(call, user_name)
    _deactivate(call, user, serial_number)


def deactivate_for_root(call: Call, *, serial_number: str) -> None:
    """Take a device from the root user, who has signed in."""
    _deactivate(call, None, serial_number)


def _deactivate(call: Call, user: User | None, serial_number: str) -> None:
    if user is not None:
        refuse_without_mfa(call, user)
    if all(call.account.get(kind, serial_number) is None for kind in (MFADevice, SecurityKey)):
        raise _missing(serial_number)
    device = _device_of(call, user, serial_number)
    if isinstance(device, SecurityKey):
        call.delete(device)
    elif device.hardware:
        call.delete(device)
        _give_token_back(call, serial_number)
    else:
        call.put(replace(device, user_id=None, enabled=None, drift=0))


@reading(on=arns.user)
def get_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> dict[str, Any]:
    """Show a security key that a user has."""
    named = arn.parse(serial_number)
    # AWS's recorded answer of a virtual device.
    if named is None or not named.resource.startswith("u2f/"):
        raise ValidationError(NO_SECURITY_KEY)
    user = named_or_calling_user(call, user_name)
    device = _device_of(call, user, serial_number)
    certifications = device.certifications if isinstance(device, SecurityKey) else ()
    return _shown(user, device) | ({"Certifications": dict(certifications)} if certifications else {})


@reading(on=arns.user)
def list_mfa_devices(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the devices that a user has, of every kind; without a name those of the one who calls."""
    user = named_or_calling_user(call, user_name)
    cut, more = page(
        call, devices_of(call, user), key=_serial, max_items=max_items, marker=marker, query=(_user_id(user),)
    )
    return {"MFADevices": [_shown(user, device) for device in cut], **more}


@reading(on=arns.listed("mfa"))
def list_virtual_mfa_devices(
    call: Call, *, assignment_status: str = "Any", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the account's virtual devices: all of them, those that are somebody's, or those that are nobody's."""
    wanted = ASSIGNMENTS[assignment_status]
    devices = [
        device
        for device in call.account.all(MFADevice)
        if (device.user_id is not None) in wanted and not device.hardware
    ]
    cut, more = page(call, devices, key=_serial, max_items=max_items, marker=marker, query=(assignment_status,))
    return {"VirtualMFADevices": [_listed(call, device) for device in cut], **more}


def refuse_without_mfa(call: Call, user: User | None) -> None:
    """Raise AccessDenied for a user who has a device and adds or removes own ones without having used it.

    AWS: since April 2023 such a user must call with temporary credentials that were obtained with MFA (AWS Security
    Bulletin AWS-2023-001); otherwise a leaked access key would be enough to add a device of the thief's.
    """
    identity = call.identity
    own = identity.is_root if user is None else _is(identity, user)
    with_mfa = identity.session is not None and identity.session.mfa_time is not None
    # SECURITY: PRN-08. This holds whatever the policies allow.
    if own and not with_mfa and devices_of(call, user):
        raise AccessDenied(
            "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for"
            " this user."
        )


def _is(identity: Identity, user: User) -> bool:
    return identity.kind is PrincipalKind.USER and identity.entity_id == user.user_id


def check_one_more(call: Call, user: User | None) -> None:
    """Raise LimitExceeded when the user has as many devices as it may have, of all kinds together."""
    quotas.check("MFADevicesPerUser", len(devices_of(call, user)) + 1, quotas.MFA_DEVICES_PER_USER)


def _refuse_enabled(device: MFADevice, user: User | None) -> None:
    if device.user_id is None:
        return
    if user is not None and device.user_id == user.user_id:
        raise EntityAlreadyExists(f"MFA Device for user {user.user_name} already exists.")
    raise EntityAlreadyExists(IN_USE)


def _device_to_enable(call: Call, serial_number: str) -> MFADevice:
    """The virtual device or hardware token of this serial number, whoever has it, or NoSuchEntity."""
    token = call.view.shared.get(HardwareToken, serial_number)
    if token is None:
        return named_mfa_device(call, serial_number)
    if token.account_id is not None:
        found = call.account.get(MFADevice, serial_number)
        if found is not None:
            return found
        raise EntityAlreadyExists(IN_USE)
    seed = one_time_codes.token_seed(call.keyring, token)
    sealed = one_time_codes.sealed_seed(call.keyring, call.account.id, serial_number, seed)
    return MFADevice(serial_number=serial_number, sealed_seed=sealed, created=token.registered, hardware=True)


def _take_token(call: Call, serial_number: str) -> None:
    token = call.view.shared.get(HardwareToken, serial_number)
    if token is not None:
        call.change.put(GLOBAL, replace(token, account_id=call.account.id))


def _give_token_back(call: Call, serial_number: str) -> None:
    token = call.view.shared.get(HardwareToken, serial_number)
    if token is not None and token.account_id == call.account.id:
        call.change.put(GLOBAL, replace(token, account_id=None))


def _synchronised(call: Call, device: MFADevice, code1: str, code2: str) -> int:
    """The drift of the device that shows these two codes in a row, which are used up; InvalidAuthenticationCode."""
    drift = one_time_codes.accept_pair(call, call.account.id, device, code1, code2)
    if drift is None:
        raise InvalidAuthenticationCode(WRONG_CODE)
    return drift


def _device_of(call: Call, user: User | None, serial_number: str) -> AnyDevice:
    found = call.account.get(MFADevice, serial_number)
    device = found if found is not None else call.account.get(SecurityKey, serial_number)
    if device is None or device.user_id != _user_id(user):
        raise NoSuchEntity("MFA Device invalid for user.")
    return device


def _missing(serial_number: str) -> NoSuchEntity:
    return NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")


def devices_of(call: Call, user: User | None) -> list[AnyDevice]:
    """All devices that a user, or the root user, has."""
    whose = _user_id(user)
    return [*call.account.find(MFADevice, "user", whose), *call.account.find(SecurityKey, "user", whose)]


def _user_id(user: User | None) -> str:
    return ROOT if user is None else user.user_id


def _serial(device: AnyDevice) -> str:
    return device.serial_number


def _enabled(device: AnyDevice) -> dict[str, Any]:
    return {} if device.enabled is None else {"EnableDate": moment(device.enabled)}


def _tags(device: MFADevice) -> dict[str, Any]:
    return {"Tags": shown_tags(device.tags)} if device.tags else {}


def _shown(user: User | None, device: AnyDevice) -> dict[str, Any]:
    name = {} if user is None else {"UserName": user.user_name}
    return name | {"SerialNumber": device.serial_number} | _enabled(device)


def _listed(call: Call, device: MFADevice) -> dict[str, Any]:
    """A device as ListVirtualMFADevices shows it, with the user who has it."""
    return {"SerialNumber": device.serial_number} | _enabled(device) | _holder(call, device)


def _holder(call: Call, device: MFADevice) -> dict[str, Any]:
    if device.user_id == ROOT:
        return {"User": {"UserId": call.account.id, "Arn": arn.root(call.account.id)}}
    user = None if device.user_id is None else call.account.get(User, device.user_id)
    return {} if user is None else {"User": listed_user(call.account, user)}
