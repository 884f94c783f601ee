"""Uploads in parts of moto's S3: the object is encrypted and locked as the upload was begun.

AWS: S3 API Reference, CreateMultipartUpload, which takes the headers of both; S3 User Guide, bucket-encryption: a new
default does not change what is there; object-lock-overview: a bucket's default lock counts from when an object is made.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final
from weakref import WeakKeyDictionary

from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response

from iamd.backend import object_locks, upload_checks
from iamd.backend.replacement import replace

_RESPONSE: Final[ContextVar[S3Response]] = ContextVar("response")
_BEGUN: Final[WeakKeyDictionary[FakeMultipart, tuple[object_locks.Lock, Any]]] = WeakKeyDictionary()
"""The lock of what comes of an upload, and whether a bucket key encrypts it."""
_BUCKET_KEY: Final = "x-amz-server-side-encryption-bucket-key-enabled"


def install() -> None:
    """Have moto keep how an upload was begun until it is completed."""
    replace(S3Response, "_key_response_post", _noted)
    replace(S3Backend, "create_multipart_upload", _begun)
    replace(S3Backend, "complete_multipart_upload", _completed)


def _noted(original: Callable[..., Any]) -> Any:
    def key_response_post(response: S3Response, *given: Any, **named: Any) -> Any:
        token = _RESPONSE.set(response)
        try:
            return original(response, *given, **named)
        finally:
            _RESPONSE.reset(token)

    return key_response_post


def _begun(original: Callable[..., FakeMultipart]) -> Any:
    def create_multipart_upload(backend: S3Backend, bucket_name: str, *given: Any, **named: Any) -> FakeMultipart:
        response, bucket = _RESPONSE.get(), backend.get_bucket(bucket_name)
        lock = object_locks.in_headers(response, bucket.object_lock_enabled)
        upload = original(backend, bucket_name, *given, **named)
        rule = (bucket.encryption or {}).get("Rule", {})
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if not upload.sse_encryption:
            upload.sse_encryption = default.get("SSEAlgorithm")
            upload.kms_key_id = default.get("KMSMasterKeyID")
        has_bucket_key = response.headers.get(_BUCKET_KEY)
        _BEGUN[upload] = lock, rule.get("BucketKeyEnabled") if has_bucket_key is None else has_bucket_key
        return upload

    return create_multipart_upload


def _completed(original: Callable[..., FakeKey | None]) -> Any:
    def complete_multipart_upload(
        backend: S3Backend, bucket_name: str, multipart_id: str, *given: Any, **named: Any
    ) -> FakeKey | None:
        bucket = backend.get_bucket(bucket_name)
        upload = bucket.multiparts[multipart_id]
        upload_checks.check(_RESPONSE.get(), upload)
        key = original(backend, bucket_name, multipart_id, *given, **named)
        if key is None:
            return None
        (hold, mode, until), key.bucket_key_enabled = _BEGUN[upload]
        key.encryption, key.kms_key_id = upload.sse_encryption, upload.kms_key_id
        if not (mode or hold == "ON") and bucket.has_default_lock:
            mode, until = bucket.default_lock_mode, bucket.default_retention()
        key.lock_legal_status, key.lock_mode, key.lock_until = hold, mode, until
        return key

    return complete_multipart_upload
