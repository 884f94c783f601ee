"""Credentials of programs that stand for instances and tasks: passed by the caller, assumed by the service."""

import json
import re
from datetime import UTC, datetime

import pytest
from running import ACCOUNT, Credentials, Refusal, allow, deny

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
TASKS, EC2 = "ecs-tasks.amazonaws.com", "ec2.amazonaws.com"
TOKEN = "0123456789abcdef"


def trust(*services, **condition):
    statement = allow("sts:AssumeRole", **condition)
    del statement["Resource"]
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Principal": {"Service": list(services)}}]})


@pytest.fixture
def iam(aws):
    client = aws.client("iam")
    client.create_role(RoleName="worker", AssumeRolePolicyDocument=trust(TASKS, EC2), MaxSessionDuration=3600)
    client.create_instance_profile(InstanceProfileName="machines")
    client.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="worker")
    return client


def task(aws, credentials=None, token=TOKEN, role=ROLE):
    return aws.iamd("GetWorkloadCredentials", credentials, Service=TASKS, RoleArn=role, ClientToken=token)


def instance(aws, credentials=None, token=TOKEN, profile="machines"):
    asked = {"Service": EC2, "InstanceProfileName": profile, "ClientToken": token}
    return aws.iamd("GetWorkloadCredentials", credentials, **asked)


def refused(code, words, ask, *given, **named):
    with pytest.raises(Refusal) as caught:
        ask(*given, **named)
    assert (caught.value.code, words in caught.value.message) == (code, True), caught.value.message


def who(aws, told):
    return aws.client("sts", Credentials.of(told)).get_caller_identity()["Arn"]


def test_a_task_has_its_roles_session_named_by_its_id(aws, iam):
    told = task(aws)
    assert re.fullmatch("[0-9a-f]{32}", told["WorkloadId"])
    assert (told["RoleArn"], told["DurationSeconds"]) == (ROLE, 21600)
    assert who(aws, told) == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/{told['WorkloadId']}"
    lasts = told["Expiration"] - datetime.now(UTC).timestamp()
    assert 21000 < lasts <= 21600, "no hour of the role's own binds a service"


def test_an_instance_has_the_session_of_its_profiles_role(aws, iam):
    told = instance(aws)
    profile = iam.get_instance_profile(InstanceProfileName="machines")["InstanceProfile"]
    assert re.fullmatch("i-[0-9a-f]{17}", told["WorkloadId"])
    assert (told["InstanceProfileArn"], told["InstanceProfileId"]) == (profile["Arn"], profile["InstanceProfileId"])
    assert who(aws, told) == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/{told['WorkloadId']}"


def test_the_id_follows_from_the_token_and_its_caller_and_cannot_be_chosen(aws, iam):
    other = aws.user("other", allow("iam:PassRole"))
    own = task(aws)["WorkloadId"]
    assert task(aws)["WorkloadId"] == own
    assert task(aws, token=TOKEN + "x")["WorkloadId"] != own
    assert task(aws, other)["WorkloadId"] != own


def test_the_caller_passes_the_role_to_that_service(aws, iam):
    to_tasks = allow("iam:PassRole", ROLE, StringEquals={"iam:PassedToService": TASKS})
    passing, nobody = aws.user("passing", to_tasks), aws.user("nobody")
    assert task(aws, passing)["RoleArn"] == ROLE
    words = f"is not authorized to perform: iam:PassRole on resource: {ROLE}"
    refused("AccessDeniedException", words, instance, aws, passing)
    refused("AccessDeniedException", words, task, aws, nobody)
    event = aws.events("GetWorkloadCredentials")[0]
    assert (event["userIdentity"]["userName"], event["errorCode"]) == ("nobody", "AccessDeniedException")


def test_the_associated_resource_is_a_key_of_passing(aws, iam):
    its = allow("iam:PassRole", ROLE, ArnLike={"iam:AssociatedResourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/*"})
    user = aws.user("passing", its)
    assert task(aws, user)
    refused("AccessDeniedException", "iam:PassRole", instance, aws, user)


def test_the_roles_trust_must_let_the_service(aws, iam):
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust(EC2))
    assert instance(aws)
    refused("AccessDeniedException", f"{TASKS} is not authorized to perform: sts:AssumeRole", task, aws)


@pytest.mark.parametrize(
    ("condition", "is_allowed"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:*"}}, False),
        ({"StringEquals": {"aws:PrincipalServiceName": TASKS}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
    ],
)
def test_the_trust_may_ask_for_whom_the_service_acts(aws, iam, condition, is_allowed):
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust(TASKS, **condition))
    if is_allowed:
        assert task(aws)
    else:
        refused("AccessDeniedException", "sts:AssumeRole", task, aws)


def test_an_instances_session_says_how_it_was_delivered_and_from_where(aws, iam):
    of = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/"
    iam.put_role_policy(
        RoleName="worker",
        PolicyName="own",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    allow("iam:ListUsers", ArnLike={"ec2:SourceInstanceARN": f"{of}i-*"}),
                    deny("iam:ListUsers", NumericLessThan={"ec2:RoleDelivery": "2.0"}),
                ],
            }
        ),
    )
    assert aws.client("iam", Credentials.of(instance(aws))).list_users()["Users"]
    with pytest.raises(iam.exceptions.ClientError, match="iam:ListUsers"):
        aws.client("iam", Credentials.of(task(aws))).list_users()


def test_the_service_is_recorded_as_who_assumed_the_role(aws, iam):
    told = instance(aws)
    event = aws.events("AssumeRole")[0]
    assert event["userIdentity"] == {"type": "AWSService", "invokedBy": EC2}
    assert (event["sourceIPAddress"], event["userAgent"], event["recipientAccountId"]) == (EC2, EC2, ACCOUNT)
    asked = {"roleArn": ROLE, "roleSessionName": told["WorkloadId"], "durationSeconds": 21600}
    assert event["requestParameters"] == asked
    assert event["resources"][0]["ARN"] == ROLE
    by = aws.events("GetWorkloadCredentials")[0]
    assert by["userIdentity"]["userName"] == "admin"
    assert told["SecretAccessKey"] not in json.dumps(by)


def test_cutting_who_passed_the_role_cuts_what_was_begun(aws, iam):
    passing = aws.user("passing", allow("iam:PassRole"))
    told = task(aws, passing)
    assert who(aws, told)
    aws.iamd("Quarantine", Target=passing.access_key_id)
    with pytest.raises(iam.exceptions.ClientError, match="InvalidClientTokenId"):
        who(aws, told)


def test_what_no_service_could_run_is_refused(aws, iam):
    iam.create_instance_profile(InstanceProfileName="empty")
    no_role = "IAM Instance Profile empty has no associated IAM Roles"
    refused("InvalidWorkload", no_role, instance, aws, profile="empty")
    for other in ("other", "Machines"):
        refused("InvalidWorkload", f"Invalid IAM Instance Profile name: {other}", instance, aws, profile=other)
    other = "arn:aws:iam::999999999999:role/worker"
    refused("InvalidWorkload", "Cross-account pass role is not allowed.", task, aws, role=other)
    both = {"Service": EC2, "RoleArn": ROLE, "InstanceProfileName": "machines", "ClientToken": TOKEN}
    one = "An instance has an instance profile, and a task has a role."
    for service, left_out in ((EC2, "InstanceProfileName"), (TASKS, "RoleArn"), (EC2, "x"), (TASKS, "x")):
        given = {name: value for name, value in (both | {"Service": service}).items() if name != left_out}
        with pytest.raises(Refusal, match=f"InvalidWorkload: {one}"):
            aws.iamd("GetWorkloadCredentials", **given)
    gone = "arn:aws:iam::123456789012:role/gone"
    refused("AccessDeniedException", "sts:AssumeRole", task, aws, role=gone)


NOBODYS = "i-0123456789abcdef0"


def test_the_address_of_an_instances_metadata_is_for_who_may_ask(aws):
    """Which instance has which address, tests/metadata shows."""
    with pytest.raises(Refusal, match="nobody is not authorized to perform: iamd:GetMetadataEndpoint"):
        aws.iamd("GetMetadataEndpoint", aws.user("nobody"), InstanceId=NOBODYS)
    with pytest.raises(Refusal, match=f"NoSuchInstance: No instance {NOBODYS} of this account runs"):
        aws.iamd("GetMetadataEndpoint", aws.user("asks", allow("iamd:GetMetadataEndpoint")), InstanceId=NOBODYS)
    codes = {event.get("errorCode") for event in aws.events("GetMetadataEndpoint")}
    assert codes == {"NoSuchInstance", "AccessDeniedException"}
