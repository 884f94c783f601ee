"""Answers as streams of events: those of InvokeWithResponseStream.

AWS: Lambda API Reference, InvokeWithResponseStream. Python's runtime does not stream (Lambda Developer Guide,
configuration-response-streaming): its whole response is one chunk.
"""

import base64
import json

from iamd.functions.environment import Result
from iamd.functions.report import TAIL
from iamd.gateway.answer import Answer
from iamd.wire import event_stream


def answer(result: Result, log: bytes, version: str, *, wants_log: bool) -> Answer:
    """The answer to an invocation: what the function has said, and that it has ended, or how it failed."""
    ended: dict[str, str] = {}
    frames = []
    if result.failure is None:
        frames.append(event_stream.event("PayloadChunk", "application/octet-stream", result.content))
    else:
        ended |= {"ErrorCode": "Unhandled", "ErrorDetails": result.content.decode("utf-8", "replace")}
    if wants_log:
        ended["LogResult"] = base64.b64encode(log[-TAIL:]).decode()
    frames.append(event_stream.event("InvokeComplete", "application/json", json.dumps(ended).encode()))
    headers = [(b"content-type", event_stream.KIND.encode()), (b"x-amz-executed-version", version.encode())]
    return Answer(200, headers, b"".join(frames))
