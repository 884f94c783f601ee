"""Signing keys of SigV4: derived once per secret, day, region and service, with both pads of the HMAC hashed once."""

import hashlib
import hmac

_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_CACHE_SIZE = 4096

_CacheKey = tuple[str, str, str, str]
_keys: dict[_CacheKey, "SigningKey"] = {}


_NO_BYTES = hashlib.sha256()


def sha256(content: bytes) -> str:
    """Give the SHA-256 of `content` in lower-case hexadecimal digits."""
    # To copy a hash is cheaper than to have OpenSSL look one up.
    found = _NO_BYTES.copy()
    found.update(content)
    return found.hexdigest()


class SigningKey:
    """An HMAC-SHA256 key whose padded halves are hashed once, so that a signature costs two short hashes (RFC 2104)."""

    __slots__ = ("_inner", "_outer")

    algorithm = "AWS4-HMAC-SHA256"

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def sign(self, message: bytes) -> str:
        """Give the signature of `message` in lower-case hexadecimal digits."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether it is the key's signature."""
        return hmac.compare_digest(self.sign(message).encode("ascii"), signature)


def derive(secret_access_key: str, date: str, region: str, service: str) -> SigningKey:
    """Derive the key of one secret for one credential scope (IAM User Guide, "Create a signed AWS API request")."""
    key = b"AWS4" + secret_access_key.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return SigningKey(key)


def cached(secret_access_key: str, date: str, region: str, service: str) -> SigningKey | None:
    """Give the key if `remember` has seen it."""
    # SECURITY: the secret itself is part of the cache's key, so a changed or deleted secret can never be answered for.
    return _keys.get((secret_access_key, date, region, service))


def remember(key: SigningKey, secret_access_key: str, date: str, region: str, service: str) -> None:
    """Keep a key that has verified a signature; strangers cannot fill the cache, and its size is bounded."""
    if len(_keys) >= _CACHE_SIZE:
        _keys.clear()
    _keys[secret_access_key, date, region, service] = key


def signing_key(secret_access_key: str, date: str, region: str, service: str) -> SigningKey:
    """Give the key of a secret that iamd itself signs with, derived once a day."""
    key = cached(secret_access_key, date, region, service)
    if key is None:
        key = derive(secret_access_key, date, region, service)
        remember(key, secret_access_key, date, region, service)
    return key
