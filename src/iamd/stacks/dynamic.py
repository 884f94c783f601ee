"""Dynamic references: values that stand in Systems Manager or Secrets Manager, had when a resource is made.

AWS: CloudFormation User Guide, "Get values stored in other services using dynamic references".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.faults import ValidationError

_REFERENCE: Final = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")
_ANY: Final = re.compile(r"\{\{resolve:([^:{}]*)")
_SSM: Final = re.compile(r"([a-zA-Z0-9_.\-/]+)(?::([0-9]+))?")
_CUSTOM: Final = ("Custom::", "AWS::CloudFormation::CustomResource")
_SECURE: Final = frozenset(
    {
        ("AWS::ElastiCache::ReplicationGroup", "AuthToken"),
        ("AWS::IAM::User", "LoginProfile.Password"),
        ("AWS::RDS::DBCluster", "MasterUserPassword"),
        ("AWS::RDS::DBInstance", "MasterUserPassword"),
        ("AWS::Redshift::Cluster", "MasterUserPassword"),
    }
)
"""AWS: the properties that take secure strings (User Guide, "Get a secure string value from Systems Manager")."""


def has_any(value: Any) -> bool:
    """Whether there is a dynamic reference within a value."""
    if isinstance(value, str):
        return "{{resolve:" in value
    if isinstance(value, Mapping):
        return any(has_any(inner) for inner in value.values())
    return isinstance(value, list) and any(has_any(inner) for inner in value)


async def resolved(value: Any, type: str, client: Client, path: str = "") -> Any:
    """A value of a resource's properties with its references replaced; ValidationError for one that has no value."""
    if isinstance(value, str):
        return await _text(value, type, client, path)
    if isinstance(value, Mapping):
        return {
            name: await resolved(inner, type, client, f"{path}.{name}" if path else name)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [await resolved(inner, type, client, path) for inner in value]
    return value


async def _text(text: str, type: str, client: Client, path: str) -> str:
    for kind in _ANY.findall(text):
        if kind not in {"ssm", "ssm-secure", "secretsmanager"}:
            raise ValidationError(f"Dynamic reference to {kind} is not supported.")
    pieces, at = [], 0
    for match in _REFERENCE.finditer(text):
        pieces += [text[at : match.start()], await _value(match[1], match[2], type, client, path)]
        at = match.end()
    return "".join([*pieces, text[at:]])


async def _value(kind: str, reference: str, type: str, client: Client, path: str) -> str:
    # AWS: "Dynamic references for secure values aren't currently supported in custom resources".
    if kind in {"ssm-secure", "secretsmanager"} and type.startswith(_CUSTOM):
        raise ValidationError(f"Dynamic references of {kind} are not supported in custom resources: [{type}]")
    if kind == "ssm-secure" and (type, path) not in _SECURE:
        raise ValidationError(f"SSM Secure reference is not supported in: [{type}/Properties/{path.replace('.', '/')}]")
    try:
        if kind == "secretsmanager":
            return await _secret(reference, client)
        return await _parameter(reference, client, is_secure=kind == "ssm-secure")
    except RequestFailed as error:
        raise ValidationError(f"Could not resolve {{{{resolve:{kind}:{reference}}}}}: {error}") from error


async def _parameter(reference: str, client: Client, *, is_secure: bool) -> str:
    found = _SSM.fullmatch(reference)
    if found is None:
        raise ValidationError(f"Incorrect format is used in the following SSM reference: [{reference}]")
    answer = await client.call("ssm", "GetParameter", {"Name": reference, "WithDecryption": is_secure})
    parameter = answer["Parameter"]
    if (parameter["Type"] == "SecureString") is not is_secure:
        kinds = "ssm-secure takes secure strings only" if is_secure else "ssm does not take secure strings"
        raise ValidationError(f"The parameter {reference} is of type {parameter['Type']}, and {kinds}")
    return str(parameter["Value"])


async def _secret(reference: str, client: Client) -> str:
    secret_id, rest = _secret_id(reference)
    member, key, stage, version, *more = (rest + [""] * 4)[: max(4, len(rest))]
    if more or member not in {"", "SecretString"}:
        raise ValidationError(f"Incorrect format is used in the following Secrets Manager reference: [{reference}]")
    asked = {"SecretId": secret_id}
    asked |= {"VersionStage": stage} if stage else {}
    asked |= {"VersionId": version} if version else {}
    text = (await client.call("secretsmanager", "GetSecretValue", asked)).get("SecretString")
    if not isinstance(text, str):
        raise ValidationError(f"The secret {secret_id} has no SecretString")
    return _member(text, key, secret_id) if key else text


def _secret_id(reference: str) -> tuple[str, list[str]]:
    """The secret's name or ARN, and the parts that follow it."""
    parts = reference.split(":")
    length = 7 if reference.startswith("arn:") else 1
    return ":".join(parts[:length]), parts[length:]


def _member(text: str, key: str, secret_id: str) -> str:
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValidationError(f"Could not parse SecretString JSON of {secret_id}") from error
    if not isinstance(content, dict) or key not in content:
        raise ValidationError(f"Could not find a value associated with JSONKey in SecretString of {secret_id}")
    found = content[key]
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()
