"""Requests that Lambda makes with a function's role: signed with the role's session, and decided like all others."""

import asyncio
import hashlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

from iamd.auth import sigv4
from iamd.auth.signer import sign
from iamd.http import HttpRequest
from iamd.metadata.temporary import Temporary
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.wire.models import service as model_of


class Told(msgspec.Struct, frozen=True):
    """What a request was answered; `code` is the error's, None when there was none."""

    output: Mapping[str, Any]
    code: str | None
    message: str


async def call(
    runtime: Runtime,
    credentials: Temporary,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    region: str,
) -> Told:
    """Ask for an operation through the gateway, as anybody would who has these credentials."""
    gateway = runtime.gateway
    if gateway is None:
        raise TypeError("no gateway")
    wire = await asyncio.to_thread(import_module, "iamd.gateway.own_requests")
    written, _protocol = await asyncio.to_thread(wire.written, service, operation, parameters)
    request: HttpRequest = _signed(written, credentials, service, region, runtime.clock.machine_timestamp())
    answer = _Answer(request.body or b"")
    progress = Progress(msgspec.structs.replace(request, body=None), sigv4.claim(request))
    response = await gateway.serve(progress, answer.receive, answer.send)
    if response is not None:
        answer.status, answer.headers, answer.body = response.status, list(response.headers), response.body
    told: Told = Told(
        *await asyncio.to_thread(wire.answered, service, operation, answer.status, answer.headers, answer.body)
    )
    return told


def _signed(request: HttpRequest, credentials: Temporary, service: str, region: str, now: float) -> HttpRequest:
    body = request.body or b""
    # AWS: what the service asks has no address of a client's.
    headers = [*request.headers]
    if body and b"content-length" not in request.fields:
        headers.append((b"content-length", b"%d" % len(body)))
    headers += sign(
        request.method,
        request.path,
        request.query,
        headers,
        hashlib.sha256(body).hexdigest(),
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        session_token=credentials.session_token,
        region=region,
        service=model_of(service).signing_name,
        now=now,
    )
    return HttpRequest(request.id, request.method, request.path, request.query, headers, body, "")


class _Answer:
    """The channel of a request that is made within the process."""

    def __init__(self, body: bytes) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self._waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive(self) -> dict[str, Any]:
        if self._waiting:
            return self._waiting.pop()
        # Nobody goes away.
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
