"""Keys of KMS by their ARNs, which moto takes for some operations and not for these, their ids, and ReEncrypt.

AWS: KMS API Reference, the KeyId of each: "Specify the key ID or key ARN of the KMS key".
"""

from collections.abc import Callable
from typing import Any, Final

from moto.kms import models
from moto.kms.models import KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from iamd import arn as arns
from iamd.backend import dry_runs, encryption_algorithms, grants, key_parameters, key_states, signatures
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import MISMATCH, Refused

_BY_ID: Final = ("enable_key", "disable_key", "schedule_key_deletion", "cancel_key_deletion")


def install() -> None:
    """Have them find a key by its ARN too, and ReEncrypt the keys that were decided on."""
    for name in _BY_ID:
        replace(KmsBackend, name, _by_id)
    replace(KmsBackend, "re_encrypt", always(_re_encrypted))
    replace(KmsBackend, "create_key", _made)
    replace(models, "generate_key_id", _key_id)
    replace(KmsResponse, "_validate_cmk_id", _validated)
    grants.install()
    encryption_algorithms.install()
    key_parameters.install()
    signatures.install()
    key_states.install()
    dry_runs.install_kms()


def _by_id(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(backend: Any, key_id: str, *given: Any, **named: Any) -> Any:
        return original(backend, backend.get_key_id(key_id), *given, **named)

    return change


def _made(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_key(backend: Any, policy: str | None, key_usage: str | None, *given: Any, **named: Any) -> Any:
        """A key that is there for something, of which moto tells nothing where the request does not.

        AWS: KMS API Reference, CreateKey: "The default value is ENCRYPT_DECRYPT".
        """
        return original(backend, policy, key_usage or "ENCRYPT_DECRYPT", *given, **named)

    return create_key


def _key_id(original: Callable[..., str]) -> Callable[..., str]:
    def generate_key_id(multi_region: bool = False) -> str:
        """A key's id, of 36 characters always: moto's ciphertexts begin with them, and name no key by more.

        AWS: KMS Developer Guide, "Multi-Region keys in AWS KMS": mrk-1234abcd12ab34cd56ef1234567890ab.
        """
        found = original()
        return f"mrk-{found.replace('-', '')}" if multi_region else found

    return generate_key_id


def _validated(original: Callable[[KmsResponse, str], None]) -> Callable[[KmsResponse, str], None]:
    def validate_cmk_id(response: KmsResponse, key_id: str) -> None:
        """Refuse a key that is not there; the form of multi-Region keys' ids moto takes within ARNs alone."""
        verdict = CURRENT.get()
        place = f"{verdict.region}:{verdict.account_id}"
        original(response, f"arn:aws:kms:{place}:key/{key_id}" if key_id.startswith("mrk-") else key_id)

    return validate_cmk_id


def _re_encrypted(
    _: Any,
    *,
    ciphertext_blob: bytes,
    source_encryption_context: dict[str, str],
    destination_key_id: str,
    destination_encryption_context: dict[str, str],
) -> tuple[bytes, str, str]:
    """A ciphertext of one key as one of another, each in its own account."""
    del destination_key_id
    reached = CURRENT.get().reached
    if len(reached) != 2:
        raise Refused(MISMATCH, "not two keys")
    # SECURITY: moto would decrypt by whatever key the ciphertext names, which SourceKeyId is there to prevent.
    source, destination = reached
    plaintext, _source = _keys_of(source).decrypt(ciphertext_blob, source_encryption_context, source)
    encrypted, _destination = _keys_of(destination).encrypt(destination, plaintext, destination_encryption_context)
    return encrypted, source, destination


def _keys_of(arn: str) -> Any:
    """The keys of the account of a key."""
    found = arns.parse(arn)
    if found is None:
        raise Refused(MISMATCH, "no key")
    return kms_backends[found.account][found.region]
