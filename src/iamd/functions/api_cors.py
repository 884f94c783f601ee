"""Cross-origin requests to HTTP APIs, as an API's configuration lets browsers make them.

AWS: API Gateway Developer Guide, "Configure CORS for HTTP APIs" (http-api-cors).
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd.functions.url_payloads import safe
from iamd.http import Headers, HttpRequest, HttpResponse

_OF_CORS: Final = b"access-control-"


def is_preflight(request: HttpRequest, cors: Mapping[str, Any] | None) -> bool:
    """Whether a browser asks whether it may ask, and the API says who may."""
    names = (b"origin", b"access-control-request-method")
    return bool(cors) and request.method == "OPTIONS" and all(name in request.fields for name in names)


def preflight(request: HttpRequest, cors: Mapping[str, Any]) -> HttpResponse:
    """The answer to a browser that asks whether it may ask."""
    headers = _allowed(request, cors)
    if headers:
        for member, name in (("allowMethods", b"allow-methods"), ("allowHeaders", b"allow-headers")):
            if cors.get(member):
                headers.append((_OF_CORS + name, safe(",".join(cors[member]))))
        if cors.get("maxAge") is not None:
            headers.append((_OF_CORS + b"max-age", str(cors["maxAge"]).encode()))
    return HttpResponse(204, headers, b"")


def shared(answer: HttpResponse, request: HttpRequest, cors: Mapping[str, Any] | None) -> HttpResponse:
    """The answer of an integration with what lets a page of another origin read it; its own words for that don't count.

    AWS: "API Gateway ignores CORS headers returned from your backend integration".
    """
    if not cors:
        return answer
    kept = [pair for pair in answer.headers if not pair[0].startswith(_OF_CORS)]
    added = _allowed(request, cors) if b"origin" in request.fields else []
    if added and cors.get("exposeHeaders"):
        added.append((_OF_CORS + b"expose-headers", safe(",".join(cors["exposeHeaders"]))))
    return replace(answer, headers=[*kept, *added])


def _allowed(request: HttpRequest, cors: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """What names the origin as one that may ask; nothing for one that may not."""
    origin, origins = request.fields[b"origin"], cors.get("allowOrigins") or ()
    told = origin.decode("latin-1")
    has_credentials = bool(cors.get("allowCredentials"))
    if "*" in origins:
        # SECURITY: no browser takes every origin with credentials; AWS does not let an API be configured so.
        return [] if has_credentials else [(_OF_CORS + b"allow-origin", b"*")]
    if not any(told == one or _is_of_scheme(told, one) for one in origins):
        return []
    headers: Headers = [(_OF_CORS + b"allow-origin", origin), (b"vary", b"Origin")]
    return [*headers, *([(_OF_CORS + b"allow-credentials", b"true")] if has_credentials else [])]


def _is_of_scheme(origin: str, allowed: str) -> bool:
    """AWS: `https://*` and `http://*` are all origins of the scheme."""
    return allowed in {"http://*", "https://*"} and origin.startswith(allowed.removesuffix("*"))
