"""LIM-01 at the gateway: what is larger than AWS takes is refused in AWS's shape, and keeps nobody else waiting."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from botocore.exceptions import ClientError


def post(aws, service, target, body):
    """Send a JSON call as it is; gives status and answer."""
    of = aws.server.administrator
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
    request = AWSRequest("POST", f"{aws.endpoint}/", headers, body)
    SigV4Auth(SigningCredentials(of.access_key_id, of.secret_access_key), service, "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(sent, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def keys(count):
    return {"Objects": [{"Key": f"key-{number}"} for number in range(count)]}


def test_a_thousand_keys_are_deleted_and_not_one_more(cloud):
    """S3 API Reference, DeleteObjects: "The request can contain a list of up to 1,000 keys"."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key-5", Body=b"x")
    with pytest.raises(ClientError) as caught:
        s3.delete_objects(Bucket="bucket", Delete=keys(1001))
    assert caught.value.response["Error"]["Code"] == "MalformedXML"
    assert s3.head_object(Bucket="bucket", Key="key-5")["ContentLength"] == 1
    assert len(s3.delete_objects(Bucket="bucket", Delete=keys(1000))["Deleted"]) == 1000


def document(size):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    text = json.dumps({"Version": "2012-10-17", "Id": "", "Statement": [statement]})
    return text.replace('"Id": ""', f'"Id": "{"x" * (size - len(text))}"')


def test_a_bucket_policy_of_20_kb_is_taken_and_a_larger_one_changes_nothing(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"x")
    with pytest.raises(ClientError, match="larger than 20480 bytes") as caught:
        s3.put_bucket_policy(Bucket="bucket", Policy=document(20_481))
    assert caught.value.response["Error"]["Code"] == "MalformedPolicy"
    assert s3.get_object(Bucket="bucket", Key="key")["ContentLength"] == 1
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="bucket")
    s3.put_bucket_policy(Bucket="bucket", Policy=document(20_480))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket="bucket", Key="key")


def test_a_queue_policy_above_8_kb_is_refused(cloud):
    sqs = cloud.client("sqs")
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName="queue", Attributes={"Policy": document(8_193).replace("s3", "sqs")})
    assert caught.value.response["Error"]["Code"] == "InvalidAttributeValue"
    assert sqs.list_queues().get("QueueUrls") is None


def test_a_statement_of_a_megabyte_is_refused_before_it_is_read(cloud):
    statement = "SELECT * FROM t WHERE " + "(" * 1_000_000
    status, answer = post(
        cloud, "dynamodb", "DynamoDB_20120810.ExecuteStatement", json.dumps({"Statement": statement}).encode()
    )
    assert status == 400
    assert answer["__type"].endswith("#ValidationException")
    assert answer["message"].endswith("Member must have length less than or equal to 8192")


@pytest.mark.parametrize("inside", [b"{},", b"1,", b"[],"])
def test_a_body_of_too_many_values_is_413(cloud, inside):
    body = b'{"RequestItems": {"t": [' + inside * 4_500_000 + b"1]}}"
    status, answer = post(cloud, "dynamodb", "DynamoDB_20120810.BatchWriteItem", body)
    assert (status, answer["__type"].rpartition("#")[2]) == (413, "RequestEntityTooLargeException")


def test_values_within_strings_are_none(cloud):
    """An item may hold a text that is JSON itself, or a table with commas."""
    item = {"k": {"S": "1"}, "v": {"S": json.dumps([{}] * 30_000)}}
    body = json.dumps({"RequestItems": {"table": [{"PutRequest": {"Item": item}}] * 20}}).encode()
    assert body.count(b"{") > 500_000
    status, answer = post(cloud, "dynamodb", "DynamoDB_20120810.BatchWriteItem", body)
    assert status == 400
    assert answer["__type"].endswith(("ResourceNotFoundException", "ValidationException"))


def test_nobody_waits_for_the_reader_of_a_large_body(cloud):
    body = b'{"RequestItems": {"table": [' + b"{}," * 490_000 + b"{}]}}"
    sts = cloud.client("sts")
    sts.get_caller_identity()
    large = threading.Thread(target=post, args=(cloud, "dynamodb", "DynamoDB_20120810.BatchWriteItem", body))
    large.start()
    served = 0
    while large.is_alive():
        assert sts.get_caller_identity()["Account"]
        served += large.is_alive()
    large.join()
    assert served >= 3
