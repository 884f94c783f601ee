"""What the answers of a backend tell that later decisions need: a secret's whole ARN, partition keys."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.gateway import (
    endpoint_effects,
    identity_pools,
    kms_effects,
    kms_keys,
    point_effects,
    policy_principals,
    user_pools,
)
from iamd.gateway.actions import codecommit, ecs_definitions, lambda_, launch_templates
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.dynamodb_items import partition_fact, partition_text
from iamd.gateway.actions.kinesis import known_name as consumer_name
from iamd.gateway.actions.secretsmanager import known_name
from iamd.gateway.actions.ssm import parameter_arn
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Learned
from iamd.gateway.key_uses.named import KEY, of_secret, of_table
from iamd.gateway.key_uses.named import whole as key_named
from iamd.gateway.resources import Facts
from iamd.store.records import Resource
from iamd.wire.models import Operation

_IN_XML: Final = re.compile(rb"<(launchTemplateId|vpcEndpointId|Alias)>([0-9a-z-]{1,255})</")
_RESOURCE_ID: Final = re.compile(rb"<resourceId>([0-9a-z-]{1,255})</")

Told = Mapping[str, Any]
Read = Callable[[Asked, Told], tuple[str, Mapping[str, str]] | list[Learned] | None]


def may_tell(operation: Operation) -> bool:
    """Whether answers to an operation tell anything."""
    return (operation.service, operation.name) in _READ


def of(asked: Asked, answer: Answer, facts: Facts, now: int) -> list[Resource]:
    """The resources that this answer tells something new of, with what it tells."""
    read = _READ.get((asked.operation.service, asked.operation.name))
    if read is None or not 200 <= answer.status < 300 or answer.whole is None:
        return []
    try:
        found = read(asked, _told(answer.whole))
    except (msgspec.DecodeError, KeyError, TypeError):
        # An answer of another shape tells nothing.
        return []
    if isinstance(found, tuple):
        found = [Learned(*found)]
    return [_record(one, owner, facts, now) for one in found or () if (owner := _owner_of_news(one, facts)) is not None]


def _owner_of_news(learned: Learned, facts: Facts) -> str | None:
    if learned.policy is None and learned.facts.items() <= facts.known(learned.arn).items():
        return None
    return account_of(learned.arn)


def _record(learned: Learned, owner: str, facts: Facts, now: int) -> Resource:
    policy, found = learned.policy, learned.facts
    if policy is not None:
        policy = policy_principals.settled(policy, facts.view)
    if kms_keys.is_key(learned.arn):
        found = kms_effects.with_ids(found, facts.view)
    return Resource(arn=learned.arn, owner=owner, created=now, backend_boot=facts.boot, facts=found, policy=policy)


def _told(body: bytes) -> Told:
    """What a body tells: JSON, or the one name that XML is read for, and all ids of resources in it."""
    if body.startswith(b"<"):
        match = _IN_XML.search(body)
        named = {match[1].decode(): match[2].decode()} if match is not None else {}
        return {**named, endpoint_effects.RESOURCE_IDS: [one.decode() for one in _RESOURCE_ID.findall(body)]}
    return msgspec.json.decode(body, type=dict[str, Any])


def _secret(asked: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    arn = told["ARN"]
    owner = account_of(arn)
    if owner is None:
        return None
    return arn, {"name": known_name(asked.region, owner, told["Name"]), **_key_of_secret(asked, told)}


def _key_of_secret(asked: Asked, told: Told) -> dict[str, str]:
    if asked.operation.name == "DescribeSecret":
        is_known_replica = told.get("PrimaryRegion") not in {None, asked.region} and KEY in asked.known(told["ARN"])
        # Some backends do not tell the key of a replica, which was seen when it was given.
        return {} if is_known_replica else {KEY: of_secret(told, asked.region)}
    is_set = asked.operation.name == "CreateSecret" or "KmsKeyId" in asked.parameters
    return {KEY: key_named(asked.parameters.get("KmsKeyId"), asked)} if is_set else {}


def _parameter(asked: Asked, _: Told) -> tuple[str, Mapping[str, str]] | None:
    """The key of a SecureString, which is the service's own where the request names none."""
    if asked.parameters.get("Type", "SecureString") != "SecureString":
        return None
    return parameter_arn(asked.parameters["Name"], asked), {KEY: key_named(asked.parameters.get("KeyId"), asked)}


def _table(asked: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    table = told.get("TableDescription") or told["Table"]
    return table["TableArn"], {**dict(_partition_keys(table)), **_key_of_table(asked, table)}


def _key_of_table(asked: Asked, table: Told) -> dict[str, str]:
    """The key that a table was given, or of one that is described the one that it has."""
    named = of_table(asked.parameters)
    if named is not None:
        return {KEY: key_named(named, asked)}
    described = (table.get("SSEDescription") or {}).get("KMSMasterKeyArn")
    is_new = asked.operation.name == "CreateTable"
    return {KEY: described or ""} if described or is_new else {}


def _partition_keys(table: Told) -> Iterator[tuple[str, str]]:
    yield partition_fact(None), _hash_of(table)
    for index in [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]:
        yield partition_fact(index["IndexName"]), _hash_of(index)


def _hash_of(described: Told) -> str:
    """The partition key of a table or an index (DynamoDB API Reference, KeySchemaElement)."""
    return partition_text(part["AttributeName"] for part in described["KeySchema"] if part["KeyType"] == "HASH")


def _comments(asked: Asked, told: Told) -> list[Learned]:
    return [Learned(arn, {codecommit.REPOSITORY: name}) for arn, name in codecommit.comments(asked, told)]


def _mapping(asked: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    return lambda_.mapping_arn(told["UUID"], asked), {lambda_.MAPPED_FUNCTION: told["FunctionArn"]}


def _url(_: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    function = told["FunctionArn"]
    whole = _whole_function(function)
    return (whole, {lambda_.url_auth(function, whole): told["AuthType"]}) if whole is not None else None


def _whole_function(arn: str) -> str | None:
    parsed = arns.parse(arn)
    name = parsed.resource.split(":")[1] if parsed is not None and parsed.resource.startswith("function:") else None
    return arn[: arn.index(":function:")] + f":function:{name}" if name is not None else None


def _consumer(_: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    """A consumer's ARN ends in the time of its creation."""
    arn = (told.get("Consumer") or told["ConsumerDescription"])["ConsumerARN"]
    return arn, {"name": consumer_name(arn)}


def _task_definition(_: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    return ecs_definitions.told_of(told["taskDefinition"])


def _launch_template(asked: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    return launch_templates.told_of(told["launchTemplateId"], asked)


def _access_point(asked: Asked, told: Told) -> tuple[str, Mapping[str, str]] | None:
    return point_effects.told_of(told["Alias"], asked)


_READ: Final[Mapping[tuple[str, str], Read]] = {
    **endpoint_effects.LEARNED,
    **identity_pools.LEARNED,
    **kms_effects.LEARNED,
    **user_pools.LEARNED,
    **{
        ("codecommit", name): _comments
        for name in (
            "GetCommentsForComparedCommit",
            "GetCommentsForPullRequest",
            "PostCommentForComparedCommit",
            "PostCommentForPullRequest",
            "PostCommentReply",
        )
    },
    **{
        ("secretsmanager", name): _secret
        for name in ("CreateSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecret")
    },
    ("ssm", "PutParameter"): _parameter,
    **{("kinesis", name): _consumer for name in ("RegisterStreamConsumer", "DescribeStreamConsumer")},
    **{("ec2", name): _launch_template for name in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion")},
    **{
        ("ecs", name): _task_definition
        for name in ("DeregisterTaskDefinition", "DescribeTaskDefinition", "RegisterTaskDefinition")
    },
    ("s3control", "CreateAccessPoint"): _access_point,
    **{("dynamodb", name): _table for name in ("CreateTable", "DescribeTable", "UpdateTable")},
    **{
        ("lambda", name): _mapping
        for name in ("CreateEventSourceMapping", "GetEventSourceMapping", "UpdateEventSourceMapping")
    },
    **{
        ("lambda", name): _url
        for name in ("CreateFunctionUrlConfig", "GetFunctionUrlConfig", "UpdateFunctionUrlConfig")
    },
}
