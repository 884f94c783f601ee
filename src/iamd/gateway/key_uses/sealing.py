"""Sealing: how what a request writes is to be encrypted by KMS, as the backend is told."""

from collections.abc import Mapping
from typing import Final

import msgspec

from iamd.http import Headers

HEADER: Final = b"x-amz-server-side-encryption"
KEY_ID: Final = b"x-amz-server-side-encryption-aws-kms-key-id"
BUCKET_KEY: Final = b"x-amz-server-side-encryption-bucket-key-enabled"


class Sealing(msgspec.Struct):
    """How an object is to be encrypted.

    `key` is the key as it is named, None for S3's own in the account; `arn` is its ARN once it is known.
    """

    algorithm: str
    key: str | None
    account: str
    bucket_key: bool
    context: Mapping[str, str] = {}
    arn: str | None = None

    def written(self, headers: Headers, *, whole: bool) -> Headers:
        """The headers of the request, with the key's ARN for what it calls the key.

        `whole` says that what the bucket's default says stands there too: the embedded backend keeps what it is told.
        """
        if self.arn is None or (not whole and self.key is None):
            return headers
        told = {HEADER: self.algorithm.encode(), KEY_ID: self.arn.encode()}
        if whole:
            told[BUCKET_KEY] = b"true" if self.bucket_key else b"false"
        return [*(pair for pair in headers if pair[0] not in told), *told.items()]
