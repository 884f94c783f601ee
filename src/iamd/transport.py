"""The connection under the server: limits of size, time and number, and strict framing, before anything is parsed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, Final

from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from iamd import ids
from iamd.exchange import App, Channel, Exchange
from iamd.framing import END_OF_HEAD, LONGEST_HEAD, Chunks, Head, Malformed, read_head

LINGER_SECONDS: Final = 2.0
"""How long a client may go on sending after it was refused; a close at once would destroy the answer on its way."""

DRAINED_BYTES: Final = 8 * 1024 * 1024
"""How much of a body that nobody reads is taken before the connection is cut."""


SENT_AHEAD: Final = 64 * 1024
"""How much is taken of what a client sends behind a request that is not answered yet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take: seconds for its headers, seconds of silence, connections at a time."""

    header_seconds: float = 10.0
    idle_seconds: float = 30.0
    connections: int = 1024


class Reading(Enum):
    """What a connection reads next."""

    HEAD = auto()
    SIZED = auto()
    CHUNKED = auto()
    NOTHING = auto()


# By names of their own: this Python finds a member of an Enum slowly.
_HEAD, _SIZED, _CHUNKED, _NOTHING = Reading


class Flow(FlowControl):
    """uvicorn's flow control, which does not read on while enough is held."""

    full = False

    def resume_reading(self) -> None:
        """Read on, unless enough is held."""
        if not self.full:
            super().resume_reading()


class Connection(asyncio.Protocol):
    """One client's connection: its requests one after the other, each an Exchange.

    `deadline` is the loop's time at which `sweep` cuts it, 0 for never: one sweep a second costs less than a timer
    for every request.
    """

    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.deadline = 0.0
        self._app: App = config.loaded_app
        self._server = server_state
        self._exchange: Exchange | None = None
        self._reading = _HEAD
        self._held = b""
        self._in_head = True
        self._left = 0
        self._chunks = Chunks()
        self._drained = 0
        self._unsent = 0
        self._write_deadline = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for headers; above the cap of connections, say so and close."""
        self.transport = transport
        self.flow = Flow(transport)
        self._channel = Channel(self.loop, transport, self.flow, self._server, self._app, self._answered)
        self._server.connections.add(self)  # type: ignore[arg-type]  # uvicorn's set names its own protocols only
        self.deadline = self.loop.time() + self.limits.header_seconds
        if len(self._server.connections) > self.limits.connections:
            self._refuse(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is being served, for whom nobody waits any more."""
        self._server.connections.discard(self)
        if self._exchange is not None:
            self._exchange.disconnect()
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """The server ends: the request that is being served is the last one."""
        if self._exchange is None or self._exchange.complete:
            self.transport.close()
        else:
            self._exchange.keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Take what came: a head when it is whole, body bytes as they are."""
        if self._held:
            data, self._held = self._held + data, b""
        try:
            while data:
                data = self._read(data)
        except Malformed as error:
            self._refuse(400, str(error))

    def _read(self, data: bytes) -> bytes:
        reading = self._reading
        if reading is _HEAD:
            is_free = self._exchange is None or self._exchange.complete
            return self._read_head(data) if is_free else self._wait(data)
        if reading is _SIZED:
            end = min(self._left, len(data))
            self._left -= end
            return self._read_body(data, data[:end], end, whole=not self._left)
        if reading is _CHUNKED:
            content, end = self._chunks.take(data)
            return self._read_body(data, content, end, whole=self._chunks.done)
        return b""

    def _wait(self, data: bytes) -> bytes:
        """Keep what is sent ahead until the request before it is answered: uvicorn would queue without a bound."""
        self._held = data
        if len(data) > SENT_AHEAD:
            self.flow.full = True
            self.flow.pause_reading()
        return b""

    def _read_head(self, data: bytes) -> bytes:
        end = data.find(END_OF_HEAD, 0, LONGEST_HEAD) + len(END_OF_HEAD)
        if end < len(END_OF_HEAD):
            return self._hold(data)
        head = read_head(data[:end])
        self._in_head = False
        whole = end + head.length
        if head.chunked or whole > len(data):
            begun = self._exchange = Exchange.awaiting(self._channel, head)
            self._await_body(head)
            begun.start()
            return data[end:]
        exchange = self._exchange = self._channel.serve(head, data[end:whole])
        rest = data[whole:]
        if exchange is None:
            self._served(rest, keep_alive=head.keep_alive)
            return b""
        self._message_read(exchange)
        return rest

    def _served(self, rest: bytes, *, keep_alive: bool) -> None:
        """A request was answered at once: what came behind it is read after what others sent."""
        if not keep_alive or self.transport.is_closing():
            self._reading = _NOTHING
            return
        self.deadline = self.loop.time() + self.limits.idle_seconds
        if rest:
            self._held = rest
            self.loop.call_soon(self._go_on)

    def _hold(self, data: bytes) -> bytes:
        if len(data) >= LONGEST_HEAD:
            raise Malformed("the headers are too long")
        self._held = data
        if not self._in_head:
            self._in_head = True
            self.deadline = self.loop.time() + self.limits.header_seconds
        return b""

    def _await_body(self, head: Head) -> None:
        self._reading = _CHUNKED if head.chunked else _SIZED
        self._left, self._chunks, self._drained = head.length, Chunks(), 0
        self.deadline = self.loop.time() + self.limits.idle_seconds

    def _read_body(self, data: bytes, content: bytes, end: int, *, whole: bool) -> bytes:
        exchange = self._exchange
        if exchange is None:
            raise TypeError("a body without a head")
        if exchange.complete:
            self._drain(end)
        exchange.feed(content, whole=whole)
        self.deadline = self.loop.time() + self.limits.idle_seconds
        if whole:
            self._reading = _HEAD
            self._message_read(exchange)
        return data[end:]

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > DRAINED_BYTES:
            raise Malformed("nobody reads this body")

    def _message_read(self, exchange: Exchange) -> None:
        if not exchange.complete:
            self.deadline = 0.0
        if not exchange.keep_alive:
            # RFC 9112, 9.6: what comes after a message that closes the connection is no request.
            self._reading = _NOTHING

    def _answered(self, exchange: Exchange) -> None:
        """Begin the next request; a client that still waits to be told to send its body is not waited for."""
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        unread = self._reading is _SIZED or self._reading is _CHUNKED
        if unread and exchange.expects_continue:
            self._linger()
        elif self._held:
            self.loop.call_soon(self._go_on)
        elif not unread:
            self.deadline = self.loop.time() + self.limits.idle_seconds

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.full = False
            self.data_received(b"")
            self.flow.resume_reading()

    def pause_writing(self) -> None:
        """Note when the client stopped to take its answer."""
        self.flow.pause_writing()
        self._write_deadline = self.loop.time() + self.limits.idle_seconds
        self._unsent = self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """The client takes its answer again."""
        self.flow.resume_writing()
        self._write_deadline = 0.0

    def check(self, now: float) -> None:
        """Cut this connection when its client is too slow."""
        if self.transport.is_closing() and not self._write_deadline:
            self.pause_writing()
        if self._write_deadline and now > self._write_deadline:
            self._check_writing(now)
        elif self.deadline and now > self.deadline and not self.transport.is_closing():
            self._check_reading(now)

    def _check_writing(self, now: float) -> None:
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent and self._unsent < before:
            self._write_deadline = now + self.limits.idle_seconds
        else:
            self.transport.abort()

    def _check_reading(self, now: float) -> None:
        if self.flow.read_paused:
            # It is not the client that is slow: a backend takes its time with the body.
            self.deadline = now + self.limits.idle_seconds
        elif self._reading is _NOTHING:
            self.transport.abort()
        elif self._reading is _HEAD and not self._held:
            self.transport.close()
        else:
            self._refuse(408, "the request took too long")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in plain text and close; nobody waits any more for what the refused message was to bring."""
        in_body = self._reading is _SIZED or self._reading is _CHUNKED
        self._reading, self._held = _NOTHING, b""
        if in_body and self._exchange is not None:
            self._exchange.disconnect()
        if in_body and self._exchange is not None and self._exchange.begun:
            self.transport.abort()
        else:
            self._channel.refuse(status, message.encode(), ids.request_id())
            self._linger()

    def _linger(self) -> None:
        self._reading = _NOTHING
        self.deadline = self.loop.time() + LINGER_SECONDS
        self.transport.write_eof()


def connection_class(limits: Limits) -> type[Connection]:
    """The class of a server's connections, with these limits."""
    return type("Connection", (Connection,), {"limits": limits})


def sweep(connections: Iterable[object], now: float) -> None:
    """Cut the connections whose clients are too slow; `now` is the loop's time."""
    for connection in list(connections):
        if isinstance(connection, Connection):
            connection.check(now)
