"""GetSessionToken: what such a session may, how long it lasts, and the one-time code that it was made with."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from running import ACCOUNT, Credentials, allow, deny
from services.sts.conftest import trusting
from services.sts.phone import Phone

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
INVALID = ("InvalidClientTokenId", "The security token included in the request is invalid.")
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
CANNOT = "Cannot call {} with session credentials"


@pytest.fixture
def ann(aws):
    """A user who may read events, and users."""
    return aws.user("ann", allow(["cloudtrail:LookupEvents", "iam:ListUsers", "sts:*"]))


@pytest.fixture
def phone(aws, ann):
    """Ann's device."""
    return Phone.of(aws.client("iam"), aws.client("sts", ann).get_caller_identity()["Arn"].rpartition("/")[2])


@pytest.fixture
def begin(aws, ann):
    """`begin(**parameters)` gives the credentials of a session of ann's."""
    return lambda **parameters: Credentials.of(aws.client("sts", ann).get_session_token(**parameters)["Credentials"])


def seconds_left(answer):
    return (answer["Credentials"]["Expiration"] - datetime.now(UTC)) / timedelta(seconds=1)


def test_a_session_is_the_user_with_a_key_of_its_own(aws, ann):
    answer = aws.client("sts", ann).get_session_token()
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert answer.keys() == {"Credentials", "SessionTokenSize", "SessionTokenUtilization", "ResponseMetadata"}
    session = Credentials.of(answer["Credentials"])
    identity, own = (aws.client("sts", who).get_caller_identity() for who in (session, ann))
    assert [identity[name] for name in ("Account", "UserId", "Arn")] == [
        own[name] for name in ("Account", "UserId", "Arn")
    ]


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 43200), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 129600}, 129600)]
)
def test_sts_02_a_session_lasts_12_hours_unless_another_time_is_asked_for(aws, ann, asked, given):
    answer = aws.client("sts", ann).get_session_token(**asked)
    assert given - 60 < seconds_left(answer) <= given + 1


@pytest.mark.parametrize(
    ("seconds", "bound"), [(899, "greater than or equal to 900"), (129601, "less than or equal to 129600")]
)
def test_sts_02_no_session_is_shorter_than_15_minutes_or_longer_than_36_hours(aws, ann, refused, seconds, bound):
    with refused("ValidationError", f"'durationSeconds' failed to satisfy constraint: Member must have value {bound}"):
        aws.client("sts", ann, parameter_validation=False).get_session_token(DurationSeconds=seconds)


def test_sts_01_it_ends_in_the_second_that_its_answer_says(aws, ann, refused):
    answer = aws.client("sts", ann).get_session_token(DurationSeconds=900)
    sts = aws.client("sts", Credentials.of(answer["Credentials"]))
    left = seconds_left(answer)
    aws.advance(left - 5)
    sts.get_caller_identity()
    aws.advance(5)
    with refused("ExpiredToken"):
        sts.get_caller_identity()


def test_a_token_is_as_long_as_is_asked_for(aws, ann, refused):
    sts = aws.client("sts", ann)
    long = sts.get_session_token(MinimumSessionTokenSize=4096)
    assert long["SessionTokenSize"] == len(long["Credentials"]["SessionToken"]) >= 4096
    assert sts.get_session_token()["SessionTokenSize"] < 1000
    with refused("ValidationError", "at 'minimumSessionTokenSize' failed to satisfy constraint"):
        aws.client("sts", ann, parameter_validation=False).get_session_token(MinimumSessionTokenSize=4097)


@pytest.mark.parametrize("statements", [[], [deny("*")], [deny("sts:GetSessionToken")]])
def test_no_policy_is_asked(aws, statements):
    """AWS: "Permissions for GetSessionToken" (id_credentials_temp_control-access_getsessiontoken)."""
    bob = aws.user("bob", *statements)
    aws.client("iam").put_user_permissions_boundary(
        UserName="bob", PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll"
    )
    aws.client("sts", bob).get_session_token()


def test_sts_03_a_session_may_what_the_user_may_at_every_request(aws, begin, refused):
    session = aws.client("cloudtrail", begin())
    session.lookup_events()
    policy = {"Version": "2012-10-17", "Statement": [deny("cloudtrail:*")]}
    aws.client("iam").put_user_policy(UserName="ann", PolicyName="test", PolicyDocument=json.dumps(policy))
    with refused("AccessDeniedException", f"User: {ANN} is not authorized to perform: cloudtrail:LookupEvents"):
        session.lookup_events()


def test_sts_10_without_mfa_iam_does_not_know_its_key(aws, begin, phone, refused):
    with refused(*INVALID):
        aws.client("iam", begin()).list_users()
    with refused(*INVALID):
        aws.client("iam", begin(), parameter_validation=False).get_user(UserName="")
    aws.client("iam", begin(**phone.codes())).list_users()
    failed, done = [event.get("errorCode") for event in aws.events("ListUsers")][::-1]
    assert (failed, done) == ("InvalidClientTokenId", None)


@pytest.mark.parametrize("with_mfa", [False, True])
def test_sts_10_of_sts_it_may_assume_roles_and_ask_who_it_is(aws, role, assume, begin, phone, refused, with_mfa):
    session = begin(**(phone.codes() if with_mfa else {}))
    sts = aws.client("sts", session)
    sts.get_caller_identity()
    assume(session, role("app", trusting(ANN)))
    with refused("AccessDenied", CANNOT.format("GetSessionToken")):
        sts.get_session_token()
    with refused("AccessDenied", CANNOT.format("GetAccessKeyInfo")):
        sts.get_access_key_info(AccessKeyId=session.access_key_id)
    with refused("AccessDenied", CANNOT.format("DecodeAuthorizationMessage")):
        sts.decode_authorization_message(EncodedMessage="message")
    assert aws.events("GetSessionToken")[0]["errorMessage"] == CANNOT.format("GetSessionToken")


def test_a_session_of_a_role_begins_none(aws, role, assume, refused):
    session = assume(None, role("app", trusting(ACCOUNT), allow("sts:*")))
    with refused("AccessDenied", CANNOT.format("GetSessionToken")):
        aws.client("sts", session).get_session_token()


def test_sts_12_a_right_code_makes_it_a_session_with_mfa(aws, role, assume, ann, begin, phone, refused):
    app = role("app", trusting(ANN, **WITH_MFA))
    for without in (ann, begin()):
        with refused("AccessDenied", "no role trust policy allows"):
            assume(without, app)
    assume(begin(**phone.codes()), app)
    user = [event["userIdentity"] for event in aws.events("AssumeRole")]
    assert [who.get("sessionContext", {}).get("attributes", {}).get("mfaAuthenticated") for who in user] == [
        "true",
        "false",
        None,
    ]


def test_the_age_of_the_code_grows(aws, role, assume, begin, phone, refused):
    app = role("app", trusting(ANN, NumericLessThan={"aws:MultiFactorAuthAge": "600"}))
    with refused("AccessDenied"):
        assume(begin(), app)
    session = begin(**phone.codes())
    aws.advance(590)
    assume(session, app)
    aws.advance(20)
    with refused("AccessDenied"):
        assume(session, app)


@pytest.mark.parametrize(("wanted", "allowed"), [("true", [False, False, True]), ("false", [False, True, False])])
def test_only_sessions_say_whether_there_was_a_code(aws, ann, begin, phone, refused, wanted, allowed):
    """AWS: the key is absent with long-term keys (id_credentials_mfa_configure-api-require)."""
    policy = allow("cloudtrail:LookupEvents", Bool={"aws:MultiFactorAuthPresent": wanted})
    document = json.dumps({"Version": "2012-10-17", "Statement": policy})
    aws.client("iam").put_user_policy(UserName="ann", PolicyName="test", PolicyDocument=document)
    for who, is_let in zip((ann, begin(), begin(**phone.codes())), allowed, strict=True):
        if is_let:
            aws.client("cloudtrail", who).lookup_events()
        else:
            with refused("AccessDeniedException"):
                aws.client("cloudtrail", who).lookup_events()


def test_sig_11_a_code_is_taken_once_and_must_be_right(begin, phone, refused):
    codes = phone.codes()
    begin(**codes)
    with refused("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "):
        begin(**codes)
    with refused("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "):
        begin(**phone.wrong())
    with refused("AccessDenied", "must provide both MFA serial number and one time pass code."):
        begin(SerialNumber=phone.serial)
    with refused("AccessDenied", "must provide both MFA serial number and one time pass code."):
        begin(TokenCode="123456")


def test_only_the_users_own_device_counts(aws, begin, refused):
    aws.user("bob")
    with refused("AccessDenied", "unable to validate MFA code."):
        begin(**Phone.of(aws.client("iam"), "bob").codes())


def test_prn_08_a_user_with_a_device_changes_it_with_a_session_with_mfa(aws, ann, begin, phone, refused):
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:*")})
    aws.client("iam").put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=policy)
    with refused("AccessDenied"):
        aws.client("iam", ann).deactivate_mfa_device(UserName="ann", SerialNumber=phone.serial)
    aws.client("iam", begin(**phone.codes())).deactivate_mfa_device(UserName="ann", SerialNumber=phone.serial)
    assert aws.client("iam").list_mfa_devices(UserName="ann")["MFADevices"] == []


def test_what_was_asked_and_given_is_recorded_without_secrets(aws, ann, phone):
    answer = aws.client("sts", ann).get_session_token(DurationSeconds=900, **phone.codes())
    session = Credentials.of(answer["Credentials"])
    aws.client("cloudtrail", session).lookup_events()
    [record] = aws.events("GetSessionToken")
    assert (record["eventSource"], record["readOnly"]) == ("sts.amazonaws.com", True)
    assert record["requestParameters"] == {
        "durationSeconds": 900, "serialNumber": phone.serial, "tokenCode": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }  # fmt: skip
    assert record["responseElements"]["credentials"]["accessKeyId"] == session.access_key_id
    for secret in (session.secret_access_key, session.session_token):
        assert secret not in json.dumps(record)
    who = next(e["userIdentity"] for e in aws.events("LookupEvents") if e["userIdentity"].get("userName") == "ann")
    assert (who["type"], who["arn"], who["accessKeyId"]) == ("IAMUser", ANN, session.access_key_id)
    assert who["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    [found] = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": session.access_key_id}]
    )["Events"]
    assert found["EventName"] == "GetSessionToken"


def test_the_root_users_session_lasts_an_hour_and_may_everything_but_assume_roles(rooted, refused):
    """AWS: a longer time is cut to an hour (STS API Reference, GetSessionToken, DurationSeconds)."""
    aws, sts = rooted.aws, rooted.aws.client("sts", rooted.credentials)
    for asked, given in (({}, 3600), ({"DurationSeconds": 129600}, 3600), ({"DurationSeconds": 900}, 900)):
        assert given - 60 < seconds_left(sts.get_session_token(**asked)) <= given + 1
    without = Credentials.of(sts.get_session_token()["Credentials"])
    assert aws.client("sts", without).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    aws.client("cloudtrail", without).lookup_events()
    with refused(*INVALID):
        aws.client("iam", without).list_users()
    with refused("AccessDenied", "Roles may not be assumed by root accounts."):
        aws.client("sts", without).assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app", RoleSessionName="test")
    answer = sts.get_session_token(**rooted.phone.codes())
    aws.client("iam", Credentials.of(answer["Credentials"])).list_users()
    record = next(event for event in aws.events("ListUsers") if "errorCode" not in event)
    assert record["userIdentity"]["type"] == "Root"
    assert record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
