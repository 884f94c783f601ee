"""What requests to S3 are decided on: objects, versions, copies, uploads in parts, tags, ACLs, buckets' sub-resources.

AWS: S3 User Guide, "Required permissions for Amazon S3 API operations" (using-with-s3-policy-actions), and the
operations' own pages.
"""

from urllib.parse import unquote

import pytest
from gateway.parameters import MOMENT

BUCKET, OBJECT, SOURCE = "arn:aws:s3:::bkt", "arn:aws:s3:::bkt/dir/key", "arn:aws:s3:::src/dir/old"
KEY = {"Bucket": "bkt", "Key": "dir/key"}
UNSEEN = {"Bucket": "unseen", "Key": "a"}
VERSION = {**KEY, "VersionId": "ver"}
TAGGING = {"TagSet": [{"Key": "team", "Value": "blue"}]}
OWNER_GRANTS = {"Owner": {"ID": "owner"}, "Grants": []}
SOMEBODY = f'id="{"ab" * 32}"'
RETENTION = {"Mode": "GOVERNANCE", "RetainUntilDate": MOMENT}
PARTS = {"Parts": [{"PartNumber": 1, "ETag": "e"}]}


def on(resource, *actions):
    return [(f"s3:{action}", resource) for action in actions]


CASES = [
    # Objects and their versions.
    ("GetObject", KEY, on(OBJECT, "GetObject")),
    ("GetObject", VERSION, on(OBJECT, "GetObjectVersion")),
    ("HeadObject", KEY, on(OBJECT, "GetObject")),
    ("HeadObject", VERSION, on(OBJECT, "GetObjectVersion")),
    ("GetObjectAttributes", {**KEY, "ObjectAttributes": ["ETag"]}, on(OBJECT, "GetObject", "GetObjectAttributes")),
    (
        "GetObjectAttributes",
        {**VERSION, "ObjectAttributes": ["ETag"]},
        on(OBJECT, "GetObjectVersion", "GetObjectVersionAttributes"),
    ),
    ("DeleteObject", KEY, on(OBJECT, "DeleteObject")),
    ("DeleteObject", VERSION, on(OBJECT, "DeleteObjectVersion")),
    (
        "DeleteObject",
        {**VERSION, "BypassGovernanceRetention": True},
        on(OBJECT, "DeleteObjectVersion", "BypassGovernanceRetention"),
    ),
    ("PutObject", KEY, on(OBJECT, "PutObject")),
    ("PutObject", {**KEY, "Tagging": "team=blue"}, on(OBJECT, "PutObject", "PutObjectTagging")),
    ("PutObject", {**KEY, "ACL": "private"}, on(OBJECT, "PutObject", "PutObjectAcl")),
    (
        "PutObject",
        {**KEY, "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": MOMENT},
        on(OBJECT, "PutObject", "PutObjectRetention"),
    ),
    ("PutObject", {**KEY, "ObjectLockEventHold": "ON"}, on(OBJECT, "PutObject", "PutObjectRetention")),
    ("PutObject", {**KEY, "ObjectLockEventHoldDurationDays": 3}, on(OBJECT, "PutObject", "PutObjectRetention")),
    ("CreateMultipartUpload", {**KEY, "ObjectLockEventHold": "ON"}, on(OBJECT, "PutObject", "PutObjectRetention")),
    ("PutObject", {**KEY, "ObjectLockLegalHoldStatus": "ON"}, on(OBJECT, "PutObject", "PutObjectLegalHold")),
    ("GetObject", {"Bucket": "bkt", "Key": "a b/ü%2F?*"}, on("arn:aws:s3:::bkt/a b/ü%2F?*", "GetObject")),
    ("GetObject", {"Bucket": "bkt", "Key": "/lead"}, on("arn:aws:s3:::bkt//lead", "GetObject")),
    ("GetObject", {"Bucket": "bkt", "Key": "a/../b"}, on("arn:aws:s3:::bkt/a/../b", "GetObject")),
    # Copies: the source, and the copy.
    ("CopyObject", {**KEY, "CopySource": "src/dir/old"}, [*on(SOURCE, "GetObject"), *on(OBJECT, "PutObject")]),
    ("CopyObject", {**KEY, "CopySource": "/src/dir/old"}, [*on(SOURCE, "GetObject"), *on(OBJECT, "PutObject")]),
    (
        "CopyObject",
        {**KEY, "CopySource": {"Bucket": "src", "Key": "dir/old", "VersionId": "ver"}},
        [*on(SOURCE, "GetObjectVersion"), *on(OBJECT, "PutObject")],
    ),
    (
        "CopyObject",
        {**KEY, "CopySource": {"Bucket": "src", "Key": "a b?versionId=ver"}},
        [*on("arn:aws:s3:::src/a b?versionId=ver", "GetObject"), *on(OBJECT, "PutObject")],
    ),
    (
        "CopyObject",
        {**KEY, "CopySource": "src/dir/old", "Tagging": "team=blue", "TaggingDirective": "REPLACE", "ACL": "private"},
        [*on(SOURCE, "GetObject"), *on(OBJECT, "PutObject", "PutObjectTagging", "PutObjectAcl")],
    ),
    (
        "CopyObject",
        {**KEY, "CopySource": "src/dir/old", "AnnotationDirective": "COPY"},
        [*on(SOURCE, "GetObject", "GetObjectAnnotation"), *on(OBJECT, "PutObject", "PutObjectAnnotation")],
    ),
    (
        "CopyObject",
        {**KEY, "CopySource": "src/dir/old?versionId=ver", "AnnotationDirective": "COPY"},
        [
            *on(SOURCE, "GetObjectVersion", "GetObjectVersionAnnotation"),
            *on(OBJECT, "PutObject", "PutObjectAnnotation"),
        ],
    ),
    (
        "CopyObject",
        {**KEY, "CopySource": "src/dir/old", "AnnotationDirective": "EXCLUDE"},
        [*on(SOURCE, "GetObject"), *on(OBJECT, "PutObject")],
    ),
    # Uploads in parts.
    ("CreateMultipartUpload", KEY, on(OBJECT, "PutObject")),
    ("CreateMultipartUpload", {**KEY, "ACL": "private"}, on(OBJECT, "PutObject", "PutObjectAcl")),
    ("UploadPart", {**KEY, "UploadId": "u", "PartNumber": 1}, on(OBJECT, "PutObject")),
    (
        "UploadPartCopy",
        {**KEY, "UploadId": "u", "PartNumber": 1, "CopySource": "src/dir/old?versionId=ver"},
        [*on(SOURCE, "GetObjectVersion"), *on(OBJECT, "PutObject")],
    ),
    ("CompleteMultipartUpload", {**KEY, "UploadId": "u", "MultipartUpload": PARTS}, on(OBJECT, "PutObject")),
    ("AbortMultipartUpload", {**KEY, "UploadId": "u"}, on(OBJECT, "AbortMultipartUpload")),
    ("ListParts", {**KEY, "UploadId": "u"}, on(OBJECT, "ListMultipartUploadParts")),
    ("ListMultipartUploads", {"Bucket": "bkt"}, on(BUCKET, "ListBucketMultipartUploads")),
    # Tags, ACLs, locks of objects.
    ("GetObjectTagging", KEY, on(OBJECT, "GetObjectTagging")),
    ("GetObjectTagging", VERSION, on(OBJECT, "GetObjectVersionTagging")),
    ("PutObjectTagging", {**KEY, "Tagging": TAGGING}, on(OBJECT, "PutObjectTagging")),
    ("PutObjectTagging", {**VERSION, "Tagging": TAGGING}, on(OBJECT, "PutObjectVersionTagging")),
    ("DeleteObjectTagging", VERSION, on(OBJECT, "DeleteObjectVersionTagging")),
    ("GetObjectAcl", KEY, on(OBJECT, "GetObjectAcl")),
    ("GetObjectAcl", VERSION, on(OBJECT, "GetObjectVersionAcl")),
    ("PutObjectAcl", {**VERSION, "ACL": "private"}, on(OBJECT, "PutObjectVersionAcl")),
    ("PutObjectRetention", {**KEY, "Retention": RETENTION}, on(OBJECT, "PutObjectRetention")),
    (
        "PutObjectRetention",
        {**KEY, "Retention": RETENTION, "BypassGovernanceRetention": True},
        on(OBJECT, "PutObjectRetention", "BypassGovernanceRetention"),
    ),
    ("GetObjectRetention", VERSION, on(OBJECT, "GetObjectRetention")),
    ("PutObjectLegalHold", {**KEY, "LegalHold": {"Status": "ON"}}, on(OBJECT, "PutObjectLegalHold")),
    # Buckets.
    ("ListBuckets", {}, on("*", "ListAllMyBuckets")),
    ("HeadBucket", {"Bucket": "bkt"}, on(BUCKET, "ListBucket")),
    ("ListObjects", {"Bucket": "bkt"}, on(BUCKET, "ListBucket")),
    ("ListObjectsV2", {"Bucket": "bkt", "Prefix": "dir/"}, on(BUCKET, "ListBucket")),
    ("ListObjectVersions", {"Bucket": "bkt"}, on(BUCKET, "ListBucketVersions")),
    ("CreateBucket", {"Bucket": "bkt"}, on(BUCKET, "CreateBucket")),
    ("CreateBucket", {"Bucket": "bkt", "ACL": "private"}, on(BUCKET, "CreateBucket")),
    (
        "CreateBucket",
        {"Bucket": "bkt", "ObjectLockEnabledForBucket": True},
        on(BUCKET, "CreateBucket", "PutBucketObjectLockConfiguration", "PutBucketVersioning"),
    ),
    ("CreateBucket", {"Bucket": "bkt", "ObjectLockEnabledForBucket": False}, on(BUCKET, "CreateBucket")),
    (
        "CreateBucket",
        {"Bucket": "bkt", "ObjectOwnership": "BucketOwnerEnforced"},
        on(BUCKET, "CreateBucket", "PutBucketOwnershipControls"),
    ),
    ("DeleteBucket", {"Bucket": "bkt"}, on(BUCKET, "DeleteBucket")),
    ("DeleteBucketCors", {"Bucket": "bkt"}, on(BUCKET, "PutBucketCORS")),
    ("DeleteBucketEncryption", {"Bucket": "bkt"}, on(BUCKET, "PutEncryptionConfiguration")),
    ("DeleteBucketLifecycle", {"Bucket": "bkt"}, on(BUCKET, "PutLifecycleConfiguration")),
    ("DeleteBucketReplication", {"Bucket": "bkt"}, on(BUCKET, "PutReplicationConfiguration")),
    ("DeleteBucketTagging", {"Bucket": "bkt"}, on(BUCKET, "PutBucketTagging")),
    ("DeleteBucketOwnershipControls", {"Bucket": "bkt"}, on(BUCKET, "PutBucketOwnershipControls")),
    ("DeletePublicAccessBlock", {"Bucket": "bkt"}, on(BUCKET, "PutBucketPublicAccessBlock")),
    ("GetObjectLockConfiguration", {"Bucket": "bkt"}, on(BUCKET, "GetBucketObjectLockConfiguration")),
    ("GetBucketAcl", {"Bucket": "bkt"}, on(BUCKET, "GetBucketAcl")),
    ("PutBucketAcl", {"Bucket": "bkt", "ACL": "private"}, on(BUCKET, "PutBucketAcl")),
    ("GetBucketVersioning", {"Bucket": "bkt"}, on(BUCKET, "GetBucketVersioning")),
    ("GetBucketWebsite", {"Bucket": "bkt"}, on(BUCKET, "GetBucketWebsite")),
    ("GetBucketNotificationConfiguration", {"Bucket": "bkt"}, on(BUCKET, "GetBucketNotification")),
    ("GetBucketInventoryConfiguration", {"Bucket": "bkt", "Id": "i"}, on(BUCKET, "GetInventoryConfiguration")),
    ("ListBucketMetricsConfigurations", {"Bucket": "bkt"}, on(BUCKET, "GetMetricsConfiguration")),
]


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("s3", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize(
    ("name", "given", "wanted", "code"),
    [
        (
            "PutObject",
            {**UNSEEN, "GrantRead": SOMEBODY},
            on("arn:aws:s3:::unseen/a", "PutObject", "PutObjectAcl"),
            "AccessControlListNotSupported",
        ),
        (
            "PutObjectAcl",
            {**UNSEEN, "AccessControlPolicy": OWNER_GRANTS},
            on("arn:aws:s3:::unseen/a", "PutObjectAcl"),
            "AccessDenied",
        ),
        (
            "CreateBucket",
            {"Bucket": "bkt", "GrantRead": SOMEBODY},
            on(BUCKET, "CreateBucket", "PutBucketAcl"),
            "InvalidBucketAclWithObjectOwnership",
        ),
    ],
)
def test_an_acl_that_nobody_keeps_is_decided_on_before_it_is_refused(counted, name, given, wanted, code):
    told = counted.call("s3", name, given)
    assert (told.asked, told.code, told.sent) == (wanted, code, 0)


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("127.0.0.1", "/bkt/dir/key"),
        ("bkt.s3.localhost", "/dir/key"),
        ("bkt.s3.us-east-1.amazonaws.com", "/dir/key"),
        ("s3.amazonaws.com", "/bkt/dir/key"),
        ("bkt.s3.localhost.localstack.cloud:4566", "/dir/key"),
        ("127.0.0.1", "/bkt/dir%2Fkey"),
        ("127.0.0.1", "/bkt/%64ir/key"),
    ],
)
def test_an_object_is_the_same_however_its_bucket_is_named(counted, host, target):
    reply = counted.wire.send("s3", "GET", target, host=host)
    assert counted.asked_by(reply) == on(OBJECT, "GetObject")


def test_each_key_of_a_multi_delete_is_decided_by_itself(counted):
    objects = [{"Key": "a"}, {"Key": "b", "VersionId": "ver"}, {"Key": "a & <b>"}]
    told = counted.call("s3", "DeleteObjects", {"Bucket": "bkt", "Delete": {"Objects": objects}})
    assert told.asked == [
        ("s3:DeleteObject", "arn:aws:s3:::bkt/a"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::bkt/b"),
        ("s3:DeleteObject", "arn:aws:s3:::bkt/a & <b>"),
    ]
    versions = [decision["Context"].get("s3:versionid") for decision in told.decisions]
    assert versions == [None, ["ver"], None]


def test_a_multi_delete_that_bypasses_retention_needs_the_right_to_on_each_key(counted):
    given = {"Bucket": "bkt", "Delete": {"Objects": [{"Key": "a"}]}, "BypassGovernanceRetention": True}
    assert counted.call("s3", "DeleteObjects", given).asked == on(
        "arn:aws:s3:::bkt/a", "DeleteObject", "BypassGovernanceRetention"
    )


@pytest.mark.parametrize(
    "source",
    ["src", "src/", "/src/", "//src/k", "src/k#x", "src/k;x", "src/k?x=1", "src/k?versionId=a?b", "src/%ff", "../src/k",
     "src/se\tcret", "arn:aws:s3:us-east-1:123456789012:accesspoint/ap/k", "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"],
)  # fmt: skip
def test_a_copy_source_that_names_no_object_plainly_is_refused(counted, source):
    before = counted.backend.received
    reply = counted.wire.send("s3", "PUT", "/bkt/dir/key", [("x-amz-copy-source", source)])
    assert (reply.status, b"<Code>InvalidArgument</Code>" in reply.body) == (400, True)
    assert counted.backend.received == before


@pytest.mark.parametrize("source", ["src%2Fdir%2fold", "%2Fsrc%2fdir%2Fold", "src/dir/old"])
def test_a_copy_source_may_be_encoded_as_a_whole(counted, source):
    """AWS: S3 API Reference, CopyObject: the value "must be URL-encoded"; Java's URLEncoder encodes slashes too."""
    reply = counted.wire.send("s3", "PUT", "/bkt/dir/key", [("x-amz-copy-source", source)])
    assert reply.status == 200
    assert counted.asked_by(reply)[:2] == [*on("arn:aws:s3:::src/dir/old", "GetObject"), *on(OBJECT, "PutObject")]
    sent = next(head for head in reversed(counted.backend.raw.heads) if b"x-amz-copy-source: " in head)
    named = sent.partition(b"x-amz-copy-source: ")[2].partition(b"\r\n")[0]
    assert unquote(named.decode()).lstrip("/") == "src/dir/old"
    assert b"/" in named


@pytest.mark.parametrize("bucket", ["arn:aws:s3:us-east-1:123456789012:accesspoint%2Fap", "b*", "a%20b", "..", "b%2Fk"])
def test_a_bucket_name_that_would_be_read_as_more_than_a_buckets_is_refused(counted, bucket):
    before = counted.backend.received
    reply = counted.wire.send("s3", "GET", f"/{bucket}/key")
    assert (reply.status, b"<Code>InvalidBucketName</Code>" in reply.body) == (400, True)
    assert counted.backend.received == before


def test_a_policy_that_is_not_there_is_a_missing_body(counted):
    before = counted.backend.received
    reply = counted.wire.send("s3", "PUT", "/bkt?policy")
    assert (reply.status, b"<Code>MissingRequestBodyError</Code>" in reply.body) == (400, True)
    assert counted.backend.received == before
