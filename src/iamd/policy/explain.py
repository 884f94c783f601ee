"""Why a request was decided as it was: every statement that applied, and those that missed by a condition only.

This is the slow way. Its decision is `decide`'s own, so the two cannot disagree; a test checks that the statements it
lists bear the decision out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from iamd.policy import variables
from iamd.policy.any_of_kind import decide_any, fits
from iamd.policy.conditions import Condition
from iamd.policy.decision import Decision, Layer, Match
from iamd.policy.document import Effect, Statement
from iamd.policy.evaluate import Layers, Question
from iamd.policy.request import UNKNOWN, Request
from iamd.policy.sets import PolicySet


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement whose action, resource and principal fit, and the conditions that kept it from applying."""

    match: Match
    failed: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Unsure:
    """A statement that rests on condition keys whose values are not known: it allows nothing, and a Deny applies."""

    match: Match
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class LayerResult:
    """What one layer says by itself; of SCPs and RCPs every level must allow."""

    denied: bool
    allowed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all that bears on it; `missing_keys` are condition keys that the request did not have."""

    decision: Decision
    applying: tuple[Match, ...]
    near_misses: tuple[NearMiss, ...]
    results: Mapping[Layer, LayerResult]
    missing_keys: tuple[str, ...]
    unsure: tuple[Unsure, ...]


def explain(request: Request, layers: Layers) -> Explanation:
    """The decision on `request` with every applying statement, near miss and layer's own answer."""
    question = Question(request, layers)
    fitting = _fitting(question)
    applying = tuple(match for match in fitting if not _failed(match.statement, request))
    near = tuple(NearMiss(match, failed) for match in fitting if (failed := _failed(match.statement, request)))
    return Explanation(
        decision=decide_any(request, layers),
        applying=applying,
        near_misses=near,
        results=_results(question, applying),
        missing_keys=_missing_keys((match.statement for match in fitting), request),
        unsure=tuple(_unsure(question)),
    )


def determining(explanation: Explanation) -> tuple[Match, ...]:
    """The statements that the outcome rests on: every Deny that applies, or else every Allow that does.

    Of an implicit denial these are the grants of the layers that do allow.
    """
    denies = tuple(match for match in explanation.applying if match.statement.effect is Effect.DENY)
    return denies or explanation.applying


def settling(decision: Decision, request: Request, layers: Layers) -> tuple[Match, ...]:
    """One statement of each layer that allows, or the one that denied: as much as a decision itself comes upon."""
    if layers.indexes is not None or not decision.matched or not decision.allowed:
        return decision.matched
    question = Question(request, layers)
    found = list(decision.matched)
    for policies in question.sets():
        if policies.layer is decision.layer:
            continue
        allowance = policies.allowance(request, gateway=question.is_gateway(policies))
        if allowance is not None:
            found += allowance.matched
    return tuple(found)


def _unsure(question: Question) -> Iterator[Unsure]:
    """The statements that might or might not apply, for all that is known."""
    request = question.request
    for policies in question.sets():
        for match in policies.fitting(request.action):
            keys = _unknown_keys(match.statement, request)
            if keys and question.names(match.statement, policies):
                yield Unsure(match, keys)


def _unknown_keys(statement: Statement, request: Request) -> frozenset[str]:
    """The keys without which it cannot be told whether resource and conditions fit."""
    context = request.context
    fits = [pattern.test(request.resource, context) for pattern in statement.patterns]
    held = [condition.test(context) for condition in statement.conditions]
    if False in held or not (True in fits or None in fits):
        return frozenset()
    asked: set[str] = set()
    for condition, answer in zip(statement.conditions, held, strict=True):
        if answer is None:
            asked.update((condition.key,), *(_keys_in(value, statement) for value in condition.values))
    if True not in fits:
        asked.update(*(_keys_in(pattern.text, statement) for pattern in statement.patterns))
    return frozenset(key for key in asked if context.get(key) is UNKNOWN)


def _keys_in(text: str, statement: Statement) -> frozenset[str]:
    return variables.keys(variables.parse(text)) if statement.substitute else frozenset()


def _fitting(question: Question) -> list[Match]:
    """The statements whose action, resource and principal fit, conditions aside."""
    return [
        match
        for policies in question.sets()
        for match in policies.fitting(question.request.action)
        if _may_apply(match.statement) and _fits(match.statement, question, policies)
    ]


def _may_apply(statement: Statement) -> bool:
    # SECURITY: a statement with an element that is not understood never allows.
    return statement.effect is Effect.DENY or not statement.defective


def _fits(statement: Statement, question: Question, policies: PolicySet) -> bool:
    return _is_for(statement, question.request) and question.names(statement, policies)


def _is_for(statement: Statement, request: Request) -> bool:
    """Whether its resources include the request's; a Deny's do, too, when that cannot be told."""
    if request.any_of_kind:
        return fits(statement, request)
    found = [pattern.test(request.resource, request.context) for pattern in statement.patterns]
    return any(found) or (statement.effect is Effect.DENY and None in found)


def _failed(statement: Statement, request: Request) -> tuple[Condition, ...]:
    return tuple(
        condition
        for condition in statement.conditions
        if not (held := condition.test(request.context)) and (held is not None or statement.effect is Effect.ALLOW)
    )


def _results(question: Question, applying: Iterable[Match]) -> dict[Layer, LayerResult]:
    allowing: dict[Layer, set[int | None]] = {}
    denying: set[Layer] = set()
    for match in applying:
        if match.statement.effect is Effect.DENY:
            denying.add(match.layer)
        else:
            allowing.setdefault(match.layer, set()).add(match.level)
    return {
        layer: LayerResult(layer in denying, allowing.get(layer, set()) >= wanted)
        for layer, wanted in _levels(question).items()
    }


def _levels(question: Question) -> dict[Layer, set[int | None]]:
    """The layers in play, with the levels of each that must allow."""
    layers, found = question.layers, dict[Layer, set[int | None]]()
    for policies in (layers.identity, layers.endpoint, layers.boundary, layers.session):
        if policies is not None:
            found[policies.layer] = {None}
    if layers.resource.policies:
        found[layers.resource.layer] = {None}
    for levels in (layers.scp, layers.rcp):
        for level in levels or ():
            found.setdefault(level.layer, set()).add(level.level)
    return found


def _missing_keys(statements: Iterable[Statement], request: Request) -> tuple[str, ...]:
    lacking = {
        condition.key
        for statement in statements
        for condition in statement.conditions
        if condition.lacks_key(request.context)
    }
    return tuple(sorted(lacking))
