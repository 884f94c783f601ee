"""Checks of wildcards and variables in condition values: those that match everything, and those that match too much.

AWS: access-analyzer-reference-policy-checks; "Sensitive condition keys" in reference_policies_condition-keys.
"""

import re
from collections.abc import Iterator
from typing import Final

from iamd.policy import variables
from iamd.policy.conditions import Quantifier
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.global_keys import SENSITIVE
from iamd.policy.lint.subject import Document, Entry, Text

PREFIXED: Final = frozenset({"aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"})
"""Keys whose patterns must say something before they are open; AWS does not list them. These begin with an id."""

PREFIX_LENGTH: Final = 6
USER_ID: Final = "aws:userid"
OWN: Final = SENSITIVE | {"aws:ec2instancesourcevpc"}
"""Keys whose value nobody can choose: as variables they compare two facts (the page's own examples do)."""

_EVERYTHING: Final = re.compile(r"\*+")
_EVERY_ARN: Final = re.compile(r"\*+|arn:\*:\*:\*:\*:\*")
_WILDCARD: Final = re.compile(r"[*?]")


def check(document: Document) -> Iterator[Note]:
    """What is said of each pattern in a condition."""
    for statement in document.statements:
        for entry in statement.conditions:
            everything = [value.place for value in entry.values if _is_everything(entry, value)]
            if everything:
                values = {"key": entry.key.name, "operator": entry.operator.name, "recommendedKey": entry.key.name}
                yield note(_comes_to(entry), *everything, **values)
            for value in entry.values:
                yield from _too_open(document, entry, value)


def _is_everything(entry: Entry, value: Text) -> bool:
    if not entry.is_like:
        return False
    return (_EVERY_ARN if entry.is_arn else _EVERYTHING).fullmatch(value.value) is not None


def _comes_to(entry: Entry) -> str:
    """What a pattern that matches every value makes of its condition: the code of the finding that says so."""
    if_exists = entry.name.if_exists
    match entry.name.quantifier:
        case Quantifier.FOR_ALL_VALUES if not entry.is_negated:
            return "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION"
        case Quantifier.FOR_ANY_VALUE if entry.is_negated and not if_exists:
            return "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION"
        case _ if entry.is_negated:
            return "EQUIVALENT_TO_NULL_TRUE"
        case _:
            return "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION" if if_exists else "EQUIVALENT_TO_NULL_FALSE"


def _too_open(document: Document, entry: Entry, value: Text) -> Iterator[Note]:
    wildcard = _first_wildcard(value.value) if entry.is_like else None
    variable = _first_variable(value.value) if document.substitutes and "${" in value.value else None
    for name, found in (("WILDCARD_USAGE_TOO_PERMISSIVE", wildcard), ("VARIABLE_USAGE_TOO_PERMISSIVE", variable)):
        if found is None:
            continue
        if entry.lower in SENSITIVE:
            yield note(f"{name}/sensitive", value.place, key=entry.key.name)
        elif entry.lower == USER_ID and not _is_bound(value.value):
            yield note(f"{name}/userid", value.place)
        elif entry.lower in PREFIXED and found < PREFIX_LENGTH:
            yield note(name, value.place, key=entry.key.name)


def _first_wildcard(text: str) -> int | None:
    """Where the first wildcard stands that the author typed, variables aside."""
    position = 0
    for part in variables.parse(text):
        found = _WILDCARD.search(part) if isinstance(part, str) else None
        if found is not None:
            return position + found.start()
        position += len(part if isinstance(part, str) else part.source)
    return None


def _first_variable(text: str) -> int | None:
    """Where the first variable stands whose value somebody can choose."""
    position = 0
    for part in variables.parse(text):
        if isinstance(part, variables.Variable) and part.key not in OWN:
            return position
        position += len(part if isinstance(part, str) else part.source)
    return None


def _is_bound(text: str) -> bool:
    """Whether what is open in a user id (`role id:session name`) is right of the colon, or all that is left of it."""
    left, *rest = variables.segments(variables.parse(text))
    if not rest:
        return False
    if len(left) == 1 and isinstance(left[0], variables.Variable):
        return True
    plain = variables.source(left)
    return plain == "*" or (variables.is_static(left) and _WILDCARD.search(plain) is None)
