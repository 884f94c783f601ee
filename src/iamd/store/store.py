"""Store: the state of all accounts, what is written to it, and the audit events, on one database."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from iamd.clock import Clock
from iamd.store import audit
from iamd.store.account import Snapshot
from iamd.store.chain import Chain
from iamd.store.change import Change
from iamd.store.counter import Counter, OwnCounter, SharedCounter
from iamd.store.current import Current
from iamd.store.errors import UnsupportedStore
from iamd.store.events import Event, StoredEvent
from iamd.store.last_used import LastUsed
from iamd.store.loading import Loading
from iamd.store.log import Access, Denial, Log, Query, Use, UseKey
from iamd.store.queue import MAX_STALENESS, EventQueue
from iamd.store.sqlite import DATABASE, file_log, memory_log
from iamd.store.upkeep import RETENTION_SECONDS, Upkeep
from iamd.store.writer import Task, Writer

T = TypeVar("T")

MEMORY = ":memory:"
COUNTER = "revision"


class Limits(NamedTuple):
    """How long decisions go on while events can't be stored, and how long events are kept; in seconds."""

    max_staleness: float = MAX_STALENESS
    retention: float = RETENTION_SECONDS


class Store:
    """The store of one process. Everything may be called from any thread; only Unavailable and Conflict are raised.

    * `Store.open(folder, clock=..., node=..., audit_key=...)` opens the database in a data folder, for as many
      processes as like; `:memory:` is a store of its own.
    * `snapshot()` is the newest committed state of all of them.
    * `write(work)` runs `work(change)` in the writer thread and resolves its future once the outcome is durable.
    * `record_event(event)` is for what changes nothing; a work hands its events to `change.record_event`.
    * `note_use`, `last_used`: when keys and roles were last used.
    * `look_up`, `by_request_id`: committed events. `flush()` commits those that wait.
    * `mark_first_state()`, `reset()`: for `--dev`. `close()` commits what waits.
    """

    def __init__(
        self,
        log: Log,
        counter: Counter,
        clock: Clock,
        chain: Chain,
        limits: Limits,
        loading: Loading | None = None,
    ) -> None:
        self._log = log
        self._chain = chain
        self._counter = counter
        self._events = EventQueue(limits.max_staleness, pending=counter.pending)
        self._last_used = LastUsed(self._stored_use)
        self.has_noted = self._last_used.is_last
        """Whether the last use of a key or role was at the same place and in this second: busy ones are used often."""
        self._answers: Answers | None = None
        current = self._current = Current(log, counter, self._forget)
        upkeep = Upkeep(chain, limits.retention)
        self._writer = Writer(log, current, chain, clock, self._events, self._last_used, upkeep)
        with log.writing() as writing:
            current.load(writing, loading)
            position = writing.position()
            counter.correct(position.revision)
            if position.revision == 0 and writing.roster_seal() is None:
                chain.seal_roster(writing, 0)
        self.snapshot: Callable[[], Snapshot] = current.get
        """The newest committed state of all workers; it names its revision and never changes."""
        self.record_event: Callable[[Event], None] = self._events.put
        """Have an event committed within 200 ms and before the next write; Unavailable when too many or too old ones
        wait: what it tells of must then be refused."""
        self._writer.start()

    @classmethod
    def open(
        cls,
        place: Path | str,
        *,
        clock: Clock,
        node: str,
        audit_key: bytes,
        max_staleness: float = MAX_STALENESS,
        retention: float = RETENTION_SECONDS,
        loading: Loading | None = None,
    ) -> "Store":
        """The store in the data folder `place`, made when there is none; or `:memory:`.

        `node` names this machine in the audit streams, `audit_key` seals them. Events are kept for `retention`
        seconds, and decisions go on for `max_staleness` seconds while their events can't be stored. `loading` says how
        far it has come with a state that takes long to load.
        DamagedStore, NewerStore or UnsupportedStore (all Unavailable) say in one line why a store can't be opened.
        """
        chain = Chain(node, secrets.token_hex(8), audit_key)
        with contextlib.ExitStack() as undo:
            log, counter = _opened(place)
            undo.callback(log.close)
            undo.callback(counter.close)
            store = cls(log, counter, clock, chain, Limits(max_staleness, retention), loading)
            undo.pop_all()
        return store

    def write(self, work: Callable[[Change], T]) -> "Future[T]":
        """Run `work` on a change of the newest state and commit it; the future has its result once that is durable.

        When `work` raises, nothing of it is kept and the future has its exception. Unavailable: nothing was changed.
        """
        future: Future[T] = Future()

        def run(change: Change) -> T:
            if not future.set_running_or_notify_cancel():
                raise CancelledError
            return work(change)

        self._writer.submit(run, lambda result, error: _tell(future, result, error))
        return future

    async def written(self, work: Callable[[Change], T]) -> T:
        """As `write`, for who waits in an event loop."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        answers = self._answers
        if answers is None or answers.loop is not loop:
            answers = self._answers = Answers(loop)
        self._writer.submit(work, partial(answers.tell, outcome))
        return await outcome

    def _do(self, task: Task) -> None:
        future: Future[None] = Future()
        self._writer.submit(task, lambda result, error: _tell(future, result, error))
        future.result()

    def flush(self) -> None:
        """Have every event recorded before this call committed when it returns, other workers' too.

        What another can't commit is not waited for.
        """
        asked = self._counter.pending.ask()
        self.write(_nothing).result()
        self._counter.pending.wait(asked)

    def mark_first_state(self) -> None:
        """Have `reset` go back to the records as they are now; the very first write is marked by itself."""
        self._do(Task.MARK)

    def reset(self) -> None:
        """Go back to the first state, in every worker; events and last uses are gone."""
        self._do(Task.RESET)

    def look_up(self, query: Query) -> list[StoredEvent]:
        """The committed events that a query finds; the last one's `(facts.time, id)` is where the next page begins."""
        with self._log.reading() as reading:
            return reading.look_up(query)

    def by_request_id(self, request_id: str, account: str | None = None) -> list[StoredEvent]:
        """The committed events of a request, oldest first; of one account when it is given."""
        with self._log.reading() as reading:
            return reading.by_request_id(request_id, account)

    def accesses(self, account: str, since: float) -> list[Access]:
        """What an account's principals asked for since then, as the committed events tell; it reads all of them."""
        with self._log.reading_apart() as reading:
            return reading.accesses(account, since)

    def denials(self, account: str, since: float) -> list[Denial]:
        """What was denied since then, as an account's committed events tell; it reads all of them."""
        with self._log.reading_apart() as reading:
            return reading.denials(account, since)

    def verify_audit(self) -> list[str]:
        """What is wrong with the committed audit streams, in one line each; nothing when they are as written."""
        with self._log.reading_apart() as reading:
            return audit.verify(reading, self._chain.key)

    def note_use(self, account: str, kind: str, key: str, use: Use) -> None:
        """Remember when, where and for what a key or a role was used; stored within a minute."""
        self._last_used.note((account, kind, key), use)

    def last_used(self, account: str, kind: str, key: str) -> Use | None:
        """The last use that this process saw or that was stored, the newer one."""
        return self._last_used.get((account, kind, key))

    def close(self) -> None:
        """Commit what waits, and end; what is closed already stays so."""
        if self._writer.close():
            self._log.close()
            self._counter.close()

    def _forget(self) -> None:
        self._events.restart()
        self._last_used.clear()

    def _stored_use(self, key: UseKey) -> Use | None:
        with self._log.reading() as reading:
            return reading.last_used(key)


def _tell(future: "Future[T]", result: T, error: BaseException | None) -> None:
    # Who waited may give up at any time, and the one writer must outlive it.
    with contextlib.suppress(InvalidStateError):
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


class Answers:
    """Outcomes on their way to those who wait in an event loop; the loop is woken once for all that come together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._outcomes: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_called = False

    def tell(self, future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        """Tell one of them, in the writer's thread; nobody waits any more when the loop has ended."""
        self._outcomes.append((future, result, error))
        # The order matters: `_give` takes the mark away before it looks, so that nothing is left behind.
        if not self._is_called:
            self._is_called = True
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._give)

    def _give(self) -> None:
        self._is_called = False
        try:
            while self._outcomes:
                _tell_waiting(*self._outcomes.popleft())
        finally:
            if self._outcomes:
                self.loop.call_soon(self._give)


def _tell_waiting(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _nothing(_: Change) -> None:
    """A write that only waits for its turn."""


def _opened(place: Path | str) -> tuple[Log, Counter]:
    if place == MEMORY:
        return memory_log(f"iamd-{secrets.token_hex(8)}"), OwnCounter()
    if isinstance(place, str) and "://" in place:
        kind = place.partition("://")[0]
        raise UnsupportedStore(f"a store on `{kind}` is not built into this iamd; leave `--store` out to use SQLite")
    folder = Path(place)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return file_log(folder / DATABASE), SharedCounter(folder / COUNTER)
