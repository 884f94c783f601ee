"""A global service is in one region, wherever its client is (IAM User Guide, aws:RequestedRegion)."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from running import AWS, Server, allow

from iamd.authz.regions import region_of


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("regions") / "data", "--backend", "none", "--dev")
    yield AWS(server)
    assert server.stop() == 0


def abroad(aws, service, of):
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=of.access_key_id,
        aws_secret_access_key=of.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("service", "region", "home"),
    [
        ("iam", "eu-west-1", "us-east-1"),
        ("route53", "eu-west-1", "us-east-1"),
        ("networkmanager", "eu-west-1", "us-west-2"),
        ("sts", "eu-west-1", "eu-west-1"),
        ("s3", "eu-west-1", "eu-west-1"),
        ("sqs", "eu-west-1", "eu-west-1"),
        ("iam", "cn-north-1", "cn-north-1"),
        ("iam", "us-gov-west-1", "us-gov-west-1"),
    ],
)
def test_the_region_of(service, region, home):
    assert region_of(service, region) == home


def test_iam_is_asked_in_its_own_region_from_everywhere(aws):
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    who = aws.user("here", allow(["iam:ListUsers", "iam:GetAccessKeyLastUsed", "cloudtrail:LookupEvents"], **here))
    assert abroad(aws, "iam", who).list_users()["Users"]
    with pytest.raises(ClientError, match="AccessDenied"):
        abroad(aws, "cloudtrail", who).lookup_events()
    assert {event["awsRegion"] for event in aws.events("ListUsers")} == {"us-east-1"}
    refused = [event for event in aws.events("LookupEvents") if "errorCode" in event]
    assert [event["awsRegion"] for event in refused] == ["eu-west-1"]


def test_a_key_was_last_used_where_the_service_is(aws):
    who = aws.user("user", allow("iam:ListUsers"))
    abroad(aws, "iam", who).list_users()
    used = aws.client("iam").get_access_key_last_used(AccessKeyId=who.access_key_id)["AccessKeyLastUsed"]
    assert (used["Region"], used["ServiceName"]) == ("us-east-1", "iam")
