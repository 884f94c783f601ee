"""Backend: one place where decided requests go, with its connections, time-outs and rules, and what signs for it."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yarl import URL

from iamd.backend.embedded import EmbeddedBackend
from iamd.backend_settings import Addressing
from iamd.gateway.breaker import Breaker
from iamd.gateway.credentials_file import Credentials, seen
from iamd.gateway.logins import Logins, OneLogin
from iamd.gateway.pool import Opening, Pool, over_tcp, over_unix

__all__ = ["Backend", "Credentials", "Limits", "Rules"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a backend may take, in seconds."""

    connect: float = 5.0
    response: float = 60.0
    idle: float = 30.0


@dataclass(frozen=True, slots=True)
class Rules:
    """How requests to a backend are addressed, and how often one that may be is sent again."""

    addressing: Addressing = "as-sent"
    base_path: bytes = b""
    retries: int = 0
    takes_policies: bool = True
    """Whether it is told the policies of buckets."""
    health_path: str | None = None
    health_seconds: float = 10.0
    is_aws: bool = False


_PLAIN: Final = Rules()


class Backend:
    """A URL, or the embedded moto. Its connections carry no state from one request to the next but themselves."""

    def __init__(
        self,
        origin: URL,
        *,
        embedded: EmbeddedBackend | None = None,
        logins: Logins | None = None,
        region: str | None = None,
        ca_file: str | None = None,
        connect_to: tuple[str, int] | None = None,
        limits: Limits | None = None,
        rules: Rules = _PLAIN,
        breaker: Breaker | None = None,
    ) -> None:
        self.origin = origin
        self.host = origin.host_port_subcomponent or ""
        """The Host that requests to it carry; a scheme's own port does not stand in it (RFC 9110, 7.2)."""
        self.embedded = embedded
        self.logins = logins or OneLogin(None)
        self.region = region
        self.limits = limits or Limits()
        self.rules = rules
        # The embedded one is watched by what starts it anew.
        self.breaker = breaker or Breaker(0, 0)
        self._ca_file = Path(ca_file).expanduser() if ca_file is not None else None
        self._connect_to = connect_to
        self.pool: Pool | None = None
        """Its connections, once `opened` has made them."""

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
        rules: Rules = _PLAIN,
        breaker: Breaker | None = None,
    ) -> "Backend":
        """A URL without a path: the client's path is the whole path. ValueError for anything else."""
        return cls(
            origin_of(url),
            logins=OneLogin(credentials),
            region=region,
            ca_file=ca_file,
            limits=limits,
            rules=rules,
            breaker=breaker,
        )

    @property
    def is_shared(self) -> bool:
        """Whether buckets of all accounts stand side by side there."""
        return self.embedded is None and self.logins.is_shared

    def opened(self) -> Pool:
        """Its connections, in the loop that uses them first."""
        if self.pool is None:
            limits = self.limits
            self.pool = Pool(self._opening(), limits.connect, (limits.response, limits.idle))
        return self.pool

    async def close(self) -> None:
        """Close its connections."""
        if self.pool is not None:
            self.pool.close()
            self.pool = None

    def _opening(self) -> Opening:
        if self.embedded is not None:
            return over_unix(str(self.embedded.requests))
        host, port = self.origin.host, self.origin.port
        if host is None or port is None:
            raise TypeError("a backend without a host")
        is_secure = self.origin.scheme == "https"
        return over_tcp(host, port, _contexts(self._ca_file) if is_secure else None, self._connect_to)


def origin_of(url: str) -> URL:
    """The origin of a URL without a path; ValueError for anything else."""
    origin = URL(url)
    if origin.scheme not in {"http", "https"} or origin.host is None or origin.path not in {"", "/"}:
        raise ValueError(f"not the URL of a backend: `{url}`")
    return origin.origin()


def _contexts(ca_file: Path | None) -> Callable[[], ssl.SSLContext]:
    """What checks the certificate of a new connection: made anew when the file of certificates has changed."""
    if ca_file is None:
        system = ssl.create_default_context()
        return lambda: system
    made: dict[tuple[int, int, int], ssl.SSLContext] = {}

    def current() -> ssl.SSLContext:
        now = seen(ca_file)
        if now not in made:
            made.clear()
            made[now] = ssl.create_default_context(cafile=str(ca_file))
        return made[now]

    return current
