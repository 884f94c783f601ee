"""Buckets' policies that iamd keeps by itself: their backend has none, or does not know iamd's principals."""

from typing import Final

from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.resources import NoSuchBucket
from iamd.wire.models import Operation

_DONE: Final = 204
_KEPT: Final = frozenset({"DeleteBucketPolicy", "GetBucketPolicy", "GetBucketPolicyStatus", "PutBucketPolicy"})


class NoSuchBucketPolicy(AWSError):
    """A bucket without a policy (S3 API Reference, "Error responses")."""

    code = "NoSuchBucketPolicy"
    status = 404


def is_kept(operation: Operation, backend: Backend) -> bool:
    """Whether a request is about a policy that the backend does not get."""
    return not backend.rules.takes_policies and operation.service == "s3" and operation.name in _KEPT


async def answer(asked: Asked, backend: Backend, account: str, now: float) -> Answer:
    """The answer in place of the backend's, for a bucket that is there."""
    name, bucket = asked.operation.name, str(asked.parameters["Bucket"])
    if name == "GetBucketPolicyStatus":
        raise CommonError(Common.NOT_IMPLEMENTED, "iamd does not tell whether a policy that it keeps is public.")
    given = {"Bucket": bucket, "MaxKeys": 1}
    try:
        there = await ask(backend, "s3", "ListObjectsV2", given, account=account, region=asked.region, now=now)
    except NotToldError as error:
        raise CommonError(Common.UNAVAILABLE, "The backend does not tell whether the bucket is there.") from error
    if there is None:
        raise NoSuchBucket("The specified bucket does not exist", members={"BucketName": bucket})
    if name == "GetBucketPolicy":
        # Where there is one iamd has answered by it before.
        raise NoSuchBucketPolicy("The bucket policy does not exist", members={"BucketName": bucket})
    return Answer(_DONE, [], b"")
