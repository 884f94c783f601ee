"""Request bodies from the ASGI channel: whole ones under a limit, and S3's objects as verified streams."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from iamd.auth import checksums
from iamd.auth.checksums import Expected
from iamd.auth.s3_errors import EntityTooLarge, MissingContentLength
from iamd.errors import Common, CommonError
from iamd.gateway.body_limits import LARGEST_OBJECT
from iamd.gateway.payload import EMPTY_HASH, Payload
from iamd.gateway.spool import IN_MEMORY, Spool
from iamd.http import Headers, HttpRequest

Receive = Callable[[], Awaitable[dict[str, Any]]]

_NUMBER: Final = re.compile(rb"[0-9]{1,16}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Chunked(Protocol):
    """A decoder of aws-chunked, as `auth/chunked.py` has it."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take framed bytes; give the verified ones."""

    def finish(self) -> list[tuple[str, str]]:
        """Give the verified trailers; raise when anything is missing."""


def has_body(request: HttpRequest) -> bool:
    """Whether a request has a body: without a length and without an encoding there is none (RFC 9112, 6.3)."""
    fields = request.fields
    return b"content-length" in fields or b"transfer-encoding" in fields


async def whole(request: HttpRequest, receive: Receive, largest: int) -> bytes:
    """Read a body whole; one that is larger than `largest` is refused before it is read when its length tells."""
    declared = content_length(request)
    if declared is not None and declared > largest:
        raise _too_large(largest)
    parts: list[bytes] = []
    size = 0
    async for piece in pieces(receive):
        size += len(piece)
        if size > largest:
            raise _too_large(largest)
        parts.append(piece)
    if declared is not None and size != declared:
        raise incomplete()
    return b"".join(parts)


async def s3_object(
    request: HttpRequest,
    receive: Receive,
    *,
    content_sha256: str | None,
    decoder: Chunked | None = None,
    folder: str | None = None,
) -> Payload:
    """Make the payload of an S3 object or part; none of it can reach a backend whole unless all of it is verified.

    `content_sha256` is the verified claim's, None for UNSIGNED-PAYLOAD; `decoder` reads an aws-chunked body.
    A body with a declared hash is spooled to `folder`; others stream, their last bytes waiting for the verification.
    """
    length = _object_length(request, chunked=decoder is not None)
    source = _Source(receive, length, content_sha256, decoder, checksums.declared(request.headers))
    if length <= IN_MEMORY or source.hashed:
        return await _spooled(source, folder)
    return Payload(source.held_back(), length, decoded=decoder is not None)


async def _spooled(source: "_Source", folder: str | None) -> Payload:
    spool = Spool(folder)
    try:
        async for piece in source.held_back():
            spool.add(piece)
    except BaseException:
        spool.close()
        raise
    content = spool.content()
    digest = source.content_sha256 if source.hashed else None
    if not source.length:
        digest = EMPTY_HASH
    return Payload(content, source.length, digest, source.trailers, decoded=source.decoded, close=spool.close)


class _Source:
    """The object's bytes on their way, with all that must hold of them in the end."""

    def __init__(
        self,
        receive: Receive,
        length: int,
        content_sha256: str | None,
        decoder: Chunked | None,
        expected: Sequence[Expected],
    ) -> None:
        self.length = length
        self.content_sha256 = content_sha256
        self.decoded = decoder is not None
        self.hashed = content_sha256 is not None and _SHA256.fullmatch(content_sha256) is not None
        self.trailers: Headers = ()
        self._receive = receive
        self._decoder = decoder
        self._expected = expected
        self._hash = hashlib.sha256()
        self._size = 0

    async def held_back(self) -> AsyncIterator[bytes]:
        """Give the bytes; the last of them only when everything has been verified.

        SECURITY: a backend keeps what has the length that was announced, so it must not get that much too early.
        """
        held = b""
        async for piece in pieces(self._receive):
            for verified in self._decode(piece):
                self._take(verified)
                if held:
                    yield held
                held = verified
        self._finish()
        if held:
            yield held

    def _decode(self, piece: bytes) -> Sequence[bytes]:
        return self._decoder.feed(piece) if self._decoder is not None else (piece,)

    def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self.length:
            raise incomplete()
        for expected in self._expected:
            expected.update(piece)
        if self.hashed:
            self._hash.update(piece)

    def _finish(self) -> None:
        if self._decoder is not None:
            self.trailers = [(name.encode(), value.encode()) for name, value in self._decoder.finish()]
        if self._size != self.length:
            raise incomplete()
        for expected in self._expected:
            expected.check()
        if self.hashed:
            self._check_hash(self._hash.hexdigest(), self.content_sha256 or "")

    def _check_hash(self, computed: str, declared: str) -> None:
        if not hmac.compare_digest(computed, declared):
            raise CommonError(
                Common.BODY_HASH_MISMATCH,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                members={"ClientComputedContentSHA256": declared, "S3ComputedContentSHA256": computed},
            )


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a body as they come; IncompleteBody when the client goes before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise incomplete()
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body", False):
            return


def _object_length(request: HttpRequest, *, chunked: bool) -> int:
    length = content_length(request, b"x-amz-decoded-content-length") if chunked else content_length(request)
    if length is None:
        # AWS: S3 API Reference, "Error responses".
        raise MissingContentLength("You must provide the Content-Length HTTP header.")
    if length > LARGEST_OBJECT:
        raise EntityTooLarge(
            "Your proposed upload exceeds the maximum allowed size",
            members={"ProposedSize": str(length), "MaxSizeAllowed": str(LARGEST_OBJECT)},
        )
    return length


def content_length(request: HttpRequest, name: bytes = b"content-length") -> int | None:
    """The length that a request declares, or None; one that is no number is refused."""
    value = request.fields.get(name)
    if value is None:
        return None
    repeated = request.repeats_headers and sum(key == name for key, _ in request.headers) > 1
    if repeated or not _NUMBER.fullmatch(value):
        raise CommonError(Common.MALFORMED_HEADER, "The Content-Length header is not valid.")
    return int(value)


def _too_large(largest: int) -> CommonError:
    return CommonError(Common.TOO_LARGE, f"Request must be smaller than {largest} bytes")


def incomplete() -> CommonError:
    """The refusal of a body that has another length than was declared."""
    # AWS: S3 API Reference, "Error responses".
    return CommonError(
        Common.INCOMPLETE_BODY, "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
