"""ARNs in policies and ARN formats of resource types, compared by what their wildcards may stand for."""

import operator
import re
from dataclasses import dataclass

from iamd.policy import variables
from iamd.policy.variables import Template, Variable
from iamd.policy.wildcard import Matcher, cached_typed_matcher, has_wildcard, typed_matcher

FIELDS = 6
REMEMBERED = 128
"""The longest pattern that is remembered: a document's author must not fill the memory."""
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_HEAD = re.compile(r"[^*?]*")


@dataclass(frozen=True, slots=True)
class Arn:
    """An entry of a Resource element as far as its text tells: variables are `*`."""

    fields: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return len(self.fields) == FIELDS

    @property
    def partition(self) -> str:
        return self.fields[1]

    @property
    def service(self) -> str:
        return self.fields[2]

    @property
    def region(self) -> str:
        return self.fields[3]

    @property
    def account(self) -> str:
        return self.fields[4]

    @property
    def resource(self) -> str:
        return self.fields[5]


@dataclass(frozen=True, slots=True)
class Format:
    """The ARN of a resource type; what a request fills in is `*`."""

    service: str
    region: str
    account: str
    resource: str


def parse(text: str, *, substitute: bool) -> Arn:
    """The fields of `text`, cut at the colons that its author typed; `substitute` lets `${...}` be a variable."""
    parts = variables.segments(variables.parse(text) if substitute else (text,))
    return Arn(tuple(map(_open, parts)))


def _open(part: Template) -> str:
    return "".join("*" if isinstance(piece, Variable) else _plain(piece) for piece in part)


def _plain(piece: str | variables.Literal) -> str:
    return piece if isinstance(piece, str) else piece.text


def format_of(arn: str) -> Format | None:
    """The format in a resource type's ARN, or None when it is no whole ARN of one service."""
    fields = _PLACEHOLDER.sub("*", arn).split(":", FIELDS - 1)
    if len(fields) != FIELDS or has_wildcard(fields[2]):
        return None
    return Format(*fields[2:])


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches a pattern with `*` and `?`."""
    if not has_wildcard(pattern):
        return pattern == text
    return (cached_typed_matcher if len(pattern) <= REMEMBERED else typed_matcher)(pattern)(text)


def may_meet(one: str, other: str) -> bool:
    """Whether some text may match both patterns; True too where only their middles would tell.

    A finding says that a policy is wrong, so what cannot be told for certain meets.
    """
    if not has_wildcard(one):
        return matches(other, one)
    if not has_wildcard(other):
        return matches(one, other)
    (head, tail), (other_head, other_tail) = _ends(one), _ends(other)
    heads = head.startswith(other_head) or other_head.startswith(head)
    return heads and (tail.endswith(other_tail) or other_tail.endswith(tail))


def _ends(pattern: str) -> tuple[str, str]:
    """What every text that matches a pattern with wildcards begins and ends with."""
    head = _HEAD.match(pattern)
    return head[0] if head else "", pattern[max(pattern.rfind("*"), pattern.rfind("?")) + 1 :]


def coverer(pattern: str) -> Matcher:
    """A function that tells whether `pattern` matches everything that another does; False where that is not certain."""
    if not has_wildcard(pattern):
        return pattern.__eq__
    whole, is_fixed = typed_matcher(pattern), "?" in pattern
    # Read as text, the wildcards of another can only be taken in by a `*`.
    return lambda other: other == pattern or (whole(other) and not (is_fixed and has_wildcard(other)))


def arn_coverer(pattern: str) -> Matcher:
    """The same of entries of a Resource element: field by field, as requests are compared."""
    if pattern == "*":
        return coverer(pattern)
    fields = [coverer(field) for field in pattern.split(":", FIELDS - 1)]

    def covers(other: str) -> bool:
        others = other.split(":", FIELDS - 1)
        return len(fields) == len(others) == FIELDS and all(map(operator.call, fields, others))

    return covers
