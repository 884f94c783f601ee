"""Requests that do not tell which thing they are for: a Deny of any that they may be for holds."""

import pytest
from gateway.counting import answer
from running import ACCOUNT, allow, deny

RDS = f"arn:aws:rds:us-east-1:{ACCOUNT}"
GROUP = f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:11111111-2222-3333-4444-555555555555"
MAIL = {
    "Source": "ceo@example.com",
    "Destination": {"ToAddresses": ["you@example.com"]},
    "Message": {"Subject": {"Data": "a"}, "Body": {"Text": {"Data": "b"}}},
}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource"),
    [
        ("rds", "DeleteDBProxy", {"DBProxyName": "front"}, f"{RDS}:db-proxy:prx-0a"),
        (
            "ec2",
            "DisassociateRouteTable",
            {"AssociationId": "rtbassoc-1"},
            f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/s-1",
        ),
        (
            "autoscaling",
            "DeleteAutoScalingGroup",
            {"AutoScalingGroupName": "front"},
            f"{GROUP}:autoScalingGroupName/front",
        ),
        ("emr", "TerminateJobFlows", {"JobFlowIds": ["j-1"]}, f"arn:aws:elasticmapreduce:*:{ACCOUNT}:cluster/j-1"),
        ("codedeploy", "GetDeployment", {"deploymentId": "d-1"}, f"arn:aws:codedeploy:*:{ACCOUNT}:deploymentgroup:a/b"),
        (
            "ses",
            "SendEmail",
            {**MAIL, "ReturnPathArn": f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/me@example.com"},
            f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/ceo@example.com",
        ),
        (
            "dynamodb",
            "ExportTableToPointInTime",
            {"TableArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/tbl", "S3Bucket": "bkt"},
            "arn:aws:s3:::bkt/AWSDynamoDB/1/*",
        ),
        # It reads one stream, though its name is that of a list.
        ("kinesisvideo", "DescribeStream", {"StreamName": "b"}, f"arn:aws:kinesisvideo:us-east-1:{ACCOUNT}:stream/b/1"),
    ],
)
def test_a_deny_of_one_holds(counted, service, operation, parameters, resource):
    user = counted.user(f"careful-{operation}", allow("*"), deny("*", resource))
    refused = counted.call(service, operation, parameters, user)
    assert refused.sent == 0
    assert "with an explicit deny in an identity-based policy" in refused.message
    assert refused.decisions[-1]["Outcome"] == "ExplicitlyDenied"
    assert [one["Effect"] for one in refused.decisions[-1]["Statements"]] == ["Deny"]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource"),
    [
        ("rds", "DeleteDBProxy", {"DBProxyName": "front"}, f"{RDS}:db:prx-0a"),
        ("rds", "DescribeDBProxies", {"DBProxyName": "front"}, f"{RDS}:db-proxy:prx-0a"),
        ("ec2", "RegisterImage", {"Name": "new"}, "arn:aws:ec2:us-east-1::image/ami-12345678"),
        (
            "autoscaling",
            "DeleteAutoScalingGroup",
            {"AutoScalingGroupName": "front"},
            f"{GROUP}:autoScalingGroupName/back",
        ),
    ],
)
def test_a_deny_of_what_it_cannot_be_for_does_not(counted, service, operation, parameters, resource):
    counted.backend.answers = [answer(f"<{operation}Response><{operation}Result/></{operation}Response>".encode())]
    user = counted.user(f"free-{operation}", allow("*"), deny("*", resource))
    assert counted.call(service, operation, parameters, user).sent > 0
    counted.backend.answers = []


@pytest.mark.parametrize(
    ("member", "code"), [("SourceArn", "InvalidParameterValue"), ("ReturnPathArn", "AccessDenied")]
)
def test_an_arn_of_something_else_does_not_allow_what_is_named(counted, member, code):
    mine = f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/me@example.com"
    user = counted.user(f"mailing-{member}", allow("ses:SendEmail", mine))
    refused = counted.call("ses", "SendEmail", {**MAIL, member: mine}, user)
    assert (refused.sent, refused.code) == (0, code)
    if code == "AccessDenied":
        assert f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/*" in refused.message
