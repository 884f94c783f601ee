"""Hardware MFA tokens: the operator registers their seeds, and whoever holds one enables it by its serial number.

On AWS the seeds come from the manufacturer, and a customer gives the serial number only (IAM User Guide, "Assign a
hardware TOTP token in the AWS Management Console"). A token is nobody's until EnableMFADevice, in whichever account.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import one_time_codes
from iamd.services.iamd.accounts import check_first_account, nothing
from iamd.services.iamd.equivalents import beside
from iamd.services.registry import operation, reading
from iamd.store.records import GLOBAL
from iamd.store.sign_in_records import HardwareToken

SEED_BYTES = range(16, 65)
"""RFC 4226, 4: a seed has 128 bits or more."""


class TokenAlreadyExists(AWSError):
    """A token of this serial number is registered."""

    code = "TokenAlreadyExists"


class NoSuchToken(AWSError):
    """No token of this serial number is registered."""

    code = "NoSuchToken"


class TokenInUse(AWSError):
    """Somebody has the token."""

    code = "TokenInUse"


class InvalidSeed(AWSError):
    """What was given is no seed."""

    code = "InvalidSeed"


@operation(on=beside("iam:CreateVirtualMFADevice"))
def register_hardware_token(call: Call, *, serial_number: str, base32_string_seed: str) -> None:
    """Register a token, which is nobody's then; its seed is shown nowhere."""
    check_first_account(call)
    if call.view.shared.get(HardwareToken, serial_number) is not None:
        raise TokenAlreadyExists(f"Token {serial_number} is registered already.")
    sealed = one_time_codes.sealed_token_seed(call.keyring, serial_number, _seed(base32_string_seed))
    call.change.put(GLOBAL, HardwareToken(serial_number=serial_number, sealed_seed=sealed, registered=call.now))


@operation(on=beside("iam:DeleteVirtualMFADevice"))
def deregister_hardware_token(call: Call, *, serial_number: str) -> None:
    """Forget a token that is nobody's."""
    check_first_account(call)
    token = call.view.shared.get(HardwareToken, serial_number)
    if token is None:
        raise NoSuchToken(f"Token {serial_number} is not registered.")
    if token.account_id is not None:
        raise TokenInUse(f"Token {serial_number} is in use in account {token.account_id}; deactivate it there first.")
    call.change.delete(GLOBAL, token)


@reading(on=nothing)
def list_hardware_tokens(call: Call) -> dict[str, Any]:
    """List the registered tokens by serial number, with the accounts where they are in use."""
    check_first_account(call)
    tokens = sorted(call.view.shared.all(HardwareToken), key=lambda token: token.serial_number)
    return {"Tokens": [_shown(token) for token in tokens]}


def _shown(token: HardwareToken) -> dict[str, Any]:
    shown = {"SerialNumber": token.serial_number, "Registered": datetime.fromtimestamp(token.registered, UTC)}
    return shown | ({"AccountId": token.account_id} if token.account_id is not None else {})


def _seed(base32: str) -> bytes:
    text = base32.replace(" ", "").rstrip("=")
    try:
        seed = base64.b32decode(text + "=" * (-len(text) % 8), casefold=True)
    except binascii.Error as error:
        raise InvalidSeed("The seed is not base32.") from error
    if len(seed) not in SEED_BYTES:
        raise InvalidSeed("A seed has between 16 and 64 bytes.")
    return seed
