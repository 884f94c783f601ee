"""The tags of resources, which policies name by `aws:ResourceTag/...`: asked of the backend when a decision needs them.

They are asked for when a request would be denied because a statement rests on them, and are not kept: what is decided
on is what the backend has. The keys are those of each service's page on ABAC, and of the Service Authorization
Reference.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

from iamd import arn as arns
from iamd.arn import Arn
from iamd.authz.authorize import Verdict
from iamd.authz.context import Context
from iamd.authz.partly_known import PartlyKnown
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.tags import pairs
from iamd.gateway.any_of_kind import WITH_STARS
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Backends
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


def missed(verdicts: Sequence[Verdict], known: Mapping[str, Tags]) -> Verdict | None:
    """The last verdict, when it denies and rests on tags that can be asked for."""
    last = verdicts[-1] if verdicts else None
    if last is None or last.decision.allowed or last.request.resource in known:
        return None
    keys, found = last.request.context, arns.parse(last.request.resource)
    if not isinstance(keys, PartlyKnown) or found is None or found.service not in _READERS:
        return None
    beginnings = beginnings_of(last.request.resource)
    return last if any(key.startswith(beginnings) for key in keys.missed) else None


def beginnings_of(arn: str) -> tuple[str, ...]:
    """How the condition keys begin that are a resource's tags."""
    service = arn.split(":", 3)[2]
    return (_EXISTING,) if service == "s3" else ("aws:resourcetag/", f"{service}:resourcetag/")


def keys_of(arn: str, tags: Tags) -> Context:
    """The condition keys of a resource's tags; of those that differ by case alone the first in byte order counts."""
    ordered = sorted(tags.items(), reverse=True)
    return {f"{beginning}{lower(key)}": value for beginning in beginnings_of(arn) for key, value in ordered}


async def of(verdict: Verdict, asked: Asked, backends: Backends, now: float) -> Tags | None:
    """The tags of the resource of a verdict, none when there is no such resource; None when they can't be known."""
    found = arns.parse(verdict.request.resource)
    reader = _READERS.get(found.service) if found is not None and _is_one(found) else None
    given = reader.parameters(found, asked) if found is not None and reader is not None else None
    if found is None or reader is None or given is None:
        return None
    try:
        pages = _pages(reader, given, found, verdict.request.resource_account, asked, backends, now)
        return dict([pair async for page in pages for pair in pairs(page)])
    except NotToldError:
        return None


def _is_one(arn: Arn) -> bool:
    # SECURITY: what stands for all that a request might be for has no tags, and that says nothing of what it is for.
    return arn.service in WITH_STARS or "*" not in arn.resource


async def _pages(
    reader: Reader, given: Given, found: Arn, account: str, asked: Asked, backends: Backends, now: float
) -> AsyncIterator[Any]:
    backend, region = backends.of(reader.service).backend, found.region or asked.region
    for _ in range(MOST_PAGES):
        told = await ask(backend, reader.service, reader.operation, given, account=account, region=region, now=now)
        if told is None:
            return
        yield told.get(reader.tags) or ()
        token = told.get(reader.more[0]) if reader.more is not None else None
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
    "s3": Reader("s3", "GetObjectTagging", _object, "TagSet"),
    "secretsmanager": Reader("secretsmanager", "DescribeSecret", _secret, "Tags"),
    "sns": Reader("sns", "ListTagsForResource", _topic, "Tags"),
    "sqs": Reader("sqs", "ListQueueTags", _queue, "Tags"),
    "ssm": Reader("ssm", "ListTagsForResource", _of_systems_manager, "TagList"),
    "states": Reader("stepfunctions", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
}
"""By the service of an ARN."""
