"""The only exceptions that reach a client: an AWS error code, its words, and what goes with them.

`AWSError` carries a code that stands on the wire as it is. `CommonError` carries a `Common` kind instead: what went
wrong before or around an operation (signatures, denials, unknown operations), which each protocol and service spells
with a code of its own; `wire/faults.py` is the one place that knows those spellings.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class AWSError(Exception):
    """An error with AWS's own code; a subclass names the code, an instance the words.

    `status` is the HTTP status, or None for the one the service's model gives this code (400 where it gives none).
    `members` are further members of the modelled error shape, by the names the model uses.
    """

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int | None] = None

    def __init__(self, message: str = "", *, members: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.members: Mapping[str, object] = members or {}


class Common(StrEnum):
    """What can go wrong with any request, whatever service it is for."""

    ACCESS_DENIED = "access denied"
    MISSING_AUTHENTICATION = "missing authentication"
    INCOMPLETE_SIGNATURE = "incomplete signature"
    UNKNOWN_ACCESS_KEY = "unknown access key"
    INVALID_SESSION_TOKEN = "invalid session token"
    SIGNATURE_MISMATCH = "signature mismatch"
    SIGNATURE_TIME = "signature time"
    """The signature's date is outside the service's window, or a presigned URL has expired."""
    EXPIRED_TOKEN = "expired token"
    BODY_HASH_MISMATCH = "body hash mismatch"
    """The body does not have the hash or checksum that was declared for it."""
    AUTHORIZATION_QUERY = "authorization query parameters"
    """A presigned query whose parameters are wrong."""
    MALFORMED = "malformed request"
    MALFORMED_HEADER = "malformed header"
    """A header, or what several of them say together, can't be what a client meant."""
    INCOMPLETE_BODY = "incomplete body"
    TOO_LARGE = "too large"
    UNKNOWN_OPERATION = "unknown operation"
    NOT_IMPLEMENTED = "not implemented"
    VALIDATION = "validation"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"


class CommonError(AWSError):
    """An error that each protocol and service spells in its own way; `message` is AWS's words where they are shared."""

    def __init__(self, kind: Common, message: str = "", *, members: Mapping[str, object] | None = None) -> None:
        super().__init__(message, members=members)
        self.kind = kind
