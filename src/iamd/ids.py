"""Identifiers that iamd makes: AWS's unique ids, access keys, secrets, request ids."""

import os
import secrets
import string
from functools import lru_cache
from typing import Final

# AWS: prefixes of unique ids (IAM User Guide, "IAM identifiers", reference_identifiers).
USER = "AIDA"
ROLE = "AROA"
GROUP = "AGPA"
MANAGED_POLICY = "ANPA"
INSTANCE_PROFILE = "AIPA"
# As they stand in AWS's answers of September 2026, with 16 characters behind them.
SAML_PROVIDER = "SAMLSP"
SAML_PRIVATE_KEY = "SAMLPK"
LONG_TERM_KEY = "AKIA"
PUBLIC_KEY = "APKA"
CONTEXT_SPECIFIC_CREDENTIAL = "ACCA"
CERTIFICATE = "ASCA"
TEMPORARY_KEY = "ASIA"

_ALPHABET = string.ascii_uppercase + "234567"
_LETTERS_AND_DIGITS = string.ascii_uppercase + string.digits
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(70, -1, -10)
_KEY_BASE = int.from_bytes(b"\x80\x00\x00\x00\x00\x00", "big")


def unique_id(prefix: str) -> str:
    """A random unique id, as `AIDA...`: the prefix and 17 characters, 80 random bits, never reused."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))


def saml_id(prefix: str) -> str:
    """A random id of a SAML provider or its private key, as `SAMLSP...`: the prefix and 16 letters and digits."""
    return prefix + "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(16))


def access_key_id(prefix: str, account_id: str) -> str:
    """A random access key id of 20 characters that names its account, as AWS's do.

    AWS: the account can be read out of an access key id without a look-up (STS API Reference, GetAccessKeyInfo). The
    form is public knowledge: base32 after the prefix, the first 40 bits hold the account number shifted left by 7.
    """
    account_bits = (int(account_id) << 7) | _KEY_BASE
    packed = account_bits.to_bytes(6, "big") + secrets.token_bytes(4)
    value = int.from_bytes(packed, "big")
    return prefix + "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


@lru_cache(maxsize=8192)
def account_of_key(key_id: str) -> str | None:
    """The account that an access key id made by `access_key_id` names, or None when it has another form."""
    if len(key_id) != 20 or any(c not in _ALPHABET for c in key_id[4:]):
        return None
    value = 0
    for character in key_id[4:]:
        value = (value << 5) | _ALPHABET.index(character)
    account = ((value >> 32) & ~_KEY_BASE) >> 7
    return f"{account:012d}" if account < 10**12 else None


def secret_access_key() -> str:
    """A random secret of 40 characters: 240 bits."""
    return secrets.token_urlsafe(30).replace("-", "+").replace("_", "/")


class _Pool:
    """Random bytes from the kernel, used once.

    They are fetched many at a time: 16 alone would cost more than the rest of a request's bookkeeping.
    """

    SIZE = 512

    def __init__(self) -> None:
        self._ready: list[str] = []
        os.register_at_fork(after_in_child=self._forget)

    def uuid(self) -> str:
        """A version 4 UUID (RFC 9562, 5.4); of its variant's two free bits none is used."""
        try:
            return self._ready.pop()
        except IndexError:
            # The writer's thread takes ids too: each of two that find the pool empty fills one of its own.
            ready = self._ready = _uuids(self.SIZE)
            return ready.pop()

    def _forget(self) -> None:
        # SECURITY: a forked worker must not give the ids that its parent gives.
        self._ready = []


_FORM: Final = b"xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx "
_PLACES: Final = tuple(place for place, character in enumerate(_FORM) if character == ord("x"))


def _uuids(count: int) -> list[str]:
    digits = secrets.token_hex(len(_PLACES) * count // 2).encode()
    text = bytearray(_FORM * count)
    # All first digits, then all second ones.
    for number, place in enumerate(_PLACES):
        text[place :: len(_FORM)] = digits[number :: len(_PLACES)]
    return text.decode().split()


request_id: Final = _Pool().uuid
"""Gives an unpredictable id in the form of a UUID, for requests and events."""
