"""The credential report: its columns, its lines, and the four hours that it lasts.

The rows, dates, orders and refusals are those of AWS's recorded reports (September 2026); the four hours are the IAM
User Guide's (id_credentials_getting-report).
"""

import csv
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials
from services.iam.key_material import certificate

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NOBODY = "{created},false,N/A,N/A,N/A,false" + ",false,N/A,N/A,N/A,N/A" * 2 + ",false,N/A" * 2
FOUR_HOURS = 4 * 60 * 60


def date(value):
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def text(iam):
    return iam.get_credential_report()["Content"].decode()


def rows(iam):
    return {row["user"]: row for row in csv.DictReader(text(iam).splitlines())}


def row_of(iam, name):
    iam.generate_credential_report()
    return rows(iam)[name]


def test_a_report_is_started_made_and_kept(iam, refused):
    with refused("ReportNotPresent", "Unknown"):
        iam.get_credential_report()
    started = iam.generate_credential_report()
    words = "No report exists. Starting a new report generation task"
    assert (started["State"], started["Description"]) == ("STARTED", words)
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    again = iam.generate_credential_report()
    assert again["State"] == "COMPLETE"
    assert "Description" not in again
    kept = iam.get_credential_report()
    assert (kept["Content"], kept["GeneratedTime"]) == (report["Content"], report["GeneratedTime"])


def test_a_report_stays_as_it_is_for_four_hours_and_then_another_is_made(aws, iam, refused):
    iam.generate_credential_report()
    first = iam.get_credential_report()
    iam.create_user(UserName="ann")
    aws.advance(FOUR_HOURS - 30)
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert "ann" not in rows(iam)
    aws.advance(31)
    with refused("ReportExpired", "Unknown"):
        iam.get_credential_report()
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert "ann" in rows(iam)
    assert iam.get_credential_report()["GeneratedTime"] > first["GeneratedTime"]


def test_the_report_is_csv_of_22_columns_with_the_root_user_first(iam):
    for name in ("bob", "Ann", "cid"):
        iam.create_user(UserName=name)
    iam.generate_credential_report()
    content = text(iam)
    assert "\r" not in content
    assert not content.endswith("\n")
    lines = content.split("\n")
    assert (lines[0], len(lines[0].split(","))) == (HEADER, 22)
    assert [line.partition(",")[0] for line in lines[1:]] == ["<root_account>", "admin", "Ann", "bob", "cid"]
    root = rows(iam)["<root_account>"]
    assert root["arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert [root[f"password_{what}"] for what in ("enabled", "last_used", "last_changed", "next_rotation")] == [
        "false",
        "N/A",
        "N/A",
        "not_supported",
    ]
    assert (root["mfa_active"], root["access_key_1_active"], root["cert_1_active"]) == ("false", "false", "false")


def test_a_user_without_credentials_has_a_line(iam):
    user = iam.create_user(UserName="ann", Path="/team/")["User"]
    iam.generate_credential_report()
    line = f"ann,arn:aws:iam::{ACCOUNT}:user/team/ann," + NOBODY.format(created=date(user["CreateDate"]))
    assert line in text(iam).split("\n")


def test_a_name_with_a_comma_is_quoted(iam):
    iam.create_user(UserName="ann,bob")
    iam.generate_credential_report()
    assert f'"ann,bob","arn:aws:iam::{ACCOUNT}:user/ann,bob",' in text(iam)
    assert rows(iam)["ann,bob"]["password_enabled"] == "false"


def test_a_password_that_was_never_used_has_no_information(aws, iam):
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-1")
    aws.advance(100)
    iam.update_login_profile(UserName="ann", Password="Correct-Horse-2")
    row = row_of(iam, "ann")
    made = iam.get_login_profile(UserName="ann")["LoginProfile"]["CreateDate"]
    assert (row["password_enabled"], row["password_last_used"]) == ("true", "no_information")
    assert row["password_last_changed"] > date(made)
    [event] = aws.events("UpdateLoginProfile")
    assert row["password_last_changed"] == event["eventTime"]
    assert row["password_next_rotation"] == "N/A"


def test_the_next_rotation_is_as_many_days_after_the_change(iam):
    iam.create_user(UserName="ann")
    changed = iam.create_login_profile(UserName="ann", Password="Correct-Horse-1")["LoginProfile"]["CreateDate"]
    iam.update_account_password_policy(MaxPasswordAge=90)
    assert row_of(iam, "ann")["password_next_rotation"] == date(changed + timedelta(days=90))


def test_devices_that_are_enabled_count(iam, devices):
    iam.create_user(UserName="ann")
    devices.enable("ann", *devices.new("phone"))
    iam.create_user(UserName="bob")
    devices.new("watch")
    iam.generate_credential_report()
    assert [rows(iam)[name]["mfa_active"] for name in ("ann", "bob")] == ["true", "false"]


def test_keys_stand_by_id_and_inactive_ones_keep_their_dates(aws, iam):
    iam.create_user(UserName="ann")
    keys = [iam.create_access_key(UserName="ann")["AccessKey"] for _ in range(2)]
    first, second = sorted(keys, key=lambda key: key["AccessKeyId"])
    iam.update_access_key(UserName="ann", AccessKeyId=second["AccessKeyId"], Status="Inactive")
    client = aws.client("cloudtrail", Credentials.of(first))
    with pytest.raises(ClientError, match="AccessDenied"):
        client.lookup_events()
    used = iam.get_access_key_last_used(AccessKeyId=first["AccessKeyId"])["AccessKeyLastUsed"]
    row = row_of(iam, "ann")
    assert [row[f"access_key_1_{what}"] for what in KEY_COLUMNS] == [
        "true",
        date(first["CreateDate"]),
        date(used["LastUsedDate"]),
        "us-east-1",
        "cloudtrail",
    ]
    assert [row[f"access_key_2_{what}"] for what in KEY_COLUMNS] == [
        "false",
        date(second["CreateDate"]),
        "N/A",
        "N/A",
        "N/A",
    ]


KEY_COLUMNS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")


@pytest.mark.parametrize("inactive", [0, 1])
def test_of_two_certificates_the_inactive_one_stands_first(aws, iam, inactive):
    iam.create_user(UserName="ann")
    uploaded = []
    for name in ("old", "new"):
        body = certificate(name)
        uploaded.append(iam.upload_signing_certificate(UserName="ann", CertificateBody=body)["Certificate"])
        aws.advance(10)
    one = uploaded[inactive]["CertificateId"]
    iam.update_signing_certificate(UserName="ann", CertificateId=one, Status="Inactive")
    row = row_of(iam, "ann")
    assert (row["cert_1_active"], row["cert_2_active"]) == ("false", "true")
    assert row["cert_1_last_rotated"] == date(uploaded[inactive]["UploadDate"])
    assert row["cert_2_last_rotated"] == date(uploaded[1 - inactive]["UploadDate"])


def test_what_is_deleted_is_in_the_next_report_no_more(aws, iam):
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-1")
    assert row_of(iam, "ann")["password_enabled"] == "true"
    iam.delete_login_profile(UserName="ann")
    aws.advance(FOUR_HOURS + 1)
    assert row_of(iam, "ann")["password_enabled"] == "false"


@pytest.mark.parametrize("operation", ["GenerateCredentialReport", "GetCredentialReport"])
def test_each_operation_is_denied(denied, operation):
    denied(operation, "*")


def test_each_operation_is_recorded(iam, parameters_of):
    iam.generate_credential_report()
    iam.get_credential_report()
    assert parameters_of("GenerateCredentialReport") is None
    assert parameters_of("GetCredentialReport") is None
