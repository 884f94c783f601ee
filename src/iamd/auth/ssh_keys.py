"""SSH public keys of the type ssh-rsa (RFC 4253, 6.6), which are those that IAM takes for CodeCommit.

A key is kept as its SubjectPublicKeyInfo in DER, whatever form it came in, so that equal keys are equal bytes.
"""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import MD5

# AWS: the shortest key has 2048 bits (IAM API Reference, UploadSSHPublicKey), the longest 16384 (CodeCommit User Guide,
# "Setup steps for SSH connections").
MIN_BITS = 2048
MAX_BITS = 16384

_SSH = re.compile(r"ssh-rsa[ \t]+[A-Za-z0-9+/]+={0,2}(?:[ \t][^\r\n]*)?")
_PEM = re.compile(r"-----BEGIN ((?:RSA )?PUBLIC KEY)-----\s[A-Za-z0-9+/=\s]+-----END \1-----")


class UnreadableKeyError(Exception):
    """The text is no ssh-rsa line and no public key in PEM."""


class UnusableKeyError(Exception):
    """The key can be read, and is no RSA key of a length that is taken."""


def read(text: str) -> bytes:
    """The key in a line of OpenSSH's or in PEM, in DER; UnreadableKeyError or UnusableKeyError."""
    # Imported here, as below: a server that sees no such key has no use for a megabyte of code.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    key = _read(text.strip())
    if not isinstance(key, RSAPublicKey) or not MIN_BITS <= key.key_size <= MAX_BITS:
        raise UnusableKeyError
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(text: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key  # noqa: PLC0415

    # Only the whole text counts: what a loader would pass over could be another key.
    try:
        if _SSH.fullmatch(text):
            return load_ssh_public_key(text.encode())
        if _PEM.fullmatch(text):
            return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnreadableKeyError from error
    raise UnreadableKeyError


def openssh(key: bytes) -> str:
    """The key as OpenSSH writes it, without a comment: `ssh-rsa AAAA...`."""
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415

    return to.load_der_public_key(key).public_bytes(to.Encoding.OpenSSH, to.PublicFormat.OpenSSH).decode("ascii")


def pem(key: bytes) -> str:
    """The key's SubjectPublicKeyInfo in PEM (RFC 7468, 13)."""
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415

    written = to.load_der_public_key(key).public_bytes(to.Encoding.PEM, to.PublicFormat.SubjectPublicKeyInfo)
    return written.decode("ascii")


def fingerprint(key: bytes) -> str:
    """The MD5 of the key as SSH sends it, as `ssh-keygen -l -E md5` shows it (RFC 4716, 4): 16 pairs with colons."""
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415

    digest = MD5()  # noqa: S303 (it names the key; nothing rests on it)
    return to.ssh_key_fingerprint(to.load_ssh_public_key(openssh(key).encode()), digest).hex(":")
