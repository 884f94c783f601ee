"""Policy text to plain JSON values, strictly, with the place of every statement in the text.

Python's own reader is too kind for policies: it keeps the last of two equal keys (so that a second `Effect` could undo
a Deny), takes NaN, and recurses without bound. AWS refuses all three.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

MAX_DEPTH = 32


class SyntaxProblem(ValueError):
    """The text is no policy document: no JSON, or JSON of another shape."""


class Number(str):
    """A JSON number as it was written: `10.0` stays `10.0`, as condition values compare by their text."""

    __slots__ = ()


class RawStatement(NamedTuple):
    """One statement's members, and where it stands: text[start:end]."""

    members: dict[str, object]
    start: int
    end: int


class RawDocument(NamedTuple):
    """A document's members other than Statement, and its statements."""

    members: dict[str, object]
    statements: tuple[RawStatement, ...]


def read(text: str) -> RawDocument:
    """The document in `text`, or SyntaxProblem."""
    try:
        members, statements, end = _document(text, skip(text, 0))
        if skip(text, end) != len(text):
            raise SyntaxProblem("text after the document")
        if "\\u" in text:
            _check_surrogates((members, [statement.members for statement in statements]))
    except (ValueError, RecursionError) as error:
        raise SyntaxProblem(str(error)) from None
    return RawDocument(members, statements)


def strings(value: object) -> list[str] | None:
    """The strings of an element that is one string or a list of them, or None for anything else."""
    if type(value) is str:
        return [value]
    if isinstance(value, list) and all(type(item) is str for item in value):
        return value
    return None


def scalars(value: object) -> list[str] | None:
    """The values of a condition key, as text: strings, numbers and booleans, one or a list; None for anything else."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, (str, bool)) for item in items):
        return None
    return [str(item) if isinstance(item, str) else str(item).lower() for item in items]


_BLANKS = " \t\n\r"
_BLANK = re.compile(rf"[{_BLANKS}]*")


def skip(text: str, position: int) -> int:
    """Where the next character that is no white space stands, from `position` on."""
    if text[position : position + 1] not in _BLANKS:
        return position
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    # SECURITY: a repeated key must not let the later one win: {"Effect": "Deny", "Effect": "Allow"}.
    if len(found) != len(pairs):
        raise SyntaxProblem("a key is repeated")
    return found


def _no_constant(name: str) -> NoReturn:
    raise SyntaxProblem(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=Number,
    parse_int=Number,
    parse_constant=_no_constant,
)


def value_at(text: str, position: int) -> tuple[object, int]:
    """The JSON value that begins at `position`, and where it ends; ValueError when there is none."""
    value, end = _DECODER.raw_decode(text, position)
    return value, end


def _expect(text: str, position: int, character: str) -> int:
    if text[position : position + 1] != character:
        raise SyntaxProblem(f"`{character}` is missing")
    return skip(text, position + 1)


def members(text: str, position: int) -> Iterator[tuple[str, object, int, int]]:
    """Each member of the object that begins at `position`: its name, its value, and where the value starts and ends.

    The text has been read before, so that it is known to be well formed.
    """
    position = skip(text, position + 1)
    while text[position] != "}":
        name, position = value_at(text, skip(text, position + (text[position] == ",")))
        start = skip(text, skip(text, position) + 1)
        value, end = value_at(text, start)
        yield str(name), value, start, end
        position = skip(text, end)


def items(text: str, position: int) -> Iterator[tuple[object, int, int]]:
    """Each item of the list that begins at `position`, and where it starts and ends."""
    position = skip(text, position + 1)
    while text[position] != "]":
        start = skip(text, position + (text[position] == ","))
        value, end = value_at(text, start)
        yield value, start, end
        position = skip(text, end)


def _document(text: str, position: int) -> tuple[dict[str, object], tuple[RawStatement, ...], int]:
    """The outermost object, member by member, so that the statements' places are known."""
    pairs: list[tuple[str, object]] = []
    statements: tuple[RawStatement, ...] | None = None
    position = _expect(text, position, "{")
    while text[position : position + 1] != "}":
        if pairs or statements is not None:
            position = _expect(text, position, ",")
        name, position = value_at(text, position)
        if type(name) is not str:
            raise SyntaxProblem("a key is no string")
        position = _expect(text, skip(text, position), ":")
        if name == "Statement":
            if statements is not None:
                raise SyntaxProblem("a key is repeated")
            found, position = _statements(text, position)
            statements = tuple(found)
        else:
            value, position = value_at(text, position)
            pairs.append((name, value))
        position = skip(text, position)
    if not statements:
        raise SyntaxProblem("there is no statement")
    return _members(pairs), statements, position + 1


def _statements(text: str, position: int) -> tuple[list[RawStatement], int]:
    if text[position : position + 1] != "[":
        one = _statement(text, position)
        return [one], one.end
    found: list[RawStatement] = []
    position = _expect(text, position, "[")
    while text[position : position + 1] != "]":
        if found:
            position = _expect(text, position, ",")
        found.append(_statement(text, position))
        position = skip(text, found[-1].end)
    return found, position + 1


def _statement(text: str, position: int) -> RawStatement:
    value, end = value_at(text, position)
    if not isinstance(value, dict):
        raise SyntaxProblem("a statement is no object")
    return RawStatement(value, position, end)


_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def check_depth(text: str) -> None:
    """Raise SyntaxProblem for a text that nests deeper than any policy; reading it is safe all the same."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRUCTURE.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        if depth > MAX_DEPTH:
            raise SyntaxProblem("nested too deeply")


def _check_surrogates(value: object) -> None:
    """Half of a surrogate pair is no character: no database, header or other program could hold it."""
    for string in all_strings(value):
        string.encode()


def all_strings(value: object) -> Iterator[str]:
    """Every string within what JSON can hold, the names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from all_strings(item)
