"""Forwarding to a backend on a bare socket: what it gets byte for byte, and what becomes of all that it may do."""

import asyncio
import re
import time

import pytest
from gateway.raw_backend import OK, RawBackend, fields, resetting, silent
from hypothesis import given, settings
from hypothesis import strategies as st

from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.gateway.answer import BackendBroke
from iamd.gateway.backend import Backend, Credentials, Limits
from iamd.gateway.forward import BadGateway, GatewayTimeout, forward
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.payload import EMPTY, UNSIGNED, Payload
from iamd.gateway.watch import ClientGone
from iamd.http import HttpRequest

VERDICT = Verdict("s3", "GetObject", "rest-xml", "123456789012", "eu-west-1", "localhost:4566")
QUICK = Limits(connect=0.5, response=0.3, idle=0.3)
CREDENTIALS = Credentials("AKIABACKEND", "backend-secret", "backend-token")


def request(method="GET", path=b"/b/k", query=b"", headers=()):
    return HttpRequest("id", method, path, query, [(b"host", b"localhost:4566"), *headers], None, "127.0.0.1")


async def sent(raw, req, payload=EMPTY, credentials=CREDENTIALS, verdict=VERDICT, limits=QUICK, receive=None):
    backend = Backend.remote(raw.url, credentials, limits=limits)
    try:
        answer = await forward(req, payload, backend, verdict, now=time.time(), receive=receive)
        return answer, b"".join([piece async for piece in answer])
    finally:
        await backend.close()


def run(req, payload=EMPTY, behaviour=None, answer=OK, **more):
    async def main():
        async with RawBackend(behaviour, answer) as raw:
            try:
                return raw, await sent(raw, req, payload, **more)
            except Exception as error:
                return raw, error

    return asyncio.run(main())


@pytest.mark.parametrize(
    "path",
    [
        b"/b/a%2Fb/./../c", b"/b//k", b"/b/%00x", b"/b/k%20+%2B;v=1", b"/b/%E2%82%AC", b"/b/%e2%82%ac",
        b"/b/..", b"/b/a%5Cb\\c", b"/", b"/b/'()*!~$&,;=:@", b"/b/%", b"/b/{x}|^`<>", b"//b/k", b"/b/k%3Fa%23b",
    ],
)  # fmt: skip
def test_path_and_query_reach_the_backend_byte_for_byte(path):
    query = b"b=2&a=%2f&a=1&empty=&flag&plus=+&x=%C3%A9&y=a/b?c"
    raw, (answer, body) = run(request(path=path, query=query))
    assert raw.heads[0].split(b"\r\n")[0] == b"GET " + path + b"?" + query + b" HTTP/1.1"
    assert (answer.status, body) == (200, b"ok")


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=0, max_size=40),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='#"?'), max_size=30),
)
def test_any_payload_and_path_arrive_as_they_were(body, text):
    path = b"/" + text.encode()
    raw, _ = run(request("PUT", path), Payload(body, len(body)))
    assert raw.heads[0].startswith(b"PUT " + path + b" HTTP/1.1\r\n")
    assert raw.bodies == [body]


@pytest.mark.parametrize(
    "path", [b"/b/k#frag", b"/b/a b", b"/b/\xc3\xa9", b"/b/\x7f", b"b/k", b"/b/\r\nx", b"http://x/y"]
)
def test_targets_that_servers_read_differently_are_refused_before_anything_is_sent(path):
    raw, error = run(request(path=path))
    assert isinstance(error, CommonError)
    assert error.kind is Common.MALFORMED_HEADER
    assert raw.bytes == 0


def test_other_headers_pass_unchanged_and_in_order():
    given = [
        (b"x-amz-meta-b", b"  two  words".strip()),
        (b"range", b"bytes=0-1"),
        (b"x-amz-meta-a", "é€".encode()),
        (b"x-amz-meta-with_underscore", b"kept"),
        (b"if-match", b'"e"'),
        (b"x-amz-meta-b", b"again"),
        (b"content-type", b'text/x; q="1"'),
        (b"accept-encoding", b"gzip;q=0"),
    ]
    raw, _ = run(request(headers=given))
    lines = raw.heads[0].split(b"\r\n")
    came = [tuple(line.split(b": ", 1)) for line in lines[1:] if line]
    assert [field for field in came if field[0] in {name for name, _ in given}] == given


PRIVATE = [
    b"authorization", b"x-amz-security-token", b"x-amz-date", b"x-amz-content-sha256", b"x-amz-decoded-content-length",
    b"x-amz-trailer", b"x-moto-account-id", b"x-moto-anything", b"x-iamd-service", b"x-iamd-operation", b"x-forwarded-for",
    b"x-forwarded-host", b"forwarded", b"x-real-ip", b"connection", b"keep-alive", b"proxy-authorization", b"te",
    b"trailer", b"upgrade", b"expect", b"x-custom-hop", b"transfer-encoding", b"proxy-connection",
    b"x_moto_account_id", b"x-moto_account-id", b"x_iamd_operation", b"x_forwarded_for", b"x_amz_target",
    b"x-amz_security_token", b"x_custom_hop",
]  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
def test_private_and_hop_by_hop_headers_never_arrive(name):
    value = b"close, X-Custom-Hop" if name == b"connection" else b"canary"
    extra = [] if name == b"connection" else [(b"connection", b"keep-alive, x-custom-hop")]
    raw, (answer, _) = run(request(headers=[(name, value), *extra]), credentials=None)
    assert answer.status == 200
    assert b"canary" not in raw.heads[0]
    assert b"custom" not in raw.heads[0].lower()


@pytest.mark.parametrize("named", [b"x-amz-target", b"Range", b"content-type", b"Host", b"x_amz_acl", b"if-match"])
def test_connection_cannot_name_a_header_that_was_decided_on(named):
    raw, error = run(request(headers=[(b"connection", b"close, " + named)]))
    assert isinstance(error, CommonError)
    assert raw.bytes == 0


def test_the_backend_sees_its_own_credentials_only():
    presigned = b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIACLIENT&X-Amz-Date=1&X-Amz-Expires=1&a=1&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&X-Amz-Signature=s&versionId=v"
    headers = [(b"authorization", b"AWS4 Credential=AKIACLIENT"), (b"x-amz-security-token", b"client-token")]
    raw, _ = run(request(query=presigned, headers=headers))
    head = raw.heads[0]
    assert head.startswith(b"GET /b/k?a=1&versionId=v HTTP/1.1")
    assert b"AKIACLIENT" not in head
    assert b"client-token" not in head
    told = dict(fields(head))
    assert b"akiabackend/" in told[b"authorization"]
    assert b"/eu-west-1/s3/aws4_request" in told[b"authorization"]
    assert told[b"x-amz-security-token"] == b"backend-token"
    assert told[b"host"] == raw.url.removeprefix("http://").encode()


def test_the_new_signature_is_what_botocore_computes():
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Keys

    raw, _ = run(request("PUT", b"/b/a%20b//c", b"tagging", [(b"x-amz-meta-a", b"1")]), Payload(b"data", 4))
    told = {
        key.decode(): value for key, value in (line.split(b": ", 1) for line in raw.heads[0].split(b"\r\n")[1:] if line)
    }
    signed = re.search(r"SignedHeaders=([^,]+)", told["authorization"].decode())[1].split(";")
    again = AWSRequest("PUT", f"{raw.url}/b/a%20b//c?tagging", data=b"data")
    for name in signed:
        again.headers[name] = told[name].decode()
    again.context["timestamp"] = told["x-amz-date"].decode()
    auth = S3SigV4Auth(Keys("AKIABACKEND", "backend-secret"), "s3", "eu-west-1")
    canonical = auth.canonical_request(again)
    assert auth.signature(auth.string_to_sign(again, canonical), again) in told["authorization"].decode()


def test_a_bucket_in_the_host_stays_there():
    verdict = Verdict("s3", "GetObject", "rest-xml", "1", "us-east-1", bucket_host="my.bucket")
    raw, _ = run(request(path=b"/k"), verdict=verdict)
    assert dict(fields(raw.heads[0]))[b"host"] == b"my.bucket." + raw.url.removeprefix("http://").encode()


def test_aws_chunked_leaves_the_content_encoding_and_the_rest_stays():
    payload = Payload(b"x", 1, decoded=True, headers=[(b"x-amz-checksum-crc32", b"AAAA")])
    raw, _ = run(request("PUT", headers=[(b"content-encoding", b"aws-chunked, gzip")]), payload)
    assert dict(fields(raw.heads[0]))[b"content-encoding"] == b"gzip"
    assert b"x-amz-checksum-crc32: AAAA" in raw.heads[0]
    raw, _ = run(request("PUT", headers=[(b"content-encoding", b"aws-chunked")]), payload)
    assert b"content-encoding" not in raw.heads[0]


@pytest.mark.parametrize(
    ("answer", "method", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\netag: e\r\n\r\n", "HEAD", 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\netag: e\r\n\r\n", "GET", 304, b""),
        (b"HTTP/1.1 206 Partial\r\ncontent-length: 3\r\ncontent-encoding: gzip\r\n\r\nnot", "GET", 206, b"not"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "GET", 200, b"abc"),
        (b"HTTP/1.1 307 T\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n", "GET", 307, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "GET", 200, b"ok"),
        (b"HTTP/1.1 500 X\r\ncontent-length: 1\r\n\r\n!", "GET", 500, b"!"),
    ],
)  # fmt: skip
def test_answers_come_back_as_they_were(answer, method, status, body):
    _, (came, content) = run(request(method), answer=answer)
    assert (came.status, content) == (status, body)
    headers = dict(came.headers)
    assert headers.get(b"etag") == (b"e" if b"etag" in answer else None)
    assert b"transfer-encoding" not in headers
    if method == "HEAD":
        assert headers[b"content-length"] == b"1234"


def test_private_and_hop_by_hop_headers_of_an_answer_do_not_come_back():
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Iamd-Boot: b\r\nDate: d\r\nServer: s\r\nx-amz-meta-a: \xc3\xa9\r\n\r\n"
    _, (came, _) = run(request(), answer=answer)
    assert came.headers == [(b"content-length", b"0"), (b"x-amz-meta-a", "é".encode())]


def test_a_cookie_of_one_answer_does_not_go_out_with_the_next_request():
    async def main():
        async with RawBackend(answer=b"HTTP/1.1 200 OK\r\nset-cookie: a=canary\r\ncontent-length: 0\r\n\r\n") as raw:
            backend = Backend.remote(raw.url, CREDENTIALS)
            for _ in range(2):
                await forward(request(), EMPTY, backend, VERDICT, now=time.time())
            await backend.close()
            return raw

    raw = asyncio.run(main())
    assert raw.connections == 1
    assert b"canary" not in raw.heads[1]


def test_a_backend_that_is_not_there_is_503():
    async def main():
        backend = Backend.remote("http://127.0.0.1:1", CREDENTIALS, limits=QUICK)
        with pytest.raises(BackendUnavailable) as caught:
            await forward(request(), EMPTY, backend, VERDICT, now=0)
        await backend.close()
        return caught.value

    assert asyncio.run(main()).status == 503


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_silent_backend_is_504_within_its_time(method):
    began = time.monotonic()
    raw, error = run(request(method), Payload(b"x", 1) if method != "GET" else EMPTY, behaviour=silent)
    assert isinstance(error, GatewayTimeout)
    assert error.status == 504
    assert time.monotonic() - began < 2
    assert len(raw.heads) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_resetting_backend_is_502_and_nothing_is_sent_twice(method):
    raw, error = run(request(method), Payload(b"x", 1), behaviour=resetting)
    assert isinstance(error, BadGateway)
    assert error.status == 502
    assert len(raw.heads) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_http_is_502(answer):
    _, error = run(request("POST"), Payload(b"x", 1), answer=answer)
    assert isinstance(error, BadGateway), error


def test_an_answer_that_breaks_off_is_never_taken_for_whole():
    async def breaking(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + b"x" * 100_000)
        await writer.drain()

    _, error = run(request(), behaviour=breaking)
    assert isinstance(error, BackendBroke)


def test_an_answer_that_stands_still_is_given_up():
    async def stalling(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\nx")
        await reader.read()

    _, error = run(request(), behaviour=stalling)
    assert isinstance(error, BackendBroke)


def test_bytes_after_an_answer_poison_no_other_request():
    async def main():
        async with RawBackend(answer=OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison") as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=QUICK)
            seen = []
            for _ in range(3):
                answer = await forward(request(), EMPTY, backend, VERDICT, now=0)
                seen.append(answer.whole)
                await asyncio.sleep(0.02)
            await backend.close()
            return seen

    assert asyncio.run(main()) == [b"ok", b"ok", b"ok"]


@pytest.mark.parametrize(("method", "attempts", "status"), [("GET", 3, 200), ("POST", 2, 502), ("PUT", 2, 502)])
def test_only_a_get_is_sent_again_when_its_kept_connection_closes(method, attempts, status):
    async def closing_the_first(backend, reader, writer):
        first = backend.connections == 1
        while await backend.request(reader):
            if first and len(backend.heads) == 2:
                return
            writer.write(OK)
            await writer.drain()

    async def main():
        async with RawBackend(closing_the_first) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=QUICK)
            await forward(request(), EMPTY, backend, VERDICT, now=0)
            try:
                answer = await forward(request(method), EMPTY, backend, VERDICT, now=0)
            except BadGateway as error:
                answer = error
            await backend.close()
            return len(raw.heads), answer.status

    assert asyncio.run(main()) == (attempts, status)


def test_a_backend_that_takes_no_more_of_a_body_is_given_up():
    async def deaf(backend, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()
        try:
            await asyncio.Event().wait()
        finally:
            writer.transport.abort()

    big = b"x" * (32 * 1024 * 1024)
    began = time.monotonic()
    _, error = run(request("PUT"), Payload(big, len(big)), behaviour=deaf)
    assert isinstance(error, GatewayTimeout)
    assert time.monotonic() - began < 2


def test_a_client_that_goes_ends_the_backends_part():
    async def main():
        async with RawBackend(silent) as raw:

            async def receive():
                await asyncio.sleep(0.1)
                return {"type": "http.disconnect"}

            with pytest.raises(ClientGone):
                await sent(raw, request(), limits=Limits(response=30), receive=receive)
            await asyncio.wait_for(raw.closed.wait(), 1)

    asyncio.run(main())


def test_a_client_that_goes_while_the_answer_streams_ends_the_backends_part():
    async def endless(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async def main():
        gone = asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            await asyncio.sleep(0.01)
            if message.get("body"):
                gone.set()

        async with RawBackend(endless) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS)
            answer = await forward(request(), EMPTY, backend, VERDICT, now=0, receive=receive)
            with pytest.raises(ClientGone):
                await answer.relay(send, receive)
            await asyncio.wait_for(raw.closed.wait(), 1)
            await backend.close()

    asyncio.run(main())


def test_a_slow_client_holds_the_backend_back():
    """Nobody takes the body, so only what the sockets hold may come."""
    written = 0

    async def endless(backend, reader, writer):
        nonlocal written
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            written += 65536
            await writer.drain()

    async def main():
        async with RawBackend(endless) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS)
            answer = await forward(request(), EMPTY, backend, VERDICT, now=0)
            await asyncio.sleep(0.3)
            answer.close()
            await backend.close()

    asyncio.run(main())
    assert written < 32 * 1024 * 1024


def test_the_declared_hash_of_a_stream_is_not_signed_before_it_is_known():
    async def pieces():
        yield b"abc"

    raw, _ = run(request("PUT"), Payload(pieces(), 3))
    assert dict(fields(raw.heads[0]))[b"x-amz-content-sha256"] == UNSIGNED.lower().encode()
    assert raw.bodies == [b"abc"]


@pytest.mark.parametrize("url", ["ftp://x", "http://x/path", "nothing", "http:///x"])
def test_only_the_origin_of_a_url_can_be_a_backend(url):
    with pytest.raises(ValueError, match="not the URL of a backend"):
        Backend.remote(url)
