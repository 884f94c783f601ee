"""Answers as streams of events: those of InvokeWithResponseStream.

AWS: Lambda API Reference, InvokeWithResponseStream; the frames of an event stream are those of Amazon Transcribe's
Developer Guide, "Event stream encoding" (event-stream). Python's runtime does not stream (Lambda Developer Guide,
configuration-response-streaming): its whole response is one chunk.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Final

from iamd.functions.environment import Result
from iamd.functions.report import TAIL
from iamd.gateway.answer import Answer

_KIND: Final = (b"content-type", b"application/vnd.amazon.eventstream")
_TEXT: Final = 7
"""The type of a header's value: text behind its length."""
_PRELUDE: Final = 12
_CHECKSUM: Final = 4


def answer(result: Result, log: bytes, version: str, *, wants_log: bool) -> Answer:
    """The answer to an invocation: what the function has said, and that it has ended, or how it failed."""
    ended: dict[str, str] = {}
    frames = []
    if result.failure is None:
        frames.append(_event("PayloadChunk", "application/octet-stream", result.content))
    else:
        ended |= {"ErrorCode": "Unhandled", "ErrorDetails": result.content.decode("utf-8", "replace")}
    if wants_log:
        ended["LogResult"] = base64.b64encode(log[-TAIL:]).decode()
    frames.append(_event("InvokeComplete", "application/json", json.dumps(ended).encode()))
    return Answer(200, [_KIND, (b"x-amz-executed-version", version.encode())], b"".join(frames))


def _event(name: str, kind: str, payload: bytes) -> bytes:
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
