"""Presigned URLs of S3, made by boto3: they may what their signer may, once they are called, and until they expire.

AWS: S3 User Guide, "Download and upload objects with presigned URLs"; S3 API Reference, "Amazon S3 Signature Version 4
authentication specific policy keys".
"""

import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from running import Credentials, allow, deny


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="dir/a b", Body=b"data")
    return owner


def url_of(client, operation="get_object", seconds=300, **parameters):
    given = {"Bucket": "files", "Key": "dir/a b", **parameters}
    return client.generate_presigned_url(operation, Params=given, ExpiresIn=seconds)


def fetch(url, method="GET", body=None, **headers):
    """Status and body of what a browser gets."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def allowed(call, **parameters):
    """Whether a call is allowed; any other error than a denial is one."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def v4(cloud, credentials=None):
    return cloud.client("s3", credentials, signature_version="s3v4")


def test_whoever_has_the_url_may_what_its_signer_may(cloud, s3):
    reader = v4(cloud, cloud.user("reader", allow("s3:GetObject")))
    assert fetch(url_of(reader)) == (200, b"data")
    assert fetch(url_of(reader, "put_object"), "PUT", b"new")[0] == 403
    assert fetch(url_of(v4(cloud), "put_object"), "PUT", b"new")[0] == 200
    assert fetch(url_of(reader)) == (200, b"new")
    assert fetch(url_of(v4(cloud), "delete_object"), "DELETE")[0] == 204


def test_a_url_is_decided_when_it_is_called(cloud, s3):
    url = url_of(v4(cloud, cloud.user("reader", allow("s3:GetObject"))))
    assert fetch(url)[0] == 200
    cloud.client("iam").delete_user_policy(UserName="reader", PolicyName="test")
    assert fetch(url)[0] == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("dir/a", "dir/b"),
        lambda url: url + "&versionId=null",
        lambda url: url + "&acl",
        lambda url: url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("host", "host%3Bx-amz-acl"),
        lambda url: url + "&X-Amz-Expires=300",
        lambda url: url.replace("/s3/", "/sqs/").replace("%2Fs3%2F", "%2Fsqs%2F"),
    ],
)
def test_a_changed_url_is_refused(cloud, s3, change):
    url = url_of(v4(cloud))
    changed = change(url)
    assert changed != url
    status, body = fetch(changed)
    assert status in {400, 403}
    assert b"data" not in body


def test_a_url_for_one_method_is_for_no_other(cloud, s3):
    url = url_of(v4(cloud))
    assert [fetch(url, method, b"")[0] for method in ("PUT", "DELETE", "HEAD")] == [403] * 3


def test_a_url_expires(cloud, s3):
    url = url_of(v4(cloud), seconds=1)
    time.sleep(2.1)
    status, body = fetch(url)
    assert (status, b"<Code>AccessDenied</Code>" in body, b"Request has expired" in body) == (403, True, True)


def test_a_url_of_a_session_ends_with_it(cloud, s3):
    trust = {"Effect": "Allow", "Principal": {"AWS": cloud.account_id}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    role = iam.create_role(
        RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]})
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document)
    session = cloud.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")["Credentials"]
    url = url_of(v4(cloud, Credentials.of(session)))
    assert fetch(url) == (200, b"data")
    assert fetch(url.replace("X-Amz-Security-Token=", "X-Amz-Other="))[0] in {400, 403}
    cloud.advance(3601)
    assert fetch(url)[0] in {400, 403}


def test_what_the_answer_is_to_say_is_signed_with_it(cloud, s3):
    url = url_of(v4(cloud), ResponseContentType="text/x-own")
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["content-type"] == "text/x-own"


@pytest.mark.parametrize(
    ("condition", "header_way", "query_way"),
    [
        ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, True, False),
        ({"StringEquals": {"s3:authType": "REST-HEADER"}}, False, True),
        ({"NumericGreaterThan": {"s3:signatureAge": "60000"}}, True, True),
        ({"NumericLessThan": {"s3:signatureAge": "60000"}}, True, False),
        ({"StringEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}, True, False),
        ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, False, False),
    ],
)
def test_a_deny_by_how_a_request_is_signed(cloud, s3, condition, header_way, query_way):
    credentials = cloud.user("reader", allow("s3:*"), deny("s3:PutObject", **condition))
    by_header = cloud.client("s3", credentials, request_checksum_calculation="when_required")
    put = allowed(by_header.put_object, Bucket="files", Key="b", Body=b"x")
    by_query = fetch(url_of(v4(cloud, credentials), "put_object", Key="b"), "PUT", b"x")[0] == 200
    assert (put, by_query) == (header_way, query_way)


def test_the_age_of_a_signature_is_counted_in_milliseconds(cloud, s3):
    url = url_of(v4(cloud))
    time.sleep(1.1)
    assert fetch(url)[0] == 200
    event = cloud.events("GetObject")[0]
    (decision,) = cloud.explain(event["requestID"])["Decisions"]
    assert 1000 <= int(decision["Context"]["s3:signatureage"][0]) < 20_000
    assert decision["Context"]["s3:authtype"] == ["REST-QUERY-STRING"]


def test_a_url_of_a_session_is_worth_nothing_once_what_the_session_derives_from_is_cut(cloud, s3):
    key = cloud.user("sharer", allow("s3:GetObject"))
    answer = cloud.client("sts", key).get_session_token()
    session = Credentials.of(answer["Credentials"])
    url = url_of(v4(cloud, session))
    assert fetch(url) == (200, b"data")
    cloud.iamd("Quarantine", Target=key.access_key_id)
    status, body = fetch(url)
    assert (status, b"<Code>InvalidAccessKeyId</Code>" in body) == (403, True)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        cloud.client("s3", session).get_object(Bucket="files", Key="dir/a b")
