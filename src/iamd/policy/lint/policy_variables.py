"""Checks of policy variables: where they may stand, and how they are written.

AWS: IAM User Guide, "Policy variables" (reference_policies_variables).
"""

import re
from collections.abc import Iterator
from typing import Final

from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, Entry, Statement, Text
from iamd.policy.tree import Array, Node, Object, Place, Scalar

_ESCAPES: Final = re.compile(r"\$\{[*?$]\}")
_TAKES_VARIABLES: Final = ("String", "Arn")


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each `${...}` of the document."""
    for statement in document.statements:
        yield from _elsewhere(statement)
        for text in (*statement.resources, *statement.not_resources):
            yield from _of_text(document, text)
        for entry in statement.conditions:
            for value in entry.values:
                yield from _of_value(document, entry, value)


def without_escapes(text: str) -> str:
    """`text` without `${*}`, `${?}` and `${$}`."""
    return _ESCAPES.sub("", text)


def _of_value(document: Document, entry: Entry, value: Text) -> Iterator[Note]:
    if "${" in value.value and not entry.name.base.startswith(_TAKES_VARIABLES):
        yield note("INVALID_VARIABLE_FOR_OPERATOR", value.place)
    else:
        yield from _of_text(document, value)


def _of_text(document: Document, text: Text) -> Iterator[Note]:
    if "${" not in text.value:
        return
    if not document.substitutes:
        yield note("VARIABLE_UNSUPPORTED_IN_VERSION", text.place)
        return
    for fault in _faults(without_escapes(text.value)):
        yield note(fault, text.place)


def _faults(text: str) -> list[str]:
    """The codes of what is wrong with the variables of a text, each once."""
    _, *pieces = text.split("${")
    return list(dict.fromkeys(fault for piece in pieces if (fault := _fault(piece)) is not None))


def _fault(piece: str) -> str | None:
    """What is wrong with the variable whose text begins `piece`, which ends before the next one."""
    inside, brace, _ = piece.partition("}")
    name, comma, default = inside.partition(",")
    if not brace:
        return "MISSING_BRACE_IN_VARIABLE"
    if not name.strip():
        return "EMPTY_VARIABLE"
    if " " in name:
        return "UNSUPPORTED_SPACE_IN_VARIABLE"
    if comma and not _is_quoted(default.strip(), piece):
        return "MISSING_QUOTE_IN_VARIABLE"
    return None


def _is_quoted(default: str, piece: str) -> bool:
    # A default may hold `}`: it ends with its quote.
    opens = default.startswith("'")
    return opens and ((len(default) > 1 and default.endswith("'")) or "'}" in piece.partition("'")[2])


def _elsewhere(statement: Statement) -> Iterator[Note]:
    """Variables in elements that take none."""
    for member in statement.node.members:
        if member.name not in {"Resource", "NotResource", "Condition"}:
            for text, place in _strings(member.value):
                found = re.search(r"\$\{[^}]*\}?", text)
                if found:
                    yield note("VARIABLE_UNSUPPORTED_IN_ELEMENT", place, variable=found[0])


def _strings(node: Node) -> Iterator[tuple[str, Place]]:
    match node:
        case Scalar(value=str() as value):
            yield value, node.place
        case Array():
            for item in node.items:
                yield from _strings(item)
        case Object():
            for member in node.members:
                yield from _strings(member.value)
        case _:
            return
