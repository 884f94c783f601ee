"""What moto's keys of KMS refuse: one that is disabled, or going to be deleted, all use, one that signs to encrypt.

AWS: KMS Developer Guide, "Key states of AWS KMS keys", the table and its notes, with the errors and their words. For
the use of a key that is pending deletion the notes have two errors, DisabledException and KMSInvalidStateException: the
second is taken, as it is the one for changes of such a key.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.kms.models import Key, KmsBackend

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import argument, replace

_USES: Final = (
    "create_grant", "disable_key_rotation", "enable_key_rotation", "get_public_key", "replicate_key",
    "rotate_key_on_demand",
)  # fmt: skip
"""What needs a key that is enabled."""

_USAGES: Final = {
    "encrypt": "ENCRYPT_DECRYPT",
    "generate_mac": "GENERATE_VERIFY_MAC",
    "sign": "SIGN_VERIFY",
    "verify": "SIGN_VERIFY",
}
"""What needs one that is there for it. Data keys are made by `encrypt`, and messages verified by `generate_mac`."""

_CHANGES: Final = {
    "create_alias": "target_key_id",
    "disable_key": "key_id",
    "enable_key": "key_id",
    "schedule_key_deletion": "key_id",
    "tag_resource": "arn",
    "untag_resource": "arn",
    "update_alias": "target_key_id",
    "update_key_description": "key_id",
}
"""What needs a key that is not going to be deleted, and the parameter that names it."""

_DISABLED: Final = "Disabled"
_PENDING: Final = "PendingDeletion"


class KeyRefused(JsonRESTError):
    """An error of KMS with its words."""

    code = 400


def install() -> None:
    """Have each operation look at the state of its key first."""
    for name in _USES:
        replace(KmsBackend, name, _checked("key_id", usable))
    for name, usage in _USAGES.items():
        replace(KmsBackend, name, _checked("key_id", partial(_usable_for, usage)))
    for name, parameter in _CHANGES.items():
        replace(KmsBackend, name, _checked(parameter, _staying))
    replace(KmsBackend, "cancel_key_deletion", _checked("key_id", _going))
    replace(KmsBackend, "decrypt", _decrypting)


def _checked(parameter: str, check: Callable[[Key], None]) -> Callable[[Any], Any]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def checked(backend: Any, *given: Any, **named: Any) -> Any:
            key = backend.keys.get(backend.any_id_to_key_id(argument(original, parameter, backend, *given, **named)))
            if key is not None:
                check(key)
            return original(backend, *given, **named)

        return checked

    return make


def _decrypting(original: Callable[..., Any]) -> Callable[..., Any]:
    def decrypt(
        backend: Any, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> tuple[bytes, str]:
        """The plaintext, by the key that the ciphertext names: its state counts, and so does that it was asked for."""
        plaintext, arn = original(backend, ciphertext_blob, encryption_context)
        key = backend.describe_key(arn)
        if key_id is not None and backend.any_id_to_key_id(key_id) != key.id:
            # AWS: KMS API Reference, Decrypt: the KeyId must identify the key that has encrypted the ciphertext.
            raise KeyRefused(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
        usable(key)
        return plaintext, arn

    return decrypt


def usable(key: Key) -> None:
    """Refuse a key that is not enabled."""
    if key.key_state == _DISABLED:
        raise KeyRefused("DisabledException", f"{key.arn} is disabled.")
    _staying(key)


def _usable_for(usage: str, key: Key) -> None:
    """Refuse a key that is not enabled, or is there for something else.

    The words are those that KMS is seen to answer (jwt-kms, issue 4).
    """
    usable(key)
    if key.key_usage != usage:
        operation = CURRENT.get().operation
        words = f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}."
        raise KeyRefused("InvalidKeyUsageException", words)


def _staying(key: Key) -> None:
    if key.key_state == _PENDING:
        raise KeyRefused("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _going(key: Key) -> None:
    if key.key_state != _PENDING:
        raise KeyRefused("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
