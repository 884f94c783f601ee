"""Where a request goes: the backend that has what it is for, its parameters as they are asked there, and its facts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from iamd.arn import REGION
from iamd.auth.identity import ANONYMOUS
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.errors import Common, CommonError
from iamd.gateway import access_points, for_users, placing, subscriptions
from iamd.gateway.actions.asked import Asked
from iamd.gateway.backends import Backends, Place
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.resources import Facts
from iamd.gateway.traits import of as traits_of
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.store.account import Snapshot
from iamd.store.records import Resource
from iamd.wire import route


class Placer:
    """Finds the places of one server's requests."""

    def __init__(self, runtime: Runtime, backends: Backends) -> None:
        self._runtime = runtime
        self._backends = backends
        self._facts_of_newest: tuple[Snapshot, Place, str | None, Facts] | None = None

    def facts_at(self, place: Place) -> Facts | None:
        """What the newest snapshot has of a place; None while the embedded backend is not up."""
        embedded = place.backend.embedded
        if embedded is not None and embedded.boot is None:
            return None
        return self._facts(place, embedded.boot if embedded is not None else None)

    def _facts(self, place: Place, boot: str | None) -> Facts:
        """What the newest snapshot has of a place; the same again while it is the newest."""
        view, known = self._runtime.store.snapshot(), self._facts_of_newest
        if known is not None and known[0] is view and known[1] is place and known[2] == boot:
            return known[3]
        found = Facts.of(view, boot, place.account, forgets=place.forgets)
        self._facts_of_newest = view, place, boot, found
        return found

    def at_once(
        self, progress: Progress, found: route.Route, parameters: Mapping[str, Any]
    ) -> tuple[Place, Asked, Facts] | None:
        """What `placed` gives, of most requests but for those of users; None where to wait, or to look closer."""
        backends = self._backends
        if backends.may_be_split:
            return None
        account, region = (progress.identity or ANONYMOUS).asks_in, self._region(progress, found, parameters)
        place = backends.of(found.operation.service, account, region)
        embedded = place.backend.embedded
        boot = embedded.boot if embedded is not None else None
        if embedded is not None and boot is None:
            return None
        return place, *self._asked_at(place, boot, progress, found, parameters, account, region)

    async def placed(
        self, progress: Progress, found: route.Route, parameters: Mapping[str, Any]
    ) -> tuple[Place, Asked, Facts]:
        """The backend that has what is asked for, the parameters as they are asked there, and its facts."""
        service, backends = found.operation.service, self._backends
        is_for_users = traits_of(found.operation).is_for_users
        if is_for_users:
            account, region = await self._home_of_users(progress, found, parameters)
        else:
            account, region = (progress.identity or ANONYMOUS).asks_in, self._region(progress, found, parameters)
        place = backends.of(service, account, region)
        boot = await _boot(place.backend.embedded) if place.backend.embedded is not None else None
        asked, facts = self._asked_at(place, boot, progress, found, parameters, account, region)
        if backends.may_be_split and backends.is_split(service) and not is_for_users:
            home = placing.home(asked, backends, facts)
            if home is not place:
                boot = await _boot(home.backend.embedded) if home.backend.embedded is not None else None
                return home, *self._asked_at(home, boot, progress, found, parameters, account, region)
        return place, asked, facts

    def _region(self, progress: Progress, found: route.Route, parameters: Mapping[str, Any]) -> str:
        """The Region that the request is signed for, or of what an unsigned one is for where it tells."""
        claim = progress.claim
        if claim is not None:
            named: str | None = claim.scope.region
        elif found.style == "access point":
            named = access_points.region_of(parameters)
        else:
            named = subscriptions.region_of(found.operation, parameters)
        region = named or self._runtime.settings.region
        if not _is_region(region):
            raise CommonError(Common.SIGNATURE_MISMATCH, "Credential should be scoped to a valid region. ")
        return region

    async def _home_of_users(
        self, progress: Progress, found: route.Route, parameters: Mapping[str, Any]
    ) -> tuple[str, str]:
        """The account and Region of the pool that a user's request is for; its event is theirs."""
        embedded = self._backends.embedded
        if embedded is not None:
            await _boot(embedded)
        snapshot = self._runtime.store.snapshot()
        home = for_users.home(found.operation, parameters, lambda name: placing.living(name, snapshot, self._backends))
        progress.recipient, progress.region = home.account, home.region
        return home.account, home.region

    def _asked_at(
        self,
        place: Place,
        boot: str | None,
        progress: Progress,
        found: route.Route,
        parameters: Mapping[str, Any],
        account: str,
        region: str,
    ) -> tuple[Asked, Facts]:
        """The parameters as they are asked at a backend for an account, and its facts."""
        facts = self._facts(place, boot)
        now = self._runtime.clock.machine_timestamp()
        asked = Asked(found.operation, parameters, account, region, progress.claim, now, facts.known, facts.named)
        if found.operation.service == "s3" and access_points.may_name_one(found, parameters):
            asked = access_points.opened(asked, found, facts.view, self._is_alive, progress.request.vpc_endpoint)
            if found.style == "access point" and asked.through is not None and asked.through.bucket is not None:
                progress.parameters = {**(progress.parameters or {}), "Bucket": asked.through.bucket.arn}
        return asked, facts

    def _is_alive(self, record: Resource) -> bool:
        return placing.is_alive(record, self._backends)


@lru_cache(maxsize=256)
def _is_region(text: str) -> bool:
    return REGION.fullmatch(text) is not None


async def _boot(embedded: EmbeddedBackend) -> str:
    """The boot of a backend that forgets; it has to be up, as its boot says which facts about its resources count."""
    try:
        return embedded.boot or await embedded.ready()
    except BackendDown as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error
