"""What functions are given of a request to a REST API: those that answer it, and those that decide who may ask.

AWS: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" (set-up-lambda-proxy-integrations),
"Input to an API Gateway Lambda authorizer" (api-gateway-lambda-authorizer-input), "Content type conversions in API
Gateway" (api-gateway-payload-encodings-workflow).
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from iamd.auth.identity import Identity
from iamd.functions.api_format_one import context_of, identity_of, names_of, parameters_of
from iamd.functions.rest_routes import Found, Key
from iamd.http import HttpRequest


class Authorized(msgspec.Struct, frozen=True):
    """What is known of who asks: who has signed, what an authorizer tells functions, and the API key it gives."""

    caller: Identity | None = None
    authorizer: Mapping[str, Any] | None = None
    usage_key: str | None = None


def content_of(request: HttpRequest, found: Found, authorized: Authorized, key: Key | None) -> bytes:
    """The event of a request; `key` is the API key that it came with, where it had to."""
    event = _event(request, found, authorized.caller)
    if authorized.authorizer is not None:
        event["requestContext"]["authorizer"] = authorized.authorizer
    if key is not None:
        event["requestContext"]["identity"] |= {"apiKey": key.value, "apiKeyId": key.id}
    return msgspec.json.encode({**event, **_body(request, found.deployment.binary_media_types)})


def token_asked(found: Found, token: str) -> bytes:
    """The event of a function that is asked about a token."""
    return msgspec.json.encode({"type": "TOKEN", "methodArn": found.arn, "authorizationToken": token})


def request_asked(request: HttpRequest, found: Found) -> bytes:
    """The event of a function that is asked about a request as a whole; a body is none of it."""
    return msgspec.json.encode({"type": "REQUEST", "methodArn": found.arn, **_event(request, found, None)})


def _event(request: HttpRequest, found: Found, caller: Identity | None) -> dict[str, Any]:
    api = found.api
    return {
        "resource": found.resource.path,
        "path": found.path,
        **parameters_of(request),
        "pathParameters": found.parameters or None,
        "stageVariables": found.stage.variables or None,
        "requestContext": {
            **names_of(api.id, api.account, api.region, found.stage.name),
            **context_of(request, found.whole_path),
            "deploymentId": found.deployment.id,
            "identity": identity_of(request, caller),
            "resourceId": found.resource.id,
            "resourcePath": found.resource.path,
        },
    }


def _body(request: HttpRequest, binary: Sequence[str]) -> dict[str, Any]:
    """The body: as text, but in base64 where its type is one that the API takes for binary."""
    body = request.body or b""
    if not body:
        return {"body": None, "isBase64Encoded": False}
    if is_binary(request.header(b"content-type") or "application/json", binary):
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": body.decode("utf-8", "replace"), "isBase64Encoded": False}


def is_binary(kinds: str, binary: Sequence[str]) -> bool:
    """Whether the first of some media types is one that an API takes for binary; AWS: only the first counts."""
    first = kinds.partition(",")[0].partition(";")[0].strip().lower()
    family = f"{first.partition('/')[0]}/*"
    return any(one.lower() in {first, family, "*/*"} for one in binary)
