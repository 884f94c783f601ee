"""aws-chunked bodies: AWS's published examples decode, every alteration is refused, nothing unverified passes (SIG-08)."""

import base64
import hashlib
import io
import zlib

import pytest
from auth.signing import s3_code
from botocore.httpchecksum import _CHECKSUM_CLS, AwsChunkedWrapper
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import chunked, signer, sigv4
from iamd.auth.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER
from iamd.auth.signing_key import derive
from iamd.errors import AWSError
from iamd.http import HttpRequest

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = 1369353600.0  # 2013-05-24T00:00:00Z, the moment of AWS's examples
EMPTY = hashlib.sha256(b"").hexdigest()
SCOPE = "20130524/us-east-1/s3/aws4_request"

# S3 API Reference, "Transferring Payload in Multiple Chunks (Chunked Upload)": the seed and three chunk signatures.
AWS_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
AWS_CHUNKS = (
    (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
# S3 API Reference, "Including Trailing Headers (Chunked Upload)".
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
TRAILER_CHUNKS = (
    (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
)
TRAILER_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


def request_of(form: str, length: int | None, *, trailer: str | None = None) -> HttpRequest:
    headers = [(b"host", b"s3.amazonaws.com"), (b"x-amz-storage-class", b"REDUCED_REDUNDANCY")]
    if length is not None:
        headers.append((b"x-amz-decoded-content-length", b"%d" % length))
    if trailer is not None:
        headers.append((b"x-amz-trailer", trailer.encode()))
    path = b"/examplebucket/chunkObject.txt"
    added = signer.sign(
        "PUT", path, b"", headers, form,
        access_key_id=KEY_ID, secret_access_key=SECRET, session_token=None, region="us-east-1", service="s3", now=NOW,
    )  # fmt: skip
    return HttpRequest("r", "PUT", path, b"", [*headers, *added], None, "127.0.0.1")


def decoder_of(form: str, length: int | None, *, trailer: str | None = None) -> tuple[chunked.Decoder, str]:
    request = request_of(form, length, trailer=trailer)
    claim = sigv4.claim(request)
    sigv4.check(claim, request, SECRET, NOW, 900)
    return chunked.decoder(claim, SECRET), claim.signature.decode()


def signed_body(seed: str, chunks: list[bytes], trailers: list[tuple[str, str]] | None = None, *, minio=False) -> bytes:
    """What a client sends, written after AWS's text and not after the decoder."""
    key = derive(SECRET, "20130524", "us-east-1", "s3")
    previous, out = seed, b""
    for chunk in [*chunks, b""]:
        digest = hashlib.sha256(chunk).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n{SCOPE}\n{previous}\n{EMPTY}\n{digest}"
        previous = key.sign(text.encode())
        out += b"%x;chunk-signature=%b\r\n" % (len(chunk), previous.encode())
        out += chunk + b"\r\n" if chunk else b""
    if trailers is None:
        return out + b"\r\n"
    canonical = "".join(f"{name}:{value}\n" for name, value in trailers)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = key.sign(f"AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\n{SCOPE}\n{previous}\n{digest}".encode())
    lines = canonical.encode() + b"\r\n" if minio else canonical.encode().replace(b"\n", b"\r\n")
    return out + lines + b"x-amz-trailer-signature:" + signature.encode() + b"\r\n\r\n"


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def decode(decoder: chunked.Decoder, body: bytes, *, step: int | None = None) -> bytes:
    step = step or len(body) or 1
    out = b"".join(b"".join(decoder.feed(body[place : place + step])) for place in range(0, len(body), step))
    decoder.finish()
    return out


def raw_body(chunks: tuple[tuple[int, str], ...]) -> bytes:
    out = b""
    for size, signature in chunks:
        out += b"%x;chunk-signature=%b\r\n" % (size, signature.encode())
        out += b"a" * size + b"\r\n" if size else b""
    return out


def aws_decoder(seed: str, trailers=None) -> chunked.Decoder:
    key = derive(SECRET, "20130524", "us-east-1", "s3")
    return chunked.Decoder(
        key=key, seed=seed, signed_as=f"20130524T000000Z\n{SCOPE}\n", length=66560, trailers=trailers
    )


def test_aws_example_of_signed_chunks():
    body = raw_body(AWS_CHUNKS) + b"\r\n"
    assert len(body) == 66824
    assert decode(aws_decoder(AWS_SEED), body, step=1000) == b"a" * 66560


def test_aws_example_of_a_signed_trailer():
    body = raw_body(TRAILER_CHUNKS) + b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    body += b"x-amz-trailer-signature:" + TRAILER_SIGNATURE.encode() + b"\r\n\r\n"
    decoder = aws_decoder(TRAILER_SEED, {"x-amz-checksum-crc32c": chunked.checksums.algorithm("x-amz-checksum-crc32c")})
    assert decode(decoder, body) == b"a" * 66560
    assert decoder.finish() == [("x-amz-checksum-crc32c", "sOO8/Q==")]


CHUNKS = st.lists(st.integers(8192, 8200), max_size=3).flatmap(
    lambda sizes: st.integers(0, 50).map(
        lambda last: [*(b"x" * size for size in sizes), *([b"y" * last] if last else [])]
    )
)


@given(chunks=CHUNKS, step=st.integers(1, 9000), form=st.sampled_from([SIGNED, SIGNED_TRAILER]), minio=st.booleans())
def test_signed_bodies_decode_however_they_are_cut(chunks, step, form, minio):
    data = b"".join(chunks)
    has_trailer = form == SIGNED_TRAILER
    decoder, seed = decoder_of(form, len(data), trailer="x-amz-checksum-crc32" if has_trailer else None)
    trailers = [("x-amz-checksum-crc32", crc32(data))] if has_trailer else None
    assert decode(decoder, signed_body(seed, chunks, trailers, minio=minio), step=step) == data


@given(data=st.binary(max_size=40_000), algorithm=st.sampled_from(sorted(_CHECKSUM_CLS)), step=st.integers(1, 50_000))
def test_bodies_of_botocore_decode(data, algorithm, step):
    """botocore's own encoder, with every checksum that it can compute here, is the other side."""
    name = f"x-amz-checksum-{algorithm}"
    body = AwsChunkedWrapper(io.BytesIO(data), _CHECKSUM_CLS[algorithm], name, chunk_size=8192).read()
    decoder, _ = decoder_of(UNSIGNED_TRAILER, len(data), trailer=name)
    assert decode(decoder, body, step=step) == data
    assert [trailer for trailer, _ in decoder.finish()] == [name]


SIGNED_DATA = [b"a" * 8192, b"bcd"]


def signed_case(form: str) -> tuple[chunked.Decoder, bytes]:
    data = b"".join(SIGNED_DATA)
    if form == SIGNED:
        decoder, seed = decoder_of(form, len(data))
        return decoder, signed_body(seed, SIGNED_DATA)
    if form == SIGNED_TRAILER:
        decoder, seed = decoder_of(form, len(data), trailer="x-amz-checksum-crc32")
        return decoder, signed_body(seed, SIGNED_DATA, [("x-amz-checksum-crc32", crc32(data))])
    decoder, _ = decoder_of(form, len(data), trailer="x-amz-checksum-crc32")
    encoded = b"2000\r\n" + SIGNED_DATA[0] + b"\r\n3\r\nbcd\r\n0\r\nx-amz-checksum-crc32:" + crc32(data).encode()
    return decoder, encoded + b"\r\n\r\n"


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
@given(data=st.data())
def test_every_altered_byte_of_a_signed_body_is_refused(form, data):
    decoder, body = signed_case(form)
    place = data.draw(st.integers(0, len(body) - 1) | st.integers(8192, len(body) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = body[:place] + bytes([body[place] ^ (1 << bit)]) + body[place + 1 :]
    expected = b"".join(SIGNED_DATA)
    got = b""
    try:
        got = decode(decoder, altered)
    except AWSError:
        return
    # The size of a chunk and a trailer's name are free in the case of their letters, and in nothing else.
    assert altered.lower() == body.lower()
    assert got == expected


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_every_cut_is_refused(form):
    _, body = signed_case(form)
    for end in [*range(120), *range(8150, len(body))]:
        decoder, _ = signed_case(form)
        with pytest.raises(AWSError) as caught:
            decode(decoder, body[:end])
        assert s3_code(caught.value) == "IncompleteBody"


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("extra", [b"\r\n", b"0", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n"])
def test_bytes_after_the_end_are_refused(form, extra):
    decoder, body = signed_case(form)
    with pytest.raises(AWSError) as caught:
        decode(decoder, body + extra)
    assert s3_code(caught.value) == "IncompleteBody"


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
def test_a_chunk_leaves_only_after_its_signature(form):
    decoder, body = signed_case(form)
    head = body.index(b"\r\n") + 2
    assert decoder.feed(body[: head + 8191]) == []
    assert b"".join(decoder.feed(body[head + 8191 : head + 8192])) == SIGNED_DATA[0]


def test_a_wrong_chunk_gives_nothing_and_ends_the_decoder():
    decoder, body = signed_case(SIGNED)
    with pytest.raises(AWSError) as caught:
        decoder.feed(body.replace(b"aaaa", b"aaab", 1))
    assert s3_code(caught.value) == "SignatureDoesNotMatch"
    for again in (lambda: decoder.feed(b"x"), decoder.finish):
        with pytest.raises(AWSError):
            again()


def test_chunks_in_another_order_are_refused():
    chunks = [b"a" * 8192, b"b" * 8192]
    decoder, seed = decoder_of(SIGNED, 16384)
    body = signed_body(seed, chunks)
    size = body.index(b"\r\n") + 2 + 8192 + 2
    with pytest.raises(AWSError) as caught:
        decode(decoder, body[size : 2 * size] + body[:size] + body[2 * size :])
    assert s3_code(caught.value) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n",
        b"-1\r\n",
        b"+3\r\n",
        b"0x3\r\n",
        b" 3\r\n",
        b"3 \r\n",
        b"3\n",
        b"g\r\n",
        b"3;ext=1\r\n",
        b"1_0\r\n",
        b"\xd9\xa3\r\n",
        b"1234567890123\r\n",
        b"3" * 600,
    ],
)
def test_a_malformed_chunk_head_is_refused(head):
    decoder, _ = decoder_of(UNSIGNED_TRAILER, 3, trailer="x-amz-checksum-crc32")
    with pytest.raises(AWSError) as caught:
        decoder.feed(head + b"abc\r\n")
    assert s3_code(caught.value) == "IncompleteBody"


@pytest.mark.parametrize(
    "head",
    [
        "3\r\n",
        "3;chunk-signature=\r\n",
        f"3;chunk-signature={'A' * 64}\r\n",
        f"3;chunk-signature={'a' * 63}\r\n",
        f"3;chunk-signature={'a' * 65}\r\n",
        f"3; chunk-signature={'a' * 64}\r\n",
        f"3;CHUNK-SIGNATURE={'a' * 64}\r\n",
        f"3;chunk-signature={'a' * 64};x=1\r\n",
    ],
)
def test_a_malformed_signed_chunk_head_is_refused(head):
    decoder, _ = decoder_of(SIGNED, 3)
    with pytest.raises(AWSError) as caught:
        decoder.feed(head.encode() + b"abc\r\n")
    assert s3_code(caught.value) == "IncompleteBody"


def test_data_that_does_not_end_in_a_line_break_is_refused():
    decoder, _ = decoder_of(UNSIGNED_TRAILER, 4, trailer="x-amz-checksum-crc32")
    with pytest.raises(AWSError):
        decoder.feed(b"3\r\nabcd\r\n0\r\n")


def test_an_endless_line_is_refused_before_it_fills_memory():
    decoder, _ = decoder_of(UNSIGNED_TRAILER, 4, trailer="x-amz-checksum-crc32")
    with pytest.raises(AWSError):
        list(map(decoder.feed, [b"0"] * 600))


def test_a_signed_chunk_above_the_bound_is_refused_at_its_head():
    size = chunked.LARGEST_CHUNK + 1
    decoder, _ = decoder_of(SIGNED, size)
    with pytest.raises(AWSError) as caught:
        decoder.feed(b"%x;chunk-signature=%b\r\n" % (size, b"a" * 64))
    assert s3_code(caught.value) == "EntityTooLarge"


def test_only_the_last_chunk_may_be_small():
    decoder, seed = decoder_of(SIGNED, 8195)
    with pytest.raises(AWSError, match="Only the last chunk") as caught:
        decode(decoder, signed_body(seed, [b"a" * 8191, b"b" * 4]))
    # A real answer of S3's: aws/aws-sdk-cpp, issue 2727.
    assert (s3_code(caught.value), caught.value.status) == ("InvalidChunkSizeError", 403)
    assert caught.value.members == {"Chunk": "2", "BadChunkSize": "8191"}


@pytest.mark.parametrize("length", [8194, 0])
def test_more_data_than_declared_is_refused_before_it_passes(length):
    decoder, seed = decoder_of(SIGNED, length)
    body = signed_body(seed, SIGNED_DATA)
    got: list[bytes] = []

    def feed_all() -> None:
        for place in range(0, len(body), 100):
            got.extend(decoder.feed(body[place : place + 100]))

    with pytest.raises(AWSError) as caught:
        feed_all()
    assert s3_code(caught.value) == "IncompleteBody"
    assert len(b"".join(got)) <= length


def test_less_data_than_declared_is_refused():
    decoder, seed = decoder_of(SIGNED, 8196)
    with pytest.raises(AWSError) as caught:
        decode(decoder, signed_body(seed, SIGNED_DATA))
    assert s3_code(caught.value) == "IncompleteBody"


def test_a_trailer_that_does_not_fit_the_body_is_refused():
    decoder, body = signed_case(UNSIGNED_TRAILER)
    with pytest.raises(AWSError, match="CRC32 you specified") as caught:
        decode(decoder, body.replace(b"bcd", b"bce"))
    assert s3_code(caught.value) == "BadDigest"


@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        b"x-amz-checksum-crc32:AAAA\r\n",
        b"x-amz-checksum-crc32:\r\n",
        b"x-amz-checksum-sha256:AAAA\r\n",
        b"x-amz-meta-a:b\r\n",
        b"x-amz-checksum-crc32 AAAAAA==\r\n",
        b"x-amz-checksum-crc32:%b\r\nx-amz-checksum-crc32:%b\r\n" % ((crc32(b"abc").encode(),) * 2),
        b"x-amz-checksum-crc32:%b\n" % crc32(b"abc").encode(),
        b"x-amz-trailer-signature:" + b"a" * 64 + b"\r\n",
    ],
)
def test_a_missing_broken_repeated_or_foreign_trailer_is_refused(trailer):
    decoder, _ = decoder_of(UNSIGNED_TRAILER, 3, trailer="x-amz-checksum-crc32")
    with pytest.raises(AWSError) as caught:
        decode(decoder, b"3\r\nabc\r\n0\r\n" + trailer + b"\r\n")
    # A value that is no checksum is told as in a header.
    is_broken = trailer.startswith((b"x-amz-checksum-crc32:AAAA\r", b"x-amz-checksum-crc32:\r"))
    assert s3_code(caught.value) == ("InvalidRequest" if is_broken else "MalformedTrailerError")


def test_a_signed_trailer_needs_its_signature():
    decoder, body = signed_case(SIGNED_TRAILER)
    cut = body[: body.index(b"x-amz-trailer-signature")] + b"\r\n"
    with pytest.raises(AWSError) as caught:
        decode(decoder, cut)
    assert s3_code(caught.value) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("length", [None, -1, 6 * 1024**4])
def test_the_decoded_length_is_mandatory(length):
    with pytest.raises(AWSError, match="You must provide the Content-Length HTTP header") as caught:
        decoder_of(SIGNED, length)
    assert s3_code(caught.value) == "MissingContentLength"


@pytest.mark.parametrize(
    ("form", "trailer"),
    [
        (SIGNED, "x-amz-checksum-crc32"),
        (SIGNED_TRAILER, None),
        (UNSIGNED_TRAILER, None),
        (UNSIGNED_TRAILER, "x-amz-meta-a"),
        (UNSIGNED_TRAILER, "x-amz-checksum-unheard"),
        (UNSIGNED_TRAILER, "x-amz-checksum-crc32, x-amz-checksum-crc32"),
    ],
)
def test_the_trailer_is_declared_and_known(form, trailer):
    with pytest.raises(AWSError) as caught:
        decoder_of(form, 3, trailer=trailer)
    assert s3_code(caught.value) == "InvalidRequest"


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_the_seed_is_verified_in_every_form(form):
    trailer = None if form == SIGNED else "x-amz-checksum-crc32"
    request = request_of(form, 3, trailer=trailer)
    claim = sigv4.claim(request)
    with pytest.raises(AWSError) as caught:
        sigv4.check(claim, request, SECRET + "x", NOW, 900)
    assert s3_code(caught.value) == "SignatureDoesNotMatch"


def test_a_body_that_is_not_chunked_has_no_decoder():
    with pytest.raises(AWSError):
        decoder_of("UNSIGNED-PAYLOAD", 3)
