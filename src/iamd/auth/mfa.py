"""The one-time codes of virtual MFA devices: RFC 6238 with SHA-1, steps of 30 seconds and six digits."""

import base64
import hmac
import secrets
from collections.abc import Iterable

import pyotp

from iamd.auth.sealing import Keyring

SEED_PURPOSE = "mfa-seed"
SEED_BYTES = 40
STEP_SECONDS = 30
TOLERATED_STEPS = 1
"""How many steps early or late one code may be (RFC 6238, 5.2)."""
SYNC_STEPS = 20
"""How many steps early or late two codes in a row may be that tell how a device's clock runs (RFC 6238, 6)."""
USED_KIND = "totp"
USED_SECONDS = (2 * SYNC_STEPS + 2) * STEP_SECONDS
"""How long a step that was used is remembered: longer than any of its codes could be taken again."""


def new_seed() -> str:
    """A random seed in base32, as long as AWS's: 64 characters."""
    return base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode("ascii")


def seal_seed(keyring: Keyring, account_id: str, serial_number: str, seed: str) -> bytes:
    """The seed of a device as its record keeps it, bound to the device."""
    return keyring.seal(SEED_PURPOSE, (account_id, serial_number), seed.encode("ascii"))


def open_seed(keyring: Keyring, account_id: str, serial_number: str, sealed_seed: bytes) -> str:
    """The seed that `seal_seed` sealed for this device."""
    return keyring.open(SEED_PURPOSE, (account_id, serial_number), sealed_seed).decode("ascii")


def step_at(machine_timestamp: float) -> int:
    """The step that a device with a right clock is in; time is the machine's, which devices follow."""
    return int(machine_timestamp // STEP_SECONDS)


def step_of_code(seed: str, code: str, now_step: int) -> int | None:
    """The step whose code this is, near `now_step`, or None. Add a device's drift to `now_step` first."""
    # SECURITY: whoever takes a code also takes its step, once: `change.use_once(USED_KIND, used_key(...), ...)`.
    return _first(seed, [code], _around(now_step, TOLERATED_STEPS))


def step_of_codes(seed: str, code1: str, code2: str, now_step: int) -> int | None:
    """The step whose code is `code1`, with `code2` that of the next, anywhere within SYNC_STEPS; or None."""
    return _first(seed, [code1, code2], _around(now_step, SYNC_STEPS))


def drift_of(step: int, now_step: int) -> int:
    """How many steps a device is ahead; one that `step_of_code` tolerates anyway counts as none."""
    return 0 if abs(step - now_step) <= TOLERATED_STEPS else step - now_step


def used_key(account_id: str, serial_number: str, step: int) -> str:
    """The key under which a device's used step is remembered."""
    return f"{account_id} {serial_number} {step}"


def _around(step: int, reach: int) -> Iterable[int]:
    return sorted(range(step - reach, step + reach + 1), key=lambda near: abs(near - step))


def _first(seed: str, codes: list[str], steps: Iterable[int]) -> int | None:
    one_time = pyotp.HOTP(seed)
    wanted = "".join(codes).encode()
    for step in steps:
        shown = "".join(one_time.at(max(0, step + later)) for later in range(len(codes)))
        if hmac.compare_digest(shown.encode(), wanted):
            return step
    return None
