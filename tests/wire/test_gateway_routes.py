"""Services behind the gateway: every operation is told apart, in each protocol that the service speaks."""

import pytest
from wire.samples import Samples, model, request

from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.wire import models, parse, route
from iamd.wire.corrections import for_query

# botocore's two names for one request.
SAME = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}
SPOKEN = [
    ("dynamodb", "json"),
    ("ec2", "ec2"),
    ("lambda", "rest-json"),
    ("secretsmanager", "json"),
    ("logs", "json"),
    ("sqs", "json"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudformation", "query"),
    ("s3control", "rest-xml"),
    ("sesv2", "rest-json"),
    ("ses", "query"),
]
NEEDS_HOST = {("s3control", "CreateBucket")}


def without_empty(value):
    """Query cannot say an empty structure."""
    if isinstance(value, dict):
        kept = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item != {}}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_every_operation_is_routed_and_its_parameters_read(name, protocol):
    described = model(name)
    for operation_name in described.operation_names:
        if (name, operation_name) in NEEDS_HOST:
            continue
        operation = described.operation_model(operation_name)
        given = Samples(2).structure(operation.input_shape) if operation.input_shape else {}
        sent = request(operation, given, protocol=protocol)
        found = route.operation_of(sent, described.signing_name)
        assert (found.service, found.operation.name, found.protocol) == (name, operation_name, protocol)
        assert without_empty(parse.parameters(found, sent)) == without_empty(given), operation_name


def with_host(sent: HttpRequest, host: bytes, path: bytes) -> HttpRequest:
    headers = [(name, host if name == b"host" else value) for name, value in sent.headers]
    return HttpRequest(sent.id, sent.method, path, sent.query, headers, sent.body, sent.source_ip)


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("scope", ["s3", None])
def test_every_operation_of_s3_is_told_apart(style, scope):
    described = model("s3")
    for name in described.operation_names:
        if name == "ListDirectoryBuckets":
            continue
        operation = described.operation_model(name)
        given = Samples(3).structure(operation.input_shape) if operation.input_shape else {}
        sent = request(operation, given, protocol="rest-xml")
        virtual = style == "virtual" and "Bucket" in given
        if virtual:
            bucket = given["Bucket"].encode()
            sent = with_host(sent, bucket + b".s3.localhost:4566", sent.path.removeprefix(b"/" + bucket) or b"/")
        found = route.operation_of(sent, scope)
        assert found.operation.name == SAME.get(name, name)
        assert found.style == ("virtual" if virtual else "path")
        if name in SAME:
            continue
        read = parse.parameters(found, sent)
        for member in ("Bucket", "Key", "VersionId", "UploadId", "CopySource", "Tagging", "Delete"):
            assert read.get(member) == given.get(member), (name, member)


@pytest.mark.parametrize(
    ("host", "scope"),
    [("s3express-control.us-east-1.amazonaws.com", "s3express"), ("localhost:4566", "s3express")],
)
def test_directory_buckets_are_listed_at_their_own_endpoint(host, scope):
    sent = HttpRequest("id", "GET", b"/", b"max-directory-buckets=5", [(b"host", host.encode())], b"", "127.0.0.1")
    assert route.operation_of(sent, scope).operation.name == "ListDirectoryBuckets"
    with pytest.raises(AWSError):
        route.operation_of(with_host(sent, b"localhost", b"/"), "s3")


def sqs(body: bytes, path: bytes = b"/") -> HttpRequest:
    headers = [(b"host", b"localhost:4566"), (b"content-type", b"application/x-www-form-urlencoded")]
    return HttpRequest("id", "POST", path, b"", headers, body + b"&Version=2012-11-05", "127.0.0.1")


def test_sqs_in_query_has_the_names_of_its_api_reference():
    """The requests are of the examples of SendMessage, SendMessageBatch and SetQueueAttributes there."""
    sent = sqs(
        b"Action=SendMessage&QueueUrl=http%3A%2F%2Flocalhost%2F123456789012%2Fq&MessageBody=This+is+a+test"
        b"&MessageAttribute.1.Name=kind&MessageAttribute.1.Value.StringValue=x"
        b"&MessageAttribute.1.Value.DataType=String"
    )
    found = route.operation_of(sent, "sqs")
    assert parse.parameters(found, sent) == {
        "QueueUrl": "http://localhost/123456789012/q",
        "MessageBody": "This is a test",
        "MessageAttributes": {"kind": {"StringValue": "x", "DataType": "String"}},
    }
    sent = sqs(
        b"Action=SendMessageBatch&QueueUrl=u&SendMessageBatchRequestEntry.1.Id=a"
        b"&SendMessageBatchRequestEntry.1.MessageBody=one&SendMessageBatchRequestEntry.2.Id=b"
        b"&SendMessageBatchRequestEntry.2.MessageBody=two"
    )
    entries = parse.parameters(route.operation_of(sent, "sqs"), sent)["Entries"]
    assert entries == [{"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": "two"}]
    sent = sqs(b"Action=SetQueueAttributes&QueueUrl=u&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=35")
    read = parse.parameters(route.operation_of(sent, "sqs"), sent)
    assert read == {"QueueUrl": "u", "Attributes": {"VisibilityTimeout": "35"}}


def test_every_operation_of_sqs_in_query_is_routed():
    for name in models.service("sqs").operation_names:
        found = route.operation_of(sqs(b"Action=" + name.encode()), "sqs")
        assert (found.operation.name, found.protocol) == (name, "query")


def test_the_corrected_names_are_of_shapes_that_exist():
    raw = models.service("sqs")._raw.shapes
    assert for_query("iam", raw) is raw
    assert for_query("sqs", raw)["TagMap"].key.location_name == "Key"
    assert raw["TagMap"].key.location_name is None


def test_a_queue_in_the_path_is_the_queue():
    sent = sqs(b"Action=SendMessage&MessageBody=m", b"/123456789012/q")
    assert parse.parameters(route.operation_of(sent, "sqs"), sent)["QueueUrl"] == "/123456789012/q"
    sent = sqs(b"Action=SendMessage&MessageBody=m&QueueUrl=http://localhost/123456789012/other", b"/123456789012/q")
    with pytest.raises(AWSError, match="QueueUrl"):
        parse.parameters(route.operation_of(sent, "sqs"), sent)
