"""JSON bodies, read strictly, and their values by the model."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from iamd.errors import Common, CommonError
from iamd.wire.scalars import blob, finite, integer, timestamp, wrong
from iamd.wire.shapes import Member, Shape

_DEPTH: Final = 32
_OBJECTS: Final = 500_000
_VALUES: Final = 4_000_000
"""How many objects and values a body may hold: beyond that everybody else would wait for its reader."""
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def decode(body: bytes) -> Any:
    """Give the value of a JSON text; a name given twice, NaN, half a character and what nests too deep are refused."""
    # What stands in strings is no value; they are left out when it could matter.
    if _is_crowded(body) and _is_crowded(_STRING.sub(b"", body)):
        raise CommonError(Common.TOO_LARGE, "The request body holds too many values.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        # SECURITY: half a surrogate pair is no text: no record could hold it, its request's event least of all.
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise wrong("Unable to parse the request body as JSON") from None
    _bounded(value)
    return value


def _is_crowded(text: bytes) -> bool:
    return text.count(b"{") > _OBJECTS or text.count(b",") + text.count(b"[") > _VALUES


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # SECURITY: json keeps the last of two values; a reader that keeps the first decides something else.
    if len(found) != len(pairs):
        raise CommonError(Common.VALIDATION, f"Duplicate member: {_repeated(pairs)}")
    return found


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    """The first name that stands there again."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _bounded(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEPTH + 1:
            raise wrong("The request body is nested too deeply")
        nested = [item for item in level if isinstance(item, dict | list)]
        level = [inner for item in nested for inner in (item.values() if isinstance(item, dict) else item)]


def body(text: bytes, shape: Shape) -> dict[str, Any]:
    """Give the members of a structure that is the whole body; an empty body is an empty structure."""
    return structure(decode(text), shape) if text else {}


def structure(value: Any, shape: Shape) -> dict[str, Any]:
    """Give the members of a JSON object by the model's names; null is absent, unknown names are refused."""
    if not isinstance(value, dict):
        raise wrong(_found(value, "structure"))
    rest = dict(value)
    found = {}
    for member in shape.members.values():
        if member.location is None and member.wire_name in rest:
            given = rest.pop(member.wire_name)
            if given is not None:
                found[member.name] = read(given, member)
    if rest:
        raise CommonError(Common.VALIDATION, f"Unknown parameter: {next(iter(rest))}")
    if shape.union and len(found) != 1:
        raise wrong("Union must have exactly one member set")
    return found


def read(value: Any, member: Member) -> Any:
    """Give a JSON value as the member's type."""
    return value if member.shape.document else _READERS[member.shape.type](value, member)


def _structure(value: Any, member: Member) -> dict[str, Any]:
    return structure(value, member.shape)


def _list(value: Any, member: Member) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(_found(value, "list"))
    return [read(item, member.shape.element) for item in value]


def _map(value: Any, member: Member) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(_found(value, "map"))
    return {read(name, member.shape.key): read(item, member.shape.value) for name, item in value.items()}


def _string(value: Any, member: Member) -> str:
    if not isinstance(value, str):
        raise wrong(_found(value, "string"))
    return value


def _integer(value: Any, member: Member) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(_found(value, member.shape.type))
    return integer(value, member.shape)


def _float(value: Any, member: Member) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(_found(value, member.shape.type))
    try:
        return finite(float(value))
    except OverflowError:
        raise wrong("Number out of range") from None


def _boolean(value: Any, member: Member) -> bool:
    if not isinstance(value, bool):
        raise wrong(_found(value, "boolean"))
    return value


def _blob(value: Any, member: Member) -> bytes:
    return value if isinstance(value, bytes) else blob(_string(value, member))


def _timestamp(value: Any, member: Member) -> Any:
    # CBOR's dates are dates already; a JSON text never holds one.
    return value if isinstance(value, datetime) else timestamp(value, member.timestamp_format or "unixtimestamp")


_READERS: Final = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
_WANTED: Final[Mapping[str, str]] = {
    "structure": "a Structure",
    "list": "a List",
    "map": "a Map",
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "boolean": "a Boolean",
}


def _found(value: Any, wanted: str) -> str:
    """The words of AWS's own JSON reader for a token of the wrong kind."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    if isinstance(value, list):
        return "Start of list found where not expected."
    if value is None:
        return f"NULL_VALUE can not be converted to {_WANTED[wanted]}"
    kind = "TRUE_VALUE" if value is True else "FALSE_VALUE" if value is False else _token(value)
    return f"{kind} can not be converted to {_WANTED[wanted]}"


def _token(value: Any) -> str:
    return "STRING_VALUE" if isinstance(value, str) else "DECIMAL_VALUE" if isinstance(value, float) else "NUMBER_VALUE"
