"""The connections to one backend: kept for a while, the one last used taken first, and only so many at a time."""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from iamd.gateway.connection import Connection
from iamd.gateway.outbox import Outbox

CONNECTIONS: Final = 256

KEPT_SECONDS: Final = 15.0
"""How long an unused connection is kept: less than backends keep theirs, for none is to close as it is used again."""


class Unreachable(ConnectionError):
    """No connection could be made in time."""


Opening = Callable[[asyncio.AbstractEventLoop, Callable[[], Connection]], Awaitable[object]]


def over_tcp(
    host: str, port: int, context: Callable[[], ssl.SSLContext] | None, address: tuple[str, int] | None = None
) -> Opening:
    """How a connection to a host is opened; it goes to `address` instead when there is one, and is still the host's."""
    at, at_port = address or (host, port)
    if context is None:
        return lambda loop, made: loop.create_connection(made, at, at_port)
    return lambda loop, made: loop.create_connection(made, at, at_port, ssl=context(), server_hostname=host)


def over_unix(path: str) -> Opening:
    """How a connection to a socket of this machine is opened."""
    return lambda loop, made: loop.create_unix_connection(made, path)


class Pool:
    """`connect_seconds` bounds the opening of a connection, `seconds` are those of `Connection`."""

    def __init__(self, opening: Opening, connect_seconds: float, seconds: tuple[float, float]) -> None:
        self._opening = opening
        self._connect_seconds = connect_seconds
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._loop)
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._being_opened = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def take(self) -> Connection:
        """A connection that nobody else uses; waits while all are in use. Unreachable when none can be made."""
        while True:
            kept = self.kept()
            if kept is not None:
                return kept
            if len(self._open) + self._being_opened < CONNECTIONS:
                return await self._opened()
            await self._turn()

    def close(self) -> None:
        """Cut every connection."""
        for connection in list(self._open):
            connection.close()

    def kept(self) -> Connection | None:
        """A connection that waits to be used again, or None."""
        oldest = self._loop.time() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                connection.is_lone = len(self._open) == len(self._idle) + 1
                return connection
            connection.close()
        return None

    async def _opened(self) -> Connection:
        made = Connection(self._seconds, self._give_back, self._forget, self._outbox)
        self._being_opened += 1
        try:
            async with asyncio.timeout(self._connect_seconds):
                await self._opening(self._loop, lambda: made)
        except (OSError, TimeoutError) as error:
            raise Unreachable("the backend cannot be reached") from error
        finally:
            self._being_opened -= 1
            if not made.is_open:
                self._next()
        self._open.add(made)
        return made

    async def _turn(self) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._next()
            raise

    def _next(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _give_back(self, connection: Connection) -> None:
        self._idle.append(connection)
        if self._waiters:
            self._next()

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._next()
