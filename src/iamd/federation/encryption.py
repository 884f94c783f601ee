"""Encrypted assertions: XML Encryption with AES, its key wrapped by RSA-OAEP (XML Encryption 1.1, 5.2 and 5.5)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from iamd.federation.xml import NotXML, found, name, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element

XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
USUAL: Final[Mapping[str | None, str]] = {
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
ELEMENT: Final = f"{XENC}Element"
KEY_BYTES: Final[Mapping[str, int]] = {
    f"{XENC}aes128-cbc": 16,
    f"{XENC}aes192-cbc": 24,
    f"{XENC}aes256-cbc": 32,
    f"{XENC11}aes128-gcm": 16,
    f"{XENC11}aes192-gcm": 24,
    f"{XENC11}aes256-gcm": 32,
}
# SECURITY: rsa-1_5 is not among them: its padding tells who asks often enough what the key is (Bleichenbacher).
OAEP: Final = (f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep")
DIGESTS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1,
    f"{XENC}sha256": hashes.SHA256,
    f"{XENC}sha512": hashes.SHA512,
}
MASKS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    f"{XENC11}mgf1sha1": hashes.SHA1,
    f"{XENC11}mgf1sha256": hashes.SHA256,
    f"{XENC11}mgf1sha512": hashes.SHA512,
}


class Undecipherable(Exception):
    """What is encrypted can't be decrypted; why is told to nobody, for that would help to guess it."""


def decrypted(element: "_Element", private_keys: Sequence[bytes]) -> "_Element":
    """The assertion in an EncryptedAssertion, by one of these keys (PEM), or Undecipherable."""
    for pem in private_keys:
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            continue
        try:
            return _assertion(element, _plain(element, key))
        # LookupError: a digest or mask that is not known here.
        except (ValueError, LookupError, InvalidTag, NotXML, binascii.Error):
            continue
    raise Undecipherable


def _plain(element: "_Element", key: RSAPrivateKey) -> bytes:
    [data] = found(element, "xenc:EncryptedData")
    wrapped = found(data, "ds:KeyInfo/xenc:EncryptedKey") + found(element, "xenc:EncryptedKey")
    if len(wrapped) != 1 or data.get("Type", ELEMENT) != ELEMENT:
        raise ValueError
    algorithm = _algorithm(data)
    content_key = key.decrypt(_cipher_value(wrapped[0]), _oaep(wrapped[0]))
    if len(content_key) != KEY_BYTES.get(algorithm):
        raise ValueError
    return _deciphered(algorithm, content_key, _cipher_value(data))


def _algorithm(element: "_Element") -> str:
    [method] = found(element, "xenc:EncryptionMethod")
    return str(method.get("Algorithm"))


def _cipher_value(element: "_Element") -> bytes:
    [value] = found(element, "xenc:CipherData/xenc:CipherValue")
    return base64.b64decode("".join(text_of(value).split()), validate=True)


def _oaep(element: "_Element") -> padding.OAEP:
    [method] = found(element, "xenc:EncryptionMethod")
    algorithm = method.get("Algorithm")
    if algorithm not in OAEP or found(method, "xenc:OAEPparams"):
        raise ValueError
    digests = [DIGESTS[str(one.get("Algorithm"))] for one in found(method, "ds:DigestMethod")] or [hashes.SHA1]
    masks = [MASKS[str(one.get("Algorithm"))] for one in method if one.tag == f"{{{XENC11}}}MGF"] or [hashes.SHA1]
    return padding.OAEP(mgf=padding.MGF1(masks[0]()), algorithm=digests[0](), label=None)


def _deciphered(algorithm: str, key: bytes, data: bytes) -> bytes:
    if algorithm.endswith("-gcm"):
        return AESGCM(key).decrypt(data[:12], data[12:], None)
    if len(data) < 32 or len(data) % 16:
        raise ValueError
    decryptor = Cipher(AES(key), CBC(data[:16])).decryptor()
    padded = decryptor.update(data[16:]) + decryptor.finalize()
    # XML Encryption 5.2: the last byte is the number of bytes that were added, the others may be anything.
    if not 1 <= padded[-1] <= 16:
        raise ValueError
    return padded[: -padded[-1]]


def _assertion(element: "_Element", plain: bytes) -> "_Element":
    """What was encrypted, read as if it stood where the encrypted data stands: prefixes declared outside count."""
    [data] = found(element, "xenc:EncryptedData")
    # SECURITY: what surrounds the encrypted data was signed, and has lost the prefixes that nothing else there uses;
    # these two are always the same, the others must come with the assertion.
    spaces = "".join(f" xmlns{':' + p if p else ''}={quoteattr(uri)}" for p, uri in {**USUAL, **data.nsmap}.items())
    wrapper = parse(f"<w{spaces}>".encode() + plain + b"</w>")
    [inner] = found(wrapper, "*")
    if inner.tag != name("saml", "Assertion"):
        raise ValueError
    return inner
