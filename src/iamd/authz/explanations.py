"""A decision with its reasons, as events keep it and as iamd's own service tells it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from iamd.authz import kms_grants, policies, told_keys
from iamd.authz.authorize import Verdict
from iamd.authz.policies import Place
from iamd.authz.told_keys import Told
from iamd.policy.conditions import Condition
from iamd.policy.decision import Layer, Match, Outcome
from iamd.policy.explain import Explanation, LayerResult, determining, explain, settling
from iamd.policy.positions import position
from iamd.policy.request import UNKNOWN, Context
from iamd.store.account import Snapshot
from iamd.store.change import Change

OWNERS_LAYERS = frozenset({Layer.TRUST, Layer.RESOURCE, Layer.RCP})
"""The layers that belong to the owner of the resource, not to the caller."""
CALLERS_LAYERS = frozenset({Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION, Layer.SCP})
"""Those that belong to the caller's account."""


# By names of their own: this Python finds a member of an Enum slowly.
_ALWAYS, _IDENTITY, _TRUST = Layer.ALWAYS, Layer.IDENTITY, Layer.TRUST

Shown = Mapping[str, Any] | msgspec.Raw
"""A statement with its place in its policy, perhaps as JSON already."""

_ENCODER: Final = msgspec.json.Encoder()

_AGENT: Final = "aws:useragent"

NOTED: Final = 100
"""The statements and near misses that an event keeps, and the values of each of their conditions."""


class Noted(msgspec.Struct, frozen=True):
    """What an event keeps of a decision that allowed.

    `context` holds its condition keys; `keys` instead those that the event's record does not tell by other members.
    """

    action: str
    resource: str
    outcome: Outcome
    layer: Layer
    statements: Sequence[Shown]
    context: Context | UnsetType = UNSET
    keys: Context | UnsetType = UNSET


def noted(verdict: Verdict, view: Snapshot | Change | None, told: Told) -> Noted | dict[str, Any]:
    """What an event keeps: of a denial its explanation, of what was allowed one statement of each layer that did.

    `told` are the condition keys that the event's record tells by itself.
    """
    decision, request = verdict.decision, verdict.request
    if not decision.allowed:
        return explained(verdict, view, NOTED)
    matches = decision.matched
    if matches and verdict.layers.indexes is None:
        matches = settling(decision, request, verdict.layers)
    is_told_all = verdict.told_to is None and request.resource_account == request.principal.account
    rest = told_keys.rest(verdict, told) if is_told_all and decision.layer is not _ALWAYS else None
    return Noted(
        request.action,
        request.resource,
        decision.outcome,
        decision.layer,
        _noted_statements(verdict, view, matches) if matches else (),
        _context(verdict) if rest is None else UNSET,
        UNSET if rest is None else rest,
    )


def noted_context(decision: Mapping[str, Any], record: Mapping[str, Any]) -> Mapping[str, Any]:
    """All condition keys of a decision as a record keeps it."""
    context: Mapping[str, Any] | None = decision.get("context")
    if context is None:
        return {**told_keys.of_record(record), **decision["keys"]}
    # Records of before have no value for the client, which they tell by themselves.
    return {**context, _AGENT: record["userAgent"]} if context.get(_AGENT) == [] else context


def explained(
    verdict: Verdict, view: Snapshot | Change | None, limit: int | None = None, *, conditions: bool = False
) -> dict[str, Any]:
    """The decision with every statement that determines it, and those that missed by their conditions only.

    `limit` cuts the lists of statements and of their values; with `conditions` the statements have theirs.
    """
    found = explain(verdict.request, verdict.layers)
    return (
        _decision(verdict)
        | {"statements": _statements(verdict, view, determining(found)[:limit], conditions=conditions)}
        | {"nearMisses": _near_misses(verdict, view, found, limit), "missingKeys": _missing_keys(verdict, found)}
        | {"unknownKeys": _unknown_keys(verdict, found)}
        | {"layers": _layers(verdict, view, found.results, limit)}
        | {"context": _context(verdict)}
    )


def is_own(verdict: Verdict) -> bool:
    """Whether the account that is told owns the resource."""
    return verdict.request.resource_account == _told(verdict)


def _told(verdict: Verdict) -> str:
    return verdict.request.principal.account if verdict.told_to is None else verdict.told_to


def shown_matches(verdict: Verdict, matches: Iterable[Match]) -> list[Match]:
    """The matches that the account which is told may be told of."""
    # SECURITY: another account's policies, and whether its role exists at all, stay its own (STS-13).
    others = hidden(verdict)
    return [match for match in matches if match.layer not in others] if others else list(matches)


def hidden(verdict: Verdict) -> frozenset[Layer]:
    """The layers of other accounts: of the resource's owner, of the caller, and of the VPC endpoint."""
    told, endpoint = _told(verdict), verdict.endpoint
    others = frozenset[Layer]() if is_own(verdict) else OWNERS_LAYERS
    if verdict.request.principal.account != told:
        others |= CALLERS_LAYERS
    # SECURITY: whose policy an endpoint has is no business of all who come through it.
    return others | {Layer.ENDPOINT} if endpoint is not None and endpoint.account != told else others


def shown_keys(verdict: Verdict) -> Context:
    """The condition keys of the request that the account which is told may be told of."""
    request = verdict.request
    own = request.principal.account
    if request.resource_account == own and verdict.told_to is None:
        return request.context
    return {key: value for key, value in request.context.items() if not _is_others(key, verdict)}


def _is_others(key: str, verdict: Verdict) -> bool:
    """Whether a key tells of another account's."""
    # SECURITY: tags of another account's resource or principal, and where its organization is, stay its own (STS-13).
    if not is_own(verdict) and (":resourcetag/" in key or key.startswith("aws:resourceorg")):
        return True
    is_callers = key.startswith(("aws:principaltag/", "aws:principalorg", "aws:userid"))
    return is_callers and verdict.request.principal.account != _told(verdict)


def _decision(verdict: Verdict) -> dict[str, Any]:
    return {
        "action": verdict.request.action,
        "resource": verdict.request.resource,
        "outcome": verdict.decision.outcome,
        "layer": verdict.decision.layer,
        "message": verdict.message,
    }


def _context(verdict: Verdict) -> Context:
    return shown_keys(verdict) if verdict.decision.layer is not _ALWAYS else {}


def _statements(
    verdict: Verdict, view: Snapshot | Change | None, matches: Iterable[Match], *, conditions: bool = False
) -> list[Mapping[str, Any]]:
    shown = shown_matches(verdict, matches)
    if not conditions:
        return [_statement(verdict, view, match) for match in shown]
    keys = shown_keys(verdict)
    return [
        {
            **_statement(verdict, view, match),
            "conditions": [_condition(one, keys, None) for one in match.statement.conditions],
        }
        for match in shown
    ]


def _noted_statements(verdict: Verdict, view: Snapshot | Change | None, matches: Sequence[Match]) -> Sequence[Shown]:
    if len(matches) == 1 and matches[0].layer is _IDENTITY:
        # The caller's own is hidden from nobody who is told of the caller.
        return (_remembered(verdict, view, matches[0]),)
    return list(map(_remembered, repeat(verdict), repeat(view), shown_matches(verdict, matches)))


def _remembered(verdict: Verdict, view: Snapshot | Change | None, match: Match) -> Shown:
    """A statement as an event has it; a snapshot remembers those of callers without a session, and of roles' trust."""
    identity = verdict.identity
    if match.layer is _IDENTITY and identity.session is None:
        of = identity.arn
    elif match.layer is _TRUST:
        of = verdict.request.resource
    else:
        return _statement(verdict, view, match)
    if not isinstance(view, Snapshot):
        return _statement(verdict, view, match)
    key = (match.layer, match.policy, match.statement.index, of)
    known = view.cache.get(key)
    if not isinstance(known, msgspec.Raw):
        known = view.cache[key] = msgspec.Raw(_ENCODER.encode(_statement(verdict, view, match)))
    return known


def _statement(verdict: Verdict, view: Snapshot | Change | None, match: Match) -> dict[str, Any]:
    place = position(verdict.layers.policy_of(match).text, match.statement.start)
    return {
        "layer": match.layer,
        "policy": _name(verdict, view, Place.of(match)),
        "index": match.statement.index,
        "sid": match.statement.sid or "",
        "effect": match.statement.effect,
        "line": place.line,
        "column": place.column,
    }


def _near_misses(
    verdict: Verdict, view: Snapshot | Change | None, found: Explanation, limit: int | None
) -> list[dict[str, Any]]:
    keys = shown_keys(verdict)
    shown = set(shown_matches(verdict, (near.match for near in found.near_misses)))
    return [
        {
            **_statement(verdict, view, near.match),
            "conditions": [_condition(failed, keys, limit) for failed in near.failed],
        }
        for near in found.near_misses[:limit]
        if near.match in shown
    ]


def _condition(failed: Condition, keys: Context, limit: int | None) -> dict[str, Any]:
    value = keys.get(failed.key, ())
    if value is UNKNOWN:
        value = ()
    return {
        "operator": failed.operator,
        "key": failed.key,
        "values": list(failed.values[:limit]),
        "found": [value] if isinstance(value, str) else list(value),
    }


def _missing_keys(verdict: Verdict, found: Explanation) -> list[str]:
    named = {failed.key for near in found.near_misses for failed in near.failed if shown_matches(verdict, [near.match])}
    return sorted(named.intersection(found.missing_keys))


def _unknown_keys(verdict: Verdict, found: Explanation) -> list[str]:
    """The keys whose values AWS would know and iamd does not, as far as statements rest on them."""
    shown = set(shown_matches(verdict, (unsure.match for unsure in found.unsure)))
    asked = {key for unsure in found.unsure if unsure.match in shown for key in unsure.keys}
    return sorted(key for key in asked if is_own(verdict) or not _is_others(key, verdict))


def _layers(
    verdict: Verdict, view: Snapshot | Change | None, results: Mapping[Layer, LayerResult], limit: int | None
) -> list[dict[str, Any]]:
    """What each layer says, and the policies that it is made of."""
    return [
        {"layer": layer, "outcome": _outcome(result), "policies": _names(verdict, view, layer)[:limit]}
        for layer, result in results.items()
        if layer not in hidden(verdict)
    ]


def _names(verdict: Verdict, view: Snapshot | Change | None, layer: Layer) -> list[str]:
    of_layer = (policies for policies in verdict.layers.sets() if policies.layer is layer)
    places = (Place(layer, number, found.level) for found in of_layer for number in range(len(found.policies)))
    return list(dict.fromkeys(_name(verdict, view, place) for place in places))


def _name(verdict: Verdict, view: Snapshot | Change | None, place: Place) -> str:
    if place.layer is Layer.ENDPOINT and verdict.endpoint is not None:
        return f"{place.layer} of {verdict.endpoint.id}"
    if place.layer is Layer.RESOURCE and view is not None:
        granted = kms_grants.name_of(verdict.layers.resource.policies[place.number], verdict.request.resource, view)
        if granted is not None:
            return granted
    return policies.name_of(place, verdict.identity, view, verdict.request) if view is not None else ""


def _outcome(result: LayerResult) -> Outcome:
    if result.denied:
        return Outcome.EXPLICITLY_DENIED
    return Outcome.ALLOWED if result.allowed else Outcome.IMPLICITLY_DENIED
