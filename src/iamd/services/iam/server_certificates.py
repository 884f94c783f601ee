"""Server certificates: for TLS of load balancers and distributions, with their private keys and chains.

Words and codes of refusals are those of AWS's recorded answers (September 2026), where no page has them.
"""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from iamd import ids
from iamd.auth import certificates
from iamd.auth.certificates import Certificate
from iamd.call import Call
from iamd.services.iam import arns, entities, quotas
from iamd.services.iam.entities import moment, named_server_certificate, shown_tags
from iamd.services.iam.errors import EntityAlreadyExists, KeyPairMismatch, MalformedCertificate
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import ServerCertificate, fold

PURPOSE = "server-certificate-key"


@dataclass(frozen=True, slots=True)
class _Material:
    """What was read before the write began."""

    expiration: int
    private_key: bytes


def _read(
    call: Call, *, certificate_body: str, private_key: str, certificate_chain: str | None = None, **_: Any
) -> _Material:
    certificate = _read_certificate(call, certificate_body)
    key = _read_private_key(private_key)
    if not certificates.is_pair(certificate, key):
        raise KeyPairMismatch(
            "The private key did not match the public key provided. Please verify the key material and try again."
        )
    if certificate_chain is not None:
        _check_chain(certificate, certificate_chain)
    return _Material(int(certificate.not_after.timestamp()), key)


def _read_certificate(call: Call, body: str) -> Certificate:
    try:
        certificate = certificates.read(body)
    except certificates.MalformedCertificateError as error:
        raise MalformedCertificate(
            "Unable to parse certificate. Please ensure the certificate is in PEM format."
        ) from error
    now = moment(call.now)
    if now > certificate.not_after:
        raise MalformedCertificate(
            "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed."
        )
    if now < certificate.not_before:
        raise MalformedCertificate(
            "Certificate is not yet valid. The 'Not Before' date restriction on the certificate has not passed."
        )
    return certificate


def _read_private_key(text: str) -> bytes:
    try:
        return certificates.read_private_key(text)
    except certificates.UnreadablePrivateKeyError as error:
        raise MalformedCertificate(
            "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."
        ) from error


def _check_chain(certificate: Certificate, text: str) -> None:
    try:
        chain = certificates.read_chain(text)
    except certificates.MalformedCertificateError as error:
        # AWS says no more of a chain that it cannot read.
        raise MalformedCertificate("Unknown") from error
    misplaced = certificates.misplaced_issuer(certificate, chain)
    if misplaced is not None:
        raise MalformedCertificate(
            "Unable to validate certificate chain. The certificate chain must start with the immediate signing"
            " certificate, followed by any intermediaries in order. The index within the chain of the invalid"
            f" certificate is: {misplaced}"
        )


@operation(on=arns.new_server_certificate, prepare=_read)
def upload_server_certificate(
    call: Call,
    *,
    server_certificate_name: str,
    certificate_body: str,
    private_key: str,
    certificate_chain: str | None = None,
    path: str = "/",
    tags: GivenTags | None = None,
) -> dict[str, Any]:
    """Keep a certificate with its private key, which is never shown again."""
    _refuse_taken(call, server_certificate_name)
    quotas.check_server_certificates(call)
    material: _Material = call.prepared
    certificate_id = ids.unique_id(ids.CERTIFICATE)
    certificate = ServerCertificate(
        server_certificate_name=server_certificate_name,
        server_certificate_id=certificate_id,
        path=path,
        certificate_body=certificate_body.strip(),
        certificate_chain=None if certificate_chain is None else certificate_chain.strip(),
        sealed_private_key=call.keyring.seal(PURPOSE, (call.account.id, certificate_id), material.private_key),
        uploaded=call.now,
        expires=material.expiration,
        tags=checked_tags(ServerCertificate, tags),
    )
    call.put(certificate)
    shown: dict[str, Any] = {"ServerCertificateMetadata": _metadata(call, certificate)}
    return shown | ({"Tags": shown_tags(certificate.tags)} if certificate.tags else {})


@reading(on=arns.server_certificate)
def get_server_certificate(call: Call, *, server_certificate_name: str) -> dict[str, Any]:
    """Show a certificate with its chain, and without its private key."""
    certificate = named_server_certificate(call, server_certificate_name)
    chain = {} if certificate.certificate_chain is None else {"CertificateChain": certificate.certificate_chain}
    shown = {
        "ServerCertificateMetadata": _metadata(call, certificate),
        "CertificateBody": certificate.certificate_body,
        **chain,
        "Tags": shown_tags(certificate.tags),
    }
    return {"ServerCertificate": shown}


@reading(on=arns.listed("server-certificate"))
def list_server_certificates(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the certificates whose path begins with `path_prefix`."""
    found = [one for one in call.account.all(ServerCertificate) if one.path.startswith(path_prefix)]
    cut, more = page(
        call,
        found,
        key=lambda certificate: certificate.server_certificate_name,
        max_items=max_items,
        marker=marker,
        query=(path_prefix,),
    )
    return {"ServerCertificateMetadataList": [_metadata(call, certificate) for certificate in cut], **more}


@operation(on=arns.updated_server_certificate)
def update_server_certificate(
    call: Call,
    *,
    server_certificate_name: str,
    new_path: str | None = None,
    new_server_certificate_name: str | None = None,
) -> None:
    """Give a certificate another name or path; it keeps its unique id and its tags."""
    certificate = named_server_certificate(call, server_certificate_name)
    name = new_server_certificate_name or certificate.server_certificate_name
    if fold(name) != fold(server_certificate_name):
        _refuse_taken(call, name)
    call.put(replace(certificate, server_certificate_name=name, path=new_path or certificate.path))


@operation(on=arns.server_certificate)
def delete_server_certificate(call: Call, *, server_certificate_name: str) -> None:
    """Delete a certificate with its private key."""
    call.delete(named_server_certificate(call, server_certificate_name))


def _refuse_taken(call: Call, name: str) -> None:
    if call.account.find(ServerCertificate, "name", fold(name)):
        raise EntityAlreadyExists(f"The Server Certificate with name {name} already exists.")


def _metadata(call: Call, certificate: ServerCertificate) -> dict[str, Any]:
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.server_certificate_name,
        "ServerCertificateId": certificate.server_certificate_id,
        "Arn": entities.server_certificate_arn(call.account, certificate),
        "UploadDate": moment(certificate.uploaded),
        "Expiration": moment(certificate.expires),
    }
