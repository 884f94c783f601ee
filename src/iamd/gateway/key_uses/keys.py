"""The key that a use is of: found by its name, an alias or as the service's own; what it is decided by, and its state.

AWS: KMS Developer Guide, "AWS managed keys", "Key states of AWS KMS keys" (key-state), and the key policies that
"How Amazon S3 uses AWS KMS" and its like show of the services' own keys.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from iamd.authz.target import Target
from iamd.errors import AWSError, CommonError
from iamd.gateway import resources
from iamd.gateway.actions import keys, kms
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.kms import ALIAS_KEY
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses.use import (
    CREATE_GRANT,
    DESCRIBE,
    GENERATE,
    GENERATE_UNSEEN,
    RE_ENCRYPT_FROM,
    RE_ENCRYPT_TO,
    Use,
    Work,
)
from iamd.gateway.kms_effects import STATE, described, managed_policy

_DATA_KEY: Final = "AES_256"
_BYTES: Final = 64
_RE_ENCRYPTING: Final = {RE_ENCRYPT_FROM: "SourceKeyId", RE_ENCRYPT_TO: "DestinationKeyId"}
"""Which parameter of ReEncrypt names the key of each of its two actions."""
_ENCRYPTS: Final = "ENCRYPT_DECRYPT"
_OWN: Final = "alias/aws/"
_SYMMETRIC: Final = "SYMMETRIC_DEFAULT"


class DisabledKey(AWSError):
    """A key that is disabled (KMS API Reference, GenerateDataKey)."""

    code = "DisabledException"
    status = 400


class InvalidState(AWSError):
    """A key that can't be used as it is (KMS API Reference, GenerateDataKey)."""

    code = "KMSInvalidStateException"
    status = 400


class InvalidKeyUsage(AWSError):
    """A key that is none for symmetric encryption (KMS API Reference, GenerateDataKey, which takes no other)."""

    code = "InvalidKeyUsageException"
    status = 400


class Found(msgspec.Struct, frozen=True):
    """A key that is used. `own` says that it is the service's own, the AWS managed one."""

    arn: str
    account: str
    own: bool = False


def service_name(use: Use, work: Work) -> str:
    """The service as KMS has it: `s3`."""
    return use.through or work.step.traits.source.partition(".")[0]


async def found(use: Use, work: Work) -> Found:
    """The key of a use; KMS's own error when there is none by that name."""
    own_alias = f"{_OWN}{use.own_alias or service_name(use, work)}"
    there = work.in_account(use.account, use.region)
    if use.any_key:
        return Found(_every(there), use.account)
    if use.key is None or use.key == own_alias or use.key.endswith(f":{own_alias}"):
        owner = (account_of(use.key) if use.key is not None else None) or use.account
        there = work.in_account(owner, use.region)
        return Found(await _of_alias(own_alias, there, work) or _every(there), owner, own=True)
    alias = _alias_in(use.key)
    if alias is not None:
        there = work.in_account(account_of(use.key) or use.account, use.region)
        arn = await _of_alias(alias, there, work) or kms.key_arn(use.key, there)
    else:
        arn = kms.key_arn(use.key, there)
    owner = account_of(arn) or use.account
    return Found(arn, owner, own=await _is_own(arn, own_alias, work.in_account(owner, use.region), work))


def _every(there: Asked) -> str:
    """What stands for a key whose id nobody tells."""
    return f"arn:{there.partition}:kms:{there.region}:{there.account}:key/*"


def _alias_in(named: str) -> str | None:
    if named.startswith("alias/"):
        return named
    _, _, alias = named.partition(":alias/") if named.startswith("arn:") else ("", "", "")
    return f"alias/{alias}" if alias else None


async def _is_own(arn: str, own_alias: str, there: Asked, work: Work) -> bool:
    """Whether a key that is named by its ARN is the service's own."""
    known = work.facts.known(_alias_arn(own_alias, there)).get(ALIAS_KEY)
    if known is not None or work.facts.get(arn) is not None or work.facts.forgets:
        return known == arn
    # Nobody has seen the key: the alias tells whether it is the one that needs no permissions.
    return await _of_alias(own_alias, there, work) == arn


def _alias_arn(alias: str, there: Asked) -> str:
    return f"arn:{there.partition}:kms:{there.region}:{there.account}:{alias}"


async def _of_alias(alias: str, there: Asked, work: Work) -> str | None:
    """The ARN of the key that an alias has; where iamd has not seen it, KMS is asked, and remembered."""
    arn = _alias_arn(alias, there)
    known = work.facts.known(arn).get(ALIAS_KEY)
    if known is not None:
        return known
    if work.facts.forgets and not alias.startswith(_OWN):
        # What was not made through iamd is not there.
        return None
    asked = ("DescribeKey", work.facts.boot or "", arn)
    if work.remembered.get(asked, work.now) is not None:
        return None
    told = await _described(alias, there, work)
    if told is None:
        work.remembered.put(asked, None, work.now)
    return told


async def _described(alias: str, there: Asked, work: Work) -> str | None:
    try:
        backend = work.backends.of("kms", there.account, there.region).backend
        told = await work.told(
            "DescribeKey", {"KeyId": alias}, backend=backend, account=there.account, service="kms", region=there.region
        )
    except (NotToldError, CommonError):
        return None
    if told is None or not isinstance(told.get("KeyMetadata"), dict) or "Arn" not in told["KeyMetadata"]:
        return None
    for learned in described(told["KeyMetadata"], _alias_arn(alias, there), there):
        await work.note(learned.arn, learned.facts, learned.policy)
    return str(told["KeyMetadata"]["Arn"])


def targets(use: Use, key: Found, work: Work) -> Sequence[Target]:
    """What the use is decided on."""
    wanted = Target(
        arn=key.arn,
        action=f"kms:{use.action}",
        account=key.account,
        context=_context(use, key, work),
        any_of_kind=key.arn.endswith("/*"),
    )
    if key.own:
        own = _own_policy(key.account, use.own_service or service_name(use, work), use.region)
        found = [replace(wanted, policies=(own,), kms_key=True)]
    else:
        found = resources.decided([wanted], work.facts, key.account)
    if use.granted is None:
        return found
    grant = _grant(use.granted, use.action)
    return [replace(one, policies=(*one.policies, grant)) for one in found]


def _grant(session: str, action: str) -> str:
    """What a service's grant to a session comes to."""
    statement = {"Effect": "Allow", "Principal": {"AWS": session}, "Action": f"kms:{action}", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@lru_cache(maxsize=1024)
def _own_policy(account: str, service: str, region: str) -> str:
    return json.dumps(managed_policy(account, service, region))


def _context(use: Use, key: Found, work: Work) -> dict[str, str | tuple[str, ...]]:
    """The condition keys of the use.

    AWS: KMS Developer Guide, "AWS KMS condition keys": kms:ViaService, kms:CallerAccount, kms:EncryptionContext.
    """
    caller = work.identity.account_id if use.itself is None else ""
    there = replace(work.in_account(caller, use.region), parameters={"KeyId": use.key or ""})
    told = {
        **there.place,
        **kms.of_key(key.arn, there),
        "algorithm": _SYMMETRIC,
        "encryption_context": use.context,
        "encryption_context_keys": list(use.context),
    }
    if use.untold_context:
        del told["encryption_context_keys"]
    if not caller:
        # A service that asks for itself has no account.
        del told["account"]
    found = keys.of("kms", f"kms:{use.action}", told, key.arn)
    if use.action == CREATE_GRANT:
        # AWS: KMS Developer Guide, "kms:GrantIsForAWSResource".
        found["kms:grantisforawsresource"] = "true"
    if use.itself is not None:
        return found
    return {**found, "kms:viaservice": f"{service_name(use, work)}.{use.region}.amazonaws.com"}


def check_state(use: Use, key: Found, work: Work) -> None:
    """Refuse a key that encrypts nothing, or is not enabled."""
    known = work.facts.known(key.arn)
    state, spec = known.get(STATE, "Enabled"), known.get("key_spec", _SYMMETRIC)
    if spec != _SYMMETRIC:
        usage = known.get("key_usage", _ENCRYPTS)
        if usage != _ENCRYPTS:
            raise InvalidKeyUsage(f"{key.arn} key usage is {usage} which is not valid for {use.action}.")
        raise InvalidKeyUsage(f"Algorithm {_SYMMETRIC} is incompatible with key spec {spec}.")
    if use.action == DESCRIBE:
        return
    if state == "Disabled":
        raise DisabledKey(f"{key.arn} is disabled.")
    if state.startswith("Pending"):
        what = "deletion" if "Deletion" in state else "import"
        raise InvalidState(f"{key.arn} is pending {what}.")


def event_name(use: Use) -> str:
    """What KMS calls the event of the use."""
    return "ReEncrypt" if use.action in _RE_ENCRYPTING else use.action


def parameters(use: Use, key: Found) -> dict[str, object]:
    """The parameters that the event of the use shows."""
    if use.action in _RE_ENCRYPTING:
        return {_RE_ENCRYPTING[use.action]: key.arn}
    found: dict[str, object] = {"KeyId": key.arn}
    if use.action == DESCRIBE:
        return found
    if use.action == CREATE_GRANT:
        constraints = {"Constraints": {"EncryptionContextSubset": dict(use.context)}} if use.context else {}
        return {**found, **constraints}
    if use.context:
        found["EncryptionContext"] = dict(use.context)
    if use.action == GENERATE:
        return {**found, "KeySpec": _DATA_KEY}
    if use.action == GENERATE_UNSEEN:
        return {**found, "NumberOfBytes": _BYTES}
    return {**found, "EncryptionAlgorithm": _SYMMETRIC}
