"""The example of AWS's page of a form, with its own key and signature, and how long a form's signature is good for.

AWS: S3 API Reference, "Example: Browser-Based Upload using HTTP POST" (sigv4-post-example).
"""

import pytest

from iamd.auth import form_claims, post_policies, sigv4
from iamd.errors import CommonError
from iamd.http import HttpRequest

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
POLICY = (
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2"
    "NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMt"
    "cmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29t"
    "L3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4"
    "LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0s"
    "DQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZP"
    "RE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1B"
    "Qy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
)
FIELDS = {
    "key": "user/user1/photo.jpg",
    "acl": "public-read",
    "success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
    "content-type": "image/jpeg",
    "x-amz-meta-uuid": "14365123651274",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-date": "20151229T000000Z",
    "x-amz-meta-tag": "",
    "policy": POLICY,
    "x-amz-signature": "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
}
MADE, DAY = 1451347200, 86400
REQUEST = HttpRequest("id", "PUT", b"/user/user1/photo.jpg", b"", [], None, "127.0.0.1")


def check(now, secret=SECRET):
    sigv4.check(form_claims.claim(FIELDS), REQUEST, secret, now, 900.0)


def test_the_example_of_aws_holds():
    check(MADE + 60)
    policy = post_policies.read(POLICY)
    policy.check({**FIELDS, "bucket": "sigv4examplebucket"}, MADE + 60)
    with pytest.raises(CommonError, match="Extra input fields: expires"):
        policy.check({**FIELDS, "bucket": "sigv4examplebucket", "expires": ""}, MADE + 60)


def test_another_secret_has_not_signed_it():
    with pytest.raises(CommonError) as caught:
        check(MADE + 60, "another")
    assert caught.value.members["StringToSign"] == POLICY


@pytest.mark.parametrize(("now", "words"), [(MADE + 7 * DAY, "has expired"), (MADE - 901, "not yet valid")])
def test_a_signature_is_good_from_its_date_for_seven_days(now, words):
    check(MADE + 7 * DAY - 1)
    check(MADE - 899)
    with pytest.raises(CommonError, match=words):
        check(now)
