"""The event of a request to a backend is made before its answer is there, and says what became of it all the same."""

import pytest
from botocore.exceptions import ClientError
from running import allow


@pytest.fixture
def bucket(cloud):
    cloud.client("s3").create_bucket(Bucket="recorded")
    cloud.client("s3").put_object(Bucket="recorded", Key="there", Body=b"content")
    return cloud.client("s3")


def recorded(cloud, key):
    """The one event of a request for this key, and what was decided for it."""
    [event] = [one for one in cloud.events("GetObject") if one["requestParameters"]["key"] == key]
    decisions = cloud.explain(event["requestID"])["Decisions"]
    return event, [(one["Action"], one["Outcome"]) for one in decisions]


def test_what_goes_well_is_recorded_once_and_without_an_error(cloud, bucket):
    bucket.get_object(Bucket="recorded", Key="there")
    event, decided = recorded(cloud, "there")
    assert "errorCode" not in event
    assert decided == [("s3:GetObject", "Allowed")]


def test_what_the_backend_refuses_is_recorded_with_its_error(cloud, bucket):
    with pytest.raises(ClientError, match="InvalidRange"):
        bucket.get_object(Bucket="recorded", Key="there", Range="bytes=100-200")
    event, decided = recorded(cloud, "there")
    assert (event["errorCode"], decided) == ("InvalidRange", [("s3:GetObject", "Allowed")])


def test_what_is_decided_when_the_answer_is_there_is_recorded_too(cloud, bucket):
    """AWS: who may not list a bucket is not told that an object is missing (S3 API Reference, GetObject)."""
    ada = cloud.user("ada", allow("s3:GetObject", "arn:aws:s3:::recorded/*"))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", ada).get_object(Bucket="recorded", Key="hidden")
    event, decided = recorded(cloud, "hidden")
    assert event["errorCode"] == "AccessDenied"
    assert decided == [("s3:GetObject", "Allowed"), ("s3:ListBucket", "ImplicitlyDenied")]


def test_what_an_answer_needs_is_recorded_where_all_goes_well(cloud, bucket):
    """By which key an object is encrypted its backend tells with it, and then the use of the key is decided."""
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    bucket.put_object(Bucket="recorded", Key="sealed", Body=b"content", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    bucket.get_object(Bucket="recorded", Key="sealed")
    event, decided = recorded(cloud, "sealed")
    assert "errorCode" not in event
    assert decided == [("s3:GetObject", "Allowed"), ("kms:Decrypt", "Allowed")]
