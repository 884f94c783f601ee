"""The shards of a stream, each read in its order, and after the shards that it came from.

AWS: Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources"
(invocation-eventsourcemapping) and "Polling and batching streams" (with-kinesis, with-ddb).
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

import msgspec

from iamd.functions import filters, streams
from iamd.functions.batches import LARGEST, Batches
from iamd.functions.polls import Pauses, Poller, Refused
from iamd.functions.streams import Page, Record, Shard, Stream
from iamd.functions.windows import Held, Windows

_LOOK_SECONDS: Final = 300.0
"""How often shards are looked for that came from none that is read; the end of one has them looked for at once."""


class Position(msgspec.Struct):
    """How far a shard is read: after a record, and the iterator of that place where it is known."""

    start: str
    after: str | None = None
    iterator: str | None = None
    is_done: bool = False
    held: Held = msgspec.field(default_factory=Held)
    """The window that is open."""


class Progress:
    """How far the shards of a mapping are read; one poller at a time goes on with it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.positions: dict[str, Position] = {}

    def know(self, shards: Sequence[Shard], start: str) -> None:
        """Begin with new shards; those that appear while others are read lose no record."""
        start = "TRIM_HORIZON" if self.positions else start
        for shard in shards:
            self.positions.setdefault(shard.name, Position(start))

    def ready(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that can be read: those they came from have been, or are gone."""
        there = {shard.name for shard in shards}
        return [
            shard
            for shard in shards
            if not self.positions[shard.name].is_done
            and all(self.positions[one].is_done for one in shard.parents if one in there)
        ]


class Gathered(msgspec.Struct):
    """The sequence numbers that were read, the records of them that the filters keep, and where to go on."""

    read: list[str]
    kept: list[Record]
    after: str | None


async def follow(poller: Poller, progress: Progress) -> None:
    """Read the shards of a stream until the mapping ends, or is another."""
    async with progress.lock:
        await Shards(poller, progress).follow()


class Shards:
    """The shards of one stream, and the readers of them."""

    def __init__(self, poller: Poller, progress: Progress) -> None:
        self._poller = poller
        self._life = poller.life
        self._progress = progress
        self._stream = streams.of(poller)
        self._reading: dict[str, asyncio.Task[None]] = {}

    async def follow(self) -> None:
        """Have every shard read that can be."""
        pauses = Pauses(self._life)
        try:
            while not self._life.is_over:
                if await self._poller.succeeds(self._look()):
                    pauses.reset()
                    await self._wait()
                else:
                    await pauses.wait()
            await asyncio.gather(*self._reading.values())
        finally:
            for task in self._reading.values():
                task.cancel()
            await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _look(self) -> None:
        shards = await self._stream.shards()
        self._progress.know(shards, self._poller.mapped.StartingPosition)
        self._reading = {name: task for name, task in self._reading.items() if not task.done()}
        for shard in self._progress.ready(shards):
            if shard.name not in self._reading:
                reader = Reader(self._poller, self._stream, shard, self._progress.positions[shard.name])
                self._reading[shard.name] = asyncio.get_running_loop().create_task(reader.read())

    async def _wait(self) -> None:
        """Wait until it is time to look again, or one shard has been read to its end."""
        pause = asyncio.get_running_loop().create_task(self._life.pause(_LOOK_SECONDS))
        await asyncio.wait([pause, *self._reading.values()], return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()


class Reader:
    """What reads one shard."""

    def __init__(self, poller: Poller, stream: Stream, shard: Shard, position: Position) -> None:
        self._poller = poller
        self._life = poller.life
        self._mapped = poller.mapped
        self._keeps = poller.mapped.keeps
        self._stream = stream
        self._shard = shard
        self._position = position
        self._windows = Windows(poller, shard.name, position.held)

    async def read(self) -> None:
        """Read until the shard ends, or the mapping does."""
        pauses = Pauses(self._life)
        while not self._life.is_over and not self._position.is_done:
            if await self._poller.succeeds(self._once()):
                pauses.reset()
            else:
                await pauses.wait()

    async def _once(self) -> None:
        """Read a batch for each lane, and have the function run on them."""
        gathered = await self._gathered()
        if gathered is None:
            return
        batches = Batches(self._poller, self._stream, self._shard.name, self._windows)
        try:
            await batches.process(gathered.kept)
        finally:
            self._go_on(gathered, batches.done)
        if self._position.is_done or (not gathered.read and self._windows.is_over):
            await self._windows.close()
            # A window that could not be closed now is closed by the next reader.
            self._position.is_done = self._position.is_done and not self._windows.is_open

    async def _gathered(self) -> Gathered | None:
        """Records until a batch is full, or its time or the shard at its end; None when the mapping ends before."""
        gathered = Gathered([], [], await self._iterator())
        ends: float | None = None
        while gathered.after is not None and not self._is_full(gathered, ends):
            got = await self._more(gathered)
            if gathered.kept and ends is None:
                ends = time.monotonic() + self._mapped.MaximumBatchingWindowInSeconds
            if not got and self._windows.is_over:
                return gathered
            if not got and not self._is_full(gathered, ends):
                await self._life.pause(self._stream.interval)
            if self._life.is_over:
                return None
        return gathered

    def _is_full(self, gathered: Gathered, ends: float | None) -> bool:
        if gathered.read and not gathered.kept:
            # What the filters drop is read, and waits for nothing.
            return True
        if ends is not None and time.monotonic() >= ends:
            return True
        size = sum(record.size for record in gathered.kept)
        return len(gathered.kept) >= self._most or size >= LARGEST

    @property
    def _most(self) -> int:
        return self._mapped.BatchSize * self._mapped.ParallelizationFactor

    async def _more(self, gathered: Gathered) -> bool:
        """Read what comes next; whether there was anything."""
        if not await self._stream.has_news(gathered.after or ""):
            return False
        page = await self._page(gathered.after or "", self._most - len(gathered.kept))
        gathered.read += [record.sequence for record in page.records]
        gathered.kept += await filters.kept(self._keeps, page.records, lambda record: record.shown)
        gathered.after = page.after
        if not gathered.read:
            self._position.iterator = page.after
            self._position.is_done = page.after is None
        return bool(page.records)

    async def _page(self, iterator: str, most: int) -> Page:
        try:
            return await self._stream.page(self._shard, iterator, most)
        except Refused as refused:
            if refused.code == "ExpiredIteratorException":
                self._position.iterator = None
            raise

    async def _iterator(self) -> str:
        if self._position.iterator is None:
            self._position.iterator = await self._stream.iterator(
                self._shard, self._position.start, self._position.after
            )
        return self._position.iterator

    def _go_on(self, gathered: Gathered, done: set[str]) -> None:
        """Remember the place after the last record before which none is left to do."""
        left = {record.sequence for record in gathered.kept} - done
        settled = list(takewhile(lambda sequence: sequence not in left, gathered.read))
        if len(settled) == len(gathered.read):
            self._position.iterator, self._position.is_done = gathered.after, gathered.after is None
        elif settled:
            self._position.iterator = None
        if settled:
            self._position.after = settled[-1]
