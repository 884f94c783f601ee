"""What was decided, which policies decided it, and how AWS words a denial."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from iamd.policy.document import Statement
from iamd.policy.request import PrincipalKind, Request, lower


class Outcome(StrEnum):
    """The three results of an evaluation, by the names the test cases use."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"


class Layer(StrEnum):
    """The sets of policies that can decide, by AWS's words for them."""

    __hash__ = str.__hash__  # as equality; Enum's own is slow

    SCP = "service control policy"
    RCP = "resource control policy"
    ENDPOINT = "VPC endpoint policy"
    TRUST = "role trust policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    IDENTITY = "identity-based policy"
    ROOT_USER = "root user"
    """No policy: the root user has full access to its account."""
    ALWAYS = "always allowed"
    """No policy: the action cannot be controlled by policies."""


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that applied: of which layer, which policy of that layer, and for SCPs and RCPs which level."""

    layer: Layer
    policy: int
    statement: Statement
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, the layer that decided it, and the statement that made it so; an implicit denial has none."""

    outcome: Outcome
    layer: Layer
    matched: tuple[Match, ...] = ()
    allowed: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", self.outcome is Outcome.ALLOWED)


ALWAYS_ALLOWED: Final = Decision(Outcome.ALLOWED, Layer.ALWAYS)
NOTHING_ALLOWS: Final = Decision(Outcome.IMPLICITLY_DENIED, Layer.IDENTITY)


NAMING_EVERYTHING = ("iam:", "organizations:")
"""The actions whose denials say `on resource: *`; most services leave it out.

AWS: seen in CloudTrail records of ListAccountAliases, GetAccountSummary and LeaveOrganization.
"""


IN_LOWER_CASE: Final = "sqs:"
"""The actions that denials write in lower case, in SQS's both protocols.

AWS: seen in answers of SendMessage, SendMessageBatch and CreateQueue (aws/serverless-application-model, issue 3633;
microsoft/aspire, pull request 3333).
"""


WITHOUT_REASON: Final = frozenset({"sts:AssumeRoot"})
"""Actions whose denials don't say why, seen in AWS's answers of September 2026."""


def denial_message(
    decision: Decision, request: Request, policy_arn: str | None = None, resource: str | None = None
) -> str:
    """AWS's words for a denial ("Troubleshoot access denied error messages", troubleshoot_access-denied).

    `policy_arn` is the ARN of the policy that denies, where it has one and is the caller's own. `resource` is what the
    service calls its resource in place of the ARN.
    """
    if request.principal.kind is PrincipalKind.FEDERATED:
        # AWS: STS has nobody to name to an unsigned caller ("Troubleshooting SAML federation", troubleshoot_saml).
        return f"Not authorized to perform {request.action}"
    named = request.resource != "*" or request.action.startswith(NAMING_EVERYTHING)
    on_resource = f" on resource: {resource or request.resource}" if named else ""
    action = lower(request.action) if request.action.startswith(IN_LOWER_CASE) else request.action
    refusal = f"User: {_caller(request)} is not authorized to perform: {action}{on_resource}"
    if request.action in WITHOUT_REASON:
        return refusal
    return f"{refusal} {_reason(decision, action, policy_arn)}"


def _caller(request: Request) -> str:
    principal = request.principal
    if principal.kind is PrincipalKind.ANONYMOUS:
        return "anonymous"
    return principal.arn or next(iter(principal.service_names), "anonymous")


def _reason(decision: Decision, action: str, policy_arn: str | None) -> str:
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        # AWS: within an account or organization the ARN of the policy that denies follows ("Enhanced access denied
        # error messages with policy ARNs", AWS Security Blog, 2026); inline and resource policies have none.
        named = f": {policy_arn}" if policy_arn is not None else ""
        return f"with an explicit deny in {_article(decision.layer)} {decision.layer}{named}"
    return f"because no {decision.layer} allows the {action} action"


def _article(layer: Layer) -> str:
    if layer is Layer.TRUST:
        return "the"
    return "an" if layer is Layer.IDENTITY else "a"
