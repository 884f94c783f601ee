"""Requests signed by botocore's own signers, as they would arrive."""

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from iamd.auth import sigv4
from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpRequest
from iamd.wire import faults
from iamd.wire.models import Protocol

KEY_ID, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJ/+token=="
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
REGION = "eu-west-1"


def s3_code(error: AWSError) -> str:
    """The code that S3's clients see."""
    return faults.told(error, "s3", Protocol.REST_XML)[0]


def signed(
    method="GET",
    path="/",
    query="",
    *,
    service="sts",
    headers=(),
    body=b"",
    token=None,
    presigned=False,
    expires=3600,
    at=NOW,
    secret=SECRET,
) -> HttpRequest:
    """A request signed by botocore for `service`, in its header or its query."""
    url = f"https://{service}.example.com:4566{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    credentials = Credentials(KEY_ID, secret, token)
    if presigned:
        kind = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        signer = kind(credentials, service, REGION, expires=expires)
    else:
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        signer = kind(credentials, service, REGION)
    with mock.patch("botocore.auth.get_current_datetime", return_value=datetime.fromtimestamp(at, UTC)):
        signer.add_auth(request)
    return arrived(request)


def arrived(request: AWSRequest) -> HttpRequest:
    parts = urlsplit(request.url)
    headers = [(b"host", parts.netloc.encode())]
    for name, value in request.headers.items():
        text = value.encode() if isinstance(value, str) else value
        headers.append((name.lower().encode(), text.strip()))
    body = request.data if isinstance(request.data, bytes) else b""
    return HttpRequest("r", request.method, parts.path.encode(), parts.query.encode(), headers, body, "127.0.0.1")


def changed(request: HttpRequest, **changes) -> HttpRequest:
    """The same request with some of its parts changed; `drop`, `add` and `replace` change headers."""
    headers = [header for header in request.headers if header[0] != changes.get("drop")]
    replace = changes.get("replace", {})
    headers = [(name, replace.get(name, value)) for name, value in headers] + list(changes.get("add", ()))
    return HttpRequest(
        "r",
        changes.get("method", request.method),
        changes.get("path", request.path),
        changes.get("query", request.query),
        headers,
        changes.get("body", request.body),
        "127.0.0.1",
    )


def verify(request: HttpRequest, *, now=NOW, window=900, secret=SECRET, **options):
    """Claim and check in one, as the pipeline does; gives the claim."""
    claim = sigv4.claim(request)
    assert claim is not None
    if claim.access_key_id != KEY_ID:
        raise CommonError(Common.UNKNOWN_ACCESS_KEY, "this secret belongs to another key")
    sigv4.check(claim, request, secret, now, window, **options)
    return claim
