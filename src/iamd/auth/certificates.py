"""X.509 certificates (RFC 5280) in PEM (RFC 7468): read whole, and nothing beside them."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as Parsed

_BLOCK = r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----"
_ONE = re.compile(_BLOCK)


class MalformedCertificateError(Exception):
    """The text is not one certificate in PEM."""


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
