"""An identity provider of the tests' own: it publishes its keys over HTTP or HTTPS, and signs what it is asked to."""

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

DISCOVERY = "/.well-known/openid-configuration"


def rsa_key() -> rsa.RSAPrivateKey:
    """A key for RS256."""
    return rsa.generate_private_key(65537, 2048)


def jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half of a key as a JWKS has it."""
    of = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**of.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **members}


def pem(key: Any) -> bytes:
    """A private key in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Issuer:
    """A running identity provider; `keys` are what it publishes, `requests` counts what it was asked for.

    `answers` gives other answers by path: a function of the request.
    """

    def __init__(self, path: str = "", tls: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> None:
        self.key = rsa_key()
        self.keys: list[dict[str, Any]] = [jwk(self.key, "first")]
        self.requests: Counter[str] = Counter()
        self.answers: dict[str, Callable[[web.Request], Any]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(tls), self._loop).result(20)
        self.host = f"{name}:{self.port}{path}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"

    async def _start(self, tls: ssl.SSLContext | None) -> int:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests[request.path] += 1
        for path, answer in self.answers.items():
            if request.path.endswith(path):
                given = answer(request)
                return await given if asyncio.iscoroutine(given) else given
        if request.path.endswith(DISCOVERY):
            return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})
        if request.path.endswith("/jwks"):
            return web.json_response({"keys": self.keys})
        return web.Response(status=404)

    def close(self) -> None:
        """End it."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good token, as changed; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "repo:octo/app",
            "aud": "sts.amazonaws.com",
            "iat": now,
            "exp": now + 300,
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, *, key: Any = None, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token; signed by the first key and as good as can be unless something is changed."""
        return jwt.encode(
            self.claims(**claims), self.key if key is None else key, algorithm, {"kid": "first", **(headers or {})}
        )

    def raw_token(self, claims: dict[str, Any], headers: dict[str, Any]) -> str:
        """A signed token with claims of any type, which libraries would not make."""
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.key, "RS256", {"kid": "first", **headers})


def certificate(
    subject: str, key: Any, issuer: tuple[x509.Certificate, Any] | None = None, *, ca: bool = False
) -> x509.Certificate:
    """A certificate for a key, of a CA's or of the key's own making; servers' are for 127.0.0.1 and localhost."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    signer = issuer[1] if issuer else key
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names = x509.SubjectAlternativeName([address, x509.DNSName("localhost")])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


class Chain:
    """A CA of nobody's trust, and a server's certificate of its making, with the server's TLS context."""

    def __init__(self, folder: Path) -> None:
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.ca = certificate("Some CA", ca_key, ca=True)
        self.server = certificate("idp", key, (self.ca, ca_key))
        file = folder / "chain.pem"
        parts = [one.public_bytes(serialization.Encoding.PEM) for one in (self.server, self.ca)]
        file.write_bytes(b"".join([pem(key), *parts]))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)

    @property
    def thumbprint(self) -> str:
        """The SHA-1 of the chain's top certificate."""
        return self.ca.fingerprint(hashes.SHA1()).hex()
