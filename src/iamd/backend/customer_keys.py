"""Objects encrypted by a customer's key (SSE-C), of which moto's S3 keeps neither key nor need: it has none.

AWS: S3 User Guide, "Blocking or unblocking SSE-C for a general purpose bucket": new buckets block SSE-C, and what
asks to write by it is refused with 403 AccessDenied, until PutBucketEncryption unblocks it.
"""

from collections.abc import Callable
from typing import Any, Final

from defusedxml.ElementTree import fromstring
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_IMPLEMENTED, Refused

_OF_OBJECT: Final = "x-amz-server-side-encryption-customer-"
_OF_SOURCE: Final = "x-amz-copy-source-server-side-encryption-customer-"
_READING: Final = frozenset({"GetObject", "GetObjectAttributes", "HeadObject", "SelectObjectContent"})
_BLOCKED: Final = "SSE-C"


class Blocked(S3ClientError):
    """A write by a customer's key."""

    def __init__(self) -> None:
        super().__init__("AccessDenied", "Access Denied")


class NotApplicable(S3ClientError):
    """A customer's key for an object that none encrypts; code and words are those that S3 is seen to answer."""

    def __init__(self) -> None:
        super().__init__("InvalidRequest", "The encryption parameters are not applicable to this object.")


def install() -> None:
    """Have moto encrypt nothing by a customer's key, rather than say that it did."""
    replace(S3Response, "_key_response", _refused)
    replace(S3Response, "_encryption_config_from_body", _still_blocked)


def _refused(original: Callable[..., Any]) -> Callable[..., Any]:
    def key_response(response: S3Response, request: Any, full_url: str) -> Any:
        names = [name.lower() for name in request.headers.keys()]  # noqa: SIM118, they are no dict
        of_object = any(name.startswith(_OF_OBJECT) for name in names)
        if of_object and CURRENT.get().operation not in _READING:
            # SECURITY: moto would keep the object open to whoever may read it, without the key.
            raise Blocked
        if any(name.startswith(_OF_SOURCE) for name in names):
            raise NotApplicable
        answer = original(response, request, full_url)
        if of_object and not _failed(answer):
            raise NotApplicable
        return answer

    return key_response


def _failed(answer: Any) -> bool:
    return isinstance(answer, tuple) and answer[0] >= 400


def _still_blocked(original: Callable[[S3Response], dict[str, Any]]) -> Callable[[S3Response], dict[str, Any]]:
    def encryption_config_from_body(response: S3Response) -> dict[str, Any]:
        types = [
            one.text
            for one in fromstring(response.body).iterfind("{*}Rule/{*}BlockedEncryptionTypes/{*}EncryptionType")
        ]
        if types and types != [_BLOCKED]:
            raise Refused(NOT_IMPLEMENTED, "encryption by a customer's key")
        return original(response)

    return encryption_config_from_body
