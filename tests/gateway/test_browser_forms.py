"""Forms that boto3 makes (generate_presigned_post), and others, posted to S3's buckets as browsers do.

AWS: S3 API Reference, "Browser-Based Uploads Using POST" (sigv4-UsingHTTPPOST, sigv4-HTTPPOSTForms,
sigv4-HTTPPOSTConstructPolicy, RESTObjectPOST). Of errors, which these pages do not have, what S3 is seen to answer.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError
from gateway.forms import body, post, send, signed
from gateway.two_accounts import everybody, policy
from running import Credentials, allow, deny

TAGGING = "<Tagging><TagSet><Tag><Key>team</Key><Value>red + blue</Value></Tag></TagSet></Tagging>"
ETAG = f'"{hashlib.md5(b"data", usedforsecurity=False).hexdigest()}"'
ANY_KEY = ["starts-with", "$key", ""]


@pytest.fixture
def s3(cloud):
    owner = v4(cloud)
    owner.create_bucket(Bucket="files", ObjectOwnership="ObjectWriter")
    owner.delete_public_access_block(Bucket="files")
    return owner


def v4(cloud, credentials=None):
    return cloud.client("s3", credentials, signature_version="s3v4")


def form_of(client, key="a", conditions=(), seconds=300, **fields):
    """What boto3 makes for these fields, each with a condition of its own."""
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    fields = {name.replace("success-action-", "success_action_"): value for name, value in fields.items()}
    own = [{name: value} for name, value in fields.items()]
    return client.generate_presigned_post("files", key, fields, [*conditions, *own], seconds)


def objects(client):
    return [one["Key"] for one in client.list_objects_v2(Bucket="files").get("Contents", [])]


def admin_form(cloud, conditions, **changes):
    return signed(f"{cloud.endpoint}/files", conditions, cloud.server.administrator, **changes)


# What a form says


def test_an_object_has_all_that_its_form_says(cloud, s3):
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    form = form_of(
        s3, "dir/${filename}", tagging=TAGGING, x_amz_meta_Color="green", Content_Type="text/css",
        Cache_Control="max-age=60", x_amz_storage_class="STANDARD_IA", x_amz_server_side_encryption="AES256",
    )  # fmt: skip
    reply = post(form, filename="C:\\photos\\ä b.txt")
    assert (reply.status, reply.body, reply.message) == (204, b"", "")
    assert reply.headers["etag"] == ETAG
    assert reply.headers["location"] == f"{cloud.endpoint}/files/dir%2F%C3%A4%20b.txt"
    found = s3.get_object(Bucket="files", Key="dir/ä b.txt")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"data", {"color": "green"}, "text/css")
    assert (found["CacheControl"], found["StorageClass"]) == ("max-age=60", "STANDARD_IA")
    assert found["ServerSideEncryption"] == reply.headers["x-amz-server-side-encryption"] == "AES256"
    assert found["VersionId"] == reply.headers["x-amz-version-id"]
    tags = s3.get_object_tagging(Bucket="files", Key="dir/ä b.txt")["TagSet"]
    assert tags == [{"Key": "team", "Value": "red + blue"}]


def test_names_are_read_in_any_case_and_what_stands_behind_the_file_is_ignored(cloud, s3):
    # As createPresignedPost of AWS's SDK for JavaScript makes them, with the button of AWS's own example.
    fields = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "bucket": "files", "KEY": "a"}
    conditions = [["StArTs-WiTh", "$KeY", "a"], {"X-AMZ-Algorithm": "AWS4-HMAC-SHA256"}]
    form = admin_form(cloud, conditions)
    sent = [(name.title(), value) for name, value in form["fields"].items()]
    sent = [pair for pair in sent if pair[0] != "X-Amz-Algorithm"] + list(fields.items())
    whole = body(sent, behind=[("submit", "Upload"), ("key", "b"), ("acl", "none")])
    assert send(form["url"], whole).status == 204
    assert objects(s3) == ["a"]


@pytest.mark.parametrize(
    ("filename", "key"), [("a/b\\c.txt", "in/c.txt"), ("", "in/"), (None, "in/${filename}"), ("..", "in/..")]
)
def test_the_name_of_the_file_is_what_stands_behind_the_last_slash(cloud, s3, filename, key):
    form = admin_form(cloud, [["starts-with", "$key", "in/"]])
    assert post(form, filename=filename, key="in/${filename}").status == 204
    assert objects(s3) == [key]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"success_action_status": "200"}, 200),
        ({"success_action_status": "201"}, 201),
        ({"success_action_status": "404"}, 204),
        ({"success_action_redirect": "https://example.com/done?a=b"}, 303),
        ({"success_action_redirect": "http://example.com/#top", "success_action_status": "201"}, 303),
        ({"redirect": "http://example.com/old"}, 303),
        ({"success_action_redirect": "/relative", "success_action_status": "201"}, 201),
        ({"success_action_redirect": "javascript:alert(1)"}, 204),
        ({"success_action_redirect": "http://example.com/\r\nx-amz-injected: 1"}, 204),
    ],
)
def test_the_answer_is_what_the_form_asks_for(cloud, s3, fields, status):
    conditions = [["starts-with", f"${name}", ""] for name in fields]
    reply = post(admin_form(cloud, [ANY_KEY, *conditions]), key="a/b c", **fields)
    assert (reply.status, reply.headers["etag"], "x-amz-injected" in reply.headers) == (status, ETAG, False)
    location = reply.headers["location"]
    if status == 303:
        wanted = next(value for name, value in fields.items() if "redirect" in name)
        assert location.startswith(wanted.partition("#")[0])
        told = parse_qs(urlsplit(location).query)
        assert {name: told[name] for name in ("bucket", "key", "etag")} == {
            "bucket": ["files"], "key": ["a/b c"], "etag": [ETAG],
        }  # fmt: skip
        assert urlsplit(location).fragment == urlsplit(wanted).fragment
    else:
        assert location == f"{cloud.endpoint}/files/a%2Fb%20c"
    if status == 201:
        told = f"<Location>{location}</Location><Bucket>files</Bucket><Key>a/b c</Key><ETag>{ETAG}</ETag>"
        assert told in reply.body.decode().replace("&quot;", '"')
    else:
        assert reply.body == b""
    assert objects(s3) == ["a/b c"]


def test_a_bucket_in_the_host_and_the_alias_of_an_access_point(cloud, s3):
    control = cloud.client("s3control")
    point = control.create_access_point(AccountId=cloud.account_id, Name="point", Bucket="files")
    form = form_of(s3, "of-host", success_action_status="201")
    port = cloud.endpoint.rpartition(":")[2]
    reply = send(cloud.endpoint, body(form["fields"].items()), ("Host", f"files.s3.localhost:{port}"))
    assert f"<Location>http://files.s3.localhost:{port}/of-host</Location>" in reply.body.decode()
    of_point = v4(cloud).generate_presigned_post(point["Alias"], "of-point")
    assert post({**of_point, "url": f"{cloud.endpoint}/{point['Alias']}"}).status == 204
    assert post({**of_point, "url": f"{cloud.endpoint}/files"}).code == "AccessDenied"
    assert objects(s3) == ["of-host", "of-point"]
    of_arn = admin_form(cloud, [{"key": "of-arn"}], bucket=point["AccessPointArn"])
    for domain in ("s3-accesspoint.us-east-1.amazonaws.com", "s3-accesspoint.localhost"):
        host = f"point-{cloud.account_id}.{domain}"
        reply = send(cloud.endpoint, body([("key", "of-arn"), *of_arn["fields"].items()]), ("Host", host))
        assert (reply.status, reply.headers["location"]) == (204, f"http://{host}/of-arn")
    decided = cloud.explain(cloud.events("PostObject")[3]["requestID"])["Decisions"]
    assert [one["Resource"] for one in decided] == [
        point["AccessPointArn"] + "/object/of-point", "arn:aws:s3:::files/of-point",
    ]  # fmt: skip


def test_a_large_file_is_stored_as_it_was(cloud, s3):
    data = bytes(range(256)) * 12 * 1024
    form = admin_form(cloud, [ANY_KEY, ["content-length-range", "1", len(data)]])
    assert post(form, data, key="a").status == 204
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == data
    reply = post(form, data + b"x", key="b")
    assert (reply.status, reply.code, objects(s3)) == (400, "EntityTooLarge", ["a"])


# Who has signed it


def test_a_session_signs_with_its_token_until_it_ends(cloud, s3):
    trust = {"Effect": "Allow", "Principal": {"AWS": cloud.account_id}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=policy(trust))
    cloud.client("iam").put_role_policy(RoleName="app", PolicyName="put", PolicyDocument=policy(allow("s3:PutObject")))

    def session(**more):
        given = {"RoleArn": role["Role"]["Arn"], "RoleSessionName": "session", **more}
        return v4(cloud, Credentials.of(cloud.client("sts").assume_role(**given)["Credentials"]))

    narrow = session(Policy=policy(allow("s3:PutObject", "arn:aws:s3:::files/in/*")))
    assert [post(form_of(narrow, key)).status for key in ("in/a", "a")] == [204, 403]
    form = form_of(session())
    assert post(form).status == 204
    without = post(form, **{"x-amz-security-token": None})
    assert (without.status, without.code) == (403, "InvalidAccessKeyId")
    assert post(form, **{"x-amz-security-token": "other"}).code == "InvalidToken"
    cloud.advance(3601)
    assert post(form).code == "ExpiredToken"


def test_a_key_that_is_inactive_or_deleted_signs_nothing(cloud, s3):
    user, iam = cloud.user("app", allow("s3:PutObject")), cloud.client("iam")
    form, key = form_of(v4(cloud, user)), {"UserName": "app", "AccessKeyId": user.access_key_id}
    assert post(form).status == 204
    iam.update_access_key(**key, Status="Inactive")
    assert (post(form).status, post(form).code) == (403, "InvalidAccessKeyId")
    iam.update_access_key(**key, Status="Active")
    assert post(form).status == 204
    iam.delete_access_key(**key)
    assert post(form).code == "InvalidAccessKeyId"
    assert cloud.events("PostObject")[0]["errorCode"] == "InvalidAccessKeyId"


# What policies let its signer do


def test_a_form_is_decided_as_the_put_that_it_stands_for(cloud, s3):
    by_form = allow("s3:PutObject", StringEquals={"s3:authType": "POST"})
    user = cloud.user("app", by_form)
    client = v4(cloud, user)
    assert post(form_of(client)).status == 204
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Bucket="files", Key="a", Body=b"data")
    for fields, action in [({"tagging": TAGGING}, "PutObjectTagging"), ({"acl": "public-read"}, "PutObjectAcl")]:
        reply = post(form_of(client, "b", **fields))
        assert (reply.status, f"s3:{action}" in reply.message) == (403, True)
    assert objects(s3) == ["a"]
    event = cloud.events("PostObject")[0]
    assert (event["errorCode"], event["userIdentity"]["userName"]) == ("AccessDenied", "app")


def test_conditions_see_the_fields(cloud, s3):
    user = cloud.user(
        "app",
        allow(["s3:PutObject", "s3:PutObjectAcl"]),
        deny("s3:PutObject", StringEquals={"s3:x-amz-acl": "public-read"}),
        deny("s3:PutObject", StringEquals={"s3:x-amz-storage-class": "GLACIER"}),
        deny("s3:PutObject", NumericGreaterThan={"s3:signatureAge": "600000"}),
    )
    client = v4(cloud, user)
    assert post(form_of(client, acl="private")).status == 204
    assert post(form_of(client, acl="public-read")).status == 403
    assert post(form_of(client, acl="public-read ")).status == 403
    assert post(form_of(client, x_amz_storage_class="GLACIER")).status == 403
    ago = datetime.now(UTC) - timedelta(seconds=700)
    assert post(signed(f"{cloud.endpoint}/files", [ANY_KEY], user, at=ago), key="a").status == 403


def test_a_form_sets_the_acl_of_its_object(s3):
    assert post(form_of(s3, acl="public-read")).status == 204
    grants = s3.get_object_acl(Bucket="files", Key="a")["Grants"]
    assert [one["Permission"] for one in grants] == ["FULL_CONTROL", "READ"]
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="files", OwnershipControls=enforced)
    assert post(form_of(s3, acl="private")).code == "AccessControlListNotSupported"


def test_bucket_policies_and_public_access_blocks_bind_forms(cloud, s3):
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(deny("s3:PutObject", "arn:aws:s3:::files/no/*"))))
    assert [post(form_of(s3, key)).status for key in ("no/a", "a")] == [403, 204]
    s3.put_public_access_block(Bucket="files", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert post(form_of(s3, acl="public-read")).status == 403
    assert objects(s3) == ["a"]


def test_a_form_that_nobody_has_signed_is_decided_as_nobodys(cloud, s3):
    url, fields = f"{cloud.endpoint}/files", [("key", "in/a"), ("anything", "goes")]
    reply = send(url, body(fields))
    assert (reply.status, reply.code, reply.message) == (403, "AccessDenied", "Access Denied")
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:PutObject", "arn:aws:s3:::files/in/*"))))
    assert send(url, body(fields)).status == 204
    assert send(url, body([("key", "a")])).status == 403
    # A policy that nobody has signed is not taken for none.
    assert send(url, body([*fields, ("policy", "e30=")])).status == 403
    assert objects(s3) == ["in/a"]
    assert cloud.events("PostObject")[1]["userIdentity"]["accountId"] == "anonymous"


def test_the_event_is_one_and_tells_no_secret(cloud, s3):
    form = form_of(s3, x_amz_meta_color="green")
    post(form)
    post(form, **{"x-amz-signature": "0" * 64})
    wrong, right = cloud.events("PostObject")
    assert (right["eventSource"], right["managementEvent"], right["eventCategory"]) == (
        "s3.amazonaws.com",
        False,
        "Data",
    )
    assert right["requestParameters"] == {"bucketName": "files", "key": "a", "metadata": {"color": "green"}}
    assert wrong["errorCode"] == "SignatureDoesNotMatch"
    for secret in ("policy", "x-amz-signature"):
        assert form["fields"][secret] not in json.dumps([right, wrong])


def test_a_post_to_a_bucket_that_is_no_form_fails_its_condition(cloud, s3):
    reply = send(f"{cloud.endpoint}/files", b"data", form="text/html")
    assert (reply.status, reply.code) == (412, "PreconditionFailed")
    assert "Bucket POST must be of the enclosure-type multipart/form-data" in reply.body.decode()
    assert send(f"{cloud.endpoint}/files/a", body([("key", "a")])).status == 405
    assert send(f"{cloud.endpoint}/files?acl", body([("key", "a")])).status == 405
