"""Layers of policies and one request to one Decision. Read `decide` from top to bottom: it is AWS's flow chart.

AWS: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic"
(reference_policies_evaluation-logic_policy-eval-denyallow, reference_policies_evaluation-logic-cross-account).
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from iamd.policy.decision import ALWAYS_ALLOWED, NOTHING_ALLOWS, Decision, Layer, Match, Outcome
from iamd.policy.document import Effect, Policy, Statement
from iamd.policy.index import END, Index, behind
from iamd.policy.principals import Named
from iamd.policy.request import ALWAYS, SIGNED, PrincipalKind, Request, lower
from iamd.policy.sets import PolicySet, policy_set


class Gate(StrEnum):
    """Services whose resource policy alone can let a request pass, whatever identity policies say."""

    NONE = "none"
    TRUST = "role trust"
    KMS_KEY = "KMS key"


Make = Callable[..., PolicySet]
Levels = tuple[tuple[Policy, ...], ...]
"""Policies of an organization, level by level from its root to the account."""

CompiledLevels = tuple[PolicySet, ...]
"""The same, sorted out once for all who are bound by them; made by `compiled`."""


class Layers:
    """The policies in play, as found for one request; they don't change once they are made.

    None means that a layer is not in play; an empty one is in play and allows nothing. `resource` is the policy of the
    resource (of a role: its trust policy), `gate` tells what the resource is, and `gateway_endpoint` that the VPC
    endpoint is a gateway. `indexes` are those of `identity`, or None when anything else is in play. `make` makes the
    sets; PolicySet does for policies that nobody else has.
    """

    __slots__ = (
        "boundary", "endpoint", "gate", "gateway_endpoint", "identity", "indexes", "rcp", "resource", "scp", "session",
    )  # fmt: skip

    def __init__(
        self,
        identity: tuple[Policy, ...] = (),
        boundary: Policy | None = None,
        session: tuple[Policy, ...] | None = None,
        scp: Levels | None = None,
        rcp: Levels | None = None,
        endpoint: tuple[Policy, ...] | None = None,
        resource: tuple[Policy, ...] = (),
        gate: Gate = Gate.NONE,
        *,
        gateway_endpoint: bool = False,
        make: Make = policy_set,
    ) -> None:
        self.identity = make(identity, Layer.IDENTITY)
        self.boundary = make((boundary,), Layer.BOUNDARY) if boundary is not None else None
        self.session = make(session, Layer.SESSION) if session is not None else None
        self.scp = compiled(scp, Layer.SCP, make) if scp is not None else None
        self.rcp = compiled(rcp, Layer.RCP, make) if rcp is not None else None
        self.endpoint = make(endpoint, Layer.ENDPOINT) if endpoint is not None else None
        self.resource = make(resource, Layer.TRUST if gate is Gate.TRUST else Layer.RESOURCE)
        self.gate = gate
        self.gateway_endpoint = gateway_endpoint
        self.indexes = _indexes_alone(self)

    def with_resource(self, policies: tuple[Policy, ...], gate: Gate = Gate.NONE) -> "Layers":
        """The same layers before a resource that has these policies."""
        found = self._copied()
        found.resource = policy_set(policies, Layer.TRUST if gate is Gate.TRUST else Layer.RESOURCE)
        found.gate = gate
        found.indexes = _indexes_alone(found)
        return found

    def with_scp(self, scp: CompiledLevels | None) -> "Layers":
        """The same layers for a caller whose organization has these service control policies."""
        return self._with_levels(scp, self.rcp) if scp is not None else self

    def with_rcp(self, rcp: CompiledLevels | None) -> "Layers":
        """The same layers before a resource whose owner's organization has these resource control policies."""
        return self._with_levels(self.scp, rcp) if rcp is not None else self

    def with_endpoint(self, policies: tuple[Policy, ...], *, gateway: bool) -> "Layers":
        """The same layers for a request through a VPC endpoint that has these policies."""
        found = self._copied()
        found.endpoint = policy_set(policies, Layer.ENDPOINT)
        found.gateway_endpoint, found.indexes = gateway, None
        return found

    def _with_levels(self, scp: CompiledLevels | None, rcp: CompiledLevels | None) -> "Layers":
        found = self._copied()
        found.scp, found.rcp, found.indexes = scp, rcp, None
        return found

    def _copied(self) -> "Layers":
        found: Layers = Layers.__new__(Layers)
        found.identity, found.boundary, found.session = self.identity, self.boundary, self.session
        found.scp, found.rcp, found.endpoint = self.scp, self.rcp, self.endpoint
        found.resource, found.gate, found.gateway_endpoint = self.resource, self.gate, self.gateway_endpoint
        found.indexes = self.indexes
        return found

    def changed(self, change: Callable[[PolicySet], PolicySet]) -> "Layers":
        """The same layers, with what `change` makes of each set."""
        found = self._copied()
        for name in ("identity", "boundary", "session", "endpoint", "resource"):
            present = getattr(self, name)
            setattr(found, name, change(present) if present is not None else None)
        found.indexes = found.identity.by_action if self.indexes is not None else None
        found.scp = tuple(map(change, self.scp)) if self.scp is not None else None
        found.rcp = tuple(map(change, self.rcp)) if self.rcp is not None else None
        return found

    def sets(self) -> Iterator[PolicySet]:
        """Every set of policies in play, the organization's levels one by one."""
        alone = (self.identity, self.boundary, self.session, self.endpoint, self.resource)
        yield from (found for found in alone if found is not None)
        yield from self.scp or ()
        yield from self.rcp or ()

    def policy_of(self, match: Match) -> Policy:
        """The policy that a statement found in these layers stands in."""
        for found in self.sets():
            if found.layer is match.layer and found.level == match.level:
                return found.policies[match.policy]
        raise LookupError(match)


def _indexes_alone(layers: Layers) -> dict[str, Index] | None:
    if layers.gate is not Gate.NONE or layers.resource.policies:
        return None
    others = (layers.boundary, layers.session, layers.scp, layers.rcp, layers.endpoint)
    return layers.identity.by_action if all(one is None for one in others) else None


def compiled(levels: Levels, layer: Layer, make: Make = policy_set) -> CompiledLevels:
    """Levels of SCPs or RCPs as decisions use them."""
    return tuple(make(policies, layer, number) for number, policies in enumerate(levels))


def decide(request: Request, layers: Layers) -> Decision:
    """The decision on `request`; it stops at the first statement that settles it."""
    principal, indexes = request.principal, layers.indexes
    if indexes is None or request.resource_account != principal.own_account:
        return _decide(Question(request, layers))
    # What `_decide` comes to when only identity policies are in play. Most requests are such: no call is made here
    # that can be done without, and what the place alone tells stands there beforehand.
    try:
        index = indexes[request.action]
    except KeyError:
        index = layers.identity.of(request.action)
    resource = request.resource
    place = index.exact[resource] if resource in index.exact else index.stretches[behind(index.bounds, resource)]
    if index.ends is not None and resource[END] in index.ends:
        found = index.decision_of_two(place, request)
    else:
        found = place.answer or index.decision(place, request)
    return found if place.partition == principal.partition else _within_partition(found, request)


def _within_partition(found: Decision, request: Request) -> Decision:
    return PARTITIONS_DIFFER if found.allowed and found is not ALWAYS_ALLOWED and is_other_partition(request) else found


def _decide(question: "Question") -> Decision:
    request = question.request
    if request.principal.kind in ALWAYS.get(lower(request.action), ()):
        return ALWAYS_ALLOWED
    return question.denial() or _guardrails(question) or _grant(question)


def _guardrails(question: "Question") -> Decision | None:
    """The refusal of an organization or endpoint that does not allow; these bind every caller, root users too."""
    layers = question.layers
    if not question.every_level_allows(layers.rcp):
        return IMPLICIT[Layer.RCP]
    if not question.every_level_allows(layers.scp):
        return IMPLICIT[Layer.SCP]
    if layers.endpoint is not None and not question.endpoint_allows(layers.endpoint):
        return IMPLICIT[Layer.ENDPOINT]
    return None


def _grant(question: "Question") -> Decision:
    request = question.request
    if request.principal.kind not in SIGNED:
        return _without_account(question)
    if request.principal.account != request.resource_account or is_other_partition(request):
        return _cross_account(question)
    match question.layers.gate:
        case Gate.TRUST:
            return _role_trust(question)
        case Gate.KMS_KEY:
            return _kms_key(question)
        case Gate.NONE:
            return _same_account(question)


def _same_account(question: "Question") -> Decision:
    if question.request.principal.kind is PrincipalKind.ROOT:
        return Decision(Outcome.ALLOWED, Layer.ROOT_USER)
    how, grant = question.resource_grant()
    if how is Named.DIRECT:
        return _allowed(grant)
    if how is not Named.ENTITY:
        grant = question.identity_allow()
    return _within_limits(question, grant)


def _kms_key(question: "Question") -> Decision:
    """A KMS key: identity policies count only if its key policy gives the account's own policies a say.

    AWS: KMS Developer Guide, "Key policies" (key-policies); the root user too needs the key policy.
    """
    how, grant = question.resource_grant()
    if how is Named.DIRECT:
        return _allowed(grant)
    if how is Named.NOT:
        return IMPLICIT[Layer.RESOURCE]
    return _within_limits(question, grant if how is Named.ENTITY else question.identity_allow())


def _role_trust(question: "Question") -> Decision:
    """A role in the caller's account: its trust policy must allow; naming only the account needs an identity Allow too.

    AWS: the caller's boundary must allow even when the trust policy names the user (id_roles_update-role-trust-policy);
    AWS leaves open whether a session policy must as well. It must here.
    """
    if question.request.principal.kind is PrincipalKind.ROOT:
        return IMPLICIT[Layer.TRUST]  # AWS: a root user cannot call AssumeRole (STS API Reference, AssumeRole).
    how, grant = question.resource_grant()
    if how is Named.NOT:
        return IMPLICIT[Layer.TRUST]
    return _within_limits(question, question.identity_allow() if how is Named.ACCOUNT else grant)


def _cross_account(question: "Question") -> Decision:
    """Both accounts must allow; how directly the resource policy names the caller makes no difference here."""
    layer = question.resource_layer
    if is_other_partition(question.request) or question.resource_grant()[0] is Named.NOT:
        return IMPLICIT[layer]
    if question.request.principal.kind is PrincipalKind.ROOT:
        if question.layers.gate is Gate.TRUST:
            return IMPLICIT[layer]
        return Decision(Outcome.ALLOWED, Layer.ROOT_USER)
    return _within_limits(question, question.identity_allow())


def _without_account(question: "Question") -> Decision:
    """Anonymous callers, service principals, and unsigned federated callers: only the resource's policy can allow."""
    how, grant = question.resource_grant()
    if how is Named.NOT or (
        question.layers.gate is Gate.TRUST and question.request.principal.kind is PrincipalKind.ANONYMOUS
    ):
        return IMPLICIT[question.resource_layer]
    return _allowed(grant)


def is_other_partition(request: Request) -> bool:
    """Whether the resource's ARN is of another partition than the caller's; partitions never mix."""
    parts = request.resource.split(":", 2)
    return len(parts) == 3 and parts[1] != request.principal.partition


def _within_limits(question: "Question", grant: Decision | None) -> Decision:
    """`grant`, as far as the caller's boundary and session policies let it; they grant nothing themselves."""
    if grant is None:
        return IMPLICIT[Layer.IDENTITY]
    boundary = question.layers.boundary
    if boundary is not None and boundary.allowance(question.request) is None:
        return IMPLICIT[Layer.BOUNDARY]
    if not _session_allows(question):
        return IMPLICIT[Layer.SESSION]
    return grant


def _session_allows(question: "Question") -> bool:
    session = question.layers.session
    if session is None:
        # AWS: a federated user without session policies has no permissions but those of resource policies that name
        # the session (id_credentials_temp_control-access_getfederationtoken).
        return question.request.principal.kind is not PrincipalKind.FEDERATED_USER
    return session.allowance(question.request) is not None


def _allowed(grant: Decision | None) -> Decision:
    return IMPLICIT[Layer.IDENTITY] if grant is None else grant


IMPLICIT: Mapping[Layer, Decision] = {
    layer: NOTHING_ALLOWS if layer is Layer.IDENTITY else Decision(Outcome.IMPLICITLY_DENIED, layer) for layer in Layer
}
PARTITIONS_DIFFER: Final = IMPLICIT[Layer.RESOURCE]


class Question:
    """One request against its layers: the look-ups that the flow chart is made of."""

    __slots__ = ("has_boundary", "layers", "request", "resource_layer")

    def __init__(self, request: Request, layers: Layers) -> None:
        self.request = request
        self.layers = layers
        self.has_boundary = layers.boundary is not None
        self.resource_layer = layers.resource.layer

    def sets(self) -> Iterator[PolicySet]:
        """Every set in play, in the order in which denials are named.

        AWS says that it names one of several policy types that deny, and leaves open which.
        """
        layers = self.layers
        yield from layers.scp or ()
        yield from layers.rcp or ()
        for policies in (layers.endpoint, layers.resource, layers.boundary, layers.session, layers.identity):
            if policies is not None and policies.policies:
                yield policies

    def is_gateway(self, policies: PolicySet) -> bool:
        """Whether these are the policies of a gateway endpoint."""
        return policies.layer is Layer.ENDPOINT and self.layers.gateway_endpoint

    def denial(self) -> Decision | None:
        """The first statement of any layer that denies."""
        for policies in self.sets():
            denied = policies.denial(self.request, has_boundary=self.has_boundary, gateway=self.is_gateway(policies))
            if denied is not None:
                return denied
        return None

    def names(self, statement: Statement, policies: PolicySet) -> bool:
        """Whether a statement of these policies is for the caller."""
        deny, caller = statement.effect is Effect.DENY, self.request.principal
        how = policies.names(statement.principals, caller, deny=deny, has_boundary=self.has_boundary)
        return how is not Named.NOT and not (how is Named.ACCOUNT and self.is_gateway(policies))

    def identity_allow(self) -> Decision | None:
        return self.layers.identity.allowance(self.request)

    def every_level_allows(self, levels: tuple[PolicySet, ...] | None) -> bool:
        return levels is None or all(level.allowance(self.request) is not None for level in levels)

    def endpoint_allows(self, endpoint: PolicySet) -> bool:
        return endpoint.allowance(self.request, gateway=self.layers.gateway_endpoint) is not None

    def resource_grant(self) -> tuple[Named, Decision | None]:
        """The statement of the resource's policy that names the caller most directly among those that allow."""
        return self.layers.resource.grant(self.request, has_boundary=self.has_boundary)
