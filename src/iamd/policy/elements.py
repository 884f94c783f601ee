"""Whether a statement's Action and Resource elements apply to a request.

AWS: IAM User Guide, "Action" and "Resource" (reference_policies_elements_action, reference_policies_elements_resource).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from iamd.policy import variables
from iamd.policy.kinds import PolicyType
from iamd.policy.memo import LONGEST, of_short_texts
from iamd.policy.request import Context, lower
from iamd.policy.variables import Match, Template
from iamd.policy.wildcard import Matcher, cached_typed_matcher, has_wildcard, typed_matcher


class Actions(NamedTuple):
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


class Pattern(NamedTuple):
    """One entry of a Resource element, or a whole NotResource.

    `exact` is the ARN, where the entry is one. `head` and `tail` are what every ARN that it matches begins and ends
    with, as far as the text alone tells; with `is_head`, it matches all that begin so. `rest` is the test of those that
    do begin with `head`. `inverted` marks a NotResource, which has none of these, and `listed` are its entries.
    """

    text: str
    rest: Match
    is_every: bool = False
    exact: str | None = None
    head: str = ""
    tail: str = ""
    is_head: bool = False
    inverted: bool = False
    listed: "tuple[Pattern, ...]" = ()

    def test(self, resource: str, context: Context) -> bool | None:
        """Whether it matches an ARN: True, False, or None for what rests on a key that is not known."""
        return self.rest(resource, context) if resource.startswith(self.head) else False


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
            globs.append(typed_matcher(pattern))
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

    def match(resource: str, context: Context) -> bool | None:
        found = {test(resource, context) for test in tests}
        return False if True in found else None if None in found else True

    # No delimiter would do: an entry may hold any character.
    return Pattern(repr([pattern.text for pattern in listed]), match, inverted=True, listed=listed)


def every_resource(_resource: str, _context: Context) -> bool:
    return True


EVERYTHING = (Pattern("*", every_resource, is_every=True, is_head=True),)
"""What a statement without a Resource element is for."""


def no_resource(_resource: str, _context: Context) -> bool:
    return False


def _pattern(text: str, kind: PolicyType, *, substitute: bool) -> Pattern:
    if text == "*":
        return EVERYTHING[0]
    typed = text.split(":", 5)
    if substitute and "${" in text:
        if len(typed) == 6 and not any("${" in segment for segment in typed[:5]):
            return _of_template(text, typed[:5], variables.parse(typed[5]))
        parts = variables.segments(variables.parse(text))
        # AWS: variables stand in the last segment only; in the five before it `${...}` is plain text.
        typed, last = [variables.source(part) for part in parts[:5]], parts[5:]
    else:
        if len(typed) == 6:
            return _of_text(text, typed.pop(), typed)
        last = []
    if not last:
        if not _completes_short_arn(text, kind):
            return Pattern(text, no_resource)
        typed, last = typed + ["*"] * (5 - len(typed)), [("*",)]
    if any(":" in segment for segment in typed):
        return Pattern(text, no_resource)
    return _of_template(text, typed, last[0])


def _of_text(text: str, last: str, typed: list[str]) -> Pattern:
    """A pattern without variables: its last segment, and the five before."""
    found = variables.BEFORE_WILDCARD.match(text)
    head = text if found is None else found[0]
    if len(head) == len(text):
        return Pattern(text, lambda resource, _context: resource == text, exact=text)
    if len(head) == len(text) - 1 and text[-1] == "*":
        return Pattern(text, every_resource, head=head, is_head=True)
    tail = last[max(last.rfind("*"), last.rfind("?")) + 1 :]
    return Pattern(text, _unless_plainly_other(tail, typed, (last,)), head=head, tail=tail)


def _of_template(text: str, typed: list[str], last: Template) -> Pattern:
    head = variables.literal_beginning((":".join(typed) + ":", *last))
    tail = variables.literal_end(last)
    return Pattern(text, _unless_plainly_other(tail, typed, last), head=head, tail=tail)


def _unless_plainly_other(tail: str, typed: list[str], last: Template) -> Match:
    """A test that is made when it is first needed: most ARNs plainly lack a text that the pattern has."""
    inside: str | None = None
    test: Match | None = None
    # A slice and a comparison take half as long as `endswith`.
    end = slice(-len(tail), None) if tail else None

    def match(resource: str, context: Context) -> bool | None:
        nonlocal inside, test
        if end is not None and resource[end] != tail:
            return False
        if inside is None:
            inside = max(variables.literals(last), key=len, default="")
        if inside not in resource:
            return False
        if test is None:
            for literal in variables.literals(last):
                if literal not in resource:
                    return False
            test = _whole_test(typed, last)
        return test(resource, context)

    return match


def _whole_test(typed: list[str], last: Template) -> Match:
    begin = ":".join(typed) + ":"
    if has_wildcard(begin):
        return _segment_by_segment(begin, last)
    # Without wildcards in the first five segments there is no need to cut the request's ARN.
    rest, length = variables.glob(last), len(begin)
    return lambda resource, context: rest(resource[length:], context)


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


def _segment_by_segment(begin: str, last: Template) -> Match:
    last_segment, fits = _beginning_like(begin), variables.glob(last)

    def match(resource: str, context: Context) -> bool | None:
        rest = last_segment(resource)
        return False if rest is None else fits(rest, context)

    return match


@of_short_texts(256)
def _beginning_like(begin: str) -> Callable[[str], str | None]:
    """Gives an ARN's last segment if the five before are like these; one function for all patterns that begin so.

    It remembers what it said last: of one request it is asked by each of the patterns.
    """
    typed = begin.split(":")[:5]
    wild = [
        (place, cached_typed_matcher(text)) for place, text in enumerate(typed) if has_wildcard(text) and text != "*"
    ]
    plain = [(place, text) for place, text in enumerate(typed) if not has_wildcard(text)]
    said: tuple[str, str | None] = ("", None)

    def last_segment(resource: str) -> str | None:
        nonlocal said
        asked, found = said
        if asked is resource:
            return found
        parts = resource.split(":", 5)
        is_like = (
            len(parts) == 6
            and all(parts[place] == text for place, text in plain)
            and all(fits(parts[place]) for place, fits in wild)
        )
        found = parts[5] if is_like else None
        if len(resource) <= LONGEST:
            said = (resource, found)
        return found

    return last_segment
