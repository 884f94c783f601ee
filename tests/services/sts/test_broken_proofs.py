"""Tokens and assertions that are broken in generated ways: anybody may send them unsigned, and none is a failure."""

import base64
import copy
import json
import random

import boto3
import pytest
from aiohttp import web
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from issuer import DISCOVERY, Issuer, pem, rsa_key
from lxml import etree
from running import ACCOUNT, REGION
from saml import ENTITY_ID, IdentityProvider, Said, assertion_of, element, encoded, encrypt, sign

APP = f"arn:aws:iam::{ACCOUNT}:role/app"
CORP = f"arn:aws:iam::{ACCOUNT}:saml-provider/Corp"
KEY = rsa_key()
TIMES = 120
JUNK = [
    "", "x", " ", "!!!", "AAAA", "é", "-1", "9" * 5000, "#", "#_r1", "#_a1", "urn:x", "file:///etc/passwd", "http://[", "a:b:c",
    "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2001/04/xmlenc#Content",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
]  # fmt: skip
DEEP = 5_000
VALUES = [None, True, -1, 1e300, 10**400, "", "x", "\0", "é", [], [1], [[]], {}, {"x": None}, "a" * 5000]


@pytest.fixture(scope="module")
def idp():
    return IdentityProvider()


@pytest.fixture(scope="module")
def issuer():
    running = Issuer()
    yield running
    running.close()


@pytest.fixture
def sts(aws, idp, issuer):
    """STS as nobody in particular calls it, in an account with a provider of either kind that the role trusts."""
    iam = aws.client("iam")
    iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=idp.metadata(), AddPrivateKey=pem(KEY).decode())
    web_identity = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com"])
    statements = [
        {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": [action, "sts:TagSession"]}
        for provider, action in (
            (CORP, "sts:AssumeRoleWithSAML"),
            (web_identity["OpenIDConnectProviderArn"], "sts:AssumeRoleWithWebIdentity"),
        )
    ]
    iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )
    return boto3.client(
        "sts",
        endpoint_url=aws.endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, parameter_validation=False),
    )


@pytest.fixture
def present(sts):
    """`present(token)`, `present(assertion=...)` is the status and code of the answer, which must not be a failure."""

    def call(token=None, *, assertion=None, what):
        try:
            if assertion is None:
                sts.assume_role_with_web_identity(RoleArn=APP, RoleSessionName="job", WebIdentityToken=token)
            else:
                sts.assume_role_with_saml(RoleArn=APP, PrincipalArn=CORP, SAMLAssertion=assertion)
        except ClientError as error:
            status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
        else:
            status, code = 200, "OK"
        assert status < 500, what
        return code

    return call


def part(content):
    """A part of a token."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


HEADER = {"alg": "RS256", "kid": "first"}


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (HEADER, b'{"iss":' + b"[" * DEEP),
        (HEADER, b'{"iss":' * (DEEP // 3)),
        (b"[" * DEEP, {"iss": "x"}),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, {"iss": "x"}),
    ],
    ids=["lists", "objects", "header", "header of objects"],
)
def test_a_token_that_is_nested_deeply_is_no_token(present, header, payload):
    assert present(f"{part(header)}.{part(payload)}.AAAA", what="depth") == "InvalidIdentityToken"


def test_no_token_makes_the_server_fail(present, issuer):
    chance = random.Random(1)
    seen = {present(token, what=token) for token in (broken_token(issuer, chance) for _ in range(TIMES))}
    assert {"OK", "InvalidIdentityToken", "IDPRejectedClaim"} <= seen


def broken_token(issuer, chance):
    """A signed token with claims and headers of every type, or one whose text was changed afterwards."""
    claims, headers = issuer.claims(), {}
    names = [
        *claims,
        "nbf",
        "azp",
        "amr",
        "https://aws.amazon.com/tags",
        "https://aws.amazon.com/source_identity",
        "new",
    ]
    for name in chance.sample(names, chance.choice([0, 1, 1, 2])):
        claims[name] = chance.choice(VALUES)
    if chance.random() < 0.2:
        headers[chance.choice(["kid", "typ", "cty", "crit", "b64", "jwk", "x5c"])] = chance.choice(["x", "", "é"])
    token = issuer.raw_token(claims, headers)
    if chance.random() < 0.2:
        at = chance.randrange(len(token))
        token = token[:at] + chance.choice(["", ".", "A", "AAAA", "é", "\n"]) + token[at + chance.randrange(5) :]
    return token or "x" * 4


@pytest.mark.parametrize(
    "answer",
    [
        b"[" * 50_000,
        b'{"keys":' + b"[" * 50_000,
        b"\xff",
        b'{"keys":[{"kty":"RSA","kid":"first","n":"AAAA","e":"AAAA","x5c":[[[]]]}]}',
        b'{"keys":[{"kty":"RSA","kid":"first","n":1,"e":[]}]}',
        b'{"keys":[{"kty":"RSA","kid":"first","n":"\\u00e9","e":"AQAB","d":5}]}',
    ],
    ids=range(6),
)
@pytest.mark.parametrize("path", [DISCOVERY, "/jwks"])
def test_what_an_issuer_publishes_makes_no_failure(issuer, present, path, answer):
    issuer.answers[path] = lambda _: web.Response(body=answer, content_type="application/json")
    try:
        assert present(issuer.token(), what=(path, answer[:40])) == "InvalidIdentityToken"
    finally:
        issuer.answers.clear()


@pytest.mark.parametrize("url", ["http://[", "https://" + "a" * 70 + ".example", "https://x:y"])
@pytest.mark.parametrize("redirected", [False, True])
def test_what_is_no_url_is_not_fetched(issuer, present, redirected, url):
    if redirected:
        issuer.answers["/jwks"] = lambda _: web.Response(status=302, headers={"Location": url})
    else:
        issuer.answers[DISCOVERY] = lambda _: web.json_response({"issuer": issuer.url, "jwks_uri": url})
    try:
        assert present(issuer.token(), what=url) in {"InvalidIdentityToken", "IDPCommunicationError"}
    finally:
        issuer.answers.clear()


@pytest.mark.parametrize("number", range(2), ids=["signed", "encrypted"])
def test_each_part_of_a_signature_may_be_missing_doubled_or_strange(present, idp, number):
    good, seen = signed(idp, number), set()
    for place in range(len(security_parts(good))):
        for how in (missing, doubled, strange):
            response = copy.deepcopy(good)
            part = security_parts(response)[place]
            how(part)
            seen.add(present(assertion=encoded(response), what=(how, part.tag)))
    assert "InvalidIdentityToken" in seen


def security_parts(response):
    """What signatures and encrypted data consist of."""
    return [one for one in response.iter() if one.prefix in {"ds", "xenc"}]


def missing(part):
    part.getparent().remove(part)


def doubled(part):
    part.getparent().append(copy.deepcopy(part))


def strange(part):
    """Other algorithms, and an element more."""
    for name in part.attrib:
        part.set(name, "urn:x")
    mask = etree.SubElement(part, "{http://www.w3.org/2009/xmlenc11#}MGF")
    mask.set("Algorithm", "urn:x")


def test_no_assertion_makes_the_server_fail(present, idp):
    chance = random.Random(2)
    good = [signed(idp, number) for number in range(3)]
    seen = set()
    for _ in range(TIMES // 2):
        response = copy.deepcopy(chance.choice(good))
        for _ in range(chance.choice([1, 1, 2])):
            break_somewhere(response, chance)
        seen.add(present(assertion=encoded(response), what=etree.tostring(response).decode()))
    assert "InvalidIdentityToken" in seen


def signed(idp, number):
    """A good response: with a signed assertion, with an encrypted one, or signed as a whole with an encrypted one."""
    response = element(idp, Said(ENTITY_ID, APP, CORP), f"_r{number}", f"_a{number}")
    if number < 2:
        sign(assertion_of(response), idp.key)
    if number > 0:
        encrypt(response, KEY.public_key())
    return sign(response, idp.key) if number == 2 else response


def break_somewhere(response, chance):
    """Break an element of the signatures and of what is encrypted, or any other."""
    security = security_parts(response)
    node = chance.choice(security if security and chance.random() < 0.8 else list(response.iter()))
    parent = node.getparent()
    match chance.randrange(8):
        case 0 if parent is not None:
            parent.remove(node)
        case 1 if parent is not None:
            parent.append(copy.deepcopy(node))
        case 2:
            node.text = chance.choice(JUNK)
        case 3 if node.attrib:
            node.set(chance.choice(list(node.attrib)), chance.choice(JUNK))
        case 4 if node.attrib:
            del node.attrib[chance.choice(list(node.attrib))]
        case 5:
            etree.SubElement(node, chance.choice(["a", "{http://www.w3.org/2009/xmlenc11#}MGF"]), Algorithm="urn:x")
        case 6:
            node.append(copy.deepcopy(chance.choice(list(response.iter()))))
        case _:
            node.tag = chance.choice([one.tag for one in response.iter()])
