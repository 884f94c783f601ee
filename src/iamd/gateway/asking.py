"""Asking a backend on iamd's own behalf: what must be known of a resource before anything can be decided or told."""

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from iamd.backend.verdict import Verdict
from iamd.errors import CommonError
from iamd.gateway.answer import BackendBroke
from iamd.gateway.backend import Backend
from iamd.gateway.forward import forward
from iamd.gateway.payload import EMPTY, Payload
from iamd.http import HttpRequest

HOST: Final = "localhost"


class NotToldError(Exception):
    """The backend does not say: it refuses, does not know the operation, or does not answer."""


async def ask(
    backend: Backend,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    account: str,
    region: str,
    now: float,
) -> Mapping[str, Any] | None:
    """The output of an operation that an account's resource is asked for; None when there is no such resource."""
    # The library and its models take long to read the first time, and others are not to wait for it.
    wire = await asyncio.to_thread(import_module, "iamd.gateway.own_requests")
    request: HttpRequest
    request, protocol = await asyncio.to_thread(wire.written, service, operation, parameters)
    verdict = Verdict(service, operation, protocol, account, region, HOST)
    payload = Payload(request.body, len(request.body)) if request.body else EMPTY
    try:
        answer = await forward(request, payload, backend, verdict, now=now)
        body = b"".join([piece async for piece in answer])
    except (CommonError, BackendBroke) as error:
        raise NotToldError(str(error)) from error
    told: Mapping[str, Any] | None = await asyncio.to_thread(
        wire.read, service, operation, answer.status, answer.headers, body
    )
    return told
