"""What requests to ACM are decided on: certificates and the parts of ACME endpoints by ARN, new certificates by keys.

AWS: ACM User Guide, "Use condition keys with ACM".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, ACME, CERTIFICATE, KEY_ID, REGION
from running import allow, deny

ANY = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/*"
BINDING = f"{ACME}/acme-external-account-binding/{KEY_ID}"
TAGS = [{"Key": "team", "Value": "blue"}]
PEM = {"Certificate": b"c", "PrivateKey": b"k"}


def on(resource, *actions):
    return [(f"acm:{action}", resource) for action in actions]


CASES = [
    ("DescribeCertificate", {"CertificateArn": CERTIFICATE}, on(CERTIFICATE, "DescribeCertificate")),
    ("ListCertificates", {}, on("*", "ListCertificates")),
    ("RequestCertificate", {"DomainName": "example.com"}, on("*", "RequestCertificate")),
    (
        "RequestCertificate",
        {"DomainName": "example.com", "Tags": TAGS},
        [*on("*", "RequestCertificate"), *on(ANY, "AddTagsToCertificate")],
    ),
    ("ImportCertificate", {**PEM, "CertificateArn": CERTIFICATE}, on(CERTIFICATE, "ImportCertificate")),
    ("ImportCertificate", {**PEM, "Tags": TAGS}, on(ANY, "ImportCertificate", "AddTagsToCertificate")),
    ("DescribeAcmeEndpoint", {"AcmeEndpointArn": ACME}, on(ACME, "DescribeAcmeEndpoint")),
    ("UntagResource", {"ResourceArn": BINDING, "TagKeys": ["team"]}, on(BINDING, "UntagResource")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("acm", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    "arn",
    [CERTIFICATE.replace(REGION, "eu-west-1"), CERTIFICATE.replace("arn:aws", "arn:aws-cn"), ANY, f"{CERTIFICATE}/x",
     CERTIFICATE.replace(":acm:", ":iam:"), ACME, "arn:aws:acm:certificate/x-12345678"],
)  # fmt: skip
def test_an_arn_that_names_no_certificate_here_is_refused(counted, arn):
    told = counted.call("acm", "DeleteCertificate", {"CertificateArn": arn})
    assert (told.status, told.code, told.sent) == (400, "InvalidArnException", 0)


REQUEST = ("acm:RequestCertificate", "RequestCertificate")
NAME = {"DomainName": "example.com"}
KEYS = [
    Key("acm:DomainNames", ["example.com", "www.example.com"], *REQUEST,
        {**NAME, "SubjectAlternativeNames": ["www.example.com"]},
        {**NAME, "SubjectAlternativeNames": ["example.org"]}, "ForAllValues:StringEquals"),
    Key("acm:KeyAlgorithm", "RSA_2048", *REQUEST, NAME, {**NAME, "KeyAlgorithm": "EC_prime256v1"}),
    Key("acm:ValidationMethod", "DNS", *REQUEST, {**NAME, "ValidationMethod": "DNS"},
        {**NAME, "ValidationMethod": "EMAIL"}),
    Key("acm:CertificateTransparencyLogging", "DISABLED", *REQUEST,
        {**NAME, "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"}}, NAME),
    Key("acm:Export", "ENABLED", *REQUEST, {**NAME, "Options": {"Export": "ENABLED"}}, NAME),
    Key("acm:CertificateAuthority", f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/{KEY_ID}", *REQUEST,
        {**NAME, "CertificateAuthorityArn": f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/{KEY_ID}"}, NAME),
    Key("aws:TagKeys", "team", "acm:AddTagsToCertificate", "AddTagsToCertificate",
        {"CertificateArn": CERTIFICATE, "Tags": TAGS},
        {"CertificateArn": CERTIFICATE, "Tags": [{"Key": "env"}]}, "ForAnyValue:StringEquals"),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"acm-{key.name.rpartition(':')[2]}"), "acm", key)


def test_what_is_not_known_of_a_certificate_lets_nobody_in(counted):
    """Its names are known of the request that makes it, and of no later one."""
    caller = Caller.new(counted, "acm-unknown")
    given = {"CertificateArn": CERTIFICATE, "Passphrase": b"four"}
    caller.may(allow("acm:ExportCertificate", **{"ForAllValues:StringEquals": {"acm:DomainNames": ["example.com"]}}))
    refused(caller.call("acm", "ExportCertificate", given), "no identity-based policy allows")
    names = {"ForAnyValue:StringEquals": {"acm:DomainNames": ["example.org"]}}
    caller.may(allow("*"), deny("acm:ExportCertificate", **names))
    refused(caller.call("acm", "ExportCertificate", given), "explicit deny")
    caller.may(allow("acm:ExportCertificate"))
    assert caller.call("acm", "ExportCertificate", given).sent > 0
