"""Requests through S3's access points: by ARN and by alias, decided on the point and on its bucket, and sent to it.

AWS: S3 User Guide, "Configuring IAM policies for using access points", "Access points restrictions and limitations"
and "Access point compatibility".
"""

import boto3
import pytest
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, reads, to, user_of
from gateway.wire import Wire
from running import ACCOUNT, allow, deny, sent_to_the_address

POINT = f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/reports"
POINT_OBJECTS = f"{POINT}/object/*"
BUCKET, OBJECTS = "arn:aws:s3:::files", "arn:aws:s3:::files/*"
NAMED = {"AccountId": ACCOUNT, "Name": "reports"}
DELEGATED = policy(
    everybody(allow("s3:*", [BUCKET, OBJECTS], StringEquals={"s3:DataAccessPointAccount": ACCOUNT})),
)
OPEN = {
    "BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False,
}  # fmt: skip


def user_arn(name, account=ACCOUNT):
    return {"AWS": f"arn:aws:iam::{account}:user/{name}"}


@pytest.fixture
def s3(cloud):
    """The owner's client, with a bucket with ACLs that does not block public access, and an object in it."""
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files", ObjectOwnership="ObjectWriter")
    owner.delete_public_access_block(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"data")
    return owner


@pytest.fixture
def control(cloud, s3):
    return cloud.client("s3control")


@pytest.fixture
def alias(control):
    """The alias of the access point, which is made."""
    return control.create_access_point(**NAMED, Bucket="files")["Alias"]


@pytest.fixture
def wire(cloud):
    opened = Wire(cloud.server)
    yield opened
    opened.close()


def test_an_object_is_put_read_listed_and_deleted_by_arn_and_by_alias(s3, alias):
    for named in (POINT, alias):
        s3.put_object(Bucket=named, Key="dir/new", Body=b"data")
        assert reads(s3, "files", "dir/new")
        assert reads(s3, named, "dir/new")
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=named)["Contents"]] == ["a", "dir/new"]
        s3.head_object(Bucket=named, Key="dir/new")
        s3.delete_object(Bucket=named, Key="dir/new")
        assert code_of(s3.get_object, Bucket="files", Key="dir/new") == "NoSuchKey"


def test_a_request_is_decided_on_the_point_and_on_its_bucket(cloud, s3, alias):
    for named in (POINT, alias):
        answer = s3.get_object(Bucket=named, Key="a")
        told = cloud.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]
        assert [(one["Action"], one["Resource"]) for one in told] == [
            ("s3:GetObject", f"{POINT}/object/a"),
            ("s3:GetObject", f"{BUCKET}/a"),
        ]
        for one in told:
            assert one["Context"]["s3:dataaccesspointarn"] == [POINT]
            assert one["Context"]["s3:dataaccesspointaccount"] == [ACCOUNT]
            assert one["Context"]["s3:accesspointnetworkorigin"] == ["Internet"]


# One account.


def test_the_point_and_the_bucket_must_both_allow(cloud, s3, alias):
    user = cloud.client("s3", cloud.user("reader", allow("s3:GetObject", POINT_OBJECTS)))
    error = error_of(user.get_object, Bucket=POINT, Key="a")
    assert (error["Code"], f'on resource: "{BUCKET}/a"' in error["Message"]) == ("AccessDenied", True)
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    assert reads(user, POINT)
    assert reads(user, alias)
    assert not reads(user, "files")
    error = error_of(user.put_object, Bucket=POINT, Key="a")
    assert f's3:PutObject on resource: "{POINT}/object/a"' in error["Message"]


def test_the_policy_of_a_point_lets_in_whom_it_names(cloud, s3, control, alias):
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    jane, bob = cloud.client("s3", cloud.user("jane")), cloud.client("s3", cloud.user("bob"))
    control.put_access_point_policy(
        **NAMED, Policy=policy(to(user_arn("jane"), allow("s3:GetObject", f"{POINT}/object/Jane/*")))
    )
    s3.put_object(Bucket="files", Key="Jane/a", Body=b"data")
    assert reads(jane, POINT, "Jane/a")
    assert reads(jane, alias, "Jane/a")
    assert not reads(jane, POINT, "a")
    assert not reads(jane, "files", "Jane/a")
    assert not reads(bob, POINT, "Jane/a")
    control.delete_access_point_policy(**NAMED)
    assert not reads(jane, POINT, "Jane/a")


def test_a_deny_of_the_point_binds_requests_through_it_alone(s3, control, alias):
    control.put_access_point_policy(**NAMED, Policy=policy(everybody(deny("s3:GetObject", POINT_OBJECTS))))
    error = error_of(s3.get_object, Bucket=alias, Key="a")
    assert error["Message"].endswith(f'"{POINT}/object/a" with an explicit deny in a resource-based policy')
    assert reads(s3, "files")


def test_a_bucket_can_be_closed_to_all_but_its_points(s3, alias):
    only = {"StringNotEquals": {"s3:DataAccessPointArn": POINT}}
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(deny("s3:GetObject", OBJECTS, **only))))
    assert reads(s3, POINT)
    assert not reads(s3, "files")


def test_a_listing_is_decided_on_the_point_itself(cloud, s3, alias):
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    user = cloud.client("s3", cloud.user("lister", allow("s3:ListBucket", POINT, StringEquals={"s3:prefix": "a"})))
    assert [one["Key"] for one in user.list_objects_v2(Bucket=POINT, Prefix="a")["Contents"]] == ["a"]
    assert code_of(user.list_objects_v2, Bucket=POINT) == "AccessDenied"


def test_tags_of_an_object_decide_through_a_point(cloud, s3, control, alias):
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    tagged = {"StringEquals": {"s3:ExistingObjectTag/data": "finance"}}
    bob = cloud.client("s3", cloud.user("bob"))
    control.put_access_point_policy(
        **NAMED, Policy=policy(to(user_arn("bob"), allow("s3:GetObject", POINT_OBJECTS, **tagged)))
    )
    assert not reads(bob, POINT)
    tags = {"TagSet": [{"Key": "data", "Value": "finance"}]}
    s3.put_object_tagging(Bucket=POINT, Key="a", Tagging=tags)
    assert reads(bob, POINT)


def test_tags_of_a_point_decide_requests_through_it(cloud, s3, control):
    control.create_access_point(**NAMED, Bucket="files", Tags=[{"Key": "team", "Value": "red"}])
    blue = {"StringEquals": {"s3:AccessPointTag/team": "blue"}}
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    user = cloud.client("s3", cloud.user("blue", allow("s3:GetObject", POINT_OBJECTS, **blue)))
    assert not reads(user, POINT)
    control.tag_resource(AccountId=ACCOUNT, ResourceArn=POINT, Tags=[{"Key": "team", "Value": "blue"}])
    assert reads(user, POINT)
    control.delete_access_point(**NAMED)
    control.create_access_point(**NAMED, Bucket="files")
    assert not reads(user, POINT)


def test_a_missing_object_is_told_to_who_may_list_through_the_point(cloud, s3, alias):
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    blind = cloud.client("s3", cloud.user("blind", allow("s3:GetObject", POINT_OBJECTS)))
    seeing = cloud.client("s3", cloud.user("seeing", allow(["s3:GetObject", "s3:ListBucket"], [POINT, POINT_OBJECTS])))
    assert code_of(blind.get_object, Bucket=POINT, Key="none") == "AccessDenied"
    assert code_of(seeing.get_object, Bucket=POINT, Key="none") == "NoSuchKey"


def test_many_are_deleted_each_by_its_own_right(cloud, s3, alias):
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    for key in ("mine/a", "other/a"):
        s3.put_object(Bucket="files", Key=key)
    user = cloud.client("s3", cloud.user("cleaner", allow("s3:DeleteObject", f"{POINT}/object/mine/*")))
    told = user.delete_objects(Bucket=POINT, Delete={"Objects": [{"Key": "mine/a"}, {"Key": "other/a"}]})
    assert [one["Key"] for one in told["Deleted"]] == ["mine/a"]
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("other/a", "AccessDenied")]
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="files")["Contents"]] == ["a", "other/a"]


def test_what_is_copied_is_read_through_its_own_point(cloud, s3, control, alias):
    s3.create_bucket(Bucket="target")
    user = cloud.client("s3", cloud.user("copier", allow("s3:PutObject"), allow("s3:GetObject", [OBJECTS])))
    user.copy_object(Bucket="target", Key="plain", CopySource="files/a")
    for number, source in enumerate((f"{POINT}/object/a", f"{alias}/a")):
        assert code_of(user.copy_object, Bucket="target", Key="b", CopySource=source) == "AccessDenied"
        s3.copy_object(Bucket="target", Key=f"copy-{number}", CopySource=source)
        assert reads(s3, "target", f"copy-{number}")
    control.put_access_point_policy(**NAMED, Policy=policy(everybody(deny("s3:GetObject", POINT_OBJECTS))))
    # What is written goes through the point, what is read does not.
    s3.copy_object(Bucket=POINT, Key="within", CopySource="files/a")
    assert reads(s3, "files", "within")


def test_an_upload_in_parts_goes_through_a_point(s3, alias):
    for named in (POINT, alias):
        upload = {
            "Bucket": named,
            "Key": "whole",
            "UploadId": s3.create_multipart_upload(Bucket=named, Key="whole")["UploadId"],
        }
        first = s3.upload_part(**upload, PartNumber=1, Body=b"x" * 5_242_880)["ETag"]
        second = s3.upload_part_copy(**upload, PartNumber=2, CopySource=f"{alias}/a")["CopyPartResult"]["ETag"]
        assert [one["Size"] for one in s3.list_parts(**upload)["Parts"]] == [5_242_880, 4]
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in ((1, first), (2, second))]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert s3.head_object(Bucket="files", Key="whole")["ContentLength"] == 5_242_884
        aborted = s3.create_multipart_upload(Bucket=named, Key="whole")["UploadId"]
        assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=named)["Uploads"]] == [aborted]
        s3.abort_multipart_upload(Bucket=named, Key="whole", UploadId=aborted)


def test_what_is_read_of_the_bucket_is_read_through_a_point(s3, alias):
    assert s3.get_bucket_location(Bucket=alias)["LocationConstraint"] is None
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    assert s3.get_bucket_policy(Bucket=alias)["Policy"] == DELEGATED
    assert s3.list_object_versions(Bucket=POINT)["Versions"][0]["Key"] == "a"


def test_a_head_tells_whether_it_went_by_an_alias(s3, alias):
    assert s3.head_bucket(Bucket=alias)["AccessPointAlias"] is True
    assert s3.head_bucket(Bucket=POINT)["AccessPointAlias"] is False
    assert "AccessPointAlias" not in s3.head_bucket(Bucket="files")


def test_no_bucket_is_called_as_aliases_are(s3, alias):
    for name in (alias, "new-s3alias", "new--ol-s3", "new.mrap"):
        assert code_of(s3.create_bucket, Bucket=name) == "InvalidBucketName"


def test_a_presigned_url_goes_through_a_point(cloud, alias, wire):
    signing = cloud.client("s3", signature_version="s3v4")
    url = signing.generate_presigned_url("get_object", Params={"Bucket": alias, "Key": "a"})
    target = url.partition("//")[2].partition("/")[2]
    assert wire.send_unsigned("GET", f"/{target}", [("host", cloud.endpoint.removeprefix("http://"))]).body == b"data"


def test_the_event_names_the_point(cloud, s3, alias):
    s3.get_bucket_acl(Bucket=POINT)
    (event,) = cloud.events("GetBucketAcl")
    assert event["requestParameters"] == {"bucketName": POINT}


# Two accounts.


def test_another_account_needs_the_point_the_bucket_and_its_own_policy(cloud, s3, control, alias, other):
    credentials = user_of(cloud, other, "ann", allow("s3:GetObject", [POINT_OBJECTS, OBJECTS]))
    ann, without = cloud.client("s3", credentials), cloud.client("s3", user_of(cloud, other, "eve"))
    lets_in = policy(
        to({"AWS": [f"arn:aws:iam::{OTHER}:user/{name}" for name in ("ann", "eve")]}, allow("s3:*", POINT_OBJECTS))
    )
    assert not reads(ann, POINT)
    control.put_access_point_policy(**NAMED, Policy=lets_in)
    assert not reads(ann, POINT)
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    assert reads(ann, POINT)
    assert reads(ann, alias)
    assert not reads(ann, "files")
    assert not reads(without, POINT)
    control.delete_access_point_policy(**NAMED)
    assert not reads(ann, POINT)


def test_a_point_on_another_accounts_bucket_needs_that_buckets_policy(cloud, s3, other):
    theirs = cloud.client("s3control", other)
    made = {"AccountId": OTHER, "Name": "borrowed", "Bucket": "files"}
    assert code_of(theirs.create_access_point, **made) == "AccessDenied"
    theirs.create_access_point(**made, BucketAccountId=ACCOUNT)
    point = f"arn:aws:s3:us-east-1:{OTHER}:accesspoint/borrowed"
    root = cloud.client("s3", user_of(cloud, other, "root-like", allow("*")))
    assert not reads(root, point)
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    assert not reads(root, point)
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED.replace(f'"{ACCOUNT}"', f'"{OTHER}"'))
    assert reads(root, point)


def test_a_point_is_controlled_by_its_own_account_alone(cloud, control, alias, other):
    theirs = cloud.client("s3control", other)
    for call in (theirs.get_access_point, theirs.delete_access_point, theirs.get_access_point_policy):
        assert code_of(call, **NAMED) == "AccessDenied"


# Public access.


def test_a_public_policy_is_refused_unless_the_block_is_off(s3, control, alias):
    public = policy(everybody(allow("s3:GetObject", POINT_OBJECTS)))
    assert code_of(control.put_access_point_policy, **NAMED, Policy=public) == "AccessDenied"
    assert code_of(control.get_access_point_policy, **NAMED) == "NoSuchAccessPointPolicy"
    assert code_of(control.get_access_point_policy_status, **NAMED) == "NoSuchAccessPointPolicy"
    control.put_access_point_policy(
        **NAMED, Policy=policy(everybody(allow("s3:*", POINT_OBJECTS, StringEquals={"aws:PrincipalOrgID": "o-1"})))
    )
    assert control.get_access_point_policy_status(**NAMED)["PolicyStatus"]["IsPublic"] is False
    opened = {"AccountId": ACCOUNT, "Name": "opened"}
    control.create_access_point(**opened, Bucket="files", PublicAccessBlockConfiguration=OPEN)
    control.put_access_point_policy(**opened, Policy=public.replace("reports", "opened"))
    assert control.get_access_point_policy_status(**opened)["PolicyStatus"]["IsPublic"] is True


@pytest.mark.parametrize("restricts", [True, False])
def test_a_public_point_is_restricted_to_its_accounts(cloud, s3, control, other, restricts):
    block = {**OPEN, "RestrictPublicBuckets": restricts}
    control.create_access_point(**NAMED, Bucket="files", PublicAccessBlockConfiguration=block)
    control.put_access_point_policy(**NAMED, Policy=policy(everybody(allow("s3:GetObject", POINT_OBJECTS))))
    s3.put_bucket_policy(Bucket="files", Policy=DELEGATED)
    assert reads(cloud.client("s3", cloud.user("own")), POINT)
    stranger = cloud.client("s3", user_of(cloud, other, "ann", allow("*")))
    assert reads(stranger, POINT) is not restricts


@pytest.mark.parametrize(
    "given",
    [
        {"ACL": "public-read"},
        {"GrantRead": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'},
    ],
)
def test_public_acls_are_blocked_through_a_point(s3, control, alias, given):
    assert code_of(s3.put_object, Bucket=POINT, Key="b", **given) == "AccessDenied"
    assert code_of(s3.put_object_acl, Bucket=POINT, Key="a", **given) == "AccessDenied"
    s3.put_object(Bucket=POINT, Key="b", ACL="private")
    opened = control.create_access_point(
        AccountId=ACCOUNT, Name="opened", Bucket="files", PublicAccessBlockConfiguration=OPEN
    )
    s3.put_object(Bucket=opened["Alias"], Key="b", **given)


def test_a_public_grant_in_the_body_is_blocked_too(s3, alias):
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}
    grants = {
        "Owner": s3.get_bucket_acl(Bucket="files")["Owner"],
        "Grants": [{"Grantee": everyone, "Permission": "READ"}],
    }
    assert code_of(s3.put_object_acl, Bucket=alias, Key="a", AccessControlPolicy=grants) == "AccessDenied"


def test_nobody_unsigned_comes_through_a_point(cloud, s3, control, alias, wire):
    opened = {"AccountId": ACCOUNT, "Name": "opened"}
    made = control.create_access_point(**opened, Bucket="files", PublicAccessBlockConfiguration=OPEN)
    control.put_access_point_policy(
        **opened, Policy=policy(everybody(allow("s3:*", f"{POINT.replace('reports', 'opened')}/object/*")))
    )
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:*", [BUCKET, OBJECTS]))))
    host = ("host", f"opened-{ACCOUNT}.s3-accesspoint.us-east-1.amazonaws.com")
    assert wire.send_unsigned("GET", "/files/a", [("host", "localhost")]).body == b"data"
    assert wire.send_unsigned("GET", "/a", [host]).status == 403
    assert wire.send_unsigned("GET", f"/{made['Alias']}/a", [("host", "localhost")]).status == 403


# The life of a point.


def test_a_point_of_a_vpc_lets_in_nothing(cloud, s3, control):
    control.create_access_point(**NAMED, Bucket="files", VpcConfiguration={"VpcId": "vpc-1"})
    control.put_access_point_policy(**NAMED, Policy=policy(everybody(allow("s3:*", POINT_OBJECTS))))
    assert not reads(s3, POINT)
    assert control.get_access_point(**NAMED)["NetworkOrigin"] == "VPC"
    assert control.get_access_point_policy_status(**NAMED)["PolicyStatus"]["IsPublic"] is False


def test_the_origin_of_a_point_is_a_key_of_its_calls(cloud, s3, control, alias):
    vpc = {"StringEquals": {"s3:AccessPointNetworkOrigin": "VPC"}}
    user = cloud.client("s3control", cloud.user("careful", allow("s3:*"), deny("s3:DeleteAccessPoint", **vpc)))
    control.create_access_point(AccountId=ACCOUNT, Name="inner", Bucket="files", VpcConfiguration={"VpcId": "vpc-1"})
    assert code_of(user.delete_access_point, AccountId=ACCOUNT, Name="inner") == "AccessDenied"
    user.delete_access_point(**NAMED)


def test_a_deleted_point_is_gone_with_its_policy(s3, control, alias):
    control.put_access_point_policy(**NAMED, Policy=policy(everybody(deny("s3:*", POINT_OBJECTS))))
    control.delete_access_point(**NAMED)
    assert code_of(s3.get_object, Bucket=POINT, Key="a") == "NoSuchAccessPoint"
    assert code_of(s3.get_object, Bucket=alias, Key="a") == "InvalidAccessPointAliasError"
    s3.create_bucket(Bucket="second")
    s3.put_object(Bucket="second", Key="a", Body=b"data")
    control.create_access_point(**NAMED, Bucket="second")
    s3.delete_object(Bucket=POINT, Key="a")
    assert reads(s3, "files")


def test_a_bucket_goes_after_its_points(s3, control, alias):
    s3.delete_object(Bucket="files", Key="a")
    assert code_of(s3.delete_bucket, Bucket="files") == "BucketHasAccessPointsAttached"
    control.delete_access_point(**NAMED)
    s3.delete_bucket(Bucket="files")


def test_a_name_is_taken_once(s3, control, alias):
    assert code_of(control.create_access_point, **NAMED, Bucket="files") == "AccessPointAlreadyOwnedByYou"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Bucket": "nowhere"}, "InvalidRequest"),
        ({"Name": "-point"}, "InvalidRequest"),
        ({"Name": "x" * 51}, "InvalidRequest"),
        ({"Name": "point-s3alias"}, "InvalidRequest"),
        ({"Name": "point--use1-az4--xa-s3"}, "NotImplemented"),
        ({"Scope": {"Prefixes": ["a"]}}, "NotImplemented"),
    ],
)
def test_what_can_be_no_point_is_not_made(s3, control, given, code):
    assert code_of(control.create_access_point, **{**NAMED, "Bucket": "files", **given}) == code


@pytest.fixture
def far(cloud):
    """S3 Control in another Region."""
    key = cloud.server.administrator
    client = boto3.client(
        "s3control",
        endpoint_url=cloud.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )
    client.meta.events.register("before-send.s3-control", sent_to_the_address)
    yield client
    client.close()


def test_points_of_two_regions_are_two(s3, control, alias, far):
    s3.create_bucket(Bucket="far")
    told = far.create_access_point(**NAMED, Bucket="far")
    assert told["AccessPointArn"] == POINT.replace("us-east-1", "eu-west-1")
    assert [one["Bucket"] for one in far.list_access_points(AccountId=ACCOUNT)["AccessPointList"]] == ["far"]
    assert far.get_access_point(**NAMED)["Endpoints"]["ipv4"] == "s3-accesspoint.eu-west-1.amazonaws.com"
    far.delete_access_point(**NAMED)
    assert control.get_access_point(**NAMED)["Bucket"] == "files"
    assert reads(s3, POINT)
    assert code_of(s3.get_object, Bucket=told["Alias"], Key="a") == "InvalidAccessPointAliasError"
