"""Streams of moto's tables: each has its own name, and one that is disabled keeps its records, takes no more and ends.

moto has one stream for a table, whatever it is called, fails when an item is written after it was disabled, and
enables none again. AWS: DynamoDB Developer Guide, "Change data capture for DynamoDB Streams" (Streams): a disabled
stream can be read for 24 hours, and one that is enabled afterwards is another one; API Reference, UpdateTable:
ValidationException for enabling what is enabled and disabling what is not; GetRecords: at the end of a closed shard
there is no next iterator.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from moto.core.utils import utcnow
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table
from moto.dynamodbstreams.models import DynamoDBStreamsBackend, ShardIterator, dynamodbstreams_backends

from iamd.backend.replacement import always, replace

_KEPT: Final = timedelta(hours=24)
_FORMER, _LABEL, _VIEW, _ENDED = "iamd_former_streams", "iamd_label", "iamd_view", "iamd_ended"
"""What tables and shards are given beside what moto has of them."""


def install() -> None:
    """Let tables have streams one after the other."""
    replace(Table, "set_stream_specification", _specified)
    replace(DynamoDBBackend, "update_table_streams", always(_update))
    replace(StreamShard, "add", _added)
    replace(StreamShard, "to_json", _shown)
    replace(StreamRecord, "__init__", _recorded)
    replace(ShardIterator, "arn", always(property(_iterator_arn)))
    replace(ShardIterator, "get", _read)
    replace(DynamoDBStreamsBackend, "_get_table_from_arn", _named)
    replace(DynamoDBStreamsBackend, "describe_stream", _described)
    replace(DynamoDBStreamsBackend, "list_streams", always(_list))
    replace(DynamoDBStreamsBackend, "get_shard_iterator", _begun)


def has_stream(table: Any, label: str) -> bool:
    """Whether a table has a stream of this label, or had it until a short time ago."""
    return _shard(table, label) is not None


def news(account_id: str, region: str, iterator: str) -> bool:
    """Whether GetRecords would tell anything by an iterator: records, the end of a shard, or an error."""
    known = dynamodbstreams_backends[account_id][region].shard_iterators.get(iterator)
    shard = known.stream_shard if known is not None else None
    return known is None or shard is None or _has_ended(shard) or known.sequence_number < _next(shard)


def _specified(original: Callable[..., None]) -> Callable[..., None]:
    def set_stream_specification(table: Any, streams: Mapping[str, Any] | None) -> None:
        present = table.stream_shard
        if not (streams and streams.get("StreamEnabled")):
            original(table, None)
            if present is not None:
                vars(present).setdefault(_ENDED, utcnow())
            return
        if not streams.get("StreamViewType"):
            raise MockValidationException(
                "One or more parameter values were invalid: StreamViewType must be specified."
            )
        if present is not None:
            vars(table).setdefault(_FORMER, []).append(present)
        original(table, dict(streams))
        vars(table.stream_shard).update({_LABEL: table.latest_stream_label, _VIEW: streams["StreamViewType"]})

    return set_stream_specification


def _update(_: Any, table: Any, stream_specification: Mapping[str, Any]) -> None:
    is_enabled = bool(table.stream_specification["StreamEnabled"])
    if is_enabled == bool(stream_specification.get("StreamEnabled")):
        state = "an enabled" if is_enabled else "no enabled"
        raise MockValidationException(f"Table already has {state} stream: TableName: {table.name}")
    table.set_stream_specification(stream_specification)


def _added(original: Callable[..., None]) -> Callable[..., None]:
    def add(shard: Any, *given: Any) -> None:
        if not _has_ended(shard):
            original(shard, *given)

    return add


def _shown(original: Callable[..., Any]) -> Callable[..., Any]:
    def to_json(shard: Any) -> Any:
        told = original(shard)
        if _has_ended(shard):
            last = max(_next(shard) - 1, shard.starting_sequence_number)
            told["SequenceNumberRange"]["EndingSequenceNumber"] = str(last)
        return told

    return to_json


def _recorded(original: Callable[..., None]) -> Callable[..., None]:
    def init(record: Any, table: Any, *given: Any, **named: Any) -> None:
        original(record, table, *given, **named)
        # moto has one Region and an old version for all records.
        record.record |= {"awsRegion": table.region_name, "eventVersion": "1.1"}

    return init


def _iterator_arn(iterator: Any) -> str:
    shard = iterator.stream_shard
    return f"{shard.table.table_arn}/stream/{vars(shard)[_LABEL]}|1|{iterator.id}"


def _read(original: Callable[..., Any]) -> Callable[..., Any]:
    def get(iterator: Any, limit: int = 1000) -> Any:
        told, shard = original(iterator, limit), iterator.stream_shard
        if _has_ended(shard) and int(iterator.sequence_number) + len(told["Records"]) >= _next(shard):
            return {"Records": told["Records"]}
        return told

    return get


def _named(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_table_from_arn(backend: Any, arn: str) -> Any:
        """The table as it would be if it had this stream alone."""
        table, label = original(backend, arn), arn.partition("/stream/")[2]
        shard = _shard(table, label)
        if shard is None:
            raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")
        return SimpleNamespace(
            name=table.name,
            schema=table.schema,
            latest_stream_label=label,
            stream_shard=shard,
            stream_specification={"StreamViewType": vars(shard)[_VIEW]},
        )

    return get_table_from_arn


def _described(original: Callable[..., Any]) -> Callable[..., Any]:
    def describe_stream(backend: Any, arn: str) -> Any:
        told = original(backend, arn)
        is_closed = any("EndingSequenceNumber" in one["SequenceNumberRange"] for one in told["Shards"])
        return {**told, "StreamStatus": "DISABLED" if is_closed else "ENABLED"}

    return describe_stream


def _list(backend: Any, table_name: str | None = None) -> list[dict[str, Any]]:
    return [
        {"StreamArn": f"{table.table_arn}/stream/{label}", "TableName": table.name, "StreamLabel": label}
        for table in backend.dynamodb.tables.values()
        if table_name in {None, table.name}
        for label in _streams(table)
    ]


def _begun(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_shard_iterator(backend: Any, arn: str, shard_id: str, *given: Any) -> Any:
        if backend._get_table_from_arn(arn).stream_shard.id != shard_id:  # noqa: SLF001 - replaced above
            raise ResourceNotFoundException("Requested resource not found: Shard does not exist")
        return original(backend, arn, shard_id, *given)

    return get_shard_iterator


def _streams(table: Any) -> dict[str, Any]:
    """The streams that can be read, by their labels: what each has is in one shard."""
    present = [table.stream_shard] if table.stream_shard is not None else []
    shards = [*vars(table).get(_FORMER, ()), *present]
    now = utcnow()
    return {vars(one)[_LABEL]: one for one in shards if now - vars(one).get(_ENDED, now) < _KEPT}


def _shard(table: Any, label: str) -> Any:
    return _streams(table).get(label)


def _has_ended(shard: Any) -> bool:
    return _ENDED in vars(shard)


def _next(shard: Any) -> int:
    """The sequence number that the next record has, or would have."""
    return int(shard.starting_sequence_number) + len(shard.items)
