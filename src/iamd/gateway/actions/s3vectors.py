"""The vector bucket or index that a request to Amazon S3 Vectors is for: by names, or by one ARN.

AWS: Service Authorization Reference, list_amazons3vectors; S3 User Guide, "Limitations and restrictions" of S3 Vectors
for names; API Reference, QueryVectors and ListVectors for what needs GetVectors.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import formed, own

_NAME: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_ONE_NAME: Final = re.compile(_NAME, re.ASCII)
_BUCKET: Final = re.compile(rf"bucket/{_NAME}", re.ASCII)
_INDEX: Final = re.compile(rf"bucket/{_NAME}/index/{_NAME}", re.ASCII)
_TAGGED: Final = re.compile(rf"bucket/{_NAME}(?:/index/{_NAME})?", re.ASCII)
_OF_INDEX: Final = ("indexArn", "indexName")
_TELLING: Final = ("filter", "queryTexts", "returnData", "returnMetadata")


class ValidationException(AWSError):
    """Names or an ARN that nothing of S3 Vectors has, or more of them than tell one thing."""

    code = "ValidationException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of the bucket, the index, or what tags are for; and whether more than keys is told."""
    given = asked.parameters
    if "resourceArn" in given:
        return {"tagged": _formed("resourceArn", _TAGGED, asked)}
    if any(member in given for member in _OF_INDEX):
        found = {"index": _index(asked)}
        return {**found, "tells_more": True} if any(given.get(member) for member in _TELLING) else found
    if "vectorBucketName" in given or "vectorBucketArn" in given:
        return {"bucket": _bucket(asked)}
    return {}


def _index(asked: Asked) -> str:
    given = asked.parameters
    if "indexArn" not in given:
        return f"{_bucket(asked)}/index/{_name('indexName', asked)}"
    _check_alone("indexArn", ("indexName", "vectorBucketName"), asked)
    return _formed("indexArn", _INDEX, asked)


def _bucket(asked: Asked) -> str:
    if "vectorBucketArn" not in asked.parameters:
        return own("s3vectors", f"bucket/{_name('vectorBucketName', asked)}", asked)
    _check_alone("vectorBucketArn", ("vectorBucketName",), asked)
    return _formed("vectorBucketArn", _BUCKET, asked)


def _check_alone(member: str, others: tuple[str, ...], asked: Asked) -> None:
    # SECURITY: which of two the backend takes is not for iamd to guess.
    if any(other in asked.parameters for other in others):
        raise ValidationException(f"{member} can't be given together with {' or '.join(others)}.")


def _formed(member: str, pattern: re.Pattern[str], asked: Asked) -> str:
    value = asked.parameters[member]
    return formed(value, "s3vectors", pattern, asked, ValidationException(f"{value} is not a valid {member}."))


def _name(member: str, asked: Asked) -> str:
    value = asked.parameters[member]
    if not isinstance(value, str) or not _ONE_NAME.fullmatch(value):
        raise ValidationException(f"{value} is not a valid {member}.")
    return value
