"""Objects through boto3 in every way it has of sending them, and 64 MiB in little memory.

AWS: S3 API Reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks";
S3 User Guide, "Checking object integrity in Amazon S3".
"""

import hashlib
import io
import os
import time
from pathlib import Path

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from gateway.counting import answer
from running import REGION

MIB = 1024 * 1024
TRAILING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def https_client(cloud, change=None):
    """A client that speaks as over HTTPS, which is when boto3 sends checksums in trailers; on the wire it is HTTP."""
    of = cloud.server.administrator
    client = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint.replace("http:", "https:"),
        region_name=REGION,
        aws_access_key_id=of.access_key_id,
        aws_secret_access_key=of.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    session = URLLib3Session()

    def send(request, **_):
        request.url = request.url.replace("https:", "http:", 1)
        if change is not None:
            request.body = change(request.body)
        return session.send(request)

    client.meta.events.register("before-send.s3", send)
    return client


@pytest.fixture
def bucket(cloud):
    cloud.client("s3").create_bucket(Bucket="files")
    return cloud.client("s3")


@pytest.mark.parametrize("algorithm", [None, "CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("size", [0, 10, 2 * MIB + 7])
def test_a_body_with_its_checksum_in_a_trailer_is_stored_as_it_was(cloud, bucket, algorithm, size):
    data = os.urandom(size)
    client = https_client(cloud)
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    client.put_object(Bucket="files", Key="a", Body=io.BytesIO(data), ContentEncoding="identity", **more)
    assert bucket.get_object(Bucket="files", Key="a")["Body"].read() == data
    told = cloud.explain(cloud.events("PutObject")[0]["requestID"])
    assert told["Decisions"][0]["Context"]["s3:x-amz-content-sha256"] == [TRAILING]
    client.close()


class Changed(io.RawIOBase):
    """A body of which one byte is another by the time that it is sent."""

    def __init__(self, body, before, after):
        self._data = io.BytesIO(body.read().replace(before, after, 1))

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(size)


@pytest.mark.parametrize("size", [10, 2 * MIB])
def test_a_body_that_is_not_its_trailers_is_not_stored(cloud, bucket, size):
    bucket.put_object(Bucket="files", Key="a", Body=b"old")
    client = https_client(cloud, lambda body: Changed(body, b"Z", b"z"))
    with pytest.raises(ClientError) as raised:
        client.put_object(Bucket="files", Key="a", Body=io.BytesIO(b"x" * (size - 1) + b"Z"))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert bucket.get_object(Bucket="files", Key="a")["Body"].read() == b"old"
    client.close()


CONFIGS = [
    {},
    {"s3": {"payload_signing_enabled": False}},
    {"s3": {"payload_signing_enabled": True}},
    {"request_checksum_calculation": "when_required"},
    {"s3": {"addressing_style": "path"}, "signature_version": "s3v4"},
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("size", [0, 10, 2 * MIB])
def test_an_object_is_stored_as_it_was_however_boto3_signs_its_body(cloud, bucket, config, size):
    data = os.urandom(size)
    of = cloud.server.administrator
    client = boto3.client(
        "s3", endpoint_url=cloud.endpoint, region_name=REGION, aws_access_key_id=of.access_key_id,
        aws_secret_access_key=of.secret_access_key, config=Config(**config),
    )  # fmt: skip
    client.put_object(Bucket="files", Key="a", Body=io.BytesIO(data), Metadata={"who": "me"})
    told = client.get_object(Bucket="files", Key="a")
    assert (told["Body"].read(), told["Metadata"]) == (data, {"who": "me"})
    client.close()


def test_boto3s_own_transfer_sends_parts_and_puts_them_together(cloud, bucket, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(12 * MIB))
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=2)
    bucket.upload_file(str(source), "files", "a", Config=config)
    bucket.download_file("files", "a", str(target), Config=config)
    assert target.read_bytes() == source.read_bytes()
    assert len(cloud.events("UploadPart")) == 3


# Memory.


SIZE = 64 * MIB
BOUND = 24 * MIB


def peak(server) -> int:
    """The most memory, in bytes, that the process has had since the peak was reset."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


def growth_of(counted, work) -> int:
    """By how much memory grew while this was done."""
    clear = Path(f"/proc/{counted.server.process.pid}/clear_refs")
    clear.write_text("5")
    before = peak(counted.server)
    work()
    return peak(counted.server) - before


@pytest.fixture(scope="module")
def large():
    return b"m" * SIZE


@pytest.mark.parametrize(
    "config", [{}, {"s3": {"payload_signing_enabled": False}}], ids=["hashed and spooled", "unsigned and streamed"]
)
def test_64_mib_go_up_in_little_memory(counted, large, config):
    given = {"Bucket": "bkt", "Key": "large", "Body": large}
    small = {**given, "Body": b"m" * 2 * MIB}
    assert counted.call("s3", "PutObject", small, **config).status == 200
    grown = growth_of(counted, lambda: counted.call("s3", "PutObject", given, **config))
    assert hashlib.sha256(counted.backend.last[1]).digest() == hashlib.sha256(large).digest()
    assert grown < BOUND


def test_64_mib_with_a_trailer_go_up_in_little_memory(counted, large):
    client = https_client(counted.aws)
    client.put_object(Bucket="bkt", Key="large", Body=io.BytesIO(b"m" * 2 * MIB))
    grown = growth_of(counted, lambda: client.put_object(Bucket="bkt", Key="large", Body=io.BytesIO(large)))
    assert counted.backend.last[1] == large
    assert grown < BOUND
    client.close()


def test_64_mib_come_down_in_little_memory(counted, large):
    client = counted.aws.client("s3")

    def download():
        counted.backend.answers.append(answer(large))
        body = client.get_object(Bucket="bkt", Key="large")["Body"]
        assert sum(len(piece) for piece in body.iter_chunks(MIB)) == SIZE

    assert growth_of(counted, download) < BOUND


def test_a_client_that_reads_slowly_does_not_make_iamd_hold_the_object(counted, large):
    client = counted.aws.client("s3")

    def download():
        counted.backend.answers.append(answer(large))
        body = client.get_object(Bucket="bkt", Key="large")["Body"]
        body.read(MIB)
        time.sleep(1)
        body.close()

    assert growth_of(counted, download) < BOUND
