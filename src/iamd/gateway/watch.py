"""Watching a client while its request is at a backend: when it goes, the backend's part ends too."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import get_ident
from typing import Any, Final

import msgspec

Receive = Callable[[], Awaitable[dict[str, Any]]]

AFTER: Final = 0.05
"""Seconds after which the client is watched, or twice as many: nearly all answers are there before."""


class ClientGone(ConnectionError):
    """The client closed its connection while its request was on its way; the backend's part was cut off."""


def _reads_nothing() -> bool:
    return False


class Watch(msgspec.Struct, eq=False):
    """Cancels the block when the client goes, and turns the cancellation into ClientGone.

    While `reading` says so the body's reader has the channel, and sees the client go by itself.
    """

    receive: Receive
    reading: Callable[[], bool] = _reads_nothing
    _task: asyncio.Task[Any] | None = None
    _sweep: "_Sweep | None" = None
    _watcher: asyncio.Task[None] | None = None
    _gone: bool = False

    def __enter__(self) -> None:
        sweep = _sweep
        # To ask which loop runs takes a system call; a thread has one at a time.
        task = asyncio.current_task(sweep.loop) if sweep is not None and sweep.thread == get_ident() else None
        if task is None or sweep is None:
            task, sweep = _task_of_new_loop()
        self._task, self._sweep = task, sweep
        sweep.new.add(self)
        if not sweep.is_timed:
            sweep.begin()

    def begin(self) -> bool:
        """Watch the client from now on; False while the body's reader has the channel."""
        if self.reading():
            return False
        if self._task is not None:
            self._watcher = self._task.get_loop().create_task(self._wait())
        return True

    async def _wait(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        sweep = self._sweep
        if sweep is not None:
            sweep.new.discard(self)
            sweep.old.discard(self)
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
        self.thread = get_ident()
        self.new: set[Watch] = set()
        """Those that begin when they are still there the time after next."""
        self.old: set[Watch] = set()
        self.is_timed = False

    def begin(self) -> None:
        """Look after them from now on."""
        self.is_timed = True
        self.loop.call_later(AFTER, self._look)

    def _look(self) -> None:
        waiting = {watch for watch in self.old if not watch.begin()}
        self.old, self.new = waiting | self.new, set()
        self.is_timed = bool(self.old)
        if self.is_timed:
            self.begin()


def _task_of_new_loop() -> tuple[asyncio.Task[Any], _Sweep]:
    """The task that runs, and the sweep of its loop, which is another than the last one was."""
    global _sweep  # noqa: PLW0603 (a process has one loop that serves)
    task = asyncio.current_task()
    if task is None:
        raise TypeError("there is no task to cancel")
    _sweep = _Sweep(task.get_loop())
    return task, _sweep


_sweep: _Sweep | None = None
