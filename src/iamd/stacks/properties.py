"""A resource's properties by CloudFormation's own description of its type: which there are, and what they may be.

AWS: the words of refusals are those that CloudFormation has for resources whose properties don't fit their schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from iamd.data import resource_types
from iamd.data.resource_types import ResourceType, Value
from iamd.stacks.errors import InvalidProperties

_NAMES = {
    "object": "JSONObject",
    "array": "JSONArray",
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
}
_SCALARS = frozenset({"string", "boolean", "integer", "number"})


def is_function(value: Any) -> bool:
    """Whether a value is a function that is still to be evaluated."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    name = next(iter(value))
    return name == "Ref" or str(name).startswith("Fn::")


def check(type: str, properties: Mapping[str, Any]) -> None:
    """Refuse what the type's description does not have, or has otherwise."""
    described = resource_types.find(type)
    if described is None:
        return
    writable = {name: value for name, value in described.properties.items() if name not in described.read_only}
    root = Value(("object",), writable, described.required, open=False)
    for words in _faults(root, properties, "", described):
        raise InvalidProperties(words)


def _faults(expected: Value, value: Any, where: str, described: ResourceType) -> Iterator[str]:
    if is_function(value):
        return
    if expected.definition is not None:
        expected = described.definitions[expected.definition]
    if expected.kinds and not _fits(expected.kinds, value):
        wanted = ", ".join(_NAMES.get(kind, kind) for kind in expected.kinds)
        yield f"#{where}: expected type: {wanted}, found: {_kind_name(value)}"
    elif isinstance(value, Mapping):
        yield from _faults_of_object(expected, value, where, described)
    elif isinstance(value, list) and expected.item is not None:
        for index, one in enumerate(value):
            yield from _faults(expected.item, one, f"{where}/{index}", described)


def _faults_of_object(expected: Value, value: Mapping[str, Any], where: str, described: ResourceType) -> Iterator[str]:
    if any(name.startswith("Fn::") for name in value):
        return
    for name, one in value.items():
        if name in expected.members:
            yield from _faults(expected.members[name], one, f"{where}/{name}", described)
        elif not expected.open:
            yield f"#{where}: extraneous key [{name}] is not permitted"
    for name in expected.required:
        if name not in value:
            yield f"#{where}: required key [{name}] not found"


def _fits(kinds: tuple[str, ...], value: Any) -> bool:
    if isinstance(value, Mapping):
        return "object" in kinds
    if isinstance(value, list):
        return "array" in kinds
    # Templates write numbers as text, and text as numbers.
    wanted = _SCALARS.intersection(kinds)
    return bool(wanted) and ("string" in wanted or _is_read_as(wanted, value))


def _is_read_as(wanted: frozenset[str], value: Any) -> bool:
    if isinstance(value, bool) or str(value).lower() in {"true", "false"}:
        return "boolean" in wanted
    if wanted == {"boolean"}:
        return False
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    return "number" in wanted or number == int(number)


def _kind_name(value: Any) -> str:
    if isinstance(value, Mapping):
        return "JSONObject"
    if isinstance(value, list):
        return "JSONArray"
    if isinstance(value, bool):
        return "Boolean"
    return "String" if isinstance(value, str) else "Number"


def replacing(type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The properties whose change needs a new resource ("Update requires: Replacement")."""
    described = resource_types.find(type)
    paths = described.create_only if described is not None else ()
    return [path for path in paths if _at(old, path) != _at(new, path)]


def _at(properties: Any, path: str) -> Any:
    for name in path.split("/"):
        properties = properties.get(name) if isinstance(properties, Mapping) else None
    return properties
