"""What an organization says of an account: its ids and paths, and the SCPs and RCPs from the root down to it.

A snapshot remembers it for each account, so that a decision walks no organization.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from iamd.auth.identity import Identity
from iamd.authz.target import Target
from iamd.data import organization_policies, service_reference
from iamd.data.organization_policies import DEFAULTS, RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from iamd.policy.decision import Layer
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import CompiledLevels, Levels, compiled
from iamd.policy.request import PrincipalKind, lower
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.organization_records import (
    Membership,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
    PolicyTarget,
)
from iamd.store.records import Group, Role, User

View = Snapshot | Change

UNREADABLE = ""
"""The text that stands for a policy that ought to be there and is not; loaded, it denies everything (AUZ-14)."""

NOT_BY_RCP = frozenset({"kms:retiregrant"})
"""AWS: RCPs do not restrict kms:RetireGrant (Organizations User Guide, "Resource control policies",
orgs_manage_policies_rcps, "Resources and entities not restricted by RCPs").
"""

MAX_DEPTH = 32
"""More units above each other than an organization can have; a loop in damaged records ends here."""


class Level(NamedTuple):
    """What is attached at one level: the id of the root, unit or account, and those of the policies."""

    target_id: str
    policy_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's place in its organization.

    `path` is the account's as condition keys have it, `o-.../r-.../ou-.../`. `scp` and `rcp` are the policies level by
    level from the root to the account, but for levels that have AWS's own alone, which allows everything. None says
    that the type does not bind the account: it is not enabled, or the account manages the organization. `scp_levels`
    and `rcp_levels` say where the same policies are attached.
    """

    organization_id: str
    path: str
    scp: CompiledLevels | None = None
    rcp: CompiledLevels | None = None
    scp_levels: tuple[Level, ...] = ()
    rcp_levels: tuple[Level, ...] = ()


class _Remembered(NamedTuple):
    standing: Standing | None


def standing_of(account_id: str, view: View) -> Standing | None:
    """The account's place in its organization; None when it is in none."""
    if not account_id:
        return None
    if isinstance(view, Change):
        view = view.seen
    if not isinstance(view, Snapshot):
        return _standing(account_id, view)
    key = f"standing of {account_id}"
    known = view.cache.get(key)
    # SECURITY: that there is none is remembered as such, so that what was forgotten is worked out, not taken for none.
    if not isinstance(known, _Remembered):
        known = view.cache[key] = _Remembered(_standing(account_id, view))
    return known.standing


def scp_of(identity: Identity, entity: User | Role | None, view: View) -> CompiledLevels | None:
    """The SCPs that bind a caller, who is a session of `entity` or it; None when none do.

    AWS: they bind users, roles and the root user of member accounts, and no service-linked role (Organizations User
    Guide, "Service control policies", orgs_manage_policies_scps).
    """
    return _scp(identity.account_id, entity, view) or None


def simulated_scp(account_id: str, entity: User | Group | Role, view: View) -> Levels | None:
    """The SCPs that a simulation of an account's entity takes into account; None when none bind it."""
    found = _scp(account_id, entity, view)
    return tuple(level.policies for level in found) if found is not None else None


def _scp(account_id: str, entity: User | Group | Role | None, view: View) -> CompiledLevels | None:
    standing = standing_of(account_id, view)
    return None if standing is None or _is_service_linked(entity) else standing.scp


def rcp_of(standing: Standing | None, action: str, identity: Identity, view: View) -> CompiledLevels | None:
    """The RCPs that bind a request for `action` on a resource whose owner stands there; None when none do.

    AWS: they bind whoever calls, but for service-linked roles, on resources of member accounts in the services that
    support them (Organizations User Guide, "Resource control policies", orgs_manage_policies_rcps).
    """
    if standing is None or not standing.rcp or not _reaches(action):
        return None
    account = view.account(identity.account_id)
    role = account.get(Role, identity.entity_id) if account is not None and identity.entity_id is not None else None
    return None if _is_service_linked(role) else standing.rcp


def _is_service_linked(entity: User | Group | Role | None) -> bool:
    return isinstance(entity, Role) and entity.service_linked is not None


def _reaches(action: str) -> bool:
    """Whether RCPs reach an action: whether its service supports them."""
    reference = service_reference.service(action.partition(":")[0])
    return reference is not None and reference.resource_control_policies and lower(action) not in NOT_BY_RCP


def of_caller(identity: Identity, view: View) -> dict[str, str | tuple[str, ...]]:
    """`aws:PrincipalOrgID` and `aws:PrincipalOrgPaths`, for a caller whose account is in an organization."""
    standing = None if identity.kind is PrincipalKind.ANONYMOUS else standing_of(identity.account_id, view)
    if standing is None:
        return {}
    return {"aws:principalorgid": standing.organization_id, "aws:principalorgpaths": (standing.path,)}


def of_owner(owner: str, standing: Standing | None) -> dict[str, str | tuple[str, ...]]:
    """`aws:ResourceAccount`, and for an owner in an organization `aws:ResourceOrgID` and `aws:ResourceOrgPaths`."""
    if standing is None:
        return {"aws:resourceaccount": owner}
    return {
        "aws:resourceaccount": owner,
        "aws:resourceorgid": standing.organization_id,
        "aws:resourceorgpaths": (standing.path,),
    }


def of_target(target: Target, owner: str, standing: Standing | None) -> dict[str, str | tuple[str, ...]]:
    """The same of what a request touches; an account of AWS's is in no organization that a caller knows."""
    return of_owner(owner, standing) if target.service_account is None else of_owner(target.service_account, None)


def levels(membership: Membership, shared: Account) -> list[PolicyTarget]:
    """What stands above an account from the root down, and the account itself."""
    return [*targets_above(membership.parent_id, shared), membership]


def targets_above(parent_id: str, shared: Account) -> list[PolicyTarget]:
    """The root (as its organization) and the units down to the one of this id."""
    return [*reversed(list(_parents(parent_id, shared)))]


def parent_of(parent_id: str, shared: Account) -> Organization | OrganizationalUnit | None:
    """The root (as its organization) or unit of this id, or None."""
    return shared.get(OrganizationalUnit, parent_id) or shared.one(Organization, "root", parent_id)


def path_of(targets: list[PolicyTarget]) -> str:
    """The path of what stands under these, as condition keys have it."""
    parts = []
    for target in targets:
        match target:
            case Organization():
                parts += [target.organization_id, target.root_id]
            case OrganizationalUnit():
                parts.append(target.organizational_unit_id)
    return "".join(f"{part}/" for part in parts)


def _parents(parent_id: str, shared: Account) -> Iterator[PolicyTarget]:
    for _ in range(MAX_DEPTH):
        found = parent_of(parent_id, shared)
        if found is None:
            # SECURITY: a place that leads nowhere has no root above it, and is bound by what can't be read.
            return
        yield found
        if isinstance(found, Organization):
            return
        parent_id = found.parent_id


def _standing(account_id: str, view: View) -> Standing | None:
    shared = view.shared
    membership = shared.get(Membership, account_id)
    if membership is None:
        return None
    targets = levels(membership, shared)
    organization = shared.get(Organization, membership.organization_id)
    if organization is None or targets[0] != organization:
        return _unreadable(membership)
    path = path_of(targets)
    if organization.management_account_id == account_id:
        return Standing(organization.organization_id, path)
    scp_levels = _limiting(targets, organization, SERVICE_CONTROL_POLICY, shared)
    rcp_levels = _limiting(targets, organization, RESOURCE_CONTROL_POLICY, shared)
    return Standing(
        organization.organization_id,
        path,
        _compiled(scp_levels, Layer.SCP, shared),
        _compiled(rcp_levels, Layer.RCP, shared),
        scp_levels or (),
        rcp_levels or (),
    )


def _unreadable(membership: Membership) -> Standing:
    # SECURITY: of whose organization the records are damaged, nothing is allowed.
    return Standing(
        membership.organization_id,
        f"{membership.organization_id}/",
        compiled(((load(UNREADABLE, PolicyType.SCP),),), Layer.SCP),
        compiled(((load(UNREADABLE, PolicyType.RCP),),), Layer.RCP),
        (Level(membership.account_id, ("",)),),
        (Level(membership.account_id, ("",)),),
    )


def _limiting(
    targets: list[PolicyTarget], organization: Organization, policy_type: str, shared: Account
) -> tuple[Level, ...] | None:
    """The levels of a type of policies that may not allow everything; None when it is not enabled."""
    if policy_type not in organization.policy_types:
        return None
    every = (_level(target, policy_type, shared) for target in targets)
    return tuple(level for level in every if level.policy_ids != (DEFAULTS[policy_type].policy_id,))


def _level(target: PolicyTarget, policy_type: str, shared: Account) -> Level:
    found = (one for one in target.attached_policies if type_of(one, shared) in {policy_type, None})
    return Level(target.root_id if isinstance(target, Organization) else target.key, tuple(found))


def type_of(policy_id: str, shared: Account) -> str | None:
    """The type of a policy, AWS's or the organization's; None when there is none of this id."""
    managed = organization_policies.MANAGED.get(policy_id)
    if managed is not None:
        return managed.type
    own = shared.get(OrganizationPolicy, policy_id)
    return own.type if own is not None else None


def _compiled(levels: tuple[Level, ...] | None, layer: Layer, shared: Account) -> CompiledLevels | None:
    return compiled(_loaded(levels, layer, shared), layer) if levels is not None else None


def _loaded(levels: tuple[Level, ...], layer: Layer, shared: Account) -> Levels:
    kind = PolicyType.SCP if layer is Layer.SCP else PolicyType.RCP
    return tuple(tuple(load(_content(policy_id, shared), kind) for policy_id in level.policy_ids) for level in levels)


def _content(policy_id: str, shared: Account) -> str:
    managed = organization_policies.MANAGED.get(policy_id)
    if managed is not None:
        return managed.content
    own = shared.get(OrganizationPolicy, policy_id)
    return own.content if own is not None else UNREADABLE
