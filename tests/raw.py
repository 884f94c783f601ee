"""A bare TCP connection to a server: what no HTTP client would send, and what comes back byte by byte."""

import contextlib
import socket
from types import TracebackType
from typing import Self


class Raw:
    """One connection; `sent` bytes go as they are."""

    def __init__(self, endpoint: str, *, seconds: float = 15.0) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=seconds)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send the parts, each in a packet of its own."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            self.socket.sendall(part)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next whole answer: status, headers, body."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._rest += self._received()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(head[0].split()[1]), headers, body

    def has_answer(self) -> bool:
        """Whether a part of an answer is here already; it stays to be read."""
        seconds = self.socket.gettimeout()
        self.socket.settimeout(0)
        try:
            return bool(self._rest or self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(seconds)

    def closed(self) -> bool:
        """Whether the server closes the connection, and sends nothing more."""
        with contextlib.suppress(ConnectionError):
            return self._rest + self.socket.recv(65536) == b""
        return True

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._rest += self._received()
        found, _, self._rest = self._rest.partition(end)
        return found

    def _received(self) -> bytes:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError(f"the server closed the connection after {self._rest!r}")
        return received
