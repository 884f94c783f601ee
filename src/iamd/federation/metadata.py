"""SAML metadata of an identity provider: its name, and the certificates that its signatures are verified with.

OASIS, "Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0", 2.3.2 and 2.4.3.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from iamd.federation.xml import NAMESPACES, NotXML, found, name, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_ENTITY_ID: Final = 1024
MIN_RSA_BITS: Final = 1024
"""AWS: "must use a key size of at least 1024 bits" (IAM User Guide, troubleshoot_saml, "Could not parse metadata")."""
MAX_CERTIFICATES: Final = 32


class InvalidMetadata(Exception):
    """The document is no metadata of one SAML 2.0 identity provider."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """`certificates` are those that the provider signs with (DER); `valid_until` is in epoch seconds, if it says so."""

    entity_id: str
    certificates: tuple[bytes, ...]
    valid_until: int | None


@lru_cache(maxsize=128)
def read(document: str) -> Metadata:
    """What a metadata document says, or InvalidMetadata."""
    try:
        root = parse(document.encode())
        if root.tag != name("md", "EntityDescriptor"):
            raise InvalidMetadata("the root is no EntityDescriptor")
        return _read(root)
    except (NotXML, UnicodeEncodeError) as error:
        raise InvalidMetadata(str(error)) from error


def moment(text: str) -> datetime:
    """A time of SAML, which is in UTC (SAML Core, 1.3.3), or ValueError."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None or "T" not in text:
        raise ValueError(text)
    return parsed.astimezone(UTC)


def _read(root: "_Element") -> Metadata:
    entity_id = str(root.get("entityID", ""))
    if not 0 < len(entity_id) <= MAX_ENTITY_ID:
        raise InvalidMetadata("there is no entityID")
    roles = [
        role
        for role in found(root, "md:IDPSSODescriptor")
        if NAMESPACES["samlp"] in str(role.get("protocolSupportEnumeration", "")).split()
    ]
    if len(roles) != 1:
        raise InvalidMetadata("there is not exactly one IDPSSODescriptor of SAML 2.0")
    [role] = roles
    path = "md:KeyDescriptor[not(@use) or @use='signing']/ds:KeyInfo/ds:X509Data/ds:X509Certificate"
    certificates = tuple(dict.fromkeys(_certificate(one) for one in found(role, path)))
    if not 0 < len(certificates) <= MAX_CERTIFICATES:
        raise InvalidMetadata("there is no certificate to verify signatures with")
    ends = [_ends(str(one.get("validUntil"))) for one in (root, role) if one.get("validUntil") is not None]
    return Metadata(entity_id, certificates, min(ends, default=None))


def _ends(text: str) -> int:
    try:
        return int(moment(text).timestamp())
    except ValueError as error:
        raise InvalidMetadata("validUntil is no time") from error


def _certificate(element: "_Element") -> bytes:
    try:
        der = base64.b64decode("".join(text_of(element).split()), validate=True)
        key = x509.load_der_x509_certificate(der).public_key()
    except (binascii.Error, ValueError) as error:
        raise InvalidMetadata("a certificate can't be read") from error
    if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return der
    if isinstance(key, EllipticCurvePublicKey):
        return der
    raise InvalidMetadata("a certificate's key is too small, or of another kind than RSA and EC")
