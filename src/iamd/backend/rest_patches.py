"""Patch operations of what REST APIs are made of: which there are for a path, and what each changes.

AWS: API Gateway API Reference, "Patch operations": of what it does not list nothing is done; all of a request is, or
nothing.
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from moto.apigateway.exceptions import BadRequestException

Change = Callable[[Any, str, Sequence[str], str], None]
"""Changes a thing by an operation, the parts of its path that its row leaves open, and its value."""

ADD: Final = "add"
REPLACE: Final = "replace"
REMOVE: Final = "remove"
ANY: Final = (ADD, REPLACE, REMOVE)
_INTEGER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


class Row(NamedTuple):
    """What may be done at a path, and how; `{}` in its path stands for a name, `{+}` for several."""

    path: str
    kinds: Sequence[str]
    change: Change


class Table:
    """The rows of one kind of thing."""

    def __init__(self, *rows: Row) -> None:
        self._rows = [(re.compile(_pattern(row.path)), row) for row in rows]

    def apply(self, thing: Any, operations: Sequence[Mapping[str, Any]], check: Callable[[Any], None]) -> None:
        """Do all operations, or none where one of them, or what comes of them all, is refused.

        No change alters what a thing has: it has another one then.
        """
        trial = copy.copy(thing)
        for operation in operations:
            self._apply(trial, operation)
        check(trial)
        vars(thing).update(vars(trial))

    def _apply(self, trial: Any, operation: Mapping[str, Any]) -> None:
        kind, path, value = operation.get("op"), operation.get("path") or "", operation.get("value")
        for pattern, row in self._rows:
            match = pattern.fullmatch(path)
            if match is not None and kind in row.kinds:
                row.change(trial, str(kind), [unescaped(part) for part in match.groups()], value or "")
                return
        shown = [
            row.path.replace("{}", "<name>").replace("{+}", "<name>") for _, row in self._rows if kind in row.kinds
        ]
        known = sorted(set(shown))
        # AWS: its words, as clients report them (boto/boto3 2629, localstack/localstack 7828).
        end = f"Must be one of: [{', '.join(known)}]" if known else "Please choose supported operations"
        raise BadRequestException(f"Invalid patch path  '{path}' specified for op '{kind}'. {end}")


def operations_of(response: Any) -> list[dict[str, Any]]:
    """The patch operations of a request."""
    given: dict[str, Any] = msgspec.json.decode(response.body or b"{}")
    return given.get("patchOperations") or []


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\{\}", "([^/]+)").replace(r"\{\+\}", "(.+)")


def unescaped(name: str) -> str:
    """A name in a path; AWS: its slashes are `~1`."""
    return name.replace("~1", "/").replace("~0", "~")


def optional(read: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """What is read of a value; None of an empty one."""
    return lambda value: read(value) if value else None


_TEXT: Final = optional()


def setting(attribute: str, read: Callable[[str], Any] = _TEXT) -> Change:
    """Set an attribute to what is read of the value."""

    def change(thing: Any, _: str, __: Sequence[str], value: str) -> None:
        setattr(thing, attribute, read(value))

    return change


def of_map(attribute: str, read: Callable[[str], Any] = str) -> Change:
    """Put one name's value into a map, or take the name away."""

    def change(thing: Any, kind: str, names: Sequence[str], value: str) -> None:
        others = {name: one for name, one in (getattr(thing, attribute) or {}).items() if name != names[0]}
        setattr(thing, attribute, others if kind == REMOVE else {**others, names[0]: read(value)})

    return change


def of_list(attribute: str) -> Change:
    """Add a text to a list or take it away: the value, or the name in the path where there is one."""

    def change(thing: Any, kind: str, names: Sequence[str], value: str) -> None:
        one = names[0] if names else value
        if not one:
            raise BadRequestException("Invalid patch value")
        others = [other for other in getattr(thing, attribute) or () if other != one]
        setattr(thing, attribute, others if kind == REMOVE else [*others, one])

    return change


def truth(value: str) -> bool:
    """A truth value as a patch has it."""
    if value.lower() not in {"true", "false"}:
        raise BadRequestException(f"Invalid boolean value specified: {value}")
    return value.lower() == "true"


def integer(value: str) -> int:
    """A whole number as a patch has it."""
    if not _INTEGER.fullmatch(value):
        raise BadRequestException(f"Invalid integer value specified: {value}")
    return int(value)


def number(value: str) -> float:
    """A number as a patch has it."""
    if not _NUMBER.fullmatch(value):
        raise BadRequestException(f"Invalid number specified: {value}")
    return float(value)


def one_of(*known: str) -> Callable[[str], str]:
    """A value that is one of these."""

    def read(value: str) -> str:
        if value not in known:
            raise BadRequestException(f"Invalid value specified: {value}. Must be one of: [{', '.join(known)}]")
        return value

    return read


def anything(_: Any) -> None:
    """Whatever comes of the operations is right."""
