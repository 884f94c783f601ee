"""Which backend a service's requests go to, out of the settings, and the facts that are kept about it."""

from dataclasses import dataclass

from iamd.backend.embedded import EmbeddedBackend
from iamd.errors import Common, CommonError
from iamd.gateway.backend import Backend, Credentials, Limits
from iamd.settings import BackendSettings, Settings


@dataclass(frozen=True, slots=True)
class Place:
    """A backend and what is known of it: its name in the settings, and the account that owns what is found there."""

    name: str
    backend: Backend
    account: str | None = None

    @property
    def forgets(self) -> bool:
        """Whether its data ends when it does."""
        return self.backend.embedded is not None


class Backends:
    """Every backend of this server, by service."""

    def __init__(self, settings: Settings, *, is_owner: bool = True) -> None:
        limits = Limits(
            settings.backend_connect_seconds, settings.backend_response_seconds, settings.backend_idle_seconds
        )
        self.embedded = EmbeddedBackend(settings.data, owner=is_owner) if settings.backend == "moto" else None
        self._default = _default(settings, self.embedded, limits)
        self._named = {name: _place(name, table, limits) for name, table in settings.backends.items()}
        self._services = {
            service: self._named[name] for name, table in settings.backends.items() for service in table.services
        }
        everything = [self._named[name] for name, table in settings.backends.items() if not table.services]
        self._rest = everything[0] if everything else self._default

    def of(self, service: str) -> Place:
        """The backend of a service, by botocore's name; refused when there is none."""
        found = self._services.get(service, self._rest)
        if found is None:
            raise CommonError(Common.NOT_IMPLEMENTED, f"No backend is configured for {service}.")
        return found

    @property
    def places(self) -> list[Place]:
        """All of them, each once."""
        return [*([self._default] if self._default is not None else []), *self._named.values()]

    async def close(self) -> None:
        """Close their connections, and end the embedded one."""
        for place in self.places:
            await place.backend.close()
        if self.embedded is not None:
            await self.embedded.stop()


def _default(settings: Settings, embedded: EmbeddedBackend | None, limits: Limits) -> Place | None:
    if embedded is not None:
        return Place("moto", Backend.local(embedded, limits))
    if settings.backend == "none":
        return None
    return Place(settings.backend, Backend.remote(settings.backend, limits=limits))


def _place(name: str, table: BackendSettings, limits: Limits) -> Place:
    credentials = None
    if table.access_key_id is not None and table.secret_access_key is not None:
        credentials = Credentials(table.access_key_id, table.secret_access_key, table.session_token)
    backend = Backend.remote(table.url, credentials, region=table.region, ca_file=table.ca_file, limits=limits)
    return Place(name, backend, table.account)
