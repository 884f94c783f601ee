"""Condition keys that AWS would know and the gateway does not: nothing is allowed by them, and everything denied."""

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import code_of, error_of, everybody, policy
from running import ACCOUNT, allow, deny

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
OBJECTS = "arn:aws:s3:::files/*"


def when(statement, operator, key, value):
    return {**statement, "Condition": {operator: {key: value}}}


@pytest.fixture
def queue(cloud):
    return cloud.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_a_queues_tags_allow_nothing(cloud, queue, operator):
    sender = cloud.user("sender", when(allow("sqs:SendMessage"), operator, "aws:ResourceTag/team", "true"))
    assert code_of(cloud.client("sqs", sender).send_message, QueueUrl=queue, MessageBody="a") == "AccessDenied"


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_a_queues_tags_deny(cloud, queue, operator):
    denies = when(deny("sqs:SendMessage"), operator, "aws:ResourceTag/team", "true")
    sender = cloud.user("sender", allow("sqs:*"), denies)
    told = error_of(cloud.client("sqs", sender).send_message, QueueUrl=queue, MessageBody="a")
    assert told["Message"].endswith("with an explicit deny in an identity-based policy")
    assert cloud.client("sqs", sender).receive_message(QueueUrl=queue)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("make", [allow, deny])
def test_the_explanation_names_the_key_that_is_not_known(cloud, queue, make):
    told = when(make("sqs:SendMessage"), "StringEquals", "aws:ResourceTag/team", "red")
    sender = cloud.user("sender", told, *([allow("sqs:*")] if make is deny else []))
    with pytest.raises(ClientError) as caught:
        cloud.client("sqs", sender).send_message(QueueUrl=queue, MessageBody="a")
    [decided] = cloud.explain(caught.value.response["ResponseMetadata"]["RequestId"])["Decisions"]
    assert decided["UnknownKeys"] == ["aws:resourcetag/team"]
    assert decided["MissingKeys"] == []
    assert "aws:resourcetag/team" not in decided["Context"]


def test_what_is_made_has_no_tags_yet_and_has_those_of_the_request(cloud):
    maker = cloud.user(
        "maker",
        allow("sqs:*"),
        when(deny("sqs:*"), "StringEquals", "aws:ResourceTag/team", "red"),
        when(deny("sqs:*"), "StringEquals", "aws:RequestTag/team", "blue"),
    )
    sqs = cloud.client("sqs", maker)
    assert sqs.create_queue(QueueName="made", tags={"team": "red"})["QueueUrl"]
    assert code_of(sqs.create_queue, QueueName="other", tags={"team": "blue"}) == "AccessDenied"


def test_an_objects_tags_deny_and_what_no_request_through_iamd_has_does_not(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"data")
    free = cloud.user(
        "free",
        allow("s3:GetObject", OBJECTS),
        when(deny("s3:*"), "NumericLessThan", "s3:TlsVersion", "1.2"),
        when(deny("s3:*"), "StringEquals", "aws:ResourceTag/secret", "true"),
        when(deny("s3:*"), "StringLike", "s3:DataAccessPointArn", "*"),
    )
    assert cloud.client("s3", free).get_object(Bucket="files", Key="a")["Body"].read() == b"data"
    held = cloud.user(
        "held",
        allow("s3:*"),
        when(deny("s3:*"), "StringEquals", "s3:ExistingObjectTag/secret", "true"),
    )
    assert code_of(cloud.client("s3", held).get_object, Bucket="files", Key="a") == "AccessDenied"
    assert cloud.client("s3", held).list_objects_v2(Bucket="files")["KeyCount"] == 1


def test_the_tags_of_a_bucket_cannot_be_made_to_count(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    told = error_of(owner.put_bucket_abac, Bucket="files", AbacStatus={"Status": "Enabled"})
    assert told["Code"] == "AccessDenied"
    assert "does not know the tags of buckets" in told["Message"]


def test_of_a_service_without_a_table_no_key_of_its_own_is_known(cloud):
    runner = cloud.user(
        "runner", allow("ec2:*"), when(deny("ec2:*"), "StringEquals", "ec2:InstanceType", "p4d.24xlarge")
    )
    ec2 = cloud.client("ec2", runner)
    run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    assert code_of(ec2.run_instances, **run) == "UnauthorizedOperation"
    assert ec2.describe_instances()["Reservations"] == []


def test_an_upload_in_parts_begins_on_a_bucket_whose_policy_counts(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_bucket_policy(Bucket="files", Policy=policy(everybody(deny("s3:PutObject", OBJECTS))))
    assert code_of(owner.create_multipart_upload, Bucket="files", Key="a") == "AccessDenied"
