"""What is written to SQLite while its write lock is held."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Final

from iamd.store.events import STREAM_SHIFT, StoredEvent
from iamd.store.log import Head, Use, UseKey, Written
from iamd.store.sqlite_reading import SQLiteReading

ROWS_PER_STATEMENT: Final = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
"""How many rows one INSERT takes; few sizes, so that each is prepared once."""

_REPLACING: Final = (
    " ON CONFLICT (account, kind, key) DO UPDATE SET revision = excluded.revision, document = excluded.document"
)


class SQLiteWriting(SQLiteReading):
    """What can be asked of a connection that holds the write lock."""

    def append(self, revisions: Iterable[tuple[int, Iterable[Written]]]) -> None:
        """Write records as the next revisions, each with its number."""
        records: list[tuple[object, ...]] = []
        changes: list[tuple[object, ...]] = []
        for revision, written in revisions:
            for number, line in enumerate(written):
                key = (line.account, line.kind, line.key)
                changes.append((revision, number, *key, line.document is None))
                if line.document is not None:
                    records.append((*key, revision, line.document))
                    continue
                self._put(records)
                self._connection.execute("DELETE FROM records WHERE account = ? AND kind = ? AND key = ?", key)
            if revision == 1:
                self._put(records)
                self.mark_first_state()
        self._put(records)
        self._insert("changes", changes)

    def _put(self, records: list[tuple[object, ...]]) -> None:
        """Write records, of which the later ones replace the earlier ones, and empty the list."""
        self._insert("records (account, kind, key, revision, document)", records, _REPLACING)
        records.clear()

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

    def used_until(self, kind: str, key: str) -> int | None:
        """When it may be forgotten that this was used; None when it was not, or is forgotten."""
        found = self._connection.execute("SELECT expires FROM used WHERE kind = ? AND key = ?", (kind, key)).get
        return int(found) if found is not None else None

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
        rows: list[tuple[object, ...]] = []
        keys: list[tuple[object, ...]] = []
        for (number, facts, document), digest in events:
            rows.append((number, facts[0], facts[1], digest, document))
            keys.append((*facts[:2], number, *facts[2:]))
        self._insert("events", rows)
        self._insert("event_keys", keys)

    def _insert(self, table: str, rows: list[tuple[object, ...]], conflict: str = "") -> None:
        """Insert rows, many to a statement.

        Each statement gives the interpreter's lock away and takes it again, and the thread that serves requests may
        hold it for milliseconds.
        """
        at = 0
        for size in ROWS_PER_STATEMENT:
            while len(rows) - at >= size:
                values = tuple(chain.from_iterable(rows[at : at + size]))
                self._connection.execute(_insertion(table, size, len(rows[at]), conflict), values)
                at += size

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


@cache
def _insertion(table: str, rows: int, columns: int, conflict: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}{conflict}"  # noqa: S608 (a table of ours)
