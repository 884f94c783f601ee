"""The certificates that an identity provider's server shows, and the thumbprints by which one is trusted.

AWS: IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider"
(id_roles_providers_create_oidc_verify-thumbprint): the SHA-1 of the top certificate of the chain that the server sends;
it counts only where no well-known CA vouches for the server.
"""

import hashlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Final

from iamd.federation.hosts import Hosts, Unreachable

SECONDS: Final = 5.0


class OtherThumbprint(Exception):
    """No certificate in the server's chain has one of the thumbprints that the provider was given."""


def thumbprint(certificate: bytes) -> str:
    """The SHA-1 of a certificate (DER), in hexadecimal digits."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest()


def served_chain(hosts: Hosts, host: str, port: int) -> Sequence[bytes]:
    """The certificates (DER) that a server shows, its own first; Unreachable when it shows none. It blocks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # Nothing is believed of this connection but which certificates the server has; they are checked afterwards.
    context.verify_mode = ssl.CERT_NONE
    try:
        with _connected(hosts, host, port) as plain, context.wrap_socket(plain, server_hostname=host) as secured:
            # Public from Python 3.13 on, under the socket's own name.
            connection: Any = getattr(secured, "_sslobj", None)
            found: list[Any] = connection.get_unverified_chain() or []
            return [one.public_bytes(ssl._ssl.ENCODING_DER) for one in found]  # type: ignore[attr-defined]  # noqa: SLF001
    except OSError as error:
        raise Unreachable(f"no TLS connection to {host}:{port}: {error}") from error


def trusting(chain: Iterable[bytes], thumbprints: Iterable[str]) -> ssl.SSLContext:
    """A context that trusts the one certificate of a chain that has a thumbprint; OtherThumbprint when none has."""
    wanted = set(thumbprints)
    pinned = next((one for one in chain if thumbprint(one) in wanted), None)
    if pinned is None:
        raise OtherThumbprint
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pinned)
    # SECURITY: the pinned certificate ends the chain though it is not self-signed; names and dates are still checked.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _connected(hosts: Hosts, host: str, port: int) -> socket.socket:
    error: OSError | None = None
    for address in hosts.look_up(host, port):
        try:
            return socket.create_connection((address.host, address.port), timeout=SECONDS)
        except OSError as refused:
            error = refused
    raise error or OSError("no address")
