"""moto's user pools do what users ask in the account and Region that were decided, wherever a client or a token is."""

import json
import time
from types import SimpleNamespace

import pytest
from backend.embedded_fixture import ACCOUNT, OTHER, Moto
from moto.cognitoidp.exceptions import ExpiredCodeException, NotAuthorizedError

from iamd.backend import sign_ins, user_codes

CREDENTIALS = {"USERNAME": "ann", "PASSWORD": "Correct-horse-1"}
SIGN_IN = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": CREDENTIALS}


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    moto = Moto(tmp_path_factory.mktemp("data"))
    yield moto
    moto.close()


def ask(moto, operation, given, **place):
    target = f"AWSCognitoIdentityProviderService.{operation}"
    reply = moto.json("cognito-idp", operation, target, json.dumps(given).encode(), version="1.1", **place)
    told = json.loads(reply.body or b"{}")
    return told if reply.status == 200 else told["__type"]


@pytest.fixture
def client(moto):
    pool = ask(moto, "CreateUserPool", {"PoolName": "p"})["UserPool"]["Id"]
    given = {"UserPoolId": pool, "ClientName": "c", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    made = ask(moto, "CreateUserPoolClient", given)["UserPoolClient"]["ClientId"]
    ask(moto, "SignUp", {"ClientId": made, "Username": "ann", "Password": "Correct-horse-1"})
    ask(moto, "AdminConfirmSignUp", {"UserPoolId": pool, "Username": "ann"})
    return made


@pytest.mark.parametrize("place", [{"account": OTHER}, {"region": "eu-west-1"}])
def test_neither_a_client_nor_a_token_leads_elsewhere(moto, client, place):
    token = ask(moto, "InitiateAuth", {"ClientId": client, **SIGN_IN})["AuthenticationResult"]["AccessToken"]
    requests = {
        "AssociateSoftwareToken": {"AccessToken": token},
        "ChangePassword": {"AccessToken": token, "PreviousPassword": "x", "ProposedPassword": "Another-horse-2"},
        "ConfirmForgotPassword": {
            "ClientId": client,
            "Username": "ann",
            "ConfirmationCode": "1",
            "Password": "Another-horse-2",
        },
        "ConfirmSignUp": {"ClientId": client, "Username": "ann", "ConfirmationCode": "1"},
        "ForgotPassword": {"ClientId": client, "Username": "ann"},
        "GetUser": {"AccessToken": token},
        "GlobalSignOut": {"AccessToken": token},
        "InitiateAuth": {"ClientId": client, **SIGN_IN},
        "SignUp": {"ClientId": client, "Username": "eve", "Password": "Correct-horse-1"},
        "UpdateUserAttributes": {"AccessToken": token, "UserAttributes": [{"Name": "nickname", "Value": "Eve"}]},
    }
    found = {name: ask(moto, name, given, **place) for name, given in requests.items()}
    assert {name: told for name, told in found.items() if told not in GONE} == {}
    assert ask(moto, "GetUser", {"AccessToken": token}, account=ACCOUNT)["Username"] == "ann"


GONE = ["NotAuthorizedException", "ResourceNotFoundException", "UserNotFoundException"]


def test_a_refresh_token_ends_with_its_time():
    config = {"RefreshTokenValidity": 2, "TokenValidityUnits": {"RefreshToken": "hours"}}
    client = SimpleNamespace(extended_config=config)
    pool = SimpleNamespace(clients={"c": client}, refresh_tokens={"token": ("c", "ann", "jti")})
    for age, lasts in ((7000, True), (7300, False)):
        pool.refresh_tokens_made = {"token": time.time() - age}
        if lasts:
            assert sign_ins._check_refreshing(pool, "c", "token") == "ann"
        else:
            with pytest.raises(NotAuthorizedError, match="expired"):
                sign_ins._check_refreshing(pool, "c", "token")


def test_a_code_ends_with_its_time_and_is_told_no_more(monkeypatch):
    user = SimpleNamespace(username="ann")
    user_codes.send(user, user_codes.PASSWORD, "ann@example.com")
    [told] = user_codes._codes(SimpleNamespace(users={"ann": user}))
    until = told["ExpirationTime"]
    assert until - time.time() == pytest.approx(3600, abs=60)
    monkeypatch.setattr(user_codes.time, "time", lambda: until + 2)
    assert user_codes._codes(SimpleNamespace(users={"ann": user})) == []
    with pytest.raises(ExpiredCodeException):
        user_codes.take(user, user_codes.PASSWORD, told["Code"], "wrong")
