"""DeleteObjects goes on without the denied keys, which come back as errors among the deleted ones.

AWS: S3 API Reference, DeleteObjects.
"""

import base64
import hashlib

import pytest
from gateway.counting import answer
from gateway.two_accounts import code_of
from gateway.wire import Wire
from running import ACCOUNT, allow, deny

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    for key in ("open/a", "open/b", "shut/a", "open/<&> ü"):
        owner.put_object(Bucket="files", Key=key, Body=b"data")
    return owner


@pytest.fixture
def caller(cloud):
    may = allow(["s3:DeleteObject", "s3:DeleteObjectVersion"], "arn:aws:s3:::files/open/*")
    return cloud.client("s3", cloud.user("caller", may))


def delete(client, *objects, **more):
    return client.delete_objects(Bucket="files", Delete={"Objects": list(objects), **more})


def keys(s3):
    return sorted(one["Key"] for one in s3.list_objects_v2(Bucket="files").get("Contents", []))


def test_denied_keys_come_back_as_errors_and_the_others_are_deleted(s3, caller):
    told = delete(caller, {"Key": "open/a"}, {"Key": "shut/a"}, {"Key": "open/<&> ü"}, {"Key": "none"})
    assert sorted(one["Key"] for one in told["Deleted"]) == ["open/<&> ü", "open/a"]
    errors = {one["Key"]: (one["Code"], one["Message"]) for one in told["Errors"]}
    assert errors.keys() == {"shut/a", "none"}
    assert errors["shut/a"][0] == "AccessDenied"
    assert errors["shut/a"][1] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/caller is not authorized to perform: s3:DeleteObject on resource: "
        '"arn:aws:s3:::files/shut/a" because no identity-based policy allows the s3:DeleteObject action'
    )
    assert keys(s3) == ["open/b", "shut/a"]


def test_quietly_the_errors_are_told_too(s3, caller):
    told = delete(caller, {"Key": "open/a"}, {"Key": "shut/a"}, Quiet=True)
    assert [one["Key"] for one in told["Errors"]] == ["shut/a"]
    assert keys(s3) == ["open/<&> ü", "open/b", "shut/a"]


def test_quietly_nothing_is_told_of_what_was_deleted(s3, caller):
    """AWS: S3 API Reference, DeleteObjects: quiet mode tells errors alone."""
    assert "Deleted" not in delete(caller, {"Key": "open/a"}, {"Key": "shut/a"}, Quiet=True)
    assert delete(caller, {"Key": "open/b"}, Quiet=True).keys() == {"ResponseMetadata"}
    assert [one["Key"] for one in delete(caller, {"Key": "open/<&> ü"}, Quiet=False)["Deleted"]] == ["open/<&> ü"]
    assert keys(s3) == ["shut/a"]


def test_when_every_key_is_denied_the_answer_is_still_a_result(s3, cloud):
    nobody = cloud.client("s3", cloud.user("nobody"))
    told = delete(nobody, {"Key": "open/a"}, {"Key": "open/<&> ü"})
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [
        ("open/a", "AccessDenied"), ("open/<&> ü", "AccessDenied"),
    ]  # fmt: skip
    assert len(keys(s3)) == 4


def test_a_version_is_decided_by_the_right_to_delete_versions(cloud, s3):
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="files", Key="open/a", Body=b"new")["VersionId"]
    plain = cloud.client("s3", cloud.user("plain", allow("s3:DeleteObject")))
    told = delete(plain, {"Key": "open/a", "VersionId": version}, {"Key": "open/b"})
    assert [(one["Key"], one["VersionId"]) for one in told["Errors"]] == [("open/a", version)]
    assert [one["Key"] for one in told["Deleted"]] == ["open/b"]
    assert s3.get_object(Bucket="files", Key="open/a", VersionId=version)["Body"].read() == b"new"


def test_the_event_names_each_keys_decision(cloud, s3, caller):
    delete(caller, {"Key": "open/a"}, {"Key": "shut/a"})
    (event,) = cloud.events("DeleteObjects")
    decisions = cloud.explain(event["requestID"])["Decisions"]
    assert [(one["Resource"], one["Outcome"]) for one in decisions] == [
        ("arn:aws:s3:::files/open/a", "Allowed"),
        ("arn:aws:s3:::files/shut/a", "ImplicitlyDenied"),
    ]
    assert "errorCode" not in event


def test_what_goes_on_is_the_allowed_keys_with_a_hash_of_their_own(counted):
    caller = counted.aws.user("multi-deleter", allow("s3:DeleteObject", "arn:aws:s3:::bkt/a*"))
    objects = [{"Key": "a1"}, {"Key": "b1"}, {"Key": "a<&>", "ETag": "e"}]
    result = f'<DeleteResult xmlns="{NAMESPACE}"><Deleted><Key>a1</Key></Deleted></DeleteResult>'.encode()
    counted.backend.answers.append(answer(result, "200 OK", "content-type: application/xml"))
    told = counted.call("s3", "DeleteObjects", {"Bucket": "bkt", "Delete": {"Objects": objects}}, caller).told
    head, body = counted.backend.last
    assert b"<Key>b1</Key>" not in body
    assert b"<Object><Key>a1</Key></Object><Object><Key>a&lt;&amp;&gt;</Key><ETag>e</ETag></Object>" in body
    assert b"content-md5: " + base64.b64encode(hashlib.md5(body).digest()) in head
    assert b"x-amz-checksum" not in head
    assert [one["Key"] for one in told["Deleted"]] == ["a1"]
    assert [one["Key"] for one in told["Errors"]] == ["b1"]


def test_an_error_of_the_backend_stays_as_it_is(counted):
    error = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    caller = counted.aws.user("slowed-deleter", allow("s3:DeleteObject", "arn:aws:s3:::bkt/a*"))
    counted.backend.answers.append(answer(error, "503 Slow Down", "content-type: application/xml"))
    objects = [{"Key": "a1"}, {"Key": "b1"}]
    told = counted.call("s3", "DeleteObjects", {"Bucket": "bkt", "Delete": {"Objects": objects}}, caller)
    assert (told.status, told.code) == (503, "SlowDown")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<Delete/>", b"<Delete><Object/></Delete>", b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        b"<Other><Object><Key>a</Key></Object></Other>", b"<Delete><Object><Key>a</Key></Object>",
        b"<!DOCTYPE x [<!ENTITY e 'a'>]><Delete><Object><Key>&e;</Key></Object></Delete>",
        b"<Delete><Object><Key></Key></Object></Delete>",
    ],
)  # fmt: skip
def test_a_body_that_names_no_keys_plainly_is_refused(cloud, s3, body):
    wire = Wire(cloud.server)
    reply = wire.send("s3", "POST", "/files?delete", [("content-type", "application/xml")], body)
    wire.close()
    assert reply.status == 400
    assert len(keys(s3)) == 4


@pytest.mark.parametrize("text", ["open/a<!-- x -->", "<![CDATA[open/a]]>", "open&#x2F;a"])
def test_a_key_is_the_same_one_however_xml_spells_it(cloud, s3, text):
    guarded = cloud.user("guarded", allow("s3:*"), deny("s3:DeleteObject", "arn:aws:s3:::files/open/a"))
    body = f"<Delete><Object><Key>{text}</Key></Object></Delete>".encode()
    wire = Wire(cloud.server)
    reply = wire.send("s3", "POST", "/files?delete", [("content-type", "application/xml")], body, credentials=guarded)
    wire.close()
    assert b"<Code>AccessDenied</Code>" in reply.body
    assert "open/a" in keys(s3)


def test_another_hash_than_the_bodys_is_refused(cloud, s3):
    wire = Wire(cloud.server)
    body = b"<Delete><Object><Key>open/a</Key></Object></Delete>"
    reply = wire.send("s3", "POST", "/files?delete", [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], body)
    wire.close()
    assert reply.status == 400
    assert len(keys(s3)) == 4


def test_more_than_a_thousand_keys_are_malformed(s3):
    objects = [{"Key": f"open/{number}"} for number in range(1001)]
    assert code_of(s3.delete_objects, Bucket="files", Delete={"Objects": objects}) == "MalformedXML"


def test_to_another_account_the_errors_tell_nothing(cloud, s3, other):
    told = delete(cloud.client("s3", other), {"Key": "open/a"})
    assert [(one["Code"], one["Message"]) for one in told["Errors"]] == [("AccessDenied", "Access Denied")]
