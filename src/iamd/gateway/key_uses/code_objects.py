"""The keys of objects that Lambda reads code from for its callers: those of functions and of layers.

AWS: Lambda Developer Guide, "Troubleshoot deployment issues in Lambda" (the caller's right to read the object); S3 User
Guide, UsingKMSEncryption: who reads an object needs `kms:Decrypt`, through S3.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from iamd.gateway.key_uses import s3
from iamd.gateway.key_uses.use import Use, Work


async def before(work: Work) -> list[Use]:
    """What S3 asks of KMS when Lambda reads code."""
    given: Mapping[str, Any] = work.given
    place = given.get("Code") or given.get("Content") or given
    bucket, key, version = place.get("S3Bucket"), place.get("S3Key"), place.get("S3ObjectVersion")
    if not bucket or not key:
        return []
    named = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    return [replace(use, through="s3") for use in await s3.read(named, work)]
