"""S3's ACLs where a bucket has any: whom each lets do what, and what objects of other accounts are open to.

AWS: S3 User Guide, "Access control list (ACL) overview", "How Amazon S3 authorizes a request for an object operation",
"Controlling ownership of objects and disabling ACLs for your bucket" and "Blocking public access to your Amazon S3
storage".
"""

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, reads, to, user_of
from gateway.wire import Wire
from running import allow, deny

FILES, FILE = {"Bucket": "files"}, {"Bucket": "files", "Key": "a"}
BUCKET, OBJECTS = "arn:aws:s3:::files", "arn:aws:s3:::files/*"
GROUPS = "http://acs.amazonaws.com/groups/global/"
EVERYONE, SIGNED = f'uri="{GROUPS}AllUsers"', f'uri="{GROUPS}AuthenticatedUsers"'
PREFERRED, WRITER = "BucketOwnerPreferred", "ObjectWriter"
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def set_ownership(s3, setting):
    s3.put_bucket_ownership_controls(**FILES, OwnershipControls={"Rules": [{"ObjectOwnership": setting}]})


def id_of(client):
    return client.list_buckets()["Owner"]["ID"]


def grant_to(client):
    return f'id="{id_of(client)}"'


def does(call, **given):
    """Whether a call is allowed."""
    try:
        call(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException", "403"}:
            raise
        return False
    return True


@pytest.fixture
def s3(cloud):
    """The owner's client, with an object in a bucket with ACLs and without a block."""
    owner = cloud.client("s3")
    owner.create_bucket(**FILES, ObjectOwnership=WRITER)
    owner.delete_public_access_block(**FILES)
    owner.put_object(**FILE, Body=b"data")
    return owner


@pytest.fixture
def theirs(cloud, other):
    """A client of another account that may do everything there."""
    return cloud.client("s3", other)


@pytest.fixture
def bare(cloud, other):
    """A client of the other account that may do nothing there."""
    return cloud.client("s3", user_of(cloud, other, "bare"))


@pytest.fixture
def wire(cloud):
    wire = Wire(cloud.server)
    yield wire
    wire.close()


@pytest.fixture
def nobody(wire):
    """Whether an unsigned request is answered well."""

    def asks(method="GET", target="/files/a"):
        reply = wire.send_unsigned(method, target, [("host", "localhost")])
        assert reply.status in {200, 204, 403}, reply
        return reply.status != 403

    return asks


# Canned ACLs.


@pytest.mark.parametrize(
    ("canned", "theirs_reads", "nobody_reads"),
    [
        ("private", False, False),
        ("public-read", True, True),
        ("public-read-write", True, True),
        ("authenticated-read", True, False),
        ("aws-exec-read", False, False),
        ("bucket-owner-read", False, False),
        ("bucket-owner-full-control", False, False),
    ],
)
def test_what_each_canned_acl_of_an_object_lets_others_read(
    s3, theirs, bare, nobody, canned, theirs_reads, nobody_reads
):
    for give in (s3.put_object_acl, s3.put_object):
        given = {"Body": b"data"} if give == s3.put_object else {}
        give(**FILE, ACL=canned, **given)
        assert (reads(theirs), nobody()) == (theirs_reads, nobody_reads)
        # What is given to an account is the account's to hand on.
        assert not reads(bare)
        assert reads(s3)
        assert not does(theirs.get_object_acl, **FILE)
        assert not does(theirs.put_object_acl, **FILE, ACL="public-read")
        assert not does(theirs.list_objects_v2, **FILES)


@pytest.mark.parametrize(
    ("canned", "theirs_may", "nobody_may"),
    [
        ("private", (False, False), (False, False)),
        ("public-read", (True, False), (True, False)),
        ("public-read-write", (True, True), (True, True)),
        ("authenticated-read", (True, False), (False, False)),
        ("aws-exec-read", (False, False), (False, False)),
        ("bucket-owner-read", (False, False), (False, False)),
        ("bucket-owner-full-control", (False, False), (False, False)),
        ("log-delivery-write", (False, False), (False, False)),
    ],
)
def test_what_each_canned_acl_of_a_bucket_lets_others_do(s3, theirs, bare, nobody, canned, theirs_may, nobody_may):
    s3.put_bucket_acl(**FILES, ACL=canned)
    assert (does(theirs.list_objects_v2, **FILES), does(theirs.put_object, **FILES, Key="b")) == theirs_may
    assert (nobody("GET", "/files"), nobody("PUT", "/files/c")) == nobody_may
    assert not does(bare.list_objects_v2, **FILES)
    assert not does(bare.put_object, **FILES, Key="d")
    # A bucket's ACL opens no object in it, and not itself.
    assert not reads(theirs)
    assert not does(theirs.get_bucket_acl, **FILES)
    assert not does(theirs.put_bucket_acl, **FILES, ACL="public-read")
    assert not does(theirs.delete_object, **FILE)
    told = s3.get_bucket_acl(**FILES)
    assert told["Owner"]["ID"] == id_of(s3)
    given = {"private": 1, "public-read": 2, "authenticated-read": 2, "public-read-write": 3, "log-delivery-write": 3}
    assert len(told["Grants"]) == given.get(canned, 1)


# Permissions.


@pytest.mark.parametrize(
    ("header", "may"),
    [
        ("GrantRead", {"list", "versions", "uploads"}),
        ("GrantWrite", {"put"}),
        ("GrantReadACP", {"get acl"}),
        ("GrantWriteACP", {"put acl"}),
        ("GrantFullControl", {"list", "versions", "uploads", "put", "get acl", "put acl"}),
    ],
)
def test_what_each_permission_on_a_bucket_allows(s3, theirs, header, may):
    given = {header: grant_to(theirs)}
    s3.put_bucket_acl(**FILES, **given)
    calls = {
        "list": (theirs.list_objects_v2, {}),
        "versions": (theirs.list_object_versions, {}),
        "uploads": (theirs.list_multipart_uploads, {}),
        "put": (theirs.put_object, {"Key": "b"}),
        "get acl": (theirs.get_bucket_acl, {}),
        "read": (theirs.get_object, {"Key": "a"}),
        "tags": (theirs.get_bucket_tagging, {}),
        "delete": (theirs.delete_object, {"Key": "a"}),
        "put acl": (theirs.put_bucket_acl, given),
    }
    assert {name for name, (call, more) in calls.items() if does(call, **FILES, **more)} == may


@pytest.mark.parametrize(
    ("header", "may"),
    [
        ("GrantRead", {"get", "head"}),
        ("GrantReadACP", {"get acl"}),
        ("GrantWriteACP", {"put acl"}),
        ("GrantFullControl", {"get", "head", "get acl", "put acl"}),
    ],
)
def test_what_each_permission_on_an_object_allows(s3, theirs, header, may):
    given = {header: grant_to(theirs)}
    s3.put_object_acl(**FILE, **given)
    calls = {
        "get": (theirs.get_object, {}),
        "head": (theirs.head_object, {}),
        "get acl": (theirs.get_object_acl, {}),
        "attributes": (theirs.get_object_attributes, {"ObjectAttributes": ["ETag"]}),
        "tags": (theirs.get_object_tagging, {}),
        "put": (theirs.put_object, {}),
        "delete": (theirs.delete_object, {}),
        "put acl": (theirs.put_object_acl, given),
    }
    assert {name for name, (call, more) in calls.items() if does(call, **FILE, **more)} == may


def test_a_body_names_accounts_and_groups(s3, theirs, nobody):
    own = s3.get_object_acl(**FILE)
    them = {"Grantee": {"Type": "CanonicalUser", "ID": id_of(theirs)}, "Permission": "READ"}
    everyone = {"Grantee": {"Type": "Group", "URI": f"{GROUPS}AllUsers"}, "Permission": "READ_ACP"}
    grants = [*own["Grants"], them, everyone]
    s3.put_object_acl(**FILE, AccessControlPolicy={"Owner": own["Owner"], "Grants": grants})
    assert s3.get_object_acl(**FILE)["Grants"] == grants
    assert (reads(theirs), nobody(), nobody("GET", "/files/a?acl")) == (True, False, True)


def test_an_acl_has_a_hundred_grants(s3, theirs):
    own = s3.get_object_acl(**FILE)["Owner"]
    ids = [id_of(theirs), *(f"{number:064x}" for number in range(99))]
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": one}, "Permission": "READ"} for one in ids]
    s3.put_object_acl(**FILE, AccessControlPolicy={"Owner": own, "Grants": grants})
    assert s3.get_object_acl(**FILE)["Grants"] == grants
    assert reads(theirs)


def test_an_explicit_deny_wins_anywhere(cloud, s3, theirs, other, nobody):
    s3.put_object_acl(**FILE, ACL="public-read")
    s3.put_bucket_policy(**FILES, Policy=policy(everybody(deny("s3:GetObject", OBJECTS))))
    assert (reads(theirs), nobody()) == (False, False)
    s3.delete_bucket_policy(**FILES)
    denied = cloud.client("s3", user_of(cloud, other, "bob", allow("*"), deny("s3:GetObject")))
    assert (reads(theirs), nobody(), reads(denied)) == (True, True, False)


def test_a_users_policy_narrows_what_an_acl_gives_to_its_account(cloud, s3, other):
    s3.put_object_acl(**FILE, ACL="authenticated-read")
    s3.put_object(**FILES, Key="b", Body=b"data", ACL="authenticated-read")
    ann = cloud.client("s3", user_of(cloud, other, "ann", allow("s3:GetObject", f"{BUCKET}/a")))
    assert (reads(ann), reads(ann, key="b")) == (True, False)
    # In the owner's account too.
    own = cloud.client("s3", cloud.user("own"))
    assert not reads(own)


def test_versions_and_copies_have_acls_of_their_own(s3, theirs):
    s3.put_bucket_versioning(**FILES, VersioningConfiguration={"Status": "Enabled"})
    opened = s3.put_object(**FILE, Body=b"data", ACL="public-read")["VersionId"]
    closed = s3.put_object(**FILE, Body=b"data")["VersionId"]
    assert not reads(theirs)
    assert does(theirs.get_object, **FILE, VersionId=opened)
    assert not does(theirs.get_object, **FILE, VersionId=closed)
    s3.put_object_acl(**FILE, VersionId=closed, ACL="public-read")
    s3.put_object_acl(**FILE, VersionId=opened, ACL="private")
    assert reads(theirs)
    assert not does(theirs.get_object, **FILE, VersionId=opened)
    theirs.create_bucket(Bucket="theirs")
    copied = {"Bucket": "theirs", "Key": "b"}
    assert not does(theirs.copy_object, **copied, CopySource={**FILE, "VersionId": opened})
    assert does(theirs.copy_object, **copied, CopySource={**FILE, "VersionId": closed})
    # AWS: an ACL is not copied.
    s3.copy_object(**FILES, Key="c", CopySource=FILE)
    assert not reads(theirs, key="c")


def test_an_upload_in_parts_has_the_acl_that_it_began_with(s3, theirs):
    upload = s3.create_multipart_upload(**FILE, ACL="public-read")["UploadId"]
    etag = s3.upload_part(**FILE, UploadId=upload, PartNumber=1, Body=b"data")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    assert not reads(theirs)
    s3.complete_multipart_upload(**FILE, UploadId=upload, MultipartUpload=parts)
    assert reads(theirs)


# What is another account's.


@pytest.fixture
def shared(s3, theirs):
    """A bucket that the other account may write into, and whose own account may do all."""
    s3.put_bucket_policy(
        **FILES, Policy=policy(to({"AWS": OTHER}, allow(["s3:PutObject", "s3:PutObjectAcl"], OBJECTS)))
    )
    return s3


def test_what_another_account_writes_is_its_own(cloud, shared, theirs, bare):
    theirs.put_object(**FILE, Body=b"data")
    assert (reads(shared), reads(theirs), reads(bare)) == (False, True, False)
    assert error_of(shared.get_object, **FILE)["Message"] == "Access Denied"
    root = cloud.client("s3")
    for call in (root.head_object, root.get_object_acl):
        assert not does(call, **FILE)
    assert not does(shared.put_object_acl, **FILE, ACL="private")
    assert not does(shared.copy_object, **FILES, Key="b", CopySource=FILE)
    # Nothing of the bucket's opens it; its owner does.
    rules = [everybody(allow("s3:GetObject", OBJECTS)), to({"AWS": OTHER}, allow("s3:PutObject*", OBJECTS))]
    shared.put_bucket_policy(**FILES, Policy=policy(*rules))
    assert not reads(shared)
    theirs.put_object_acl(**FILE, GrantRead=grant_to(shared))
    assert reads(shared)
    assert not reads(cloud.client("s3", cloud.user("own")))
    assert theirs.get_object_acl(**FILE)["Owner"]["ID"] == id_of(theirs)


def test_a_buckets_owner_can_deny_and_delete_what_is_anothers(shared, theirs):
    theirs.put_object(**FILE, Body=b"data")
    rules = [everybody(deny("s3:GetObject", OBJECTS)), to({"AWS": OTHER}, allow("s3:PutObject", OBJECTS))]
    shared.put_bucket_policy(**FILES, Policy=policy(*rules))
    assert not reads(theirs)
    shared.delete_object(**FILE)
    # What is written then is the writer's.
    shared.delete_bucket_policy(**FILES)
    shared.put_object(**FILE, Body=b"data")
    assert (reads(shared), reads(theirs)) == (True, False)


@pytest.mark.parametrize(
    ("setting", "acl", "owner_reads", "writer_reads"),
    [
        (WRITER, None, False, True),
        (WRITER, "bucket-owner-read", True, True),
        (WRITER, "bucket-owner-full-control", True, True),
        (PREFERRED, None, False, True),
        (PREFERRED, "bucket-owner-read", True, True),
        (PREFERRED, "bucket-owner-full-control", True, False),
        ("BucketOwnerEnforced", None, True, False),
        ("BucketOwnerEnforced", "bucket-owner-full-control", True, False),
    ],
)
def test_whose_an_object_is(shared, theirs, setting, acl, owner_reads, writer_reads):
    set_ownership(shared, setting)
    theirs.put_object(**FILE, Body=b"data", **({"ACL": acl} if acl else {}))
    assert (reads(shared), reads(theirs)) == (owner_reads, writer_reads)
    if owner_reads:
        full = {"bucket-owner-read": False}.get(acl, True)
        assert does(shared.get_object_acl, **FILE) is full


def test_disabling_acls_hands_all_over_and_enabling_them_hands_it_back(shared, theirs):
    theirs.put_object(**FILE, Body=b"data")
    set_ownership(shared, "BucketOwnerEnforced")
    assert (reads(shared), reads(theirs)) == (True, False)
    assert shared.get_object_acl(**FILE)["Owner"]["ID"] == id_of(shared)
    shared.put_object_acl(**FILE, ACL="bucket-owner-full-control")
    set_ownership(shared, WRITER)
    assert (reads(shared), reads(theirs)) == (False, True)


def test_write_on_a_bucket_does_not_reach_what_others_have_there(s3, theirs):
    s3.put_bucket_acl(**FILES, GrantWrite=grant_to(theirs))
    assert not does(theirs.put_object, **FILE)
    assert not does(theirs.delete_object, **FILE)
    for _ in range(2):
        theirs.put_object(**FILES, Key="b", Body=b"data", ACL="bucket-owner-full-control")
    assert reads(s3, key="b")
    theirs.delete_object(**FILES, Key="b")
    assert code_of(s3.get_object, **FILES, Key="b") == "NoSuchKey"


def test_what_nobody_signed_for_is_nobodys(s3, theirs, nobody):
    s3.put_bucket_acl(**FILES, ACL="public-read-write")
    assert nobody("PUT", "/files/b")
    assert not nobody("GET", "/files/b")
    assert not does(s3.get_object, **FILES, Key="b")
    assert not does(theirs.get_object, **FILES, Key="b")
    s3.delete_object(**FILES, Key="b")
    assert not nobody("PUT", "/files/a")


# Blocks of public access.


def test_public_acls_are_ignored_where_that_is_set(cloud, s3, theirs, nobody):
    s3.put_object_acl(**FILE, GrantRead=f"{EVERYONE}, {SIGNED}", GrantFullControl=grant_to(s3))
    s3.put_object(**FILES, Key="b", Body=b"data", GrantRead=grant_to(theirs))
    s3.put_bucket_acl(**FILES, ACL="public-read")
    assert (reads(theirs), nobody(), nobody("GET", "/files")) == (True, True, True)
    settings = dict.fromkeys(NAMES, False) | {"IgnorePublicAcls": True}
    s3.put_public_access_block(**FILES, PublicAccessBlockConfiguration=settings)
    assert (reads(theirs), nobody(), nobody("GET", "/files")) == (False, False, False)
    assert reads(theirs, key="b")
    # AWS: what is in force is told.
    assert (len(s3.get_object_acl(**FILE)["Grants"]), len(s3.get_bucket_acl(**FILES)["Grants"])) == (1, 1)
    s3.delete_public_access_block(**FILES)
    assert nobody()
    control, account = cloud.client("s3control"), cloud.account_id
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=settings)
    assert (reads(theirs), nobody()) == (False, False)


def test_restricting_a_public_bucket_is_about_its_policy(s3, nobody):
    s3.put_object_acl(**FILE, ACL="public-read")
    settings = dict.fromkeys(NAMES, False) | {"RestrictPublicBuckets": True}
    s3.put_public_access_block(**FILES, PublicAccessBlockConfiguration=settings)
    assert nobody()


# What is no ACL.


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"ACL": "open"}, "InvalidArgument", ""),
        ({"GrantRead": "id=x"}, "InvalidArgument", "Invalid id"),
        ({"GrantRead": 'uri="http://example.com/"'}, "InvalidArgument", "Invalid group uri"),
        ({"GrantRead": "AllUsers"}, "InvalidArgument", "Argument format not recognized"),
        ({"GrantRead": f"{EVERYONE} {SIGNED}"}, "InvalidArgument", "Argument format not recognized"),
        (
            {"GrantRead": 'emailAddress="a@example.com"'},
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ),
        (
            {"GrantRead": EVERYONE, "ACL": "private"},
            "InvalidRequest",
            "Specifying both Canned ACLs and Header Grants is not allowed",
        ),
    ],
)
def test_what_is_no_acl_is_refused(s3, given, code, message):
    for call, named in ((s3.put_bucket_acl, FILES), (s3.put_object_acl, FILE), (s3.put_object, FILE)):
        told = error_of(call, **named, **given)
        assert (told["Code"], told.get("Message") or "") == (code, message)


def test_bodies_that_are_no_acl_are_refused(s3, theirs):
    own = s3.get_bucket_acl(**FILES)["Owner"]

    def refused(owner, *grants, **more):
        return code_of(s3.put_bucket_acl, **FILES, AccessControlPolicy={"Owner": owner, "Grants": list(grants)}, **more)

    grantee = {"Type": "CanonicalUser", "ID": own["ID"]}
    assert refused({"ID": id_of(theirs)}) == "AccessDenied"
    assert refused(own, {"Grantee": grantee, "Permission": "ALL"}) == "MalformedACLError"
    assert refused(own, {"Grantee": {"Type": "CanonicalUser"}, "Permission": "READ"}) == "MalformedACLError"
    assert refused(own, *[{"Grantee": grantee, "Permission": "READ"}] * 101) == "MalformedACLError"
    by_mail = {"Type": "AmazonCustomerByEmail", "EmailAddress": "a@example.com"}
    assert refused(own, {"Grantee": by_mail, "Permission": "READ"}) == "MethodNotAllowed"
    assert refused(own, {"Grantee": grantee, "Permission": "READ"}, GrantRead=EVERYONE) == "UnexpectedContent"
    assert code_of(s3.put_bucket_acl, **FILES) == "MissingSecurityHeader"


def test_who_asks_beforehand_is_told_of_a_buckets_acl(cloud, s3, other, theirs):
    user = user_of(cloud, other, "bob", allow("*"))
    arn = cloud.client("sts", user).get_caller_identity()["Arn"]
    given = {"PrincipalArn": arn, "Action": "s3:ListBucket", "ResourceArn": BUCKET}
    assert cloud.iamd("Can", other, **given)["Allowed"] is False
    s3.put_bucket_acl(**FILES, GrantRead=grant_to(theirs))
    assert cloud.iamd("Can", other, **given)["Allowed"] is True
    assert cloud.iamd("Can", other, **given | {"Action": "s3:PutBucketAcl"})["Allowed"] is False


# What other services read for their callers.


@pytest.fixture
def publish(cloud):
    """Whether a layer can be made of the object, which Lambda reads with its caller's permissions."""

    def asks(client, **more):
        content = {"S3Bucket": FILES["Bucket"], "S3Key": FILE["Key"], **more}
        return does(client.publish_layer_version, LayerName="lay", Content=content)

    return asks


def test_what_a_service_reads_for_its_caller_is_open_as_its_owner_says(cloud, shared, theirs, publish):
    """AWS: Lambda API Reference, LayerVersionContentInput; the caller's own permissions on S3 are asked for."""
    root = cloud.client("lambda")
    may = cloud.client("lambda", cloud.user("may", allow(["lambda:*", "s3:GetObject*"])))
    may_not = cloud.client("lambda", cloud.user("may-not", allow("lambda:*")))
    shared.put_object(**FILE, Body=EMPTY_ZIP)
    assert (publish(root), publish(may), publish(may_not)) == (True, True, False)
    shared.delete_object(**FILE)
    theirs.put_object(**FILE, Body=EMPTY_ZIP)
    assert (publish(root), publish(may)) == (False, False)
    theirs.put_object_acl(**FILE, GrantRead=grant_to(shared))
    assert (publish(root), publish(may), publish(may_not)) == (True, True, False)
    rules = [to({"AWS": OTHER}, allow("s3:PutObject*", OBJECTS)), everybody(deny("s3:GetObject", OBJECTS))]
    shared.put_bucket_policy(**FILES, Policy=policy(*rules))
    assert not publish(may)


def test_whose_a_version_is_that_a_service_reads_is_not_known(cloud, s3, publish):
    s3.put_bucket_versioning(**FILES, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(**FILE, Body=EMPTY_ZIP)["VersionId"]
    assert not publish(cloud.client("lambda"), S3ObjectVersion=version)
    set_ownership(s3, "BucketOwnerEnforced")
    assert publish(cloud.client("lambda"), S3ObjectVersion=version)
