"""What S3 tells a client whose signature is not the one it computes: all that a client needs to find its own fault."""

import hashlib
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError


def with_wrong_secret(cloud):
    return replace(cloud.server.administrator, secret_access_key="x" * 40)


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]


def test_s3_shows_what_it_compared(cloud):
    signed = []
    s3 = cloud.client("s3", with_wrong_secret(cloud))
    s3.meta.events.register("before-send.s3", lambda request, **_: signed.append(request.headers["Authorization"]))
    error = refused(s3.put_object, Bucket="files", Key="a b", Body=b"data")
    assert error["Code"] == "SignatureDoesNotMatch"
    assert error["AWSAccessKeyId"] == cloud.server.administrator.access_key_id
    assert signed[0].decode().endswith(f"Signature={error['SignatureProvided']}")
    lines = error["CanonicalRequest"].split("\n")
    assert lines[:3] == ["PUT", "/files/a%20b", ""]
    digest = hashlib.sha256(error["CanonicalRequest"].encode()).hexdigest()
    assert error["StringToSign"].split("\n")[::3] == ["AWS4-HMAC-SHA256", digest]
    for name in ("StringToSign", "CanonicalRequest"):
        assert bytes.fromhex(error[f"{name}Bytes"]).decode() == error[name]


def test_a_presigned_url_is_told_the_same(cloud):
    s3 = cloud.client("s3", with_wrong_secret(cloud), signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "files", "Key": "a"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    body = caught.value.read().decode()
    assert "<Code>SignatureDoesNotMatch</Code>" in body
    signature = url.partition("X-Amz-Signature=")[2].partition("&")[0]
    assert f"<SignatureProvided>{signature}</SignatureProvided>" in body
    assert "<CanonicalRequest>GET\n/files/a\n" in body
    assert signature not in body.partition("<CanonicalRequest>")[2]


def test_other_services_say_it_in_words_alone(cloud):
    sqs = cloud.client("sqs", with_wrong_secret(cloud))
    assert set(refused(sqs.list_queues)) <= {"Code", "Message", "Type", "QueryErrorCode"}
