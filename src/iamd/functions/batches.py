"""Batches of a shard's records: given to the function until it is done with them, or they are given up.

AWS: Lambda Developer Guide, with-kinesis: "Error handling", "Reporting batch item failures", "Bisecting a batch";
with-ddb says the same of DynamoDB.
"""

import asyncio
import logging
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from iamd.errors import AWSError, CommonError
from iamd.functions import discarded
from iamd.functions.discarded import Discarded, Tried
from iamd.functions.environment import MEGABYTE, Result
from iamd.functions.polls import Pauses, Poller, reported
from iamd.functions.streams import Record, Stream
from iamd.functions.windows import Windows

log = logging.getLogger(__name__)

LARGEST: Final = 6 * MEGABYTE
"""AWS: a batch has at most 6 MB (invocation-eventsourcemapping, "Batching behavior")."""
_AROUND: Final = len('{"Records": []}')
_BETWEEN: Final = len(", ")


class Batches:
    """The batches that were made of records that were read together; `done` has the records that need nothing more."""

    def __init__(self, poller: Poller, stream: Stream, shard: str, windows: Windows) -> None:
        self._poller = poller
        self._mapped = poller.mapped
        self._stream = stream
        self._shard = shard
        self._windows = windows
        self._since = poller.runtime.clock.advanced_seconds
        self.done: set[str] = set()

    async def process(self, records: Sequence[Record]) -> None:
        """Have the function run on them, one window after the other."""
        for start, group in self._windows.groups(records):
            if not await self._windows.enter(start):
                return
            await self._process(group)
            if self._poller.life.is_over:
                return

    async def _process(self, records: Sequence[Record]) -> None:
        """Have the function run on them; those with the same key stay in their order."""
        lanes: dict[int, list[Record]] = {}
        for record in records:
            lanes.setdefault(zlib.crc32(record.key.encode()) % self._mapped.ParallelizationFactor, []).append(record)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._lane(lane))

    async def _lane(self, records: Sequence[Record]) -> None:
        for batch in cut(records, self._mapped.BatchSize):
            await self._deliver(batch, Tried())
            if self._poller.life.is_over:
                return

    async def _deliver(self, batch: Sequence[Record], tried: Tried) -> None:
        """Try until all of it is done with; what is left when the mapping ends stays for the next one."""
        pauses = Pauses(self._poller.life)
        while not self._poller.life.is_over and (batch := await self._young(batch, tried)):
            finished = await self._tried(batch, tried)
            if finished is not None:
                self._end(batch[:finished])
                batch = batch[finished:]
                if batch and await self._settles(batch, tried, is_whole=not finished):
                    return
            if batch:
                await pauses.wait()

    async def _settles(self, batch: Sequence[Record], tried: Tried, *, is_whole: bool) -> bool:
        """Whether what has failed is dealt with; if not, it is to be tried again as it is."""
        if self._mapped.BisectBatchOnFunctionError and (len(batch) > 1 or not is_whole):
            await self._split(batch, tried, is_whole=is_whole)
            return True
        if 0 <= self._mapped.MaximumRetryAttempts <= tried.retries:
            await self._discard(batch, "RetryAttemptsExhausted", tried)
            return True
        tried.retries += 1
        return False

    async def _split(self, batch: Sequence[Record], tried: Tried, *, is_whole: bool) -> None:
        """Try a batch in two; it was split already where the function told from where it failed. That is no retry."""
        middle = len(batch) // 2 if is_whole else 0
        for part in (batch[:middle], batch[middle:]):
            await self._deliver(part, replace(tried))

    async def _tried(self, batch: Sequence[Record], tried: Tried) -> int | None:
        """Run the function; how many records it is done with, or None when it could not be run."""
        try:
            function = await self._poller.function()
            shown = [record.shown for record in batch]
            tried.request_id, tried.result = await self._poller.give(function, shown, self._windows.event())
        except (AWSError, CommonError) as error:
            log.info("the mapping %s waits: %s", self._mapped.UUID, error)
            return None
        tried.count, tried.version = tried.count + 1, function.version
        finished = done(tried.result, [record.sequence for record in batch], reports=self._mapped.reports)
        return finished if finished and await self._windows.take(tried.result) else 0

    async def _young(self, batch: Sequence[Record], tried: Tried) -> Sequence[Record]:
        """The records that are not too old; others are given up, and those that the stream has no more forgotten."""
        self._end([record for record in batch if self._age(record) > self._stream.kept_seconds])
        batch = [record for record in batch if record.sequence not in self.done]
        oldest = self._mapped.MaximumRecordAgeInSeconds
        old = [record for record in batch if 0 <= oldest < self._age(record)]
        if old:
            await self._discard(old, "RecordAgeExceeded", tried)
        return [record for record in batch if record.sequence not in self.done]

    def _age(self, record: Record) -> float:
        """A record's age by the machine's clock, on which it arrived, and what iamd's was moved since it was read."""
        clock = self._poller.runtime.clock
        return clock.machine_timestamp() - record.arrived + clock.advanced_seconds - self._since

    async def _discard(self, batch: Sequence[Record], condition: str, tried: Tried) -> None:
        given_up = Discarded(batch, self._shard, self._stream.batch, condition, tried)
        self._end(batch)
        try:
            await discarded.tell(self._poller, given_up)
        except (AWSError, CommonError) as error:
            log.warning("a record of the mapping %s was not delivered: %s", self._mapped.UUID, error)

    def _end(self, records: Sequence[Record]) -> None:
        self.done |= {record.sequence for record in records}


def cut(records: Sequence[Record], most: int) -> Iterator[Sequence[Record]]:
    """Batches of so many records at most, and of no more bytes than an event may have."""
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (len(batch) >= most or size + record.size + _BETWEEN > LARGEST - _AROUND):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record.size + _BETWEEN
    if batch:
        yield batch


def done(result: Result, sequences: Sequence[str], *, reports: bool) -> int:
    """How many records a function is done with: all, or those before the first that it names as failed.

    AWS: what is no list of ids of the batch fails it whole ("Success and failure conditions").
    """
    named = reported(result, reports=reports)
    if named is None or not named <= set(sequences):
        return 0
    return min((sequences.index(one) for one in named), default=len(sequences))
