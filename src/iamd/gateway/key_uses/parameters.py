"""The keys that Parameter Store uses for its callers: those of SecureString parameters that are written and decrypted.

AWS: KMS Developer Guide, services-parameter-store; Systems Manager User Guide, secure-string-parameter-kms-encryption.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.secretsmanager import secret_arn
from iamd.gateway.actions.ssm import SECRET_REFERENCE, parameter_arn
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses import by_version, secrets
from iamd.gateway.key_uses.answers import Told, told_in
from iamd.gateway.key_uses.named import KEY
from iamd.gateway.key_uses.use import DECRYPT, ENCRYPT, GENERATE, Use, Work

_SECURE: Final = "SecureString"
_REFERENCE: Final = f"/{SECRET_REFERENCE.removeprefix(':parameter/')}"
_ANY: Final = "*"
_LARGEST_STANDARD: Final = 4096
"""Systems Manager User Guide, parameter-store-advanced-parameters: what is larger is advanced."""


async def before(work: Work) -> list[Use]:
    """What Parameter Store asks of KMS before it answers."""
    given = work.given
    arn = parameter_arn(given["Name"], work.asked)
    if given.get("Type", _SECURE) != _SECURE:
        return []
    known = None if given.get("Type") else await _described(arn, work)
    if known is None and not given.get("Type"):
        return []
    if known is not None and known.get("Type") != _SECURE:
        return []
    is_advanced = _is_advanced(given) or (known or {}).get("Tier") == "Advanced"
    action = GENERATE if is_advanced else ENCRYPT
    return [_use(action, given.get("KeyId") or None, arn, work)]


def _is_advanced(given: Told) -> bool:
    if given.get("Tier") == "Intelligent-Tiering":
        return bool(given.get("Policies")) or len(str(given.get("Value", "")).encode()) > _LARGEST_STANDARD
    return given.get("Tier") == "Advanced"


async def after(work: Work, body: bytes) -> list[Use]:
    """What has been decrypted for an answer."""
    if work.name == "PutParameter":
        await _remember(work, body)
        return []
    if work.given.get("WithDecryption") is not True:
        return []
    found: dict[tuple[str, str], Use] = {}
    for told in _shown(told_in(body)):
        if told.get("Type") == _SECURE:
            secret = _secret_in(told, work)
            if secret is not None:
                found[secret, ""] = await _of_secret(secret, work)
                continue
            arn = str(told.get("ARN") or parameter_arn(told["Name"], work.asked))
            for key in await _keys_of(arn, told, work):
                found[arn, key] = _of_key(key, arn, work)
    return list(found.values())


async def _remember(work: Work, body: bytes) -> None:
    """Remember by which key a version is encrypted."""
    key = work.step.encrypted_by
    try:
        version = str(told_in(body)["Version"]) if key is not None else ""
    except (KeyError, NotToldError):
        # It is done; what is not known of a version needs every key that it may have.
        return
    if key is not None:
        arn = parameter_arn(work.given["Name"], work.asked)
        await work.note(arn, {KEY: key})
        await by_version.remember(arn, [version], key, work, is_first=version == "1")


async def _keys_of(arn: str, told: Told, work: Work) -> list[str]:
    """The keys that what is shown of a parameter is encrypted by, empty for the service's own."""
    versions, version = by_version.known(arn, work), str(told.get("Version"))
    if version in versions:
        return [versions[version]]
    if versions or work.is_embedded:
        return by_version.may_be(arn, work) or [await _key_of(arn, work)]
    if "KeyId" not in told and not any(_selects(name) for name in _named(work.given)):
        return [await _key_of(arn, work)]
    key = str(told.get("KeyId", _ANY))
    # An alias may be another key's by now.
    return [_ANY] if "alias/" in key and "alias/aws/" not in key else [key]


def _named(given: Told) -> list[str]:
    return [str(name) for name in [given.get("Name") or "", *(given.get("Names") or ())]]


def _selects(name: str) -> bool:
    """Whether a name ends in a version or a label."""
    return ":" in (name.partition(":parameter/")[2] if name.startswith("arn:") else name)


def _of_key(key: str, arn: str, work: Work) -> Use:
    found = _use(DECRYPT, key or None, arn, work)
    return replace(found, key=None, any_key=True) if key == _ANY else found


def _shown(told: Told) -> Iterator[dict[str, Any]]:
    if "Parameter" in told:
        yield told["Parameter"]
    yield from told.get("Parameters") or ()


def _secret_in(told: Told, work: Work) -> str | None:
    """The ARN of the secret that a parameter stands for, which is described beside it."""
    described = told.get("SourceResult")
    if described:
        secret: str = told_in(str(described).encode())["ARN"]
        return secret
    name = str(told.get("Name"))
    return secret_arn(name.removeprefix(_REFERENCE), work.asked) if name.startswith(_REFERENCE) else None


async def _of_secret(secret: str, work: Work) -> Use:
    """AWS: Systems Manager User Guide, integration-ps-secretsmanager: the caller's rights to the secret count."""
    known = await secrets.key_of(secret, work)
    if known is None:
        raise NotToldError("the secret is not described")
    use = _use(DECRYPT, known[1], known[0], work)
    return replace(use, context={"SecretARN": known[0]}, through=secrets.SERVICE)


async def _key_of(arn: str, work: Work) -> str:
    """The key of a parameter, empty for the service's own."""
    known = work.facts.known(arn).get(KEY)
    if known is not None:
        return known
    told = await _described(arn, work)
    if told is None:
        raise NotToldError("the parameter is not described")
    key = str(told.get("KeyId") or "")
    await work.note(arn, {KEY: key})
    return key


async def _described(arn: str, work: Work) -> Told | None:
    """The metadata of a parameter; None when there is none."""
    name = arn.partition(":parameter/")[2]
    names = [f"/{name}"] if "/" in name else [name]
    filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
    told = await work.told("DescribeParameters", {"ParameterFilters": filters}, account=account_of(arn))
    found = (told or {}).get("Parameters") or []
    return found[0] if found else None


def _use(action: str, key: str | None, arn: str, work: Work) -> Use:
    account = account_of(arn) or work.asked.account
    return Use(action=action, key=key, account=account, region=work.asked.region, context={"PARAMETER_ARN": arn})
