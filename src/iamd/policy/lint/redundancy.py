"""Checks of what says the same twice: actions and resources that another entry covers, statements that are equal."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from iamd.policy.lint import arns
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, Statement, Text
from iamd.policy.lint.work import Work
from iamd.policy.request import lower
from iamd.policy.tree import Array, Node, Object, Place, Scalar
from iamd.policy.wildcard import Matcher, has_wildcard


@dataclass(frozen=True, slots=True)
class Kind:
    """How entries of one element are compared."""

    value: Callable[[Text], str]
    service: Callable[[str], str]
    coverer: Callable[[str], Matcher]


class Pattern(NamedTuple):
    """An entry with wildcards, what it covers, and how all of that begins."""

    text: str
    head: str
    covers: Matcher


_WILDCARD: Final = re.compile("[*?]")


def _arn_service(arn: str) -> str:
    return "*" if arn == "*" else "".join(arn.split(":", 3)[2:3])


ACTIONS: Final = Kind(lambda text: text.lower, lambda action: action.partition(":")[0], arns.coverer)
RESOURCES: Final = Kind(lambda text: text.value, _arn_service, arns.arn_coverer)


def check(document: Document) -> Iterator[Note]:
    """What could be left out."""
    for statement in document.statements:
        for texts in (statement.actions, statement.not_actions):
            yield from _actions(document, texts)
        for texts in (statement.resources, statement.not_resources):
            yield from _resources(document, texts)
    yield from _statements(document)


def _actions(document: Document, texts: Sequence[Text]) -> Iterator[Note]:
    for group in _groups(texts, ACTIONS, document.work):
        yield note(
            "REDUNDANT_ACTION",
            *(text.place for text in group),
            redundantActionCount=len(group),
            redundantAction=_longest(group),
        )


def _resources(document: Document, texts: Sequence[Text]) -> Iterator[Note]:
    for group in _groups(texts, RESOURCES, document.work):
        yield note(
            "REDUNDANT_RESOURCE",
            *(text.place for text in group),
            redundantResourceCount=len(group),
            redundantResource=_longest(group),
        )


def _longest(group: Sequence[Text]) -> str:
    """The entry that the message proposes to remove: in recorded answers it is the longest."""
    return max((text.value for text in group), key=len)


def _groups(texts: Sequence[Text], kind: Kind, work: Work) -> Iterator[list[Text]]:
    """Each entry that covers others, with those it covers, in the order of the text; none is in two groups."""
    patterns = _patterns([kind.value(text) for text in texts], kind)
    members: dict[str, list[Text]] = defaultdict(list)
    for text in texts:
        members[_coverer(kind.value(text), patterns, kind, work)].append(text)
    return (group for group in sorted(members.values(), key=lambda group: group[0].place.start) if len(group) > 1)


def _patterns(values: Sequence[str], kind: Kind) -> Mapping[str, Sequence[Pattern]]:
    """The patterns among these values by their service, shorter ones first; those of every service under `*`."""
    found: dict[str, list[Pattern]] = defaultdict(list)
    for value in sorted(dict.fromkeys(values), key=len):
        if has_wildcard(value):
            service = kind.service(value)
            found["*" if has_wildcard(service) else service].append(
                Pattern(value, _WILDCARD.split(value, maxsplit=1)[0], kind.coverer(value))
            )
    return found


def _coverer(value: str, patterns: Mapping[str, Sequence[Pattern]], kind: Kind, work: Work) -> str:
    """The shortest pattern that covers `value`, or `value` itself: a pattern that covers another is not longer."""
    found = [value]
    for service in {"*", kind.service(value)}:
        candidates = patterns.get(service, ())
        work.compare(value, candidates)
        fitting = (pattern.text for pattern in candidates if value.startswith(pattern.head) and pattern.covers(value))
        found += [next(fitting, value)]
    return min(found, key=lambda text: (text == value, len(text)))


def _statements(document: Document) -> Iterator[Note]:
    equal: dict[object, list[Place]] = defaultdict(list)
    for statement in document.statements:
        equal[_meaning(statement)].append(statement.node.place)
    for places in equal.values():
        if len(places) > 1:
            yield note("REDUNDANT_STATEMENT", *places)


def _meaning(statement: Statement) -> object:
    """What two statements share that say the same: their elements without Sid, lists in any order."""
    return frozenset(
        (member.name, _content(member.value, lowered="Action" in member.name))
        for member in statement.node.members
        if member.name != "Sid"
    )


def _content(node: Node, *, lowered: bool = False) -> object:
    items = node.items if isinstance(node, Array) else (node,)
    return frozenset(_item(item, lowered=lowered) for item in items)


def _item(node: Node, *, lowered: bool) -> object:
    match node:
        case Object():
            return frozenset((member.name, _content(member.value)) for member in node.members)
        case Array():
            return _content(node, lowered=lowered)
        case Scalar():
            return lower(node.value) if lowered and isinstance(node.value, str) else node.value
