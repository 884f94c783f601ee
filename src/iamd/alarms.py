"""Alarms: calls at moments of iamd's clock, which `--dev` may move; without any, nothing is done."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable
from typing import Final

from iamd.clock import Clock

log = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 30.0
"""The machine's clock may be set, and a machine that slept does not count as having waited."""
_LOOK_SECONDS: Final = 0.05


class Alarms:
    """What is to be called, and when; `moves` says that the clock may be moved, by this process or another."""

    def __init__(self, clock: Clock, *, moves: bool) -> None:
        self._clock = clock
        self._longest = _LOOK_SECONDS if moves else _LONGEST_WAIT
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._added = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    def at(self, moment: float, ring: Callable[[], None]) -> None:
        """Call this when it is that late: in the order of the moments, and at once when it is later than that."""
        heapq.heappush(self._waiting, (moment, next(self._order), ring))
        self._added.set()
        if self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow())

    async def until(self, moment: float) -> None:
        """Wait until it is that late."""
        reached = asyncio.Event()
        self.at(moment, reached.set)
        await reached.wait()

    def clear(self) -> None:
        """Call nothing of what waits."""
        self._waiting.clear()
        if self._following is not None:
            self._following.cancel()
            self._following = None

    async def _follow(self) -> None:
        """Ring what is due, for as long as anything waits."""
        while self._waiting:
            left = self._waiting[0][0] - self._clock.timestamp()
            if left > 0:
                await self._wait(min(left, self._longest))
                continue
            _, _, ring = heapq.heappop(self._waiting)
            try:
                ring()
            except Exception:
                log.exception("an alarm failed")
            # Who rings once a minute may have a year to make up for when the clock is moved.
            await asyncio.sleep(0)
        self._following = None

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until something is added."""
        self._added.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._added.wait()
        except TimeoutError:
            return
