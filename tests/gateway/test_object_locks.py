"""What Object Lock keeps is neither deleted nor unlocked.

AWS: S3 User Guide, object-lock-managing ("Bypassing governance mode"), object-lock-overview (modes, legal holds, default
retention); S3 API Reference, PutObjectRetention, PutObjectLegalHold, CreateMultipartUpload.
"""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import code_of, refused
from gateway.wire import Wire
from running import allow, deny

LOCKED = "Access Denied because object protected by object lock."


@pytest.fixture
def wire(cloud):
    wire = Wire(cloud.server)
    yield wire
    wire.close()


def days(number):
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=number)


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files", ObjectLockEnabledForBucket=True)
    return owner


@pytest.fixture
def mallory(cloud, s3):
    """Who may do everything to objects but bypass their locks."""
    return cloud.client("s3", cloud.user("mallory", allow("s3:*"), deny("s3:BypassGovernanceRetention")))


def locked(s3, mode="GOVERNANCE"):
    given = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": days(5)} if mode else {}
    version = s3.put_object(Bucket="files", Key="a", Body=b"data", ChecksumAlgorithm="SHA256", **given)["VersionId"]
    return {"Bucket": "files", "Key": "a", "VersionId": version}


def lock_of(s3, named):
    told = s3.head_object(**named)
    return told.get("ObjectLockMode"), told.get("ObjectLockRetainUntilDate")


def test_a_bypass_that_is_said_not_to_be_one_is_none(s3, mallory, wire):
    named = locked(s3)
    for more in ({}, {"BypassGovernanceRetention": False}):
        assert refused(mallory.delete_object, **named, **more) == ("AccessDenied", LOCKED)
        several = {"Objects": [{"Key": "a", "VersionId": named["VersionId"]}]}
        told = mallory.delete_objects(Bucket="files", Delete=several, **more)
        assert [one["Code"] for one in told["Errors"]] == ["AccessDenied"]
    assert "s3:BypassGovernanceRetention" in refused(mallory.delete_object, **named, BypassGovernanceRetention=True)[1]
    for word in ("TRUE", "1", ""):
        header = [("x-amz-bypass-governance-retention", word)]
        target = f"/files/a?versionId={named['VersionId']}"
        assert wire.send("s3", "DELETE", target, header).status == 400
    s3.head_object(**named)
    s3.delete_object(**named, BypassGovernanceRetention=True)
    assert code_of(s3.head_object, **named) == "404"


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_retention_is_extended_by_all_and_shortened_or_removed_by_nobody_without_a_bypass(s3, mallory, mode):
    named = locked(s3, mode)
    other = "COMPLIANCE" if mode == "GOVERNANCE" else "GOVERNANCE"
    for retention in (
        {"Mode": mode, "RetainUntilDate": days(4)},
        {},
        {"Mode": other, "RetainUntilDate": days(9)},
    ):
        assert refused(mallory.put_object_retention, **named, Retention=retention) == ("AccessDenied", LOCKED)
        unbypassed = {"Retention": retention, "BypassGovernanceRetention": False}
        assert refused(mallory.put_object_retention, **named, **unbypassed) == ("AccessDenied", LOCKED)
        bypassed = {"Retention": retention, "BypassGovernanceRetention": True}
        assert "s3:BypassGovernanceRetention" in refused(mallory.put_object_retention, **named, **bypassed)[1]
    until = days(7)
    mallory.put_object_retention(**named, Retention={"Mode": mode, "RetainUntilDate": until})
    assert lock_of(s3, named) == (mode, until)


def test_who_may_bypass_governance_mode_shortens_and_removes_it(s3):
    named, until = locked(s3), days(1)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    assert code_of(s3.put_object_retention, **named, Retention=retention) == "AccessDenied"
    s3.put_object_retention(**named, Retention=retention, BypassGovernanceRetention=True)
    assert lock_of(s3, named) == ("GOVERNANCE", until)
    s3.put_object_retention(**named, Retention={}, BypassGovernanceRetention=True)
    assert lock_of(s3, named) == (None, None)
    s3.delete_object(**named)


def test_nobody_gets_around_compliance_mode(s3):
    named = locked(s3, "COMPLIANCE")
    assert refused(s3.delete_object, **named, BypassGovernanceRetention=True) == ("AccessDenied", LOCKED)
    for retention in ({}, {"Mode": "COMPLIANCE", "RetainUntilDate": days(4)}):
        given = {"Retention": retention, "BypassGovernanceRetention": True}
        assert refused(s3.put_object_retention, **named, **given) == ("AccessDenied", LOCKED)


def test_a_legal_hold_keeps_a_version_whatever_is_bypassed(s3):
    named = locked(s3, None)
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    assert refused(s3.delete_object, **named, BypassGovernanceRetention=True) == ("AccessDenied", LOCKED)
    assert code_of(s3.put_object_legal_hold, **named, LegalHold={"Status": "no"}) == "MalformedXML"
    assert code_of(s3.put_object_legal_hold, **{**named, "Key": "b"}, LegalHold={"Status": "ON"}) == "NoSuchVersion"
    s3.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    s3.delete_object(**named)


def test_versions_are_kept_where_objects_are_locked(s3):
    """Without versions, DeleteObject and PutObject would take away all that is locked."""
    named = locked(s3)
    suspended = {"Bucket": "files", "VersioningConfiguration": {"Status": "Suspended"}}
    assert code_of(s3.put_bucket_versioning, **suspended) == "InvalidBucketState"
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.delete_object(Bucket="files", Key="a")
    s3.put_object(Bucket="files", Key="a", Body=b"other")
    s3.head_object(**named)


@pytest.mark.parametrize(
    ("lock", "code"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "InvalidArgument"),
        ({"ObjectLockRetainUntilDate": days(5)}, "InvalidArgument"),
        ({"ObjectLockMode": "compliance", "ObjectLockRetainUntilDate": days(5)}, "InvalidArgument"),
        ({"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": days(-5)}, "InvalidArgument"),
        ({"ObjectLockLegalHoldStatus": "on"}, "InvalidArgument"),
    ],
)
def test_no_lock_is_taken_that_would_not_hold(s3, lock, code):
    named = {"Bucket": "files", "Key": "b"}
    assert code_of(s3.put_object, **named, Body=b"data", ChecksumAlgorithm="SHA256", **lock) == code
    assert code_of(s3.create_multipart_upload, **named, **lock) == code


@pytest.mark.parametrize(
    ("retention", "code"),
    [
        ({"Mode": "GOVERNANCE"}, "MalformedXML"),
        ({"RetainUntilDate": days(5)}, "MalformedXML"),
        ({"Mode": "governance", "RetainUntilDate": days(5)}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "RetainUntilDate": days(-5)}, "InvalidArgument"),
    ],
)
def test_no_retention_is_set_that_would_not_hold(s3, retention, code):
    named = locked(s3, None)
    assert code_of(s3.put_object_retention, **named, Retention=retention) == code
    assert lock_of(s3, named) == (None, None)


def test_a_retention_is_read_as_it_was_decided(s3, wire):
    """Elements with a prefix are the same to XML, and to the decision."""
    named, until = locked(s3, None), days(5)
    body = (
        '<n:Retention xmlns:n="http://s3.amazonaws.com/doc/2006-03-01/"><n:Mode>COMPLIANCE</n:Mode>'
        f"<n:RetainUntilDate>{until:%Y-%m-%dT%H:%M:%S}+00:00</n:RetainUntilDate></n:Retention>"
    )
    target = f"/files/a?retention&versionId={named['VersionId']}"
    assert wire.send("s3", "PUT", target, (), body.encode()).status == 200
    assert lock_of(s3, named) == ("COMPLIANCE", until)
    assert code_of(s3.delete_object, **named) == "AccessDenied"


def uploaded(s3, **more):
    named = {"Bucket": "files", "Key": "big"}
    upload = {**named, "UploadId": s3.create_multipart_upload(**named, **more)["UploadId"]}
    part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"data")["ETag"]}
    version = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})["VersionId"]
    return {**named, "VersionId": version}


def test_an_object_that_comes_in_parts_is_locked_as_its_upload_was_begun(s3):
    until = days(5)
    named = uploaded(s3, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    assert lock_of(s3, named) == ("COMPLIANCE", until)
    assert code_of(s3.delete_object, **named) == "AccessDenied"
    held = uploaded(s3, ObjectLockLegalHoldStatus="ON")
    assert code_of(s3.delete_object, **held) == "AccessDenied"
    s3.delete_object(**uploaded(s3))


def configuration(**retention):
    rule = {"DefaultRetention": retention}
    return {"Bucket": "files", "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def test_a_buckets_default_locks_what_comes_whole_and_in_parts(s3):
    for wrong in ({"Mode": "governance", "Days": 3}, {"Mode": "GOVERNANCE"}, {"Mode": "GOVERNANCE", "Days": -3}):
        assert code_of(s3.put_object_lock_configuration, **configuration(**wrong)) == "MalformedXML"
    s3.put_object_lock_configuration(**configuration(Mode="GOVERNANCE", Days=3))
    for named in (locked(s3, None), uploaded(s3)):
        mode, until = lock_of(s3, named)
        assert mode == "GOVERNANCE"
        assert days(2) < until < days(4)
        with pytest.raises(ClientError, match=LOCKED) as raised:
            s3.delete_object(**named)
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_lock_is_read_by_operations_of_its_own(s3):
    named, until = locked(s3), days(9)
    s3.put_object_retention(**named, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    s3.put_object(Bucket="files", Key="a", Body=b"newer")
    assert s3.get_object_retention(**named)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(**named)["LegalHold"] == {"Status": "ON"}
    for read in (s3.get_object_retention, s3.get_object_legal_hold):
        assert refused(read, Bucket="files", Key="a") == (
            "NoSuchObjectLockConfiguration",
            "The specified object does not have a ObjectLock configuration",
        )
        assert code_of(read, Bucket="files", Key="b") == "NoSuchKey"
        assert code_of(read, **{**named, "Key": "b"}) == "NoSuchVersion"


def test_a_bucket_without_object_lock_has_no_locks_to_read(s3):
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="a", Body=b"data")
    for read in (s3.get_object_retention, s3.get_object_legal_hold):
        told = refused(read, Bucket="plain", Key="a")
        assert told == ("InvalidRequest", "Bucket is missing Object Lock Configuration")


def test_a_lock_is_read_by_who_may(cloud, s3):
    named = locked(s3)
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    reader = cloud.client("s3", cloud.user("reader", allow(["s3:GetObject*"]), deny("s3:GetObjectRetention")))
    assert code_of(reader.get_object_retention, **named) == "AccessDenied"
    assert reader.get_object_legal_hold(**named)["LegalHold"] == {"Status": "ON"}


@pytest.mark.parametrize(
    "hold",
    [
        {"ObjectLockEventHold": "ON"},
        {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 3},
        {"ObjectLockEventHoldDurationDays": 3},
        {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationYears": 3},
    ],
)
def test_no_event_hold_is_taken_that_would_not_hold(s3, hold):
    named, source = {"Bucket": "files", "Key": "b"}, locked(s3, None)
    assert code_of(s3.put_object, **named, Body=b"data", ChecksumAlgorithm="SHA256", **hold) == "NotImplemented"
    assert code_of(s3.copy_object, **named, CopySource={"Bucket": "files", "Key": "a"}, **hold) == "NotImplemented"
    assert code_of(s3.create_multipart_upload, **named, **hold) == "NotImplemented"
    wire_names = {"ObjectLockEventHold": "EventHold"}
    retention = {wire_names[name]: value for name, value in hold.items() if name in wire_names}
    retention |= {"Mode": "GOVERNANCE", "RetainUntilDate": days(5), "EventHoldDuration": {"Days": 3}}
    assert code_of(s3.put_object_retention, **source, Retention=retention) == "NotImplemented"
    assert code_of(s3.head_object, **named) == "404"
    assert lock_of(s3, source) == (None, None)


def test_a_bucket_has_no_event_hold_by_default(s3):
    given = configuration(Mode="GOVERNANCE", Days=3, DefaultEventHold={"Days": 3})
    assert code_of(s3.put_object_lock_configuration, **given) == "NotImplemented"
    assert "Rule" not in s3.get_object_lock_configuration(Bucket="files")["ObjectLockConfiguration"]
