"""The policies that apply to a request: identity, boundary, session, the organizations', and the resource's own."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from iamd.auth.identity import Identity
from iamd.authz import organization_arns, organizations
from iamd.authz.organization_arns import Attached, are_together
from iamd.authz.organizations import UNREADABLE, Standing
from iamd.authz.target import Target
from iamd.data import managed_policies
from iamd.policy.decision import Layer, Match
from iamd.policy.document import Policy, PolicyType, load
from iamd.policy.evaluate import Gate, Layers
from iamd.policy.request import PrincipalKind, Request
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import Entity, Group, ManagedPolicy, Role, User

EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
"""What a root user may, as an identity policy says it: a federated user of the root user's may what is within it."""


def document_of(account: Account, arn: str) -> str:
    """The text in force of a managed policy, the account's own or AWS's; UNREADABLE when there is none."""
    own = account.one(ManagedPolicy, "arn", arn)
    if own is not None:
        return own.document
    listed = managed_policies.catalogue().get(arn)
    return managed_policies.document(arn, listed.default_version_id) if listed is not None else UNREADABLE


def entity_of(identity: Identity, view: Snapshot | Change) -> User | Role | None:
    """The user or role behind the caller, as the view has it."""
    account = view.account(identity.account_id)
    if account is None or identity.entity_id is None:
        return None
    if identity.kind is PrincipalKind.ROLE_SESSION:
        return account.get(Role, identity.entity_id)
    return account.get(User, identity.entity_id)


def of_caller(identity: Identity, view: Snapshot | Change) -> Layers:
    """The layers that the caller brings: identity, boundary and session policies, and its organization's SCPs."""
    if identity.federation is not None:
        return Layers()
    account = view.account(identity.account_id)
    entity = entity_of(identity, view)
    scp = organizations.scp_of(identity, entity, view)
    if account is None or entity is None:
        return Layers(identity=_of_root(identity), session=_session(identity, account)).with_scp(scp)
    boundary = entity.permissions_boundary
    return Layers(
        identity=tuple(load(source.text, PolicyType.IDENTITY) for source in _sources(identity, view)),
        boundary=load(document_of(account, boundary), PolicyType.BOUNDARY) if boundary else None,
        session=_session(identity, account),
    ).with_scp(scp)


def _of_root(identity: Identity) -> tuple[Policy, ...]:
    """The policies of who has none: a root user's federated user has its permissions, which session policies narrow."""
    is_of_root = identity.kind is PrincipalKind.FEDERATED_USER and identity.entity_id is None
    return (load(EVERYTHING, PolicyType.IDENTITY),) if is_of_root else ()


class Source(msgspec.Struct, frozen=True):
    """One identity policy: its text, its name, who has it, and its ARN when it is a managed one."""

    text: str
    policy_name: str
    bearer: Entity
    arn: str | None = None

    @property
    def shown(self) -> str:
        """The policy as people know it."""
        return self.arn or f"{self.policy_name} (inline policy of {self.bearer.kind} {name(self.bearer)})"


def sources(account: Account, entity: User | Role | Group) -> list[Source]:
    """The identity policies of an entity, a user's groups' too, in the order in which they are decided on.

    A managed policy that is attached in several places counts once.
    """
    bearers: list[Entity] = [entity]
    if isinstance(entity, User):
        groups = (account.get(Group, group_id) for group_id in entity.groups)
        bearers += [group for group in groups if group is not None]
    found: dict[str | tuple[str, str, str], Source] = {}
    for source in _of_bearers(account, bearers):
        found.setdefault(source.arn or (source.bearer.kind, name(source.bearer), source.policy_name), source)
    return list(found.values())


def _of_bearers(account: Account, bearers: Iterable[Entity]) -> Iterator[Source]:
    for bearer in bearers:
        for policy in bearer.inline_policies:
            yield Source(policy.document, policy.policy_name, bearer)
        for arn in bearer.attached_policies:
            yield Source(document_of(account, arn), arn.rpartition("/")[2], bearer, arn)


def name(bearer: Entity) -> str:
    """The name of a user, group or role."""
    match bearer:
        case User(user_name=own) | Group(group_name=own) | Role(role_name=own):
            return own
        case _:
            raise TypeError(bearer)


class Place(NamedTuple):
    """Which policy: of which layer, the how many-th of it, from 0, and for SCPs and RCPs of which level."""

    layer: Layer
    number: int
    level: int | None = None

    @classmethod
    def of(cls, match: Match) -> "Place":
        """Where the policy of a statement stands."""
        return cls(match.layer, match.policy, match.level)


def name_of(place: Place, identity: Identity, view: Snapshot | Change, asked: Request) -> str:
    """What people call the policy that stands there among those of a request."""
    source = _source_of(place, identity, view)
    if source is not None:
        return source.shown
    attached = _attached(place, identity, view, asked)
    if attached is not None:
        return attached.shown
    if place.layer is Layer.SESSION and identity.session is not None:
        return arn_of(place, identity, view, asked) or "inline session policy"
    return arn_of(place, identity, view, asked) or f"{place.layer} of {asked.resource}"


def arn_of(place: Place, identity: Identity, view: Snapshot | Change, asked: Request) -> str | None:
    """The ARN of that policy, as far as the caller may know it; inline and resource policies have none."""
    # SECURITY: another organization's RCPs stay its own.
    # AWS: ARNs are told in one account or organization ("Enhanced access denied error messages with policy ARNs", AWS
    # Security Blog, 2026).
    if place.layer is Layer.RCP and not are_together(identity.account_id, asked.resource_account, view):
        return None
    attached = _attached(place, identity, view, asked)
    if attached is not None:
        return attached.arn
    if place.layer is Layer.IDENTITY:
        source = _source_of(place, identity, view)
        return source.arn if source is not None else None
    if place.layer is Layer.BOUNDARY:
        entity = entity_of(identity, view)
        return entity.permissions_boundary if entity is not None else None
    if place.layer is Layer.SESSION and identity.session is not None:
        inline = [None] if identity.session.policy else []
        return [*inline, *identity.session.policy_arns][place.number]
    return None


def _attached(place: Place, identity: Identity, view: Snapshot | Change, asked: Request) -> Attached | None:
    if place.layer not in organization_arns.TYPES or place.level is None:
        return None
    owner = identity.account_id if place.layer is Layer.SCP else asked.resource_account
    return organization_arns.attached(owner, view, place.layer, place.level, place.number)


def _source_of(place: Place, identity: Identity, view: Snapshot | Change) -> Source | None:
    found = _sources(identity, view) if place.layer is Layer.IDENTITY else ()
    return found[place.number] if found else None


def _sources(identity: Identity, view: Snapshot | Change) -> tuple[Source, ...]:
    """The caller's identity policies; a snapshot remembers those of callers without a session."""
    if identity.session is not None or identity.service is not None or not isinstance(view, Snapshot):
        return _read_sources(identity, view)
    key = f"policies of {identity.arn}"
    known = view.cache.get(key)
    if not isinstance(known, tuple):
        known = view.cache[key] = _read_sources(identity, view)
    return known


def _read_sources(identity: Identity, view: Snapshot | Change) -> tuple[Source, ...]:
    account, entity = view.account(identity.account_id), entity_of(identity, view)
    return tuple(sources(account, entity)) if account is not None and entity is not None else ()


def _session(identity: Identity, account: Account | None) -> tuple[Policy, ...] | None:
    """None says that no session policy was passed; the engine knows what that means for each kind of session."""
    session = identity.session
    if session is None or account is None or not (session.policy or session.policy_arns):
        return None
    texts = [session.policy] if session.policy else []
    texts += [document_of(account, arn) for arn in session.policy_arns]
    return tuple(load(text, PolicyType.SESSION) for text in texts)


def with_target(
    layers: Layers,
    target: Target,
    asked: Request,
    identity: Identity,
    view: Snapshot | Change,
    standing: Standing | None,
) -> Layers:
    """The caller's layers with what the owner of the thing that is touched has: its policy, and its RCPs.

    `standing` is the owner's. A role has a gate even without a policy, a KMS key one with its policy.
    """
    layers = layers.with_rcp(organizations.rcp_of(standing, asked.action, identity, view))
    if not target.trust and not target.policies:
        return layers
    if target.trust:
        kind, gate = PolicyType.TRUST, Gate.TRUST
    else:
        kind, gate = PolicyType.RESOURCE, Gate.KMS_KEY if target.kms_key else Gate.NONE
    return layers.with_resource(tuple(load(text, kind) for text in target.policies), gate)
