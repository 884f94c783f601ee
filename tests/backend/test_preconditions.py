"""Copies and deletions of S3's objects that rest on what is there (S3 API Reference, CopyObject, DeleteObjects)."""

from datetime import UTC, datetime, timedelta

import pytest
from gateway.two_accounts import code_of
from running import allow

HOUR = timedelta(hours=1)


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    client.put_object(Bucket="files", Key="a", Body=b"data")
    return client


@pytest.fixture
def ways(s3):
    """The copies of `a`: as an object, and as a part of one."""
    begun = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    part = {"Key": "parts", "UploadId": begun, "PartNumber": 1}
    return [
        lambda **given: s3.copy_object(Bucket="files", Key="b", CopySource="files/a", **given),
        lambda **given: s3.upload_part_copy(Bucket="files", **part, CopySource="files/a", **given),
    ]


def test_a_copy_rests_on_its_source(s3, ways):
    told = s3.head_object(Bucket="files", Key="a")
    tag, changed = told["ETag"], told["LastModified"]
    for copy in ways:
        for fails in (
            {"CopySourceIfMatch": '"other"'},
            {"CopySourceIfNoneMatch": tag},
            {"CopySourceIfUnmodifiedSince": changed - HOUR},
            {"CopySourceIfModifiedSince": changed + HOUR},
            {"CopySourceIfMatch": '"other"', "CopySourceIfUnmodifiedSince": changed + HOUR},
            {"CopySourceIfNoneMatch": tag, "CopySourceIfModifiedSince": changed - HOUR},
            {"CopySourceIfMatch": tag, "CopySourceIfModifiedSince": changed + HOUR},
        ):
            assert code_of(copy, **fails) == "PreconditionFailed", fails
    assert code_of(s3.head_object, Bucket="files", Key="b") == "404"
    for copy in ways:
        for holds in (
            {"CopySourceIfMatch": tag},
            {"CopySourceIfMatch": tag.strip('"')},
            {"CopySourceIfNoneMatch": '"other"'},
            {"CopySourceIfUnmodifiedSince": changed},
            {"CopySourceIfModifiedSince": changed - HOUR},
            {"CopySourceIfMatch": tag, "CopySourceIfUnmodifiedSince": changed - HOUR},
        ):
            assert copy(**holds), holds


def test_a_copy_rests_on_what_it_would_overwrite(s3):
    copy = {"Bucket": "files", "CopySource": "files/a"}
    assert code_of(s3.copy_object, **copy, Key="b", IfMatch='"other"') == "NoSuchKey"
    tag = s3.copy_object(**copy, Key="b", IfNoneMatch="*")["CopyObjectResult"]["ETag"]
    assert code_of(s3.copy_object, **copy, Key="b", IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(s3.copy_object, **copy, Key="b", IfMatch='"other"') == "PreconditionFailed"
    assert s3.copy_object(**copy, Key="b", IfMatch=tag)


def test_who_may_only_write_anew_overwrites_nothing_by_a_copy(cloud, s3):
    s3.put_object(Bucket="files", Key="kept", Body=b"kept")
    anew = {"Null": {"s3:if-none-match": "false"}}
    reading = allow(["s3:GetObject", "s3:GetObjectTagging"], "arn:aws:s3:::files/*")
    writer = cloud.client("s3", cloud.user("writer", allow("s3:PutObject", "arn:aws:s3:::files/*", **anew), reading))
    copy = {"Bucket": "files", "Key": "kept", "CopySource": "files/a"}
    assert code_of(writer.copy_object, **copy) == "AccessDenied"
    assert code_of(writer.copy_object, **copy, IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket="files", Key="kept")["Body"].read() == b"kept"


def test_a_marker_of_a_deletion_is_nothing_to_overwrite(s3):
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="files", Key="b", Body=b"gone")
    s3.delete_object(Bucket="files", Key="b")
    assert s3.copy_object(Bucket="files", Key="b", CopySource="files/a", IfNoneMatch="*")


@pytest.mark.parametrize(
    "asked", [{"ETag": '"other"'}, {"Size": 1}, {"LastModifiedTime": datetime(2020, 1, 1, tzinfo=UTC)}]
)
def test_several_are_not_deleted_by_what_they_are(s3, asked):
    objects = [{"Key": "a", **asked}]
    assert code_of(s3.delete_objects, Bucket="files", Delete={"Objects": objects}) == "NotImplemented"
    assert s3.head_object(Bucket="files", Key="a")


def test_an_object_that_is_to_be_appended_to_is_not_overwritten(s3):
    assert code_of(s3.put_object, Bucket="files", Key="a", Body=b"more", WriteOffsetBytes=4) == "NotImplemented"
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"data"


def test_an_upload_that_was_begun_at_another_time_is_not_aborted(s3):
    begun = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    upload = {"Bucket": "files", "Key": "parts", "UploadId": begun}
    then = datetime(2020, 1, 1, tzinfo=UTC)
    assert code_of(s3.abort_multipart_upload, **upload, IfMatchInitiatedTime=then) == "NotImplemented"
    assert s3.list_multipart_uploads(Bucket="files")["Uploads"][0]["UploadId"] == begun
    s3.abort_multipart_upload(**upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="files")


def test_an_object_is_deleted_as_it_is_expected(s3):
    tag = s3.head_object(Bucket="files", Key="a")["ETag"]
    assert code_of(s3.delete_object, Bucket="files", Key="a", IfMatch='"other"') == "PreconditionFailed"
    assert code_of(s3.delete_object, Bucket="files", Key="b", IfMatch="*") == "NoSuchKey"
    s3.delete_object(Bucket="files", Key="a", IfMatch=tag)
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    s3.delete_object(Bucket="files", Key="a", IfMatch="*")
    assert code_of(s3.head_object, Bucket="files", Key="a") == "404"


def test_a_version_is_deleted_as_that_version_is_expected(s3):
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="files", Key="v", Body=b"one")
    second = s3.put_object(Bucket="files", Key="v", Body=b"two")
    named = {"Bucket": "files", "Key": "v", "VersionId": first["VersionId"]}
    assert code_of(s3.delete_object, **named, IfMatch=second["ETag"]) == "PreconditionFailed"
    assert s3.head_object(**named)["ETag"] == first["ETag"]
    s3.delete_object(**named, IfMatch=first["ETag"])
    assert code_of(s3.head_object, **named) == "404"
    assert s3.get_object(Bucket="files", Key="v")["Body"].read() == b"two"


def test_an_object_is_not_written_over_for_a_condition_that_s3_does_not_know(s3):
    given = {"Bucket": "files", "Key": "a", "Body": b"more", "IfNoneMatch": '"other"'}
    assert code_of(s3.put_object, **given) == "NotImplemented"
    assert code_of(s3.put_object, **{**given, "IfNoneMatch": "*"}) == "PreconditionFailed"
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"data"
