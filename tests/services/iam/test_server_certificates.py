"""Server certificates: pairs of certificate and key with a chain that fits, whose key is never shown again.

Codes and words of refusals are AWS's recorded answers (September 2026), of which the tests name those that are not.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat
from running import ACCOUNT, allow
from services.iam.key_material import certificate, ec_key, ed25519_key, private_pem, rsa_key, server_material

SITE = {"ServerCertificateName": "site"}
UNPARSED = "Unable to parse certificate. Please ensure the certificate is in PEM format."
UNPARSED_KEY = "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."
TAGS = [{"Key": "Team", "Value": "blue"}]


def upload(iam, name="site", **parameters):
    answer = iam.upload_server_certificate(ServerCertificateName=name, **{**server_material(), **parameters})
    return answer["ServerCertificateMetadata"]


def get(iam, name="site"):
    return iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]


def listed(iam, **parameters):
    return iam.list_server_certificates(**parameters)["ServerCertificateMetadataList"]


def names(iam, **parameters):
    return [shown["ServerCertificateName"] for shown in listed(iam, **parameters)]


def test_a_certificate_is_read_back_and_its_key_is_not(iam):
    material = server_material()
    metadata = upload(iam, Path="/team/", **material)
    assert (metadata["Path"], metadata["ServerCertificateName"]) == ("/team/", "site")
    assert metadata["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/team/site"
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert len(metadata["ServerCertificateId"]) == 21
    shown = get(iam)
    body = material["CertificateBody"].strip()
    assert shown == {"ServerCertificateMetadata": metadata, "CertificateBody": body, "Tags": []}
    assert listed(iam) == [metadata]
    assert "PRIVATE" not in repr(shown)


def test_the_expiration_is_the_certificates_own(iam):
    material = server_material()
    upload(iam, **material)
    own = x509.load_pem_x509_certificate(material["CertificateBody"].encode()).not_valid_after_utc
    assert get(iam)["ServerCertificateMetadata"]["Expiration"] == listed(iam)[0]["Expiration"] == own


@pytest.mark.parametrize("key", [rsa_key, lambda: rsa_key(bits=1024), ec_key], ids=["RSA", "short RSA", "elliptic"])
@pytest.mark.parametrize("format", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_keys_of_every_kind_and_form_are_taken(iam, key, format):
    upload(iam, CertificateBody=certificate(key=key()), PrivateKey=private_pem(key(), format))
    assert names(iam) == ["site"]


@pytest.mark.parametrize(
    ("material", "code", "words"),
    [
        (lambda: {"CertificateBody": "not a certificate"}, "MalformedCertificate", UNPARSED),
        (lambda: {"CertificateBody": certificate() + certificate()}, "MalformedCertificate", UNPARSED),
        (
            lambda: {"CertificateBody": certificate(starts=-9, ends=-1)},
            "MalformedCertificate",
            "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed.",
        ),
        (
            lambda: {"CertificateBody": certificate(starts=1)},
            "MalformedCertificate",
            "Certificate is not yet valid. The 'Not Before' date restriction on the certificate has not passed.",
        ),
        (
            lambda: {"PrivateKey": private_pem(ec_key("other"))},
            "KeyPairMismatch",
            "The private key did not match the public key provided. Please verify the key material and try again.",
        ),
        (lambda: {"PrivateKey": "not a key"}, "MalformedCertificate", UNPARSED_KEY),
        (lambda: {"PrivateKey": certificate()}, "MalformedCertificate", UNPARSED_KEY),
        (lambda: {"PrivateKey": private_pem(ec_key()) * 2}, "MalformedCertificate", UNPARSED_KEY),
        (
            lambda: {"PrivateKey": private_pem(ec_key(), encryption=BestAvailableEncryption(b"secret"))},
            "MalformedCertificate",
            UNPARSED_KEY,
        ),
        (lambda: {"PrivateKey": private_pem(ed25519_key())}, "MalformedCertificate", UNPARSED_KEY),
        (lambda: {"CertificateChain": "not a chain"}, "MalformedCertificate", "Unknown"),
        (lambda: {"CertificateChain": certificate() + "and more"}, "MalformedCertificate", "Unknown"),
    ],
    ids=[
        "text", "two certificates", "expired", "not yet valid", "another key", "no key", "a certificate as key",
        "two keys", "encrypted", "ed25519", "no chain", "text in chain",
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(iam, refused, material, code, words):
    given = material()
    with refused(code, words):
        upload(iam, **given)
    assert listed(iam) == []


ROOT, MIDDLE = ("root", ec_key("root")), ("middle", ec_key("middle"))


def chain_of(*parts):
    """`leaf` by `middle` by `root`, and a certificate of somebody else."""
    made = {
        "leaf": certificate("leaf", issuer=MIDDLE),
        "middle": certificate(*MIDDLE[:1], key=MIDDLE[1], issuer=ROOT),
        "root": certificate(*ROOT[:1], key=ROOT[1]),
        "other": certificate("middle", key=ec_key("other")),
    }
    leaf = {"CertificateBody": made["leaf"], "PrivateKey": private_pem(ec_key())}
    chain = "".join(made[part] for part in parts)
    return (leaf | {"CertificateChain": chain}) if parts else leaf


@pytest.mark.parametrize(
    "parts",
    [(), ("middle",), ("middle", "root"), ("middle", "root", "root")],
    ids=["none", "short", "whole", "root twice"],
)
def test_a_chain_that_begins_with_the_issuer_is_kept(iam, parts):
    material = chain_of(*parts)
    upload(iam, **material)
    assert get(iam).get("CertificateChain") == (material["CertificateChain"].strip() if parts else None)


@pytest.mark.parametrize(
    ("parts", "index"),
    [
        (("other",), -1),
        (("root",), -1),
        (("leaf", "middle"), 1),
        (("leaf", "middle", "root"), 1),
        (("root", "middle"), 1),
        (("middle", "other"), -1),
        (("middle", "leaf", "root"), 2),
    ],
)
def test_a_chain_that_does_not_fit_is_refused(iam, refused, parts, index):
    with refused(
        "MalformedCertificate",
        "Unable to validate certificate chain. The certificate chain must start with the immediate signing"
        " certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate"
        f" is: {index}",
    ):
        upload(iam, **chain_of(*parts))
    assert listed(iam) == []


def test_tags_are_given_with_the_certificate(iam, refused):
    tagged = iam.upload_server_certificate(**SITE, **server_material(), Tags=TAGS)
    assert tagged["Tags"] == get(iam)["Tags"] == iam.list_server_certificate_tags(**SITE)["Tags"] == TAGS
    with refused("InvalidInput"):
        upload(iam, "other", Tags=[{"Key": "aws:team", "Value": "blue"}])
    assert names(iam) == ["site"]


def test_names_collide_whatever_their_case_and_are_looked_up_exactly(iam, refused):
    upload(iam)
    for name in ("site", "SITE"):
        with refused("EntityAlreadyExists", f"The Server Certificate with name {name} already exists."):
            upload(iam, name)
    with refused("NoSuchEntity", "The Server Certificate with name SITE cannot be found."):
        get(iam, "SITE")
    upload(iam, "other")
    with refused("EntityAlreadyExists", "The Server Certificate with name Site already exists."):
        iam.update_server_certificate(ServerCertificateName="other", NewServerCertificateName="Site")
    iam.update_server_certificate(**SITE, NewServerCertificateName="Site")
    assert names(iam) == ["Site", "other"]


def test_an_account_has_twenty_certificates_at_most(iam, refused):
    material = server_material()
    for number in range(20):
        upload(iam, f"site-{number}", **material)
    with refused("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20"):
        upload(iam, **material)
    assert iam.get_account_summary()["SummaryMap"]["ServerCertificates"] == 20
    iam.delete_server_certificate(ServerCertificateName="site-7")
    upload(iam, **material)


def test_certificates_are_listed_by_path_and_in_pages(iam, paged):
    for name, path in (("b", "/team/"), ("a", "/team/blue/"), ("c", "/")):
        upload(iam, name, Path=path)
    assert names(iam) == ["a", "b", "c"]
    assert names(iam, PathPrefix="/team/") == ["a", "b"]
    assert names(iam, PathPrefix="/team/blue") == ["a"]
    pages = paged(iam.list_server_certificates, "ServerCertificateMetadataList", PathPrefix="/team/")
    assert [shown["ServerCertificateName"] for shown in pages] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "resource"),
    [
        ({"NewServerCertificateName": "shop"}, "/team/shop"),
        ({"NewPath": "/other/"}, "/other/site"),
        ({"NewServerCertificateName": "shop", "NewPath": "/"}, "/shop"),
        ({}, "/team/site"),
    ],
)
def test_a_certificate_keeps_its_id_and_tags_under_another_name_or_path(iam, change, resource):
    before = upload(iam, Path="/team/", Tags=TAGS)
    iam.update_server_certificate(**SITE, **change)
    shown = get(iam, change.get("NewServerCertificateName", "site"))
    after = shown["ServerCertificateMetadata"]
    assert after["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate{resource}"
    assert (after["ServerCertificateId"], shown["Tags"]) == (before["ServerCertificateId"], TAGS)
    assert len(listed(iam)) == 1


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_server_certificate", {}),
        ("update_server_certificate", {"NewPath": "/x/"}),
        ("delete_server_certificate", {}),
    ],
)
def test_a_certificate_that_is_missing_is_named(iam, refused, operation, parameters):
    with refused("NoSuchEntity", "The Server Certificate with name none cannot be found."):
        getattr(iam, operation)(ServerCertificateName="none", **parameters)


def test_a_deleted_certificate_is_gone_and_its_namesake_is_another(iam, refused):
    first = upload(iam)
    iam.delete_server_certificate(**SITE)
    assert listed(iam) == []
    with refused("NoSuchEntity"):
        get(iam)
    assert upload(iam)["ServerCertificateId"] != first["ServerCertificateId"]


def test_each_operation_is_denied_on_the_certificate(iam, denied, arn_of):
    upload(iam, Path="/team/")
    site = arn_of("server-certificate/team/site")
    denied("UploadServerCertificate", arn_of("server-certificate/x/new"), **new("/x/"))
    denied("GetServerCertificate", site, **SITE)
    denied("UpdateServerCertificate", site, **SITE, NewPath="/x/")
    denied("DeleteServerCertificate", site, **SITE)
    denied("ListServerCertificates", arn_of("server-certificate/x/"), PathPrefix="/x/")
    assert names(iam) == ["site"]


def new(path):
    return {"ServerCertificateName": "new", "Path": path, **server_material()}


def test_a_rename_needs_permission_on_both_names(aws, iam, denied, arn_of):
    """IAM API Reference, UpdateServerCertificate."""
    upload(iam)
    on_site = allow("iam:UpdateServerCertificate", arn_of("server-certificate/site"))
    shop = arn_of("server-certificate/shop")
    denied("UpdateServerCertificate", shop, on_site, shown=shop, **SITE, NewServerCertificateName="shop")
    both = allow("iam:UpdateServerCertificate", arn_of("server-certificate/s*"))
    client = aws.client("iam", aws.user("renamer", both))
    client.update_server_certificate(**SITE, NewServerCertificateName="shop")
    assert names(iam) == ["shop"]


def test_tags_of_certificate_and_request_decide(aws, iam, refused):
    upload(iam, Tags=TAGS)
    upload(iam, "other")
    statements = [
        allow("iam:GetServerCertificate", StringEquals={"aws:ResourceTag/Team": "blue"}),
        allow("iam:UploadServerCertificate", StringEquals={"aws:RequestTag/Team": "blue"}),
        allow("iam:TagServerCertificate"),
    ]
    client = aws.client("iam", aws.user("blue", *statements))
    assert get(client)["Tags"] == TAGS
    with refused("AccessDenied"):
        get(client, "other")
    upload(client, "new", Tags=TAGS)
    with refused("AccessDenied"):
        upload(client, "newer")
    assert names(iam) == ["new", "other", "site"]


def test_each_operation_is_recorded_without_the_private_key(aws, iam, parameters_of):
    material = chain_of("middle")
    upload(iam, Path="/team/", **material)
    get(iam)
    listed(iam, PathPrefix="/team/")
    iam.update_server_certificate(**SITE, NewServerCertificateName="shop")
    iam.delete_server_certificate(ServerCertificateName="shop")
    assert parameters_of("UploadServerCertificate") == {
        "serverCertificateName": "site",
        "path": "/team/",
        "certificateBody": material["CertificateBody"],
        "certificateChain": material["CertificateChain"],
        "privateKey": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    assert parameters_of("GetServerCertificate") == {"serverCertificateName": "site"}
    assert parameters_of("ListServerCertificates") == {"pathPrefix": "/team/"}
    renamed = {"serverCertificateName": "site", "newServerCertificateName": "shop"}
    assert parameters_of("UpdateServerCertificate") == renamed
    assert parameters_of("DeleteServerCertificate") == {"serverCertificateName": "shop"}
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "site"}]
    )["Events"]
    assert {event["EventName"] for event in found} == {
        "GetServerCertificate",
        "UpdateServerCertificate",
        "UploadServerCertificate",
    }
