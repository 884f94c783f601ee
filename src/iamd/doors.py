"""iamd's own doors beside AWS's protocols: health, the pages for people, and with `--dev` reset and clock."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from iamd import __version__, api_places, callbacks
from iamd.http import HttpRequest, HttpResponse
from iamd.own_services import MAX_BODY
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.services.iam import outbound_federation
from iamd.store.errors import Unavailable
from iamd.store.federation_records import OutboundFederation
from iamd.store.stack_records import Stack

HEALTH = frozenset({b"/_iamd/health", b"/_iamd/live", b"/_iamd/ready", b"/_localstack/health"})
RESET = b"/_iamd/reset"
CLOCK = b"/_iamd/clock"
OIDC = outbound_federation.PATH.encode()
FUNCTION_URLS = b"/_iamd/lambda-url/"
LARGEST_AT_FUNCTION_URL = 6 * 1024 * 1024
"""AWS: 6 MB (Lambda Developer Guide, "Lambda quotas")."""
LARGEST_AT_API = 10 * 1024 * 1024
"""AWS: 10 MB (API Gateway Developer Guide, "Quotas for configuring and running an HTTP API", "... a REST API")."""
PREFIXES = (b"/_iamd/", b"/_localstack/")
"""How the paths of the doors begin: an underscore can't stand in a bucket name, so no bucket is shadowed."""


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /_iamd/clock`."""

    advance_seconds: float = 0.0
    reset: bool = False


def largest_body(request: HttpRequest) -> int:
    """How many bytes of a body are read."""
    if api_places.of(request) is not None:
        return LARGEST_AT_API
    return LARGEST_AT_FUNCTION_URL if request.path.startswith(FUNCTION_URLS) else MAX_BODY


async def serve(runtime: Runtime, request: HttpRequest, body: bytes) -> HttpResponse:
    """Answer one of iamd's own paths."""
    try:
        return await _served(runtime, request, body)
    except Unavailable as error:
        return _json(request, 503, {"message": str(error)})


async def _served(runtime: Runtime, request: HttpRequest, body: bytes) -> HttpResponse:
    place = api_places.of(request)
    if place is not None and runtime.functions is not None:
        return await runtime.functions.serve_api(request.with_body(body), place)
    if request.path in HEALTH and request.method in {"GET", "HEAD"}:
        return _json(request, 200, health(runtime))
    if request.path.startswith(FUNCTION_URLS) and runtime.functions is not None:
        return await runtime.functions.serve_url(request.with_body(body))
    if request.path.startswith(callbacks.PATH):
        return await _callback(runtime, request, body)
    # Imported here: a server whose pages nobody opens has no use for them.
    from iamd.web import routes  # noqa: PLC0415

    if routes.is_page(request):
        return await routes.serve(runtime, request, body)
    if request.path.startswith(OIDC) and request.method in {"GET", "HEAD"}:
        published = _published(runtime, request.path.removeprefix(OIDC).decode("latin-1"))
        if published is not None:
            return _json(request, 200, published)
    if runtime.settings.dev and request.method == "POST" and request.path in {RESET, CLOCK}:
        if _is_foreign(request):
            return _json(request, 403, {"message": "this door answers programs on this machine only"})
        return await _reset(runtime, request) if request.path == RESET else _clock(runtime, request, body)
    return _json(request, 404, {"message": f"nothing is at {request.path.decode('latin-1')}"})


async def _callback(runtime: Runtime, request: HttpRequest, body: bytes) -> HttpResponse:
    """What was asked of somebody is answered, as S3 takes what is put to a presigned URL."""
    if request.method != "PUT":
        return _json(request, 405, {"message": "a callback takes PUT"})
    if not await callbacks.take(runtime, request, body):
        return _json(request, 403, {"message": "this is no address, or it has ended, or takes no more"})
    return HttpResponse(200, [(b"x-amzn-requestid", request.id.encode())], b"")


def refused(request: HttpRequest, message: str) -> HttpResponse:
    """The answer to a body that is not read."""
    return _json(request, 413, {"message": message})


def health(runtime: Runtime) -> dict[str, Any]:
    """What `/_iamd/health` shows."""
    backends = runtime.gateway.health() if runtime.gateway is not None else {}
    return {
        "status": "running",
        "version": __version__,
        "store": "sqlite",
        "revision": runtime.store.snapshot().revision,
        "enforce": runtime.settings.enforce,
        "worker": runtime.worker,
        "backends": backends,
        "metadata": runtime.metadata.addresses() if runtime.metadata is not None else {},
        "services": dict.fromkeys(registry.NOUNS, "running"),
    }


def _published(runtime: Runtime, path: str) -> dict[str, Any] | None:
    """What an account's issuer of web identity tokens publishes: its discovery document and its keys.

    OpenID Connect Discovery 1.0, section 4; AWS has the keys at `/.well-known/jwks.json` too.
    """
    issuer_id, _, document = path.partition("/.well-known/")
    found = runtime.store.snapshot().shared.get(OutboundFederation, issuer_id)
    if found is None:
        return None
    if document == "jwks.json":
        return {"keys": [dict(key.public) for key in found.keys]}
    if document != "openid-configuration":
        return None
    return {
        "issuer": found.issuer,
        "jwks_uri": f"{found.issuer}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [key.algorithm for key in found.keys],
    }


async def _reset(runtime: Runtime, request: HttpRequest) -> HttpResponse:
    runtime.clock.reset()
    if runtime.stacks is not None and runtime.store.snapshot().has(Stack):
        # What still makes resources would make them in the state that is gone back to.
        await runtime.stacks().clear()
    await asyncio.to_thread(runtime.store.reset)
    runtime.issuers.forget()
    if runtime.metadata is not None:
        runtime.metadata.forget()
    if runtime.gateway is not None:
        await runtime.gateway.reset()
    return _json(request, 200, {"revision": runtime.store.snapshot().revision})


def _clock(runtime: Runtime, request: HttpRequest, body: bytes) -> HttpResponse:
    try:
        asked = msgspec.json.decode(body, type=Advance)
    except msgspec.DecodeError as error:
        return _json(request, 400, {"message": str(error)})
    if not math.isfinite(asked.advance_seconds) or asked.advance_seconds < 0:
        return _json(request, 400, {"message": "advance_seconds is a number of seconds, 0 or more"})
    if asked.reset:
        runtime.clock.reset()
    runtime.clock.advance(asked.advance_seconds)
    return _json(request, 200, {"advanced_seconds": runtime.clock.advanced_seconds})


def _is_foreign(request: HttpRequest) -> bool:
    # SECURITY: a page in a browser can post to loopback; it can't leave these headers out, nor name our host.
    host = (request.header(b"host") or "").rpartition(":")[0] or request.header(b"host") or ""
    sent = any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in request.headers)
    return sent or host not in {"127.0.0.1", "localhost", "[::1]"}


def _json(request: HttpRequest, status: int, content: Mapping[str, Any]) -> HttpResponse:
    headers = [(b"content-type", b"application/json"), (b"x-amzn-requestid", request.id.encode())]
    return HttpResponse(status, headers, msgspec.json.encode(content))
