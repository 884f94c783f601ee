"""Forwarding: a decided request goes to its backend signed anew, and the backend's answer comes back as a stream."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from iamd.auth.signer import sign
from iamd.backend import verdict as verdicts
from iamd.backend.embedded import BackendDown, MirroredProfile, MirroredRole
from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.gateway import framing
from iamd.gateway.answer import Answer, read
from iamd.gateway.backend import Backend
from iamd.gateway.payload import Payload
from iamd.gateway.watch import Receive, Watch
from iamd.http import Headers, HttpRequest
from iamd.wire.models import service as model_of

_SLICE: Final = 256 * 1024
_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD"})
# A dummy in place of a signature: moto reads the access key and takes a request without one for an anonymous one.
_DUMMY: Final = "AWS4-HMAC-SHA256 Credential=EMBEDDEDBACKENDIAMD0/20000101/{}/{}/aws4_request"


class BadGateway(CommonError):
    """The backend broke off or does not speak HTTP: 502."""

    status = 502


class GatewayTimeout(CommonError):
    """The backend took too long: 504."""

    status = 504


class BackendUnavailable(CommonError):
    """The backend cannot be reached: 503."""

    status = 503


async def forward(
    request: HttpRequest,
    payload: Payload,
    backend: Backend,
    verdict: Verdict,
    *,
    now: float,
    receive: Receive | None = None,
    roles: Sequence[MirroredRole] = (),
    profiles: Sequence[MirroredProfile] = (),
) -> Answer:
    """Send a request that was allowed to its backend; path, query, payload and other headers are the client's own.

    `receive` is the request's ASGI channel once its body has been read: when the client goes, the backend's part ends
    and ClientGone is raised. `roles` and `profiles` are those that the request hands to a service. A CommonError says
    that there is no answer; nothing is sent twice unless it is a GET or HEAD whose connection had just been closed.
    """
    try:
        boot = await _boot(backend, verdict, roles, profiles)
        call = _call(request, payload, backend, verdict, boot, now)
        if receive is None:
            return await _answer(call)
        async with Watch(receive, call.reading):
            return await _answer(call)
    finally:
        payload.close()


def _call(
    request: HttpRequest, payload: Payload, backend: Backend, verdict: Verdict, boot: str | None, now: float
) -> "_Call":
    query = framing.without_signature(request.query)
    url = URL(backend.prefix + framing.target(request.path, query), encoded=True)
    headers = _headers(request, query, payload, backend, verdict, boot, now)
    return _Call(request.method, url, headers, payload, backend)


async def _boot(
    backend: Backend, verdict: Verdict, roles: Sequence[MirroredRole], profiles: Sequence[MirroredProfile]
) -> str | None:
    if backend.embedded is None:
        return None
    try:
        if roles or profiles:
            await backend.embedded.mirror(verdict.account_id, verdict.region, roles, profiles)
        return backend.embedded.boot or await backend.embedded.ready()
    except BackendDown as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error


def _headers(
    request: HttpRequest,
    query: bytes,
    payload: Payload,
    backend: Backend,
    verdict: Verdict,
    boot: str | None,
    now: float,
) -> Headers:
    kept = framing.request_headers(request.headers)
    if payload.decoded:
        kept = framing.without_aws_chunked(kept)
    kept.extend(payload.headers)
    if payload.length or request.method in {"POST", "PUT", "PATCH"}:
        kept.append((b"content-length", str(payload.length).encode()))
    if boot is not None:
        host = framing.host(verdict.host).encode()
        return [(b"host", host), _dummy(verdict.region, verdict.service), *kept, *verdicts.encoded(verdict, boot)]
    return _signed(request, query, payload, backend, verdict, kept, now)


@lru_cache(maxsize=1024)
def _dummy(region: str, service: str) -> tuple[bytes, bytes]:
    return b"authorization", _DUMMY.format(region, service).encode()


def _signed(
    request: HttpRequest,
    query: bytes,
    payload: Payload,
    backend: Backend,
    verdict: Verdict,
    kept: list[tuple[bytes, bytes]],
    now: float,
) -> Headers:
    host = backend.host if verdict.bucket_host is None else f"{verdict.bucket_host}.{backend.host}"
    headers = [(b"host", host.encode()), *kept]
    credentials = backend.credentials
    if credentials is None:
        return headers
    added = sign(
        request.method,
        request.path,
        query,
        headers,
        payload.hash(),
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        session_token=credentials.session_token,
        region=backend.region or verdict.region,
        service=model_of(verdict.service).signing_name,
        now=now,
    )
    return [*headers, *added]


class _Call:
    """One request on its way; what went wrong while its body was read is kept to be raised as it is."""

    def __init__(self, method: str, url: URL, headers: Headers, payload: Payload, backend: Backend) -> None:
        self.method = method
        self.url = url
        self.headers = _text(headers)
        self.payload = payload
        self.backend = backend
        self.failure: BaseException | None = None
        self.task = asyncio.current_task()
        self._taken = isinstance(payload.content, bytes)

    def reading(self) -> bool:
        """Whether the client's body is still being read."""
        return not self._taken

    def data(self) -> bytes | AsyncIterator[bytes] | None:
        content = self.payload.content
        if isinstance(content, bytes):
            if not content:
                return None
            return content if len(content) <= _SLICE else self._watched(_slices(content))
        return self._watched(content)

    async def _watched(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Hand the pieces on; a backend that stops taking them is given up after the idle time."""
        loop, idle = asyncio.get_running_loop(), self.backend.limits.idle
        try:
            async for piece in pieces:
                stalled = loop.call_later(idle, self._stalled)
                try:
                    yield piece
                finally:
                    stalled.cancel()
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._taken = True

    def _stalled(self) -> None:
        self.failure = TimeoutError("the backend takes no more of the body")
        if self.task is not None:
            self.task.cancel()


def _text(headers: Headers) -> CIMultiDict[str]:
    try:
        return CIMultiDict([(name.decode("ascii"), value.decode()) for name, value in headers])
    except UnicodeDecodeError:
        raise CommonError(Common.MALFORMED_HEADER, "A header is not valid UTF-8.") from None


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    view = memoryview(content)
    for start in range(0, len(content), _SLICE):
        yield bytes(view[start : start + _SLICE])


async def _answer(call: _Call) -> Answer:
    try:
        response = await _sent(call)
    except (aiohttp.ClientError, OSError, TimeoutError, asyncio.CancelledError, ValueError) as error:
        raise _worded(call, error) from error
    try:
        return await _read(call, response)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _worded(call, error) from error


async def _sent(call: _Call) -> aiohttp.ClientResponse:
    try:
        return await _send(call)
    except aiohttp.ServerDisconnectedError:
        # A kept-alive connection that the backend closes just as it is used again.
        if call.method not in _SAFE_TO_REPEAT or call.payload.length:
            raise
        return await _send(call)


async def _send(call: _Call) -> aiohttp.ClientResponse:
    return await call.backend.session.request(
        call.method, call.url, headers=call.headers, data=call.data(), allow_redirects=False
    )


async def _read(call: _Call, response: aiohttp.ClientResponse) -> Answer:
    if call.failure is not None:
        response.close()
        raise aiohttp.ClientPayloadError
    if response.status < 200:
        response.close()
        raise aiohttp.ClientPayloadError("an interim status at the end")
    if call.backend.embedded is not None and "x-iamd-refused" in response.headers:
        await _raise_refusal(response)
    return await read(response, call.method, framing.answer_headers(response.raw_headers), call.backend.limits.idle)


async def _raise_refusal(response: aiohttp.ClientResponse) -> None:
    kind, detail = response.headers["x-iamd-refused"], (await response.read()).decode("utf-8", "replace")
    if kind == verdicts.NOT_IMPLEMENTED:
        raise CommonError(Common.NOT_IMPLEMENTED, "The embedded backend does not implement this operation.")
    if kind == verdicts.OTHER_BOOT:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend has been started anew. Please try again.")
    if kind == verdicts.MISMATCH:
        # SECURITY: the backend would have done something else than was decided; it has done nothing.
        raise CommonError(Common.INTERNAL, f"The backend would not run what was decided: {detail}")
    raise CommonError(Common.INTERNAL)


def _worded(call: _Call, error: BaseException) -> BaseException:
    failure = call.failure
    if failure is not None and not isinstance(failure, TimeoutError):
        return failure
    if isinstance(failure, TimeoutError) and isinstance(error, asyncio.CancelledError) and call.task is not None:
        call.task.uncancel()
    if isinstance(error, asyncio.CancelledError) and failure is None:
        return error
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.")
    if failure is not None or isinstance(error, TimeoutError):
        return GatewayTimeout(Common.UNAVAILABLE, "The backend did not answer in time.")
    return BadGateway(Common.UNAVAILABLE, "The backend's answer cannot be used.")
