"""The store on SQLite: the connections to one database; the SQL stands in sqlite_reading.py and sqlite_writing.py."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from iamd.store.connection import connect, migrate, roll_back, translated
from iamd.store.errors import DamagedStore, Unavailable
from iamd.store.sqlite_reading import SQLiteReading
from iamd.store.sqlite_writing import SQLiteWriting

DATABASE = "iamd.db"
"""The database's file name in a data folder."""

SMALLEST_PAGE = 512
"""The least that a database has (SQLite, "Database File Format"); SQLite takes what is shorter for a new one."""


class SQLiteLog:
    """One SQLite database: a connection that writes, and one that reads what is committed."""

    def __init__(self, uri: str, *, lock_seconds: float = 5.0, vfs: str | None = None) -> None:
        self._uri = uri
        self._lock_seconds = lock_seconds
        self._vfs = vfs
        self._reader: apsw.Connection | None = None
        self._writer: apsw.Connection | None = None
        self._reader_lock = threading.Lock()
        self._writer = self._connected()
        with translated():
            migrate(self._writer)
        # Two connections from the start: a writer that fails is closed, and were it the last one, SQLite would remove
        # the shared memory beside the database, which a full disk then has no place for.
        self._reader = self._connected()

    @contextmanager
    def reading(self) -> Iterator[SQLiteReading]:
        """One consistent view of what is committed."""
        with self._reader_lock, translated():
            if self._reader is None:
                self._reader = self._connected()
            connection = self._reader
            try:
                with _transaction(connection, "BEGIN"):
                    yield SQLiteReading(connection)
            except apsw.IOError:
                self._reader = None
                connection.close(True)
                raise

    @contextmanager
    def reading_apart(self) -> Iterator[SQLiteReading]:
        """As `reading`, for what takes long: other readings don't wait for it."""
        with translated():
            connection = self._connected()
            try:
                connection.execute("BEGIN")
                yield SQLiteReading(connection)
            finally:
                connection.close()

    @contextmanager
    def writing(self) -> Iterator[SQLiteWriting]:
        """The write lock: committed when the block ends, rolled back when it raises; Unavailable when it can't be."""
        with translated():
            if self._writer is None:
                self._writer = self._connected()
            connection = self._writer
            try:
                with _transaction(connection, "BEGIN IMMEDIATE"):
                    yield SQLiteWriting(connection)
                    _commit(connection)
            except apsw.IOError:
                # A connection that failed to read or write may hold on to what it had in hand; a new one doesn't.
                self._writer = None
                connection.close(True)
                raise

    def copy_to(self, target: Path) -> None:
        """Copy everything that is committed to an empty file, in one step, while others may write."""
        with self._reader_lock, translated():
            source, copy = self._connected(), apsw.Connection(str(target))
            try:
                with copy.backup("main", source, "main") as copying:
                    copying.step(-1)
            finally:
                copy.close()
                source.close()

    def close(self) -> None:
        """End; nothing may be asked after it."""
        with self._reader_lock, translated():
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()

    def _connected(self) -> apsw.Connection:
        return connect(self._uri, self._lock_seconds, self._vfs)


def file_log(path: Path, *, lock_seconds: float = 5.0, vfs: str | None = None) -> SQLiteLog:
    """The database in this file, made when there is none; only its owner can read it."""
    # SECURITY: SQLite gives its journal files the mode of the database, so the mode is set before it is opened.
    path.touch(mode=0o600, exist_ok=True)
    return SQLiteLog(path.resolve().as_uri(), lock_seconds=lock_seconds, vfs=vfs)


def is_database(file: Path) -> bool:
    """Whether the file can be a database that was written before."""
    return file.is_file() and file.stat().st_size >= SMALLEST_PAGE


def existing_log(path: Path, *, lock_seconds: float = 5.0) -> SQLiteLog:
    """The database in this file or data folder; DamagedStore when there is none."""
    file = path / DATABASE if path.is_dir() else path
    if not is_database(file):
        raise DamagedStore(f"there is no database at `{file}`")
    return SQLiteLog(file.resolve().as_uri(), lock_seconds=lock_seconds)


def memory_log(name: str, *, lock_seconds: float = 5.0) -> SQLiteLog:
    """A database in this process's memory; those that open the same name share it."""
    return SQLiteLog(f"file:/{name}?vfs=memdb", lock_seconds=lock_seconds)


@contextmanager
def _transaction(connection: apsw.Connection, begin: str) -> Iterator[None]:
    """A transaction that is rolled back at the end, unless it was committed."""
    connection.execute(begin)
    try:
        yield
    finally:
        roll_back(connection)


def _commit(connection: apsw.Connection) -> None:
    # After some errors SQLite has rolled back by itself; a COMMIT would then succeed with nothing in it.
    if not connection.in_transaction:
        raise Unavailable("the database ended the transaction")
    connection.execute("COMMIT")
