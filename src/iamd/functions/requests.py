"""What a request to invoke a function says, checked; and the answer to it.

AWS: Lambda API Reference, Invoke, InvokeAsync and InvokeWithResponseStream.
"""

import base64
import json
from typing import Any, Final

import msgspec

from iamd.functions.environment import Result
from iamd.functions.errors import InvalidParameterValue, InvalidRequestContent, RequestTooLarge
from iamd.functions.report import TAIL
from iamd.gateway.answer import Answer
from iamd.gateway.invocation import Invocation
from iamd.wire import validate

MEGABYTE: Final = 1024 * 1024
LARGEST: Final = {"RequestResponse": 6 * MEGABYTE, "Event": MEGABYTE, "DryRun": 6 * MEGABYTE}
_LARGEST_CONTEXT: Final = 3583
_JSON: Final = (b"content-type", b"application/json")


class Wanted(msgspec.Struct, frozen=True):
    """An invocation as it is run: its kind, its event, whether the log's end is wanted, and the client's context."""

    kind: str
    content: bytes
    wants_log: bool
    client_context: str | None


def of(invocation: Invocation) -> Wanted:
    """What is wanted; an error of Lambda's when it can't be."""
    given = invocation.parameters
    if invocation.operation.name == "InvokeAsync":
        return Wanted("Event", _event(given.get("InvokeArgs"), "Event"), wants_log=False, client_context=None)
    validate.validate(invocation.operation, given)
    for member in ("DurableExecutionName", "TenantId"):
        if given.get(member) is not None:
            raise InvalidParameterValue(f"{member} is not supported for this function.")
    kind = given.get("InvocationType") or "RequestResponse"
    context = _context(given["ClientContext"]) if given.get("ClientContext") and kind == "RequestResponse" else None
    wants_log = kind == "RequestResponse" and given.get("LogType") == "Tail"
    return Wanted(kind, _event(given.get("Payload"), kind), wants_log, context)


def _event(payload: Any, kind: str) -> bytes:
    content = payload.encode() if isinstance(payload, str) else payload or b""
    if len(content) > LARGEST[kind]:
        raise RequestTooLarge(f"Request must be smaller than {LARGEST[kind]} bytes for the InvokeFunction operation")
    if not content:
        return b"{}"
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from error
    return bytes(content)


def _context(text: str) -> str:
    """The client's context, for the function's `context.client_context`."""
    if len(text) > _LARGEST_CONTEXT:
        raise InvalidRequestContent(f"Client context must be at most {_LARGEST_CONTEXT} bytes of base64.")
    try:
        found = msgspec.json.decode(base64.b64decode(text, validate=True))
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from error
    if not isinstance(found, dict):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
    return json.dumps(found)


def answer(result: Result, log: bytes, version: str, *, wants_log: bool) -> Answer:
    """The answer to an invocation that was waited for."""
    headers = [_JSON, (b"x-amz-executed-version", version.encode())]
    if result.failure is not None:
        headers.append((b"x-amz-function-error", b"Unhandled"))
    if wants_log:
        headers.append((b"x-amz-log-result", base64.b64encode(log[-TAIL:])))
    return Answer(200, headers, result.content)


def taken() -> Answer:
    """The answer to an event that waits for its turn."""
    return Answer(202, [_JSON], b"")


def dry() -> Answer:
    """The answer to an invocation that was only tried."""
    return Answer(204, [], b"")
