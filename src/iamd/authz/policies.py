"""The policies that apply to a request: identity, boundary, session, and the resource's own."""

from collections.abc import Iterator

from iamd.auth.identity import Identity
from iamd.authz.target import Target
from iamd.data import managed_policies
from iamd.policy.decision import Layer, Match
from iamd.policy.document import Policy, PolicyType, load
from iamd.policy.evaluate import Gate, Layers
from iamd.policy.request import PrincipalKind
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import Entity, Group, ManagedPolicy, Role, User

UNREADABLE = ""
"""The text that stands for a policy that ought to be there and is not; loaded, it denies everything (AUZ-14)."""


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
    """The layers that the caller brings: identity, boundary and session policies; a snapshot remembers them."""
    if identity.session is not None or not isinstance(view, Snapshot):
        return _of_caller(identity, view)
    key = f"layers of {identity.arn}"
    known = view.cache.get(key)
    if not isinstance(known, Layers):
        known = view.cache[key] = _of_caller(identity, view)
    return known


def _of_caller(identity: Identity, view: Snapshot | Change) -> Layers:
    account = view.account(identity.account_id)
    entity = entity_of(identity, view)
    if account is None or entity is None:
        return Layers(session=_session(identity, account))
    boundary = entity.permissions_boundary
    return Layers(
        identity=_identity(account, entity),
        boundary=load(document_of(account, boundary), PolicyType.BOUNDARY) if boundary else None,
        session=_session(identity, account),
    )


def _identity(account: Account, entity: User | Role) -> tuple[Policy, ...]:
    return tuple(load(text, PolicyType.IDENTITY) for _, text in _named_texts(account, entity))


def _named_texts(account: Account, entity: User | Role) -> Iterator[tuple[str, str]]:
    """Each identity policy's name, as people know it, and its text; in the order in which they are decided on."""
    bearers: list[Entity] = [entity]
    if isinstance(entity, User):
        groups = (account.get(Group, group_id) for group_id in entity.groups)
        bearers += [group for group in groups if group is not None]
    for bearer in bearers:
        for policy in bearer.inline_policies:
            yield f"{policy.policy_name} (inline policy of {bearer.kind} {_name(bearer)})", policy.document
        for arn in bearer.attached_policies:
            yield arn, document_of(account, arn)


def _name(bearer: Entity) -> str:
    match bearer:
        case User(user_name=name) | Group(group_name=name) | Role(role_name=name):
            return name
        case _:
            raise TypeError(bearer)


def name_of(match: Match, identity: Identity, view: Snapshot | Change, target: str) -> str:
    """What people call the policy that a matching statement stands in."""
    account = view.account(identity.account_id)
    entity = entity_of(identity, view)
    session = identity.session
    if match.layer is Layer.IDENTITY and account is not None and entity is not None:
        return [name for name, _ in _named_texts(account, entity)][match.policy]
    if match.layer is Layer.BOUNDARY and entity is not None:
        return entity.permissions_boundary or ""
    if match.layer is Layer.SESSION and session is not None:
        names = ["inline session policy"] if session.policy else []
        return [*names, *session.policy_arns][match.policy]
    return f"{match.layer} of {target}"


def _session(identity: Identity, account: Account | None) -> tuple[Policy, ...] | None:
    """None says that no session policy was passed; the engine knows what that means for each kind of session."""
    session = identity.session
    if session is None or account is None or not (session.policy or session.policy_arns):
        return None
    texts = [session.policy] if session.policy else []
    texts += [document_of(account, arn) for arn in session.policy_arns]
    return tuple(load(text, PolicyType.SESSION) for text in texts)


def with_target(layers: Layers, target: Target) -> Layers:
    """The caller's layers with the policy of the thing that is touched; a role has a gate even without a policy."""
    if not target.trust and not target.policies:
        return layers
    kind, gate = (PolicyType.TRUST, Gate.TRUST) if target.trust else (PolicyType.RESOURCE, Gate.NONE)
    return layers.with_resource(tuple(load(text, kind) for text in target.policies), gate)
