"""What moto's keys of KMS sign and verify: digests as they are, and nothing that was signed otherwise.

AWS: KMS API Reference, Sign and Verify (MessageType; KMSInvalidSignatureException); KMS Developer Guide, "Asymmetric
key specs": the salt of RSASSA-PSS is as long as the hash. The words for a digest's length are those that KMS is seen
to answer (awslabs/aws-sdk-rust, discussion 571).
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms.exceptions import ValidationException
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.kms.utils import ECDSAPrivateKey, RSAPrivateKey

from iamd.backend.key_states import KeyRefused
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_RAW: Final = "RAW"
_DIGEST: Final = "DIGEST"
_TYPE: Final[ContextVar[str]] = ContextVar("message_type", default=_RAW)
"""What the message of the request is that this thread runs."""

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}
_LENGTH: Final = len("SHA_256")


def install() -> None:
    """Have keys sign and verify by the type of the message, and say so where a signature does not hold."""
    for name in ("sign", "verify"):
        replace(KmsResponse, name, _typed)
    replace(KmsBackend, "verify", _verified)
    for of in (RSAPrivateKey, ECDSAPrivateKey):
        replace(of, "sign", always(_sign))
        replace(of, "verify", always(_holds))


def _typed(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def typed(response: Any) -> str:
        told = response._get_param("MessageType") or _RAW  # noqa: SLF001 - moto's responses have no other way
        if told not in {_RAW, _DIGEST}:
            raise Refused(NOT_TAKEN, f"the MessageType {told}")
        token = _TYPE.set(told)
        try:
            return original(response)
        finally:
            _TYPE.reset(token)

    return typed


def _verified(original: Callable[..., tuple[str, bool, str]]) -> Callable[..., tuple[str, bool, str]]:
    def verify(
        backend: Any, key_id: str, message: bytes, signature: bytes, signing_algorithm: str
    ) -> tuple[str, bool, str]:
        found = original(backend, key_id, message, signature, signing_algorithm)
        if not found[1]:
            # SECURITY: AWS answers an error, and who waits for one would take any answer for a signature that holds.
            raise KeyRefused("KMSInvalidSignatureException", "")
        return found

    return verify


def _sign(key: Any, message: bytes, signing_algorithm: str) -> bytes:
    signature: bytes = key.private_key.sign(message, *_by(key, message, signing_algorithm))
    return signature


def _holds(key: Any, message: bytes, signature: bytes, signing_algorithm: str) -> bool:
    try:
        key.private_key.public_key().verify(signature, message, *_by(key, message, signing_algorithm))
    except InvalidSignature:
        return False
    return True


def _by(key: Any, message: bytes, signing_algorithm: str) -> tuple[Any, ...]:
    """How a message is signed, as the library has it."""
    found = _HASHES[signing_algorithm[-_LENGTH:]]
    hashed: Any = found
    if _TYPE.get() == _DIGEST:
        if len(message) != found.digest_size:
            raise ValidationException(f"Digest is invalid length for algorithm {signing_algorithm}.")
        hashed = Prehashed(found)
    if isinstance(key, ECDSAPrivateKey):
        return (ec.ECDSA(hashed),)
    if "PSS" in signing_algorithm:
        return padding.PSS(padding.MGF1(found), padding.PSS.DIGEST_LENGTH), hashed
    return padding.PKCS1v15(), hashed
