"""S3 Block Public Access of buckets and of accounts: what each setting refuses, whoever asks.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage"; S3 API Reference, PutPublicAccessBlock. The words
of the denials are those that AWS's users have recorded.
"""

import itertools
import json
import threading

import pytest
from gateway.counting import Held, answer
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, reads, to, user_of
from gateway.wire import Wire
from running import ACCOUNT, allow

BUCKET, OBJECTS = "arn:aws:s3:::files", "arn:aws:s3:::files/*"
FILES, FILE = {"Bucket": "files"}, {"Bucket": "files", "Key": "a"}
NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PUBLIC = policy(everybody(allow("s3:GetObject", OBJECTS)))
EVERYONE = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
LEVELS = ("bucket", "account")
XML = "content-type: application/xml"
LISTED = answer(b"<ListBucketResult><Name>b</Name></ListBucketResult>", "200 OK", XML)
GONE = answer(b"<Error><Code>NoSuchBucket</Code></Error>", "404 Not Found", XML)
NUMBERS = itertools.count()


def settings(*on):
    return dict.fromkeys(NAMES, False) | dict.fromkeys(on, True)


def block(cloud, level, *on, credentials=None):
    if level == "account":
        client, given = cloud.client("s3control", credentials), {"AccountId": ACCOUNT}
    else:
        client, given = cloud.client("s3", credentials), FILES
    client.put_public_access_block(**given, PublicAccessBlockConfiguration=settings(*on))


def unblock(cloud, level):
    if level == "account":
        cloud.client("s3control").delete_public_access_block(AccountId=ACCOUNT)
    else:
        cloud.client("s3").delete_public_access_block(**FILES)


def block_of(call, **given):
    return call(**given)["PublicAccessBlockConfiguration"]


@pytest.fixture
def s3(cloud):
    """The owner's client, with an object in a bucket without a block, in which ACLs count."""
    owner = cloud.client("s3")
    owner.create_bucket(**FILES, ObjectOwnership="ObjectWriter")
    owner.delete_public_access_block(**FILES)
    owner.put_object(**FILE, Body=b"data")
    return owner


@pytest.fixture
def nobody(cloud):
    """Whether an unsigned request reads the object."""
    wire = Wire(cloud.server)
    yield lambda: wire.send_unsigned("GET", "/files/a", [("host", "localhost")]).status == 200
    wire.close()


# The settings.


def test_a_buckets_block_is_told_and_taken_away(s3):
    assert code_of(s3.get_public_access_block, **FILES) == "NoSuchPublicAccessBlockConfiguration"
    for on in itertools.chain([()], itertools.combinations(NAMES, 1), [NAMES]):
        s3.put_public_access_block(**FILES, PublicAccessBlockConfiguration=settings(*on))
        assert block_of(s3.get_public_access_block, **FILES) == settings(*on)
    # What is not named is off.
    s3.put_public_access_block(**FILES, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert block_of(s3.get_public_access_block, **FILES) == settings("IgnorePublicAcls")
    deleted = s3.delete_public_access_block(**FILES)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(s3.get_public_access_block, **FILES) == "NoSuchPublicAccessBlockConfiguration"


def test_an_accounts_block_is_told_and_taken_away(cloud, other):
    control, own = cloud.client("s3control"), {"AccountId": ACCOUNT}
    assert code_of(control.get_public_access_block, **own) == "NoSuchPublicAccessBlockConfiguration"
    control.put_public_access_block(**own, PublicAccessBlockConfiguration=settings("BlockPublicPolicy"))
    assert block_of(control.get_public_access_block, **own) == settings("BlockPublicPolicy")
    theirs = cloud.client("s3control", other)
    assert code_of(theirs.get_public_access_block, AccountId=OTHER) == "NoSuchPublicAccessBlockConfiguration"
    control.delete_public_access_block(**own)
    assert code_of(control.get_public_access_block, **own) == "NoSuchPublicAccessBlockConfiguration"


def test_what_is_no_bucket_has_no_block_and_leaves_nothing_behind(cloud, other):
    s3, none = cloud.client("s3"), {"Bucket": "none"}
    given = {**none, "PublicAccessBlockConfiguration": settings()}
    assert code_of(s3.put_public_access_block, **given) == "NoSuchBucket"
    assert code_of(s3.get_public_access_block, **none) == "NoSuchBucket"
    assert code_of(s3.delete_public_access_block, **none) == "NoSuchBucket"
    cloud.client("s3", other).create_bucket(**none)


def test_a_block_and_abac_do_not_undo_each_other(cloud, s3):
    block(cloud, "bucket", "BlockPublicPolicy")
    s3.put_bucket_abac(**FILES, AbacStatus={"Status": "Enabled"})
    assert block_of(s3.get_public_access_block, **FILES) == settings("BlockPublicPolicy")
    unblock(cloud, "bucket")
    assert s3.get_bucket_abac(**FILES)["AbacStatus"]["Status"] == "Enabled"


def test_a_new_bucket_blocks_all_public_access(cloud):
    """AWS: S3 User Guide, "Default settings for new S3 buckets FAQ"."""
    s3 = cloud.client("s3")
    s3.create_bucket(**FILES)
    assert block_of(s3.get_public_access_block, **FILES) == settings(*NAMES)
    assert code_of(s3.put_bucket_policy, **FILES, Policy=PUBLIC) == "AccessDenied"
    # AWS: nor has it ACLs, which comes first.
    assert code_of(s3.put_bucket_acl, **FILES, ACL="public-read") == "AccessControlListNotSupported"
    s3.put_bucket_ownership_controls(**FILES, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert code_of(s3.put_bucket_acl, **FILES, ACL="public-read") == "AccessDenied"
    block(cloud, "bucket", "IgnorePublicAcls")
    # Its owner makes it once more, and nothing changes (S3 API Reference, CreateBucket, of us-east-1).
    s3.create_bucket(**FILES)
    assert block_of(s3.get_public_access_block, **FILES) == settings("IgnorePublicAcls")
    s3.delete_bucket(**FILES)
    s3.create_bucket(**FILES)
    assert block_of(s3.get_public_access_block, **FILES) == settings(*NAMES)


# BlockPublicPolicy.


@pytest.mark.parametrize("level", LEVELS)
def test_a_public_policy_is_refused(cloud, s3, other, level):
    block(cloud, level, "BlockPublicPolicy")
    ann = cloud.client("s3", cloud.user("ann", allow("s3:*")))
    told = error_of(ann.put_bucket_policy, **FILES, Policy=PUBLIC)
    assert told["Code"] == "AccessDenied"
    assert told["Message"] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: s3:PutBucketPolicy on resource: "
        f'"{BUCKET}" because public policies are blocked by the BlockPublicPolicy block public access setting.'
    )
    assert code_of(s3.get_bucket_policy, **FILES) == "NoSuchBucketPolicy"
    assert code_of(s3.put_bucket_policy, **FILES, Policy=PUBLIC[:-1]) == "MalformedPolicy"
    s3.put_bucket_policy(**FILES, Policy=policy(to({"AWS": OTHER}, allow("s3:GetObject", OBJECTS))))
    unblock(cloud, level)
    s3.put_bucket_policy(**FILES, Policy=PUBLIC)


@pytest.mark.parametrize("others", list(itertools.combinations([n for n in NAMES if n != "BlockPublicPolicy"], 3)))
def test_other_settings_take_public_policies(cloud, s3, others):
    block(cloud, "bucket", *others)
    s3.put_bucket_policy(**FILES, Policy=PUBLIC)
    assert json.loads(s3.get_bucket_policy(**FILES)["Policy"]) == json.loads(PUBLIC)


def test_the_stricter_of_both_levels_counts(cloud, s3):
    block(cloud, "account", "BlockPublicPolicy")
    block(cloud, "bucket")
    assert code_of(s3.put_bucket_policy, **FILES, Policy=PUBLIC) == "AccessDenied"
    block(cloud, "account")
    block(cloud, "bucket", "BlockPublicPolicy")
    assert code_of(s3.put_bucket_policy, **FILES, Policy=PUBLIC) == "AccessDenied"


def test_an_accounts_block_is_not_anothers(cloud, s3, other):
    block(cloud, "account", *NAMES)
    theirs = cloud.client("s3", other)
    theirs.create_bucket(Bucket="theirs")
    theirs.delete_public_access_block(Bucket="theirs")
    public = PUBLIC.replace("files", "theirs")
    theirs.put_bucket_policy(Bucket="theirs", Policy=public)
    assert json.loads(theirs.get_bucket_policy(Bucket="theirs")["Policy"]) == json.loads(public)


@pytest.mark.parametrize(
    ("condition", "is_public"),
    [
        ({"ArnLike": {"s3:DataAccessPointArn": f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/*"}}, False),
        ({"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:*:accesspoint/*"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}, False),
        ({"StringLike": {"aws:SourceVpc": "vpc-*"}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}, True),
    ],
)
def test_what_is_public(cloud, s3, condition, is_public):
    block(cloud, "bucket", "BlockPublicPolicy")
    text = policy({**everybody(allow("s3:GetObject", OBJECTS)), "Condition": condition})
    if is_public:
        assert code_of(s3.put_bucket_policy, **FILES, Policy=text) == "AccessDenied"
    else:
        s3.put_bucket_policy(**FILES, Policy=text)


# RestrictPublicBuckets.


@pytest.mark.parametrize("level", LEVELS)
def test_a_public_bucket_is_left_to_its_own_account(cloud, s3, nobody, level, other):
    stranger = cloud.client("s3", user_of(cloud, other, "bob", allow("*")))
    own = cloud.client("s3", cloud.user("own"))
    named = to({"AWS": OTHER}, allow("s3:GetObject", OBJECTS))
    s3.put_bucket_policy(**FILES, Policy=policy(everybody(allow("s3:GetObject", OBJECTS)), named))
    assert (nobody(), reads(stranger), reads(own)) == (True, True, True)
    block(cloud, level, "RestrictPublicBuckets")
    # AWS: one public statement closes what the others give to other accounts.
    assert (nobody(), reads(stranger), reads(own)) == (False, False, True)
    assert error_of(stranger.get_object, **FILE)["Message"] == "Access Denied"
    copied = {"Bucket": "theirs", "Key": "a", "CopySource": FILE}
    stranger.create_bucket(Bucket="theirs")
    assert code_of(stranger.copy_object, **copied) == "AccessDenied"
    s3.put_bucket_policy(**FILES, Policy=policy(named))
    assert (nobody(), reads(stranger), reads(own)) == (False, True, False)
    s3.put_bucket_policy(**FILES, Policy=PUBLIC)
    unblock(cloud, level)
    assert (nobody(), reads(stranger), reads(own)) == (True, True, True)


def test_other_settings_restrict_nobody(cloud, s3, nobody):
    s3.put_bucket_policy(**FILES, Policy=PUBLIC)
    block(cloud, "bucket", *(name for name in NAMES if name != "RestrictPublicBuckets"))
    assert nobody()


def test_keys_of_a_public_bucket_are_not_deleted_one_by_one_either(cloud, s3, other):
    s3.put_bucket_policy(**FILES, Policy=policy(everybody(allow("s3:*", [BUCKET, OBJECTS]))))
    block(cloud, "account", "RestrictPublicBuckets")
    stranger = cloud.client("s3", other)
    told = stranger.delete_objects(**FILES, Delete={"Objects": [{"Key": "a"}]})
    assert [one["Code"] for one in told["Errors"]] == ["AccessDenied"]
    assert reads(s3)


def test_who_asks_beforehand_is_told_of_the_restriction(cloud, s3, other):
    stranger = user_of(cloud, other, "bob", allow("*"))
    s3.put_bucket_policy(**FILES, Policy=PUBLIC)
    arn = cloud.client("sts", stranger).get_caller_identity()["Arn"]
    given = {"PrincipalArn": arn, "Action": "s3:GetObject", "ResourceArn": f"{BUCKET}/a"}
    assert cloud.iamd("Can", other, **given)["Allowed"] is True
    block(cloud, "account", "RestrictPublicBuckets")
    assert cloud.iamd("Can", other, **given)["Allowed"] is False
    own = {**given, "PrincipalArn": cloud.client("sts").get_caller_identity()["Arn"]}
    assert cloud.iamd("Can", **own)["Allowed"] is True


# ACLs.


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("given", [{"ACL": "public-read"}, {"ACL": "authenticated-read"}, {"GrantRead": EVERYONE}])
def test_public_acls_are_refused(cloud, s3, level, given):
    block(cloud, level, "BlockPublicAcls")
    for call, parameters in (
        (s3.put_bucket_acl, FILES),
        (s3.put_object_acl, FILE),
        (s3.put_object, FILE),
        (s3.copy_object, {**FILES, "Key": "b", "CopySource": FILE}),
        (s3.create_multipart_upload, FILE),
    ):
        assert code_of(call, **parameters, **given) == "AccessDenied", call
    s3.put_object(**FILE, ACL="private", Body=b"data")
    unblock(cloud, level)
    s3.put_object_acl(**FILE, **given)


def test_a_public_acl_is_refused_in_awss_words(cloud, s3):
    block(cloud, "bucket", "BlockPublicAcls")
    ann = cloud.client("s3", cloud.user("ann", allow("s3:*")))
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}
    owner = s3.get_bucket_acl(**FILES)["Owner"]
    grants = {"Owner": owner, "Grants": [{"Grantee": everyone, "Permission": "READ"}]}
    for call, action, given, arn in (
        (ann.put_bucket_acl, "PutBucketAcl", FILES, BUCKET),
        (ann.put_object_acl, "PutObjectAcl", FILE, f"{BUCKET}/a"),
    ):
        assert error_of(call, **given, AccessControlPolicy=grants)["Message"] == (
            f'User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: s3:{action} on resource: "{arn}" '
            "because public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting."
        )


def test_no_bucket_is_made_with_a_public_acl(cloud):
    s3 = cloud.client("s3")
    told = error_of(s3.create_bucket, Bucket="open", ACL="public-read", ObjectOwnership="ObjectWriter")
    assert told["Code"] == "InvalidBucketAclWithBlockPublicAccessError"
    s3.create_bucket(Bucket="open", ACL="private")


def test_who_may_not_is_told_nothing_of_the_block(cloud, s3):
    block(cloud, "bucket", *NAMES)
    ann = cloud.client("s3", cloud.user("ann"))
    assert "no identity-based policy allows" in error_of(ann.put_bucket_policy, **FILES, Policy=PUBLIC)["Message"]
    assert code_of(ann.put_public_access_block, **FILES, PublicAccessBlockConfiguration=settings()) == "AccessDenied"
    assert code_of(ann.delete_public_access_block, **FILES) == "AccessDenied"
    assert code_of(s3.put_bucket_policy, **FILES, Policy=PUBLIC) == "AccessDenied"


# Access points.


@pytest.mark.parametrize("level", LEVELS)
def test_access_points_are_under_the_blocks_of_their_bucket_and_account(cloud, s3, level, other):
    control, point = cloud.client("s3control"), f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/reports"
    named = {"AccountId": ACCOUNT, "Name": "reports"}
    control.create_access_point(**named, **FILES, PublicAccessBlockConfiguration=settings())
    delegated = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    s3.put_bucket_policy(**FILES, Policy=policy({**everybody(allow("s3:*", OBJECTS)), "Condition": delegated}))
    public = policy(everybody(allow("s3:*", f"{point}/object/*")))
    control.put_access_point_policy(**named, Policy=public)
    stranger = cloud.client("s3", user_of(cloud, other, "bob", allow("*")))
    through = {"Bucket": point, "Key": "a"}
    assert stranger.get_object(**through)["Body"].read() == b"data"
    block(cloud, level, "RestrictPublicBuckets")
    assert code_of(stranger.get_object, **through) == "AccessDenied"
    assert s3.get_object(**through)["Body"].read() == b"data"
    block(cloud, level, "BlockPublicPolicy", "BlockPublicAcls")
    assert code_of(control.put_access_point_policy, **named, Policy=public) == "AccessDenied"
    assert code_of(s3.put_object, **through, ACL="public-read") == "AccessDenied"


def test_an_access_point_of_ones_own_opens_no_restricted_bucket(cloud, s3, other):
    s3.put_bucket_policy(**FILES, Policy=policy(everybody(allow("s3:*", [BUCKET, OBJECTS]))))
    named = {"AccountId": OTHER, "Name": "own", **FILES, "BucketAccountId": ACCOUNT}
    cloud.client("s3control", other).create_access_point(**named, PublicAccessBlockConfiguration=settings())
    through = {"Bucket": f"arn:aws:s3:us-east-1:{OTHER}:accesspoint/own", "Key": "a"}
    assert cloud.client("s3", other).get_object(**through)["Body"].read() == b"data"
    block(cloud, "bucket", "RestrictPublicBuckets")
    assert code_of(cloud.client("s3", other).get_object, **through) == "AccessDenied"


def test_a_restricted_bucket_is_closed_to_other_accounts_by_s3_control_too(cloud, s3, other):
    s3.put_bucket_policy(**FILES, Policy=policy(everybody(allow("s3:*", [BUCKET, OBJECTS]))))
    listing = cloud.client("s3control", other).list_tags_for_resource
    given = {"AccountId": ACCOUNT, "ResourceArn": BUCKET}
    assert listing(**given)["Tags"] == []
    block(cloud, "bucket", "RestrictPublicBuckets")
    assert code_of(listing, **given) == "AccessDenied"


# What is not settled.


@pytest.fixture
def bucket(counted):
    """A bucket without a block at a backend that only counts."""
    name = f"blocked-{next(NUMBERS)}"
    # Other tests share the account.
    assert counted.call("s3control", "DeletePublicAccessBlock", {"AccountId": ACCOUNT}).status == 200
    assert counted.call("s3", "CreateBucket", {"Bucket": name}).status == 200
    assert put_block(counted, name).status == 200
    yield name
    counted.backend.answers = []


def put_block(counted, bucket, *on, told=LISTED):
    counted.backend.answers = [told]
    given = {"Bucket": bucket, "PublicAccessBlockConfiguration": settings(*on)}
    return counted.call("s3", "PutPublicAccessBlock", given)


def put_policy(counted, bucket):
    return counted.call("s3", "PutBucketPolicy", {"Bucket": bucket, "Policy": PUBLIC.replace("files", bucket)})


def block_at(counted, bucket):
    counted.backend.answers = [LISTED]
    return counted.call("s3", "GetPublicAccessBlock", {"Bucket": bucket}).told["PublicAccessBlockConfiguration"]


def test_until_a_block_is_set_the_stricter_counts(counted, bucket):
    assert put_policy(counted, bucket).status == 200
    held = Held(LISTED)
    setting = threading.Thread(target=put_block, args=(counted, bucket, "BlockPublicPolicy"), kwargs={"told": held})
    setting.start()
    try:
        assert held.asked.wait(30)
        assert put_policy(counted, bucket).code == "AccessDenied"
    finally:
        held.go.set()
        setting.join(30)
    assert block_at(counted, bucket) == settings("BlockPublicPolicy")


@pytest.mark.parametrize("told", [GONE, answer(b"", "500 Internal Server Error")])
def test_a_block_that_could_not_be_set_stays_as_it_was(counted, bucket, told):
    put_block(counted, bucket, "BlockPublicPolicy")
    assert put_block(counted, bucket, told=told).status in {404, 503}
    assert block_at(counted, bucket) == settings("BlockPublicPolicy")
    assert put_policy(counted, bucket).code == "AccessDenied"


def test_a_backend_is_sent_no_block(counted, bucket):
    before = len(counted.backend.raw.heads)
    put_block(counted, bucket, *NAMES)
    [sent] = counted.backend.raw.heads[before:]
    assert sent.startswith(b"GET /%b?list-type=2&max-keys=1 " % bucket.encode())
