"""An upload in parts is completed to the object that is expected (S3 API Reference, CompleteMultipartUpload)."""

import base64
import hashlib
import zlib

import pytest
from gateway.two_accounts import code_of, error_of

FIRST, SECOND = b"a" * (5 << 20), b"end"


def text(digest):
    return base64.b64encode(digest).decode()


def crc32(data):
    return text(zlib.crc32(data).to_bytes(4, "big"))


def sha256(data):
    return hashlib.sha256(data).digest()


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    return client


@pytest.fixture
def begin(s3):
    """Begins an upload, sends its two parts, and gives what completes it."""

    def begun(**more):
        upload = s3.create_multipart_upload(Bucket="files", Key="big", **more)["UploadId"]
        named = {"Bucket": "files", "Key": "big", "UploadId": upload}
        tags = [s3.upload_part(**named, PartNumber=n, Body=b)["ETag"] for n, b in ((1, FIRST), (2, SECOND))]

        def given(*sums):
            parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
            parts = [{**part, **more} for part, more in zip(parts, sums or ({}, {}), strict=True)]
            return {**named, "MultipartUpload": {"Parts": parts}}

        return given

    return begun


def is_there(s3):
    return s3.list_objects_v2(Bucket="files")["KeyCount"] == 1


def test_an_object_has_the_size_that_is_expected(s3, begin):
    given = begin()()
    error = error_of(s3.complete_multipart_upload, **given, MpuObjectSize=len(FIRST + SECOND) + 1)
    assert error["Code"] == "InvalidRequest"
    assert not is_there(s3)
    s3.complete_multipart_upload(**given, MpuObjectSize=len(FIRST + SECOND))
    assert s3.head_object(Bucket="files", Key="big")["ContentLength"] == len(FIRST + SECOND)


@pytest.mark.parametrize(
    ("name", "checksum"), [("ChecksumCRC32", crc32), ("ChecksumSHA256", lambda data: text(sha256(data)))]
)
def test_parts_have_the_checksums_that_are_expected(s3, begin, name, checksum):
    upload = begin(ChecksumAlgorithm=name.removeprefix("Checksum"))
    right = [{name: checksum(FIRST)}, {name: checksum(SECOND)}]
    wrong = [right[0], {name: checksum(b"and")}]
    assert code_of(s3.complete_multipart_upload, **upload(*wrong)) == "InvalidPart"
    assert not is_there(s3)
    s3.complete_multipart_upload(**upload(*right))
    assert s3.get_object(Bucket="files", Key="big")["Body"].read() == FIRST + SECOND


def test_an_object_has_the_whole_checksum_that_is_expected(s3, begin):
    given = begin(ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")()
    kind = {"ChecksumType": "FULL_OBJECT"}
    right = crc32(FIRST + SECOND)
    for wrong in (crc32(SECOND), f"{right}-2"):
        assert code_of(s3.complete_multipart_upload, **given, **kind, ChecksumCRC32=wrong) == "BadDigest"
    other = {"ChecksumType": "COMPOSITE", "ChecksumCRC32": right}
    assert code_of(s3.complete_multipart_upload, **given, **other) == "InvalidRequest"
    assert not is_there(s3)
    s3.complete_multipart_upload(**given, **kind, ChecksumCRC32=right)
    assert is_there(s3)


def test_an_object_has_the_composite_checksum_that_is_expected(s3, begin):
    given = begin(ChecksumAlgorithm="SHA256")()
    right = text(sha256(sha256(FIRST) + sha256(SECOND)))
    for wrong in (text(sha256(FIRST + SECOND)), f"{right}-3"):
        assert code_of(s3.complete_multipart_upload, **given, ChecksumSHA256=wrong) == "BadDigest"
    assert not is_there(s3)
    s3.complete_multipart_upload(**given, ChecksumSHA256=f"{right}-2")
    assert is_there(s3)


def test_an_upload_is_completed_where_the_object_is_that_is_expected(s3, begin):
    given = begin()()
    assert code_of(s3.complete_multipart_upload, **given, IfMatch='"x"') == "NoSuchKey"
    tag = s3.put_object(Bucket="files", Key="big", Body=b"before")["ETag"]
    for wrong in ({"IfMatch": '"other"'}, {"IfNoneMatch": "*"}):
        assert code_of(s3.complete_multipart_upload, **given, **wrong) == "PreconditionFailed"
    assert s3.get_object(Bucket="files", Key="big")["Body"].read() == b"before"
    s3.complete_multipart_upload(**given, IfMatch=tag)
    assert s3.get_object(Bucket="files", Key="big")["Body"].read() == FIRST + SECOND
