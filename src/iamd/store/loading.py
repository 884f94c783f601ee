"""Loading: what a start says of the stored state while it reads it, when that takes long enough to be asked about."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from iamd.store.log import Row
from iamd.store.records import Role, User

INTERVAL_SECONDS: Final = 1.0
"""How long it says nothing, at the start and between two lines."""

_PRINCIPALS: Final = frozenset({User.kind, Role.kind})


class Loading:
    """Gives `write` a line a second: how many principals are loaded, and of how many; none when all is done in one."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._due = time.monotonic() + INTERVAL_SECONDS

    def watched(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The rows one after another, while whoever takes them makes records of them."""
        total, done = sum(row.kind in _PRINCIPALS for row in rows), 0
        for row in rows:
            if row.kind in _PRINCIPALS:
                self._tell(done, total)
                done += 1
            yield row

    def _tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + INTERVAL_SECONDS
            self._write(f"loaded {done:,} of {total:,} principals...\n")
