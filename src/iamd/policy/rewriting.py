"""The principals and resources a policy names, and the same text with others in their places.

AWS keeps the unique id of a user or role where a policy named its ARN, and shows the ARN again while the entity lives
(IAM User Guide, "Principal", reference_policies_elements_principal). Only those strings change; the rest of the text
stays as it was written, byte for byte.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from iamd.policy import syntax

Mapping = Callable[[str, str], str]
"""From a member of Principal (`AWS`, `Service`, ...) and a value to the value that shall stand there."""


@dataclass(frozen=True, slots=True)
class Place:
    """One principal, and where its JSON string stands: text[start:end]; the bare `"*"` has the member `*`."""

    member: str
    value: str
    start: int
    end: int


def principals(text: str) -> list[tuple[str, str]]:
    """The (member, value) pairs of every Principal and NotPrincipal in `text`; SyntaxProblem if it is no policy."""
    return [(place.member, place.value) for place in places(text)]


def rewrite_principals(text: str, mapping: Mapping) -> str:
    """`text` with every principal as `mapping` gives it; SyntaxProblem if it is no policy document."""
    pieces: list[str] = []
    position = 0
    for place in places(text):
        value = mapping(place.member, place.value)
        if value != place.value:
            pieces += [text[position : place.start], json.dumps(value, ensure_ascii=False)]
            position = place.end
    return "".join([*pieces, text[position:]])


def rewrite_resources(text: str, mapping: Callable[[str], str]) -> str:
    """`text` with every Resource and NotResource as `mapping` gives it; SyntaxProblem if it is no policy document."""
    pieces: list[str] = []
    position = 0
    for statement in syntax.read(text).statements:
        for value, start, end in _resources(text, statement.start):
            found = mapping(value)
            if found != value:
                pieces += [text[position:start], json.dumps(found, ensure_ascii=False)]
                position = end
    return "".join([*pieces, text[position:]])


def _resources(text: str, position: int) -> Iterator[tuple[str, int, int]]:
    for name, value, start, end in syntax.members(text, position):
        if name not in {"Resource", "NotResource"}:
            continue
        if isinstance(value, str):
            yield value, start, end
        elif isinstance(value, list):
            for item, item_start, item_end in syntax.items(text, start):
                if isinstance(item, str):
                    yield item, item_start, item_end


def places(text: str) -> list[Place]:
    """Every principal of every statement, in the order of the text."""
    document = syntax.read(text)
    return [place for statement in document.statements for place in _of_statement(text, statement.start)]


def _of_statement(text: str, position: int) -> Iterator[Place]:
    for name, value, start, end in syntax.members(text, position):
        if name not in {"Principal", "NotPrincipal"}:
            continue
        if isinstance(value, str):
            yield Place("*", value, start, end)
        elif isinstance(value, dict):
            yield from _of_element(text, start)


def _of_element(text: str, position: int) -> Iterator[Place]:
    for member, value, start, end in syntax.members(text, position):
        if isinstance(value, str):
            yield Place(member, value, start, end)
        elif isinstance(value, list):
            for item, item_start, item_end in syntax.items(text, start):
                if isinstance(item, str):
                    yield Place(member, item, item_start, item_end)
