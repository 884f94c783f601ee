"""Request framing: what a message head must look like, and where its body ends; nothing ambiguous gets through."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

LONGEST_HEAD: Final = 32 * 1024
"""Longest request line and headers, in bytes (invariant LIM-01)."""

MOST_HEADERS: Final = 100
END_OF_HEAD: Final = b"\r\n\r\n"
_LONGEST_CHUNK_LINE: Final = 17
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"

# RFC 9112, 3 and 5, without what its readers disagree about: one origin-form target of visible characters and no
# fragment, one space between the parts, CRLF only, no line folding, no control characters in values. The methods are
# those of RFC 9110, 9.3, and RFC 5789; CONNECT has no such target.
_METHOD: Final = rb"(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE)"
_request_line: Final = re.compile(_METHOD + rb" (/[!\"$->@-~]*+)(?:\?([!\"$-~]*+))? HTTP/1\.([01])").fullmatch
# SECURITY: a value has no line feed of its own, and no other control character but tabs.
_field_line: Final = re.compile(rb"(" + _TOKEN + rb"++):([\t\x20-\x7e\x80-\xff]*+)").fullmatch
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}\r\n")
# What decides where a message ends and whose it is.
_ONCE: Final = (b"host", b"content-length", b"transfer-encoding")

# AWS's services and their emulators answer so; a repeated header is read by a parser.
_status_line: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*+)?").fullmatch

_each_name: Final = re.compile(rb"\n(" + _TOKEN + rb"++):").findall
_token: Final = re.compile(_TOKEN + rb"+").fullmatch
_LINE_END: Final = b"\r\n"


class Malformed(Exception):
    """What is wrong with the framing of a request, in a few words."""


class Head(msgspec.Struct, frozen=True):
    """A message head that is well formed: its parts, the body it announces, and what it says of its connection.

    `path` and `query` are those of the request target, without the `?` between them. `headers` are in order of arrival
    with lower-case names and without white space around their values; `fields` is the same by name, nothing when a name
    stands there more than once. `content` is the head as it came, where it is known.
    """

    method: str
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    length: int
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    fields: Mapping[bytes, bytes] = {}
    content: bytes = b""


def names_as_written(head: Head) -> dict[bytes, str]:
    """The names of the headers as the client wrote them, by their lower-case names; the first of each."""
    found: dict[bytes, str] = {}
    for name in _each_name(head.content):
        found.setdefault(name.lower(), name.decode())
    return found


def read_head(content: bytes) -> Head:
    """Read a head, its empty line included; Malformed when two readers could take it for different requests."""
    if len(content) > LONGEST_HEAD:
        raise Malformed("the headers are too long")
    lines = content.split(_LINE_END)
    match = _request_line(lines[0])
    if match is None or lines[-2:] != _ENDING:
        raise Malformed("the request line or a header is malformed")
    method, path, query, minor = match.groups(b"")
    headers = _read_fields(lines)
    fields, is_1_1 = dict(headers), minor == b"1"
    is_simple = len(fields) == len(headers)
    if not is_simple:
        _check_once([name for name, _ in headers])
    if is_1_1 and b"host" not in fields:
        raise Malformed("there must be one Host header")
    has_body = b"content-length" in fields or b"transfer-encoding" in fields
    length, chunked = _body(fields, http_1_0=not is_1_1) if has_body else (0, False)
    return Head(
        method.decode(),
        path,
        query,
        "1.1" if is_1_1 else "1.0",
        headers,
        length,
        chunked,
        is_1_1 and (b"connection" not in fields or not _closes(headers)),
        b"expect" in fields and fields[b"expect"].lower() == b"100-continue",
        fields if is_simple else {},
        content,
    )


_ENDING: Final = [b"", b""]
"""What is behind the last line of a head and its empty line."""


def _read_fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The headers in the lines of a head: those between its first line and its empty line."""
    if len(lines) > MOST_HEADERS + 3:
        raise Malformed("there are too many headers")
    return list(map(_read_field, lines[1:-2]))


class _Fields(dict[bytes, tuple[bytes, bytes]]):
    """Names in lower case and values by the lines that they stand in; Malformed for what is no such line.

    Most clients, and most backends, send some lines the same each time. What may be a secret is never remembered.
    """

    MOST: Final = 1024

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        match = _field_line(line)
        if match is None:
            raise Malformed("the request line or a header is malformed")
        # SECURITY: the pattern has left one way to split this: a name before the first colon, and of what `strip` takes
        # away blanks and tabs alone.
        name, value = match.groups()
        name = name.lower()
        field = (name, value.strip())
        if name in _OFTEN_THE_SAME and len(line) <= _LONGEST_REMEMBERED:
            if len(self) >= self.MOST:
                self.clear()
            self[line] = field
        return field


_LONGEST_REMEMBERED: Final = 256
_OFTEN_THE_SAME: Final = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"accept-ranges", b"amz-sdk-request", b"cache-control",
        b"connection", b"content-encoding", b"content-length", b"content-type", b"date", b"expect", b"host",
        b"keep-alive", b"last-modified", b"server", b"transfer-encoding", b"user-agent", b"vary", b"x-amz-acl",
        b"x-amz-api-version", b"x-amz-bucket-region", b"x-amz-checksum-mode", b"x-amz-checksum-type",
        b"x-amz-content-sha256", b"x-amz-date", b"x-amz-sdk-checksum-algorithm", b"x-amz-server-side-encryption",
        b"x-amz-storage-class", b"x-amz-target", b"x-amz-trailer", b"x-amz-user-agent",
    }
)  # fmt: skip
_read_field: Final = _Fields().__getitem__


def field_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The lines of these headers; ValueError when one would be more than its line, or has a name that is none."""
    lines = [_beginnings[name] + value for name, value in headers]
    told = b"".join(lines)
    if _CR in told or _LF in told or _NUL in told:
        # SECURITY: a line break within a value would begin a header, or a message, of the value's author (GW-02; RFC
        # 9110, 5.5, names these three as dangerous). What else is no text has been refused where it was read.
        raise ValueError("a header is not one line")
    lines.append(b"")
    return _LINE_END.join(lines)


# Numbers, which are looked for at the speed of memory; for bytes an error is made first.
_CR, _LF, _NUL = b"\r\n\0"


class _Beginnings(dict[bytes, bytes]):
    """How the lines of headers begin, by their names, which are nearly always the same; ValueError for no name."""

    MOST = 1024
    LONGEST = 128
    """Names are of the client's choice: longer ones are not remembered."""

    def __missing__(self, name: bytes) -> bytes:
        if not _token(name):
            raise ValueError("a header has no name")
        begins = name + b": "
        if len(name) <= self.LONGEST:
            if len(self) >= self.MOST:
                self.clear()
            self[name] = begins
        return begins


_beginnings: Final = _Beginnings()


class Answer(msgspec.Struct, frozen=True):
    """An answer that is whole: its status, its headers by lower-case names of which none is there twice, its body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    fields: Mapping[bytes, bytes]
    body: bytes


def read_answer(content: bytes) -> Answer | None:
    """Read one whole answer with the length of its body, behind which the connection goes on; None for all else.

    That may be well formed too; it is for a parser to say.
    """
    end = content.find(END_OF_HEAD, 0, LONGEST_HEAD) + len(END_OF_HEAD)
    if end < len(END_OF_HEAD):
        return None
    lines = content[:end].split(_LINE_END)
    match = _status_line(lines[0])
    if match is None:
        return None
    try:
        headers = _read_fields(lines)
    except Malformed:
        return None
    fields, size = dict(headers), len(content) - end
    frames_otherwise = b"transfer-encoding" in fields or b"connection" in fields or b"upgrade" in fields
    if len(fields) != len(headers) or frames_otherwise or fields.get(b"content-length") != b"%d" % size:
        return None
    return Answer(int(match[1]), headers, fields, content[end:])


def _check_once(names: list[bytes]) -> None:
    # SECURITY: a body whose end is told twice, or in words that others read differently, smuggles requests (GW-02).
    for name in _ONCE:
        if names.count(name) > 1:
            raise Malformed(f"there is more than one {name.decode()} header")


def _body(fields: Mapping[bytes, bytes], *, http_1_0: bool) -> tuple[int, bool]:
    length, encoding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    if encoding is not None:
        if length is not None:
            raise Malformed("the length of the body is told more than once")
        if http_1_0 or encoding.lower() != b"chunked":
            raise Malformed("the Transfer-Encoding can only be chunked")
        return 0, True
    if length is None:
        return 0, False
    if not _LENGTH.fullmatch(length):
        raise Malformed("the Content-Length is no number")
    return int(length), False


def _closes(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the connection ends with this request (RFC 9112, 9.6)."""
    named = [value for name, value in headers if name == b"connection"]
    return any(token.strip().lower() == b"close" for value in named for token in value.split(b","))


class Chunks:
    """Reads a chunked body (RFC 9112, 7.1); extensions and trailer fields are refused."""

    __slots__ = ("_left", "_line", "_next", "done")

    def __init__(self) -> None:
        self._left = 0
        self._line = b""
        # Functions and no methods: one that is bound would hold what holds it.
        self._next = Chunks._size
        self.done = False

    def take(self, data: bytes) -> tuple[bytes, int]:
        """The content within these bytes, and how many of them belong to the body; `done` says whether it is whole."""
        at, content = 0, []
        while at < len(data) and not self.done:
            if self._left:
                step = min(self._left, len(data) - at)
                content.append(data[at : at + step])
                self._left -= step
                at += step
            else:
                at = self._read_line(data, at)
        return content[0] if len(content) == 1 else b"".join(content), at

    def _read_line(self, data: bytes, at: int) -> int:
        feed = data.find(b"\n", at, at + _LONGEST_CHUNK_LINE)
        stop = min(at + _LONGEST_CHUNK_LINE, len(data)) if feed < 0 else feed + 1
        self._line += data[at:stop]
        if len(self._line) > _LONGEST_CHUNK_LINE or (feed < 0 and len(self._line) == _LONGEST_CHUNK_LINE):
            raise Malformed("a chunk is malformed")
        if feed >= 0:
            line, self._line = self._line, b""
            self._next(self, line)
        return stop

    def _size(self, line: bytes) -> None:
        if not _CHUNK_SIZE.fullmatch(line):
            raise Malformed("the size of a chunk is malformed")
        self._left = int(line, 16)
        self._next = Chunks._after_chunk if self._left else Chunks._end

    def _after_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise Malformed("a chunk is longer than it says")
        self._next = Chunks._size

    def _end(self, line: bytes) -> None:
        if line != b"\r\n":
            raise Malformed("trailer fields are not taken")
        self.done = True
