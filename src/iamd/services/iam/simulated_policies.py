"""The policies of a simulation, each with the name by which the results call it.

AWS: IAM API Reference, SimulatePrincipalPolicy; the names and the words of the refusals are seen in AWS's answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iamd import arn
from iamd.authz import organizations, policies
from iamd.authz.policies import Source
from iamd.call import Call
from iamd.policy.document import Policy, PolicyType, load, read
from iamd.policy.evaluate import Levels
from iamd.policy.malformed import check_simulated
from iamd.policy.values import MalformedPolicy
from iamd.services.iam.errors import InvalidInput
from iamd.services.iam.policy_exclusions import Exclusions
from iamd.store.account import Account
from iamd.store.records import Group, Role, User

INPUT: Final = "PolicyInputList"
BOUNDARY_INPUT: Final = "PermissionsBoundaryPolicyInputList"
RESOURCE_INPUT: Final = "ResourcePolicy"
ORGANIZATION_INPUT: Final = "ServiceControlPolicyInputList"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A policy and its `SourcePolicyId`."""

    policy: Policy
    source_id: str


def given(texts: Iterable[str], kind: PolicyType = PolicyType.IDENTITY, name: str = INPUT) -> list[Simulated]:
    """The policies that a list of a request holds."""
    return [Simulated(_read(text, kind, number), f"{name}.{number}") for number, text in enumerate(texts, 1)]


def given_boundary(texts: Sequence[str]) -> Simulated | None:
    """The boundary that a request holds; a list of it, for there may be none, but not two."""
    if len(texts) > 1:
        raise InvalidInput("The list of Permissions Boundary policies cannot exceed 1 items.")
    return next(iter(given(texts, PolicyType.BOUNDARY, BOUNDARY_INPUT)), None)


def given_resource_policy(text: str | None) -> Simulated | None:
    """The resource-based policy that a request holds."""
    return Simulated(_read(text, PolicyType.RESOURCE), RESOURCE_INPUT) if text is not None else None


def given_organization(levels: Sequence[Mapping[str, Any]] | None) -> Levels | None:
    """The SCPs that a request holds, level by level from the organization's root."""
    if levels is None:
        return None
    lists = [level.get(ORGANIZATION_INPUT, []) for level in levels]
    return tuple(tuple(one.policy for one in given(texts, PolicyType.SCP)) for texts in lists)


def attached_organization(call: Call, entity: User | Group | Role) -> Levels | None:
    """The SCPs that bind an entity of the caller's account, level by level; None when none do."""
    return organizations.simulated_scp(call.account.id, entity, call.view)


def attached(account: Account, entity: User | Group | Role, exclusions: Exclusions) -> list[Simulated]:
    """The identity policies of an entity, a user's groups' too, but for those that are excluded."""
    found = policies.sources(account, entity)
    return [_stored(source) for source in found if not exclusions.exclude(source)]


def attached_boundary(account: Account, entity: User | Group | Role, exclusions: Exclusions) -> Simulated | None:
    """The permissions boundary that an entity has, unless it is excluded."""
    boundary = None if isinstance(entity, Group) or exclusions.boundary else entity.permissions_boundary
    if boundary is None:
        return None
    return Simulated(load(policies.document_of(account, boundary), PolicyType.BOUNDARY), boundary.rpartition("/")[2])


def check_resources(resource_policy: Simulated) -> None:
    """Refuse a resource-based policy that does not name its resources by ARNs."""
    for statement in resource_policy.policy.statements:
        for pattern in statement.patterns:
            if not pattern.inverted and arn.parse(pattern.text) is None:
                raise InvalidInput(f"ResourceNames are not in a valid ARN format: {pattern.text}.")


def _stored(source: Source) -> Simulated:
    inline = f"{source.bearer.kind}_{policies.name(source.bearer)}_{source.policy_name}"
    return Simulated(load(source.text, PolicyType.IDENTITY), source.policy_name if source.arn else inline)


def _read(text: str, kind: PolicyType, number: int | None = None) -> Policy:
    try:
        check_simulated(text, kind)
    except MalformedPolicy:
        item = f"Policy input list item {number}" if number is not None else "Resource policy"
        raise InvalidInput(f"{item} has invalid content") from None
    return read(text, kind)
