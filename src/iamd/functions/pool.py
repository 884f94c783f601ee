"""The processes of all functions: used again while they are good for it, bounded, and ended when they are not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from iamd.functions.definition import Function
from iamd.functions.environment import Environment, Result
from iamd.functions.errors import TooManyRequests
from iamd.functions.logs import LogStream
from iamd.functions.roles import Session
from iamd.functions.runtime_events import Event

IDLE_SECONDS: Final = 300.0
"""How long a process waits for its next invocation before it is ended."""
_LOOK_SECONDS: Final = 15.0


class Warm:
    """A process, with what it was begun for."""

    def __init__(self, environment: Environment, function: Function, session: Session, stream: LogStream) -> None:
        self.environment = environment
        self.function = function
        self.session = session
        self.stream = stream
        self.since = 0.0
        """When it began to wait."""


Begin = Callable[[Function], Awaitable[Warm]]


class Pool:
    """The processes; `begin` starts one, and `most` is how many may be there at a time."""

    def __init__(self, begin: Begin, most: int, now: Callable[[], float]) -> None:
        self._begin = begin
        self._most = most
        self._now = now
        self._idle: list[Warm] = []
        self._running: dict[str, int] = {}
        self._busy: set[Warm] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def run(self, function: Function, event: Event) -> tuple[Result, Warm]:
        """Run an invocation; TooManyRequests when as many run as may."""
        self._check(function)
        self._running[function.arn] = self._running.get(function.arn, 0) + 1
        try:
            warm = self._kept(function) or await self._fresh(function)
            return await self._run(warm, event, function.timeout), warm
        finally:
            self._running[function.arn] -= 1
            if not self._running[function.arn]:
                del self._running[function.arn]

    async def _run(self, warm: Warm, event: Event, seconds: int) -> Result:
        self._busy.add(warm)
        try:
            result = await warm.environment.invoke(event, seconds)
        except BaseException:
            # Nobody waits for it any more, and what it still does is for nobody.
            self._end(warm)
            raise
        finally:
            self._busy.discard(warm)
        await self._give_back(warm)
        return result

    def _check(self, function: Function) -> None:
        running, reserved = self._running.get(function.arn, 0), function.reserved
        if reserved is not None and running >= reserved:
            raise _too_many("ReservedFunctionConcurrentInvocationLimitExceeded")
        if sum(self._running.values()) >= self._most:
            raise _too_many("ConcurrentInvocationLimitExceeded")

    def _kept(self, function: Function) -> Warm | None:
        for warm in reversed(self._idle):
            if warm.function.arn == function.arn and warm.function.version == function.version:
                self._idle.remove(warm)
                if self._is_good(warm, function):
                    return warm
                self._end(warm)
        return None

    def _is_good(self, warm: Warm, function: Function) -> bool:
        # SECURITY: what a process was given when it began holds for its life: credentials that would end within the
        # invocation, or a configuration of before a change, are no longer the function's.
        lasts = warm.session.lasts(self._now(), function.timeout)
        return lasts and warm.environment.is_usable and warm.function.token == function.token

    async def _fresh(self, function: Function) -> Warm:
        if len(self._idle) + sum(self._running.values()) > self._most and self._idle:
            self._end(self._idle.pop(0))
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())
        return await self._begin(function)

    async def _give_back(self, warm: Warm) -> None:
        if not warm.environment.is_usable:
            await warm.environment.end()
            return
        warm.since = asyncio.get_running_loop().time()
        self._idle.append(warm)

    async def _sweep(self) -> None:
        """End those that have waited too long."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
            for warm in [one for one in self._idle if one.since < oldest]:
                self._idle.remove(warm)
                self._end(warm)

    def _end(self, warm: Warm) -> None:
        task = asyncio.create_task(warm.environment.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def retire(self, arn: str) -> None:
        """End the waiting processes of a function."""
        for warm in [one for one in self._idle if one.function.arn == arn]:
            self._idle.remove(warm)
            self._end(warm)

    async def clear(self) -> None:
        """End all processes, those that run too."""
        idle, self._idle = self._idle, []
        for warm in (*idle, *self._busy):
            self._end(warm)
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def close(self) -> None:
        """End for good."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await self.clear()


def _too_many(reason: str) -> TooManyRequests:
    return TooManyRequests("Rate Exceeded.", members={"Reason": reason, "Type": "User"})
