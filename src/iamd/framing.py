"""Request framing: what a message head must look like, and where its body ends; nothing ambiguous gets through."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_HEAD: Final = 32 * 1024
"""Longest request line and headers, in bytes (invariant LIM-01)."""

MOST_HEADERS: Final = 100
END_OF_HEAD: Final = b"\r\n\r\n"
_LONGEST_CHUNK_LINE: Final = 17
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"

# RFC 9112, 3 and 5, without what its readers disagree about: one origin-form target of visible characters and no
# fragment, one space between the parts, CRLF only, no line folding, no control characters in values.
_HEAD: Final = re.compile(
    rb"(?!CONNECT )[A-Z-]{1,24}+ /[!\"$-~]*+ HTTP/1\.([01])\r\n(?:"
    + _TOKEN
    + rb"++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n"
)
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n")
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}\r\n")
_UPGRADE: Final = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)


class Malformed(Exception):
    """What is wrong with the framing of a request, in a few words."""


@dataclass(frozen=True, slots=True)
class Head:
    """A message head that is well formed, and the body it announces."""

    content: bytes
    length: int
    chunked: bool


def read_head(content: bytes) -> Head:
    """Check a head, its empty line included; Malformed when two readers could take it for different requests."""
    if len(content) > LONGEST_HEAD:
        raise Malformed("the headers are too long")
    match = _HEAD.fullmatch(content)
    if match is None:
        raise Malformed("the request line or a header is malformed")
    if content.count(b"\r\n") > MOST_HEADERS + 2:
        raise Malformed("there are too many headers")
    lower = content.lower()
    _check_host(lower, http_1_0=match[1] == b"0")
    length, chunked = _body(lower, http_1_0=match[1] == b"0")
    if b"\r\nupgrade:" in lower:
        # RFC 9110, 7.8: an upgrade may be ignored; the parser would take what follows for another protocol.
        content = _UPGRADE.sub(b"", content)
    return Head(content, length, chunked)


def _check_host(lower: bytes, *, http_1_0: bool) -> None:
    hosts = lower.count(b"\r\nhost:")
    if hosts > 1 or (not hosts and not http_1_0):
        raise Malformed("there must be one Host header")


def _body(lower: bytes, *, http_1_0: bool) -> tuple[int, bool]:
    # SECURITY: a body whose end is told twice, or in words that others read differently, smuggles requests (GW-02).
    lengths, encodings = lower.count(b"\r\ncontent-length:"), lower.count(b"\r\ntransfer-encoding:")
    if lengths + encodings > 1:
        raise Malformed("the length of the body is told more than once")
    if encodings:
        if http_1_0 or not _CHUNKED.search(lower):
            raise Malformed("the Transfer-Encoding can only be chunked")
        return 0, True
    if not lengths:
        return 0, False
    match = _LENGTH.search(lower)
    if match is None:
        raise Malformed("the Content-Length is no number")
    return int(match[1]), False


class Chunks:
    """Finds the end of a chunked body (RFC 9112, 7.1); extensions and trailer fields are refused."""

    __slots__ = ("_left", "_line", "_next", "done")

    def __init__(self) -> None:
        self._left = 0
        self._line = b""
        self._next = self._size
        self.done = False

    def end(self, data: bytes) -> int:
        """How many of these bytes belong to the body; `done` says whether it is whole."""
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
            else:
                at = self._read_line(data, at)
        return at

    def _read_line(self, data: bytes, at: int) -> int:
        feed = data.find(b"\n", at, at + _LONGEST_CHUNK_LINE)
        stop = min(at + _LONGEST_CHUNK_LINE, len(data)) if feed < 0 else feed + 1
        self._line += data[at:stop]
        if len(self._line) > _LONGEST_CHUNK_LINE or (feed < 0 and len(self._line) == _LONGEST_CHUNK_LINE):
            raise Malformed("a chunk is malformed")
        if feed >= 0:
            line, self._line = self._line, b""
            self._next(line)
        return stop

    def _size(self, line: bytes) -> None:
        if not _CHUNK_SIZE.fullmatch(line):
            raise Malformed("the size of a chunk is malformed")
        self._left = int(line, 16)
        self._next = self._after_chunk if self._left else self._end

    def _after_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise Malformed("a chunk is longer than it says")
        self._next = self._size

    def _end(self, line: bytes) -> None:
        if line != b"\r\n":
            raise Malformed("trailer fields are not taken")
        self.done = True
