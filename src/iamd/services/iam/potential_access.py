"""What policies may let somebody use: services and their actions, whatever the resource and the conditions.

AWS: IAM User Guide, "Refine permissions in AWS using last accessed information": a service is listed when the policies
allow some action of it. As in AWS's recorded reports (September 2026) a condition takes nothing away, nor does a denial
that has one or names resources; a denial of everything does, whichever of the policies it stands in.
"""

from collections.abc import Iterator, Mapping, Sequence

from iamd.data import service_reference
from iamd.data.service_reference import ServiceReference
from iamd.policy.document import Effect, Policy, Statement
from iamd.policy.request import lower

Level = Sequence[Policy]
"""Policies of which one must allow."""

DISPLAY_NAMES: Mapping[str, str] = {
    "apigateway": "Manage - Amazon API Gateway",
    "aws-marketplace": "AWS Marketplace",
    "cloudformation": "AWS CloudFormation",
    "consoleapp": "AWS Console Mobile App",
    "elasticloadbalancing": "Elastic Load Balancing",
    "iam": "AWS Identity and Access Management",
}
"""Names that reports give services where the Service Authorization Reference has others."""


def services(levels: Sequence[Level]) -> Iterator[tuple[ServiceReference, list[str]]]:
    """Each service of which the policies may allow an action, by its prefix, with those actions; every level must."""
    for prefix in service_reference.prefixes():
        if not all(_speaks(level, prefix) for level in levels):
            continue
        reference = service_reference.service(prefix)
        actions = _actions(levels, reference) if reference is not None else []
        if reference is not None and actions:
            yield reference, actions


def display_name(reference: ServiceReference) -> str:
    """The service's name as reports have it."""
    return DISPLAY_NAMES.get(reference.prefix, reference.name)


def _speaks(level: Level, prefix: str) -> bool:
    """Whether a level may allow anything of a service at all; most don't, and need no look at each action."""
    return any(
        s.effect is Effect.ALLOW and s.actions.may_apply_to(prefix) for policy in level for s in policy.statements
    )


def _actions(levels: Sequence[Level], reference: ServiceReference) -> list[str]:
    names = (action.name for action in reference.actions.values())
    return sorted(name for name in names if all(_allows(level, f"{reference.prefix}:{name}") for level in levels))


def _allows(level: Level, action: str) -> bool:
    fitting = [statement for policy in level for statement in policy.fitting(lower(action))]
    is_denied = any(_denies_everything(statement) for statement in fitting)
    return not is_denied and any(s.effect is Effect.ALLOW and not s.defective for s in fitting)


def _denies_everything(statement: Statement) -> bool:
    is_every = any(pattern.is_every for pattern in statement.patterns)
    return statement.effect is Effect.DENY and is_every and not statement.conditions
