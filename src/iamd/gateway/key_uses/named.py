"""The keys that requests give to things, as they are remembered of those."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions import kms
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, Of
from iamd.gateway.resources import Facts

UNSETTLED: Final = "?"
KEY: Final = "kms_key"
"""The fact by which key a thing is encrypted: empty for the service's own."""


def whole(named: str | None, asked: Asked) -> str:
    """The key that a request names, by its ARN where that is known: an alias may be given to another key later."""
    if not named:
        return ""
    if "alias/aws/" in named:
        return named
    try:
        return kms.key_arn(named, asked)
    except AWSError:
        return named


def nothing(_: Asked, __: str, ___: Facts) -> None:
    """The effect of a request that changes nothing but a key."""


def keyed(of: Of, key: Callable[[Asked], str | None]) -> Of:
    """The effect of a request that may give its first target a key, or take it away; None says nothing of keys."""

    def effect(asked: Asked, arn: str, facts: Facts) -> Effect | None:
        found, named = of(asked, arn, facts), key(asked)
        if named is None or (asked.operation.name.startswith("Create") and facts.get(arn) is not None):
            # SECURITY: who asks for what is there already gives it no other key.
            return found
        before = facts.known(arn).get(KEY)

        def refused(known: Mapping[str, str]) -> Mapping[str, str]:
            kept = {name: value for name, value in known.items() if name != KEY}
            return kept if before is None else {**kept, KEY: before}

        return dataclasses.replace(
            found or Effect(Kind.NOTE, arn),
            begun=lambda known: {**known, KEY: UNSETTLED},
            done=lambda known: {**known, KEY: named},
            refused=refused if facts.get(arn) is not None else None,
        )

    return effect


def of_attributes(asked: Asked) -> str | None:
    """The key among the attributes of a queue or a topic that is made or changed."""
    attributes: Any = asked.parameters.get("Attributes") or {}
    named = attributes.get("KmsMasterKeyId")
    return str(named) if named is not None else None


def of_attribute(asked: Asked) -> str | None:
    """The key, where it is the attribute of a topic that is changed."""
    if asked.parameters.get("AttributeName") != "KmsMasterKeyId":
        return None
    return str(asked.parameters.get("AttributeValue") or "")


def of_stream(asked: Asked) -> str | None:
    """The key of a stream whose encryption begins or ends."""
    return str(asked.parameters.get("KeyId") or "") if asked.operation.name == "StartStreamEncryption" else ""


def of_secret(told: Mapping[str, Any], region: str) -> str:
    """The key of a secret that is described in a Region, empty for the service's own.

    AWS: Secrets Manager API Reference, ReplicateSecretToRegions: a replica without a key of its own has the service's
    in its Region. Some backends tell the primary's key of it.
    """
    key = str(told.get("KmsKeyId") or "")
    is_replica = told.get("PrimaryRegion") not in {None, "", region}
    return "" if is_replica and f":kms:{region}:" not in key else key


def of_table(given: Mapping[str, Any]) -> str | None:
    """The key that a table gets, empty for DynamoDB's own in no account; None where nothing is said of it."""
    encryption = given.get("SSESpecification")
    if not encryption:
        return None
    # AWS: DynamoDB API Reference, SSESpecification: without a key it is alias/aws/dynamodb.
    return str(encryption.get("KMSMasterKeyId") or "alias/aws/dynamodb") if encryption.get("Enabled") else ""
