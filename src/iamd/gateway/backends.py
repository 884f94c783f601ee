"""Which backend a request goes to, by its service, account and Region, out of the settings."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from yarl import URL

from iamd.backend.embedded import EmbeddedBackend
from iamd.backend_settings import ENDPOINT, BackendSettings, is_within, selection
from iamd.errors import Common, CommonError
from iamd.gateway.backend import Backend, Limits, Rules, origin_of
from iamd.gateway.breaker import Breaker
from iamd.gateway.logins import Logins
from iamd.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """A backend and what is known of it: its name in the settings, and the account that owns what is found there."""

    name: str
    backend: Backend
    account: str | None = None
    forgets: bool = field(init=False)
    """Whether its data ends when it does."""

    def __post_init__(self) -> None:
        """Make what follows from the backend."""
        object.__setattr__(self, "forgets", self.backend.embedded is not None)


class Table:
    """A backend of the settings: one place, or, where AWS's endpoints are meant, one for each of them."""

    def __init__(self, name: str, settings: BackendSettings, limits: Limits, account: str) -> None:
        self.name = name
        self.settings = settings
        self._limits = _limits(settings, limits)
        self._logins = Logins(settings, settings.account or account)
        self._places: dict[tuple[str, str], Place] = {}
        if ENDPOINT not in settings.url:
            self._places["", ""] = self._made(origin_of(settings.url), settings.region)

    def place(self, service: str, region: str) -> Place:
        """The place that a service has in a Region; refused where AWS has none."""
        if ENDPOINT not in self.settings.url:
            return self._places["", ""]
        found = self._places.get((service, region))
        if found is None:
            # Imported here: botocore's table of endpoints is for those who stand before AWS itself.
            from iamd.gateway import aws_endpoints  # noqa: PLC0415

            origin, signing = aws_endpoints.of(service, region)
            found = self._places[service, region] = self._made(origin, self.settings.region or signing)
        return found

    @property
    def places(self) -> list[Place]:
        """Those that there are by now."""
        return list(self._places.values())

    def answers(self, service: str, account: str, region: str) -> bool:
        """Whether requests of this kind are for it."""
        asked = (service, account, region)
        return all(not names or one in names for names, one in zip(selection(self.settings), asked, strict=True))

    def _made(self, origin: URL, region: str | None) -> Place:
        table = self.settings
        rules = Rules(
            addressing=table.addressing,
            base_path=table.base_path.encode(),
            retries=table.retries,
            takes_policies=table.bucket_policies == "forward",
            health_path=table.health_path,
            health_seconds=table.health_seconds,
            is_aws=ENDPOINT in table.url,
        )
        backend = Backend(
            origin,
            logins=self._logins,
            region=region,
            ca_file=table.ca_file,
            connect_to=_address(table.connect_to),
            limits=self._limits,
            rules=rules,
            breaker=Breaker(table.breaker_failures, table.breaker_seconds),
        )
        return Place(self.name, backend, table.account)


MOST_KINDS: Final = 4096
"""Kinds of requests whose backend is remembered."""


class Backends:
    """Every backend of this server, by service, account and Region."""

    def __init__(self, settings: Settings, *, is_owner: bool = True) -> None:
        limits = Limits(
            settings.backend_connect_seconds, settings.backend_response_seconds, settings.backend_idle_seconds
        )
        self.embedded = EmbeddedBackend(settings.data, owner=is_owner) if settings.backend == "moto" else None
        self.local = Place("moto", Backend.local(self.embedded, limits)) if self.embedded is not None else None
        tables = [Table(name, table, limits, settings.account) for name, table in settings.backends.items()]
        # The one that is for less stands first.
        self._tables = sorted(
            tables, key=lambda one: sum(is_within(one.settings, other.settings) for other in tables), reverse=True
        )
        if settings.backend not in {"moto", "none"}:
            self._tables.append(
                Table(settings.backend, BackendSettings(url=settings.backend), limits, settings.account)
            )
        self._chosen = lru_cache(maxsize=MOST_KINDS)(self._choose)
        self._is_by_account = any(table.settings.only_accounts for table in self._tables)
        self._is_by_region = any(t.settings.only_regions or ENDPOINT in t.settings.url for t in self._tables)
        self.may_be_split: Final = self._is_by_account or self._is_by_region
        """Whether resources of any service may lie at several backends."""

    def of(self, service: str, account: str = "", region: str = "") -> Place:
        """The backend of a service for an account in a Region, by botocore's names; refused when there is none."""
        place = self._chosen(service, account if self._is_by_account else "", region if self._is_by_region else "")
        if place is None:
            raise CommonError(Common.NOT_IMPLEMENTED, f"No backend is configured for {service}.")
        return place

    def is_split(self, service: str) -> bool:
        """Whether resources of a service lie at several backends, by their accounts and Regions."""
        return self.may_be_split and len(self.serving(service)) > 1

    def serving(self, service: str) -> list[str]:
        """The names of the backends that may hold resources of a service."""
        tables = [one for one in self._tables if not one.settings.services or service in one.settings.services]
        return [*(one.name for one in tables), *([self.local.name] if self.local is not None else [])]

    def named(self, name: str, service: str, region: str) -> Place | None:
        """The backend of this name in the settings."""
        if self.local is not None and name == self.local.name:
            return self.local
        return next((one.place(service, region) for one in self._tables if one.name == name), None)

    def _choose(self, service: str, account: str, region: str) -> Place | None:
        for table in self._tables:
            if table.answers(service, account, region):
                return table.place(service, region)
        return self.local

    @property
    def places(self) -> list[Place]:
        """All of them that there are by now, each once."""
        own = [self.local] if self.local is not None else []
        return [*own, *(place for table in self._tables for place in table.places)]

    def states(self) -> dict[str, str]:
        """How each backend is, by its name; of one with several endpoints the worst."""
        states: dict[str, str] = {table.name: "configured" for table in self._tables}
        for place in self.places:
            state = _state(place)
            states[place.name] = max(states.get(place.name, state), state, key=_badness)
        return states

    async def close(self) -> None:
        """Close their connections, and end the embedded one."""
        for place in self.places:
            await place.backend.close()
        if self.embedded is not None:
            await self.embedded.stop()


def _state(place: Place) -> str:
    embedded = place.backend.embedded
    if embedded is None:
        return place.backend.breaker.state
    return "running" if embedded.boot is not None else "starting"


_FROM_BEST: Final = ("configured", "up", "failing", "down")


def _badness(state: str) -> int:
    word = state.partition(":")[0]
    return _FROM_BEST.index(word) if word in _FROM_BEST else 0


def _limits(table: BackendSettings, general: Limits) -> Limits:
    return Limits(
        table.connect_seconds or general.connect,
        table.response_seconds or general.response,
        table.idle_seconds or general.idle,
    )


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
