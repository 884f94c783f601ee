"""The ASGI application: which path or service goes to the pipeline, the gateway or iamd's own doors."""

import ipaddress
import re
from collections.abc import Awaitable
from functools import partial
from typing import Any, Literal

from msgspec.structs import replace

from iamd import api_places, doors, ids, pipeline
from iamd.auth import sigv4
from iamd.auth.claim import Claim
from iamd.errors import AWSError, Common, CommonError
from iamd.exchange import Client, Message, Receive, Send, Serving
from iamd.framing import Head, names_as_written
from iamd.http import BrokenOff, HttpRequest, HttpResponse
from iamd.own_services import MAX_BODY, OWN_SERVICES
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.wire.hosts import host_of

FORM = b"application/x-www-form-urlencoded"
OF_MESSAGES = re.compile(rb"(?:^|&)Action=(?:ConfirmSubscription|Unsubscribe)(?:&|$)")
"""What the addresses in SNS's messages ask for (SNS Developer Guide, "HTTP/HTTPS notification JSON format")."""


EXECUTE_API = "execute-api"
"""What requests to APIs of API Gateway are signed for."""
HERE = OWN_SERVICES | {EXECUTE_API}
"""The services that a signature can be for whose requests are not the gateway's."""


class App:
    """What uvicorn calls for each request."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; every other kind of connection is turned away."""
        if scope["type"] != "http":
            raise TypeError(f"iamd does not speak {scope['type']}")
        begun = self.begin(_head(scope), scope["client"])
        try:
            response = begun if isinstance(begun, HttpResponse) else await begun(receive, send)
        except BrokenOff:
            # That the answer does not end tells the client that it is not whole.
            return
        if response is not None:
            await answer(send, response)

    def begin(self, head: Head, client: Client, body: bytes | None = None) -> HttpResponse | Serving:
        """The answer to a request that can be given at once, or what serves it; `body` is None while it is a stream."""
        runtime = self.runtime
        request = received(head, client, runtime)
        if request.path.startswith(doors.PREFIXES):
            return partial(self._door, request, head)
        try:
            claim: Claim | Literal[False] | None = sigv4.claim(request)
        except CommonError:
            claim = False
        progress = Progress(request, claim or None)
        if runtime.gateway is not None and not is_own(request, claim):
            return partial(runtime.gateway.serve, progress)
        if not claim or claim.service == EXECUTE_API:
            if api_places.of(request) is not None:
                return partial(self._door, request, head)
            if claim and runtime.gateway is not None:
                return partial(runtime.gateway.serve, progress)
        if body is None or len(body) > MAX_BODY:
            return partial(self._own, progress)
        progress.request = request.with_body(body)
        answered = pipeline.serve(runtime, progress)
        return answered if isinstance(answered, HttpResponse) else partial(_awaited, answered)

    async def _door(self, request: HttpRequest, head: Head, receive: Receive, _: Send) -> HttpResponse:
        if head.content and api_places.of(request) is not None:
            # Functions behind REST APIs are told headers by the names that the client wrote.
            request = replace(request, spelling=names_as_written(head))
        try:
            body = await whole_body(request, receive, doors.largest_body(request))
        except CommonError as error:
            return doors.refused(request, error.message)
        return await doors.serve(self.runtime, request, body)

    async def _own(self, progress: Progress, receive: Receive, _: Send) -> HttpResponse:
        try:
            body = await whole_body(progress.request, receive, MAX_BODY)
        except AWSError as error:
            return pipeline.refused(self.runtime, progress, error)
        progress.request = progress.request.with_body(body)
        answered = pipeline.serve(self.runtime, progress)
        return answered if isinstance(answered, HttpResponse) else await answered


def _awaited(answered: Awaitable[HttpResponse], _receive: Receive, _send: Send) -> Awaitable[HttpResponse]:
    return answered


def _head(scope: Message) -> Head:
    """What an ASGI server tells of a request, whose framing is its own."""
    path, query, version = scope["raw_path"], scope["query_string"], scope.get("http_version", "1.1")
    headers = list(scope["headers"])
    return Head(
        scope["method"], path, query, version, headers, 0, chunked=False, keep_alive=True, expects_continue=False
    )


def received(head: Head, client: Client, runtime: Runtime) -> HttpRequest:
    """The request as a value, its body not read yet."""
    headers = head.headers
    peer = client[0].removeprefix("::ffff:") if client else "127.0.0.1"
    # SECURITY: X-Forwarded-* count only from a proxy that was named (GW-04), and of them the last hop.
    trusted = peer in runtime.settings.trusted_proxies
    # SECURITY: a proxy on this machine says itself what its clients came over.
    loopback = runtime.settings.loopback_is_secure and not trusted and _is_loopback(peer)
    return HttpRequest(
        ids.request_id(),
        head.method,
        head.path,
        head.query,
        headers,
        None,
        (trusted and _address(_forwarded(headers, b"x-forwarded-for"))) or peer,
        trusted and _forwarded(headers, b"x-forwarded-proto") == "https",
        head.fields,
        counts_as_secure=loopback,
    )


def _forwarded(headers: Any, name: bytes) -> str:
    """What the last proxy says of the client, or nothing."""
    said = [value for key, value in headers if key == name]
    return said[-1].decode("latin-1").rpartition(",")[2].strip() if said else ""


def _is_loopback(peer: str) -> bool:
    found = _address(peer)
    return found is not None and ipaddress.ip_address(found).is_loopback


def _address(text: str) -> str | None:
    """An address as aws:SourceIp has it, IPv4 in IPv6 form as IPv4; None for what is none: NotIpAddress would hold."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def is_own(request: HttpRequest, claim: Claim | Literal[False] | None) -> bool:
    """Whether a request is for one of iamd's own services, or an API, by its credential scope, its host, or its form.

    `claim` says who claims to have signed it: None when nobody does, False when what claims it is malformed, which is
    refused where iamd's own requests are.
    """
    if claim is False:
        return True
    if claim is not None:
        return claim.scope.service in HERE
    host = host_of(request.header(b"host") or "")
    if host.entries:
        return host.entries[0].signing_name in OWN_SERVICES
    if host.api is not None:
        return True
    # An unsigned form to the root is STS's, but for the addresses in SNS's messages; an unsigned SSO call stands on a
    # path of its own; all else unsigned is S3's, whatever its objects say of themselves (curl calls each a form).
    if request.method not in {"GET", "POST"} or request.path not in {b"/", b""}:
        return False
    if request.method == "GET" and OF_MESSAGES.search(request.query):
        return False
    return request.fields.get(b"content-type", b"").startswith(FORM) or b"Action=" in request.query


async def whole_body(request: HttpRequest, receive: Receive, longest: int) -> bytes:
    """The body of a request; RequestEntityTooLarge as soon as it is known to be longer than `longest` bytes."""
    # LIM-01: what says that it is too long is not read, and a client that asks first does not send it.
    if int(request.header(b"content-length") or 0) > longest:
        raise _too_large(longest)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CommonError(Common.INCOMPLETE_BODY, "The request body terminated unexpectedly")
        parts.append(message["body"])
        size += len(message["body"])
        if size > longest:
            raise _too_large(longest)
        more = message["more_body"]
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(longest: int) -> CommonError:
    return CommonError(Common.TOO_LARGE, f"Request must be smaller than {longest} bytes")


async def answer(send: Send, response: HttpResponse) -> None:
    """Send a whole response."""
    headers = [*response.headers, (b"content-length", b"%d" % len(response.body))]
    if response.closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
