"""One simulated request after the other: a scenario, and what is decided for an action on each of its resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property
from typing import Final

from iamd import arn
from iamd.data import service_reference
from iamd.policy.decision import Layer, Match, Outcome
from iamd.policy.document import Effect, Statement
from iamd.policy.evaluate import IMPLICIT, Gate, Layers, Levels
from iamd.policy.explain import Explanation, LayerResult, explain
from iamd.policy.request import Context, Principal, Request, lower
from iamd.policy.sets import PolicySet
from iamd.services.iam.simulated_callers import Caller, is_account, nobody
from iamd.services.iam.simulated_policies import Simulated

EVERY_RESOURCE: Final = "*"
OVERHEAD: Final = 20
"""What the evaluation of a request costs by itself, in comparisons."""

SHORT: Final = 256
"""How many characters are as quickly compared as one."""


class Decision(StrEnum):
    """PolicyEvaluationDecisionType, from the least to the most restrictive."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


DECISIONS: Final[Mapping[Outcome, Decision]] = {
    Outcome.ALLOWED: Decision.ALLOWED,
    Outcome.IMPLICITLY_DENIED: Decision.IMPLICIT_DENY,
    Outcome.EXPLICITLY_DENIED: Decision.EXPLICIT_DENY,
}
MOST_RESTRICTIVE_LAST: Final = tuple(Decision)


def most_restrictive(decisions: Sequence[Decision]) -> Decision:
    """The decision that counts for all."""
    return max(decisions, key=MOST_RESTRICTIVE_LAST.index)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything of a simulation but the actions.

    `owner` is the account of resources whose ARN names none. `missing` are the keys that the policies speak of and the
    context lacks.
    """

    identity: Sequence[Simulated]
    boundary: Simulated | None
    resource_policy: Simulated | None
    organization: Levels | None
    caller: Caller | None
    owner: str
    resources: Sequence[str]
    context: Context
    missing: Sequence[str]

    @property
    def names_resources(self) -> bool:
        """Whether ARNs are given."""
        return tuple(self.resources) != (EVERY_RESOURCE,)

    @cached_property
    def effort(self) -> int:
        """How many comparisons one request may take, those of its own included."""
        singles = [one.policy for one in (self.boundary, self.resource_policy) if one is not None]
        levels = [policy for level in self.organization or () for policy in level]
        every = [*(one.policy for one in self.identity), *singles, *levels]
        return OVERHEAD + sum(_effort(one, self.context) for policy in every for one in policy.statements)

    def source_of(self, match: Match) -> Simulated:
        """The policy that a statement stands in."""
        singles = {Layer.BOUNDARY: self.boundary, Layer.RESOURCE: self.resource_policy}
        return singles.get(match.layer) or self.identity[match.policy]

    def layers(self, gate: Gate) -> Layers:
        """The policies as the engine takes them."""
        return self._by_gate[gate]

    @cached_property
    def _by_gate(self) -> Mapping[Gate, Layers]:
        return {gate: self._layers(gate) for gate in (Gate.NONE, Gate.KMS_KEY)}

    def _layers(self, gate: Gate) -> Layers:
        return Layers(
            identity=tuple(one.policy for one in self.identity),
            boundary=self.boundary.policy if self.boundary is not None else None,
            scp=self.organization,
            resource=(self.resource_policy.policy,) if self.resource_policy is not None else (),
            gate=gate,
            make=PolicySet,
        )

    def principal(self, resource_account: str, resource: arn.Arn | None) -> Principal:
        """The caller; nobody in particular, but of the resource's own account and partition, where none is named."""
        if self.caller is not None:
            return self.caller.principal
        return nobody(resource_account, resource.partition if resource is not None else arn.PARTITION)


def allows(results: Mapping[Layer, LayerResult], layer: Layer) -> bool:
    """Whether a layer lets the request pass, as one that is not in play does."""
    found = results.get(layer)
    return found is None or (found.allowed and not found.denied)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a simulation says of one action on one resource."""

    resource: str
    decision: Decision
    matched: tuple[Match, ...]
    results: Mapping[Layer, LayerResult]
    is_cross_account: bool

    @property
    def is_denied_by_organization(self) -> bool:
        """Whether the SCPs, which come first, do not let the request pass."""
        return not allows(self.results, Layer.SCP)


def _effort(statement: Statement, context: Context) -> int:
    entries = sum(1 + pattern.text.count("\n") + len(pattern.text) // SHORT for pattern in statement.patterns)
    values = sum(_comparisons(one.values, context.get(one.key, "")) for one in statement.conditions)
    return 1 + len(statement.actions.globs) + entries + values


def _comparisons(wanted: Sequence[str], value: str | tuple[str, ...]) -> int:
    """What it takes to compare each value of a policy with each of a key; a value that variables make is no longer."""
    given = (value,) if isinstance(value, str) else value
    characters = len(given) * sum(map(len, wanted)) + len(wanted) * sum(map(len, given))
    return len(wanted) * len(given) + characters // SHORT


def decided(scenario: Scenario, action: str, resource: str) -> Decided:
    """The engine's own decision on the request."""
    parsed = arn.parse(resource)
    account = parsed.account if parsed is not None and is_account(parsed.account) else scenario.owner
    principal = scenario.principal(account, parsed)
    request = Request(principal, action, resource, account, scenario.context)
    found = explain(request, scenario.layers(_gate(scenario, parsed)))
    if parsed is not None and not _acts_on(action, parsed.service):
        found = _of_no_use(found)
    is_cross_account = parsed is not None and principal.account != account
    return Decided(resource, DECISIONS[found.decision.outcome], _matched(found), found.results, is_cross_account)


def _of_no_use(found: Explanation) -> Explanation:
    """What AWS says of a resource that the action cannot act on: no policy but an SCP speaks of it."""
    silent = LayerResult(denied=False, allowed=False)
    results = {layer: result if layer is Layer.SCP else silent for layer, result in found.results.items()}
    return replace(found, decision=IMPLICIT[Layer.IDENTITY], applying=(), results=results)


def _gate(scenario: Scenario, resource: arn.Arn | None) -> Gate:
    is_key = resource is not None and resource.service == "kms" and resource.resource.startswith("key/")
    return Gate.KMS_KEY if is_key and scenario.resource_policy is not None else Gate.NONE


def _acts_on(action: str, service: str) -> bool:
    """Whether an action may have resources of a service, as far as is known of the action."""
    services = _services(lower(action))
    return not services or service in services


@cache
def _known_services(prefix: str, name: str) -> frozenset[str]:
    reference = service_reference.service(prefix)
    known = reference.action(name) if reference is not None else None
    if reference is None or known is None:
        return frozenset()
    types = [reference.resource_type(resource.name) for resource in known.resources]
    return frozenset({prefix, *(one.arn.split(":")[2] for one in types if one is not None)})


def _services(action: str) -> frozenset[str]:
    prefix, _, name = action.partition(":")
    # What clients send must not fill the cache: only actions that exist are looked up there.
    return _known_services(prefix, name) if service_reference.action(prefix, name) is not None else frozenset()


def _matched(found: Explanation) -> tuple[Match, ...]:
    """The statements that make the decision; SCPs are not told, and of the boundary only what it denies."""
    if not allows(found.results, Layer.SCP) or found.decision.outcome is Outcome.IMPLICITLY_DENIED:
        return ()
    allowed = found.decision.outcome is Outcome.ALLOWED
    effect = Effect.ALLOW if allowed else Effect.DENY
    layers = {Layer.IDENTITY, Layer.RESOURCE} | (set() if allowed else {Layer.BOUNDARY})
    return tuple(match for match in found.applying if match.statement.effect is effect and match.layer in layers)
