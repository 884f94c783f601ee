"""A backend on a bare socket: it counts and keeps each byte that it gets, and answers what it is told to."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Self

Behaviour = Callable[["RawBackend", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class RawBackend:
    """Listens on a free port of the loopback; `heads` and `bodies` are what came, `bytes` how much."""

    def __init__(self, behaviour: Behaviour | None = None, answer: bytes = OK) -> None:
        self.behaviour = behaviour or answering
        self.answer = answer
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.bytes = 0
        self.connections = 0
        self.tasks: list[asyncio.Task] = []
        self.closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.connections += 1
        self.tasks.append(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.behaviour(self, reader, writer)
        finally:
            self.closed.set()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def request(self, reader) -> bool:
        """Read one request; its body is kept only when it came whole."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        self.heads.append(head)
        self.bytes += len(head)
        length = next((int(v) for k, v in fields(head) if k == b"content-length"), 0)
        body = await reader.readexactly(length)
        self.bytes += len(body)
        self.bodies.append(body)
        return True


def fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """The header fields of a request's head."""
    return [tuple(line.split(b": ", 1)) for line in head.lower().split(b"\r\n")[1:] if line]


async def answering(backend, reader, writer):
    """Answer each request."""
    while await backend.request(reader):
        writer.write(backend.answer)
        await writer.drain()


async def silent(backend, reader, writer):
    """Read a request and say nothing until the other side goes."""
    await backend.request(reader)
    await reader.read()


async def resetting(backend, reader, writer):
    """Read a request and reset the connection."""
    await backend.request(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
