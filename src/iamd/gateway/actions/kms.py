"""The KMS keys that a request is for: by key id, key ARN, alias or ciphertext. A decision is always on the key's ARN.

AWS: KMS Developer Guide, "AWS KMS permissions" (kms-api-permissions-reference), "Controlling access to aliases"
(alias-access), and "Required permissions" of the operations' own pages.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import keys
from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.actions.given_arn import given, own

# KMS API Reference, "Key identifiers (KeyId)"; CreateAlias: AliasName.
_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
_ALIAS: Final = re.compile(r"alias/[A-Za-z0-9/_-]{1,250}", re.ASCII)
_UUID: Final = re.compile(rb"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})")
_ID_LENGTH: Final = 36
ALIAS_KEY: Final = "key"
"""What is known of an alias: the ARN of its key."""
FACTS: Final = ("key_spec", "key_usage", "key_origin", "multi_region", "multi_region_key_type")
"""What is known of a key, by the names that the table's condition keys have."""
# Where a request leaves out what has a default (the operations' pages of the API Reference).
_DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Decrypt": {"algorithm": "SYMMETRIC_DEFAULT"},
    "Encrypt": {"algorithm": "SYMMETRIC_DEFAULT"},
    "GenerateDataKey": {"algorithm": "SYMMETRIC_DEFAULT"},
    "GenerateDataKeyPair": {"algorithm": "SYMMETRIC_DEFAULT"},
    "GenerateDataKeyPairWithoutPlaintext": {"algorithm": "SYMMETRIC_DEFAULT"},
    "GenerateDataKeyWithoutPlaintext": {"algorithm": "SYMMETRIC_DEFAULT"},
    "ImportKeyMaterial": {"expiration_model": "KEY_MATERIAL_EXPIRES"},
    "ScheduleKeyDeletion": {"pending_window": "30"},
    "Sign": {"message_type": "RAW"},
    "Verify": {"message_type": "RAW"},
}
_WITH_BYPASS: Final = frozenset({"CreateKey", "PutKeyPolicy"})


class NotFound(AWSError):
    """A key or an alias that is not there."""

    code = "NotFoundException"
    status = 400


class InvalidArn(AWSError):
    """An identifier that names no key or alias."""

    code = "InvalidArnException"
    status = 400


class InvalidAliasName(AWSError):
    """A name that no alias has (KMS API Reference, CreateAlias)."""

    code = "InvalidAliasNameException"
    status = 400


class IncorrectKey(AWSError):
    """A key that the ciphertext is not of (KMS API Reference, ReEncrypt)."""

    code = "IncorrectKeyException"
    status = 400


class NotAuthorized(AWSError):
    """A name that AWS keeps for its own keys; the code is what KMS is seen to answer."""

    code = "NotAuthorizedException"
    status = 400


_OF_AWS: Final = "alias/aws/"


def values(asked: Asked) -> Mapping[str, Any]:
    """The key's ARN, the alias's, and what the condition keys tell of key and request."""
    parameters = asked.parameters
    found = _of_request(asked)
    if "AliasName" in parameters:
        found["alias"] = _named(asked)
    key = _key(asked)
    if key is not None:
        found |= {"key": key, **of_key(key, asked)}
    return found


def _named(asked: Asked) -> str:
    """The ARN of the alias that a request makes, moves or deletes."""
    name = _alias_name(asked.parameters["AliasName"])
    if name.startswith(_OF_AWS):
        # SECURITY: a key by such a name is a service's own, by which it encrypts for everybody.
        raise NotAuthorized("Aliases that begin with alias/aws/ are reserved for keys of AWS.")
    return own("kms", name, asked)


def _key(asked: Asked) -> str | None:
    parameters, name = asked.parameters, asked.operation.name
    if name == "ListAliases":
        return None
    if name == "RetireGrant" and not (parameters.get("KeyId") and parameters.get("GrantId")):
        # SECURITY: a grant token is opaque; its grant would end at the backend and not here.
        raise invalid("iamd cannot tell which grant a token is of: name it in KeyId and GrantId.")
    for member in ("TargetKeyId", "KeyId"):
        if parameters.get(member):
            return key_arn(parameters[member], asked)
    if name == "DeleteAlias":
        return _key_of_alias(_named(asked), asked)
    return of_ciphertext(parameters["CiphertextBlob"], asked) if name == "Decrypt" else None


def key_arn(identifier: str, asked: Asked) -> str:
    """The ARN of the key that an identifier means, an alias's key for an alias."""
    if identifier.startswith("alias/"):
        return _key_of_alias(own("kms", _alias_name(identifier), asked), asked)
    if not identifier.startswith("arn:"):
        if not _KEY.fullmatch(identifier):
            raise NotFound(f"Invalid keyId '{identifier}'")
        return own("kms", f"key/{identifier}", asked)
    found = given(identifier, "kms", asked)
    kind, _, name = found.resource.partition("/") if found is not None else ("", "", "")
    if kind == "key" and _KEY.fullmatch(name):
        return str(found)
    if kind == "alias" and found is not None:
        _alias_name(found.resource)
        return _key_of_alias(str(found), asked)
    raise InvalidArn(f"Invalid arn {asked.region}")


def _key_of_alias(alias: str, asked: Asked) -> str:
    found = asked.known(alias).get(ALIAS_KEY)
    if found is not None:
        return found
    if asked.operation.name == "DescribeKey":
        # Whoever may describe every key teaches iamd an alias that was not made through it.
        return own("kms", "key/*", asked)
    # SECURITY: the key's own policy, or a denial that names it, could not be seen.
    raise NotFound(f"Alias {alias} is not found.")


def _alias_name(name: str) -> str:
    if not _ALIAS.fullmatch(name):
        raise InvalidAliasName(f"{name} is not a valid alias name.")
    return name


def of_ciphertext(blob: Any, asked: Asked) -> str:
    """The ARN of the key that a ciphertext of the embedded backend names.

    SECURITY: AWS's ciphertexts can't be read; where the key is not one that iamd knows, the request has to name it.
    """
    found = _of_ciphertext(blob, asked)
    if found is None:
        raise invalid("iamd cannot tell which KMS key the ciphertext is of: name it in KeyId, or SourceKeyId.")
    return found


def _of_ciphertext(blob: Any, asked: Asked) -> str | None:
    """The key that a ciphertext names, if it does: one of the caller's account, or else another account's."""
    head = bytes(blob)[:_ID_LENGTH]
    if not _UUID.fullmatch(head):
        return None
    arn = own("kms", f"key/{head.decode()}", asked)
    return arn if asked.known(arn) else asked.named(known_name(arn))


def known_name(arn: str) -> str:
    """What a key is known by beside its ARN: a ciphertext does not tell whose it is."""
    _, _, _, region, _, key = arn.split(":", 5)
    return f"kms:{region}:{key}"


def of_key(arn: str, asked: Asked) -> dict[str, Any]:
    """What is known of a key, and the alias by which the request calls it."""
    known = asked.known(arn)
    found: dict[str, Any] = {name: known[name] for name in FACTS if name in known}
    identifier = asked.parameters.get("KeyId") or ""
    name = identifier.partition(":alias/")[2] if identifier.startswith("arn:") else identifier.partition("alias/")[2]
    return found | ({"request_alias": f"alias/{name}"} if name else {})


def _of_request(asked: Asked) -> dict[str, Any]:
    """What the operation's own parameters tell, with their defaults."""
    parameters, name = asked.parameters, asked.operation.name
    found: dict[str, Any] = {
        **_DEFAULTS.get(name, {}),
        **_renamed(parameters),
        **_encryption_context(parameters.get("EncryptionContext")),
    }
    if name in _WITH_BYPASS:
        found["bypass"] = bool(parameters.get("BypassPolicyLockoutSafetyCheck"))
    if name == "CreateKey":
        found |= _new_key(parameters)
    if name in {"CreateKey", "ReplicateKey"}:
        found["new_key"] = own("kms", "key/*", asked)
    if name == "CreateGrant":
        found |= _grant(parameters)
    return found


_RENAMED: Final = {
    "EncryptionAlgorithm": "algorithm",
    "MessageType": "message_type",
    "PendingWindowInDays": "pending_window",
    "ExpirationModel": "expiration_model",
}


def _renamed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {value: parameters[member] for member, value in _RENAMED.items() if parameters.get(member) is not None}


def _new_key(parameters: Mapping[str, Any]) -> dict[str, Any]:
    multi = bool(parameters.get("MultiRegion"))
    found: dict[str, Any] = {
        "key_spec": parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT",
        "key_usage": parameters.get("KeyUsage") or "ENCRYPT_DECRYPT",
        "key_origin": parameters.get("Origin") or "AWS_KMS",
        "multi_region": multi,
    }
    return found | ({"multi_region_key_type": "PRIMARY"} if multi else {})


def _grant(parameters: Mapping[str, Any]) -> dict[str, Any]:
    constraints = parameters.get("Constraints") or {}
    kinds = [kind for kind in ("EncryptionContextEquals", "EncryptionContextSubset") if constraints.get(kind)]
    if not kinds:
        return {}
    return {"constraint_type": kinds[0], **_encryption_context(constraints[kinds[0]])}


def _encryption_context(context: Mapping[str, str] | None) -> dict[str, Any]:
    return {"encryption_context": context, "encryption_context_keys": list(context)} if context else {}


def re_encrypt(asked: Asked) -> list[Target]:
    """`ReEncryptFrom` on the key of the ciphertext, and `ReEncryptTo` on the new one."""
    parameters = asked.parameters
    named = parameters.get("SourceKeyId")
    source = key_arn(named, asked) if named else of_ciphertext(parameters["CiphertextBlob"], asked)
    if named and _of_ciphertext(parameters["CiphertextBlob"], asked) not in {None, source}:
        # SECURITY: a backend that reads the key out of the ciphertext would use another one than was decided on.
        raise IncorrectKey("The key ID in the request does not identify a CMK that can perform this operation.")
    to = key_arn(parameters["DestinationKeyId"], asked)
    return [
        _one("ReEncryptFrom", source, "Source", asked, same=source == to),
        _one("ReEncryptTo", to, "Destination", asked, same=source == to),
    ]


def _one(action: str, key: str, side: str, asked: Asked, *, same: bool) -> Target:
    parameters = asked.parameters
    told = {
        **asked.place,
        **of_key(key, asked),
        **_encryption_context(parameters.get(f"{side}EncryptionContext")),
        "algorithm": parameters.get(f"{side}EncryptionAlgorithm") or "SYMMETRIC_DEFAULT",
        "same_key": same,
    }
    identifier = parameters.get(f"{side}KeyId") or ""
    if "alias/" in identifier:
        told["request_alias"] = "alias/" + identifier.partition("alias/")[2]
    return Target(arn=key, action=f"kms:{action}", context=keys.of("kms", f"kms:{action}", told))


def update_alias(asked: Asked) -> list[Target]:
    """`UpdateAlias` on the alias, on the key that it has, and on the one that it gets."""
    alias = _named(asked)
    touched = [alias, _key_of_alias(alias, asked), key_arn(asked.parameters["TargetKeyId"], asked)]
    action = "kms:UpdateAlias"
    return [
        Target(arn=arn, action=action, context=keys.of("kms", action, {**asked.place, **of_key(arn, asked)}))
        for arn in dict.fromkeys(touched)
    ]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "re_encrypt": re_encrypt,
    "update_alias": update_alias,
}
