"""The newest snapshot of this process, and how it catches up with what other workers committed."""

import threading
from collections.abc import Callable

from iamd.store.account import Snapshot
from iamd.store.counter import Counter
from iamd.store.loading import Loading
from iamd.store.log import Log, Position, Reading
from iamd.store.state import EMPTY, advanced, snapshot_of


class Current:
    """Holds the newest snapshot; its revision only grows."""

    def __init__(self, log: Log, counter: Counter, on_reset: Callable[[], None]) -> None:
        self._log = log
        self._counter = counter
        self._newest = counter.newest
        self._on_reset = on_reset
        self._lock = threading.RLock()
        self._snapshot = EMPTY
        self.reset = 0
        """The revision of the last reset that this process knows of."""

    def get(self) -> Snapshot:
        """The newest committed snapshot of all workers; Unavailable when it can't be read."""
        snapshot = self._snapshot
        return snapshot if self._newest[0] <= snapshot.revision else self._catch_up()

    def load(self, reading: Reading, loading: Loading | None = None) -> None:
        """Take the whole state as it is stored."""
        state = reading.everything()
        with self._lock:
            self._take(snapshot_of(state, loading), state.position)

    def follow(self, reading: Reading) -> Snapshot:
        """The snapshot of what `reading` sees, which is the newest from now on."""
        with self._lock:
            delta = reading.since(self._snapshot.revision)
            if delta is None:
                self.load(reading)
            elif delta.position.revision > self._snapshot.revision:
                self._take(advanced(self._snapshot, delta), delta.position)
            return self._snapshot

    def publish(self, snapshot: Snapshot, reset: int) -> None:
        """Let everybody have a snapshot that was committed."""
        with self._lock:
            self._take(snapshot, Position(snapshot.revision, reset))
        if self._newest[0] < snapshot.revision:
            self._counter.publish(snapshot.revision)

    def _catch_up(self) -> Snapshot:
        # SECURITY: a worker that knows it is behind must not decide on what it has: a key may have been revoked.
        with self._lock, self._log.reading() as reading:
            return self.follow(reading)

    def _take(self, snapshot: Snapshot, position: Position) -> None:
        if snapshot.revision > self._snapshot.revision:
            self._snapshot = snapshot
        if position.reset > self.reset:
            self.reset = position.reset
            self._on_reset()
