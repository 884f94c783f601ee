"""What copies and deletions of S3's rest on, where moto does not look: that objects are as the client has seen them.

AWS: S3 API Reference, CopyObject and UploadPartCopy (x-amz-copy-source-if-..., If-Match, If-None-Match), DeleteObjects
(ObjectIdentifier); S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from moto.s3.exceptions import MissingKey, PreconditionFailed
from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_IMPLEMENTED, NOT_TAKEN, Refused

_SOURCE: Final = "x-amz-copy-source"
_OF_IDENTIFIERS: Final = frozenset({"ETag", "LastModifiedTime", "Size"})
_PASSED_OVER: Final = {
    "put_object": "x-amz-write-offset-bytes",
    "abort_multipart_upload": "x-amz-if-match-initiated-time",
}
"""Headers that moto's functions do not look at: an object would be overwritten that was to be appended to.

AWS: S3 API Reference, PutObject and AbortMultipartUpload: both are of directory buckets, of which moto has none.
"""


def install() -> None:
    """Have moto look first."""
    replace(S3Response, "copy_object", _copying)
    replace(S3Response, "upload_part_copy", _copying_a_part)
    replace(S3Response, "put_object", _writing)
    replace(S3Response, "delete_object", always(_deleting_one))
    replace(S3Backend, "delete_objects", _deleting)
    for name, header in _PASSED_OVER.items():
        replace(S3Response, name, partial(_refusing, header))


def _refusing(header: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def refusing(response: S3Response, *given: Any, **named: Any) -> Any:
        if header in response.headers:
            raise Refused(NOT_TAKEN, header)
        return original(response, *given, **named)

    return refusing


def _copying(original: Callable[[S3Response], Any]) -> Callable[[S3Response], Any]:
    def copy_object(response: S3Response) -> Any:
        _check_source(response)
        check_target(response)
        return original(response)

    return copy_object


def _copying_a_part(original: Callable[[S3Response], Any]) -> Callable[[S3Response], Any]:
    def upload_part_copy(response: S3Response) -> Any:
        _check_source(response)
        return original(response)

    return upload_part_copy


def _check_source(response: S3Response) -> None:
    path = urlsplit(response.headers[_SOURCE])
    bucket, _, key = unquote(path.path).lstrip("/").partition("/")
    version = parse_qs(path.query).get("versionId", [None])[0]
    source = response.backend.get_object(bucket, key, version_id=version)
    # A source that is not there is moto's to tell.
    if isinstance(source, FakeKey) and not _holds(source, response):
        raise PreconditionFailed(_SOURCE)


def _holds(source: FakeKey, response: S3Response) -> bool:
    """Whether the source is as it is asked for; what is asked by ETag counts before what is asked by time.

    AWS: CopyObject: If-Match that holds beside an If-Unmodified-Since that does not copies; an If-None-Match that does
    not hold beside an If-Modified-Since that does copies nothing.
    """
    said = response.headers.get
    match, none_match = said(f"{_SOURCE}-if-match"), said(f"{_SOURCE}-if-none-match")
    since, unmodified = said(f"{_SOURCE}-if-modified-since"), said(f"{_SOURCE}-if-unmodified-since")
    changed = source.last_modified.replace(microsecond=0, tzinfo=UTC)
    stayed = _is(source, match) if match is not None else unmodified is None or changed <= _moment(unmodified)
    if none_match is not None:
        return stayed and not _is(source, none_match)
    return stayed and (since is None or changed > _moment(since))


def _is(key: FakeKey, tag: str) -> bool:
    return tag == "*" or tag.strip('"') == key.etag.strip('"')


def _moment(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        # SECURITY: a time that can't be read is no reason to copy.
        raise PreconditionFailed(_SOURCE) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def check_target(response: S3Response) -> None:
    """Refuse to write where there is another object than the one that is expected, or any where none is."""
    match, none_match = response.headers.get("If-Match"), response.headers.get("If-None-Match")
    if match is None and none_match is None:
        return
    _check_any(none_match)
    there = response.backend.get_object(response.bucket_name, response.parse_key_name())
    if not isinstance(there, FakeKey):
        if match is not None:
            raise MissingKey
        return
    if match is not None and not _is(there, match):
        raise PreconditionFailed("If-Match")
    if none_match is not None:
        raise PreconditionFailed("If-None-Match")


def _check_any(none_match: str | None) -> None:
    """AWS: S3 API Reference, PutObject, If-None-Match: it expects `*`; S3 answers another value with 501."""
    if none_match not in {None, "*"}:
        raise Refused(NOT_IMPLEMENTED, "If-None-Match of a value")


def _writing(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_object(response: S3Response, *given: Any, **named: Any) -> Any:
        _check_any(response.headers.get("If-None-Match"))
        return original(response, *given, **named)

    return put_object


def _deleting_one(response: S3Response) -> Any:
    """Delete an object, or the version that is named, which has to be the one that is expected."""
    match, version = response.headers.get("If-Match"), response.querystring.get("versionId", [None])[0]
    name, backend = response.parse_key_name(), response.backend
    if match is not None:
        there = backend.get_object(response.bucket_name, name, version_id=version)
        if not isinstance(there, FakeKey):
            raise MissingKey
        if not _is(there, match):
            raise PreconditionFailed("If-Match")
    bypass = response.headers.get("x-amz-bypass-governance-retention")
    _, told = backend.delete_object(response.bucket_name, name, version_id=version, bypass=bypass)
    return 204, {f"x-amz-{key}": value for key, value in told.items()}, ""


def _deleting(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_objects(backend: S3Backend, bucket_name: str, objects: list[dict[str, Any]], *given: Any) -> Any:
        if any(_OF_IDENTIFIERS & one.keys() for one in objects):
            raise Refused(NOT_IMPLEMENTED, "a deletion of several objects that rests on what they are")
        return original(backend, bucket_name, objects, *given)

    return delete_objects
