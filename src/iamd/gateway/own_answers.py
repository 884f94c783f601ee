"""Answers that iamd gives in a backend's place about buckets that the backend has."""

from collections.abc import Mapping
from typing import Any

from iamd.errors import Common
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.resources import NoSuchBucket
from iamd.wire import serialize
from iamd.wire.models import Operation


def written(operation: Operation, result: Mapping[str, Any]) -> Answer:
    """The answer of an operation that went well; `result` has the model's member names."""
    response = serialize.response(operation, result, "")
    return Answer(response.status, [pair for pair in response.headers if pair[0] == b"content-type"], response.body)


async def check_there(bucket: str, asked: Asked, backend: Backend, account: str, now: float) -> None:
    """NoSuchBucket unless the backend has the bucket."""
    given = {"Bucket": bucket, "MaxKeys": 1}
    try:
        there = await ask(backend, "s3", "ListObjectsV2", given, account=account, region=asked.region, now=now)
    except NotToldError as error:
        raise BackendUnavailable(
            Common.UNAVAILABLE, "The backend does not tell whether the bucket is there."
        ) from error
    if there is None:
        raise NoSuchBucket("The specified bucket does not exist", members={"BucketName": bucket})
