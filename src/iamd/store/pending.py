"""Which workers of one host have events that are not committed yet, in the page that they share.

A request that looks for events has the others commit what they answered before it came: who was answered by one worker
finds the event at any other. Each process has a place of its own in the page and alone writes it.
"""

import os
import time
from pathlib import Path
from typing import Final, Protocol

LOOK_SECONDS: Final = 0.005
"""How often a worker with events that wait looks whether it is asked for them."""

PATIENCE: Final = 0.5
"""How long to wait for the others: one that can't commit must not hold up who looks for what is there."""

STALE: Final = 5.0
"""A worker whose events wait for so long can't commit them, or is no more."""

ASKED: Final = 1
FIRST: Final = 2
PLACES: Final = 128
_STEP: Final = 2

_claimed: Final[set[tuple[Path, int]]] = set()
"""The places of this process, by file."""


class Pending(Protocol):
    """What an EventQueue tells the other workers, and is told by them; times are of the monotonic clock."""

    def note(self, since: float) -> None:
        """When the oldest event was put that is not committed; 0 for none."""
        ...

    def is_asked(self, since: float) -> bool:
        """Whether somebody asks for what was put then."""
        ...

    def has_others(self) -> bool:
        """Whether there is another worker that could ask."""
        ...

    def ask(self) -> float:
        """Have the others commit what they have; gives the moment."""
        ...

    def wait(self, asked: float) -> None:
        """Wait until what was put before that moment is committed, or can't be."""
        ...

    def close(self) -> None:
        """Give up the place."""
        ...


class SharedPending:
    """The places in a page of floats, whose first number is the counter's; all is read and written without a lock."""

    def __init__(self, path: Path, view: "memoryview[float]") -> None:
        self._path = path
        self._view = view
        self._place = self._claim()

    def note(self, since: float) -> None:
        """When the oldest event was put that is not committed; 0 for none."""
        if self._place is not None:
            self._view[self._place + 1] = since

    def is_asked(self, since: float) -> bool:
        """Whether somebody asks for what was put then."""
        return self._view[ASKED] >= since

    def has_others(self) -> bool:
        """Whether there is another worker that could ask."""
        return any(self._view[place] for place in _places() if place != self._place)

    def ask(self) -> float:
        """Have the others commit what they have; gives the moment."""
        # Two that ask at once are as good as one: the earlier has asked for no more than a moment less.
        self._view[ASKED] = asked = time.monotonic()
        return asked

    def wait(self, asked: float) -> None:
        """Wait until what was put before that moment is committed, or can't be."""
        while self._others_have(asked) and time.monotonic() < asked + PATIENCE:
            time.sleep(LOOK_SECONDS / 2)

    def close(self) -> None:
        """Give up the place."""
        if self._place is not None:
            self._view[self._place] = self._view[self._place + 1] = 0.0
            _claimed.discard((self._path, self._place))
            self._place = None

    def _others_have(self, asked: float) -> bool:
        view = self._view
        return any(
            view[place] and asked - STALE < view[place + 1] <= asked for place in _places() if place != self._place
        )

    def _claim(self) -> int | None:
        """A place of one's own, with the lock of the file held; None where there is none."""
        found = None
        for place in _places():
            process = int(self._view[place])
            if process and (self._path, place) not in _claimed and (process == os.getpid() or not _lives(process)):
                self._view[place] = self._view[place + 1] = process = 0
            if not process and found is None:
                found = place
        if found is not None:
            self._view[found + 1] = 0.0
            self._view[found] = float(os.getpid())
            _claimed.add((self._path, found))
        return found


class NoneElse:
    """Of a store that one process has for itself."""

    def note(self, since: float) -> None:
        """Nobody is told."""

    def is_asked(self, since: float) -> bool:
        """Nobody asks."""
        return False

    def has_others(self) -> bool:
        """There are none."""
        return False

    def ask(self) -> float:
        """There is nobody to be asked."""
        return 0.0

    def wait(self, asked: float) -> None:
        """There is nothing to wait for."""

    def close(self) -> None:
        """There is nothing to give up."""


def _places() -> range:
    return range(FIRST, FIRST + PLACES * _STEP, _STEP)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
