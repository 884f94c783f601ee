"""S3's condition keys, each with its right value in a decision, allowing and denying by a policy.

AWS: Service Authorization Reference, list_amazons3; S3 User Guide, "Bucket policy examples using condition keys".
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import MOMENT
from running import ACCOUNT, allow, deny

BUCKET = {"Bucket": "bkt"}
KEY = {"Bucket": "bkt", "Key": "dir/key"}
WITH_ACLS = {"Bucket": "with-acls", "ObjectOwnership": "ObjectWriter"}
SOMEBODY = f'id="{"ab" * 32}"'
PUT = ("s3:PutObject", "PutObject")
LIST = ("s3:ListBucket", "ListObjectsV2")
COPY = ("s3:PutObject", "CopyObject")
MAKE = ("s3:CreateBucket", "CreateBucket")
SESSION = ("s3express:CreateSession", "CreateSession")
CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def kms(key):
    return {**KEY, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


KEYS = [
    Key("s3express:SessionMode", "ReadOnly", *SESSION, {**BUCKET, "SessionMode": "ReadOnly"}, BUCKET),
    Key("s3express:SessionMode", "ReadWrite", *SESSION, BUCKET, {**BUCKET, "SessionMode": "ReadOnly"}),
    Key(
        "s3express:x-amz-server-side-encryption",
        "aws:kms",
        *SESSION,
        {**BUCKET, "ServerSideEncryption": "aws:kms"},
        {**BUCKET, "ServerSideEncryption": "AES256"},
    ),
    Key("s3:prefix", "home/", *LIST, {**BUCKET, "Prefix": "home/"}, {**BUCKET, "Prefix": "homes/"}),
    Key("s3:prefix", "", *LIST, {**BUCKET, "Prefix": ""}, BUCKET),
    Key("s3:prefix", "home/", "s3:ListBucket", "ListObjects", {**BUCKET, "Prefix": "home/"}, BUCKET),
    Key("s3:prefix", "home/", "s3:ListBucketVersions", "ListObjectVersions", {**BUCKET, "Prefix": "home/"}, BUCKET),
    Key("s3:delimiter", "/", *LIST, {**BUCKET, "Delimiter": "/"}, BUCKET),
    Key("s3:max-keys", "10", *LIST, {**BUCKET, "MaxKeys": 10}, {**BUCKET, "MaxKeys": 11}, "NumericLessThanEquals"),
    Key("s3:VersionId", "v1", "s3:GetObjectVersion", "GetObject", {**KEY, "VersionId": "v1"}, {**KEY, "VersionId": "v2"}),
    *(
        Key(
            "s3:VersionId",
            "v1",
            "s3:GetObjectVersion",
            operation,
            {**KEY, **part, "CopySource": {**KEY, "VersionId": "v1"}},
            {**KEY, **part, "CopySource": {**KEY, "VersionId": "v2"}},
        )
        for operation, part in (("CopyObject", {}), ("UploadPartCopy", {"UploadId": "upl", "PartNumber": 1}))
    ),
    Key(
        "s3:LocationConstraint",
        "eu-west-1",
        *MAKE,
        {**BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
        {**BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}},
    ),
    Key("s3:x-amz-acl", "log-delivery-write", *MAKE, {**WITH_ACLS, "ACL": "log-delivery-write"}, WITH_ACLS),
    Key("s3:x-amz-grant-write", SOMEBODY, *MAKE, {**WITH_ACLS, "GrantWrite": SOMEBODY}, WITH_ACLS),
    Key(
        "s3:x-amz-copy-source",
        "src/public/*",
        *COPY,
        {**KEY, "CopySource": "/src/public/a"},
        {**KEY, "CopySource": "src/private/a"},
        "StringLike",
    ),
    Key(
        "s3:x-amz-metadata-directive",
        "REPLACE",
        *COPY,
        {**KEY, "CopySource": "src/a", "MetadataDirective": "REPLACE"},
        {**KEY, "CopySource": "src/a"},
    ),
    Key("s3:x-amz-server-side-encryption", "AES256", *PUT, {**KEY, "ServerSideEncryption": "AES256"}, kms("k")),
    Key("s3:x-amz-server-side-encryption-aws-kms-key-id", "k1", *PUT, kms("k1"), kms("k2")),
    Key("s3:x-amz-server-side-encryption-customer-algorithm", "AES256", *PUT, {**KEY, **CUSTOMER_KEY}, KEY),
    Key("s3:x-amz-storage-class", "STANDARD_IA", *PUT, {**KEY, "StorageClass": "STANDARD_IA"}, KEY),
    Key("s3:x-amz-website-redirect-location", "/a", *PUT, {**KEY, "WebsiteRedirectLocation": "/a"}, KEY),
    Key(
        "s3:x-amz-object-ownership",
        "BucketOwnerEnforced",
        *MAKE,
        {**BUCKET, "ObjectOwnership": "BucketOwnerEnforced"},
        {**BUCKET, "ObjectOwnership": "ObjectWriter"},
    ),
    Key("s3:if-none-match", "*", *PUT, {**KEY, "IfNoneMatch": "*"}, KEY),
    Key("s3:if-match", "etag", *PUT, {**KEY, "IfMatch": "etag"}, {**KEY, "IfMatch": "other"}),
    Key("s3:object-lock-legal-hold", "ON", "s3:PutObjectLegalHold", "PutObject",
        {**KEY, "ObjectLockLegalHoldStatus": "ON"}, {**KEY, "ObjectLockLegalHoldStatus": "OFF"}),
    Key("s3:object-lock-mode", "GOVERNANCE", "s3:PutObjectRetention", "PutObjectRetention",
        {**KEY, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": MOMENT}},
        {**KEY, "Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": MOMENT}}),
    Key("s3:object-lock-retain-until-date", "2030-01-31T12:00:00Z", "s3:PutObjectRetention", "PutObjectRetention",
        {**KEY, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": MOMENT}},
        {**KEY, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": MOMENT.replace(year=2031)}}, "DateLessThanEquals"),
    Key("s3:object-lock-event-hold", "ON", "s3:PutObjectRetention", "PutObjectRetention",
        {**KEY, "Retention": {"EventHold": "ON"}}, {**KEY, "Retention": {"EventHold": "OFF"}}),
    Key("s3:object-lock-event-hold", "ON", *PUT,
        {**KEY, "ObjectLockEventHold": "ON"}, {**KEY, "ObjectLockEventHold": "OFF"}),
    Key("s3:object-lock-event-hold-duration-days", "3", "s3:PutObjectRetention", "PutObjectRetention",
        {**KEY, "Retention": {"EventHold": "ON", "EventHoldDuration": {"Days": 3}}},
        {**KEY, "Retention": {"EventHold": "ON", "EventHoldDuration": {"Days": 4}}}, "NumericLessThanEquals"),
    Key("s3:RequestObjectTag/team", "blue", *PUT, {**KEY, "Tagging": "team=blue&a=b"}, {**KEY, "Tagging": "team=red"}),
    Key("s3:RequestObjectTag/team", "blue", "s3:PutObjectTagging", "PutObjectTagging",
        {**KEY, "Tagging": {"TagSet": [{"Key": "team", "Value": "blue"}]}},
        {**KEY, "Tagging": {"TagSet": [{"Key": "team", "Value": "red"}]}}),
    Key("s3:RequestObjectTagKeys", "team", *PUT, {**KEY, "Tagging": "team=blue"}, {**KEY, "Tagging": "other=blue"},
        "ForAnyValue:StringEquals"),
]  # fmt: skip
# Their value is compared otherwise than by being equal to what stands in the policy.
VALUES = {"s3:x-amz-copy-source": "src/public/a"}


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "s3-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "s3", key, VALUES.get(key.name))


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:PutObjectAcl"])
def test_an_acl_has_its_value_and_decides(counted, caller, action):
    assert counted.call("s3", "CreateBucket", WITH_ACLS).status == 200
    counted.backend.answers = [answer(b"<ListBucketResult><Name>b</Name></ListBucketResult>")]
    owner = counted.call("s3", "GetBucketAcl", {"Bucket": "with-acls"}).told["Owner"]["ID"]
    key, own = {"Bucket": "with-acls", "Key": "a"}, f"id={owner}"
    private, quoted = {**key, "ACL": "private"}, {**key, "GrantRead": f'id="{owner}"'}
    check(
        caller,
        "s3",
        Key("s3:x-amz-acl", "aws-exec-read", action, "PutObject", {**key, "ACL": "aws-exec-read"}, private),
    )
    check(caller, "s3", Key("s3:x-amz-grant-read", own, action, "PutObject", {**key, "GrantRead": own}, quoted))
    for header, member in (("read-acp", "ReadACP"), ("write-acp", "WriteACP"), ("full-control", "FullControl")):
        given = {**key, f"Grant{member}": own}
        check(caller, "s3", Key(f"s3:x-amz-grant-{header}", own, action, "PutObject", given, private))


def test_only_the_step_that_makes_the_object_is_its_creation(counted):
    """S3 User Guide, "Enforce conditional writes on Amazon S3 buckets": the policy there lets parts through."""
    upload = {**KEY, "UploadId": "u"}
    parts = {"Parts": [{"PartNumber": 1, "ETag": "e"}]}
    steps = {
        "CreateMultipartUpload": KEY,
        "UploadPart": {**upload, "PartNumber": 1},
        "UploadPartCopy": {**upload, "PartNumber": 1, "CopySource": "src/a"},
        "CompleteMultipartUpload": {**upload, "MultipartUpload": parts},
        "PutObject": KEY,
        "CopyObject": {**KEY, "CopySource": "src/a"},
    }
    contexts = {name: counted.call("s3", name, given).context("s3:PutObject") for name, given in steps.items()}
    creating = {name for name, context in contexts.items() if context["s3:objectcreationoperation"] == "true"}
    assert creating == {"CompleteMultipartUpload", "PutObject", "CopyObject"}


def test_conditional_writes_are_enforced_by_awss_own_policy(caller):
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    caller.may(allow("s3:*"), deny("s3:PutObject", **unconditional))
    assert caller.call("s3", "PutObject", KEY).sent == 0
    assert caller.call("s3", "PutObject", {**KEY, "IfNoneMatch": "*"}).sent > 0
    assert caller.call("s3", "CreateMultipartUpload", KEY).sent > 0


def test_how_long_an_object_is_still_to_be_held_is_counted_in_days(counted):
    until = datetime.now(UTC) + timedelta(days=30, minutes=5)
    told = counted.call(
        "s3", "PutObjectRetention", {**KEY, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": until}}
    )
    assert told.context("s3:PutObjectRetention")["s3:object-lock-remaining-retention-days"] == "30"


def test_the_owner_of_the_bucket_is_the_resource_account(counted):
    assert counted.call("s3", "GetObject", KEY).context("s3:GetObject")["s3:resourceaccount"] == ACCOUNT
    assert counted.call("s3", "GetObject", KEY).context("s3:GetObject")["aws:resourceaccount"] == ACCOUNT


def test_a_signature_in_the_headers_has_no_age_and_the_bodys_hash(counted):
    context = counted.call("s3", "PutObject", {**KEY, "Body": b"data"}).context("s3:PutObject")
    assert context["s3:authtype"] == "REST-HEADER"
    assert context["s3:signatureversion"] == "AWS4-HMAC-SHA256"
    assert "s3:signatureage" not in context
    trailing = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert context["s3:x-amz-content-sha256"] in {hashlib.sha256(b"data").hexdigest(), trailing}


def test_a_key_that_an_action_does_not_have_is_not_in_its_decision(counted):
    """The reference gives `s3:x-amz-acl` to PutObject and PutObjectAcl, not to PutObjectTagging."""
    told = counted.call("s3", "PutObject", {**KEY, "ACL": "private", "Tagging": "team=blue"})
    assert "s3:x-amz-acl" in told.context("s3:PutObject")
    assert "s3:x-amz-acl" not in told.context("s3:PutObjectTagging")
    assert told.context("s3:PutObjectTagging")["s3:requestobjecttag/team"] == "blue"


@pytest.mark.parametrize("headers", [[("prefix", "home/")], [("s3-prefix", "home/")], [("x-amz-prefix", "home/")]])
def test_nothing_but_the_parameter_itself_sets_a_key(counted, headers):
    reply = counted.wire.send("s3", "GET", "/bkt?list-type=2", headers)
    (decision,) = counted.explained(reply)["Decisions"]
    assert "s3:prefix" not in decision["Context"]
