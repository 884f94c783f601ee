"""SAML identity providers: the metadata by which their assertions are verified, and keys to decrypt them with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from msgspec.structs import replace

from iamd import ids
from iamd.call import Call
from iamd.errors import Common, CommonError
from iamd.federation.xml import SAMLMissing
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import moment, named_saml_provider, saml_provider_arn, shown_tags
from iamd.services.iam.errors import EntityAlreadyExists, InvalidInput, LimitExceeded, ValidationError
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.registry import operation, reading
from iamd.store.federation_records import SAMLPrivateKey, SAMLProvider
from iamd.store.records import fold

if TYPE_CHECKING:
    from iamd.federation.metadata import Metadata

PRIVATE_KEY_PURPOSE: Final = "saml-private-key"
MAX_PRIVATE_KEYS: Final = 2
"""AWS: two, so that one can be rotated (IAM API Reference, GetSAMLProvider, PrivateKeyList)."""
MIN_RSA_BITS: Final = 2048
REQUIRED: Final = "Required"
ALLOWED: Final = "Allowed"
"""What AWS shows of a provider that was given no mode."""


def read_metadata(call: Call, *, saml_metadata_document: str | None = None, **_: Any) -> "Metadata | None":
    """What the metadata document says, when one is given, or InvalidInput."""
    if saml_metadata_document is None:
        return None
    # Imported here: a server without SAML has no use for it.
    from iamd.federation import metadata  # noqa: PLC0415

    try:
        return metadata.read(saml_metadata_document)
    except SAMLMissing as error:
        raise CommonError(Common.NOT_IMPLEMENTED, str(error)) from error
    except metadata.InvalidMetadata as error:
        raise InvalidInput("Could not parse metadata") from error


@operation(on=arns.new_saml_provider, prepare=read_metadata)
def create_saml_provider(
    call: Call,
    *,
    saml_metadata_document: str,
    name: str,
    tags: GivenTags | None = None,
    assertion_encryption_mode: str | None = None,
    add_private_key: str | None = None,
) -> dict[str, Any]:
    """Create a provider whose assertions are verified by the certificates in its metadata."""
    if call.account.find(SAMLProvider, "name", fold(name)):
        raise EntityAlreadyExists(f"SAMLProvider {name} already exists.")
    quotas.check_saml_providers(call)
    provider = SAMLProvider(
        name=name,
        provider_id=ids.saml_id(ids.SAML_PROVIDER),
        metadata=saml_metadata_document,
        valid_until=_valid_until(call),
        created=call.now,
        encryption_mode=assertion_encryption_mode,
        tags=checked_tags(SAMLProvider, tags),
    )
    provider = _with_key(call, provider, add_private_key)
    if _lacks_key(provider):
        raise ValidationError("Unable to set assertion encryption mode to Required because no private key is provided.")
    call.put(provider)
    return {"SAMLProviderArn": saml_provider_arn(call.account, provider), **_tags(provider)}


@reading(on=arns.saml_provider)
def get_saml_provider(call: Call, *, saml_provider_arn: str) -> dict[str, Any]:
    """Show a provider; of its private keys only the ids."""
    provider = named_saml_provider(call, saml_provider_arn)
    keys = [{"KeyId": key.key_id, "Timestamp": moment(key.created)} for key in provider.private_keys]
    return {
        "SAMLProviderUUID": provider.provider_id,
        "SAMLMetadataDocument": provider.metadata,
        "CreateDate": moment(provider.created),
        "ValidUntil": moment(provider.valid_until),
        "Tags": shown_tags(provider.tags),
        "AssertionEncryptionMode": provider.encryption_mode or ALLOWED,
        "PrivateKeyList": keys,
    }


@reading(on=arns.anything)
def list_saml_providers(call: Call) -> dict[str, Any]:
    """List the account's providers; AWS's list has no pages."""
    providers = sorted(call.account.all(SAMLProvider), key=lambda provider: provider.name)
    return {
        "SAMLProviderList": [
            {
                "Arn": saml_provider_arn(call.account, provider),
                "ValidUntil": moment(provider.valid_until),
                "CreateDate": moment(provider.created),
            }
            for provider in providers
        ]
    }


@operation(on=arns.saml_provider, prepare=read_metadata)
def update_saml_provider(
    call: Call,
    *,
    saml_provider_arn: str,
    saml_metadata_document: str | None = None,
    assertion_encryption_mode: str | None = None,
    add_private_key: str | None = None,
    remove_private_key: str | None = None,
) -> dict[str, Any]:
    """Set a provider's metadata, how its assertions are encrypted, and the keys that decrypt them."""
    provider = named_saml_provider(call, saml_provider_arn)
    _check_update(saml_metadata_document, assertion_encryption_mode, add_private_key, remove_private_key)
    if saml_metadata_document is not None:
        provider = replace(provider, metadata=saml_metadata_document, valid_until=_valid_until(call))
    if assertion_encryption_mode is not None:
        provider = replace(provider, encryption_mode=assertion_encryption_mode)
    if remove_private_key is not None:
        provider = _without_key(provider, remove_private_key)
    provider = _with_key(call, provider, add_private_key)
    if _lacks_key(provider):
        raise InvalidInput("Failed to set assertion encryption mode to Required because no private key is present.")
    call.put(provider)
    return {"SAMLProviderArn": saml_provider_arn}


@operation(on=arns.saml_provider)
def delete_saml_provider(call: Call, *, saml_provider_arn: str) -> None:
    """Delete a provider; roles go on naming it, and nobody can assume them by it."""
    call.delete(named_saml_provider(call, saml_provider_arn))


def private_keys(call: Call, account_id: str, provider: SAMLProvider) -> Sequence[bytes]:
    """The provider's keys, PEM, for decrypting its assertions."""
    return [
        call.keyring.open(PRIVATE_KEY_PURPOSE, (account_id, key.key_id), key.sealed) for key in provider.private_keys
    ]


def _valid_until(call: Call) -> int:
    """When the metadata ends; where it does not say so AWS shows a hundred years."""
    read: Metadata = call.prepared
    if read.valid_until is not None:
        return read.valid_until
    created = datetime.fromtimestamp(call.now, UTC)
    last_day = created.month == 2 and created.day == 29
    return int(created.replace(year=created.year + 100, day=28 if last_day else created.day).timestamp())


def _check_update(metadata: str | None, mode: str | None, added: str | None, removed: str | None) -> None:
    # AWS's recorded answers.
    if metadata is None and mode is None and added is None and removed is None:
        raise ValidationError(
            "Unable to update identity provider. No updates are defined for metadata or encryption assertion."
        )
    if added is not None and removed is not None:
        raise ValidationError(
            "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters."
        )


def _without_key(provider: SAMLProvider, key_id: str) -> SAMLProvider:
    left = tuple(key for key in provider.private_keys if key.key_id != key_id)
    without = replace(provider, private_keys=left)
    if len(left) == len(provider.private_keys) or _lacks_key(without):
        raise InvalidInput("Failed to remove private key.")
    return without


def _with_key(call: Call, provider: SAMLProvider, pem: str | None) -> SAMLProvider:
    if pem is None:
        return provider
    if len(provider.private_keys) >= MAX_PRIVATE_KEYS:
        raise LimitExceeded(f"Private key limit of {MAX_PRIVATE_KEYS} is reached.")
    key_id = ids.saml_id(ids.SAML_PRIVATE_KEY)
    sealed = call.keyring.seal(PRIVATE_KEY_PURPOSE, (call.account.id, key_id), _checked_key(pem))
    added = SAMLPrivateKey(key_id=key_id, sealed=sealed, created=call.now)
    return replace(provider, private_keys=(*provider.private_keys, added))


def _checked_key(pem: str) -> bytes:
    # Imported here: a server without SAML has no use for it.
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415

    try:
        key = to.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # SECURITY: the words hold nothing of what was given.
        raise InvalidInput("The private key must be an unencrypted RSA key in PEM format.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_RSA_BITS:
        raise InvalidInput(f"The private key must be an RSA key of at least {MIN_RSA_BITS} bits.")
    return key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())


def _lacks_key(provider: SAMLProvider) -> bool:
    return provider.encryption_mode == REQUIRED and not provider.private_keys


def _tags(provider: SAMLProvider) -> dict[str, Any]:
    return {"Tags": shown_tags(provider.tags)} if provider.tags else {}
