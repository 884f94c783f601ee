"""What functions are given of a request to an HTTP API: those that answer it, and those that decide who may ask.

AWS: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda) and "Control access to HTTP APIs with AWS Lambda authorizers"
(http-api-lambda-authorizer): payload format versions 1.0 and 2.0 of each.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from iamd.auth.identity import Identity
from iamd.functions.api_format_one import agent_of, context_of, identity_of, names_of, parameters_of, when
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
    return names_of(found.api.id, found.api.account, found.api.region, found.stage.name)


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
                "userAgent": agent_of(request),
            },
            "requestId": request.id,
            "routeKey": found.route.route_key,
            "time": when(moment),
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
    path = found.whole_path
    context = {
        **_names(found),
        **context_of(request, path),
        "identity": identity_of(request, authorized.caller if authorized is not None else None),
        "resourceId": None,
        "resourcePath": found.route.path,
    }
    if authorized is not None and authorized.caller is None:
        context["authorizer"] = _first_authorizer(authorized)
    return {
        "resource": found.route.path,
        "path": path,
        **parameters_of(request),
        "requestContext": context,
        "pathParameters": found.parameters or None,
        "stageVariables": found.stage.variables or None,
    }


def _first_authorizer(authorized: Authorized) -> dict[str, Any]:
    if authorized.is_by_function:
        named = {"principalId": authorized.principal} if authorized.principal is not None else {}
        return {**(authorized.context or {}), **named}
    return {"claims": authorized.claims, "scopes": authorized.scopes}
