"""The one thread that writes: it takes what waits, runs it on the newest state and commits it together."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Any, Final

from iamd.clock import Clock
from iamd.complaints import Complaints
from iamd.store.account import Snapshot
from iamd.store.chain import Chain, End, encoded, encoded_anyway
from iamd.store.change import Change, OneUse
from iamd.store.current import Current
from iamd.store.errors import Conflict, Unavailable
from iamd.store.events import Facts
from iamd.store.last_used import LastUsed
from iamd.store.log import Log, Use, UseKey, Writing, Written
from iamd.store.queue import EventQueue
from iamd.store.state import snapshot_of, written
from iamd.store.upkeep import Upkeep

WRITES_WAITING: Final = 10_000
RETRY_SECONDS: Final = 0.2
"""How long events and last uses wait after a commit failed; a work never waits."""

BATCH: Final = 256
"""How many works share one commit at most."""

GATHER_SECONDS: Final = 0.0005
"""How long works wait for others to share their commit, which takes longer, where several came together before."""

logger = logging.getLogger("iamd.store")


Told = Callable[[Any, BaseException | None], object]
"""Takes a work's result, or what it raised, in the writer's thread; it must not wait for anything."""


@dataclass(slots=True)
class Waiting:
    """A work and who is told of its outcome; or something to do with the database itself."""

    work: "Callable[[Change], Any] | Task"
    told: Told


class Task(StrEnum):
    """What is done with the whole store."""

    RESET = "reset"
    MARK = "mark the first state"


@dataclass(slots=True)
class Batch:
    """What one transaction did, to be told when it is committed."""

    writing: Writing
    chain: Chain
    snapshot: Snapshot
    reset: int
    end: End | None
    now: float
    outcomes: list[tuple[Told, Any, BaseException | None]] = field(default_factory=list)
    revisions: list[tuple[int, list[Written]]] = field(default_factory=list)
    """Records that are still to be written: all together, for a statement costs more than a row."""
    events: list[tuple[Facts, bytes]] = field(default_factory=list)
    """What is still to be appended to this process's stream, likewise."""

    def run(self, waiting: Waiting) -> None:
        """Run a work on the newest state and have what it did appended; nothing when it raises.

        What is raised while appending is the database's: it ends the whole batch, for half a work must not be kept.
        """
        if isinstance(waiting.work, Task):
            self._do(waiting.work, waiting.told)
            return
        change = Change(self.snapshot, self.writing.used_until)
        try:
            result = waiting.work(change)
            lines = written(change.entries) if change.entries else []
            events = [encoded(event) for event in change.events]
        except BaseException as error:  # noqa: BLE001 (whatever a work raises is its caller's)
            self.outcomes.append((waiting.told, None, error))
        else:
            self._append(change, lines, events)
            self.outcomes.append((waiting.told, result, None))

    def append(self) -> None:
        """Write the records so far, and append the events so far to this process's stream."""
        if self.revisions:
            self.writing.append(self.revisions)
            self.revisions.clear()
        self.end = self.chain.append(self.writing, self.end, self.events, self.reset, self.now)
        self.events.clear()

    def tell(self) -> None:
        """Tell everybody: everything is committed."""
        for told, result, error in self.outcomes:
            told(result, error)

    def _append(self, change: Change, lines: list[Written], events: list[tuple[Facts, bytes]]) -> None:
        if lines:
            revision = self.snapshot.revision + 1
            self.revisions.append((revision, lines))
            self.snapshot = change.snapshot(revision)
        for use in change.uses:
            self._use(use)
        self.events += events

    def _use(self, use: OneUse) -> None:
        if use.key is None or use.expires is None:
            self.writing.delete_used(use.kind, use.key)
        else:
            self.writing.use(use.kind, use.key, use.expires)

    def _do(self, task: Task, told: Told) -> None:
        error = None
        self.append()
        if self.snapshot.revision == 0:
            error = Conflict("nothing was ever written, so there is no first state")
        elif task is Task.MARK:
            self.writing.mark_first_state()
        else:
            self._reset()
        self.outcomes.append((told, None, error))

    def _reset(self) -> None:
        self.reset = self.snapshot.revision + 1
        self.writing.reset(self.reset)
        self.chain.seal_roster(self.writing, 0)
        self.snapshot = snapshot_of(self.writing.everything())
        self.end = None


class Writer:
    """Works wait in order; those that wait together share one commit, each with a revision of its own."""

    def __init__(
        self,
        log: Log,
        current: Current,
        chain: Chain,
        clock: Clock,
        events: EventQueue,
        last_used: LastUsed,
        upkeep: Upkeep,
    ) -> None:
        self._log = log
        self._current = current
        self._chain = chain
        self._clock = clock
        self._end: End | None = None
        self._works: deque[Waiting] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()
        """Whatever is in it tells the thread to look at what waits, for a fraction of what a threading.Event costs."""
        self._submitting = threading.Lock()
        self._retry_at = 0.0
        self._closing = False
        self._took_several = False
        self._events = events
        self._last_used = last_used
        self._upkeep = upkeep
        self._complaints = Complaints(logger, "the store writes again")
        events.wake = self._tell
        self._thread = threading.Thread(target=self._run, name="iamd-store-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def submit(self, work: Callable[[Change], Any] | Task, told: Told) -> None:
        """Have a work run and committed, and its outcome told then; Unavailable at once when too many wait."""
        with self._submitting:
            if self._closing:
                raise Unavailable("the store is closed")
            if len(self._works) >= WRITES_WAITING:
                raise Unavailable("too many writes wait for the database")
            self._works.append(Waiting(work, told))
        # While something is in it, the writer has still to look at what waits.
        if self._news.empty():
            self._news.put(None)

    def close(self) -> bool:
        """Write what waits, and end; False when that was done before."""
        with self._submitting:
            closing, self._closing = self._closing, True
        self._tell()
        self._thread.join()
        return not closing

    def _tell(self) -> None:
        self._news.put(None)

    def _run(self) -> None:
        while not self._closing:
            with suppress(Empty):
                self._news.get(timeout=max(0.0, self._events.patience(self._seconds_to_wait())))
            if self._seconds_to_wait() <= 0:
                self._gather()
                self._commit()
        while self._works:
            self._commit()
        self._commit()

    def _seconds_to_wait(self) -> float:
        if self._works:
            return 0.0
        dues = (self._events.due(), self._last_used.due(), self._upkeep.due)
        return max(self._retry_at, min(due for due in dues if due is not None)) - time.monotonic()

    def _gather(self) -> None:
        """Let those share a commit who write at the same time; who writes alone waits for nobody."""
        if self._took_several and self._works:
            time.sleep(GATHER_SECONDS)

    def _commit(self) -> None:
        """One transaction with everything that waits; when it fails, all of it fails and nothing is changed."""
        taken: list[Waiting] = []
        try:
            with self._log.writing() as writing:
                batch = self._begin(writing)
                uses = self._note_uses(writing)
                taken = self._take()
                self._fill(batch, taken)
                if self._upkeep.due <= time.monotonic():
                    self._upkeep.do(writing, batch.now)
        except Exception as error:  # noqa: BLE001 (the one writer must outlive every error)
            self._fail(taken or self._take(everything=True), error)
        else:
            self._succeed(batch, uses)

    def _take(self, *, everything: bool = False) -> list[Waiting]:
        limit = WRITES_WAITING if everything else BATCH
        taken = [self._works.popleft() for _ in range(min(limit, len(self._works)))]
        if taken:
            self._took_several = len(taken) > 1
        return taken

    def _begin(self, writing: Writing) -> Batch:
        snapshot = self._current.follow(writing)
        reset = self._current.reset
        end = self._end if self._end is not None and self._end.reset == reset else None
        return Batch(writing, self._chain, snapshot, reset, end, self._clock.timestamp())

    def _fill(self, batch: Batch, taken: list[Waiting]) -> None:
        # Events are taken after the works: those recorded before a work was handed over stand before its own.
        batch.events += [encoded_anyway(event) for event in self._events.take()]
        for waiting in taken:
            batch.run(waiting)
        batch.append()

    def _succeed(self, batch: Batch, uses: dict[UseKey, Use]) -> None:
        self._end = batch.end
        self._complaints.end()
        self._events.committed()
        if uses:
            self._last_used.stored(uses)
        try:
            self._current.publish(batch.snapshot, batch.reset)
        except OSError:
            logger.exception("the other workers could not be told of revision %d", batch.snapshot.revision)
        batch.tell()

    def _fail(self, taken: list[Waiting], error: Exception) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if isinstance(error, Unavailable):
            self._complaints.tell(f"the store can't write, and refuses writes until it can: {error}")
        else:
            logger.error("the store could not write", exc_info=error)
        for waiting in taken:
            failure = Unavailable(str(error) if isinstance(error, Unavailable) else "the store could not write")
            failure.__cause__ = error
            waiting.told(None, failure)

    def _note_uses(self, writing: Writing) -> dict[UseKey, Use]:
        due = self._last_used.due()
        if due is None or (due > time.monotonic() and not self._closing):
            return {}
        uses = self._last_used.noted()
        writing.note_uses(uses)
        return uses
