"""What a service model says of values: shapes, and the members that use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec


class RawRef(msgspec.Struct, rename="camel"):
    """A use of a shape, as the model's JSON has it; documentation is left out while decoding."""

    shape: str
    location: str | None = None
    location_name: str | None = None
    query_name: str | None = None
    flattened: bool = False
    xml_attribute: bool = False
    xml_namespace: dict[str, str] | str | None = None
    timestamp_format: str | None = None
    streaming: bool = False
    jsonvalue: bool = False
    host_label: bool = False
    enum: list[str] | None = None
    result_wrapper: str | None = None
    idempotency_token: bool = False


class RawError(msgspec.Struct, rename="camel"):
    """The `error` trait of an exception."""

    code: str | None = None
    http_status_code: int | None = None
    sender_fault: bool = False


class RawShape(msgspec.Struct, rename="camel"):
    """A shape as the model's JSON has it."""

    type: str
    members: dict[str, RawRef] = {}
    member: RawRef | None = None
    key: RawRef | None = None
    value: RawRef | None = None
    required: list[str] = []
    payload: str | None = None
    min: float | int | None = None
    max: float | int | None = None
    pattern: str | None = None
    enum: list[str] | None = None
    sensitive: bool = False
    flattened: bool = False
    location_name: str | None = None
    xml_namespace: dict[str, str] | str | None = None
    timestamp_format: str | None = None
    streaming: bool = False
    requires_length: bool = False
    document: bool = False
    union: bool = False
    wrapper: bool = False
    exception: bool = False
    fault: bool = False
    error: RawError | None = None
    eventstream: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shape:
    """A type of the model. `members` of a structure; `element` of a list; `key` and `value` of a map."""

    name: str
    type: str
    members: Mapping[str, "Member"]
    parts: Mapping[str, "Member"]
    required: frozenset[str]
    payload: str | None
    minimum: Decimal | None
    maximum: Decimal | None
    pattern: str | None
    enum: tuple[str, ...]
    sensitive: bool
    document: bool
    union: bool
    eventstream: bool

    def __repr__(self) -> str:
        return f"<Shape {self.name}: {self.type}>"

    @property
    def element(self) -> "Member":
        """What a list holds."""
        return self.parts["member"]

    @property
    def key(self) -> "Member":
        """The keys of a map."""
        return self.parts["key"]

    @property
    def value(self) -> "Member":
        """The values of a map."""
        return self.parts["value"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Member:
    """A use of a shape, under the name the model gives it, with the traits of that place."""

    name: str
    shape: Shape
    location: str | None
    location_name: str | None
    query_name: str | None
    flattened: bool
    xml_attribute: bool
    xml_namespace: Mapping[str, str] | None
    timestamp_format: str | None
    streaming: bool
    jsonvalue: bool
    idempotency_token: bool

    def __repr__(self) -> str:
        return f"<Member {self.name}: {self.shape.name}>"

    @property
    def wire_name(self) -> str:
        """The name in bodies, headers and queries."""
        return self.location_name or self.name


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """An exception of the model: its code on the wire, its status, its members."""

    code: str
    status: int
    stated: bool
    """The model states the status itself."""
    shape: Shape


class Shapes:
    """The shapes of one service, each built when it is first asked for."""

    def __init__(self, raw: Mapping[str, RawShape]) -> None:
        self._raw = raw
        self._built: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        """Give the shape of this name; shapes may contain themselves."""
        built = self._built.get(name)
        return built if built is not None else self._build(name, self._raw[name])

    def error(self, name: str) -> ErrorShape:
        """Give the exception of this name; its code is the shape's name where the model names no other."""
        raw = self._raw[name]
        error = raw.error or RawError()
        status = error.http_status_code or (500 if raw.fault else 400)
        return ErrorShape(error.code or name, status, error.http_status_code is not None, self.shape(name))

    def _build(self, name: str, raw: RawShape) -> Shape:
        members: dict[str, Member] = {}
        parts: dict[str, Member] = {}
        shape = Shape(
            name=name,
            type=raw.type,
            members=MappingProxyType(members),
            parts=MappingProxyType(parts),
            required=frozenset(raw.required),
            payload=raw.payload,
            minimum=_number(raw.min),
            maximum=_number(raw.max),
            pattern=raw.pattern,
            enum=tuple(raw.enum or ()),
            sensitive=raw.sensitive,
            document=raw.document,
            union=raw.union,
            eventstream=raw.eventstream,
        )
        # Filled after the shape is known, so that a shape that contains itself finds itself.
        self._built[name] = shape
        members.update((member, self._member(member, ref)) for member, ref in raw.members.items())
        for part, ref in (("member", raw.member), ("key", raw.key), ("value", raw.value)):
            if ref is not None:
                parts[part] = self._member(part, ref)
        return shape

    def _member(self, name: str, ref: RawRef) -> Member:
        raw = self._raw[ref.shape]
        return Member(
            name=name,
            shape=self.shape(ref.shape),
            location=ref.location,
            location_name=ref.location_name or raw.location_name,
            query_name=ref.query_name,
            flattened=ref.flattened or raw.flattened,
            xml_attribute=ref.xml_attribute,
            xml_namespace=_namespace(ref.xml_namespace or raw.xml_namespace),
            timestamp_format=(ref.timestamp_format or raw.timestamp_format or "").lower() or None,
            streaming=ref.streaming or raw.streaming,
            jsonvalue=ref.jsonvalue,
            idempotency_token=ref.idempotency_token,
        )


def _number(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _namespace(value: dict[str, str] | str | None) -> Mapping[str, str] | None:
    if value is None:
        return None
    return MappingProxyType({"uri": value} if isinstance(value, str) else value)


def member_of(shape: Shape, **traits: Any) -> Member:
    """Give a use of `shape` without a place of its own: the root of an input or output."""
    chosen: dict[str, Any] = dict.fromkeys(("location", "location_name", "query_name", "xml_namespace"), None)
    chosen |= dict.fromkeys(("flattened", "xml_attribute", "streaming", "jsonvalue", "idempotency_token"), False)
    chosen |= {"name": shape.name, "timestamp_format": None}
    return Member(shape=shape, **(chosen | traits))
