"""The newest committed revision, shared by the workers of one host in a memory-mapped file."""

import fcntl
import mmap
import os
from collections.abc import MutableSequence
from pathlib import Path
from typing import Protocol, cast

from iamd.store.pending import NoneElse, Pending, SharedPending


class Counter(Protocol):
    """What `Store.snapshot` reads at the start of every request."""

    pending: Pending
    """What workers tell one another of their events."""
    newest: MutableSequence[int]
    """The newest revision that a worker published, and nothing else: it is read several times in each request."""

    def publish(self, revision: int) -> None:
        """Let all workers know of a committed revision; the counter never goes back."""
        ...

    def correct(self, revision: int) -> None:
        """Set the counter to what the database says; only while the database's write lock is held."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class SharedCounter:
    """The counter in a file of one page: reading it is one aligned load, without a system call."""

    __slots__ = ("_file", "_map", "newest", "pending")

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A full disk is an error here; on a page that has no place yet it would be the end of the process.
        os.posix_fallocate(self._file, 0, mmap.PAGESIZE)
        self._map = mmap.mmap(self._file, mmap.PAGESIZE)
        self.newest = cast("MutableSequence[int]", memoryview(self._map).cast("Q"))
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self.pending: Pending = SharedPending(path, memoryview(self._map).cast("d"))
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def publish(self, revision: int) -> None:
        """Let all workers know of a committed revision; the counter never goes back."""
        # Two workers that commit one after the other may get here in the other order: only the lock keeps the larger.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self.newest[0] = max(self.newest[0], revision)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def correct(self, revision: int) -> None:
        """Set the counter to what the database says; only while the database's write lock is held."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self.newest[0] = revision
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        self.pending.close()
        os.close(self._file)


class OwnCounter:
    """The counter of a store that one process has for itself."""

    __slots__ = ("newest", "pending")

    def __init__(self) -> None:
        self.newest: MutableSequence[int] = [0]
        self.pending: Pending = NoneElse()

    def publish(self, revision: int) -> None:
        """Remember a committed revision."""
        self.newest[0] = max(self.newest[0], revision)

    def correct(self, revision: int) -> None:
        """Set the counter to what the database says."""
        self.newest[0] = revision

    def close(self) -> None:
        """There is nothing to let go of."""
