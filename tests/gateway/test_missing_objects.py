"""Who may not list a bucket is not told which of its objects are not there (S3 API Reference, GetObject, "Permissions")."""

import pytest
from gateway.two_accounts import error_of, everybody, policy
from gateway.wire import Wire
from running import ACCOUNT, allow, deny

READS = {
    "get_object": {"Bucket": "files", "Key": "none"},
    "head_object": {"Bucket": "files", "Key": "none"},
    "get_object_attributes": {"Bucket": "files", "Key": "none", "ObjectAttributes": ["ETag"]},
}


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"data")
    return owner


@pytest.mark.parametrize("name", READS)
def test_with_the_right_to_list_an_object_that_is_not_there_is_not_found(cloud, s3, name):
    lister = cloud.client("s3", cloud.user("lister", allow("s3:*")))
    assert error_of(getattr(lister, name), **READS[name])["Code"] in {"NoSuchKey", "404"}


@pytest.mark.parametrize("name", READS)
def test_without_it_the_answer_is_a_denial_of_the_listing(cloud, s3, name):
    reader = cloud.client("s3", cloud.user("reader", allow("s3:*"), deny("s3:ListBucket")))
    error = error_of(getattr(reader, name), **READS[name])
    assert error["Code"] in {"AccessDenied", "403"}
    if name != "head_object":
        assert error["Message"] == (
            f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: s3:ListBucket on resource: "
            '"arn:aws:s3:::files" with an explicit deny in an identity-based policy'
        )
    assert reader.get_object(Bucket="files", Key="a")["Body"].read() == b"data"


def test_the_event_of_such_a_denial_names_both_decisions(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader", allow("s3:GetObject")))
    error_of(reader.get_object, Bucket="files", Key="none")
    event = cloud.events("GetObject")[0]
    assert event["errorCode"] == "AccessDenied"
    told = cloud.explain(event["requestID"])
    assert [(one["Action"], one["Outcome"]) for one in told["Decisions"]] == [
        ("s3:GetObject", "Allowed"),
        ("s3:ListBucket", "ImplicitlyDenied"),
    ]


def test_to_an_anonymous_reader_an_object_that_is_not_there_is_denied(cloud, s3):
    s3.delete_public_access_block(Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", "arn:aws:s3:::files/*"))))
    wire = Wire(cloud.server)
    statuses = [wire.send_unsigned("GET", f"/files/{key}", [("host", "localhost")]).status for key in ("a", "none")]
    wire.close()
    assert statuses == [200, 403]


def test_a_bucket_that_is_not_there_is_not_found(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader", allow("s3:GetObject")))
    assert error_of(reader.get_object, Bucket="nowhere", Key="a")["Code"] == "NoSuchBucket"
    assert error_of(reader.head_object, Bucket="nowhere", Key="a")["Code"] == "404"
