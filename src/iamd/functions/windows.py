"""Tumbling windows: what a function makes of the records of a shard, handed from one invocation to the next.

AWS: Lambda Developer Guide, "Implementing stateful Kinesis Data Streams processing in Lambda" (services-kinesis-
windows) and the same of DynamoDB (services-ddb-windows).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import msgspec

from iamd.errors import AWSError, CommonError
from iamd.functions.environment import MEGABYTE, Result
from iamd.functions.polls import Pauses, Poller
from iamd.functions.streams import Record

log = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 120
"""AWS: without new records a window is taken to be over after up to two minutes."""
_LARGEST: Final = MEGABYTE
"""AWS: "Your state can be a maximum of 1 MB per shard."."""


class Window(msgspec.Struct):
    """A window that is open, and its state so far; `since` is by how much iamd's clock was moved when it began."""

    start: int
    seconds: int
    since: float
    state: Any = {}


class Held(msgspec.Struct):
    """The open window of a shard, if there is one."""

    window: Window | None = None


class Windows:
    """The windows of one shard; there are none where the mapping has none."""

    def __init__(self, poller: Poller, shard: str, held: Held) -> None:
        self._poller = poller
        self._shard = shard
        self._held = held
        self._seconds = poller.mapped.TumblingWindowInSeconds
        if held.window is not None and held.window.seconds != self._seconds:
            # The mapping has other windows now.
            held.window = None

    @property
    def is_open(self) -> bool:
        """Whether a window is to be closed yet."""
        return self._held.window is not None

    @property
    def is_over(self) -> bool:
        """Whether the open window is, where there is nothing to read: it ended so long ago."""
        window, clock = self._held.window, self._poller.runtime.clock
        if window is None:
            return False
        now = clock.machine_timestamp() + clock.advanced_seconds - window.since
        return now >= window.start + self._seconds + _QUIET_SECONDS

    def groups(self, records: Sequence[Record]) -> Iterator[tuple[int, Sequence[Record]]]:
        """Records by the beginning of the window that they came in; all together where there are no windows."""
        for start, group in groupby(records, self._start):
            yield start, list(group)

    def _start(self, record: Record) -> int:
        return int(record.arrived // self._seconds) * self._seconds if self._seconds else 0

    async def enter(self, start: int) -> bool:
        """Open the window that begins there, once the one before is closed; whether that was possible."""
        if not self._seconds:
            return True
        if self._held.window is not None and self._held.window.start != start:
            await self.close()
        if self._held.window is None:
            self._open(start)
        return self._held.window is not None and self._held.window.start == start

    def _open(self, start: int) -> None:
        self._held.window = Window(start, self._seconds, self._poller.runtime.clock.advanced_seconds)

    async def close(self, *, early: bool = False) -> None:
        """Have the function see the state for the last time: until it succeeds, nothing else is done."""
        pauses = Pauses(self._poller.life)
        while self._held.window is not None and not self._poller.life.is_over:
            if await self._closed(early=early):
                self._held.window = None
            else:
                await pauses.wait()

    async def _closed(self, *, early: bool) -> bool:
        try:
            function = await self._poller.function()
            _, result = await self._poller.give(function, [], self.event(is_final=True, early=early))
        except (AWSError, CommonError) as error:
            log.info("the mapping %s waits: %s", self._poller.mapped.UUID, error)
            return False
        return state_of(result) is not None

    def event(self, *, is_final: bool = False, early: bool = False) -> Mapping[str, Any]:
        """What an event has beside its records; nothing where there is no window."""
        window = self._held.window
        if window is None:
            return {}
        return {
            "window": {"start": _iso(window.start), "end": _iso(window.start + self._seconds)},
            "state": window.state,
            "shardId": self._shard,
            "eventSourceARN": self._poller.mapped.EventSourceArn,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": early,
        }

    async def take(self, result: Result) -> bool:
        """Keep the state of a function that has succeeded; False when it has answered none, which is a failure."""
        window = self._held.window
        if window is None:
            return True
        state = state_of(result)
        if state is None:
            return False
        window.state = state
        if len(msgspec.json.encode(state)) > _LARGEST:
            await self.close(early=True)
            if self._held.window is None:
                self._open(window.start)
        return True


def state_of(result: Result) -> Any:
    """The state in an answer; None when there is none."""
    if result.failure is not None:
        return None
    try:
        return msgspec.json.decode(result.content)["state"]
    except (msgspec.DecodeError, TypeError, KeyError):
        return None


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
