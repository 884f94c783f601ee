"""Event source mappings: queues that are polled with the function's role, and functions that are given what comes.

AWS: Lambda Developer Guide, "Using Lambda with Amazon SQS" (with-sqs) and "How Lambda processes records from stream and
queue-based event sources" (invocation-eventsourcemapping).
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd import ids
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.delivery import queue_url
from iamd.errors import AWSError, CommonError
from iamd.functions import definition
from iamd.functions.calls import Told, call
from iamd.functions.definition import Function
from iamd.functions.environment import Result
from iamd.functions.errors import InvalidParameterValue
from iamd.functions.roles import Roles
from iamd.functions.runtime_api import Event, event_of
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 20
"""AWS: queues are polled long (with-sqs)."""
_PAUSES: Final = (1.0, 30.0)
"""The first and the longest pause after a poll that was refused."""
_PER_REQUEST: Final = 10
"""SQS API Reference, ReceiveMessage and DeleteMessageBatch."""
_LOOK_SECONDS: Final = 2.0
_KNOWN: Final = frozenset(
    {
        "EventSourceArn", "FunctionName", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes", "ScalingConfig", "Tags", "UUID",
    }
)  # fmt: skip

Run = Callable[[Function, Event], Awaitable[tuple[Result, bytes]]]
Named = Callable[[str, str, str, str | None], Awaitable[Function]]


def check(parameters: Mapping[str, Any]) -> None:
    """A mapping that can be run: of a queue, with what is known of such."""
    source = arns.parse(parameters.get("EventSourceArn") or "")
    if "EventSourceArn" in parameters and (source is None or source.service != "sqs"):
        raise InvalidParameterValue("iamd polls SQS queues, and no other event sources.")
    for name, value in parameters.items():
        if name not in _KNOWN and value not in (None, [], {}, ""):
            raise InvalidParameterValue(f"{name} is not supported for event source mappings of SQS queues here.")


class Mapped(msgspec.Struct, frozen=True):
    """A mapping, as the embedded backend holds it."""

    UUID: str
    account: str
    region: str
    enabled: bool
    EventSourceArn: str
    FunctionArn: str
    BatchSize: int = 10
    MaximumBatchingWindowInSeconds: int = 0
    FunctionResponseTypes: tuple[str, ...] = ()
    FilterCriteria: Any = None


class Mappings:
    """The mappings that this process polls for."""

    def __init__(self, runtime: Runtime, embedded: EmbeddedBackend, roles: Roles, named: Named, run: Run) -> None:
        self._runtime = runtime
        self._embedded = embedded
        self._roles = roles
        self._named = named
        self._run = run
        self._polling: dict[Mapped, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Look at the mappings again."""
        if self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow())
        self._changed.set()

    async def _follow(self) -> None:
        """Poll for what is mapped now; other processes may have changed it, where there are several."""
        seconds = _LOOK_SECONDS if self._runtime.settings.workers > 1 else None
        while True:
            self._changed.clear()
            try:
                await self._look()
            except BackendDown:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        told = [msgspec.convert(one, Mapped, strict=False) for one in await self._embedded.mappings()]
        # What a stack has mapped with a filter nobody polls: a function would be given what it is not to see.
        wanted = {one for one in told if one.enabled and ":sqs:" in one.EventSourceArn and not one.FilterCriteria}
        # One that has ended, or is another now, finishes what it has begun: no message waits for its time-out.
        self._polling = {one: task for one, task in self._polling.items() if one in wanted and not task.done()}
        for one in wanted - self._polling.keys():
            self._polling[one] = asyncio.get_running_loop().create_task(self._poll(one))

    async def clear(self) -> None:
        """Poll no more."""
        tasks = [*self._polling.values(), *([self._following] if self._following is not None else [])]
        self._polling, self._following = {}, None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, mapped: Mapped) -> None:
        pause = _PAUSES[0]
        while mapped in self._polling:
            try:
                is_done = await self._once(mapped)
            except (AWSError, CommonError) as error:
                log.info("the mapping %s: %s", mapped.UUID, error)
                is_done = False
            except Exception:
                log.exception("the mapping %s", mapped.UUID)
                is_done = False
            if is_done:
                pause = _PAUSES[0]
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSES[1])

    async def _once(self, mapped: Mapped) -> bool:
        """Receive a batch, and have the function run on it; whether all of it could be asked for."""
        function = await self._function(mapped)
        definition.check_runs(function)
        queue = Queue(self._runtime, self._roles, function, mapped)
        messages = await queue.receive()
        if not messages:
            return messages is not None
        records = [record_of(message, mapped) for message in messages]
        event = event_of(ids.request_id(), json.dumps({"Records": records}).encode(), mapped.FunctionArn)
        result, _ = await self._run(function, event)
        failed = failures(result, records, reports="ReportBatchItemFailures" in mapped.FunctionResponseTypes)
        return await queue.delete([one for one in messages if one["MessageId"] not in failed])

    async def _function(self, mapped: Mapped) -> Function:
        parsed = arns.parse(mapped.FunctionArn)
        if parsed is None:
            raise TypeError(mapped.FunctionArn)
        _, name, *qualifier = parsed.resource.split(":")
        return await self._named(parsed.account, parsed.region, name, qualifier[0] if qualifier else None)


class Queue:
    """A queue, asked with the role of the function that it is mapped to."""

    def __init__(self, runtime: Runtime, roles: Roles, function: Function, mapped: Mapped) -> None:
        self._runtime = runtime
        self._roles = roles
        self._function = function
        self._mapped = mapped
        parsed = arns.parse(mapped.EventSourceArn)
        if parsed is None:
            raise TypeError(mapped.EventSourceArn)
        self._url, self._region = queue_url(parsed), parsed.region

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
            messages += told
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
        credentials = await self._roles.of_lambda(self._function)
        parameters = {"QueueUrl": self._url, **given}
        return await call(self._runtime, credentials, "sqs", operation, parameters, region=self._region)


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
    if result.failure is not None:
        return every
    if not reports:
        return frozenset()
    try:
        answer = msgspec.json.decode(result.content)
        if not answer or not answer.get("batchItemFailures"):
            return frozenset()
        named = frozenset(item["itemIdentifier"] for item in answer["batchItemFailures"])
    except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
        return every
    return min(named, every)
