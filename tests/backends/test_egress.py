"""AWS itself as a backend: each service at its endpoint, signed by keys that no program has. A server of the test's own
stands for the endpoints, by `connect_to`, with a certificate for their names; nothing leaves the machine.
"""

import json

import boto3
import pytest
from backends.recorded import certificate, serving
from botocore.config import Config
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow

TABLES = (200, {"content-type": "application/x-amz-json-1.0"}, b'{"TableNames": []}')
HOSTS = (
    "*.us-east-1.amazonaws.com",
    "*.eu-west-1.amazonaws.com",
    "*.s3.us-east-1.amazonaws.com",
    "route53.amazonaws.com",
)


@pytest.fixture
def egress(before, tmp_path):
    """An iamd before what stands for AWS: `(aws, endpoints)`."""
    made = certificate(tmp_path, "aws", *HOSTS)
    file = tmp_path / "aws-credentials"
    file.write_text(
        "[default]\naws_access_key_id = ASIANOTTHISONE\naws_secret_access_key = x\n"
        "[egress]\naws_access_key_id = ASIAEGRESSKEY\naws_secret_access_key = the-egress-secret\n"
        "aws_session_token = the-egress-token\n"
    )
    with serving(lambda _: TABLES, made) as endpoints:
        yield (
            before(
                f'[backends.aws]\npreset = "aws"\ncredentials_file = "{file}"\nprofile = "egress"\n'
                f'account = "{ACCOUNT}"\nca_file = "{made.ca}"\nconnect_to = "127.0.0.1:{endpoints.port}"\nretries = 0'
            ),
            endpoints,
        )


def client(aws, service, credentials, region):
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=region,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )


def session(aws, *statements):
    """Short credentials of a role that an agent has."""
    agent = aws.user("agent", allow("sts:AssumeRole"))
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/agent"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName="agent", PolicyName="may", PolicyDocument=policy)
    assumed = aws.client("sts", agent).assume_role(RoleArn=arn, RoleSessionName="run")
    return Credentials.of(assumed["Credentials"])


def test_an_agent_reaches_aws_with_what_its_policy_allows_and_no_key_of_aws(egress):
    aws, endpoints = egress
    agent = session(aws, allow("dynamodb:ListTables"), allow("s3:GetObject", "arn:aws:s3:::reports/*"))
    client(aws, "dynamodb", agent, "eu-west-1").list_tables()
    with pytest.raises(ClientError, match="AccessDenied"):
        client(aws, "dynamodb", agent, "eu-west-1").delete_table(TableName="orders")
    client(aws, "s3", agent, "us-east-1").get_object(Bucket="reports", Key="a b")
    hosts = [(one.headers["host"], one.path) for one in endpoints.got]
    assert hosts == [("dynamodb.eu-west-1.amazonaws.com", "/"), ("reports.s3.us-east-1.amazonaws.com", "/a%20b")]
    for one in endpoints.got:
        assert one.key == "ASIAEGRESSKEY"
        assert one.headers["x-amz-security-token"] == "the-egress-token"
        assert agent.access_key_id not in str(one)
        assert agent.session_token not in str(one)
    assert [one.scope for one in endpoints.got] == [["eu-west-1", "dynamodb"], ["us-east-1", "s3"]]


def test_a_global_service_is_at_its_one_endpoint(egress):
    aws, endpoints = egress
    endpoints.answer = lambda _: (200, {"content-type": "text/xml"}, b"<ListHostedZonesResponse/>")
    client(aws, "route53", aws.server.administrator, "eu-west-1").list_hosted_zones()
    assert endpoints.got[0].headers["host"] == "route53.amazonaws.com"
    assert endpoints.got[0].scope == ["us-east-1", "route53"]


@pytest.mark.parametrize("region", ["xx-nowhere-1", "localhost"])
def test_a_region_that_aws_does_not_have_is_no_host(egress, region):
    aws, endpoints = egress
    with pytest.raises(ClientError):
        client(aws, "dynamodb", aws.server.administrator, region).list_tables()
    assert endpoints.got == []


def test_an_operation_at_a_host_of_its_own_is_refused(egress):
    aws, endpoints = egress
    machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m"
    with pytest.raises(ClientError, match="a host of its own"):
        client(aws, "stepfunctions", aws.server.administrator, "us-east-1").start_sync_execution(
            stateMachineArn=machine
        )
    assert endpoints.got == []


def test_iams_own_services_stay_at_iamd(egress):
    aws, endpoints = egress
    assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert aws.client("iam").list_users()["Users"]
    assert endpoints.got == []


def test_a_certificate_of_somebody_else_is_not_taken(egress, tmp_path):
    aws, endpoints = egress
    endpoints.certify(certificate(tmp_path, "somebody", *HOSTS))
    with pytest.raises(ClientError) as caught:
        client(aws, "dynamodb", aws.server.administrator, "us-east-1").list_tables()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert endpoints.got == []


def test_a_certificate_for_another_name_is_not_taken(egress):
    aws, endpoints = egress
    with pytest.raises(ClientError) as caught:
        client(aws, "dynamodb", aws.server.administrator, "ap-south-1").list_tables()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert endpoints.got == []
