"""Access key id to Identity: the user or root key it is, or the session that its token holds."""

import msgspec
from msgspec.structs import replace

from iamd import arn, ids
from iamd.accounts import ACCESS_KEY_PURPOSE
from iamd.auth import tokens
from iamd.auth.identity import Identity, root_user
from iamd.auth.sealing import Keyring
from iamd.auth.tokens import Session, SessionKind
from iamd.errors import Common, CommonError
from iamd.policy.request import PrincipalKind
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import AccessKey, AccountRecord, Quarantine, Role, User

ACTIVE = "Active"
OF_ROLES = frozenset({SessionKind.ROLE, SessionKind.DELEGATED})
MEMO_SIZE = 8192
"""How many opened secrets are kept: every write makes a snapshot, and each would open them again."""


class Credentials(msgspec.Struct, frozen=True):
    """A caller with the secret that its signature must have been made with."""

    identity: Identity
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.identity.arn})"


def identify(
    access_key_id: str, session_token: str | None, view: Snapshot | Change, keyring: Keyring, now: int
) -> Credentials | None:
    """The caller whose access key this is; None for a key that is unknown, inactive, or whose principal is gone.

    ExpiredToken and an invalid session token are raised. A temporary key without its token and a long-term key with
    a token are unknown keys (invariant STS-08).
    """
    if isinstance(view, Change):
        view = view.seen
    if session_token is not None:
        return _session(access_key_id, session_token, view, keyring, now)
    if isinstance(view, Snapshot):
        known = view.cache.get(access_key_id)
        if isinstance(known, Credentials):
            return known
        found = _long_term(access_key_id, view, keyring)
        if found is not None:
            view.cache[access_key_id] = found
        return found
    return _long_term(access_key_id, view, keyring)


def _long_term(access_key_id: str, view: Snapshot | Change, keyring: Keyring) -> Credentials | None:
    found = view.access_key(access_key_id)
    if found is None:
        return None
    account, key = found
    # SECURITY: inactive and deleted keys, and keys of deleted users, are refused at once (STS-06, PRN-04).
    if key.status != ACTIVE or _suspended(account):
        return None
    secret = _secret(account, key, keyring)
    if key.user_id is None:
        return Credentials(root_user(account.id, access_key_id), secret)
    user = account.get(User, key.user_id)
    return Credentials(_user(account, user, access_key_id, None), secret) if user is not None else None


def _secret(account: Account, key: AccessKey, keyring: Keyring) -> str:
    # SECURITY: what was sealed is part of the memo's key, so that another secret of the same key id is opened anew.
    place = (key.sealed_secret, account.id, key.access_key_id)
    known = keyring.opened_keys.get(place)
    if known is None:
        if len(keyring.opened_keys) >= MEMO_SIZE:
            keyring.opened_keys.clear()
        known = keyring.open(ACCESS_KEY_PURPOSE, place[1:], key.sealed_secret).decode()
        keyring.opened_keys[place] = known
    return known


def _suspended(account: Account) -> bool:
    record = account.get(AccountRecord, account.id)
    return record is None or record.suspended


def _user(account: Account, user: User, access_key_id: str, session: Session | None) -> Identity:
    user_arn = arn.iam(account.id, "user", user.path, user.user_name)
    return Identity(
        PrincipalKind.USER,
        account.id,
        user_arn,
        user.user_id,
        user.user_id,
        user_arn,
        user.user_name,
        access_key_id,
        session,
    )


def _session(access_key_id: str, token: str, view: Snapshot | Change, keyring: Keyring, now: int) -> Credentials | None:
    if not access_key_id.startswith(ids.TEMPORARY_KEY):
        return None
    session = tokens.open(token, access_key_id, keyring)
    if now >= session.expires:
        raise CommonError(Common.EXPIRED_TOKEN)
    identity = identity_of(session, view)
    return Credentials(identity, session.secret_access_key) if identity is not None else None


def identity_of(session: Session, view: Snapshot | Change) -> Identity | None:
    """The identity of a session that has not expired; None when it was cut, or its principal or account has ended."""
    account = view.account(session.account)
    if account is None or _suspended(account) or _is_cut(session, view.shared):
        return None
    return _of_session(account, session, session.access_key_id)


def _is_cut(session: Session, shared: Account) -> bool:
    """Whether the session, or anything that it derives from, was quarantined since it began."""
    if not shared.count(Quarantine):
        return False
    # SECURITY: a session that begins in the second of the cut, after it, is refused too: the moment is not told finer.
    cuts = (shared.get(Quarantine, one) for one in (session.access_key_id, session.principal_id, *session.ancestors))
    return any(cut is not None and session.issued <= cut.time for cut in cuts)


def _of_session(account: Account, session: Session, access_key_id: str) -> Identity | None:
    """The identity of a session; None when the principal behind it is gone: a deleted principal's sessions end."""
    role = account.get(Role, session.principal_id) if session.kind in OF_ROLES else None
    if role is not None:
        return _role_session(account, role, session, access_key_id)
    if session.kind is SessionKind.ROLE:
        return None
    user = account.get(User, session.principal_id)
    if user is None and session.principal_id != account.id:
        return None
    # SECURITY: a delegated session of a user is a federated one, for only of such do session policies bind whatever
    # resource policies say of the user.
    if session.kind in {SessionKind.FEDERATED, SessionKind.DELEGATED}:
        return _federated_user(account, user, session, access_key_id)
    if user is not None:
        return _user(account, user, access_key_id, session)
    return replace(root_user(account.id, access_key_id), session=session)


def _federated_user(account: Account, user: User | None, session: Session, access_key_id: str) -> Identity:
    return Identity(
        PrincipalKind.FEDERATED_USER,
        account.id,
        arn.federated_user(account.id, session.session_name),
        f"{account.id}:{session.session_name}",
        user.user_id if user is not None else None,
        arn.iam(account.id, "user", user.path, user.user_name) if user is not None else arn.root(account.id),
        user.user_name if user is not None else None,
        access_key_id,
        session,
    )


def session_now(account: Account, role: Role, name: str, now: int) -> Identity:
    """A session of a role that begins now, for whoever asks what it could do: nobody has credentials of it."""
    session = Session(
        kind=SessionKind.ROLE,
        access_key_id="",
        secret_access_key="",
        account=account.id,
        principal_id=role.role_id,
        issued=now,
        expires=now,
        session_name=name,
    )
    return replace(_role_session(account, role, session, ""), access_key_id=None)


def _role_session(account: Account, role: Role, session: Session, access_key_id: str) -> Identity:
    return Identity(
        PrincipalKind.ROLE_SESSION,
        account.id,
        arn.assumed_role(account.id, role.role_name, session.session_name),
        f"{role.role_id}:{session.session_name}",
        role.role_id,
        arn.iam(account.id, "role", role.path, role.role_name),
        role.role_name,
        access_key_id,
        session,
    )
