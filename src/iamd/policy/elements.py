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

    def apply_to(self, action: str) -> bool:
        """Whether the element applies to `action`, which is in lower case."""
        listed = action in self.names or action.startswith(self.beginnings) or any(glob(action) for glob in self.globs)
        return listed is not self.inverted


@dataclass(frozen=True, slots=True)
class Resources:
    """A Resource element, or with `inverted` a NotResource; `apply_to` takes the request's ARN and its context."""

    patterns: tuple[str, ...]
    inverted: bool
    apply_to: Match


def actions(patterns: Iterable[str], *, inverted: bool) -> Actions:
    """The compiled element; every pattern is well formed (`is_action`)."""
    names: set[str] = set()
    beginnings: list[str] = []
    globs: list[Matcher] = []
    for pattern in map(lower, patterns):
        name = pattern.partition(":")[2]
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
    return Actions(inverted, frozenset(names), tuple(beginnings), tuple(globs))


def is_action(pattern: str) -> bool:
    """Whether `pattern` is `*`, or a service's prefix without wildcards, a colon and a name."""
    prefix, colon, _name = pattern.partition(":")
    return pattern in EVERY_ACTION or (bool(colon) and bool(prefix) and not has_wildcard(prefix))


EVERY_ACTION = frozenset({"*", "*:*"})
"""AWS documents `*`; it leaves open what `*:*` is, which is refused when stored and means the same when read."""


def resources(patterns: Iterable[str], kind: PolicyType, *, inverted: bool, substitute: bool) -> Resources:
    """The compiled element; with `substitute` (Version 2012-10-17) its entries may hold variables."""
    patterns = tuple(patterns)
    tests = tuple(_resource_test(pattern, kind, substitute=substitute) for pattern in patterns)
    return Resources(patterns, inverted, _none_of(tests) if inverted else _any_of(tests))


def _any_of(tests: tuple[Match, ...]) -> Match:
    if len(tests) == 1:
        return tests[0]

    def match(resource: str, context: Context) -> bool:
        for test in tests:  # noqa: SIM110 - on the hot path, where a generator costs as much as the tests
            if test(resource, context):
                return True
        return False

    return match


def _none_of(tests: tuple[Match, ...]) -> Match:
    # An entry whose variable has no value matches no resource, and so a NotResource excludes nothing by it.
    listed = _any_of(tests)
    return lambda resource, context: not listed(resource, context)


def every_resource(_resource: str, _context: Context) -> bool:
    return True


def no_resource(_resource: str, _context: Context) -> bool:
    return False


def _resource_test(pattern: str, kind: PolicyType, *, substitute: bool) -> Match:
    if pattern == "*":
        return every_resource
    parts = variables.segments(variables.parse(pattern) if substitute else (pattern,))
    if len(parts) < 6:
        if not _completes_short_arn(pattern, kind):
            return no_resource
        parts += [("*",)] * (6 - len(parts))
    # AWS: variables stand in the last segment only; in the five before it `${...}` is plain text.
    typed = [variables.source(part) for part in parts[:5]]
    if any(":" in text for text in typed):
        return no_resource
    if any(map(has_wildcard, typed)):
        return _segment_by_segment(typed, parts[5])
    return _after_literal_head(":".join(typed) + ":", parts[5])


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


def _after_literal_head(head: str, last: Template) -> Match:
    """A pattern without wildcards in its first five segments: no need to cut the request's ARN."""
    if variables.is_static(last):
        pattern: tuple[Token, ...] = (head, *(variables.tokens_of(last, {}) or ()))
        return _static(matcher(pattern), pattern)
    rest = variables.glob(last)
    length = len(head)
    return lambda resource, context: resource.startswith(head) and rest(resource[length:], context)


def _static(whole: Matcher, pattern: tuple[Token, ...]) -> Match:
    if not any(isinstance(token, Wild) for token in pattern):
        text = "".join(token for token in pattern if isinstance(token, str))
        return lambda resource, _context: resource == text
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
