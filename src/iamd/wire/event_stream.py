"""Event streams: messages in frames, each with its headers and its checksums.

AWS: Amazon Transcribe Developer Guide, "Event stream encoding" (event-stream), which is every service's.
"""

import zlib
from collections.abc import Mapping
from typing import Final

KIND: Final = "application/vnd.amazon.eventstream"
"""The content type of a stream."""
_TEXT: Final = 7
"""The type of a header's value: text behind its length."""
_PRELUDE: Final = 12
_CHECKSUM: Final = 4


def event(name: str, kind: str, payload: bytes) -> bytes:
    """An event, of a name that the model knows; its payload is of this kind."""
    return frame({":message-type": "event", ":event-type": name, ":content-type": kind}, payload)


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: its length and its headers' with their checksum, headers, payload, and the checksum of all of it."""
    told = b"".join(_header(name, value) for name, value in headers.items())
    length = _PRELUDE + len(told) + len(payload) + _CHECKSUM
    prelude = _number(length) + _number(len(told))
    message = prelude + _number(zlib.crc32(prelude)) + told + payload
    return message + _number(zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + bytes([_TEXT]) + len(text).to_bytes(2) + text


def _number(value: int) -> bytes:
    return value.to_bytes(4)
