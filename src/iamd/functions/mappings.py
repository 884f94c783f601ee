"""Event source mappings: queues and streams that are polled with the function's role, and functions given the records.

AWS: Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources"
(invocation-eventsourcemapping).
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.functions import queues, shards
from iamd.functions.mapped import Mapped
from iamd.functions.polls import Life, Named, Poller, Run
from iamd.functions.roles import Roles
from iamd.functions.shards import Progress
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 2.0


class Polling(msgspec.Struct, frozen=True):
    """What polls for a mapping."""

    life: Life
    task: asyncio.Task[None]


class Mappings:
    """The mappings that this process polls for."""

    def __init__(self, runtime: Runtime, embedded: EmbeddedBackend, roles: Roles, named: Named, run: Run) -> None:
        self._runtime = runtime
        self._embedded = embedded
        self._roles = roles
        self._named = named
        self._run = run
        self._polling: dict[Mapped, Polling] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._progress: dict[str, Progress] = {}
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Look at the mappings again."""
        if self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow())
        self._changed.set()

    async def _follow(self) -> None:
        """Poll for what is mapped now; other processes may have changed it, where there are several."""
        seconds = _LOOK_SECONDS if self._runtime.settings.workers > 1 else None
        while True:
            self._changed.clear()
            try:
                await self._look()
            except BackendDown:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        told = [found for one in await self._embedded.mappings() if (found := _read(one)) is not None]
        self._progress = {one.UUID: self._progress.get(one.UUID) or Progress() for one in told}
        wanted = {one for one in told if one.enabled}
        for one in self._polling.keys() - wanted:
            self._end(self._polling.pop(one))
        for one in wanted - self._polling.keys():
            self._polling[one] = self._begun(one)

    def _begun(self, mapped: Mapped) -> Polling:
        life = Life()
        poller = Poller(mapped, life, self._runtime, self._embedded, self._roles, self._named, self._run)
        progress = self._progress[mapped.UUID]
        work = queues.follow(poller) if mapped.source.service == "sqs" else shards.follow(poller, progress)
        return Polling(life, asyncio.get_running_loop().create_task(work))

    def _end(self, polling: Polling) -> None:
        """End what is no more, or is another now: it finishes what it has begun."""
        polling.life.end()
        self._ending.add(polling.task)
        polling.task.add_done_callback(self._ending.discard)

    async def clear(self) -> None:
        """Poll no more."""
        tasks = [one.task for one in self._polling.values()] + list(self._ending)
        tasks += [self._following] if self._following is not None else []
        self._polling, self._following, self._progress = {}, None, {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _read(told: Mapping[str, Any]) -> Mapped | None:
    """A mapping as it is told; None when it can't be read, and is polled for by nobody."""
    try:
        return msgspec.convert(told, Mapped, strict=False)
    except msgspec.ValidationError:
        log.warning("the mapping %s is not polled for", told.get("UUID"), exc_info=True)
        return None
