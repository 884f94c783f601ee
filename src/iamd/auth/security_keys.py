"""FIDO security keys: what a browser is asked for, and whether what a key answers holds (WebAuthn Level 3, 7).

They are second factors: user verification is not asked for, for the password was the first one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
    """A key that was registered just now."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a key that is asked."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def registration_options(
    place: Place, challenge: bytes, *, user_handle: bytes, user_name: str, has: Sequence[bytes]
) -> str:
    """The JSON that `navigator.credentials.create` is given; a key that the user has is not registered again."""
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
            attestation=structs.AttestationConveyancePreference.NONE,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
                user_verification=structs.UserVerificationRequirement.DISCOURAGED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in has],
        )
    )


def registered(place: Place, challenge: bytes, answer: str) -> Registered:
    """The key that has answered; NotVerified."""
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
    return Registered(found.credential_id, found.credential_public_key, found.sign_count)


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
