"""Backend: one place where decided requests go, with its connections, its time-outs and what signs for it."""

import ssl
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from iamd.backend.embedded import EmbeddedBackend

CONNECTIONS: Final = 256
_LONGEST_HEADER: Final = 32 * 1024
_NEVER_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs for a backend."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a backend may take, in seconds."""

    connect: float = 5.0
    response: float = 60.0
    idle: float = 30.0


class Backend:
    """A URL, or the embedded moto. Its connections carry no state from one request to the next but themselves."""

    def __init__(
        self,
        origin: URL,
        *,
        embedded: EmbeddedBackend | None = None,
        credentials: Credentials | None = None,
        region: str | None = None,
        ca_file: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.origin = origin
        self.prefix = str(origin).rstrip("/")
        self.embedded = embedded
        self.credentials = credentials
        self.region = region
        self.limits = limits or Limits()
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def local(cls, embedded: EmbeddedBackend, limits: Limits | None = None) -> "Backend":
        """The embedded moto."""
        return cls(URL("http://localhost"), embedded=embedded, limits=limits)

    @classmethod
    def remote(
        cls,
        url: str,
        credentials: Credentials | None = None,
        *,
        region: str | None = None,
        ca_file: str | None = None,
        limits: Limits | None = None,
    ) -> "Backend":
        """A URL without a path: the client's path is the whole path. ValueError for anything else."""
        origin = URL(url)
        if origin.scheme not in {"http", "https"} or origin.host is None or origin.path not in {"", "/"}:
            raise ValueError(f"not the URL of a backend: `{url}`")
        return cls(origin.origin(), credentials=credentials, region=region, ca_file=ca_file, limits=limits)

    @property
    def host(self) -> str:
        """The Host that requests to it carry."""
        return self.origin.authority

    @property
    def session(self) -> aiohttp.ClientSession:
        """Its pool of connections, made in the loop that uses it first."""
        if self._session is None or self._session.closed:
            self._session = self._connect()
        return self._session

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _connect(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=self._connector(),
            auto_decompress=False,
            # SECURITY: a cookie that one request's answer sets must not go out with another's.
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NEVER_ADDED,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=self.limits.connect, sock_read=self.limits.response
            ),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )
        # aiohttp would send a PUT again by itself, with a body that is used up.
        session._retry_connection = False  # noqa: SLF001 - it has no public name
        return session

    def _connector(self) -> aiohttp.BaseConnector:
        if self.embedded is not None:
            return aiohttp.UnixConnector(str(self.embedded.requests), limit=CONNECTIONS)
        context = ssl.create_default_context(cafile=self._ca_file) if self.origin.scheme == "https" else True
        return aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context)
