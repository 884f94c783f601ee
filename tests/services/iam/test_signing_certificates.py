"""Signing certificates: two per user, each of one user in the account, named by a digest of what they are.

The refusals' codes and words, the ids, and what a second upload answers are AWS's recorded answers (September 2026).
"""

import base64
import hashlib
import ssl

import pytest
from services.iam.key_material import certificate, ec_key, private_pem, rsa_key

ANN = {"UserName": "ann"}
UNKNOWN = "A" * 32


@pytest.fixture
def ann(iam):
    iam.create_user(**ANN, Path="/team/")


def upload(iam, body, **user):
    return iam.upload_signing_certificate(**(user or ANN), CertificateBody=body)["Certificate"]


def listed(iam, **user):
    return iam.list_signing_certificates(**(user or ANN))["Certificates"]


@pytest.mark.parametrize("key", [ec_key, rsa_key, lambda: rsa_key(bits=1024)], ids=["elliptic", "RSA", "short RSA"])
@pytest.mark.usefixtures("ann")
def test_an_uploaded_certificate_is_read_back_as_it_was_given(iam, key):
    body = certificate(key=key())
    uploaded = upload(iam, body)
    assert (uploaded["UserName"], uploaded["Status"], uploaded["CertificateBody"]) == ("ann", "Active", body)
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(body)).digest()
    assert uploaded["CertificateId"] == base64.b32encode(digest).decode()
    assert listed(iam) == [uploaded]


@pytest.mark.usefixtures("ann")
def test_a_certificate_that_is_uploaded_again_stays_as_it_is(iam):
    body = certificate()
    first = upload(iam, body)
    iam.update_signing_certificate(**ANN, CertificateId=first["CertificateId"], Status="Inactive")
    assert upload(iam, body) == first
    assert listed(iam) == [first | {"Status": "Inactive"}]


@pytest.mark.usefixtures("ann")
def test_two_users_of_an_account_do_not_have_the_same_certificate(iam, refused):
    iam.create_user(UserName="bob")
    body = certificate()
    upload(iam, body)
    with refused("DuplicateCertificate", "Duplicate certificate uploaded."):
        upload(iam, body, UserName="bob")
    assert listed(iam, UserName="bob") == []


@pytest.mark.parametrize(
    "body",
    [
        lambda: "not a certificate",
        lambda: certificate(starts=-9, ends=-1),
        lambda: certificate(starts=1),
        lambda: certificate() + certificate(),
        lambda: "Certificate:\n" + certificate(),
        lambda: certificate().replace("MII", "MIM"),
        lambda: private_pem(ec_key()),
    ],
    ids=["text", "expired", "not yet valid", "two", "text before", "damaged", "private key"],
)
@pytest.mark.usefixtures("ann")
def test_what_is_no_valid_certificate_is_refused(iam, refused, body):
    given = body()
    with refused("MalformedCertificate", f"Certificate {given} is malformed."):
        upload(iam, given)
    assert listed(iam) == []


@pytest.mark.usefixtures("ann")
def test_a_user_has_two_certificates_at_most(iam, refused):
    upload(iam, certificate("one"))
    upload(iam, certificate("two"))
    with refused("LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2"):
        upload(iam, certificate("three"))
    ids = [shown["CertificateId"] for shown in listed(iam)]
    assert ids == sorted(ids)
    assert len(ids) == 2


@pytest.mark.usefixtures("ann")
def test_a_certificate_is_made_inactive_and_active_again(iam, refused):
    one = {**ANN, "CertificateId": upload(iam, certificate())["CertificateId"]}
    iam.update_signing_certificate(**one, Status="Inactive")
    assert listed(iam)[0]["Status"] == "Inactive"
    with refused("InvalidInput", "Operation does not support status Expired"):
        iam.update_signing_certificate(**one, Status="Expired")
    iam.update_signing_certificate(**one, Status="Active")
    assert listed(iam)[0]["Status"] == "Active"


@pytest.mark.usefixtures("ann")
def test_a_deleted_certificate_is_gone_and_another_user_may_have_it(iam, refused):
    iam.create_user(UserName="bob")
    body = certificate()
    one = {**ANN, "CertificateId": upload(iam, body)["CertificateId"]}
    iam.delete_signing_certificate(**one)
    assert listed(iam) == []
    with refused("NoSuchEntity", f"The Certificate with id {one['CertificateId']} cannot be found."):
        iam.delete_signing_certificate(**one)
    assert upload(iam, body, UserName="bob")["CertificateId"] == one["CertificateId"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("update_signing_certificate", {"Status": "Inactive"}), ("delete_signing_certificate", {})],
)
@pytest.mark.usefixtures("ann")
def test_a_certificate_is_reached_through_its_own_user_only(iam, refused, operation, parameters):
    certificate_id = upload(iam, certificate())["CertificateId"]
    iam.create_user(UserName="bob")
    with refused("NoSuchEntity", f"The Certificate with id {certificate_id} cannot be found."):
        getattr(iam, operation)(UserName="bob", CertificateId=certificate_id, **parameters)
    with refused("NoSuchEntity", f"The Certificate with id {UNKNOWN} cannot be found."):
        getattr(iam, operation)(**ANN, CertificateId=UNKNOWN, **parameters)
    assert listed(iam)[0]["Status"] == "Active"


def test_the_user_must_exist(iam, refused):
    words = "The user with name ann cannot be found."
    with refused("NoSuchEntity", words):
        iam.upload_signing_certificate(**ANN, CertificateBody=certificate())
    with refused("NoSuchEntity", words):
        iam.list_signing_certificates(**ANN)


def test_without_a_name_they_are_those_of_the_user_who_calls(aws, iam):
    everything = {"Effect": "Allow", "Action": "iam:*SigningCertificate*", "Resource": "*"}
    own = aws.client("iam", aws.user("cid", everything))
    one = own.upload_signing_certificate(CertificateBody=certificate())["Certificate"]
    assert own.list_signing_certificates()["Certificates"] == listed(iam, UserName="cid") == [one]
    own.update_signing_certificate(CertificateId=one["CertificateId"], Status="Inactive")
    assert listed(iam, UserName="cid")[0]["Status"] == "Inactive"
    own.delete_signing_certificate(CertificateId=one["CertificateId"])
    assert listed(iam, UserName="cid") == []


@pytest.mark.usefixtures("ann")
def test_certificates_are_paged(iam, paged):
    ids = {upload(iam, certificate(name))["CertificateId"] for name in ("one", "two")}
    pages = paged(iam.list_signing_certificates, "Certificates", **ANN)
    assert [shown["CertificateId"] for shown in pages] == sorted(ids)


@pytest.mark.usefixtures("ann")
def test_a_user_with_a_certificate_is_not_deleted(iam, refused):
    certificate_id = upload(iam, certificate())["CertificateId"]
    with refused("DeleteConflict", "Cannot delete entity, must delete certificates first."):
        iam.delete_user(**ANN)
    iam.delete_signing_certificate(**ANN, CertificateId=certificate_id)
    iam.delete_user(**ANN)


@pytest.mark.usefixtures("ann")
def test_each_operation_is_denied_on_the_user(iam, denied, arn_of):
    user, one = arn_of("user/team/ann"), {**ANN, "CertificateId": upload(iam, certificate())["CertificateId"]}
    denied("UploadSigningCertificate", user, **ANN, CertificateBody=certificate("second"))
    denied("ListSigningCertificates", user, **ANN)
    denied("UpdateSigningCertificate", user, **one, Status="Inactive")
    denied("DeleteSigningCertificate", user, **one)
    assert [shown["Status"] for shown in listed(iam)] == ["Active"]


@pytest.mark.usefixtures("ann")
def test_whoever_may_not_upload_learns_nothing_of_the_certificate(aws, refused):
    nobody = aws.client("iam", aws.user("nobody"))
    with refused("AccessDenied"):
        nobody.upload_signing_certificate(**ANN, CertificateBody="not a certificate")


@pytest.mark.usefixtures("ann")
def test_each_operation_is_recorded_with_its_parameters(aws, iam, parameters_of):
    body = certificate()
    certificate_id = upload(iam, body)["CertificateId"]
    listed(iam)
    iam.update_signing_certificate(**ANN, CertificateId=certificate_id, Status="Inactive")
    iam.delete_signing_certificate(**ANN, CertificateId=certificate_id)
    one = {"userName": "ann", "certificateId": certificate_id}
    assert parameters_of("UploadSigningCertificate") == {"userName": "ann", "certificateBody": body}
    assert parameters_of("ListSigningCertificates") == {"userName": "ann"}
    assert parameters_of("UpdateSigningCertificate") == {**one, "status": "Inactive"}
    assert parameters_of("DeleteSigningCertificate") == one
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": certificate_id}]
    )["Events"]
    assert sorted(event["EventName"] for event in found) == [
        "DeleteSigningCertificate",
        "UpdateSigningCertificate",
        "UploadSigningCertificate",
    ]
