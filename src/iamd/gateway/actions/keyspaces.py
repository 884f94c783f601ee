"""The keyspace or table that a request to Amazon Keyspaces is for, by name or ARN."""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.given_arn import formed

# Keyspaces API Reference: keyspaceName and tableName; ARNs of the Service Authorization Reference.
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,48}", re.ASCII)
_TAGGED: Final = re.compile(
    rf"/keyspace/{_NAME.pattern}(?:/|/table/{_NAME.pattern}(?:/stream/[0-9A-Za-z:.-]{{1,64}})?)", re.ASCII
)
_NAMES: Final = {
    "keyspaceName": "keyspace",
    "tableName": "table",
    "sourceKeyspaceName": "source_keyspace",
    "sourceTableName": "source_table",
    "targetKeyspaceName": "target_keyspace",
    "targetTableName": "target_table",
}


class ValidationError(AWSError):
    """A name or an ARN of nothing that Keyspaces can have (Keyspaces API Reference, ValidationException)."""

    code = "ValidationException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The names in ARNs, and whether tags are set in several regions at once."""
    parameters = asked.parameters
    found: dict[str, Any] = {
        name: _checked(parameters[member]) for member, name in _NAMES.items() if member in parameters
    }
    if "resourceArn" in parameters:
        found["tagged"] = _arn(parameters["resourceArn"], asked)
    strategy = str(at(parameters, "replicationSpecification.replicationStrategy"))
    if parameters.get("tags") and (strategy.upper() == "MULTI_REGION" or parameters.get("replicaSpecifications")):
        found["tagged_in_regions"] = True
    return found


def _checked(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValidationError(f"{value} is not a valid name.")
    return value


def _arn(value: Any, asked: Asked) -> str:
    return formed(
        value, "cassandra", _TAGGED, asked, ValidationError(f"{value} is not the ARN of a keyspace or a table.")
    )
