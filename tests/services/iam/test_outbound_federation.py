"""Outbound identity federation through boto3, and what the account's issuer publishes."""

import json
import urllib.error
import urllib.request

import pytest
from running import ACCOUNT, AWS

OPERATIONS = [
    "EnableOutboundWebIdentityFederation",
    "DisableOutboundWebIdentityFederation",
    "GetOutboundWebIdentityFederationInfo",
]


def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def info(iam):
    answer = iam.get_outbound_web_identity_federation_info()
    return answer["IssuerIdentifier"], answer["JwtVendingEnabled"]


def test_an_account_gets_an_issuer_and_keeps_it(aws, iam, refused):
    """The words are those of AWS's answers of September 2026."""
    disabled = f"Outbound identity federation is disabled for account {ACCOUNT}"
    with refused("FeatureDisabled", disabled):
        info(iam)
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert issuer.startswith(f"{aws.endpoint}/_iamd/oidc/")
    assert info(iam) == (issuer, True)
    with refused("FeatureEnabled", f"Outbound identity federation is already enabled for account {ACCOUNT}"):
        iam.enable_outbound_web_identity_federation()
    iam.disable_outbound_web_identity_federation()
    with refused("FeatureDisabled", disabled):
        info(iam)
    with refused("FeatureDisabled", f"Outbound identity federation is already disabled for account {ACCOUNT}"):
        iam.disable_outbound_web_identity_federation()
    assert iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == issuer


def test_what_was_never_enabled_is_not_disabled(iam, refused):
    with refused("FeatureDisabled", f"Outbound identity federation is already disabled for account {ACCOUNT}"):
        iam.disable_outbound_web_identity_federation()


def test_the_issuer_publishes_its_keys_and_no_private_one(iam):
    """OpenID Connect Discovery 1.0, 4; RFC 7517. Disabled, they stay: tokens that were given are still good."""
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    found = read(issuer + "/.well-known/openid-configuration")
    assert found["issuer"] == issuer
    assert found["jwks_uri"] == issuer + "/.well-known/jwks.json"
    assert found["id_token_signing_alg_values_supported"] == ["RS256", "ES384"]
    keys = read(found["jwks_uri"])["keys"]
    assert [(key["kty"], key["alg"], key["use"]) for key in keys] == [("RSA", "RS256", "sig"), ("EC", "ES384", "sig")]
    assert all(key.keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi"}) for key in keys)
    assert len({key["kid"] for key in keys}) == 2
    iam.disable_outbound_web_identity_federation()
    assert read(found["jwks_uri"])["keys"] == keys


@pytest.mark.parametrize("path", ["", "/", "/.well-known/", "/.well-known/other", "x/.well-known/jwks.json"])
def test_nothing_else_is_published(iam, path):
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        read(issuer + path)
    caught.value.close()


def test_accounts_have_issuers_and_keys_of_their_own(aws, iam):
    mine = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    other = aws.iamd("CreateAccount", Name="other", AccountId="210987654321")
    theirs = aws.client("iam", aws_credentials(other)).enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert theirs != mine
    assert read(mine + "/.well-known/jwks.json") != read(theirs + "/.well-known/jwks.json")


def aws_credentials(answer):
    from running import Credentials

    return Credentials.of(answer)


def test_the_issuer_is_where_the_setting_says(start):
    server = start("--backend", "none", "--issuer-url", "https://iamd.example.com")
    issuer = AWS(server).client("iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert issuer.startswith("https://iamd.example.com/_iamd/oidc/")
    path = issuer.removeprefix("https://iamd.example.com")
    assert read(f"{server.endpoint}{path}/.well-known/openid-configuration")["issuer"] == issuer


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_denied_on_everything(denied, operation):
    denied(operation, "*")


def test_each_operation_is_recorded(aws, iam):
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    info(iam)
    iam.disable_outbound_web_identity_federation()
    for operation in OPERATIONS:
        [event] = aws.events(operation)
        assert event["eventSource"] == "iam.amazonaws.com"
        assert event["requestParameters"] is None
    [enabled] = aws.events("EnableOutboundWebIdentityFederation")
    assert enabled["responseElements"] == {"issuerIdentifier": issuer}
