"""By which algorithm moto's keys of KMS encrypt: one that the key has, and decrypt by the one that has encrypted.

AWS: KMS API Reference, Encrypt, Decrypt ("If you specify a different algorithm, the Decrypt operation fails") and
ReEncrypt; InvalidKeyUsageException: "The encryption algorithm or signing algorithm specified for the operation is
incompatible with the type of key material in the KMS key"; Developer Guide, "Encryption context": it is of symmetric
encryption keys alone. The words are iamd's.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from moto.kms.exceptions import ValidationException
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

from iamd.backend.key_states import KeyRefused
from iamd.backend.replacement import replace

_SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
_USUAL: Final = (_SYMMETRIC, _SYMMETRIC)
_ASKED: Final[ContextVar[tuple[str, str]]] = ContextVar("algorithms", default=_USUAL)
"""By what the request decrypts, and by what it encrypts."""
_MEMBERS: Final = {
    "decrypt": ("EncryptionAlgorithm", "EncryptionAlgorithm"),
    "encrypt": ("EncryptionAlgorithm", "EncryptionAlgorithm"),
    "re_encrypt": ("SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm"),
}
_BOUND: Final = "algorithm"


def install() -> None:
    """Have moto look at the algorithm, and bind what it encrypts to it."""
    for name, members in _MEMBERS.items():
        replace(KmsResponse, name, partial(_noted, members))
    replace(KmsBackend, "encrypt", _encrypting)
    replace(KmsBackend, "decrypt", _decrypting)


def _noted(members: tuple[str, str], original: Callable[[Any], str]) -> Callable[[Any], str]:
    def answer(response: Any) -> str:
        asked = [response._get_param(name) or _SYMMETRIC for name in members]  # noqa: SLF001 - there is no other way
        token = _ASKED.set((asked[0], asked[1]))
        try:
            return original(response)
        finally:
            _ASKED.reset(token)

    return answer


def _encrypting(original: Callable[..., Any]) -> Callable[..., Any]:
    def encrypt(backend: Any, key_id: str, plaintext: bytes, encryption_context: dict[str, str]) -> Any:
        algorithm = _ASKED.get()[1]
        _check(backend.describe_key(key_id), algorithm)
        return original(backend, key_id, plaintext, _context(algorithm, encryption_context))

    return encrypt


def _decrypting(original: Callable[..., Any]) -> Callable[..., Any]:
    def decrypt(
        backend: Any, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> tuple[bytes, str]:
        algorithm = _ASKED.get()[0]
        plaintext, arn = original(backend, ciphertext_blob, _context(algorithm, encryption_context), key_id)
        # SECURITY: the algorithm was decided on (kms:EncryptionAlgorithm), and another one must not stand for it.
        _check(backend.describe_key(arn), algorithm)
        return plaintext, arn

    return decrypt


def _check(key: Any, algorithm: str) -> None:
    if algorithm not in (key.encryption_algorithms or ()):
        words = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        raise KeyRefused("InvalidKeyUsageException", words)


def _context(algorithm: str, given: dict[str, str]) -> dict[str, str]:
    """What binds a ciphertext; of an asymmetric key the algorithm, as there is no context of the caller's."""
    if algorithm == _SYMMETRIC:
        return given
    if given:
        raise ValidationException("An encryption context is of symmetric encryption keys alone.")
    return {_BOUND: algorithm}
