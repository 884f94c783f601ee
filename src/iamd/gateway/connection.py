"""A connection to a backend: one request goes out, and its answer comes in; then the next.

httptools parses the answers, strictly. Nothing that a backend sends without being asked becomes anybody's answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import httptools
import msgspec

from iamd.framing import Answer, read_answer
from iamd.gateway.outbox import Outbox
from iamd.http import Headers

SMALL: Final = 64 * 1024
"""Answers up to this length are waited for whole; of longer ones not much more than this is held."""

LONGEST_HEAD: Final = 32 * 1024
MOST_HEADERS: Final = 256
_NO_BODY: Final = frozenset({204, 304})


class Broken(ConnectionError):
    """The connection ended, or what came over it is not HTTP."""


class NeverAnswered(Broken):
    """A connection that had been kept closed before anything came back: perhaps nobody has seen the request."""


_NO_FIELDS: Final[Mapping[bytes, bytes]] = MappingProxyType({})


class Incoming(msgspec.Struct, eq=False):
    """An answer on its way. `length` is its body's, None while only its end will tell."""

    _connection: "Connection"
    method: str
    status: int = 0
    headers: Headers = ()
    fields: Mapping[bytes, bytes] = _NO_FIELDS
    """The last header of each name."""
    length: int | None = None
    has_begun: bool = False
    is_whole: bool = False
    error: BaseException | None = None
    _pieces: list[bytes] = []
    _size: int = 0
    _waiter: asyncio.Future[None] | None = None

    def begin(self, status: int, headers: Headers) -> None:
        """Take the head."""
        self.status, self.headers, self.has_begun = status, headers, True
        fields = self.fields = dict(headers)
        if self.method == "HEAD" or status in _NO_BODY:
            self.length = 0
        elif b"content-length" in fields:
            self.length = int(fields[b"content-length"])

    def take_whole(self, answer: Answer) -> None:
        """Take an answer that came in one piece; who waits is woken by its end."""
        self.status, self.headers, self.fields, self.has_begun = answer.status, answer.headers, answer.fields, True
        self.length = len(answer.body)
        self._pieces.append(answer.body)

    def add(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > SMALL:
            self._connection.pause_reading()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes: the answer is whole, or `error` says why it never will be."""
        if not self.is_whole:
            self.is_whole, self.error = error is None, error
            self.wake()

    def wake(self) -> None:
        """Have whoever waits look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def awaited(self) -> asyncio.Future[None] | None:
        """What to wait for, and then to ask again, until the head is there, and the body too when it is small.

        None when they are; raises what became of them instead.
        """
        if self.is_whole or (self.has_begun and (self.length is None or self.length > SMALL)):
            return None
        if self.error is not None:
            raise self.error
        return self._news()

    async def piece(self) -> bytes:
        """What came of the body since the last call, waiting for it; nothing at the end."""
        while not self._pieces and not self.is_whole:
            if self.error is not None:
                raise self.error
            await self._news()
        return self.take()

    def take(self) -> bytes:
        """What is there of the body."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        if not self.is_whole:
            self._connection.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _news(self) -> asyncio.Future[None]:
        waiter = self._waiter = self._connection.loop.create_future()
        return waiter

    def close(self) -> None:
        """Take nothing more of it; its connection ends with it when it is not whole."""
        self._pieces.clear()
        if not self.is_whole:
            self._connection.close()


def _size_of(headers: Headers) -> int:
    return sum(len(name) + len(value) for name, value in headers)


class Connection(asyncio.Protocol):
    """One connection; `idle` is told when it can take another request, `lost` when it is gone.

    Requests that are whole go out by `outbox`, which the connections to a backend share.

    `seconds` are how long an answer may take to begin once the request is whole, and how long the backend may be
    silent, or take nothing, within a body.
    """

    def __init__(
        self,
        seconds: tuple[float, float],
        idle: Callable[["Connection"], None],
        lost: Callable[["Connection"], None],
        outbox: Outbox,
    ) -> None:
        self.is_open = False
        self.is_lone = False
        """No other connection of its pool was in use when it was taken."""
        self.idle_since = 0.0
        self._response_seconds, self._idle_seconds = seconds
        self._idle, self._lost = idle, lost
        self._outbox = outbox
        self.loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._incoming: Incoming | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._is_kept = False
        """It has carried a request before."""
        self._is_silent = True
        """Nothing has come since the request went out."""
        self._is_sent = False
        self._is_ended = False
        self._is_parsed = False
        self._is_spoiled = False
        self._is_paused = False
        self._taken: asyncio.Event | None = None
        """Set when more can be sent; there is one while the backend takes nothing."""
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # The request

    def ask(self, method: str, content: bytes, whole: bool, meanwhile: Callable[[], None] | None = None) -> Incoming:
        """Send a request that is whole, or its head, whose body follows by `write` and `sent`.

        `meanwhile` is called when the whole request has gone out.
        """
        incoming = self._incoming = Incoming(self, method)
        self._head_bytes = 0
        self._is_silent, self._is_sent, self._is_ended, self._is_parsed = True, False, False, False
        if whole:
            self._outbox.put(self._send, content, meanwhile, self.is_lone)
            self._is_sent = True
            self._begin_time(self._response_seconds)
        else:
            self._transport.write(content)
        return incoming

    def _send(self, content: bytes) -> None:
        # Who asked may have gone away since, and the connection with them.
        if not self.is_open:
            return
        try:
            self._transport.write(content)
        except RuntimeError:
            # It is sent among others, which have nothing to do with this one.
            self._fail(Broken("the request cannot be written"))

    async def write(self, piece: bytes) -> bool:
        """Send a piece of the body when the last one was taken; False when no more of it is wanted.

        TimeoutError when the backend takes nothing for the idle time.
        """
        if self._taken is not None:
            async with asyncio.timeout(self._idle_seconds):
                await self._taken.wait()
        if self._incoming is None or self._incoming.has_begun:
            return False
        self._transport.write(piece)
        return True

    def sent(self) -> None:
        """The request is whole: the time for its answer begins."""
        self._is_sent = True
        if self._incoming is not None and not self._incoming.has_begun:
            self._begin_time(self._response_seconds)

    def _begin_time(self, seconds: float) -> None:
        # Nearly all answers are in time: the timer runs on from one request to the next and then looks at this.
        deadline = self._deadline = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(deadline, self._look)
        elif self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = self.loop.call_at(deadline, self._look)

    def _look(self) -> None:
        deadline, self._timer = self._deadline, None
        if deadline is None:
            return
        if deadline > self.loop.time():
            self._timer = self.loop.call_at(deadline, self._look)
        else:
            self._fail(TimeoutError("the backend is silent"))

    # The answer

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer."""
        incoming, self._is_silent = self._incoming, False
        if incoming is None:
            # SECURITY: what nobody asked for must not become the answer to the next request.
            self.close()
            return
        if not incoming.has_begun:
            # Nearly all small answers come in one piece, which one pattern reads.
            answer = read_answer(data) if not self._head_bytes and incoming.method != "HEAD" else None
            if answer is not None and answer.status not in _NO_BODY:
                self._is_ended = self._is_parsed = True
                incoming.take_whole(answer)
                self._finish(incoming)
                return
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._is_ended:
                self._fail(Broken("the answer is not HTTP"))
                return
            self._is_spoiled = True
        if self._is_ended:
            self._finish(incoming)
        elif len(self._headers) > MOST_HEADERS:
            self._fail(Broken("there are too many headers or trailers"))
        elif incoming.has_begun:
            self._begun(incoming)
        elif self._head_bytes > LONGEST_HEAD:
            self._fail(Broken("the head of the answer is too long"))

    def _begun(self, incoming: Incoming) -> None:
        if self._is_paused:
            self._deadline = None
        else:
            self._begin_time(self._idle_seconds)
        # Whoever still sends the request has nothing to wait for any more.
        self.resume_writing()
        incoming.wake()

    def on_message_begin(self) -> None:
        """Note an answer behind the one that was asked for."""
        self._is_spoiled = self._is_spoiled or self._is_ended

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, of a head or of a trailer."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Begin the answer; an interim one says nothing."""
        status, incoming = self._parser.get_status_code(), self._incoming
        # What comes in a trailer goes into a list that nobody looks at.
        headers, self._headers = self._headers, []
        if incoming is None or self._is_ended or status < 200:
            return
        if len(headers) > MOST_HEADERS or (self._head_bytes > LONGEST_HEAD and _size_of(headers) > LONGEST_HEAD):
            self._fail(Broken("the head of the answer is too long"))
            return
        incoming.begin(status, headers)
        if incoming.length == 0:
            # The parser does not know that a HEAD was asked, and would wait for a body.
            self._end()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._is_ended:
            self._is_spoiled = True
        elif self._incoming is not None:
            self._incoming.add(body)

    def on_message_complete(self) -> None:
        """End the answer; behind an interim one the answer itself begins."""
        self._headers, self._head_bytes = [], 0
        if self._incoming is not None and self._incoming.has_begun:
            # SECURITY: behind an interim answer the parser still waits for a body that a HEAD's answer does not have.
            self._is_parsed = True
            self._end()

    def _end(self) -> None:
        if not self._is_ended:
            self._is_ended = True
            self._is_spoiled = self._is_spoiled or not self._parser.should_keep_alive()

    def _finish(self, incoming: Incoming) -> None:
        """The answer is whole; the connection is free when there is nothing else about it."""
        self._incoming = None
        self._deadline = None
        if self._taken is not None:
            self.resume_writing()
        if self._is_spoiled or not self._is_sent:
            self.close()
        else:
            self._is_kept = True
            if self._is_paused:
                self.resume_reading()
            if not self._is_parsed:
                self._parser = httptools.HttpResponseParser(self)
            self.idle_since = self.loop.time()
            self._idle(self)
        incoming.end()

    def _fail(self, error: BaseException) -> None:
        incoming, self._incoming = self._incoming, None
        self.close()
        if incoming is not None:
            incoming.end(error)

    # The transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Be open."""
        self._transport = transport
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Be gone, and with it the answer unless its end is the connection's."""
        self.is_open = False
        incoming, self._incoming = self._incoming, None
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        if incoming is not None and incoming.has_begun and self._ends_with_connection(incoming) and exc is None:
            incoming.end()
        elif incoming is not None:
            kind = NeverAnswered if self._is_kept and self._is_silent else Broken
            incoming.end(kind("the backend closed the connection"))
        self._lost(self)

    @staticmethod
    def _ends_with_connection(incoming: Incoming) -> bool:
        # RFC 9112, 6.3: an answer without a length and without an encoding ends where its connection does.
        return incoming.length is None and b"transfer-encoding" not in incoming.fields

    def close(self) -> None:
        """Cut it."""
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    def pause_reading(self) -> None:
        """Take no more from the backend for now."""
        if not self._is_paused and self.is_open:
            self._is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the backend."""
        if self._is_paused and self.is_open:
            self._is_paused = False
            self._transport.resume_reading()
            if self._incoming is not None:
                self._begin_time(self._idle_seconds)

    def pause_writing(self) -> None:
        """Send no more for now."""
        if self._taken is None:
            self._taken = asyncio.Event()

    def resume_writing(self) -> None:
        """Send more."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken.set()
