"""AssumeRole: a session of a role, for whom the role's trust policy and the caller's own policies both allow it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from iamd import arn
from iamd.auth.tokens import Session, SessionKind
from iamd.authz import context
from iamd.call import Call
from iamd.policy.request import PrincipalKind
from iamd.services.iam.arns import ENTITY_TAGS
from iamd.services.registry import Target, operation
from iamd.services.sts import mfa, session_policies, session_tags, sessions
from iamd.services.sts.errors import AccessDenied, ValidationError
from iamd.store.account import Account
from iamd.store.records import AccountRecord, Role, fold

DEFAULT_SECONDS = 3600
CHAINED_SECONDS = 3600
"""AWS: a role that another role assumes lasts an hour at most (IAM User Guide, id_roles, "Role chaining")."""


def targets(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    tags: Sequence[Mapping[str, str]] = (),
    transitive_tag_keys: Sequence[str] = (),
    external_id: str | None = None,
    source_identity: str | None = None,
    serial_number: str | None = None,
    token_code: str | None = None,
    **_: Any,
) -> list[Target]:
    """The role, for AssumeRole itself and for each thing that the session is to carry."""
    if call.identity.is_root:
        raise AccessDenied("Roles may not be assumed by root accounts.")
    keys: dict[str, str | tuple[str, ...]] = {"sts:rolesessionname": role_session_name}
    keys.update(mfa.verified(call, serial_number, token_code))
    given = {"sts:externalid": external_id, "sts:sourceidentity": source_identity or _inherited_identity(call)}
    keys.update((key, value) for key, value in given.items() if value is not None)
    if transitive_tag_keys:
        keys["sts:transitivetagkeys"] = tuple(transitive_tag_keys)
    account_id, role = named_role(call, role_arn)
    if role is not None:
        keys.update(context.resource_tags(role.tags, ENTITY_TAGS))
    trust = (role.trust_policy,) if role is not None else ()
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags or session_tags.inherited(call.identity.session) else []
    actions += ["sts:SetSourceIdentity"] if "sts:sourceidentity" in keys else []
    return [
        Target(arn=role_arn, action=action, account=account_id, context=keys, policies=trust, trust=True)
        for action in actions
    ]


@operation(on=targets)
def assume_role(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    policy_arns: Sequence[Mapping[str, str]] = (),
    policy: str | None = None,
    duration_seconds: int = DEFAULT_SECONDS,
    tags: Sequence[Mapping[str, str]] = (),
    transitive_tag_keys: Sequence[str] = (),
    external_id: str | None = None,
    serial_number: str | None = None,
    token_code: str | None = None,
    source_identity: str | None = None,
    provided_contexts: Sequence[Mapping[str, str]] = (),
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials of a role; they have the role's permissions and no others."""
    caller, service = call.identity.session, call.identity.service
    account_id, role = named_role(call, role_arn)
    if role is None:
        raise AccessDenied(f"Role {role_arn} was deleted.")
    if provided_contexts:
        raise ValidationError("ProvidedContexts holds an assertion that no context provider here has signed.")
    _check_duration(call, role, duration_seconds)
    session_tags.check(tags, transitive_tag_keys, caller)
    arns = session_policies.checked(call, account_id, policy, policy_arns)
    _check_identity(call, role_arn, source_identity)
    all_tags = {**session_tags.inherited(caller), **{tag["Key"]: tag["Value"] for tag in tags}}
    percent = session_policies.packed_size(policy, arns, all_tags)
    key_id, secret = sessions.new_key(account_id)
    # The first by their order: the interpreter makes a dict of so many names at each call.
    session = Session(
        SessionKind.ROLE,
        key_id,
        secret,
        account_id,
        role.role_id,
        call.now,
        call.now + duration_seconds,
        role_session_name,
        role.role_name,
        role.path,
        source_identity=source_identity or _inherited_identity(call),
        tags=all_tags,
        transitive_tag_keys=(*session_tags.inherited(caller), *transitive_tag_keys),
        policy=policy,
        policy_arns=arns,
        assumed_by=call.identity.arn if service is None else service.name,
        source_account=call.identity.account_id if service is None else service.source_account,
        federated_claims=dict(service.session_keys) if service is not None else {},
        ancestors=sessions.ancestors(call),
    )
    return answer(call, session, percent, minimum_session_token_size)


def answer(call: Call, session: Session, percent: int | None, minimum_size: int) -> dict[str, Any]:
    """What the operations that assume a role answer alike."""
    token = sessions.sealed(call, session, minimum_size)
    _note(call, session)
    return {
        "Credentials": sessions.credentials(session, token),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{session.principal_id}:{session.session_name}",
            "Arn": arn.assumed_role(session.account, session.name, session.session_name),
        },
        **({"PackedPolicySize": percent} if percent is not None else {}),
        **({"SourceIdentity": session.source_identity} if session.source_identity else {}),
        **sessions.token_size(token),
    }


def _note(call: Call, session: Session) -> None:
    """What the event says beyond parameters and answer (IAM User Guide, cloudtrail-integration, AssumeRole)."""
    incoming = session_tags.inherited(call.identity.session)
    if incoming:
        call.notes["requestParameters"] = {"incomingTransitiveTags": incoming}
    call.notes["resources"] = [
        {
            "accountId": session.account,
            "type": "AWS::IAM::Role",
            "ARN": arn.iam(session.account, "role", session.path, session.name),
        }
    ]


def named_role(call: Call, role_arn: str) -> tuple[str, Role | None]:
    """The role of an ARN, with its account; None when there is no such role, path and spelling included."""
    account_id, name = _parsed(role_arn)
    account = call.account_of(account_id)
    role = account.one(Role, "name", name)
    # SECURITY: nobody becomes a role of a closed account; it is refused like a role that is not there.
    if role is None or _is_closed(account) or arn.iam(account_id, "role", role.path, role.role_name) != role_arn:
        return account_id, None
    return account_id, role


@lru_cache(maxsize=1024)
def _parsed(role_arn: str) -> tuple[str, str]:
    """The account of a role's ARN, and the role's name as names are compared."""
    parsed = arn.parse(role_arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        raise ValidationError(f"{role_arn} is invalid")
    return parsed.account, fold(parsed.resource.rpartition("/")[2])


def _is_closed(account: Account) -> bool:
    record = account.get(AccountRecord, account.id)
    return record is None or record.suspended


def _check_duration(call: Call, role: Role, duration_seconds: int) -> None:
    if call.identity.service is not None:
        # AWS: the setting does not bind services (IAM User Guide, "Update a role", id_roles_manage_modify).
        return
    if _is_chained(call) and duration_seconds > CHAINED_SECONDS:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if duration_seconds > role.max_session_duration:
        raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _is_chained(call: Call) -> bool:
    return call.identity.kind is PrincipalKind.ROLE_SESSION


def _inherited_identity(call: Call) -> str | None:
    session = call.identity.session
    return session.source_identity if session is not None else None


def _check_identity(call: Call, role_arn: str, source_identity: str | None) -> None:
    inherited = _inherited_identity(call)
    if inherited is not None and source_identity not in {None, inherited}:
        # SECURITY: a source identity, once set, stays through the whole chain (STS-11).
        raise AccessDenied(
            f"User: {call.identity.arn} is not authorized to perform: sts:SetSourceIdentity on resource: {role_arn}"
        )
