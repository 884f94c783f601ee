"""What a session may, how long, and what ends it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from running import ACCOUNT, Credentials, allow, deny
from services.sts.conftest import trusting

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
INVALID = ("InvalidClientTokenId", "The security token included in the request is invalid")


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def iam(aws):
    """IAM as the administrator calls it."""
    return aws.client("iam")


@pytest.fixture
def ann(aws):
    """A user who may list groups."""
    return aws.user("ann", allow("iam:ListGroups"))


@pytest.fixture
def app(ann, aws, role):
    """A role that ann may assume, and that may list users."""
    return role("app", trusting(aws.client("sts", ann).get_caller_identity()["Arn"]), allow("iam:ListUsers"))


def test_a_session_has_the_roles_permissions_and_the_user_has_its_own_back(aws, ann, app, assume, refused):
    session = aws.client("iam", assume(ann, app))
    session.list_users()
    with refused("AccessDenied", f"User: arn:aws:sts::{ACCOUNT}:assumed-role/app/test is not authorized"):
        session.list_groups()
    aws.client("iam", ann).list_groups()
    with refused("AccessDenied", f"User: {ANN} is not authorized"):
        aws.client("iam", ann).list_users()


def test_sts_03_what_a_role_may_is_asked_at_every_request(aws, iam, ann, app, assume, refused):
    session = aws.client("iam", assume(ann, app))
    iam.put_role_policy(RoleName="app", PolicyName="test", PolicyDocument=text(allow("iam:ListGroups")))
    session.list_groups()
    with refused("AccessDenied"):
        session.list_users()
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    session.list_users()
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    with refused("AccessDenied", "because no permissions boundary allows the iam:ListUsers action"):
        session.list_users()


def test_sts_01_a_session_ends_in_the_second_that_its_answer_says(aws, ann, app, refused):
    answer = aws.client("sts", ann).assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=900)
    session = aws.client("iam", Credentials.of(answer["Credentials"]))
    left = (answer["Credentials"]["Expiration"] - datetime.now(UTC)) / timedelta(seconds=1)
    aws.advance(left - 5)
    session.list_users()
    aws.advance(5)
    with refused("ExpiredToken", "The security token included in the request is expired"):
        session.list_users()


def test_sts_04_sessions_of_before_a_moment_are_revoked_and_later_ones_are_not(aws, iam, ann, app, assume, refused):
    """AWS: id_roles_use_revoke-sessions, the policy AWSRevokeOlderSessions."""
    before = aws.client("iam", assume(ann, app))
    aws.advance(10)
    revoked = datetime.fromtimestamp(moment_of(aws), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = {"DateLessThan": {"aws:TokenIssueTime": revoked}}
    iam.put_role_policy(RoleName="app", PolicyName="AWSRevokeOlderSessions", PolicyDocument=text(deny("*", **older)))
    with refused("AccessDenied", "with an explicit deny in an identity-based policy"):
        before.list_users()
    aws.client("iam", assume(ann, app)).list_users()


def moment_of(aws):
    """Now, by iamd's clock."""
    return datetime.fromisoformat(aws.events()[0]["eventTime"]).timestamp() + 1


def test_sts_04_long_term_keys_have_no_issue_time_and_sessions_have(aws, ann, app, iam, assume, refused):
    absent = {"Null": {"aws:TokenIssueTime": "true"}}
    iam.put_user_policy(UserName="ann", PolicyName="test", PolicyDocument=text(allow("iam:ListGroups", **absent)))
    aws.client("iam", ann).list_groups()
    iam.put_role_policy(RoleName="app", PolicyName="test", PolicyDocument=text(allow("iam:ListUsers", **absent)))
    with refused("AccessDenied"):
        aws.client("iam", assume(ann, app)).list_users()


def test_sts_05_a_chained_session_has_its_own_issue_time_and_outlives_the_one_it_came_from(aws, role, ann, app, assume):
    two = role("two", trusting(app), allow("iam:ListUsers"))
    one = assume(ann, app, DurationSeconds=900)
    aws.advance(600)
    session = aws.client("iam", assume(one, two, DurationSeconds=900))
    aws.advance(600)
    session.list_users()


def test_prn_04_the_sessions_of_a_deleted_role_end_and_its_namesake_has_none(aws, iam, role, ann, app, assume, refused):
    session = aws.client("iam", assume(ann, app))
    iam.delete_role_policy(RoleName="app", PolicyName="test")
    iam.delete_role(RoleName="app")
    with refused(*INVALID):
        session.list_users()
    role("app", trusting(ANN), allow("iam:ListUsers"))
    with refused(*INVALID):
        session.list_users()
    aws.client("iam", assume(ann, app)).list_users()


def test_a_session_lasts_though_key_user_and_trust_of_who_began_it_are_gone(aws, iam, ann, app, assume, refused):
    """AWS: a role's session has nothing of the user's but its name in the log (id_roles_use)."""
    session = aws.client("iam", assume(ann, app))
    iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key_id, Status="Inactive")
    with refused(*INVALID):
        assume(ann, app)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    iam.delete_user_policy(UserName="ann", PolicyName="test")
    iam.delete_user(UserName="ann")
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=text(trusting({"Service": "ec2.amazonaws.com"})))
    session.list_users()


def test_sts_06_an_inactive_and_a_deleted_key_are_refused_at_once(aws, iam, ann, app, assume, refused):
    for status, works in (("Inactive", False), ("Active", True)):
        iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key_id, Status=status)
        if works:
            assume(ann, app)
        else:
            with refused(*INVALID):
                assume(ann, app)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    with refused(*INVALID):
        assume(ann, app)


def test_sts_08_a_token_fits_its_own_key_and_no_other(aws, ann, app, assume, refused):
    one, two = assume(ann, app), assume(ann, app)
    token = one.session_token
    wrong = [
        Credentials(one.access_key_id, one.secret_access_key),
        Credentials(one.access_key_id, one.secret_access_key, two.session_token),
        Credentials(one.access_key_id, one.secret_access_key, token[:-2]),
        Credentials(one.access_key_id, one.secret_access_key, token + "A"),
        Credentials(
            one.access_key_id, one.secret_access_key, token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
        ),
        Credentials(two.access_key_id, one.secret_access_key, token),
        Credentials(ann.access_key_id, ann.secret_access_key, token),
        Credentials("AKIA" + one.access_key_id[4:], one.secret_access_key, token),
    ]
    for credentials in wrong:
        with refused("InvalidClientTokenId"):
            aws.client("iam", credentials).list_users()
    with refused("SignatureDoesNotMatch"):
        aws.client("iam", Credentials(one.access_key_id, two.secret_access_key, token)).list_users()
    aws.client("iam", one).list_users()


def test_sts_12_a_session_of_a_role_was_not_made_with_mfa(aws, iam, ann, app, assume, refused):
    for wanted, works in (("true", False), ("false", True)):
        condition = {"Bool": {"aws:MultiFactorAuthPresent": wanted}}
        iam.put_role_policy(RoleName="app", PolicyName="test", PolicyDocument=text(allow("iam:ListUsers", **condition)))
        if works:
            aws.client("iam", assume(ann, app)).list_users()
        else:
            with refused("AccessDenied"):
                aws.client("iam", assume(ann, app)).list_users()


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"StringLike": {"aws:userid": "*:test"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": APP}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:assumed-role/app/*"}}, False),
        ({"Null": {"aws:username": "true"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/Stage": "test"}}, True),
    ],
)
def test_conditions_see_a_session_as_its_role(aws, iam, ann, app, assume, refused, condition, fits):
    iam.tag_role(RoleName="app", Tags=[{"Key": "stage", "Value": "test"}])
    iam.put_role_policy(RoleName="app", PolicyName="test", PolicyDocument=text(allow("iam:ListUsers", **condition)))
    session = aws.client("iam", assume(ann, app))
    if fits:
        session.list_users()
    else:
        with refused("AccessDenied"):
            session.list_users()
