"""Who made a request, as a record names them (CloudTrail User Guide, "CloudTrail userIdentity element")."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from iamd.auth.identity import Identity
from iamd.authz import told_keys
from iamd.clock import iso_of
from iamd.federation.proof import Federation
from iamd.policy.request import Context, PrincipalKind
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import AccountRecord

TYPES = {
    PrincipalKind.ROOT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}
_KEY_ID = re.compile(r"[A-Z0-9]{16,32}")

_ENCODER = msgspec.json.Encoder()

View = Snapshot | Change | None
Element = msgspec.Raw | dict[str, Any]


class Caller(msgspec.Struct, frozen=True):
    """A caller as events have them: the record's `userIdentity`, and what the event is looked up by."""

    identity: Identity
    element: Element
    user_name: str | None
    access_key_id: str | None
    keys: Context
    """The condition keys that its `userIdentity` tells."""


def caller(identity: Identity, view: View) -> Caller:
    """The caller of an event; a snapshot remembers those without a session."""
    if identity.session is not None or identity.invoked_by is not None or identity.access_key_id is None:
        return _caller(identity, user_identity(identity, view))
    if not isinstance(view, Snapshot):
        return _caller(identity, user_identity(identity, view))
    key = f"caller of events {identity.access_key_id}"
    known = view.cache.get(key)
    # An identity of an older snapshot may have other names than this one's.
    if not isinstance(known, Caller) or known.identity is not identity:
        found = user_identity(identity, view)
        known = view.cache[key] = _caller(identity, found, _encoded(found))
    return known


def _caller(identity: Identity, found: dict[str, Any], element: Element | None = None) -> Caller:
    keys = told_keys.of_caller(found)
    return Caller(identity, element or found, _looked_up(identity), known_key_id(identity.access_key_id), keys)


def _encoded(element: dict[str, Any]) -> Element:
    """The element's JSON; what can't be encoded is left to be told of with the rest of the record."""
    try:
        return msgspec.Raw(_ENCODER.encode(element))
    except ValueError:
        return element


def _looked_up(identity: Identity) -> str | None:
    """The name that LookupEvents finds the caller's events by."""
    if identity.is_root:
        return "root"
    return identity.session.session_name or identity.name if identity.session is not None else identity.name


def known_key_id(access_key_id: str | None) -> str | None:
    """An access key id, or None for what has not the form of one."""
    return access_key_id if access_key_id is not None and is_key_id(access_key_id) else None


def unknown_identity(unverified_key_id: str | None) -> dict[str, Any]:
    """The caller of a request whose signature did not hold: no more than the access key id that it named.

    AWS records no request that it could not authenticate; `Unknown` is its word for whom it can't tell.
    """
    if unverified_key_id is None:
        return dict(_NOBODY)
    return {"type": "Unknown", "principalId": "", **_key(unverified_key_id)}


_NOBODY: Mapping[str, str] = {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}


def user_identity(identity: Identity, view: View = None) -> dict[str, Any]:
    """The caller whose proof has been checked."""
    if identity.kind is PrincipalKind.ANONYMOUS:
        return dict(_NOBODY)
    if identity.federation is not None:
        return _federated(identity, identity.federation)
    if identity.service is not None:
        # CloudTrail User Guide, "CloudTrail userIdentity element": invokedBy.
        return {"type": "AWSService", "invokedBy": identity.service.name}
    element: dict[str, Any] = {
        "type": TYPES[identity.kind],
        "principalId": identity.user_id,
        "arn": identity.arn,
        "accountId": identity.account_id,
        **_key(identity.access_key_id),
    }
    name = user_name(identity, view)
    if name is not None:
        element["userName"] = name
    if identity.session is not None:
        element["sessionContext"] = _session_context(identity)
    if identity.invoked_by is not None:
        element["invokedBy"] = identity.invoked_by
    return element


def _federated(identity: Identity, federation: Federation) -> dict[str, Any]:
    """The caller whom an identity provider vouches for; there is no account and no ARN yet."""
    return {
        "type": federation.user_type,
        "principalId": identity.user_id,
        "userName": federation.name,
        "identityProvider": federation.identity_provider,
    }


def foreign_identity(identity: Identity) -> dict[str, Any]:
    """The caller as the other account is told of it: its account and its unique id, neither name nor key."""
    return {"type": "AWSAccount", "principalId": identity.user_id, "accountId": identity.account_id}


def user_name(identity: Identity, view: View) -> str | None:
    """A user's name; for the root user the account's alias, when it has one."""
    if identity.kind is PrincipalKind.USER:
        return identity.name
    account = view.account(identity.account_id) if view is not None and identity.is_root else None
    record = account.get(AccountRecord, identity.account_id) if account is not None else None
    return record.alias if record is not None else None


def _key(access_key_id: str | None) -> dict[str, str]:
    # SECURITY: people paste a secret where the key id belongs; what has not the form of an id is not kept.
    return {"accessKeyId": access_key_id} if access_key_id and is_key_id(access_key_id) else {}


def is_key_id(text: str) -> bool:
    """Whether a text has the form of an access key id."""
    return _KEY_ID.fullmatch(text) is not None


def _session_context(identity: Identity) -> dict[str, Any]:
    session = identity.session
    if session is None:
        return {}
    context: dict[str, Any] = {}
    if identity.kind is not PrincipalKind.USER and not identity.is_root:
        context["sessionIssuer"] = _issuer(identity)
    if session.federated_provider is not None:
        context["webIdFederationData"] = {"federatedProvider": session.federated_provider, "attributes": {}}
    context["attributes"] = {
        "creationDate": iso_of(session.issued),
        "mfaAuthenticated": "true" if session.mfa_time is not None else "false",
    }
    if session.source_identity is not None:
        context["sourceIdentity"] = session.source_identity
    return context


def _issuer(identity: Identity) -> dict[str, Any]:
    """Where a session comes from: the role, or the user or root user who called GetFederationToken."""
    if identity.kind is PrincipalKind.ROLE_SESSION:
        kind = "Role"
    else:
        kind = "IAMUser" if identity.entity_id is not None else "Root"
    issuer = {
        "type": kind,
        "principalId": identity.entity_id or identity.account_id,
        "arn": identity.entity_arn,
        "accountId": identity.account_id,
    }
    return issuer | ({"userName": identity.name} if identity.name is not None else {})
