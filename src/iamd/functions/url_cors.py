"""Cross-origin requests to function URLs, as the URL's configuration lets browsers make them.

AWS: Lambda API Reference, Cors; Lambda Developer Guide, "Cross-origin resource sharing (CORS)" (urls-configuration).
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from iamd.http import HttpRequest, HttpResponse


def preflight(request: HttpRequest, cors: Mapping[str, Any] | None) -> HttpResponse | None:
    """The answer to a browser that asks whether it may ask; None for all other requests, which the function sees."""
    asked = request.fields.get(b"access-control-request-method")
    if request.method != "OPTIONS" or not cors or asked is None or b"origin" not in request.fields:
        return None
    headers = _allowed(request, cors)
    if headers:
        methods, names = cors.get("AllowMethods"), cors.get("AllowHeaders")
        headers += [(b"access-control-allow-methods", ",".join(methods).encode())] if methods else []
        headers += [(b"access-control-allow-headers", ",".join(names).encode())] if names else []
        headers += [(b"access-control-max-age", str(cors["MaxAge"]).encode())] if cors.get("MaxAge") else []
    return HttpResponse(200, headers, b"")


def shared(answer: HttpResponse, request: HttpRequest, cors: Mapping[str, Any] | None) -> HttpResponse:
    """The answer with what lets the page of another origin read it; the function's own headers for that give way."""
    added = _allowed(request, cors) if cors and b"origin" in request.fields else []
    if not cors or not added:
        return answer
    exposed = cors.get("ExposeHeaders")
    added += [(b"access-control-expose-headers", ",".join(exposed).encode())] if exposed else []
    names = {name for name, _ in added}
    kept = [pair for pair in answer.headers if pair[0] not in names]
    return replace(answer, headers=[*kept, *added])


def _allowed(request: HttpRequest, cors: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """What names the origin as one that may ask; nothing for one that may not."""
    origin, origins = request.fields[b"origin"], cors.get("AllowOrigins") or ()
    if "*" not in origins and origin.decode("latin-1") not in origins:
        return []
    headers = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
    return [*headers, (b"access-control-allow-credentials", b"true")] if cors.get("AllowCredentials") else headers
