"""Findings in a policy document: the one function of this package, and the order of its checks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from iamd.policy import tree
from iamd.policy.lint import (
    action_keys,
    actions,
    condition_keys,
    condition_operators,
    condition_values,
    organizations,
    policy_variables,
    principals,
    privileges,
    redundancy,
    resources,
    service_principals,
    service_rules,
    shape,
    sids,
    sizes,
    tag_keys,
    trusts,
    wildcards,
)
from iamd.policy.lint.finding import Finding, Lines, Note, finding, note, position
from iamd.policy.lint.reference import Reference
from iamd.policy.lint.subject import AttachedTo, Document, DocumentType, document
from iamd.policy.lint.work import SHORT, TooMuchWork, Work, is_too_long, steps_for
from iamd.policy.tree import NotJson, Object, Place

CHECKS: Final[tuple[Callable[[Document], Iterator[Note]], ...]] = (
    shape.check,
    sids.check,
    principals.check,
    trusts.check,
    service_principals.check,
    organizations.check,
    actions.check,
    resources.check,
    privileges.check,
    condition_operators.check,
    condition_keys.check,
    condition_values.check,
    wildcards.check,
    action_keys.check,
    tag_keys.check,
    service_rules.check,
    policy_variables.check,
    redundancy.check,
)

PLACE: Final = 4
"""To answer one place takes as long as so many comparisons."""


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, in the order of their places; `complete` is False when the document was too much to examine."""

    findings: tuple[Finding, ...]
    complete: bool


def lint(text: str, type: DocumentType, reference: Reference, attached_to: AttachedTo | None = None) -> Report:
    """The findings in `text` as a policy of `type`, attached to a resource of that kind.

    Whatever `text` is, there is a report, in a second or so: of a document that is far above every quota of AWS's the
    one finding says that it is too long.
    """
    whole = Place((), 0, len(text))
    if is_too_long(text):
        return _too_long(text, type, attached_to, whole)
    try:
        root = tree.read(text)
        if not isinstance(root, Object):
            return _report(text, [shape.mismatch(root, shape.OBJECT)])
        policy = document(text, type, attached_to, root, reference, Work(steps_for(text)))
        notes = [found for check in CHECKS for found in _counted(check(policy), policy.work)]
    except NotJson as error:
        return _report(text, [_no_json(text, error)])
    except TooMuchWork:
        return _too_long(text, type, attached_to, whole)
    return _report(text, [*sizes.check(text, type, attached_to, root.place), *notes])


def _counted(notes: Iterator[Note], work: Work) -> Iterator[Note]:
    """The notes, each paid for: thousands of short ones may all name one long text."""
    for found in notes:
        named = sum(len(value) for value in found.values.values() if isinstance(value, str))
        work.spend(PLACE * len(found.places) + named // SHORT)
        yield found


def _report(text: str, notes: list[Note]) -> Report:
    """AWS answers in the order of places (recorded answers)."""
    lines = Lines(text)
    ordered = sorted(notes, key=lambda found: found.places[0].start)
    return Report(tuple(finding(found, lines.position) for found in ordered), complete=True)


def _no_json(text: str, error: NotJson) -> Note:
    at = position(text, error.offset)
    place = Place((), error.offset, min(error.offset + 1, len(text)))
    return note("JSON_SYNTAX_ERROR", place, index=at.offset, line=at.line, column=at.column)


def _too_long(text: str, type: DocumentType, attached_to: AttachedTo | None, whole: Place) -> Report:
    """What is not examined at all; it may be that white space alone makes it long."""
    found = list(sizes.check(text, type, attached_to, whole)) or [note("JSON_SYNTAX_ERROR/whole", whole)]
    return Report(tuple(finding(one, partial(position, text)) for one in found), complete=False)
