"""Exchange: one request and its answer on a connection, as ASGI has them."""

import asyncio
import http
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.server import ServerState

from iamd.framing import Head, field_lines
from iamd.http import BrokenOff, Headers, HttpResponse

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Serving = Callable[[Receive, Send], Awaitable[HttpResponse | None]]
"""Serves a request as an ASGI application does, or gives its whole answer."""
App = Callable[[Message, Receive, Send], Awaitable[None]]
Client = tuple[str, int] | None
Begin = Callable[[Head, Client, bytes | None], HttpResponse | Serving]
"""Gives the answer to a request of a client, or what serves it; an application that has it as `begin` is asked so.

The body is None while it is a stream.
"""

SMALL: Final = 64 * 1024
"""Bodies up to this length go out in one piece with their head: each piece costs the kernel as much as a request."""

_NO_BODY: Final = frozenset({204, 304})
_FAILED: Final = HttpResponse(
    500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error", closes=True
)


class Channel:
    """What the exchanges of one connection share: its transport, its flow control, and the headers of every answer."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        flow: FlowControl,
        server: ServerState,
        app: App,
        answered: Callable[["Exchange"], None],
    ) -> None:
        self.loop = loop
        self.transport = transport
        self.flow = flow
        self.tasks = server.tasks
        self.answered = answered
        self.client: Client = transport.get_extra_info("peername")
        scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self.begin: Begin = getattr(app, "begin", None) or (
            lambda head, client, _: partial(app, _scope(head, client, scheme))
        )
        self._server = server
        self._defaults: Headers | None = None
        self._default_lines = b""

    def head(self, status: int, headers: Headers) -> bytes:
        """The head of an answer without its empty line; ValueError when a header would be more than one line."""
        defaults = self._server.default_headers
        if defaults is not self._defaults:
            # uvicorn makes them anew each second, for the date.
            self._default_lines, self._defaults = field_lines(defaults), defaults
        return _STATUS_LINES[status] + self._default_lines + field_lines(headers)

    def serve(self, head: Head, body: bytes) -> "Exchange | None":
        """Begin a request whose body is whole; None when it could be answered at once, and is."""
        try:
            begun = self.begin(head, self.client, body)
            is_at_once = isinstance(begun, HttpResponse) and not self.flow.write_paused and _is_plain(head, begun)
            if isinstance(begun, HttpResponse) and is_at_once:
                if not self.answer(begun, head.keep_alive):
                    self.transport.close()
                return None
        except Exception:
            log.exception("the application failed")
            begun = _FAILED
        exchange = Exchange(self, head, head.keep_alive, head.expects_continue, body)
        exchange.go_on(begun)
        return exchange

    def answer(self, response: HttpResponse, keep_alive: bool) -> bool:
        """Send a small answer in one piece; whether the connection goes on behind it."""
        body = response.body
        lines = self.head(response.status, response.headers)
        keep_alive = keep_alive and not response.closes
        if not keep_alive:
            lines += b"connection: close\r\n"
        self.transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (lines, len(body), body))
        return keep_alive

    def refuse(self, status: int, message: bytes, request_id: str) -> None:
        """Answer in plain text what is not served, and say that the connection ends."""
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(message)),
            (b"connection", b"close"),
            (b"x-amzn-requestid", request_id.encode()),
        ]
        self.transport.write(self.head(status, headers) + b"\r\n" + message)


def _is_plain(head: Head, response: HttpResponse) -> bool:
    """Whether an answer goes out in one piece, and its body is what its head says."""
    return len(response.body) <= SMALL and head.method != "HEAD" and response.status not in _NO_BODY


class Exchange(msgspec.Struct, eq=False):
    """One request on its way; `receive` and `send` are ASGI's (ASGI specification, "HTTP & WebSocket")."""

    _channel: Channel
    _head: Head
    keep_alive: bool
    expects_continue: bool
    """The client waits to be told to send its body."""
    _body: bytes
    begun: bool = False
    complete: bool = False
    _more: bool = False
    _gone: bool = False
    _has_news: bool = True
    _news: asyncio.Event | None = None
    """Made when somebody waits, which nobody does for what is answered at once."""
    _unsent: bytes = b""
    _left: int | None = None
    _task: asyncio.Task[None] | None = None
    """What answers, once somebody has begun to."""

    @classmethod
    def awaiting(cls, channel: Channel, head: Head) -> "Exchange":
        """A request whose body is still to come."""
        made = cls(channel, head, head.keep_alive, head.expects_continue, b"")
        made._more, made._has_news = True, False
        return made

    def start(self) -> None:
        """Have the application answer, whose body is still to come."""
        channel = self._channel
        try:
            begun = channel.begin(self._head, channel.client, None)
        except Exception:
            log.exception("the application failed")
            begun = _FAILED
        self.go_on(begun)

    def go_on(self, begun: HttpResponse | Serving) -> None:
        """Have what the application began give the answer."""
        channel = self._channel
        # A name is given, for else one is made up for each.
        task = self._task = asyncio.Task(self._run(begun), loop=channel.loop, name="answering")
        channel.tasks.add(task)

    def feed(self, content: bytes, *, whole: bool) -> None:
        """Take body bytes; when many wait to be read, no more are taken from the connection."""
        if self.complete:
            return
        self._body = self._body + content if self._body else content
        self._more = not whole
        if len(self._body) > HIGH_WATER_LIMIT:
            self._channel.flow.pause_reading()
        self._tell()

    def disconnect(self) -> None:
        """The client is gone, or cut."""
        self._gone = self._gone or not self.complete
        self._tell()

    def _tell(self) -> None:
        self._has_news = True
        if self._news is not None:
            self._news.set()

    async def receive(self) -> Message:
        """What came of the body since the last call; `http.disconnect` once there is nothing to expect any more."""
        channel = self._channel
        if self.expects_continue and not self.begun and not channel.transport.is_closing():
            self.expects_continue = False
            channel.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._gone and not self.complete:
            channel.flow.resume_reading()
            if not self._has_news:
                self._news = self._news or asyncio.Event()
                self._news.clear()
                await self._news.wait()
            self._has_news = False
        if self._gone or self.complete:
            return {"type": "http.disconnect"}
        body, self._body = self._body, b""
        return {"type": "http.request", "body": body, "more_body": self._more}

    async def send(self, message: Message) -> None:
        """Send the head of the answer, or a piece of its body; waits while the client takes nothing."""
        flow = self._channel.flow
        if flow.write_paused and not self._gone:
            await flow.drain()
        if self._gone:
            return
        if self.complete:
            raise RuntimeError("the answer is complete")
        if self.begun:
            self._send_body(message["body"], more=message.get("more_body", False))
        else:
            self._send_head(message["status"], message["headers"])

    def _send_head(self, status: int, headers: Headers) -> None:
        head = self._channel.head(status, headers)
        self.begun = True
        fields = dict(headers)
        if fields.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive or (self.expects_continue and self._more):
            # A client that waits with its body, which nobody reads now, sends nothing more on this connection.
            head += b"connection: close\r\n"
        length = fields.get(b"content-length")
        if self._head.method == "HEAD" or status in _NO_BODY:
            self._left = 0
        elif length is not None:
            self._left = int(length)
        else:
            head += b"transfer-encoding: chunked\r\n"
        if self._left is not None and self._left <= SMALL:
            self._unsent = head + b"\r\n"
        else:
            self._channel.transport.write(head + b"\r\n")

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._head.method == "HEAD":
            body = b""
        if self._left is None:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the body is not as long as its head says")
        if self._unsent:
            body, self._unsent = self._unsent + body, b""
        if body:
            self._channel.transport.write(body)
        if not more:
            self._end()

    def _end(self) -> None:
        self.complete = True
        if self._news is not None:
            self._news.set()
        channel = self._channel
        if not self.keep_alive:
            channel.transport.close()
        channel.answered(self)

    def _answer(self, response: HttpResponse) -> None:
        self.keep_alive = self.keep_alive and not response.closes
        if (self.expects_continue and self._more) or not _is_plain(self._head, response):
            headers = [*response.headers, (b"content-length", b"%d" % len(response.body))]
            self._send_head(response.status, headers)
            self._send_body(response.body, more=False)
            return
        self.begun = True
        self.keep_alive = self._channel.answer(response, self.keep_alive)
        self._end()

    async def _run(self, begun: HttpResponse | Serving) -> None:
        try:
            response = begun if isinstance(begun, HttpResponse) else await begun(self.receive, self.send)
            if response is not None:
                if self._channel.flow.write_paused and not self._gone:
                    await self._channel.flow.drain()
                if not self._gone:
                    self._answer(response)
        except BrokenOff:
            # That the answer does not end tells the client that it is not whole.
            log.debug("an answer was broken off", exc_info=True)
        except BaseException:
            log.exception("the application failed")
        if not self._gone and not self.complete:
            self._fail()
        if self._task is not None:
            # Not by a callback, which the loop would have to call by itself.
            self._channel.tasks.discard(self._task)

    def _fail(self) -> None:
        if self.begun:
            self._channel.transport.close()
        else:
            self._answer(_FAILED)


def _scope(head: Head, client: Client, scheme: str) -> Message:
    """What an ASGI application is told of a request."""
    return {
        "type": "http",
        "http_version": head.version,
        "method": head.method,
        "scheme": scheme,
        "raw_path": head.path,
        "query_string": head.query,
        "headers": head.headers,
        "client": client,
    }


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


_STATUS_LINES: Final = {status: _status_line(status) for status in range(100, 600)}
