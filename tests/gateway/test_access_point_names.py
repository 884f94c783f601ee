"""Nothing that a client writes of access points reaches another bucket than was decided, or any when it is denied."""

import pytest
from gateway.condition_keys import Caller, refused
from gateway.counting import answer
from gateway.parameters import ACCOUNT, REGION
from gateway.two_accounts import OTHER, everybody, policy
from running import allow, deny

from iamd.auth.identity import ANONYMOUS
from iamd.authz.target import Target
from iamd.errors import CommonError
from iamd.gateway import access_points
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import Point, Through
from iamd.gateway.resources import Facts
from iamd.store.account import Snapshot
from iamd.store.records import Resource
from iamd.wire.models import service

POINT = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/names"
OTHER_POINT = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/else"
ALIAS, OTHER_ALIAS = "names-abcdef0123456789-s3alias", "else-abcdef0123456789-s3alias"
HOST = f"names-{ACCOUNT}.s3-accesspoint.{REGION}.amazonaws.com"
BUCKETS = {"names": ("behind", ALIAS), "else": ("elsewhere", OTHER_ALIAS)}


@pytest.fixture(scope="module")
def pointed(counted):
    """The cloud with two access points on two buckets of its backend."""
    for name, (bucket, alias) in BUCKETS.items():
        told = f"<CreateAccessPointResult><Alias>{alias}</Alias></CreateAccessPointResult>".encode()
        counted.backend.answers.append(answer(told))
        made = counted.call("s3control", "CreateAccessPoint", {"AccountId": ACCOUNT, "Name": name, "Bucket": bucket})
        assert made.code in {"", "AccessPointAlreadyOwnedByYou"}
        if made.code:
            counted.backend.answers.clear()
    return counted


def line(counted):
    """The first line of what the backend got last."""
    return counted.backend.last[0].split(b"\r\n")[0].decode()


def copied(counted):
    head = counted.backend.last[0].lower()
    return head.partition(b"x-amz-copy-source: ")[2].split(b"\r\n")[0].decode()


WAYS = [
    (HOST, "/dir/key", "/behind/dir/key"),
    (f"names-{ACCOUNT}.s3-accesspoint-fips.dualstack.{REGION}.amazonaws.com", "/dir/key", "/behind/dir/key"),
    (f"names-{ACCOUNT}.127.0.0.1:4566", "/dir/key", "/behind/dir/key"),
    (f"names-{ACCOUNT}.localhost:4566", "/dir/key", "/behind/dir/key"),
    (f"names-{ACCOUNT}.iamd.internal", "/dir/key", "/behind/dir/key"),
    (f"NAMES-{ACCOUNT}.localhost", "/dir/key", "/behind/dir/key"),
    (f"{ALIAS}.s3.{REGION}.amazonaws.com", "/dir/key", "/behind/dir/key"),
    (None, f"/{ALIAS}/dir/key", "/behind/dir/key"),
    (None, f"/%6eames{ALIAS.removeprefix('names')}/dir/key", "/behind/dir/key"),
    (f"names-{ACCOUNT}.accesspoint.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", "/a", "/behind/a"),
    (HOST, "/elsewhere/key", "/behind/elsewhere/key"),
    (HOST, f"/{OTHER_ALIAS}/key", f"/behind/{OTHER_ALIAS}/key"),
    (None, f"/{ALIAS}/{OTHER_ALIAS}/key", f"/behind/{OTHER_ALIAS}/key"),
    (HOST, "/a%2Fb", "/behind/a%2Fb"),
    (HOST, "//key", "/behind//key"),
    (None, f"/{ALIAS}//key", "/behind//key"),
]


@pytest.mark.parametrize(("host", "target", "sent"), WAYS)
def test_a_point_is_its_bucket_however_it_is_named(pointed, host, target, sent):
    reply = pointed.wire.send("s3", "GET", target, host=host)
    key = sent.removeprefix("/behind/").replace("%2F", "/")
    asked = [("s3:GetObject", f"{POINT}/object/{key}"), ("s3:GetObject", f"arn:aws:s3:::behind/{key}")]
    assert (reply.status, pointed.asked_by(reply)) == (200, asked)
    assert line(pointed) == f"GET {sent} HTTP/1.1"


NOWHERE = [
    (f"none-{ACCOUNT}.localhost", "/behind/key", 404, b"NoSuchAccessPoint"),
    ("names-111122223333.localhost", "/behind/key", 404, b"NoSuchAccessPoint"),
    (f"names-{ACCOUNT}.s3-accesspoint.eu-west-1.amazonaws.com", "/behind/key", 403, b"SignatureDoesNotMatch"),
    ("x.s3-accesspoint.us-east-1.amazonaws.com", "/behind/key", 400, b"InvalidAccessPoint<"),
    (f"a.names-{ACCOUNT}.s3-accesspoint.us-east-1.amazonaws.com", "/behind/key", 400, b"InvalidAccessPoint<"),
    ("x.accesspoint.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", "/behind/key", 400, b"InvalidAccessPoint<"),
    (f"names-{ACCOUNT}.s3-object-lambda.us-east-1.amazonaws.com", "/behind/key", 501, b"NotImplemented"),
    ("name.accesspoint.s3-global.amazonaws.com", "/behind/key", 501, b"NotImplemented"),
    (None, "/none-abcdef-s3alias/key", 400, b"InvalidAccessPointAliasError"),
    (None, f"/{ALIAS}%2Fkey-s3alias", 400, b"InvalidAccessPointAliasError"),
    (None, "/name--ol-s3/key", 501, b"NotImplemented"),
    (None, "/name.mrap/key", 501, b"NotImplemented"),
    (None, f"/{POINT.replace('/', '%2F')}/key", 400, b"InvalidBucketName"),
    (None, f"/arn:aws:s3::{ACCOUNT}:accesspoint%2Fnames/key", 400, b"InvalidBucketName"),
    (None, f"/{POINT}/object/key", 400, b"InvalidBucketName"),
]


@pytest.mark.parametrize(("host", "target", "status", "code"), NOWHERE)
def test_what_names_no_point_reaches_nothing(pointed, host, target, status, code):
    before = pointed.backend.received
    reply = pointed.wire.send("s3", "GET", target, host=host)
    assert (reply.status, code in reply.body) == (status, True), reply.body
    assert pointed.backend.received == before


def test_a_point_of_object_lambda_is_refused_at_any_host(pointed):
    before = pointed.backend.received
    reply = pointed.wire.send("s3-object-lambda", "GET", "/key", host=f"names-{ACCOUNT}.localhost")
    assert (reply.status, pointed.backend.received) == (501, before)


SOURCES = [
    (f"{ALIAS}/dir/old", "behind/dir/old"),
    (f"/{ALIAS}/dir/old?versionId=v1", "behind/dir/old?versionid=v1"),
    (f"{ALIAS}%2Fdir%2Fold", "behind/dir%2fold"),
    (f"{POINT}/object/dir/old", "behind/dir/old"),
    (f"{POINT}/object/a%2Fb", "behind/a%2fb"),
    (f"{POINT.replace(':', '%3A')}/object/dir/old", "behind/dir/old"),
    (f"{POINT}/object/{OTHER_ALIAS}/k", f"behind/{OTHER_ALIAS}/k"),
]


@pytest.mark.parametrize(("source", "sent"), SOURCES)
def test_what_is_copied_comes_from_the_bucket_that_was_decided_on(pointed, source, sent):
    reply = pointed.wire.send("s3", "PUT", f"/{OTHER_ALIAS}/new", [("x-amz-copy-source", source)])
    asked = pointed.asked_by(reply)
    assert reply.status == 200
    assert (copied(pointed), line(pointed)) == (sent, "PUT /elsewhere/new HTTP/1.1")
    reads = [resource for action, resource in asked if action.startswith("s3:Get")]
    assert [resource.startswith((f"{POINT}/object/", "arn:aws:s3:::behind/")) for resource in reads] == [True, True]
    assert [resource for action, resource in asked if action == "s3:PutObject"] == [
        f"{OTHER_POINT}/object/new",
        "arn:aws:s3:::elsewhere/new",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "none-abcdef-s3alias/k", f"{ALIAS}", f"{ALIAS}/", f"{ALIAS}%2F", f"{ALIAS}/k?versionId=a?b", f"{ALIAS}/k#x",
        f"{POINT.replace(REGION, 'eu-west-1')}/object/k", f"{POINT.replace('names', 'none')}/object/k", POINT,
        f"{POINT}/k", f"{POINT}/object/", f"{POINT.replace('aws:', 'aws-cn:')}/object/k", f"{POINT}/object/k\tx",
        f"x{POINT}/object/k", "name--ol-s3/k", "name.mrap/k",
    ],
)  # fmt: skip
def test_a_source_that_is_no_object_of_a_point_is_refused(pointed, source):
    before = pointed.backend.received
    reply = pointed.wire.send("s3", "PUT", "/bkt/new", [("x-amz-copy-source", source)])
    assert 400 <= reply.status < 502
    assert pointed.backend.received == before


UNSUPPORTED = [
    ("GET", "?versioning"), ("PUT", "?versioning"), ("PUT", "?policy"), ("DELETE", "?policy"), ("DELETE", ""),
    ("GET", "?lifecycle"), ("PUT", "?acl"), ("GET", "?publicAccessBlock"), ("GET", "?tagging"), ("PUT", "?tagging"),
    ("POST", "key?select&select-type=2"), ("GET", "key?torrent"), ("GET", "?policyStatus"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target"), UNSUPPORTED)
@pytest.mark.parametrize(("host", "prefix"), [(HOST, "/"), (None, f"/{ALIAS}/")])
def test_what_points_do_not_support_is_refused(pointed, host, prefix, method, target):
    before = pointed.backend.received
    reply = pointed.wire.send("s3", method, prefix + target, host=host)
    assert (reply.status, b"<Code>MethodNotAllowed</Code>" in reply.body) == (405, True), reply.body
    assert pointed.backend.received == before


def test_a_denial_by_the_point_or_the_bucket_sends_nothing(pointed):
    caller = Caller.new(pointed, "point-denied")
    read = {"Bucket": ALIAS, "Key": "key"}
    caller.may(allow("*"), deny("s3:GetObject", f"{POINT}/object/key"))
    refused(caller.call("s3", "GetObject", read), "explicit deny")
    caller.may(allow("*"), deny("s3:GetObject", "arn:aws:s3:::behind/key"))
    refused(caller.call("s3", "GetObject", read), "explicit deny")
    caller.may(allow("s3:GetObject", "arn:aws:s3:::behind/*"))
    refused(caller.call("s3", "GetObject", read), "no identity-based policy allows")
    caller.may(allow("s3:GetObject", ["arn:aws:s3:::behind/*", f"{POINT}/object/*"]))
    assert caller.call("s3", "GetObject", read).sent > 0


def test_while_it_is_not_known_which_policy_a_point_has_both_decide(pointed):
    named = {"AccountId": ACCOUNT, "Name": "names"}
    denying = {**named, "Policy": policy(everybody(deny("s3:GetObject", f"{POINT}/object/*")))}
    allowed = pointed.call("s3", "GetObject", {"Bucket": ALIAS, "Key": "key"})
    assert allowed.code == ""
    pointed.backend.answers.append(answer(b"", "503 Service Unavailable"))
    assert pointed.call("s3control", "PutAccessPointPolicy", denying).status == 503
    assert pointed.call("s3", "GetObject", {"Bucket": ALIAS, "Key": "key"}).code == "AccessDenied"
    told = b"<GetAccessPointPolicyResult></GetAccessPointPolicyResult>"
    pointed.backend.answers.append(answer(told))
    pointed.call("s3control", "GetAccessPointPolicy", named)
    assert pointed.call("s3", "GetObject", {"Bucket": ALIAS, "Key": "key"}).code == ""


def test_a_point_that_was_not_made_is_not_known(pointed):
    pointed.backend.answers.append(answer(b"", "503 Service Unavailable"))
    made = {"AccountId": ACCOUNT, "Name": "unmade", "Bucket": "behind"}
    assert pointed.call("s3control", "CreateAccessPoint", made).status == 503
    before = pointed.backend.received
    reply = pointed.wire.send("s3", "GET", "/key", host=f"unmade-{ACCOUNT}.localhost")
    assert (reply.status, pointed.backend.received) == (404, before)


def test_a_new_point_has_no_policy_of_one_before_it(pointed):
    named = {"AccountId": ACCOUNT, "Name": "again"}
    denying = policy(everybody(deny("s3:GetObject", "*")))
    assert pointed.call("s3control", "PutAccessPointPolicy", {**named, "Policy": denying}).code == ""
    told = b"<CreateAccessPointResult><Alias>again-abcdef0123456789-s3alias</Alias></CreateAccessPointResult>"
    pointed.backend.answers.append(answer(told))
    assert pointed.call("s3control", "CreateAccessPoint", {**named, "Bucket": "behind"}).code == ""
    reply = pointed.wire.send("s3", "GET", "/key", host=f"again-{ACCOUNT}.localhost")
    assert (reply.status, line(pointed)) == (200, "GET /behind/key HTTP/1.1")
    assert pointed.call("s3control", "DeleteAccessPoint", named).code == ""


KNOWN = Resource(
    arn=f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/point",
    owner=ACCOUNT,
    created=0,
    facts={"bucket": "files", "bucket_account": ACCOUNT, "network_origin": "Internet", "blocks": "", "name": "x"},
)


def wanted(owner):
    read = service("s3").operation("GetObject")
    asked = Asked(read, {"Bucket": "files"}, ACCOUNT, "us-east-1", through=Through(Point(KNOWN)))
    behind = Target(arn="arn:aws:s3:::files/key", action="s3:GetObject", account=owner)
    facts = Facts.of(Snapshot(1, {}, {}), None, ACCOUNT, forgets=False)
    return [one.arn for one in access_points.before([behind], asked, ANONYMOUS, facts)]


def test_a_bucket_of_this_name_that_is_anothers_now_is_not_reached():
    assert wanted(ACCOUNT) == [f"{KNOWN.arn}/object/key", "arn:aws:s3:::files/key"]
    with pytest.raises(CommonError):
        wanted(OTHER)
