"""A JSON text as a tree whose every part knows its path and its place: what findings point at.

`syntax.read` is what decisions are made of, and stays as fast as it is; this is read once, for a person.
"""

from enum import StrEnum
from json import JSONDecodeError

import msgspec

from iamd.policy.syntax import MAX_DEPTH, SyntaxProblem, skip, value_at


class NotJson(ValueError):
    """The text is no JSON, or nested too deeply; `offset` is where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Into(StrEnum):
    """What a step of a path leads to, by the names of the Access Analyzer API Reference (API_PathElement)."""

    INDEX = "index"
    KEY = "key"
    VALUE = "value"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step of a path: to an item by its index, to a member's value, or to the member's own name."""

    into: Into
    name: str | int


class Place(msgspec.Struct, frozen=True, gc=False):
    """A part of the text: text[start:end], and the way to it from the outermost value."""

    path: tuple[Step, ...]
    start: int
    end: int


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A string, number, boolean or null; numbers are `syntax.Number`."""

    value: str | bool | None
    place: Place


class Array(msgspec.Struct, frozen=True, gc=False):
    """A JSON array."""

    items: tuple["Node", ...]
    place: Place


class Member(msgspec.Struct, frozen=True, gc=False):
    """One member of an object: its name, where the name stands, and its value."""

    name: str
    key: Place
    value: "Node"


class Object(msgspec.Struct, frozen=True, gc=False):
    """A JSON object; its members' names differ."""

    members: tuple[Member, ...]
    place: Place

    def member(self, name: str) -> Member | None:
        """The member of that name, or None."""
        return next((member for member in self.members if member.name == name), None)


Node = Scalar | Array | Object


def read(text: str) -> Node:
    """The value that `text` holds, or NotJson."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotJson("half of a surrogate pair", error.start) from None
    node = _node(text, skip(text, 0), (), 0)
    end = skip(text, node.place.end)
    if end != len(text):
        raise NotJson("text after the document", end)
    return node


def _node(text: str, position: int, path: tuple[Step, ...], depth: int) -> Node:
    opening = text[position : position + 1]
    if opening not in {"{", "["}:
        value, end = _scalar(text, position)
        return Scalar(value, Place(path, position, end))
    if depth == MAX_DEPTH:
        raise NotJson("nested too deeply", position)
    if opening == "{":
        return _object(text, position, path, depth + 1)
    return _array(text, position, path, depth + 1)


def _object(text: str, start: int, path: tuple[Step, ...], depth: int) -> Object:
    members: dict[str, Member] = {}
    position = skip(text, start + 1)
    while text[position : position + 1] != "}":
        if members:
            position = _after(text, position, ",")
        member = _member(text, position, path, depth)
        if member.name in members:
            raise NotJson("a key is repeated", position)
        members[member.name] = member
        position = skip(text, member.value.place.end)
    return Object(tuple(members.values()), Place(path, start, position + 1))


def _member(text: str, position: int, path: tuple[Step, ...], depth: int) -> Member:
    if text[position : position + 1] != '"':
        raise NotJson("a name is missing", position)
    name, end = _scalar(text, position)
    key = Place((*path, Step(Into.KEY, str(name))), position, end)
    start = _after(text, skip(text, end), ":")
    return Member(str(name), key, _node(text, start, (*path, Step(Into.VALUE, str(name))), depth))


def _array(text: str, start: int, path: tuple[Step, ...], depth: int) -> Array:
    items: list[Node] = []
    position = skip(text, start + 1)
    while text[position : position + 1] != "]":
        if items:
            position = _after(text, position, ",")
        items.append(_node(text, position, (*path, Step(Into.INDEX, len(items))), depth))
        position = skip(text, items[-1].place.end)
    return Array(tuple(items), Place(path, start, position + 1))


def _after(text: str, position: int, character: str) -> int:
    """Where the next thing begins after `character`, which stands at `position`."""
    if text[position : position + 1] != character:
        raise NotJson(f"`{character}` is missing", position)
    return skip(text, position + 1)


def _scalar(text: str, position: int) -> tuple[str | bool | None, int]:
    try:
        value, end = value_at(text, position)
    except JSONDecodeError as error:
        raise NotJson(error.msg, error.pos) from None
    except SyntaxProblem as problem:
        raise NotJson(str(problem), position) from None
    if isinstance(value, str):
        _check_characters(value, position)
        return value, end
    return (value if isinstance(value, bool) else None), end


def _check_characters(value: str, position: int) -> None:
    """Half of a surrogate pair is no character: no answer or terminal could hold it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotJson("half of a surrogate pair", position) from None
