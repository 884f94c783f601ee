"""The tags of resources, which policies name by `aws:ResourceTag/...`: asked of the backend when a decision needs them.

They are asked for when a request would be denied because a statement rests on them, and are not kept: what is decided
on is what the backend has. The keys are those of each service's page on ABAC, and of the Service Authorization
Reference.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from iamd import arn as arns
from iamd.authz.authorize import Verdict
from iamd.authz.context import Context
from iamd.authz.partly_known import PartlyKnown
from iamd.gateway import bucket_abac, placing, tag_readers
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import BUCKET
from iamd.gateway.actions.tags import pairs
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Backends
from iamd.gateway.resources import Facts
from iamd.gateway.tag_readers import Read
from iamd.policy.request import lower
from iamd.policy_places import bucket_of, is_of_point, is_s3

Tags = Mapping[str, str]
MOST_PAGES: Final = 10
"""Which no service gives out in more pages."""

_EXISTING: Final = "s3:existingobjecttag/"
_OF_RDS: Final = frozenset(
    {
        "cluster", "cluster-pg", "cluster-snapshot", "db", "es", "og", "pg", "ri", "secgrp", "snapshot", "subgrp",
    }
)  # fmt: skip
"""Kinds of RDS's resources with a key of their own for tags (Service Authorization Reference, list_amazonrds)."""


class Source(NamedTuple):
    """What has tags that are keys of decisions on a resource, and how these keys begin."""

    arn: str
    beginnings: tuple[str, ...]


def sources(arn: str, facts: Facts) -> tuple[Source, ...]:
    """Whose tags are keys of decisions on a resource: its own, and of an object its bucket's too.

    Through an access point an object is asked for with the tags of the point, the bucket and its own.

    AWS: Service Authorization Reference, list_amazons3: `aws:ResourceTag` and `s3:BucketTag` are keys of buckets and of
    objects; S3 User Guide, "Using tags with S3 general purpose buckets".
    """
    if is_of_point(arn):
        return tuple(_of_point(arn, facts))
    if not is_s3(arn):
        return (Source(arn, ("aws:resourcetag/", *_own_beginnings(arn))),)
    bucket = Source(bucket_of(arn), ("aws:resourcetag/", "s3:buckettag/"))
    return (bucket,) if arn == bucket.arn else (bucket, Source(arn, (_EXISTING,)))


def _own_beginnings(arn: str) -> tuple[str, ...]:
    found = arns.parse(arn)
    if found is None:
        return ()
    kind = found.resource.partition(":")[0]
    of_kind = (f"rds:{kind}-tag/",) if found.service == "rds" and kind in _OF_RDS else ()
    return (f"{found.service}:resourcetag/", *of_kind)


def _of_point(arn: str, facts: Facts) -> Iterator[Source]:
    """AWS: Service Authorization Reference, list_amazons3, access points and the objects of access points."""
    point, _slash, key = arn.partition("/object/")
    yield Source(point, ("aws:resourcetag/", "s3:accesspointtag/"))
    bucket = facts.known(point).get(BUCKET)
    if bucket is not None:
        behind = f"arn:{arn.split(':', 2)[1]}:s3:::{bucket}"
        yield Source(behind, ("s3:buckettag/",))
        if key:
            yield Source(f"{behind}/{key}", (_EXISTING,))


def known_beginnings(arn: str, facts: Facts) -> tuple[str, ...]:
    """How the condition keys of a resource begin that are known by the tags that were asked for."""
    return tuple(one for source in sources(arn, facts) if source.arn in facts.tags for one in source.beginnings)


def keys_of(arn: str, facts: Facts) -> Context:
    """The condition keys that come of the tags that were asked for.

    Of those that differ by case alone the first in byte order counts.
    """
    return {
        f"{beginning}{lower(key)}": value
        for source in sources(arn, facts)
        for beginning in source.beginnings
        for key, value in sorted(facts.tags.get(source.arn, {}).items(), reverse=True)
    }


async def told(verdicts: Sequence[Verdict], asked: Asked, facts: Facts, backends: Backends, now: float) -> Facts | None:
    """The facts with the tags that a denial among the verdicts rests on; None when it rests on none that can be known.

    There is one denial at most, but in soft enforcement.
    """
    for verdict in verdicts:
        for arn in [] if verdict.decision.allowed else _missed(verdict, facts):
            tags = await _of(arn, verdict.request.resource_account, asked, facts, backends, now)
            if tags is not None:
                return facts.with_tags(arn, tags)
    return None


def _missed(verdict: Verdict, facts: Facts) -> list[str]:
    """Whose tags a verdict rests on, of those that have not been told."""
    keys = verdict.request.context
    if not isinstance(keys, PartlyKnown):
        return []
    return [
        source.arn
        for source in sources(verdict.request.resource, facts)
        if source.arn not in facts.tags
        and _counts(source.arn, facts)
        and any(key.startswith(source.beginnings) for key in keys.missed)
    ]


def _counts(arn: str, facts: Facts) -> bool:
    # SECURITY: while it is not settled whether a bucket has ABAC, its tags say nothing.
    return not is_s3(arn) or arn != bucket_of(arn) or bucket_abac.is_enabled(facts, arn) is True


async def _of(arn: str, account: str, asked: Asked, facts: Facts, backends: Backends, now: float) -> Tags | None:
    """The tags of a resource, none when there is no such resource; None when they can't be known."""
    found = arns.parse(arn)
    reads = tag_readers.reads(found, asked) if found is not None else None
    if found is None or reads is None:
        return None
    region = found.region or asked.region
    tags: dict[str, str] = {}
    try:
        for read in reads:
            # SECURITY: a bucket of the same name at another backend has other tags.
            place = (
                placing.of_bucket(arn, asked, backends, facts)
                if is_s3(arn)
                else backends.of(read.service, account, region)
            )
            pages = _pages(read, partial(ask, place.backend, account=account, region=region, now=now))
            tags |= dict([pair async for page in pages for pair in pairs(page)])
    except NotToldError:
        return None
    return tags


async def _pages(
    read: Read, ask_backend: Callable[..., Awaitable[Mapping[str, Any] | None]]
) -> AsyncIterator[list[Any]]:
    given = read.parameters
    for _ in range(MOST_PAGES):
        page = await ask_backend(read.service, read.operation, given)
        if page is None:
            return
        for told in _within(page, read.tags):
            yield told
        token = page.get(read.more[0]) if read.more is not None else None
        if read.more is None or not token:
            return
        given = {**given, read.more[1]: token}
    raise NotToldError("there are too many tags")


def _within(told: Any, path: str) -> Iterator[Any]:
    """What stands at the end of a path, in each item of a list on its way; the last step alone may be missing."""
    step, _, rest = path.partition(".")
    for one in told if isinstance(told, list) else (told,):
        if not rest:
            yield one.get(step) or ()
        # SECURITY: an answer about nothing is not one without tags.
        elif not one.get(step):
            raise NotToldError(f"the answer has no {step}")
        else:
            yield from _within(one[step], rest)
