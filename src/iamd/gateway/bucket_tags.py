"""S3 Control's calls for the tags of buckets, as GetBucketTagging and PutBucketTagging at the bucket's own backend.

A backend need not know S3 Control so, nor read tags in CreateBucket. AWS: S3 API Reference, TagResource, UntagResource
and ListTagsForResource; S3 User Guide, "Using tags with S3 general purpose buckets".
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import bucket_ownership, public_access
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.s3control import InvalidRequest
from iamd.gateway.actions.tags import pairs
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.effect import Effect, Kind
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.own_answers import check_there, written
from iamd.gateway.resources import Facts
from iamd.gateway.tag_readers import MOST_TAGS
from iamd.policy_places import is_s3
from iamd.wire.models import Operation

Tags = Mapping[str, str]
_OWN: Final = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})
_GIVEN: Final = "CreateBucketConfiguration.Tags"
REGION: Final = "region"
"""The fact in which Region a bucket is."""

# AWS: S3 API Reference, the types of S3 Control's Tag: lengths and characters of keys and values.
_LONGEST_KEY: Final = 128
_LONGEST_VALUE: Final = 256
_TEXT: Final = re.compile(r"(?:[\w.:/=+\-@]|[^\S\t-\r\x1c-\x1f\x85])*")


class InvalidTag(AWSError):
    """A tag that a bucket can't have (S3 API Reference, "Error responses", of tagging)."""

    code = "InvalidTag"
    status = 400


class BadRequest(AWSError):
    """More tags than a bucket can have; no page of AWS's has the code, others have recorded it."""

    code = "BadRequest"
    status = 400


def is_own(asked: Asked, arn: str) -> bool:
    """Whether a request is for the tags of a bucket, by S3 Control."""
    return may_be_own(asked.operation) and is_s3(arn)


def may_be_own(operation: Operation) -> bool:
    """Whether an operation may be for the tags of a bucket, by S3 Control."""
    return operation.service == "s3control" and operation.name in _OWN


def makes(operation: Operation) -> bool:
    """Whether an operation makes a bucket."""
    return (operation.service, operation.name) == ("s3", "CreateBucket")


def make(asked: Asked, arn: str, facts: Facts) -> Effect:
    """CreateBucket: the bucket is made, with tags that it can have, closed to others, in its Region."""
    _checked(at(asked.parameters, _GIVEN) or ())
    if facts.get(arn) is not None:
        return Effect(Kind.MAKE, arn, done=bucket_ownership.remade(asked, facts))
    told = at(asked.parameters, "CreateBucketConfiguration.LocationConstraint") or asked.region
    # AWS: the constraint of the oldest Region of Europe (S3 API Reference, CreateBucketConfiguration).
    region = {REGION: "eu-west-1" if told == "EU" else str(told)}
    owned = bucket_ownership.of_new(asked, facts)

    def begun(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**owned, **public_access.of_new(known)}

    return Effect(Kind.MAKE, arn, begun=begun, done=lambda known: {**known, **region})


def of_new(asked: Asked, arn: str, facts: Facts) -> Tags | None:
    """The tags to be set on what CreateBucket has made; None for none, and for a bucket that was there before."""
    given = at(asked.parameters, _GIVEN) if makes(asked.operation) else None
    return _checked(given) if given and facts.get(arn) is None else None


class BucketTags:
    """The tags of one bucket at its backend."""

    def __init__(self, arn: str, asked: Asked, backend: Backend, account: str, now: float) -> None:
        self._bucket = arn.rpartition(":")[2]
        self._arn = arn
        self._asked = asked
        self._backend = backend
        self._account = account
        self._now = now
        self._ask = partial(ask, backend, "s3", account=account, region=asked.region, now=now)

    async def answer(self) -> Answer:
        """What S3 Control answers; the change is made when this returns."""
        operation = self._asked.operation
        try:
            if operation.name == "ListTagsForResource":
                tags = await self._present()
                return written(operation, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
            async with _lock(self._arn):
                await self._change(operation.name)
        except NotToldError as error:
            raise _unanswered() from error
        return written(operation, {})

    async def set_on_new(self, tags: Tags) -> None:
        """Set the tags of a bucket that has just been made."""
        try:
            await self._set(tags)
        except NotToldError as error:
            words = "The bucket is made, but its tags could not be set. Delete it, or tag it with TagResource."
            raise CommonError(Common.UNAVAILABLE, words) from error

    async def _change(self, name: str) -> None:
        given = self._asked.parameters
        # The model's pattern of ResourceArn fits no bucket, so that what is required is looked at here.
        member = "Tags" if name == "TagResource" else "TagKeys"
        if member not in given:
            raise InvalidRequest(f"The request has no {member}.")
        added = _checked(given["Tags"]) if name == "TagResource" else {}
        present = await self._present()
        wanted = {**present, **added}
        for key in given["TagKeys"] if name == "UntagResource" else ():
            wanted.pop(key, None)
        if len(wanted) > MOST_TAGS:
            raise _too_many()
        if wanted != present:
            await self._set(wanted)

    async def _present(self) -> dict[str, str]:
        told = await self._ask("GetBucketTagging", {"Bucket": self._bucket})
        if told is None:
            # Without tags S3 answers as for a thing that is not there (API Reference, GetBucketTagging: NoSuchTagSet).
            await check_there(self._bucket, self._asked, self._backend, self._account, self._now)
        return dict(pairs(told["TagSet"])) if told is not None else {}

    async def _set(self, tags: Tags) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        named: dict[str, Any] = {"Bucket": self._bucket}
        if listed:
            told = await self._ask("PutBucketTagging", {**named, "Tagging": {"TagSet": listed}})
        else:
            told = await self._ask("DeleteBucketTagging", named)
        if told is None:
            raise NotToldError("the bucket went away")


def _checked(given: Sequence[Mapping[str, Any]]) -> Tags:
    """The tags of a list, which no bucket has twice, too long, or in AWS's own name."""
    found: dict[str, str] = {}
    for tag in given:
        key, value = tag.get("Key") or "", tag.get("Value")
        if key in found:
            raise InvalidTag("Cannot provide multiple Tags with the same key")
        if key.lower().startswith("aws:"):
            raise InvalidTag("System tags cannot be added/updated by requester")
        if not 0 < len(key) <= _LONGEST_KEY or not _TEXT.fullmatch(key):
            raise InvalidTag("The TagKey you have provided is invalid")
        if value is None or len(value) > _LONGEST_VALUE or not _TEXT.fullmatch(value):
            raise InvalidTag("The TagValue you have provided is invalid")
        found[key] = value
    if len(found) > MOST_TAGS:
        raise _too_many()
    return found


def _too_many() -> BadRequest:
    return BadRequest(f"Bucket tag count cannot be greater than {MOST_TAGS}")


def _unanswered() -> BackendUnavailable:
    return BackendUnavailable(Common.UNAVAILABLE, "The backend does not tell or take the tags of the bucket.")


def _lock(arn: str) -> asyncio.Lock:
    """One change of a bucket's tags at a time, for each is read and written whole."""
    lock = _LOCKS.get(arn)
    if lock is None:
        lock = _LOCKS[arn] = asyncio.Lock()
    return lock


_LOCKS: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
