"""Denials of other services, in AWS's words for them, and what EC2 sends to be decoded.

IAM User Guide, "Troubleshoot access denied error messages"; STS API Reference, DecodeAuthorizationMessage. The denials
of identity, boundary, session and trust policies are in tests/authz/test_denial_messages.py.
"""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.wire import Wire
from running import ACCOUNT, IMAGE, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
OBJECT = "arn:aws:s3:::reports/k"
NOT_AUTHORIZED = "You are not authorized to perform this operation. "
ENCODED = ". Encoded authorization failure message: "
VOLUME = f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-0123456789abcdef0"
DELETE = {"VolumeId": "vol-0123456789abcdef0"}


@pytest.fixture
def wire(cloud):
    opened = Wire(cloud.server)
    yield opened
    opened.close()


def refused(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]


def decoded(cloud, words, credentials=None):
    """The message that the words of a denial end with, as STS decodes it."""
    message = words.partition(ENCODED)[2]
    answer = cloud.client("sts", credentials).decode_authorization_message(EncodedMessage=message)
    return json.loads(answer["DecodedMessage"])


def test_a_resource_based_policy_that_denies(cloud):
    s3, ann = cloud.client("s3"), cloud.client("s3", cloud.user("ann", allow("s3:*")))
    s3.create_bucket(Bucket="reports")
    s3.put_object(Bucket="reports", Key="k", Body=b"content")
    statement = deny("s3:GetObject", f"{OBJECT}*") | {"Principal": {"AWS": ANN}}
    s3.put_bucket_policy(Bucket="reports", Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    error = refused(ann.get_object, Bucket="reports", Key="k")
    assert error["Message"] == (
        f'User: {ANN} is not authorized to perform: s3:GetObject on resource: "{OBJECT}" '
        "with an explicit deny in a resource-based policy"
    )


def test_a_resource_based_policy_of_a_queue_that_denies(cloud):
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
    statement = deny("sqs:SendMessage", queue) | {"Principal": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    url = cloud.client("sqs").create_queue(QueueName="jobs", Attributes={"Policy": policy})["QueueUrl"]
    ann = cloud.client("sqs", cloud.user("ann", allow("sqs:*")))
    assert refused(ann.send_message, QueueUrl=url, MessageBody="hello")["Message"] == (
        f"User: {ANN} is not authorized to perform: sqs:sendmessage on resource: {queue} "
        "with an explicit deny in a resource-based policy"
    )


def test_sqs_writes_the_action_in_lower_case_in_both_protocols(cloud, wire):
    ann = cloud.user("ann")
    url = cloud.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    words = (
        f"User: {ANN} is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:jobs "
        "because no identity-based policy allows the sqs:sendmessage action"
    )
    error = refused(cloud.client("sqs", ann).send_message, QueueUrl=url, MessageBody="hello")
    assert (error["Code"], error["Message"]) == ("AccessDenied", words)
    form = [("content-type", "application/x-www-form-urlencoded")]
    body = b"Action=SendMessage&Version=2012-11-05&MessageBody=hello&QueueUrl=" + url.encode()
    told = wire.send("sqs", "POST", "/", form, body, credentials=ann)
    assert told.status == 403
    assert b"<Code>AccessDenied</Code>" in told.body
    assert words.encode() in told.body


def test_ec2_sends_a_message_to_be_decoded(cloud):
    error = refused(cloud.client("ec2", cloud.user("ann")).delete_volume, **DELETE)
    assert error["Code"] == "UnauthorizedOperation"
    words, encoded, message = error["Message"].partition(ENCODED)
    assert words == (
        f"{NOT_AUTHORIZED}User: {ANN} is not authorized to perform: ec2:DeleteVolume on resource: {VOLUME} "
        "because no identity-based policy allows the ec2:DeleteVolume action"
    )
    assert encoded
    assert "DeleteVolume" not in message
    assert cloud.events("DeleteVolume")[0]["errorMessage"].startswith(words + ENCODED)


def test_ec2_sends_none_for_an_action_without_resources(cloud):
    error = refused(cloud.client("ec2", cloud.user("ann")).describe_instances)
    assert error["Message"] == (
        f"{NOT_AUTHORIZED}User: {ANN} is not authorized to perform: ec2:DescribeInstances "
        "because no identity-based policy allows the ec2:DescribeInstances action"
    )


def test_an_implicit_denial_decoded(cloud):
    error = refused(cloud.client("ec2", cloud.user("ann")).delete_volume, **DELETE)
    user_id = cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]
    told = decoded(cloud, error["Message"])
    assert told == {
        "allowed": False,
        "explicitDeny": False,
        "matchedStatements": {"items": []},
        "failures": {"items": []},
        "context": {
            "principal": {"id": user_id, "name": "ann", "arn": ANN},
            "action": "ec2:DeleteVolume",
            "resource": VOLUME,
            "conditions": told["context"]["conditions"],
        },
    }
    keys = {item["key"]: item["values"]["items"][0]["value"] for item in told["context"]["conditions"]["items"]}
    assert keys["aws:Region"] == "us-east-1"
    assert (keys["aws:Service"], keys["aws:Account"]) == ("ec2", ACCOUNT)
    assert (keys["aws:Resource"], keys["aws:Type"]) == ("volume/vol-0123456789abcdef0", "volume")
    assert keys["aws:ARN"] == VOLUME
    assert "aws:SourceIp" not in keys


def test_an_explicit_denial_decoded(cloud):
    guard = deny(["ec2:Delete*", "ec2:Stop*"], "*", StringEquals={"aws:RequestedRegion": ["us-east-1", "eu-west-1"]})
    ann = cloud.user("ann", allow("*"), guard | {"Sid": "Guard"})
    user_id = cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]
    told = decoded(cloud, refused(cloud.client("ec2", ann).delete_volume, **DELETE)["Message"])
    assert (told["allowed"], told["explicitDeny"]) == (False, True)
    regions = {"items": [{"value": "us-east-1"}, {"value": "eu-west-1"}]}
    assert told["matchedStatements"]["items"] == [
        {
            "statementId": "Guard",
            "effect": "DENY",
            "principals": {"items": [{"value": user_id}]},
            "principalGroups": {"items": []},
            "actions": {"items": [{"value": "ec2:Delete*"}, {"value": "ec2:Stop*"}]},
            "resources": {"items": [{"value": "*"}]},
            "conditions": {"items": [{"key": "aws:RequestedRegion", "values": regions}]},
        }
    ]


def test_the_keys_of_the_service_and_the_tags_of_the_request_are_told(cloud):
    role = f"arn:aws:iam::{ACCOUNT}:role/web"
    iam, ec2 = cloud.client("iam"), cloud.client("ec2", cloud.user("ann", allow("ec2:*")))
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    profile = {"IamInstanceProfile": {"Name": "web"}}
    words = refused(ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1, **profile)["Message"]
    assert words.startswith(
        f"{NOT_AUTHORIZED}User: {ANN} is not authorized to perform: iam:PassRole on resource: {role} "
    )
    told = decoded(cloud, words)["context"]
    assert (told["action"], told["resource"]) == ("iam:PassRole", role)
    keys = {item["key"]: item["values"]["items"] for item in told["conditions"]["items"]}
    assert keys["iam:PassedToService"] == [{"value": "ec2.amazonaws.com"}]


def test_a_message_too_long_loses_its_keys_and_statements_and_is_still_decoded(cloud):
    statement = deny([f"ec2:Delete{'x' * 90}{number}" for number in range(20)] + ["ec2:DeleteVolume"])
    ann = cloud.user("ann")
    iam = cloud.client("iam")
    for number in range(6):
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        arn = iam.create_policy(PolicyName=f"guard{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    words = refused(cloud.client("ec2", ann).delete_volume, **DELETE)["Message"]
    assert len(words.partition(ENCODED)[2]) <= 10240
    told = decoded(cloud, words)
    assert told["explicitDeny"] is True
    assert told["matchedStatements"]["items"] == told["context"]["conditions"]["items"] == []
    assert told["context"]["resource"] == VOLUME


def test_a_message_too_long_loses_its_keys_first(cloud):
    ec2 = cloud.client("ec2", cloud.user("ann", deny("ec2:CreateTags") | {"Sid": "Guard"}))
    tags = [{"Key": f"tag{number}", "Value": "x" * 200} for number in range(50)]
    told = decoded(cloud, refused(ec2.create_tags, Resources=["vol-0123456789abcdef0"], Tags=tags)["Message"])
    assert [found["statementId"] for found in told["matchedStatements"]["items"]] == ["Guard"]
    assert told["context"]["conditions"]["items"] == []
    told = decoded(cloud, refused(ec2.create_tags, Resources=["vol-0123456789abcdef0"], Tags=tags[:1])["Message"])
    keys = {item["key"]: item["values"]["items"] for item in told["context"]["conditions"]["items"]}
    assert keys["aws:RequestTag/tag0"] == [{"value": "x" * 200}]
    assert keys["aws:TagKeys"] == [{"value": "tag0"}]


def test_what_fits_into_no_message_is_refused_without_one(cloud):
    ec2 = cloud.client("ec2", cloud.user("ann"))
    words = refused(ec2.delete_volume, VolumeId=f"vol-{'0' * 9000}")["Message"]
    assert ENCODED not in words
    assert words.startswith(NOT_AUTHORIZED)


@pytest.mark.parametrize(
    ("service", "version", "words", "code"),
    [
        ("sqs", "2012-11-05", "Action=Nope", "InvalidAction"),
        ("sqs", "2012-11-05", "Action=ListQueues&MaxResults=1&MaxResults=2", "ValidationError"),
        ("monitoring", "2010-08-01", "Action=Nope", "InvalidAction"),
        ("monitoring", "2010-08-01", "Action=ListMetrics&Namespace=%zz", "MalformedInput"),
    ],
)
def test_who_sends_a_form_is_answered_as_such_whatever_is_wrong_with_it(wire, service, version, words, code):
    """The service speaks JSON or CBOR, too, which a client of the Query protocol does not read."""
    form = [("content-type", "application/x-www-form-urlencoded")]
    reply = wire.send(service, "POST", "/", form, f"Version={version}&{words}".encode())
    assert (reply.status, reply.headers["content-type"]) == (400, "text/xml")
    assert f"<Code>{code}</Code>" in reply.body.decode()
