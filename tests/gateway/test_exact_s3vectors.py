"""What requests to S3 Vectors are decided on: vector buckets and indexes, by names or by one ARN.

AWS: Service Authorization Reference, list_amazons3vectors; S3 Vectors API Reference, QueryVectors and ListVectors.
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, REGION

BUCKET = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/vectors"
INDEX = f"{BUCKET}/index/idx"
NAMED = {"vectorBucketName": "vectors"}
BY_NAMES = {**NAMED, "indexName": "idx"}
FORM = {"dataType": "float32", "dimension": 2, "distanceMetric": "cosine"}
QUERY = {"topK": 1, "queryVector": {"float32": [1.0, 2.0]}}
TAGS = {"team": "blue"}
VECTOR = {"key": "k", "data": {"float32": [1.0, 2.0]}}


def on(resource, *actions):
    return [(f"s3vectors:{action}", resource) for action in actions]


CASES = [
    ("CreateVectorBucket", NAMED, on(BUCKET, "CreateVectorBucket")),
    ("CreateVectorBucket", {**NAMED, "tags": TAGS}, on(BUCKET, "CreateVectorBucket", "TagResource")),
    *[
        (name, given, on(BUCKET, name))
        for name in ("DeleteVectorBucket", "GetVectorBucket", "GetVectorBucketPolicy", "ListIndexes")
        for given in (NAMED, {"vectorBucketArn": BUCKET})
    ],
    ("CreateIndex", {**BY_NAMES, **FORM}, on(INDEX, "CreateIndex")),
    ("CreateIndex", {"vectorBucketArn": BUCKET, "indexName": "idx", **FORM, "tags": TAGS},
     on(INDEX, "CreateIndex", "TagResource")),
    *[
        (name, {**given, **more}, on(INDEX, name))
        for name, more in (
            ("DeleteIndex", {}), ("GetIndex", {}), ("ListVectors", {}), ("QueryVectors", QUERY),
            ("DeleteVectors", {"keys": ["k"]}), ("GetVectors", {"keys": ["k"]}), ("PutVectors", {"vectors": [VECTOR]}),
        )
        for given in (BY_NAMES, {"indexArn": INDEX})
    ],
    *[
        ("ListVectors", {**BY_NAMES, member: True}, on(INDEX, "ListVectors", "GetVectors"))
        for member in ("returnData", "returnMetadata")
    ],
    *[
        ("QueryVectors", {**BY_NAMES, **QUERY, **more}, on(INDEX, "QueryVectors", "GetVectors"))
        for more in ({"filter": {"a": "b"}}, {"returnMetadata": True})
    ],
    ("TagResource", {"resourceArn": INDEX, "tags": TAGS}, on(INDEX, "TagResource")),
    ("ListTagsForResource", {"resourceArn": BUCKET}, on(BUCKET, "ListTagsForResource")),
    ("ListVectorBuckets", {}, on("*", "ListVectorBuckets")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("s3vectors", name, given)
    assert sorted(told.asked) == sorted(wanted)
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GetVectorBucket", {**NAMED, "vectorBucketArn": BUCKET}),
        ("GetIndex", {**BY_NAMES, "indexArn": INDEX}),
        ("GetVectorBucket", {"vectorBucketName": "a/b"}),
        ("GetVectorBucket", {"vectorBucketName": "*ab"}),
        ("GetIndex", {**NAMED, "indexName": "i/x"}),
        ("GetVectorBucket", {"vectorBucketArn": INDEX}),
        ("GetIndex", {"indexArn": INDEX.replace(":s3vectors:", ":s3:")}),
        ("GetIndex", {"indexArn": INDEX.replace(REGION, "eu-west-1")}),
    ],
)
def test_what_names_two_things_or_none_is_refused(counted, name, given):
    told = counted.call("s3vectors", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def encrypted(kind):
    return {**NAMED, "encryptionConfiguration": {"sseType": kind}}


def tagged(value):
    return {"resourceArn": BUCKET, "tags": {"team": value}}


@pytest.mark.parametrize(
    "key",
    [
        Key("s3vectors:sseType", "AES256", "s3vectors:CreateVectorBucket", "CreateVectorBucket",
            encrypted("AES256"), encrypted("aws:kms")),
        Key("aws:RequestTag/team", "blue", "s3vectors:TagResource", "TagResource", tagged("blue"), tagged("red")),
    ],
    ids=str,
)  # fmt: skip
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"vectors-{key.operation}"), "s3vectors", key)
