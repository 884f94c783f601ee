"""The store's calls on SQLite; with connection.py the only place that holds SQL of SQLite."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from iamd.store.connection import connect, migrate, roll_back, translated
from iamd.store.errors import DamagedStore, Unavailable
from iamd.store.events import STREAM_SHIFT, Facts, StoredEvent
from iamd.store.log import (
    ChainedEvent,
    Delta,
    Head,
    Position,
    Query,
    Row,
    State,
    Stream,
    Use,
    UseKey,
    Written,
)

_FACTS = (
    "k.account, k.time, k.event_id, k.request_id, k.name, k.source,"
    " k.read_only, k.user_name, k.access_key_id, k.resources"
)
DATABASE = "iamd.db"
"""The database's file name in a data folder."""

_POSITION = """
    SELECT (SELECT coalesce(max(revision), 0) FROM changes),
           (SELECT coalesce(max(value), 0) FROM meta WHERE name = 'reset')"""


class SQLiteReading:
    """What can be asked of a connection within a transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def position(self) -> Position:
        """Where the store stands."""
        revision, reset = self._connection.execute(_POSITION).get
        return Position(revision, reset)

    def everything(self) -> State:
        """The whole state, at one position."""
        rows = self._connection.execute("SELECT account, kind, key, document FROM records ORDER BY number")
        return State(self.position(), [Row(*row) for row in rows])

    def since(self, revision: int) -> Delta | None:
        """What changed after `revision`, or None when only `everything` can tell."""
        position = self.position()
        oldest = self._connection.execute("SELECT min(revision) FROM changes").get
        if position.reset > revision or revision > position.revision or (oldest or 1) > revision + 1:
            return None
        deleted = self._connection.execute(
            "SELECT account, kind, key FROM changes WHERE revision > ? AND deleted", (revision,)
        )
        return Delta(position, list(deleted), self._rows_since(revision))

    def _rows_since(self, revision: int) -> list[Row]:
        rows = self._connection.execute(
            "SELECT DISTINCT r.account, r.kind, r.key, r.document, r.number FROM changes c JOIN records r"
            " ON r.account = c.account AND r.kind = c.kind AND r.key = c.key WHERE c.revision > ? ORDER BY r.number",
            (revision,),
        )
        return [Row(account, kind, key, document) for account, kind, key, document, _ in rows]

    def look_up(self, query: Query) -> list[StoredEvent]:
        """The events that a query finds, in its order."""
        order = "DESC" if query.newest_first else "ASC"
        where, values = _conditions(query)
        rows = self._connection.execute(
            f"SELECT k.id, {_FACTS}, e.document FROM event_keys k JOIN events e ON e.id = k.id"  # noqa: S608 (names of columns are ours)
            f" WHERE {where} ORDER BY k.time {order}, k.id {order} LIMIT ?",
            (*values, query.limit),
        )
        return [_stored(row) for row in rows]

    def by_request_id(self, request_id: str, account: str | None) -> list[StoredEvent]:
        """The events of a request, oldest first."""
        where = "k.request_id = ?1" if account is None else "k.account = ?2 AND k.request_id = ?1"
        rows = self._connection.execute(
            f"SELECT k.id, {_FACTS}, e.document FROM event_keys k JOIN events e ON e.id = k.id WHERE {where}"  # noqa: S608 (as above)
            " ORDER BY k.time, k.id",
            (request_id,) if account is None else (request_id, account),
        )
        return [_stored(row) for row in rows]

    def last_used(self, key: UseKey) -> Use | None:
        """The last use that was stored."""
        row = self._connection.execute(
            "SELECT time, region, service FROM last_used WHERE account = ? AND kind = ? AND key = ?", key
        ).get
        return Use(*row) if row is not None else None

    def streams(self) -> list[Stream]:
        """Every stream, oldest first."""
        rows = self._connection.execute(
            "SELECT number, node, boot, head_n, head_hash, head_seal, pruned_n, pruned_hash, pruned_seal"
            " FROM streams ORDER BY number"
        )
        return [Stream(row[0], row[1], row[2], Head(*row[3:6]), Head(*row[6:])) for row in rows]

    def roster_seal(self) -> bytes | None:
        """The seal of the number of the newest stream."""
        seal: bytes | None = self._connection.execute("SELECT value FROM meta WHERE name = 'streams'").get
        return seal

    def loose_keys(self) -> int:
        """How many look-up rows there are beyond those of the events."""
        count: int = self._connection.execute(
            "SELECT (SELECT count(*) FROM event_keys) - (SELECT count(*) FROM events)"
        ).get
        return count

    def events_beyond(self, streams: Sequence[int]) -> int:
        """How many events there are of other streams than these."""
        known = ",".join(str(int(stream)) for stream in streams)
        count: int = self._connection.execute(
            f"SELECT count(*) FROM events WHERE id >> {STREAM_SHIFT} NOT IN ({known})"  # noqa: S608 (numbers only)
        ).get
        return count

    def integrity(self) -> list[str]:
        """What the database itself finds wrong with its files."""
        found = [str(line) for (line,) in self._connection.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def oldest_change(self) -> int:
        """The oldest revision of which the change log tells; 0 when it is empty."""
        oldest: int = self._connection.execute("SELECT coalesce(min(revision), 0) FROM changes").get
        return oldest

    def logged_revisions(self) -> int:
        """Of how many revisions the change log tells."""
        count: int = self._connection.execute("SELECT count(DISTINCT revision) FROM changes").get
        return count

    def chain(self, stream: int) -> Iterator[ChainedEvent]:
        """The events of a stream, in order."""
        rows = self._connection.execute(
            f"SELECT e.id, {_FACTS}, e.document, e.hash FROM events e LEFT JOIN event_keys k"  # noqa: S608 (as above)
            " ON k.account = e.account AND k.time = e.time AND k.id = e.id WHERE e.id BETWEEN ? AND ? ORDER BY e.id",
            (stream << STREAM_SHIFT, ((stream + 1) << STREAM_SHIFT) - 1),
        )
        for id, *facts, document, digest in rows:
            yield ChainedEvent(id, _facts(facts) if facts[0] is not None else None, document, digest)


class SQLiteWriting(SQLiteReading):
    """What can be asked of a connection that holds the write lock."""

    def append(self, revision: int, written: Iterable[Written]) -> None:
        """Write records as the next revision."""
        for number, line in enumerate(written):
            key = (line.account, line.kind, line.key)
            if line.document is None:
                self._connection.execute("DELETE FROM records WHERE account = ? AND kind = ? AND key = ?", key)
            else:
                self._put((*key, revision, line.document))
            self._connection.execute(
                "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?)", (revision, number, *key, line.document is None)
            )
        if revision == 1:
            self.mark_first_state()

    def _put(self, row: tuple[str, str, str, int, bytes]) -> None:
        self._connection.execute(
            "INSERT INTO records (account, kind, key, revision, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT"
            " (account, kind, key) DO UPDATE SET revision = excluded.revision, document = excluded.document",
            row,
        )

    def mark_first_state(self) -> None:
        """Have a reset go back to the records as they are now; the first revision does this by itself."""
        self._connection.execute("DELETE FROM first_records")
        self._connection.execute("INSERT INTO first_records SELECT number, account, kind, key, document FROM records")

    def reset(self, revision: int) -> None:
        """Go back to the first state, as the next revision; everything that is no record is forgotten."""
        for table in ("records", "used", "last_used", "events", "event_keys", "streams"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 (as above)
        self._connection.execute("DELETE FROM meta WHERE name = 'streams'")
        self._connection.execute(
            "INSERT INTO records SELECT number, account, kind, key, ?, document FROM first_records", (revision,)
        )
        self._connection.execute("INSERT INTO changes VALUES (?, 0, '', '', '', 0)", (revision,))
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('reset', ?)", (revision,))

    def is_used(self, kind: str, key: str) -> bool:
        """Whether this was used."""
        return self._connection.execute("SELECT 1 FROM used WHERE kind = ? AND key = ?", (kind, key)).get is not None

    def use(self, kind: str, key: str, expires: int) -> None:
        """Remember that this was used."""
        self._connection.execute("INSERT INTO used VALUES (?, ?, ?)", (kind, key, expires))

    def delete_used(self, kind: str, key: str | None) -> None:
        """Forget one use, or all of a kind."""
        self._connection.execute("DELETE FROM used WHERE kind = ?1 AND (?2 IS NULL OR key = ?2)", (kind, key))

    def note_uses(self, uses: Mapping[UseKey, Use]) -> None:
        """Store last uses, unless newer ones are stored."""
        self._connection.executemany(
            "INSERT INTO last_used VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, kind, key) DO UPDATE SET"
            " time = excluded.time, region = excluded.region, service = excluded.service WHERE excluded.time >= time",
            [(*key, *use) for key, use in uses.items()],
        )

    def open_stream(self, node: str, boot: str, started: int) -> int:
        """Begin a stream and return its number; its head must be set before the commit."""
        self._connection.execute(
            "INSERT INTO streams VALUES (NULL, ?, ?, ?, 0, x'', x'', 0, x'', x'')", (node, boot, started)
        )
        return self._connection.last_insert_rowid()

    def seal_roster(self, seal: bytes) -> None:
        """Store the seal of the number of the newest stream."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('streams', ?)", (seal,))

    def append_events(self, events: Iterable[tuple[StoredEvent, bytes]]) -> None:
        """Write events, each with its hash, after those of their stream."""
        rows = list(events)
        self._connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            [(event.id, event.facts.account, event.facts.time, digest, event.document) for event, digest in rows],
        )
        self._connection.executemany(
            "INSERT INTO event_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*event.facts[:2], event.id, *event.facts[2:]) for event, _ in rows],
        )

    def set_head(self, stream: int, head: Head) -> None:
        """Store the last event of a stream."""
        self._connection.execute(
            "UPDATE streams SET head_n = ?, head_hash = ?, head_seal = ? WHERE number = ?", (*head, stream)
        )

    def set_pruned(self, stream: int, pruned: Head) -> None:
        """Store up to which event a stream is removed, and remove them."""
        self._connection.execute(
            "UPDATE streams SET pruned_n = ?, pruned_hash = ?, pruned_seal = ? WHERE number = ?", (*pruned, stream)
        )
        span = (stream << STREAM_SHIFT, (stream << STREAM_SHIFT) + pruned.n)
        self._connection.execute(
            "DELETE FROM event_keys WHERE (account, time, id) IN"
            " (SELECT account, time, id FROM events WHERE id BETWEEN ? AND ?)",
            span,
        )
        self._connection.execute("DELETE FROM events WHERE id BETWEEN ? AND ?", span)

    def last_before(self, stream: int, time: float, limit: int) -> tuple[int, bytes] | None:
        """Number and hash of the last of the first `limit` events that all are older than `time`, if any is."""
        found = None
        for id, when, digest in self._connection.execute(
            "SELECT id, time, hash FROM events WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
            (stream << STREAM_SHIFT, ((stream + 1) << STREAM_SHIFT) - 1, limit),
        ):
            if when >= time:
                break
            found = (id - (stream << STREAM_SHIFT), digest)
        return found

    def forget(self, now: int, keep_revisions: int) -> None:
        """Delete uses that expired by `now`, and lines of the change log beyond the newest `keep_revisions`."""
        self._connection.execute("DELETE FROM used WHERE expires <= ?", (now,))
        self._connection.execute(
            "DELETE FROM changes WHERE revision <= (SELECT max(revision) FROM changes) - ?", (keep_revisions,)
        )


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

    @contextmanager
    def reading(self) -> Iterator[SQLiteReading]:
        """One consistent view of what is committed."""
        with self._reader_lock, translated():
            if self._reader is None:
                self._reader = self._connected()
            connection = self._reader
            try:
                connection.execute("BEGIN")
                yield SQLiteReading(connection)
            except apsw.IOError:
                self._reader = None
                raise
            finally:
                roll_back(connection)

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
                connection.execute("BEGIN IMMEDIATE")
                yield SQLiteWriting(connection)
                _commit(connection)
            except apsw.IOError:
                # A connection that failed to read or write may hold on to what it had in hand; a new one doesn't.
                self._writer = None
                raise
            finally:
                roll_back(connection)

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


def existing_log(path: Path, *, lock_seconds: float = 5.0) -> SQLiteLog:
    """The database in this file or data folder; DamagedStore when there is none."""
    file = path / DATABASE if path.is_dir() else path
    if not file.is_file() or not file.stat().st_size:
        raise DamagedStore(f"there is no database at `{file}`")
    return SQLiteLog(file.resolve().as_uri(), lock_seconds=lock_seconds)


def memory_log(name: str, *, lock_seconds: float = 5.0) -> SQLiteLog:
    """A database in this process's memory; those that open the same name share it."""
    return SQLiteLog(f"file:/{name}?vfs=memdb", lock_seconds=lock_seconds)


def _commit(connection: apsw.Connection) -> None:
    # After some errors SQLite has rolled back by itself; a COMMIT would then succeed with nothing in it.
    if not connection.in_transaction:
        raise Unavailable("the database ended the transaction")
    connection.execute("COMMIT")


def _conditions(query: Query) -> tuple[str, Sequence[str | float | bool]]:
    lines: list[tuple[str, Sequence[str | float | bool]]] = [("k.account = ?", (query.account,))]
    for column, value in query.equal.items():
        if column not in Facts._fields:
            raise ValueError(f"events are not looked up by {column}")
        lines.append((f"k.{column} = ?", (value,)))
    if query.start is not None:
        lines.append(("k.time >= ?", (query.start,)))
    if query.end is not None:
        lines.append(("k.time <= ?", (query.end,)))
    if query.after is not None:
        lines.append((f"(k.time, k.id) {'<' if query.newest_first else '>'} (?, ?)", query.after))
    lines += _resource_condition(query)
    return " AND ".join(sql for sql, _ in lines), [value for _, values in lines for value in values]


def _resource_condition(query: Query) -> list[tuple[str, Sequence[str]]]:
    wanted = [(0, query.resource_type), (1, query.resource_name)]
    tests = [(f"value ->> {place} = ?", value) for place, value in wanted if value is not None]
    if not tests:
        return []
    where = " AND ".join(sql for sql, _ in tests)
    return [(f"EXISTS (SELECT 1 FROM json_each(k.resources) WHERE {where})", [value for _, value in tests])]  # noqa: S608 (as above)


def _facts(columns: Sequence[object]) -> Facts:
    facts = Facts(*columns)  # type: ignore[arg-type]
    return facts._replace(read_only=bool(facts.read_only))


def _stored(row: Sequence[object]) -> StoredEvent:
    id, *facts, document = row
    return StoredEvent(id, _facts(facts), document)  # type: ignore[arg-type]
