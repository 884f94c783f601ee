"""Virtual MFA devices: made with a secret seed, enabled for a user by two codes in a row."""

from typing import Any

from msgspec.structs import replace

from iamd import arn
from iamd.auth import mfa
from iamd.call import Call
from iamd.policy.request import PrincipalKind
from iamd.services.iam import arns, one_time_codes, quotas
from iamd.services.iam.account import record_of
from iamd.services.iam.entities import (
    listed_user,
    moment,
    named_mfa_device,
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
)
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import MFADevice, User

ROOT = "root"
"""What stands for the root user in the index of devices by user."""
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
        raise EntityAlreadyExists("MFADevice entity at the same path and name already exists.")
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
        "QRCodePNG": mfa.qr_png(
            mfa.otpauth_uri(seed, user_name=virtual_mfa_device_name, account_id=_account_name(call))
        ),
    }
    return {"VirtualMFADevice": shown | _tags(device)}


@operation(on=arns.mfa_device)
def delete_virtual_mfa_device(call: Call, *, serial_number: str) -> None:
    """Delete a device that is nobody's."""
    device = named_mfa_device(call, serial_number)
    if device.user_id is not None:
        raise DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
    call.delete(device)


@operation(on=arns.user)
def enable_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Give a device to a user, who proves by two codes in a row to have it."""
    user = named_user(call, user_name)
    device = named_mfa_device(call, serial_number)
    _refuse_without_mfa(call, user)
    if device.user_id is not None:
        raise EntityAlreadyExists(f"MFA Device {serial_number} is already in use.")
    quotas.check("MFADevicesPerUser", len(_devices(call, user)) + 1, quotas.MFA_DEVICES_PER_USER)
    drift = _synchronised(call, device, authentication_code1, authentication_code2)
    call.put(replace(device, user_id=user.user_id, enabled=call.now, drift=drift))


@operation(on=arns.user)
def resync_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Learn from two codes in a row how far a device's clock is off."""
    user = named_user(call, user_name)
    device = _device_of(call, user, serial_number)
    _refuse_without_mfa(call, user)
    drift = _synchronised(call, device, authentication_code1, authentication_code2)
    call.put(replace(device, drift=drift))


@operation(on=arns.user)
def deactivate_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> None:
    """Take a device from a user; it is nobody's then."""
    user = named_or_calling_user(call, user_name)
    device = _device_of(call, user, serial_number)
    if user is not None:
        _refuse_without_mfa(call, user)
    call.put(replace(device, user_id=None, enabled=None, drift=0))


@reading(on=arns.user)
def get_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> dict[str, Any]:
    """Show a device that a user has."""
    user = named_or_calling_user(call, user_name)
    return _shown(user, _device_of(call, user, serial_number))


@reading(on=arns.user)
def list_mfa_devices(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the devices that a user has; without a name those of the one who calls."""
    user = named_or_calling_user(call, user_name)
    cut, more = page(
        call, _devices(call, user), key=_serial, max_items=max_items, marker=marker, query=(_user_id(user),)
    )
    return {"MFADevices": [_shown(user, device) for device in cut], **more}


@reading(on=arns.listed("mfa"))
def list_virtual_mfa_devices(
    call: Call, *, assignment_status: str = "Any", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the account's devices: all of them, those that are somebody's, or those that are nobody's."""
    wanted = ASSIGNMENTS[assignment_status]
    devices = [device for device in call.account.all(MFADevice) if (device.user_id is not None) in wanted]
    cut, more = page(call, devices, key=_serial, max_items=max_items, marker=marker, query=(assignment_status,))
    return {"VirtualMFADevices": [_listed(call, device) for device in cut], **more}


def _refuse_without_mfa(call: Call, user: User) -> None:
    """Raise AccessDenied for a user who has a device and changes its own ones without having used it.

    AWS: since April 2023 such a user must call with temporary credentials that were obtained with MFA (AWS Security
    Bulletin AWS-2023-001); otherwise a leaked access key would be enough to add a device of the thief's.
    """
    identity = call.identity
    own = identity.kind is PrincipalKind.USER and identity.entity_id == user.user_id
    with_mfa = identity.session is not None and identity.session.mfa_time is not None
    # SECURITY: PRN-08. This holds whatever the policies allow.
    if own and not with_mfa and _devices(call, user):
        raise AccessDenied(
            "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for"
            " this user."
        )


def _synchronised(call: Call, device: MFADevice, code1: str, code2: str) -> int:
    """The drift of the device that shows these two codes in a row, which are used up; InvalidAuthenticationCode."""
    drift = one_time_codes.accept_pair(call, call.account.id, device, code1, code2)
    if drift is None:
        raise InvalidAuthenticationCode("Authentication code for device is not valid.")
    return drift


def _device_of(call: Call, user: User | None, serial_number: str) -> MFADevice:
    device = call.account.get(MFADevice, serial_number)
    if device is None or device.user_id != _user_id(user):
        raise NoSuchEntity("MFA Device invalid for user.")
    return device


def _devices(call: Call, user: User | None) -> list[MFADevice]:
    return call.account.find(MFADevice, "user", _user_id(user))


def _user_id(user: User | None) -> str:
    return ROOT if user is None else user.user_id


def _serial(device: MFADevice) -> str:
    return device.serial_number


def _enabled(device: MFADevice) -> dict[str, Any]:
    return {} if device.enabled is None else {"EnableDate": moment(device.enabled)}


def _tags(device: MFADevice) -> dict[str, Any]:
    return {"Tags": shown_tags(device.tags)} if device.tags else {}


def _shown(user: User | None, device: MFADevice) -> dict[str, Any]:
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


def _account_name(call: Call) -> str:
    """What authenticator apps show beside the device's name: the account's alias or number."""
    return record_of(call).alias or call.account.id
