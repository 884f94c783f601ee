"""Layers of policies and one request to one Decision. Read `decide` from top to bottom: it is AWS's flow chart.

AWS: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic"
(reference_policies_evaluation-logic_policy-eval-denyallow, reference_policies_evaluation-logic-cross-account).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from iamd.policy.decision import Decision, Layer, Match, Outcome
from iamd.policy.document import Effect, Policy, Statement
from iamd.policy.principals import Named, named
from iamd.policy.request import SIGNED, PrincipalKind, Request, lower


class Gate(StrEnum):
    """Services whose resource policy alone can let a request pass, whatever identity policies say."""

    NONE = "none"
    TRUST = "role trust"
    KMS_KEY = "KMS key"


Levels = tuple[tuple[Policy, ...], ...]
"""Policies of an organization, level by level from its root to the account."""

ALWAYS: Mapping[str, frozenset[PrincipalKind]] = {
    "sts:getcalleridentity": SIGNED,
    "sts:getsessiontoken": frozenset({PrincipalKind.USER, PrincipalKind.ROOT}),
}
"""Actions that no policy can refuse, not even by an explicit deny.

AWS: STS API Reference, GetCallerIdentity; IAM User Guide, "Permissions for GetSessionToken"
(id_credentials_temp_control-access_getsessiontoken).
"""


@dataclass(frozen=True, slots=True)
class Layers:
    """The policies in play, as found for one request.

    None means that a layer is not in play; an empty one is in play and allows nothing. `resource` is the policy of the
    resource (of a role: its trust policy), `gate` tells what the resource is, and `gateway_endpoint` that the VPC
    endpoint is a gateway.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    scp: Levels | None = None
    rcp: Levels | None = None
    endpoint: tuple[Policy, ...] | None = None
    resource: tuple[Policy, ...] = ()
    gate: Gate = Gate.NONE
    gateway_endpoint: bool = False


def decide(request: Request, layers: Layers) -> Decision:
    """The decision on `request`; it stops at the first statement that settles it."""
    action = lower(request.action)
    if request.principal.kind in ALWAYS.get(action, ()):
        return Decision(Outcome.ALLOWED, Layer.ALWAYS)
    question = Question(request, action, layers)
    denied = question.first_deny()
    if denied is not None:
        return Decision(Outcome.EXPLICITLY_DENIED, denied.layer, (denied,))
    return _guardrails(question) or _grant(question)


def _guardrails(question: "Question") -> Decision | None:
    """The refusal of an organization or endpoint that does not allow; these bind every caller, root users too."""
    layers = question.layers
    if not question.every_level_allows(layers.rcp, Layer.RCP):
        return IMPLICIT[Layer.RCP]
    if not question.every_level_allows(layers.scp, Layer.SCP):
        return IMPLICIT[Layer.SCP]
    if layers.endpoint is not None and question.first_allow(layers.endpoint, Layer.ENDPOINT) is None:
        return IMPLICIT[Layer.ENDPOINT]
    return None


def _grant(question: "Question") -> Decision:
    request = question.request
    if request.principal.kind not in SIGNED:
        return _without_account(question)
    if request.principal.account != request.resource_account:
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
    if question.is_other_partition() or question.resource_grant()[0] is Named.NOT:
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


def _within_limits(question: "Question", grant: Match | None) -> Decision:
    """`grant`, as far as the caller's boundary and session policies let it; they grant nothing themselves."""
    layers = question.layers
    if layers.boundary is not None and question.first_allow((layers.boundary,), Layer.BOUNDARY) is None:
        return IMPLICIT[Layer.BOUNDARY]
    if not _session_allows(question):
        return IMPLICIT[Layer.SESSION]
    return _allowed(grant)


def _session_allows(question: "Question") -> bool:
    session = question.layers.session
    if session is None:
        # AWS: a federated user without session policies has no permissions but those of resource policies that name
        # the session (id_credentials_temp_control-access_getfederationtoken).
        return question.request.principal.kind is not PrincipalKind.FEDERATED_USER
    return question.first_allow(session, Layer.SESSION) is not None


def _allowed(grant: Match | None) -> Decision:
    return IMPLICIT[Layer.IDENTITY] if grant is None else Decision(Outcome.ALLOWED, grant.layer, (grant,))


IMPLICIT: Mapping[Layer, Decision] = {layer: Decision(Outcome.IMPLICITLY_DENIED, layer) for layer in Layer}


class Question:
    """One request against its layers: the look-ups that the flow chart is made of."""

    __slots__ = ("action", "has_boundary", "layers", "request", "resource_layer")

    def __init__(self, request: Request, action: str, layers: Layers) -> None:
        self.request = request
        self.action = action
        self.layers = layers
        self.has_boundary = layers.boundary is not None
        self.resource_layer = Layer.TRUST if layers.gate is Gate.TRUST else Layer.RESOURCE

    def sets(self) -> Iterator[tuple[Layer, int | None, tuple[Policy, ...]]]:
        """Every set in play, in the order in which denials are named.

        AWS says that it names one of several policy types that deny, and leaves open which.
        """
        layers = self.layers
        for level, policies in enumerate(layers.scp or ()):
            yield Layer.SCP, level, policies
        for level, policies in enumerate(layers.rcp or ()):
            yield Layer.RCP, level, policies
        if layers.endpoint:
            yield Layer.ENDPOINT, None, layers.endpoint
        if layers.resource:
            yield self.resource_layer, None, layers.resource
        if layers.boundary is not None:
            yield Layer.BOUNDARY, None, (layers.boundary,)
        if layers.session:
            yield Layer.SESSION, None, layers.session
        yield Layer.IDENTITY, None, layers.identity

    def first_deny(self) -> Match | None:
        """The first statement of any layer that denies."""
        for layer, level, policies in self.sets():
            for number, policy in enumerate(policies):
                for statement in policy.candidates(self.action)[0]:
                    if self.applies(statement, layer):
                        return Match(layer, number, statement, level)
        return None

    def first_allow(self, policies: tuple[Policy, ...], layer: Layer, level: int | None = None) -> Match | None:
        """The first statement of a set that allows."""
        for number, policy in enumerate(policies):
            for statement in policy.candidates(self.action)[1]:
                if self.applies(statement, layer):
                    return Match(layer, number, statement, level)
        return None

    def identity_allow(self) -> Match | None:
        return self.first_allow(self.layers.identity, Layer.IDENTITY)

    def every_level_allows(self, levels: Levels | None, layer: Layer) -> bool:
        return levels is None or all(self.first_allow(policies, layer) is not None for policies in levels)

    def resource_grant(self) -> tuple[Named, Match | None]:
        """The statement of the resource's policy that names the caller most directly among those that allow."""
        best, grant = Named.NOT, None
        for number, policy in enumerate(self.layers.resource):
            for statement in policy.candidates(self.action)[1]:
                how = self.names_caller(statement, self.resource_layer)
                if how > best and self.fits(statement):
                    best, grant = how, Match(self.resource_layer, number, statement)
        return best, grant

    def applies(self, statement: Statement, layer: Layer) -> bool:
        """Whether a statement whose Action element fits applies; what is unknown allows nothing and denies."""
        return self.fits(statement) and self.names_caller(statement, layer) is not Named.NOT

    def fits_resource(self, statement: Statement) -> bool:
        request = self.request
        return statement.resources is None or statement.resources.apply_to(request.resource, request.context)

    def fits(self, statement: Statement) -> bool:
        if not self.fits_resource(statement):
            return False
        for condition in statement.conditions:
            held = condition.test(self.request.context)
            if not held and (held is not None or statement.effect is Effect.ALLOW):
                return False
        return True

    def names_caller(self, statement: Statement, layer: Layer) -> Named:
        if statement.principals is None:
            return Named.DIRECT
        deny = statement.effect is Effect.DENY
        how = named(statement.principals, self.request.principal, deny=deny, has_boundary=self.has_boundary)
        if how is Named.ACCOUNT and layer is Layer.ENDPOINT and self.layers.gateway_endpoint:
            # AWS: on a gateway endpoint an account names its root user only (VPC guide, vpc-endpoints-access).
            return Named.NOT
        return how

    def is_other_partition(self) -> bool:
        """Whether the resource's ARN is of another partition than the caller's, which never mix."""
        parts = self.request.resource.split(":", 2)
        return len(parts) == 3 and parts[1] != self.request.principal.partition
