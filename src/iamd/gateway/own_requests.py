"""Requests of iamd's own to a backend, on the wire: botocore writes them and reads the answers.

Importing it takes long, and most servers never ask: `asking.py` imports this when something is asked first.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.eventstream import ParserError
from botocore.exceptions import EventStreamError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from iamd import ids
from iamd.gateway.asking import HOST, NotToldError
from iamd.http import Headers, HttpRequest

_GONE: Final = ("NoSuch", "NotFound", "NonExistent", "DoesNotExist")
"""What codes of errors say when there is no such thing: NoSuchKey, ResourceNotFoundException, NonExistentQueue ..."""


@cache
def _model(service: str) -> Any:
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def written(service: str, operation: str, parameters: Mapping[str, Any], host: str = HOST) -> tuple[HttpRequest, str]:
    """The request for an operation to a host, and the protocol that it is in."""
    model = _model(service)
    protocol = model.resolved_protocol
    written = create_serializer(protocol, include_validation=False).serialize_to_request(
        dict(parameters), model.operation_model(operation)
    )
    prepare_request_dict(written, endpoint_url=f"http://{host}")
    prepared = create_request_object(written).prepare()
    url, body = urlsplit(prepared.url), _bytes(prepared.body or b"")
    headers = [
        *_checksum(model.operation_model(operation), body),
        *((name.lower().encode(), _bytes(value)) for name, value in prepared.headers.items()),
    ]
    request = HttpRequest(
        ids.request_id(),
        prepared.method,
        url.path.encode() or b"/",
        url.query.encode(),
        [(b"host", host.encode()), *headers],
        body,
        "127.0.0.1",
    )
    return request, protocol


def _checksum(operation: Any, body: bytes) -> Headers:
    """What S3 asks for with the bodies of some operations (S3 API Reference, "Checking object integrity")."""
    if not operation.http_checksum.get("requestChecksumRequired"):
        return []
    return [(b"content-md5", b64encode(hashlib.md5(body, usedforsecurity=False).digest()))]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def read(service: str, operation: str, status: int, headers: Headers, body: bytes) -> Mapping[str, Any] | None:
    """The output that an answer has, None when it says that there is no such thing; NotToldError for all else."""
    found = parsed(service, operation, status, headers, body)
    if 200 <= status < 300:
        # SECURITY: botocore reads what is another document as an answer that says nothing: as one without tags.
        if "json" in _model(service).resolved_protocol:
            _check_json(body)
        elif _model(service).operation_model(operation).output_shape is not None and not found.keys() - {
            "ResponseMetadata"
        }:
            raise NotToldError("the answer is another document")
        output: Mapping[str, Any] = found
        return output
    code = str(found.get("Error", {}).get("Code", ""))
    # An answer to HEAD has no body, so that its status is all that tells.
    if 400 <= status < 500 and (code == "404" or any(word in code for word in _GONE)):
        return None
    raise NotToldError(f"{status} {code}")


def parsed(service: str, operation: str, status: int, headers: Headers, body: bytes) -> Mapping[str, Any]:
    """What botocore reads in an answer, of success or of failure; NotToldError when it can't be read.

    An object's content is bytes, and the events of a stream are a list.
    """
    told = HeadersDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    model = _model(service)
    modelled = model.operation_model(operation)
    streams = modelled.has_streaming_output and 200 <= status < 300
    if modelled.has_event_stream_output and 200 <= status < 300:
        asked = {"operation_name": operation}
        return _events(
            model, modelled, {"status_code": status, "headers": told, "body": _Whole(body), "context": asked}
        )
    response = {"status_code": status, "headers": told, "body": b"" if streams else body}
    try:
        found: dict[str, Any] = create_parser(model.resolved_protocol).parse(response, modelled.output_shape)
    except (ResponseParserError, UnicodeDecodeError) as error:
        raise NotToldError("the answer can't be read") from error
    return {**found, modelled.output_shape.serialization["payload"]: body} if streams else found


class _Whole:
    """A body that has arrived, as botocore reads those that still do."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """All of it."""
        yield self._body


def _events(model: Any, operation: Any, response: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found: dict[str, Any] = create_parser(model.resolved_protocol).parse(response, operation.output_shape)
        name = operation.output_shape.event_stream_name
        return {**found, name: list(found[name])}
    except (ResponseParserError, EventStreamError, ParserError) as error:
        raise NotToldError("the answer can't be read") from error


def _check_json(body: bytes) -> None:
    try:
        msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotToldError("the answer is no JSON") from error
