"""Users with MFA prove what they have besides what they know (Cognito API Reference, RespondToAuthChallenge)."""

import json
import time

import pyotp
import pytest
from gateway.pools import PASSWORD, a_pool, code_of_user
from gateway.proving import Prover
from gateway.two_accounts import code_of, refused

FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]
PREFERRED = {"Enabled": True, "PreferredMfa": True}


@pytest.fixture
def pool(cloud, idp):
    """A pool in which users may have MFA, its client, and a user with a password."""
    pool, client = a_pool(cloud, ExplicitAuthFlows=FLOWS)
    demand(idp, pool, "OPTIONAL")
    for name in ("ann", "mallory"):
        idp.admin_create_user(UserPoolId=pool, Username=name, TemporaryPassword=PASSWORD)
        idp.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    return pool, client


def demand(idp, pool, mfa):
    enabled = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": mfa}
    idp.set_user_pool_mfa_config(UserPoolId=pool, **enabled)


def with_password(users, client, name="ann"):
    given = {"USERNAME": name, "PASSWORD": PASSWORD}
    return users.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)


def device_of(users, client, name="ann", **preference):
    """What makes the codes of a user, who has it set up and enabled."""
    token = with_password(users, client, name)["AuthenticationResult"]["AccessToken"]
    device = pyotp.TOTP(users.associate_software_token(AccessToken=token)["SecretCode"])
    users.verify_software_token(AccessToken=token, UserCode=device.now())
    preference = preference or {"SoftwareTokenMfaSettings": PREFERRED}
    users.set_user_mfa_preference(AccessToken=token, **preference)
    return device


def answer(client, asked, code, name="ann", challenge="SOFTWARE_TOKEN_MFA"):
    answers = {"USERNAME": name, f"{challenge}_CODE": code}
    return {
        "ClientId": client,
        "ChallengeName": challenge,
        "Session": asked["Session"],
        "ChallengeResponses": answers,
    }


def test_a_code_is_the_users_own(users, pool):
    _, client = pool
    mine, theirs = device_of(users, client), device_of(users, client, "mallory")
    asked = with_password(users, client)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    mismatch = ("CodeMismatchException", "Invalid code received for user")
    long_ago = mine.at(time.time() - 300)
    for wrong in ("123456", theirs.now(), long_ago, "12345", "x"):
        assert refused(users.respond_to_auth_challenge, **answer(client, asked, wrong)) == mismatch
    assert users.respond_to_auth_challenge(**answer(client, asked, mine.now()))["AuthenticationResult"]


def test_a_code_is_good_for_one_sign_in(users, pool):
    _, client = pool
    device = device_of(users, client)
    now = time.time()
    code = device.at(now)
    assert users.respond_to_auth_challenge(**answer(client, with_password(users, client), code))
    asked = with_password(users, client)
    used = ("ExpiredCodeException", "Your software token has already been used once.")
    assert refused(users.respond_to_auth_challenge, **answer(client, asked, code)) == used
    assert users.respond_to_auth_challenge(**answer(client, asked, device.at(now + 30)))["AuthenticationResult"]


def test_a_device_is_set_up_by_a_code_of_its_own(users, pool):
    _, client = pool
    token = with_password(users, client)["AuthenticationResult"]["AccessToken"]
    given = {"AccessToken": token, "UserCode": "123456"}
    none = ("SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user.")
    assert refused(users.verify_software_token, **given) == none
    first = users.associate_software_token(AccessToken=token)["SecretCode"]
    assert first != users.associate_software_token(AccessToken=token)["SecretCode"]
    words = ("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
    assert refused(users.verify_software_token, **given) == words
    assert refused(users.verify_software_token, AccessToken=token, UserCode=pyotp.TOTP(first).now()) == words
    settings = {"SoftwareTokenMfaSettings": PREFERRED}
    assert code_of(users.set_user_mfa_preference, AccessToken=token, **settings) == "InvalidParameterException"


def test_a_device_stays_until_the_next_is_verified(users, pool):
    _, client = pool
    token = with_password(users, client)["AuthenticationResult"]["AccessToken"]
    device = device_of(users, client)
    users.associate_software_token(AccessToken=token)
    asked = with_password(users, client)
    assert users.respond_to_auth_challenge(**answer(client, asked, device.now()))["AuthenticationResult"]


def test_who_knows_the_password_alone_sets_up_no_device(users, pool):
    _, client = pool
    device_of(users, client)
    session = with_password(users, client)["Session"]
    words = ("NotAuthorizedException", "Invalid session for the user.")
    assert refused(users.associate_software_token, Session=session) == words
    assert refused(users.verify_software_token, Session=session, UserCode="123456") == words


def test_a_way_that_is_enabled_is_asked_for_though_none_is_preferred(users, pool):
    _, client = pool
    device_of(users, client, SoftwareTokenMfaSettings={"Enabled": True})
    asked = with_password(users, client)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "AuthenticationResult" not in asked


def test_a_message_is_asked_for_by_whoever_prefers_one(cloud, users, pool):
    people, client = pool
    device_of(users, client, SMSMfaSettings={"Enabled": True}, SoftwareTokenMfaSettings={"Enabled": True})
    assert with_password(users, client)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    device_of(users, client, "mallory", SMSMfaSettings=PREFERRED, SoftwareTokenMfaSettings={"Enabled": True})
    asked = with_password(users, client, "mallory")
    assert asked["ChallengeName"] == "SMS_MFA"
    code = code_of_user(cloud, None, people, "mallory")
    given = answer(client, asked, code, "mallory", "SMS_MFA")
    assert users.respond_to_auth_challenge(**given)["AuthenticationResult"]


def test_a_code_in_a_message_is_the_one_that_was_sent_and_is_taken_once(cloud, idp, users, pool):
    people, client = pool
    phone = [{"Name": "phone_number", "Value": "+12065550123"}]
    idp.admin_update_user_attributes(UserPoolId=people, Username="ann", UserAttributes=phone)
    device_of(users, client, SMSMfaSettings=PREFERRED)
    asked = with_password(users, client)
    told = {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+*******0123"}
    assert asked["ChallengeParameters"] == told
    code = code_of_user(cloud, None, people, "ann")
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    mismatch = ("CodeMismatchException", "Invalid code or auth state for the user.")
    for one in (wrong, "x"):
        assert refused(users.respond_to_auth_challenge, **answer(client, asked, one, challenge="SMS_MFA")) == mismatch
    assert users.respond_to_auth_challenge(**answer(client, asked, code, challenge="SMS_MFA"))["AuthenticationResult"]
    again = answer(client, with_password(users, client), code, challenge="SMS_MFA")
    # Another sign-in has a code of its own, which is the same once in a million times.
    if code_of_user(cloud, None, people, "ann") != code:
        assert refused(users.respond_to_auth_challenge, **again) == mismatch


def by_administrator(idp, pool, client):
    return idp.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )


def by_proof(users, pool, client):
    prover = Prover(pool, PASSWORD)
    given = {"USERNAME": "ann", "SRP_A": f"{prover.shown:x}"}
    asked = users.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=given)
    answers = prover.answers(asked["ChallengeParameters"])
    return users.respond_to_auth_challenge(
        ClientId=client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=answers
    )


def test_every_way_to_sign_in_asks_for_what_the_pool_demands(idp, users, pool):
    pool, client = pool
    demand(idp, pool, "ON")
    for asked in (
        with_password(users, client),
        by_administrator(idp, pool, client),
        by_proof(users, pool, client),
    ):
        assert asked["ChallengeName"] == "MFA_SETUP"
        assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
        assert "AuthenticationResult" not in asked
    begun = users.associate_software_token(Session=asked["Session"])
    device = pyotp.TOTP(begun["SecretCode"])
    verified = users.verify_software_token(Session=begun["Session"], UserCode=device.now())
    challenge = {"ClientId": client, "ChallengeName": "MFA_SETUP", "ChallengeResponses": {"USERNAME": "ann"}}
    done = users.respond_to_auth_challenge(Session=verified["Session"], **challenge)
    assert done["AuthenticationResult"]
    for asked in (
        with_password(users, client),
        by_administrator(idp, pool, client),
        by_proof(users, pool, client),
    ):
        assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert users.respond_to_auth_challenge(**answer(client, asked, device.now()))["AuthenticationResult"]
    refresh = {"REFRESH_TOKEN": done["AuthenticationResult"]["RefreshToken"]}
    given = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh}
    assert users.initiate_auth(ClientId=client, **given)["AuthenticationResult"]


def test_a_new_password_does_not_do_for_a_code(idp, users, pool):
    pool, client = pool
    device = device_of(users, client)
    idp.admin_set_user_password(UserPoolId=pool, Username="ann", Password=PASSWORD, Permanent=False)
    asked = with_password(users, client)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    new = {"USERNAME": "ann", "NEW_PASSWORD": "Another-horse-2"}
    asked = users.respond_to_auth_challenge(
        ClientId=client, ChallengeName="NEW_PASSWORD_REQUIRED", Session=asked["Session"], ChallengeResponses=new
    )
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert users.respond_to_auth_challenge(**answer(client, asked, device.now()))["AuthenticationResult"]


def test_nothing_is_asked_of_users_of_a_pool_without_mfa(idp, users, pool):
    pool, client = pool
    device_of(users, client, SoftwareTokenMfaSettings={"Enabled": True})
    demand(idp, pool, "OFF")
    assert with_password(users, client)["AuthenticationResult"]
