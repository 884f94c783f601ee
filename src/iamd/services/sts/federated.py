"""Assuming a role on the word of an identity provider: what AssumeRoleWithWebIdentity and AssumeRoleWithSAML share."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from iamd.auth.tokens import Session, SessionKind
from iamd.authz import context
from iamd.call import Call
from iamd.federation.proof import Federation
from iamd.policy.request import lower
from iamd.services.iam.arns import ENTITY_TAGS
from iamd.services.registry import Target
from iamd.services.sts import session_policies, session_tags, sessions
from iamd.services.sts.assume_role import answer, named_role
from iamd.services.sts.errors import (
    AccessDenied,
    IDPRejectedClaim,
    InvalidIdentityToken,
    InvalidParameterValue,
    ValidationError,
)
from iamd.store.records import Role

ONE_USE = "saml-assertion"
TAG_SYMBOLS = frozenset("_.:/=+-@")
"""What tags hold besides letters, digits and blanks (STS API Reference, Tag)."""


def proven(call: Call) -> Federation:
    """What the caller's identity provider has proven, if the provider is still as it was when that was verified."""
    federation = call.identity.federation
    if federation is None:
        raise InvalidIdentityToken("No identity was proven.")
    record = federation.record
    now = call.account_of(call.identity.account_id).get(type(record), record.key) if record is not None else None
    # SECURITY: a provider that was deleted or changed meanwhile vouches for nobody (STS-06).
    if now != record:
        raise InvalidIdentityToken("The identity provider was changed; retry the request.")
    return federation


def targets(call: Call, action: str, role_arn: str) -> list[Target]:
    """The role, for the operation itself and for each thing that the session is to carry."""
    federation = proven(call)
    keys: dict[str, str | tuple[str, ...]] = {"sts:rolesessionname": federation.session_name}
    for key, value in federation.tags.items():
        keys[f"aws:requesttag/{lower(key)}"] = value
    if federation.tags:
        keys["aws:tagkeys"] = tuple(federation.tags)
    if federation.transitive_tag_keys:
        keys["sts:transitivetagkeys"] = federation.transitive_tag_keys
    if federation.source_identity is not None:
        keys["sts:sourceidentity"] = federation.source_identity
    account_id, role = named_role(call, role_arn)
    if role is not None:
        keys.update(context.resource_tags(role.tags, ENTITY_TAGS))
    trust = (role.trust_policy,) if role is not None else ()
    actions = [action]
    actions += ["sts:TagSession"] if federation.tags else []
    actions += ["sts:SetSourceIdentity"] if federation.source_identity is not None else []
    return [
        Target(arn=role_arn, action=action, account=account_id, context=keys, policies=trust, trust=True)
        for action in actions
    ]


def assumed(
    call: Call,
    role_arn: str,
    *,
    seconds: int,
    policy: str | None,
    policy_arns: Sequence[Mapping[str, str]],
    minimum_size: int,
    packs_claims: bool = False,
) -> dict[str, Any]:
    """The session of a role, as both operations answer it; what was claimed may count for its PackedPolicySize."""
    federation = proven(call)
    account_id, role = named_role(call, role_arn)
    if role is None:
        raise AccessDenied(f"Role {role_arn} was deleted.")
    if seconds > role.max_session_duration:
        raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    seconds = min(seconds, federation.longest_seconds or seconds)
    arns = session_policies.checked(call, account_id, policy, policy_arns)
    claims = federation.session_context if packs_claims else {}
    percent = session_policies.packed_size(policy, arns, federation.tags, claims)
    _use_once(call, federation, role)
    session = _session(call, federation, role, account_id, seconds, policy, arns)
    _note(call, federation)
    answered = answer(call, session, percent, minimum_size)
    return answered | dict(federation.answer)


def _session(
    call: Call,
    federation: Federation,
    role: Role,
    account_id: str,
    seconds: int,
    policy: str | None,
    arns: tuple[str, ...],
) -> Session:
    key_id, secret = sessions.new_key(account_id)
    return Session(
        kind=SessionKind.ROLE,
        access_key_id=key_id,
        secret_access_key=secret,
        account=account_id,
        principal_id=role.role_id,
        issued=call.now,
        expires=call.now + seconds,
        session_name=federation.session_name,
        name=role.role_name,
        path=role.path,
        source_identity=federation.source_identity,
        tags=dict(federation.tags),
        transitive_tag_keys=federation.transitive_tag_keys,
        policy=policy,
        policy_arns=arns,
        federated_provider=federation.federated_provider,
        federated_claims=dict(federation.session_context),
        assumed_by=federation.provider,
        source_account=account_id,
    )


def _use_once(call: Call, federation: Federation, role: Role) -> None:
    """Refuse what was used for this role before.

    SECURITY: tools assume several roles with one assertion, so it is used up for each role by itself (FED-08).
    """
    if federation.once is None:
        return
    identifier, expires = federation.once
    key = hashlib.sha256(f"{role.role_id}\0{identifier}".encode()).hexdigest()
    if not call.change.use_once(ONE_USE, key, expires):
        raise InvalidIdentityToken("The assertion was used for this role before.")


def _note(call: Call, federation: Federation) -> None:
    """What the event's parameters say of the proof (IAM User Guide, id_session-tags, "Viewing session tags")."""
    added: dict[str, Any] = dict(federation.told)
    added |= {"principalTags": dict(federation.tags)} if federation.tags else {}
    if federation.transitive_tag_keys:
        added["transitiveTagKeys"] = list(federation.transitive_tag_keys)
    if federation.source_identity is not None:
        added["sourceIdentity"] = federation.source_identity
    call.notes.setdefault("requestParameters", {}).update(added)


def check_tags(tags: Sequence[tuple[str, str]], transitive: Sequence[str]) -> None:
    """Raise IDPRejectedClaim for tags that a provider gives and no session may have."""
    for key, value in tags:
        if not 1 <= len(key) <= 128 or len(value) > 256 or not all(map(_is_tag_character, key + value)):
            raise IDPRejectedClaim(f"The session tag {key[:128]} has a key or value that no tag can have.")
    try:
        session_tags.check([{"Key": key, "Value": value} for key, value in tags], transitive, None)
    except (InvalidParameterValue, ValidationError) as error:
        raise IDPRejectedClaim(error.message) from error


def _is_tag_character(character: str) -> bool:
    return character in TAG_SYMBOLS or unicodedata.category(character)[0] in {"L", "Z", "N"}
