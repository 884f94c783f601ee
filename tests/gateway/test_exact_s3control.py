"""What S3's control calls are decided on: access points, jobs, grants and storage lenses of the caller's own account.

AWS: Service Authorization Reference, list_amazons3; S3 API Reference, "Amazon S3 Control".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, CONTROL, REGION, ROLE
from gateway.two_accounts import OTHER, code_of
from running import allow, deny

POINT = f"{CONTROL}:accesspoint/point"
NAMED = {"AccountId": ACCOUNT, "Name": "point"}
MAKE = {**NAMED, "Bucket": "bucket"}
MINE = {"AccountId": ACCOUNT}
BLOCK = {**MINE, "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
TAGS = [{"Key": "team", "Value": "blue"}]
JOB = {
    **MINE, "Operation": {"S3PutObjectTagging": {}}, "Report": {"Enabled": False}, "ClientRequestToken": "t",
    "Priority": 5, "RoleArn": ROLE,
}  # fmt: skip
PASS = ("iam:PassRole", ROLE)


def on(resource, *actions):
    return [(f"s3:{action}", resource) for action in actions]


CASES = [
    ("GetPublicAccessBlock", MINE, on("*", "GetAccountPublicAccessBlock")),
    ("PutPublicAccessBlock", BLOCK, on("*", "PutAccountPublicAccessBlock")),
    ("DeletePublicAccessBlock", MINE, on("*", "PutAccountPublicAccessBlock")),
    ("CreateAccessPoint", MAKE, on(POINT, "CreateAccessPoint")),
    ("CreateAccessPoint", {**MAKE, "Tags": TAGS}, on(POINT, "CreateAccessPoint", "TagResource")),
    ("GetAccessPoint", NAMED, on("*", "GetAccessPoint")),
    ("GetAccessPointPolicy", NAMED, on(POINT, "GetAccessPointPolicy")),
    ("ListAccessPoints", MINE, on("*", "ListAccessPoints")),
    (
        "GetAccessPointForObjectLambda",
        NAMED,
        on(POINT.replace(":s3:", ":s3-object-lambda:"), "GetAccessPointForObjectLambda"),
    ),
    ("DescribeJob", {**MINE, "JobId": "job-1"}, on(f"{CONTROL}:job/job-1", "DescribeJob")),
    ("CreateJob", {**JOB, "Tags": TAGS}, [*on("*", "CreateJob"), *on(f"{CONTROL}:job/*", "PutJobTagging"), PASS]),
    (
        "GetAccessGrant",
        {**MINE, "AccessGrantId": "g"},
        on(f"{CONTROL}:access-grants/default/grant/g", "GetAccessGrant"),
    ),
    ("GetAccessGrantsInstance", MINE, on(f"{CONTROL}:access-grants/default", "GetAccessGrantsInstance")),
    (
        "GetStorageLensConfiguration",
        {**MINE, "ConfigId": "lens"},
        on(f"{CONTROL}:storage-lens/lens", "GetStorageLensConfiguration"),
    ),
    (
        "GetMultiRegionAccessPoint",
        NAMED,
        on(f"arn:aws:s3::{ACCOUNT}:accesspoint/*", "GetMultiRegionAccessPoint"),
    ),
    ("TagResource", {**MINE, "ResourceArn": POINT, "Tags": TAGS}, on(POINT, "TagResource")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("s3control", name, given)
    assert told.asked == wanted
    # The account's block of public access is iamd's own.
    assert (told.sent > 0) is not name.endswith("PublicAccessBlock")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GetAccessPointPolicy", {**NAMED, "Name": "po.int*"}),
        ("DescribeJob", {**MINE, "JobId": "job:*"}),
        ("TagResource", {**MINE, "ResourceArn": f"{CONTROL}:accesspoint/*", "Tags": TAGS}),
        ("TagResource", {**MINE, "ResourceArn": POINT.replace(REGION, "eu-west-1"), "Tags": TAGS}),
        ("TagResource", {**MINE, "ResourceArn": POINT.replace(ACCOUNT, OTHER), "Tags": TAGS}),
        ("TagResource", {**MINE, "ResourceArn": "arn:aws:s3:::bucket/key", "Tags": TAGS}),
    ],
)
def test_what_names_nothing_of_this_accounts_is_refused(counted, name, given):
    told = counted.call("s3control", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidRequest", 0)


@pytest.mark.parametrize(
    ("name", "given"), [("GetPublicAccessBlock", {}), ("CreateAccessPoint", MAKE), ("ListJobs", {})]
)
def test_another_account_is_not_reached(counted, name, given):
    told = counted.call("s3control", name, {**given, "AccountId": OTHER})
    assert (told.status, told.code, told.sent) == (403, "AccessDenied", 0)


def test_buckets_on_outposts_are_refused_by_name(counted):
    told = counted.call("s3control", "GetBucketVersioning", {**MINE, "Bucket": "bucket"})
    assert (told.status, told.code, told.sent) == (403, "AccessDenied", 0)
    assert told.message.startswith("iamd serves no buckets on Outposts")


def test_the_role_of_a_job_is_handed_over(counted):
    told = counted.call("s3control", "CreateJob", JOB)
    assert told.context("iam:PassRole")["iam:passedtoservice"] == "batchoperations.s3.amazonaws.com"
    caller = Caller.new(counted, "control-no-roles")
    caller.may(allow("s3:*"))
    refused(caller.call("s3control", "CreateJob", JOB), "no identity-based policy allows")


CREATE = ("s3:CreateAccessPoint", "CreateAccessPoint")
KEYS = [
    Key("s3:AccessPointNetworkOrigin", "VPC", *CREATE, {**MAKE, "VpcConfiguration": {"VpcId": "vpc-1"}}, MAKE),
    Key("s3:DataAccessPointArn", POINT, *CREATE, MAKE, {**MAKE, "Name": "other"}),
    Key("s3:RequestJobPriority", "5", "s3:CreateJob", "CreateJob", JOB, {**JOB, "Priority": 6}, "NumericEquals"),
    Key("s3:RequestJobOperation", "S3PutObjectTagging", "s3:CreateJob", "CreateJob", JOB,
        {**JOB, "Operation": {"S3InitiateRestoreObject": {}}}),
    Key("aws:RequestTag/team", "blue", *CREATE, {**MAKE, "Tags": TAGS}, MAKE),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"control-{key.name.rpartition(':')[2].replace('/', '-')}"), "s3control", key)


def test_the_origin_of_an_access_point_that_is_there_is_not_known(counted):
    caller = Caller.new(counted, "control-origin")
    origin = {"StringEquals": {"s3:AccessPointNetworkOrigin": "Internet"}}
    caller.may(allow("*"), deny("s3:DeleteAccessPoint", **origin))
    refused(caller.call("s3control", "DeleteAccessPoint", NAMED), "explicit deny")


def test_an_access_point_of_the_embedded_backend_is_its_accounts(cloud):
    cloud.client("s3").create_bucket(Bucket="bucket")
    owner = cloud.client("s3control")
    owner.create_access_point(**MAKE)
    reader = cloud.client("s3control", cloud.user("reader", allow("s3:GetAccessPoint")))
    assert reader.get_access_point(**NAMED)["Bucket"] == "bucket"
    assert code_of(reader.delete_access_point, **NAMED) == "AccessDenied"
    assert owner.get_access_point(**NAMED)["Name"] == "point"
