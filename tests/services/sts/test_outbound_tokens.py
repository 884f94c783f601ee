"""GetWebIdentityToken through boto3; tokens are verified by PyJWT with the keys that the issuer publishes."""

import json
import time

import jwt
import pytest
from running import ACCOUNT, Credentials, allow
from services.sts.conftest import trusting

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
NAMESPACE = "https://sts.amazonaws.com/"
BOTH = [allow(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"])]


@pytest.fixture
def issuer(aws):
    return aws.client("iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]


@pytest.fixture
def token(aws):
    """`token(credentials, **parameters)` is the answer of GetWebIdentityToken."""

    def get(credentials, **parameters):
        given = {"Audience": ["https://api.example.com"], "SigningAlgorithm": "RS256", **parameters}
        return aws.client("sts", credentials).get_web_identity_token(**given)

    return get


def verified(answer, issuer, algorithm="RS256", audience="https://api.example.com"):
    """The claims of a token as a service outside verifies it."""
    text = answer["WebIdentityToken"]
    key = jwt.PyJWKClient(issuer + "/.well-known/jwks.json").get_signing_key_from_jwt(text)
    return jwt.decode(text, key, algorithms=[algorithm], audience=audience, issuer=issuer)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_service_outside_learns_who_calls(aws, issuer, token, algorithm):
    ann = aws.user("ann", *BOTH)
    aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    answer = token(ann, SigningAlgorithm=algorithm)
    claims = verified(answer, issuer, algorithm)
    assert claims["sub"] == ANN
    assert claims["aud"] == "https://api.example.com"
    assert claims["exp"] - claims["iat"] == 300
    assert answer["Expiration"].timestamp() == claims["exp"]
    assert claims[NAMESPACE] == {
        "aws_account": ACCOUNT,
        "source_region": "us-east-1",
        "principal_id": ANN,
        "principal_tags": {"Team": "blue"},
    }
    assert token(ann)["WebIdentityToken"] != token(ann)["WebIdentityToken"]


def test_audiences_duration_and_tags_are_as_asked(aws, issuer, token):
    ann = aws.user("ann", *BOTH)
    answer = token(
        ann, Audience=["a", "b"], DurationSeconds=3600, Tags=[{"Key": "job-id", "Value": "7"}], SigningAlgorithm="ES384"
    )
    claims = verified(answer, issuer, "ES384", "b")
    assert claims["aud"] == ["a", "b"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims[NAMESPACE]["request_tags"] == {"job-id": "7"}


def test_a_role_session_is_told_by_its_role(aws, issuer, token, role, assume):
    ann = aws.user("ann")
    statement = trusting(ANN, "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    arn = role("app", statement, *BOTH, Path="/team/", Tags=[{"Key": "Team", "Value": "blue"}])
    session = assume(ann, arn, SourceIdentity="ann", Tags=[{"Key": "TEAM", "Value": "red"}])
    claims = verified(token(session), issuer)
    assert claims["sub"] == arn == f"arn:aws:iam::{ACCOUNT}:role/team/app"
    told = claims[NAMESPACE]
    assert told["principal_tags"] == {"TEAM": "red"}
    assert told["source_identity"] == "ann"
    assert told["original_session_exp"].endswith("Z")


def test_a_token_does_not_outlive_the_session(aws, issuer, token, role, assume, refused):
    """B29."""
    ann = aws.user("ann")
    session = assume(ann, role("app", trusting(ANN), *BOTH), DurationSeconds=900)
    words = "Requested token expiry time must be before the original session's expiry time."
    with refused("SessionDurationEscalationException", words):
        token(session, DurationSeconds=1000)
    assert verified(token(session, DurationSeconds=800), issuer)["exp"] < time.time() + 900


def test_disabled_no_token_is_given_and_those_given_stay_good(aws, token, refused):
    ann = aws.user("ann", *BOTH)
    with refused("OutboundWebIdentityFederationDisabledException", "OutboundWebIdentityFederation is disabled."):
        token(ann)
    iam = aws.client("iam")
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    answer = token(ann)
    iam.disable_outbound_web_identity_federation()
    with refused("OutboundWebIdentityFederationDisabledException"):
        token(ann)
    assert verified(answer, issuer)["sub"] == ANN


def test_what_no_token_can_be_is_refused(aws, issuer, token, refused):
    ann = aws.user("ann", *BOTH)
    many = [{"Key": f"{n:02}" + "k" * 100, "Value": "v" * 200} for n in range(50)]
    with refused("JWTPayloadSizeExceededException", "JWT payload exceeds maximum allowed size"):
        token(ann, Tags=many)
    unchecked = aws.client("sts", ann, parameter_validation=False)
    missing = (
        "1 validation error detected: Value null at 'audience' failed to satisfy constraint: Member must not be null"
    )
    with refused("ValidationError", missing):
        unchecked.get_web_identity_token(Audience=[], SigningAlgorithm="RS256")


def test_what_is_wrong_is_told_before_the_feature_is_looked_at(aws, token, refused, role, assume):
    """As accounts without it were answered by AWS in September 2026."""
    ann = aws.user("ann", *BOTH, allow("sts:AssumeRole"))
    unsupported = "Requested SigningAlgorithm is not supported. See the GetWebIdentityToken documentation for supported algorithms"
    for algorithm in ("HS256", "RS384", "rs256"):
        with refused("ValidationError", unsupported):
            token(ann, SigningAlgorithm=algorithm)
    with refused("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
        token(ann, Tags=[{"Key": "a", "Value": "y"}, {"Key": "A", "Value": "y"}])
    session = assume(ann, role("app", trusting(ANN), *BOTH), DurationSeconds=900)
    with refused("SessionDurationEscalationException"):
        token(session, DurationSeconds=3600)


def test_keys_of_claims_may_begin_as_no_tags_of_sessions_may(aws, issuer, token):
    """As AWS was seen to answer in September 2026."""
    answer = token(aws.user("ann", *BOTH), Tags=[{"Key": "aws:test", "Value": "reserved"}])
    assert verified(answer, issuer)[NAMESPACE]["request_tags"] == {"aws:test": "reserved"}


def test_a_token_may_say_much(aws, issuer, token):
    """A payload of 14,984 bytes is the largest that AWS was seen to take."""
    audiences = [f"{n}" + "a" * 999 for n in range(10)]
    tags = [{"Key": f"{n:02}", "Value": "v" * 256} for n in range(15)]
    text = token(aws.user("ann", *BOTH), Audience=audiences, Tags=tags)["WebIdentityToken"]
    assert 14_000 < len(text.split(".")[1]) * 3 // 4 <= 14_984


def test_sessions_of_users_get_tokens_and_federated_users_do_not(aws, issuer, token, refused):
    """As AWS was seen to answer in September 2026."""
    ann = aws.user("ann", *BOTH, allow("sts:GetFederationToken"))
    sts = aws.client("sts", ann)
    session = Credentials.of(sts.get_session_token(DurationSeconds=900)["Credentials"])
    assert verified(token(session), issuer)["sub"] == ANN
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("sts:*")})
    federated = Credentials.of(sts.get_federation_token(Name="Bob", Policy=policy)["Credentials"])
    with refused("AccessDenied", "GetWebIdentityToken does not support federated user sessions"):
        token(federated)


CONDITIONS = [
    ({"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "https://api.example.com"}}, True),
    ({"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "https://other.example.com"}}, False),
    ({"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}, True),
    ({"NumericLessThan": {"sts:DurationSeconds": "300"}}, False),
    ({"StringEquals": {"sts:SigningAlgorithm": "RS256"}}, True),
    ({"StringEquals": {"sts:SigningAlgorithm": "ES384"}}, False),
]


@pytest.mark.parametrize(("condition", "allowed"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_policies_decide_on_what_the_token_would_be(aws, issuer, token, refused, condition, allowed):
    ann = aws.user("ann", allow("sts:GetWebIdentityToken", **condition))
    if allowed:
        token(ann)
    else:
        with refused("AccessDenied"):
            token(ann)


def test_a_token_is_had_of_oneself(aws, issuer, token, refused):
    """As AWS was seen to decide in September 2026: its reference names no resource, its denials do."""
    itself = f"arn:aws:sts::{ACCOUNT}:self"
    ann = aws.user("ann", allow(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"], resource=itself))
    token(ann, Tags=[{"Key": "job", "Value": "7"}])
    bob = aws.user("bob", allow("sts:GetWebIdentityToken", resource=f"arn:aws:iam::{ACCOUNT}:user/bob"))
    words = (
        f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: sts:GetWebIdentityToken on resource: {itself} "
        "because no identity-based policy allows the sts:GetWebIdentityToken action"
    )
    with refused("AccessDenied", words):
        token(bob)


def test_claims_of_ones_own_need_a_permission(aws, issuer, token, refused):
    ann = aws.user("ann", allow("sts:GetWebIdentityToken"))
    token(ann)
    with refused(
        "AccessDenied",
        f"sts:TagGetWebIdentityToken on resource: arn:aws:sts::{ACCOUNT}:self because no identity-based policy allows",
    ):
        token(ann, Tags=[{"Key": "job", "Value": "7"}])
    one = {"StringEquals": {"aws:RequestTag/job": "7"}}
    bob = aws.user("bob", allow("sts:GetWebIdentityToken"), allow("sts:TagGetWebIdentityToken", **one))
    token(bob, Tags=[{"Key": "job", "Value": "7"}])
    with refused("AccessDenied"):
        token(bob, Tags=[{"Key": "job", "Value": "8"}])


def test_a_denial_and_a_token_are_events(aws, issuer, token, refused):
    words = (
        f"is not authorized to perform: sts:GetWebIdentityToken on resource: arn:aws:sts::{ACCOUNT}:self because no "
        "identity-based policy allows the sts:GetWebIdentityToken action"
    )
    with refused("AccessDenied", words):
        aws.client("sts", aws.user("nobody")).get_web_identity_token(Audience=["a"], SigningAlgorithm="RS256")
    answer = token(aws.user("ann", *BOTH))
    denied, given = sorted(aws.events("GetWebIdentityToken"), key=lambda event: event.get("errorCode", "~"))
    assert denied["errorCode"] == "AccessDenied"
    assert given["requestParameters"] == {"audience": ["https://api.example.com"], "signingAlgorithm": "RS256"}
    assert given["responseElements"].keys() == {"expiration"}
    assert answer["WebIdentityToken"] not in json.dumps(given)


def test_iamds_own_tokens_assume_no_role_of_iamds(aws, issuer, token, refused):
    """AWS: such a token can't be used for AssumeRoleWithWebIdentity (id_roles_providers_outbound_getting_started)."""
    iam = aws.client("iam")
    arn = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["https://api.example.com"])
    statement = trusting({"Federated": arn["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity")
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    text = token(aws.user("ann", *BOTH))["WebIdentityToken"]
    with refused("InvalidIdentityToken", "Tokens of GetWebIdentityToken can't be used to assume roles."):
        aws.client("sts").assume_role_with_web_identity(RoleArn=role, RoleSessionName="ann", WebIdentityToken=text)
