"""One request's decisions: every thing it touches is decided on its own, and all must be allowed."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from iamd.auth.identity import Identity
from iamd.authz import context, organizations, policies, vpc_endpoints
from iamd.authz.context import Context, Value
from iamd.authz.organizations import Standing
from iamd.authz.partly_known import PartlyKnown, Unknowns, nothing_unknown
from iamd.authz.policies import Place
from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.policy.any_of_kind import decide_any
from iamd.policy.decision import Decision, denial_message
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import ALWAYS, Principal, PrincipalKind, Request, lower
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.vpc_endpoint import VpcEndpoint

Parts = tuple[Context, Mapping[str, Value]]
"""Condition keys of a caller, and of a target."""


class Verdict(msgspec.Struct, frozen=True):
    """What was asked, by whom, under which policies, and what was decided, as the audit event keeps it.

    `message` is AWS's words for a denial, empty for what is allowed.
    """

    identity: Identity
    request: Request
    layers: Layers
    decision: Decision
    message: str = ""
    endpoint: VpcEndpoint | None = None
    """The VPC endpoint whose policy is among them."""
    told_to: str | None = None
    """The account that is told of it; None for the caller's own."""
    parts: Parts | None = None
    """Of the condition keys those of the caller and those of the target; all others are of the request."""


class Denied(CommonError):
    """A request that its policies do not allow; the verdicts up to the one that denied it go to the audit event."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        super().__init__(Common.ACCESS_DENIED, verdicts[-1].message)
        self.verdicts = verdicts


def decided(
    identity: Identity,
    view: Snapshot | Change,
    asked: Request,
    layers: Layers,
    shown: str | None = None,
    endpoint: VpcEndpoint | None = None,
    parts: Parts | None = None,
) -> Verdict:
    """The verdict on one request of `identity`; `shown` is what a denial calls the resource in place of its ARN.

    `parts` are those of the condition keys, as the verdict has them.
    """
    if endpoint is not None:
        return _decided_through(endpoint, identity, view, asked, layers, shown)
    decision = decide_any(asked, layers) if asked.any_of_kind else decide(asked, layers)
    if decision.allowed:
        return Verdict(identity, asked, layers, decision, "", None, None, parts)
    policy_arn = None
    if decision.matched:
        policy_arn = policies.arn_of(Place.of(decision.matched[0]), identity, view, asked)
    return Verdict(identity, asked, layers, decision, denial_message(decision, asked, policy_arn, shown))


def _decided_through(
    endpoint: VpcEndpoint,
    identity: Identity,
    view: Snapshot | Change,
    asked: Request,
    layers: Layers,
    shown: str | None,
) -> Verdict:
    """The verdict on a request through a VPC endpoint: each of its policies must allow."""
    verdict: Verdict | None = None
    for held in vpc_endpoints.layers(layers, endpoint):
        verdict = msgspec.structs.replace(decided(identity, view, asked, held, shown), endpoint=endpoint)
        if not verdict.decision.allowed:
            return verdict
    if verdict is None:
        raise TypeError("an endpoint without a policy")
    return verdict


class Caller(msgspec.Struct, frozen=True):
    """What a caller brings to every decision; `standing` is the place of its account in its organization."""

    principal: Principal
    layers: Layers
    context: Context
    standing: Standing | None


def caller_of(identity: Identity, view: Snapshot | Change, now: int) -> Caller:
    """The caller as the policy engine knows it; a snapshot remembers those without a session."""
    seen = view if isinstance(view, Snapshot) else view.seen
    is_passing = identity.session is not None or identity.federation is not None or identity.service is not None
    # SECURITY: what a caller asks through a service has other keys than what the same caller asks by itself.
    is_passing = is_passing or identity.invoked_by is not None
    if is_passing or not isinstance(seen, Snapshot):
        return _caller_of(identity, seen, now)
    key = f"caller {identity.arn}"
    known = seen.cache.get(key)
    if not isinstance(known, Caller):
        known = seen.cache[key] = _caller_of(identity, seen, now)
    return known


def _caller_of(identity: Identity, view: Snapshot | Change, now: int) -> Caller:
    return Caller(
        principal_of(identity),
        policies.of_caller(identity, view),
        context.of_caller(identity, view, now),
        organizations.standing_of(identity.account_id, view),
    )


def principal_of(identity: Identity) -> Principal:
    """The caller by every name that a policy may call it."""
    return Principal(
        identity.kind,
        account=identity.account_id,
        arn=identity.arn,
        entity_arn=identity.entity_arn,
        unique_id=identity.entity_id,
        provider=identity.federation.provider if identity.federation is not None else None,
        service_names=identity.service.names if identity.service is not None else (),
    )


def authorize(
    identity: Identity,
    view: Snapshot | Change,
    action: str,
    targets: Sequence[Target],
    of_request: Callable[[], Context],
    now: int,
    unknown: Callable[[str, str], Unknowns] = nothing_unknown,
    endpoint: VpcEndpoint | None = None,
) -> list[Verdict]:
    """The verdicts, all of them allowing; Denied at the first that does not.

    `action` is the operation's own, for targets that name none. `of_request` gives the keys of the request, `unknown`
    those whose values cannot be known when the resource of an ARN is asked for an action. `endpoint` is the VPC
    endpoint that the request came through.
    """
    caller, account = caller_of(identity, view, now), identity.account_id
    shared: Context = {}
    verdicts: list[Verdict] = []
    for target in targets:
        owner, named = target.account or account, target.action or action
        passed = endpoint
        if identity.kind in _always(named):
            # No condition is asked for, and no policy of the resource, before what no policy can refuse is allowed.
            asked, layers = Request(caller.principal, named, target.arn, owner, {}), caller.layers
            passed = None
        else:
            shared = shared or of_request()
            standing = caller.standing if owner == account else organizations.standing_of(owner, view)
            keys: dict[str, Value]
            keys = {} if unknown is nothing_unknown else PartlyKnown(unknown, target.arn, named)
            keys.update(shared)
            keys.update(caller.context)
            keys.update(target.context)
            if standing is None and target.service_account is None:
                keys["aws:resourceaccount"] = owner
            else:
                keys.update(organizations.of_target(target, owner, standing))
            if endpoint is not None:
                keys.update(vpc_endpoints.of_action(endpoint, named, view))
            asked = Request(caller.principal, named, target.arn, owner, keys, target.any_of_kind)
            layers = caller.layers
            if standing is not None or target.policies or target.trust:
                layers = policies.with_target(layers, target, asked, identity, view, standing)
        verdict = decided(identity, view, asked, layers, target.shown, passed, (caller.context, target.context))
        verdicts.append(verdict)
        if not verdict.decision.allowed:
            raise Denied(verdicts)
    return verdicts


@lru_cache(maxsize=1024)
def _always(action: str) -> frozenset[PrincipalKind]:
    """The kinds of caller to whom no policy can refuse an action."""
    return ALWAYS.get(lower(action), frozenset())
