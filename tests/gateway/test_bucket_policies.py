"""Buckets between accounts: whose they are, their policies kept, decided by and gone with them, and anonymous callers."""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, to, user_of
from gateway.wire import Wire
from running import ACCOUNT, allow, deny

BUCKET, OBJECTS = "arn:aws:s3:::files", "arn:aws:s3:::files/*"


@pytest.fixture
def s3(cloud):
    """The owner's client, with a bucket that does not block public access, and an object in it."""
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.delete_public_access_block(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"data")
    return owner


@pytest.fixture
def wire(cloud):
    opened = Wire(cloud.server)
    yield opened
    opened.close()


def reads(client, key="a"):
    try:
        return client.get_object(Bucket="files", Key=key)["Body"].read() == b"data"
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False


def test_the_region_is_the_buckets_whatever_the_client_signs_for(cloud):
    there = cloud.client("s3", region="eu-west-1")
    there.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    there.put_object(Bucket="files", Key="a", Body=b"data")
    elsewhere = deny("*", StringNotEquals={"aws:RequestedRegion": "us-east-1"})
    kept_out = cloud.user("ann", allow("s3:*"), elsewhere)
    inside = cloud.user("bob", allow("s3:*", StringEquals={"aws:RequestedRegion": "eu-west-1"}))
    for region in ("us-east-1", "eu-west-1"):
        assert not reads(cloud.client("s3", kept_out, region=region))
        assert reads(cloud.client("s3", inside, region=region))
    here = cloud.client("s3", kept_out)
    here.create_bucket(Bucket="here")
    here.put_object(Bucket="here", Key="a", Body=b"data")


# One account.


def test_a_policy_alone_is_enough_within_the_account(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader"))
    assert not reads(reader)
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/reader"}
    s3.put_bucket_policy(Bucket="files", Policy=policy(to(named, allow("s3:GetObject", OBJECTS))))
    assert reads(reader)
    assert not reads(cloud.client("s3", cloud.user("stranger")))
    assert code_of(reader.delete_object, Bucket="files", Key="a") == "AccessDenied"


def test_a_deny_of_the_policy_beats_every_allow(cloud, s3):
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(deny("s3:DeleteObject", OBJECTS))))
    error = error_of(s3.delete_object, Bucket="files", Key="a")
    assert error["Code"] == "AccessDenied"
    assert error["Message"].endswith(
        'on resource: "arn:aws:s3:::files/a" with an explicit deny in a resource-based policy'
    )
    assert reads(s3)


def test_a_policy_is_given_back_as_it_was_set_until_it_is_deleted(s3):
    text = '{ "Version":"2012-10-17", "Statement":[' + json.dumps(everybody(allow("s3:GetObject", OBJECTS))) + "] }\n"
    assert code_of(s3.get_bucket_policy, Bucket="files") == "NoSuchBucketPolicy"
    s3.put_bucket_policy(Bucket="files", Policy=text)
    assert s3.get_bucket_policy(Bucket="files")["Policy"] == text
    s3.delete_bucket_policy(Bucket="files")
    assert code_of(s3.get_bucket_policy, Bucket="files") == "NoSuchBucketPolicy"


def test_a_deleted_policy_decides_no_more(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader"))
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS))))
    assert reads(reader)
    s3.delete_bucket_policy(Bucket="files")
    assert not reads(reader)


def test_a_policy_goes_with_its_bucket(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader"))
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS))))
    s3.delete_object(Bucket="files", Key="a")
    s3.delete_bucket(Bucket="files")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    assert not reads(reader)
    assert code_of(s3.get_bucket_policy, Bucket="files") == "NoSuchBucketPolicy"


def test_a_bucket_that_could_not_be_deleted_keeps_its_policy(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader"))
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS))))
    assert code_of(s3.delete_bucket, Bucket="files") == "BucketNotEmpty"
    assert reads(reader)


@pytest.mark.parametrize(
    "text", ["", "{}", "not JSON", policy(allow("s3:GetObject", OBJECTS)), policy(everybody({"Effect": "Allow"}))]
)
def test_a_policy_that_is_none_is_malformed_and_the_old_one_stays(s3, text):
    kept = policy(everybody(allow("s3:GetObject", OBJECTS)))
    s3.put_bucket_policy(Bucket="files", Policy=kept)
    assert code_of(s3.put_bucket_policy, Bucket="files", Policy=text) in {"MalformedPolicy", "MissingRequestBodyError"}
    assert s3.get_bucket_policy(Bucket="files")["Policy"] == kept


def test_the_policy_is_part_of_the_decision_on_a_copys_source_and_on_each_key_of_a_multi_delete(cloud, s3):
    s3.put_bucket_policy(
        Bucket="files", Policy=policy(everybody(deny(["s3:GetObject", "s3:DeleteObject"], f"{OBJECTS[:-1]}a")))
    )
    s3.create_bucket(Bucket="copies")
    assert code_of(s3.copy_object, Bucket="copies", Key="a", CopySource="files/a") == "AccessDenied"
    s3.put_object(Bucket="files", Key="b", Body=b"data")
    told = s3.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    assert [one["Key"] for one in told["Deleted"]] == ["b"]
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("a", "AccessDenied")]


# Two accounts.


def test_across_accounts_both_sides_must_allow(cloud, s3, other):
    plain = cloud.client("s3", user_of(cloud, other, "plain"))
    able = cloud.client("s3", user_of(cloud, other, "able", allow("s3:GetObject", OBJECTS)))
    assert (reads(plain), reads(able)) == (False, False)
    s3.put_bucket_policy(Bucket="files", Policy=policy(to({"AWS": OTHER}, allow("s3:GetObject", OBJECTS))))
    assert (reads(plain), reads(able)) == (False, True)
    assert reads(cloud.client("s3", other))
    s3.delete_bucket_policy(Bucket="files")
    assert not reads(able)


def test_to_callers_of_other_accounts_a_denial_tells_nothing(cloud, s3, other):
    assert error_of(cloud.client("s3", other).get_object, Bucket="files", Key="a")["Message"] == "Access Denied"


def test_a_bucket_belongs_to_the_account_that_made_it(cloud, s3, other):
    theirs = cloud.client("s3", other)
    assert code_of(theirs.create_bucket, Bucket="files") == "BucketAlreadyExists"
    assert (
        code_of(theirs.put_bucket_policy, Bucket="files", Policy=policy(everybody(allow("s3:*", OBJECTS))))
        == "AccessDenied"
    )
    assert code_of(theirs.delete_bucket, Bucket="files") == "AccessDenied"
    assert theirs.list_buckets()["Buckets"] == []
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["files"]


def test_a_name_that_is_free_again_can_be_anothers(cloud, s3, other):
    theirs = cloud.client("s3", other)
    s3.delete_object(Bucket="files", Key="a")
    s3.delete_bucket(Bucket="files")
    theirs.create_bucket(Bucket="files")
    theirs.put_object(Bucket="files", Key="a", Body=b"data")
    assert reads(theirs)
    assert not reads(s3)


def test_what_another_account_may_write_is_written_into_the_owners_bucket(cloud, s3, other):
    s3.put_bucket_policy(Bucket="files", Policy=policy(to({"AWS": OTHER}, allow("s3:PutObject", OBJECTS))))
    cloud.client("s3", other).put_object(Bucket="files", Key="b", Body=b"data")
    assert reads(s3, "b")
    assert not reads(cloud.client("s3", other), "b")


def test_an_expected_owner_that_is_not_the_owner_is_refused(s3):
    assert s3.head_object(Bucket="files", Key="a", ExpectedBucketOwner=ACCOUNT)
    assert code_of(s3.get_object, Bucket="files", Key="a", ExpectedBucketOwner=OTHER) == "AccessDenied"


def test_the_expected_owner_of_a_copys_source_is_refused_within_one_bucket_too(s3):
    # AWS: S3 API Reference, CopyObject: 403 when the account does not match the actual owner of the source bucket.
    begun = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    copies = (
        (s3.copy_object, {"Bucket": "files", "Key": "b", "CopySource": "files/a"}),
        (
            s3.upload_part_copy,
            {"Bucket": "files", "Key": "parts", "UploadId": begun, "PartNumber": 1, "CopySource": "files/a"},
        ),
    )
    for copy, given in copies:
        assert code_of(copy, **given, ExpectedSourceBucketOwner=OTHER) == "AccessDenied"
        assert copy(**given, ExpectedSourceBucketOwner=ACCOUNT, ExpectedBucketOwner=ACCOUNT)


def test_a_condition_on_the_callers_account_is_held(cloud, s3, other):
    inside = {"StringEquals": {"aws:PrincipalAccount": OTHER}}
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS, **inside))))
    assert reads(cloud.client("s3", other))
    assert not reads(cloud.client("s3", cloud.user("reader")))


# Nobody.


def test_an_anonymous_caller_may_what_a_policy_for_everybody_says(s3, wire):
    def status(method, target):
        return wire.send_unsigned(method, target, [("host", "localhost")]).status

    assert status("GET", "/files/a") == 403
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS))))
    reply = wire.send_unsigned("GET", "/files/a", [("host", "localhost")])
    assert (reply.status, reply.body) == (200, b"data")
    assert [status(method, target) for method, target in (
        ("PUT", "/files/b"), ("DELETE", "/files/a"), ("GET", "/files?list-type=2"), ("GET", "/files?policy"),
        ("GET", "/files/a?acl"), ("GET", "/files/a?versionId=null"),
    )] == [403] * 6  # fmt: skip
    s3.put_bucket_policy(Bucket="files", Policy=policy(to({"AWS": ACCOUNT}, allow("s3:GetObject", OBJECTS))))
    assert status("GET", "/files/a") == 403


def test_an_anonymous_caller_fulfils_no_condition_on_callers(s3, wire):
    named = {"StringLike": {"aws:PrincipalArn": "*"}}
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:GetObject", OBJECTS, **named))))
    assert wire.send_unsigned("GET", "/files/a", [("host", "localhost")]).status == 403


def test_to_an_anonymous_caller_a_bucket_that_is_not_there_is_not_there(cloud, wire):
    reply = wire.send_unsigned("GET", "/nowhere/a", [("host", "localhost")])
    assert (reply.status, b"<Code>NoSuchBucket</Code>" in reply.body) == (404, True)
    assert wire.send_unsigned("GET", "/", [("host", "localhost")]).status in {403, 404}


def test_anonymous_requests_are_events_of_nobody(cloud, s3, wire):
    wire.send_unsigned("GET", "/files/a", [("host", "localhost")])
    (event,) = cloud.events("GetObject")
    assert event["errorCode"] == "AccessDenied"
    assert "arn" not in event["userIdentity"]
