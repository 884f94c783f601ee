"""AWS's words for denials, through boto3, for every policy type that a request to IAM or STS can be denied by.

IAM User Guide, "Troubleshoot access denied error messages"; AWS Security Blog, "Enhanced access denied error messages
with policy ARNs". Resource-based policies are in tests/gateway/test_denials.py; SCPs, RCPs and endpoint policies, which
no request meets yet, in tests/policy/test_decision.py.
"""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"
LIST = "is not authorized to perform: iam:ListUsers on resource: "
USERS = f"arn:aws:iam::{ACCOUNT}:user/"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def managed(aws, name, *statements):
    return aws.client("iam").create_policy(PolicyName=name, PolicyDocument=document(*statements))["Policy"]["Arn"]


def words(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    return error["Message"]


def trusting(effect, principal):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}


def session(aws, credentials=None, **policies):
    """A session of the role `app`, which may do everything that its session policies let it."""
    iam = aws.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trusting("Allow", ACCOUNT)))
    iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=document(allow("*")))
    answer = aws.client("sts", credentials).assume_role(RoleArn=APP, RoleSessionName="one", **policies)
    return Credentials.of(answer["Credentials"])


def test_identity_based_policies(aws):
    iam, ann = aws.client("iam"), aws.user("ann")
    calling = aws.client("iam", ann)
    assert words(calling.list_users) == (
        f"User: {ANN} {LIST}{USERS} because no identity-based policy allows the iam:ListUsers action"
    )
    iam.put_user_policy(UserName="ann", PolicyName="no", PolicyDocument=document(allow("*"), deny("iam:List*")))
    assert words(calling.list_users) == f"User: {ANN} {LIST}{USERS} with an explicit deny in an identity-based policy"
    iam.delete_user_policy(UserName="ann", PolicyName="no")
    guard = managed(aws, "guard", deny("iam:ListUsers"))
    iam.create_group(GroupName="all")
    iam.attach_group_policy(GroupName="all", PolicyArn=guard)
    iam.add_user_to_group(GroupName="all", UserName="ann")
    assert words(calling.list_users) == (
        f"User: {ANN} {LIST}{USERS} with an explicit deny in an identity-based policy: {guard}"
    )


def test_aws_own_policies_are_named_too(aws):
    ann = aws.user("ann")
    arn = "arn:aws:iam::aws:policy/AWSDenyAll"
    aws.client("iam").attach_user_policy(UserName="ann", PolicyArn=arn)
    assert words(aws.client("iam", ann).list_users).endswith(f"an explicit deny in an identity-based policy: {arn}")


def test_permissions_boundaries(aws):
    iam, ann = aws.client("iam"), aws.user("ann", allow("*"))
    calling = aws.client("iam", ann)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=managed(aws, "some", allow("sqs:*")))
    assert words(calling.list_users) == (
        f"User: {ANN} {LIST}{USERS} because no permissions boundary allows the iam:ListUsers action"
    )
    guard = managed(aws, "guard", allow("*"), deny("iam:*"))
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=guard)
    assert words(calling.list_users) == (
        f"User: {ANN} {LIST}{USERS} with an explicit deny in a permissions boundary: {guard}"
    )


def test_session_policies(aws):
    some = session(aws, Policy=document(allow("sqs:*")))
    assert words(aws.client("iam", some).list_users) == (
        f"User: {SESSION} {LIST}{USERS} because no session policy allows the iam:ListUsers action"
    )


@pytest.mark.parametrize("kind", ["inline", "managed"])
def test_session_policies_that_deny(aws, kind):
    guard = managed(aws, "guard", allow("*"), deny("iam:*"))
    passed = {"PolicyArns": [{"arn": guard}]} if kind == "managed" else {"Policy": document(allow("*"), deny("iam:*"))}
    denied = session(aws, **passed)
    named = f": {guard}" if kind == "managed" else ""
    assert words(aws.client("iam", denied).list_users) == (
        f"User: {SESSION} {LIST}{USERS} with an explicit deny in a session policy{named}"
    )


def test_role_trust_policies(aws):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    aws.user("bob")
    iam, sts = aws.client("iam"), aws.client("sts", ann)
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trusting("Allow", bob)))
    asked = {"RoleArn": APP, "RoleSessionName": "one"}
    assume = f"User: {ANN} is not authorized to perform: sts:AssumeRole on resource: {APP} "
    assert words(sts.assume_role, **asked) == f"{assume}because no role trust policy allows the sts:AssumeRole action"
    trust = document(trusting("Allow", ACCOUNT), trusting("Deny", ANN))
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=trust)
    assert words(sts.assume_role, **asked) == f"{assume}with an explicit deny in the role trust policy"


def test_the_message_of_a_denial_is_what_its_event_and_its_explanation_say(aws):
    guard = managed(aws, "guard", deny("iam:ListUsers"))
    ann = aws.user("ann", allow("*"))
    aws.client("iam").attach_user_policy(UserName="ann", PolicyArn=guard)
    with pytest.raises(ClientError) as caught:
        aws.client("iam", ann).list_users()
    message, answer = caught.value.response["Error"]["Message"], caught.value.response["ResponseMetadata"]
    assert message.endswith(guard)
    told = aws.explain(answer["RequestId"])
    assert (told["ErrorMessage"], told["Decisions"][0]["Message"]) == (message, message)
    asked = {"PrincipalArn": ANN, "Action": "iam:ListUsers", "ResourceArn": USERS}
    assert aws.iamd("Can", **asked)["Decision"]["Message"] == message
