"""The client that stacks have: decided and recorded as whom the stack acts for."""

import base64
import hashlib
import json
import os

import pytest
from running import ACCOUNT, REGION, Credentials, allow
from stacks.process import STACK, Process

SERVICE = "cloudformation.amazonaws.com"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/stacks"


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    running = Process(tmp_path_factory.mktemp("stacks"))
    yield running
    running.close()


@pytest.fixture
def empty(process):
    """The server with none of what other tests made."""
    process.reset()
    return process


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def user(process, name, *statements):
    root = process.client()
    process.call(root, "iam", "CreateUser", UserName=name)
    if statements:
        process.call(
            root, "iam", "PutUserPolicy", UserName=name, PolicyName="own", PolicyDocument=document(*statements)
        )
    return Credentials.of(process.call(root, "iam", "CreateAccessKey", UserName=name)["AccessKey"])


def role(process, *statements, trust=None):
    trust = trust or {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    root = process.client()
    process.call(root, "iam", "CreateRole", RoleName="stacks", AssumeRolePolicyDocument=document(trust))
    process.call(
        root, "iam", "PutRolePolicy", RoleName="stacks", PolicyName="own", PolicyDocument=document(*statements)
    )


def event(process, name):
    """The newest event of an operation."""
    found = process.call(
        process.client(), "cloudtrail", "LookupEvents",
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
    )  # fmt: skip
    return json.loads(found["Events"][0]["CloudTrailEvent"])


def test_the_callers_own_policies_decide(empty):
    client = empty.client(
        user(empty, "dev", allow("iam:CreateGroup"), allow("sqs:CreateQueue", "arn:aws:sqs:*:*:allowed"))
    )
    assert empty.call(client, "iam", "CreateGroup", GroupName="g")["Group"]["GroupName"] == "g"
    assert empty.code(client, "iam", "DeleteGroup", GroupName="g") == "AccessDenied"
    empty.call(empty.client(), "iam", "DeleteGroup", GroupName="g")
    assert empty.call(client, "sqs", "CreateQueue", QueueName="allowed")["QueueUrl"].endswith("/allowed")
    assert empty.code(client, "sqs", "CreateQueue", QueueName="other") == "AccessDenied"
    # Nothing of what was denied has reached the backend.
    assert empty.code(empty.client(), "sqs", "GetQueueUrl", QueueName="other").endswith("NonExistentQueue")


def test_events_name_the_caller_and_who_invoked(empty):
    client = empty.client(user(empty, "dev", allow(["iam:GetGroup", "iam:CreateGroup", "sqs:GetQueueUrl"])))
    empty.call(client, "iam", "CreateGroup", GroupName="g")
    empty.code(client, "iam", "GetGroup", GroupName="none")
    empty.code(client, "sqs", "GetQueueUrl", QueueName="none")
    for name in ("CreateGroup", "GetGroup", "GetQueueUrl"):
        told = event(empty, name)
        assert told["userIdentity"]["userName"] == "dev"
        assert told["userIdentity"]["invokedBy"] == SERVICE
        assert told["sourceIPAddress"] == SERVICE
        assert told["userAgent"] == SERVICE


def test_conditions_see_through_which_service_the_caller_asks(empty):
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": SERVICE}, "Bool": {"aws:ViaAWSService": "true"}}
    client = empty.client(user(empty, "dev", allow(["iam:ListUsers", "sqs:ListQueues"], **via)))
    empty.call(client, "iam", "ListUsers")
    empty.call(client, "sqs", "ListQueues")
    # A role of the service's own acts for nobody.
    role(empty, allow(["iam:ListUsers", "sqs:ListQueues"], **via), allow("iam:ListRoles"))
    own = empty.role_client(ROLE_ARN)
    empty.call(own, "iam", "ListRoles")
    assert empty.code(own, "iam", "ListUsers") == "AccessDenied"
    assert empty.code(own, "sqs", "ListQueues") == "AccessDenied"


def test_what_the_caller_asks_itself_is_not_taken_for_what_the_service_asks(empty):
    via = {"Bool": {"aws:ViaAWSService": "true"}}
    key = user(empty, "dev", allow(["iam:ListUsers", "sqs:ListQueues"], **via))
    own, by_service = empty.client(key), empty.client(key)
    own._requests._via = None
    for service, operation in (("iam", "ListUsers"), ("sqs", "ListQueues")):
        assert empty.code(own, service, operation) == "AccessDenied"
        empty.call(by_service, service, operation)
        assert empty.code(own, service, operation) == "AccessDenied"
    assert "invokedBy" not in event(empty, "ListUsers")["userIdentity"]


def test_a_service_has_no_address(empty):
    inside = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    present = {"Null": {"aws:SourceIp": "false"}}
    client = empty.client(user(empty, "dev", allow("iam:ListUsers", **inside), allow("iam:ListRoles", **present)))
    # AWS: a negated operator holds where the key is missing (IAM User Guide, reference_policies_elements_condition_operators).
    empty.call(client, "iam", "ListUsers")
    assert empty.code(client, "iam", "ListRoles") == "AccessDenied"


def test_a_key_that_is_inactive_or_gone_ends_the_work(empty):
    key = user(empty, "dev", allow("*"))
    client, root = empty.client(key), empty.client()
    empty.call(client, "sqs", "ListQueues")
    change = {"UserName": "dev", "AccessKeyId": key.access_key_id}
    empty.call(root, "iam", "UpdateAccessKey", **change, Status="Inactive")
    assert empty.code(client, "sqs", "ListQueues") == "InvalidClientTokenId"
    empty.call(root, "iam", "UpdateAccessKey", **change, Status="Active")
    empty.call(client, "iam", "ListUsers")
    empty.call(root, "iam", "DeleteAccessKey", **change)
    assert empty.code(client, "iam", "ListUsers") == "InvalidClientTokenId"


def session_of(process, name="dev"):
    """A role session of a user."""
    key = user(process, name, allow("sts:AssumeRole"))
    role(process, allow("*"), trust={"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    given = process.call(process.client(key), "sts", "AssumeRole", RoleArn=ROLE_ARN, RoleSessionName="cdk")
    return Credentials.of(given["Credentials"])


def test_a_session_acts_until_it_is_cut(empty):
    key = session_of(empty)
    client = empty.client(key)
    empty.call(client, "sqs", "ListQueues")
    empty.cut(key.access_key_id)
    assert empty.code(client, "sqs", "ListQueues") == "InvalidClientTokenId"


def test_a_session_of_a_service_role_is_cut_with_who_asked_for_the_stack(empty):
    key = user(empty, "dev")
    role(empty, allow("sqs:ListQueues"))
    client = empty.role_client(ROLE_ARN, ancestors=(key.access_key_id,))
    empty.call(client, "sqs", "ListQueues")
    empty.cut(key.access_key_id)
    assert empty.code(client, "sqs", "ListQueues") == "InvalidClientTokenId"


def test_a_session_ends_with_its_role(empty):
    client = empty.client(session_of(empty))
    assert empty.call(client, "sts", "GetCallerIdentity")["Arn"].endswith("assumed-role/stacks/cdk")
    empty.call(client, "sqs", "ListQueues")
    root = empty.client()
    empty.call(root, "iam", "DeleteRolePolicy", RoleName="stacks", PolicyName="own")
    assert empty.code(client, "sqs", "ListQueues") == "AccessDenied"
    empty.call(root, "iam", "DeleteRole", RoleName="stacks")
    assert empty.code(client, "sqs", "ListQueues") == "InvalidClientTokenId"


def test_a_session_ends_the_work_when_it_expires(empty):
    client = empty.client(session_of(empty))
    empty.call(client, "sqs", "ListQueues")
    empty.runtime.clock.advance(3601)
    assert empty.code(client, "sqs", "ListQueues") == "ExpiredTokenException"
    assert empty.code(client, "iam", "ListUsers") == "ExpiredToken"


def test_a_service_role_is_assumed_by_the_service(empty):
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": STACK}}
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole", "Condition": source}
    role(empty, allow(["sqs:CreateQueue", "iam:ListUsers"]), trust=trust)
    client = empty.role_client(ROLE_ARN)
    empty.call(client, "sqs", "CreateQueue", QueueName="q")
    empty.call(client, "iam", "ListUsers")
    assumed, made = event(empty, "AssumeRole"), event(empty, "CreateQueue")
    assert assumed["userIdentity"] == {"type": "AWSService", "invokedBy": SERVICE}
    assert made["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/stacks/AWSCloudFormation"
    assert made["userIdentity"]["invokedBy"] == SERVICE
    assert made["sourceIPAddress"] == SERVICE


def test_a_service_role_that_does_not_trust_the_service_is_not_assumed(empty):
    role(
        empty,
        allow("*"),
        trust={"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    )
    assert empty.code(empty.role_client(ROLE_ARN), "sqs", "CreateQueue", QueueName="q") == "ValidationError"
    assert empty.code(empty.role_client(ROLE_ARN + "-none"), "sqs", "ListQueues") == "ValidationError"


def test_a_session_of_a_service_role_is_had_anew(empty):
    role(empty, allow("sqs:ListQueues"))
    client = empty.role_client(ROLE_ARN)
    keys = []
    for seconds in (0, 3000, 400, 3601):
        empty.runtime.clock.advance(seconds)
        empty.call(client, "sqs", "ListQueues")
        keys.append(empty.runner.run(client._acting.key()).access_key_id)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_body_as_large_as_a_functions_code_arrives_whole(empty):
    content = os.urandom(30 * 1024 * 1024)
    root = empty.client()
    role(
        empty,
        allow("*"),
        trust={"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    )
    made = empty.call(
        root, "lambda", "CreateFunction",
        FunctionName="large", Runtime="python3.12", Role=ROLE_ARN, Handler="a.b", Code={"ZipFile": content},
    )  # fmt: skip
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_objects_are_written_and_read_whole_up_to_a_bound(empty):
    root = empty.client()
    empty.call(root, "s3", "CreateBucket", Bucket="templates")
    small, large = os.urandom(3 * 1024 * 1024), bytes(17 * 1024 * 1024)
    empty.call(root, "s3", "PutObject", Bucket="templates", Key="a b+c/t", Body=small)
    assert empty.call(root, "s3", "GetObject", Bucket="templates", Key="a b+c/t")["Body"] == small
    empty.call(root, "s3", "PutObject", Bucket="templates", Key="large", Body=large)
    assert empty.code(root, "s3", "GetObject", Bucket="templates", Key="large") == "ServiceUnavailable"
    assert empty.call(root, "s3", "HeadObject", Bucket="templates", Key="large")["ContentLength"] == len(large)


def test_addresses_are_at_the_host_that_the_client_named(empty):
    made = empty.call(empty.client(host="iamd.example:8080"), "sqs", "CreateQueue", QueueName="here")
    assert made["QueueUrl"] == f"http://iamd.example:8080/{ACCOUNT}/here"
    # A host that names CloudFormation would be no host of SQS's.
    made = empty.call(
        empty.client(host=f"cloudformation.{REGION}.localhost:8080"), "sqs", "CreateQueue", QueueName="here"
    )
    assert made["QueueUrl"] == f"http://localhost:8080/{ACCOUNT}/here"


def test_a_body_longer_than_iamds_own_services_take_is_refused(empty):
    code = empty.code(empty.client(), "iam", "CreateUser", UserName="u" * 1024 * 1024)
    assert code == "RequestEntityTooLarge"


def test_errors_have_the_services_code_words_and_status(empty):
    with pytest.raises(Exception, match="cannot be found") as raised:
        empty.call(empty.client(), "iam", "GetUser", UserName="none")
    assert (raised.value.code, raised.value.status, raised.value.operation) == ("NoSuchEntity", 404, "GetUser")
