"""Bodies from the ASGI channel: limits, hashes, checksums, framing; and that nothing unverified reaches a backend whole."""

import asyncio
import base64
import contextlib
import hashlib
import time
import tracemalloc
import zlib

import pytest
from auth.signing import s3_code
from gateway.raw_backend import RawBackend

from iamd.auth.s3_errors import MissingContentLength
from iamd.backend.verdict import Verdict
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.backend import Backend, Limits
from iamd.gateway.bodies import EntityTooLarge, s3_object, whole
from iamd.gateway.body_limits import largest_body
from iamd.gateway.forward import forward
from iamd.gateway.spool import IN_MEMORY, Spool
from iamd.http import HttpRequest

MIB = 1024 * 1024
VERDICT = Verdict("s3", "PutObject", "rest-xml", "123456789012", "us-east-1")


def put(length=None, headers=(), method="PUT"):
    """A request whose body has this length, or is chunked."""
    known = (b"content-length", str(length).encode())
    framing = [(b"transfer-encoding", b"chunked") if length is None else known]
    return HttpRequest("id", method, b"/b/k", b"", [(b"host", b"localhost"), *framing, *headers], None, "127.0.0.1")


def channel(*pieces, disconnect=False):
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.disconnect"} if disconnect else {"type": "http.request", "body": b""})
    remaining = iter(messages)

    async def receive():
        return next(remaining)

    return receive


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def split(data, size=65536):
    return [data[at : at + size] for at in range(0, len(data), size)]


class Trailing:
    """An aws-chunked decoder that takes bytes as they are and speaks about the trailer at the end."""

    def __init__(self, trailers=(), error=None):
        self.trailers, self.error = list(trailers), error

    def feed(self, data):
        return [data]

    def finish(self):
        if self.error:
            raise self.error
        return self.trailers


async def collected(payload):
    if isinstance(payload.content, bytes):
        return payload.content
    return b"".join([piece async for piece in payload.content])


# Whole bodies


@pytest.mark.parametrize("pieces", [[], [b"abc"], [b"a", b"", b"bc"]])
def test_a_whole_body_is_what_was_sent(pieces):
    data = b"".join(pieces)
    assert asyncio.run(whole(put(len(data)), channel(*pieces), 3)) == data
    assert asyncio.run(whole(put(None), channel(*pieces), 3)) == data


def test_a_body_whose_length_tells_that_it_is_too_large_is_not_read():
    async def receive():
        raise AssertionError

    with pytest.raises(CommonError) as caught:
        asyncio.run(whole(put(11), receive, 10))
    assert caught.value.kind is Common.TOO_LARGE


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit():
    read = 0

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 6, "more_body": True}

    with pytest.raises(CommonError) as caught:
        asyncio.run(whole(put(), receive, 10))
    assert (caught.value.kind, read) == (Common.TOO_LARGE, 2)


@pytest.mark.parametrize(("length", "pieces", "gone"), [(4, [b"abc"], False), (2, [b"abc"], False), (3, [b"ab"], True)])
def test_short_long_and_broken_bodies_are_incomplete(length, pieces, gone):
    for read in (
        lambda: whole(put(length), channel(*pieces, disconnect=gone), 10),
        lambda: s3_object(put(length), channel(*pieces, disconnect=gone), content_sha256=None),
    ):
        with pytest.raises(CommonError) as caught:
            asyncio.run(read())
        assert caught.value.kind is Common.INCOMPLETE_BODY


@pytest.mark.parametrize("value", [b"-1", b"+1", b"1_0", b"\xb2", b"", b"1 ", b"0x10", b"1,1"])
def test_a_length_that_is_no_number_is_refused(value):
    with pytest.raises(CommonError) as caught:
        asyncio.run(whole(put(headers=[(b"content-length", value)]), channel(b"x"), 10))
    assert caught.value.kind is Common.MALFORMED_HEADER


def test_limits_are_the_services_own():
    assert largest_body("dynamodb") == 16 * MIB
    assert largest_body("lambda") == 70_167_211
    assert largest_body("anything-else") == 6 * MIB


# Objects


@pytest.mark.parametrize("size", [0, 1, 70_000, IN_MEMORY, IN_MEMORY + 1, 3 * MIB])
@pytest.mark.parametrize("declared", [True, False])
def test_an_object_comes_through_whole(size, declared):
    data = bytes(range(256)) * (size // 256) + b"z" * (size % 256)

    async def main():
        payload = await s3_object(put(size), channel(*split(data)), content_sha256=sha256(data) if declared else None)
        content = await collected(payload)
        payload.close()
        return payload, content

    payload, content = asyncio.run(main())
    assert content == data
    assert payload.length == size
    if declared or not size:
        assert payload.sha256 == sha256(data)
    assert isinstance(payload.content, bytes) == (size <= IN_MEMORY)


WRONG = [
    ({"content_sha256": "0" * 64}, []),
    ({"content_sha256": None}, [(b"content-md5", base64.b64encode(bytes(16)))]),
    ({"content_sha256": "UNSIGNED-PAYLOAD"}, [(b"x-amz-checksum-crc32", base64.b64encode(b"1234"))]),
    ({"content_sha256": None}, [(b"x-amz-checksum-sha256", base64.b64encode(bytes(32)))]),
    ({"content_sha256": None, "decoder": Trailing(error=CommonError(Common.BODY_HASH_MISMATCH, "trailer"))}, []),
    ({"content_sha256": None, "decoder": Trailing(error=CommonError(Common.SIGNATURE_MISMATCH, "chunk"))}, []),
]


async def stored(length, receive, headers, **how):
    """What a backend got when an object was sent to it, and the error."""
    name = b"x-amz-decoded-content-length" if "decoder" in how else b"content-length"
    request = put(headers=[(name, str(length).encode()), *headers])
    async with RawBackend() as raw:
        backend = Backend.remote(raw.url, limits=Limits(response=2, idle=2))
        error = None
        try:
            payload = await s3_object(request, receive, **how)
            await forward(request, payload, backend, VERDICT, now=time.time(), receive=receive)
        except AWSError as found:
            error = found
        await backend.close()
        if raw.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(raw.closed.wait(), 1)
        return raw, error


@pytest.mark.parametrize(("how", "headers"), WRONG)
@pytest.mark.parametrize("size", [0, 10, IN_MEMORY + 1, 3 * MIB])
def test_a_body_that_is_not_what_was_declared_is_never_kept_by_the_backend(how, headers, size):
    data = b"d" * size
    raw, error = asyncio.run(stored(size, channel(*split(data)), headers, **how))
    assert s3_code(error) in {"XAmzContentSHA256Mismatch", "BadDigest", "SignatureDoesNotMatch"}
    assert raw.bodies == []
    if size <= IN_MEMORY or how["content_sha256"] == "0" * 64:
        assert raw.bytes == 0


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_right_checksums_pass_and_small_bodies_get_their_trailers_as_headers(size):
    data = b"d" * size
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
    md5 = base64.b64encode(hashlib.md5(data).digest())
    how = {"content_sha256": None, "decoder": Trailing([("x-amz-checksum-crc32", crc.decode())])}
    headers = [(b"content-md5", md5), (b"x-amz-checksum-crc32", crc)] if size > IN_MEMORY else [(b"content-md5", md5)]
    raw, error = asyncio.run(stored(size, channel(*split(data)), headers, **how))
    assert error is None
    assert raw.bodies == [data]
    assert b"x-amz-checksum-crc32: " + crc in raw.heads[0]
    assert b"content-length: %d\r\n" % size in raw.heads[0]
    assert b"x-amz-decoded" not in raw.heads[0]


@pytest.mark.parametrize(
    ("declared", "pieces", "gone"), [(2 * MIB, MIB, False), (2 * MIB, 3 * MIB, False), (2 * MIB, MIB, True)]
)
def test_a_stream_that_is_short_long_or_broken_leaves_nothing_behind(declared, pieces, gone):
    receive = channel(*split(b"x" * pieces), disconnect=gone)
    raw, error = asyncio.run(stored(declared, receive, [], content_sha256="UNSIGNED-PAYLOAD"))
    assert error.kind is Common.INCOMPLETE_BODY
    assert raw.bodies == []


def test_an_object_without_a_length_is_411():
    with pytest.raises(MissingContentLength) as caught:
        asyncio.run(s3_object(put(), channel(b"x"), content_sha256=None))
    assert (caught.value.status, caught.value.code) == (411, "MissingContentLength")


def test_an_object_above_five_gigabytes_is_refused_unread():
    async def receive():
        raise AssertionError

    with pytest.raises(EntityTooLarge):
        asyncio.run(s3_object(put(5 * 1024**3 + 1), receive, content_sha256=None))


def test_a_spool_has_no_name_and_is_nobody_elses(tmp_path):
    import os
    import stat

    spool = Spool(str(tmp_path))
    spool.add(b"x" * (IN_MEMORY + 1))
    found = os.fstat(spool._file.fileno())
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_nlink == 0
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_a_full_disk_is_an_answer_and_leaves_nothing_open(tmp_path):
    class Full:
        closed = False

        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            self.closed = True

    spool = Spool(str(tmp_path))
    file = spool._file = Full()
    with pytest.raises(CommonError) as caught:
        spool.add(b"x")
    assert caught.value.kind is Common.UNAVAILABLE
    assert file.closed


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_object_passes_in_little_memory(declared):
    size = 48 * MIB
    piece = b"m" * 65536
    digest = hashlib.sha256()
    for _ in range(size // len(piece)):
        digest.update(piece)

    def generated():
        left = size

        async def receive():
            nonlocal left
            if left <= 0:
                return {"type": "http.disconnect"}
            left -= len(piece)
            return {"type": "http.request", "body": piece, "more_body": left > 0}

        return receive

    async def counting(backend, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        while backend.bytes < size:
            backend.bytes += len(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async def main():
        async with RawBackend(counting) as raw:
            backend = Backend.remote(raw.url)
            tracemalloc.start()
            receive = generated()
            payload = await s3_object(put(size), receive, content_sha256=digest.hexdigest() if declared else None)
            answer = await forward(put(size), payload, backend, VERDICT, now=time.time())
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            await backend.close()
            return raw.bytes, answer.status, peak

    came, status, peak = asyncio.run(main())
    assert (came, status) == (size, 200)
    assert peak < 8 * MIB


@pytest.mark.parametrize("size", [10, 3 * MIB])
@pytest.mark.parametrize("right", [True, False])
def test_a_real_trailer_is_verified_before_the_backend_has_the_last_bytes(size, right):
    from iamd.auth import checksums
    from iamd.auth.chunked import Decoder

    data = b"t" * size
    crc = base64.b64encode(zlib.crc32(data if right else data + b"!").to_bytes(4, "big"))
    framed = b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in split(data)])
    framed += b"0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    name = "x-amz-checksum-crc32"
    decoder = Decoder(key=None, seed="", signed_as="", length=size, trailers={name: checksums.algorithm(name)})
    receive = channel(*split(framed, 10_000))
    headers = [(b"content-encoding", b"aws-chunked"), (b"x-amz-trailer", name.encode())]
    raw, error = asyncio.run(stored(size, receive, headers, content_sha256=None, decoder=decoder))
    if right:
        assert raw.bodies == [data]
        assert b"chunked" not in raw.heads[0]
        assert (name.encode() in raw.heads[0]) == (size <= IN_MEMORY)
    else:
        assert s3_code(error) == "BadDigest"
        assert raw.bodies == []
