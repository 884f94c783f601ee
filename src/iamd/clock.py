"""The one source of time: handed in, so that a test controls it, and never going back."""

import fcntl
import mmap
import os
import time
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import cast


class SharedAdvance:
    """The seconds that `--dev` advanced the clock, for all workers: one number in a memory-mapped file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A full disk is an error here; on a page that has no place yet it would be the end of the process.
        os.posix_fallocate(self._file, 0, mmap.PAGESIZE)
        self.value = cast("MutableSequence[float]", memoryview(mmap.mmap(self._file, mmap.PAGESIZE)).cast("d"))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Within the block, no other worker changes it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


class Clock:
    """The time that iamd issues and expires by: the machine's plus what `--dev` advanced it; it never goes back."""

    def __init__(self, machine: Callable[[], float] = time.time, shared: SharedAdvance | None = None) -> None:
        self._machine = machine
        self.machine_timestamp = machine
        """Seconds since the epoch by the machine's clock: for signature dates and TOTP steps, which clients keep."""
        self._latest = machine()
        self._shared = shared
        self._advanced: MutableSequence[float] = shared.value if shared is not None else [0.0]

    @property
    def advanced_seconds(self) -> float:
        """How far `--dev` moved the clock."""
        return self._advanced[0]

    def timestamp(self) -> float:
        """Seconds since the epoch; a machine clock that steps back does not bring anything expired back to life."""
        now = self._machine()
        if now < self._latest:
            now = self._latest
        else:
            self._latest = now
        return now + self._advanced[0]

    def seconds(self) -> int:
        """Whole seconds since the epoch, of `timestamp`, which each request asks for several times."""
        now = self._machine()
        if now < self._latest:
            now = self._latest
        else:
            self._latest = now
        return int(now + self._advanced[0])

    def now(self) -> datetime:
        """The moment, in UTC, in whole seconds as AWS's dates are."""
        return datetime.fromtimestamp(int(self.timestamp()), UTC)

    def advance(self, seconds: float) -> None:
        """Move what iamd issued or timed itself by `seconds` (`POST /_iamd/clock`)."""
        with self._shared.changing() if self._shared is not None else nullcontext():
            self._advanced[0] += seconds

    def reset(self) -> None:
        """Go back to the machine's time."""
        self._advanced[0] = 0.0


def iso(moment: datetime) -> str:
    """The form of a date in AWS's XML and in `aws:CurrentTime`: `2026-01-31T12:00:00Z`."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(count: float) -> timedelta:
    """A duration of `count` seconds."""
    return timedelta(seconds=count)


@lru_cache(maxsize=64)
def iso_of(timestamp: int) -> str:
    """`iso` of whole seconds since the epoch."""
    return iso(datetime.fromtimestamp(timestamp, UTC))
