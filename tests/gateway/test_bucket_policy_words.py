"""Which bucket policies S3 takes, and its words for those it does not.

AWS: S3 User Guide, "Policy resources" (s3-arn-format); S3's answers as its users have met them (`bucket_policies`).
"""

import json

import pytest
from gateway.two_accounts import error_of, everybody, policy
from running import allow, deny

BUCKET, OBJECTS = "arn:aws:s3:::worded", "arn:aws:s3:::worded/*"
BOTH = [BUCKET, OBJECTS]

NO_OBJECT = "Policies must be valid JSON and the first byte must be '{'"
NO_JSON = "This policy contains invalid Json"
ACTION = "Policy has invalid action"
RESOURCE = "Policy has invalid resource"
KEY = "Policy has an invalid condition key"
NOT_TOGETHER = "Action does not apply to any resource(s) in statement"
CONDITIONS = "Conditions do not apply to combination of actions and resources in statement"


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="worded")
    owner.delete_public_access_block(Bucket="worded")
    return owner


def one(statement):
    return policy(everybody(statement))


def when(statement, operator, key, value="x"):
    return one(statement | {"Condition": {operator: {key: value}}})


def without(name, statement):
    left = everybody(statement)
    return policy({f"Not{member}" if member == name else member: value for member, value in left.items()})


REFUSED = {
    "no JSON": ("policy.json", NO_OBJECT),
    "a list": ("[]", NO_OBJECT),
    "a blank first": (" " + one(allow("s3:GetObject", OBJECTS)), NO_OBJECT),
    "half of a document": ('{"Version": "2012-10-17", "Statement": [', NO_JSON),
    "more than a document": (one(allow("s3:GetObject", OBJECTS)) + "}", NO_JSON),
    "no principal": (policy(allow("s3:GetObject", OBJECTS)), "Missing required field Principal"),
    "no such action": (one(allow("s3:HeadObject", OBJECTS)), ACTION),
    "no such action among others": (one(allow(["s3:GetObject", "s3:Gett*"], OBJECTS)), ACTION),
    "another service's action": (one(allow("sqs:SendMessage", OBJECTS)), ACTION),
    "no such action left out": (without("Action", deny("s3:HeadObject", BOTH)), ACTION),
    "another bucket": (one(allow("s3:GetObject", "arn:aws:s3:::other/*")), RESOURCE),
    "another bucket beside its own": (one(allow("s3:GetObject", [OBJECTS, "arn:aws:s3:::other/*"])), RESOURCE),
    "a bucket whose name begins like it": (one(allow("s3:GetObject", "arn:aws:s3:::worded-too/*")), RESOURCE),
    "every bucket": (one(allow("s3:GetObject", "arn:aws:s3:::*")), RESOURCE),
    "everything": (one(allow("s3:GetObject", "*")), RESOURCE),
    "another bucket left out": (without("Resource", deny("s3:GetObject", "arn:aws:s3:::other/*")), RESOURCE),
    "an object's action on the bucket": (one(allow("s3:GetObject", BUCKET)), NOT_TOGETHER),
    "a bucket's action on objects": (one(allow("s3:ListBucket", OBJECTS)), NOT_TOGETHER),
    "one of two": (one(allow(["s3:GetObject", "s3:GetBucketAcl"], OBJECTS)), NOT_TOGETHER),
    "objects' actions on the bucket": (one(allow("s3:GetObject*", BUCKET)), NOT_TOGETHER),
    "an action without resources": (one(allow("s3:ListAllMyBuckets", BOTH)), NOT_TOGETHER),
    "a key of listing": (when(allow("s3:GetObject", OBJECTS), "StringLike", "s3:prefix"), CONDITIONS),
    "a key of one of two": (
        when(allow(["s3:GetObject", "s3:ListBucket"], BOTH), "StringLike", "s3:prefix"),
        CONDITIONS,
    ),
    "no such key": (when(allow("s3:GetObject", OBJECTS), "StringEquals", "s3:x-amz-nothing"), KEY),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_policy_that_s3_does_not_take_is_refused_in_its_words(s3, name):
    text, words = REFUSED[name]
    kept = one(allow("s3:GetObject", OBJECTS))
    s3.put_bucket_policy(Bucket="worded", Policy=kept)
    error = error_of(s3.put_bucket_policy, Bucket="worded", Policy=text)
    assert (error["Code"], error["Message"]) == ("MalformedPolicy", words)
    assert s3.get_bucket_policy(Bucket="worded")["Policy"] == kept


@pytest.mark.parametrize("name", REFUSED)
def test_a_bucket_that_blocks_public_policies_has_the_same_words(cloud, name):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="worded")
    text, words = REFUSED[name]
    error = error_of(s3.put_bucket_policy, Bucket="worded", Policy=text)
    assert (error["Code"], error["Message"]) == ("MalformedPolicy", words)


TAKEN = {
    "every action": one(allow("s3:*", BOTH)),
    "the star": one(allow("*", BOTH)),
    "in another case": one(allow("S3:getobject", OBJECTS)),
    "some actions on objects alone": one(allow("s3:Get*", OBJECTS)),
    "both kinds on both": one(allow(["s3:GetObject", "s3:ListBucket"], BOTH)),
    "a pattern for the bucket and its objects": one(allow(["s3:GetObject", "s3:ListBucket"], f"{BUCKET}*")),
    "a folder of the caller's": one(allow("s3:PutObject", BUCKET + "/${aws:username}/*")),
    "all but some actions": without("Action", allow(["s3:GetObject", "s3:ListBucket"], BOTH)),
    "all but some objects": without("Resource", deny("s3:GetObject", f"{BUCKET}/public/*")),
    "a key of listing": when(allow("s3:ListBucket", BUCKET), "StringLike", "s3:prefix"),
    "a key that some of the actions have": when(deny("s3:*", BOTH), "StringLike", "s3:prefix"),
    "a key of every request": when(deny("s3:*", BOTH), "NumericLessThan", "s3:TlsVersion", "1.2"),
    "a key of access points": when(allow("s3:GetObject", OBJECTS), "StringEquals", "s3:DataAccessPointAccount"),
    "a tag of objects": when(allow("s3:GetObject", OBJECTS), "StringEquals", "s3:ExistingObjectTag/team"),
    "a key of AWS's": when(allow("s3:*", BOTH), "Bool", "aws:SecureTransport", "true"),
    "the older version": json.dumps({"Version": "2008-10-17", "Statement": everybody(allow("s3:GetObject", OBJECTS))}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_policy_that_s3_takes_is_kept_as_it_is(s3, name):
    s3.put_bucket_policy(Bucket="worded", Policy=TAKEN[name])
    assert s3.get_bucket_policy(Bucket="worded")["Policy"] == TAKEN[name]
