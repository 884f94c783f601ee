"""What functions are given of a request to an HTTP API: those that answer it, and those that decide who may ask.

AWS: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda) and "Control access to HTTP APIs with AWS Lambda authorizers"
(http-api-lambda-authorizer): payload format versions 1.0 and 2.0 of each.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from iamd.auth.identity import Identity
from iamd.functions import url_cookies
from iamd.functions.api_routes import Found
from iamd.functions.url_payloads import body_of, cookies_of, headers_of, query_of, signer_of
from iamd.http import HttpRequest

VERSIONS: Final = ("1.0", "2.0")


class Authorized(msgspec.Struct, frozen=True):
    """What is known of who asks, by what decided it: who has signed, a token's claims, or what a function has said."""

    caller: Identity | None = None
    claims: Mapping[str, str] | None = None
    scopes: Sequence[str] | None = None
    context: Mapping[str, Any] | None = None
    principal: str | None = None
    """The `principalId` of a function's policy."""
    is_by_function: bool = False


def content_of(request: HttpRequest, found: Found, authorized: Authorized, version: str) -> bytes:
    """The event of a request."""
    if version == "1.0":
        body: dict[str, Any] = {"body": None, "isBase64Encoded": False} | body_of(request)
        return msgspec.json.encode({"version": "1.0", **_first(request, found, authorized), **body})
    event = _second(request, found)
    authorizer = _second_authorizer(authorized)
    if authorizer:
        event["requestContext"]["authorizer"] = authorizer
    # Of a body's two members the second stands there without a body too.
    return msgspec.json.encode({"version": "2.0", **event, "isBase64Encoded": False, **body_of(request)})


def asked_of(request: HttpRequest, found: Found, sources: Sequence[str], version: str) -> bytes:
    """The event of a function that is asked whether a request may be made; `sources` are the identity sources."""
    if version == "1.0":
        token = ",".join(sources)
        own = {"version": "1.0", "type": "REQUEST", "methodArn": found.arn}
        told = {**own, "identitySource": token, "authorizationToken": token}
        return msgspec.json.encode({**told, **_first(request, found, None)})
    named = {"version": "2.0", "type": "REQUEST", "routeArn": found.arn}
    return msgspec.json.encode({**named, "identitySource": sources, **_second(request, found)})


def _names(found: Found) -> dict[str, str]:
    """The API's own names; its domain has the form that it has on AWS."""
    domain = f"{found.api.id}.execute-api.{found.api.region}.amazonaws.com"
    return {
        "accountId": found.api.account,
        "apiId": found.api.id,
        "domainName": domain,
        "domainPrefix": found.api.id,
        "stage": found.stage.name,
    }


def _agent(request: HttpRequest) -> str:
    return request.fields.get(b"user-agent", b"").decode("latin-1")


def _when(moment: datetime) -> str:
    return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def _second(request: HttpRequest, found: Found) -> dict[str, Any]:
    """Format 2.0, without a body."""
    moment, path = datetime.now(UTC), found.whole_path
    event: dict[str, Any] = {
        "routeKey": found.route.route_key,
        "rawPath": path,
        "rawQueryString": request.query.decode("latin-1"),
        "headers": headers_of(request),
        "requestContext": {
            **_names(found),
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": _agent(request),
            },
            "requestId": request.id,
            "routeKey": found.route.route_key,
            "time": _when(moment),
            "timeEpoch": int(moment.timestamp() * 1000),
        },
        **query_of(request),
        **cookies_of(request),
    }
    if found.parameters:
        event["pathParameters"] = found.parameters
    if found.stage.variables:
        event["stageVariables"] = found.stage.variables
    return event


def _second_authorizer(authorized: Authorized) -> dict[str, Any]:
    if authorized.caller is not None:
        return {"iam": signer_of(authorized.caller)}
    if authorized.claims is not None:
        return {"jwt": {"claims": authorized.claims, "scopes": authorized.scopes}}
    return {"lambda": authorized.context} if authorized.is_by_function else {}


def _first(request: HttpRequest, found: Found, authorized: Authorized | None) -> dict[str, Any]:
    """Format 1.0, without a body; nothing is told of who asks while that is not known."""
    moment, path = datetime.now(UTC), found.whole_path
    single, several = _first_headers(request)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    context: dict[str, Any] = {
        **_names(found),
        "extendedRequestId": request.id,
        "httpMethod": request.method,
        "identity": _first_identity(request, authorized.caller if authorized is not None else None),
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": request.id,
        "requestTime": _when(moment),
        "requestTimeEpoch": int(moment.timestamp() * 1000),
        "resourceId": None,
        "resourcePath": found.route.path,
    }
    if authorized is not None and authorized.caller is None:
        context["authorizer"] = _first_authorizer(authorized)
    return {
        "resource": found.route.path,
        "path": path,
        "httpMethod": request.method,
        "headers": single,
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": context,
        "pathParameters": found.parameters or None,
        "stageVariables": found.stage.variables or None,
    }


def _first_authorizer(authorized: Authorized) -> dict[str, Any]:
    if authorized.is_by_function:
        named = {"principalId": authorized.principal} if authorized.principal is not None else {}
        return {**(authorized.context or {}), **named}
    return {"claims": authorized.claims, "scopes": authorized.scopes}


def _first_headers(request: HttpRequest) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The headers, each with its last value and with all of them."""
    several: dict[str, list[str]] = {}
    for raw_name, value in request.headers:
        name = raw_name.decode("latin-1")
        if name != "cookie":
            several.setdefault(name, []).append(value.decode("latin-1"))
    cookies = url_cookies.given(request)
    if cookies:
        several["cookie"] = ["; ".join(cookies)]
    # What says where the request comes from is not what the client says.
    several |= {name: [value] for name, value in headers_of(request).items() if name.startswith(_OF_THE_WAY)}
    return {name: values[-1] for name, values in several.items()}, several


_OF_THE_WAY: Final = ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id")


def _first_identity(request: HttpRequest, caller: Identity | None) -> dict[str, Any]:
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
        "userAgent": _agent(request),
        "userArn": signer.get("userArn"),
    }
