"""Backend: one place where decided requests go, with its connections, its time-outs and what signs for it."""

import ssl
from dataclasses import dataclass

from yarl import URL

from iamd.backend.embedded import EmbeddedBackend
from iamd.gateway.pool import Opening, Pool, over_tcp, over_unix


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
        self.embedded = embedded
        self.credentials = credentials
        self.region = region
        self.limits = limits or Limits()
        self._ca_file = ca_file
        self._pool: Pool | None = None

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
    def pool(self) -> Pool:
        """Its connections, in the loop that uses them first."""
        if self._pool is None:
            limits = self.limits
            self._pool = Pool(self._opening(), limits.connect, (limits.response, limits.idle))
        return self._pool

    async def close(self) -> None:
        """Close its connections."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _opening(self) -> Opening:
        if self.embedded is not None:
            return over_unix(str(self.embedded.requests))
        host, port = self.origin.host, self.origin.port
        if host is None or port is None:
            raise TypeError("a backend without a host")
        is_secure = self.origin.scheme == "https"
        return over_tcp(host, port, ssl.create_default_context(cafile=self._ca_file) if is_secure else None)
