"""X.509 signing certificates of users and of the root user.

Words and codes of refusals are those of AWS's recorded answers (September 2026).
"""

from typing import Any

from msgspec.structs import replace

from iamd.auth import certificates
from iamd.auth.certificates import Certificate
from iamd.call import Call
from iamd.services.iam import arns, quotas, statuses
from iamd.services.iam.entities import moment, named_or_calling_user
from iamd.services.iam.errors import DuplicateCertificate, MalformedCertificate, NoSuchEntity
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import SigningCertificate, User

ROOT = "root"
"""What stands for the root user in the index of certificates by user."""


def _read(call: Call, *, certificate_body: str, **_: Any) -> Certificate:
    try:
        certificate = certificates.read(certificate_body)
    except certificates.MalformedCertificateError as error:
        raise MalformedCertificate(f"Certificate {certificate_body} is malformed.") from error
    if not certificate.is_valid_at(moment(call.now)):
        raise MalformedCertificate(f"Certificate {certificate_body} is malformed.")
    return certificate


@operation(on=arns.user, prepare=_read)
def upload_signing_certificate(call: Call, *, certificate_body: str, user_name: str | None = None) -> dict[str, Any]:
    """Give a user a certificate that nobody else in the account has; one that the user has is left as it is."""
    user = named_or_calling_user(call, user_name)
    certificate_id = call.prepared.sha1
    held = call.account.get(SigningCertificate, certificate_id)
    if held is not None:
        # AWS says Active of a certificate that is uploaded again, and leaves one that is inactive so.
        return {"Certificate": _shown(user, replace(_owned(held, user), status="Active"))}
    quotas.check("CertificatesPerUser", len(_certificates(call, user)) + 1, quotas.SIGNING_CERTIFICATES_PER_USER)
    certificate = SigningCertificate(
        certificate_id=certificate_id,
        user_id=None if user is None else user.user_id,
        certificate_body=certificate_body,
        uploaded=call.now,
    )
    call.put(certificate)
    return {"Certificate": _shown(user, certificate)}


@reading(on=arns.user)
def list_signing_certificates(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List a user's certificates by their ids."""
    user = named_or_calling_user(call, user_name)
    cut, more = page(
        call, _certificates(call, user), key=_id, max_items=max_items, marker=marker, query=(_owner(user),)
    )
    return {"Certificates": [_shown(user, certificate) for certificate in cut], **more}


@operation(on=arns.user)
def update_signing_certificate(call: Call, *, certificate_id: str, status: str, user_name: str | None = None) -> None:
    """Make a certificate active or inactive."""
    certificate = _certificate(call, named_or_calling_user(call, user_name), certificate_id)
    statuses.check_settable(status)
    call.put(replace(certificate, status=status))


@operation(on=arns.user)
def delete_signing_certificate(call: Call, *, certificate_id: str, user_name: str | None = None) -> None:
    """Delete a certificate."""
    call.delete(_certificate(call, named_or_calling_user(call, user_name), certificate_id))


def _certificates(call: Call, user: User | None) -> list[SigningCertificate]:
    return call.account.find(SigningCertificate, "user", _owner(user))


def _certificate(call: Call, user: User | None, certificate_id: str) -> SigningCertificate:
    certificate = call.account.get(SigningCertificate, certificate_id)
    # SECURITY: a certificate is reached through its own user only; the decision was about that user.
    if certificate is None or (certificate.user_id or ROOT) != _owner(user):
        raise NoSuchEntity(f"The Certificate with id {certificate_id} cannot be found.")
    return certificate


def _owned(certificate: SigningCertificate, user: User | None) -> SigningCertificate:
    if (certificate.user_id or ROOT) != _owner(user):
        raise DuplicateCertificate("Duplicate certificate uploaded.")
    return certificate


def _owner(user: User | None) -> str:
    return ROOT if user is None else user.user_id


def _id(certificate: SigningCertificate) -> str:
    return certificate.certificate_id


def _shown(user: User | None, certificate: SigningCertificate) -> dict[str, Any]:
    name = {} if user is None else {"UserName": user.user_name}
    return name | {
        "CertificateId": certificate.certificate_id,
        "CertificateBody": certificate.certificate_body,
        "Status": certificate.status,
        "UploadDate": moment(certificate.uploaded),
    }
