"""AssumeRole: what comes back, names and durations, and what is recorded."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from running import ACCOUNT, Credentials, allow
from services.sts.conftest import trusting

APP = f"arn:aws:iam::{ACCOUNT}:role/app"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


@pytest.fixture
def app(role):
    """A role with sessions of twelve hours, trusted by ann and by itself."""
    return role("app", trusting(ACCOUNT), allow("sts:AssumeRole"), MaxSessionDuration=43200)


@pytest.fixture
def sts(aws):
    """STS as the administrator calls it, through a client that lets iamd refuse what is wrong."""
    return aws.client("sts", parameter_validation=False)


def seconds_left(answer):
    return (answer["Credentials"]["Expiration"] - datetime.now(UTC)) / timedelta(seconds=1)


def test_a_session_has_the_roles_name_and_id_and_a_key_of_its_own(aws, role, sts):
    arn = role("app", trusting(ACCOUNT), Path="/team/")
    role_id = aws.client("iam").get_role(RoleName="app")["Role"]["RoleId"]
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="orders@eu")
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role_id}:orders@eu",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/orders@eu",
    }
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert answer.keys() == {
        "Credentials", "AssumedRoleUser", "SessionTokenSize", "SessionTokenUtilization", "ResponseMetadata",
    }  # fmt: skip
    identity = aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()
    assert (identity["Account"], identity["UserId"], identity["Arn"]) == (
        ACCOUNT,
        f"{role_id}:orders@eu",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/app/orders@eu",
    )


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 43200}, 43200)]
)
def test_a_session_lasts_an_hour_unless_another_time_is_asked_for(sts, app, asked, given):
    answer = sts.assume_role(RoleArn=app, RoleSessionName="test", **asked)
    assert given - 60 < seconds_left(answer) <= given + 1


@pytest.mark.parametrize(
    ("seconds", "bound"), [(899, "greater than or equal to 900"), (43201, "less than or equal to 43200")]
)
def test_sts_02_no_session_is_shorter_than_15_minutes_or_longer_than_12_hours(sts, app, refused, seconds, bound):
    with refused(
        "ValidationError", f"at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
    ):
        sts.assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=seconds)


def test_sts_02_no_session_is_longer_than_the_role_allows_now(aws, sts, app, refused):
    aws.client("iam").update_role(RoleName="app", MaxSessionDuration=7200)
    sts.assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=7200)
    with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        sts.assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=7201)


def test_sts_02_a_chained_session_lasts_an_hour_at_most(aws, app, assume, refused):
    """AWS: asking for more is an error and not cut down (id_roles, "Role chaining")."""
    chained = aws.client("sts", assume(None, app, DurationSeconds=43200))
    for asked, given in (({}, 3600), ({"DurationSeconds": 3600}, 3600), ({"DurationSeconds": 900}, 900)):
        answer = chained.assume_role(RoleArn=app, RoleSessionName="test", **asked)
        assert given - 60 < seconds_left(answer) <= given + 1
    words = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    with refused("ValidationError", words):
        chained.assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=3601)


@pytest.mark.parametrize("name", ["ab", "a" * 64, "a_b=c,d.e@f-g+1"])
def test_a_session_name_has_up_to_64_characters(aws, app, assume, name):
    identity = aws.client("sts", assume(None, app, name)).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{name}"


@pytest.mark.parametrize("name", ["a" * 65, "a b", "a/b", "a:b", "a*", "éé", "ſſ", "ab\n", "٣٣", "${aws:username}"])
def test_sts_11_other_session_names_are_refused(sts, app, refused, name):
    with refused("ValidationError", "at 'roleSessionName' failed to satisfy constraint: Member must"):
        sts.assume_role(RoleArn=app, RoleSessionName=name)


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:user/ann/role",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/app/x",
        f"{ACCOUNT}:role/app/and/more",
        f"arn:aws:iam::{ACCOUNT}:group/role/app",
    ],
)
def test_what_is_no_roles_arn_is_invalid(sts, refused, arn):
    with refused("ValidationError", f"{arn} is invalid"):
        sts.assume_role(RoleArn=arn, RoleSessionName="test")


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:role/App",
        f"arn:aws:iam::{ACCOUNT}:role/team/app",
        f"arn:aws:iam::{ACCOUNT}:role//app",
        f"arn:aws:iam::{ACCOUNT}:role/*",
        f"arn:aws:iam:us-east-1:{ACCOUNT}:role/app",
        f"arn:aws-cn:iam::{ACCOUNT}:role/app",
        f"arn:aws:iam::{ACCOUNT}:role/\u0430pp",
    ],
)
@pytest.mark.usefixtures("app")
def test_an_arn_that_is_nearly_a_roles_is_no_roles(sts, refused, arn):
    with refused("AccessDenied", f"on resource: {arn} because no role trust policy allows the sts:AssumeRole action"):
        sts.assume_role(RoleArn=arn, RoleSessionName="test")


def test_a_token_is_as_long_as_is_asked_for(sts, app, refused):
    usual = sts.assume_role(RoleArn=app, RoleSessionName="test")
    token = usual["Credentials"]["SessionToken"]
    assert usual["SessionTokenSize"] == len(token)
    assert usual["SessionTokenUtilization"] == -(-len(token) * 100 // 4096)
    long = sts.assume_role(RoleArn=app, RoleSessionName="test", MinimumSessionTokenSize=4096)
    assert long["SessionTokenSize"] == len(long["Credentials"]["SessionToken"]) >= 4096
    assert long["SessionTokenUtilization"] == 100
    with refused("ValidationError", "at 'minimumSessionTokenSize' failed to satisfy constraint"):
        sts.assume_role(RoleArn=app, RoleSessionName="test", MinimumSessionTokenSize=4097)


def test_a_long_token_works(aws, app, assume):
    long = assume(None, app, MinimumSessionTokenSize=4096)
    assert aws.client("sts", long).get_caller_identity()["Account"] == ACCOUNT


def test_contexts_that_nobody_signed_are_refused(sts, app, refused):
    provided = {"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "assertion"}
    with refused("ValidationError", "ProvidedContexts holds an assertion that no context provider here has signed."):
        sts.assume_role(RoleArn=app, RoleSessionName="test", ProvidedContexts=[provided])


def test_what_was_asked_and_given_is_recorded_without_secrets(aws, sts, app):
    answer = sts.assume_role(RoleArn=app, RoleSessionName="test", ExternalId="ext-1", DurationSeconds=900)
    [record] = aws.events("AssumeRole")
    assert (record["eventSource"], record["eventName"]) == ("sts.amazonaws.com", "AssumeRole")
    assert (record["readOnly"], record["managementEvent"], record["eventCategory"]) == (True, True, "Management")
    assert record["recipientAccountId"] == ACCOUNT
    assert record["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert record["requestParameters"] == {
        "roleArn": app, "roleSessionName": "test", "externalId": "ext-1", "durationSeconds": 900,
    }  # fmt: skip
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": app}]
    given = record["responseElements"]
    assert given["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert given["assumedRoleUser"]["assumedRoleId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    for secret in ("SecretAccessKey", "SessionToken"):
        assert answer["Credentials"][secret] not in json.dumps(record)


def test_a_denial_is_recorded_with_its_words(aws, app, refused):
    ann = aws.user("ann")
    with refused("AccessDenied") as error:
        aws.client("sts", ann).assume_role(RoleArn=app, RoleSessionName="test")
    [record] = aws.events("AssumeRole")
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", error["Message"])
    assert (record["userIdentity"]["arn"], record["responseElements"]) == (ANN, None)
    [decision] = aws.explain(record["requestID"])["Decisions"]
    assert (decision["Action"], decision["Resource"], decision["Outcome"]) == (
        "sts:AssumeRole",
        APP,
        "ImplicitlyDenied",
    )
