"""What users ask of Cognito's identity pools: who they are, and credentials that do what their role may, and no more."""

import base64
import json

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from gateway.counting import answer
from gateway.pools import a_pool, signed_up, unsigned
from gateway.two_accounts import OTHER, code_of, error_of, policy
from moto.cognitoidp.models import CognitoIdpUserPool
from running import ACCOUNT, REGION, Credentials, allow

from iamd.auth import cognito_tokens, key_file

COGNITO = "cognito-identity.amazonaws.com"
UNFIT = {
    "Code": "InvalidIdentityPoolConfigurationException",
    "Message": "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
}
NO_GUESTS = "Unauthenticated access is not supported for this identity pool."


@pytest.fixture
def people(cloud):
    """A user pool, a client of it, and a user's tokens."""
    pool, client = a_pool(cloud)
    return Pool(pool, client, signed_up(unsigned(cloud, "cognito-idp"), client))


class Pool:
    def __init__(self, pool, client, tokens):
        self.pool, self.client, self.tokens = pool, client, tokens
        self.provider = f"cognito-idp.{REGION}.amazonaws.com/{pool}"

    @property
    def logins(self):
        return {self.provider: self.tokens["IdToken"]}

    def trusted(self, **more):
        return {"CognitoIdentityProviders": [{"ProviderName": self.provider, "ClientId": self.client, **more}]}


@pytest.fixture
def users(cloud):
    return unsigned(cloud, "cognito-identity")


def identity_pool(cloud, credentials=None, *, guests=False, **more):
    pools = cloud.client("cognito-identity", credentials)
    made = pools.create_identity_pool(IdentityPoolName="app", AllowUnauthenticatedIdentities=guests, **more)
    return made["IdentityPoolId"]


def trusting(pool, amr=None):
    """What lets the identities of a pool assume a role (Developer Guide, role-trust-and-permissions)."""
    condition = {"StringEquals": {f"{COGNITO}:aud": pool}}
    if amr is not None:
        condition["ForAnyValue:StringLike"] = {f"{COGNITO}:amr": amr}
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": COGNITO},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


def a_role(cloud, trust, *statements, name="user", credentials=None):
    iam = cloud.client("iam", credentials)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name, PolicyName="may", PolicyDocument=policy(*statements or [allow("s3:ListAllMyBuckets")])
    )
    return arn


def gives(cloud, pool, mappings=None, credentials=None, **roles):
    more = {"RoleMappings": mappings} if mappings else {}
    cloud.client("cognito-identity", credentials).set_identity_pool_roles(IdentityPoolId=pool, Roles=roles, **more)


def credentials_of(answer):
    given = answer["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])


def logged_in(users, pool, people):
    """The credentials of a user who logs in."""
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    return identity, credentials_of(users.get_credentials_for_identity(IdentityId=identity, Logins=people.logins))


def test_a_user_who_logs_in_may_do_what_the_role_says_and_nothing_else(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    may = allow("s3:PutObject", f"arn:aws:s3:::home/${{{COGNITO}:sub}}/*")
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool, "authenticated"), may))
    cloud.client("s3").create_bucket(Bucket="home")
    identity, credentials = logged_in(users, pool, people)
    s3 = cloud.client("s3", credentials)
    assert s3.put_object(Bucket="home", Key=f"{identity}/a", Body=b"x")
    assert code_of(s3.put_object, Bucket="home", Key="somebody/a", Body=b"x") == "AccessDenied"
    assert code_of(s3.list_buckets) == "AccessDenied"
    caller = cloud.client("sts", credentials).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/user/CognitoIdentityCredentials"


def test_one_login_is_one_identity(cloud, users, people):
    pool, further = (identity_pool(cloud, **people.trusted()) for _ in range(2))
    first = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    assert users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"] == first
    assert users.get_id(IdentityPoolId=further, Logins=people.logins)["IdentityId"] != first
    assert first.startswith(f"{REGION}:")


def test_the_session_says_who_it_is_by_cognitos_keys(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool), allow("s3:*")))
    identity, credentials = logged_in(users, pool, people)
    answer = cloud.client("s3", credentials).list_buckets()
    explained = cloud.explain(answer["ResponseMetadata"]["RequestId"])
    context = {key.lower(): value for key, value in explained["Decisions"][0]["Context"].items()}
    assert context["aws:federatedprovider"] == [COGNITO]
    assert context[f"{COGNITO}:aud"] == [pool]
    assert context[f"{COGNITO}:sub"] == [identity]
    assert context[f"{COGNITO}:amr"][:2] == ["authenticated", people.provider]
    assert context[f"{COGNITO}:amr"][2].startswith(f"{people.provider}:CognitoSignIn:")
    (event,) = cloud.events("ListBuckets")
    assert event["userIdentity"]["sessionContext"]["webIdFederationData"]["federatedProvider"] == COGNITO


@pytest.mark.parametrize("amr", ["unauthenticated", "graph.facebook.com"])
def test_a_trust_policy_for_others_than_who_logs_in_refuses(cloud, users, people, amr):
    pool = identity_pool(cloud, **people.trusted())
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool, amr)))
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    assert error_of(users.get_credentials_for_identity, IdentityId=identity, Logins=people.logins) == UNFIT


def test_a_trust_policy_that_names_another_pool_refuses(cloud, users, people):
    pool, further = (identity_pool(cloud, **people.trusted()) for _ in range(2))
    gives(cloud, pool, authenticated=a_role(cloud, trusting(further)))
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    assert error_of(users.get_credentials_for_identity, IdentityId=identity, Logins=people.logins) == UNFIT
    (refused,) = cloud.events("AssumeRoleWithWebIdentity")
    assert refused["errorCode"] == "AccessDenied"


def test_a_pool_without_a_role_gives_nothing(cloud, users, people):
    pool = identity_pool(cloud, guests=True, **people.trusted())
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    assert error_of(users.get_credentials_for_identity, IdentityId=identity, Logins=people.logins) == UNFIT
    assert error_of(users.get_credentials_for_identity, IdentityId=guest) == UNFIT


def test_a_guest_gets_the_guests_role_within_what_cognito_lets_guests_have(cloud, users):
    pool = identity_pool(cloud, guests=True)
    gives(cloud, pool, unauthenticated=a_role(cloud, trusting(pool, "unauthenticated"), allow("*")))
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    credentials = credentials_of(users.get_credentials_for_identity(IdentityId=guest))
    assert cloud.client("s3", credentials).list_buckets()["Buckets"] == []
    assert cloud.client("dynamodb", credentials).list_tables()["TableNames"] == []
    assert code_of(cloud.client("iam", credentials).list_users) == "AccessDenied"
    assert code_of(cloud.client("ec2", credentials).describe_vpcs) == "UnauthorizedOperation"


def test_guests_are_let_in_only_where_the_pool_says_so(cloud, users, people):
    pool = identity_pool(cloud, guests=True, **people.trusted())
    gives(cloud, pool, unauthenticated=a_role(cloud, trusting(pool)))
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    assert users.get_credentials_for_identity(IdentityId=guest)
    cloud.client("cognito-identity").update_identity_pool(
        IdentityPoolId=pool, IdentityPoolName="app", AllowUnauthenticatedIdentities=False
    )
    refused = {"Code": "NotAuthorizedException", "Message": NO_GUESTS}
    assert error_of(users.get_credentials_for_identity, IdentityId=guest) == refused
    assert error_of(users.get_id, IdentityPoolId=pool) == refused
    # What an update does not name is gone with it.
    assert error_of(users.get_id, IdentityPoolId=pool, Logins=people.logins)["Message"] == (
        "Token is not from a supported provider of this identity pool."
    )


def test_whoever_has_logged_in_is_nobodys_guest(cloud, users, people):
    pool = identity_pool(cloud, guests=True, **people.trusted())
    role = a_role(cloud, trusting(pool))
    gives(cloud, pool, unauthenticated=role, authenticated=role)
    identity, _ = logged_in(users, pool, people)
    assert error_of(users.get_credentials_for_identity, IdentityId=identity) == {
        "Code": "NotAuthorizedException",
        "Message": f"Access to Identity '{identity}' is forbidden.",
    }


def test_a_guest_who_logs_in_stays_who_they_are_and_becomes_nobody_else(cloud, users, people):
    pool = identity_pool(cloud, guests=True, **people.trusted())
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool, "authenticated")))
    guest, stranger = (users.get_id(IdentityPoolId=pool)["IdentityId"] for _ in range(2))
    assert users.get_credentials_for_identity(IdentityId=guest, Logins=people.logins)["IdentityId"] == guest
    assert users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"] == guest
    assert error_of(users.get_credentials_for_identity, IdentityId=stranger, Logins=people.logins)["Message"] == (
        "Logins don't match. Please include at least one valid login for this identity or identity pool."
    )


def test_another_users_identity_is_not_had_by_an_own_token(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool)))
    identity, _ = logged_in(users, pool, people)
    eve = signed_up(unsigned(cloud, "cognito-idp"), people.client, "eve")["IdToken"]
    refused = error_of(users.get_credentials_for_identity, IdentityId=identity, Logins={people.provider: eve})
    assert refused["Code"] == "NotAuthorizedException"


def refused_login(users, pool, provider, token):
    error = error_of(users.get_id, IdentityPoolId=pool, Logins={provider: token})
    return error["Code"], error["Message"]


UNSUPPORTED = ("NotAuthorizedException", "Token is not from a supported provider of this identity pool.")
UNVERIFIED = ("NotAuthorizedException", "Invalid login token. Couldn't verify signed token.")


def test_only_an_id_token_of_a_trusted_client_is_a_login(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    others_pool, others_client = a_pool(cloud)
    others = signed_up(unsigned(cloud, "cognito-idp"), others_client)["IdToken"]
    elsewhere = f"cognito-idp.{REGION}.amazonaws.com/{others_pool}"
    assert refused_login(users, pool, people.provider, people.tokens["AccessToken"]) == UNSUPPORTED
    assert refused_login(users, pool, people.provider, others) == UNSUPPORTED
    assert refused_login(users, pool, elsewhere, others) == UNSUPPORTED
    assert refused_login(users, pool, elsewhere, people.tokens["IdToken"]) == UNSUPPORTED
    mixed = {"ProviderName": people.provider, "ClientId": others_client}
    mixing = identity_pool(cloud, CognitoIdentityProviders=[mixed])
    assert refused_login(users, mixing, people.provider, others) == UNSUPPORTED
    assert refused_login(users, pool, people.provider, "x")[1] == (
        "Invalid login token. Not a valid OpenId Connect identity token."
    )
    assert refused_login(users, pool, "accounts.google.com", people.tokens["IdToken"])[0] == "NotImplemented"


def test_a_changed_token_is_none(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    head, claims, signature = people.tokens["IdToken"].split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**told, "sub": "somebody"}).encode()).decode().rstrip("=")
    assert refused_login(users, pool, people.provider, f"{head}.{forged}.{signature}") == UNVERIFIED


def test_a_token_that_is_signed_with_the_key_in_motos_source_is_none(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    motos = CognitoIdpUserPool(ACCOUNT, REGION, "p", {})
    motos.id = people.pool
    motos.users["ann"] = type("Ann", (), {"id": "ann"})()
    forged, _ = motos.create_jwt(people.client, "ann", "id")
    assert refused_login(users, pool, people.provider, forged) == UNVERIFIED


def test_a_user_who_is_disabled_has_no_login_where_the_pool_checks_it(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted(ServerSideTokenCheck=True))
    assert users.get_id(IdentityPoolId=pool, Logins=people.logins)
    cloud.client("cognito-idp").admin_disable_user(UserPoolId=people.pool, Username="ann")
    assert error_of(users.get_id, IdentityPoolId=pool, Logins=people.logins)["Code"] == "NotAuthorizedException"


RULES = {
    "Equals": ("cognito:username", "ann"),
    "NotEqual": ("cognito:username", "eve"),
    "StartsWith": ("email", "ann@"),
    "Contains": ("email", "@example"),
}


@pytest.mark.parametrize("match", RULES)
def test_rules_choose_the_role_by_claims(cloud, users, people, match):
    pool = identity_pool(cloud, **people.trusted())
    usual = a_role(cloud, trusting(pool), name="usual")
    special = a_role(cloud, trusting(pool), allow("sqs:ListQueues"), name="special")
    claim, value = RULES[match]
    no_one = {"Claim": "cognito:username", "MatchType": "Equals", "Value": "nobody", "RoleARN": usual}
    rules = {"Rules": [no_one, {"Claim": claim, "MatchType": match, "Value": value, "RoleARN": special}]}
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules}
    gives(cloud, pool, {f"{people.provider}:{people.client}": mapping}, authenticated=usual)
    if match in {"StartsWith", "Contains"}:
        people.tokens = signed_in_with_mail(cloud, people)
    _, credentials = logged_in(users, pool, people)
    assert "/special/" in cloud.client("sts", credentials).get_caller_identity()["Arn"]


def signed_in_with_mail(cloud, people):
    """The tokens of a client that may read the address."""
    idp = cloud.client("cognito-idp")
    idp.update_user_pool_client(UserPoolId=people.pool, ClientId=people.client, ReadAttributes=["email"])
    users = unsigned(cloud, "cognito-idp")
    given = {"USERNAME": "ann", "PASSWORD": "Correct-horse-1"}
    answer = users.initiate_auth(ClientId=people.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    return answer["AuthenticationResult"]


@pytest.mark.parametrize(("resolution", "outcome"), [("AuthenticatedRole", "usual"), ("Deny", None)])
def test_where_no_rule_holds_the_mapping_says_what_then(cloud, users, people, resolution, outcome):
    pool = identity_pool(cloud, **people.trusted())
    usual = a_role(cloud, trusting(pool), name="usual")
    mapping = {"Type": "Token", "AmbiguousRoleResolution": resolution}
    gives(cloud, pool, {f"{people.provider}:{people.client}": mapping}, authenticated=usual)
    if outcome is None:
        with pytest.raises(ClientError) as raised:
            logged_in(users, pool, people)
        assert raised.value.response["Error"]["Code"] == "NotAuthorizedException"
    else:
        _, credentials = logged_in(users, pool, people)
        assert f"/{outcome}/" in cloud.client("sts", credentials).get_caller_identity()["Arn"]


def test_nobody_chooses_a_role_that_is_not_theirs(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    usual = a_role(cloud, trusting(pool), name="usual")
    gives(cloud, pool, authenticated=usual)
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    asked = {"IdentityId": identity, "Logins": people.logins, "CustomRoleArn": usual}
    assert code_of(users.get_credentials_for_identity, **asked) == "NotAuthorizedException"
    gives(
        cloud,
        pool,
        {f"{people.provider}:{people.client}": {"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}},
        authenticated=usual,
    )
    assert code_of(users.get_credentials_for_identity, **asked) == "NotAuthorizedException"


def test_the_roles_of_a_pool_are_read_back(cloud, people):
    pools = cloud.client("cognito-identity")
    pool = identity_pool(cloud, **people.trusted())
    assert "Roles" not in pools.get_identity_pool_roles(IdentityPoolId=pool)
    role = a_role(cloud, trusting(pool))
    mappings = {f"{people.provider}:{people.client}": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}}
    gives(cloud, pool, mappings, authenticated=role)
    told = pools.get_identity_pool_roles(IdentityPoolId=pool)
    assert (told["IdentityPoolId"], told["Roles"]) == (pool, {"authenticated": role})
    assert told["RoleMappings"] == mappings
    unknown = f"{REGION}:00000000-0000-0000-0000-000000000000"
    assert code_of(pools.get_identity_pool_roles, IdentityPoolId=unknown) == "ResourceNotFoundException"
    assert code_of(pools.set_identity_pool_roles, IdentityPoolId=unknown, Roles={}) == "ResourceNotFoundException"


def test_pools_of_two_accounts_are_apart(cloud, other, users):
    pool = identity_pool(cloud, other, guests=True)
    gives(cloud, pool, credentials=other, unauthenticated=a_role(cloud, trusting(pool), credentials=other))
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    credentials = credentials_of(users.get_credentials_for_identity(IdentityId=guest))
    assert cloud.client("sts", credentials).get_caller_identity()["Account"] == OTHER
    assert error_of(users.get_id, IdentityPoolId=pool, AccountId=ACCOUNT)["Code"] == "ResourceNotFoundException"
    assert users.get_id(IdentityPoolId=pool, AccountId=OTHER)
    assert code_of(cloud.client("cognito-identity").describe_identity_pool, IdentityPoolId=pool) == (
        "ResourceNotFoundException"
    )


def test_identities_end_with_their_pool(cloud, users):
    pool = identity_pool(cloud, guests=True)
    gives(cloud, pool, unauthenticated=a_role(cloud, trusting(pool)))
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    cloud.client("cognito-identity").delete_identity_pool(IdentityPoolId=pool)
    assert error_of(users.get_credentials_for_identity, IdentityId=guest) == {
        "Code": "ResourceNotFoundException",
        "Message": f"Identity '{guest}' not found.",
    }
    assert error_of(users.get_id, IdentityPoolId=pool)["Message"] == f"IdentityPool '{pool}' not found."


def test_the_region_is_the_pools(cloud, users):
    pools = cloud.client("cognito-identity", region="eu-west-1")
    made = pools.create_identity_pool(IdentityPoolName="app", AllowUnauthenticatedIdentities=True)
    assert users.get_id(IdentityPoolId=made["IdentityPoolId"])["IdentityId"].startswith("eu-west-1:")


def test_events_tell_the_pool_and_no_token(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    gives(cloud, pool, authenticated=a_role(cloud, trusting(pool)))
    identity, credentials = logged_in(users, pool, people)
    events = {event["eventName"]: event for event in cloud.events()}
    arn = f"arn:aws:cognito-identity:{REGION}:{ACCOUNT}:identitypool/{pool}"
    for name in ("GetId", "GetCredentialsForIdentity"):
        event = events[name]
        assert event["userIdentity"] == {"type": "Unknown"}
        assert (event["readOnly"], event["managementEvent"], event["eventCategory"]) == (False, False, "Data")
        assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::Cognito::IdentityPool", "ARN": arn}]
        assert event["requestParameters"]["logins"] == {people.provider: "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assumed = events["AssumeRoleWithWebIdentity"]
    assert assumed["userIdentity"] == {
        "type": "WebIdentityUser",
        "principalId": f"{COGNITO}:{pool}:{identity}",
        "userName": identity,
        "identityProvider": COGNITO,
    }
    assert (assumed["sourceIPAddress"], assumed["userAgent"]) == (COGNITO, COGNITO)
    assert assumed["responseElements"]["credentials"]["accessKeyId"] == credentials.access_key_id
    written = json.dumps(cloud.events())
    for secret in (people.tokens["IdToken"], credentials.secret_access_key, credentials.session_token):
        assert secret not in written


def test_what_is_not_built_is_refused_by_name(cloud, users, people):
    pool = identity_pool(cloud, **people.trusted())
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    given = {"IdentityId": identity, "Logins": people.logins, "LoginsToRemove": [people.provider]}
    error = error_of(users.unlink_identity, **given)
    assert (error["Code"], "UnlinkIdentity" in error["Message"]) == ("NotImplemented", True)


@pytest.fixture
def classic(cloud, people):
    """An identity pool with the basic flow, and a role that its guests may assume."""
    pool = identity_pool(cloud, guests=True, AllowClassicFlow=True, **people.trusted())
    return pool, a_role(cloud, trusting(pool, "unauthenticated"), allow("iam:ListUsers"))


def assume(cloud, role, token):
    sts = unsigned(cloud, "sts")
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="own", WebIdentityToken=token)


def test_in_the_basic_flow_a_guest_assumes_a_role_with_a_token(cloud, users, classic):
    pool, role = classic
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    given = users.get_open_id_token(IdentityId=guest)
    assert given["IdentityId"] == guest
    answer = assume(cloud, role, given["Token"])
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == (guest, pool, COGNITO)
    # Cognito limits guests in the enhanced flow alone.
    iam = cloud.client("iam", Credentials.of(answer["Credentials"]))
    assert iam.list_users()
    assert code_of(iam.list_roles) == "AccessDenied"


def test_in_the_basic_flow_the_trust_policy_sees_how_a_user_logged_in(cloud, users, people, classic):
    pool, of_guests = classic
    of_users = a_role(cloud, trusting(pool, people.provider), name="of-users")
    identity = users.get_id(IdentityPoolId=pool, Logins=people.logins)["IdentityId"]
    token = users.get_open_id_token(IdentityId=identity, Logins=people.logins)["Token"]
    assert assume(cloud, of_users, token)["SubjectFromWebIdentityToken"] == identity
    assert code_of(assume, cloud=cloud, role=of_guests, token=token) == "AccessDenied"
    assert error_of(users.get_open_id_token, IdentityId=identity)["Message"] == (
        f"Access to Identity '{identity}' is forbidden."
    )


def test_a_token_of_the_basic_flow_that_was_changed_is_none(cloud, users, classic):
    pool, role = classic
    token = users.get_open_id_token(IdentityId=users.get_id(IdentityPoolId=pool)["IdentityId"])["Token"]
    head, claims, seal = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = base64.urlsafe_b64encode(json.dumps({**told, "sub": "another"}).encode()).decode().rstrip("=")
    for changed in (f"{head}.{other}.{seal}", f"{head}.{claims}.", f"{head}.{claims}.{seal[:-4]}AAAA", head):
        assert code_of(assume, cloud=cloud, role=role, token=changed) == "InvalidIdentityToken"


def test_a_token_of_the_basic_flow_ends(cloud, classic):
    pool, role = classic
    keyring = key_file.load(cloud.server.data / "key")
    claims = {"sub": f"{REGION}:0", "aud": pool, "amr": ["unauthenticated"], "iat": 1}
    assert assume(cloud, role, cognito_tokens.sealed({**claims, "exp": 1 << 33}, keyring))
    ended = cognito_tokens.sealed({**claims, "exp": 2}, keyring)
    assert code_of(assume, cloud=cloud, role=role, token=ended) == "ExpiredTokenException"


def test_the_basic_flow_is_there_only_where_the_pool_allows_it_and_maps_no_roles(cloud, users, people):
    pool = identity_pool(cloud, guests=True)
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    refused = {
        "Code": "InvalidParameterException",
        "Message": "Basic (classic) flow is not enabled, please use enhanced flow.",
    }
    assert error_of(users.get_open_id_token, IdentityId=guest) == refused
    pools = cloud.client("cognito-identity")
    update = {"IdentityPoolId": pool, "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": True}
    pools.update_identity_pool(AllowClassicFlow=True, **update)
    assert users.get_open_id_token(IdentityId=guest)
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    gives(cloud, pool, {f"{people.provider}:{people.client}": mapping})
    assert "RoleMappings" in error_of(users.get_open_id_token, IdentityId=guest)["Message"]
    pools.update_identity_pool(**update)
    assert error_of(users.get_open_id_token, IdentityId=guest) == refused


def known_pool(counted, number, **settings):
    """A pool before the backend that counts."""
    pool = f"{REGION}:00000000-0000-0000-0000-{number:012}"
    counted.says({"IdentityPoolId": pool})
    counted.call("cognito-identity", "CreateIdentityPool", {"IdentityPoolName": "app", **settings})
    return pool


def test_credentials_are_iamds_own_and_nothing_of_them_is_asked_of_the_backend(counted):
    pool = known_pool(counted, 1, AllowUnauthenticatedIdentities=True)
    role = a_role(counted.aws, trusting(pool), name="of-guests")
    roles = {"IdentityPoolId": pool, "Roles": {"unauthenticated": role}}
    assert counted.call("cognito-identity", "SetIdentityPoolRoles", roles).sent > 0
    guest = f"{REGION}:11111111-0000-0000-0000-000000000001"
    counted.says({"IdentityId": guest})
    assert counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool}).sent > 0
    given = counted.call("cognito-identity", "GetCredentialsForIdentity", {"IdentityId": guest})
    assert (given.status, given.sent) == (200, 0)
    assert given.told["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_not_a_byte_of_a_guest_is_sent_where_there_are_none(counted):
    pool = known_pool(counted, 2, AllowUnauthenticatedIdentities=False)
    told = counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool})
    assert (told.code, told.message, told.sent) == ("NotAuthorizedException", NO_GUESTS, 0)


def test_roles_that_the_backend_did_not_take_are_none(counted):
    pool = known_pool(counted, 3, AllowUnauthenticatedIdentities=True)
    role = a_role(counted.aws, trusting(pool), name="not-taken")
    counted.backend.answers.append(answer(b'{"__type":"ResourceConflictException"}', "400 Bad Request"))
    counted.call(
        "cognito-identity", "SetIdentityPoolRoles", {"IdentityPoolId": pool, "Roles": {"unauthenticated": role}}
    )
    guest = f"{REGION}:11111111-0000-0000-0000-000000000003"
    counted.says({"IdentityId": guest})
    counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool})
    told = counted.call("cognito-identity", "GetCredentialsForIdentity", {"IdentityId": guest})
    assert told.code == UNFIT["Code"]


def test_a_pool_that_was_made_elsewhere_is_known_when_it_is_described(counted):
    pool = f"{REGION}:00000000-0000-0000-0000-000000000004"
    told = {"IdentityPoolId": pool, "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": True}
    assert counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool}).sent == 0
    counted.says(told)
    counted.call("cognito-identity", "DescribeIdentityPool", {"IdentityPoolId": pool})
    assert counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool}).sent > 0
    # What is asked for through iamd is not taken back by what a backend shows later.
    closed = {"IdentityPoolId": pool, "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": False}
    counted.call("cognito-identity", "UpdateIdentityPool", closed)
    counted.says(told)
    counted.call("cognito-identity", "DescribeIdentityPool", {"IdentityPoolId": pool})
    assert counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool}).message == NO_GUESTS


@pytest.fixture(scope="module")
def key():
    """What a user pool signs with before the backend that counts."""
    return rsa.generate_private_key(65537, 2048)


def published(key):
    """The key set of a pool."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**public, "kid": "k", "use": "sig", "alg": "RS256"}]}


HOME = f"{REGION}_signing"
PROVIDER = f"cognito-idp.{REGION}.amazonaws.com/{HOME}"
CLAIMS = {"iss": f"https://{PROVIDER}", "aud": "signing", "sub": "ann", "token_use": "id", "iat": 1, "exp": 1 << 33}


@pytest.fixture
def signing(counted):
    """An identity pool that trusts a user pool whose keys the backend tells."""
    counted.says({"UserPoolClient": {"UserPoolId": HOME, "ClientId": "signing"}})
    counted.call("cognito-idp", "DescribeUserPoolClient", {"UserPoolId": HOME, "ClientId": "signing"})
    trusted = [{"ProviderName": PROVIDER, "ClientId": "signing"}]
    return known_pool(counted, 5, AllowUnauthenticatedIdentities=False, CognitoIdentityProviders=trusted)


def login(counted, key, pool, claims, header):
    """The outcome of GetId with such a token."""
    token = jwt.encode(claims, key, "RS256", headers=header)
    counted.says(published(key))
    counted.says({"IdentityId": f"{REGION}:11111111-0000-0000-0000-000000000005"})
    told = counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool, "Logins": {PROVIDER: token}})
    counted.backend.answers.clear()
    return told


def test_a_token_that_the_pools_keys_verify_is_a_login(counted, key, signing):
    assert login(counted, key, signing, CLAIMS, {"kid": "k"}).status == 200
    assert counted.backend.raw.heads[-2].startswith(f"GET /{HOME}/.well-known/jwks.json ".encode())


@pytest.mark.parametrize(
    ("claims", "kid", "words"),
    [
        ({"iss": f"https://{PROVIDER}x"}, "k", "Issuer doesn't match providerName"),
        ({"exp": 2}, "k", "Token expired: "),
        ({"token_use": "access"}, "k", "Token is not from a supported provider"),
        ({"aud": "another"}, "k", "Token is not from a supported provider"),
        ({"aud": ["signing"]}, "k", "Token is not from a supported provider"),
        ({"iat": 1 << 32}, "k", "Invalid login token."),
        ({"sub": ""}, "k", "Invalid login token."),
        ({}, "another", "Couldn't verify signed token."),
    ],
)
def test_a_token_that_is_not_for_this_or_not_for_now_is_none(counted, key, signing, claims, kid, words):
    told = login(counted, key, signing, {**CLAIMS, **claims}, {"kid": kid})
    assert told.code == "NotAuthorizedException"
    assert words in told.message


def test_a_login_is_refused_where_the_pools_keys_are_not_told(counted, key, signing):
    token = jwt.encode(CLAIMS, key, "RS256", headers={"kid": "k"})
    counted.backend.answers.append(answer(b"", "404 Not Found"))
    told = counted.call("cognito-identity", "GetId", {"IdentityPoolId": signing, "Logins": {PROVIDER: token}})
    assert told.status == 503


def test_an_identity_that_another_pool_has_stays_there(counted):
    guest = f"{REGION}:11111111-0000-0000-0000-000000000006"
    pools = [known_pool(counted, number, AllowUnauthenticatedIdentities=True) for number in (6, 7)]
    roles = [a_role(counted.aws, trusting(pool), name=f"of-pool-{pool[-1]}") for pool in pools]
    for pool, role in zip(pools, roles, strict=True):
        given = {"IdentityPoolId": pool, "Roles": {"unauthenticated": role}}
        counted.call("cognito-identity", "SetIdentityPoolRoles", given)
        counted.says({"IdentityId": guest})
        counted.call("cognito-identity", "GetId", {"IdentityPoolId": pool})
    told = counted.call("cognito-identity", "GetCredentialsForIdentity", {"IdentityId": guest})
    credentials = credentials_of(told.told)
    assert "/of-pool-6/" in counted.aws.client("sts", credentials).get_caller_identity()["Arn"]


def test_whoever_sets_the_roles_of_a_pool_must_be_allowed_to_pass_each(cloud, people):
    pool = identity_pool(cloud, **people.trusted())
    usual, special = (a_role(cloud, trusting(pool), name=name) for name in ("usual", "special"))
    rule = {"Claim": "a", "MatchType": "Equals", "Value": "b", "RoleARN": special}
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}}
    setting = cloud.user("setting", allow("cognito-identity:*"), allow("iam:PassRole", usual))
    pools = cloud.client("cognito-identity", setting)
    pools.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": usual})
    further = {"Roles": {"authenticated": usual}, "RoleMappings": {f"{people.provider}:{people.client}": mapping}}
    assert code_of(pools.set_identity_pool_roles, IdentityPoolId=pool, **further) == "AccessDeniedException"
    assert "RoleMappings" not in pools.get_identity_pool_roles(IdentityPoolId=pool)
