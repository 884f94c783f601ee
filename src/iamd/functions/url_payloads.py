"""What a function is given of a request to its URL, and the answer that is made of what it says.

AWS: Lambda Developer Guide, "Invoking Lambda function URLs" (urls-invocation): payload format version 2.0.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from iamd.auth.identity import Identity
from iamd.doors import FUNCTION_URLS
from iamd.functions import url_cookies
from iamd.functions.environment import Result
from iamd.http import HttpRequest, HttpResponse

_TEXTS: Final = ("text/", "application/json", "application/javascript", "application/xml")
_JSON: Final = (b"content-type", b"application/json")
_FAILED: Final = HttpResponse(502, [_JSON], b"Internal Server Error")
# SECURITY: what a client takes for an interim answer has no body: the function's would be read as the next answers.
_STATUSES: Final = range(200, 600)
_WITHOUT_BODY: Final = frozenset({204, 304})
# The server says these of its own answer.
_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-length", "date", "transfer-encoding", "keep-alive", "upgrade"}
)
# SECURITY: these speak for the whole host, at which iamd's pages are too.
_OF_THE_HOST: Final = frozenset(
    {
        "alt-svc", "clear-site-data", "nel", "public-key-pins", "report-to", "reporting-endpoints",
        "service-worker-allowed", "strict-transport-security",
    }
)  # fmt: skip
_NOT_HANDED_ON: Final = _OF_THE_CONNECTION | _OF_THE_HOST
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


def content_of(
    request: HttpRequest, url_id: str, region: str, account: str, path: bytes, caller: Identity | None
) -> bytes:
    """The event of a request; `path` is what follows the URL's own, and `caller` nobody without a signature."""
    domain, moment = f"{url_id}.lambda-url.{region}.on.aws", datetime.now(UTC)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path.decode("latin-1")),
        "rawQueryString": request.query.decode("latin-1"),
        "headers": headers_of(request),
        "requestContext": {
            "accountId": account,
            "apiId": url_id,
            "domainName": domain,
            "domainPrefix": url_id,
            "http": {
                "method": request.method,
                "path": unquote(path.decode("latin-1")),
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.fields.get(b"user-agent", b"").decode("latin-1"),
            },
            "requestId": request.id,
            "routeKey": "$default",
            "stage": "$default",
            "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(moment.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if caller is not None:
        event["requestContext"]["authorizer"] = {"iam": signer_of(caller)}
    return msgspec.json.encode(event | query_of(request) | cookies_of(request) | body_of(request))


def headers_of(request: HttpRequest) -> dict[str, str]:
    """The headers of a request, one value for each name, with those that say where it comes from; no cookies."""
    found: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name != "cookie":
            found[name] = f"{found[name]},{value}" if name in found else value
    proto = "https" if request.secure else "http"
    port = found.get("host", "").rpartition(":")[2]
    return found | {
        "x-forwarded-for": request.source_ip,
        "x-forwarded-proto": proto,
        "x-forwarded-port": port if port.isascii() and port.isdigit() else {"https": "443", "http": "80"}[proto],
        "x-amzn-trace-id": f"Root=1-{int(datetime.now(UTC).timestamp()):08x}-{secrets.token_hex(12)}",
    }


def query_of(request: HttpRequest) -> dict[str, Any]:
    """The parameters of the query: values of one name are joined by commas."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return {"queryStringParameters": found} if found else {}


def cookies_of(request: HttpRequest) -> dict[str, Any]:
    """The cookies of a request, where there are any."""
    found = url_cookies.given(request)
    return {"cookies": found} if found else {}


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The body of a request, where there is one: as it is where it is a text, else in base64."""
    body = request.body or b""
    if not body:
        return {}
    kind = request.fields.get(b"content-type", b"").decode("latin-1").lower()
    if kind.startswith(_TEXTS):
        try:
            return {"body": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def signer_of(identity: Identity) -> dict[str, Any]:
    """What is told of who has signed a request."""
    session = identity.session
    return {
        "accessKey": session.access_key_id if session is not None else identity.access_key_id,
        "accountId": identity.account_id,
        "callerId": identity.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": identity.arn,
        "userId": identity.user_id,
    }


def answer_of(result: Result, request: HttpRequest, url_id: str) -> HttpResponse:
    """The answer that a function has made; AWS: what has failed, or is no answer, is answered 502.

    `url_id` is whose cookies it sets.
    """
    if result.failure is not None:
        return _FAILED
    return told_by(result.content, request, f"{FUNCTION_URLS.decode()}{url_id}") or _FAILED


def told_by(content: bytes, request: HttpRequest, below: str) -> HttpResponse | None:
    """The answer that a function says: what has a `statusCode` says all of it, all else is a body of JSON.

    None for what is no answer. The cookies that it sets are for the paths below one.
    """
    try:
        told = msgspec.json.decode(content)
    # RecursionError: what is nested too deeply for the parser.
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(told, dict) or "statusCode" not in told:
        content = told.encode() if isinstance(told, str) else msgspec.json.encode(told)
        return HttpResponse(200, [_JSON], b"" if request.method == "HEAD" else content)
    try:
        answer = msgspec.convert(told, _Told, strict=False)
        pairs = [(name, plain(value)) for name, value in (answer.headers or {}).items()]
        return whole(answer.statusCode, pairs, answer.cookies or (), _content(answer), request, below)
    except (msgspec.ValidationError, ValueError):
        return None


def whole(
    status: int,
    pairs: Sequence[tuple[str, str]],
    cookies: Sequence[str],
    content: bytes,
    request: HttpRequest,
    below: str,
) -> HttpResponse:
    """An answer of a function's; ValueError when it can be none."""
    if status not in _STATUSES:
        raise ValueError("this is no status of an answer")
    has_body = request.method != "HEAD" and status not in _WITHOUT_BODY
    return HttpResponse(status, _headers_of(pairs, cookies, below, request), content if has_body else b"")


class _Told(msgspec.Struct):
    """A function's answer (urls-invocation, "Response payload format")."""

    statusCode: int  # noqa: N815 - as functions write it
    headers: dict[str, str | int | float | bool] | None = None
    body: Any = None
    cookies: list[str] | None = None
    isBase64Encoded: bool = False  # noqa: N815 - likewise


def _content(answer: _Told) -> bytes:
    if answer.body is None:
        return b""
    if not isinstance(answer.body, str):
        return msgspec.json.encode(answer.body)
    return base64.b64decode(answer.body, validate=True) if answer.isBase64Encoded else answer.body.encode()


def _headers_of(
    pairs: Sequence[tuple[str, str]], cookies: Sequence[str], below: str, request: HttpRequest
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer; ValueError for a name that is none (RFC 9110, 5.1)."""
    told = [(name.lower(), value) for name, value in pairs]
    if "content-type" not in {name for name, _ in told}:
        told.append(("content-type", "application/json"))
    if not all(_TOKEN(name) for name, _ in told):
        raise ValueError("a header has no name")
    kept = [pair for pair in told if pair[0] not in {*_NOT_HANDED_ON, "set-cookie"}]
    every = [*(value for name, value in told if name == "set-cookie"), *cookies]
    kept += [("set-cookie", url_cookies.set_by(cookie, below, request)) for cookie in every]
    return [(safe(name), safe(value)) for name, value in kept]


def plain(value: str | float) -> str:
    """The value of a header as a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def safe(text: str) -> bytes:
    """The name or the value of a header, of somebody else's text."""
    # SECURITY: a function's header must not begin another one.
    return "".join([one if one.isprintable() else "?" for one in text]).encode("latin-1", "replace")
