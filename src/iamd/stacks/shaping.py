"""Values of templates as an operation's parameters: by the model's members and kinds.

Templates write numbers and truth values as text too, documents as objects, and names in their own capitals.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.stacks.errors import InvalidProperties
from iamd.wire.models import service as model_of
from iamd.wire.shapes import Shape

_INTEGERS = frozenset({"integer", "long"})
_NUMBERS = frozenset({"float", "double", "bigdecimal"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_TRUTHS = {"true": True, "false": False}


def parameters(service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an operation; those that are None are left out."""
    shape = model_of(service).operation(operation).input
    if shape is None:
        return {}
    found: dict[str, Any] = shaped(shape, {name: value for name, value in given.items() if value is not None}, "")
    return found


def shaped(shape: Shape, value: Any, where: str) -> Any:
    """The value as the shape has it; InvalidProperties when it can't be that."""
    match shape.type:
        case "structure":
            return _structure(shape, value, where)
        case "list":
            if not isinstance(value, list | tuple):
                raise _wrong(where, "a list")
            return [shaped(shape.element.shape, one, where) for one in value]
        case "map":
            return _map(shape, value, where)
        case "string":
            return text(value)
        case "blob":
            return value if isinstance(value, bytes) else text(value).encode()
        case "boolean":
            return _truth(value, where)
        case kind:
            return _number(kind, value, where)


def text(value: Any) -> str:
    """The value as text: a document as JSON, a truth value as JSON writes it."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def document(text: str) -> dict[str, Any]:
    """The object that a text of JSON holds; none when it holds something else."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _structure(shape: Shape, value: Any, where: str) -> Any:
    if shape.document:
        return value
    if not isinstance(value, Mapping):
        raise _wrong(where, "an object")
    found = {}
    for name, one in value.items():
        member = _member(shape, name)
        if member is None:
            raise InvalidProperties(f"#{where}: extraneous key [{name}] is not permitted")
        if one is not None:
            found[member] = shaped(shape.members[member].shape, one, f"{where}/{name}")
    return found


def _member(shape: Shape, name: str) -> str | None:
    """The member of this name, in whatever capitals."""
    if name in shape.members:
        return name
    return next((member for member in shape.members if member.lower() == name.lower()), None)


def _map(shape: Shape, value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, list):
        # Tags, where a template has a list of them and the service a map.
        value = {one["Key"]: one["Value"] for one in value}
    if not isinstance(value, Mapping):
        raise _wrong(where, "an object")
    return {name: shaped(shape.value.shape, one, f"{where}/{name}") for name, one in value.items() if one is not None}


def _truth(value: Any, where: str) -> bool:
    found = value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())
    if found is None:
        raise _wrong(where, "true or false")
    return found


def _number(kind: str, value: Any, where: str) -> Any:
    if kind not in _INTEGERS and kind not in _NUMBERS:
        return value
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _wrong(where, "a number") from error
    if not math.isfinite(number):
        raise _wrong(where, "a number")
    if kind in _NUMBERS:
        return number
    if isinstance(value, bool) or number != int(number):
        raise _wrong(where, "an integer")
    # What is written as an integer is not read by way of a number, which may be too large for one.
    return int(value) if isinstance(value, int | str) and _INTEGER.fullmatch(str(value)) else int(number)


def _wrong(where: str, wanted: str) -> InvalidProperties:
    return InvalidProperties(f"#{where}: must be {wanted}")
