"""How a bucket encrypts what says nothing of it, and how uploads in parts were begun: what is remembered of requests.

AWS: S3 User Guide, bucket-encryption; S3 API Reference, PutBucketEncryption.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.effect import Effect, Kind, Of
from iamd.gateway.resources import Facts

BY_KMS: Final = frozenset({"aws:kms", "aws:kms:dsse"})
DEFAULT: Final = "encryption"
"""The fact how a bucket encrypts what says nothing of it: JSON, empty for no key of KMS."""
UNSETTLED: Final = "?"
USED: Final = "kms_used"
"""The fact that something in a bucket is encrypted by KMS."""


CONTEXT: Final = "kms_context"
"""The fact that requests added to the encryption context of something in a bucket."""


class Encryption(msgspec.Struct, frozen=True):
    """How an object is encrypted by KMS: by which key, as it is named, and whether by a key of the whole bucket."""

    algorithm: str
    key: str | None = None
    bucket_key: bool = False
    context: Mapping[str, str] = {}
    unknown: bool = False
    """Whether nobody can tell how it is encrypted."""
    told: bool = False
    """Whether all of its context is known."""


def standing(text: str) -> Encryption | None:
    """How a bucket encrypts by what is kept of it."""
    if text == UNSETTLED:
        return Encryption("aws:kms", unknown=True)
    return msgspec.json.decode(text, type=Encryption) if text else None


def text_of(told: Mapping[str, Any]) -> str:
    """What is kept of a bucket's default encryption."""
    rules = at(told, "ServerSideEncryptionConfiguration.Rules") or []
    for rule in rules:
        standing = rule.get("ApplyServerSideEncryptionByDefault") or {}
        if standing.get("SSEAlgorithm") in BY_KMS:
            found = Encryption(
                standing["SSEAlgorithm"], standing.get("KMSMasterKeyID"), rule.get("BucketKeyEnabled") is True
            )
            return json.dumps({name: getattr(found, name) for name in ("algorithm", "key", "bucket_key")})
    return ""


def upload(bucket: str, upload_id: str) -> str:
    """What an upload in parts is known by."""
    return f"upload:{bucket}:{upload_id}"


def _end_upload(asked: Asked, _: str, facts: Facts) -> Effect | None:
    """What was remembered of an upload goes with it."""
    arn = upload(str(asked.parameters.get("Bucket")), str(asked.parameters.get("UploadId")))
    return Effect(Kind.END, arn) if facts.get(arn) is not None else None


def _put_default(asked: Asked, arn: str, facts: Facts) -> Effect:
    """Until it is settled which default the bucket has, the backend is asked."""
    before, text = facts.known(arn).get(DEFAULT), text_of(asked.parameters)
    used = {USED: "true"} if text else {}

    def refused(known: Mapping[str, str]) -> Mapping[str, str]:
        kept = {name: value for name, value in known.items() if name != DEFAULT}
        return kept if before is None else {**kept, DEFAULT: before}

    return Effect(
        Kind.NOTE,
        arn,
        begun=lambda known: {**known, **used, DEFAULT: UNSETTLED},
        done=lambda known: {**known, DEFAULT: text},
        refused=refused if facts.get(arn) is not None else None,
    )


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("s3", "AbortMultipartUpload"): _end_upload,
    ("s3", "CompleteMultipartUpload"): _end_upload,
    ("s3", "DeleteBucketEncryption"): _put_default,
    ("s3", "PutBucketEncryption"): _put_default,
}
