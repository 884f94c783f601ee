"""Enveloped XML signatures of SAML: over the very element that carries them, by a key from the metadata.

SAML Core, 5.4. What a signature covers is read again from the bytes that were signed: nothing else of the document is
ever used (FED-07, B32).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from iamd.federation.xml import NotXML, SAMLMissing, found, lxml_error, name, parse

if TYPE_CHECKING:
    from lxml.etree import _Element

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
# SECURITY: canonical forms that keep comments, XSLT and XPath let what is signed and what is read differ.
TRANSFORMS: Final = [ENVELOPED, EXCLUSIVE]
SIGNED_WITH: Final = ("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512")
DIGESTS: Final = ("SHA256", "SHA384", "SHA512")


class WrongSignature(Exception):
    """A signature is missing, of a form that is not taken, or does not hold."""


def signature_of(element: "_Element") -> "_Element | None":
    """The signature that is a child of this element; WrongSignature when there are several."""
    signatures = found(element, "ds:Signature")
    if len(signatures) > 1:
        raise WrongSignature("an element has two signatures")
    return signatures[0] if signatures else None


def verified(element: "_Element", certificates: Sequence[bytes]) -> "_Element":
    """The element as it was signed, without its signature; WrongSignature unless a certificate's key did it."""
    signature = signature_of(element)
    if signature is None:
        raise WrongSignature("there is no signature")
    _check_form(element, signature)
    for certificate in certificates:
        signed = _signed(element, x509.load_der_x509_certificate(certificate))
        if signed is not None:
            return _again(signed, element)
    raise WrongSignature("no key of the metadata made the signature")


def _check_form(element: "_Element", signature: "_Element") -> None:
    references = found(signature, "ds:SignedInfo/ds:Reference")
    if len(references) != 1 or found(signature, "ds:Object") or len(found(signature, ".//ds:Reference")) != 1:
        raise WrongSignature("there is not exactly one reference")
    identifier = element.get("ID")
    if not identifier or references[0].get("URI") != f"#{identifier}":
        raise WrongSignature("the signature is over something else")
    transforms = [one.get("Algorithm") for one in found(references[0], "ds:Transforms/ds:Transform")]
    if transforms != TRANSFORMS:
        raise WrongSignature("a transform is not allowed")
    canonical = [one.get("Algorithm") for one in found(signature, "ds:SignedInfo/ds:CanonicalizationMethod")]
    if canonical != [EXCLUSIVE]:
        raise WrongSignature("the canonical form is not allowed")


def _signed(element: "_Element", certificate: x509.Certificate) -> bytes | None:
    """The bytes that this certificate's key signed, or None."""
    signxml = _signxml()
    methods, digests = signxml.SignatureMethod, signxml.DigestAlgorithm
    config = signxml.SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=frozenset(methods[one] for one in SIGNED_WITH),
        digest_algorithms=frozenset(digests[one] for one in DIGESTS),
        ignore_ambiguous_key_info=True,
        # AWS does not look at when a certificate of the metadata ends (IAM User Guide, id_roles_providers_create_saml).
        verification_time=certificate.not_valid_before_utc,
        default_reference_c14n_method=signxml.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    try:
        result = signxml.XMLVerifier().verify(element, x509_cert=certificate, id_attribute="ID", expect_config=config)
    # LxmlError: the signature breaks the schema of signatures.
    except (signxml.exceptions.SignXMLException, lxml_error(), ValueError, TypeError, LookupError):
        return None
    data: bytes = result.signed_data
    return data


def _again(data: bytes, element: "_Element") -> "_Element":
    try:
        root = parse(data)
    except NotXML as error:
        raise WrongSignature("what was signed can't be read") from error
    if root.tag != element.tag or root.get("ID") != element.get("ID") or found(root, "ds:Signature"):
        raise WrongSignature("something else was signed")
    return root


def check_places(root: "_Element") -> None:
    """Raise WrongSignature for a signature anywhere but in a response or assertion, or an ID that two elements have."""
    identifiers = [str(one) for one in root.xpath("//@ID | //@Id | //@id")]  # type: ignore[union-attr]
    if len(set(identifiers)) != len(identifiers):
        raise WrongSignature("two elements have one ID")
    bearers = {name("samlp", "Response"), name("saml", "Assertion")}
    for signature in found(root, "//ds:Signature"):
        parent = signature.getparent()
        if parent is None or parent.tag not in bearers:
            raise WrongSignature("a signature stands where none belongs")


def _signxml() -> Any:
    try:
        import signxml  # noqa: PLC0415
    except ImportError as error:
        raise SAMLMissing from error
    return signxml
