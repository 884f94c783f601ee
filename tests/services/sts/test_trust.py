"""Who may assume a role: the role's trust policy and the caller's own policies, in one account and across two."""

import json

import pytest
from botocore import UNSIGNED
from running import ACCOUNT, allow, deny
from services.sts.conftest import trusting

OTHER = "210987654321"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
NO_TRUST = f"on resource: {APP} because no role trust policy allows the sts:AssumeRole action"
NO_IDENTITY = f"on resource: {APP} because no identity-based policy allows the sts:AssumeRole action"
NO_BOUNDARY = f"on resource: {APP} because no permissions boundary allows the sts:AssumeRole action"
DENIED_BY_TRUST = f"on resource: {APP} with an explicit deny in the role trust policy"
DENIED_BY_IDENTITY = f"on resource: {APP} with an explicit deny in an identity-based policy"
MAY = allow("sts:AssumeRole", APP)


def against(statement):
    return statement | {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("trust", "statements", "refusal"),
    [
        pytest.param([trusting(ANN)], [], None, id="the user is trusted by name"),
        pytest.param([trusting(ACCOUNT)], [MAY], None, id="the account is trusted and lets the user"),
        pytest.param([trusting(ACCOUNT)], [], NO_IDENTITY, id="the account is trusted and does not let the user"),
        pytest.param([trusting(ACCOUNT)], [allow("sts:AssumeRole", APP + "s")], NO_IDENTITY, id="another role is let"),
        pytest.param([trusting(ACCOUNT)], [allow("sts:*")], None, id="every role is let"),
        pytest.param([trusting("{bob}")], [MAY], NO_TRUST, id="another user is trusted"),
        pytest.param([trusting(OTHER)], [MAY], NO_TRUST, id="another account is trusted"),
        pytest.param([trusting({"Service": "ec2.amazonaws.com"})], [MAY], NO_TRUST, id="a service is trusted"),
        pytest.param([trusting(ANN, "sts:TagSession")], [MAY], NO_TRUST, id="another action is trusted"),
        pytest.param(
            [trusting(ANN), against(trusting(ANN))], [MAY], DENIED_BY_TRUST, id="the trust policy denies the user"
        ),
        pytest.param([trusting(ANN)], [deny("sts:*")], DENIED_BY_IDENTITY, id="the user's own policy denies"),
        pytest.param([trusting(ANN)], [deny("sts:*", APP + "s")], None, id="the user's own policy denies another"),
    ],
)
@pytest.mark.usefixtures("other")
def test_trust_and_identity_policies_decide_in_one_account(aws, role, assume, refused, trust, statements, refusal):
    ann = aws.user("ann", *statements)
    bob = aws.client("iam").create_user(UserName="bob")["User"]["Arn"]
    role("app", json.loads(json.dumps(trust).replace("{bob}", bob)))
    if refusal is None:
        session = aws.client("sts", assume(ann, APP)).get_caller_identity()
        assert session["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/test"
    else:
        with refused("AccessDenied", f"User: {ANN} is not authorized to perform: sts:AssumeRole {refusal}"):
            assume(ann, APP)


def test_a_group_can_let_its_members(aws, role, assume, refused):
    ann, iam = aws.user("ann"), aws.client("iam")
    role("app", trusting(ACCOUNT))
    iam.create_group(GroupName="devs")
    iam.put_group_policy(
        GroupName="devs",
        PolicyName="assume",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": MAY}),
    )
    with refused("AccessDenied", NO_IDENTITY):
        assume(ann, APP)
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    assume(ann, APP)


def test_the_users_boundary_must_allow_it_though_the_trust_policy_names_the_user(aws, role, assume, refused):
    """AWS: id_roles_update-role-trust-policy, on permissions boundaries of the trusted."""
    ann, iam = aws.user("ann"), aws.client("iam")
    role("app", trusting(ANN))
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    with refused("AccessDenied", NO_BOUNDARY):
        assume(ann, APP)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
    assume(ann, APP)


def test_a_session_assumes_what_trusts_its_role_or_itself(aws, role, assume, refused):
    ann = aws.user("ann")
    first = role("first", trusting(ANN))
    mine = assume(ann, first, "mine")
    role("app", [trusting(first), trusting(f"arn:aws:sts::{ACCOUNT}:assumed-role/first/mine")])
    assume(mine, APP)
    aws.client("iam").update_assume_role_policy(
        RoleName="app",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": trusting(f"arn:aws:sts::{ACCOUNT}:assumed-role/first/mine")}
        ),
    )
    assume(mine, APP)
    with refused("AccessDenied", NO_TRUST):
        assume(assume(ann, first, "yours"), APP)
    with refused("AccessDenied", NO_TRUST):
        assume(ann, APP)


def test_a_role_assumes_itself_when_it_is_trusted_like_any_other(aws, role, assume, refused):
    """AWS: since 2022 a role trusts itself no longer without saying so."""
    ann = aws.user("ann")
    role("app", trusting(ANN), allow("sts:AssumeRole", APP))
    with refused("AccessDenied", NO_TRUST):
        assume(assume(ann, APP), APP)


def test_a_session_policy_binds_what_the_session_may_assume(aws, role, assume, refused):
    """Invariant AUZ-10: the caller's session policy counts when roles are chained."""
    ann = aws.user("ann")
    first = role("first", trusting(ANN), allow("sts:AssumeRole"))
    role("app", trusting(first))
    session = assume(ann, first, Policy=json.dumps({"Version": "2012-10-17", "Statement": allow("sqs:*")}))
    with refused("AccessDenied", "because no session policy allows the sts:AssumeRole action"):
        assume(session, APP)
    assume(assume(ann, first, Policy=json.dumps({"Version": "2012-10-17", "Statement": MAY})), APP)


def test_nobody_assumes_a_role_without_signing(aws, refused):
    with refused("MissingAuthenticationToken"):
        aws.client("sts", signature_version=UNSIGNED).assume_role(RoleArn=APP, RoleSessionName="test")


THERE = f"arn:aws:iam::{OTHER}:role/shared"


@pytest.mark.parametrize(
    ("trusted", "statements", "layer"),
    [
        pytest.param(ACCOUNT, [allow("sts:AssumeRole", THERE)], None, id="both accounts allow"),
        pytest.param(ANN, [allow("sts:AssumeRole", THERE)], None, id="the user is named and let"),
        pytest.param("*", [allow("sts:AssumeRole", THERE)], None, id="everybody is trusted"),
        pytest.param(ACCOUNT, [], "identity-based policy", id="the caller's account does not allow"),
        pytest.param(ANN, [], "identity-based policy", id="the user is named and not let"),
        pytest.param("*", [], "identity-based policy", id="everybody is trusted and the user not let"),
        pytest.param(
            OTHER, [allow("sts:AssumeRole", THERE)], "role trust policy", id="the role trusts its own account"
        ),
    ],
)
def test_across_accounts_both_must_allow(aws, other, role, assume, refused, trusted, statements, layer):
    ann = aws.user("ann", *statements)
    role("shared", trusting(trusted), credentials=other)
    if layer is None:
        identity = aws.client("sts", assume(ann, THERE)).get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == (OTHER, f"arn:aws:sts::{OTHER}:assumed-role/shared/test")
    else:
        with refused("AccessDenied", f"on resource: {THERE} because no {layer} allows the sts:AssumeRole action"):
            assume(ann, THERE)


@pytest.mark.parametrize(
    "absent",
    [f"arn:aws:iam::{OTHER}:role/none", "arn:aws:iam::999999999999:role/shared", f"arn:aws:iam::{OTHER}:role/a/shared"],
    ids=["role", "account", "path"],
)
def test_sts_13_a_role_that_is_not_there_looks_like_one_that_does_not_trust(aws, other, role, assume, refused, absent):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    role("shared", trusting(OTHER), credentials=other)
    with refused("AccessDenied") as untrusting:
        assume(ann, THERE)
    with refused("AccessDenied") as missing:
        assume(ann, absent)
    assert missing["Message"] == untrusting["Message"].replace(THERE, absent)


@pytest.mark.parametrize(
    ("condition", "given", "fits"),
    [
        pytest.param({"StringEquals": {"sts:ExternalId": "Unique-1"}}, "Unique-1", True, id="equal"),
        pytest.param({"StringEquals": {"sts:ExternalId": "Unique-1"}}, "unique-1", False, id="of another case"),
        pytest.param({"StringEquals": {"sts:ExternalId": "Unique-1"}}, "Unique-2", False, id="another"),
        pytest.param({"StringEquals": {"sts:ExternalId": "Unique-1"}}, None, False, id="absent"),
        pytest.param({"StringLike": {"sts:ExternalId": "*"}}, None, False, id="absent where any will do"),
        pytest.param({"StringNotEquals": {"sts:ExternalId": "Unique-1"}}, None, True, id="absent and negated"),
        pytest.param({"Null": {"sts:ExternalId": "true"}}, None, True, id="absent as wanted"),
        pytest.param({"Null": {"sts:ExternalId": "true"}}, "Unique-1", False, id="there and not wanted"),
        pytest.param({"StringEquals": {"sts:ExternalId": ""}}, None, False, id="absent is not empty"),
    ],
)
def test_sts_14_the_external_id_must_be_the_one(aws, other, role, assume, refused, condition, given, fits):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    role("shared", trusting(ACCOUNT, **condition), credentials=other)
    parameters = {} if given is None else {"ExternalId": given}
    if fits:
        assume(ann, THERE, **parameters)
    else:
        with refused("AccessDenied", "because no role trust policy allows the sts:AssumeRole action"):
            assume(ann, THERE, **parameters)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "bob"}}, False),
        ({"StringEquals": {"aws:ResourceTag/Stage": "test"}}, True),
        ({"StringEquals": {"iam:ResourceTag/stage": "test"}}, True),
        ({"StringEquals": {"iam:ResourceTag/Stage": "live"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/Team": "blue"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/Team": "red"}}, False),
        ({"ArnEquals": {"aws:PrincipalArn": ANN}}, True),
        ({"StringEquals": {"aws:ResourceAccount": ACCOUNT, "aws:PrincipalAccount": ACCOUNT}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, True),
    ],
)
def test_conditions_of_the_trust_policy_see_the_request(aws, role, assume, refused, condition, fits):
    ann = aws.user("ann")
    aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    role("app", trusting(ANN, **condition), Tags=[{"Key": "Stage", "Value": "test"}])
    if fits:
        assume(ann, APP, "ann")
    else:
        with refused("AccessDenied", NO_TRUST):
            assume(ann, APP, "ann")


def test_a_namesake_of_the_trusted_is_not_trusted(aws, role, assume, refused):
    """Invariant PRN-03: the trust policy keeps the unique id of the user that it named."""
    iam, ann = aws.client("iam"), aws.user("ann")
    role("app", trusting(ANN))
    assume(ann, APP)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    iam.delete_user(UserName="ann")
    again = aws.user("ann", MAY)
    with refused("AccessDenied", NO_TRUST):
        assume(again, APP)
    shown = iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"].startswith("AIDA")


def test_a_renamed_user_stays_trusted(aws, role, assume):
    ann = aws.user("ann")
    role("app", trusting(ANN))
    aws.client("iam").update_user(UserName="ann", NewUserName="anna", NewPath="/team/")
    assume(ann, APP)
