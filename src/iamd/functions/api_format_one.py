"""Payload format version 1.0 of events, as far as functions behind HTTP APIs and behind REST APIs are told the same.

AWS: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda) and "Lambda proxy integrations in API Gateway"
(set-up-lambda-proxy-integrations).
"""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from iamd.auth.identity import Identity
from iamd.functions import url_cookies
from iamd.functions.url_payloads import headers_of, signer_of
from iamd.http import HttpRequest

_OF_THE_WAY: Final = {
    "x-amzn-trace-id": "X-Amzn-Trace-Id",
    "x-forwarded-for": "X-Forwarded-For",
    "x-forwarded-port": "X-Forwarded-Port",
    "x-forwarded-proto": "X-Forwarded-Proto",
}
"""What says where a request comes from, as API Gateway writes it."""


def names_of(api_id: str, account: str, region: str, stage: str) -> dict[str, Any]:
    """An API's own names; its domain has the form that it has on AWS."""
    return {
        "accountId": account,
        "apiId": api_id,
        "domainName": f"{api_id}.execute-api.{region}.amazonaws.com",
        "domainPrefix": api_id,
        "stage": stage,
    }


def agent_of(request: HttpRequest) -> str:
    """What the client calls itself."""
    return request.fields.get(b"user-agent", b"").decode("latin-1")


def when(moment: datetime) -> str:
    """A moment as events write it."""
    return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def context_of(request: HttpRequest, path: str) -> dict[str, Any]:
    """What the context of an event tells of the request alone; `path` is the whole one."""
    moment = datetime.now(UTC)
    return {
        "extendedRequestId": request.id,
        "httpMethod": request.method,
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": request.id,
        "requestTime": when(moment),
        "requestTimeEpoch": int(moment.timestamp() * 1000),
    }


def parameters_of(request: HttpRequest) -> dict[str, Any]:
    """The method, the headers and the parameters of the query: each with its last value, and with all of them.

    The names of headers are as they were written where that is told (`HttpRequest.spelling`), else in lower case.
    """
    single, several = _headers(request)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "httpMethod": request.method,
        "headers": single,
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
    }


def _headers(request: HttpRequest) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The headers, each with its last value and with all of them; a name in several spellings is one."""
    spelled, several = request.spelling, dict[str, list[str]]()
    for raw_name, value in request.headers:
        if raw_name != b"cookie":
            name = spelled.get(raw_name) or raw_name.decode("latin-1")
            several.setdefault(name, []).append(value.decode("latin-1"))
    cookies = url_cookies.given(request)
    if cookies:
        several[spelled.get(b"cookie", "cookie")] = ["; ".join(cookies)]
    # SECURITY: what says where the request comes from is not what the client says, in whatever capitals.
    several = {name: values for name, values in several.items() if name.lower() not in _OF_THE_WAY}
    told = headers_of(request)
    several |= {written if spelled else name: [told[name]] for name, written in _OF_THE_WAY.items()}
    return {name: values[-1] for name, values in several.items()}, several


def identity_of(request: HttpRequest, caller: Identity | None) -> dict[str, Any]:
    """Who asks, as far as a signature tells."""
    signer = signer_of(caller) if caller is not None else {}
    return {
        "accessKey": signer.get("accessKey"),
        "accountId": signer.get("accountId"),
        "caller": signer.get("callerId"),
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": request.source_ip,
        "user": signer.get("userId"),
        "userAgent": agent_of(request),
        "userArn": signer.get("userArn"),
    }
