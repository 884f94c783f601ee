"""A small HTTP endpoint that one program gets its credentials from, on loopback unless it is to be elsewhere."""

import http
import socket
import socketserver
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from iamd.framing import END_OF_HEAD, LONGEST_HEAD, Head, Malformed, read_head
from iamd.http import HttpResponse
from iamd.metadata import guests

Answer = Callable[[Head], HttpResponse]
Address = tuple[str, int]

LOOPBACK: Final[Address] = ("127.0.0.1", 0)
"""A free port."""
SECONDS: Final = 5.0
"""How long a client may take to send its request."""


class Endpoint(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Answers requests, each on a connection of its own; it listens from the beginning, on a free port."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, answer: Answer, address: Address = LOOPBACK) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell nobody: there is no terminal any more, and the client was told."""


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket
    server: Endpoint

    def handle(self) -> None:
        """Answer one request."""
        self.request.settimeout(SECONDS)
        with suppress(OSError):
            self.request.sendall(_encoded(self._answer()))
            self.request.shutdown(socket.SHUT_WR)

    def _answer(self) -> HttpResponse:
        try:
            head = self._head()
        except Malformed as error:
            return HttpResponse(400, [(b"content-type", b"text/plain")], f"{error}\n".encode())
        return guests.foreign(head) or self.server.answer(head)

    def _head(self) -> Head:
        content = b""
        while END_OF_HEAD not in content:
            piece = self.request.recv(LONGEST_HEAD)
            content += piece
            if not piece or len(content) > LONGEST_HEAD:
                raise Malformed("the headers are not whole")
        head = read_head(content[: content.index(END_OF_HEAD) + len(END_OF_HEAD)])
        if head.length or head.chunked:
            raise Malformed("a request here has no body")
        return head


def _encoded(response: HttpResponse) -> bytes:
    headers = [*response.headers, (b"content-length", b"%d" % len(response.body)), (b"connection", b"close")]
    lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    phrase = http.HTTPStatus(response.status).phrase
    return f"HTTP/1.1 {response.status} {phrase}\r\n".encode() + lines + b"\r\n" + response.body
