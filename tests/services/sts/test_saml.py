"""AssumeRoleWithSAML through boto3, with responses that pysaml2 makes and xmlsec signs."""

import base64
import copy
import hashlib
import json
import re
import time

import boto3
import pytest
import saml as made
import xmlsec
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from issuer import certificate, pem, rsa_key
from lxml import etree
from running import ACCOUNT, REGION, Credentials, allow
from saml import IdentityProvider, Said, assertion_of, element, encoded, encrypt, sign
from saml2 import samlp

APP = f"arn:aws:iam::{ACCOUNT}:role/team/app"
CORP = f"arn:aws:iam::{ACCOUNT}:saml-provider/Corp"
ACTION = "sts:AssumeRoleWithSAML"
UNTRUSTED = "Not authorized to perform sts:AssumeRoleWithSAML"
WRONG_SIGNATURE = "Response signature invalid"
ONE_ASSERTION = "there must be exactly one assertion"
KEY = rsa_key()
QUALIFIER = base64.b64encode(hashlib.sha1(f"{made.ENTITY_ID}{ACCOUNT}/Corp".encode()).digest()).decode()
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="module")
def idp():
    return IdentityProvider()


@pytest.fixture
def provider(aws, idp):
    """The account's provider for that identity provider; it has a key for encrypted assertions."""
    return aws.client("iam").create_saml_provider(
        Name="Corp", SAMLMetadataDocument=idp.metadata(), AddPrivateKey=pem(KEY).decode()
    )["SAMLProviderArn"]


@pytest.fixture
def trust(aws, provider):
    """`trust(*actions, **condition)` makes the role trust the provider."""

    def make(*actions, name="app", **condition):
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": list(actions) or ACTION,
            **({"Condition": condition} if condition else {}),
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = aws.client("iam")
        if not any(role["RoleName"] == name for role in iam.list_roles()["Roles"]):
            iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=document, MaxSessionDuration=7200)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)

    return make


@pytest.fixture
def said(idp):
    """What a good response says."""
    return Said(idp.entity_id, APP, CORP)


@pytest.fixture
def signed(idp):
    """`signed(said)` is a response with a signed assertion."""
    numbers = iter(range(1000))

    def make(said):
        response = element(idp, said, assertion_id=f"_a{next(numbers)}-{time.monotonic_ns()}")
        sign(assertion_of(response), idp.key)
        return response

    return make


@pytest.fixture
def assume(aws):
    """`assume(response, **parameters)` is the answer of AssumeRoleWithSAML."""
    sts = boto3.client(
        "sts",
        endpoint_url=aws.endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )

    def call(response, **parameters):
        text = response if isinstance(response, str) else encoded(response)
        given = {"RoleArn": APP, "PrincipalArn": CORP, "SAMLAssertion": text, **parameters}
        return sts.assume_role_with_saml(**given)

    return call


def test_a_response_gives_the_roles_credentials(aws, said, signed, trust, assume):
    trust()
    answer = assume(signed(said))
    session = aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()
    assert session["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/ann"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": session["UserId"], "Arn": session["Arn"]}
    assert (answer["Subject"], answer["SubjectType"]) == ("ann@example.com", "persistent")
    assert (answer["Issuer"], answer["Audience"]) == (made.ENTITY_ID, made.SIGN_IN)
    assert answer["NameQualifier"] == QUALIFIER
    assert answer.keys().isdisjoint({"PackedPolicySize", "SourceIdentity"})


def signed_response(idp, response):
    return sign(response, idp.key)


def signed_both(idp, response):
    sign(assertion_of(response), idp.key)
    return sign(response, idp.key)


def signed_assertion(idp, response, **how):
    sign(assertion_of(response), idp.key, **how)
    return response


def encrypted(idp, response, **how):
    sign(assertion_of(response), idp.key)
    return encrypt(response, KEY.public_key(), **how)


GOOD = {
    "assertion": signed_assertion,
    "both": signed_both,
    "SHA-512": lambda i, r: signed_assertion(i, r, method=xmlsec.Transform.RSA_SHA512, digest=xmlsec.Transform.SHA512),
    "AES-256-GCM": encrypted,
    "AES-128-GCM": lambda i, r: encrypted(i, r, content=xmlsec.Transform.AES128_GCM),
    "AES-256-CBC": lambda i, r: encrypted(i, r, content=xmlsec.Transform.AES256),
    "AES-128-CBC": lambda i, r: encrypted(i, r, content=xmlsec.Transform.AES128),
    "encrypted in a signed response, signed itself": lambda i, r: sign(encrypted(i, r), i.key),
}


@pytest.mark.parametrize("how", GOOD)
def test_an_assertion_is_signed_and_may_be_encrypted(idp, said, trust, assume, how):
    trust()
    answer = assume(GOOD[how](idp, element(idp, said)))
    assert answer["Subject"] == "ann@example.com"


def test_elliptic_curves_sign_too(aws, said, trust, assume):
    key = ec.generate_private_key(ec.SECP256R1())
    idp = IdentityProvider()
    idp.key, idp.certificate = key, certificate("idp", key, ca=True)
    trust()
    aws.client("iam").update_saml_provider(SAMLProviderArn=CORP, SAMLMetadataDocument=idp.metadata())
    response = element(idp, said)
    sign(assertion_of(response), key, method=xmlsec.Transform.ECDSA_SHA256)
    assume(response)


@pytest.mark.parametrize("one_time", [False, True])
def test_an_assertion_serves_each_role_once(idp, said, trust, assume, refused, one_time):
    """FED-08: tools assume several roles with one assertion, and nobody a role twice, with OneTimeUse or without."""
    trust()
    trust(name="other")
    other = APP.replace("app", "other")
    said.attributes["Role"].append(f"{CORP},{other}")
    response = element(idp, said)
    if one_time:
        etree.SubElement(assertion_of(response).find(f"{SAML}Conditions"), f"{SAML}OneTimeUse")
    signed_both(idp, response)
    with refused("MalformedPolicyDocument"):
        assume(response, Policy="{}")
    assume(response)
    with refused("InvalidIdentityToken", "The assertion was used for this role before."):
        assume(response)
    assume(response, RoleArn=other)
    with refused("InvalidIdentityToken", "The assertion was used for this role before."):
        assume(response, RoleArn=other)


@pytest.mark.parametrize(
    ("given", "session_ends", "attribute", "seconds"),
    [
        ({}, None, None, 3600),
        ({"DurationSeconds": 900}, None, None, 900),
        ({"DurationSeconds": 7200}, None, None, 7200),
        ({"DurationSeconds": 7200}, 1800, None, 1800),
        ({"DurationSeconds": 7200}, None, "1200", 1200),
        ({}, 100, "1200", 100),
        ({}, None, "43200", 3600),
    ],
)
def test_the_shortest_duration_counts(said, signed, trust, assume, given, session_ends, attribute, seconds):
    """STS-02."""
    trust()
    said.session_ends = session_ends
    if attribute is not None:
        said.attributes["SessionDuration"] = [attribute]
    left = assume(signed(said), **given)["Credentials"]["Expiration"].timestamp() - time.time()
    assert seconds - 10 < left <= seconds + 1


def test_the_role_bounds_the_duration_and_policies_the_session(aws, said, signed, trust, assume, refused):
    trust()
    with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        assume(signed(said), DurationSeconds=7201)
    iam = aws.client("iam")
    everything = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:*")})
    iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=everything)
    reading = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers")})
    for narrowed in ({"Policy": reading}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}]}):
        answer = assume(signed(said), **narrowed, MinimumSessionTokenSize=3000)
        assert answer["PackedPolicySize"] > 0
        assert len(answer["Credentials"]["SessionToken"]) >= 3000
        session = aws.client("iam", Credentials.of(answer["Credentials"]))
        session.list_users()
        with refused("AccessDenied", "because no session policy allows the iam:CreateUser action"):
            session.create_user(UserName="x")
    with refused("PackedPolicyTooLarge"):
        assume(signed(said), PolicyArns=[{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}] * 11)


# Attacks. Each takes the identity provider and a response that is good until it is changed.


def evil(response, subject="admin@example.com", identifier="_evil"):
    """A copy of the assertion that says something else, without a signature."""
    copied = copy.deepcopy(assertion_of(response))
    for signature in copied.findall(f"{DS}Signature"):
        copied.remove(signature)
    copied.set("ID", identifier)
    copied.find(f"{SAML}Subject/{SAML}NameID").text = subject
    return copied


def with_evil_first(idp, response):
    signed_assertion(idp, response)
    response.insert(2, evil(response))
    return response


def with_evil_last(idp, response):
    signed_assertion(idp, response)
    response.append(evil(response))
    return response


def with_the_signed_one_in_the_evil(idp, response):
    """XSW: the signed assertion hides within the one that is to be read."""
    signed_assertion(idp, response)
    original = assertion_of(response)
    wrapping = evil(response)
    response.replace(original, wrapping)
    wrapping.append(original)
    return response


def with_the_signed_one_in_the_signature(idp, response):
    """XSW: the signature moves to the evil assertion and takes the signed one along, in an Object."""
    signed_assertion(idp, response)
    original = assertion_of(response)
    signature = original.find(f"{DS}Signature")
    wrapping = evil(response)
    response.replace(original, wrapping)
    original.remove(signature)
    wrapping.insert(1, signature)
    etree.SubElement(signature, f"{DS}Object").append(original)
    return response


def with_the_id_of_the_signed_one(idp, response):
    signed_assertion(idp, response)
    response.insert(2, evil(response, identifier=assertion_of(response).get("ID")))
    return response


def with_the_signed_one_in_extensions(idp, response):
    """XSW on a signed response: the signed response stands within another one."""
    sign(response, idp.key)
    outer = copy.deepcopy(response)
    outer.set("ID", "_outer")
    signature = outer.find(f"{DS}Signature")
    outer.remove(signature)
    outer.insert(1, copy.deepcopy(response.find(f"{DS}Signature")))
    assertion_of(outer).find(f"{SAML}Subject/{SAML}NameID").text = "admin@example.com"
    extensions = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    extensions.append(response)
    outer.insert(2, extensions)
    return outer


def with_a_changed_subject(idp, response):
    signed_assertion(idp, response)
    assertion_of(response).find(f"{SAML}Subject/{SAML}NameID").text = "admin@example.com"
    return response


def with_a_changed_response(idp, response):
    sign(response, idp.key)
    assertion_of(response).find(f"{SAML}Subject/{SAML}NameID").text = "admin@example.com"
    return response


def with_a_good_assertion_in_a_wrong_response(idp, response):
    """Each signature that is there must hold."""
    signed_both(idp, response)
    response.set("Destination", "https://eu-west-1.signin.aws.amazon.com/saml")
    return response


def signed_with_another_key(idp, response):
    return signed_assertion(IdentityProvider(), response)


def with_a_key_of_its_own(idp, response):
    """The signature brings the certificate it was made with; only those of the metadata count."""
    other = IdentityProvider()
    signed_assertion(other, response)
    info = etree.SubElement(assertion_of(response).find(f"{DS}Signature"), f"{DS}KeyInfo")
    data = etree.SubElement(etree.SubElement(info, f"{DS}X509Data"), f"{DS}X509Certificate")
    data.text = other.metadata().partition("X509Certificate>")[2].partition("<")[0]
    return response


def without_a_reference_to_itself(idp, response):
    """A signature over the response, in the assertion."""
    sign(assertion_of(response), idp.key, uri="#" + response.get("ID"))
    return response


def with_an_empty_reference(idp, response):
    """SAML Core 5.4.2: a signature names the ID of what it is over; an empty one is over whatever stands around it."""
    original = assertion_of(response)
    alone = sign(etree.fromstring(etree.tostring(original)), idp.key, uri="")
    response.replace(original, alone)
    return response


def without_its_signature(idp, response):
    return response


def encrypted_without_a_signature(idp, response):
    """Anybody has the public key that encrypts."""
    return encrypt(response, KEY.public_key())


def encrypted_for_somebody_else(idp, response):
    sign(assertion_of(response), idp.key)
    return encrypt(response, rsa_key().public_key())


def encrypted_with_an_old_padding(idp, response):
    sign(assertion_of(response), idp.key)
    return encrypt(response, KEY.public_key(), transport=xmlsec.Transform.RSA_PKCS1)


def text(response):
    return etree.tostring(response)


def with_a_document_type(idp, response):
    return b'<!DOCTYPE x [<!ENTITY e "admin@example.com">]>' + text(signed_assertion(idp, response)).replace(
        b"ann@example.com", b"&e;", 1
    )


def with_an_external_entity(idp, response):
    return b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + text(signed_assertion(idp, response))


def with_many_laughs(idp, response):
    entities = b'<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    return b"<!DOCTYPE x [" + entities + b"]>" + text(signed_assertion(idp, response))


def with_an_instruction(idp, response):
    return text(signed_assertion(idp, response)).replace(b"ann@example.com", b"ann@example.com<?x y?>", 1)


def in_another_encoding(idp, response):
    return text(signed_assertion(idp, response)).decode().encode("utf-16")


NOT_SIGNED = (
    "Response (with optional signature) must contain an assertion with a mandatory signature (Service: "
    "AWSOpenIdDiscoveryService; Status Code: 400; Error Code: AuthSamlInvalidSamlResponseException; Request ID: "
)
BASE64 = "Invalid base64 SAMLResponse (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: "
ATTACKS = [
    (with_evil_first, ONE_ASSERTION),
    (with_evil_last, ONE_ASSERTION),
    (with_the_signed_one_in_the_evil, ONE_ASSERTION),
    (with_the_signed_one_in_the_signature, ONE_ASSERTION),
    (with_the_id_of_the_signed_one, WRONG_SIGNATURE),
    (with_the_signed_one_in_extensions, WRONG_SIGNATURE),
    (with_a_changed_subject, WRONG_SIGNATURE),
    (with_a_changed_response, WRONG_SIGNATURE),
    (with_a_good_assertion_in_a_wrong_response, WRONG_SIGNATURE),
    (signed_with_another_key, WRONG_SIGNATURE),
    (with_a_key_of_its_own, WRONG_SIGNATURE),
    (without_a_reference_to_itself, WRONG_SIGNATURE),
    (with_an_empty_reference, WRONG_SIGNATURE),
    (without_its_signature, NOT_SIGNED),
    (signed_response, NOT_SIGNED),
    (encrypted_without_a_signature, NOT_SIGNED),
    (lambda i, r: sign(encrypt(r, KEY.public_key()), i.key), NOT_SIGNED),
    (encrypted_for_somebody_else, WRONG_SIGNATURE),
    (encrypted_with_an_old_padding, WRONG_SIGNATURE),
    (lambda i, r: signed_assertion(i, r, method=xmlsec.Transform.RSA_SHA1), WRONG_SIGNATURE),
    (lambda i, r: signed_assertion(i, r, digest=xmlsec.Transform.SHA1), WRONG_SIGNATURE),
    (lambda i, r: signed_assertion(i, r, canonical=xmlsec.Transform.EXCL_C14N_COMMENTS), WRONG_SIGNATURE),
    (lambda i, r: signed_assertion(i, r, canonical=xmlsec.Transform.C14N), WRONG_SIGNATURE),
    (with_a_document_type, BASE64),
    (with_an_external_entity, BASE64),
    (with_many_laughs, BASE64),
    (with_an_instruction, BASE64),
    (in_another_encoding, BASE64),
    (lambda i, r: b"not xml at all", BASE64),
    (lambda i, r: "not base64 at all!", BASE64),
    (lambda i, r: assertion_of(signed_assertion(i, r)), "Invalid SAML response"),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS, ids=range(len(ATTACKS)))
def test_a_response_that_proves_nothing_is_refused(idp, said, trust, assume, refused, attack, words):
    """FED-07, B32."""
    trust()
    changed = attack(idp, element(idp, said))
    with refused("InvalidIdentityToken", words):
        assume(changed if isinstance(changed, str) else encoded(changed))


def test_a_comment_does_not_split_a_name(idp, said, trust, assume):
    """CVE-2017-11427: the name is what was signed, on both sides of the comment."""
    trust(StringEquals={"saml:sub": "ann@example.com.evil.example"})
    said.subject = "ann@example.com.evil.example"
    response = signed_assertion(idp, element(idp, said))
    commented = text(response).replace(b"ann@example.com.evil.example", b"ann@example.com<!-- -->.evil.example", 1)
    assert commented != text(response)
    assert assume(encoded(commented))["Subject"] == "ann@example.com.evil.example"


def change(**values):
    def changed(said):
        for name, value in values.items():
            setattr(said, name, value)

    return changed


def attribute(name, *values):
    return lambda said: said.attributes.update({name: list(values)})


def without(name):
    return lambda said: said.attributes.pop(name)


SAID = [
    (change(audiences=["https://other.example.com"]), "InvalidIdentityToken", "Audience is not"),
    (change(audiences=[]), "InvalidIdentityToken", "Audience is not"),
    (change(audiences=None), "InvalidIdentityToken", "Audience is not"),
    (change(audiences=["urn:amazon:webservices.evil"]), "InvalidIdentityToken", "Audience is not"),
    (change(recipient="https://other.example.com/saml"), "InvalidIdentityToken", "Recipient is not"),
    (change(recipient="https://signin.aws.amazon.com.evil.example/saml"), "InvalidIdentityToken", "Recipient is not"),
    (change(recipient="https://signin.aws.amazon.com/saml/acs/SAMLSPOTHER"), "InvalidIdentityToken", "Recipient is"),
    (change(recipient="not-a-url"), "InvalidIdentityToken", "Recipient is not"),
    (change(recipient=None), "InvalidIdentityToken", BASE64),
    (change(destination="https://other.example.com/saml"), "InvalidIdentityToken", "Destination is not"),
    (change(method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), "InvalidIdentityToken", "bearer"),
    (change(issuer="https://other.example.com"), "InvalidIdentityToken", "Issuer not present in specified provider"),
    (change(response_issuer="https://x.example.com"), "InvalidIdentityToken", "Issuer not present in specified"),
    (change(issuer=made.ENTITY_ID + "/"), "InvalidIdentityToken", "Issuer not present in specified provider"),
    (change(issued=-301), "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"),
    (change(ends=-1), "ExpiredTokenException", "Response has expired"),
    (change(confirmed_until=-1), "ExpiredTokenException", "Response has expired"),
    (change(session_ends=-1), "ExpiredTokenException", "Response has expired"),
    (change(confirmed_from=-60), "InvalidIdentityToken", "a bearer can't have a NotBefore"),
    (change(confirmed_from=3600), "InvalidIdentityToken", "a bearer can't have a NotBefore"),
    (change(subject_format=None), "InvalidIdentityToken", BASE64),
    (change(begins=120), "InvalidIdentityToken", "from the future"),
    (change(issued=120), "InvalidIdentityToken", "from the future"),
    (change(status=samlp.STATUS_RESPONDER), "IDPRejectedClaim", None),
    (change(subject=None), "AccessDenied", UNTRUSTED),
    (change(subject=""), "AccessDenied", UNTRUSTED),
    (without("RoleSessionName"), "InvalidIdentityToken", "RoleSessionName is required in AuthnResponse"),
    (attribute("RoleSessionName", "a b"), "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match"),
    (attribute("RoleSessionName", "a"), "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match"),
    (attribute("RoleSessionName", "é" * 5), "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match"),
    (attribute("RoleSessionName", "ann", "bob"), "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match"),
    (attribute("SourceIdentity", "aws:x"), "InvalidIdentityToken", "Source Identity must match"),
    (attribute("SourceIdentity", "a", "b"), "InvalidIdentityToken", "Source Identity must match"),
    (attribute("SessionDuration", "899"), "InvalidIdentityToken", "SessionDuration"),
    (attribute("SessionDuration", "soon"), "InvalidIdentityToken", "SessionDuration"),
    (without("Role"), "InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role"),
    (attribute("Role", f"{APP}s,{CORP}"), "InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role"),
    (attribute("Role", f"{APP},{CORP}s"), "InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role"),
    (attribute("Role", APP, CORP), "InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role"),
    (attribute("Role", f"{APP},{CORP},x"), "InvalidIdentityToken", "SAML Assertion doesn't contain the requested"),
    (attribute("PrincipalTag:a", "x", "y"), "IDPRejectedClaim", None),
    (attribute("PrincipalTag:aws:a", "x"), "IDPRejectedClaim", None),
    (attribute("PrincipalTag:", "x"), "IDPRejectedClaim", None),
    (attribute("PrincipalTag:a", "x" * 257), "IDPRejectedClaim", None),
    (attribute("TransitiveTagKeys", "a"), "IDPRejectedClaim", None),
]


@pytest.mark.parametrize(("changed", "code", "words"), SAID, ids=range(len(SAID)))
def test_what_a_response_says_must_hold(said, signed, trust, assume, refused, changed, code, words):
    """FED-08, B33."""
    trust(ACTION, "sts:TagSession", "sts:SetSourceIdentity")
    changed(said)
    with refused(code, words):
        assume(signed(said))


@pytest.mark.parametrize(
    "changed",
    [
        change(audiences=["https://signin.aws.amazon.com/saml"]),
        change(audiences=["https://other.example.com", "urn:amazon:webservices"]),
        change(recipient="https://eu-west-1.signin.aws.amazon.com/saml"),
        change(destination=None),
        change(response_issuer=None),
        change(issued=30, begins=30),
        change(address="198.51.100.7"),
        attribute("Role", f"{CORP} , {APP}"),
        attribute("Role", "something else", f"{APP},{CORP}"),
    ],
)
def test_aws_is_named_in_several_ways(said, signed, trust, assume, changed):
    trust()
    changed(said)
    assert assume(signed(said))["Credentials"]["AccessKeyId"].startswith("ASIA")


def taken_out(path):
    def changed(assertion):
        [found] = assertion.findall(path)
        found.getparent().remove(found)

    return changed


def doubled(path):
    def changed(assertion):
        [found] = assertion.findall(path)
        found.getparent().append(copy.deepcopy(found))

    return changed


def told_when(path, name, value):
    def changed(assertion):
        assertion.find(path).set(name, value)

    return changed


CONFIRMATION = f"{SAML}Subject/{SAML}SubjectConfirmation"


@pytest.mark.parametrize(
    "changed",
    [
        taken_out(f"{SAML}Conditions"),
        taken_out(f"{SAML}AuthnStatement"),
        taken_out(CONFIRMATION),
        doubled(CONFIRMATION),
        doubled(f"{SAML}Conditions"),
        told_when(f"{SAML}Conditions", "NotBefore", "yesterday"),
        told_when(f"{CONFIRMATION}/{SAML}SubjectConfirmationData", "NotBefore", "yesterday"),
        told_when(f"{CONFIRMATION}/{SAML}SubjectConfirmationData", "NotOnOrAfter", ""),
    ],
)
def test_what_lacks_its_parts_is_no_response(idp, said, trust, assume, refused, changed):
    """As AWS was seen to answer in September 2026."""
    trust()
    response = element(idp, said)
    changed(assertion_of(response))
    with refused("InvalidIdentityToken", BASE64):
        assume(signed_assertion(idp, response))


def test_proxies_are_not_aws(idp, said, trust, assume):
    trust()
    response = element(idp, said)
    etree.SubElement(assertion_of(response).find(f"{SAML}Conditions"), f"{SAML}ProxyRestriction")
    assert assume(signed_assertion(idp, response))["Subject"] == "ann@example.com"


def test_an_encrypted_assertion_may_be_for_the_providers_own_endpoint(aws, idp, said, trust, assume, refused):
    trust()
    iam = aws.client("iam")
    number = iam.get_saml_provider(SAMLProviderArn=CORP)["SAMLProviderUUID"]
    iam.update_saml_provider(SAMLProviderArn=CORP, AssertionEncryptionMode="Required")
    said.recipient = said.destination = f"https://signin.aws.amazon.com/saml/acs/{number}"
    said.audiences = [said.recipient]
    assert re.fullmatch(r"SAMLSP[A-Z0-9]{16}", number)
    with refused("InvalidIdentityToken", BASE64):
        assume(signed_both(idp, element(idp, said)))
    assume(encrypted(idp, element(idp, said)))
    iam.update_saml_provider(SAMLProviderArn=CORP, AssertionEncryptionMode="Allowed")
    assume(signed_both(idp, element(idp, said, assertion_id="_next")))


def test_a_second_private_key_decrypts_and_a_removed_one_does_not(aws, idp, said, trust, assume, refused):
    trust()
    iam = aws.client("iam")
    [first] = iam.get_saml_provider(SAMLProviderArn=CORP)["PrivateKeyList"]
    fresh = rsa_key()
    iam.update_saml_provider(SAMLProviderArn=CORP, AddPrivateKey=pem(fresh).decode())
    response = element(idp, said)
    sign(assertion_of(response), idp.key)
    assume(encrypt(response, fresh.public_key()))
    iam.update_saml_provider(SAMLProviderArn=CORP, RemovePrivateKey=first["KeyId"])
    with refused("InvalidIdentityToken", WRONG_SIGNATURE):
        assume(encrypted(idp, element(idp, said, assertion_id="_next")))


CONDITIONS = [
    ({"StringEquals": {"saml:aud": made.SIGN_IN}}, True),
    ({"StringEquals": {"saml:aud": "urn:amazon:webservices"}}, False),
    ({"StringEquals": {"saml:iss": made.ENTITY_ID}}, True),
    ({"StringEquals": {"saml:sub": "ann@example.com", "saml:sub_type": "persistent"}}, True),
    ({"StringEquals": {"saml:sub": "bob@example.com"}}, False),
    ({"StringEquals": {"SAML:namequalifier": QUALIFIER}}, True),
    ({"StringEquals": {"saml:doc": f"{ACCOUNT}/Corp"}}, True),
    ({"ForAnyValue:StringEquals": {"saml:edupersonaffiliation": "staff"}}, True),
    ({"ForAnyValue:StringEquals": {"saml:edupersonaffiliation": "student"}}, False),
    ({"StringEquals": {"saml:edupersonorgdn": "o=example"}}, True),
    ({"StringEquals": {"saml:mail": "ann@mail.example"}}, True),
    ({"ForAnyValue:StringEquals": {"saml:cn": "Ann"}}, True),
    ({"StringEquals": {"sts:RoleSessionName": "ann"}}, True),
    ({"StringEquals": {"sts:RoleSessionName": "bob"}}, False),
    ({"Null": {"saml:uid": "true", "aws:PrincipalArn": "true", "aws:FederatedProvider": "true"}}, True),
    ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "User", "aws:userid": CORP}}, True),
    ({"StringEquals": {"aws:PrincipalType": "FederatedUser"}}, False),
    ({"StringEquals": {"aws:userid": "ann@example.com"}}, False),
    ({"Null": {"sts:RoleAuthorizedByIdp": "true"}}, True),
]


@pytest.mark.parametrize(("condition", "allowed"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_the_trust_policy_decides_on_the_assertion(said, signed, trust, assume, refused, condition, allowed):
    """IAM User Guide, reference_policies_iam-condition-keys, "Available keys for SAML-based AWS STS federation"."""
    trust(**condition)
    said.attributes |= {
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["staff", "member"],
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["o=example"],
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": ["ann@mail.example"],
        "urn:oid:2.5.4.3": ["Ann"],
        "urn:unknown": ["x"],
    }
    if allowed:
        assume(signed(said))
    else:
        with refused("AccessDenied", UNTRUSTED):
            assume(signed(said))


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "transient"),
        ("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
    ],
)  # fmt: skip
def test_the_form_of_the_subject_is_told(said, signed, trust, assume, form, shown):
    trust(StringEquals={"saml:sub_type": shown})
    said.subject_format = form
    assert assume(signed(said))["SubjectType"] == shown


def test_an_assertion_tags_the_session_and_sets_its_source_identity(aws, said, signed, trust, assume, refused, role):
    said.tag(Project="x", Stage="y")
    said.attributes |= {"TransitiveTagKeys": ["Project"], "SourceIdentity": ["ann"]}
    trust()
    with refused("AccessDenied", "Not authorized to perform sts:TagSession"):
        assume(signed(said))
    trust(ACTION, "sts:TagSession")
    with refused("AccessDenied", "Not authorized to perform sts:SetSourceIdentity"):
        assume(signed(said))
    trust(
        ACTION,
        "sts:TagSession",
        "sts:SetSourceIdentity",
        **{
            "StringEquals": {"aws:RequestTag/Project": "x", "sts:SourceIdentity": "ann"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["Project", "Stage"], "sts:TransitiveTagKeys": "Project"},
        },
    )
    answer = assume(signed(said))
    assert answer["SourceIdentity"] == "ann"
    assert answer["PackedPolicySize"] > 0
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": APP},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"aws:PrincipalTag/Project": "x", "aws:PrincipalTag/Stage": "y"}},
    }
    second = role("second", statement)
    session = aws.client("sts", Credentials.of(answer["Credentials"]))
    assert session.assume_role(RoleArn=second, RoleSessionName="next")["SourceIdentity"] == "ann"
    [event] = [event for event in aws.events("AssumeRoleWithSAML") if "errorCode" not in event]
    assert event["requestParameters"]["principalTags"] == {"Project": "x", "Stage": "y"}
    assert event["requestParameters"]["transitiveTagKeys"] == ["Project"]


def test_the_session_keeps_what_its_policies_may_test(aws, said, signed, trust, assume):
    trust()
    condition = {
        "StringEquals": {
            "saml:sub": "ann@example.com",
            "saml:sub_type": "persistent",
            "saml:namequalifier": QUALIFIER,
        },
        "Null": {"saml:aud": "true", "saml:iss": "true", "saml:doc": "true", "aws:FederatedProvider": "true"},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers", **condition)})
    aws.client("iam").put_role_policy(RoleName="app", PolicyName="claims", PolicyDocument=policy)
    session = aws.client("iam", Credentials.of(assume(signed(said))["Credentials"]))
    assert session.list_users()["IsTruncated"] is False


def test_the_event_is_cloudtrails(aws, said, signed, trust, assume):
    """IAM User Guide, cloudtrail-integration, "Example AWS STS API event in CloudTrail log file", SAML."""
    trust()
    response = signed(said)
    answer = assume(response, DurationSeconds=1800)
    [event] = aws.events("AssumeRoleWithSAML")
    assert event["userIdentity"] == {
        "type": "SAMLUser",
        "principalId": f"{QUALIFIER}:ann@example.com",
        "userName": "ann@example.com",
        "identityProvider": QUALIFIER,
    }
    assert event["requestParameters"] == {
        "sAMLAssertionID": assertion_of(response).get("ID"),
        "roleSessionName": "ann",
        "durationSeconds": 1800,
        "roleArn": APP,
        "principalArn": CORP,
    }
    shown = event["responseElements"]
    assert (shown["subject"], shown["subjectType"]) == ("ann@example.com", "persistent")
    assert (shown["issuer"], shown["audience"], shown["nameQualifier"]) == (made.ENTITY_ID, made.SIGN_IN, QUALIFIER)
    assert shown["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": APP}]
    assert encoded(response)[:60] not in json.dumps(event)


def test_a_denial_names_the_role_to_its_account_alone(aws, said, signed, trust, assume, refused):
    trust("sts:AssumeRole")
    with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"):
        assume(signed(said))
    [event] = [event for event in aws.events("AssumeRoleWithSAML") if event.get("errorCode") == "AccessDenied"]
    [decision] = aws.explain(event["requestID"])["Decisions"]
    assert (decision["Action"], decision["Resource"]) == ("sts:AssumeRoleWithSAML", APP)


def test_an_absent_role_is_refused_as_an_untrusting_one(said, signed, trust, assume, refused):
    """STS-13."""
    trust("sts:AssumeRole")
    absent = APP + "s"
    said.attributes["Role"].append(f"{absent},{CORP}")
    told = []
    for role in (APP, absent):
        with refused("AccessDenied") as error:
            assume(signed(said), RoleArn=role)
        told.append(error["Message"])
    assert told == [UNTRUSTED] * 2


def test_a_provider_vouches_in_its_own_account_only(said, signed, trust, assume, refused, other):
    trust()
    foreign = "arn:aws:iam::210987654321:role/theirs"
    said.attributes["Role"].append(f"{foreign},{CORP}")
    with refused("AccessDenied", UNTRUSTED):
        assume(signed(said), RoleArn=foreign)


def test_provider_and_role_are_named_by_their_arns(said, signed, trust, assume, refused):
    trust()
    for wrong in (CORP + "s", CORP.replace("Corp", "corp"), CORP.replace(ACCOUNT, "999999999999")):
        with refused("InvalidIdentityToken", "Specified provider doesn't exist (Service: AWSOpenIdDiscoveryService"):
            assume(signed(said), PrincipalArn=wrong)
    for wrong in ({"PrincipalArn": APP}, {"RoleArn": CORP}):
        with refused("ValidationError", "is invalid"):
            assume(signed(said), **wrong)


def test_a_deleted_or_changed_provider_vouches_no_more(aws, idp, said, signed, trust, assume, refused):
    trust()
    iam = aws.client("iam")
    iam.update_saml_provider(SAMLProviderArn=CORP, SAMLMetadataDocument=IdentityProvider().metadata())
    with refused("InvalidIdentityToken", WRONG_SIGNATURE):
        assume(signed(said))
    iam.update_saml_provider(
        SAMLProviderArn=CORP, SAMLMetadataDocument=idp.metadata(valid_until="2020-01-02T03:04:05Z")
    )
    with refused("InvalidIdentityToken", "The metadata of the identity provider has expired."):
        assume(signed(said))
    iam.delete_saml_provider(SAMLProviderArn=CORP)
    with refused("InvalidIdentityToken", "Specified provider doesn't exist"):
        assume(signed(said))
