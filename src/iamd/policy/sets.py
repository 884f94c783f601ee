"""PolicySet: the policies of one layer, with the statements of each action sorted out when it is first asked for."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import Final

from iamd.policy.conditions import Condition, all_of
from iamd.policy.decision import Decision, Layer, Match, Outcome
from iamd.policy.document import Effect, Policy, Statement
from iamd.policy.elements import Pattern
from iamd.policy.index import Bucket, Entry, Index, Placed
from iamd.policy.principals import Named, Principals, named
from iamd.policy.request import ALWAYS, Principal, Request, lower

SETS: Final = 8192
ACTIONS: Final = 512
"""Of each set, the actions whose statements are kept sorted: no caller can make it grow without bound."""


class PolicySet:
    """The policies of one layer, or of one level where it has levels; `policy_set` makes those that are kept."""

    __slots__ = ("_names_principals", "by_action", "layer", "level", "policies")

    def __init__(self, policies: tuple[Policy, ...], layer: Layer, level: int | None = None) -> None:
        self.policies = policies
        self.layer = layer
        self.level = level
        self._names_principals = any(
            statement.principals is not None for policy in policies for statement in policy.statements
        )
        self.by_action: dict[str, Index] = {}

    def of(self, action: str) -> Index:
        """The statements that may apply to an action, in whatever case it is written."""
        found = self.by_action.get(action)
        return self._sort(action) if found is None else found

    def _sort(self, action: str) -> Index:
        if len(self.by_action) >= ACTIONS:
            self.by_action.clear()
        fitting = list(self.fitting(action))
        denies = [match for match in fitting if match.statement.effect is Effect.DENY]
        # SECURITY: a statement with an element that is not understood never allows.
        allows = [m for m in fitting if m.statement.effect is Effect.ALLOW and not m.statement.defective]
        found = Index(
            self._entries(denies, Outcome.EXPLICITLY_DENIED),
            self._entries(allows, Outcome.ALLOWED),
            ALWAYS.get(lower(action)),
        )
        self.by_action[intern(action)] = found
        return found

    def fitting(self, action: str) -> Iterator[Match]:
        """Every statement whose Action element applies, in the order of the text."""
        lowered = lower(action)
        for number, policy in enumerate(self.policies):
            for statement in policy.fitting(lowered):
                yield Match(self.layer, number, statement, self.level)

    def patterns(self, statement: Statement) -> tuple[Pattern, ...]:
        """The resources that a statement is sorted by."""
        return statement.patterns

    def conditions(self, statement: Statement) -> Sequence[Condition]:
        """What must hold for a statement to apply."""
        return statement.conditions

    def _entries(self, matches: Sequence[Match], outcome: Outcome) -> Iterator[Entry]:
        for match in matches:
            statement = match.statement
            tests = tuple(dict.fromkeys(condition.test for condition in self.conditions(statement)))
            condition, decision = all_of(tests), Decision(outcome, match.layer, (match,))
            for pattern in self.patterns(statement):
                yield Entry(pattern, tests, condition, statement.principals, decision)

    def grant(self, request: Request, *, has_boundary: bool) -> tuple[Named, Decision | None]:
        """The statement that names the caller most directly among those that allow."""
        best: Named = Named.NOT
        grant: Decision | None = None
        for place in self.of(request.action).places(request.resource):
            if place.allowed is not None:
                return Named.DIRECT, place.allowed
            for _, _, principals, decision in _applying(place.allows, request, unknown_holds=False):
                how = self.names(principals, request.principal, deny=False, has_boundary=has_boundary)
                if how is Named.DIRECT:
                    return how, decision
                if how > best:
                    best, grant = how, decision
        return best, grant

    def denial(self, request: Request, *, has_boundary: bool, gateway: bool = False) -> Decision | None:
        """The first statement that denies this caller."""
        index = self.of(request.action)
        if not self._names_principals:
            return index.denial(request)
        if not index.has_denies:
            return None
        for place in index.places(request.resource):
            found = place.denied or self._first(
                place.denies, request, deny=True, has_boundary=has_boundary, gateway=gateway
            )
            if found is not None:
                return found
        return None

    def allowance(self, request: Request, *, gateway: bool = False) -> Decision | None:
        """The first statement that allows this caller, however it names it."""
        index = self.of(request.action)
        if not self._names_principals:
            return index.allowance(request)
        for place in index.places(request.resource):
            found = place.allowed or self._first(place.allows, request, deny=False, has_boundary=False, gateway=gateway)
            if found is not None:
                return found
        return None

    def _first(
        self, buckets: tuple[Bucket, ...], request: Request, *, deny: bool, has_boundary: bool, gateway: bool
    ) -> Decision | None:
        for _, _, principals, decision in _applying(buckets, request, unknown_holds=deny):
            if principals is None:
                return decision
            how = self.names(principals, request.principal, deny=deny, has_boundary=has_boundary)
            # AWS: on a gateway endpoint an account names its root user only (VPC guide, vpc-endpoints-access).
            if how is not Named.NOT and not (gateway and how is Named.ACCOUNT):
                return decision
        return None

    def names(self, principals: Principals | None, caller: Principal, *, deny: bool, has_boundary: bool) -> Named:
        """How a statement's principals name the caller; one without means everyone."""
        if principals is None:
            return Named.DIRECT
        strict = self.layer is Layer.TRUST and not deny
        return named(principals, caller, strict=strict, deny=deny, has_boundary=has_boundary)


class Read(PolicySet):
    """The policies of a layer as somebody reads them, who asks what would be: which statements, if what, for what."""

    __slots__ = ("_conditions", "_counts", "_patterns")

    def __init__(
        self,
        policies: PolicySet,
        counts: Callable[[Statement], bool],
        conditions: Callable[[Statement], Sequence[Condition]],
        patterns: Callable[[Statement], tuple[Pattern, ...]],
    ) -> None:
        super().__init__(policies.policies, policies.layer, policies.level)
        self._counts = counts
        self._conditions = conditions
        self._patterns = patterns

    def fitting(self, action: str) -> Iterator[Match]:
        return (match for match in super().fitting(action) if self._counts(match.statement))

    def patterns(self, statement: Statement) -> tuple[Pattern, ...]:
        return self._patterns(statement)

    def conditions(self, statement: Statement) -> Sequence[Condition]:
        return self._conditions(statement)


def _applying(buckets: tuple[Bucket, ...], request: Request, *, unknown_holds: bool) -> Iterator[Placed]:
    """The entries whose pattern and conditions apply, whoever they are for."""
    resource, context = request.resource, request.context
    for bucket in buckets:
        for placed in bucket:
            test, condition, _, _ = placed
            fits = test is None or test(resource, context)
            held = condition is None or condition(context)
            if (fits and held) or (unknown_holds and fits is not False and held is not False):
                yield placed


@lru_cache(maxsize=SETS)
def policy_set(policies: tuple[Policy, ...], layer: Layer, level: int | None = None) -> PolicySet:
    """The set of these policies; whoever has the same ones shares it."""
    return PolicySet(policies, layer, level)
