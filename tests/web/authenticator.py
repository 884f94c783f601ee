"""A security key in software, as far as its registration goes."""

import base64
import hashlib
import json
import os
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec


def registered(options: dict[str, Any], origin: str) -> str:
    """What a new key answers to `navigator.credentials.create`, without attestation (WebAuthn Level 3, 6.5)."""
    credential_id = os.urandom(16)
    data = hashlib.sha256(options["rp"]["id"].encode()).digest() + b"\x41" + struct.pack(">I", 1)
    data += bytes(16) + struct.pack(">H", len(credential_id)) + credential_id + _new_public_key()
    client = {"type": "webauthn.create", "challenge": options["challenge"], "origin": origin, "crossOrigin": False}
    attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
    response = {"clientDataJSON": _text(json.dumps(client).encode()), "attestationObject": _text(attestation)}
    answer = {"id": _text(credential_id), "rawId": _text(credential_id), "type": "public-key", "response": response}
    return json.dumps(answer | {"clientExtensionResults": {}})


def _new_public_key() -> bytes:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})


def _text(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()
