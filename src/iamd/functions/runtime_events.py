"""What is said over the Lambda Runtime API: events to a runtime, and what it says of them.

AWS: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (runtimes-api).
"""

import json
from collections.abc import Mapping
from typing import Final

import msgspec

LARGEST_RESPONSE: Final = 6_291_556
"""AWS: 6 MB, and what stands in its error (Lambda Developer Guide, "Lambda quotas")."""


class Event(msgspec.Struct, frozen=True):
    """What is given to a runtime: the event, and the headers beside it."""

    request_id: str
    content: bytes
    headers: Mapping[str, str]


def event_of(request_id: str, content: bytes, arn: str, *, context: str | None = None) -> Event:
    """An event for the function of this ARN, with the client's context as JSON."""
    headers = {"Lambda-Runtime-Invoked-Function-Arn": arn}
    return Event(request_id, content, headers | ({"Lambda-Runtime-Client-Context": context} if context else {}))


class Said(msgspec.Struct, frozen=True):
    """What a runtime said of an invocation, or of its own beginning: the content, and whether it is an error."""

    content: bytes
    is_error: bool = False
    in_beginning: bool = False


def error(kind: str, message: str) -> bytes:
    """An error in the form that functions' errors have."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
