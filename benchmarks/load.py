"""The load: waves of prepared requests in turn, one to each connection; every answer is checked and timed.

A wave is sent when the one before it is answered. So this process sleeps while the server works, and takes little of
the processor caches and cores that the two share.
"""

import re
import socket
import time
from contextlib import ExitStack
from itertools import cycle

ANSWER_SECONDS = 60
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


class WrongAnswer(Exception):
    """An answer that is not what was asked for."""


class Connection:
    """One connection; it is opened anew when the server has closed it."""

    def __init__(self, port):
        self._port = port
        self._socket = None

    def send(self, request):
        """Send a request."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)

    def receive(self, wanted):
        """Read the answer, which must be a success and hold these bytes; gives its body."""
        head, body = self._read()
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")) or wanted not in body:
            raise WrongAnswer(f"{head!r} {body[:600]!r}, wanted {wanted!r}")
        if b"\r\nconnection: close" in head.lower() or head.startswith(b"HTTP/1.0"):
            self.close()
        return body

    def _read(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if length is None:
            raise WrongAnswer(f"{head!r} tells no length")
        while len(body) < int(length[1]):
            body += self._receive()
        return head, body

    def _receive(self):
        data = self._socket.recv(65536)
        if not data:
            raise WrongAnswer("the server closed the connection")
        return data

    def close(self):
        """Close it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def run(port, requests, count, connections=16):
    """Send `count` of the requests in turn; gives the seconds in all, and those of each wave."""
    turns = cycle(requests)
    with ExitStack() as stack:
        open_connections = [Connection(port) for _ in range(connections)]
        for connection in open_connections:
            stack.callback(connection.close)
        begun = time.perf_counter()
        waves = [_wave(open_connections, turns) for _ in range(count // connections)]
        return time.perf_counter() - begun, waves


def _wave(connections, turns):
    begun = time.perf_counter()
    asked = []
    for connection in connections:
        content, wanted = next(turns)
        connection.send(content)
        asked.append((connection, wanted))
    # From the last one: while it is waited for, most of the others are answered too.
    for connection, wanted in reversed(asked):
        connection.receive(wanted)
    return time.perf_counter() - begun
