"""Watching a client while its request is at a backend: when it goes, the backend's part ends too."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

Receive = Callable[[], Awaitable[dict[str, Any]]]

AFTER: Final = 0.05
"""Seconds after which the client is watched: most answers are there before, and a watcher costs a task."""


class ClientGone(ConnectionError):
    """The client closed its connection while its request was on its way; the backend's part was cut off."""


class Watch:
    """Cancels the block when the client goes, and turns the cancellation into ClientGone.

    While `reading` says so the body's reader has the channel, and sees the client go by itself.
    """

    def __init__(self, receive: Receive, reading: Callable[[], bool] = lambda: False) -> None:
        self._receive = receive
        self._reading = reading
        self._gone = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(AFTER, self._begin)

    def _begin(self) -> None:
        if self._reading():
            self._timer = self._loop.call_later(AFTER, self._begin)
        else:
            self._watcher = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._gone and kind is asyncio.CancelledError:
            if self._task is not None:
                self._task.uncancel()
            raise ClientGone("the client closed its connection") from error
