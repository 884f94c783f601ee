"""Whether a statement's Action and Resource elements apply to a request.

AWS: IAM User Guide, "Action" and "Resource" (reference_policies_elements_action, reference_policies_elements_resource).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from iamd.policy import variables
from iamd.policy.kinds import PolicyType
from iamd.policy.request import Context, lower
from iamd.policy.variables import Match, Template
from iamd.policy.wildcard import Matcher, Token, Wild, has_wildcard, matcher, tokens


@dataclass(frozen=True, slots=True)
class Actions:
    """An Action element, or with `inverted` a NotAction, in lower case.

    The patterns are sorted by form, as AWS's own policies list hundreds: whole names, beginnings (`s3:Get*`), the rest.
    """

    inverted: bool
    names: frozenset[str]
    beginnings: tuple[str, ...]
    globs: tuple[Matcher, ...]
    services: frozenset[str]
    """The prefixes that its patterns have; an empty one stands for every service."""

    def may_apply_to(self, service: str) -> bool:
        """Whether it speaks of any action of a service."""
        return self.inverted or service in self.services or "" in self.services

    def apply_to(self, action: str) -> bool:
        """Whether the element applies to `action`, which is in lower case."""
        listed = action in self.names or action.startswith(self.beginnings) or any(glob(action) for glob in self.globs)
        return listed is not self.inverted


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One entry of a Resource element, or a whole NotResource; `test` takes the request's ARN and its context.

    `exact` is the ARN, where the entry is one. `head` and `tail` are what every ARN that it matches begins and ends
    with, as far as the text alone tells. `inverted` marks a NotResource, which has none of these.
    """

    text: str
    test: Match
    is_every: bool = False
    exact: str | None = None
    head: str = ""
    tail: str = ""
    inverted: bool = False


def actions(patterns: Iterable[str], *, inverted: bool) -> Actions:
    """The compiled element; every pattern is well formed (`is_action`)."""
    names: set[str] = set()
    beginnings: list[str] = []
    globs: list[Matcher] = []
    services: set[str] = set()
    for pattern in map(lower, patterns):
        service, _, name = pattern.partition(":")
        services.add("" if pattern in EVERY_ACTION else service)
        if pattern in EVERY_ACTION:
            beginnings.append("")
        elif not name or any(map(str.isspace, pattern)):
            continue  # A pattern with a blank or without a name is accepted when stored, and matches nothing.
        elif not has_wildcard(name):
            names.add(pattern)
        elif name.endswith("*") and not has_wildcard(name[:-1]):
            beginnings.append(pattern[:-1])
        else:
            globs.append(matcher(tokens(pattern)))
    return Actions(inverted, frozenset(names), tuple(beginnings), tuple(globs), frozenset(services))


def is_action(pattern: str) -> bool:
    """Whether `pattern` is `*`, or a service's prefix without wildcards, a colon and a name."""
    prefix, colon, _name = pattern.partition(":")
    return pattern in EVERY_ACTION or (bool(colon) and bool(prefix) and not has_wildcard(prefix))


EVERY_ACTION = frozenset({"*", "*:*"})
"""AWS documents `*`; it leaves open what `*:*` is, which is refused when stored and means the same when read."""


def patterns(texts: Iterable[str], kind: PolicyType, *, inverted: bool, substitute: bool) -> tuple[Pattern, ...]:
    """A compiled Resource element, or with `inverted` a NotResource; one of the patterns must match.

    With `substitute` (Version 2012-10-17) its entries may hold variables.
    """
    compiled = tuple(_pattern(text, kind, substitute=substitute) for text in texts)
    return (_none_of(compiled),) if inverted else compiled


def _none_of(listed: tuple[Pattern, ...]) -> Pattern:
    # An entry whose variable has no value matches no resource, and so a NotResource excludes nothing by it.
    tests = [pattern.test for pattern in listed]

    def match(resource: str, context: Context) -> bool:
        return not any(test(resource, context) for test in tests)

    return Pattern("\n".join(pattern.text for pattern in listed), match, inverted=True)


def every_resource(_resource: str, _context: Context) -> bool:
    return True


EVERYTHING = (Pattern("*", every_resource, is_every=True),)
"""What a statement without a Resource element is for."""


def no_resource(_resource: str, _context: Context) -> bool:
    return False


def _pattern(text: str, kind: PolicyType, *, substitute: bool) -> Pattern:
    if text == "*":
        return Pattern(text, every_resource, is_every=True)
    if "*" not in text and "?" not in text and "${" not in text and text.count(":") >= 5:
        return Pattern(text, lambda resource, _context: resource == text, exact=text)
    parts = variables.segments(variables.parse(text) if substitute else (text,))
    if len(parts) < 6:
        if not _completes_short_arn(text, kind):
            return Pattern(text, no_resource)
        parts += [("*",)] * (6 - len(parts))
    # AWS: variables stand in the last segment only; in the five before it `${...}` is plain text.
    typed = [variables.source(part) for part in parts[:5]]
    if any(":" in segment for segment in typed):
        return Pattern(text, no_resource)
    begin, last = ":".join(typed) + ":", parts[5]
    tail = variables.literal_end(last)
    if has_wildcard(begin):
        head = variables.literal_beginning((begin,))
        return Pattern(text, _segment_by_segment(typed, last), head=head, tail=tail)
    return _after_literal_head(text, begin, last, tail)


def _completes_short_arn(pattern: str, kind: PolicyType) -> bool:
    """Whether an ARN of fewer than six segments is read as if `*` stood in the missing ones, or else matches nothing.

    AWS leaves this open; it refuses such entries in SCPs and RCPs when they are stored.
    """
    match kind:
        case PolicyType.IDENTITY | PolicyType.BOUNDARY | PolicyType.SESSION:
            return True
        case PolicyType.SCP:
            return pattern.endswith("*")
        case PolicyType.RCP:
            return True  # Customers' RCPs only deny, so reading more into one is the safe side.
        case PolicyType.RESOURCE | PolicyType.ENDPOINT | PolicyType.TRUST:
            return "*" in pattern


def _after_literal_head(text: str, begin: str, last: Template, tail: str) -> Pattern:
    """A pattern without wildcards in its first five segments: no need to cut the request's ARN."""
    head = begin + variables.literal_beginning(last)
    if not variables.is_static(last):
        rest, length = variables.glob(last), len(begin)
        return Pattern(
            text,
            lambda resource, context: resource.startswith(begin) and rest(resource[length:], context),
            head=head,
            tail=tail,
        )
    tokens_of = variables.tokens_of(last, {}) or ()
    if not any(isinstance(token, Wild) for token in tokens_of):
        return Pattern(text, lambda resource, _context: resource == head, exact=head)
    return Pattern(text, _static(begin, tokens_of), head=head, tail=tail)


def _static(begin: str, rest: tuple[Token, ...]) -> Match:
    if rest[-1] is Wild.RUN and not any(isinstance(token, Wild) for token in rest[:-1]):
        head = begin + "".join(token for token in rest if isinstance(token, str))
        return lambda resource, _context: resource.startswith(head)
    whole = matcher((begin, *rest))
    return lambda resource, _context: whole(resource)


def _segment_by_segment(typed: list[str], last: Template) -> Match:
    heads: list[Callable[[str], bool]] = [matcher(tokens(text)) for text in typed]
    tail = variables.glob(last)

    def match(resource: str, context: Context) -> bool:
        found = resource.split(":", 5)
        if len(found) != 6:
            return False
        return all(head(text) for head, text in zip(heads, found, strict=False)) and tail(found[5], context)

    return match
