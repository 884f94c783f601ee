"""S3 Object Ownership: who owns a bucket's objects, which requests a bucket without ACLs refuses, and what is told.

AWS: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket" and its "Troubleshooting";
S3 API Reference, CreateBucket and PutBucketOwnershipControls.
"""

import itertools
import threading

import pytest
from gateway.counting import Held, answer
from gateway.two_accounts import code_of, error_of, policy, to
from running import allow, deny

FILES, FILE = {"Bucket": "files"}, {"Bucket": "files", "Key": "a"}
BUCKET = "arn:aws:s3:::files"
EVERYONE = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
ENFORCED, PREFERRED, WRITER = "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"
LISTED = answer(b"<ListBucketResult><Name>b</Name></ListBucketResult>", "200 OK", "content-type: application/xml")
NUMBERS = itertools.count()


def controls(setting):
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": setting}]}}


def setting_of(s3):
    [rule] = s3.get_bucket_ownership_controls(**FILES)["OwnershipControls"]["Rules"]
    return rule["ObjectOwnership"]


@pytest.fixture
def s3(cloud):
    """The owner's client, with a new bucket."""
    owner = cloud.client("s3")
    owner.create_bucket(**FILES)
    return owner


def test_a_new_bucket_is_its_owners_alone(s3):
    assert setting_of(s3) == ENFORCED
    told = s3.get_bucket_acl(**FILES)
    assert told["Grants"] == [{"Grantee": {**told["Owner"], "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]
    s3.put_object(**FILE, Body=b"data")
    of_object = s3.get_object_acl(**FILE)
    assert (of_object["Owner"], of_object["Grants"]) == (told["Owner"], told["Grants"])


def test_one_account_has_one_canonical_id(cloud, s3, other):
    own = s3.get_bucket_acl(**FILES)["Owner"]
    assert len(own["ID"]) == 64
    assert s3.list_buckets()["Owner"] == own
    theirs = cloud.client("s3", other)
    theirs.create_bucket(Bucket="theirs")
    assert theirs.get_bucket_acl(Bucket="theirs")["Owner"] == theirs.list_buckets()["Owner"] != own


@pytest.mark.parametrize("setting", [ENFORCED, PREFERRED, WRITER])
def test_a_bucket_is_made_with_its_setting(cloud, setting):
    s3 = cloud.client("s3")
    s3.create_bucket(**FILES, ObjectOwnership=setting)
    assert setting_of(s3) == setting
    assert error_of(s3.create_bucket, Bucket="wrong", ObjectOwnership="Nobody") == {
        "Code": "InvalidArgument",
        "Message": "Invalid x-amz-object-ownership header: Nobody",
        "ArgumentName": "x-amz-object-ownership",
    }


def test_the_setting_is_set_and_taken_away(cloud, s3):
    for setting in (WRITER, PREFERRED, ENFORCED):
        s3.put_bucket_ownership_controls(**FILES, **controls(setting))
        assert setting_of(s3) == setting
    s3.delete_bucket_ownership_controls(**FILES)
    assert code_of(s3.get_bucket_ownership_controls, **FILES) == "OwnershipControlsNotFoundError"
    # AWS: without controls it is ObjectWriter.
    s3.put_bucket_acl(**FILES, ACL="private")
    assert code_of(s3.put_bucket_ownership_controls, **FILES, **controls("Nobody")) == "MalformedXML"
    assert code_of(s3.put_bucket_ownership_controls, Bucket="none", **controls(WRITER)) == "NoSuchBucket"
    assert code_of(s3.get_bucket_ownership_controls, Bucket="none") == "NoSuchBucket"
    ann = cloud.client("s3", cloud.user("ann", allow("s3:Get*")))
    assert code_of(ann.put_bucket_ownership_controls, **FILES, **controls(WRITER)) == "AccessDenied"
    assert code_of(ann.delete_bucket_ownership_controls, **FILES) == "AccessDenied"


def test_a_setting_can_be_asked_for_by_policy(cloud):
    """AWS: "Disabling ACLs for all new buckets and enforcing Object Ownership"."""
    other_than = {"Condition": {"StringNotEquals": {"s3:x-amz-object-ownership": ENFORCED}}}
    rules = (allow("s3:*"), deny("s3:CreateBucket") | other_than)
    s3 = cloud.client("s3", cloud.user("ann", *rules))
    assert code_of(s3.create_bucket, **FILES, ObjectOwnership=WRITER) == "AccessDenied"
    s3.create_bucket(**FILES, ObjectOwnership=ENFORCED)
    bob = cloud.client("s3", cloud.user("bob", allow("s3:CreateBucket")))
    told = error_of(bob.create_bucket, Bucket="bobs", ObjectOwnership=WRITER)
    assert "s3:PutBucketOwnershipControls" in told["Message"]
    bob.create_bucket(Bucket="bobs")


@pytest.mark.parametrize("given", [{"ACL": "public-read"}, {"ACL": "log-delivery-write"}, {"GrantRead": EVERYONE}])
def test_no_bucket_without_acls_is_made_with_one_for_others(cloud, given):
    s3 = cloud.client("s3")
    told = error_of(s3.create_bucket, **FILES, **given)
    assert told["Code"] == "InvalidBucketAclWithObjectOwnership"
    assert told["Message"] == "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
    for number, own in enumerate(("private", "bucket-owner-full-control", "aws-exec-read")):
        s3.create_bucket(Bucket=f"own-{number}", ACL=own)


def test_acls_are_not_taken_away_from_who_got_something_by_them(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(**FILES, ObjectOwnership=WRITER, ACL="log-delivery-write")
    told = code_of(s3.put_bucket_ownership_controls, **FILES, **controls(ENFORCED))
    assert told == "InvalidBucketAclWithObjectOwnership"
    assert setting_of(s3) == WRITER
    s3.put_bucket_acl(**FILES, ACL="private")
    s3.put_bucket_ownership_controls(**FILES, **controls(ENFORCED))


@pytest.mark.parametrize(
    "given", [{"ACL": "private"}, {"ACL": "public-read"}, {"ACL": "bucket-owner-read"}, {"GrantRead": EVERYONE}]
)
def test_a_bucket_without_acls_takes_none(s3, given):
    s3.delete_public_access_block(**FILES)
    s3.put_object(**FILE)
    for call, named in (
        (s3.put_object, FILE),
        (s3.put_object_acl, FILE),
        (s3.copy_object, {**FILES, "Key": "b", "CopySource": FILE}),
        (s3.create_multipart_upload, FILE),
        (s3.put_bucket_acl, FILES),
    ):
        if call == s3.put_bucket_acl and given == {"ACL": "bucket-owner-read"}:
            continue
        told = error_of(call, **named, **given)
        assert told == {"Code": "AccessControlListNotSupported", "Message": "The bucket does not allow ACLs"}, call


def test_a_bucket_without_acls_takes_what_is_the_owners_anyway(s3):
    own = s3.get_bucket_acl(**FILES)["Owner"]
    grant = {"Grantee": {**own, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    for given in (
        {"ACL": "bucket-owner-full-control"},
        {"AccessControlPolicy": {"Owner": own, "Grants": [grant]}},
        {"GrantFullControl": f'id="{own["ID"]}"'},
    ):
        if "AccessControlPolicy" not in given:
            s3.put_object(**FILE, **given)
        s3.put_object_acl(**FILE, **given)
        s3.put_bucket_acl(**FILES, **given)
    nothing = {"AccessControlPolicy": {"Owner": own, "Grants": []}}
    assert code_of(s3.put_object_acl, **FILE, **nothing) == "AccessControlListNotSupported"
    assert code_of(s3.put_object_acl, **FILES, Key="none", ACL="bucket-owner-full-control") == "NoSuchKey"


def test_what_others_write_into_a_bucket_without_acls_is_its_owners(cloud, s3, other):
    s3.put_bucket_policy(**FILES, Policy=policy(to({"AWS": "111122223333"}, allow("s3:PutObject*", f"{BUCKET}/*"))))
    theirs = cloud.client("s3", other)
    theirs.put_object(**FILE, Body=b"data", ACL="bucket-owner-full-control")
    assert s3.get_object(**FILE)["Body"].read() == b"data"
    assert code_of(theirs.get_object, **FILE) == "AccessDenied"
    # AWS: it stays so when ACLs are enabled afterwards.
    s3.put_bucket_ownership_controls(**FILES, **controls(WRITER))
    assert s3.get_object(**FILE)["Body"].read() == b"data"
    assert s3.get_object_acl(**FILE)["Owner"] == s3.list_buckets()["Owner"]


def test_making_a_bucket_once_more_sets_its_acl_anew(cloud):
    """AWS: S3 API Reference, CreateBucket, of buckets in us-east-1 that one owns already."""
    s3 = cloud.client("s3")
    s3.create_bucket(**FILES, ObjectOwnership=WRITER, ACL="log-delivery-write")
    assert len(s3.get_bucket_acl(**FILES)["Grants"]) == 3
    s3.create_bucket(**FILES)
    assert len(s3.get_bucket_acl(**FILES)["Grants"]) == 1
    assert setting_of(s3) == WRITER
    s3.put_bucket_ownership_controls(**FILES, **controls(ENFORCED))
    told = code_of(s3.create_bucket, **FILES, ObjectOwnership=WRITER, ACL="log-delivery-write")
    assert told == "InvalidBucketAclWithObjectOwnership"


# Other backends, and what is not settled.


@pytest.fixture
def bucket(counted):
    """A bucket with ACLs at a backend that only counts."""
    name = f"owned-{next(NUMBERS)}"
    assert counted.call("s3", "CreateBucket", {"Bucket": name, "ObjectOwnership": WRITER}).status == 200
    yield name
    counted.backend.answers = []


def own_of(counted, bucket):
    counted.backend.answers = [LISTED]
    return counted.call("s3", "GetBucketAcl", {"Bucket": bucket}).told


def test_a_backend_is_told_no_setting_and_no_acl_of_a_bucket(counted, bucket):
    for name, given in (("PutBucketOwnershipControls", controls(PREFERRED)), ("PutBucketAcl", {"ACL": "private"})):
        counted.backend.answers = [LISTED]
        before = len(counted.backend.raw.heads)
        assert counted.call("s3", name, {"Bucket": bucket, **given}).status == 200
        [sent] = counted.backend.raw.heads[before:]
        assert sent.startswith(b"GET /%b?list-type=2&max-keys=1 " % bucket.encode())
    counted.backend.answers = [LISTED]
    told = counted.call("s3", "GetBucketOwnershipControls", {"Bucket": bucket}).told
    assert told["OwnershipControls"]["Rules"] == [{"ObjectOwnership": PREFERRED}]


def test_what_a_backend_would_not_keep_is_refused(counted, bucket):
    key = {"Bucket": bucket, "Key": "a"}
    told = counted.call("s3", "PutObject", {**key, "ACL": "authenticated-read"})
    assert (told.status, told.sent) == (501, 0)
    assert counted.call("s3", "PutObject", {**key, "ACL": "private"}).status == 200


def test_until_acls_are_set_the_stricter_counts(counted, bucket):
    told = own_of(counted, bucket)
    somebody = {"Type": "CanonicalUser", "ID": "ab" * 32}
    grants = [*told["Grants"], {"Grantee": somebody, "Permission": "READ"}]
    held = Held(LISTED)
    counted.backend.answers = [held]
    given = {"Bucket": bucket, "AccessControlPolicy": {"Owner": told["Owner"], "Grants": grants}}
    setting = threading.Thread(target=counted.call, args=("s3", "PutBucketAcl", given))
    setting.start()
    try:
        assert held.asked.wait(30)
        enforced = counted.call("s3", "PutBucketOwnershipControls", {"Bucket": bucket, **controls(ENFORCED)})
        assert enforced.code == "InvalidBucketAclWithObjectOwnership"
        assert len(own_of(counted, bucket)["Grants"]) == 1
    finally:
        held.go.set()
        setting.join(30)
    assert own_of(counted, bucket)["Grants"] == grants


def test_a_bucket_that_was_not_made_here_has_no_acls(counted):
    counted.backend.answers = [LISTED]
    assert (
        counted.call("s3", "GetBucketOwnershipControls", {"Bucket": "found"}).code == "OwnershipControlsNotFoundError"
    )
    assert len(own_of(counted, "found")["Grants"]) == 1
    told = counted.call("s3", "PutBucketAcl", {"Bucket": "found", "ACL": "authenticated-read"})
    assert (told.code, told.sent) == ("AccessControlListNotSupported", 0)
    assert counted.call("s3", "PutObject", {"Bucket": "found", "Key": "a", "ACL": "private"}).status == 200
