"""moto's Kinesis streams, held to what readers of them rest on: shards keep their records and end.

AWS: Kinesis Data Streams Developer Guide, "Reshard a stream" (kinesis-using-sdk-java-after-resharding): records from
before stay in the parent shards; API Reference, GetRecords: at the end of a closed shard there is no next iterator.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from moto.kinesis.models import KinesisBackend, Stream, kinesis_backends
from moto.kinesis.utils import decompose_shard_iterator

from iamd.backend import table_streams
from iamd.backend.replacement import replace


def install() -> None:
    """Keep records where they were put, and let iterators name their stream."""
    replace(Stream, "split_shard", _resharded)
    replace(Stream, "merge_shards", _resharded)
    replace(Stream, "get_shard_for_key", _open)
    replace(KinesisBackend, "get_shard_iterator", _begun)
    replace(KinesisBackend, "get_records", _read)


def _resharded(original: Callable[..., None]) -> Callable[..., None]:
    def reshard(stream: Any, *given: Any, **named: Any) -> None:
        before = {name: shard.records.copy() for name, shard in stream.shards.items()}
        original(stream, *given, **named)
        # moto would move the records to the new shards under new numbers, and they would be read twice.
        for name, shard in stream.shards.items():
            shard.records = before.get(name, OrderedDict())

    return reshard


def _open(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_shard_for_key(stream: Any, partition_key: Any, explicit_hash_key: Any) -> Any:
        # moto would go on to put records into shards that are closed.
        shards = {name: shard for name, shard in stream.shards.items() if shard.is_open}
        return original(SimpleNamespace(shards=shards), partition_key, explicit_hash_key)

    return get_shard_for_key


def _begun(original: Callable[..., str]) -> Callable[..., str]:
    def get_shard_iterator(backend: Any, stream_arn: str | None, stream_name: str | None, *given: Any) -> str:
        # moto's iterators name the stream, which a request may give by its ARN alone.
        name = backend.describe_stream(stream_arn=stream_arn, stream_name=stream_name).stream_name
        return original(backend, stream_arn, name, *given)

    return get_shard_iterator


def _read(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_records(backend: Any, stream_arn: str | None, shard_iterator: str, limit: int | None) -> Any:
        following, records, behind = original(backend, stream_arn, shard_iterator, limit)
        name, shard_id, last = decompose_shard_iterator(following)
        shard = backend.describe_stream(stream_arn=stream_arn, stream_name=name).get_shard(shard_id)
        is_end = not shard.is_open and int(last) >= shard.get_max_sequence_number()
        return None if is_end else following, records, behind

    return get_records


def news(given: Mapping[str, Any]) -> dict[str, Any]:
    """Whether GetRecords would tell anything by an iterator: records, the end of a shard, or an error.

    An iterator of a consumer's tells the stream, the shard and the record to go on after.
    """
    place, iterator = (given["account_id"], given["region"]), given["iterator"]
    if given["service"] == "dynamodb":
        return {"news": table_streams.news(*place, iterator)}
    at = iterator.split(":") if given["service"] == "consumer" else decompose_shard_iterator(iterator)
    return {"news": _kinesis_news(*place, *at)}


def _kinesis_news(account_id: str, region: str, name: str, shard_id: str, last: str) -> bool:
    stream = kinesis_backends[account_id][region].streams.get(name)
    shard = stream.shards.get(shard_id) if stream is not None else None
    return shard is None or not shard.is_open or shard.get_max_sequence_number() > int(last)
