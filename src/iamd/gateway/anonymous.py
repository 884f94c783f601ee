"""What S3 does for nobody whose name it does not know, whatever a bucket lets everybody do."""

from typing import Final

from iamd.auth.s3_errors import InvalidRequest
from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked

_DENIED: Final = "Access Denied"
_ONLY_SIGNED: Final = {
    # AWS: S3 User Guide, mpuoverview; the words are those that S3 is seen to answer.
    "CreateMultipartUpload": "Anonymous users cannot initiate multipart uploads.  Please authenticate.",
    # AWS: mpuoverview: whoever initiated an upload adds its parts and completes it, and that is never nobody.
    "UploadPart": _DENIED,
    "CompleteMultipartUpload": _DENIED,
    # AWS: S3 API Reference, CopyObject and UploadPartCopy: all requests must be authenticated and signed.
    "CopyObject": "Anonymous users cannot copy objects.  Please authenticate.",
    "UploadPartCopy": _DENIED,
    # AWS: S3 API Reference, SelectObjectContent: no anonymous access.
    "SelectObjectContent": _DENIED,
}


_READING: Final = frozenset({"GetObject", "HeadObject"})
_HEADERS_OF_ANSWERS: Final = "Response"
"""What the members begin with that say how an answer's headers are to be."""


def check(asked: Asked) -> None:
    """Refuse what nobody signed for and has to be signed for."""
    if asked.operation.service != "s3":
        return
    words = _ONLY_SIGNED.get(asked.operation.name)
    if words is not None:
        raise CommonError(Common.ACCESS_DENIED, words)
    if asked.operation.name in _READING and any(name.startswith(_HEADERS_OF_ANSWERS) for name in asked.parameters):
        # SECURITY: the owner of an object says what it is (text/html), not whoever leads somebody else to it.
        # AWS: S3 API Reference, GetObject, "Overriding response header values through the request"; the error is the
        # one that S3 is seen to answer.
        raise InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
