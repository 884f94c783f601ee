"""GW-06: a backend that stands still, dies, is not there or lies: an error in the service's shape, an event, no hang."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from raw import Raw
from running import AWS, Server, asking

SOON = ("--backend-connect-seconds", "1", "--backend-response-seconds", "1.5", "--backend-idle-seconds", "1.5")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """An iamd before an embedded backend for which it waits a second and a half."""
    server = Server(tmp_path_factory.mktemp("troubled") / "data", "--dev", *SOON)
    aws = AWS(server)
    aws.client("s3").create_bucket(Bucket="bucket")
    aws.client("s3").put_object(Bucket="bucket", Key="key", Body=b"x" * 100_000)
    yield aws
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def backend(aws):
    """The process of the embedded backend, once there is but one: another may just have ended, or not have come up."""
    pid, children = aws.server.process.pid, []
    for _ in asking():
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(children) == 1:
            return int(children[0])
    raise AssertionError(children)


def calls(aws):
    """One call in each protocol, and what its errors are called."""
    return {
        "s3 read": (lambda: aws.client("s3").get_object(Bucket="bucket", Key="key"), "ServiceUnavailable"),
        "s3 write": (
            lambda: aws.client("s3").put_object(Bucket="bucket", Key="new", Body=b"y" * 2_000_000),
            "ServiceUnavailable",
        ),
        "json": (aws.client("dynamodb").list_tables, "ServiceUnavailableException"),
        "query compatible": (aws.client("sqs").list_queues, "ServiceUnavailable"),
        "query": (aws.client("sns").list_topics, "ServiceUnavailable"),
        "rest-json": (aws.client("lambda").list_functions, "ServiceUnavailableException"),
        "rest-xml": (aws.client("route53").list_hosted_zones, "ServiceUnavailable"),
        "ec2": (aws.client("ec2").describe_instances, "Unavailable"),
    }


def refusal(call):
    """Status, code and request id of a call that fails, and how long it took."""
    began = time.monotonic()
    with pytest.raises(ClientError) as caught:
        call()
    told = caught.value.response
    return (
        told["ResponseMetadata"]["HTTPStatusCode"],
        told["Error"]["Code"],
        told["ResponseMetadata"]["RequestId"],
        time.monotonic() - began,
    )


@pytest.mark.parametrize(
    "name", ["s3 read", "s3 write", "json", "query compatible", "query", "rest-json", "rest-xml", "ec2"]
)
def test_a_backend_that_stands_still_is_504_in_the_services_shape(cloud, name):
    call, code = calls(cloud)[name]
    child = backend(cloud)
    os.kill(child, signal.SIGSTOP)
    try:
        status, told, request_id, seconds = refusal(call)
        # Nothing of iamd's own waits for it.
        assert cloud.client("sts").get_caller_identity()["Account"]
    finally:
        os.kill(child, signal.SIGCONT)
    assert (status, told) == (504, code)
    assert seconds < 10
    recorded = cloud.explain(request_id)["ErrorCode"]
    assert recorded in {code, f"{code}Exception"}


def test_a_policy_whose_setting_was_not_answered_binds_as_the_stricter_of_both(cloud):
    """Whether the backend took it is not known: a deny in it counts, an allow in it does not."""
    s3, child = cloud.client("s3"), backend(cloud)
    denying = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    os.kill(child, signal.SIGSTOP)
    try:
        document = json.dumps({"Version": "2012-10-17", "Statement": [denying]})
        status, *_ = refusal(lambda: s3.put_bucket_policy(Bucket="bucket", Policy=document))
    finally:
        os.kill(child, signal.SIGCONT)
    assert status == 504
    status, code, *_ = refusal(lambda: s3.get_object(Bucket="bucket", Key="key"))
    assert (status, code) == (403, "AccessDenied")
    s3.delete_bucket_policy(Bucket="bucket")
    assert s3.get_object(Bucket="bucket", Key="key")["ContentLength"] == 100_000


def test_a_backend_that_is_killed_is_an_error_and_comes_back_empty(cloud):
    s3 = cloud.client("s3")
    os.kill(backend(cloud), signal.SIGKILL)
    statuses, deadline = set(), time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            s3.head_bucket(Bucket="bucket")
        except ClientError as error:
            statuses.add(error.response["ResponseMetadata"]["HTTPStatusCode"])
            if statuses & {404}:
                break
    assert statuses <= {404, 502, 503}
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"x" * 100_000)
    assert cloud.iamd("VerifyAudit")["Intact"]


class Lying:
    """A backend at a URL that answers every request with these bytes, and then closes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                connection.recv(65536)
                connection.sendall(self.answer)


def test_a_client_that_goes_is_an_event_and_no_error(cloud):
    """In the middle of what it sends, and of what it gets."""
    s3 = cloud.client("s3")
    s3.put_object(Bucket="bucket", Key="large", Body=b"x" * 20_000_000)
    url = cloud.client("s3", signature_version="s3v4").generate_presigned_url
    getting = url("get_object", Params={"Bucket": "bucket", "Key": "large"}).removeprefix(cloud.endpoint)
    putting = url("put_object", Params={"Bucket": "bucket", "Key": "half"}).removeprefix(cloud.endpoint)
    host = cloud.endpoint.removeprefix("http://")
    for _ in range(3):
        with Raw(cloud.endpoint) as raw:
            raw.send(f"GET {getting} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            raw.socket.recv(65536)
        with Raw(cloud.endpoint) as raw:
            raw.send(
                f"PUT {putting} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9000000\r\n\r\n".encode(), b"x" * 3_000_000
            )
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="half")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        told = [
            event.get("errorCode")
            for event in cloud.events("PutObject")
            if "half" in json.dumps(event["requestParameters"])
        ]
        if len(told) == 3:
            break
        time.sleep(0.2)
    assert told == ["IncompleteBody"] * 3


@pytest.fixture(scope="module")
def distant(tmp_path_factory):
    """An iamd whose backends are at URLs: one that nobody serves, and ones that lie."""
    folder = tmp_path_factory.mktemp("distant")
    lying = {
        "dynamodb": Lying(b"SSH-2.0-x\r\n"),
        "sqs": Lying(b""),
        "lambda": Lying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"),
        "secretsmanager": Lying(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}"),
        "sns": Lying(b"HTTP/1.1 100 Continue\r\n\r\n" * 3),
        "logs": Lying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000 + b"\r\n\r\n"),
        "kms": Lying(b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 200_000),
    }
    tables = [f'[backends.{name}]\nurl = "{one.url}"\nservices = ["{name}"]\n' for name, one in lying.items()]
    (folder / "iamd.toml").write_text("".join(tables))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    server = Server(folder / "data", "--backend", nobody, "--config", str(folder / "iamd.toml"), *SOON)
    yield AWS(server)
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()
    for one in lying.values():
        one.listening.close()


def test_a_backend_that_nobody_serves_is_503(distant):
    status, code, request_id, _ = refusal(distant.client("s3").list_buckets)
    assert (status, code) == (503, "ServiceUnavailable")
    assert distant.explain(request_id)["ErrorCode"] == code


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "list_tables"),
        ("sqs", "list_queues"),
        ("lambda", "list_functions"),
        ("secretsmanager", "list_secrets"),
        ("sns", "list_topics"),
        ("logs", "describe_log_groups"),
    ],
)
def test_a_backend_that_lies_is_502_and_never_an_answer(distant, service, operation):
    status, code, request_id, _ = refusal(getattr(distant.client(service), operation))
    assert status == 502
    assert code.startswith("ServiceUnavailable")
    assert distant.explain(request_id)["ErrorCode"].startswith("ServiceUnavailable")


def test_an_answer_that_breaks_off_is_never_taken_for_whole(distant):
    from gateway.test_large_requests import post

    with pytest.raises(http.client.IncompleteRead):
        post(distant, "kms", "TrentService.ListKeys", b"{}")
    assert distant.server.log.read_text().count("was broken off: the backend's answer broke off\n") == 1


def test_an_answer_behind_an_interim_one_to_a_head_is_the_next_requests(counted):
    s3 = counted.aws.client("s3")
    head = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 47\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nmine!\r\n0\r\n\r\n"
    counted.backend.answers += [head, chunked]
    assert s3.head_object(Bucket="bkt", Key="key")["ContentLength"] == 47
    assert s3.get_object(Bucket="bkt", Key="other")["Body"].read() == b"mine!"
