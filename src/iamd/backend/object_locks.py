"""Object Lock of moto's S3: what keeps a version stays as it is until its time. There are no event holds.

AWS: S3 User Guide, object-lock-overview and object-lock-managing; S3 API Reference, PutObjectRetention,
PutObjectLegalHold, GetObjectRetention, GetObjectLegalHold, PutObject. Of the errors, which these pages do not have,
what S3 is seen to answer (adobe/S3Mock, LegalHoldIT and RetentionIT, verified there).
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from defusedxml.ElementTree import fromstring
from moto.core.responses import ActionResult
from moto.s3 import models
from moto.s3.exceptions import (
    AccessDeniedByLock,
    InvalidBucketState,
    LockNotEnabled,
    MalformedXML,
    MethodNotAllowed,
    MissingKey,
    MissingVersion,
    S3ClientError,
)
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_TAKEN, Refused

COMPLIANCE: Final = "COMPLIANCE"
_MODES: Final = frozenset({"GOVERNANCE", COMPLIANCE})
_STATUSES: Final = frozenset({"ON", "OFF"})
_EVENT_HOLD: Final = "x-amz-object-lock-event-hold"
_EVENT_HOLDS: Final = {
    _EVENT_HOLD: "ObjectLockEventHold",
    f"{_EVENT_HOLD}-duration-days": "ObjectLockEventHoldDurationDays",
    f"{_EVENT_HOLD}-duration-years": "ObjectLockEventHoldDurationYears",
}
"""The headers of event holds, and what they are called."""
_OFF: Final = "OFF"
_NO_LOCK: Final = (
    "<Error><Code>NoSuchObjectLockConfiguration</Code>"
    "<Message>The specified object does not have a ObjectLock configuration</Message></Error>"
)
_STORED: Final = "%Y-%m-%dT%H:%M:%SZ"
_STORED_EXACTLY: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
"""How moto reads the date that an object is locked until."""

_SETTING: Final = threading.Lock()
Lock = tuple[str | None, str | None, str | None]
"""The legal hold, the mode, and the date of an object."""


class Locked(AccessDeniedByLock):
    """What a lock forbids."""

    def __init__(self) -> None:
        S3ClientError.__init__(self, "AccessDenied", "Access Denied because object protected by object lock.")


def install() -> None:
    """Have moto keep locks as AWS does, and none that it would not hold."""
    replace(models, "AccessDeniedByLock", always(Locked))
    replace(S3Response, "_get_lock_details", always(of_request))
    replace(S3Response, "_mode_until_from_body", always(_retention))
    replace(S3Response, "_legal_hold_status_from_xml", always(_legal_hold))
    replace(S3Response, "put_object_retention", _put_object_retention)
    replace(S3Response, "put_object_legal_hold", _put_object_legal_hold)
    replace(S3Response, "_lock_config_from_body", _default)
    replace(S3Backend, "put_bucket_versioning", _put_bucket_versioning)
    replace(S3Response, "_key_response_get", _get)
    replace(S3Response, "get_object_legal_hold", always(_get_object_legal_hold))
    if not hasattr(S3Response, "get_object_retention"):
        S3Response.get_object_retention = _get_object_retention  # type: ignore[attr-defined]


# What is asked for.


def of_request(response: S3Response, bucket: FakeBucket, enabled: bool) -> Lock:
    """The lock of an object that a request writes: by its headers, or else by the bucket's default."""
    hold, mode, until = in_headers(response, enabled)
    if not (mode or until or hold == "ON") and enabled and bucket.has_default_lock:
        return hold, bucket.default_lock_mode, bucket.default_retention()
    return hold, mode, until


def in_headers(response: S3Response, enabled: bool) -> Lock:
    """The lock that a request's headers say."""
    said = response.headers.get
    for header, name in _EVENT_HOLDS.items():
        if said(header, _OFF) != _OFF:
            # SECURITY: moto would keep the object without it.
            raise Refused(NOT_TAKEN, name)
    hold, mode = said("x-amz-object-lock-legal-hold"), said("x-amz-object-lock-mode")
    until = said("x-amz-object-lock-retain-until-date")
    if (mode or until or hold == "ON") and not enabled:
        raise LockNotEnabled
    if hold is not None and hold not in _STATUSES:
        raise _invalid("Legal Hold must be either of 'ON' or 'OFF'")
    if (mode is None) != (until is None):
        raise _invalid("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
    if mode is None or until is None:
        return hold, None, None
    if mode not in _MODES:
        # SECURITY: moto keeps any word, and holds what has one of two.
        raise _invalid("Unknown wormMode directive.")
    return hold, mode, _stored(_future(until))


def _retention(response: S3Response) -> tuple[str | None, str | None]:
    """What PutObjectRetention sets; nothing for both takes a retention away."""
    found = _said(response.body)
    if found.get("EventHold", _OFF) != _OFF or "EventHoldDuration" in found:
        raise Refused(NOT_TAKEN, "EventHold")
    mode, until = found.get("Mode") or None, found.get("RetainUntilDate") or None
    if (mode is None) != (until is None) or (mode is not None and mode not in _MODES):
        raise MalformedXML
    return mode, _stored(_future(until)) if until is not None else None


def _legal_hold(_: S3Response, xml: bytes) -> str:
    status = _said(xml).get("Status")
    if status not in _STATUSES:
        raise MalformedXML
    return str(status)


def _said(xml: bytes) -> dict[str, str]:
    """What a document's elements say, by their names as the decision has read them: without namespaces."""
    return {child.tag.rpartition("}")[2]: child.text or "" for child in fromstring(xml)}


def _default(original: Callable[[S3Response], dict[str, Any]]) -> Any:
    def lock_config_from_body(response: S3Response) -> dict[str, Any]:
        if fromstring(response.body).find(".//{*}DefaultEventHold") is not None:
            raise Refused(NOT_TAKEN, "DefaultEventHold")
        found = original(response)
        mode, periods = found["mode"], [found["days"] or 0, found["years"] or 0]
        if mode is not None and (mode not in _MODES or max(periods) < 1 or min(periods) != 0):
            raise MalformedXML
        return found

    return lock_config_from_body


def _future(text: str) -> datetime:
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid("The retain until date must be provided in ISO 8601 format") from None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    if until <= datetime.now(UTC):
        raise _invalid("The retain until date must be in the future!")
    return until


def _stored(until: datetime) -> str:
    return until.astimezone(UTC).strftime(_STORED_EXACTLY if until.microsecond else _STORED)


def _invalid(words: str) -> S3ClientError:
    return S3ClientError("InvalidArgument", words)


# What is there.


def _put_object_retention(original: Callable[[S3Response], Any]) -> Any:
    def put_object_retention(response: S3Response) -> Any:
        is_bypass = response.headers.get("x-amz-bypass-governance-retention") == "true"
        # SECURITY: of two requests at a time, the later one is compared with what the earlier one has set.
        with _SETTING:
            key = _version(response)
            if not is_bypass or key.lock_mode == COMPLIANCE:
                _check_kept(key, *_retention(response))
            return original(response)

    return put_object_retention


def _check_kept(key: FakeKey, mode: str | None, until: str | None) -> None:
    """Refuse to shorten what keeps an object, to take it away, or to have it in another mode.

    That the caller may bypass governance mode, and does, is decided before.
    """
    present = key.lock_until
    if key.lock_mode not in _MODES or present is None or _read(present) <= datetime.now(UTC):
        return
    if mode != key.lock_mode or until is None or _read(until) < _read(present):
        raise Locked


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _put_object_legal_hold(original: Callable[[S3Response], Any]) -> Any:
    def put_object_legal_hold(response: S3Response) -> Any:
        _version(response)
        return original(response)

    return put_object_legal_hold


def _get(original: Callable[..., Any]) -> Any:
    def key_response_get(response: S3Response, query: dict[str, Any], key_name: str) -> Any:
        # moto reads an object for what it does not know, and does not know this.
        is_retention = "retention" in query and "uploadId" not in query
        return response.get_object_retention() if is_retention else original(response, query, key_name)  # type: ignore[attr-defined]

    return key_response_get


def _get_object_retention(response: S3Response) -> Any:
    key = _locked_version(response)
    if key.lock_mode is None or key.lock_until is None:
        return 404, {}, _NO_LOCK
    return _told(response, "Retention", {"Mode": key.lock_mode, "RetainUntilDate": _read(key.lock_until)})


def _get_object_legal_hold(response: S3Response) -> Any:
    key = _locked_version(response)
    if key.lock_legal_status is None:
        return 404, {}, _NO_LOCK
    return _told(response, "LegalHold", {"Status": key.lock_legal_status})


def _locked_version(response: S3Response) -> FakeKey:
    """The version that a request reads the lock of, in a bucket that has locks."""
    key = _version(response, "GET")
    if not response.backend.get_bucket(response.bucket_name).object_lock_enabled:
        raise S3ClientError("InvalidRequest", "Bucket is missing Object Lock Configuration")
    return key


def _told(response: S3Response, name: str, lock: dict[str, Any]) -> Any:
    response.data["Action"] = f"GetObject{name}"
    return response.serialized(ActionResult({name: lock}))


def _version(response: S3Response, method: str = "PUT") -> FakeKey:
    """The version that a request names, or the newest."""
    name, version = response.parse_key_name(), response.querystring.get("versionId", [None])[0]
    found = response.backend.get_object(response.bucket_name, name, version_id=version, return_delete_marker=True)
    if isinstance(found, FakeDeleteMarker):
        raise MethodNotAllowed(method=method, resource_type="DeleteMarker")
    if found is None:
        raise MissingVersion(key=name, version_id=version) if version else MissingKey(key=name)
    return found


def _put_bucket_versioning(original: Callable[..., None]) -> Any:
    def put_bucket_versioning(backend: S3Backend, bucket_name: str, status: str) -> None:
        # SECURITY: without versions, whoever deletes or overwrites an object deletes all that is locked of it.
        if status != "Enabled" and backend.get_bucket(bucket_name).object_lock_enabled:
            raise InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        original(backend, bucket_name, status)

    return put_bucket_versioning
