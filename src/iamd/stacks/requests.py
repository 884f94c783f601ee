"""The client that stacks have in a running server: requests that go the way of every client's, within the process.

Each is written as botocore writes it, signed with the credentials of whom the stack acts for, and handed to the code
that serves clients: it is parsed, decided, performed and recorded there, and nothing of it is known beforehand.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn, pipeline
from iamd.auth import sigv4
from iamd.auth.signer import sign
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.asking import NotToldError
from iamd.http import Headers, HttpRequest, HttpResponse
from iamd.own_services import MAX_BODY, OWN_SERVICES
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.stacks.acting import SERVICE, Acting, Key
from iamd.stacks.client import RequestFailed
from iamd.store.errors import Unavailable
from iamd.wire import faults
from iamd.wire.hosts import host_of
from iamd.wire.models import Operation
from iamd.wire.models import service as model_of

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Longest answer, in bytes, that is read: stacks read templates, and what services say of their resources."""


class ServiceClient:
    """Calls operations as whom a stack acts for, in the stack's account and Region.

    `host` is what the client named that asked for the stack's work: addresses that services make (a queue's URL) are
    addresses there.
    """

    def __init__(self, runtime: Runtime, acting: Acting, *, account: str, region: str, host: str) -> None:
        self._runtime = runtime
        self._acting = acting
        self._host = _neutral(host)
        self.account = account
        self.region = region
        self.partition = arn.PARTITION

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation's answer; RequestFailed with the service's error."""
        modelled = model_of(service).operation(operation)
        given = _with_tokens(modelled, parameters)
        # The library and its models take long to read the first time, and others are not to wait for it.
        wire = await asyncio.to_thread(import_module, "iamd.gateway.own_requests")
        try:
            key = await self._acting.key()
            request = await asyncio.to_thread(self._signed, wire, modelled, given, key)
            status, headers, body = await self._served(request)
            found: Mapping[str, Any] = await asyncio.to_thread(wire.parsed, service, operation, status, headers, body)
        except AWSError as error:
            code, message = faults.told(error, service, modelled.protocol)
            raise RequestFailed(code, message, error.status or 400, operation) from error
        except Unavailable as error:
            raise RequestFailed("ServiceUnavailable", str(error), 503, operation) from error
        except (NotToldError, ConnectionError) as error:
            raise RequestFailed("ServiceUnavailable", "The service's answer can't be read.", 503, operation) from error
        if 200 <= status < 300:
            return found
        told = found.get("Error", {})
        raise RequestFailed(str(told.get("Code", status)), str(told.get("Message", "")), status, operation)

    def _signed(self, wire: Any, operation: Operation, parameters: Mapping[str, Any], key: Key) -> HttpRequest:
        request: HttpRequest
        request, _ = wire.written(operation.service, operation.name, parameters, self._host)
        # AWS: CloudTrail User Guide, "CloudTrail record contents": the agent of a service's request is its name.
        headers = [*request.headers, (b"user-agent", SERVICE.encode())]
        body = request.body or b""
        signature = sign(
            request.method,
            request.path,
            request.query,
            headers,
            hashlib.sha256(body).hexdigest(),
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=key.session_token,
            region=self.region,
            service=model_of(operation.service).signing_name,
            now=self._runtime.clock.machine_timestamp(),
        )
        # A service's own request comes from no address, and never leaves this process.
        request = replace(request, source_ip="", secure=True)
        return request.with_content([*headers, *signature], body)

    async def _served(self, request: HttpRequest) -> tuple[int, Headers, bytes]:
        """The answer of the code that serves clients."""
        claim = sigv4.claim(request)
        progress = Progress(request, claim, via=self._acting.via)
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


def _with_tokens(operation: Operation, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters with the tokens that make a request one that is done once, as SDKs add them."""
    members = operation.input.members.values() if operation.input is not None else ()
    missing = [one.name for one in members if one.idempotency_token and one.name not in parameters]
    return {**parameters, **{name: str(uuid.uuid4()) for name in missing}}


def _neutral(host: str) -> str:
    """The host, or that of this machine when it names a service: requests go to several."""
    named = host_of(host)
    if not named.entries and named.bucket is None:
        return host
    port = host.rpartition(":")[2]
    return f"localhost:{port}" if port.isdigit() else "localhost"
