"""The tags of resources, which policies name by `aws:ResourceTag/...`: asked of the backend when a decision needs them.

They are asked for when a request would be denied because a statement rests on them, and are not kept: what is decided
on is what the backend has. The keys are those of each service's page on ABAC, and of the Service Authorization
Reference.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

from iamd import arn as arns
from iamd.arn import Arn
from iamd.authz.authorize import Verdict
from iamd.authz.context import Context
from iamd.authz.partly_known import PartlyKnown
from iamd.gateway import bucket_abac, placing
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import BUCKET
from iamd.gateway.actions.tags import pairs
from iamd.gateway.any_of_kind import WITH_STARS
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Backends
from iamd.gateway.resources import Facts, bucket_of, is_of_point, is_s3
from iamd.policy.request import lower

Tags = Mapping[str, str]
Given = dict[str, Any]

MOST_TAGS: Final = 50
"""AWS: of one resource (Tagging AWS Resources, "Tag naming limits and requirements")."""
MOST_PAGES: Final = 10
"""Which no service gives out in more pages."""

_EXISTING: Final = "s3:existingobjecttag/"


class Reader(NamedTuple):
    """How the tags of a service's resources are read: the operation, its parameters by the resource, and its output.

    `more` are the members of the output and the input by which the next page is asked for.
    """

    service: str
    operation: str
    parameters: Callable[[Arn, Asked], Given | None]
    tags: str
    more: tuple[str, str] | None = None


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
        service = arn.split(":", 3)[2] if arn.count(":") > 2 else ""
        return (Source(arn, ("aws:resourcetag/", f"{service}:resourcetag/")),)
    bucket = Source(bucket_of(arn), ("aws:resourcetag/", "s3:buckettag/"))
    return (bucket,) if arn == bucket.arn else (bucket, Source(arn, (_EXISTING,)))


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
    reader = _reader(found) if found is not None and _is_one(found) else None
    given = reader.parameters(found, asked) if found is not None and reader is not None else None
    if found is None or reader is None or given is None:
        return None
    region = found.region or asked.region
    # SECURITY: a bucket of the same name at another backend has other tags.
    place = (
        placing.of_bucket(arn, asked, backends, facts) if is_s3(arn) else backends.of(reader.service, account, region)
    )
    try:
        pages = _pages(reader, given, partial(ask, place.backend, account=account, region=region, now=now))
        return dict([pair async for page in pages for pair in pairs(page)])
    except NotToldError:
        return None


def _reader(found: Arn) -> Reader | None:
    if found.service != "s3":
        return _READERS.get(found.service)
    if found.account:
        # Of jobs, grants and storage lenses nothing is asked.
        return _POINT if found.resource.startswith("accesspoint/") else None
    return _OBJECT if "/" in found.resource else _BUCKET


def _is_one(arn: Arn) -> bool:
    # SECURITY: what stands for all that a request might be for has no tags, and that says nothing of what it is for.
    return arn.service in WITH_STARS or "*" not in arn.resource


async def _pages(
    reader: Reader, given: Given, ask_backend: Callable[..., Awaitable[Mapping[str, Any] | None]]
) -> AsyncIterator[Any]:
    for _ in range(MOST_PAGES):
        page = await ask_backend(reader.service, reader.operation, given)
        if page is None:
            return
        yield page.get(reader.tags) or ()
        token = page.get(reader.more[0]) if reader.more is not None else None
        if reader.more is None or not token:
            return
        given = {**given, reader.more[1]: token}
    raise NotToldError("there are too many tags")


def _by_arn(member: str) -> Callable[[Arn, Asked], Given | None]:
    return lambda arn, _: {member: str(arn)}


def _certificate(arn: Arn, _: Asked) -> Given | None:
    return {"CertificateArn": str(arn)} if arn.resource.startswith("certificate/") else None


def _of_glue(arn: Arn, _: Asked) -> Given | None:
    """AWS: an account's own catalog has no tags (Service Authorization Reference)."""
    return {"ResourceArn": str(arn)} if arn.resource != "catalog" else None


def _queue(arn: Arn, _: Asked) -> Given:
    return {"QueueUrl": f"http://localhost/{arn.account}/{arn.resource}"}


def _topic(arn: Arn, _: Asked) -> Given | None:
    # A subscription's ARN goes on behind its topic's, and has no tags.
    return {"ResourceArn": str(arn)} if ":" not in arn.resource else None


def _table(arn: Arn, _: Asked) -> Given | None:
    """AWS: an index has its table's tags (DynamoDB Developer Guide, "Using attribute-based access control")."""
    kind, _slash, rest = arn.resource.partition("/")
    name, _slash, within = rest.partition("/")
    if kind != "table" or not name or not (within == "" or within.startswith("index/")):
        return None
    return {"ResourceArn": str(Arn(arn.partition, arn.service, arn.region, arn.account, f"table/{name}"))}


def _function(arn: Arn, _: Asked) -> Given | None:
    """AWS: tags belong to functions, not to their versions and aliases (Lambda Developer Guide, "Using tags")."""
    kind, _colon, rest = arn.resource.partition(":")
    return {"Resource": str(arn)} if kind == "function" and ":" not in rest else None


def _secret(arn: Arn, _: Asked) -> Given | None:
    kind, _colon, name = arn.resource.partition(":")
    if kind != "secret":
        return None
    return {"SecretId": name.removesuffix("-??????") if name.endswith("-??????") else str(arn)}


def _key(arn: Arn, _: Asked) -> Given | None:
    kind, _slash, key = arn.resource.partition("/")
    return {"KeyId": key} if kind == "key" else None


def _of_ec2(arn: Arn, _: Asked) -> Given | None:
    _kind, _slash, resource = arn.resource.partition("/")
    return {"Filters": [{"Name": "resource-id", "Values": [resource]}]} if resource else None


def _log_group(arn: Arn, _: Asked) -> Given | None:
    """AWS: streams have no tags of their own, and their keys none (Service Authorization Reference)."""
    kind, _colon, rest = arn.resource.partition(":")
    name, _colon, within = rest.partition(":")
    if kind != "log-group" or within not in {"", "*", "log-stream:"} or "*" in name:
        return None
    return {"resourceArn": str(Arn(arn.partition, arn.service, arn.region, arn.account, f"log-group:{name}"))}


def _stream(member: str, kind: str) -> Callable[[Arn, Asked], Given | None]:
    def named(arn: Arn, _: Asked) -> Given | None:
        found, _slash, name = arn.resource.partition("/")
        return {member: name, "Limit": MOST_TAGS} if found == kind and "/" not in name else None

    return named


def _of_systems_manager(arn: Arn, _: Asked) -> Given | None:
    kind, _slash, name = arn.resource.partition("/")
    if kind not in _SYSTEMS_MANAGER:
        return None
    # A parameter's ARN has one slash where its name begins with one (SSM API Reference, GetParameter).
    is_path = kind == "parameter" and "/" in name
    return {"ResourceType": _SYSTEMS_MANAGER[kind], "ResourceId": f"/{name}" if is_path else name}


_SYSTEMS_MANAGER: Final = {
    "parameter": "Parameter",
    "document": "Document",
    "maintenancewindow": "MaintenanceWindow",
    "patchbaseline": "PatchBaseline",
    "managed-instance": "ManagedInstance",
}


def _object(arn: Arn, asked: Asked) -> Given | None:
    bucket, _slash, key = arn.resource.partition("/")
    versions = {version for named, version in _versions(asked) if named == arn.resource}
    if not key or len(versions) != 1:
        # Which of several versions of one object is asked for, the verdict does not say.
        return None
    [version] = versions
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


def _versions(asked: Asked) -> Iterator[tuple[str, Any]]:
    """The objects that a request names, with the versions of them that it means."""
    given = asked.parameters
    yield f"{given.get('Bucket')}/{given.get('Key')}", given.get("VersionId")
    source, _mark, query = str(given.get("CopySource", "")).partition("?")
    yield unquote(source).removeprefix("/"), next(iter(parse_qs(query).get("versionId", ())), None)


_OBJECT: Final = Reader("s3", "GetObjectTagging", _object, "TagSet")
_BUCKET: Final = Reader("s3", "GetBucketTagging", lambda arn, _: {"Bucket": arn.resource}, "TagSet")
_POINT: Final = Reader(
    "s3control",
    "ListTagsForResource",
    lambda arn, _: {"AccountId": arn.account, "ResourceArn": str(arn)},
    "Tags",
)
_READERS: Final[Mapping[str, Reader]] = {
    "acm": Reader("acm", "ListTagsForCertificate", _certificate, "Tags"),
    "athena": Reader("athena", "ListTagsForResource", _by_arn("ResourceARN"), "Tags", ("NextToken", "NextToken")),
    "batch": Reader("batch", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "bedrock": Reader("bedrock", "ListTagsForResource", _by_arn("resourceARN"), "tags"),
    "cassandra": Reader("keyspaces", "ListTagsForResource", _by_arn("resourceArn"), "tags", ("nextToken", "nextToken")),
    "cloudwatch": Reader("cloudwatch", "ListTagsForResource", _by_arn("ResourceARN"), "Tags"),
    "codecommit": Reader(
        "codecommit", "ListTagsForResource", _by_arn("resourceArn"), "tags", ("nextToken", "nextToken")
    ),
    "dynamodb": Reader("dynamodb", "ListTagsOfResource", _table, "Tags", ("NextToken", "NextToken")),
    "ec2": Reader("ec2", "DescribeTags", _of_ec2, "Tags", ("NextToken", "NextToken")),
    "ecr": Reader("ecr", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "ecs": Reader("ecs", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "events": Reader("events", "ListTagsForResource", _by_arn("ResourceARN"), "Tags"),
    "firehose": Reader(
        "firehose", "ListTagsForDeliveryStream", _stream("DeliveryStreamName", "deliverystream"), "Tags"
    ),
    "glue": Reader("glue", "GetTags", _of_glue, "Tags"),
    "kinesis": Reader("kinesis", "ListTagsForStream", _stream("StreamName", "stream"), "Tags"),
    "kms": Reader("kms", "ListResourceTags", _key, "Tags", ("NextMarker", "Marker")),
    "lambda": Reader("lambda", "ListTags", _function, "Tags"),
    "logs": Reader("logs", "ListTagsForResource", _log_group, "tags"),
    "rds": Reader("rds", "ListTagsForResource", _by_arn("ResourceName"), "TagList"),
    "secretsmanager": Reader("secretsmanager", "DescribeSecret", _secret, "Tags"),
    "sns": Reader("sns", "ListTagsForResource", _topic, "Tags"),
    "sqs": Reader("sqs", "ListQueueTags", _queue, "Tags"),
    "ssm": Reader("ssm", "ListTagsForResource", _of_systems_manager, "TagList"),
    "states": Reader("stepfunctions", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
}
"""By the service of an ARN, but for S3's."""
