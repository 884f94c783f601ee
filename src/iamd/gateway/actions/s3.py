"""What S3's table needs beyond parameters: copy sources, tags, locks, signatures; and DeleteObjects key by key."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from iamd.auth.claim import HEADER, Mode
from iamd.auth.s3_errors import InvalidArgument, InvalidTag
from iamd.authz.target import Target
from iamd.clock import iso
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, at, invalid

# S3 User Guide, "General purpose bucket naming rules", with the upper case and underscores of buckets before 2018.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}", re.ASCII)
# SECURITY: a source is read in one way only. `;`, `#`, a second `?` and what readers of URLs leave out (tabs and their
# like) mean different things to different readers.
_SOURCE: Final = re.compile(
    r"/?(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{2,254})/(?P<key>[^?#;\x00-\x1f\x7f]+)"
    r"(?:\?versionId=(?P<version>[A-Za-z0-9._-]+))?",
    re.ASCII,
)
# S3 User Guide, "Enforce conditional writes": the key tells these from the other steps of a multipart upload.
_CREATING: Final = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_LOCKS: Final = frozenset(
    {
        "LegalHold", "ObjectLockEventHold", "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears",
        "ObjectLockLegalHoldStatus", "ObjectLockMode", "ObjectLockRetainUntilDate", "Retention",
    }
)  # fmt: skip
"""The parameters that lock an object."""

_READ: Final = _LOCKS | {"CopySource", "Tagging"}
"""The parameters that more is read out of."""

_AUTH_TYPES: Final = {Mode.HEADER: "REST-HEADER", Mode.PRESIGNED: "REST-QUERY-STRING", Mode.FORM: "POST"}
_DAY: Final = 86400


class InvalidBucketName(AWSError):
    """A bucket name that no bucket can have."""

    code = "InvalidBucketName"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """What the rows and keys of S3's table name."""
    given = asked.parameters
    bucket = given.get("Bucket")
    if bucket is not None:
        check_bucket(bucket)
    found = of_signature(asked)
    if not _READ.isdisjoint(given):
        _check_directives(given)
        found = {**_source(given), **_tags(given), **_lock(asked), **found}
    name = asked.operation.name
    found["object_creation"] = name in _CREATING
    if name == "CreateSession":
        # Without a mode S3 tries this one first (API Reference, CreateSession).
        found["session_mode"] = given.get("SessionMode") or "ReadWrite"
    return found


def check_bucket(name: str) -> None:
    """Refuse a name that would be read as more than a bucket's."""
    if not _BUCKET.fullmatch(name):
        raise InvalidBucketName("The specified bucket is not valid.", members={"BucketName": name})


def copied_with_tags(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object whose tags a copy takes over; None where they are replaced, or the source is none."""
    if given.get("TaggingDirective") == "REPLACE":
        return None
    match = _SOURCE.fullmatch(str(given.get("CopySource")))
    if match is None:
        return None
    version = {"VersionId": match["version"]} if match["version"] else {}
    return {"Bucket": match["bucket"], "Key": _unescaped(match["key"]), **version}


def _source(given: Mapping[str, Any]) -> dict[str, Any]:
    source = given.get("CopySource")
    if source is None:
        return {}
    match = _SOURCE.fullmatch(source) if isinstance(source, str) else None
    if match is None:
        raise invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    bucket, key = match["bucket"], _unescaped(match["key"])
    found = {"source_bucket": bucket, "source_key": key, "copy_source": f"{bucket}/{key}"}
    # AWS: s3:x-amz-copy-source is compared with bucket/key (S3 User Guide, "Bucket policy examples using condition
    # keys", granting permission to copy objects with a restriction on the copy source).
    # SECURITY: s3:VersionId is the source's: of what a copy needs, GetObjectVersion alone has the key (Service
    # Authorization Reference, list_amazons3).
    version = match["version"]
    if str(given.get("AnnotationDirective") or "").upper() == "COPY":
        # AWS: S3 API Reference, CopyObject: x-amz-object-annotation-directive.
        found["annotations"] = key
        found["version_annotations" if version else "current_annotations"] = key
    return found | ({"source_version": version, "VersionId": version} if version else {})


def _unescaped(key: str) -> str:
    try:
        return unquote(key, errors="strict")
    except UnicodeDecodeError:
        raise invalid("The Copy Source's key is not UTF-8.") from None


def _tags(given: Mapping[str, Any]) -> dict[str, Any]:
    tagging = given.get("Tagging")
    if isinstance(tagging, str):
        given_tags = list(tags.of_header(tagging))
    elif isinstance(tagging, Mapping):
        given_tags = list(tags.pairs(tagging.get("TagSet")))
    else:
        return {}
    # Of keys that differ by case alone, which are one condition key, the first in byte order counts.
    named = dict(sorted(given_tags, reverse=True))
    if len(named) < len(given_tags):
        raise InvalidTag("Cannot provide multiple Tags with the same key")
    return {"object_tags": named, "object_tag_keys": [key for key, _ in given_tags]} if named else {}


_DIRECTIVES: Final[Mapping[str, str]] = {
    "MetadataDirective": "x-amz-metadata-directive",
    "TaggingDirective": "x-amz-tagging-directive",
}


def _check_directives(given: Mapping[str, Any]) -> None:
    """AWS: S3 API Reference, CopyObject: COPY or REPLACE."""
    for member, header in _DIRECTIVES.items():
        value = given.get(member)
        if value is not None and value not in {"COPY", "REPLACE"}:
            # SECURITY: a backend would take another spelling for COPY.
            raise InvalidArgument(
                f"Unknown {header.split('-')[2]} directive.", members={"ArgumentName": header, "ArgumentValue": value}
            )


def _lock(asked: Asked) -> dict[str, Any]:
    given = asked.parameters
    if _LOCKS.isdisjoint(given):
        return {}
    until = given.get("ObjectLockRetainUntilDate") or at(given, "Retention.RetainUntilDate")
    found = {
        "object_lock_mode": given.get("ObjectLockMode") or at(given, "Retention.Mode"),
        "object_lock_hold": given.get("ObjectLockLegalHoldStatus") or at(given, "LegalHold.Status"),
    }
    found |= _event_hold(given)
    if isinstance(until, datetime):
        found["object_lock_date"] = iso(until)
        found["object_lock_days"] = str(max(0, round((until.timestamp() - asked.now) / _DAY)))
    return {name: value for name, value in found.items() if value is not None}


def _event_hold(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("ObjectLockEventHoldDurationYears") or at(given, "Retention.EventHoldDuration.Years"):
        # SECURITY: AWS does not tell how many days the condition key has for years.
        raise CommonError(Common.NOT_IMPLEMENTED, "iamd does not decide on event holds that are counted in years.")
    days = given.get("ObjectLockEventHoldDurationDays") or at(given, "Retention.EventHoldDuration.Days")
    return {
        "object_lock_event_hold": given.get("ObjectLockEventHold") or at(given, "Retention.EventHold"),
        "object_lock_event_hold_days": str(days) if days is not None else None,
    }


def of_signature(asked: Asked) -> dict[str, Any]:
    """How the request is signed (S3 API Reference, "Signature Version 4 authentication specific policy keys")."""
    claim = asked.claim
    if claim is None:
        return {}
    made_before = claim.mode is not HEADER
    found = {"auth_type": _AUTH_TYPES[claim.mode], "signature_version": "AWS4-HMAC-SHA256"}
    declared = claim.content_sha256 or ("UNSIGNED-PAYLOAD" if made_before else None)
    if declared is not None:
        found["content_sha256"] = declared
    if made_before:
        # AWS: milliseconds since the signature was made, for presigned requests.
        found["signature_age"] = str(max(0, int((asked.now - claim.timestamp) * 1000)))
    return found


def delete_objects(asked: Asked) -> list[Target]:
    """One target for each key, and for its version where one is named, in the order of the request."""
    place = {**asked.parameters, **asked.place, **values(asked)}
    objects = at(asked.parameters, "Delete.Objects") or []
    if not objects:
        raise KeyError("Delete")
    if not all(entry.get("Key") for entry in objects):
        raise CommonError(Common.MALFORMED)
    found = []
    for entry in objects:
        version = entry.get("VersionId")
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        arn = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}/{entry['Key']}"
        of_entry = place if version is None else {**place, "VersionId": version}
        found.append(Target(arn=arn, action=action, context=keys.of("s3", action, of_entry)))
    return found


def bypass(asked: Asked) -> list[Target]:
    """What DeleteObjects needs beside its keys when it bypasses governance retention: the right to, on each of them."""
    if asked.parameters.get("BypassGovernanceRetention") is not True:
        return []
    action = "s3:BypassGovernanceRetention"
    return [Target(arn=target.arn, action=action, context=target.context) for target in delete_objects(asked)]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"delete_objects": delete_objects}
