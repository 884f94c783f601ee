"""Consumers of the embedded moto's Kinesis streams with a throughput of their own: what they subscribe to.

moto knows consumers and no subscriptions. One tells what is there, and ends: AWS ends it after five minutes at the
latest, and consumers subscribe again.

AWS: Kinesis Data Streams API Reference, SubscribeToShard; Developer Guide, "Develop enhanced fan-out consumers with the
Kinesis Data Streams API" (building-enhanced-consumers-api).
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from moto.core.exceptions import JsonRESTError
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.models import KinesisBackend
from moto.kinesis.responses import KinesisResponse
from moto.kinesis.utils import decompose_shard_iterator

from iamd.backend.replacement import always, replace
from iamd.wire import event_stream

_JSON: Final = "application/json"
_LARGEST: Final = 2 * 1024 * 1024
"""AWS: a consumer has two megabytes a second (Developer Guide, enhanced-consumers)."""
_MOST: Final = 10_000


def install() -> None:
    """Answer SubscribeToShard, and end the consumer that is meant."""
    replace(KinesisBackend, "deregister_stream_consumer", always(_deregister))
    # moto has no such operation.
    setattr(KinesisResponse, "subscribe_to_shard", _subscribe)  # noqa: B010 - moto's class does not declare it


def _deregister(backend: Any, stream_arn: str, consumer_name: str, consumer_arn: str) -> None:
    # moto would keep the one that is named by its stream and name, and end all others.
    consumer = backend.describe_stream_consumer(stream_arn, consumer_name, consumer_arn)
    backend.describe_stream(stream_arn=consumer.stream_arn, stream_name=None).delete_consumer(consumer.consumer_arn)


def _subscribe(response: Any) -> Any:
    asked, backend = msgspec.json.decode(response.body), response.kinesis_backend
    consumer = backend.describe_stream_consumer(None, None, asked["ConsumerARN"])
    if asked.get("DryRun"):
        raise JsonRESTError("DryRunOperationException", "The request would have succeeded, but DryRun is set.")
    stream = backend.describe_stream(stream_arn=consumer.stream_arn, stream_name=None)
    told = _read(backend, consumer.stream_arn, stream, asked)
    frames = [
        event_stream.event("initial-response", _JSON, b"{}"),
        event_stream.event("SubscribeToShardEvent", _JSON, json.dumps(told).encode()),
    ]
    return 200, {"Content-Type": event_stream.KIND}, b"".join(frames)


def _read(backend: Any, stream_arn: str, stream: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    position, shard_id = asked["StartingPosition"], asked["ShardId"]
    iterator = backend.get_shard_iterator(
        stream_arn, None, shard_id, position["Type"], _number(position), position.get("Timestamp")
    )
    following, records, behind = backend.get_records(stream_arn, iterator, _MOST)
    kept = _within(records)
    told: dict[str, Any] = {"Records": [_shown(one) for one in kept], "MillisBehindLatest": behind}
    if len(kept) < len(records):
        return {**told, "ContinuationSequenceNumber": str(kept[-1].sequence_number)}
    if following is not None:
        return {**told, "ContinuationSequenceNumber": decompose_shard_iterator(following)[2]}
    # AWS: child shards are told at the end of a shard, where it does not continue.
    return {**told, "ChildShards": [_child(one) for one in stream.shards.values() if shard_id in _parents(one)]}


def _number(position: Mapping[str, Any]) -> str | None:
    number = position.get("SequenceNumber")
    if number is None and not position["Type"].endswith("SEQUENCE_NUMBER"):
        return None
    if not (isinstance(number, str) and number.isascii() and number.isdigit()):
        raise InvalidArgumentError(f"StartingSequenceNumber {number} is invalid")
    return number


def _within(records: list[Any]) -> list[Any]:
    """As many as a second's throughput holds, one at least."""
    size = 0
    for place, record in enumerate(records):
        size += len(record.data)
        if place and size > _LARGEST:
            return records[:place]
    return records


def _shown(record: Any) -> dict[str, Any]:
    told = record.to_json()
    return {
        **told,
        "Data": base64.b64encode(told["Data"]).decode(),
        "ApproximateArrivalTimestamp": int(record.created_at * 1000) / 1000,
    }


def _parents(shard: Any) -> set[str | None]:
    return {shard.parent, shard.adjacent_parent}


def _child(shard: Any) -> dict[str, Any]:
    told = shard.to_json()
    parents = sorted(one for one in _parents(shard) if one)
    return {"ShardId": told["ShardId"], "ParentShards": parents, "HashKeyRange": told["HashKeyRange"]}
