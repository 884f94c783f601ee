"""One exchange on a connection: what goes out in one piece, and what never goes out."""

import asyncio

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from iamd.http import BrokenOff, HttpResponse
from iamd.transport import Limits, connection_class

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
TURNS = 200
"""How often the loop goes round: more than any answer here takes, however slow the machine is."""


class Transport(asyncio.Transport):
    """A transport that keeps what is written, piece by piece."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True


def served(app, request=GET):
    """What an application's answer to one request is on the wire."""

    async def serve():
        config = Config(
            app, http=connection_class(Limits()), ws="none", lifespan="off", log_config=None, proxy_headers=False
        )
        config.load()
        connection = config.http_protocol_class(config, ServerState(), {})
        transport = Transport()
        connection.connection_made(transport)
        connection.data_received(request)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return transport

    return asyncio.run(serve())


def answering(headers, *pieces):
    """An application that answers with these headers and pieces."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": pieces[-1]})

    return app


def test_a_small_answer_goes_out_in_one_piece():
    assert served(answering([(b"content-length", b"2")], b"ok")).written == [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    ]


def test_an_answer_of_unknown_length_is_chunked_and_its_head_does_not_wait():
    assert served(answering([], b"one", b"", b"two", b"")).written == [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"3\r\none\r\n",
        b"3\r\ntwo\r\n",
        b"0\r\n\r\n",
    ]


def test_the_head_of_a_large_answer_does_not_wait():
    head, first, second = served(answering([(b"content-length", b"100000")], b"a" * 50000, b"a" * 50000)).written
    assert head.endswith(b"\r\n\r\n")
    assert len(first) == len(second) == 50000


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_by_its_status_is_not_chunked(status):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    (written,) = served(app).written
    assert b"transfer-encoding" not in written
    assert written.endswith(b"\r\n\r\n")


def test_a_head_request_gets_the_headers_and_no_body():
    transport = served(answering([(b"content-length", b"2")], b"ok"), GET.replace(b"GET", b"HEAD"))
    assert transport.written == [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"]


@pytest.mark.parametrize(
    "header",
    [(b"x", b"1\r\nset-cookie: a"), (b"x", b"1\n2"), (b"x", b"1\r2"), (b"x\r\ny", b"1"), (b"x y", b"1"), (b"x", b"\0")],
)
def test_a_header_that_is_not_one_line_is_never_sent(header):
    (written,) = served(answering([header, (b"content-length", b"2")], b"ok")).written
    assert written.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in written


@pytest.mark.parametrize("pieces", [(b"o",), (b"okay",), (b"o", b"")])
def test_a_body_that_is_not_as_long_as_its_head_says_ends_the_connection(pieces):
    transport = served(answering([(b"content-length", b"2")], *pieces))
    assert transport.closed
    assert not b"".join(transport.written).endswith(b"ok")


class AtOnce:
    """An application that answers at once, without a task of its own."""

    def __init__(self, response):
        self.response = response

    async def __call__(self, scope, receive, send):
        raise AssertionError

    def begin(self, head, client, body):
        if isinstance(self.response, Exception):
            raise self.response
        return self.response


def test_what_is_answered_at_once_is_answered_in_one_piece():
    response = HttpResponse(200, [(b"x", b"1")], b"ok")
    assert served(AtOnce(response)).written == [b"HTTP/1.1 200 OK\r\nx: 1\r\ncontent-length: 2\r\n\r\nok"]


def test_requests_that_come_together_are_answered_at_once_and_in_order():
    response = HttpResponse(200, [], b"ok")
    assert len(served(AtOnce(response), GET * 50).written) == 50


@pytest.mark.parametrize("response", [ValueError(), HttpResponse(200, [(b"x", b"1\r\ny: 2")], b"")])
def test_an_application_that_fails_at_once_is_answered_for(response):
    transport = served(AtOnce(response))
    assert transport.written[0].startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert transport.closed


def test_an_application_that_fails_is_answered_for():
    async def app(scope, receive, send):
        raise ValueError

    transport = served(app)
    assert transport.written[0].startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert transport.closed


def test_a_connection_that_an_application_loses_is_its_failure_and_told_of(caplog):
    async def app(scope, receive, send):
        raise ConnectionResetError

    transport = served(app)
    assert transport.written[0].startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert [record.message for record in caplog.records] == ["the application failed"]


def test_of_an_answer_that_is_broken_off_no_more_is_told(caplog):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100000")]})
        raise BrokenOff

    transport = served(app)
    assert transport.closed
    assert not caplog.records


def test_a_status_without_a_name_is_sent_all_the_same():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 599, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    assert served(app).written == [b"HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n"]
