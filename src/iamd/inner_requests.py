"""Requests that iamd's own services make of others, within the process: they go the way of every client's.

Each is written as botocore writes it, signed with the credentials of whom it is made for, and handed to the code that
serves clients: it is parsed, decided, performed and recorded there, and nothing of it is known beforehand.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd import pipeline
from iamd.auth import sigv4
from iamd.auth.identity import Service
from iamd.auth.signer import sign
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.asking import HOST, NotToldError
from iamd.http import Headers, HttpRequest, HttpResponse
from iamd.own_services import MAX_BODY, OWN_SERVICES
from iamd.pipeline import Progress, Via
from iamd.runtime import Runtime
from iamd.store.errors import Unavailable
from iamd.wire import faults
from iamd.wire.models import service as model_of

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Longest answer, in bytes, that is read."""
_UNREADABLE: Final = "The service's answer can't be read."


class Key(msgspec.Struct, frozen=True):
    """What requests are signed with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None

    def __repr__(self) -> str:
        return f"Key({self.access_key_id})"


class Refused(Exception):
    """The service's error: its code, its words, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


Caller = Callable[[], Awaitable[Key]] | Service
"""Who asks: what gives the credentials, or raises what is wrong with them; or a service that asks for itself."""

# Read by nobody: a service that asks for itself is known by the request's way, not by its signature.
_NOBODYS: Final = Key("AKIAIAMDINTERNALKEYS", secrets.token_urlsafe(30), None)


class InnerRequests:
    """A service's way to others: `agent` is its name, `host` what addresses that services make are at."""

    def __init__(self, runtime: Runtime, agent: str, *, host: str = HOST, via: Via | None = None) -> None:
        self._runtime = runtime
        self._agent = agent
        self._host = host
        self._via = via

    async def call(
        self,
        caller: Caller,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        region: str,
    ) -> Mapping[str, Any]:
        """The operation's answer in botocore's shape; Refused with the service's error."""
        # The library and its models take long to read the first time, and others are not to wait for it.
        wire = await asyncio.to_thread(import_module, "iamd.gateway.own_requests")
        try:
            written, _protocol = await asyncio.to_thread(wire.written, service, operation, parameters, self._host)
            itself = caller if isinstance(caller, Service) else None
            key = _NOBODYS if isinstance(caller, Service) else await caller()
            status, headers, body = await self._served(self._signed(written, service, key, region), itself)
            found: Mapping[str, Any] = await asyncio.to_thread(wire.parsed, service, operation, status, headers, body)
        except AWSError as error:
            code, message = faults.told(error, service, model_of(service).operation(operation).protocol)
            raise Refused(code, message, error.status or 400) from error
        except Unavailable as error:
            raise Refused("ServiceUnavailable", str(error), 503) from error
        except (NotToldError, ConnectionError) as error:
            raise Refused("ServiceUnavailable", _UNREADABLE, 503) from error
        if 200 <= status < 300:
            return found
        told = found.get("Error", {})
        raise Refused(str(told.get("Code") or status), str(told.get("Message", "")), status)

    def _signed(self, request: HttpRequest, service: str, key: Key, region: str) -> HttpRequest:
        body = request.body or b""
        # AWS: CloudTrail User Guide, "CloudTrail record contents": the agent of a service's request is its name.
        headers = [*request.headers, (b"user-agent", self._agent.encode())]
        signature = sign(
            request.method,
            request.path,
            request.query,
            headers,
            hashlib.sha256(body).hexdigest(),
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=key.session_token,
            region=region,
            service=model_of(service).signing_name,
            now=self._runtime.clock.machine_timestamp(),
        )
        # A service's own request comes from no address, and never leaves this process.
        request = replace(request, source_ip="", secure=True)
        return request.with_content([*headers, *signature], body)

    async def _served(self, request: HttpRequest, service: Service | None) -> tuple[int, Headers, bytes]:
        """The answer of the code that serves clients."""
        claim = sigv4.claim(request)
        progress = Progress(request, claim, via=self._via, service=service)
        gateway = self._runtime.gateway
        if gateway is None or (claim is not None and claim.service in OWN_SERVICES):
            return await self._by_pipeline(progress)
        answer = _Answer(request.body or b"")
        progress.request = replace(request, body=None)
        whole = await gateway.serve(progress, answer.receive, answer.send)
        return answer.whole() if whole is None else (whole.status, whole.headers, whole.body)

    async def _by_pipeline(self, progress: Progress) -> tuple[int, Headers, bytes]:
        if len(progress.request.body or b"") > MAX_BODY:
            raise CommonError(Common.TOO_LARGE, f"Request must be smaller than {MAX_BODY} bytes")
        answered = pipeline.serve(self._runtime, progress)
        response = answered if isinstance(answered, HttpResponse) else await answered
        return response.status, response.headers, response.body


class _Answer:
    """A request's channel: its body to be read, and what is answered, whole."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: Headers = ()
        self._pieces: list[bytes] = []
        self._size = 0

    async def receive(self) -> dict[str, Any]:
        """The body, once; after that the client stays."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of the answer; ConnectionError when it is longer than any that is asked for."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
            return
        self._size += len(message["body"])
        if self._size > LARGEST_ANSWER:
            raise ConnectionError("the answer is too long")
        self._pieces.append(message["body"])

    def whole(self) -> tuple[int, Headers, bytes]:
        """The answer."""
        return self._status, self._headers, b"".join(self._pieces)
