"""What is due of the embedded backend is done: a rule sends, a secret is rotated, a schedule asks its target."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from iamd.alarms import Alarms
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.delivery import Timing
from iamd.gateway.executions import Execution, Executions, Sender
from iamd.gateway.timetable import Due, Timetable
from iamd.runtime import Runtime

log = logging.getLogger(__name__)


class Schedules:
    """Does what is due."""

    def __init__(self, runtime: Runtime, embedded: EmbeddedBackend, sender: Sender) -> None:
        clock = runtime.clock
        self._clock = clock
        self._embedded = embedded
        self._alarms = Alarms(clock, moves=runtime.settings.dev)
        self._timetable = Timetable(clock, self._alarms, self._ring)
        self._executions = Executions(clock, self._alarms, sender)
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_turn = asyncio.Lock()

    def learn(self, timing: Timing) -> None:
        """Have something due as it is told now."""
        self._timetable.learn(timing)

    def forget(self) -> None:
        """Nothing is due any more, and what is being done is left."""
        self._timetable.clear()
        self._alarms.clear()
        for task in self._tasks:
            task.cancel()

    async def clear(self) -> None:
        """The same, and wait until it is left."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ring(self, due: Due) -> None:
        work = self._schedule(due) if due.of.kind == "schedule" else self._begun(due)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begun(self, due: Due) -> None:
        """Have the backend do it; what it sends comes back as deliveries, in the order in which it is due."""
        async with self._in_turn:
            await self._told(due)
        self._timetable.done(due)

    async def _told(self, due: Due) -> Mapping[str, Any] | None:
        """What is due now; None when it is not any more."""
        try:
            # A secret is rotated once, however often it was due while the clock was moved.
            moment = self._clock.timestamp() if due.of.kind == "secret" else due.moment
            found = await self._embedded.due(due.of, due.version, moment)
        except BackendDown:
            log.warning("%s was due while the backend was down", due.of.name)
            return None
        if found is None:
            self._timetable.forget(due)
        return found

    async def _schedule(self, due: Due) -> None:
        found = await self._told(due)
        if found is not None:
            execution = Execution(due.of, found["arn"], found["target"], due.moment, self._clock.timestamp())
            await self._executions.run(execution)
        if self._timetable.done(due):
            await self._completed(due)

    async def _completed(self, due: Due) -> None:
        try:
            await self._embedded.completed(due.of, due.version)
        except BackendDown:
            log.warning("%s was done for the last time while the backend was down", due.of.name)
