"""A server that answers as another one was recorded, over HTTP or HTTPS: what it got can be looked at."""

import datetime as dt
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Got:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str | None:
        """The access key that signed it."""
        signed = self.headers.get("authorization", "")
        return signed.partition("Credential=")[2].partition("/")[0] or None

    @property
    def scope(self) -> list[str]:
        """Region and service of its signature."""
        return self.headers["authorization"].partition("Credential=")[2].split("/")[2:4]


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Recorded:
    """`answer` says what is answered; a reply of None closes the connection without one."""

    answer: Callable[[Got], Reply | None]
    got: list[Got] = field(default_factory=list)
    url: str = ""
    port: int = 0
    server: ThreadingHTTPServer | None = None

    def asked(self) -> list[tuple[str, str]]:
        """Method and path of each request."""
        return [(one.method, one.path) for one in self.got]

    def certify(self, certificate: "Certificate") -> None:
        """Show this certificate from now on."""
        self.context.load_cert_chain(certificate.chain)


def plain(_: Got) -> Reply:
    """An answer that says nothing."""
    return 200, {}, b""


@contextmanager
def serving(
    answer: Callable[[Got], Reply | None] = plain, certificate: "Certificate | None" = None
) -> Iterator[Recorded]:
    """Such a server, within the block."""
    recorded = Recorded(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self):
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.command, self.path, headers, self.rfile.read(length))
            recorded.got.append(got)
            reply = recorded.answer(got)
            if reply is None:
                self.close_connection = True
                return
            status, told, body = reply
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **told}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        recorded.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        recorded.certify(certificate)
        server.socket = recorded.context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    recorded.server, recorded.port = server, server.server_address[1]
    recorded.url = f"{scheme}://127.0.0.1:{recorded.port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: `chain` has the key too."""

    ca: Path
    chain: Path


def certificate(folder: Path, name: str, *hosts: str) -> Certificate:
    """A certificate for these hosts and the loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, hosts)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ca, chain = folder / f"{name}.pem", folder / f"{name}.key.pem"
    ca.write_bytes(public)
    chain.write_bytes(secret + public)
    return Certificate(ca, chain)
