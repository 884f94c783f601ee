"""Answers that come in one piece are read as the parser reads them, or left to it."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.framing import LONGEST_HEAD, MOST_HEADERS, read_answer

NAMES = st.sampled_from(["ETag", "x-amz-meta-A", "Content-Type", "Server", "X-Long", "Last-Modified", "set-cookie"])
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
REASONS = st.sampled_from(["OK", "Not Found", "", "Name: value", "Connection: close"])
OK = b"HTTP/1.1 200 OK\r\n"


class Parsed:
    """What httptools says of an answer."""

    def __init__(self, content: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.is_whole = False
        parser = httptools.HttpResponseParser(self)
        parser.feed_data(content)
        self.status = parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    reason=REASONS,
    fields=st.dictionaries(NAMES, VALUES, max_size=5),
    body=st.binary(max_size=200),
    blanks=st.sampled_from(["", " ", "\t", "  "]),
)
def test_what_comes_whole_is_read_as_the_parser_reads_it(status, reason, fields, body, blanks):
    lines = [f"{name}:{blanks}{value}{blanks}" for name, value in {**fields, "Content-Length": len(body)}.items()]
    content = "\r\n".join([f"HTTP/1.1 {status} {reason}", *lines, "", ""]).encode() + body
    answer, parsed = read_answer(content), Parsed(content)
    assert answer is not None
    assert parsed.is_whole
    assert (answer.status, answer.body) == (parsed.status, parsed.body)
    assert list(answer.fields.items()) == [(name, value.strip(b" \t")) for name, value in parsed.headers]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(OK + b"content-length: 5\r\n\r\nfour", id="too short"),
        pytest.param(OK + b"content-length: 3\r\n\r\nfour", id="more than it says"),
        pytest.param(OK + b"content-length: 4\r\ncontent-length: 4\r\n\r\nfour", id="two lengths"),
        pytest.param(OK + b"content-length: 04\r\n\r\nfour", id="another form of the length"),
        pytest.param(OK + b"content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n", id="a length and an encoding"),
        pytest.param(OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked"),
        pytest.param(OK + b"x: 1\r\n\r\n", id="no length"),
        pytest.param(OK + b"connection: close\r\ncontent-length: 0\r\n\r\n", id="the last one"),
        pytest.param(OK + b"Connection: x-amz-id-2\r\ncontent-length: 0\r\n\r\n", id="a header of the connection"),
        pytest.param(OK + b"upgrade: websocket\r\ncontent-length: 0\r\n\r\n", id="another protocol"),
        pytest.param(OK + b"x: 1\r\nX: 2\r\ncontent-length: 0\r\n\r\n", id="a header twice"),
        pytest.param(OK + b" folded: 1\r\ncontent-length: 0\r\n\r\n", id="a folded line"),
        pytest.param(OK + b"x: 1\ncontent-length: 0\r\n\r\n", id="a bare line feed"),
        pytest.param(OK + b"x: \x00\r\ncontent-length: 0\r\n\r\n", id="a control character"),
        pytest.param(OK + b"x : 1\r\ncontent-length: 0\r\n\r\n", id="a blank before the colon"),
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", id="HTTP 1.0"),
        pytest.param(b"HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n", id="an interim one"),
        pytest.param(OK + b"content-length: 0\r\n" + b"x: 1\r\n" * MOST_HEADERS + b"\r\n", id="too many headers"),
        pytest.param(OK + b"content-length: 0\r\nx: " + b"1" * LONGEST_HEAD + b"\r\n\r\n", id="too long a head"),
    ],
)
def test_everything_else_is_left_to_the_parser(content):
    assert read_answer(content) is None
