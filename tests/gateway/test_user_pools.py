"""What users ask of Cognito's user pools: without a signature, in their own pool's account and Region, and nowhere else."""

import base64
import json

import pyotp
import pytest
from gateway.pools import CODES, PASSWORD, a_pool, signed_in, signed_up
from gateway.two_accounts import OTHER, code_of, error_of, user_of
from running import ACCOUNT, REGION, Credentials

from iamd.gateway import user_pools
from iamd.gateway.actions.asked import Asked
from iamd.wire import models


def test_a_user_signs_up_and_in_and_is_told_of_themselves(cloud, users):
    pool, client = a_pool(cloud)
    tokens = signed_up(users, client)
    told = users.get_user(AccessToken=tokens["AccessToken"])
    assert told["Username"] == "ann"
    assert {"Name": "email", "Value": "ann@example.com"} in told["UserAttributes"]
    assert cloud.client("cognito-idp").admin_get_user(UserPoolId=pool, Username="ann")["UserStatus"] == "CONFIRMED"


def test_a_user_changes_attributes_and_password_and_signs_out(cloud, users):
    _, client = a_pool(cloud)
    token = signed_up(users, client)["AccessToken"]
    users.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "nickname", "Value": "Annie"}])
    assert {"Name": "nickname", "Value": "Annie"} in users.get_user(AccessToken=token)["UserAttributes"]
    users.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Another-horse-2")
    assert signed_in(users, client, password="Another-horse-2")
    users.global_sign_out(AccessToken=token)
    assert code_of(users.get_user, AccessToken=token) == "NotAuthorizedException"


def test_a_forgotten_password_is_replaced(cloud, users):
    _, client = a_pool(cloud)
    signed_up(users, client)
    answer = users.forgot_password(ClientId=client, Username="ann")
    # What moto tells of the code in a header reaches nobody.
    assert "moto" not in str(answer["ResponseMetadata"]["HTTPHeaders"])
    told = {"ConfirmationCode": CODES[client]("ann"), "Password": "Another-horse-2"}
    users.confirm_forgot_password(ClientId=client, Username="ann", **told)
    assert signed_in(users, client, password="Another-horse-2")


def test_a_refresh_token_gives_new_tokens(cloud, users):
    _, client = a_pool(cloud)
    refresh = {"REFRESH_TOKEN": signed_up(users, client)["RefreshToken"]}
    answer = users.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)
    assert users.get_user(AccessToken=answer["AuthenticationResult"]["AccessToken"])["Username"] == "ann"


def test_a_temporary_password_is_changed_in_a_challenge(cloud, users):
    pool, client = a_pool(cloud)
    cloud.client("cognito-idp").admin_create_user(UserPoolId=pool, Username="bob", TemporaryPassword=PASSWORD)
    given = {"USERNAME": "bob", "PASSWORD": PASSWORD}
    asked = users.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answer = users.respond_to_auth_challenge(
        ClientId=client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": "Another-horse-2"},
    )
    assert users.get_user(AccessToken=answer["AuthenticationResult"]["AccessToken"])["Username"] == "bob"


@pytest.mark.parametrize("region", [REGION, "eu-west-1"])
def test_a_device_for_codes_is_set_up_within_a_sign_in(cloud, users, region):
    pool, client = a_pool(cloud, region=region)
    idp = cloud.client("cognito-idp", region=region)
    idp.set_user_pool_mfa_config(
        UserPoolId=pool, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="ON"
    )
    idp.admin_create_user(UserPoolId=pool, Username="bob", TemporaryPassword=PASSWORD)
    given = {"USERNAME": "bob", "PASSWORD": PASSWORD}
    asked = users.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    answers = {"USERNAME": "bob", "NEW_PASSWORD": "Another-horse-2"}
    challenge = {"ClientId": client, "ChallengeName": asked["ChallengeName"], "ChallengeResponses": answers}
    asked = users.respond_to_auth_challenge(Session=asked["Session"], **challenge)
    assert asked["ChallengeName"] == "MFA_SETUP"
    device = users.associate_software_token(Session=asked["Session"])
    code = pyotp.TOTP(device["SecretCode"]).now()
    verified = users.verify_software_token(Session=device["Session"], UserCode=code)
    assert verified["Status"] == "SUCCESS"
    challenge = {"ClientId": client, "ChallengeName": "MFA_SETUP", "ChallengeResponses": {"USERNAME": "bob"}}
    answer = users.respond_to_auth_challenge(Session=verified["Session"], **challenge)
    assert users.get_user(AccessToken=answer["AuthenticationResult"]["AccessToken"])["Username"] == "bob"


def test_a_challenge_that_an_administrator_began_is_answered_by_the_user(cloud, users):
    pool, client = a_pool(cloud, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])
    idp = cloud.client("cognito-idp")
    idp.admin_create_user(UserPoolId=pool, Username="bob", TemporaryPassword=PASSWORD)
    asked = idp.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "bob", "PASSWORD": PASSWORD},
    )
    assert asked["Session"].startswith(f"{client}.")
    answer = users.respond_to_auth_challenge(
        ClientId=client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": "Another-horse-2"},
    )
    assert answer["AuthenticationResult"]["AccessToken"]


def test_pools_of_two_accounts_are_apart(cloud, other, users):
    pool, client = a_pool(cloud)
    others_pool, others_client = a_pool(cloud, other)
    signed_up(users, client, "ann")
    others_token = signed_up(users, others_client, "eve")["AccessToken"]
    assert [one["Username"] for one in users_of(cloud, pool)] == ["ann"]
    assert [one["Username"] for one in users_of(cloud, others_pool, other)] == ["eve"]
    assert code_of(signed_in, users=users, client=client, name="eve") == "UserNotFoundException"
    assert users.get_user(AccessToken=others_token)["Username"] == "eve"


def users_of(cloud, pool, credentials=None):
    return cloud.client("cognito-idp", credentials).list_users(UserPoolId=pool)["Users"]


def test_a_challenge_of_another_accounts_pool_is_not_answered(cloud, other, users):
    _, client = a_pool(cloud)
    others_pool, others_client = a_pool(cloud, other)
    cloud.client("cognito-idp", other).admin_create_user(
        UserPoolId=others_pool, Username="eve", TemporaryPassword=PASSWORD
    )
    given = {"USERNAME": "eve", "PASSWORD": PASSWORD}
    session = users.initiate_auth(ClientId=others_client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)[
        "Session"
    ]
    answers = {"USERNAME": "eve", "NEW_PASSWORD": "Another-horse-2"}
    challenge = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session, "ChallengeResponses": answers}
    assert code_of(users.respond_to_auth_challenge, ClientId=client, **challenge) == "NotAuthorizedException"
    assert users.respond_to_auth_challenge(ClientId=others_client, **challenge)["AuthenticationResult"]


def test_a_token_that_names_another_pool_than_its_clients_is_none(cloud, other, users):
    pool, client = a_pool(cloud)
    others_pool, _ = a_pool(cloud, other)
    token = signed_up(users, client)["AccessToken"]
    assert error_of(users.get_user, AccessToken=with_claims(token, pool, others_pool))["Message"] == (
        "Invalid Access Token"
    )


def with_claims(token, old, new):
    head, claims, signature = token.split(".")
    changed = base64.urlsafe_b64decode(claims + "==").replace(old.encode(), new.encode())
    return ".".join([head, base64.urlsafe_b64encode(changed).decode().rstrip("="), signature])


@pytest.mark.parametrize("token", ["x", "a.b.c", "a.W10.c", "a.e30.c", "a.eyJjbGllbnRfaWQiOjF9.c"])
def test_what_is_no_access_token_is_refused(cloud, users, token):
    assert error_of(users.get_user, AccessToken=token) == {
        "Code": "NotAuthorizedException",
        "Message": "Invalid Access Token",
    }


def test_the_region_is_the_pools_whatever_the_server_thinks(cloud, users):
    _, client = a_pool(cloud, region="eu-west-1")
    token = signed_up(users, client)["AccessToken"]
    assert users.get_user(AccessToken=token)["Username"] == "ann"
    (event,) = cloud.events("GetUser")
    assert (event["awsRegion"], event["recipientAccountId"]) == ("eu-west-1", ACCOUNT)


def test_nobody_is_asked_for_permissions_and_a_signature_changes_nothing(cloud, other):
    _, client = a_pool(cloud)
    nobody = user_of(cloud, other, "nobody")
    signing = cloud.client("cognito-idp", nobody)
    tokens = signed_up(signing_all(signing), client)
    assert signing.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ann"


def signing_all(client):
    """A client whose every request is signed; botocore signs none of these by itself."""
    client.meta.events.register("choose-signer.cognito-idp", lambda **_: "v4")
    return client


def test_a_signature_that_does_not_hold_is_refused(cloud):
    _, client = a_pool(cloud)
    wrong = Credentials(cloud.user("ann").access_key_id, "not the secret")
    signing = signing_all(cloud.client("cognito-idp", wrong))
    with pytest.raises(signing.exceptions.ClientError) as raised:
        signed_up(signing, client)
    assert raised.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_what_is_no_users_needs_a_signature_as_ever(cloud, users):
    pool, _ = a_pool(cloud)
    assert code_of(users.list_users, UserPoolId=pool).startswith("MissingAuthenticationToken")


def test_a_client_that_is_deleted_is_gone_and_so_are_those_of_a_deleted_pool(cloud, users):
    idp = cloud.client("cognito-idp")
    pool, client = a_pool(cloud)
    further = idp.create_user_pool_client(UserPoolId=pool, ClientName="b")["UserPoolClient"]["ClientId"]
    idp.delete_user_pool_client(UserPoolId=pool, ClientId=client)
    gone = {"Code": "ResourceNotFoundException", "Message": f"User pool client {client} does not exist."}
    assert error_of(users.forgot_password, ClientId=client, Username="ann") == gone
    assert users.forgot_password(ClientId=further, Username="ann")
    idp.delete_user_pool(UserPoolId=pool)
    assert error_of(users.forgot_password, ClientId=further, Username="ann")["Message"] == (
        f"User pool client {further} does not exist."
    )


def test_what_moto_does_not_have_is_not_implemented(cloud, users):
    _, client = a_pool(cloud)
    assert code_of(users.revoke_token, ClientId=client, Token="t") == "NotImplemented"


def test_events_are_the_pools_accounts_and_tell_no_secret(cloud, other, users):
    _, client = a_pool(cloud, other)
    tokens = signed_up(users, client)
    users.get_user(AccessToken=tokens["AccessToken"])
    looked_up = cloud.client("cloudtrail", other).lookup_events()["Events"]
    events = {event["EventName"]: json.loads(event["CloudTrailEvent"]) for event in looked_up}
    for name in ("SignUp", "ConfirmSignUp", "InitiateAuth", "GetUser"):
        assert events[name]["userIdentity"] == {"type": "Unknown"}
        assert events[name]["recipientAccountId"] == OTHER
        assert (events[name]["eventSource"], events[name]["managementEvent"]) == ("cognito-idp.amazonaws.com", True)
    written = json.dumps(events)
    for secret in (PASSWORD, "ann@example.com", "123456", *(tokens[name] for name in ("AccessToken", "RefreshToken"))):
        assert secret not in written
    assert events["InitiateAuth"]["requestParameters"] == {
        "authFlow": "USER_PASSWORD_AUTH",
        "authParameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "clientId": client,
    }
    assert not [event for event in cloud.events() if event["eventName"] == "SignUp"]


UNKNOWN = [
    ("SignUp", {"ClientId": "nosuchclient", "Username": "ann", "Password": PASSWORD}, "ResourceNotFoundException"),
    ("GetUser", {"AccessToken": "a.eyJjbGllbnRfaWQiOiJub3N1Y2hjbGllbnQifQ.c"}, "NotAuthorizedException"),
    ("AssociateSoftwareToken", {"Session": "a-session-that-is-long-enough"}, "NotAuthorizedException"),
    ("AssociateSoftwareToken", {"Session": "nosuchclient.a-session-that-is-long"}, "NotAuthorizedException"),
    ("AssociateSoftwareToken", {}, "InvalidParameterException"),
    (
        "UpdateAuthEventFeedback",
        {
            "UserPoolId": f"{REGION}_none",
            "Username": "ann",
            "EventId": "e",
            "FeedbackToken": "t",
            "FeedbackValue": "Valid",
        },
        "ResourceNotFoundException",
    ),
]


@pytest.mark.parametrize(("name", "given", "code"), UNKNOWN)
def test_not_a_byte_of_what_is_for_no_known_pool_is_sent(counted, name, given, code):
    told = counted.call("cognito-idp", name, given)
    assert (told.code, told.sent) == (code, 0)


@pytest.mark.parametrize("verb", ["Create", "Describe", "Update"])
def test_a_client_is_known_when_it_is_made_or_shown(counted, verb):
    pool, client = f"{REGION}_{verb}", f"client{verb}"
    shown = {"UserPoolClient": {"UserPoolId": pool, "ClientId": client}}
    counted.says(shown)
    given = {"UserPoolId": pool} | ({"ClientName": "c"} if verb == "Create" else {"ClientId": client})
    counted.call("cognito-idp", f"{verb}UserPoolClient", given)
    assert counted.call("cognito-idp", "ForgotPassword", {"ClientId": client, "Username": "ann"}).sent > 0


def test_clients_are_known_when_they_are_listed(counted):
    pool = f"{REGION}_listed"
    counted.says({"UserPoolClients": [{"UserPoolId": pool, "ClientId": "listed1"}, {"ClientId": "listed2"}]})
    counted.call("cognito-idp", "ListUserPoolClients", {"UserPoolId": pool})
    for client in ("listed1", "listed2"):
        assert counted.call("cognito-idp", "ForgotPassword", {"ClientId": client, "Username": "ann"}).sent > 0


@pytest.mark.parametrize("known_to_be", ["nobody", "mine", "another"])
def test_nobody_draws_the_users_of_another_accounts_client_by_its_id(known_to_be):
    """A backend that lets its users choose ids would let them."""
    pool = {"nobody": None, "mine": f"{REGION}_mine", "another": f"{REGION}_theirs"}[known_to_be]
    account = OTHER if known_to_be == "another" else ACCOUNT
    known = f"arn:aws:cognito-idp:{REGION}:{account}:userpool/{pool}"
    operation = models.service("cognito-idp").operation("CreateUserPoolClient")
    parameters = {"UserPoolId": f"{REGION}_mine"}

    def named(name):
        return pool and (f"{known}/client/chosen" if "client" in name else known)

    asked = Asked(operation, parameters, ACCOUNT, REGION, named=named)
    told = {"UserPoolClient": {"UserPoolId": f"{REGION}_mine", "ClientId": "chosen"}}
    learned = user_pools.LEARNED["cognito-idp", "CreateUserPoolClient"](asked, told)
    assert len(learned) == (0 if known_to_be == "another" else 2)


def test_users_of_a_pool_are_sent_with_its_accounts_login(counted):
    pool = f"{REGION}_login"
    counted.says({"UserPoolClient": {"UserPoolId": pool, "ClientId": "login"}})
    counted.call("cognito-idp", "CreateUserPoolClient", {"UserPoolId": pool, "ClientName": "c"})
    counted.call("cognito-idp", "ForgotPassword", {"ClientId": "login", "Username": "ann"})
    head, body = counted.backend.last
    assert b"AKIABACKENDBACKEND01" in head
    assert json.loads(body) == {"ClientId": "login", "Username": "ann"}


def test_a_user_pools_users_need_nobody_who_may_do_it(counted):
    """An administrator may; one who may nothing at all does the same."""
    pool = f"{REGION}_nobody"
    counted.says({"UserPoolClient": {"UserPoolId": pool, "ClientId": "nobody"}})
    counted.call("cognito-idp", "CreateUserPoolClient", {"UserPoolId": pool, "ClientName": "c"})
    told = counted.call("cognito-idp", "ForgotPassword", {"ClientId": "nobody", "Username": "ann"}, counted.nobody)
    assert (told.sent > 0, told.decisions) == (True, [])


def test_a_pool_is_known_when_it_is_made(counted):
    pool = f"{REGION}_made"
    given = {"UserPoolId": pool, "Username": "ann", "EventId": "e", "FeedbackToken": "t", "FeedbackValue": "Valid"}
    assert counted.call("cognito-idp", "UpdateAuthEventFeedback", given).sent == 0
    counted.says({"UserPool": {"Id": pool}})
    counted.call("cognito-idp", "CreateUserPool", {"PoolName": "p"})
    assert counted.call("cognito-idp", "UpdateAuthEventFeedback", given).sent > 0
