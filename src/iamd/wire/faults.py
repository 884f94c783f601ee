"""An error as the response its protocol wants: code, status, words and the modelled members."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpResponse
from iamd.wire import cbor, write_json, write_xml
from iamd.wire.common_faults import Family, family_of, spelling
from iamd.wire.models import Operation, Protocol
from iamd.wire.models import service as model_of
from iamd.wire.serialize import Pairs, header_members, host_id, request_id_headers
from iamd.wire.shapes import ErrorShape
from iamd.wire.write_xml import escaped

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_CORAL: Final = "com.amazon.coral.service#"
# AWS's own front of JSON services writes the message of these with a capital letter.
_CAPITAL: Final = frozenset({"AccessDeniedException", "SerializationException"})


@dataclass(frozen=True, slots=True)
class _Fault:
    """An error once its code, status and words are known."""

    code: str
    status: int
    message: str
    members: Mapping[str, object]
    shape: ErrorShape | None
    service: str | None
    operation: Operation | None
    request_id: str
    resource: str | None

    @property
    def kind(self) -> str:
        return "Receiver" if self.status >= 500 else "Sender"


def fault(
    error: AWSError,
    service: str | None,
    operation: Operation | None,
    protocol: Protocol,
    request_id: str,
    resource: str | None = None,
    *,
    in_json: bool = False,
) -> HttpResponse:
    """Give the response that tells `error` to a client of `protocol`; `resource` is the path that S3 repeats.

    `in_json` says that a client of the Query protocol wants JSON.
    """
    found = _settled(error, service, operation, protocol, request_id, resource)
    if in_json:
        return _query_in_json(found)
    return _BODIES[protocol](found) if service != "s3" else _s3(found)


def told(error: AWSError, service: str | None, protocol: Protocol) -> tuple[str, str]:
    """Give the code and the words that stand on the wire: what an audit event records."""
    if not isinstance(error, CommonError):
        return error.code, error.message
    family = family_of(service, protocol)
    spelt = spelling(error.kind, family, service)
    # AWS: EC2 does not say what was wrong with a signature ("Error codes for the Amazon EC2 API", AuthFailure).
    silent = family is Family.EC2 and spelt.code in _SILENT
    return spelt.code, spelt.words if silent or not error.message else error.message


_SILENT: Final = frozenset({"AuthFailure", "RequestExpired"})


def _settled(
    error: AWSError,
    service: str | None,
    operation: Operation | None,
    protocol: Protocol,
    request_id: str,
    resource: str | None,
) -> _Fault:
    code, message = told(error, service, protocol)
    status = error.status
    if status is None and isinstance(error, CommonError):
        status = spelling(error.kind, family_of(service, protocol), service).status
    shape = _modelled(code, service, operation)
    if shape is not None and (status is None or (isinstance(error, CommonError) and shape.stated)):
        status = shape.status
    return _Fault(code, status or 400, message, error.members, shape, service, operation, request_id, resource)


def _modelled(code: str, service: str | None, operation: Operation | None) -> ErrorShape | None:
    if operation is not None:
        return operation.error(code)
    return model_of(service).errors.get(code) if service is not None else None


# XML


def _query(found: _Fault) -> HttpResponse:
    namespace = model_of(found.service).xml_namespace if found.service else None
    attribute = f' xmlns="{namespace}"' if namespace else ""
    body = (
        f"<ErrorResponse{attribute}><Error><Type>{found.kind}</Type><Code>{escaped(found.code)}</Code>"
        f"<Message>{escaped(found.message)}</Message>{_xml_members(found)}</Error>"
        f"<RequestId>{found.request_id}</RequestId></ErrorResponse>"
    )
    return _answer(found, Protocol.QUERY, b"text/xml", body.encode())


def _query_in_json(found: _Fault) -> HttpResponse:
    told = {"Code": found.code, "Message": found.message, "Type": found.kind}
    body = msgspec.json.encode({"Error": told, "RequestId": found.request_id})
    return _answer(found, Protocol.QUERY, b"application/json", body)


def _ec2(found: _Fault) -> HttpResponse:
    body = (
        f"{_DECLARATION}<Response><Errors><Error><Code>{escaped(found.code)}</Code>"
        f"<Message>{escaped(found.message)}</Message></Error></Errors>"
        f"<RequestID>{found.request_id}</RequestID></Response>"
    )
    return _answer(found, Protocol.EC2, b"text/xml;charset=UTF-8", body.encode())


def _s3(found: _Fault) -> HttpResponse:
    resource = f"<Resource>{escaped(found.resource)}</Resource>" if found.resource else ""
    body = (
        f"{_DECLARATION}<Error><Code>{escaped(found.code)}</Code><Message>{escaped(found.message)}</Message>"
        f"{_xml_members(found)}{resource}<RequestId>{found.request_id}</RequestId>"
        f"<HostId>{host_id(found.request_id).decode()}</HostId></Error>"
    )
    head = found.operation is not None and found.operation.method == "HEAD"
    return _answer(found, Protocol.REST_XML, b"application/xml", b"" if head else body.encode())


def _xml_members(found: _Fault) -> str:
    out: list[str] = []
    members = found.shape.shape.members if found.shape else {}
    for name, value in found.members.items():
        member = members.get(name)
        if member is not None:
            write_xml.element_writer(member)(value, out)
        else:
            out.append(f"<{name}>{escaped(str(value))}</{name}>")
    return "".join(out)


# JSON and CBOR


def _json(found: _Fault) -> HttpResponse:
    body = msgspec.json.encode(_members(found, _typed(found)))
    return _answer(
        found, Protocol.JSON, f"application/x-amz-json-{_json_version(found)}".encode(), body, _query_error(found)
    )


def _json_version(found: _Fault) -> str:
    return model_of(found.service).json_version if found.service else "1.1"


def _cbor(found: _Fault) -> HttpResponse:
    out = bytearray()
    cbor.encode(_members(found, _typed(found), cbor=True), out)
    further = [(b"smithy-protocol", b"rpc-v2-cbor"), *_query_error(found)]
    return _answer(found, Protocol.CBOR, b"application/cbor", bytes(out), further)


def _rest_json(found: _Fault) -> HttpResponse:
    code = _wire_code(found)
    further = [(b"x-amzn-errortype", code.encode())]
    if found.shape is not None:
        further += header_members(found.shape.shape, found.members)
    return _answer(found, Protocol.REST_JSON, b"application/json", msgspec.json.encode(_members(found, {})), further)


def _wire_code(found: _Fault) -> str:
    """JSON names an error by its shape, Query by its code."""
    return found.shape.shape.name if found.shape else found.code


def _typed(found: _Fault) -> dict[str, Any]:
    # JSON 1.0 names the namespace of what is wrong with any request, 1.1 only the error (DynamoDB and CloudTrail).
    named = found.shape is None and _json_version(found) == "1.0"
    return {"__type": f"{_CORAL if named else ''}{_wire_code(found)}"}


def _members(found: _Fault, into: dict[str, Any], *, cbor: bool = False) -> dict[str, Any]:
    """The body's members: the words under the shape's name for them, or AWS's usual one where it has none."""
    modelled = found.shape.shape.members if found.shape else {}
    usual = "Message" if found.code in _CAPITAL else "message"
    word = next((name for name in modelled if name.lower() == "message"), usual)
    if found.shape is None:
        return into | {word: found.message} | dict(found.members)
    given = {"RequestId": found.request_id} if "RequestId" in modelled else {}
    body: dict[str, Any] = write_json.structure(found.shape.shape, cbor=cbor)(given | dict(found.members))
    return into | {word: found.message} | body


def _query_error(found: _Fault) -> Pairs:
    """Clients that knew these services in Query look for the codes of that time (Smithy, `awsQueryCompatible`)."""
    if not _compatible(found.service):
        return []
    plain = found.shape.code if found.shape else _QUERY_CODES.get(found.code, found.code)
    code = _OF_KMS.get(plain, plain)
    return [(b"x-amzn-query-error", f"{code};{found.kind}".encode())]


def _compatible(service: str | None) -> bool:
    return service is not None and model_of(service).query_compatible


# SQS's model for JSON has lost its codes of Query; AWS's other SDKs (Smithy, `awsQueryError`) have them.
_OF_KMS: Final = {
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
}
_QUERY_CODES: Final = {
    spelling(kind, Family.JSON).code: spelling(kind, Family.QUERY).code for kind in reversed(list(Common))
}


def _answer(
    found: _Fault, protocol: Protocol, kind: bytes, body: bytes, further: list[tuple[bytes, bytes]] | None = None
) -> HttpResponse:
    headers = request_id_headers(protocol, found.service, found.request_id)
    return HttpResponse(found.status, [*headers, (b"content-type", kind), *(further or [])], body)


_BODIES: Final[Mapping[Protocol, Callable[[_Fault], HttpResponse]]] = {
    Protocol.QUERY: _query,
    Protocol.EC2: _ec2,
    Protocol.REST_XML: _query,
    Protocol.JSON: _json,
    Protocol.CBOR: _cbor,
    Protocol.REST_JSON: _rest_json,
}
