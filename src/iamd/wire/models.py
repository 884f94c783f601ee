"""botocore's service models as frozen values: services, operations, errors; each loaded when it is first asked for."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import botocore
import msgspec
from botocore import xform_name

from iamd.wire.catalog import CATALOG, OWN, Entry
from iamd.wire.corrections import NAMESPACES, corrected, for_query
from iamd.wire.shapes import ErrorShape, Member, RawRef, RawShape, Shape, Shapes, member_of


class Protocol(StrEnum):
    """What is spoken on the wire, by botocore's names."""

    QUERY = "query"
    EC2 = "ec2"
    JSON = "json"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"
    CBOR = "smithy-rpc-v2-cbor"


class _RawHttp(msgspec.Struct, rename="camel"):
    method: str = "POST"
    request_uri: str = "/"
    response_code: int = 200


class _RawOperation(msgspec.Struct, rename="camel"):
    http: _RawHttp
    input: RawRef | None = None
    output: RawRef | None = None
    errors: list[RawRef] = []
    authtype: str | None = None
    deprecated: bool = False
    readonly: bool = False
    idempotent: bool = False
    endpoint: dict[str, str] | None = None


class _RawService(msgspec.Struct, rename="camel"):
    metadata: dict[str, Any]
    operations: dict[str, _RawOperation]
    shapes: dict[str, RawShape]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Operation:
    """One operation as one protocol speaks it. Two of the same name, service and protocol are the same object."""

    name: str
    service: str
    protocol: Protocol
    method: str
    uri: str
    status: int
    input: Shape | None
    input_root: Member | None
    output: Shape | None
    result_wrapper: str | None
    errors: Mapping[str, ErrorShape]
    unsigned: bool
    """The model says `authtype: none`: the caller proves itself by something other than a signature."""
    unsigned_body: bool
    deprecated: bool
    streaming_input: bool
    host_prefix: str | None
    api_version: str
    xml_namespace: str | None
    json_version: str
    query_compatible: bool

    def __repr__(self) -> str:
        return f"<Operation {self.service}:{self.name} in {self.protocol}>"

    def error(self, code: str) -> ErrorShape | None:
        """Give the exception that has this code, by the operation's own list first, then the service's."""
        return self.errors.get(code) or service(self.service).errors.get(code)


class Service:
    """One service's model; operations and shapes are built when they are first asked for."""

    def __init__(self, entry: Entry, raw: _RawService) -> None:
        self.name: Final = entry.name
        self.entry: Final = entry
        self.protocol: Final = Protocol(entry.protocols[0])
        self.protocols: Final = tuple(Protocol(protocol) for protocol in entry.protocols)
        self.full_name: Final[str] = raw.metadata["serviceFullName"]
        self.service_id: Final[str] = raw.metadata["serviceId"]
        self.api_version: Final = entry.api_version
        self.endpoint_prefix: Final = entry.endpoint_prefix
        self.signing_name: Final = entry.signing_name
        self.target_prefix: Final = entry.target_prefix
        self.xml_namespace: Final[str | None] = NAMESPACES.get(entry.name, raw.metadata.get("xmlNamespace"))
        self.json_version: Final[str] = raw.metadata.get("jsonVersion", "1.1")
        self.query_compatible: Final = "awsQueryCompatible" in raw.metadata
        self.operation_names: Final = tuple(raw.operations)
        self._raw = raw
        shapes = corrected(entry.name, raw.shapes)
        self._shapes = Shapes(shapes)
        query_shapes = for_query(entry.name, shapes)
        self._query_shapes = self._shapes if query_shapes is shapes else Shapes(query_shapes)
        self._operations: dict[tuple[str, Protocol], Operation] = {}
        self._errors: Mapping[str, ErrorShape] | None = None

    def operation(self, name: str, protocol: Protocol | None = None) -> Operation:
        """Give the operation of this exact name, as `protocol` (or the service's own) speaks it; else KeyError."""
        key = (name, protocol or self.protocol)
        found = self._operations.get(key)
        if found is None:
            found = self._operations[key] = self._build(name, self._raw.operations[name], key[1])
        return found

    def has(self, name: str) -> bool:
        """Tell whether there is an operation of this exact name."""
        return name in self._raw.operations

    def http(self, name: str) -> tuple[str, str]:
        """Give the method and URI template of an operation without building its shapes."""
        raw = self._raw.operations[name].http
        return raw.method, raw.request_uri

    def is_idempotent(self, name: str) -> bool:
        """Tell whether the model says that a request for the operation does no more when it is repeated."""
        raw = self._raw.operations[name]
        return raw.readonly or raw.idempotent

    def host_prefix(self, name: str) -> str | None:
        """Give what stands before the endpoint's host for an operation, without building its shapes."""
        return (self._raw.operations[name].endpoint or {}).get("hostPrefix")

    def deprecated(self, name: str) -> bool:
        """Tell whether the model calls the operation deprecated, without building its shapes."""
        return self._raw.operations[name].deprecated

    def inputs(self, name: str, *, required: bool = False) -> list[tuple[str | None, str]]:
        """Give location and wire name of each input (or each required one), without building its shapes."""
        ref = self._raw.operations[name].input
        shape = self._raw.shapes[ref.shape] if ref else _NO_INPUT
        wanted = shape.required if required else shape.members
        members = [(member, shape.members[member]) for member in wanted]
        return [(use.location, use.location_name or member) for member, use in members]

    def shape(self, name: str) -> Shape:
        """Give a shape by the model's name for it."""
        return self._shapes.shape(name)

    @property
    def errors(self) -> Mapping[str, ErrorShape]:
        """Every exception of the service, by its code and by its shape's name."""
        if self._errors is None:
            names = [name for name, raw in self._raw.shapes.items() if raw.exception]
            self._errors = self._errors_of(names)
        return self._errors

    def _errors_of(self, names: list[str]) -> Mapping[str, ErrorShape]:
        found = {name: self._shapes.error(name) for name in names}
        return MappingProxyType(found | {error.code: error for error in found.values()})

    def _build(self, name: str, raw: _RawOperation, protocol: Protocol) -> Operation:
        shapes = self._query_shapes if protocol is Protocol.QUERY else self._shapes
        given = shapes.shape(raw.input.shape) if raw.input else None
        return Operation(
            name=name,
            service=self.name,
            protocol=protocol,
            method=raw.http.method,
            uri=raw.http.request_uri,
            status=raw.http.response_code,
            input=given,
            input_root=_root(given, raw.input),
            output=shapes.shape(raw.output.shape) if raw.output else None,
            result_wrapper=_wrapper(name, raw, protocol),
            errors=self._errors_of([ref.shape for ref in raw.errors]),
            unsigned=raw.authtype == "none",
            unsigned_body=raw.authtype == "v4-unsigned-body",
            deprecated=raw.deprecated,
            streaming_input=_streaming(given),
            host_prefix=(raw.endpoint or {}).get("hostPrefix"),
            api_version=self.api_version,
            xml_namespace=self.xml_namespace,
            json_version=self.json_version,
            query_compatible=self.query_compatible,
        )


# botocore.loaders would read the same files, but importing it costs more than loading IAM's model does. What its
# `sdk-extras` add is the SDK's own (RDS's SourceRegion) and never sent.
_DATA: Final = Path(botocore.__file__).parent / "data"


def _wrapper(name: str, raw: _RawOperation, protocol: Protocol) -> str | None:
    if raw.output is None:
        return None
    if raw.output.result_wrapper is None and protocol is Protocol.QUERY:
        # SQS: its JSON model names no wrappers; Query's are the operation's name and `Result`.
        return f"{name}Result"
    return raw.output.result_wrapper


def _root(shape: Shape | None, ref: RawRef | None) -> Member | None:
    if shape is None or ref is None:
        return None
    return member_of(shape, location_name=ref.location_name)


def _streaming(shape: Shape | None) -> bool:
    if shape is None or shape.payload is None:
        return False
    payload = shape.members[shape.payload]
    return payload.streaming and payload.shape.type == "blob"


_NO_INPUT: Final = RawShape(type="structure")


@cache
def service(name: str) -> Service:
    """Give the service of botocore's name; KeyError when there is none."""
    entry = CATALOG.by_name[name]
    if entry in OWN:
        own = Path(__file__).parent / entry.folder / f"{name}.json"
        return Service(entry, msgspec.json.decode(own.read_bytes(), type=_RawService))
    path = _DATA / name / entry.folder / "service-2.json.gz"
    return Service(entry, msgspec.json.decode(gzip.decompress(path.read_bytes()), type=_RawService))


def to_snake(name: str) -> str:
    """Give the Python name of an operation or a member, as botocore does."""
    snake: str = xform_name(name)
    return snake
