"""Session policies: they narrow a session and never widen it, inline, managed, and both."""

import json
import random
import string

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny
from services.sts.conftest import trusting

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def app(role):
    """A role that may do everything in IAM."""
    return role("app", trusting(ACCOUNT), allow("iam:*"))


def may(aws, credentials, operation, **parameters):
    try:
        getattr(aws.client("iam", credentials), operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("parameters", "lists", "makes"),
    [
        pytest.param({}, True, True, id="none"),
        pytest.param({"Policy": text(allow("iam:List*"))}, True, False, id="inline"),
        pytest.param({"Policy": text(allow("*"), deny("iam:List*"))}, False, True, id="inline deny"),
        pytest.param({"PolicyArns": [{"arn": READ_ONLY}]}, True, False, id="managed"),
        pytest.param({"PolicyArns": [{"arn": READ_ONLY}, {"arn": DENY_ALL}]}, False, False, id="managed deny"),
        pytest.param(
            {"Policy": text(allow("iam:Create*")), "PolicyArns": [{"arn": READ_ONLY}]}, True, True, id="either allows"
        ),
        pytest.param({"Policy": text(allow("sqs:*"))}, False, False, id="nothing in common"),
    ],
)
def test_a_session_may_what_the_role_and_a_session_policy_allow(aws, app, assume, parameters, lists, makes):
    session = assume(None, app, **parameters)
    assert may(aws, session, "list_users") is lists
    assert may(aws, session, "create_group", GroupName="devs") is makes


def test_auz_10_a_session_policy_binds_what_is_assumed_with_another_role(aws, app, role, assume):
    first = assume(None, role("first", trusting(ACCOUNT), allow("sts:AssumeRole")))
    chained = assume(first, app, Policy=text(allow("*"), deny("iam:List*")))
    assert not may(aws, chained, "list_users")
    assert may(aws, chained, "create_group", GroupName="devs")


def test_auz_05_a_session_policy_gives_nothing_that_the_role_has_not(aws, role, assume):
    session = assume(None, role("poor", trusting(ACCOUNT)), Policy=text(allow("*")))
    assert not may(aws, session, "list_users")


def test_a_managed_session_policy_is_one_of_the_roles_account(aws, role, assume, refused, other):
    document = text(allow("iam:List*"))
    here = aws.client("iam").create_policy(PolicyName="here", PolicyDocument=document)["Policy"]["Arn"]
    there = aws.client("iam", other).create_policy(PolicyName="there", PolicyDocument=document)["Policy"]["Arn"]
    shared = role("shared", trusting(ACCOUNT), allow("iam:*"), credentials=other)
    session = assume(None, shared, PolicyArns=[{"arn": there}])
    assert may(aws, session, "list_users")
    assert not may(aws, session, "create_group", GroupName="devs")
    with refused("ValidationError", f"Policy {here} does not exist in the account of the role."):
        assume(None, shared, PolicyArns=[{"arn": here}])


def test_a_managed_session_policy_is_read_when_it_is_used(aws, app, assume):
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="some", PolicyDocument=text(allow("iam:List*")))["Policy"]["Arn"]
    session = assume(None, app, PolicyArns=[{"arn": arn}])
    assert may(aws, session, "list_users")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text(allow("sqs:*")), SetAsDefault=True)
    assert not may(aws, session, "list_users")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert may(aws, session, "list_users")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    assert not may(aws, session, "list_users")


def test_ten_managed_session_policies_are_taken_and_no_more(app, assume, refused):
    assume(None, app, PolicyArns=[{"arn": READ_ONLY}] * 10)
    with refused("PackedPolicyTooLarge"):
        assume(None, app, PolicyArns=[{"arn": READ_ONLY}] * 11)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("{", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        (
            text({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}),
            "should not specify a principal",
        ),
        (text({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
        (text({"Effect": "Perhaps", "Action": "s3:*", "Resource": "*"}), "Syntax errors in policy."),
    ],
)
def test_what_is_no_policy_is_malformed(app, assume, refused, policy, words):
    with refused("MalformedPolicyDocument", words):
        assume(None, app, Policy=policy)


def test_inline_and_managed_policies_have_2048_characters_together(app, assume, refused):
    room = 2048 - len(READ_ONLY)
    policy = text(allow("iam:ListUsers"))
    filled = policy + " " * (room - len(policy))
    assume(None, app, Policy=filled, PolicyArns=[{"arn": READ_ONLY}])
    with refused("PackedPolicyTooLarge"):
        assume(None, app, Policy=filled + " ", PolicyArns=[{"arn": READ_ONLY}])


def test_the_packed_size_says_how_much_room_is_taken(aws, app):
    sts = aws.client("sts")
    asked = {"RoleArn": app, "RoleSessionName": "test"}
    assert "PackedPolicySize" not in sts.assume_role(**asked)
    small = sts.assume_role(**asked, Policy=text(allow("iam:List*")))["PackedPolicySize"]
    large = sts.assume_role(**asked, Policy=text(allow([f"iam:{word(20)}" for _ in range(40)])))["PackedPolicySize"]
    assert 0 < small < large <= 100


def word(length):
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def test_what_does_not_fit_says_by_how_much(role, assume, refused):
    app = role("app", trusting(ACCOUNT, "sts:AssumeRole", "sts:TagSession"))
    tags = [{"Key": f"k{number}", "Value": word(250)} for number in range(12)]
    with refused("PackedPolicyTooLarge") as error:
        assume(None, app, Tags=tags)
    percent = int(error["Message"].split("consumes ")[1].split("%")[0])
    assert percent > 100


def test_a_session_keeps_its_policy_when_it_is_used_by_another_client(aws, app):
    answer = aws.client("sts").assume_role(RoleArn=app, RoleSessionName="test", Policy=text(allow("iam:GetUser")))
    session = Credentials.of(answer["Credentials"])
    assert not may(aws, session, "list_users")
    [event] = [event for event in aws.events("ListUsers") if "errorCode" in event]
    assert "because no session policy allows the iam:ListUsers action" in event["errorMessage"]
    assert event["userIdentity"]["accessKeyId"] == session.access_key_id
