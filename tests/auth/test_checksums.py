"""Checksums: every algorithm of S3's model, against published check values and against each other ways to compute."""

import base64
import hashlib
import zlib

import pytest
from auth.signing import s3_code
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import checksums
from iamd.errors import AWSError

# The "check" values of the CRC catalogue (of "123456789") and xxHash's own (of "").
CHECK_VALUES = {
    ("crc32", b"123456789"): "cbf43926",
    ("crc32c", b"123456789"): "e3069283",
    ("crc64nvme", b"123456789"): "ae8b14860a799888",
    ("xxhash64", b""): "ef46db3751d8e999",
    ("xxhash3", b""): "2d06800538d394c2",
    ("xxhash128", b""): "99aa06d3014798d86001c324468d497f",
    ("sha1", b"abc"): "a9993e364706816aba3e25717850c26c9cd0d89d",
    ("md5", b"abc"): "900150983cd24fb0d6963f7d28e17f72",
    ("sha256", b"abc"): "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
}


@pytest.mark.parametrize(("case", "expected"), CHECK_VALUES.items())
def test_check_values(case, expected):
    name, data = case
    checksum = checksums.ALGORITHMS[name]()
    checksum.update(data)
    assert checksum.digest().hex() == expected


def test_all_algorithms_of_the_model_are_there():
    enum = Loader().load_service_model("s3", "service-2")["shapes"]["ChecksumAlgorithm"]["enum"]
    assert {name.lower() for name in enum} == checksums.ALGORITHMS.keys()


@pytest.mark.parametrize("name", sorted(checksums.ALGORITHMS))
@given(pieces=st.lists(st.binary(max_size=200), max_size=5))
def test_pieces_give_the_checksum_of_the_whole(name, pieces):
    whole, parts = checksums.ALGORITHMS[name](), checksums.ALGORITHMS[name]()
    whole.update(b"".join(pieces))
    for piece in pieces:
        parts.update(piece)
    assert whole.digest() == parts.digest()


def header(name: str, digest: bytes) -> tuple[bytes, bytes]:
    return (name.encode(), base64.b64encode(digest))


CRC = header("x-amz-checksum-crc32", zlib.crc32(b"body").to_bytes(4, "big"))
MD5 = header("content-md5", hashlib.md5(b"body", usedforsecurity=False).digest())


def test_a_body_with_its_checksums_passes():
    checksums.verify([CRC, MD5, (b"x-amz-checksum-algorithm", b"CRC32"), (b"host", b"h")], b"body")
    checksums.verify([CRC, MD5], iter([b"bo", b"", b"dy"]))
    checksums.verify([], b"anything")


@pytest.mark.parametrize("headers", [[CRC], [MD5], [CRC, MD5]])
def test_another_body_is_refused(headers):
    with pytest.raises(AWSError, match="you specified did not match") as caught:
        checksums.verify(headers, b"Body")
    assert s3_code(caught.value) == "BadDigest"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(b"x-amz-checksum-crc32", b"AAAA")], "InvalidRequest"),
        ([(b"x-amz-checksum-crc32", b"")], "InvalidRequest"),
        ([(b"x-amz-checksum-crc32", CRC[1] + b"!")], "InvalidRequest"),
        ([(b"x-amz-checksum-crc32", b"\xe9" + CRC[1])], "InvalidRequest"),
        ([(b"content-md5", b"AAAA")], "InvalidDigest"),
        ([(b"x-amz-checksum-unheard", b"AAAAAA==")], "InvalidRequest"),
        ([CRC, CRC], "InvalidArgument"),
        ([MD5, MD5], "InvalidArgument"),
        (
            [CRC, header("x-amz-checksum-sha1", hashlib.sha1(b"body", usedforsecurity=False).digest())],
            "InvalidRequest",
        ),
    ],
)
def test_malformed_unknown_and_repeated_checksums_are_refused(headers, code):
    with pytest.raises(AWSError) as caught:
        checksums.verify(headers, b"body")
    assert s3_code(caught.value) == code
