"""Virtual MFA devices: seeds, their QR codes, and time-based one-time codes (RFC 6238: SHA-1, 6 digits, 30 seconds).

A code is good for one step only; that a step is used once is kept in the store, atomically with what it unlocks.
"""

import base64
import hmac
import io
import re
import secrets

STEP_SECONDS = 30
_SEED_BYTES = 40
"""AWS's virtual devices have seeds of 64 base32 characters."""
_CODE = re.compile("[0-9]{6}").fullmatch
_NEAR = (0, -1, 1)


def generate_seed() -> bytes:
    """Give a random seed of 320 bits."""
    return secrets.token_bytes(_SEED_BYTES)


def base32_seed(seed: bytes) -> bytes:
    """Give a seed as CreateVirtualMFADevice's Base32StringSeed holds it, before its own base64."""
    return base64.b32encode(seed)


def otpauth_uri(seed: bytes, *, user_name: str, account_id: str) -> str:
    """Give the URI that authenticator apps read: `otpauth://totp/Amazon%20Web%20Services:user@account?secret=...`."""
    # Imported here, as in `code_at`: a server that sees no device has no use for it and what it imports.
    import pyotp  # noqa: PLC0415

    totp = pyotp.TOTP(base32_seed(seed).decode("ascii"))
    return totp.provisioning_uri(name=f"{user_name}@{account_id}", issuer_name="Amazon Web Services")


def qr_png(uri: str) -> bytes:
    """Give a PNG of the QR code of a URI, as CreateVirtualMFADevice's QRCodePNG holds it before its base64."""
    # Imported here: what it imports in its turn is a twentieth of the memory of a server that makes no device.
    import segno  # noqa: PLC0415

    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(out, kind="png", scale=5)
    return out.getvalue()


def qr_svg(uri: str) -> str:
    """Give the same QR code as an SVG element for a page, black on white whatever the page's colours are."""
    import segno  # noqa: PLC0415

    return segno.make(uri, error="m", micro=False).svg_inline(scale=5, light="#fff", omitsize=True, svgclass="qr")


def step_of(machine_time: float) -> int:
    """Give the number of the time step that a moment of the machine's clock lies in."""
    return int(machine_time // STEP_SECONDS)


def code_at(seed: bytes, step: int) -> str:
    """Give the code of one step."""
    import pyotp  # noqa: PLC0415

    return pyotp.HOTP(base32_seed(seed).decode("ascii")).at(step)


def matching_step(seed: bytes, code: str, machine_time: float) -> int | None:
    """Give the step that a code belongs to: now's, the one before or the one after; None for every other text."""
    # SECURITY: exactly six ASCII digits, checked before anything else: no blanks and no other script's digits (WEB-03).
    if not _CODE(code):
        return None
    now = step_of(machine_time)
    matching = [step for step in (now + near for near in _NEAR) if step >= 0 and _is_code(seed, step, code)]
    return matching[0] if matching else None


def consecutive_steps(seed: bytes, code1: str, code2: str, machine_time: float) -> int | None:
    """Give the later step of two codes that follow each other, as EnableMFADevice asks for; None when they do not.

    The first may be up to two steps old: a person waits for the second one to appear.
    """
    if not (_CODE(code1) and _CODE(code2)) or hmac.compare_digest(code1.encode(), code2.encode()):
        return None
    now = step_of(machine_time)
    for first in (now - 1, now, now - 2):
        if first >= 0 and _is_code(seed, first, code1) and _is_code(seed, first + 1, code2):
            return first + 1
    return None


def _is_code(seed: bytes, step: int, code: str) -> bool:
    return hmac.compare_digest(code_at(seed, step).encode("ascii"), code.encode("ascii"))
