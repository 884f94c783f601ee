"""Queues that are polled with the role of the function that they are mapped to.

AWS: Lambda Developer Guide, "Using Lambda with Amazon SQS" (with-sqs), "Handling errors for an SQS event source in
Lambda" (services-sqs-errorhandling) and "Using event filtering with an Amazon SQS event source" (with-sqs-filtering).
"""

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from iamd.delivery import queue_url
from iamd.functions import filters
from iamd.functions.calls import Told
from iamd.functions.definition import Function
from iamd.functions.environment import Result
from iamd.functions.mapped import Mapped
from iamd.functions.polls import Pauses, Poller, reported

_POLL_SECONDS: Final = 20
"""AWS: queues are polled long (with-sqs)."""
_PER_REQUEST: Final = 10
"""SQS API Reference, ReceiveMessage and DeleteMessageBatch."""


async def follow(poller: Poller) -> None:
    """Poll a queue until the mapping ends, or is another; what was received by then is still given to the function."""
    pauses = Pauses(poller.life)
    while not poller.life.is_over:
        if await poller.succeeds(_once(poller)):
            pauses.reset()
        else:
            await pauses.wait()


async def _once(poller: Poller) -> bool:
    """Receive a batch, and have the function run on it; whether all of it could be asked for."""
    function = await poller.function()
    queue = Queue(poller, function)
    messages = await queue.receive()
    if not messages:
        return messages is not None
    records = [record_of(message, poller.mapped) for message in messages]
    # An alias may lead elsewhere by now: what came was waited for.
    _, result = await poller.give(await poller.function(), records)
    failed = failures(result, records, reports=poller.mapped.reports)
    return await queue.delete([one for one in messages if one["MessageId"] not in failed])


class Queue:
    """A queue, asked with the role of the function that it is mapped to."""

    def __init__(self, poller: Poller, function: Function) -> None:
        self._poller = poller
        self._function = function
        self._mapped = poller.mapped
        self._keeps = poller.mapped.keeps
        self._url = queue_url(poller.mapped.source)

    async def receive(self) -> list[dict[str, Any]] | None:
        """A batch of messages, none when none came in time; None when that was refused."""
        # AWS: the role needs this too (with-sqs, "Execution role permissions").
        known = await self._ask("GetQueueAttributes", AttributeNames=["QueueArn"])
        if known.code is not None:
            return None
        size = self._mapped.BatchSize
        messages: list[dict[str, Any]] = []
        ends: float | None = None
        while len(messages) < size:
            wait = _POLL_SECONDS if ends is None else max(0, int(ends - time.monotonic()))
            told = await self._received(min(size - len(messages), _PER_REQUEST), wait)
            if told is None:
                return messages or None
            messages += await self._kept(told)
            ends = ends or time.monotonic() + self._mapped.MaximumBatchingWindowInSeconds
            if not told or time.monotonic() >= ends:
                break
        return messages

    async def _received(self, most: int, wait: int) -> list[dict[str, Any]] | None:
        told = await self._ask(
            "ReceiveMessage",
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(told.output.get("Messages") or []) if told.code is None else None

    async def _kept(self, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the filters keep; the rest is deleted (with-sqs-filtering)."""
        kept = await filters.kept(self._keeps, messages, lambda one: record_of(one, self._mapped))
        await self.delete([one for one in messages if one not in kept])
        return kept

    async def delete(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Delete what the function is done with."""
        is_done = True
        for start in range(0, len(messages), _PER_REQUEST):
            part = messages[start : start + _PER_REQUEST]
            entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(part)]
            told = await self._ask("DeleteMessageBatch", Entries=entries)
            is_done = is_done and told.code is None
        return is_done

    async def _ask(self, operation: str, **given: Any) -> Told:
        return await self._poller.ask(self._function, "sqs", operation, {"QueueUrl": self._url, **given})


def record_of(message: Mapping[str, Any], mapped: Mapped) -> dict[str, Any]:
    """A message as functions are given it (with-sqs, "Example SQS message event")."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapped.EventSourceArn,
        "awsRegion": mapped.region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found


def failures(result: Result, records: Sequence[Mapping[str, Any]], *, reports: bool) -> frozenset[str]:
    """The messages that come back: all of a batch that failed, or those that the function names.

    AWS: what is no list of known ids fails the whole batch (services-sqs-errorhandling, "Success and failure
    conditions").
    """
    every = frozenset(str(record["messageId"]) for record in records)
    named = reported(result, reports=reports)
    return named if named is not None and named <= every else every
