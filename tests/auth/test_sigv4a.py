"""SigV4A, against what AWS's own library (awscrt) has signed: `sigv4a.json` was written by it, one request each."""

import json
from pathlib import Path

import pytest
from auth.signing import NOW, changed

from iamd.auth import sigv4, sigv4a
from iamd.errors import AWSError, Common
from iamd.http import HttpRequest

SIGNED = {one["name"]: one for one in json.loads(Path(__file__).with_name("sigv4a.json").read_text("utf-8"))}


def request(name) -> HttpRequest:
    one = SIGNED[name]
    headers = [(key.encode(), value.encode()) for key, value in one["headers"]]
    return HttpRequest(
        "r", one["method"], one["path"].encode(), one["query"].encode(), headers, one["body"].encode(), "127.0.0.1"
    )


def check(sent, secret, now=NOW):
    claim = sigv4.claim(sent)
    sigv4.check(claim, sent, secret, now, 300)
    return claim


def refusal(sent, name, now=NOW):
    with pytest.raises(AWSError) as refused:
        check(sent, SIGNED[name]["secret"], now)
    return refused.value.kind


@pytest.mark.parametrize("name", SIGNED)
def test_what_aws_has_signed_is_verified(name):
    claim = check(request(name), SIGNED[name]["secret"])
    assert claim.service == SIGNED[name]["service"]
    assert refusal(request(name), name, NOW + 3600) in {Common.SIGNATURE_TIME, Common.ACCESS_DENIED}
    with pytest.raises(AWSError) as refused:
        check(request(name), SIGNED[name]["secret"] + "x")
    assert refused.value.kind is Common.SIGNATURE_MISMATCH


def test_the_regions_are_those_that_were_signed_for():
    claim = check(request("token"), SIGNED["token"]["secret"])
    assert (claim.region, claim.session_token) == ("us-east-1", "IQoJ/+token==")
    assert [claim.is_for(region) for region in ("us-east-1", "eu-west-1", "eu-west-2")] == [True, True, False]
    assert [sigv4a.covers("us-*,eu-west-1", one) for one in ("us-west-2", "eu-west-1", "eu-west-2")] == [
        True,
        True,
        False,
    ]
    assert check(request("post"), SIGNED["post"]["secret"]).is_for("sa-east-1")


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("post", {"replace": {b"x-amz-region-set": b"eu-west-1"}}, Common.SIGNATURE_MISMATCH),
        ("post", {"drop": b"x-amz-region-set"}, Common.INCOMPLETE_SIGNATURE),
        ("post", {"replace": {b"x-amz-region-set": b""}}, Common.INCOMPLETE_SIGNATURE),
        ("post", {"body": b"Action=Other"}, Common.SIGNATURE_MISMATCH),
        ("post", {"path": b"/other"}, Common.SIGNATURE_MISMATCH),
        ("post", {"add": [(b"x-amz-other", b"1")]}, Common.SIGNATURE_MISMATCH),
        ("s3 get", {"query": b"x=2&a=%2F"}, Common.SIGNATURE_MISMATCH),
    ],
)
def test_what_was_changed_is_refused(name, changes, code):
    assert refusal(changed(request(name), **changes), name) is code


@pytest.mark.parametrize("signature", ["", "zz", "30", "00" * 32, "Ä" * 64, "3044" + "00" * 68])
def test_what_is_no_signature_is_refused(signature):
    sent = request("post")
    value = dict(sent.headers)[b"authorization"].partition(b"Signature=")[0] + b"Signature=" + signature.encode()
    code = refusal(changed(sent, replace={b"authorization": value}), "post")
    assert code is (Common.SIGNATURE_MISMATCH if signature else Common.INCOMPLETE_SIGNATURE)


@pytest.mark.parametrize("form", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"])
def test_signed_chunks_are_refused(form):
    sent = changed(request("s3 put"), replace={b"x-amz-content-sha256": form.encode()})
    assert refusal(sent, "s3 put") is Common.MALFORMED_HEADER


def test_a_presigned_set_stands_in_the_query_once():
    sent = request("s3 presigned")
    without = b"&".join(part for part in sent.query.split(b"&") if not part.startswith(b"X-Amz-Region-Set"))
    assert refusal(changed(sent, query=without), "s3 presigned") is Common.AUTHORIZATION_QUERY
    twice = sent.query + b"&X-Amz-Region-Set=eu-west-1"
    assert refusal(changed(sent, query=twice), "s3 presigned") is Common.AUTHORIZATION_QUERY
    beside = changed(sent, add=[(b"x-amz-region-set", b"eu-west-1")])
    assert refusal(beside, "s3 presigned") is Common.AUTHORIZATION_QUERY


def test_a_region_in_the_credential_is_refused():
    sent = request("post")
    value = dict(sent.headers)[b"authorization"].replace(b"/sts/", b"/us-east-1/sts/")
    assert refusal(changed(sent, replace={b"authorization": value}), "post") is Common.INCOMPLETE_SIGNATURE
