"""PolicySet: the policies of one layer, with the statements of each action sorted out when it is first asked for."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from iamd.policy.decision import Decision, Layer, Match, Outcome
from iamd.policy.document import Effect, Policy
from iamd.policy.index import Entry, Found, Index
from iamd.policy.principals import Named, Principals, named
from iamd.policy.request import ALWAYS, Principal, Request, lower

SETS: Final = 8192
ACTIONS: Final = 512
"""Of each set, the actions whose statements are kept sorted: no caller can make it grow without bound."""


class Sorted:
    """The statements of one action: what finds the first that denies or allows, and the indexes behind."""

    __slots__ = ("allow", "allows", "always", "denies", "deny")

    def __init__(self, action: str, denies: Index, allows: Index) -> None:
        self.always = ALWAYS.get(action)
        self.denies = denies
        self.allows = allows
        self.deny: Found | None = denies.denying() if denies.size else None
        self.allow: Found | None = allows.allowing() if allows.size else None


class PolicySet:
    """The policies of one layer, or of one level where it has levels; `policy_set` makes those that are kept."""

    __slots__ = ("_sorted", "layer", "level", "policies")

    def __init__(self, policies: tuple[Policy, ...], layer: Layer, level: int | None = None) -> None:
        self.policies = policies
        self.layer = layer
        self.level = level
        self._sorted: dict[str, Sorted] = {}

    def of(self, action: str) -> Sorted:
        """The statements that may apply to an action, in whatever case it is written."""
        found = self._sorted.get(action)
        return self._sort(action) if found is None else found

    def _sort(self, action: str) -> Sorted:
        if len(self._sorted) >= ACTIONS:
            self._sorted.clear()
        fitting = list(self.fitting(action))
        denies = [match for match in fitting if match.statement.effect is Effect.DENY]
        # SECURITY: a statement with an element that is not understood never allows.
        allows = [m for m in fitting if m.statement.effect is Effect.ALLOW and not m.statement.defective]
        found = Sorted(
            lower(action), Index(_entries(denies, Outcome.EXPLICITLY_DENIED)), Index(_entries(allows, Outcome.ALLOWED))
        )
        self._sorted[action] = found
        return found

    def fitting(self, action: str) -> Iterator[Match]:
        """Every statement whose Action element applies, in the order of the text."""
        lowered = lower(action)
        for number, policy in enumerate(self.policies):
            for statement in policy.fitting(lowered):
                yield Match(self.layer, number, statement, self.level)

    def grant(self, request: Request, *, has_boundary: bool) -> tuple[Named, Decision | None]:
        """The statement that names the caller most directly among those that allow."""
        best: Named = Named.NOT
        grant: Decision | None = None
        for entry in _applying(self.of(request.action).allows, request, unknown_holds=False):
            how = self.names(entry.principals, request.principal, deny=False, has_boundary=has_boundary)
            if how > best:
                best, grant = how, entry.decision
                if how is Named.DIRECT:
                    break
        return best, grant

    def denial(self, request: Request, *, has_boundary: bool, gateway: bool = False) -> Decision | None:
        """The first statement that denies this caller."""
        denies = self.of(request.action).denies
        if not denies.size:
            return None
        return self._first(denies, request, deny=True, has_boundary=has_boundary, gateway=gateway)

    def allowance(self, request: Request, *, gateway: bool = False) -> Decision | None:
        """The first statement that allows this caller, however it names it."""
        return self._first(self.of(request.action).allows, request, deny=False, has_boundary=False, gateway=gateway)

    def _first(
        self, index: Index, request: Request, *, deny: bool, has_boundary: bool, gateway: bool
    ) -> Decision | None:
        for entry in _applying(index, request, unknown_holds=deny):
            if entry.principals is None:
                return entry.decision
            how = self.names(entry.principals, request.principal, deny=deny, has_boundary=has_boundary)
            # AWS: on a gateway endpoint an account names its root user only (VPC guide, vpc-endpoints-access).
            if how is not Named.NOT and not (gateway and how is Named.ACCOUNT):
                return entry.decision
        return None

    def names(self, principals: Principals | None, caller: Principal, *, deny: bool, has_boundary: bool) -> Named:
        """How a statement's principals name the caller; one without means everyone."""
        if principals is None:
            return Named.DIRECT
        strict = self.layer is Layer.TRUST and not deny
        return named(principals, caller, strict=strict, deny=deny, has_boundary=has_boundary)


def _applying(index: Index, request: Request, *, unknown_holds: bool) -> Iterator[Entry]:
    """The entries whose pattern and conditions apply, whoever they are for."""
    resource, context = request.resource, request.context
    for bucket in index.buckets(resource):
        for entry in bucket:
            fits = entry.pattern.test(resource, context)
            if not fits and not (fits is None and unknown_holds):
                continue
            for condition in entry.conditions:
                held = condition(context)
                if not held and not (held is None and unknown_holds):
                    break
            else:
                yield entry


def _entries(matches: Sequence[Match], outcome: Outcome) -> Iterator[Entry]:
    for match in matches:
        statement = match.statement
        tests = tuple(dict.fromkeys(condition.test for condition in statement.conditions))
        decision = Decision(outcome, match.layer, (match,))
        for pattern in statement.patterns:
            yield Entry(pattern, tests, statement.principals, decision)


@lru_cache(maxsize=SETS)
def policy_set(policies: tuple[Policy, ...], layer: Layer, level: int | None = None) -> PolicySet:
    """The set of these policies; whoever has the same ones shares it."""
    return PolicySet(policies, layer, level)
