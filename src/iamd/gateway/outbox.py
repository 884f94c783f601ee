"""Requests to a backend that come together are written together."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

MOST: Final = 8
"""How many requests wait for each other at most."""


class Outbox:
    """What is put here goes out when the event loop has run what was ready, or when so many wait; or at once.

    Whoever writes to a backend that sleeps wakes it, which costs more than the write itself. Of writes behind one
    another the first alone does. What fails for one request is that request's alone.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[Callable[[bytes], None], bytes, Callable[[], None] | None]] = []

    def put(
        self,
        send: Callable[[bytes], None],
        content: bytes,
        meanwhile: Callable[[], None] | None,
        at_once: bool = False,
    ) -> None:
        """Have `content` sent, and `meanwhile` called when it has gone out."""
        waiting = self._waiting
        waiting.append((send, content, meanwhile))
        if at_once or len(waiting) == MOST:
            self._empty()
        elif len(waiting) == 1:
            self._loop.call_soon(self._empty)

    def _empty(self) -> None:
        waiting, self._waiting = self._waiting, []
        for send, content, _ in waiting:
            send(content)
        for _, _, meanwhile in waiting:
            if meanwhile is not None:
                try:
                    meanwhile()
                except Exception:
                    # The others' is still done, and whoever filled the outbox has a request of its own.
                    log.exception("what was to be done while a backend works failed")
