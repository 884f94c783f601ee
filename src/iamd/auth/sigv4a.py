"""Signature Version 4A: one signature for several Regions, made with a key pair that the secret access key gives.

AWS: IAM User Guide, "AWS Signature Version 4 for API requests" (reference_sigv), "AWS Signature Version 4a (SigV4a)";
how the pair is derived is published with AWS's own clients: HMAC-SHA256 in counter mode (NIST SP 800-108), until the
number is one that a private key of the curve can be.
"""

import hmac
from contextlib import suppress
from typing import Final

ALGORITHM: Final = "AWS4-ECDSA-P256-SHA256"
REGION_SET: Final = "X-Amz-Region-Set"

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (SEC 2, 2.4.2)."""
_BITS: Final = (256).to_bytes(4, "big")
_FIRST: Final = (1).to_bytes(4, "big")
_CACHE_SIZE: Final = 1024
_keys: dict[tuple[str, str], "VerifyingKey"] = {}


class VerifyingKey:
    """The public half of the key pair of one access key."""

    algorithm: Final = ALGORITHM

    def __init__(self, access_key_id: str, secret_access_key: str) -> None:
        # Imported here: few clients sign so, and a start should not pay for it.
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        number = _private_number(access_key_id, secret_access_key)
        self._key = ec.derive_private_key(number, ec.SECP256R1()).public_key()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether it is the pair's signature: DER in hexadecimal digits."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        with suppress(ValueError, InvalidSignature):
            self._key.verify(bytes.fromhex(signature.decode("ascii")), message, ec.ECDSA(SHA256()))
            return True
        return False


def verifying_key(access_key_id: str, secret_access_key: str) -> VerifyingKey:
    """The key that verifies what was signed with these."""
    # SECURITY: the secret is part of the cache's key, so a changed or deleted secret can never be answered for.
    return _keys.get((access_key_id, secret_access_key)) or VerifyingKey(access_key_id, secret_access_key)


def remember(key: VerifyingKey, access_key_id: str, secret_access_key: str) -> None:
    """Keep a key that has verified a signature; strangers cannot fill the cache, and its size is bounded."""
    if len(_keys) >= _CACHE_SIZE:
        _keys.clear()
    _keys[access_key_id, secret_access_key] = key


def _private_number(access_key_id: str, secret_access_key: str) -> int:
    for counter in range(1, 255):
        context = access_key_id.encode("latin-1") + bytes((counter,))
        message = _FIRST + ALGORITHM.encode() + b"\0" + context + _BITS
        number = int.from_bytes(hmac.digest(b"AWS4A" + secret_access_key.encode(), message, "sha256"), "big")
        if number <= _ORDER - 2:
            return number + 1
    raise ValueError("no key of the curve in 254 tries, which happens to nobody")


def first_region(regions: str) -> str:
    """The Region that a request is made to, of the set that it was signed for; empty where the set names none."""
    return next((name for name in map(str.strip, regions.split(",")) if "*" not in name), "")


def covers(regions: str, region: str) -> bool:
    """Whether a set of Regions, such as `us-east-1,eu-*`, has this one in it."""
    return any(_is_of(name.strip(), region) for name in regions.split(","))


def _is_of(name: str, region: str) -> bool:
    return region.startswith(name[:-1]) if name.endswith("*") else region == name
