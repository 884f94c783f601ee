"""The OpenAPI documents that APIs of a template are made of: in a property of their own, or in S3."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.stacks import reading, shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.faults import ValidationError
from iamd.stacks.kinds import Work

PLACES: Final = ("Body", "BodyS3Location")
"""The properties that say where it stands."""


async def text_of(work: Work) -> str | None:
    """The document as JSON, wherever it stands; an object of S3 is read as whom the stack acts for."""
    place = work["BodyS3Location"]
    if place is not None:
        return await _in_s3(work, place)
    return None if work["Body"] is None else shaping.text(work["Body"])


async def _in_s3(work: Work, place: Mapping[str, Any]) -> str:
    for name in ("Bucket", "Key"):
        if name not in place:
            raise InvalidProperties(f"#/BodyS3Location: required key [{name}] not found")
    etag = place.get("Etag", place.get("ETag"))
    named = {"Bucket": place["Bucket"], "Key": place["Key"], "VersionId": place.get("Version"), "IfMatch": etag}
    answer = await work.call("s3", "GetObject", **named)
    body = answer["Body"]
    try:
        return _json((body if isinstance(body, bytes) else body.read()).decode())
    except (UnicodeDecodeError, ValidationError) as error:
        raise InvalidProperties("#/BodyS3Location: the object is no document of JSON or YAML.") from error


def _json(text: str) -> str:
    """The document as JSON; in S3 it may be YAML (API Gateway Developer Guide, "Import an API")."""
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return shaping.text(reading.content_of(text))
    return text
