"""FIDO security keys: what a browser is asked for, and whether what a key answers holds (WebAuthn Level 3, 7).

They are second factors: user verification is not asked for, for the password was the first one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from iamd.auth.fido_metadata import Models

if TYPE_CHECKING:
    from webauthn.registration.verify_registration_response import VerifiedRegistration

_AAGUID_EXTENSION = "1.3.6.1.4.1.45724.1.1.4"
NAME = "iamd"
"""What browsers call the relying party."""


class NotVerified(Exception):
    """An answer that the key did not give to this question at this place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is asked: the relying party's id, which is a host name, and the page's origin."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A key that was registered just now; `certifications` are those of the model that it has proved to be of."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    certifications: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a key that is asked."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def registration_options(
    place: Place, challenge: bytes, *, user_handle: bytes, user_name: str, has: Sequence[bytes], attested: bool
) -> str:
    """The JSON that `navigator.credentials.create` is given; a key that the user has is not registered again.

    With `attested` the key is asked to prove its model.
    """
    # Imported here and below: a server that nobody signs in to has no use for it.
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import structs  # noqa: PLC0415

    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=place.rp_id,
            rp_name=NAME,
            user_id=user_handle,
            user_name=user_name,
            challenge=challenge,
            attestation=structs.AttestationConveyancePreference("direct" if attested else "none"),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
                user_verification=structs.UserVerificationRequirement.DISCOURAGED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in has],
        )
    )


def registered(place: Place, challenge: bytes, answer: str, models: Models, today: date) -> Registered:
    """The key that has answered, with the certifications of its model; NotVerified."""
    import webauthn  # noqa: PLC0415

    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
        )
    # Whatever an answer does to the parsers of CBOR, COSE and ASN.1, it is no key's.
    except Exception as error:
        raise NotVerified(str(error)) from error
    certifications = _certifications(found, models, today)
    return Registered(found.credential_id, found.credential_public_key, found.sign_count, certifications)


def _certifications(found: "VerifiedRegistration", models: Models, today: date) -> Mapping[str, str]:
    """The certifications of the model that the key says it is of, when its attestation shows that it is."""
    from webauthn.helpers import parse_attestation_object  # noqa: PLC0415

    model = models.get(found.aaguid)
    statement = parse_attestation_object(found.attestation_object).att_stmt
    # SECURITY: without a certificate a key attests itself, and other formats are not those of security keys; that the
    # certificate's key has signed this answer is verified by now.
    if model is None or found.fmt != "packed" or not statement.x5c:
        return {}
    is_of_model = _is_vouched_for(statement.x5c, model.roots) and _names_model(statement.x5c[0], found.aaguid)
    return model.certifications(today) if is_of_model else {}


def _is_vouched_for(chain: Sequence[bytes], roots: Sequence[bytes]) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415
    from webauthn.helpers import validate_certificate_chain  # noqa: PLC0415
    from webauthn.helpers.exceptions import InvalidCertificateChain  # noqa: PLC0415

    # SECURITY: the library takes every chain when there is no root.
    if not roots:
        return False
    try:
        pem = [load_der_x509_certificate(root).public_bytes(Encoding.PEM) for root in roots]
        return validate_certificate_chain(x5c=list(chain), pem_root_certs_bytes=pem)
    except (InvalidCertificateChain, ValueError):
        return False


def _names_model(certificate: bytes, aaguid: str) -> bool:
    """Whether a certificate that names a model names this one (WebAuthn Level 3, 8.2): roots may be of several."""
    from cryptography import x509  # noqa: PLC0415

    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        named = extensions.get_extension_for_oid(x509.ObjectIdentifier(_AAGUID_EXTENSION)).value.public_bytes()
    except x509.ExtensionNotFound:
        return True
    except (x509.DuplicateExtension, ValueError):
        return False
    # DER: an OCTET STRING of sixteen bytes.
    return named == b"\x04\x10" + bytes.fromhex(aaguid.replace("-", ""))


def question(place: Place, challenge: bytes, credential_ids: Sequence[bytes]) -> str:
    """The JSON that `navigator.credentials.get` is given."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import structs  # noqa: PLC0415

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=place.rp_id,
            challenge=challenge,
            allow_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in credential_ids],
            user_verification=structs.UserVerificationRequirement.DISCOURAGED,
        )
    )


def credential_id_of(answer: str) -> bytes:
    """Which key says to have answered; NotVerified."""
    from webauthn.helpers import parse_authentication_credential_json  # noqa: PLC0415

    try:
        return parse_authentication_credential_json(answer).raw_id
    except Exception as error:
        raise NotVerified(str(error)) from error


def answered(place: Place, challenge: bytes, answer: str, known: Known) -> int:
    """The new signature count of a key that has answered; NotVerified.

    A count that does not grow is that of a copy of the key (WebAuthn Level 3, 6.1.1).
    """
    import webauthn  # noqa: PLC0415

    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
        )
    except Exception as error:
        raise NotVerified(str(error)) from error
    return found.new_sign_count
