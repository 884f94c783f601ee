"""Events of reads and decisions on their way to the database: cheap to add to, bounded, and never too old."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from iamd.store.errors import Unavailable
from iamd.store.events import Event
from iamd.store.pending import LOOK_SECONDS, NoneElse, Pending

EVENTS_WAITING: Final = 10_000
"""How many events may wait; a decision whose event finds no place is not given."""

WAY_SECONDS: Final = 0.0002
"""How long whoever adds to a queue that is a quarter full gives way to the thread that empties it."""

FLUSH_SECONDS: Final = 0.1
"""How long the first waiting event waits for others; interface of the audit: committed within 200 ms."""

MAX_STALENESS: Final = 60.0
"""How long decisions go on while their events can't be committed."""


class EventQueue:
    """Any thread puts, one thread takes; what was taken stays here until it was committed."""

    def __init__(
        self, staleness: float = MAX_STALENESS, size: int = EVENTS_WAITING, pending: Pending | None = None
    ) -> None:
        self.wake: Callable[[], object] = _nobody
        """Tells the thread that takes that there is something to wait for."""
        self._size = size
        self._staleness = staleness
        self._waiting: deque[Event | None] = deque()
        self._taken: list[Event] = []
        self._waiting_since = 0.0
        self._taken_since = 0.0
        self._pending: Pending = pending or NoneElse()

    def put(self, event: Event) -> None:
        """Add an event; Unavailable when the queue is full or was not emptied for too long."""
        before = len(self._waiting) + len(self._taken)
        if before >= self._size:
            raise Unavailable("too many audit events wait for the database")
        since = self._taken_since or self._waiting_since
        if since and time.monotonic() - since > self._staleness:
            raise Unavailable("audit events could not be stored for too long")
        self._waiting.append(event)
        # The order matters: the taking thread clears the time first and takes then, so no event is left without one.
        if not self._waiting_since:
            since = self._waiting_since = time.monotonic()
            if not self._taken_since:
                self._pending.note(since)
            self.wake()
        if before * 4 >= self._size:
            # A thread that never waits leaves the interpreter to others too seldom: requests would be taken faster than
            # their events can be stored, until they had to be refused.
            time.sleep(WAY_SECONDS)

    def due(self) -> float | None:
        """When (by the monotonic clock) what waits should be taken; None when nothing waits."""
        since = self._taken_since or self._waiting_since
        if not since:
            return None
        return since if self._pending.is_asked(since) else since + FLUSH_SECONDS

    def patience(self, seconds: float) -> float:
        """How long to wait of `seconds`, for another worker may ask for what waits."""
        waits = self._taken_since or self._waiting_since
        return min(seconds, LOOK_SECONDS) if waits and self._pending.has_others() else seconds

    def take(self) -> list[Event]:
        """Everything that is not committed, in the order it was put."""
        if self._waiting_since:
            self._taken_since = self._taken_since or self._waiting_since
            self._waiting_since = 0.0
        while self._waiting:
            event = self._waiting.popleft()
            if event is None:
                self._taken.clear()
            else:
                self._taken.append(event)
        return self._taken

    def committed(self) -> None:
        """What was taken is stored."""
        self._taken = []
        self._taken_since = 0.0
        self._pending.note(self._waiting_since)
        if self._waiting_since:
            # Put since the line before was read, by a thread that saw that something older was taken.
            self._pending.note(self._waiting_since)

    def restart(self) -> None:
        """Forget what was put until now: the store was reset."""
        self._waiting.append(None)


def _nobody() -> None:
    """Nobody takes yet."""
