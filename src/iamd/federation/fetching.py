"""Fetching what an identity provider publishes: small documents, from permitted addresses, in bounded time (FED-05)."""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin

from iamd.federation import certificates
from iamd.federation.hosts import Hosts, Unreachable, port_of

if TYPE_CHECKING:
    from aiohttp import ClientResponse, TCPConnector
    from aiohttp.abc import AbstractResolver

MAX_BYTES: Final = 256 * 1024
SECONDS: Final = 5.0
MAX_REDIRECTS: Final = 3
_LETTER: Final = re.compile(r"[A-Za-z]")
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class WrongAnswer(Exception):
    """The provider answered, and not with a document that can be used."""


async def fetch(hosts: Hosts, url: str, thumbprints: Sequence[str] = ()) -> bytes:
    """The document at `url`; Unreachable, OtherThumbprint or WrongAnswer when there is none.

    Redirects are followed within the same scheme, host and port only.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _followed(hosts, url, thumbprints)
    except TimeoutError as error:
        raise Unreachable(f"{url} did not answer within {SECONDS:g} seconds") from error
    except ValueError as error:
        # A redirect to what is no URL.
        raise WrongAnswer(f"{url}: {error}") from error


async def _followed(hosts: Hosts, url: str, thumbprints: Sequence[str]) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        parts = hosts.check(url)
        body, location = await _answered(hosts, url, parts, thumbprints)
        if location is None:
            return body
        url = urljoin(url, location)
        # SECURITY: another host may be one that the provider does not own, or that only we can reach.
        if _origin(hosts.check(url)) != _origin(parts):
            raise WrongAnswer(f"redirected to another host, {url}")
    raise WrongAnswer(f"redirected more than {MAX_REDIRECTS} times")


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, port_of(parts)


async def _answered(hosts: Hosts, url: str, parts: SplitResult, thumbprints: Sequence[str]) -> tuple[bytes, str | None]:
    # Imported here: a server without federation needs no HTTP client.
    import aiohttp  # noqa: PLC0415

    context = ssl.create_default_context()
    try:
        return await _get(hosts, url, parts, context)
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError):
        # AWS: a thumbprint counts where no well-known CA vouches for the server.
        chain = await asyncio.to_thread(certificates.served_chain, hosts, parts.hostname or "", port_of(parts))
        pinned = certificates.trusting(chain, thumbprints)
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{url}: {error}") from error
    try:
        return await _get(hosts, url, parts, pinned)
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{url}: {error}") from error


async def _get(hosts: Hosts, url: str, parts: SplitResult, context: ssl.SSLContext) -> tuple[bytes, str | None]:
    """The body of one answer, or where it redirects to."""
    import aiohttp  # noqa: PLC0415

    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    connecting = connector(hosts, parts, context)
    async with (
        aiohttp.ClientSession(connector=connecting, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        if answer.status in REDIRECTS and "Location" in answer.headers:
            return b"", answer.headers["Location"]
        if answer.status >= 500:
            raise Unreachable(f"{url} answered {answer.status}")
        if answer.status != 200 or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise WrongAnswer(f"{url} answered {answer.status}")
        return await _limited(url, answer), None


def connector(hosts: Hosts, parts: SplitResult, context: ssl.SSLContext) -> "TCPConnector":
    """What connects to the host of a URL, and to permitted addresses alone; Unreachable where it is none itself."""
    import aiohttp  # noqa: PLC0415

    # SECURITY: an address in the URL itself is not looked up, so it is checked here.
    _check_literal(hosts, parts)
    return aiohttp.TCPConnector(resolver=_resolver(hosts), use_dns_cache=False, ssl=context, force_close=True)


async def _limited(url: str, answer: "ClientResponse") -> bytes:
    body = bytearray()
    async for part in answer.content.iter_chunked(16 * 1024):
        body += part
        if len(body) > MAX_BYTES:
            raise WrongAnswer(f"{url} has more than {MAX_BYTES} bytes")
    return bytes(body)


def _check_literal(hosts: Hosts, parts: SplitResult) -> None:
    host = parts.hostname or ""
    # SECURITY: whatever aiohttp takes for an address it does not look up, `127.1` and a single number too.
    if ":" not in host and _LETTER.search(host):
        return
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError as error:
        raise Unreachable(f"{host} is no address") from error
    hosts.look_up(host, port_of(parts))


def _resolver(hosts: Hosts) -> "AbstractResolver":
    """A resolver that gives permitted addresses only: what was checked is what is connected to (B37)."""
    import socket  # noqa: PLC0415

    from aiohttp.abc import AbstractResolver, ResolveResult  # noqa: PLC0415

    class Permitted(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await asyncio.to_thread(hosts.look_up, host, port)
            return [
                ResolveResult(
                    hostname=host,
                    host=address.host,
                    port=port,
                    family=address.family,
                    proto=socket.IPPROTO_TCP,
                    flags=socket.AI_NUMERICHOST,
                )
                for address in found
            ]

        async def close(self) -> None:
            """Hold nothing."""

    return Permitted()
