"""Security keys in software, as far as their registration goes, and what the FIDO Alliance says of their models."""

import base64
import datetime as dt
import hashlib
import json
import os
import struct
import uuid
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Maker:
    """Who makes security keys, and attests them by certificates of its own."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    @property
    def root(self) -> bytes:
        """The certificate, DER, of who makes them."""
        return _certificate("Maker", "Maker", self.key, self.key, ca=True)


@dataclass
class Model:
    """A model of security keys; `named` is the AAGUID in its certificate, and without a maker there is none."""

    maker: Maker | None = None
    aaguid: uuid.UUID = field(default_factory=uuid.uuid4)
    named: uuid.UUID | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def entry(self, *statuses: dict[str, Any], roots: tuple[bytes, ...] | None = None) -> dict[str, Any]:
        """What the Metadata Service says of it."""
        trusted = (self.maker.root if self.maker else b"",) if roots is None else roots
        certificates = [base64.b64encode(root).decode() for root in trusted]
        statement = {"attestationRootCertificates": certificates}
        return {"aaguid": str(self.aaguid), "metadataStatement": statement, "statusReports": list(statuses)}

    def registered(self, options: dict[str, Any], origin: str) -> str:
        """What a new key of this model answers to `navigator.credentials.create` (WebAuthn Level 3, 6.5)."""
        credential_id, own = os.urandom(16), new_key()
        data = hashlib.sha256(options["rp"]["id"].encode()).digest() + b"\x41" + struct.pack(">I", 1)
        data += self.aaguid.bytes + struct.pack(">H", len(credential_id)) + credential_id + _cose(own)
        client = {"type": "webauthn.create", "challenge": options["challenge"], "origin": origin, "crossOrigin": False}
        client_data = json.dumps(client).encode()
        asked = options["attestation"] == "direct"
        statement = self._statement(own, data + hashlib.sha256(client_data).digest()) if asked else {}
        attestation = cbor2.dumps({"fmt": "packed" if asked else "none", "attStmt": statement, "authData": data})
        response = {"clientDataJSON": _text(client_data), "attestationObject": _text(attestation)}
        answer = {"id": _text(credential_id), "rawId": _text(credential_id), "type": "public-key"}
        return json.dumps(answer | {"response": response, "clientExtensionResults": {}})

    def _statement(self, own: ec.EllipticCurvePrivateKey, signed: bytes) -> dict[str, Any]:
        if self.maker is None:
            return {"alg": -7, "sig": own.sign(signed, ec.ECDSA(hashes.SHA256()))}
        certificate = _certificate("Key", "Maker", self.key, self.maker.key, named=self.named)
        return {"alg": -7, "sig": self.key.sign(signed, ec.ECDSA(hashes.SHA256())), "x5c": [certificate]}


def blob(*entries: dict[str, Any]) -> str:
    """The Metadata Service's file; nobody has signed it."""
    return f"{_text(b'{}')}.{_text(json.dumps({'no': 1, 'entries': entries}).encode())}.{_text(b'signature')}"


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    named: uuid.UUID | None = None,
) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if named is not None:
        value = x509.UnrecognizedExtension(AAGUID_EXTENSION, b"\x04\x10" + named.bytes)
        builder = builder.add_extension(value, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def _cose(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})


def _text(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()
