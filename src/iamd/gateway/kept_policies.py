"""Buckets' policies that iamd keeps by itself: their backend has none, or does not know iamd's principals."""

from typing import Final

from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.backend import Backend
from iamd.gateway.own_answers import check_there
from iamd.wire.models import Operation

_DONE: Final = 204
_KEPT: Final = frozenset({"DeleteBucketPolicy", "GetBucketPolicy", "GetBucketPolicyStatus", "PutBucketPolicy"})


class NoSuchBucketPolicy(AWSError):
    """A bucket without a policy (S3 API Reference, "Error responses")."""

    code = "NoSuchBucketPolicy"
    status = 404


def is_kept(operation: Operation, backend: Backend) -> bool:
    """Whether a request is about a policy that the backend does not get."""
    return not backend.rules.takes_policies and may_be_kept(operation)


def may_be_kept(operation: Operation) -> bool:
    """Whether an operation is about a policy that not every backend gets."""
    return operation.service == "s3" and operation.name in _KEPT


async def answer(asked: Asked, backend: Backend, account: str, now: float) -> Answer:
    """The answer in place of the backend's, for a bucket that is there."""
    name, bucket = asked.operation.name, str(asked.parameters["Bucket"])
    if name == "GetBucketPolicyStatus":
        raise CommonError(Common.NOT_IMPLEMENTED, "iamd does not tell whether a policy that it keeps is public.")
    await check_there(bucket, asked, backend, account, now)
    if name == "GetBucketPolicy":
        # Where there is one iamd has answered by it before.
        raise NoSuchBucketPolicy("The bucket policy does not exist", members={"BucketName": bucket})
    return Answer(_DONE, [], b"")
