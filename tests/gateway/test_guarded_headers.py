"""What S3 tells of an object in headers, to those alone who may read it (S3 API Reference, HeadObject and GetObject)."""

from datetime import UTC, datetime, timedelta

import pytest
from gateway.two_accounts import everybody, policy
from running import allow, deny

from iamd.gateway import framing, guarded_headers
from iamd.gateway.key_uses import sealing

RETENTION = {"ObjectLockMode", "ObjectLockRetainUntilDate"}
HOLD = {"ObjectLockLegalHoldStatus"}
TAGS = {"TagCount"}
READING = ("s3:GetObject", "s3:GetObjectVersion")


@pytest.fixture
def named(cloud):
    """A version with a retention, a legal hold and two tags."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files", ObjectLockEnabledForBucket=True)
    s3.delete_public_access_block(Bucket="files")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": "ON"}
    given = {"Bucket": "files", "Key": "a", "Body": b"data", "ChecksumAlgorithm": "SHA256"}
    version = s3.put_object(**given, Tagging="team=red&kind=x", **lock)["VersionId"]
    return {"Bucket": "files", "Key": "a", "VersionId": version}


def told(client, named):
    """What is told of the object, by either operation."""
    got, seen = client.get_object(**named), client.head_object(**named)
    assert got["Body"].read() == b"data"
    guarded = RETENTION | HOLD | TAGS
    assert guarded & got.keys() == guarded & seen.keys()
    return guarded & got.keys()


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((), set()),
        (("s3:GetObjectRetention",), RETENTION),
        (("s3:GetObjectLegalHold",), HOLD),
        (("s3:GetObjectVersionTagging",), TAGS),
        # That is of the newest version where none is named.
        (("s3:GetObjectTagging",), set()),
        (("s3:*",), RETENTION | HOLD | TAGS),
    ],
)
def test_each_is_told_to_who_may_read_it(cloud, named, actions, expected):
    reader = cloud.user("reader", *map(allow, (*READING, *actions)))
    assert told(cloud.client("s3", reader), named) == expected


def test_without_a_version_the_newest_ones_tags_are_told(cloud, named):
    del named["VersionId"]
    reader = cloud.user("reader", allow("s3:GetObject"), allow("s3:GetObjectTagging"))
    assert told(cloud.client("s3", reader), named) == TAGS
    of_versions = cloud.user("other", allow("s3:GetObject"), allow("s3:GetObjectVersionTagging"))
    assert told(cloud.client("s3", of_versions), named) == set()


def test_a_denial_of_it_denies_nothing_else_and_is_no_part_of_the_event(cloud, named):
    kept = cloud.user("kept", allow("s3:*"), deny("s3:GetObjectRetention"))
    client = cloud.client("s3", kept)
    assert told(client, named) == HOLD | TAGS
    answer = client.head_object(**named)
    found = cloud.explain(answer["ResponseMetadata"]["RequestId"])
    assert [one["Action"] for one in found["Decisions"]] == ["s3:GetObjectVersion"]


def test_the_buckets_policy_and_its_conditions_count(cloud, named):
    object_arn = "arn:aws:s3:::files/a"
    mine = allow("s3:GetObjectRetention", object_arn, StringEquals={"aws:username": "reader"})
    other = deny("s3:GetObjectLegalHold", object_arn, StringEquals={"aws:username": "reader"})
    cloud.client("s3").put_bucket_policy(Bucket="files", Policy=policy(everybody(mine), everybody(other)))
    for name, expected in (("reader", RETENTION), ("other", HOLD)):
        of = cloud.user(name, *map(allow, (*READING, "s3:GetObjectLegalHold")))
        assert told(cloud.client("s3", of), named) == expected


@pytest.mark.parametrize("name", [*guarded_headers.READERS, sealing.HEADER])
def test_what_is_for_some_clients_alone_is_looked_at_in_each_answer(name):
    others = {b"etag": b"e", b"x-amz-id-2": b"a"}
    for fields, is_for_all in ((others, True), ({**others, name: b"v"}, False)):
        assert framing.answer_headers(list(fields.items()), fields, whole=True) == (list(fields.items()), is_for_all)
