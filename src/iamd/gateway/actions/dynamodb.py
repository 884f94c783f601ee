"""DynamoDB: tables, indexes and streams by name or ARN, and one target for each item of a batch or transaction.

AWS: Service Authorization Reference, list_amazondynamodb; DynamoDB Developer Guide, "IAM and transactions".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway.actions import dynamodb_items, dynamodb_statements, keys
from iamd.gateway.actions.asked import Asked, at, invalid

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_TABLE: Final = re.compile(r"table/[A-Za-z0-9_.-]{3,255}", re.ASCII)
_RESOURCE: Final = re.compile(
    r"table/[A-Za-z0-9_.-]{3,255}(?:/(?:backup|export|import|index|stream)/[A-Za-z0-9_.:-]+)?"
)
# A shard iterator begins with the ARN of its stream.
_STREAM_OF: Final = re.compile(
    r"(arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+/stream/[0-9A-Z:.-]+)\|", re.ASCII
)
_TABLE_MEMBERS: Final = ("TableName", "SourceTableName", "SourceTableArn")
_ARN_MEMBERS: Final = ("ResourceArn", "TableArn", "BackupArn", "ExportArn", "ImportArn", "SourceTableArn")

# What UpdateTable does to a replica, and the row that it needs beside its own (API Reference, UpdateTable).
_REPLICA_ROWS: Final = {
    "Create": "creates_replica",
    "Delete": "deletes_replica",
    "Disassociate": "disassociates_replica",
}


def values(asked: Asked) -> Mapping[str, Any]:
    """What the rows of the tables of DynamoDB and its streams name."""
    given = asked.parameters
    found: dict[str, Any] = {}
    tables = {table_arn(given[member], asked) for member in _TABLE_MEMBERS if given.get(member)}
    if len(tables) > 1:
        # SECURITY: a backend could restore the one that nobody has looked at.
        raise invalid("SourceTableArn and SourceTableName are not of the same table.")
    found.update(("table", table) for table in tables)
    if given.get("IndexName") and "table" in found:
        found["index"] = index_arn(found["table"], given["IndexName"])
    target = given.get("TargetTableName") or at(given, "TableCreationParameters.TableName")
    if target:
        found["target_table"] = table_arn(target, asked)
    if given.get("GlobalTableName") and not _NAME.fullmatch(given["GlobalTableName"]):
        raise invalid(f"Invalid table name: {given['GlobalTableName']}")
    named = [given[member] for member in _ARN_MEMBERS if given.get(member)]
    if named:
        found["named"] = _resource_arn(named[0])
    for update in given.get("ReplicaUpdates") or []:
        found.update((_REPLICA_ROWS[name], True) for name in update if name in _REPLICA_ROWS)
    stream = given.get("StreamArn") or _stream_of(given.get("ShardIterator"))
    if stream and asked.operation.service == "dynamodbstreams":
        found["stream"] = _resource_arn(stream)
    return found


def table_arn(name: str, asked: Asked) -> str:
    """The ARN of a table that a request names by name or ARN."""
    if _NAME.fullmatch(name):
        return f"arn:{asked.partition}:dynamodb:{asked.region}:{asked.account}:table/{name}"
    parsed = arns.parse(name)
    if parsed is None or parsed.service != "dynamodb" or not _TABLE.fullmatch(parsed.resource):
        raise invalid(f"Invalid table name or ARN: {name}")
    return name


def index_arn(table: str, index: str) -> str:
    """The ARN of an index of a table."""
    if not _NAME.fullmatch(index):
        raise invalid(f"Invalid index name: {index}")
    return f"{table}/index/{index}"


def _resource_arn(text: str) -> str:
    parsed = arns.parse(text)
    if parsed is None or parsed.service != "dynamodb" or not _RESOURCE.fullmatch(parsed.resource):
        raise invalid(f"Invalid ARN: {text}")
    return text


def _stream_of(iterator: str | None) -> str | None:
    match = _STREAM_OF.match(iterator or "")
    if match is not None:
        return match[1]
    if iterator:
        # An iterator of another form does not say which stream it reads.
        raise invalid("Invalid ShardIterator")
    return None


def item(asked: Asked) -> list[Target]:
    """One operation on one item of a table."""
    return [_on_item(asked.operation.name, asked.parameters, _table(asked), asked)]


def query(asked: Asked) -> list[Target]:
    """Query or Scan, on the table or on its index (an index is asked by its own ARN)."""
    table = _table(asked)
    index = asked.parameters.get("IndexName")
    arn = table if index is None else index_arn(table, index)
    return [_on_item(asked.operation.name, asked.parameters, table, asked, arn=arn)]


def search_vectors(asked: Asked) -> list[Target]:
    """SearchVectors, on the table and on its index."""
    table = _table(asked)
    arns_of = [table, index_arn(table, asked.parameters["IndexName"])]
    return [Target(arn=arn, action="dynamodb:SearchVectors") for arn in arns_of]


def _table(asked: Asked) -> str:
    return table_arn(asked.parameters["TableName"], asked)


def _on_item(name: str, given: Mapping[str, Any], table: str, asked: Asked, *, arn: str | None = None) -> Target:
    action = f"dynamodb:{name}"
    found = dynamodb_items.of_item(name, given, asked.known(table))
    found["ReturnConsumedCapacity"] = asked.parameters.get("ReturnConsumedCapacity")
    found["ReturnValues"] = given.get("ReturnValues") or given.get("ReturnValuesOnConditionCheckFailure")
    if asked.operation.name.startswith("Transact"):
        found["enclosing"] = asked.operation.name
    return Target(arn=arn or table, action=action, context=keys.of("dynamodb", action, found))


def batch_get(asked: Asked) -> list[Target]:
    """`BatchGetItem` on each table, with the keys of all its items."""
    return [_on_item("BatchGetItem", entry, table_arn(name, asked), asked) for name, entry in _tables(asked)]


def batch_write(asked: Asked) -> list[Target]:
    """`BatchWriteItem` on each table, with the keys of all its items."""
    found = []
    for name, entries in _tables(asked):
        written = [_written(entry) for entry in entries]
        found.append(_on_item("BatchWriteItem", {"Keys": written}, table_arn(name, asked), asked))
    return found


def _written(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item that is put, or the key of the one that is deleted."""
    if len(entry) != 1:
        # SECURITY: of two requests in one the backend could take the one that nobody has looked at.
        # The words are AWS's for an empty one.
        words = "Supplied AttributeValue has more than one datatypes set"
        raise invalid(f"{words}, must contain exactly one of the supported datatypes")
    return at(entry, "PutRequest.Item") or at(entry, "DeleteRequest.Key") or {}


def _tables(asked: Asked) -> Sequence[tuple[str, Any]]:
    tables = list((asked.parameters.get("RequestItems") or {}).items())
    if not tables:
        raise KeyError("RequestItems")
    return tables


_TRANSACTED: Final = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def transact(asked: Asked) -> list[Target]:
    """The action of each item of a transaction ("IAM and transactions": there is none for the transaction itself)."""
    found = []
    for entry in asked.parameters.get("TransactItems") or []:
        for member, given in entry.items():
            found.append(_on_item(_TRANSACTED[member], given, table_arn(given["TableName"], asked), asked))
    if not found:
        raise KeyError("TransactItems")
    return found


def statements(asked: Asked) -> list[Target]:
    """`PartiQLSelect`, `-Insert`, `-Update` or `-Delete` of each statement, on its table or index."""
    found = []
    for text, parameters in dynamodb_statements.statements(asked.parameters):
        read = dynamodb_statements.parse(text)
        table = table_arn(read.table, asked)
        action = f"dynamodb:{read.action}"
        given = dynamodb_statements.of_statement(read, parameters, asked.known(table))
        if asked.operation.name != "ExecuteStatement":
            given["enclosing"] = asked.operation.name
        arn = table if read.index is None else index_arn(table, read.index)
        found.append(Target(arn=arn, action=action, context=keys.of("dynamodb", action, given)))
    if not found:
        raise KeyError("Statement")
    return found


def global_table(asked: Asked) -> list[Target]:
    """Operations on a global table: on it, and on the table of its name here."""
    name, action = asked.parameters["GlobalTableName"], f"dynamodb:{asked.operation.name}"
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid table name: {name}")
    whole = f"arn:{asked.partition}:dynamodb::{asked.account}:global-table/{name}"
    return [Target(arn=arn, action=action) for arn in (whole, table_arn(name, asked))]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "batch_get": batch_get,
    "batch_write": batch_write,
    "global_table": global_table,
    "item": item,
    "query": query,
    "search_vectors": search_vectors,
    "statements": statements,
    "transact": transact,
}
