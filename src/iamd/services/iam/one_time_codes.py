"""The codes of MFA devices: each is accepted once for each of its two uses, and a device's clock may be off.

AWS: two codes in a row that enable or resynchronise a device are taken once; either of them still signs its user in,
once (recorded answers of EnableMFADevice, ResyncMFADevice and GetSessionToken).
"""

from collections.abc import Iterable

from iamd.auth import mfa
from iamd.auth.sealing import Keyring
from iamd.call import Call
from iamd.services import attempts
from iamd.store.records import MFADevice
from iamd.store.sign_in_records import HardwareToken

SEED_PURPOSE = "mfa-seed"
TOKEN_PURPOSE = "hardware-token"
USE = "totp"
"""A code that says who asks, to STS or at the sign-in page."""
PAIR_USE = "totp-pair"
"""A code that is one of two in a row."""
SYNC_STEPS = 20
"""How many steps early or late two codes in a row may be, so that they tell how a device's clock runs (RFC 6238, 6)."""
TOLERATED_STEPS = 1
"""How many steps a clock may be off without our minding it (RFC 6238, 5.2)."""
REMEMBERED_SECONDS = 2 * (SYNC_STEPS + 2) * mfa.STEP_SECONDS
"""How long a used step is remembered: longer than its code could be taken by any clock."""


def sealed_seed(keyring: Keyring, account_id: str, serial_number: str, seed: bytes) -> bytes:
    """A device's seed as its record keeps it, bound to the device."""
    return keyring.seal(SEED_PURPOSE, (account_id, serial_number), seed)


def sealed_token_seed(keyring: Keyring, serial_number: str, seed: bytes) -> bytes:
    """A hardware token's seed as its record keeps it while the token is nobody's."""
    return keyring.seal(TOKEN_PURPOSE, (serial_number,), seed)


def token_seed(keyring: Keyring, token: HardwareToken) -> bytes:
    """The seed of a hardware token."""
    return keyring.open(TOKEN_PURPOSE, (token.serial_number,), token.sealed_seed)


def accept(call: Call, account_id: str, device: MFADevice, code: str) -> bool:
    """Take the code that a device shows now, by its own clock; one that was taken for this before is refused.

    After a few wrong ones every code is refused for a while.
    """
    # SECURITY: a code has six digits; whoever has a stolen access key must not be able to try them all (B35).
    whose = f"{USE} {account_id} {device.serial_number}"
    if not attempts.begin(call, whose):
        return False
    machine_time = call.clock.machine_timestamp() + device.drift * mfa.STEP_SECONDS
    step = mfa.matching_step(_seed(call, account_id, device), code, machine_time)
    if step is None or not _use(call, USE, account_id, device, [step]):
        return False
    attempts.forget(call, whose)
    return True


def accept_pair(call: Call, account_id: str, device: MFADevice, code1: str, code2: str) -> int | None:
    """Take two codes in a row; gives how many steps the device's clock is ahead, or None when they are refused."""
    seed = _seed(call, account_id, device)
    machine_time = call.clock.machine_timestamp()
    for ahead in _nearest_first(range(-SYNC_STEPS, SYNC_STEPS + 1)):
        step = mfa.consecutive_steps(seed, code1, code2, machine_time + ahead * mfa.STEP_SECONDS)
        if step is not None:
            drift = step - mfa.step_of(machine_time)
            used = _use(call, PAIR_USE, account_id, device, [step - 1, step])
            return (0 if abs(drift) <= TOLERATED_STEPS else drift) if used else None
    return None


def _nearest_first(steps: Iterable[int]) -> list[int]:
    return sorted(steps, key=abs)


def _seed(call: Call, account_id: str, device: MFADevice) -> bytes:
    return call.keyring.open(SEED_PURPOSE, (account_id, device.serial_number), device.sealed_seed)


def _use(call: Call, use: str, account_id: str, device: MFADevice, steps: Iterable[int]) -> bool:
    # SECURITY: RFC 6238, 5.2: a code is accepted once for one use; what follows in the same change may fail, it stays
    # used.
    expires = call.now + REMEMBERED_SECONDS
    keys = [f"{account_id} {device.serial_number} {step}" for step in steps]
    fresh = [call.change.use_once(use, key, expires) for key in keys]
    return all(fresh)
