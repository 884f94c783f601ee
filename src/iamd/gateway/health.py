"""Health checks: backends that have a path for it are asked now and then, and left alone while they are not well."""

import asyncio
from collections.abc import Iterable
from typing import Final

from iamd.gateway.backend import Backend
from iamd.gateway.backends import Place
from iamd.gateway.connection import Broken
from iamd.gateway.pool import Unreachable

_NOT_WELL: Final = 500


class Health:
    """The checks of one process."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, places: Iterable[Place]) -> None:
        """Check those that have a path for it, until `close`."""
        loop = asyncio.get_running_loop()
        watched = [place.backend for place in places if place.backend.rules.health_path is not None]
        self._tasks += [loop.create_task(_watch(backend)) for backend in watched]

    def close(self) -> None:
        """Check no more."""
        for task in self._tasks:
            task.cancel()


async def _watch(backend: Backend) -> None:
    while True:
        wrong = await ask(backend)
        if wrong is None:
            backend.breaker.succeeded()
        else:
            backend.breaker.open(wrong)
        await asyncio.sleep(backend.rules.health_seconds)


async def ask(backend: Backend) -> str | None:
    """What is wrong with a backend, or None: anything below 500 comes from a server that works."""
    path = (backend.rules.base_path.decode() + (backend.rules.health_path or "/")).encode()
    head = b"GET %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (path, backend.host.encode())
    try:
        pool = backend.opened()
        connection = pool.kept() or await pool.take()
    except Unreachable:
        return "it cannot be reached"
    try:
        incoming = connection.ask("GET", head, whole=True)
        while (waiter := incoming.awaited()) is not None:
            await waiter
    except (Broken, TimeoutError):
        connection.close()
        return "it does not answer its health check"
    incoming.close()
    return f"its health check says {incoming.status}" if incoming.status >= _NOT_WELL else None
