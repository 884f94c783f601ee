"""What a function is given of a request to its URL, and the answer that is made of what it says.

AWS: Lambda Developer Guide, "Invoking Lambda function URLs" (urls-invocation): payload format version 2.0.
"""

import base64
import re
import secrets
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from iamd.auth.identity import Identity
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
        "headers": _headers(request),
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
        event["requestContext"]["authorizer"] = {"iam": _signer(caller)}
    return msgspec.json.encode(event | _query(request) | _cookies(request) | _body(request))


def _headers(request: HttpRequest) -> dict[str, str]:
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


def _query(request: HttpRequest) -> dict[str, Any]:
    """The parameters of the query: values of one name are joined by commas."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return {"queryStringParameters": found} if found else {}


def _cookies(request: HttpRequest) -> dict[str, Any]:
    found = url_cookies.given(request)
    return {"cookies": found} if found else {}


def _body(request: HttpRequest) -> dict[str, Any]:
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


def _signer(identity: Identity) -> dict[str, Any]:
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
    """The answer that a function has made: what has a `statusCode` says all of it, all else is a body of JSON.

    AWS: what has failed, or is no answer, is answered 502. `url_id` is whose cookies it sets.
    """
    if result.failure is not None:
        return _FAILED
    try:
        told = msgspec.json.decode(result.content)
    except msgspec.DecodeError:
        return _FAILED
    if not isinstance(told, dict) or "statusCode" not in told:
        content = told.encode() if isinstance(told, str) else msgspec.json.encode(told)
        return HttpResponse(200, [_JSON], b"" if request.method == "HEAD" else content)
    try:
        answer = msgspec.convert(told, _Told, strict=False)
        content, headers = _content(answer), _headers_of(answer, url_id)
    except (msgspec.ValidationError, ValueError):
        return _FAILED
    if answer.statusCode not in _STATUSES:
        return _FAILED
    has_body = request.method != "HEAD" and answer.statusCode not in _WITHOUT_BODY
    return HttpResponse(answer.statusCode, headers, content if has_body else b"")


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


def _headers_of(answer: _Told, url_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer; ValueError for a name that is none (RFC 9110, 5.1)."""
    told = {name.lower(): _plain(value) for name, value in (answer.headers or {}).items()}
    told.setdefault("content-type", "application/json")
    if not all(map(_TOKEN, told)):
        raise ValueError("a header has no name")
    pairs = [(name, value) for name, value in told.items() if name not in {*_NOT_HANDED_ON, "set-cookie"}]
    cookies = [told["set-cookie"]] if "set-cookie" in told else []
    pairs += [("set-cookie", url_cookies.set_by(cookie, url_id)) for cookie in [*cookies, *(answer.cookies or ())]]
    return [(_safe(name), _safe(value)) for name, value in pairs]


def _plain(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _safe(text: str) -> bytes:
    # SECURITY: a function's header must not begin another one.
    return "".join([one if one.isprintable() else "?" for one in text]).encode("latin-1", "replace")
