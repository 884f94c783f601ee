"""SSH public keys: five per user, told apart by their material, shown in either encoding.

The refusals' codes and words, and what is kept of a body, are AWS's recorded answers (September 2026).
"""

import base64
import hashlib

import pytest
from services.iam.key_material import (
    certificate,
    ec_key,
    ed25519_key,
    public_pem,
    rsa_key,
    ssh_line,
)

ANN = {"UserName": "ann"}
UNKNOWN = "APKA" + "A" * 16


@pytest.fixture
def ann(iam):
    iam.create_user(**ANN, Path="/team/")


def upload(iam, body, **user):
    return iam.upload_ssh_public_key(**(user or ANN), SSHPublicKeyBody=body)["SSHPublicKey"]


def get(iam, key_id, encoding="SSH"):
    return iam.get_ssh_public_key(**ANN, SSHPublicKeyId=key_id, Encoding=encoding)["SSHPublicKey"]


def listed(iam, **user):
    return iam.list_ssh_public_keys(**(user or ANN))["SSHPublicKeys"]


@pytest.mark.usefixtures("ann")
def test_an_uploaded_key_is_read_back_in_both_encodings_without_its_comment(iam):
    line = ssh_line(rsa_key(), "ann@laptop")
    uploaded = upload(iam, line)
    assert (uploaded["UserName"], uploaded["Status"], uploaded["SSHPublicKeyBody"]) == ("ann", "Active", line)
    assert uploaded["SSHPublicKeyId"].startswith("APKA")
    assert len(uploaded["SSHPublicKeyId"]) == 20
    key_id = uploaded["SSHPublicKeyId"]
    del uploaded["SSHPublicKeyBody"]
    assert get(iam, key_id) == uploaded | {"SSHPublicKeyBody": ssh_line(rsa_key())}
    assert get(iam, key_id, "PEM") == uploaded | {"SSHPublicKeyBody": public_pem(rsa_key())}


@pytest.mark.usefixtures("ann")
def test_a_key_in_pem_is_the_same_key(iam, refused):
    uploaded = upload(iam, public_pem(rsa_key()))
    assert uploaded["SSHPublicKeyBody"] == public_pem(rsa_key())
    assert get(iam, uploaded["SSHPublicKeyId"])["SSHPublicKeyBody"] == ssh_line(rsa_key())
    with refused("DuplicateSSHPublicKey", "Duplicate SSH public key uploaded."):
        upload(iam, ssh_line(rsa_key(), "again"))
    assert len(listed(iam)) == 1


@pytest.mark.usefixtures("ann")
def test_two_users_may_have_the_same_key(iam):
    iam.create_user(UserName="bob")
    first = upload(iam, ssh_line(rsa_key()))
    second = upload(iam, ssh_line(rsa_key()), UserName="bob")
    assert first["SSHPublicKeyId"] != second["SSHPublicKeyId"]
    assert first["Fingerprint"] == second["Fingerprint"]
    assert [key["SSHPublicKeyId"] for key in listed(iam, UserName="bob")] == [second["SSHPublicKeyId"]]


@pytest.mark.usefixtures("ann")
def test_the_fingerprint_is_the_md5_of_the_key_as_ssh_sends_it(iam):
    """As `ssh-keygen -l -E md5` shows it (RFC 4716, section 4)."""
    sent = base64.b64decode(ssh_line(rsa_key()).split()[1])
    assert upload(iam, public_pem(rsa_key()))["Fingerprint"] == hashlib.md5(sent).digest().hex(":")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (lambda: "not a key", "UnrecognizedPublicKeyEncoding", "Invalid public key uploaded."),
        (lambda: "ssh-rsa AAAA", "UnrecognizedPublicKeyEncoding", "Invalid public key uploaded."),
        (lambda: ssh_line(ed25519_key()), "UnrecognizedPublicKeyEncoding", "Invalid public key uploaded."),
        (certificate, "UnrecognizedPublicKeyEncoding", "Invalid public key uploaded."),
        (
            lambda: f"{ssh_line(rsa_key())}\n{ssh_line(rsa_key('second'))}",
            "UnrecognizedPublicKeyEncoding",
            "Invalid public key uploaded.",
        ),
        (
            lambda: public_pem(rsa_key()) + public_pem(rsa_key("second")),
            "UnrecognizedPublicKeyEncoding",
            "Invalid public key uploaded.",
        ),
        (
            lambda: public_pem(rsa_key()).replace("MII", "!!!"),
            "UnrecognizedPublicKeyEncoding",
            "Invalid public key uploaded.",
        ),
        (lambda: ssh_line(rsa_key(bits=1024)), "InvalidPublicKey", "Invalid body for public key"),
        (lambda: public_pem(ec_key()), "InvalidPublicKey", "Invalid body for public key"),
    ],
    ids=["text", "cut off", "ed25519", "certificate", "two lines", "two blocks", "damaged", "short", "elliptic"],
)
@pytest.mark.usefixtures("ann")
def test_what_is_no_usable_key_is_refused(iam, refused, body, code, words):
    with refused(code, words):
        upload(iam, body())
    assert listed(iam) == []


@pytest.mark.usefixtures("ann")
def test_a_user_has_five_keys_at_most(iam, refused):
    for number in range(5):
        upload(iam, ssh_line(rsa_key(f"key {number}")))
    with refused("LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5"):
        upload(iam, ssh_line(rsa_key("key 5")))
    ids = [key["SSHPublicKeyId"] for key in listed(iam)]
    assert ids == sorted(ids)
    assert len(ids) == 5


@pytest.mark.usefixtures("ann")
def test_a_key_is_made_inactive_and_active_again(iam, refused):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    iam.update_ssh_public_key(**ANN, SSHPublicKeyId=key_id, Status="Inactive")
    assert get(iam, key_id)["Status"] == listed(iam)[0]["Status"] == "Inactive"
    with refused("InvalidInput", "Operation does not support status Expired"):
        iam.update_ssh_public_key(**ANN, SSHPublicKeyId=key_id, Status="Expired")
    iam.update_ssh_public_key(**ANN, SSHPublicKeyId=key_id, Status="Active")
    assert get(iam, key_id)["Status"] == "Active"


@pytest.mark.usefixtures("ann")
def test_a_deleted_key_is_gone_and_may_come_back_as_another(iam, refused):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    iam.delete_ssh_public_key(**ANN, SSHPublicKeyId=key_id)
    assert listed(iam) == []
    with refused("NoSuchEntity", f"The Public Key with id {key_id} cannot be found."):
        get(iam, key_id)
    assert upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"] != key_id


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_ssh_public_key", {"Encoding": "SSH"}),
        ("update_ssh_public_key", {"Status": "Inactive"}),
        ("delete_ssh_public_key", {}),
    ],
)
@pytest.mark.usefixtures("ann")
def test_a_key_is_reached_through_its_own_user_only(iam, refused, operation, parameters):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    iam.create_user(UserName="bob")
    with refused("NoSuchEntity", f"The Public Key with id {key_id} cannot be found."):
        getattr(iam, operation)(UserName="bob", SSHPublicKeyId=key_id, **parameters)
    with refused("NoSuchEntity", f"The Public Key with id {UNKNOWN} cannot be found."):
        getattr(iam, operation)(**ANN, SSHPublicKeyId=UNKNOWN, **parameters)
    assert get(iam, key_id)["Status"] == "Active"


def test_the_user_must_exist(iam, refused):
    words = "The user with name ann cannot be found."
    with refused("NoSuchEntity", words):
        iam.upload_ssh_public_key(**ANN, SSHPublicKeyBody=ssh_line(rsa_key()))
    with refused("NoSuchEntity", words):
        iam.list_ssh_public_keys(**ANN)


def test_keys_are_listed_without_a_name_for_the_user_who_calls(aws, iam):
    credentials = aws.user("cid", {"Effect": "Allow", "Action": "iam:ListSSHPublicKeys", "Resource": "*"})
    key_id = upload(iam, ssh_line(rsa_key()), UserName="cid")["SSHPublicKeyId"]
    own = aws.client("iam", credentials).list_ssh_public_keys()
    assert [key["SSHPublicKeyId"] for key in own["SSHPublicKeys"]] == [key_id]


@pytest.mark.usefixtures("ann")
def test_keys_are_paged(iam, paged):
    ids = {upload(iam, ssh_line(rsa_key(f"key {number}")))["SSHPublicKeyId"] for number in range(3)}
    pages = paged(iam.list_ssh_public_keys, "SSHPublicKeys", **ANN)
    assert [key["SSHPublicKeyId"] for key in pages] == sorted(ids)


@pytest.mark.usefixtures("ann")
def test_an_unknown_encoding_is_refused(aws, iam, refused):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    with refused(
        "ValidationError",
        "1 validation error detected: Value at 'encoding' failed to satisfy constraint: Member must satisfy enum"
        " value set: [SSH, PEM]",
    ):
        get(iam, key_id, "ssh")


@pytest.mark.usefixtures("ann")
def test_a_user_with_a_key_is_not_deleted(iam, refused):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    with refused("DeleteConflict", "Cannot delete entity, must remove referenced objects first."):
        iam.delete_user(**ANN)
    iam.delete_ssh_public_key(**ANN, SSHPublicKeyId=key_id)
    iam.delete_user(**ANN)


@pytest.mark.usefixtures("ann")
def test_a_renamed_user_keeps_its_keys(iam):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    iam.update_user(UserName="ann", NewUserName="anna")
    shown = iam.get_ssh_public_key(UserName="anna", SSHPublicKeyId=key_id, Encoding="SSH")["SSHPublicKey"]
    assert shown["UserName"] == "anna"


@pytest.mark.usefixtures("ann")
def test_each_operation_is_denied_on_the_user(iam, denied, arn_of):
    key_id = upload(iam, ssh_line(rsa_key()))["SSHPublicKeyId"]
    user, key = arn_of("user/team/ann"), {**ANN, "SSHPublicKeyId": key_id}
    denied("UploadSSHPublicKey", user, **ANN, SSHPublicKeyBody=ssh_line(rsa_key("second")))
    denied("GetSSHPublicKey", user, **key, Encoding="PEM")
    denied("ListSSHPublicKeys", user, **ANN)
    denied("UpdateSSHPublicKey", user, **key, Status="Inactive")
    denied("DeleteSSHPublicKey", user, **key)
    assert [shown["Status"] for shown in listed(iam)] == ["Active"]


@pytest.mark.usefixtures("ann")
def test_each_operation_is_recorded_with_its_parameters(aws, iam, parameters_of):
    line = ssh_line(rsa_key())
    key_id = upload(iam, line)["SSHPublicKeyId"]
    get(iam, key_id)
    listed(iam)
    iam.update_ssh_public_key(**ANN, SSHPublicKeyId=key_id, Status="Inactive")
    iam.delete_ssh_public_key(**ANN, SSHPublicKeyId=key_id)
    key = {"userName": "ann", "sSHPublicKeyId": key_id}
    assert parameters_of("UploadSSHPublicKey") == {"userName": "ann", "sSHPublicKeyBody": line}
    assert parameters_of("GetSSHPublicKey") == {**key, "encoding": "SSH"}
    assert parameters_of("ListSSHPublicKeys") == {"userName": "ann"}
    assert parameters_of("UpdateSSHPublicKey") == {**key, "status": "Inactive"}
    assert parameters_of("DeleteSSHPublicKey") == key
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": key_id}]
    )["Events"]
    assert sorted(event["EventName"] for event in found) == [
        "DeleteSSHPublicKey",
        "GetSSHPublicKey",
        "UpdateSSHPublicKey",
        "UploadSSHPublicKey",
    ]
