"""Connections to an SQLite database file: how it is opened, what is set, which tables it gets, what its errors mean."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from iamd.store.errors import DamagedStore, NewerStore, Unavailable

APPLICATION_ID = 0x69616D64
"""`iamd` in ASCII: says whose database a file is (SQLite, "PRAGMA application_id")."""

PAGE_SIZE = "page_size=8192"
"""Of a new database; one that was made before keeps its own. An event has about 2 KiB, and a page whole events."""

BUSY_POLL_SECONDS = 0.0005
_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


def connect(uri: str, lock_seconds: float, vfs: str | None = None) -> apsw.Connection:
    """A connection that syncs each commit and waits at most `lock_seconds` for another one's lock."""
    with translated():
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(uri, flags=flags, vfs=vfs)
        connection.set_busy_handler(_waiter(lock_seconds))
        # STO-01: only FULL syncs the WAL at each commit; NORMAL would lose acknowledged writes in a power cut.
        for pragma in (PAGE_SIZE, "journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA journal_size_limit=67108864")
        return connection


def migrate(connection: apsw.Connection) -> None:
    """Bring the tables to this iamd's version, all steps or none; NewerStore when they are beyond it."""
    with translated():
        connection.execute("BEGIN IMMEDIATE")
        try:
            _migrate(connection)
            connection.execute("COMMIT")
        except BaseException:
            roll_back(connection)
            raise


def roll_back(connection: apsw.Connection) -> None:
    """End a transaction without its changes; SQLite may already have ended it itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def translated() -> Iterator[None]:
    """Within the block, the database's errors are the store's."""
    try:
        yield
    except _DAMAGED as error:
        raise DamagedStore(f"the database is damaged or no database of iamd: {error}") from error
    except UnicodeDecodeError as error:
        # SQLite hands out texts as they stand in the file.
        raise DamagedStore(f"the database is damaged: a text is not UTF-8: {error.reason}") from error
    except apsw.FullError as error:
        raise Unavailable("the disk that holds the database is full") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise Unavailable("the database was locked by another process for too long") from error
    except apsw.Error as error:
        raise Unavailable(f"the database can't be used: {error}") from error


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of every migration, in order."""
    folder = Path(__file__).with_name("migrations")
    named = ((re.fullmatch(r"([0-9]{4})_[a-z_]+\.sql", entry.name), entry) for entry in folder.iterdir())
    return sorted((int(match[1]), entry.read_text("utf-8")) for match, entry in named if match)


def _migrate(connection: apsw.Connection) -> None:
    version = connection.pragma("user_version")
    _check_owner(connection, version)
    steps = migrations()
    if version > steps[-1][0]:
        raise NewerStore(
            f"the database has version {version}, written by a newer iamd; this one knows versions up to {steps[-1][0]}"
        )
    for number, sql in steps:
        if number > version:
            connection.execute(sql)
            connection.pragma("user_version", number)
    if connection.pragma("application_id") != APPLICATION_ID:
        connection.pragma("application_id", APPLICATION_ID)
    _check_tables(connection, steps)


def _check_owner(connection: apsw.Connection, version: int) -> None:
    owner = connection.pragma("application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if owner != APPLICATION_ID and (owner or version or tables):
        raise DamagedStore("the file is a database of another program")


def _check_tables(connection: apsw.Connection, steps: list[tuple[int, str]]) -> None:
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for _, sql in steps:
        for name in re.findall(r"^CREATE TABLE ([a-z_]+)", sql, re.MULTILINE):
            if name not in there:
                raise DamagedStore(f"the database has no table `{name}`")


def _waiter(lock_seconds: float) -> "BusyHandler":
    return BusyHandler(lock_seconds)


class BusyHandler:
    """Waits for a lock in short steps: SQLite's own waits up to 100 ms at a time, which starves a busy writer."""

    def __init__(self, lock_seconds: float) -> None:
        self._lock_seconds = lock_seconds
        self._deadline = 0.0

    def __call__(self, tries: int) -> bool:
        if tries == 0:
            self._deadline = time.monotonic() + self._lock_seconds
        time.sleep(BUSY_POLL_SECONDS)
        return time.monotonic() < self._deadline
