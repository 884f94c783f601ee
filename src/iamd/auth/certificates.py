"""X.509 certificates (RFC 5280), their chains and private keys, in PEM (RFC 7468) with nothing beside it."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as Parsed

_BLOCK = r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----"
_ONE = re.compile(_BLOCK)
_MANY = re.compile(rf"{_BLOCK}(?:\s*{_BLOCK})*")
_PRIVATE_KEY = re.compile(r"-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----\s[A-Za-z0-9+/=\s]+-----END \1-----")


class MalformedCertificateError(Exception):
    """The text is not one certificate in PEM."""


class UnreadablePrivateKeyError(Exception):
    """The text is not one private key in PEM, or it is encrypted, or of another algorithm than RSA and ECDSA."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, and what of it is asked for again and again."""

    parsed: "Parsed"
    der: bytes
    not_before: datetime
    not_after: datetime

    @property
    def sha1(self) -> str:
        """The SHA-1 of the DER in base32, 32 characters: the id of a signing certificate as AWS makes it."""
        return base64.b32encode(hashlib.sha1(self.der, usedforsecurity=False).digest()).decode("ascii")

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the moment is in the certificate's validity (RFC 5280, 4.1.2.5), its ends included."""
        return self.not_before <= moment <= self.not_after


def read(text: str) -> Certificate:
    """The one certificate in a text; MalformedCertificateError when there is something else, or something beside it."""
    # Imported here: a server that sees no certificate has no use for three megabytes of code.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    pem = text.strip()
    if not _ONE.fullmatch(pem):
        raise MalformedCertificateError
    try:
        parsed = load_pem_x509_certificate(pem.encode())
        # A certificate whose key cannot be read would fail later, where nobody expects it.
        parsed.public_key()
        return Certificate(
            parsed, parsed.public_bytes(Encoding.DER), parsed.not_valid_before_utc, parsed.not_valid_after_utc
        )
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedCertificateError from error


def read_chain(text: str) -> list[Certificate]:
    """The certificates in a text, one at least; MalformedCertificateError when there is anything else in it."""
    pem = text.strip()
    if not _MANY.fullmatch(pem):
        raise MalformedCertificateError
    return [read(block) for block in _ONE.findall(pem)]


def misplaced_issuer(certificate: Certificate, chain: Sequence[Certificate]) -> int | None:
    """None when each certificate is issued by the one behind it; or where in the chain an issuer stands instead, or -1.

    Issued means: its issuer is the other's subject, and the other's key made its signature (RFC 5280, 6.1.3).
    """
    for place, (one, behind) in enumerate(pairwise([certificate, *chain])):
        if not _is_issued_by(one, behind):
            found = (index for index, other in enumerate(chain) if index != place and _is_issued_by(one, other))
            return next(found, -1)
    return None


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        certificate.parsed.verify_directly_issued_by(issuer.parsed)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def is_pair(certificate: Certificate, private_key: bytes) -> bool:
    """Whether a private key, as `read_private_key` gives it, is the one of the certificate's public key."""
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415

    of_certificate = certificate.parsed.public_key()
    of_key = to.load_der_private_key(private_key, None).public_key()
    form = (to.Encoding.DER, to.PublicFormat.SubjectPublicKeyInfo)
    return of_certificate.public_bytes(*form) == of_key.public_bytes(*form)


def read_private_key(text: str) -> bytes:
    """The RSA or elliptic curve key in an unencrypted PEM, as PKCS#8 in DER (RFC 5958); UnreadablePrivateKeyError."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415

    pem = text.strip()
    if not _PRIVATE_KEY.fullmatch(pem):
        raise UnreadablePrivateKeyError
    try:
        key = to.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnreadablePrivateKeyError from error
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise UnreadablePrivateKeyError
    return key.private_bytes(to.Encoding.DER, to.PrivateFormat.PKCS8, to.NoEncryption())
