"""What pollers of event sources have in common: what they run and ask as, when they end, how long they wait."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from iamd import ids
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.errors import AWSError, CommonError
from iamd.functions import definition
from iamd.functions.calls import Told, call
from iamd.functions.definition import Function
from iamd.functions.environment import Result
from iamd.functions.mapped import Mapped
from iamd.functions.roles import Roles
from iamd.functions.runtime_events import Event, event_of
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_PAUSES: Final = (1.0, 30.0)
"""The first and the longest pause after what was refused or has failed."""
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

Run = Callable[[Function, Event], Awaitable[tuple[Result, bytes]]]
Named = Callable[[str, str, str, str | None], Awaitable[Function]]


class Life:
    """How long a mapping is polled for as it is now."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._over.is_set()

    def end(self) -> None:
        """Begin nothing new."""
        self._over.set()

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until it is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()


class Pauses:
    """Pauses that grow twice as long each time, until all is well again."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._seconds = _PAUSES[0]

    async def wait(self) -> None:
        """Wait for the next pause."""
        await self._life.pause(self._seconds)
        self._seconds = min(self._seconds * 2, _PAUSES[1])

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._seconds = _PAUSES[0]


class Refused(Exception):
    """What a source was asked for it has refused."""

    def __init__(self, told: Told) -> None:
        super().__init__(f"{told.code}: {told.message}")
        self.code = told.code


class Poller(msgspec.Struct, frozen=True):
    """What polls for one mapping: its function, run and asked for as everything else is."""

    mapped: Mapped
    life: Life
    runtime: Runtime
    embedded: EmbeddedBackend
    roles: Roles
    named: Named
    run: Run

    async def function(self) -> Function:
        """The function of the mapping, as it is now; an AWSError when it can't run."""
        function = await self.named(*self.mapped.function)
        definition.check_runs(function)
        return function

    async def ask(self, function: Function, service: str, operation: str, given: Mapping[str, Any]) -> Told:
        """Ask the mapping's source for an operation, with the function's role."""
        credentials = await self.roles.of_lambda(function)
        return await call(self.runtime, credentials, service, operation, given, region=self.mapped.source.region)

    async def give(
        self, function: Function, records: Sequence[Mapping[str, Any]], more: Mapping[str, Any] = NOTHING
    ) -> tuple[str, Result]:
        """Run the function on records, with more beside them; the id of the request, and how it ended."""
        request_id = ids.request_id()
        event = event_of(request_id, json.dumps({"Records": records, **more}).encode(), self.mapped.FunctionArn)
        result, _ = await self.run(function, event)
        return request_id, result

    async def succeeds(self, work: Awaitable[object]) -> bool:
        """Whether something is done; what hinders it is logged, and the poller goes on."""
        try:
            return await work is not False
        except (AWSError, CommonError, BackendDown, Refused) as error:
            log.info("the mapping %s: %s", self.mapped.UUID, error)
        except Exception:
            log.exception("the mapping %s", self.mapped.UUID)
        return False


def reported(result: Result, *, reports: bool) -> frozenset[str] | None:
    """The ids that a function names as failed, none when all went well; None when everything failed."""
    if result.failure is not None:
        return None
    if not reports:
        return frozenset()
    try:
        answer = msgspec.json.decode(result.content)
        if not answer or not answer.get("batchItemFailures"):
            return frozenset()
        return frozenset(item["itemIdentifier"] for item in answer["batchItemFailures"])
    except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
        return None
