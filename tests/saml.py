"""A SAML identity provider of the tests' own: pysaml2 makes its metadata and responses, xmlsec signs and encrypts them."""

import base64
import datetime as dt
from functools import cache
from typing import Any

import saml2
import xmlsec
from cryptography.hazmat.primitives import serialization
from issuer import certificate, pem, rsa_key
from lxml import etree
from saml2 import md, saml, samlp, xmldsig

ENTITY_ID = "https://idp.example.com/saml"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SIGN_IN = "https://signin.aws.amazon.com/saml"
AWS_ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


class IdentityProvider:
    """An identity provider with a key; it says whatever it is asked to."""

    def __init__(self, entity_id: str = ENTITY_ID) -> None:
        self.entity_id = entity_id
        self.key = rsa_key()
        self.certificate = certificate("idp", self.key, ca=True)

    def metadata(self, *, valid_until: str | None = None, certificate: bytes | None = None) -> str:
        """Its metadata; another certificate (DER) may stand in it."""
        der = certificate or self.certificate.public_bytes(serialization.Encoding.DER)
        descriptor = md.KeyDescriptor(
            use="signing",
            key_info=xmldsig.KeyInfo(
                x509_data=[
                    xmldsig.X509Data(x509_certificate=xmldsig.X509Certificate(text=base64.b64encode(der).decode()))
                ]
            ),
        )
        role = md.IDPSSODescriptor(
            protocol_support_enumeration=samlp.NAMESPACE,
            key_descriptor=[descriptor],
            single_sign_on_service=[md.SingleSignOnService(binding=saml2.BINDING_HTTP_POST, location=self.entity_id)],
        )
        entity = md.EntityDescriptor(entity_id=self.entity_id, idpsso_descriptor=[role], valid_until=valid_until)
        return str(entity)


@cache
def metadata_of_nobody() -> str:
    """Metadata of a provider whose key nobody has any more."""
    return IdentityProvider().metadata()


def moment(seconds: float = 0) -> str:
    """A time of SAML, some seconds from now."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Said:
    """What a response says; a test changes what it wants before the response is made.

    `attributes` are values by name; those of AWS's stand under their short names.
    """

    def __init__(self, issuer: str, role: str, provider: str) -> None:
        self.issuer = issuer
        self.response_issuer: str | None = issuer
        self.subject: str | None = "ann@example.com"
        self.subject_format = PERSISTENT
        self.audiences: list[str] | None = ["urn:amazon:webservices"]
        self.recipient: str | None = SIGN_IN
        self.destination: str | None = SIGN_IN
        self.issued, self.begins, self.ends, self.confirmed_until = 0.0, -5.0, 240.0, 240.0
        self.confirmed_from: float | None = None
        self.address: str | None = None
        self.session_ends: float | None = None
        self.method = BEARER
        self.status = samlp.STATUS_SUCCESS
        self.attributes: dict[str, list[str]] = {"Role": [f"{role},{provider}"], "RoleSessionName": ["ann"]}

    def tag(self, **tags: str) -> None:
        """Give the session tags."""
        self.attributes |= {f"PrincipalTag:{key}": [value] for key, value in tags.items()}


def element(idp: IdentityProvider, said: Said, identifier: str = "_r1", assertion_id: str = "_a1") -> Any:
    """The response that pysaml2 makes of it, unsigned, as an lxml element."""
    confirmation = saml.SubjectConfirmation(
        method=said.method,
        subject_confirmation_data=saml.SubjectConfirmationData(
            recipient=said.recipient,
            not_before=moment(said.confirmed_from) if said.confirmed_from is not None else None,
            not_on_or_after=moment(said.confirmed_until),
            address=said.address,
        ),
    )
    name_id = saml.NameID(format=said.subject_format, text=said.subject) if said.subject is not None else None
    restrictions = (
        [saml.AudienceRestriction(audience=[saml.Audience(text=one) for one in said.audiences])]
        if said.audiences is not None
        else []
    )
    assertion = saml.Assertion(
        id=assertion_id,
        version="2.0",
        issue_instant=moment(said.issued),
        issuer=saml.Issuer(text=said.issuer),
        subject=saml.Subject(name_id=name_id, subject_confirmation=[confirmation]),
        conditions=saml.Conditions(
            not_before=moment(said.begins), not_on_or_after=moment(said.ends), audience_restriction=restrictions
        ),
        authn_statement=[
            saml.AuthnStatement(
                authn_instant=moment(),
                session_not_on_or_after=moment(said.session_ends) if said.session_ends is not None else None,
                authn_context=saml.AuthnContext(
                    authn_context_class_ref=saml.AuthnContextClassRef(text=saml.AUTHN_PASSWORD)
                ),
            )
        ],
        attribute_statement=[
            saml.AttributeStatement(
                attribute=[
                    saml.Attribute(
                        name=name if ":" in name and not name.startswith("PrincipalTag") else AWS_ATTRIBUTES + name,
                        attribute_value=[saml.AttributeValue(text=value) for value in values],
                    )
                    for name, values in said.attributes.items()
                ]
            )
        ],
    )
    response = samlp.Response(
        id=identifier,
        version="2.0",
        issue_instant=moment(said.issued),
        destination=said.destination,
        issuer=saml.Issuer(text=said.response_issuer) if said.response_issuer is not None else None,
        status=samlp.Status(status_code=samlp.StatusCode(value=said.status)),
        assertion=[assertion],
    )
    return etree.fromstring(str(response).encode())


def assertion_of(response: Any) -> Any:
    """The assertion in a response."""
    return response.find(f"{{{saml.NAMESPACE}}}Assertion")


def sign(
    node: Any,
    key: Any,
    *,
    method: Any = xmlsec.Transform.RSA_SHA256,
    digest: Any = xmlsec.Transform.SHA256,
    canonical: Any = xmlsec.Transform.EXCL_C14N,
    uri: str | None = None,
) -> Any:
    """Put a signature into a response or assertion, behind its issuer."""
    signature = xmlsec.template.create(node, canonical, method, ns="ds")
    node.insert(1 if node[0].tag.endswith("Issuer") else 0, signature)
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{node.get('ID')}" if uri is None else uri)
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, canonical)
    xmlsec.tree.add_ids(node.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem(key), xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return node


def encrypt(response: Any, public_key: Any, *, content: Any = None, transport: Any = None) -> Any:
    """Put an encrypted assertion in the place of the assertion."""
    assertion = assertion_of(response)
    wrapper = etree.SubElement(response, f"{{{saml.NAMESPACE}}}EncryptedAssertion")
    wrapper.append(assertion)
    template = xmlsec.template.encrypted_data_create(
        wrapper, content or xmlsec.Transform.AES256_GCM, type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    wrapped = xmlsec.template.add_encrypted_key(info, transport or xmlsec.Transform.RSA_OAEP)
    xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    manager = xmlsec.KeysManager()
    public = public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    manager.add_key(xmlsec.Key.from_memory(public, xmlsec.KeyFormat.PEM))
    context = xmlsec.EncryptionContext(manager)
    bits = 128 if content is not None and "128" in content.name else 256
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, bits, xmlsec.KeyDataType.SESSION)
    context.encrypt_xml(template, assertion)
    return response


def encoded(response: Any) -> str:
    """A response as it is sent."""
    text = response if isinstance(response, bytes) else etree.tostring(response)
    return base64.b64encode(text).decode()
