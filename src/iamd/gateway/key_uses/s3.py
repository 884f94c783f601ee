"""The keys that S3 uses for its callers: by a request's headers, the bucket's default, or the object's own encryption.

AWS: S3 User Guide, UsingKMSEncryption, bucket-key, bucket-encryption; S3 API Reference, "Permissions" of CopyObject,
CreateMultipartUpload, UploadPart, CompleteMultipartUpload, ListParts, HeadObject.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.errors import AWSError
from iamd.gateway import placing
from iamd.gateway.actions import s3
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError
from iamd.gateway.bucket_tags import REGION
from iamd.gateway.key_uses.defaults import (
    BY_KMS,
    CONTEXT,
    DEFAULT,
    UNSETTLED,
    USED,
    Encryption,
    standing,
    text_of,
    upload,
)
from iamd.gateway.key_uses.sealing import BUCKET_KEY, HEADER, KEY_ID, Sealing
from iamd.gateway.key_uses.use import DECRYPT, GENERATE, Use, Work
from iamd.http import Headers

_CHECKSUM: Final = b"x-amz-checksum-"
_UPLOAD_ID: Final = re.compile(rb"<UploadId>([^<]{1,1024})</UploadId>")
_OTHERWISE: Final = b"AES256"
_OF_CUSTOMER: Final = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")


class InvalidArgument(AWSError):
    """Headers of encryption that contradict one another, or what nobody may ask for without a signature."""

    code = "InvalidArgument"
    status = 400


async def before(work: Work) -> list[Use]:
    """What S3 asks of KMS before it answers."""
    match work.name:
        case "PutObject" | "CreateMultipartUpload":
            return await _written(work)
        case "CopyObject":
            return [*await _source(work), *await _written(work)]
        case "UploadPartCopy":
            return [*await _source(work), *_of_upload(work)]
        case "UploadPart" | "CompleteMultipartUpload" | "ListParts":
            return _of_upload(work)
        case "GetObjectAttributes":
            # AWS: as of HeadObject, it is the checksum that is encrypted.
            return await _read(work) if "Checksum" in _attributes(work.given) else []
        case "SelectObjectContent":
            return await _read(work)
        case _:
            return []


def is_plain(asked: Asked, answer: Answer) -> bool:
    """Whether it is an object that no key of KMS was used for: nearly all answers are."""
    if asked.operation.name != "GetObject":
        return False
    for name, value in answer.headers:  # noqa: SIM110 (every answer with an object is asked)
        # A backend that says it twice must say so both times.
        if name == HEADER and value != _OTHERWISE:
            return False
    return True


async def after(work: Work, answer: Answer) -> list[Use]:
    """What S3 has asked of KMS, as the answer tells how the object is encrypted."""
    if work.name == "CreateMultipartUpload":
        await _remember_upload(work, answer)
        return []
    if work.name == "HeadObject" and not _tells_checksum(work.given, answer.headers):
        return []
    found = _shown(answer.headers)
    return [_use(DECRYPT, found, work, _key_of(work.given), work.owner)] if found is not None else []


# What is written.


async def _written(work: Work) -> list[Use]:
    found = await _asked_for(work)
    if found is None:
        return []
    await _note_use(work, has_context=bool(found.context))
    use = _use(GENERATE, found, work, _key_of(work.given), work.identity.asks_in)
    if not found.unknown:
        work.step.sealing = Sealing(found.algorithm, found.key, use.account, found.bucket_key, found.context)
    return [use]


async def _asked_for(work: Work) -> Encryption | None:
    """How the object is to be encrypted; None for not by KMS."""
    given = work.given
    algorithm, key = given.get("ServerSideEncryption"), given.get("SSEKMSKeyId")
    context = given.get("SSEKMSEncryptionContext")
    if algorithm in BY_KMS:
        has_bucket_key = given.get("BucketKeyEnabled")
        if has_bucket_key is None:
            default = await _default(work)
            has_bucket_key = default is not None and default.bucket_key
        return Encryption(algorithm, key or None, bool(has_bucket_key), _context(context))
    if key or context:
        raise InvalidArgument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
            "aws:kms"
        )
    if algorithm or given.get("SSECustomerAlgorithm"):
        return None
    return await _default(work)


def _context(text: Any) -> Mapping[str, str]:
    """The encryption context that a header holds (S3 API Reference, PutObject: Base64 of JSON)."""
    if not text:
        return {}
    try:
        return msgspec.json.decode(b64decode(str(text), validate=True), type=dict[str, str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidArgument("The header 'x-amz-server-side-encryption-context' shall be Base64 of JSON.") from error


async def _default(work: Work) -> Encryption | None:
    """How the bucket encrypts what says nothing of it."""
    bucket = _bucket(work)
    known = work.facts.known(bucket).get(DEFAULT)
    if known is None and work.is_embedded:
        return None
    if known is None or known == UNSETTLED or not work.is_embedded:
        return await _told_default(work, bucket)
    return standing(known)


async def _told_default(work: Work, bucket: str) -> Encryption | None:
    """What the backend says, which need not be asked each time."""
    known = work.facts.known(bucket).get(DEFAULT, "")
    asked = ("GetBucketEncryption", work.facts.boot or work.step.place.name, bucket, known)
    answered = work.remembered.get(asked, work.now)
    if answered is None:
        try:
            told = await work.told("GetBucketEncryption", {"Bucket": work.given["Bucket"]})
            text = text_of(told or {})
        except NotToldError:
            # SECURITY: AWS itself has a default for each bucket; of other backends those that know none say so.
            text = UNSETTLED if work.step.place.backend.rules.is_aws or work.is_embedded else ""
        answered = (text,)
        work.remembered.put(asked, text, work.now)
    return standing(answered[0])


async def _note_use(work: Work, *, has_context: bool) -> None:
    """Note that what the embedded backend has in this bucket may be encrypted, and with more context, before it is."""
    bucket, noted = _bucket(work), (USED, CONTEXT) if has_context else (USED,)
    if not work.is_embedded or work.facts.get(bucket) is None:
        return
    if not work.facts.known(bucket).keys() >= set(noted):
        await work.note(bucket, dict.fromkeys(noted, "true"))


# What is read.


async def _source(work: Work) -> list[Use]:
    """What reading the source of a copy needs."""
    place = s3.values(work.asked)
    version = {"VersionId": place["source_version"]} if "source_version" in place else {}
    named = {"Bucket": place["source_bucket"], "Key": str(place["source_key"]), **version}
    customer = {name: work.given[f"CopySource{name}"] for name in _OF_CUSTOMER if f"CopySource{name}" in work.given}
    return await read(named, work, customer)


async def read(named: Mapping[str, Any], work: Work, customer: Mapping[str, Any] | None = None) -> list[Use]:
    """What reading an object needs, whichever bucket it is in; `customer` is the key that a customer brings."""
    bucket = f"arn:{work.asked.partition}:s3:::{named['Bucket']}"
    if _is_free(bucket, work):
        return []
    backend = placing.of_bucket(bucket, work.asked, work.backends, work.facts).backend
    owner = work.facts.bucket_owner(work.facts.get(bucket), work.asked.account)
    told = await work.told("HeadObject", {**named, **(customer or {})}, backend=backend, account=owner, service="s3")
    found = _described(told)
    return [_use(DECRYPT, found, work, f"{bucket}/{named['Key']}", owner)] if found is not None else []


async def _read(work: Work) -> list[Use]:
    """What reading the object needs, whose answer does not tell how it is encrypted."""
    if _is_free(_bucket(work), work):
        return []
    named = ("Bucket", "Key", "VersionId", *_OF_CUSTOMER)
    told = await work.told("HeadObject", {name: work.given[name] for name in named if name in work.given})
    found = _described(told)
    return [_use(DECRYPT, found, work, _key_of(work.given), work.owner)] if found is not None else []


def _is_free(bucket: str, work: Work) -> bool:
    """Whether nothing in a bucket is encrypted by KMS: nothing gets into the embedded backend's but through iamd."""
    known = work.facts.get(bucket)
    return work.is_embedded and known is not None and USED not in known.facts


def _described(told: Mapping[str, Any] | None) -> Encryption | None:
    """How an object is encrypted that the backend has described."""
    algorithm = told.get("ServerSideEncryption") if told is not None else None
    if told is None or algorithm not in BY_KMS:
        return None
    return Encryption(algorithm, told.get("SSEKMSKeyId"), told.get("BucketKeyEnabled") is True)


def _shown(headers: Headers) -> Encryption | None:
    """How an object is encrypted that the answer brings."""
    found = dict(headers)
    algorithm = found.get(HEADER, b"").decode("latin-1")
    if algorithm not in BY_KMS:
        return None
    key = found.get(KEY_ID)
    return Encryption(algorithm, key.decode("latin-1") if key else None, found.get(BUCKET_KEY, b"").lower() == b"true")


def _tells_checksum(given: Mapping[str, Any], headers: Headers) -> bool:
    """AWS: HeadObject needs the key for the checksum alone (S3 API Reference, HeadObject, ChecksumMode)."""
    return given.get("ChecksumMode") == "ENABLED" and any(name.startswith(_CHECKSUM) for name, _ in headers)


def _attributes(given: Mapping[str, Any]) -> list[str]:
    named = given.get("ObjectAttributes") or ()
    return [part.strip() for text in ([named] if isinstance(named, str) else named) for part in str(text).split(",")]


# Uploads in parts.


def _of_upload(work: Work) -> list[Use]:
    """What a step of an upload needs: S3 reads the parts, which are encrypted as the upload was begun."""
    known = work.facts.known(_upload(work, str(work.given.get("UploadId"))))
    if not known:
        return []
    more = msgspec.json.decode(known.get("context", "{}"), type=dict[str, str])
    found = Encryption(known["algorithm"], known["key"] or None, known["bucket_key"] == "true", more, told=True)
    return [_use(DECRYPT, found, work, _key_of(work.given), known["account"])]


def _upload(work: Work, upload_id: str) -> str:
    return upload(str(work.given["Bucket"]), upload_id)


async def _remember_upload(work: Work, answer: Answer) -> None:
    """Remember how the parts of an upload are encrypted."""
    sealing, match = work.step.sealing, _UPLOAD_ID.search(answer.whole or b"")
    if sealing is None or match is None:
        return
    facts = {
        "algorithm": sealing.algorithm,
        "key": sealing.arn or sealing.key or "",
        "bucket_key": str(sealing.bucket_key).lower(),
        "account": sealing.account,
        "context": msgspec.json.encode(sealing.context).decode(),
    }
    await work.note(_upload(work, match[1].decode()), facts)


# One use.


def _bucket(work: Work) -> str:
    return f"arn:{work.asked.partition}:s3:::{work.given['Bucket']}"


def _key_of(given: Mapping[str, Any]) -> str:
    return str(given["Key"])


def _may_have_context(bucket: str, work: Work) -> bool:
    """Whether an object in a bucket may have been written with more context than its ARN."""
    known = work.facts.get(bucket)
    # SECURITY: what was written past iamd nobody knows.
    return not work.is_embedded or known is None or CONTEXT in known.facts


def _use(action: str, found: Encryption, work: Work, key: str, account: str) -> Use:
    """The use for one object, whose key or ARN is given.

    AWS: the encryption context is the object's ARN, or with bucket keys the bucket's (S3 User Guide, bucket-key).
    """
    whole = key if key.startswith("arn:") else f"{_bucket(work)}/{key}"
    bucket = whole.partition("/")[0]
    arn = bucket if found.bucket_key else whole
    region = work.facts.known(bucket).get(REGION) or work.asked.region
    context = {"aws:s3:arn": arn, **found.context}
    return Use(
        action=action,
        key=found.key,
        account=account,
        region=region,
        context=context,
        any_key=found.unknown,
        untold_context=action == DECRYPT and not found.told and _may_have_context(bucket, work),
    )
