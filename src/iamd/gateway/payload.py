"""Payload: the body that a backend gets, whole or as a stream whose last bytes wait until all of it is verified."""

from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Final

import msgspec

from iamd.http import Headers

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
EMPTY_HASH: Final = sha256(b"").hexdigest()


def _nothing() -> None:
    return


class Payload(msgspec.Struct, frozen=True):
    """`length` bytes; `sha256` is their hash, or UNSIGNED-PAYLOAD while it is not known.

    `content` is an iterator only where the backend must be fed while the client still sends. `headers` are to be
    added to the request: checksums that stood in a trailer. `decoded` tells that the client's framing was aws-chunked.
    """

    content: bytes | AsyncIterator[bytes]
    length: int
    sha256: str | None = None
    headers: Headers = ()
    decoded: bool = False
    close: Callable[[], None] = _nothing
    """Gives back what holds the content; `forward` calls it."""

    def hash(self) -> str:
        """The hash to sign."""
        if self.sha256 is not None:
            return self.sha256
        return sha256(self.content).hexdigest() if isinstance(self.content, bytes) else UNSIGNED


EMPTY: Final = Payload(b"", 0, EMPTY_HASH)
