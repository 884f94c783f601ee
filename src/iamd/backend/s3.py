"""moto's S3, held to the operation that was decided at the points where it picks a function of its own."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from defusedxml.ElementTree import fromstring
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.iam.access_control import PermissionResult
from moto.s3 import responses
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response

from iamd.backend import acls, customer_keys, mfa_delete, object_locks, preconditions, quiet_deletions, uploads
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import MISMATCH, NOT_IMPLEMENTED, Refused, Verdict

# moto's functions are named as the operations are; these are not, or are steps of several.
_STEPS: Final[dict[str, frozenset[str]]] = {
    "all_buckets": frozenset({"ListBuckets"}),
    "get_bucket_lifecycle": frozenset({"GetBucketLifecycleConfiguration"}),
    "get_bucket_notification": frozenset({"GetBucketNotificationConfiguration"}),
    "get_bucket_tags": frozenset({"GetBucketTagging"}),
    "put_bucket_lifecycle": frozenset({"PutBucketLifecycleConfiguration"}),
    "put_bucket_acl": frozenset({"CreateBucket"}),
    "put_object": frozenset({"PostObject"}),
    "put_object_tagging": frozenset({"PutObject", "CopyObject"}),
    "_bucket_response_delete_keys": frozenset({"DeleteObjects"}),
    "_response_options": frozenset(),
}
_OF_UPLOADS: Final = frozenset(
    {"AbortMultipartUpload", "CompleteMultipartUpload", "ListParts", "UploadPart", "UploadPartCopy"}
)
_OF_DIRECTORIES: Final = frozenset({"RenameObject"})
"""What there is of directory buckets alone, of which moto has none; it is decided as of one of the caller's."""
_READS: Final = ("get_", "head_", "list_", "is_", "log_")


def install() -> None:
    """Make moto's S3 do the decided operation or nothing, and decide nothing itself."""
    _neutralise()
    acls.install()
    object_locks.install()
    uploads.install()
    customer_keys.install()
    mfa_delete.install()
    preconditions.install()
    quiet_deletions.install()
    replace(S3Response, "_tagging_from_xml", _tagging)
    for name in _functions():
        replace(S3Response, name, partial(_held, name))
    for name in ("_bucket_response", "_key_response"):
        replace(S3Response, name, _owned)
    replace(FakeBucket, "__init__", _encrypted)
    replace(S3Backend, "delete_bucket_encryption", always(_encrypt_by_default))
    replace(FakeKey, "response_dict", lambda plain: property(lambda key: _with_key(key, plain.fget(key))))
    replace(S3Response, "backend", lambda plain: property(lambda response: _Held(plain.fget(response))))


def _tagging(original: Callable[[S3Response], dict[str, str]]) -> Callable[[S3Response], dict[str, str]]:
    def tagging_from_xml(response: S3Response) -> dict[str, str]:
        if CURRENT.get().operation != "PutObjectTagging":
            # SECURITY: PutObject has tags in a header, and its steps may set them: not those of a body.
            raise Refused(NOT_IMPLEMENTED, f"put_object_tagging instead of {CURRENT.get().operation}")
        # AWS: S3 API Reference, PutObjectTagging: an empty set takes the tags away; moto fails on one.
        told = fromstring(response.body).find("{*}TagSet")
        return {} if told is not None and len(told) == 0 else original(response)

    return tagging_from_xml


def _encrypted(original: Callable[..., None]) -> Callable[..., None]:
    """AWS: every bucket is encrypted, by S3's own keys where nothing else is set (S3 User Guide, bucket-encryption)."""

    def make(bucket: FakeBucket, *given: Any, **named: Any) -> None:
        original(bucket, *given, **named)
        bucket.encryption = _by_s3()

    return make


def _by_s3() -> dict[str, Any]:
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}}


def _encrypt_by_default(backend: Any, bucket_name: str) -> None:
    """AWS: S3 API Reference, DeleteBucketEncryption: back to SSE-S3."""
    backend.get_bucket(bucket_name).encryption = _by_s3()


def _with_key(key: FakeKey, told: dict[str, Any]) -> dict[str, Any]:
    """What moto tells of an object, with the key of dual-layer encryption, which it keeps and does not tell."""
    if key.encryption == "aws:kms:dsse" and key.kms_key_id is not None:
        told["x-amz-server-side-encryption-aws-kms-key-id"] = key.kms_key_id
        told["x-amz-server-side-encryption-bucket-key-enabled"] = str(bool(key.bucket_key_enabled)).lower()
    return told


def _neutralise() -> None:
    # iamd decides by bucket policies; moto would apply them without their conditions.
    replace(FakeBucket, "get_permission", always(lambda _bucket, _action, _resource: PermissionResult.NEUTRAL))
    # SECURITY: moto would take the region, and with it the partition, from text in a key, and the bucket from a host
    # or a path that it reads in a way of its own.
    replace(responses, "parse_region_from_url", always(lambda _url, **_: CURRENT.get().region))
    replace(responses, "bucket_name_from_url", always(lambda _url: CURRENT.get().bucket_host))
    # SECURITY: `/%62ucket` is `/bucket`: moto would keep a bucket of its own under the name as it was written.
    replace(responses, "bucketpath_bucket_name_from_url", _plain_name)
    replace(
        S3Response, "subdomain_based_buckets", always(staticmethod(lambda _: CURRENT.get().bucket_host is not None))
    )
    replace(S3Response, "is_access_point", always(property(lambda _: False)))


def _plain_name(original: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def bucket_name_from_url(url: str) -> str | None:
        name = original(url)
        return unquote(name) if name is not None else None

    return bucket_name_from_url


def _functions() -> set[str]:
    named = {camelcase_to_underscores(name) for name in get_service_model("s3").operation_names}
    return {name for name in named | set(_STEPS) if callable(getattr(S3Response, name, None))}


def _performs(function: str, verdict: Verdict) -> bool:
    own = function == camelcase_to_underscores(verdict.operation)
    return own or verdict.operation in _STEPS.get(function, ())


def _held(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def held(response: S3Response, *given: Any, **named: Any) -> Any:
        _require(name, CURRENT.get())
        return function(response, *given, **named)

    return held


def _require(function: str, verdict: Verdict) -> None:
    if verdict.service != "s3":
        raise Refused(MISMATCH, f"s3 instead of {verdict.service}")
    if not _performs(function, verdict):
        # Sub-resources that moto does not know fall through to something else; S3 would name them.
        raise Refused(NOT_IMPLEMENTED, f"{function} instead of {verdict.operation}")


def _owned(function: Callable[..., Any]) -> Callable[..., Any]:
    def owned(response: S3Response, request: Any, full_url: str) -> Any:
        verdict = CURRENT.get()
        _require_owner(response, verdict)
        _require_own_upload(response, request)
        return function(response, request, full_url)

    return owned


def _require_owner(response: S3Response, verdict: Verdict) -> None:
    if verdict.operation in _OF_DIRECTORIES:
        raise Refused(NOT_IMPLEMENTED, f"{verdict.operation} is of directory buckets")
    if response.current_account != verdict.account_id or response.region != verdict.region:
        raise Refused(MISMATCH, "account or region")
    owner = s3_backends.bucket_accounts.get(response.bucket_name)
    if owner is not None and owner[1] != verdict.account_id and verdict.operation != "CreateBucket":
        raise Refused(MISMATCH, "the bucket's owner")


def _require_own_upload(response: S3Response, request: Any) -> None:
    """An upload in parts is its key's own: moto finds it by its id, whatever key the request names."""
    upload_id = request.args.get("uploadId")
    if CURRENT.get().operation not in _OF_UPLOADS:
        return
    upload = response.backend.get_bucket(response.bucket_name).multiparts.get(upload_id)
    if upload is None or upload.key_name != response.parse_key_name():
        raise NoSuchUpload(upload_id=upload_id)


class _Held:
    """moto's S3 backend as a request may use it: reading, and the steps of the operation that was decided."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(_READS):
            _require(name, CURRENT.get())
        return getattr(self._backend, name)
