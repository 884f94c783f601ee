"""Condition keys that AWS would know and the gateway does not: nothing is allowed by them, and everything denied."""

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import code_of, error_of, everybody, policy
from running import allow, deny

OBJECTS = "arn:aws:s3:::files/*"
REGION_KEY = "secretsmanager:SecretPrimaryRegion"


def when(statement, operator, key, value):
    return {**statement, "Condition": {operator: {key: value}}}


@pytest.fixture
def secret(cloud):
    return cloud.client("secretsmanager").create_secret(Name="word", SecretString="x")["ARN"]


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_what_only_the_service_knows_allows_nothing(cloud, secret, operator):
    reader = cloud.user("reader", when(allow("secretsmanager:GetSecretValue"), operator, REGION_KEY, "true"))
    assert code_of(cloud.client("secretsmanager", reader).get_secret_value, SecretId=secret) == "AccessDeniedException"


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_what_only_the_service_knows_denies(cloud, secret, operator):
    denies = when(deny("secretsmanager:GetSecretValue"), operator, REGION_KEY, "true")
    client = cloud.client("secretsmanager", cloud.user("reader", allow("secretsmanager:*"), denies))
    told = error_of(client.get_secret_value, SecretId=secret)
    assert told["Message"].endswith("with an explicit deny in an identity-based policy")
    assert client.describe_secret(SecretId=secret)["Name"] == "word"


@pytest.mark.parametrize("make", [allow, deny])
def test_the_explanation_names_the_key_that_is_not_known(cloud, secret, make):
    told = when(make("secretsmanager:GetSecretValue"), "StringEquals", REGION_KEY, "us-east-1")
    reader = cloud.user("reader", told, *([allow("secretsmanager:*")] if make is deny else []))
    with pytest.raises(ClientError) as caught:
        cloud.client("secretsmanager", reader).get_secret_value(SecretId=secret)
    [decided] = cloud.explain(caught.value.response["ResponseMetadata"]["RequestId"])["Decisions"]
    assert decided["UnknownKeys"] == [REGION_KEY.lower()]
    assert decided["MissingKeys"] == []
    assert REGION_KEY.lower() not in decided["Context"]


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


def test_what_no_request_through_iamd_has_is_missing(cloud):
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
