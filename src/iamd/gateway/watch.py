"""Watching a client while its request is at a backend: when it goes, the backend's part ends too."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

Receive = Callable[[], Awaitable[dict[str, Any]]]

AFTER: Final = 0.05
"""Seconds after which the client is watched, or twice as many: nearly all answers are there before."""


class ClientGone(ConnectionError):
    """The client closed its connection while its request was on its way; the backend's part was cut off."""


class Watch:
    """Cancels the block when the client goes, and turns the cancellation into ClientGone.

    While `reading` says so the body's reader has the channel, and sees the client go by itself.
    """

    __slots__ = ("_gone", "_reading", "_receive", "_sweep", "_task", "_watcher")

    def __init__(self, receive: Receive, reading: Callable[[], bool] = lambda: False) -> None:
        self._receive = receive
        self._reading = reading
        self._gone = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        task = self._task = asyncio.current_task()
        if task is None:
            raise TypeError("there is no task to cancel")
        self._sweep = _sweep_of(task.get_loop())
        self._sweep.add(self)

    def begin(self) -> bool:
        """Watch the client from now on; False while the body's reader has the channel."""
        if self._reading():
            return False
        self._watcher = self._sweep.loop.create_task(self._wait())
        return True

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._sweep.forget(self)
        if self._watcher is not None:
            self._watcher.cancel()
        if self._gone and kind is asyncio.CancelledError:
            if self._task is not None:
                self._task.uncancel()
            raise ClientGone("the client closed its connection") from error


class _Sweep:
    """Begins those watches that last for a while, with one timer for all: most end before theirs would ring."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._new: set[Watch] = set()
        self._old: set[Watch] = set()
        self._is_timed = False

    def add(self, watch: Watch) -> None:
        """Begin this one when it is still there the time after next."""
        self._new.add(watch)
        if not self._is_timed:
            self._is_timed = True
            self.loop.call_later(AFTER, self._look)

    def forget(self, watch: Watch) -> None:
        """Its block has ended."""
        self._new.discard(watch)
        self._old.discard(watch)

    def _look(self) -> None:
        waiting = {watch for watch in self._old if not watch.begin()}
        self._old, self._new = waiting | self._new, set()
        self._is_timed = bool(self._old)
        if self._is_timed:
            self.loop.call_later(AFTER, self._look)


def _sweep_of(loop: asyncio.AbstractEventLoop) -> _Sweep:
    global _sweep  # noqa: PLW0603 (a process has one loop that serves)
    if _sweep is None or _sweep.loop is not loop:
        _sweep = _Sweep(loop)
    return _sweep


_sweep: _Sweep | None = None
