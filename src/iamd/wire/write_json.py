"""Values as JSON and CBOR have them, by the model: one converter per shape, compiled when it is first needed."""

import base64
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final

from iamd.wire.scalars import epoch_number, iso_text, rfc822_text
from iamd.wire.shapes import Member, Shape
from iamd.wire.write_xml import refuse_strangers

Convert = Callable[[Any], Any]


@cache
def structure(shape: Shape, *, cbor: bool = False) -> Convert:
    """Give what turns a structure's members, those in the body, into what an encoder takes."""
    names = {m.name: (m.wire_name, converter(m, cbor=cbor)) for m in shape.members.values() if m.location is None}
    known = frozenset(shape.members)

    def convert(value: Mapping[str, Any]) -> dict[str, Any]:
        refuse_strangers(shape, known, value)
        found = {}
        for name, given in value.items():
            if given is not None and name in names:
                wire, inner = names[name]
                found[wire] = inner(given)
        return found

    return convert


def converter(member: Member, *, cbor: bool = False) -> Convert:
    """Give what turns one value into what an encoder takes."""
    shape = member.shape
    if shape.document:
        return _same
    match shape.type:
        case "structure":
            return partial(_structure, shape, cbor)
        case "list":
            return lambda value: [_element(shape.element, cbor=cbor)(item) for item in value]
        case "map":
            return lambda value: {name: _element(shape.value, cbor=cbor)(item) for name, item in value.items()}
        case "timestamp":
            return _same if cbor else _DATES[member.timestamp_format or "unixtimestamp"]
        case "blob":
            return _same if cbor else _base64
        case "float" | "double":
            return float
        case _:
            return _same


def _structure(shape: Shape, cbor: bool, value: Any) -> Any:
    # Asked for while a value is written: a shape that holds itself is not yet compiled before.
    return structure(shape, cbor=cbor)(value)


@cache
def _element(member: Member, *, cbor: bool) -> Convert:
    return converter(member, cbor=cbor)


def _same(value: Any) -> Any:
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_DATES: Final[Mapping[str, Convert]] = {
    "iso8601": iso_text,
    "rfc822": rfc822_text,
    "unixtimestamp": epoch_number,
}
