"""MFA Delete of S3's buckets, which moto does not have: it takes no word for it, rather than pass over it.

AWS: S3 User Guide, "Configuring MFA delete": the root user enables it, with `x-amz-mfa`; without that header S3 is seen
to answer AccessDenied (terraform-aws-codebuild 76).
"""

from collections.abc import Callable
from typing import Any

from defusedxml.ElementTree import fromstring
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused


def install() -> None:
    """Have moto refuse to enable it."""
    replace(S3Response, "_bucket_response_put", _refused)


def _refused(original: Callable[..., Any]) -> Callable[..., Any]:
    def bucket_response_put(response: S3Response, *given: Any, **named: Any) -> Any:
        if CURRENT.get().operation == "PutBucketVersioning" and _enables(response.body):
            if "x-amz-mfa" not in response.headers:
                raise S3ClientError("AccessDenied", "Mfa Authentication must be used for this request")
            raise Refused(NOT_TAKEN, "MFA Delete")
        return original(response, *given, **named)

    return bucket_response_put


def _enables(body: bytes) -> bool:
    told = fromstring(body).find("{*}MfaDelete")
    return told is not None and told.text != "Disabled"
