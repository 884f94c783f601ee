"""Context entries of a simulation: condition keys with values of a type, as a request would carry them.

AWS: IAM API Reference, ContextEntry. The words of the refusals, and what is refused, are seen in AWS's answers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from iamd.policy import operators
from iamd.policy.request import lower
from iamd.services.iam.errors import InvalidInput

LONGEST_VALUE: Final = 8192
"""AWS names no limit."""

Entry = Mapping[str, Any]
Keys = dict[str, str | tuple[str, ...]]

FORMATS: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "numeric": (operators.number, "numeric format"),
    "date": (operators.moment, "DateTime format"),
    "ip": (operators.address, "IP address"),
    "binary": (operators.octets, "base-64 encoded binary format"),
}
"""How values of a type are read, and what AWS calls that; any text is a string or a boolean."""


def context_of(entries: Iterable[Entry]) -> Keys:
    """The condition keys, in lower case; InvalidInput for an entry that says nothing clear."""
    found: Keys = {}
    for entry in filter(None, entries):
        name = entry.get("ContextKeyName")
        if not name:
            raise InvalidInput("ContextKeyName cannot be null or empty.")
        if lower(name) in found:
            raise InvalidInput(f"Duplicate context key: {name}.")
        found[lower(name)] = _value(name, entry)
    return found


def _value(name: str, entry: Entry) -> str | tuple[str, ...]:
    kind, values = entry.get("ContextKeyType"), entry.get("ContextKeyValues")
    if kind is None:
        raise InvalidInput(f"Context key {name} has invalid type null.")
    if not values:
        raise InvalidInput(f"Context values for context key {name} cannot be null or empty.")
    one = kind.removesuffix("List")
    for value in values:
        _check(name, one, value)
    if one != kind:
        return tuple(values)
    if len(values) > 1:
        raise InvalidInput(f"Context key {kind} expected a single value, but received {len(values)}.")
    only: str = values[0]
    return only


def _check(name: str, kind: str, value: str) -> None:
    if len(value) > LONGEST_VALUE:
        raise InvalidInput(f"Invalid context value for key {name}: expected at most {LONGEST_VALUE} characters.")
    if kind in FORMATS:
        read, words = FORMATS[kind]
        if read(value) is None:
            raise InvalidInput(f"Invalid context value for key {name}: expected {words}.")
