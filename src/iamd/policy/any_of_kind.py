"""Requests for one of many resources, of which nobody can tell which: a `*` stands in the ARN for what is not known.

Such a request passes only if it would pass for each of them: an Allow must be for all, and a Deny of one holds.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from iamd.policy import variables
from iamd.policy.decision import Decision, Match
from iamd.policy.document import Effect, Statement
from iamd.policy.elements import EVERYTHING, Pattern
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import UNKNOWN, Request
from iamd.policy.sets import PolicySet
from iamd.policy.wildcard import Token, covers, overlap, tokens

Tokens = Sequence[Token]

LONGEST = 20_480
"""What takes a longer text to match includes no resource: no ARN is as long."""


def decide_any(request: Request, layers: Layers) -> Decision:
    """The decision on a request that stands for any of a kind; on every other it is `decide`'s."""
    if not request.any_of_kind:
        return decide(request, layers)
    return decide(request, layers.changed(partial(_Sorted, request)))


def fits(statement: Statement, request: Request) -> bool:
    """Whether a statement is for the resource of a request that stands for any of a kind."""
    test = _includes_one if statement.effect is Effect.DENY else _includes_all
    return any(test(pattern, statement, request) for pattern in statement.patterns)


class _Sorted(PolicySet):
    """The policies of a layer whose statements are sorted out by one request's resource."""

    __slots__ = ("_request",)

    def __init__(self, request: Request, policies: PolicySet) -> None:
        super().__init__(policies.policies, policies.layer, policies.level)
        self._request = request

    def fitting(self, action: str) -> Iterator[Match]:
        return (match for match in super().fitting(action) if fits(match.statement, self._request))

    def patterns(self, statement: Statement) -> tuple[Pattern, ...]:
        return EVERYTHING


def _includes_one(pattern: Pattern, statement: Statement, request: Request) -> bool:
    if pattern.inverted:
        return not any(_includes_all(left_out, statement, request) for left_out in pattern.listed)
    if pattern.is_every:
        return True
    template = _template(pattern, statement)
    if any(request.context.get(key) is UNKNOWN for key in variables.keys(template)):
        return True
    return _each(overlap, template, request)


def _includes_all(pattern: Pattern, statement: Statement, request: Request) -> bool:
    if pattern.inverted:
        return not any(_includes_one(left_out, statement, request) for left_out in pattern.listed)
    if pattern.is_every or pattern.test(request.resource, request.context) is not True:
        return pattern.is_every
    return _each(covers, _template(pattern, statement), request)


def _template(pattern: Pattern, statement: Statement) -> variables.Template:
    return variables.parse(pattern.text) if statement.substitute else (pattern.text,)


def _each(test: Callable[[Tokens, Tokens], bool], template: variables.Template, request: Request) -> bool:
    """Whether it holds for each segment of the pattern and of the request's ARN."""
    segments = variables.segments(template)
    found = [tokens(variables.source(segment)) for segment in segments[:5]]
    # An ARN of fewer than six segments is read as if a wildcard stood in the missing ones.
    found += [tokens("*")] * (5 - len(found))
    last = variables.tokens_of(segments[5], request.context, LONGEST) if len(segments) > 5 else tokens("*")
    if last is None:
        return False
    return all(map(test, [*found, last], map(tokens, request.resource.split(":", 5))))
