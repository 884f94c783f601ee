"""Forwarding: a decided request goes to its backend signed anew, and the backend's answer comes back as a stream."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from iamd.auth.signer import sign
from iamd.backend import verdict as verdicts
from iamd.backend.embedded import BackendDown, EmbeddedBackend, MirroredProfile, MirroredRole
from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.framing import field_lines
from iamd.gateway import addressing, framing
from iamd.gateway.answer import Answer, read
from iamd.gateway.backend import Backend
from iamd.gateway.breaker import OpenError
from iamd.gateway.connection import Broken, Connection, Incoming, NeverAnswered
from iamd.gateway.idempotence import SAFE, may_repeat
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.payload import Payload
from iamd.gateway.pool import Unreachable
from iamd.gateway.watch import Receive, Watch
from iamd.http import Headers, HttpRequest
from iamd.wire.models import service as model_of

_SLICE: Final = 256 * 1024
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_TROUBLE: Final = frozenset({502, 503, 504})
"""Statuses of what stands before a backend that is not there, or not yet."""
_PAUSE: Final = 0.05
# A dummy in place of a signature: moto reads the access key and takes a request without one for an anonymous one.
_DUMMY: Final = "AWS4-HMAC-SHA256 Credential=EMBEDDEDBACKENDIAMD0/20000101/{}/{}/aws4_request"


class BadGateway(CommonError):
    """The backend broke off or does not speak HTTP: 502."""

    status = 502


class NothingDone(CommonError):
    """The embedded backend has not begun with the request."""


class GatewayTimeout(CommonError):
    """The backend took too long: 504."""

    status = 504


async def forward(
    request: HttpRequest,
    payload: Payload,
    backend: Backend,
    verdict: Verdict,
    now: float,
    receive: Receive | None = None,
    roles: Sequence[MirroredRole] = (),
    profiles: Sequence[MirroredProfile] = (),
    meanwhile: Callable[[], None] | None = None,
) -> Answer:
    """Send a request that was allowed to its backend; path, query, payload and other headers are the client's own.

    `receive` is the request's ASGI channel once its body has been read: when the client goes, the backend's part ends
    and ClientGone is raised. `roles` and `profiles` are those that the request hands to a service. `meanwhile` is
    called when the request has gone out. A CommonError says that there is no answer; nothing that may have arrived is
    sent again unless it changes nothing.
    """
    try:
        boot = await _boot(backend.embedded, verdict, roles, profiles) if backend.embedded is not None else None
        call = _call(request, payload, backend, verdict, boot, now)
        call.meanwhile = meanwhile
        if receive is None:
            return await _answer(call)
        with Watch(receive, call.reading):
            return await _answer(call)
    finally:
        payload.close()


def _call(
    request: HttpRequest, payload: Payload, backend: Backend, verdict: Verdict, boot: str | None, now: float
) -> "_Call":
    query = framing.without_signature(request.query) if request.query else b""
    kept = _kept(request, payload)
    if boot is None:
        return _remote(request, query, payload, backend, verdict, kept, now)
    target = framing.target(request.path, query)
    host = (b"host", framing.host(verdict.host).encode())
    headers = [host, _dummy(verdict.region, verdict.service), *kept, *verdicts.encoded(verdict, boot)]
    return _Call(request.method, _head(request.method, target, headers), payload, backend, verdict)


def _kept(request: HttpRequest, payload: Payload) -> list[tuple[bytes, bytes]]:
    """The client's own headers, and those of the payload."""
    kept = framing.request_headers(request)
    if payload.decoded:
        kept = framing.without_aws_chunked(kept)
    if payload.headers:
        kept += payload.headers
    if payload.length or request.method in _WITH_BODY:
        kept.append((b"content-length", b"%d" % payload.length))
    return kept


def _head(method: str, target: bytes, headers: Headers) -> bytes:
    try:
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, field_lines(headers))
    except ValueError as error:
        raise CommonError(Common.MALFORMED_HEADER, "A header is not one line.") from error


async def _boot(
    embedded: EmbeddedBackend, verdict: Verdict, roles: Sequence[MirroredRole], profiles: Sequence[MirroredProfile]
) -> str:
    try:
        if roles or profiles:
            await embedded.mirror(verdict.account_id, verdict.region, roles, profiles)
        return embedded.boot or await embedded.ready()
    except BackendDown as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error


@lru_cache(maxsize=1024)
def _dummy(region: str, service: str) -> tuple[bytes, bytes]:
    return b"authorization", _DUMMY.format(region, service).encode()


def _remote(
    request: HttpRequest,
    query: bytes,
    payload: Payload,
    backend: Backend,
    verdict: Verdict,
    kept: list[tuple[bytes, bytes]],
    now: float,
) -> "_Call":
    """The request as a backend at a URL gets it: addressed by its rules, and signed by the login of the account."""
    login = backend.logins.of(verdict.service, verdict.account_id)
    dropped = backend.logins.not_passed(verdict.service)
    if dropped:
        kept = _without(dropped, kept)
    host, path = addressing.placed(request.path, verdict, backend)
    headers = [(b"host", host.encode()), *kept, *login.headers]
    credentials = login.current()
    if credentials is not None:
        headers += sign(
            request.method,
            path,
            query,
            headers,
            payload.hash(),
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            backend.region or verdict.region,
            model_of(verdict.service).signing_name,
            now,
        )
    head = _head(request.method, framing.target(path, query), headers)
    return _Call(request.method, head, payload, backend, verdict)


def _without(dropped: frozenset[bytes], headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0] not in dropped] if not dropped.isdisjoint(dict(headers)) else headers


class _Call(msgspec.Struct):
    """One request on its way."""

    method: str
    head: bytes
    payload: Payload
    backend: Backend
    verdict: Verdict
    meanwhile: Callable[[], None] | None = None
    """What is done once while the backend works."""
    _is_taken: bool = False

    def reading(self) -> bool:
        """Whether the client's body is still being read."""
        return not self._is_taken and not isinstance(self.payload.content, bytes)

    @property
    def can_be_sent_again(self) -> bool:
        """Whether all of it is still there to be sent."""
        return isinstance(self.payload.content, bytes)

    @property
    def can_be_repeated(self) -> bool:
        """Whether it may be sent again when perhaps it has been done."""
        if self.method in SAFE:
            return not self.payload.length
        return self.can_be_sent_again and may_repeat(self.verdict.service, self.verdict.operation, self.method)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        content = self.payload.content
        try:
            async for piece in _slices(content) if isinstance(content, bytes) else content:
                yield piece
        finally:
            self._is_taken = True


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    view = memoryview(content)
    for start in range(0, len(content), _SLICE):
        yield bytes(view[start : start + _SLICE])


async def _answer(call: _Call) -> Answer:
    """Send it when the backend's breaker lets it, which is told what came of it, and again where that does no harm."""
    breaker, left = call.backend.breaker, call.backend.rules.retries
    while True:
        try:
            breaker.enter()
        except OpenError as error:
            raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error
        try:
            incoming = await _sent(call)
        except Unreachable as error:
            breaker.failed("it cannot be reached")
            # It has not been sent.
            if not left or not call.can_be_sent_again:
                raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error
        except TimeoutError as error:
            breaker.failed("it is silent")
            raise GatewayTimeout(Common.UNAVAILABLE, "The backend did not answer in time.") from error
        except Broken as error:
            breaker.failed("it breaks off, or speaks no HTTP")
            if not left or not call.can_be_repeated:
                raise BadGateway(Common.UNAVAILABLE, "The backend's answer cannot be used.") from error
        except BaseException:
            breaker.abandoned()
            raise
        else:
            breaker.succeeded()
            if incoming.status not in _TROUBLE or not left or not call.can_be_repeated:
                break
            incoming.close()
        left -= 1
        await asyncio.sleep(_PAUSE)
    if call.backend.embedded is not None:
        await _check_refusal(incoming)
    return read(incoming)


async def _sent(call: _Call) -> Incoming:
    """Send it once; once more over another connection when a kept one was closed just as it was used again."""
    pool, content, is_again = call.backend.pool or call.backend.opened(), call.payload.content, False
    while True:
        connection = pool.kept() or await pool.take()
        meanwhile, call.meanwhile = call.meanwhile, None
        try:
            if isinstance(content, bytes) and len(content) <= _SLICE:
                incoming = connection.ask(call.method, call.head + content, True, meanwhile)
            else:
                incoming = await _streamed(call, connection)
                if meanwhile is not None:
                    meanwhile()
            while (waiter := incoming.awaited()) is not None:
                await waiter
        except NeverAnswered:
            connection.close()
            if is_again or not call.can_be_repeated:
                raise
            is_again = True
        except BaseException:
            connection.close()
            raise
        else:
            return incoming


async def _streamed(call: _Call, connection: Connection) -> Incoming:
    incoming = connection.ask(call.method, call.head, whole=False)
    async for piece in call.pieces():
        if not await connection.write(piece):
            # The answer is there before the request is whole; its connection ends with it.
            return incoming
    connection.sent()
    return incoming


async def _check_refusal(incoming: Incoming) -> None:
    kind = incoming.fields.get(b"x-iamd-refused", b"").decode("latin-1")
    if not kind:
        return
    detail = b"".join([piece async for piece in Answer(incoming.status, (), incoming)]).decode("utf-8", "replace")
    if kind == verdicts.NOT_IMPLEMENTED:
        raise NothingDone(Common.NOT_IMPLEMENTED, "The embedded backend does not implement this operation.")
    if kind == verdicts.NOT_TAKEN:
        raise NothingDone(Common.NOT_IMPLEMENTED, f"The embedded backend does not implement {detail}.")
    if kind == verdicts.OTHER_BOOT:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend has been started anew. Please try again.")
    if kind == verdicts.MISMATCH:
        # SECURITY: the backend would have done something else than was decided; it has done nothing.
        raise NothingDone(Common.INTERNAL, f"The backend would not run what was decided: {detail}")
    raise CommonError(Common.INTERNAL)
