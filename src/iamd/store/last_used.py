"""When access keys and roles were last used: kept in memory, stored now and then."""

import threading
import time
from collections.abc import Callable
from typing import Final

from iamd.store.log import Use, UseKey

FLUSH_SECONDS: Final = 60.0
"""How long a last use may be known to its process alone; a crash loses no more."""

MOST_RECENT: Final = 4096


class LastUsed:
    """The newest uses: those that this process saw and has not stored yet, before those that are stored."""

    def __init__(self, stored: Callable[[UseKey], Use | None]) -> None:
        self._stored = stored
        self._lock = threading.Lock()
        self._noted: dict[UseKey, Use] = {}
        self._recent: dict[str, tuple[object, int]] = {}
        self._flushed_at = time.monotonic()

    def is_last(self, key: str, where: object, now: int) -> bool:
        """Whether a key was last asked about for the same place, one object for all uses there, and this second.

        Asking makes it so.
        """
        recent, last = self._recent, self._recent.get(key)
        if last is not None and last[0] is where and last[1] == now:
            return True
        if len(recent) >= MOST_RECENT:
            recent.clear()
        recent[key] = (where, now)
        return False

    def note(self, key: UseKey, use: Use) -> None:
        """Remember a use."""
        # A busy key is used many times a second, and the same each time.
        if self._noted.get(key) != use:
            with self._lock:
                self._noted[key] = use

    def get(self, key: UseKey) -> Use | None:
        """The newest use that is known."""
        uses = (self._noted.get(key), self._stored(key))
        return max((use for use in uses if use is not None), key=lambda use: use.time, default=None)

    def due(self) -> float | None:
        """When (by the monotonic clock) the uses should be stored; None when there are none."""
        return self._flushed_at + FLUSH_SECONDS if self._noted else None

    def noted(self) -> dict[UseKey, Use]:
        """A copy of what is not stored."""
        with self._lock:
            return self._noted.copy()

    def stored(self, uses: dict[UseKey, Use]) -> None:
        """These uses are stored."""
        with self._lock:
            self._noted = {key: use for key, use in self._noted.items() if uses.get(key) is not use}
        self._flushed_at = time.monotonic()

    def clear(self) -> None:
        """Forget all: the store was reset."""
        with self._lock:
            self._noted = {}
            self._recent = {}
