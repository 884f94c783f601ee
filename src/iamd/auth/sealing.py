"""Sealing: AES-256-GCM under keys that live outside the database, so that a copied database reveals no secret.

A sealed value is `version | key id | nonce | ciphertext and tag`. What it may be opened for is bound into it: the
purpose chooses a key of its own (HKDF, RFC 5869), and the fields (table, row, account ...) are authenticated beside it.
A nonce is 96 random bits, safe for 2^32 values per key and purpose (NIST SP 800-38D, 8.3); rotate before that.
"""

import base64
import binascii
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD = len(_VERSION) + _ID_BYTES


class SealError(Exception):
    """A sealed value cannot be opened: altered, sealed for another place, or under a key that is not here."""

    def __init__(self) -> None:
        super().__init__("the sealed value cannot be opened")


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One key with the id that values sealed under it carry."""

    id: bytes
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.id) != _ID_BYTES or len(self.secret) != _KEY_BYTES:
            raise ValueError("a sealing key has an id of 4 bytes and a secret of 32 bytes")

    @classmethod
    def generate(cls) -> "SealingKey":
        """A random key with a random id."""
        return cls(secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_KEY_BYTES))


class Keyring:
    """Sealing keys from oldest to newest: the newest seals, all of them open. A keyring never changes; a rotation makes
    a new one, and what was opened under the old one is forgotten with it.
    """

    __slots__ = ("_by_id", "_ciphers", "keys", "opened_keys", "opened_tokens")

    def __init__(self, keys: Sequence[SealingKey]) -> None:
        if not keys:
            raise ValueError("a keyring needs a key")
        self.keys = tuple(keys)
        self._by_id = {key.id: key for key in self.keys}
        if len(self._by_id) != len(self.keys):
            raise ValueError("two sealing keys have the same id")
        self._ciphers: dict[tuple[bytes, str], AESGCM] = {}
        self.opened_tokens: dict[tuple[str, str], object] = {}
        """What `tokens` has opened with these keys."""
        self.opened_keys: dict[tuple[bytes, str, str], str] = {}
        """The secrets of access keys that `credentials` has opened with these keys, by what was sealed and for whom."""

    def __repr__(self) -> str:
        return f"Keyring({', '.join(key.id.hex() for key in self.keys)})"

    @classmethod
    def generate(cls) -> "Keyring":
        """A keyring of one random key."""
        return cls([SealingKey.generate()])

    @property
    def newest(self) -> SealingKey:
        """The key that seals."""
        return self.keys[-1]

    def rotated(self, key: SealingKey | None = None) -> "Keyring":
        """Give a keyring that seals with a new key and still opens with the old ones."""
        fresh = key or SealingKey.generate()
        while key is None and fresh.id in self._by_id:
            fresh = SealingKey.generate()
        return Keyring([*self.keys, fresh])

    def without(self, key_id: bytes) -> "Keyring":
        """Give a keyring that no longer opens what an old key sealed; the newest key cannot be retired."""
        if key_id not in self._by_id:
            raise ValueError("no sealing key has this id")
        if key_id == self.newest.id:
            raise ValueError("the newest sealing key cannot be retired")
        return Keyring([key for key in self.keys if key.id != key_id])

    def seal(self, purpose: str, fields: Sequence[str], plaintext: bytes) -> bytes:
        """Seal bytes for one purpose and place; `open` needs the same purpose and fields."""
        key_id = self.newest.id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(key_id, purpose).encrypt(nonce, plaintext, _bound(key_id, purpose, fields))
        return _VERSION + key_id + nonce + sealed

    def open(self, purpose: str, fields: Sequence[str], sealed: bytes) -> bytes:
        """Give the bytes that were sealed for this purpose and place; SealError for anything else."""
        key_id = sealed[1:_HEAD]
        if len(sealed) < _HEAD + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION or key_id not in self._by_id:
            raise SealError
        nonce, rest = sealed[_HEAD : _HEAD + _NONCE_BYTES], sealed[_HEAD + _NONCE_BYTES :]
        try:
            return self._cipher(key_id, purpose).decrypt(nonce, rest, _bound(key_id, purpose, fields))
        except InvalidTag:
            raise SealError from None

    def seal_text(self, purpose: str, fields: Sequence[str], plaintext: bytes) -> str:
        """Seal bytes as text that may stand in a URL, header or XML: what pagination markers are."""
        return base64.urlsafe_b64encode(self.seal(purpose, fields, plaintext)).rstrip(b"=").decode("ascii")

    def open_text(self, purpose: str, fields: Sequence[str], text: str) -> bytes:
        """Give the bytes that `seal_text` sealed for this purpose and place; SealError for anything else."""
        return self.open(purpose, fields, _from_text(text))

    def derived_key(self, purpose: str) -> bytes:
        """The oldest key's 32 bytes for one purpose that is no sealing; it stays the same when newer keys are added."""
        info = b"iamd derived v1\0" + purpose.encode()
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(self.keys[0].secret)

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the newest key sealed this; what it did not must be sealed again before older keys retire."""
        return sealed[1:_HEAD] == self.newest.id

    def _cipher(self, key_id: bytes, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            info = b"iamd sealing v1\0" + purpose.encode()
            derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(self._by_id[key_id].secret)
            cipher = self._ciphers[key_id, purpose] = AESGCM(derived)
        return cipher


def _from_text(text: str) -> bytes:
    try:
        raw = text.encode("ascii")
        # SECURITY: altchars with validate, for the lenient decoder drops foreign characters: one value, many spellings.
        decoded = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise SealError from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != raw:
        raise SealError
    return decoded


def _bound(key_id: bytes, purpose: str, fields: Sequence[str]) -> bytes:
    """Join version, key, purpose and fields, each after its length, so that no two places give the same bytes."""
    parts = [_VERSION + key_id, purpose.encode(), *[text.encode() for text in fields]]
    return b"".join([b"%b%b" % (_size(len(part)), part) for part in parts])


_size = struct.Struct(">I").pack
