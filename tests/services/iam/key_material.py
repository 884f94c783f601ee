"""Keys and certificates that tests upload, each made once."""

import datetime as dt
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def rsa_key(name: str = "first", bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of its own for each name and length."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str = "first") -> ec.EllipticCurvePrivateKey:
    """A key on P-256 of its own for each name, which takes no time to make."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """The one Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


def ssh_line(key: Any, comment: str = "") -> str:
    """The public key as `ssh-keygen` writes it."""
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{line} {comment}" if comment else line


def public_pem(key: Any) -> str:
    """The public key as `openssl pkey -pubout` writes it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Any, format: PrivateFormat = PrivateFormat.PKCS8, encryption: Any = None) -> str:
    """The private key in PEM."""
    return key.private_bytes(Encoding.PEM, format, encryption or NoEncryption()).decode()


def certificate(
    name: str = "example.com",
    *,
    key: Any = None,
    issuer: tuple[str, Any] | None = None,
    starts: int = -1,
    ends: int = 30,
) -> str:
    """A certificate in PEM; self-signed, or by the issuer of this name and key; valid between these days from now."""
    key = ec_key() if key is None else key
    issuer_name, issuer_key = issuer or (name, key)
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=starts))
        .not_valid_after(now + dt.timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(issuer_key, SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()


def server_material(name: str = "example.com") -> dict[str, str]:
    """A self-signed certificate and its key, as UploadServerCertificate takes them."""
    return {"CertificateBody": certificate(name), "PrivateKey": private_pem(ec_key())}


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
