"""What the root user does for itself, and what accounts do not share."""

import csv
import json
import os

import pytest
from botocore.exceptions import ClientError
from running import AWS, Credentials, Server
from services.iam.key_material import certificate
from web.browser import Browser

from iamd import accounts, ids, start
from iamd.accounts import Administrator
from iamd.settings import Settings

OTHER = "210987654321"


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    """An iamd with two accounts and a key of the first one's root user: its clients, that key, the other's admin."""
    data = tmp_path_factory.mktemp("root") / "data"
    settings = Settings(data=data, backend="none")
    before = os.umask(0o077)
    with start.data_folder(settings):
        runtime = start.open_runtime(settings)
        start.first_start(runtime)
        account_id, now = settings.account, int(runtime.clock.timestamp())
        root = Administrator(account_id, "root", ids.access_key_id("AKIA", account_id), ids.secret_access_key())

        def write(change):
            change.put(account_id, accounts.access_key(runtime.keyring, root, None, now))
            return accounts.add_account(change, runtime.keyring, account_id=OTHER, name="other", now=now)

        other = runtime.store.write(write).result()
        runtime.store.close()
    os.umask(before)
    server = Server(data, "--backend", "none")
    yield AWS(server), *(Credentials(who.access_key_id, who.secret_access_key) for who in (root, other))
    assert server.stop() == 0


@pytest.fixture
def root(two_accounts):
    """IAM as the root user calls it."""
    aws, credentials, _ = two_accounts
    return aws.client("iam", credentials)


def test_the_root_user_is_shown_to_itself(root):
    user = root.get_user()["User"]
    assert (user["UserId"], user["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")
    assert "CreateDate" in user


def test_the_root_user_has_two_keys_at_most(root, refused):
    first = root.list_access_keys()["AccessKeyMetadata"]
    assert len(first) == 1
    second = root.create_access_key()["AccessKey"]
    with refused("LimitExceeded"):
        root.create_access_key()
    assert "LastUsedDate" in root.get_access_key_last_used(AccessKeyId=first[0]["AccessKeyId"])["AccessKeyLastUsed"]
    root.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    statuses = {key["AccessKeyId"]: key["Status"] for key in root.list_access_keys()["AccessKeyMetadata"]}
    assert statuses[second["AccessKeyId"]] == "Inactive"
    assert root.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1
    root.delete_access_key(AccessKeyId=second["AccessKeyId"])
    assert root.list_access_keys()["AccessKeyMetadata"] == first


def test_the_root_users_password_is_not_iams(root, refused):
    with refused("InvalidUserType"):
        root.change_password(OldPassword="Correct-Horse-1", NewPassword="Correct-Horse-2")
    with refused("ValidationError"):
        root.create_login_profile(Password="Correct-Horse-1")
    with refused("ValidationError"):
        root.get_login_profile()
    assert root.list_mfa_devices()["MFADevices"] == []


def test_an_administrator_does_not_reach_the_root_users_keys(two_accounts, refused):
    aws, root, _ = two_accounts
    admin = aws.client("iam")
    for name in ({}, {"UserName": "admin"}):
        with refused("NoSuchEntity"):
            admin.delete_access_key(AccessKeyId=root.access_key_id, **name)
    with refused("NoSuchEntity"):
        admin.get_user(UserName="root")


def test_an_alias_is_unique_across_accounts(two_accounts, refused):
    aws, _, other = two_accounts
    mine, theirs = aws.client("iam"), aws.client("iam", other)
    mine.create_account_alias(AccountAlias="shared-name")
    with refused("EntityAlreadyExists"):
        theirs.create_account_alias(AccountAlias="shared-name")
    with refused("NoSuchEntity"):
        theirs.delete_account_alias(AccountAlias="shared-name")
    mine.create_account_alias(AccountAlias="another-name")
    theirs.create_account_alias(AccountAlias="shared-name")
    assert theirs.list_account_aliases()["AccountAliases"] == ["shared-name"]
    assert mine.list_account_aliases()["AccountAliases"] == ["another-name"]


def test_accounts_do_not_see_each_others_entities(two_accounts, refused):
    aws, _, other = two_accounts
    mine, theirs = aws.client("iam"), aws.client("iam", other)
    mine.create_user(UserName="ann")
    key_id = mine.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    serial = mine.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]["SerialNumber"]
    with refused("NoSuchEntity"):
        theirs.get_user(UserName="ann")
    with refused("AccessDenied"):
        theirs.get_access_key_last_used(AccessKeyId=key_id)
    with refused("NoSuchEntity"):
        theirs.delete_virtual_mfa_device(SerialNumber=serial)
    theirs.create_user(UserName="ann")
    theirs.delete_user(UserName="ann")
    assert mine.get_user(UserName="ann")["User"]["Arn"] == "arn:aws:iam::123456789012:user/ann"


def test_the_root_user_assumes_no_role(two_accounts, root):
    """AWS: STS API Reference, AssumeRole; a root user's own role and another account's."""
    aws, credentials, other = two_accounts
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    for iam in (root, aws.client("iam", other)):
        arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        with pytest.raises(ClientError) as caught:
            aws.client("sts", credentials).assume_role(RoleArn=arn, RoleSessionName="root")
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_the_root_user_has_signing_certificates(root, two_accounts, refused):
    uploaded = root.upload_signing_certificate(CertificateBody=certificate())["Certificate"]
    assert "UserName" not in uploaded
    assert root.list_signing_certificates()["Certificates"] == [uploaded]
    assert root.get_account_summary()["SummaryMap"]["AccountSigningCertificatesPresent"] == 1
    with refused("NoSuchEntity"):
        two_accounts[0].client("iam").delete_signing_certificate(CertificateId=uploaded["CertificateId"])
    root.update_signing_certificate(CertificateId=uploaded["CertificateId"], Status="Inactive")
    assert root.list_signing_certificates()["Certificates"][0]["Status"] == "Inactive"
    root.delete_signing_certificate(CertificateId=uploaded["CertificateId"])
    assert root.get_account_summary()["SummaryMap"]["AccountSigningCertificatesPresent"] == 0


def test_the_credential_report_has_the_root_users_key_and_certificates_and_no_other_accounts_users(root, two_accounts):
    key_id = root.list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"]
    used = root.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
    uploaded = root.upload_signing_certificate(CertificateBody=certificate())["Certificate"]
    created = root.get_user()["User"]["CreateDate"]
    two_accounts[0].client("iam", two_accounts[2]).create_user(UserName="stranger")
    root.generate_credential_report()
    lines = list(csv.DictReader(root.get_credential_report()["Content"].decode().splitlines()))
    assert "stranger" not in {line["user"] for line in lines}
    assert lines[0] | {"access_key_1_last_used_date": ""} == {
        **dict.fromkeys(lines[0], "N/A"),
        "user": "<root_account>",
        "arn": "arn:aws:iam::123456789012:root",
        "user_creation_time": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "password_enabled": "false",
        "password_next_rotation": "not_supported",
        "mfa_active": "false",
        "access_key_1_active": "true",
        "access_key_1_last_rotated": lines[0]["access_key_1_last_rotated"],
        "access_key_1_last_used_date": "",
        "access_key_1_last_used_region": used["Region"],
        "access_key_1_last_used_service": "iam",
        "access_key_2_active": "false",
        "cert_1_active": "true",
        "cert_1_last_rotated": f"{uploaded['UploadDate']:%Y-%m-%dT%H:%M:%SZ}",
        "cert_2_active": "false",
    }
    assert lines[0]["access_key_1_last_used_date"] >= f"{used['LastUsedDate']:%Y-%m-%dT%H:%M:%SZ}"
    root.delete_signing_certificate(CertificateId=uploaded["CertificateId"])


def test_the_root_user_sees_when_its_password_was_last_used(two_accounts, root):
    aws, _, _ = two_accounts
    assert "PasswordLastUsed" not in root.get_user()["User"]
    aws.iamd("SetRootPassword", Email="root@example.com", Password="Correct-horse-1")
    browser = Browser(aws.endpoint).sign_in_as_root("root@example.com", "Correct-horse-1")
    assert browser.path == "/_iamd/"
    browser.close()
    assert "PasswordLastUsed" in root.get_user()["User"]


def test_the_root_user_delegates_within_the_request_and_four_hours_at_most(two_accounts, root, refused):
    """IAM User Guide, "IAM temporary delegation": root users approve requests of 4 hours or less."""
    aws, _, other = two_accounts
    statement = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
    template = aws.iamd(
        "RegisterDelegationTemplate",
        AccountId=OTHER,
        RequestorName="Example Corp",
        TemplateName="list-users",
        PolicyTemplate=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    asked = {
        "Description": "lists users",
        "Permissions": {"PolicyTemplateArn": template["PolicyTemplateArn"]},
        "NotificationChannel": f"arn:aws:sns:us-east-1:{OTHER}:delegations",
    }
    partner = aws.client("iam", other)
    for seconds in (14_401, 14_400):
        made = partner.create_delegation_request(
            **asked, RequestorWorkflowId=f"workflow-{seconds}", SessionDuration=seconds
        )
        request_id = made["DelegationRequestId"]
        root.associate_delegation_request(DelegationRequestId=request_id)
        if seconds > 14_400:
            with refused("InvalidInput", "The root user cannot accept delegation requests of more than 4 hours."):
                root.accept_delegation_request(DelegationRequestId=request_id)
    root.accept_delegation_request(DelegationRequestId=request_id)
    root.send_delegation_token(DelegationRequestId=request_id)
    token = aws.iamd("GetDelegationNotification", other, DelegationRequestId=request_id)["TradeInToken"]
    answer = aws.client("sts", other).get_delegated_access_token(TradeInToken=token)
    assert answer["AssumedPrincipal"] == "arn:aws:iam::123456789012:root"
    own = aws.client("iam", Credentials.of(answer["Credentials"]))
    assert own.list_users()["Users"]
    with refused("AccessDenied"):
        own.list_roles()
