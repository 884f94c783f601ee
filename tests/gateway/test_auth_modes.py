"""SIG-12: every way to sign, or not to, at every kind of door: each cell says verified or how it is refused.

A new mode or door is a row or column here, and fails until each of its cells is told.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from raw import Raw
from running import allow

FORM = {"content-type": "application/x-www-form-urlencoded"}
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
EMPTY = hashlib.sha256(b"").hexdigest()

# Name: service, method, path, query, headers, body.
DOORS = {
    "query": ("iam", "POST", "/", "", FORM, b"Action=ListUsers&Version=2010-05-08"),
    "query in the URL": ("sts", "GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", {}, b""),
    "json": (
        "cloudtrail", "POST", "/", "",
        {"content-type": "application/x-amz-json-1.1", "x-amz-target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"}, b"{}",
    ),
    "own json": ("iamd", "POST", "/", "", {"content-type": "application/x-amz-json-1.1", "x-amz-target": "iamd.ListAccounts"}, b"{}"),
    "gateway query": ("sns", "POST", "/", "", FORM, b"Action=ListTopics&Version=2010-03-31"),
    "gateway json": (
        "dynamodb", "POST", "/", "",
        {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"}, b"{}",
    ),
    "rest-json": ("secretsmanager", "POST", "/", "", {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.ListSecrets"}, b"{}"),
    "lambda": ("lambda", "GET", "/2015-03-31/functions", "", {}, b""),
    "s3 read": ("s3", "GET", "/bucket", "list-type=2", {}, b""),
    "s3 body": ("s3", "PUT", "/bucket", "tagging", {}, TAGS),
    "s3 object": ("s3", "PUT", "/bucket/key", "", {}, b"x" * 100),
}  # fmt: skip

QUERY, JSON = ("query", "query in the URL", "gateway query"), ("json", "own json", "gateway json", "rest-json")
S3 = ("s3 read", "s3 body", "s3 object")


class Sent:
    """One request on its way to be signed."""

    def __init__(self, aws, door):
        self.service, self.method, self.path, self.query, headers, self.body = DOORS[door]
        self.host = aws.endpoint.removeprefix("http://")
        self.headers = {"host": self.host, **headers}
        admin = aws.server.administrator
        self.key_id, self.secret = admin.access_key_id, admin.secret_access_key
        self.date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.date[:8]}/us-east-1/{self.service}/aws4_request"
        self.region_set = ""

    def sign(self, *, payload=None, secret=None, length=None):
        """In the Authorization header."""
        self.headers["x-amz-date"] = self.date
        self.headers["x-amz-content-sha256"] = payload or hashlib.sha256(self.body).hexdigest()
        if length is not None:
            self.headers["x-amz-decoded-content-length"] = str(length)
        names = ";".join(sorted(self.headers))
        signature = self._signature(sorted(self.headers), self.headers["x-amz-content-sha256"], secret or self.secret)
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key_id}/{self.scope}, SignedHeaders={names}, Signature={signature}"
        )
        return self

    def presign(self, *, secret=None):
        """In the query."""
        added = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{self.key_id}/{self.scope}",
            "X-Amz-Date": self.date, "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host",
        }  # fmt: skip
        # A header beginning with x-amz- has to be signed.
        names = ["host", *(name for name in self.headers if name.startswith("x-amz-"))]
        added["X-Amz-SignedHeaders"] = ";".join(names)
        parts = [part for part in self.query.split("&") if part]
        self.query = "&".join(parts + [f"{name}={quote(value, safe='')}" for name, value in added.items()])
        payload = "UNSIGNED-PAYLOAD" if self.service == "s3" else hashlib.sha256(self.body).hexdigest()
        self.query += f"&X-Amz-Signature={self._signature(names, payload, secret or self.secret)}"
        return self

    def _signature(self, names, payload, secret):
        query = "&".join(sorted(part if "=" in part else f"{part}=" for part in self.query.split("&") if part))
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        text = "\n".join([self.method, self.path, query, headers, ";".join(names), payload])
        key = f"AWS4{secret}".encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        to_sign = f"AWS4-HMAC-SHA256\n{self.date}\n{self.scope}\n{hashlib.sha256(text.encode()).hexdigest()}"
        return hmac.digest(key, to_sign.encode(), "sha256").hex()

    def answer(self, aws):
        """Status, code and request id of what came back."""
        target = self.path + (f"?{self.query}" if self.query else "")
        headers = {**self.headers, "content-length": str(len(self.body))}
        with Raw(aws.endpoint, seconds=60) as raw:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            raw.send(f"{self.method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + self.body)
            status, told, body = raw.answer()
        return status, code_of(told, body), told["x-amzn-requestid"]


def code_of(headers, body):
    if b"<Code>" in body:
        return body.split(b"<Code>")[1].split(b"</Code>")[0].decode()
    if body.startswith(b"{"):
        named = headers.get("x-amzn-errortype") or json.loads(body).get("__type", "")
        return named.rpartition("#")[2].partition(":")[0]
    return ""


def header(sent, name, value):
    sent.headers[name] = value
    return sent


def streaming(form):
    def mode(sent):
        sent.headers |= {"x-amz-trailer": "x-amz-checksum-crc32"} if "TRAILER" in form else {}
        return sent.sign(payload=form, length=len(sent.body))

    return mode


MODES = {
    "nobody": lambda sent: sent,
    "header": lambda sent: sent.sign(),
    "header, wrong secret": lambda sent: sent.sign(secret="x" * 40),
    "header, another body": lambda sent: sent.sign(payload=hashlib.sha256(b"other").hexdigest()),
    "header, unsigned payload": lambda sent: sent.sign(payload="UNSIGNED-PAYLOAD"),
    "header, junk for a hash": lambda sent: sent.sign(payload="UNSIGNED"),
    "presigned": lambda sent: sent.presign(),
    "presigned, wrong secret": lambda sent: sent.presign(secret="x" * 40),
    "both": lambda sent: sent.sign().presign(),
    "chunks that are none": streaming("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    "chunks and trailer that are none": streaming("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    "unsigned chunks that are none": streaming("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    "unsigned chunks, wrong secret": lambda sent: sent.sign(payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER", secret="x"),
    "SigV4A": lambda sent: header(
        sent.sign(), "authorization", sent.headers["authorization"].replace("HMAC", "ECDSA-P256")
    ),
    "SigV2": lambda sent: header(sent, "authorization", f"AWS {sent.key_id}:c2lnbmF0dXJl"),
    "bearer": lambda sent: header(sent, "authorization", "Bearer token"),
    "header and a bearer of SSO": lambda sent: header(sent.sign(), "x-amz-sso_bearer_token", "token"),
    "a form of a browser": lambda sent: header(sent, "content-type", "multipart/form-data; boundary=x"),
    "a content type of chunks": lambda sent: header(sent, "x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
}


def family(of_query, of_json, of_lambda, of_s3, **others):
    """What each door answers: most alike within their protocol."""
    cells = (
        dict.fromkeys(QUERY, of_query) | dict.fromkeys(JSON, of_json) | {"lambda": of_lambda} | dict.fromkeys(S3, of_s3)
    )
    return cells | {name.replace("_", " "): value for name, value in others.items()}


VERIFIED = "verified"
MISMATCH = family(
    "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch"
)
MALFORMED = family("MalformedInput", "SerializationException", "SerializationException", "InvalidArgument")
INCOMPLETE = family(
    "IncompleteSignature", "IncompleteSignatureException", "AuthorizationHeaderMalformed", "AuthorizationHeaderMalformed",
    # Nothing in them says whose they are but a path or a query, which are S3's as long as nobody signed.
    query_in_the_URL="IncompleteSignature",
)  # fmt: skip
# Unsigned requests on paths are S3's: its bucket `2015-03-31` is not there.
NOBODY = family("MissingAuthenticationToken", "MissingAuthenticationTokenException", "NoSuchBucket", "AccessDenied")
# No protocol's form: S3's, which takes no form at its root, or none that names its operation.
BROWSER = (
    NOBODY
    | {"query": "MethodNotAllowed", "gateway query": "MethodNotAllowed"}
    | dict.fromkeys(JSON, "UnknownOperationException")
)
# Only objects are read in chunks; these are none, whoever signed their seed.
CHUNKS = MALFORMED | {"s3 read": "NotImplemented", "s3 body": "NotImplemented", "s3 object": "IncompleteBody"}
EXPECTED = {
    "nobody": NOBODY,
    "header": dict.fromkeys(DOORS, VERIFIED),
    "header, wrong secret": MISMATCH,
    "header, another body": MISMATCH | dict.fromkeys(S3, "XAmzContentSHA256Mismatch"),
    "header, unsigned payload": MALFORMED | dict.fromkeys(S3, VERIFIED),
    "header, junk for a hash": MALFORMED,
    "presigned": dict.fromkeys(DOORS, VERIFIED),
    "presigned, wrong secret": MISMATCH,
    "both": MALFORMED,
    "chunks that are none": CHUNKS,
    "chunks and trailer that are none": CHUNKS,
    "unsigned chunks that are none": CHUNKS,
    "unsigned chunks, wrong secret": MALFORMED | dict.fromkeys(S3, "SignatureDoesNotMatch"),
    "SigV4A": INCOMPLETE | {"lambda": "IncompleteSignatureException"},
    "SigV2": INCOMPLETE,
    "bearer": INCOMPLETE,
    "header and a bearer of SSO": MALFORMED,
    "a form of a browser": BROWSER,
    "a content type of chunks": NOBODY,
}


def test_every_cell_says_what_becomes_of_it():
    assert set(EXPECTED) == set(MODES)
    assert all(set(cells) == set(DOORS) for cells in EXPECTED.values())


@pytest.fixture(scope="module")
def bucket(cloud_server):
    from running import AWS

    cloud_server.post("/_iamd/reset")
    aws = AWS(cloud_server)
    aws.client("s3").create_bucket(Bucket="bucket")
    return aws


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("door", DOORS)
def test_a_request_is_verified_or_refused(bucket, door, mode):
    status, code, request_id = MODES[mode](Sent(bucket, door)).answer(bucket)
    found = VERIFIED if status == 200 or (status == 204 and door == "s3 body") else code
    assert found == EXPECTED[mode][door], (status, code)
    # AUD-01: whatever became of it, it is one event.
    recorded = bucket.explain(request_id)
    assert recorded.get("ErrorCode", VERIFIED) == found


def test_a_body_that_the_model_leaves_unsigned_need_not_be_signed(cloud):
    with pytest.raises(ClientError, match="The embedded backend does not implement this operation"):
        cloud.client("mediastore-data").put_object(Path="a/b", Body=b"content")
    sent = cloud.client("mediastore-data", cloud.user("ann", allow("mediastore:GetObject")))
    with pytest.raises(ClientError, match="is not authorized to perform: mediastore:PutObject"):
        sent.put_object(Path="a/b", Body=b"content")
