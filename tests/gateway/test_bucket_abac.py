"""Access by the tags of buckets that have ABAC, and of no others.

AWS: S3 User Guide, "Enabling ABAC in general purpose buckets" (buckets-tagging-enable-abac) and "Using tags with S3
general purpose buckets" (buckets-tagging); Service Authorization Reference, list_amazons3: `aws:ResourceTag` and
`s3:BucketTag` are keys of buckets and of objects.
"""

import threading

import pytest
from gateway.counting import Held, answer
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, reads, user_of
from running import ACCOUNT, allow, deny

FILES, OBJECTS = "arn:aws:s3:::files", "arn:aws:s3:::files/*"
FILE = {"Bucket": "files", "Key": "a"}
OWN = {"AccountId": ACCOUNT, "ResourceArn": FILES}
KEYS = ("aws:ResourceTag/team", "s3:BucketTag/team")
XML = "content-type: application/xml"


def when(statement, operator, key, value):
    return {**statement, "Condition": {operator: {key: value}}}


def red(statement, key="aws:ResourceTag/team"):
    return when(statement, "StringEquals", key, "red")


def enable(s3, status="Enabled", bucket="files"):
    return s3.put_bucket_abac(Bucket=bucket, AbacStatus={"Status": status})


def tag(cloud, credentials=None, **tags):
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return cloud.client("s3control", credentials).tag_resource(**OWN, Tags=listed)


def tags_of(cloud, credentials=None):
    told = cloud.client("s3control", credentials).list_tags_for_resource(**OWN)
    return {one["Key"]: one["Value"] for one in told["Tags"]}


def status_of(s3, bucket="files"):
    return s3.get_bucket_abac(Bucket=bucket)["AbacStatus"]["Status"]


@pytest.fixture
def s3(cloud):
    """The owner's client, with a bucket of team red that does not block public access, and an object in it."""
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.delete_public_access_block(Bucket="files")
    owner.put_object(**FILE, Body=b"data")
    tag(cloud, team="red")
    return owner


# The fact.


def test_a_bucket_has_no_abac_until_it_is_enabled_and_after_it_is_disabled(s3):
    assert status_of(s3) == "Disabled"
    assert enable(s3)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert status_of(s3) == "Enabled"
    enable(s3)
    enable(s3, "Disabled")
    assert status_of(s3) == "Disabled"


def test_a_bucket_that_is_made_anew_has_no_abac(s3):
    enable(s3)
    s3.delete_object(**FILE)
    s3.delete_bucket(Bucket="files")
    assert code_of(s3.get_bucket_abac, Bucket="files") == "NoSuchBucket"
    s3.create_bucket(Bucket="files")
    assert status_of(s3) == "Disabled"


def test_what_is_no_bucket_has_none_and_leaves_nothing_behind(cloud):
    s3 = cloud.client("s3")
    status = {"Status": "Enabled"}
    assert code_of(s3.put_bucket_abac, Bucket="none", AbacStatus=status) == "NoSuchBucket"
    assert code_of(s3.get_bucket_abac, Bucket="none") == "NoSuchBucket"
    s3.create_bucket(Bucket="none")
    assert status_of(s3, "none") == "Disabled"
    # Nothing is unsettled either.
    s3.put_bucket_tagging(Bucket="none", Tagging={"TagSet": []})


@pytest.mark.parametrize("status", [{"Status": "On"}, {"Status": ""}, {}])
def test_what_is_no_status_is_refused(s3, status):
    enable(s3)
    assert code_of(s3.put_bucket_abac, Bucket="files", AbacStatus=status) == "MalformedXML"
    assert status_of(s3) == "Enabled"


def test_abac_is_decided_by_its_own_actions_and_recorded(cloud, s3):
    reader = cloud.client("s3", cloud.user("reader", allow("s3:GetBucketAbac", FILES)))
    assert status_of(reader) == "Disabled"
    told = error_of(reader.put_bucket_abac, Bucket="files", AbacStatus={"Status": "Enabled"})
    assert (told["Code"], "s3:PutBucketAbac" in told["Message"]) == ("AccessDenied", True)
    writer = cloud.client("s3", cloud.user("writer", allow("s3:PutBucketABAC", FILES)))
    request = enable(writer)["ResponseMetadata"]["RequestId"]
    explained = cloud.explain(request)
    assert (explained["EventName"], explained["Decisions"][0]["Resource"]) == ("PutBucketAbac", FILES)
    assert code_of(writer.get_bucket_abac, Bucket="files") == "AccessDenied"


def test_another_owner_than_is_expected_is_refused(s3):
    given = {"Bucket": "files", "ExpectedBucketOwner": OTHER}
    assert code_of(s3.put_bucket_abac, **given, AbacStatus={"Status": "Enabled"}) == "AccessDenied"
    assert code_of(s3.get_bucket_abac, **given) == "AccessDenied"
    assert status_of(s3) == "Disabled"


# Decisions.


@pytest.mark.parametrize("key", KEYS)
def test_tags_allow_with_abac_alone(cloud, s3, key):
    user = cloud.user("user", red(allow("s3:*"), key))
    calls = cloud.client("s3", user)
    assert not reads(cloud.client("s3", user))
    enable(s3)
    assert reads(cloud.client("s3", user))
    assert calls.list_objects_v2(Bucket="files")["KeyCount"] == 1
    assert calls.put_object(**{**FILE, "Key": "b"}, Body=b"x")["ETag"]
    assert calls.copy_object(Bucket="files", Key="c", CopySource=FILE)["CopyObjectResult"]
    enable(s3, "Disabled")
    assert not reads(cloud.client("s3", user))
    assert code_of(calls.list_objects_v2, Bucket="files") == "AccessDenied"


@pytest.mark.parametrize("key", KEYS)
def test_tags_deny_with_abac_alone(cloud, s3, key):
    user = cloud.user("user", allow("s3:*"), red(deny("s3:*"), key))
    assert reads(cloud.client("s3", user))
    enable(s3)
    told = error_of(cloud.client("s3", user).get_object, **FILE)
    assert told["Message"].endswith("with an explicit deny in an identity-based policy")
    assert code_of(cloud.client("s3", user).list_objects_v2, Bucket="files") == "AccessDenied"
    assert code_of(cloud.client("s3", user).delete_bucket, Bucket="files") == "AccessDenied"
    tag(cloud, team="blue")
    assert reads(cloud.client("s3", user))
    enable(s3, "Disabled")
    tag(cloud, team="red")
    assert reads(cloud.client("s3", user))


@pytest.mark.parametrize(
    ("operator", "value", "open_to"),
    [
        ("StringNotEquals", "red", {"blue", None}),
        ("Null", "true", {None}),
        ("StringEqualsIfExists", "red", {"red", None}),
    ],
)
def test_a_bucket_without_the_tag_is_one_without_the_key(cloud, s3, operator, value, open_to):
    user = cloud.user("user", when(allow("s3:GetObject"), operator, "aws:ResourceTag/team", value))
    enable(s3)
    for team in ("red", "blue", None):
        if team is None:
            cloud.client("s3control").untag_resource(**OWN, TagKeys=["team"])
        else:
            tag(cloud, team=team)
        assert reads(cloud.client("s3", user)) is (team in open_to)


def test_the_callers_own_tag_is_compared(cloud, s3):
    user = cloud.user("user", when(allow("s3:*"), "StringEquals", "s3:BucketTag/team", "${aws:PrincipalTag/team}"))
    enable(s3)
    for team in ("blue", "red"):
        cloud.client("iam").tag_user(UserName="user", Tags=[{"Key": "team", "Value": team}])
        assert reads(cloud.client("s3", user)) is (team == "red")


def test_a_changed_tag_counts_from_the_next_request_on(cloud, s3):
    user = cloud.user("user", red(allow("s3:GetObject")))
    enable(s3)
    for team in ("red", "blue", "red"):
        tag(cloud, team=team)
        assert reads(cloud.client("s3", user)) is (team == "red")
    cloud.client("s3control").untag_resource(**OWN, TagKeys=["team"])
    assert not reads(cloud.client("s3", user))


def test_the_tags_of_a_bucket_and_of_an_object_count_together(cloud, s3):
    condition = {"StringEquals": {"s3:BucketTag/team": "red", "s3:ExistingObjectTag/kind": "plain"}}
    user = cloud.user("user", {**allow("s3:GetObject"), "Condition": condition})
    enable(s3)
    assert not reads(cloud.client("s3", user))
    s3.put_object_tagging(**FILE, Tagging={"TagSet": [{"Key": "kind", "Value": "plain"}]})
    assert reads(cloud.client("s3", user))
    tag(cloud, team="blue")
    assert not reads(cloud.client("s3", user))


def test_an_objects_own_tags_are_not_its_buckets(cloud, s3):
    user = cloud.user("user", when(allow("s3:GetObject"), "StringEquals", "aws:ResourceTag/kind", "plain"))
    s3.put_object_tagging(**FILE, Tagging={"TagSet": [{"Key": "kind", "Value": "plain"}]})
    enable(s3)
    assert not reads(cloud.client("s3", user))


def test_a_copy_is_decided_by_the_tags_of_both_buckets(cloud, s3):
    s3.create_bucket(Bucket="other")
    s3.put_object(Bucket="other", Key="a", Body=b"data")
    enable(s3)
    enable(s3, bucket="other")
    user = cloud.client("s3", cloud.user("user", red(allow("s3:*"))))
    assert code_of(user.copy_object, Bucket="other", Key="b", CopySource=FILE) == "AccessDenied"
    assert code_of(user.copy_object, Bucket="files", Key="b", CopySource={**FILE, "Bucket": "other"}) == "AccessDenied"
    assert user.copy_object(Bucket="files", Key="b", CopySource=FILE)["CopyObjectResult"]


def test_several_objects_are_deleted_by_their_buckets_tags(cloud, s3):
    user = cloud.client("s3", cloud.user("user", red(allow("s3:DeleteObject"))))
    objects = {"Objects": [{"Key": key} for key in ("a", "b")]}
    enable(s3)
    tag(cloud, team="blue")
    told = user.delete_objects(Bucket="files", Delete=objects)
    assert [one["Code"] for one in told["Errors"]] == ["AccessDenied"] * 2
    tag(cloud, team="red")
    assert len(user.delete_objects(Bucket="files", Delete=objects)["Deleted"]) == 2


def test_who_may_list_by_the_buckets_tags_is_told_what_is_not_there(cloud, s3):
    user = cloud.user("user", allow("s3:GetObject"), red(allow("s3:ListBucket")))
    get = cloud.client("s3", user).get_object
    assert code_of(get, Bucket="files", Key="none") == "AccessDenied"
    enable(s3)
    assert code_of(get, Bucket="files", Key="none") == "NoSuchKey"


def test_a_bucket_policy_may_name_the_buckets_own_tags(cloud, s3):
    s3.put_bucket_policy(Bucket="files", Policy=policy(red(everybody(allow("s3:GetObject", OBJECTS)), KEYS[1])))
    nobody = cloud.user("nobody")
    assert not reads(cloud.client("s3", nobody))
    enable(s3)
    assert reads(cloud.client("s3", nobody))


def test_the_tags_of_another_accounts_bucket_count(cloud, other, s3):
    guest = user_of(cloud, other, "guest", red(allow("s3:*")))
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:*", [FILES, OBJECTS]))))
    assert not reads(cloud.client("s3", guest))
    enable(s3)
    assert reads(cloud.client("s3", guest))
    tag(cloud, guest, more="x")
    assert tags_of(cloud, guest) == {"team": "red", "more": "x"}
    tag(cloud, team="blue")
    assert not reads(cloud.client("s3", guest))
    assert code_of(cloud.client("s3control", guest).list_tags_for_resource, **OWN) == "AccessDenied"


def test_abac_itself_is_decided_by_the_tags_that_are_there(cloud, s3):
    user = cloud.client("s3", cloud.user("user", allow("s3:PutBucketAbac"), red(deny("s3:PutBucketAbac"))))
    enable(user)
    assert code_of(user.put_bucket_abac, Bucket="files", AbacStatus={"Status": "Disabled"}) == "AccessDenied"
    tag(cloud, team="blue")
    enable(user, "Disabled")


def test_the_explanation_shows_the_tags(cloud, s3):
    enable(s3)
    told = cloud.client("s3", cloud.user("user", red(allow("s3:*")))).get_object(**FILE)
    [decided] = cloud.explain(told["ResponseMetadata"]["RequestId"])["Decisions"]
    assert [decided["Context"][key.lower()] for key in KEYS] == [["red"], ["red"]]


# Tagging.


def test_tags_are_added_changed_listed_and_removed_by_s3_control(cloud, s3):
    control = cloud.client("s3control")
    assert tag(cloud, kind="plain", team="blue")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags_of(cloud) == {"team": "blue", "kind": "plain"}
    assert control.untag_resource(**OWN, TagKeys=["team", "none"])["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket="files")["TagSet"] == [{"Key": "kind", "Value": "plain"}]
    control.untag_resource(**OWN, TagKeys=["kind"])
    assert tags_of(cloud) == {}
    assert code_of(s3.get_bucket_tagging, Bucket="files") == "NoSuchTagSet"


def test_with_abac_tags_are_set_by_s3_control_alone(cloud, s3):
    tagging = {"TagSet": [{"Key": "team", "Value": "blue"}]}
    s3.put_bucket_tagging(Bucket="files", Tagging=tagging)
    enable(s3)
    told = error_of(s3.put_bucket_tagging, Bucket="files", Tagging={"TagSet": [{"Key": "team", "Value": "green"}]})
    assert (told["Code"], "initiate a TagResource request" in told["Message"]) == ("BadRequest", True)
    told = error_of(s3.delete_bucket_tagging, Bucket="files")
    assert (told["Code"], "initiate an UntagResource request" in told["Message"]) == ("BadRequest", True)
    assert s3.get_bucket_tagging(Bucket="files")["TagSet"] == tagging["TagSet"]
    tag(cloud, team="green")
    assert tags_of(cloud) == {"team": "green"}
    enable(s3, "Disabled")
    s3.delete_bucket_tagging(Bucket="files")
    assert tags_of(cloud) == {}


def test_tagging_is_decided_by_its_own_actions_and_by_the_tags_given(cloud, s3):
    tagger = cloud.user("tagger", when(allow("s3:TagResource", FILES), "StringEquals", "aws:RequestTag/team", "blue"))
    told = error_of(cloud.client("s3control", tagger).tag_resource, **OWN, Tags=[{"Key": "team", "Value": "red"}])
    assert (told["Code"], "s3:TagResource" in told["Message"]) == ("AccessDenied", True)
    assert tag(cloud, tagger, team="blue")
    control = cloud.client("s3control", tagger)
    assert code_of(control.untag_resource, **OWN, TagKeys=["team"]) == "AccessDenied"
    assert code_of(control.list_tags_for_resource, **OWN) == "AccessDenied"
    assert tags_of(cloud) == {"team": "blue"}
    keys = when(allow("s3:UntagResource", FILES), "ForAllValues:StringEquals", "aws:TagKeys", "kind")
    control = cloud.client("s3control", cloud.user("untagger", keys))
    assert code_of(control.untag_resource, **OWN, TagKeys=["team"]) == "AccessDenied"
    assert control.untag_resource(**OWN, TagKeys=["kind"])


def test_who_has_a_bucket_by_its_tag_cannot_tag_another(cloud, s3):
    enable(s3)
    user = cloud.user("user", red(allow("s3:TagResource")))
    assert tag(cloud, user, kind="plain")
    tag(cloud, team="blue")
    control = cloud.client("s3control", user)
    assert code_of(control.tag_resource, **OWN, Tags=[{"Key": "team", "Value": "red"}]) == "AccessDenied"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([("aws:team", "red")], "InvalidTag"),
        ([("team", "red"), ("team", "blue")], "InvalidTag"),
        ([("te<m", "red")], "InvalidTag"),
        ([("team", "r\ted")], "InvalidTag"),
        ([(f"key-{number}", "") for number in range(50)], "BadRequest"),
    ],
    ids=["of AWS", "twice", "key", "value", "many"],
)
def test_tags_that_a_bucket_cannot_have_are_refused(cloud, s3, tags, code):
    control = cloud.client("s3control")
    listed = [{"Key": key, "Value": value} for key, value in tags]
    assert code_of(control.tag_resource, **OWN, Tags=listed) == code
    assert tags_of(cloud) == {"team": "red"}
    if len(tags) < 50:
        made = {"Bucket": "made", "CreateBucketConfiguration": {"Tags": listed}}
        assert code_of(s3.create_bucket, **made) == code
        assert code_of(s3.head_bucket, Bucket="made") == "404"


def test_what_is_no_bucket_has_no_tags(cloud):
    none = {"AccountId": ACCOUNT, "ResourceArn": "arn:aws:s3:::none"}
    control = cloud.client("s3control")
    assert code_of(control.list_tags_for_resource, **none) == "NoSuchBucket"
    assert code_of(control.tag_resource, **none, Tags=[{"Key": "a", "Value": "b"}]) == "NoSuchBucket"
    assert code_of(control.untag_resource, **none, TagKeys=["a"]) == "NoSuchBucket"


def test_the_account_is_the_buckets_owner(cloud, other, s3):
    strange = {**OWN, "AccountId": OTHER}
    assert code_of(cloud.client("s3control").list_tags_for_resource, **strange) == "AccessDenied"
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:*", FILES))))
    assert code_of(cloud.client("s3control", other).list_tags_for_resource, **strange) == "AccessDenied"
    assert tags_of(cloud, other) == {"team": "red"}


def test_a_bucket_is_made_with_its_tags(cloud):
    maker = cloud.user(
        "maker", when(allow(["s3:CreateBucket", "s3:TagResource"]), "StringEquals", "aws:RequestTag/team", "red")
    )
    make = cloud.client("s3", maker).create_bucket
    assert code_of(make, Bucket="files") == "AccessDenied"
    for team in ("blue", "red"):
        given = {"Bucket": "files", "CreateBucketConfiguration": {"Tags": [{"Key": "team", "Value": team}]}}
        if team == "red":
            assert make(**given)["Location"] == "/files"
        else:
            assert code_of(make, **given) == "AccessDenied"
    assert tags_of(cloud) == {"team": "red"}
    enable(cloud.client("s3"))
    user = cloud.user("user", red(allow("s3:ListBucket")))
    assert cloud.client("s3", user).list_objects_v2(Bucket="files")["KeyCount"] == 0


def test_tags_set_at_once_are_all_kept(cloud, s3):
    names = [f"key-{number}" for number in range(8)]
    threads = [threading.Thread(target=tag, args=(cloud,), kwargs={name: "x"}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert tags_of(cloud).keys() == {"team", *names}


def test_tags_of_an_access_point_decide_without_abac(cloud, s3):
    """Access points have ABAC always (S3 User Guide, "Using tags with S3 general purpose buckets")."""
    control, tags = cloud.client("s3control"), [{"Key": "team", "Value": "red"}]
    tagged, plain = ({"AccountId": ACCOUNT, "Name": name} for name in ("tagged", "plain"))
    control.create_access_point(**tagged, Bucket="files", Tags=tags)
    control.create_access_point(**plain, Bucket="files")
    user = cloud.client("s3control", cloud.user("user", allow("s3:*"), red(deny("s3:DeleteAccessPoint"))))
    assert code_of(user.delete_access_point, **tagged) == "AccessDenied"
    user.delete_access_point(**plain)


# Before a backend at a URL.

LISTED = answer(b"<ListBucketResult><Name>b</Name></ListBucketResult>", "200 OK", XML)
TAGS = answer(b"<Tagging><TagSet><Tag><Key>team</Key><Value>red</Value></Tag></TagSet></Tagging>", "200 OK", XML)
UNTOLD = [
    pytest.param(answer(b"", "501 Not Implemented"), id="it does not know the operation"),
    pytest.param(answer(b"<Error><Code>AccessDenied</Code></Error>", "403 Forbidden", XML), id="it refuses"),
    pytest.param(answer(b"", "503 Service Unavailable"), id="it is down"),
    pytest.param(answer(b"<html></html>", "200 OK", XML), id="it answers something else"),
    pytest.param(None, id="it breaks off"),
]
NUMBERS = iter(range(1000))


@pytest.fixture
def bucket(counted):
    """A bucket with ABAC before a backend that is told what to say."""
    name = f"abac-{next(NUMBERS)}"
    assert counted.call("s3", "CreateBucket", {"Bucket": name}).status == 200
    assert put_abac(counted, name).status == 200
    return name


def put_abac(counted, bucket, *told, status="Enabled"):
    counted.backend.answers = list(told) or [LISTED]
    outcome = counted.call("s3", "PutBucketAbac", {"Bucket": bucket, "AbacStatus": {"Status": status}})
    counted.backend.answers = []
    return outcome


def abac_of(counted, bucket):
    counted.backend.answers = [LISTED]
    return counted.call("s3", "GetBucketAbac", {"Bucket": bucket}).told["AbacStatus"]["Status"]


def read(counted, bucket, user, *told):
    counted.backend.answers = list(told)
    outcome = counted.call("s3", "GetObject", {"Bucket": bucket, "Key": "k"}, user)
    counted.backend.answers = []
    return outcome


@pytest.mark.parametrize("told", UNTOLD)
def test_a_deny_holds_and_an_allow_does_not_while_the_tags_are_not_told(counted, bucket, told):
    # A read whose kept connection closes is sent once more.
    told = [told, told] if told is None else [told]
    shut = counted.user("abac-shut", allow("s3:*"), red(deny("s3:*")))
    opened = counted.user("abac-opened", red(allow("s3:*")))
    for user, words in ((shut, "with an explicit deny"), (opened, "no identity-based policy allows")):
        refused = read(counted, bucket, user, *told)
        assert (refused.status, refused.code, words in refused.message) == (403, "AccessDenied", True)
        assert refused.decisions[0]["UnknownKeys"] == ["aws:resourcetag/team"]
    assert read(counted, bucket, opened, TAGS).status == 200
    assert read(counted, bucket, shut, TAGS).status == 403


def test_nothing_is_asked_where_nothing_rests_on_the_tags(counted, bucket):
    plain = counted.user("abac-plain", allow("s3:*"), red(deny("s3:PutObject")))
    before = len(counted.backend.raw.heads)
    assert read(counted, bucket, plain).status == 200
    assert len(counted.backend.raw.heads) == before + 1
    assert counted.backend.raw.heads[-1].startswith(b"GET /%b/k " % bucket.encode())


def test_neither_setting_nor_reading_abac_is_forwarded(counted, bucket):
    before = len(counted.backend.raw.heads)
    put_abac(counted, bucket)
    assert abac_of(counted, bucket) == "Enabled"
    sent = counted.backend.raw.heads[before:]
    assert len(sent) == 2
    assert all(head.startswith(b"GET /%b?list-type=2&max-keys=1 " % bucket.encode()) for head in sent)


@pytest.mark.parametrize("told", UNTOLD)
def test_abac_that_could_not_be_set_stays_as_it_was(counted, bucket, told):
    told = [told, told] if told is None else [told]
    assert put_abac(counted, bucket, *told, status="Disabled").status == 503
    assert abac_of(counted, bucket) == "Enabled"


def test_while_abac_is_being_set_the_tags_may_count_or_not(counted):
    name = f"abac-{next(NUMBERS)}"
    counted.call("s3", "CreateBucket", {"Bucket": name})
    shut = counted.user("abac-shut", allow("s3:*"), red(deny("s3:*")))
    opened = counted.user("abac-opened", red(allow("s3:*")))
    assert read(counted, name, shut).status == 200
    held = Held(LISTED)
    setting = threading.Thread(target=put_abac, args=(counted, name, held))
    setting.start()
    assert held.asked.wait(30)
    try:
        for user in (shut, opened):
            refused = read(counted, name, user)
            assert (refused.status, refused.sent, refused.decisions[0]["UnknownKeys"]) == (
                403,
                0,
                ["aws:resourcetag/team"],
            )
        tagging = {"Bucket": name, "Tagging": {"TagSet": []}}
        assert counted.call("s3", "PutBucketTagging", tagging).code == "OperationAborted"
    finally:
        held.go.set()
        setting.join(30)
    assert read(counted, name, shut, TAGS).status == 403
    assert read(counted, name, opened, TAGS).status == 200


def test_tags_go_to_a_backend_that_knows_no_s3_control(counted, bucket):
    given = {"AccountId": ACCOUNT, "ResourceArn": f"arn:aws:s3:::{bucket}"}
    counted.backend.answers = [TAGS]
    told = counted.call("s3control", "TagResource", {**given, "Tags": [{"Key": "kind", "Value": "a b"}]})
    assert (told.status, told.asked) == (204, [("s3:TagResource", given["ResourceArn"])])
    head, body = counted.backend.last
    assert head.startswith(b"PUT /%b?tagging " % bucket.encode())
    assert b"content-md5: " in head.lower()
    assert b"<Key>team</Key><Value>red</Value>" in body
    assert b"<Key>kind</Key><Value>a b</Value>" in body


@pytest.mark.parametrize("told", UNTOLD)
def test_tags_that_could_not_be_read_are_not_written(counted, bucket, told):
    given = {"AccountId": ACCOUNT, "ResourceArn": f"arn:aws:s3:::{bucket}", "Tags": [{"Key": "kind", "Value": "a"}]}
    counted.backend.answers = [told, told] if told is None else [told]
    assert counted.call("s3control", "TagResource", given).status == 503
    assert counted.backend.last[0].startswith(b"GET ")


def test_a_bucket_whose_tags_could_not_be_set_is_not_told_to_be_made(counted):
    tags = [{"Key": "team", "Value": "red"}]
    counted.backend.answers = [answer(b""), answer(b"", "501 Not Implemented")]
    given = {"Bucket": f"abac-{next(NUMBERS)}", "CreateBucketConfiguration": {"Tags": tags}}
    told = counted.call("s3", "CreateBucket", given)
    assert (told.status, "its tags could not be set" in told.message) == (503, True)
