"""Records that are given up: what is told of them, and where.

AWS: Lambda Developer Guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda"
(kinesis-on-failure-destination) and the same of DynamoDB (services-dynamodb-errors).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from iamd import arn as arns
from iamd import ids
from iamd.functions import destinations
from iamd.functions.environment import Result
from iamd.functions.polls import Poller
from iamd.functions.streams import Record


class Tried(msgspec.Struct):
    """What was tried with a batch: how often, and how the last time went."""

    count: int = 0
    retries: int = 0
    """How many of them were retries; a batch that was split is not."""
    request_id: str = ""
    version: str = ""
    result: Result | None = None


class Discarded(msgspec.Struct, frozen=True):
    """A batch that is given up, and why."""

    records: Sequence[Record]
    shard: str
    batch: str
    condition: str
    tried: Tried


async def tell(poller: Poller, discarded: Discarded) -> None:
    """Send a record of a batch to the mapping's destination; a bucket is given the whole event too."""
    destination = poller.mapped.destination
    if destination is None:
        return
    function = await poller.function()
    credentials = await poller.roles.of_lambda(function)
    record = _record(poller, discarded)
    parsed = arns.parse(destination)
    if parsed is not None and parsed.service == "s3":
        await destinations.asked(
            poller.runtime, credentials, "s3", "PutObject", _object(poller, discarded, record, parsed), function.region
        )
    else:
        await destinations.send(poller.runtime, credentials, function, destination, record)


def _record(poller: Poller, discarded: Discarded) -> dict[str, Any]:
    """AWS: "Example invocation record" (both pages)."""
    first, last, tried = discarded.records[0], discarded.records[-1], discarded.tried
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": tried.request_id or ids.request_id(),
            "functionArn": poller.mapped.FunctionArn,
            "condition": discarded.condition,
            "approximateInvokeCount": tried.count,
        },
        "version": "1.0",
        "timestamp": _iso(datetime.now(UTC).timestamp()),
        discarded.batch: {
            "shardId": discarded.shard,
            "startSequenceNumber": first.sequence,
            "endSequenceNumber": last.sequence,
            "approximateArrivalOfFirstRecord": _iso(first.arrived),
            "approximateArrivalOfLastRecord": _iso(last.arrived),
            "batchSize": len(discarded.records),
            "streamArn": poller.mapped.EventSourceArn,
        },
    }
    if tried.result is not None:
        record["responseContext"] = {"statusCode": 200, "executedVersion": tried.version}
        if tried.result.failure is not None:
            record["responseContext"]["functionError"] = "Unhandled"
    return record


def _object(poller: Poller, discarded: Discarded, record: Mapping[str, Any], bucket: arns.Arn) -> dict[str, Any]:
    """AWS: `aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<Random UUID>` (both pages)."""
    now = datetime.now(UTC)
    day, moment = now.strftime("%Y/%m/%d"), now.strftime("%Y-%m-%dT%H.%M.%S")
    event = json.dumps({"Records": [one.shown for one in discarded.records]})
    return {
        "Bucket": bucket.resource,
        "Key": f"aws/lambda/{poller.mapped.UUID}/{discarded.shard}/{day}/{moment}-{uuid.uuid4()}",
        "Body": json.dumps({**record, "payload": event}).encode(),
    }


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
