"""MFA Delete is not enabled in the embedded backend, and nobody is told that it is."""

import pytest
from gateway.two_accounts import code_of, error_of

ENABLED = {"Status": "Enabled", "MFADelete": "Enabled"}


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    return client


def test_mfa_delete_is_not_enabled(s3):
    error = error_of(s3.put_bucket_versioning, Bucket="files", VersioningConfiguration=ENABLED)
    assert (error["Code"], error["Message"]) == ("AccessDenied", "Mfa Authentication must be used for this request")
    device = "arn:aws:iam::123456789012:mfa/root-account-mfa-device 123456"
    given = {"Bucket": "files", "VersioningConfiguration": ENABLED, "MFA": device}
    assert code_of(s3.put_bucket_versioning, **given) == "NotImplemented"
    assert "Status" not in s3.get_bucket_versioning(Bucket="files")


def test_versions_are_kept_where_mfa_delete_stays_disabled(s3):
    disabled = {"Status": "Enabled", "MFADelete": "Disabled"}
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration=disabled)
    assert s3.get_bucket_versioning(Bucket="files")["Status"] == "Enabled"
