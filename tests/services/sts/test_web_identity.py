"""AssumeRoleWithWebIdentity through boto3, with tokens of an identity provider that really runs."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import boto3
import jwt
import pytest
from aiohttp import web
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from issuer import DISCOVERY, Chain, Issuer, jwk, rsa_key
from running import ACCOUNT, REGION, Credentials, allow

APP = f"arn:aws:iam::{ACCOUNT}:role/team/app"
ACTION = "sts:AssumeRoleWithWebIdentity"
NO_KEY = "Couldn't retrieve verification key from your identity provider"
NOT_A_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
UNVALIDATED = (
    "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for "
    "requirements."
)
SEVERAL = "Token audience contains more than one audience while authorized party is not present"
WRONG_TIME = "Invalid timestamp in token claims."
UNTRUSTED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
TAGS = "https://aws.amazon.com/tags"
ROLES = "https://aws.amazon.com/roles"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/another"


@pytest.fixture(scope="module")
def running():
    issuer = Issuer(path="/tenant")
    yield issuer
    issuer.close()


@pytest.fixture
def issuer(running):
    """The identity provider as it began."""
    running.keys[:] = [jwk(running.key, "first")]
    running.answers.clear()
    running.requests.clear()
    return running


@pytest.fixture
def provider(aws, issuer):
    """The ARN of the account's provider for that issuer."""
    return aws.client("iam").create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com", "api"])[
        "OpenIDConnectProviderArn"
    ]


@pytest.fixture
def trust(aws, provider):
    """`trust(*actions, **condition)` makes the role trust the provider; more statements may be given."""

    def make(*actions, more=(), principal=None, **condition):
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": principal or provider},
            "Action": list(actions) or ACTION,
            **({"Condition": condition} if condition else {}),
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement, *more]})
        iam = aws.client("iam")
        if not any(role["RoleName"] == "app" for role in iam.list_roles()["Roles"]):
            iam.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=document, MaxSessionDuration=7200)
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=document)

    return make


@pytest.fixture
def sts(aws):
    """STS as nobody in particular calls it."""
    return boto3.client(
        "sts",
        endpoint_url=aws.endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def assume(sts):
    """`assume(token, **parameters)` is the answer of AssumeRoleWithWebIdentity."""

    def call(token, **parameters):
        given = {"RoleArn": APP, "RoleSessionName": "job-7", "WebIdentityToken": token, **parameters}
        return sts.assume_role_with_web_identity(**given)

    return call


def test_a_token_gives_the_roles_credentials(aws, issuer, provider, trust, assume):
    trust()
    answer = assume(issuer.token())
    session = aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()
    assert session["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/job-7"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": session["UserId"], "Arn": session["Arn"]}
    assert answer["SubjectFromWebIdentityToken"] == "repo:octo/app"
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == provider
    assert 0 < answer["PackedPolicySize"] < 50
    assert "SourceIdentity" not in answer
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])


def test_a_token_is_taken_until_it_expires_and_its_keys_are_remembered(issuer, trust, assume):
    """FED-06: every process of a pod reads the same file."""
    trust()
    token = issuer.token()
    sessions = {assume(token)["Credentials"]["AccessKeyId"] for _ in range(3)}
    assert len(sessions) == 3
    assert issuer.requests == {"/tenant" + DISCOVERY: 1, "/tenant/jwks": 1}


def test_the_duration_is_what_is_asked_and_the_role_allows(aws, issuer, trust, assume, refused):
    trust()
    for given, seconds in (({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 7200}, 7200)):
        left = assume(issuer.token(), **given)["Credentials"]["Expiration"].timestamp() - time.time()
        assert seconds - 10 < left <= seconds + 1
    with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        assume(issuer.token(), DurationSeconds=7201)
    credentials = Credentials.of(assume(issuer.token(), DurationSeconds=900)["Credentials"])
    aws.advance(901)
    with refused("ExpiredToken"):
        aws.client("sts", credentials).get_caller_identity()


def test_session_policies_narrow_the_session(aws, issuer, trust, assume, refused):
    trust()
    iam = aws.client("iam")
    everything = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:*")})
    iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=everything)
    reading = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers")})
    for narrowed in (
        {"Policy": reading},
        {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}]},
    ):
        answer = assume(issuer.token(), **narrowed)
        assert answer["PackedPolicySize"] > 0
        session = aws.client("iam", Credentials.of(answer["Credentials"]))
        session.list_users()
        with refused("AccessDenied", "because no session policy allows the iam:CreateUser action"):
            session.create_user(UserName="x")
    with refused("MalformedPolicyDocument"):
        assume(issuer.token(), Policy="{}")
    with refused("PackedPolicyTooLarge"):
        assume(issuer.token(), PolicyArns=[{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}] * 11)


def test_the_token_of_the_session_is_as_long_as_asked(aws, issuer, trust, assume):
    trust()
    answer = assume(issuer.token(), MinimumSessionTokenSize=3000)
    assert len(answer["Credentials"]["SessionToken"]) >= 3000
    aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()


@pytest.mark.parametrize(
    ("provider_id", "token", "code", "words"),
    [
        ("www.amazon.com", None, "InvalidIdentityToken", "Provided Token is not a Login With Amazon token"),
        ("www.amazon.com", "Atza|x", "ValidationError", "The provider www.amazon.com can't be asked"),
        ("graph.facebook.com", None, "ValidationError", "The provider graph.facebook.com can't be asked"),
        (
            "accounts.google.com",
            None,
            "AccessDenied",
            "Unrecognized OAuth provider. Do not include a provider parameter",
        ),
        ("https://www.amazon.com", None, "AccessDenied", "Unrecognized OAuth provider. Do not include a provider"),
    ],
)
def test_access_tokens_of_providers_that_only_they_can_read_are_refused(
    issuer, trust, assume, refused, provider_id, token, code, words
):
    trust()
    with refused(code, words):
        assume(token or issuer.token(), ProviderId=provider_id)


def other_key_of_the_same_id(issuer):
    return issuer.token(key=rsa_key())


def signed_with_the_public_key(issuer):
    """HS256 with the public key as secret: the classic confusion (B24)."""
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return forged({"alg": "HS256", "kid": "first"}, issuer.claims(), public)


def forged(header, claims, secret=None):
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret else b"x"
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def with_its_own_key(issuer):
    """A token that brings the key it was signed with (authlib CVE-2026-27962)."""
    key = rsa_key()
    return issuer.token(key=key, headers={"kid": "mine", "jwk": jwk(key, "mine")})


def with_a_changed_payload(issuer):
    head, _, signature = issuer.token().split(".")
    changed = base64.urlsafe_b64encode(json.dumps(issuer.claims(sub="admin")).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def without_a_signature(issuer):
    return issuer.token().rpartition(".")[0] + "."


FORGERIES = [
    (other_key_of_the_same_id, "Token signature is invalid"),
    (with_a_changed_payload, "Token signature is invalid"),
    (lambda i: i.token(headers={"kid": "other"}), NO_KEY),
    (with_its_own_key, NO_KEY),
    (signed_with_the_public_key, NOT_A_TOKEN),
    (lambda i: forged({"alg": "none", "kid": "first"}, i.claims()), NOT_A_TOKEN),
    (lambda i: forged({"alg": "nOnE", "kid": "first"}, i.claims()), NOT_A_TOKEN),
    (lambda i: jwt.encode(i.claims(), None, "none", {"kid": "first"}), NOT_A_TOKEN),
    (without_a_signature, NOT_A_TOKEN),
    (lambda i: i.token(algorithm="PS256"), NOT_A_TOKEN),
    (lambda i: i.token(headers={"crit": ["b64"], "b64": True}), NOT_A_TOKEN),
    (lambda i: i.token() + "=", NOT_A_TOKEN),
    (lambda i: i.token().replace(".", ".\n", 1), NOT_A_TOKEN),
    (lambda i: " " + i.token(), NOT_A_TOKEN),
    (lambda i: i.token() + "\n\0", NOT_A_TOKEN),
    (lambda i: i.token() + "\N{NO-BREAK SPACE}", NOT_A_TOKEN),
    (lambda i: "not.a.token", NOT_A_TOKEN),
    (lambda i: "opaque-access-token", NOT_A_TOKEN),
    (lambda i: i.token(aud="another-client"), UNVALIDATED),
    (lambda i: i.token(azp="another-client"), UNVALIDATED),
    (lambda i: i.token(azp=""), UNVALIDATED),
    (lambda i: i.token(aud="another-client", azp="sts.amazonaws.com"), UNVALIDATED),
    (lambda i: i.token(aud=["another-client", "third"], azp="sts.amazonaws.com"), UNVALIDATED),
    (lambda i: i.token(aud="", azp="sts.amazonaws.com"), UNVALIDATED),
    (lambda i: forged_claims(i, azp=["sts.amazonaws.com"]), UNVALIDATED),
    (lambda i: i.token(aud="STS.amazonaws.com"), UNVALIDATED),
    (lambda i: i.token(aud=""), UNVALIDATED),
    (lambda i: i.token(aud=["sts.amazonaws.com", "another-client"]), SEVERAL),
    (lambda i: i.token(aud=["sts.amazonaws.com", "api"]), SEVERAL),
    (lambda i: i.token(aud=[]), "Claim is not allowed to be empty: aud"),
    (lambda i: i.token(aud=None), "Missing a required claim: aud"),
    (lambda i: i.token(sub=None), "Missing a required claim: sub"),
    (lambda i: i.token(sub=""), "Missing a required claim: sub"),
    (lambda i: forged_claims(i, sub=True), "Missing a required claim: sub"),
    (lambda i: i.token(exp=None), "Missing a required claim: exp"),
    (lambda i: i.token(iat=None), "Missing a required claim: iat"),
    (lambda i: forged_claims(i, exp=True), WRONG_TIME),
    (lambda i: forged_claims(i, exp=time.time() + 100.5), WRONG_TIME),
    (lambda i: forged_claims(i, iat=time.time() - 0.5), WRONG_TIME),
    (lambda i: forged_claims(i, nbf="invalid"), WRONG_TIME),
    (lambda i: i.raw_token({**i.claims(), "iat": None}, {}), WRONG_TIME),
    (lambda i: i.token(iat=int(time.time()) + 120), "Token issued in the future: 1"),
    (lambda i: i.token(nbf=int(time.time()) + 120), "Token not yet valid: current date/time 1"),
    (lambda i: i.token(iss=i.url + "/"), "No OpenIDConnect provider found in your account for"),
    (lambda i: i.token(iss=i.url.replace("http:", "https:")), "No OpenIDConnect provider found in your account for"),
    (lambda i: i.token(iss=i.url.removeprefix("http://")), "No OpenIDConnect provider found in your account for"),
    (lambda i: i.token(iss="https://idp.example.com"), "No OpenIDConnect provider found in your account for"),
    (lambda i: i.token(iss=None), "Missing a required claim: iss"),
    (lambda i: i.token(**{"https://aws.amazon.com/source_identity": "a b"}), "Source Identity must match"),
]


def forged_claims(issuer, **claims):
    """A token whose claims are of another type, which libraries don't make."""
    return jwt.PyJWS().encode(
        json.dumps(issuer.claims(**claims)).encode(), issuer.key, "RS256", {"kid": "first", "typ": "JWT"}
    )


@pytest.mark.parametrize(("forge", "words"), FORGERIES, ids=range(len(FORGERIES)))
def test_a_token_that_proves_nothing_is_refused(issuer, trust, assume, refused, forge, words):
    trust()
    with refused("InvalidIdentityToken", words):
        assume(forge(issuer))


def test_an_expired_token_is_refused(issuer, trust, assume, refused):
    """FED-02, FED-06: it is accepted until `exp`, and not a second longer."""
    trust()
    expires = int(time.time()) + 3
    token = issuer.token(exp=expires)
    assume(token)
    time.sleep(max(0, expires - time.time()) + 0.1)
    with refused("ExpiredTokenException", "Token expired: current date/time 1") as error:
        assume(token)
    current, expiration = re.fullmatch(
        r"Token expired: current date/time (\d+) must be before the expiration date/time (\d+)", error["Message"]
    ).groups()
    assert int(expiration) == expires
    assert expires <= int(current) <= time.time()


@pytest.mark.parametrize("subject", ["s", "s" * 300, 123])
def test_a_subject_may_be_of_any_length_and_a_number(issuer, trust, assume, subject):
    trust()
    assert assume(forged_claims(issuer, sub=subject))["SubjectFromWebIdentityToken"] == str(subject)


def test_a_little_skew_of_the_issuers_clock_is_no_harm(issuer, trust, assume, refused):
    """FED-02: a minute, no more."""
    trust()
    now = int(time.time())
    answer = assume(issuer.token(iat=now + 55, nbf=now + 55))
    assert answer["SubjectFromWebIdentityToken"] == "repo:octo/app"
    with refused("InvalidIdentityToken", f"Token issued in the future: {now + 90}"):
        assume(issuer.token(iat=now + 90))
    with refused("InvalidIdentityToken", f"must be after or equal to the not-before date/time {now + 90}") as error:
        assume(issuer.token(nbf=now + 90))
    [current] = re.findall(r"^Token not yet valid: current date/time (\d+) must", error["Message"])
    assert now <= int(current) <= time.time()


def test_times_may_be_texts(issuer, trust, assume):
    trust()
    now = int(time.time())
    for claim, moment in (("exp", now + 60), ("iat", now), ("nbf", now)):
        assert assume(forged_claims(issuer, **{claim: str(moment)}))["SubjectFromWebIdentityToken"] == "repo:octo/app"


@pytest.mark.parametrize("audience", ["api", ["other", "api"]])
def test_the_authorized_party_is_whom_a_token_was_issued_to(issuer, trust, assume, audience):
    """FED-02: one of the audiences is registered as well."""
    trust(StringEquals={f"{issuer.host}:aud": "sts.amazonaws.com"})
    assert assume(issuer.token(aud=audience, azp="sts.amazonaws.com"))["Audience"] == "sts.amazonaws.com"


def test_the_only_key_needs_no_id(issuer, trust, assume, refused):
    trust()
    token = jwt.encode(issuer.claims(), issuer.key, "RS256")
    assert assume(token)["SubjectFromWebIdentityToken"] == "repo:octo/app"
    with refused("InvalidIdentityToken", "Token signature is invalid"):
        assume(jwt.encode(issuer.claims(), rsa_key(), "RS256"))
    with refused("InvalidIdentityToken", NO_KEY):
        assume(issuer.token(headers={"kid": ""}))


def test_of_several_keys_one_must_be_named(issuer, trust, assume, refused):
    trust()
    issuer.keys.append(jwk(rsa_key(), "second"))
    with refused("InvalidIdentityToken", NO_KEY):
        assume(jwt.encode(issuer.claims(), issuer.key, "RS256"))


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_elliptic_curves_sign_with_their_own_algorithm(issuer, trust, assume, refused, curve, algorithm):
    trust()
    key = ec.generate_private_key(curve)
    issuer.keys.append(jwk(key, "curve", alg=algorithm))
    assume(issuer.token(key=key, algorithm=algorithm, headers={"kid": "curve"}))
    with refused("InvalidIdentityToken", "Token signature is invalid"):
        assume(issuer.token(headers={"kid": "curve"}))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512"])
def test_a_key_signs_with_the_algorithm_that_it_is_for(issuer, trust, assume, refused, algorithm):
    trust()
    issuer.keys.append(jwk(issuer.key, "only", alg=algorithm))
    assume(issuer.token(algorithm=algorithm, headers={"kid": "only"}))
    with refused("InvalidIdentityToken", "Token signature is invalid"):
        assume(issuer.token(headers={"kid": "only"}))


def test_small_keys_and_keys_for_encryption_verify_nothing(issuer, trust, assume, refused):
    trust()
    small = rsa.generate_private_key(65537, 1024)
    issuer.keys += [jwk(small, "small"), jwk(issuer.key, "enc") | {"use": "enc"}]
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token(key=small, headers={"kid": "small"})
    with refused("InvalidIdentityToken", "Token signature is invalid"):
        assume(token)
    with refused("InvalidIdentityToken", NO_KEY):
        assume(issuer.token(headers={"kid": "enc"}))


def test_of_two_keys_with_one_id_none_is_taken(issuer, trust, assume, refused):
    trust()
    issuer.keys.append(jwk(rsa_key(), "first"))
    with refused("InvalidIdentityToken", NO_KEY):
        assume(issuer.token())


def test_a_new_key_is_fetched_and_a_flood_of_ids_is_not(issuer, trust, assume, refused):
    trust()
    assume(issuer.token())
    for number in range(5):
        with refused("InvalidIdentityToken", NO_KEY):
            assume(issuer.token(headers={"kid": f"none-{number}"}))
    assert issuer.requests["/tenant/jwks"] == 1
    key = rsa_key()
    issuer.keys.append(jwk(key, "second"))
    time.sleep(5.1)
    assume(issuer.token(key=key, headers={"kid": "second"}))
    assert issuer.requests["/tenant/jwks"] == 2


async def slow(_request):
    await asyncio.sleep(8)
    return web.Response()


ANSWERS = [
    (DISCOVERY, lambda r: web.Response(status=404), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.Response(text="<html>"), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.json_response({"issuer": "https://idp.example.com", "jwks_uri": str(r.url)}), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.json_response({"jwks_uri": str(r.url)}), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.Response(status=302, headers={"Location": f"http://127.0.0.1:1{r.path}"}), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.Response(status=302, headers={"Location": str(r.url)}), "InvalidIdentityToken"),
    (DISCOVERY, lambda r: web.Response(status=503), "IDPCommunicationError"),
    (DISCOVERY, slow, "IDPCommunicationError"),
    ("/jwks", lambda r: web.json_response({"keys": [1]}), "InvalidIdentityToken"),
    ("/jwks", lambda r: web.json_response({"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0"}]}), "InvalidIdentityToken"),
    ("/jwks", lambda r: web.Response(text=json.dumps({"keys": [], "x": "y" * 300_000})), "InvalidIdentityToken"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "answer", "code"), ANSWERS, ids=range(len(ANSWERS)))
def test_a_provider_that_answers_wrongly_proves_nothing(issuer, trust, assume, refused, path, answer, code):
    """FED-05: size, time, redirects; a fetch that fails is never success."""
    trust()
    issuer.answers[path] = answer
    with refused(code):
        assume(issuer.token())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "169.254.169.254", "[::1]", "0.0.0.0", "10.0.0.1"])
def test_keys_are_not_fetched_from_private_addresses(issuer, trust, assume, refused, host):
    """B37: the discovery document of a listed host must not lead anywhere else that only this machine reaches."""
    trust()
    issuer.answers[DISCOVERY] = lambda r: web.json_response(
        {"issuer": issuer.url, "jwks_uri": f"https://{host}:{issuer.port}/tenant/jwks"}
    )
    with refused("IDPCommunicationError"):
        assume(issuer.token())
    assert issuer.requests["/tenant/jwks"] == 0


def test_a_name_of_this_machine_that_is_not_listed_is_not_asked(aws, trust, assume, refused, tmp_path):
    """The server is there, and its certificate is good for that name: only the address keeps it from being asked."""
    chain = Chain(tmp_path)
    secured = Issuer(tls=chain.context)
    arn = aws.client("iam").create_open_id_connect_provider(Url=secured.url, ClientIDList=["sts.amazonaws.com"])
    trust(principal=arn["OpenIDConnectProviderArn"])
    secured.answers[DISCOVERY] = lambda r: web.json_response(
        {"issuer": secured.url, "jwks_uri": f"https://localhost:{secured.port}/jwks"}
    )
    with refused("IDPCommunicationError"):
        assume(secured.token())
    assert secured.requests["/jwks"] == 0
    secured.close()


def test_a_redirect_within_the_host_is_followed(issuer, trust, assume):
    trust()
    issuer.answers["/jwks"] = lambda r: web.Response(status=302, headers={"Location": "/keys"})
    issuer.answers["/keys"] = lambda r: web.json_response({"keys": issuer.keys})
    assert assume(issuer.token())["SubjectFromWebIdentityToken"] == "repo:octo/app"


def test_a_provider_that_is_not_there_is_a_failure_to_communicate(aws, trust, assume, refused):
    gone = Issuer()
    arn = aws.client("iam").create_open_id_connect_provider(Url=gone.url, ClientIDList=["sts.amazonaws.com"])
    token = gone.token()
    gone.close()
    trust(principal=arn["OpenIDConnectProviderArn"])
    with refused("IDPCommunicationError"):
        assume(token)


def test_a_server_whose_certificate_nobody_vouches_for_is_known_by_its_thumbprint(
    aws, trust, assume, refused, tmp_path
):
    chain = Chain(tmp_path)
    secured = Issuer(tls=chain.context)
    iam = aws.client("iam")
    arn = iam.create_open_id_connect_provider(
        Url=secured.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    trust(principal=arn)
    with refused("InvalidIdentityToken", "HTTPS certificate doesn't match configured thumbprint"):
        assume(secured.token())
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=[chain.thumbprint])
    assume(secured.token())
    secured.close()


@pytest.mark.parametrize(
    ("claims", "condition", "allowed"),
    [
        ({}, {"StringEquals": {"{issuer}:sub": "repo:octo/app"}}, True),
        ({"sub": "repo:octo/other"}, {"StringEquals": {"{issuer}:sub": "repo:octo/app"}}, False),
        ({}, {"StringLike": {"{issuer}:sub": "repo:octo/*"}}, True),
        ({}, {"StringEquals": {"{issuer}:aud": "sts.amazonaws.com"}}, True),
        ({}, {"StringEquals": {"{issuer}:aud": "other"}}, False),
        ({"azp": "sts.amazonaws.com", "aud": ["api", "b"]}, {"StringEquals": {"{issuer}:aud": "sts.amazonaws.com"}}, True),
        ({"azp": "sts.amazonaws.com", "aud": "api"}, {"StringEquals": {"{issuer}:oaud": "api"}}, True),
        ({"amr": ["mfa", "pwd"]}, {"ForAnyValue:StringEquals": {"{issuer}:amr": "mfa"}}, True),
        ({"amr": ["pwd"]}, {"ForAnyValue:StringEquals": {"{issuer}:amr": "mfa"}}, False),
        ({"email": "ann@example.com"}, {"StringEquals": {"{issuer}:email": "ann@example.com"}}, True),
        ({"actor": "ann"}, {"StringEquals": {"{issuer}:actor": "ann"}}, False),
        ({}, {"StringEquals": {"sts:RoleSessionName": "job-7"}}, True),
        ({}, {"StringEquals": {"sts:RoleSessionName": "job-8"}}, False),
        ({}, {"StringEquals": {"aws:ResourceTag/Team": "blue"}}, False),
        ({}, {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}, True),
        ({}, {"Null": {"aws:PrincipalArn": "true"}}, True),
        ({}, {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "User"}}, True),
        ({}, {"StringEquals": {"aws:PrincipalType": "FederatedUser"}}, False),
        ({}, {"StringEquals": {"aws:userid": "arn:aws:iam::123456789012:oidc-provider/{issuer}"}}, True),
        ({}, {"StringEquals": {"aws:userid": "repo:octo/app"}}, False),
        ({}, {"Bool": {"sts:RoleAuthorizedByIdp": "false"}}, True),
        ({}, {"Bool": {"sts:RoleAuthorizedByIdp": "true"}}, False),
        ({ROLES: None}, {"Bool": {"sts:RoleAuthorizedByIdp": "false"}}, True),
        ({ROLES: [APP]}, {"Bool": {"sts:RoleAuthorizedByIdp": "true"}}, True),
        ({ROLES: [APP]}, {"Bool": {"sts:RoleAuthorizedByIdp": "false"}}, False),
    ],
)  # fmt: skip
def test_the_trust_policy_decides_on_the_claims(issuer, trust, assume, refused, claims, condition, allowed):
    trust(**json.loads(json.dumps(condition).replace("{issuer}", issuer.host)))
    if allowed:
        assume(issuer.token(**claims))
    else:
        with refused("AccessDenied", UNTRUSTED):
            assume(issuer.token(**claims))


@pytest.mark.parametrize(
    "roles",
    [
        [APP], APP, [OTHER, APP], f"{OTHER};{APP}", f"{OTHER}; {APP}", f" {APP} ", [APP, APP], f"{APP};", f";{APP}",
        [123, APP], [None, APP], ["not-an-arn", APP],
    ],
)  # fmt: skip
def test_a_token_may_name_the_roles_that_it_is_for(issuer, trust, assume, roles):
    """As AWS was seen to answer in September 2026, as in the next test."""
    trust(Bool={"sts:RoleAuthorizedByIdp": "true"})
    assert assume(issuer.token(**{ROLES: roles}))["SubjectFromWebIdentityToken"] == "repo:octo/app"


NO_ARNS = "The roles claim contains no valid role ARNs"


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ([OTHER], "The target role ARN is not present in the roles claim of the identity token"),
        (APP + "s", "The target role ARN is not present in the roles claim of the identity token"),
        ([], NO_ARNS),
        ("", NO_ARNS),
        ([[APP]], NO_ARNS),
        (f"arn:aws:iam::{ACCOUNT}:role/*", NO_ARNS),
        (APP.upper(), NO_ARNS),
        (True, "The roles claim is not in a supported format"),
        ({"role": APP}, "The roles claim is not in a supported format"),
    ],
)
def test_a_token_for_other_roles_is_refused(issuer, trust, assume, refused, roles, words):
    trust()
    with refused("InvalidIdentityToken", words):
        assume(issuer.token(**{ROLES: roles}))


def test_a_denial_names_the_role_to_its_account_alone(aws, issuer, trust, assume, refused):
    trust("sts:AssumeRole")
    with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        assume(issuer.token())
    [event] = [event for event in aws.events("AssumeRoleWithWebIdentity") if event.get("errorCode") == "AccessDenied"]
    [decision] = aws.explain(event["requestID"])["Decisions"]
    assert (decision["Action"], decision["Resource"]) == ("sts:AssumeRoleWithWebIdentity", APP)


def test_an_absent_role_is_refused_as_an_untrusting_one(issuer, trust, assume, refused):
    """STS-13."""
    trust("sts:AssumeRole")
    told = []
    for role in (APP, APP + "s", APP.replace("team/", "")):
        with refused("AccessDenied") as error:
            assume(issuer.token(), RoleArn=role)
        told.append(error["Message"])
    assert told == [UNTRUSTED] * 3


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::123456789012:user/app", "arn:aws:s3:::bucket/role/app", "role/app-of-no-account"]
)
def test_a_role_is_named_by_its_arn(issuer, trust, assume, refused, role):
    trust()
    with refused("ValidationError", f"{role} is invalid"):
        assume(issuer.token(), RoleArn=role)


def test_a_provider_vouches_in_its_own_account_only(aws, issuer, trust, assume, refused, other):
    trust()
    iam = aws.client("iam", other)
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::210987654321:oidc-provider/{issuer.host}"},
                "Action": ACTION,
            },
        }
    )
    theirs = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for role in (theirs, "arn:aws:iam::999999999999:role/none"):
        with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer.url}"):
            assume(issuer.token(), RoleArn=role)


def test_google_needs_no_provider_and_no_word_of_anybody_else(issuer, trust, assume):
    """What AWS knows by itself is asked for its keys; it is not Google that signed here, or it can't be reached."""
    trust(principal="accounts.google.com", StringEquals={"accounts.google.com:aud": "sts.amazonaws.com"})
    with pytest.raises(ClientError) as caught:
        assume(issuer.token(iss="https://accounts.google.com"))
    error = caught.value.response["Error"]
    assert error["Code"] == "IDPCommunicationError" or error["Message"].startswith(NO_KEY)


def test_a_deleted_provider_or_audience_vouches_no_more(aws, issuer, provider, trust, assume, refused):
    trust()
    assume(issuer.token())
    iam = aws.client("iam")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="sts.amazonaws.com")
    with refused("InvalidIdentityToken", UNVALIDATED):
        assume(issuer.token())
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="sts.amazonaws.com")
    assume(issuer.token())
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    with refused("InvalidIdentityToken", "No OpenIDConnect provider found"):
        assume(issuer.token())


def tagged(nested=None, **flat):
    return {**({TAGS: nested} if nested is not None else {}), **{f"{TAGS}/{key}": value for key, value in flat.items()}}


BOTH = [ACTION, "sts:TagSession"]


@pytest.mark.parametrize(
    "claims",
    [
        tagged({"principal_tags": {"Project": ["x"], "Stage": ["y"]}, "transitive_tag_keys": ["Project"]}),
        tagged(**{"principal_tags/Project": "x", "principal_tags/Stage": "y", "transitive_tag_keys": ["Project"]}),
    ],
)
def test_a_token_tags_the_session(aws, issuer, trust, assume, refused, claims):
    """IAM User Guide, id_session-tags, both forms of the claim."""
    trust()
    with refused("AccessDenied", "Not authorized to perform sts:TagSession"):
        assume(issuer.token(**claims))
    trust(*BOTH, StringEquals={"aws:RequestTag/Project": "other"})
    with refused("AccessDenied"):
        assume(issuer.token(**claims))
    trust(
        *BOTH,
        **{
            "StringEquals": {"aws:RequestTag/Project": "x"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["Project", "Stage"], "sts:TransitiveTagKeys": "Project"},
        },
    )
    iam = aws.client("iam")
    condition = {"StringEquals": {"aws:PrincipalTag/project": "x", "aws:PrincipalTag/stage": "y"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers", **condition)})
    iam.put_role_policy(RoleName="app", PolicyName="tags", PolicyDocument=policy)
    answer = assume(issuer.token(**claims))
    assert answer["PackedPolicySize"] > 0
    aws.client("iam", Credentials.of(answer["Credentials"])).list_users()
    [event] = [event for event in aws.events("AssumeRoleWithWebIdentity") if "errorCode" not in event]
    assert event["requestParameters"]["principalTags"] == {"Project": "x", "Stage": "y"}
    assert event["requestParameters"]["transitiveTagKeys"] == ["Project"]


@pytest.mark.parametrize(
    "claims",
    [
        tagged([]),
        tagged(**{"principal_tags/Project": ["x", "y"]}),
        tagged({"principal_tags": {"Project": ["x"], "PROJECT": ["y"]}}),
        tagged({"principal_tags": {"Project": ["x"]}}, **{"principal_tags/Project": "y"}),
        tagged({"principal_tags": {"aws:x": ["y"]}}),
        tagged({"principal_tags": {"": ["y"]}}),
        tagged({"principal_tags": {"a" * 129: ["y"]}}),
        tagged({"principal_tags": {"a": ["y" * 257]}}),
        tagged({"principal_tags": {"a<": ["y"]}}),
        tagged({"principal_tags": {f"k{n}": ["y"] for n in range(51)}}),
        tagged({"principal_tags": {"a": ["y"]}, "transitive_tag_keys": ["b"]}),
        tagged({"principal_tags": {"a": ["y"]}, "transitive_tag_keys": "a"}),
        tagged({"unknown": {}}),
    ],
)
def test_tags_that_no_session_can_have_are_rejected(issuer, trust, assume, refused, claims):
    trust(*BOTH)
    with refused("IDPRejectedClaim"):
        assume(issuer.token(**claims))


@pytest.mark.parametrize("tags", [["x"], {"Project": "x"}, {"Project": ["x", "y"]}, {"Project": [1]}, {"Project": []}])
def test_nested_tags_have_one_value_in_an_array(issuer, trust, assume, refused, tags):
    trust(*BOTH)
    with refused("InvalidIdentityToken", "principal_tags passed in claim is not in correct format."):
        assume(issuer.token(**tagged({"principal_tags": tags})))


def test_transitive_tags_and_source_identity_go_on_to_the_next_role(aws, issuer, trust, assume, role):
    claims = {
        **tagged({"principal_tags": {"Project": ["x"]}, "transitive_tag_keys": ["Project"]}),
        "https://aws.amazon.com/source_identity": "ann",
    }
    trust(*BOTH, "sts:SetSourceIdentity", StringEquals={"sts:SourceIdentity": "ann"})
    answer = assume(issuer.token(**claims))
    assert answer["SourceIdentity"] == "ann"
    session = Credentials.of(answer["Credentials"])
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": APP},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"aws:PrincipalTag/Project": "x", "sts:SourceIdentity": "ann"}},
    }
    second = role("second", statement)
    chained = aws.client("sts", session).assume_role(RoleArn=second, RoleSessionName="next")
    assert chained["SourceIdentity"] == "ann"


def test_the_source_identity_needs_the_roles_permission(issuer, trust, assume, refused):
    trust()
    with refused("AccessDenied", "Not authorized to perform sts:SetSourceIdentity"):
        assume(issuer.token(**{"https://aws.amazon.com/source_identity": "ann"}))


def test_the_session_keeps_what_its_policies_may_test(aws, issuer, provider, trust, assume):
    """IAM User Guide, reference_policies_iam-condition-keys: `sub`, `aud` and `amr` stand in sessions, others don't."""
    trust()
    iam = aws.client("iam")
    condition = {
        "StringEquals": {
            f"{issuer.host}:sub": "repo:octo/app",
            f"{issuer.host}:aud": "sts.amazonaws.com",
            "aws:FederatedProvider": provider,
        },
        "ForAnyValue:StringEquals": {f"{issuer.host}:amr": "mfa"},
        "Null": {f"{issuer.host}:email": "true", f"{issuer.host}:oaud": "true"},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers", **condition)})
    iam.put_role_policy(RoleName="app", PolicyName="claims", PolicyDocument=policy)
    answer = assume(issuer.token(amr=["pwd", "mfa"], email="ann@example.com"))
    aws.client("iam", Credentials.of(answer["Credentials"])).list_users()
    [event] = aws.events("ListUsers")
    context = event["userIdentity"]["sessionContext"]
    assert context["webIdFederationData"] == {"federatedProvider": provider, "attributes": {}}


def test_the_event_is_cloudtrails(aws, issuer, provider, trust, assume):
    """IAM User Guide, cloudtrail-integration, "Example AWS STS API event using a web identity"."""
    trust()
    token = issuer.token()
    answer = assume(token, DurationSeconds=1800)
    [event] = aws.events("AssumeRoleWithWebIdentity")
    assert event["userIdentity"] == {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:repo:octo/app",
        "userName": "repo:octo/app",
        "identityProvider": provider,
    }
    assert event["requestParameters"] == {"roleArn": APP, "roleSessionName": "job-7", "durationSeconds": 1800}
    assert event["recipientAccountId"] == ACCOUNT
    assert event["readOnly"] is True
    shown = event["responseElements"]
    assert shown["subjectFromWebIdentityToken"] == "repo:octo/app"
    assert (shown["provider"], shown["audience"]) == (provider, "sts.amazonaws.com")
    assert shown["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": APP}]
    assert token not in json.dumps(event)


def test_a_signed_request_is_decided_on_its_token_all_the_same(aws, issuer, provider, trust):
    """AWS: the operation needs no AWS credentials, and gives none more for having some."""
    trust()
    signed = aws.client("sts").assume_role_with_web_identity
    answer = signed(RoleArn=APP, RoleSessionName="job-7", WebIdentityToken=issuer.token())
    assert answer["Provider"] == provider
    [event] = aws.events("AssumeRoleWithWebIdentity")
    assert event["userIdentity"]["type"] == "WebIdentityUser"


def test_a_role_that_trusts_everyone_trusts_no_token(issuer, trust, assume, refused):
    trust(more=[], principal=f"arn:aws:iam::{ACCOUNT}:oidc-provider/other.example.com")
    with refused("AccessDenied", UNTRUSTED):
        assume(issuer.token())


@pytest.fixture
def profile(aws, issuer, trust, tmp_path):
    """The environment of a pod: a role, a file with a token, and an endpoint."""
    trust()
    file = tmp_path / "token"
    file.write_text(issuer.token())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return clean | {
        "AWS_ROLE_ARN": APP,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }


def test_boto3_takes_the_token_from_the_file(profile):
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, env=profile, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pod", done.stderr


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n"], ids=repr)
def test_a_file_may_end_with_a_line_feed(issuer, trust, assume, end):
    """GitLab's and Bitbucket's recipes write it by `echo`; AWS's clients send the file as it is."""
    trust()
    assert assume(issuer.token() + end)["SubjectFromWebIdentityToken"] == "repo:octo/app"


def test_the_aws_cli_takes_the_token_from_the_file(profile):
    command = [Path(sys.executable).parent / "aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
    done = subprocess.run(command, check=False, env=profile, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pod", done.stderr


def test_the_roles_rcps_bind_and_its_scps_do_not(aws, issuer, assume):
    """AWS: SCPs bind an account's users and roles, RCPs whoever asks for a role (orgs_manage_policies_scps, _rcps)."""
    organizations = aws.client("organizations")
    organizations.create_organization()
    root_id = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root_id, PolicyType="RESOURCE_CONTROL_POLICY")
    status = organizations.create_account(AccountName="dev", Email="dev@example.com")["CreateAccountStatus"]
    status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    administrator = f"arn:aws:iam::{status['AccountId']}:role/OrganizationAccountAccessRole"
    session = aws.client("sts").assume_role(RoleArn=administrator, RoleSessionName="test")
    iam = aws.client("iam", Credentials.of(session["Credentials"]))
    made = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com"])
    trust = {"Effect": "Allow", "Principal": {"Federated": made["OpenIDConnectProviderArn"]}, "Action": ACTION}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def attach(policy_type, **statement):
        content = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **statement}]})
        given = {"Name": policy_type, "Description": "", "Type": policy_type, "Content": content}
        made = organizations.create_policy(**given)["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=made, TargetId=root_id)

    attach("SERVICE_CONTROL_POLICY", Action="sts:*")
    assert assume(issuer.token(), RoleArn=role)["Credentials"]
    attach("RESOURCE_CONTROL_POLICY", Action=ACTION, Principal="*")
    with pytest.raises(ClientError, match=UNTRUSTED) as caught:
        assume(issuer.token(), RoleArn=role)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["Error"]["Message"] == UNTRUSTED
