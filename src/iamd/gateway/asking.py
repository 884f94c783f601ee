"""Asking a backend on iamd's own behalf: what the gateway must know of a resource before it can decide.

botocore writes the request and reads the answer. Importing it takes long, and most servers never ask: this module is
imported when something is asked first.
"""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from iamd import ids
from iamd.backend.verdict import Verdict
from iamd.errors import CommonError
from iamd.gateway.answer import BackendBroke
from iamd.gateway.backend import Backend
from iamd.gateway.forward import forward
from iamd.gateway.payload import EMPTY, Payload
from iamd.http import HttpRequest

_HOST = "localhost"
_GONE = ("NoSuch", "NotFound", "NonExistent", "DoesNotExist")
"""What codes of errors say when there is no such thing: NoSuchKey, ResourceNotFoundException, NonExistentQueue ..."""


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
    # Models take long to read the first time, and others are not to wait for it.
    request, protocol = await asyncio.to_thread(_written, service, operation, parameters)
    verdict = Verdict(service, operation, protocol, account, region, _HOST)
    payload = Payload(request.body, len(request.body)) if request.body else EMPTY
    try:
        answer = await forward(request, payload, backend, verdict, now=now)
        body = b"".join([piece async for piece in answer])
    except (CommonError, BackendBroke) as error:
        raise NotToldError(str(error)) from error
    response = {"status_code": answer.status, "headers": _headers(answer.headers), "body": body}
    return await asyncio.to_thread(_read, service, operation, response)


def _headers(headers: Any) -> Any:
    return HeadersDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


@cache
def _model(service: str) -> Any:
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def _written(service: str, operation: str, parameters: Mapping[str, Any]) -> tuple[HttpRequest, str]:
    model = _model(service)
    protocol = model.resolved_protocol
    written = create_serializer(protocol, include_validation=False).serialize_to_request(
        dict(parameters), model.operation_model(operation)
    )
    prepare_request_dict(written, endpoint_url=f"http://{_HOST}")
    prepared = create_request_object(written).prepare()
    url, body = urlsplit(prepared.url), prepared.body or b""
    headers = [(name.lower().encode(), _bytes(value)) for name, value in prepared.headers.items()]
    request = HttpRequest(
        ids.request_id(),
        prepared.method,
        url.path.encode() or b"/",
        url.query.encode(),
        [(b"host", _HOST.encode()), *headers],
        _bytes(body),
        "127.0.0.1",
    )
    return request, protocol


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _read(service: str, operation: str, response: Mapping[str, Any]) -> Mapping[str, Any] | None:
    model = _model(service)
    try:
        found = create_parser(model.resolved_protocol).parse(response, model.operation_model(operation).output_shape)
    except ResponseParserError as error:
        raise NotToldError("the answer can't be read") from error
    status = response["status_code"]
    if 200 <= status < 300:
        # SECURITY: botocore reads what is another document as an answer that says nothing: as one without tags.
        if "json" in model.resolved_protocol:
            _check_json(response["body"])
        elif not found.keys() - {"ResponseMetadata"}:
            raise NotToldError("the answer is another document")
        told: Mapping[str, Any] = found
        return told
    code = str(found.get("Error", {}).get("Code", ""))
    if 400 <= status < 500 and any(word in code for word in _GONE):
        return None
    raise NotToldError(f"{status} {code}")


def _check_json(body: bytes) -> None:
    try:
        msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotToldError("the answer is no JSON") from error
