"""What requests to KMS and their answers tell of keys, aliases and grants.

AWS: KMS Developer Guide, "Default key policy", "AWS managed keys", "Grants in AWS KMS"; KMS API Reference, CreateGrant.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.authz.kms_grants import GRANT
from iamd.errors import AWSError
from iamd.gateway import kms_grants, policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.given_arn import own
from iamd.gateway.actions.kms import ALIAS_KEY, key_arn, known_name
from iamd.gateway.effect import Effect, Kind, Learned, Of, end, put_policy
from iamd.gateway.kms_keys import MalformedPolicyDocument
from iamd.gateway.resources import Facts
from iamd.services.iam import principal_ids
from iamd.services.iam.principal_ids import View

Told = Mapping[str, Any]
STATE: Final = "state"
"""The fact in which state a key is, by KMS's words for it."""
# AWS: what an account may do with an AWS managed key itself, as its key policy says, and what through the service.
_MANAGED: Final = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"]
_THROUGH_SERVICE: Final = [
    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey",
]  # fmt: skip
# SECURITY: a grant to make or retire grants is bound to that grant, which no statement can say (kms_grants.py).
_NOT_BY_STATEMENT: Final = frozenset({"CreateGrant", "RetireGrant"})


class InvalidArn(AWSError):
    """A grant for whom there is not (KMS API Reference, CreateGrant)."""

    code = "InvalidArnException"
    status = 400


def _policy(principal: str, actions: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def managed_policy(account: str, service: str, region: str) -> dict[str, Any]:
    """The key policy of a service's own key in an account, the AWS managed one.

    AWS: KMS Developer Guide, services-secrets-manager, "Key policy of the AWS managed CMK".
    """
    through = {"kms:ViaService": f"{service}.{region}.amazonaws.com", "kms:CallerAccount": account}
    statements: list[dict[str, Any]] = [
        {"Principal": {"AWS": "*"}, "Action": _THROUGH_SERVICE, "Condition": {"StringEquals": through}},
        {"Principal": {"AWS": arns.root(account)}, "Action": _MANAGED},
    ]
    return {
        "Version": "2012-10-17",
        "Id": f"auto-{service}-1",
        "Statement": [{"Effect": "Allow", "Resource": "*", **one} for one in statements],
    }


def _new_key(asked: Asked, told: Told) -> list[Learned]:
    """A key that was made, with the policy that the request gave it, or the default one."""
    return [_made(told["KeyMetadata"], asked.parameters.get("Policy"))]


def _replica(asked: Asked, told: Told) -> list[Learned]:
    return [_made(told["ReplicaKeyMetadata"], asked.parameters.get("Policy"))]


def _made(metadata: Told, policy: str | None) -> Learned:
    arn = metadata["Arn"]
    default = _policy(arns.root(account_of(arn) or ""), "kms:*")
    return Learned(arn, _described(metadata), policy or default)


def _described(metadata: Told) -> dict[str, str]:
    multi = metadata.get("MultiRegion") is True
    kind = (metadata.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType") if multi else None
    found = {
        "name": known_name(metadata["Arn"]),
        "key_spec": metadata.get("KeySpec"),
        "key_usage": metadata.get("KeyUsage"),
        "key_origin": metadata.get("Origin"),
        "multi_region": "true" if multi else "false",
        "multi_region_key_type": kind,
        STATE: metadata.get("KeyState"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _seen(asked: Asked, told: Told) -> list[Learned]:
    """A key that was described, and the alias by which it was."""
    return described(told["KeyMetadata"], _alias(asked.parameters["KeyId"], asked), asked)


def described(metadata: Told, alias: str | None, asked: Asked) -> list[Learned]:
    """What a description tells of a key, and of the alias by which it was asked for."""
    arn = metadata["Arn"]
    managed = metadata.get("KeyManager") == "AWS" or (alias is not None and ":alias/aws/" in alias)
    policy = _managed(arn, alias) if managed and not asked.known(arn) else None
    found = [Learned(arn, _described(metadata), policy)]
    return [*found, Learned(alias, {ALIAS_KEY: arn})] if alias is not None else found


def _managed(arn: str, alias: str | None) -> str:
    """The key policy of an AWS managed key, whose alias alone tells of which service it is."""
    account, _, service = account_of(arn) or "", *(alias or "").partition(":alias/aws/")[1:]
    if not service:
        return _policy(arns.root(account), _MANAGED)
    return json.dumps(managed_policy(account, service, arn.split(":")[3]))


def _alias(identifier: str, asked: Asked) -> str | None:
    if identifier.startswith("alias/"):
        return own("kms", identifier, asked)
    return identifier if ":alias/" in identifier else None


def _granted(asked: Asked, told: Told) -> list[Learned]:
    """A grant, as the statement that it comes to."""
    given = asked.parameters
    operations = [f"kms:{name}" for name in given["Operations"] if name not in _NOT_BY_STATEMENT]
    arn, retires = key_arn(given["KeyId"], asked), kms_grants.told(given, told["GrantId"])
    if not operations:
        return [Learned(arn, retires)] if retires else []
    service = given.get("GranteeServicePrincipal")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service} if service else {"AWS": given["GranteePrincipal"]},
        "Action": operations,
        "Resource": "*",
        **_condition(given.get("Constraints") or {}),
    }
    return [Learned(arn, {GRANT + told["GrantId"]: json.dumps(statement), **retires})]


def _condition(constraints: Mapping[str, Any]) -> dict[str, Any]:
    exact, part = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    equals = {f"kms:EncryptionContext:{key}": value for key, value in {**(exact or {}), **(part or {})}.items()}
    found: dict[str, Any] = {"StringEquals": equals} if equals else {}
    if exact:
        found["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(exact)}
    if constraints.get("SourceArn"):
        found["ArnEquals"] = {"aws:SourceArn": constraints["SourceArn"]}
    return {"Condition": found} if found else {}


def _check_policy(asked: Asked, _: str, facts: Facts) -> None:
    """Whom the policy of a new key names; the policy is learned from the answer, which tells the key."""
    if asked.parameters.get("Policy"):
        policy_principals.stored(asked.parameters["Policy"], asked, facts.view)


def _check_grant(asked: Asked, _: str, facts: Facts) -> None:
    """Whom a grant names must be there, and be named by an ARN (KMS API Reference, CreateGrant)."""
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        value = asked.parameters.get(member)
        if value and not (value.startswith("arn:") and principal_ids.kept(facts.view, value)):
            raise InvalidArn(f"ARN does not refer to a valid principal: {value}")


def with_ids(found: Mapping[str, str], view: View) -> Mapping[str, str]:
    """What was learned of a key, with the users and roles of its grants by their ids."""
    found = kms_grants.with_ids(found, view)
    return {name: _with_id(text, view) if name.startswith(GRANT) else text for name, text in found.items()}


def _with_id(grant: str, view: View) -> str:
    statement = msgspec.json.decode(grant, type=dict[str, Any])
    principal = statement["Principal"].get("AWS")
    if principal is None:
        return grant
    return json.dumps({**statement, "Principal": {"AWS": policy_principals.settled_one(principal, view)}})


def _end_grant(asked: Asked, _: str, facts: Facts) -> Effect | None:
    given = asked.parameters
    if not given.get("GrantId") or not given.get("KeyId"):
        return None
    arn = key_arn(given["KeyId"], asked)
    known = facts.known(arn)
    kept = {name: text for name, text in known.items() if name != GRANT + given["GrantId"]}
    kept = kms_grants.without(kept, given["GrantId"])
    # SECURITY: whether a revocation that was not answered was carried out is not known: the grant ends before it.
    return Effect(Kind.MAKE, arn, begun=kept, done=kept, refused=known) if kept != known else None


def _becomes(state: str) -> Of:
    """The state of a key that iamd has seen."""

    def change(_: Asked, arn: str, facts: Facts) -> Effect | None:
        if not facts.known(arn):
            return None
        return Effect(Kind.NOTE, arn, done=lambda known: {**known, STATE: state})

    return change


def _set_alias(asked: Asked, arn: str, facts: Facts) -> Effect:
    """The alias has no key until it is known which it has."""
    known = facts.known(arn)
    to = {ALIAS_KEY: key_arn(asked.parameters["TargetKeyId"], asked)}
    return Effect(Kind.MAKE, arn, begun={}, done=to, refused=known or None)


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("kms", "CreateAlias"): _set_alias,
    ("kms", "UpdateAlias"): _set_alias,
    ("kms", "DeleteAlias"): end,
    ("kms", "CreateGrant"): _check_grant,
    ("kms", "CreateKey"): _check_policy,
    ("kms", "ReplicateKey"): _check_policy,
    # AWS: KMS Developer Guide, "Key states of AWS KMS keys".
    ("kms", "CancelKeyDeletion"): _becomes("Disabled"),
    ("kms", "DeleteImportedKeyMaterial"): _becomes("PendingImport"),
    ("kms", "DisableKey"): _becomes("Disabled"),
    ("kms", "EnableKey"): _becomes("Enabled"),
    ("kms", "ImportKeyMaterial"): _becomes("Enabled"),
    ("kms", "ScheduleKeyDeletion"): _becomes("PendingDeletion"),
    ("kms", "PutKeyPolicy"): put_policy("Policy", MalformedPolicyDocument),
    ("kms", "RetireGrant"): _end_grant,
    ("kms", "RevokeGrant"): _end_grant,
}
LEARNED: Final[Mapping[tuple[str, str], Callable[[Asked, Told], list[Learned]]]] = {
    ("kms", "CreateGrant"): _granted,
    ("kms", "CreateKey"): _new_key,
    ("kms", "DescribeKey"): _seen,
    ("kms", "ReplicateKey"): _replica,
}
