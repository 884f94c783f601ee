"""What is asked of SQLite: the state, the change log, and the audit events."""

from collections.abc import Iterator, Sequence

import apsw

from iamd.store.errors import DamagedStore
from iamd.store.events import STREAM_SHIFT, Facts, StoredEvent
from iamd.store.log import Access, ChainedEvent, Delta, Denial, Head, Position, Query, Row, State, Stream, Use, UseKey

_FACTS = (
    "k.account, k.time, k.event_id, k.request_id, k.name, k.source,"
    " k.read_only, k.user_name, k.access_key_id, k.resources"
)
_POSITION = """
    SELECT (SELECT coalesce(max(revision), 0) FROM changes),
           (SELECT coalesce(max(value), 0) FROM meta WHERE name = 'reset')"""


# What a request was decided on first is what was asked for; who is not known, or only shared the event, has none.
_ACCESSES = """
    SELECT coalesce(
               document ->> '$.userIdentity.sessionContext.sessionIssuer.principalId',
               document ->> '$.userIdentity.principalId'
           ),
           document ->> '$.iamd.decisions[0].action', max(time), document ->> '$.awsRegion'
    FROM (
        SELECT k.time AS time, CAST(e.document AS TEXT) AS document
        FROM event_keys k JOIN events e ON e.id = k.id WHERE k.account = ? AND k.time >= ?
    )
    GROUP BY 1, 2"""


# A session's denials are those of its role, and what a request finds its function's role to be refused is that role's.
# The last event's columns stand for the group, as above. Of one second the last one is that of the highest number in
# its stream.
_DENIALS = """
    SELECT coalesce(
               one.value ->> '$.context."aws:principalarn"',
               document ->> '$.userIdentity.sessionContext.sessionIssuer.arn', document ->> '$.userIdentity.arn',
               document ->> '$.userIdentity.invokedBy', ''
           ) AS who,
           one.value ->> '$.action' AS action, one.value ->> '$.resource' AS resource,
           document ->> '$.errorCode' IS NULL AS is_only_told,
           count(*) AS count, max(place) AS last, request_id, one.value
    FROM (
        SELECT (CAST(k.time AS INTEGER) << 20) | (k.id & 0xFFFFF) AS place, k.request_id AS request_id,
               CAST(e.document AS TEXT) AS document
        FROM event_keys k JOIN events e ON e.id = k.id WHERE k.account = ? AND k.time >= ?
    ), json_each(document, '$.iamd.decisions') AS one
    WHERE one.value ->> '$.outcome' <> 'Allowed'
    GROUP BY 1, 2, 3, 4 ORDER BY count DESC, last DESC, 1, 2, 3, 4"""


class SQLiteReading:
    """What can be asked of a connection within a transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def position(self) -> Position:
        """Where the store stands."""
        revision, reset = self._connection.execute(_POSITION).get
        _check_types((revision, reset), int, int)
        return Position(revision, reset)

    def everything(self) -> State:
        """The whole state, at one position."""
        rows = list(self._connection.execute("SELECT account, kind, key, document FROM records ORDER BY number"))
        for row in rows:
            _check_types(row, str, str, str, bytes)
        return State(self.position(), [Row(*row) for row in rows])

    def since(self, revision: int) -> Delta | None:
        """What changed after `revision`, or None when only `everything` can tell."""
        position = self.position()
        if position.revision == revision:
            return Delta(position, (), ())
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

    def accesses(self, account: str, since: float) -> list[Access]:
        """What the account's principals asked for since then, as its events tell; each action once for each of them."""
        # SQLite takes the other columns from the row that has the maximum ("SELECT", "Bare columns in an aggregate").
        rows = self._connection.execute(_ACCESSES, (account, since))
        return [Access(who, action, int(time), where or "") for who, action, time, where in rows if who and action]

    def denials(self, account: str, since: float) -> list[Denial]:
        """What was denied since then, as an account's events tell; what happened most often stands first."""
        rows = self._connection.execute(_DENIALS, (account, since))
        return [
            Denial(who, action, resource, bool(told), n, place >> 20, id, decision)
            for who, action, resource, told, n, place, id, decision in rows
        ]

    def last_used(self, key: UseKey) -> Use | None:
        """The last use that was stored."""
        row = self._connection.execute(
            "SELECT time, region, service FROM last_used WHERE account = ? AND kind = ? AND key = ?", key
        ).get
        return Use(*row) if row is not None else None

    def streams(self) -> list[Stream]:
        """Every stream, oldest first."""
        rows = list(
            self._connection.execute(
                "SELECT number, node, boot, head_n, head_hash, head_seal, pruned_n, pruned_hash, pruned_seal"
                " FROM streams ORDER BY number"
            )
        )
        for row in rows:
            _check_types(row, int, str, str, int, bytes, bytes, int, bytes, bytes)
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
            _check_types((id, document, digest), int, bytes, bytes)
            yield ChainedEvent(id, _facts(facts) if facts[0] is not None else None, document, digest)


def _check_types(row: Sequence[object], *kinds: type) -> None:
    """Refuse a row that a damaged file holds: SQLite hands out what stands there, whatever the columns' types."""
    for value, kind in zip(row, kinds, strict=True):
        if type(value) is not kind:
            raise DamagedStore("the database is damaged: a row holds a value of another type than its column's")


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
