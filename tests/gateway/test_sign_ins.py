"""Users sign in as their app client allows it, each for themselves (Cognito API Reference, CreateUserPoolClient)."""

import base64
import hmac
import json

import pytest
from gateway.pools import PASSWORD, a_pool, code_of_user, signed_in, signed_up
from gateway.proving import PRIME, Prover
from gateway.two_accounts import code_of, refused

OTHER = "Another-horse-2"


def client_of(idp, pool, **given):
    return idp.create_user_pool_client(UserPoolId=pool, ClientName="more", **given)["UserPoolClient"]


def known(idp, pool, name="ann"):
    """A user with a password, whom an administrator has made."""
    idp.admin_create_user(UserPoolId=pool, Username=name, TemporaryPassword=PASSWORD)
    idp.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)


def begin(users, client, name="ann", flow="USER_PASSWORD_AUTH", **more):
    given = {"USERNAME": name, "PASSWORD": PASSWORD, **more}
    return users.initiate_auth(ClientId=client, AuthFlow=flow, AuthParameters=given)


@pytest.mark.parametrize("flows", [None, ["ALLOW_USER_SRP_AUTH"], ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]])
def test_a_password_is_taken_by_clients_alone_that_have_the_flow(idp, users, flows):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool, **({"ExplicitAuthFlows": flows} if flows else {}))["ClientId"]
    given = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}}
    words = "USER_PASSWORD_AUTH flow not enabled for this client"
    assert refused(users.initiate_auth, ClientId=client, **given) == ("InvalidParameterException", words)


def a_pool_of(idp, **pool):
    made = idp.create_user_pool(PoolName="people", **pool)["UserPool"]["Id"]
    return made, client_of(idp, made, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["ClientId"]


@pytest.mark.parametrize(
    ("flow", "flows"),
    [
        ("USER_PASSWORD_AUTH", ["ALLOW_USER_PASSWORD_AUTH"]),
        ("USER_PASSWORD_AUTH", ["USER_PASSWORD_AUTH"]),
        ("USER_SRP_AUTH", None),
        ("USER_SRP_AUTH", ["ALLOW_USER_SRP_AUTH"]),
    ],
)
def test_a_client_begins_the_flows_that_it_has(idp, users, flow, flows):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool, **({"ExplicitAuthFlows": flows} if flows else {}))["ClientId"]
    assert {"Session", "AuthenticationResult"} & begin(users, client, flow=flow, SRP_A="abc").keys()


@pytest.mark.parametrize("flows", [["ALLOW_ADMIN_USER_PASSWORD_AUTH"], ["ADMIN_NO_SRP_AUTH"], ["ALLOW_USER_SRP_AUTH"]])
def test_administrators_too_sign_in_by_the_clients_flows(idp, flows):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool, ExplicitAuthFlows=flows)["ClientId"]
    given = {
        "UserPoolId": pool,
        "ClientId": client,
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    if flows == ["ALLOW_USER_SRP_AUTH"]:
        words = "Auth flow not enabled for this client"
        assert refused(idp.admin_initiate_auth, **given) == ("InvalidParameterException", words)
    else:
        assert idp.admin_initiate_auth(**given)["AuthenticationResult"]["AccessToken"]


def test_a_session_is_its_users_its_clients_and_its_challenges(idp, users):
    pool, client = a_pool_of(idp)
    further = client_of(idp, pool, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["ClientId"]
    for name in ("ann", "mallory"):
        idp.admin_create_user(UserPoolId=pool, Username=name, TemporaryPassword=PASSWORD)
    session = begin(users, client, "mallory")["Session"]
    new = {"USERNAME": "mallory", "NEW_PASSWORD": OTHER}
    words = ("NotAuthorizedException", "Invalid session for the user.")
    for given in (
        {
            "ClientId": client,
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "ChallengeResponses": {**new, "USERNAME": "ann"},
        },
        {"ClientId": client, "ChallengeName": "MFA_SETUP", "ChallengeResponses": {"USERNAME": "mallory"}},
        {"ClientId": client, "ChallengeName": "SMS_MFA", "ChallengeResponses": {**new, "SMS_MFA_CODE": "123456"}},
    ):
        assert refused(users.respond_to_auth_challenge, Session=session, **given) == words
    given = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeResponses": new}
    assert code_of(users.respond_to_auth_challenge, Session=session, ClientId=further, **given) in {
        "NotAuthorizedException",
        "ResourceNotFoundException",
    }
    whole = {"Session": session, "ClientId": client, **given}
    assert users.respond_to_auth_challenge(**whole)["AuthenticationResult"]
    assert refused(users.respond_to_auth_challenge, **whole) == words
    assert begin(users, client, "ann")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_a_device_is_verified_before_a_sign_in_goes_on(idp, users):
    pool, client = a_pool_of(idp)
    enabled = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "ON"}
    idp.set_user_pool_mfa_config(UserPoolId=pool, **enabled)
    idp.admin_create_user(UserPoolId=pool, Username="ann", TemporaryPassword=PASSWORD)
    session = begin(users, client)["Session"]
    given = {"ClientId": client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    asked = users.respond_to_auth_challenge(**given, ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": OTHER})
    assert asked["ChallengeName"] == "MFA_SETUP"
    given = {"ClientId": client, "ChallengeName": "MFA_SETUP", "ChallengeResponses": {"USERNAME": "ann"}}
    assert code_of(users.respond_to_auth_challenge, Session=asked["Session"], **given) == "NotAuthorizedException"


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_tokens_last_as_long_as_the_client_says(cloud, idp, users):
    units = {"AccessToken": "minutes", "IdToken": "hours"}
    _, client = a_pool(cloud, AccessTokenValidity=10, IdTokenValidity=2, TokenValidityUnits=units)
    tokens = signed_up(users, client)
    lasts = {name: claims(tokens[name]) for name in ("AccessToken", "IdToken")}
    assert {name: told["exp"] - told["iat"] for name, told in lasts.items()} == {"AccessToken": 600, "IdToken": 7200}
    _, usual = a_pool(cloud)
    told = claims(signed_up(users, usual)["AccessToken"])
    assert told["exp"] - told["iat"] == 3600


def refresh(users, client, token, **more):
    given = {"REFRESH_TOKEN": token, **more}
    return users.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)


def test_a_refresh_token_is_its_clients(cloud, idp, users):
    pool, client = a_pool(cloud)
    token = signed_up(users, client)["RefreshToken"]
    further = client_of(idp, pool)["ClientId"]
    given = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token}}
    assert code_of(users.initiate_auth, ClientId=further, **given) == "NotAuthorizedException"
    assert refresh(users, client, token)["AuthenticationResult"]["AccessToken"]
    without = client_of(idp, pool, ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"])["ClientId"]
    assert code_of(users.initiate_auth, ClientId=without, **given) == "InvalidParameterException"


def secret_hash(client, name="ann"):
    digest = hmac.digest(client["ClientSecret"].encode(), f"{name}{client['ClientId']}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def test_a_client_with_a_secret_says_that_it_knows_it(cloud, idp, users):
    pool, _ = a_pool_of(idp, AutoVerifiedAttributes=["email"])
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = client_of(idp, pool, GenerateSecret=True, ExplicitAuthFlows=flows)
    name, good = client["ClientId"], secret_hash(client)
    given = {"ClientId": name, "Username": "ann", "Password": PASSWORD}
    for wrong in ({}, {"SecretHash": "x"}, {"SecretHash": secret_hash(client, "bob")}):
        assert code_of(users.sign_up, **given, **wrong) == "NotAuthorizedException"
    mail = [{"Name": "email", "Value": "ann@example.com"}]
    users.sign_up(**given, SecretHash=good, UserAttributes=mail)
    again = {"ClientId": name, "Username": "ann"}
    assert code_of(users.resend_confirmation_code, **again) == "NotAuthorizedException"
    users.resend_confirmation_code(**again, SecretHash=good)
    confirmed = {**again, "ConfirmationCode": code_of_user(cloud, None, pool, "ann")}
    assert code_of(users.confirm_sign_up, **confirmed) == "NotAuthorizedException"
    users.confirm_sign_up(**confirmed, SecretHash=good)
    assert code_of(users.forgot_password, ClientId=name, Username="ann") == "NotAuthorizedException"
    plain = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    asked = {"ClientId": name, "AuthFlow": "USER_PASSWORD_AUTH"}
    assert code_of(users.initiate_auth, **asked, AuthParameters=plain) == "NotAuthorizedException"
    tokens = users.initiate_auth(**asked, AuthParameters={**plain, "SECRET_HASH": good})["AuthenticationResult"]
    token = tokens["RefreshToken"]
    assert code_of(refresh, users=users, client=name, token=token) == "NotAuthorizedException"
    assert refresh(users, name, token, SECRET_HASH=good)["AuthenticationResult"]["IdToken"]


def test_nobody_signs_up_where_administrators_alone_make_users(idp, users):
    _, client = a_pool_of(idp, AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    words = "SignUp is not permitted for this user pool"
    given = {"ClientId": client, "Username": "ann", "Password": PASSWORD}
    assert refused(users.sign_up, **given) == ("NotAuthorizedException", words)


@pytest.mark.parametrize("attributes", [None, ["email", "nickname"]])
def test_users_write_the_attributes_that_their_client_may(idp, users, attributes):
    pool = idp.create_user_pool(PoolName="people", Schema=[{"Name": "role", "AttributeDataType": "String"}])
    pool = pool["UserPool"]["Id"]
    given = {"WriteAttributes": attributes} if attributes else {}
    client = client_of(idp, pool, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], **given)["ClientId"]
    words = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
    asked = {"ClientId": client, "Username": "ann", "Password": PASSWORD}
    role = [{"Name": "custom:role", "Value": "administrator"}]
    assert refused(users.sign_up, **asked, UserAttributes=role) == words
    users.sign_up(**asked)
    idp.admin_confirm_sign_up(UserPoolId=pool, Username="ann")
    token = signed_in(users, client)["AccessToken"]
    more = [{"Name": "email_verified", "Value": "true"}, *([{"Name": "name", "Value": "Ann"}] if attributes else [])]
    for one in [*role, *more]:
        assert refused(users.update_user_attributes, AccessToken=token, UserAttributes=[one]) == words
    users.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "nickname", "Value": "Annie"}])
    told = {one["Name"]: one["Value"] for one in users.get_user(AccessToken=token)["UserAttributes"]}
    assert (told["nickname"], told.get("custom:role"), told.get("email_verified")) == ("Annie", None, None)
    administrated = {"UserPoolId": pool, "Username": "ann", "UserAttributes": role}
    idp.admin_update_user_attributes(**administrated)
    assert signed_in(users, client)["AccessToken"]


def test_a_client_that_may_write_an_attribute_of_ones_own_writes_it(idp, users):
    pool = idp.create_user_pool(PoolName="people", Schema=[{"Name": "role", "AttributeDataType": "String"}])
    pool = pool["UserPool"]["Id"]
    given = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"], "WriteAttributes": ["custom:role"]}
    client = client_of(idp, pool, **given)["ClientId"]
    role = [{"Name": "custom:role", "Value": "reader"}]
    users.sign_up(ClientId=client, Username="ann", Password=PASSWORD, UserAttributes=role)
    told = idp.admin_get_user(UserPoolId=pool, Username="ann")["UserAttributes"]
    assert {one["Name"]: one["Value"] for one in told}["custom:role"] == "reader"


def proven(users, pool, client, password, **more):
    """What a sign-in without telling the password comes to."""
    prover = Prover(pool, password)
    given = {"USERNAME": "ann", "SRP_A": f"{prover.shown:x}", **more}
    told = users.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=given)
    return {
        "ClientId": client,
        "ChallengeName": told["ChallengeName"],
        "ChallengeResponses": prover.answers(told["ChallengeParameters"]),
    }


def test_a_password_is_proven_without_being_told(idp, users):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool)["ClientId"]
    for _ in range(8):
        answer = users.respond_to_auth_challenge(**proven(users, pool, client, PASSWORD))
        assert users.get_user(AccessToken=answer["AuthenticationResult"]["AccessToken"])["Username"] == "ann"


def test_a_password_that_is_not_the_users_is_not_proven_nor_tried_twice(idp, users):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool)["ClientId"]
    given = proven(users, pool, client, OTHER)
    words = ("NotAuthorizedException", "Incorrect username or password.")
    assert refused(users.respond_to_auth_challenge, **given) == words
    again = ("NotAuthorizedException", "Invalid session for the user.")
    assert refused(users.respond_to_auth_challenge, **given) == again
    given = proven(users, pool, client, PASSWORD)
    given["ChallengeResponses"]["TIMESTAMP"] = "Sat Nov 28 19:56:46 UTC 2026"
    assert refused(users.respond_to_auth_challenge, **given) == words


@pytest.mark.parametrize("shown", ["0", f"{PRIME:x}", f"{2 * PRIME:x}", "-1", "no number"])
def test_what_would_have_the_key_known_is_not_shown(idp, users, shown):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool)["ClientId"]
    given = {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "ann", "SRP_A": shown}}
    assert code_of(users.initiate_auth, ClientId=client, **given) == "InvalidParameterException"


def test_a_temporary_password_is_proven_and_replaced(idp, users):
    pool, _ = a_pool_of(idp)
    idp.admin_create_user(UserPoolId=pool, Username="ann", TemporaryPassword=PASSWORD)
    client = client_of(idp, pool)["ClientId"]
    asked = users.respond_to_auth_challenge(**proven(users, pool, client, PASSWORD))
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    given = {"ClientId": client, "ChallengeName": asked["ChallengeName"], "Session": asked["Session"]}
    new = {"USERNAME": "ann", "NEW_PASSWORD": OTHER}
    assert users.respond_to_auth_challenge(**given, ChallengeResponses=new)["AuthenticationResult"]
    assert users.respond_to_auth_challenge(**proven(users, pool, client, OTHER))["AuthenticationResult"]


def test_every_answer_comes_with_the_secret_of_a_client_that_has_one(idp, users):
    pool, _ = a_pool_of(idp)
    known(idp, pool)
    client = client_of(idp, pool, GenerateSecret=True)
    given = proven(users, pool, client["ClientId"], PASSWORD, SECRET_HASH=secret_hash(client))
    answers = given["ChallengeResponses"]
    words = f"Client {client['ClientId']} is configured with secret but SECRET_HASH was not received"
    assert refused(users.respond_to_auth_challenge, **given) == ("NotAuthorizedException", words)
    answers["SECRET_HASH"] = secret_hash(client, answers["USERNAME"])
    assert users.respond_to_auth_challenge(**given)["AuthenticationResult"]
