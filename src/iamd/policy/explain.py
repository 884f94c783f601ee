"""Why a request was decided as it was: every statement that applied, and those that missed by a condition only.

This is the slow way. Its decision is `decide`'s own, so the two cannot disagree; a test checks that the statements it
lists bear the decision out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from iamd.policy.conditions import Condition
from iamd.policy.decision import Decision, Layer, Match
from iamd.policy.document import Effect, Statement
from iamd.policy.evaluate import Layers, Question, decide
from iamd.policy.principals import Named
from iamd.policy.request import Request, lower


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement whose action, resource and principal fit, and the conditions that kept it from applying."""

    match: Match
    failed: tuple[Condition, ...]


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


def explain(request: Request, layers: Layers) -> Explanation:
    """The decision on `request` with every applying statement, near miss and layer's own answer."""
    question = Question(request, lower(request.action), layers)
    fitting = _fitting(question)
    applying = tuple(match for match in fitting if question.applies(match.statement, match.layer))
    near = tuple(NearMiss(match, failed) for match in fitting if (failed := _failed(match.statement, request)) != ())
    return Explanation(
        decision=decide(request, layers),
        applying=applying,
        near_misses=near,
        results=_results(question, applying),
        missing_keys=_missing_keys((match.statement for match in fitting), request),
    )


def _fitting(question: Question) -> list[Match]:
    """The statements whose action, resource and principal fit, conditions aside."""
    return [
        Match(layer, number, statement, level)
        for layer, level, policies in question.sets()
        for number, policy in enumerate(policies)
        for statement in chain.from_iterable(policy.candidates(question.action))
        if question.fits_resource(statement) and question.names_caller(statement, layer) is not Named.NOT
    ]


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
        for layer, wanted in _levels(question.layers, question.resource_layer).items()
    }


def _levels(layers: Layers, resource_layer: Layer) -> dict[Layer, set[int | None]]:
    """The layers in play, with the levels of each that must allow."""
    found: dict[Layer, set[int | None]] = {Layer.IDENTITY: {None}}
    if layers.scp is not None:
        found[Layer.SCP] = set(range(len(layers.scp)))
    if layers.rcp is not None:
        found[Layer.RCP] = set(range(len(layers.rcp)))
    if layers.endpoint is not None:
        found[Layer.ENDPOINT] = {None}
    if layers.resource:
        found[resource_layer] = {None}
    if layers.boundary is not None:
        found[Layer.BOUNDARY] = {None}
    if layers.session is not None:
        found[Layer.SESSION] = {None}
    return found


def _missing_keys(statements: Iterable[Statement], request: Request) -> tuple[str, ...]:
    lacking = {
        condition.key
        for statement in statements
        for condition in statement.conditions
        if condition.lacks_key(request.context)
    }
    return tuple(sorted(lacking))
