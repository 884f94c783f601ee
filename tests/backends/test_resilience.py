"""Trouble with a backend: what is sent again and what never is, when it is left alone, and what is told of it."""

import http.client
import socket
import time
from urllib.parse import urlsplit

import boto3
import pytest
from backends.recorded import serving
from botocore.config import Config
from botocore.exceptions import ClientError
from running import ACCOUNT, allow

from iamd.gateway.breaker import Breaker, OpenError
from iamd.gateway.idempotence import may_repeat

JSON = (200, {"content-type": "application/x-amz-json-1.0"}, b"{}")


def table(url, *lines):
    return "\n".join([f'[backends.one]\nurl = "{url}"\naccount = "{ACCOUNT}"', *lines])


def failing(*first, then=JSON):
    """Answers these first; None is a connection that is closed."""
    left = list(first)
    return lambda _: left.pop(0) if left else then


@pytest.mark.parametrize("first", [None, (503, {}, b""), (502, {}, b"")])
def test_what_changes_nothing_is_sent_again(before, first):
    with serving(failing(first)) as backend:
        before(table(backend.url)).client("dynamodb").list_tables()
        assert len(backend.got) == 2


@pytest.mark.parametrize(("retries", "sent"), [(0, 1), (3, 4)])
def test_it_is_sent_as_often_as_the_table_says_and_no_more(before, retries, sent):
    with serving(lambda _: None) as backend:
        aws = before(table(backend.url, f"retries = {retries}", "breaker_failures = 0"))
        with pytest.raises(ClientError) as caught:
            aws.client("dynamodb").list_tables()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
        assert len(backend.got) == sent


def test_what_changes_something_is_sent_once(before):
    with serving(lambda _: None) as backend:
        aws = before(table(backend.url, "retries = 5", "breaker_failures = 0"))
        for call in (
            lambda: aws.client("dynamodb").put_item(TableName="tbl", Item={"id": {"S": "1"}}),
            lambda: aws.client("s3").create_bucket(Bucket="bucket"),
            lambda: aws.client("sqs").create_queue(QueueName="jobs"),
        ):
            before_it = len(backend.got)
            with pytest.raises(ClientError):
                call()
            assert len(backend.got) == before_it + 1


def test_a_streamed_body_is_sent_once(before):
    """Part of it may have arrived, and what was read of the client is gone."""
    # What the bucket's default encryption is is asked before.
    with serving(lambda got: None if got.method == "PUT" else (404, {}, b"")) as backend:
        aws = before(table(backend.url, "retries = 5"))
        aws.client("s3", aws.user("ann", allow("s3:*")))
        with pytest.raises(ClientError):
            aws.client("s3").put_object(Bucket="bucket", Key="k", Body=b"x" * 3_000_000)
        assert [one.method for one in backend.got].count("PUT") == 1


@pytest.mark.parametrize(
    ("service", "operation", "method", "repeats"),
    [
        ("s3", "GetObject", "GET", True),
        ("dynamodb", "GetItem", "POST", True),
        ("dynamodb", "PutItem", "POST", False),
        ("dynamodb", "UpdateItem", "POST", False),
        ("sqs", "ReceiveMessage", "POST", False),
        ("sqs", "GetQueueUrl", "POST", True),
        ("sqs", "SendMessage", "POST", False),
        ("s3", "PutObject", "PUT", False),
        ("s3", "CreateMultipartUpload", "POST", False),
        ("lambda", "Invoke", "POST", False),
        ("cognito-identity", "GetId", "POST", False),
        ("ec2", "DescribeInstances", "POST", True),
        ("ec2", "RunInstances", "POST", False),
        ("s3", "GetObject", "POST", False),
    ],
)
def test_which_operations_may_be_repeated(service, operation, method, repeats):
    assert may_repeat(service, operation, method) is repeats


def test_a_backend_that_fails_is_left_alone_and_tried_again(before):
    with serving(lambda _: None) as backend:
        aws = before(table(backend.url, "retries = 0", "breaker_failures = 2", "breaker_seconds = 2"))
        call = aws.client("dynamodb").list_tables
        assert aws.states() == {"one": "configured"}
        statuses = [failed(call) for _ in range(4)]
        assert statuses == [(502, "ServiceUnavailableException")] * 2 + [(503, "ServiceUnavailableException")] * 2
        assert len(backend.got) == 2
        assert aws.states()["one"].startswith("down: it breaks off, or speaks no HTTP; tried again in ")
        backend.answer = lambda _: JSON
        deadline = time.monotonic() + 20
        while aws.states()["one"].endswith(" s") and time.monotonic() < deadline:
            pass
        call()
        assert aws.states() == {"one": "up"}
        assert len(backend.got) == 3


def failed(call):
    with pytest.raises(ClientError) as caught:
        call()
    told = caught.value.response
    return told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"]


def test_a_breaker_lets_one_request_try():
    now = [0.0]
    breaker = Breaker(2, 10, lambda: now[0])
    breaker.enter()
    breaker.failed("it is silent")
    breaker.enter()
    assert breaker.state == "failing: it is silent (1 in a row)"
    breaker.failed("it is silent")
    assert breaker.state == "down: it is silent; tried again in 10 s"
    with pytest.raises(OpenError):
        breaker.enter()
    now[0] = 10
    breaker.enter()
    with pytest.raises(OpenError):
        breaker.enter()
    breaker.abandoned()
    breaker.enter()
    breaker.failed("it is silent")
    with pytest.raises(OpenError):
        breaker.enter()
    now[0] = 20
    breaker.enter()
    breaker.succeeded()
    breaker.enter()
    breaker.enter()
    assert breaker.state == "up"


def test_a_health_check_says_how_a_backend_is(before):
    sick = (503, {}, b"")
    with serving(lambda got: sick if got.path == "/well" else JSON) as backend:
        aws = before(table(backend.url, 'health_path = "/well"', "health_seconds = 0.1"))
        until(aws, lambda state: state.startswith("down: its health check says 503"))
        assert failed(aws.client("dynamodb").list_tables) == (503, "ServiceUnavailableException")
        assert {one.path for one in backend.got} == {"/well"}
        assert all(one.key is None for one in backend.got)
        backend.answer = lambda _: JSON
        until(aws, lambda state: state == "up")
        aws.client("dynamodb").list_tables()


def until(aws, holds):
    deadline = time.monotonic() + 20
    while not holds(aws.states()["one"]):
        assert time.monotonic() < deadline, aws.states()


def test_each_backend_has_its_own_time_outs(before):
    with socket.create_server(("127.0.0.1", 0)) as silent, serving(lambda _: JSON) as backend:
        aws = before(
            f'[backends.one]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}"\nresponse_seconds = 0.2\nretries = 5\n'
            'services = ["kinesis"]',
            f'[backends.two]\nurl = "{backend.url}"',
        )
        began = time.monotonic()
        assert failed(aws.client("kinesis").list_streams)[0] == 504
        assert time.monotonic() - began < 30
        aws.client("dynamodb").list_tables()


def read_by_host(aws, bucket, key):
    """The status of a presigned read with the bucket in its host."""
    port, admin = urlsplit(aws.endpoint).port, aws.server.administrator
    signer = boto3.client(
        "s3",
        endpoint_url=f"http://s3.localhost:{port}",
        region_name="us-east-1",
        aws_access_key_id=admin.access_key_id,
        aws_secret_access_key=admin.secret_access_key,
        config=Config(s3={"addressing_style": "virtual"}, signature_version="s3v4"),
    )
    url = urlsplit(signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", f"{url.path}?{url.query}", headers={"Host": url.netloc})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize(
    ("addressing", "from_path", "from_host"),
    [
        ("as-sent", ("/bucket/a%20b//c", ""), ("/a%20b//c", "bucket.")),
        ("path", ("/bucket/a%20b//c", ""), ("/bucket/a%20b//c", "")),
        ("virtual", ("/a%20b//c", "bucket."), ("/a%20b//c", "bucket.")),
    ],
)
def test_buckets_stand_where_the_backend_looks_for_them(before, addressing, from_path, from_host):
    with serving() as backend:
        aws = before(table(backend.url, f'addressing = "{addressing}"', 'base_path = "/storage"'))
        aws.client("s3").get_object(Bucket="bucket", Key="a b//c")
        assert read_by_host(aws, "bucket", "a b//c") == 200
        authority = urlsplit(backend.url).netloc
        assert [(one.path, one.headers["host"]) for one in backend.got] == [
            (f"/storage{path}", f"{prefix}{authority}") for path, prefix in (from_path, from_host)
        ]


def test_nothing_leaves_a_base_path(before):
    with serving() as backend:
        aws = before(table(backend.url, 'base_path = "/storage"'))
        for key in ("../x", "a/../../x"):
            with pytest.raises(ClientError):
                aws.client("s3").get_object(Bucket="bucket", Key=key)
        assert backend.got == []
