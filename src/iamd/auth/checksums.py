"""Checksums of bodies: `x-amz-checksum-*` and Content-MD5 as S3 takes them, computed while the body streams."""

import base64
import binascii
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Protocol

import anycrc
import xxhash

from iamd.auth.s3_errors import BadDigest, InvalidDigest, InvalidRequest
from iamd.errors import Common, CommonError
from iamd.http import Headers

PREFIX = "x-amz-checksum-"
_DECLARES = re.compile(rb"content-md5|x-amz-checksum-(?!(?:algorithm|mode|type)$)")
# Members of this family that say something about checksums without being one.
_ABOUT = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})


class Checksum(Protocol):
    """A checksum being computed, as hashlib's are."""

    def update(self, data: bytes, /) -> None:
        """Take more of the body."""

    def digest(self) -> bytes:
        """Give the checksum of what came so far."""


class _CRC:
    """A cyclic redundancy check; its digest is big-endian, as S3 writes it."""

    __slots__ = ("_compute", "_size", "_value")

    def __init__(self, compute: Callable[[bytes, int], int], size: int) -> None:
        self._compute = compute
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._compute(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _model(name: str) -> Callable[[bytes, int], int]:
    calc: Callable[[bytes, int], int] = anycrc.Model(name).calc
    return calc


_CRC32C = _model("CRC32C")
_CRC64NVME = _model("CRC64-NVME")

# AWS: S3 User Guide, "Checking object integrity in Amazon S3"; the names are those of S3's model.
ALGORITHMS: dict[str, Callable[[], Checksum]] = {
    "crc32": lambda: _CRC(zlib.crc32, 4),
    "crc32c": lambda: _CRC(_CRC32C, 4),
    "crc64nvme": lambda: _CRC(_CRC64NVME, 8),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "xxhash64": xxhash.xxh64,
    "xxhash3": xxhash.xxh3_64,
    "xxhash128": xxhash.xxh3_128,
}


class Expected:
    """One declared checksum, computed as the body passes and compared at its end."""

    __slots__ = ("_checksum", "_digest", "name")

    def __init__(self, name: str, checksum: Checksum, digest: bytes) -> None:
        self.name = name
        self._checksum = checksum
        self._digest = digest

    def update(self, data: bytes) -> None:
        """Take more of the body."""
        self._checksum.update(data)

    def check(self) -> None:
        """Raise when the body was another than the declared checksum's."""
        if not hmac.compare_digest(self._checksum.digest(), self._digest):
            raise mismatch(self.name)


def mismatch(name: str) -> BadDigest:
    """The error for a body that does not have the checksum that a header or trailer declared."""
    if name == "content-md5":
        words = "The Content-MD5 you specified did not match what we received."
    else:
        words = f"The {name.removeprefix(PREFIX).upper()} you specified did not match the calculated checksum."
    return BadDigest(words)


def algorithm(name: str) -> Checksum:
    """Start the checksum that a header or trailer of this lower-case name holds; an unknown one is refused."""
    make = ALGORITHMS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
    if make is None:
        raise InvalidRequest("The algorithm type you specified in x-amz-checksum- header is invalid.")
    return make()


def digest(name: str, text: str, size: int) -> bytes:
    """Decode a declared checksum; one that is not base64 of the algorithm's size is refused."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        decoded = b""
    if len(decoded) != size:
        if name == "content-md5":
            raise InvalidDigest("The Content-MD5 you specified was invalid.")
        raise InvalidRequest(f"Value for {name} header is invalid.")
    return decoded


@lru_cache(maxsize=512)
def may_declare(names: tuple[bytes, ...]) -> bool:
    """Whether headers of these names may declare a checksum: most declare none, and clients send the same each time."""
    return any(map(_DECLARES.match, names))


def declared(headers: Headers) -> list[Expected]:
    """Give the checksums that headers declare of this request's body: at most one x-amz-checksum-* and a Content-MD5.

    Only for operations whose headers speak of the body: CompleteMultipartUpload's are about the object.
    """
    found: dict[str, Expected] = {}
    for raw, value in headers:
        name = raw.decode("latin-1")
        if name == "content-md5":
            checksum: Checksum = hashlib.md5(usedforsecurity=False)
        elif name.startswith(PREFIX) and name not in _ABOUT:
            checksum = algorithm(name)
        else:
            continue
        if name in found:
            raise CommonError(Common.MALFORMED_HEADER, f"The header '{name}' must stand in a request once only.")
        size = len(checksum.digest())
        found[name] = Expected(name, checksum, digest(name, value.decode("latin-1").strip(), size))
    if sum(name.startswith(PREFIX) for name in found) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    return list(found.values())


def verify(headers: Headers, body: bytes | Iterable[bytes]) -> None:
    """Check a whole body against every checksum that the headers declare of it."""
    expected = declared(headers)
    if not expected:
        return
    for piece in (body,) if isinstance(body, bytes) else body:
        for one in expected:
            one.update(piece)
    for one in expected:
        one.check()
