"""Requests to other services: decided, forwarded, refused in the service's own words, and recorded."""

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:my-queue"


def refusal(call, **parameters):
    """The error of a call that must fail."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response


def test_an_administrator_stores_and_reads_an_object(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="reports")
    s3.put_object(Bucket="reports", Key="a/b c", Body=b"hello")
    assert s3.get_object(Bucket="reports", Key="a/b c")["Body"].read() == b"hello"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["reports"]


def test_s3_names_what_is_missing_in_quotes(cloud):
    cloud.client("s3").create_bucket(Bucket="reports")
    nobody = cloud.user("nobody")
    error = refusal(cloud.client("s3", nobody).get_object, Bucket="reports", Key="k")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert error["Error"]["Code"] == "AccessDenied"
    assert error["Error"]["Message"] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: s3:GetObject "
        'on resource: "arn:aws:s3:::reports/k" because no identity-based policy allows the s3:GetObject action'
    )


def test_a_policy_for_one_queue_opens_no_other(cloud):
    admin = cloud.client("sqs")
    mine = admin.create_queue(QueueName="my-queue")["QueueUrl"]
    other = admin.create_queue(QueueName="other")["QueueUrl"]
    sender = cloud.client("sqs", cloud.user("sender", allow("sqs:SendMessage", QUEUE)))
    assert sender.send_message(QueueUrl=mine, MessageBody="hello")["MessageId"]
    error = refusal(sender.send_message, QueueUrl=other, MessageBody="hello")
    assert f"sqs:sendmessage on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:other" in error["Error"]["Message"]
    assert "sqs:receivemessage" in refusal(sender.receive_message, QueueUrl=mine)["Error"]["Message"]


def test_a_forwarded_request_is_one_event(cloud):
    cloud.client("s3").create_bucket(Bucket="reports")
    cloud.client("s3").put_object(Bucket="reports", Key="k", Body=b"content")
    (made,) = cloud.events("CreateBucket")
    assert (made["managementEvent"], made["eventCategory"]) == (True, "Management")
    (put,) = cloud.events("PutObject")
    assert (put["managementEvent"], put["eventCategory"], put["readOnly"]) == (False, "Data", False)
    assert put["eventSource"] == "s3.amazonaws.com"
    assert put["requestParameters"]["key"] == "k"


def test_what_a_queue_carries_is_in_no_event(cloud):
    url = cloud.client("sqs").create_queue(QueueName="my-queue")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="canary-4711")
    (sent,) = cloud.events("SendMessage")
    assert "canary-4711" not in str(sent)


def test_the_backends_error_stands_in_the_event(cloud):
    cloud.client("s3").create_bucket(Bucket="reports")
    assert refusal(cloud.client("s3").get_object, Bucket="reports", Key="none")["Error"]["Code"] == "NoSuchKey"
    (read,) = cloud.events("GetObject")
    assert read["errorCode"] == "NoSuchKey"
