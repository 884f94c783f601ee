"""Buckets and queues whose policy denies everybody: the root user of their account, by AssumeRoot too, unlocks them."""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.test_organizations import Organization, denial
from running import Credentials, deny

TASKS = "arn:aws:iam::aws:policy/root-task/"


@pytest.fixture
def organization(cloud):
    made = Organization(cloud)
    made.client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    cloud.client("iam").enable_organizations_root_sessions()
    return made


@pytest.fixture
def member(organization):
    """A member account, and its administrator's session."""
    return organization.member("member")


@pytest.fixture
def root(cloud, member):
    """`root(task, service)` is a client of the member's root user."""

    def make(task, service):
        answer = cloud.client("sts").assume_root(TargetPrincipal=member[0], TaskPolicyArn={"arn": f"{TASKS}{task}"})
        return cloud.client(service, Credentials.of(answer["Credentials"]))

    return make


def locked(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Principal": "*", **statement}]})


@pytest.fixture
def bucket(cloud, member):
    """The S3 of the member's administrator, who has locked out everybody from a bucket with an object in it."""
    s3 = cloud.client("s3", member[1])
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    policy = locked(deny("s3:*", ["arn:aws:s3:::files", "arn:aws:s3:::files/*"]))
    s3.put_bucket_policy(Bucket="files", Policy=policy)
    denial(s3.delete_bucket_policy, Bucket="files")
    return s3


def test_a_bucket_is_unlocked_by_its_accounts_root_user(bucket, root, cloud):
    s3 = root("S3UnlockBucketPolicy", "s3")
    assert "s3:*" in s3.get_bucket_policy(Bucket="files")["Policy"]
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["files"]
    assert "with an explicit deny" in denial(s3.get_object, Bucket="files", Key="a")
    assert "with an explicit deny" in denial(s3.delete_bucket, Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy=locked(deny("s3:*", "arn:aws:s3:::files/a")))
    denial(bucket.get_object, Bucket="files", Key="a")
    s3.delete_bucket_policy(Bucket="files")
    assert bucket.get_object(Bucket="files", Key="a")["Body"].read() == b"data"


def test_a_closed_access_point_unlocks_nothing(bucket, root, member, cloud):
    point = {"AccountId": member[0], "Name": "inner", "Bucket": "files", "VpcConfiguration": {"VpcId": "vpc-1"}}
    alias = cloud.client("s3control", member[1]).create_access_point(**point)["Alias"]
    s3 = root("S3UnlockBucketPolicy", "s3")
    denial(s3.get_bucket_policy, Bucket=alias)
    assert s3.get_bucket_policy(Bucket="files")["Policy"]


def test_no_other_task_and_no_other_account_unlocks_a_bucket(bucket, root, cloud, organization):
    denial(root("SQSUnlockQueuePolicy", "s3").delete_bucket_policy, Bucket="files")
    stranger, _ = organization.member("stranger")
    task = {"arn": f"{TASKS}S3UnlockBucketPolicy"}
    answer = cloud.client("sts").assume_root(TargetPrincipal=stranger, TaskPolicyArn=task)
    theirs = cloud.client("s3", Credentials.of(answer["Credentials"]))
    with pytest.raises(ClientError):
        theirs.delete_bucket_policy(Bucket="files")
    denial(bucket.get_object, Bucket="files", Key="a")


def test_scps_and_rcps_keep_the_root_user_from_unlocking(bucket, root, organization, member):
    s3 = root("S3UnlockBucketPolicy", "s3")
    organization.attach(member[0], deny("s3:PutBucketPolicy"))
    assert "service control policy" in denial(
        s3.put_bucket_policy, Bucket="files", Policy=locked(deny("s3:*", "arn:aws:s3:::files"))
    )
    organization.attach_rcp(member[0], deny("s3:DeleteBucketPolicy"))
    assert "resource control policy" in denial(s3.delete_bucket_policy, Bucket="files")


def test_a_queue_is_unlocked_by_its_accounts_root_user(cloud, member, root):
    administrator = cloud.client("sqs", member[1])
    url = administrator.create_queue(QueueName="work")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{member[0]}:work"
    administrator.set_queue_attributes(QueueUrl=url, Attributes={"Policy": locked(deny("sqs:*", arn))})
    denial(administrator.get_queue_url, QueueName="work")
    sqs = root("SQSUnlockQueuePolicy", "sqs")
    assert sqs.get_queue_url(QueueName="work")["QueueUrl"] == url
    assert arn in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    denial(sqs.send_message, QueueUrl=url, MessageBody="a")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    administrator.send_message(QueueUrl=url, MessageBody="a")
