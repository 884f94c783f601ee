"""What S3 does with objects for nobody whose name it knows, where a bucket's policy lets everybody do everything.

AWS: S3 User Guide, "How Amazon S3 authorizes a request for an object operation", mpuoverview (the initiator of an
upload); S3 API Reference, CopyObject, UploadPartCopy, SelectObjectContent, GetObject (response-...).
"""

import urllib.error
import urllib.request

import pytest
from botocore import UNSIGNED
from gateway.two_accounts import everybody, policy
from running import allow

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def url(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.delete_public_access_block(Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy=policy(everybody(allow("s3:*", "arn:aws:s3:::files/*"))))
    return f"{cloud.endpoint}/files/a"


def send(method, url, content=b"data", **headers):
    """The status of an answer, and what it says."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, content, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", "text/plain"])
def test_what_an_object_says_that_it_is_does_not_make_it_a_form_of_sts(cloud, url, content_type):
    """`curl --data-binary` says so of all that it sends."""
    assert send("PUT", url, content_type=content_type)[0] == 200
    assert cloud.client("s3").get_object(Bucket="files", Key="a")["Body"].read() == b"data"
    assert {event["userIdentity"]["accountId"] for event in cloud.events("PutObject")} == {"anonymous"}


def test_what_is_posted_to_an_object_without_a_signature_is_decided_by_s3(cloud, url):
    cloud.client("s3").delete_bucket_policy(Bucket="files")
    for method in ("PUT", "POST"):
        status, told = send(method, url, content_type=FORM)
        assert (status, "<Error><Code>" in told) in {(403, True), (405, True)}
    assert cloud.events("PutObject")[0]["errorCode"] == "AccessDenied"


def test_an_unsigned_form_to_the_root_is_stss(cloud, url):
    status, told = send("POST", f"{cloud.endpoint}/", b"Action=GetCallerIdentity&Version=2011-06-15", content_type=FORM)
    assert (status, "<ErrorResponse" in told) == (403, True)


def test_nobody_begins_an_upload_in_parts_nor_adds_to_one(cloud, url):
    status, told = send("POST", f"{url}?uploads", b"", content_type="text/plain")
    words = "Anonymous users cannot initiate multipart uploads.  Please authenticate."
    assert (status, f"<Code>AccessDenied</Code><Message>{words}</Message>" in told) == (403, True)
    s3 = cloud.client("s3")
    begun = s3.create_multipart_upload(Bucket="files", Key="a")["UploadId"]
    assert send("PUT", f"{url}?uploadId={begun}&partNumber=1", content_type=FORM)[0] == 403
    whole = b"<CompleteMultipartUpload></CompleteMultipartUpload>"
    assert send("POST", f"{url}?uploadId={begun}", whole, content_type="text/xml")[0] == 403
    assert s3.list_parts(Bucket="files", Key="a", UploadId=begun).get("Parts", []) == []
    assert send("DELETE", f"{url}?uploadId={begun}", None)[0] == 204


def test_nobody_copies_and_nobody_selects(cloud, url):
    cloud.client("s3").put_object(Bucket="files", Key="b", Body=b"data")
    status, told = send("PUT", url, b"", x_amz_copy_source="/files/b", content_type="text/plain")
    assert (status, "Anonymous users cannot copy objects.  Please authenticate." in told) == (403, True)
    client = cloud.client("s3", signature_version=UNSIGNED)
    given = {"ExpressionType": "SQL", "InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}}
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.select_object_content(Bucket="files", Key="b", Expression="SELECT * FROM s3object", **given)


@pytest.mark.parametrize(
    "name", ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"]
)
def test_nobody_says_how_the_headers_of_an_answer_are(cloud, url, name):
    s3 = cloud.client("s3", signature_version="s3v4")
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    assert send("GET", url, None) == (200, "data")
    status, told = send("GET", f"{url}?response-{name}=Thu,%2001%20Jan%202026%2000:00:00%20GMT", None)
    words = "Request specific response headers cannot be used for anonymous GET requests."
    assert (status, f"<Code>InvalidRequest</Code><Message>{words}</Message>" in told) == (400, True)
    assert send("HEAD", f"{url}?response-{name}=Thu,%2001%20Jan%202026%2000:00:00%20GMT", None)[0] == 400
    member = "Response" + name.title().replace("-", "")
    given = {"Bucket": "files", "Key": "a", member: "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert send("GET", s3.generate_presigned_url("get_object", Params=given), None) == (200, "data")


def test_the_denial_is_recorded(cloud, url):
    send("POST", f"{url}?uploads", b"", content_type="text/plain")
    assert cloud.events("CreateMultipartUpload")[0]["errorCode"] == "AccessDenied"
