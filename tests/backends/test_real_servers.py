"""Presets against the servers that they are for, as PyPI and npm have them, through boto3.

Each kind of server is started, and an iamd with a table of its preset alone before it. Account ONE is the one that
servers with a single account have.
"""

import json
import urllib.request
from dataclasses import dataclass

import pytest
from backends.servers import SEAWEEDFS_KEY, STARTED
from botocore.exceptions import ClientError
from running import AWS, REGION, Credentials, Server, allow

ONE, OTHER = "000000000000", "222233334444"
SEVERAL_ACCOUNTS = ("moto", "ministack")
SERVICES = {
    "s3": (*SEVERAL_ACCOUNTS, "seaweedfs", "s3rver", "fauxqs"),
    "dynamodb": (*SEVERAL_ACCOUNTS, "dynalite"),
    "sqs": (*SEVERAL_ACCOUNTS, "fauxqs"),
    "kinesis": ("moto", "kinesalite"),
}
LISTS = {"s3": "list_buckets", "dynamodb": "list_tables", "sqs": "list_queues", "kinesis": "list_streams"}
KEYS = {"seaweedfs": SEAWEEDFS_KEY}
BODY = bytes(range(256)) * 2000


@dataclass
class Cloud:
    """An iamd before a server of one kind, and the administrator of another account."""

    preset: str
    aws: AWS
    other: Credentials

    def clients(self, service):
        return self.aws.client(service), self.aws.client(service, self.other)


def having(service):
    """The servers that have a service, each with an iamd before it."""
    return pytest.mark.parametrize("cloud", SERVICES[service], indirect=True, scope="module")


@pytest.fixture(scope="module")
def cloud(request, tmp_path_factory):
    preset, folder = request.param, tmp_path_factory.mktemp(request.param)
    with STARTED[preset](folder) as url:
        lines = ["[backends.real]", f'preset = "{preset}"', f'url = "{url}"']
        if preset in KEYS:
            key, secret = KEYS[preset]
            lines += [f'access_key_id = "{key}"', f'secret_access_key = "{secret}"']
        (folder / "iamd.toml").write_text("\n".join(lines))
        options = ("--backend", "none", "--account", ONE, "--config", str(folder / "iamd.toml"))
        with Server.serving(folder / "data", *options) as server:
            aws = AWS(server, ONE)
            other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
            yield Cloud(preset, aws, other)


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


@having("s3")
def test_what_is_put_into_a_bucket_comes_back_and_is_listed(cloud):
    s3, _ = cloud.clients("s3")
    s3.create_bucket(Bucket="first")
    key = "a folder/ü+é?&=.bin"
    s3.put_object(Bucket="first", Key=key, Body=BODY, Metadata={"colour": "blue"})
    told = s3.get_object(Bucket="first", Key=key)
    assert told["Body"].read() == BODY
    assert told["Metadata"] == {"colour": "blue"}
    assert s3.get_object(Bucket="first", Key=key, Range="bytes=256-511")["Body"].read() == bytes(range(256))
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="first")["Contents"]] == [key]
    s3.delete_objects(Bucket="first", Delete={"Objects": [{"Key": key}]})
    assert s3.list_objects_v2(Bucket="first")["KeyCount"] == 0


@having("s3")
def test_a_large_object_in_parts(cloud):
    s3, _ = cloud.clients("s3")
    s3.create_bucket(Bucket="parts")
    upload = s3.create_multipart_upload(Bucket="parts", Key="k")["UploadId"]
    place = {"Bucket": "parts", "Key": "k", "UploadId": upload}
    bodies = [b"x" * 5 * 1024 * 1024, b"y"]
    done = [
        {"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=body, **place)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    s3.complete_multipart_upload(MultipartUpload={"Parts": done}, **place)
    assert s3.get_object(Bucket="parts", Key="k")["Body"].read() == b"".join(bodies)


@having("s3")
def test_a_bucket_is_its_accounts_alone_until_a_policy_opens_it(cloud):
    s3, others = cloud.clients("s3")
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="k", Body=b"content")
    assert refused(others.get_object, Bucket="mine", Key="k") == "AccessDenied"
    assert refused(others.put_object, Bucket="mine", Key="k", Body=b"") == "AccessDenied"
    assert refused(others.delete_bucket, Bucket="mine") == "AccessDenied"
    assert refused(others.create_bucket, Bucket="mine") in {"BucketAlreadyExists", "AccessDenied"}
    assert refused(s3.get_bucket_policy, Bucket="mine") == "NoSuchBucketPolicy"
    grant = {"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, **allow("s3:GetObject", "arn:aws:s3:::mine/*")}
    policy = {"Version": "2012-10-17", "Statement": [grant]}
    s3.put_bucket_policy(Bucket="mine", Policy=json.dumps(policy))
    assert others.get_object(Bucket="mine", Key="k")["Body"].read() == b"content"
    assert json.loads(s3.get_bucket_policy(Bucket="mine")["Policy"]) == policy
    assert refused(others.put_object, Bucket="mine", Key="k", Body=b"") == "AccessDenied"
    s3.delete_bucket_policy(Bucket="mine")
    assert refused(others.get_object, Bucket="mine", Key="k") == "AccessDenied"


@having("s3")
def test_an_account_lists_its_own_buckets(cloud):
    s3, others = cloud.clients("s3")
    s3.create_bucket(Bucket="of-one")
    others.create_bucket(Bucket="of-other")
    mine = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    theirs = {one["Name"] for one in others.list_buckets()["Buckets"]}
    assert "of-one" in mine
    assert theirs == {"of-other"}
    assert not mine & theirs


@having("s3")
def test_a_policy_of_a_bucket_that_is_not_there_is_not_kept(cloud):
    s3, _ = cloud.clients("s3")
    statement = {"Principal": "*", **allow("s3:GetObject", "arn:aws:s3:::absent/*")}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(s3.put_bucket_policy, Bucket="absent", Policy=policy) in {"NoSuchBucket", "AccessDenied"}


@having("dynamodb")
def test_items_of_a_table_for_those_who_may(cloud):
    dynamodb, others = cloud.clients("dynamodb")
    _make_table(dynamodb, "orders")
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}, "of": {"S": ONE}})
    reader = cloud.aws.client("dynamodb", cloud.aws.user("reader", allow("dynamodb:GetItem")))
    assert reader.get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]["of"] == {"S": ONE}
    assert refused(reader.put_item, TableName="orders", Item={"id": {"S": "2"}}) == "AccessDeniedException"
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    assert arn == f"arn:aws:dynamodb:{REGION}:{ONE}:table/orders"
    assert refused(others.get_item, TableName=arn, Key={"id": {"S": "1"}}) == "AccessDeniedException"


@having("dynamodb")
def test_another_account_has_a_table_of_that_name_of_its_own_or_none(cloud):
    dynamodb, others = cloud.clients("dynamodb")
    _make_table(dynamodb, "shared")
    dynamodb.put_item(TableName="shared", Item={"id": {"S": "1"}, "of": {"S": ONE}})
    if cloud.preset not in SEVERAL_ACCOUNTS:
        for call in (others.list_tables, others.describe_endpoints):
            assert refused(call) == "AccessDeniedException"
        assert refused(others.get_item, TableName="shared", Key={"id": {"S": "1"}}) == "AccessDeniedException"
        return
    assert others.list_tables()["TableNames"] == []
    _make_table(others, "shared")
    assert "Item" not in others.get_item(TableName="shared", Key={"id": {"S": "1"}})
    assert f":{OTHER}:" in others.describe_table(TableName="shared")["Table"]["TableArn"]


def _make_table(client, name):
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


@having("sqs")
def test_messages_of_a_queue_for_those_who_may(cloud):
    sqs, others = cloud.clients("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sender = cloud.aws.client("sqs", cloud.aws.user("sender", allow("sqs:SendMessage", f"arn:aws:sqs:*:{ONE}:jobs")))
    sender.send_message(QueueUrl=url, MessageBody="hello")
    assert refused(sender.receive_message, QueueUrl=url) == "AccessDenied"
    assert [one["Body"] for one in sqs.receive_message(QueueUrl=url)["Messages"]] == ["hello"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert arn == f"arn:aws:sqs:{REGION}:{ONE}:jobs"
    assert refused(others.send_message, QueueUrl=url, MessageBody="x") in {
        "AccessDenied",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    }


@having("kinesis")
def test_records_of_a_stream(cloud):
    kinesis, others = cloud.clients("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="p")["ShardId"]
    writer = cloud.aws.client("kinesis", cloud.aws.user("writer", allow("kinesis:PutRecord")))
    assert refused(writer.describe_stream, StreamName="clicks") == "AccessDeniedException"
    if cloud.preset not in SEVERAL_ACCOUNTS:
        assert refused(others.list_streams) == "AccessDeniedException"


@pytest.mark.parametrize("cloud", STARTED, indirect=True, scope="module")
def test_it_is_said_to_be_well(cloud):
    service = next(name for name, presets in SERVICES.items() if cloud.preset in presets)
    getattr(cloud.aws.client(service), LISTS[service])()
    with urllib.request.urlopen(f"{cloud.aws.endpoint}/_iamd/health", timeout=10) as answer:
        assert json.load(answer)["backends"] == {"real": "up"}
