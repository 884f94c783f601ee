"""SAML identity providers through boto3."""

import datetime as dt
import re

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from issuer import certificate, pem, rsa_key
from running import AWS
from saml import IdentityProvider, metadata_of_nobody

TAGS = [{"Key": "Team", "Value": "blue"}]
KEY = pem(rsa_key()).decode()
NO_METADATA = "Could not parse metadata"


@pytest.fixture(scope="module")
def idp():
    return IdentityProvider()


@pytest.fixture
def provider(iam, idp):
    """The ARN of a provider."""
    return iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=idp.metadata())["SAMLProviderArn"]


def shown(iam, arn):
    answer = iam.get_saml_provider(SAMLProviderArn=arn)
    del answer["ResponseMetadata"]
    return answer


def test_a_provider_is_shown_as_it_was_created(iam, idp, arn_of):
    created = iam.create_saml_provider(
        Name="Corp.Idp_1-x",
        SAMLMetadataDocument=idp.metadata(valid_until="2031-01-02T03:04:05Z"),
        Tags=TAGS,
        AssertionEncryptionMode="Required",
        AddPrivateKey=KEY,
    )
    assert created["SAMLProviderArn"] == arn_of("saml-provider/Corp.Idp_1-x")
    assert created["Tags"] == TAGS
    provider = shown(iam, created["SAMLProviderArn"])
    [key] = provider["PrivateKeyList"]
    assert provider == {
        "SAMLProviderUUID": provider["SAMLProviderUUID"],
        "SAMLMetadataDocument": idp.metadata(valid_until="2031-01-02T03:04:05Z"),
        "CreateDate": provider["CreateDate"],
        "ValidUntil": dt.datetime(2031, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        "Tags": TAGS,
        "AssertionEncryptionMode": "Required",
        "PrivateKeyList": [{"KeyId": key["KeyId"], "Timestamp": provider["CreateDate"]}],
    }


def test_a_provider_without_encryption_is_valid_for_a_hundred_years(iam, provider):
    found = shown(iam, provider)
    assert found["ValidUntil"].year - found["CreateDate"].year == 100
    assert (found["AssertionEncryptionMode"], found["PrivateKeyList"]) == ("Allowed", [])


def test_providers_are_listed_and_counted(iam, provider, idp):
    other = iam.create_saml_provider(Name="Another", SAMLMetadataDocument=idp.metadata())["SAMLProviderArn"]
    listed = iam.list_saml_providers()["SAMLProviderList"]
    assert [one["Arn"] for one in listed] == [other, provider]
    assert all(one["ValidUntil"] > one["CreateDate"] for one in listed)
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == 2


def test_metadata_is_replaced(iam, provider, idp):
    before = shown(iam, provider)
    changed = idp.metadata(valid_until="2032-01-02T03:04:05.678Z")
    answer = iam.update_saml_provider(SAMLProviderArn=provider, SAMLMetadataDocument=changed)
    assert answer["SAMLProviderArn"] == provider
    after = shown(iam, provider)
    assert after["SAMLMetadataDocument"] == changed
    assert after["ValidUntil"].year == 2032
    assert after["SAMLProviderUUID"] == before["SAMLProviderUUID"]


def test_private_keys_are_added_rotated_and_taken_away(iam, provider, refused):
    iam.update_saml_provider(SAMLProviderArn=provider, AddPrivateKey=KEY, AssertionEncryptionMode="Allowed")
    [first] = [key["KeyId"] for key in shown(iam, provider)["PrivateKeyList"]]
    assert re.fullmatch(r"SAMLPK[A-Z0-9]{16}", first)
    iam.update_saml_provider(SAMLProviderArn=provider, AddPrivateKey=pem(rsa_key()).decode())
    with refused("LimitExceeded", "Private key limit of 2 is reached."):
        iam.update_saml_provider(SAMLProviderArn=provider, AddPrivateKey=pem(rsa_key()).decode())
    keys = [key["KeyId"] for key in shown(iam, provider)["PrivateKeyList"]]
    assert len(set(keys)) == 2
    both = "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters."
    with refused("ValidationError", both):
        iam.update_saml_provider(SAMLProviderArn=provider, RemovePrivateKey=first, AddPrivateKey=KEY)
    iam.update_saml_provider(SAMLProviderArn=provider, RemovePrivateKey=first)
    assert [key["KeyId"] for key in shown(iam, provider)["PrivateKeyList"]] == keys[1:]
    with refused("InvalidInput", "Failed to remove private key."):
        iam.update_saml_provider(SAMLProviderArn=provider, RemovePrivateKey=first)


def test_an_update_changes_something(iam, provider, refused):
    """AWS's recorded answer."""
    nothing = "Unable to update identity provider. No updates are defined for metadata or encryption assertion."
    with refused("ValidationError", nothing):
        iam.update_saml_provider(SAMLProviderArn=provider)


def test_encryption_is_not_required_without_a_key(iam, provider, idp, refused):
    with refused(
        "ValidationError", "Unable to set assertion encryption mode to Required because no private key is provided."
    ):
        iam.create_saml_provider(Name="Other", SAMLMetadataDocument=idp.metadata(), AssertionEncryptionMode="Required")
    with refused(
        "InvalidInput", "Failed to set assertion encryption mode to Required because no private key is present."
    ):
        iam.update_saml_provider(SAMLProviderArn=provider, AssertionEncryptionMode="Required")
    iam.update_saml_provider(SAMLProviderArn=provider, AssertionEncryptionMode="Required", AddPrivateKey=KEY)
    [key] = [key["KeyId"] for key in shown(iam, provider)["PrivateKeyList"]]
    with refused("InvalidInput", "Failed to remove private key."):
        iam.update_saml_provider(SAMLProviderArn=provider, RemovePrivateKey=key)
    assert shown(iam, provider)["AssertionEncryptionMode"] == "Required"
    iam.update_saml_provider(SAMLProviderArn=provider, AssertionEncryptionMode="Allowed", RemovePrivateKey=key)
    assert shown(iam, provider)["PrivateKeyList"] == []


@pytest.mark.parametrize(
    "key",
    [
        "no key at all",
        pem(ec.generate_private_key(ec.SECP256R1())).decode(),
        pem(rsa.generate_private_key(65537, 1024)).decode(),
        rsa_key().public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        rsa_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        ).decode(),
    ],
    ids=["text", "EC", "small", "public", "encrypted"],
)  # fmt: skip
def test_a_private_key_is_a_plain_rsa_key(iam, idp, refused, key):
    with refused("InvalidInput"):
        iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=idp.metadata(), AddPrivateKey=key)


def der(key):
    return certificate("idp", key, ca=True).public_bytes(serialization.Encoding.DER)


DOCTYPE = '<!DOCTYPE x [<!ENTITY e "x">]>'
WRONG = {
    "text": lambda text: "x" * 2000,
    "empty": lambda text: "<a/>" + " " * 2000,
    "document type": lambda text: text.replace("<ns0:EntityDescriptor", DOCTYPE + "<ns0:EntityDescriptor", 1),
    "external entity": lambda text: text.replace(
        "<ns0:EntityDescriptor", '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><ns0:EntityDescriptor', 1
    ),
    "instruction": lambda text: text.replace("<ns0:IDPSSO", "<?x y?><ns0:IDPSSO", 1),
    "byte order mark": lambda text: "\ufeff" + text,
    "no entityID": lambda text: text.replace('entityID="https://idp.example.com/saml"', ""),
    "SAML 1.1": lambda text: text.replace(
        "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol"
    ),
    "no role": lambda text: text.replace("IDPSSODescriptor", "SPSSODescriptor"),
    "no signing key": lambda text: text.replace('use="signing"', 'use="encryption"'),
    "no certificate": lambda text: text.replace("X509Certificate>", "X509Certificate>AAAA", 1),
    "two roots": lambda text: text + text,
    "unfinished": lambda text: text[:-5],
    "no time": lambda text: text.replace("<ns0:IDPSSODescriptor", '<ns0:IDPSSODescriptor validUntil="soon"', 1),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_metadata_must_be_that_of_one_identity_provider(iam, idp, provider, refused, wrong):
    """FED-07: no DTD, no entities; AWS's words (IAM User Guide, troubleshoot_saml)."""
    document = WRONG[wrong](idp.metadata())
    assert document != idp.metadata()
    with refused("InvalidInput", NO_METADATA):
        iam.create_saml_provider(Name="Other", SAMLMetadataDocument=document)
    with refused("InvalidInput", NO_METADATA):
        iam.update_saml_provider(SAMLProviderArn=provider, SAMLMetadataDocument=document)
    assert shown(iam, provider)["SAMLMetadataDocument"] == idp.metadata()


def test_a_key_of_the_metadata_has_a_thousand_bits(iam, idp):
    small = idp.metadata(certificate=der(rsa.generate_private_key(65537, 1024)))
    arn = iam.create_saml_provider(Name="Small", SAMLMetadataDocument=small)["SAMLProviderArn"]
    assert shown(iam, arn)["SAMLMetadataDocument"] == small


def test_names_that_differ_in_case_alone_collide(iam, provider, idp, refused):
    with refused("EntityAlreadyExists"):
        iam.create_saml_provider(Name="CORP", SAMLMetadataDocument=idp.metadata())


def test_a_deleted_provider_is_gone(iam, provider, refused):
    iam.delete_saml_provider(SAMLProviderArn=provider)
    with refused("NoSuchEntity", f"Manifest not found for arn {provider}"):
        shown(iam, provider)
    with refused("NoSuchEntity"):
        iam.delete_saml_provider(SAMLProviderArn=provider)
    assert iam.list_saml_providers()["SAMLProviderList"] == []


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_saml_provider", {}),
        ("update_saml_provider", {"SAMLMetadataDocument": metadata_of_nobody()}),
        ("delete_saml_provider", {}),
        ("tag_saml_provider", {"Tags": TAGS}),
        ("untag_saml_provider", {"TagKeys": ["Team"]}),
        ("list_saml_provider_tags", {}),
    ],
)
def test_a_provider_is_named_by_its_very_arn(iam, provider, refused, operation, parameters):
    for other in (provider + "x", provider.replace("Corp", "corp"), provider.replace("::", "::9", 1)):
        with refused("NoSuchEntity"):
            getattr(iam, operation)(SAMLProviderArn=other, **parameters)
    for wrong in ("this-is-not-an-arn-at-all", provider.replace("saml-provider", "oidc-provider")):
        with refused("InvalidInput", f"ARN {wrong} is not valid."):
            getattr(iam, operation)(SAMLProviderArn=wrong, **parameters)


def test_an_account_has_a_hundred_providers(iam, idp, refused):
    for number in range(100):
        iam.create_saml_provider(Name=f"n{number}", SAMLMetadataDocument=idp.metadata())
    with refused("LimitExceeded", "Cannot exceed quota for SAMLProvidersPerAccount: 100"):
        iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=idp.metadata())


def test_tags_of_a_provider_are_listed_in_pages_and_counted(iam, provider, paged, refused, idp):
    iam.tag_saml_provider(SAMLProviderArn=provider, Tags=[*TAGS, {"Key": "A", "Value": "b"}])
    listed = paged(iam.list_saml_provider_tags, "Tags", SAMLProviderArn=provider)
    assert listed == [{"Key": "A", "Value": "b"}, *TAGS]
    iam.untag_saml_provider(SAMLProviderArn=provider, TagKeys=["A"])
    assert shown(iam, provider)["Tags"] == TAGS
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        iam.tag_saml_provider(SAMLProviderArn=provider, Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(50)])
    for wrong in ([{"Key": "aws:x", "Value": "y"}],):
        with refused("InvalidInput"):
            iam.tag_saml_provider(SAMLProviderArn=provider, Tags=wrong)
        with refused("InvalidInput"):
            iam.create_saml_provider(Name="Other", SAMLMetadataDocument=idp.metadata(), Tags=wrong)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetSAMLProvider", {}),
        ("UpdateSAMLProvider", {"SAMLMetadataDocument": metadata_of_nobody()}),
        ("DeleteSAMLProvider", {}),
    ],
)
def test_operations_on_a_provider_are_denied_on_its_arn(provider, denied, operation, parameters):
    denied(operation, provider, SAMLProviderArn=provider, **parameters)


def test_creating_and_listing_are_denied_on_what_they_touch(denied, arn_of):
    denied("CreateSAMLProvider", arn_of("saml-provider/Corp"), Name="Corp", SAMLMetadataDocument=metadata_of_nobody())
    denied("ListSAMLProviders", "*")


def test_each_operation_is_recorded_and_no_key_is(iam, provider, parameters_of):
    name = {"sAMLProviderArn": provider}
    iam.get_saml_provider(SAMLProviderArn=provider)
    iam.list_saml_providers()
    iam.update_saml_provider(SAMLProviderArn=provider, AddPrivateKey=KEY)
    iam.delete_saml_provider(SAMLProviderArn=provider)
    assert parameters_of("CreateSAMLProvider")["name"] == "Corp"
    assert parameters_of("GetSAMLProvider") == name
    assert parameters_of("ListSAMLProviders") is None
    assert parameters_of("UpdateSAMLProvider") == {**name, "addPrivateKey": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert parameters_of("DeleteSAMLProvider") == name


def test_without_the_extra_saml_is_refused_in_clear_words(start, tmp_path, idp):
    """A server without lxml and signxml starts, and says what is missing where it is missed."""
    missing = tmp_path / "path" / "lxml"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ImportError('not installed')\n")
    server = start("--backend", "none", "--dev", environment={"PYTHONPATH": str(missing.parent)})
    iam = AWS(server).client("iam")
    with pytest.raises(ClientError) as caught:
        iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=idp.metadata())
    error = caught.value.response["Error"]
    assert error["Message"] == "SAML needs libraries that are not installed here: pip install 'iamd[saml]'"
    assert iam.list_saml_providers()["SAMLProviderList"] == []
