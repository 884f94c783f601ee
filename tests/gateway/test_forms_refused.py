"""Forms that S3 refuses, or that two readers could read differently: no backend gets a byte of them.

AWS: S3 API Reference, "POST Policy" (sigv4-HTTPPOSTConstructPolicy) and "Creating an HTML Form"
(sigv4-HTTPPOSTForms); of errors, which these pages do not have, what S3 is seen to answer. RFC 7578 for the form.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from gateway.counting import answer
from gateway.forms import BOUNDARY, FORM, body, part, post, send, signed
from gateway.two_accounts import policy
from raw import Raw
from running import REGION

LISTED = answer(b"<ListBucketResult><Name>b</Name></ListBucketResult>", "200 OK", "content-type: application/xml")
TAGGING = "<Tagging><TagSet><Tag><Key>team</Key><Value>1</Value></Tag></TagSet></Tagging>"
ANY_KEY = ["starts-with", "$key", ""]
END = f"--{BOUNDARY}--\r\n".encode()


class Bucket:
    """Forms for one bucket of the counted backend, and what of them came there."""

    def __init__(self, counted):
        self.backend, self.url = counted.backend, f"{counted.aws.endpoint}/forms"
        self.admin = counted.aws.server.administrator
        self.reset()

    def reset(self):
        self.before = len(self.backend.raw.heads)

    @property
    def got(self):
        """Whether the backend got anything, but questions about the bucket, whose answers iamd keeps for a minute."""
        return any(not head.startswith(b"GET /forms?") for head in self.backend.raw.heads[self.before :])

    def form(self, conditions, **more):
        return signed(self.url, conditions, self.admin, **more)


@pytest.fixture
def bucket(counted):
    return Bucket(counted)


@pytest.fixture(scope="module")
def opened(counted):
    """Everybody may put objects into the bucket, so that what refuses a form is how it is written."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::forms/*"}
    client = counted.aws.client("s3")
    client.create_bucket(Bucket="forms")
    counted.backend.answers = [LISTED]
    client.delete_public_access_block(Bucket="forms")
    client.put_bucket_policy(Bucket="forms", Policy=policy(statement))


@pytest.fixture
def open_bucket(counted, opened):
    return Bucket(counted)


def test_what_is_refused_below_is_allowed_when_it_is_right(bucket):
    assert post(bucket.form([ANY_KEY]), key="dir/a").status == 204
    head, file = bucket.backend.last
    assert (head.split(b"\r\n")[0], file) == (b"PUT /forms/dir/a HTTP/1.1", b"data")
    for never in (b"x-amz-signature", b"policy", b"multipart"):
        assert never not in head.lower()


# What fields say


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Content-MD5": base64.b64encode(bytes(16)).decode()}, "BadDigest"),
        ({"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}, "BadDigest"),
        ({"x-amz-checksum-sha256": "sailorjerry"}, "InvalidRequest"),
        ({"x-amz-checksum-algorithm": "SHA256"}, "InvalidRequest"),
        ({"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"data").digest()).decode()}, ""),
        ({"tagging": "team=red"}, "MalformedXML"),
        (
            {"tagging": TAGGING.replace("</TagSet>", "<Tag><Key>team</Key><Value>2</Value></Tag></TagSet>")},
            "InvalidTag",
        ),
        ({"x-amz-copy-source": "files/secret"}, "NotImplemented"),
        ({"x-amz-grant-read": "id=1"}, "NotImplemented"),
        ({"acl": " "}, "InvalidArgument"),
        ({"x-amz-meta-lines": "one\r\ntwo"}, "InvalidArgument"),
        ({"x-amz-meta-ümlaut": "1"}, "InvalidArgument"),
        ({"bucket": "others"}, "InvalidArgument"),
        ({"key": "k" * 1025}, "KeyTooLongError"),
        ({"key": ""}, "InvalidArgument"),
    ],
)
def test_what_fields_say_must_hold_and_be_known(bucket, fields, code):
    conditions = [["starts-with", f"${name}", ""] for name in fields if name not in {"bucket", "key"}]
    reply = post(bucket.form([ANY_KEY, *conditions]), **{"key": "a", **fields})
    assert (reply.code, bucket.got) == (code, not code)


# Who has signed it


def field_names(name):
    return (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"x-amz-signature": None}, 400, "InvalidArgument", field_names("X-Amz-Signature")),
        ({"x-amz-algorithm": None, "x-amz-credential": None}, 400, "InvalidArgument", field_names("X-Amz-Algorithm")),
        ({"x-amz-date": None}, 400, "InvalidArgument", field_names("X-Amz-Date")),
        ({"policy": None}, 400, "InvalidArgument", field_names("policy")),
        ({"key": None}, 400, "InvalidArgument", field_names("key")),
        ({"x-amz-algorithm": "AWS4-HMAC-SHA1"}, 400, "InvalidArgument", "X-Amz-Algorithm"),
        ({"x-amz-algorithm": "AWS4-ECDSA-P256-SHA256"}, 400, "InvalidArgument", "X-Amz-Algorithm"),
        ({"x-amz-date": "2026-01-01T00:00:00Z"}, 400, "InvalidArgument", "ISO8601"),
        ({"x-amz-credential": "AKIA/us-east-1/s3/aws4_request"}, 400, "InvalidArgument", "mal-formed"),
        ({"signature": "c2ln", "AWSAccessKeyId": "AKIA"}, 400, "InvalidRequest", "AWS4-HMAC-SHA256"),
        ({"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch", "does not match"),
        ({"x-amz-signature": "ä"}, 403, "SignatureDoesNotMatch", "does not match"),
    ],
)
def test_a_form_that_is_not_rightly_signed_is_refused(bucket, changes, status, code, words):
    reply = post(bucket.form([ANY_KEY]), **{"key": "a", **changes})
    assert (reply.status, reply.code) == (status, code)
    assert words in reply.message
    assert not bucket.got


@pytest.mark.parametrize("place", ["20250101/us-east-1/s3", "{day}/us-east-1/sqs", "{day}/us-east-1/iam"])
def test_a_signature_for_another_day_or_service_is_none(bucket, place):
    of, day = bucket.admin, datetime.now(UTC).strftime("%Y%m%d")
    credential = f"{of.access_key_id}/{place.format(day=day)}/aws4_request"
    reply = post(bucket.form([ANY_KEY], x_amz_credential=credential), key="a")
    assert (reply.status, reply.code, bucket.got) == (400, "InvalidArgument", False)


def test_a_signature_of_another_region_is_made_with_another_key(bucket):
    form = bucket.form([ANY_KEY])
    moved = form["fields"]["x-amz-credential"].replace(REGION, "eu-west-1")
    assert post(form, key="a", **{"x-amz-credential": moved}).code == "SignatureDoesNotMatch"


# What its policy lets it say


@pytest.mark.parametrize(
    ("conditions", "fields", "failed"),
    [
        ([ANY_KEY, {"acl": "private"}], {"acl": "private"}, None),
        ([ANY_KEY, {"acl": "private"}], {"acl": "public-read"}, '["eq", "$acl", "private"]'),
        ([["eq", "$key", "a"]], {}, None),
        ([["eq", "$key", "A"]], {}, '["eq", "$key", "A"]'),
        ([["eq", "key", "a"]], {}, '["eq", "key", "a"]'),
        ([["starts-with", "$Key", "b/"]], {}, '["starts-with", "$Key", "b/"]'),
        ([ANY_KEY, ["starts-with", "$acl", ""]], {}, '["starts-with", "$acl", ""]'),
        ([ANY_KEY, {"bucket": "others"}], {}, '["eq", "$bucket", "others"]'),
        ([ANY_KEY, ["starts-with", "$Content-Type", "image/"]], {"Content-Type": "image/png, image/gif"}, None),
        (
            [ANY_KEY, ["starts-with", "$Content-Type", "image/"]],
            {"Content-Type": "image/png,text/html"},
            '["starts-with", "$Content-Type", "image/"]',
        ),
        ([ANY_KEY, ["content-length-range", "test", "10"]], {}, '["content-length-range", "test", "10"]'),
        ([ANY_KEY, ["content-length-range", 4, "4"]], {}, None),
        ([ANY_KEY], {"x-ignore-this": "1"}, None),
        ([["starts-with", "$key", r"\$"]], {"key": "$a"}, '["starts-with", "$key", "\\\\$"]'),
    ],
)
def test_each_condition_must_hold(bucket, conditions, fields, failed):
    reply = post(bucket.form(conditions), **{"key": "a", **fields})
    if failed is None:
        assert (reply.status, bucket.got) == (204, 1)
    else:
        assert (reply.status, reply.code) == (403, "AccessDenied")
        assert reply.message == f"Invalid according to Policy: Policy Condition failed: {failed}"
        assert not bucket.got


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"acl": "private"}, "acl"), ({"X-Amz-Meta-A": "1"}, "x-amz-meta-a"), ({"submit": "Upload"}, "submit")],
)
def test_each_field_must_be_named(bucket, fields, name):
    reply = post(bucket.form([ANY_KEY]), key="a", **fields)
    assert (reply.status, reply.message) == (403, f"Invalid according to Policy: Extra input fields: {name}")
    assert not bucket.got


@pytest.mark.parametrize("left_out", ["bucket", "x-amz-date", "x-amz-credential"])
def test_the_bucket_and_who_signs_must_be_named_as_well(bucket, left_out):
    at = datetime.now(UTC)
    whole = json.loads(base64.b64decode(bucket.form([ANY_KEY], at=at)["fields"]["policy"]))
    kept = [one for one in whole["conditions"] if left_out not in one]
    reply = post(bucket.form({**whole, "conditions": kept}, at=at), key="a")
    assert reply.message == f"Invalid according to Policy: Extra input fields: {left_out}"


@pytest.mark.parametrize(("size", "code"), [(4, "EntityTooSmall"), (5, ""), (10, ""), (11, "EntityTooLarge")])
def test_a_file_has_a_size_within_the_range(bucket, size, code):
    form = bucket.form([ANY_KEY, ["content-length-range", 5, 10]])
    reply = post(form, b"x" * size, key="a")
    assert (reply.code, bucket.got) == (code, not code)
    if code:
        assert f"<ProposedSize>{size}</ProposedSize>" in reply.body.decode()


SOON = "2099-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "Invalid JSON."),
        ("[]", "Invalid JSON."),
        ("[" * 9000, "Invalid JSON."),
        ({"conditions": []}, "Policy missing expiration."),
        ({"expiration": SOON}, "Policy missing conditions."),
        ({"expiration": SOON, "conditions": {}}, "Invalid 'conditions' value: must be a List."),
        ({"expiration": SOON, "conditions": [], "Statement": []}, "Unexpected: 'statement'"),
        ({"expiration": "tomorrow", "conditions": []}, "Invalid 'expiration' value: 'tomorrow'"),
        ({"expiration": SOON[:-1] + "+00:00", "conditions": []}, "Invalid 'expiration' value"),
        ({"expiration": "2999-02-30T00:00:00Z", "conditions": []}, "Invalid 'expiration' value"),
        ({"expiration": SOON, "conditions": [{}]}, "Simple-Conditions must have exactly one property specified."),
        ({"expiration": SOON, "conditions": [{"a": "1", "b": "2"}]}, "exactly one property"),
        ({"expiration": SOON, "conditions": [{"acl": 1}]}, "value must be a string."),
        ({"expiration": SOON, "conditions": ["key"]}, "Invalid Condition"),
        ({"expiration": SOON, "conditions": [["ends-with", "$key", "a"]]}, "unknown operation 'ends-with'"),
        ({"expiration": SOON, "conditions": [["eq", "$key"]]}, "wrong number of arguments"),
        ({"expiration": SOON, "conditions": [["content-length-range", 0]]}, "wrong number of arguments"),
        ({"expiration": SOON, "conditions": [["content-length-range", -1, 0]]}, "content-length-range"),
        ({"expiration": SOON, "conditions": [["content-length-range", 0, 9.5]]}, "Invalid JSON."),
        (f'{{"expiration": "{SOON}", "conditions": [], "conditions": [["eq", "$key", "a"]]}}', "Invalid JSON."),
    ],
)
def test_a_policy_that_is_not_whole_and_clear_is_refused(bucket, document, words):
    reply = post(bucket.form(document), key="a")
    assert (reply.status, reply.code, bucket.got) == (400, "InvalidPolicyDocument", False)
    assert words in reply.message


def test_a_form_expires(bucket):
    reply = post(bucket.form({"expiration": "2020-01-01T00:00:00Z", "conditions": []}), key="a")
    assert (reply.status, reply.message) == (403, "Invalid according to Policy: Policy expired.")
    old = bucket.form({"expiration": SOON, "conditions": []}, x_amz_date="20200101T000000Z")
    assert post(old, key="a").code == "InvalidArgument"
    week = datetime.now(UTC) - timedelta(days=7, seconds=1)
    form = signed(bucket.url, {"expiration": SOON, "conditions": []}, bucket.admin, at=week)
    assert post(form, key="a").message == "Request has expired"


# How it is written


def test_nobody_may_post_a_form_that_is_clear(open_bucket):
    assert send(open_bucket.url, raw_form(FILE)).status == 204


def raw_form(*parts, fields=(("key", "a"),)):
    return b"".join([*(part(name, value) for name, value in fields), *parts, END])


FILE = part("file", b"data", "a.txt")
HEAD = f"--{BOUNDARY}\r\n".encode()


def disposed(disposition, *headers):
    return HEAD + "\r\n".join([f"Content-Disposition: {disposition}", *headers, "", "1", ""]).encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "MalformedPOSTRequest"),
        (b"key=a&file=data", "MalformedPOSTRequest"),
        (b"preamble\r\n" + raw_form(FILE), "MalformedPOSTRequest"),
        (b"\r\n" + raw_form(FILE), "MalformedPOSTRequest"),
        (raw_form(FILE)[: -len(END)], "MalformedPOSTRequest"),
        (raw_form(FILE)[:-4], "MalformedPOSTRequest"),
        (raw_form(FILE).replace(b"\r\n", b"\n"), "MalformedPOSTRequest"),
        (raw_form(), "InvalidArgument"),
        (raw_form(FILE, fields=()), "InvalidArgument"),
        (raw_form(FILE, part("key", "a"), fields=()), "InvalidArgument"),
        (raw_form(FILE, FILE), "IncorrectNumberOfFilesInPostRequest"),
        (raw_form(FILE, part("key", "b"), part("file", "text")), "IncorrectNumberOfFilesInPostRequest"),
        (raw_form(part("key", "b"), FILE), "InvalidArgument"),
        (raw_form(part("KEY", "b"), FILE), "InvalidArgument"),
        (raw_form(part("acl", "private"), part("acl", "public-read"), FILE), "InvalidArgument"),
        (raw_form(part("x-amz-unknown", "1"), FILE), "NotImplemented"),
        (raw_form(part("x-ignore-a", b"\xff"), FILE), "MalformedPOSTRequest"),
        (raw_form(part("_charset_", "utf-16"), FILE), "MalformedPOSTRequest"),
        (raw_form(part("x-ignore-a", "1", None, "Content-Type: text/plain; charset=utf-16"), FILE), "MalformedPOSTRequest"),
        (raw_form(part("x-ignore-a", "MQ==", None, "Content-Transfer-Encoding: base64"), FILE), "MalformedPOSTRequest"),
        (raw_form(part("file", b"ZGF0YQ==", "a", "Content-Transfer-Encoding: base64")), "MalformedPOSTRequest"),
        (raw_form(disposed('form-data; name="acl"; name="x-ignore-a"'), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed('form-data; name="x-ignore-a"; filename*=utf-8\'\'a'), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed("form-data"), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed('attachment; name="x-ignore-a"'), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed('form-data; name="a\\"; name=\\"key"'), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed('form-data; name="a"', 'Content-Disposition: form-data; name="key"'), FILE), "MalformedPOSTRequest"),
        (raw_form(disposed('form-data; name="a"', "folded: 1", " 2"), FILE), "MalformedPOSTRequest"),
        (raw_form(HEAD + b"\r\n1\r\n", FILE), "MalformedPOSTRequest"),
        (raw_form(part("x-ignore-a", "a" * 20480), FILE), "MaxPostPreDataLengthExceeded"),
        (raw_form(*[part("x-ignore-a", "")] * 300, FILE), "MaxPostPreDataLengthExceeded"),
        (raw_form(part("x-ignore-a", "a" * (1 << 20)), FILE), "MaxPostPreDataLengthExceeded"),
        (raw_form(FILE, part("x-ignore-a", "a" * (1 << 20))), "MalformedPOSTRequest"),
        (raw_form(part("file", "data", "n" * 4000), fields=[("key", "a"), ("x-ignore-a", "${filename}" * 9)]), "InvalidArgument"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_clear_form_is_refused(open_bucket, content, code):
    reply = send(open_bucket.url, content)
    assert (reply.code, open_bucket.got) == (code, False)


@pytest.mark.parametrize(
    "form",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 71,
        f"{FORM}; boundary=other",
        f"{FORM}; charset=utf-16",
        "multipart/form-data; boundary=other",
        f"multipart/form-data, {FORM}",
    ],
)
def test_a_content_type_names_one_boundary(open_bucket, form):
    reply = send(open_bucket.url, raw_form(FILE), form=form)
    assert (reply.status, reply.code, open_bucket.got) == (400, "MalformedPOSTRequest", False)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (("x-amz-acl", "public-read"), "AccessDenied"),
        (("x-amz-security-token", "token"), "AccessDenied"),
        (("If-None-Match", "*"), "NotImplemented"),
        (("Content-Encoding", "gzip"), "NotImplemented"),
        (("Transfer-Encoding", "chunked"), "MissingContentLength"),
    ],
)
def test_headers_say_nothing_of_the_object(open_bucket, header, code):
    content = raw_form(FILE)
    if header[0] == "Transfer-Encoding":
        with Raw(open_bucket.url.removesuffix("/forms")) as raw:
            head = f"POST /forms HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n{': '.join(header)}\r\n\r\n"
            raw.send(head.encode(), b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content))
            assert code in raw.answer()[2].decode()
    else:
        assert send(open_bucket.url, content, header).code == code
    assert not open_bucket.got


def test_a_boundary_within_the_file_is_read_alike_wherever_it_is_cut(open_bucket):
    near = [f"\r\n--{BOUNDARY}"[:-1], f"\r\n-{BOUNDARY}", f"\n--{BOUNDARY}--", f"\r--{BOUNDARY}", "\r\n--", "\r\r\n"]
    data = "|".join([*near, ""]).encode()
    content = body([("key", "a")], data)
    head = f"POST /forms HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {len(content)}\r\n\r\n"
    for size in (1, 7, 100, len(content)):
        with Raw(open_bucket.url.removesuffix("/forms")) as raw:
            raw.send(head.encode(), *(content[i : i + size] for i in range(0, len(content), size)))
            assert raw.answer()[0] == 204
        assert open_bucket.backend.last[1] == data


def test_a_form_whose_end_does_not_come_is_nothing(open_bucket):
    content = body([("key", "a")], b"x" * 3_000_000)
    head = f"POST /forms HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {len(content)}\r\n\r\n"
    with Raw(open_bucket.url.removesuffix("/forms")) as raw:
        raw.send(head.encode(), content[:-1])
    assert send(open_bucket.url, raw_form(part("other", "1"))).code == "InvalidArgument"
    assert not open_bucket.got


def test_a_refusal_is_an_event(counted, open_bucket):
    reply = send(open_bucket.url, raw_form())
    assert reply.code == "InvalidArgument"
    told = counted.explained(reply)
    assert (told["EventSource"], told["EventName"], told["Decisions"]) == ("s3.amazonaws.com", "PostObject", [])


def test_a_form_that_is_signed_otherwise_is_none(counted, open_bucket):
    content = raw_form(FILE)
    reply = counted.wire.send("s3", "POST", "/forms", [("content-type", FORM)], content)
    assert (reply.status, open_bucket.got) == (412, False)
