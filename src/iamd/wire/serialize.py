"""A result as the response its protocol wants: one serializer per operation, compiled when it is first needed."""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from iamd.http import HttpRequest, HttpResponse
from iamd.wire import cbor, write_json, write_xml
from iamd.wire.models import Operation, Protocol
from iamd.wire.shapes import Member, Shape
from iamd.wire.write_xml import text_writer

Serializer = Callable[[Mapping[str, Any], str], HttpResponse]
Pairs = list[tuple[bytes, bytes]]
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


IN_JSON_TOO: Final = frozenset({"sts"})
"""Services of the Query protocol that answer in JSON whoever asks for it, as aws-iam-authenticator does of STS."""


def response(
    operation: Operation, result: Mapping[str, Any], request_id: str, *, in_json: bool = False
) -> HttpResponse:
    """Give the response to a request that went well; `result` has the model's member names.

    `in_json` says that a client of the Query protocol wants JSON.
    """
    return (_query_in_json if in_json else _serializer)(operation)(result, request_id)


def wants_json(service: str | None, request: HttpRequest) -> bool:
    """Whether a client of the Query protocol asks for an answer in JSON, of a service that gives it."""
    accepted = request.fields.get(b"accept")
    if accepted is None or service not in IN_JSON_TOO:
        return False
    return accepted.partition(b",")[0].partition(b";")[0].strip().lower() == b"application/json"


@cache
def _serializer(operation: Operation) -> Serializer:
    return _KINDS[operation.protocol](operation)


# By a name of its own: this Python finds a member of an Enum slowly.
_REST_XML: Final = Protocol.REST_XML


def request_id_headers(protocol: Protocol, service: str | None, request_id: str) -> Pairs:
    """Give the headers in which a protocol's clients look for the request's id."""
    number = request_id.encode()
    if service == "s3" and protocol is _REST_XML:
        # S3 names two ids (S3 API Reference, "Common Response Headers"); x-amzn-RequestId is iamd's on every response.
        second = binascii.b2a_base64(number, newline=False)
        return [(b"x-amz-request-id", number), (b"x-amz-id-2", second), (b"x-amzn-requestid", number)]
    return [(b"x-amzn-requestid", number)]


def host_id(request_id: str) -> bytes:
    """Give S3's second id, which tells no more than the first."""
    return binascii.b2a_base64(request_id.encode(), newline=False)


# Query and EC2


def _query(operation: Operation) -> Serializer:
    start = f'<{operation.name}Response xmlns="{operation.xml_namespace or ""}">'
    wrapper = operation.result_wrapper
    before = f"{start}<{wrapper}>" if wrapper else start
    after = f"{f'</{wrapper}>' if wrapper else ''}<ResponseMetadata><RequestId>"
    end = f"</RequestId></ResponseMetadata></{operation.name}Response>"
    write = write_xml.members_writer(operation.output) if operation.output else None

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        out = [before]
        if write is not None:
            write(result, out)
        out += (after, request_id, end)
        headers = [(b"x-amzn-requestid", request_id.encode()), (b"content-type", b"text/xml")]
        return HttpResponse(operation.status, headers, "".join(out).encode())

    return serialize


@cache
def _query_in_json(operation: Operation) -> Serializer:
    """As AWS writes it: with the names of the XML, dates as numbers, and null for what is not there."""
    shape = operation.output
    convert = write_json.structure(shape) if shape is not None else None

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        told: dict[str, Any] = {}
        if shape is not None and convert is not None:
            told = _with_nulls(shape, convert(result))
            told = {operation.result_wrapper: told} if operation.result_wrapper else told
        told["ResponseMetadata"] = {"RequestId": request_id}
        headers = [(b"x-amzn-requestid", request_id.encode()), (b"content-type", b"application/json")]
        return HttpResponse(operation.status, headers, msgspec.json.encode({f"{operation.name}Response": told}))

    return serialize


def _with_nulls(shape: Shape, value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(member.wire_name for member in shape.members.values())
    for member in shape.members.values():
        given = value.get(member.wire_name)
        if given is not None:
            found[member.wire_name] = _with_nulls(member.shape, given) if member.shape.type == "structure" else given
    return found


def _ec2(operation: Operation) -> Serializer:
    namespace = f"http://ec2.amazonaws.com/doc/{operation.api_version}/"
    start = f'{_DECLARATION}<{operation.name}Response xmlns="{namespace}"><requestId>'
    write = write_xml.members_writer(operation.output) if operation.output else None

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        out = [start, request_id, "</requestId>"]
        if write is not None:
            write(result, out)
        out.append(f"</{operation.name}Response>")
        headers = [(b"x-amzn-requestid", request_id.encode()), (b"content-type", b"text/xml;charset=UTF-8")]
        return HttpResponse(operation.status, headers, "".join(out).encode())

    return serialize


# JSON and CBOR


def _json(operation: Operation) -> Serializer:
    convert = write_json.structure(operation.output) if operation.output else None
    kind = (b"content-type", f"application/x-amz-json-{operation.json_version}".encode())
    encode = msgspec.json.Encoder().encode

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        # AWS: an operation without output answers with an empty body, which JSON clients read as no members.
        body = b"" if convert is None else encode(convert(result))
        return HttpResponse(operation.status, [(b"x-amzn-requestid", request_id.encode()), kind], body)

    return serialize


def _cbor(operation: Operation) -> Serializer:
    convert = write_json.structure(operation.output, cbor=True) if operation.output else None
    fixed = [(b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor")]

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        body = bytearray()
        if convert is not None:
            cbor.encode(convert(result), body)
        return HttpResponse(operation.status, [(b"x-amzn-requestid", request_id.encode()), *fixed], bytes(body))

    return serialize


# REST


def _rest(operation: Operation) -> Serializer:
    shape = operation.output
    if shape is None:
        return lambda _, request_id: HttpResponse(operation.status, _ids(operation, request_id), b"")
    outside = [(member, _HEADERS[member.location]) for member in shape.members.values() if member.location in _HEADERS]
    codes = [member.name for member in shape.members.values() if member.location == "statusCode"]
    body = _body(operation, shape)

    def serialize(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        headers = _ids(operation, request_id)
        for member, write in outside:
            if result.get(member.name) is not None:
                headers += write(member, result[member.name])
        text, kind = body(result)
        if kind and not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", kind))
        status = next((result[name] for name in codes if name in result), operation.status)
        return HttpResponse(status, headers, b"" if operation.method == "HEAD" else text)

    return serialize


def _ids(operation: Operation, request_id: str) -> Pairs:
    return request_id_headers(operation.protocol, operation.service, request_id)


Body = Callable[[Mapping[str, Any]], tuple[bytes, bytes]]


def _body(operation: Operation, shape: Shape) -> Body:
    if shape.payload is not None:
        member = shape.members[shape.payload]
        inner = _payload(operation, member)
        return lambda result: (b"", b"") if result.get(member.name) is None else inner(result[member.name])
    json = operation.protocol is Protocol.REST_JSON
    if operation.status == 204 or not (json or any(m.location is None for m in shape.members.values())):
        return lambda _: (b"", b"")
    if json:
        convert = write_json.structure(shape)
        return lambda result: (msgspec.json.encode(convert(result)), b"application/json")
    return _document(operation, shape.name, write_xml.members_writer(shape))


def _document(operation: Operation, root: str, write: write_xml.Writer) -> Body:
    start = f'{_DECLARATION}<{root} xmlns="{operation.xml_namespace or ""}">'

    def body(value: Mapping[str, Any]) -> tuple[bytes, bytes]:
        out = [start]
        write(value, out)
        out.append(f"</{root}>")
        return "".join(out).encode(), b"application/xml"

    return body


def _payload(operation: Operation, member: Member) -> Callable[[Any], tuple[bytes, bytes]]:
    if member.shape.type == "blob":
        return lambda value: (value, b"")
    if member.shape.type == "string":
        return lambda value: (value.encode(), b"")
    if operation.protocol is Protocol.REST_JSON:
        convert = write_json.converter(member)
        return lambda value: (msgspec.json.encode(convert(value)), b"application/json")
    return _document(operation, member.wire_name, write_xml.members_writer(member.shape))


def _header(member: Member, value: Any) -> Pairs:
    return [(member.wire_name.lower().encode(), _line(_header_text(member, value)))]


def header_members(shape: Shape, values: Mapping[str, Any]) -> Pairs:
    """Give the headers of those values that the shape keeps in headers."""
    kept = [member for member in shape.members.values() if member.location == "header" and member.name in values]
    return [pair for member in kept for pair in _header(member, values[member.name])]


def _line(text: str) -> bytes:
    # SECURITY: a line break in a value would begin a header, or a response, of the value's author.
    if "\r" in text or "\n" in text or "\0" in text:
        raise ValueError("a header's value is one line")
    return text.encode()


def _header_text(member: Member, value: Any) -> str:
    if member.jsonvalue:
        return base64.b64encode(msgspec.json.encode(value)).decode()
    if member.shape.type == "list":
        return ",".join(_quoted(_header_text(member.shape.element, item)) for item in value)
    if member.shape.type == "string":
        return str(value)
    return text_writer(member, "rfc822")(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"' if "," in text or '"' in text else text


def _prefixed(member: Member, value: Mapping[str, str]) -> Pairs:
    prefix = (member.location_name or "").lower()
    return [(_line(f"{prefix}{name}".lower()), _line(text)) for name, text in value.items()]


_HEADERS: Final[Mapping[str | None, Callable[[Member, Any], Pairs]]] = {"header": _header, "headers": _prefixed}
_KINDS: Final[Mapping[Protocol, Callable[[Operation], Serializer]]] = {
    Protocol.QUERY: _query,
    Protocol.EC2: _ec2,
    Protocol.JSON: _json,
    Protocol.CBOR: _cbor,
    Protocol.REST_JSON: _rest,
    Protocol.REST_XML: _rest,
}
