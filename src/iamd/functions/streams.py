"""Streams, read with the role of the function that they are mapped to: Kinesis streams, and those of DynamoDB's tables.

AWS: Lambda Developer Guide, "Using Lambda to process records from Amazon Kinesis Data Streams" (with-kinesis) and
"Using AWS Lambda with Amazon DynamoDB" (with-ddb).
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec

from iamd.functions.definition import Function
from iamd.functions.polls import Poller, Refused

_HOUR: Final = 3600


class Shard(msgspec.Struct, frozen=True):
    """A shard, with the shards that it came from."""

    name: str
    parents: tuple[str, ...]


class Record(msgspec.Struct, frozen=True):
    """A record: its place in the shard, what its order is kept by, and what a function is given of it."""

    sequence: str
    key: str
    arrived: float
    shown: Mapping[str, Any]
    size: int


class Page(msgspec.Struct, frozen=True):
    """Records, and the iterator of those that come after them; None at the end of a shard."""

    records: tuple[Record, ...]
    after: str | None


class Stream(ABC):
    """A stream; Refused is raised where the role may not ask, or the stream is not there."""

    service: ClassVar[str]
    batch: ClassVar[str]
    """What the record of a discarded batch calls it."""
    interval: ClassVar[float]
    """How long a shard without new records is left alone."""
    most: ClassVar[int]
    """The most records of one answer."""
    arn: ClassVar[str]
    """What requests call the stream's ARN."""
    sequence: ClassVar[str]
    """What GetShardIterator calls the record to read after."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._mapped = poller.mapped
        self.kept_seconds = 24 * _HOUR
        """How long the stream keeps its records."""

    @abstractmethod
    async def shards(self) -> list[Shard]:
        """The shards that there are; everything is asked that both pages' "Execution role permissions" name."""

    @abstractmethod
    def shown(self, told: Mapping[str, Any], shard: Shard, function: Function) -> Record:
        """A record that was read."""

    async def iterator(self, shard: Shard, kind: str, sequence: str | None) -> str:
        """Where to read from: a starting position, or after a record."""
        given: dict[str, Any] = {self.arn: self._mapped.EventSourceArn, "ShardId": shard.name}
        if sequence is not None:
            given |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", self.sequence: sequence}
        elif kind == "AT_TIMESTAMP" and self._mapped.StartingPositionTimestamp is not None:
            moment = datetime.fromtimestamp(self._mapped.StartingPositionTimestamp, UTC)
            given |= {"ShardIteratorType": kind, "Timestamp": moment}
        else:
            given["ShardIteratorType"] = kind
        found: str = (await self._ask("GetShardIterator", given))["ShardIterator"]
        return found

    async def has_news(self, iterator: str) -> bool:
        """Whether there is anything to ask for: AWS asks all the time, and iamd would record that nothing was read.

        SECURITY: the role's right is decided on by GetRecords, before anything is read.
        """
        source = self._mapped.source
        return await self._poller.embedded.has_news(source.account, source.region, source.service, iterator)

    async def page(self, shard: Shard, iterator: str, most: int) -> Page:
        """The next records."""
        function = await self._poller.function()
        told = await self._ask("GetRecords", self._reading(iterator, min(most, self.most)), function)
        records = tuple(self.shown(one, shard, function) for one in told["Records"])
        return Page(records, told.get("NextShardIterator"))

    def _reading(self, iterator: str, most: int) -> dict[str, Any]:
        return {"ShardIterator": iterator, "Limit": most}

    async def _ask(
        self, operation: str, given: Mapping[str, Any], function: Function | None = None
    ) -> Mapping[str, Any]:
        function = function or await self._poller.function()
        told = await self._poller.ask(function, self.service, operation, given)
        if told.code is not None:
            raise Refused(told)
        return told.output


class KinesisStream(Stream):
    """A Kinesis data stream."""

    service = "kinesis"
    batch = "KinesisBatchInfo"
    interval = 1.0
    """AWS: "at a base rate of once per second" (with-kinesis)."""
    most = 10_000
    arn = "StreamARN"
    sequence = "StartingSequenceNumber"

    async def shards(self) -> list[Shard]:
        """The shards by their list, and how long records are kept.

        AWS's guide names ListStreams beside these (services-kinesis-create), which roles that the CDK makes for its
        KinesisEventSource do without.
        """
        stream = {"StreamARN": self._name}
        await self._ask("DescribeStream", {**stream, "Limit": 1})
        summary = (await self._ask("DescribeStreamSummary", stream))["StreamDescriptionSummary"]
        self.kept_seconds = summary["RetentionPeriodHours"] * _HOUR
        found, given = [], dict[str, Any](stream)
        while given:
            told = await self._ask("ListShards", given)
            found += told["Shards"]
            given = {"NextToken": told["NextToken"], **stream} if told.get("NextToken") else {}
        return [_shard(one, "ParentShardId", "AdjacentParentShardId") for one in found]

    def shown(self, told: Mapping[str, Any], shard: Shard, function: Function) -> Record:
        """As in the example of with-kinesis."""
        sequence, arrived = told["SequenceNumber"], told["ApproximateArrivalTimestamp"].timestamp()
        inner = {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": told["PartitionKey"],
            "sequenceNumber": sequence,
            "data": base64.b64encode(told["Data"]).decode(),
            "approximateArrivalTimestamp": round(arrived, 3),
        }
        shown = {
            "kinesis": inner,
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard.name}:{sequence}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": function.role,
            "awsRegion": self._mapped.source.region,
            "eventSourceARN": self._mapped.EventSourceArn,
        }
        return _record(sequence, told["PartitionKey"], arrived, shown)

    def _reading(self, iterator: str, most: int) -> dict[str, Any]:
        return {**super()._reading(iterator, most), "StreamARN": self._name}

    @property
    def _name(self) -> str:
        """The stream's ARN, which is the beginning of its consumers'."""
        return self._mapped.EventSourceArn.partition("/consumer/")[0]


class Consumer(KinesisStream):
    """A Kinesis data stream by a consumer with a throughput of its own: it subscribes, and asks for no records.

    An iterator is what it goes on with: a starting position, and after which record.
    """

    async def iterator(self, shard: Shard, kind: str, sequence: str | None) -> str:
        """Where to subscribe from; nothing is asked for it."""
        return f"{'AFTER_SEQUENCE_NUMBER' if sequence else kind}:{sequence or ''}:{shard.name}"

    async def has_news(self, iterator: str) -> bool:
        """Whether there is anything to subscribe for; the first time tells from where it goes on."""
        _, sequence, shard = iterator.split(":")
        if not sequence:
            return True
        source, name = self._mapped.source, self._name.rpartition("/")[2]
        place = f"{name}:{shard}:{sequence}"
        return await self._poller.embedded.has_news(source.account, source.region, "consumer", place)

    async def page(self, shard: Shard, iterator: str, most: int) -> Page:
        """What a subscription tells, which may be more records than are asked for."""
        del most
        function = await self._poller.function()
        given = {"ConsumerARN": self._mapped.EventSourceArn, "ShardId": shard.name}
        told = await self._ask("SubscribeToShard", {**given, "StartingPosition": self._position(iterator)}, function)
        events = [one["SubscribeToShardEvent"] for one in told["EventStream"]]
        records = tuple(self.shown(one, shard, function) for event in events for one in event["Records"])
        goes_on = events[-1].get("ContinuationSequenceNumber")
        return Page(records, None if goes_on is None else await self.iterator(shard, "", goes_on))

    def _position(self, iterator: str) -> dict[str, Any]:
        kind, sequence, _ = iterator.split(":")
        moment = self._mapped.StartingPositionTimestamp
        if kind == "AT_TIMESTAMP" and moment is not None:
            return {"Type": kind, "Timestamp": datetime.fromtimestamp(moment, UTC)}
        return {"Type": kind, **({"SequenceNumber": sequence} if sequence else {})}


class TableStream(Stream):
    """The stream of a DynamoDB table."""

    service = "dynamodbstreams"
    batch = "DDBStreamBatchInfo"
    interval = 0.25
    """AWS: "at a base rate of 4 times per second" (with-ddb)."""
    most = 1000
    arn = "StreamArn"
    sequence = "SequenceNumber"

    async def shards(self) -> list[Shard]:
        """The shards by the stream's description."""
        await self._ask("ListStreams", {"Limit": 1})
        found: list[Mapping[str, Any]] = []
        given: dict[str, Any] = {"StreamArn": self._mapped.EventSourceArn}
        while given:
            told = (await self._ask("DescribeStream", given))["StreamDescription"]
            found += told.get("Shards") or ()
            last = told.get("LastEvaluatedShardId")
            given = {**given, "ExclusiveStartShardId": last} if last else {}
        return [_shard(one, "ParentShardId") for one in found]

    def shown(self, told: Mapping[str, Any], shard: Shard, function: Function) -> Record:
        """As in the example of with-ddb."""
        change = told["dynamodb"]
        arrived = change["ApproximateCreationDateTime"].timestamp()
        images = {name: _plain(change[name]) for name in ("Keys", "NewImage", "OldImage") if name in change}
        rest = {name: change[name] for name in ("SequenceNumber", "SizeBytes", "StreamViewType") if name in change}
        shown = {
            **{name: told[name] for name in ("eventID", "eventName", "eventVersion", "eventSource", "awsRegion")},
            "dynamodb": {"ApproximateCreationDateTime": float(int(arrived)), **images, **rest},
            "eventSourceARN": self._mapped.EventSourceArn,
        }
        if told.get("userIdentity"):
            identity = told["userIdentity"]
            shown["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
        return _record(change["SequenceNumber"], json.dumps(images["Keys"], sort_keys=True), arrived, shown)


def of(poller: Poller) -> Stream:
    """The stream of a mapping."""
    source = poller.mapped.source
    if source.service == "dynamodb":
        return TableStream(poller)
    return Consumer(poller) if "/consumer/" in source.resource else KinesisStream(poller)


def _shard(told: Mapping[str, Any], *parents: str) -> Shard:
    return Shard(told["ShardId"], tuple(told[name] for name in parents if told.get(name)))


def _record(sequence: str, key: str, arrived: float, shown: Mapping[str, Any]) -> Record:
    return Record(sequence, key, arrived, shown, len(json.dumps(shown)))


def _plain(value: Any) -> Any:
    """A value of an item as JSON holds it: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
