"""What a backend is asked for the tags of a resource, by its ARN.

Where a service tells tags in several ways, that one is asked which moto too answers with what it has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

from iamd.arn import Arn
from iamd.gateway.actions import resource_kinds
from iamd.gateway.actions.asked import Asked
from iamd.gateway.any_of_kind import WITH_STARS

Given = dict[str, Any]

MOST_TAGS: Final = 50
"""AWS: of one resource (Tagging AWS Resources, "Tag naming limits and requirements")."""


class Read(NamedTuple):
    """One operation that tells tags, its parameters, and where in its output they stand (`UserPool.UserPoolTags`).

    `more` are the members of the output and the input by which the next page is asked for.
    """

    service: str
    operation: str
    parameters: Given
    tags: str
    more: tuple[str, str] | None = None


Reads = Callable[[Arn, Asked], Sequence[Read] | None]
"""What is asked for the tags of a resource; of one tag, a later answer counts. None when they can't be asked for."""
Parameters = Callable[[Arn, Asked], Given | None]


def reads(arn: Arn, asked: Asked) -> Sequence[Read] | None:
    """What is asked for the tags of a resource: nothing of what has none, None when they can't be known."""
    if not _is_one(arn):
        return None
    way = _of_s3 if arn.service == "s3" else _READS.get(arn.service)
    found = way(arn, asked) if way is not None else None
    if found is None and arn.service not in _INHERITING and resource_kinds.has_no_tags(str(arn)):
        return ()
    return found


_INHERITING: Final = frozenset({"apigateway"})
"""Services whose types have no keys for tags and, by other pages, the tags of what they are in."""


def _of_s3(arn: Arn, asked: Asked) -> Sequence[Read] | None:
    if arn.account:
        # Of jobs, grants and storage lenses nothing is asked.
        return _POINT(arn, asked) if arn.resource.startswith("accesspoint/") else None
    return (_OBJECT if "/" in arn.resource else _BUCKET)(arn, asked)


def _is_one(arn: Arn) -> bool:
    # SECURITY: what stands for all that a request might be for has no tags, and that says nothing of what it is for.
    return arn.service in WITH_STARS or "*" not in arn.resource.removeprefix(_GROUP)


def _by(service: str, operation: str, parameters: Parameters, tags: str, more: tuple[str, str] | None = None) -> Reads:
    """One operation, where there are parameters for it."""

    def found(arn: Arn, asked: Asked) -> Sequence[Read] | None:
        given = parameters(arn, asked)
        return None if given is None else (Read(service, operation, given, tags, more),)

    return found


def _either(*ways: Reads) -> Reads:
    """The first that has something to ask."""
    return lambda arn, asked: next((found for way in ways if (found := way(arn, asked)) is not None), None)


def _by_arn(member: str) -> Parameters:
    return lambda arn, _: {member: str(arn)}


def _certificate(arn: Arn, _: Asked) -> Given | None:
    return {"CertificateArn": str(arn)} if arn.resource.startswith("certificate/") else None


def _of_acme(arn: Arn, _: Asked) -> Given | None:
    return {"ResourceArn": str(arn)} if arn.resource.startswith("acme-endpoint/") else None


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


def _of_lambda(arn: Arn, _: Asked) -> Given | None:
    """AWS: tags belong to functions, not to their versions and aliases (Lambda Developer Guide, "Using tags").

    What else has tags is in the API Reference, ListTags.
    """
    kind, _colon, rest = arn.resource.partition(":")
    return {"Resource": str(arn)} if kind in _OF_LAMBDA and ":" not in rest else None


_OF_LAMBDA: Final = frozenset(
    {"function", "event-source-mapping", "code-signing-config", "capacity-provider", "network-connector"}
)


def _secret(arn: Arn, _: Asked) -> Given | None:
    kind, _colon, name = arn.resource.partition(":")
    if kind != "secret":
        return None
    return {"SecretId": name.removesuffix("-??????") if name.endswith("-??????") else str(arn)}


def _key(arn: Arn, _: Asked) -> Given | None:
    kind, _slash, key = arn.resource.partition("/")
    return {"KeyId": key} if kind == "key" else None


def _of_ec2(arn: Arn, _: Asked) -> Sequence[Read] | None:
    kind, _slash, resource = arn.resource.partition("/")
    if not resource:
        return None
    if kind in _BY_NAME:
        # What is named in its ARN has an id of its own, by which alone DescribeTags tells its tags.
        operation, member, tags = _BY_NAME[kind]
        return (Read("ec2", operation, {member: [resource]}, tags),)
    given = {"Filters": [{"Name": "resource-id", "Values": [resource]}]}
    return (Read("ec2", "DescribeTags", given, "Tags", ("NextToken", "NextToken")),)


_BY_NAME: Final = {
    "key-pair": ("DescribeKeyPairs", "KeyNames", "KeyPairs.Tags"),
    "placement-group": ("DescribePlacementGroups", "GroupNames", "PlacementGroups.Tags"),
}


def _of_logs(arn: Arn, _: Asked) -> Given | None:
    """AWS: streams can't be tagged (API Reference, TagResource), and yet have `aws:ResourceTag` as a key (Service
    Authorization Reference): it is their group's.
    """
    kind, _colon, rest = arn.resource.partition(":")
    name, _colon, within = rest.partition(":")
    if kind in _OF_LOGS and "*" not in rest:
        return {"resourceArn": str(arn)}
    if kind != "log-group" or not (within in {"", "*"} or within.startswith("log-stream:")) or "*" in name:
        return None
    return {"resourceArn": str(Arn(arn.partition, arn.service, arn.region, arn.account, f"log-group:{name}"))}


_OF_LOGS: Final = frozenset(
    {
        "anomaly-detector", "delivery", "delivery-destination", "delivery-source", "destination", "lookup-table",
        "scheduled-query",
    }
)  # fmt: skip


def _stream(member: str, kind: str) -> Parameters:
    def named(arn: Arn, _: Asked) -> Given | None:
        found, _slash, name = arn.resource.partition("/")
        return {member: name, "Limit": MOST_TAGS} if found == kind and "/" not in name else None

    return named


def _consumer(arn: Arn, _: Asked) -> Given | None:
    # Question marks stand for a time that is not known.
    is_known = "/consumer/" in arn.resource and "?" not in arn.resource
    return {"ResourceARN": str(arn)} if is_known else None


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
    "opsitem": "OpsItem",
    "opsmetadata": "OpsMetadata",
    "automation-execution": "Automation",
    "association": "Association",
}


def _group(arn: Arn, _: Asked) -> Given | None:
    """AWS: of Auto Scaling, groups alone have tags (Service Authorization Reference)."""
    name = arn.resource.removeprefix(_GROUP)
    return {"Filters": [{"Name": "auto-scaling-group", "Values": [name]}]} if name != arn.resource else None


_GROUP: Final = "autoScalingGroup:*:autoScalingGroupName/"
"""How the ARN of a group begins whose id nobody but Auto Scaling knows; the name tells which one it is."""


def _of_balancing(arn: Arn, _: Asked) -> Given | None:
    """All but Classic Load Balancers, which version 2 of the API knows nothing of."""
    return {"ResourceArns": [str(arn)]} if arn.resource.count("/") > 1 else None


def _after(kind: str, member: str) -> Parameters:
    def named(arn: Arn, _: Asked) -> Given | None:
        found, _slash, name = arn.resource.partition("/")
        return {member: name} if found == kind and name else None

    return named


def _schedule_group(arn: Arn, _: Asked) -> Given | None:
    """AWS: schedules have no tags (EventBridge Scheduler User Guide, "Managing a schedule group")."""
    return {"ResourceArn": str(arn)} if arn.resource.startswith("schedule-group/") else None


_API_THINGS: Final = {
    "apikeys": ("GetApiKey", "apiKey"),
    "clientcertificates": ("GetClientCertificate", "clientCertificateId"),
    "domainnames": ("GetDomainName", "domainName"),
    "restapis": ("GetRestApi", "restApiId"),
    "usageplans": ("GetUsagePlan", "usagePlanId"),
    "vpclinks": ("GetVpcLink", "vpcLinkId"),
}
"""What has tags in version 1 of API Gateway's API; GetTags of a child leaves out what it inherits."""
_API_THINGS_2: Final = {
    "apis": ("GetApi", "ApiId"),
    "domainnames": ("GetDomainName", "DomainName"),
    "vpclinks": ("GetVpcLink", "VpcLinkId"),
}


def _of_api_gateway(arn: Arn, asked: Asked) -> Sequence[Read] | None:
    """What has tags in API Gateway; what lists everything of a kind, and an account's settings, have none.

    AWS: API Gateway Developer Guide, "API Gateway resources that can be tagged": in version 1 children inherit the tags
    of what they are in, and a stage's own come before those of its API. Of version 2 it says no such thing.
    """
    kind, *within = arn.resource.removeprefix("/").split("/")
    if not within:
        return () if kind in {"account", "apis", *_API_THINGS} else None
    if kind == "apis" or (kind != "restapis" and asked.operation.service == "apigatewayv2"):
        return _of_version_2(kind, within)
    if kind not in _API_THINGS:
        return None
    operation, member = _API_THINGS[kind]
    name, plus, number = within[0].partition("+") if kind == "domainnames" else (within[0], "", "")
    given = {member: name, **({"domainNameId": number} if plus else {})}
    found = [Read("apigateway", operation, given, "tags")]
    if kind == "restapis" and within[1:2] == ["stages"] and len(within) > 2:
        found.append(Read("apigateway", "GetStage", {**given, "stageName": within[2]}, "tags"))
    return found


def _of_version_2(kind: str, within: Sequence[str]) -> Sequence[Read] | None:
    match within:
        case [name] if kind in _API_THINGS_2:
            operation, member = _API_THINGS_2[kind]
            return (Read("apigatewayv2", operation, {member: name}, "Tags"),)
        case [api, "stages", stage] if kind == "apis":
            return (Read("apigatewayv2", "GetStage", {"ApiId": api, "StageName": stage}, "Tags"),)
        case _:
            return None


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


_OBJECT: Final = _by("s3", "GetObjectTagging", _object, "TagSet")
_BUCKET: Final = _by("s3", "GetBucketTagging", lambda arn, _: {"Bucket": arn.resource}, "TagSet")
_POINT: Final = _by(
    "s3control",
    "ListTagsForResource",
    lambda arn, _: {"AccountId": arn.account, "ResourceArn": str(arn)},
    "Tags",
)
_READS: Final[Mapping[str, Reads]] = {
    "acm": _either(
        _by("acm", "ListTagsForCertificate", _certificate, "Tags"),
        _by("acm", "ListTagsForResource", _of_acme, "Tags"),
    ),
    "apigateway": _of_api_gateway,
    "athena": _by("athena", "ListTagsForResource", _by_arn("ResourceARN"), "Tags", ("NextToken", "NextToken")),
    "autoscaling": _by("autoscaling", "DescribeTags", _group, "Tags", ("NextToken", "NextToken")),
    "batch": _by("batch", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "bedrock": _by("bedrock", "ListTagsForResource", _by_arn("resourceARN"), "tags"),
    "cassandra": _by("keyspaces", "ListTagsForResource", _by_arn("resourceArn"), "tags", ("nextToken", "nextToken")),
    "cloudwatch": _by("cloudwatch", "ListTagsForResource", _by_arn("ResourceARN"), "Tags"),
    "codecommit": _by("codecommit", "ListTagsForResource", _by_arn("resourceArn"), "tags", ("nextToken", "nextToken")),
    "cognito-identity": _by(
        "cognito-identity", "DescribeIdentityPool", _after("identitypool", "IdentityPoolId"), "IdentityPoolTags"
    ),
    "cognito-idp": _by("cognito-idp", "DescribeUserPool", _after("userpool", "UserPoolId"), "UserPool.UserPoolTags"),
    "dynamodb": _by("dynamodb", "ListTagsOfResource", _table, "Tags", ("NextToken", "NextToken")),
    "ec2": _of_ec2,
    "ecr": _by("ecr", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "ecs": _by("ecs", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "elasticloadbalancing": _by("elbv2", "DescribeTags", _of_balancing, "TagDescriptions.Tags"),
    "events": _by("events", "ListTagsForResource", _by_arn("ResourceARN"), "Tags"),
    "firehose": _by("firehose", "ListTagsForDeliveryStream", _stream("DeliveryStreamName", "deliverystream"), "Tags"),
    "glue": _by("glue", "GetTags", _of_glue, "Tags"),
    "kinesis": _either(
        _by("kinesis", "ListTagsForStream", _stream("StreamName", "stream"), "Tags"),
        _by("kinesis", "ListTagsForResource", _consumer, "Tags"),
    ),
    "kms": _by("kms", "ListResourceTags", _key, "Tags", ("NextMarker", "Marker")),
    "lambda": _by("lambda", "ListTags", _of_lambda, "Tags"),
    "logs": _by("logs", "ListTagsForResource", _of_logs, "tags"),
    "rds": _by("rds", "ListTagsForResource", _by_arn("ResourceName"), "TagList"),
    "s3vectors": _by("s3vectors", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
    "scheduler": _by("scheduler", "ListTagsForResource", _schedule_group, "Tags"),
    "secretsmanager": _by("secretsmanager", "DescribeSecret", _secret, "Tags"),
    "sns": _by("sns", "ListTagsForResource", _topic, "Tags"),
    "sqs": _by("sqs", "ListQueueTags", _queue, "Tags"),
    "ssm": _by("ssm", "ListTagsForResource", _of_systems_manager, "TagList"),
    "states": _by("stepfunctions", "ListTagsForResource", _by_arn("resourceArn"), "tags"),
}
"""By the service of an ARN, but for S3's."""
