"""The keys that Secrets Manager uses for its callers: those of the secrets whose values are written and read.

AWS: KMS Developer Guide, services-secrets-manager; Secrets Manager API Reference, CreateSecret, UpdateSecret,
BatchGetSecretValue and ReplicateSecretToRegions ("Required permissions").
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.secretsmanager import UNKNOWN_SUFFIX, secret_arn
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses import by_version
from iamd.gateway.key_uses.answers import Told, told_in
from iamd.gateway.key_uses.named import KEY, of_secret
from iamd.gateway.key_uses.use import DECRYPT, ENCRYPT, GENERATE, Use, Work

SERVICE: Final = "secretsmanager"
_VALIDATING: Final = "RequestToValidateKeyAccess"
_VALUES: Final = ("SecretString", "SecretBinary")


async def before(work: Work) -> list[Use]:
    """What Secrets Manager asks of KMS before it answers."""
    given, has_value = work.given, any(work.given.get(name) is not None for name in _VALUES)
    if work.name == "CreateSecret":
        arn = work.step.targets[0].arn
        return [*_established(given.get("KmsKeyId"), arn, work), *_written(given.get("KmsKeyId"), arn, work, has_value)]
    arn = secret_arn(given["SecretId"], work.asked)
    has_key = "KmsKeyId" in given
    if not has_value and not has_key and work.name != "ReplicateSecretToRegions":
        return []
    known = await key_of(arn, work)
    if known is None:
        # There is no such secret.
        return []
    arn, present = known
    if work.name == "ReplicateSecretToRegions":
        return [_use(DECRYPT, present, arn, work), *_replicas(arn, work)]
    if not has_key:
        return _written(present, arn, work, has_value)
    named = given.get("KmsKeyId") or None
    # What is there is encrypted anew, and nobody gets at it by a key of their own.
    again = [_use(action, key, arn, work) for action, key in ((DECRYPT, present), (ENCRYPT, named))]
    if named != present:
        work.step.encrypted_anew = await _staged(arn, work)
    else:
        again = []
    return [*_established(named, arn, work), *again, *_written(named, arn, work, has_value)]


def _written(key: str | None, arn: str, work: Work, has_value: bool) -> list[Use]:
    """A new version of a secret."""
    version = work.given.get("ClientRequestToken") or ""
    return [_use(GENERATE, key, arn, work, version)] if has_value else []


def _established(key: str | None, arn: str, work: Work) -> list[Use]:
    """The key that a secret gets, which the caller must be able to use, and its replicas' keys."""
    found = [_use(action, key, arn, work, _VALIDATING) for action in (GENERATE, DECRYPT)] if key else []
    return [*found, *_replicas(arn, work)]


def _replicas(arn: str, work: Work) -> Iterator[Use]:
    for replica in work.given.get("AddReplicaRegions") or []:
        key, region = replica.get("KmsKeyId"), replica.get("Region")
        if key and region:
            there = arn.replace(f":{work.asked.region}:", f":{region}:", 1)
            for action in (GENERATE, ENCRYPT):
                yield _use(action, key, there, work, _VALIDATING, region)


async def _staged(arn: str, work: Work) -> list[str]:
    """The versions that are encrypted anew when their secret gets another key."""
    told = await work.told("DescribeSecret", {"SecretId": arn}) or {}
    stages: Mapping[str, list[str]] = told.get("VersionIdsToStages") or {}
    return [version for version, labels in stages.items() if not by_version.ENCRYPTED_ANEW.isdisjoint(labels)]


async def after(work: Work, body: bytes) -> list[Use]:
    """What has been decrypted for an answer."""
    if work.name != "GetSecretValue":
        await _remember(work, body)
        return []
    return await shown(told_in(body), work)


async def _remember(work: Work, body: bytes) -> None:
    """Remember by which key versions are encrypted, and the keys that replicas have."""
    try:
        told = told_in(body)
        arn = await _whole(str(told["ARN"]), work)
    except (KeyError, NotToldError):
        # It is done; what is not known of a version needs every key that it may have.
        return
    for replica in work.given.get("AddReplicaRegions") or []:
        region = str(replica.get("Region"))
        there = arn.replace(f":{work.asked.region}:", f":{region}:", 1)
        await work.note(there, {KEY: str(replica.get("KmsKeyId") or "")})
    key, has_value = work.step.encrypted_by, any(work.given.get(name) is not None for name in _VALUES)
    versions = [*work.step.encrypted_anew, *([str(told["VersionId"])] if has_value and "VersionId" in told else [])]
    if versions and key is not None:
        await by_version.remember(arn, versions, key, work, is_first=work.name == "CreateSecret")


async def _whole(arn: str, work: Work) -> str:
    """The ARN of a secret that some backends tell by whatever it was named by."""
    if arn.startswith("arn:"):
        return arn
    known = await key_of(secret_arn(arn, work.asked), work)
    return known[0] if known is not None else arn


async def shown(told: Told, work: Work) -> list[Use]:
    """What has been decrypted to show a version of a secret."""
    if not any(told.get(name) is not None for name in _VALUES):
        return []
    arn = str(told.get("ARN") or work.step.targets[0].arn)
    found, version = await key_of(arn, work), str(told.get("VersionId") or "")
    if found is None:
        return [_use(DECRYPT, None, arn, work, version, any_key=True)]
    whole, present = found
    versions = by_version.known(whole, work)
    if version in versions:
        keys = [versions[version]]
    elif not work.is_embedded and by_version.ENCRYPTED_ANEW.isdisjoint(told.get("VersionStages") or ()):
        return [_use(DECRYPT, None, whole, work, version, any_key=True)]
    else:
        keys = list(dict.fromkeys([present or "", *(by_version.may_be(whole, work) if versions else [])]))
    return [_use(DECRYPT, key or None, whole, work, version) for key in keys]


async def key_of(arn: str, work: Work) -> tuple[str, str | None] | None:
    """A secret's whole ARN and its key, None for the service's own; None when there is no such secret."""
    known = work.facts.known(arn).get(KEY)
    if known is not None:
        return arn, known or None
    named = arn.removesuffix(UNKNOWN_SUFFIX)
    identifier = arn if named == arn else named.partition(":secret:")[2]
    account = account_of(arn) or work.asked.account
    backend = None if work.asked.operation.service == SERVICE else work.backends.of(SERVICE, account, work.asked.region)
    told = await work.told(
        "DescribeSecret",
        {"SecretId": identifier},
        service=SERVICE,
        account=account,
        backend=backend.backend if backend is not None else None,
    )
    if told is None:
        return None
    whole, key = str(told.get("ARN") or arn), of_secret(told, work.asked.region)
    if "ARN" in told:
        await work.note(whole, {KEY: key})
    return whole, key or None


def _use(
    action: str,
    key: str | None,
    arn: str,
    work: Work,
    version: str | None = None,
    region: str | None = None,
    *,
    any_key: bool = False,
) -> Use:
    context: Mapping[str, Any] = {"SecretARN": arn, **({"SecretVersionId": version} if version else {})}
    account = account_of(arn) or work.asked.account
    where = region or work.asked.region
    return Use(action=action, key=key, account=account, region=where, context=context, any_key=any_key)
