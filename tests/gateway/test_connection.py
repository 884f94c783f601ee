"""Connections to a backend: what makes one fit for the next request, what ends it, and how many there are."""

import asyncio
import datetime as dt
import ssl
import time

import pytest
from gateway.raw_backend import OK, RawBackend
from gateway.test_forward import CREDENTIALS, QUICK, VERDICT, request, run

from iamd.errors import Common, CommonError
from iamd.gateway import pool
from iamd.gateway.answer import BackendBroke
from iamd.gateway.backend import Backend, Limits
from iamd.gateway.forward import BadGateway, GatewayTimeout, forward
from iamd.gateway.payload import EMPTY, Payload


async def content_of(answer):
    return b"".join([piece async for piece in answer])


def in_turn(answers, methods, piece=100_000):
    """Ask a backend for one answer after the other; gives them, and over how many connections they came."""

    async def giving(backend, reader, writer):
        while await backend.request(reader):
            answer = answers[len(backend.heads) - 1]
            for at in range(0, len(answer), piece):
                writer.write(answer[at : at + piece])
                await asyncio.sleep(0.01)

    async def main():
        async with RawBackend(giving) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=QUICK)
            seen = []
            for method in methods:
                answer = await forward(request(method), EMPTY, backend, VERDICT, now=0)
                seen.append((answer.status, await content_of(answer)))
                await asyncio.sleep(0.02)
            await backend.close()
            return seen, raw.connections

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", 200),
        ("HEAD", b"HTTP/1.1 404 Not Found\r\ncontent-length: 500\r\n\r\n", 404),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("PUT", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: 1\r\n\r\n", 200),
    ],
)
def test_an_answer_without_a_body_leaves_its_connection_to_the_next(method, answer, status):
    seen, connections = in_turn([answer, OK], [method, "GET"])
    assert seen == [(status, b""), (200, b"ok")]
    assert connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"),
        OK.replace(b"1.1", b"1.0"),
        OK + b"x",
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
        OK + b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_a_connection_is_not_used_again_when_its_backend_ends_it_or_says_more_than_it_was_asked(answer):
    seen, connections = in_turn([answer, OK], ["GET", "GET"])
    assert seen == [(200, b"ok"), (200, b"ok")]
    assert connections == 2


def test_the_body_of_a_heads_answer_is_not_the_next_answer():
    lying = b"HTTP/1.1 200 OK\r\ncontent-length: 48\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
    seen, connections = in_turn([lying, OK], ["HEAD", "GET"])
    assert seen == [(200, b""), (200, b"ok")]
    assert connections == 2


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"])
def test_nothing_of_the_next_answer_is_the_body_of_a_head_that_was_answered_behind_an_interim_answer(interim):
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 47\r\n\r\n"
    # What stands in the body of the next answer, whose head is 47 bytes long.
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    seen, connections = in_turn([interim + head, chunked], ["HEAD", "GET"])
    assert seen == [(200, b""), (200, b"ok")]
    assert connections == 1


def test_a_long_head_is_taken_however_it_is_cut():
    answer = b"HTTP/1.1 200 OK\r\n" + b"x: " + b"a" * 30_000 + b"\r\ncontent-length: 2\r\n\r\nok"

    async def cutting(backend, reader, writer):
        await backend.request(reader)
        for at in range(0, len(answer), 7001):
            writer.write(answer[at : at + 7001])
            await asyncio.sleep(0.01)

    _, (came, content) = run(request(), behaviour=cutting)
    assert (came.status, content) == (200, b"ok")


def test_long_heads_of_answers_without_a_body_do_not_add_up():
    answer = b"HTTP/1.1 200 OK\r\n" + b"x: " + b"a" * 30_000 + b"\r\ncontent-length: 2\r\n\r\n"
    seen, connections = in_turn([answer] * 3, ["HEAD"] * 3, piece=20_000)
    assert seen == [(200, b"")] * 3
    assert connections == 1


@pytest.mark.parametrize("line", [b"x: aaaaaaaaa\r\n", b"a"])
def test_a_head_that_never_ends_is_502(line):
    async def endless(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(line * 1000)
            await writer.drain()

    _, error = run(request("POST"), Payload(b"x", 1), behaviour=endless)
    assert isinstance(error, BadGateway)


@pytest.mark.parametrize(
    "headers",
    [
        b"x: " + b"a" * 40_000 + b"\r\n",
        b"".join(b"x-%d: %b\r\n" % (n, b"a" * 990) for n in range(40)),
        b"x: a\r\n" * 300,
    ],
)
def test_a_head_that_is_too_long_is_502_though_it_comes_at_once(headers):
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"content-length: 2\r\n\r\nok"
    seen = asyncio.run(asked_of(answer))
    assert isinstance(seen, BadGateway)


def test_trailers_that_never_end_break_the_answer():
    async def endless(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
        while True:
            writer.write(b"x: a\r\n" * 100)
            await writer.drain()

    _, error = run(request(), behaviour=endless)
    assert isinstance(error, BackendBroke)


async def then_silent(backend, reader, writer):
    await backend.request(reader)
    writer.write(OK)
    await backend.request(reader)
    await asyncio.sleep(30)


def test_each_request_over_a_connection_has_its_own_time():
    async def main():
        async with RawBackend(then_silent) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=Limits(connect=0.5, response=0.4, idle=0.3))
            await content_of(await forward(request(), EMPTY, backend, VERDICT, now=0))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            with pytest.raises(GatewayTimeout):
                await forward(request(), EMPTY, backend, VERDICT, now=0)
            await backend.close()
            return time.monotonic() - began, raw.connections

    waited, connections = asyncio.run(main())
    assert connections == 1
    assert 0.39 < waited < 5


def test_the_shorter_time_within_a_body_counts_though_the_longer_one_had_begun():
    async def stalling(backend, reader, writer):
        await backend.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n" + b"x" * 70_000)
        await asyncio.sleep(30)

    began = time.monotonic()
    _, error = run(request(), behaviour=stalling, limits=Limits(connect=0.5, response=20, idle=0.3))
    assert isinstance(error, BackendBroke)
    assert time.monotonic() - began < 10


async def asked_of(answer):
    """What comes of a request that a backend answers so, in one piece."""

    class Backends(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(answer)

    listening = await asyncio.get_running_loop().create_server(Backends, "127.0.0.1", 0)
    backend = Backend.remote(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", CREDENTIALS, limits=QUICK)
    try:
        return await forward(request(), EMPTY, backend, VERDICT, now=0)
    except BadGateway as error:
        return error
    finally:
        await backend.close()
        listening.close()


def closing_after(answer):
    async def closing(backend, reader, writer):
        await backend.request(reader)
        writer.write(answer)
        await writer.drain()

    return closing


def test_an_answer_without_a_length_ends_with_its_connection():
    _, (answer, content) = run(request(), behaviour=closing_after(b"HTTP/1.1 200 OK\r\n\r\nall of it"))
    assert (answer.status, content) == (200, b"all of it")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nsome",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nsome",
    ],
)
def test_an_answer_whose_end_is_missing_is_broken(answer):
    _, error = run(request(), behaviour=closing_after(answer))
    assert isinstance(error, BackendBroke)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal"]
)
def test_a_small_answer_that_breaks_off_is_502(answer):
    _, error = run(request("POST"), Payload(b"x", 1), behaviour=closing_after(answer))
    assert isinstance(error, BadGateway)


def test_an_answer_before_the_request_is_whole_is_the_answer_and_the_rest_is_not_sent():
    async def refusing(backend, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        while piece := await reader.read(65536):
            backend.bytes += len(piece)

    async def endless():
        while True:
            await asyncio.sleep(0.001)
            yield b"x" * 65536

    raw, (answer, content) = run(request("PUT"), Payload(endless(), 1 << 40), behaviour=refusing)
    assert (answer.status, content) == (403, b"no")
    assert raw.bytes < 100_000_000


def test_a_header_that_is_not_one_line_is_never_sent():
    raw, error = run(request(headers=[(b"x-amz-meta-a", b"1\r\nx-amz-target: canary")]))
    assert isinstance(error, CommonError)
    assert error.kind is Common.MALFORMED_HEADER
    assert raw.bytes == 0


async def slow(backend, reader, writer):
    """Answer each request after a while."""
    while await backend.request(reader):
        await asyncio.sleep(0.1)
        writer.write(OK)
        await writer.drain()


def test_requests_wait_for_each_other_when_all_connections_are_in_use(monkeypatch):
    monkeypatch.setattr(pool, "CONNECTIONS", 2)

    async def main():
        async with RawBackend(slow) as raw:
            backend = Backend.remote(raw.url, CREDENTIALS)
            calls = [asyncio.create_task(forward(request(), EMPTY, backend, VERDICT, now=0)) for _ in range(7)]
            await asyncio.sleep(0.05)
            # One that waits and one that is being answered give up; nobody behind them waits for ever.
            calls[1].cancel()
            calls[3].cancel()
            done = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
            await backend.close()
            return [answer.status for answer in done if not isinstance(answer, BaseException)], raw.connections

    assert asyncio.run(main()) == ([200] * 5, 3)


def test_a_connection_that_was_long_unused_is_not_used_again(monkeypatch):
    monkeypatch.setattr(pool, "KEPT_SECONDS", 0.05)

    async def main():
        async with RawBackend() as raw:
            backend = Backend.remote(raw.url, CREDENTIALS)
            for pause in (0, 0.1, 0):
                await asyncio.sleep(pause)
                await forward(request(), EMPTY, backend, VERDICT, now=0)
            await backend.close()
            return raw.connections

    assert asyncio.run(main()) == 2


def certificate(folder):
    """A certificate that signs itself for 127.0.0.1: the file, and a server's context with it."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "backend")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


@pytest.mark.parametrize("known", [True, False])
def test_a_backend_over_tls_is_used_when_its_certificate_is_known(tmp_path, known):
    ca_file, context = certificate(tmp_path)

    async def answering(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(answering, "127.0.0.1", 0, ssl=context)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        backend = Backend.remote(url, CREDENTIALS, ca_file=str(ca_file) if known else None, limits=Limits(connect=5))
        try:
            return await forward(request(), EMPTY, backend, VERDICT, now=time.time())
        except CommonError as error:
            return error
        finally:
            await backend.close()
            server.close()
            await asyncio.sleep(0.05)

    answer = asyncio.run(main())
    assert answer.status == (200 if known else 503)
