"""Whatever is done to the audit streams behind iamd's back is found."""

import apsw
import pytest
from store.making import ACCOUNT, KEY, event, open_store, put, resource, user

from iamd.store import upkeep
from iamd.store.audit import verify
from iamd.store.sqlite import existing_log

MUTATIONS = {
    "edit a document": "UPDATE events SET document = CAST(replace(document, '6', '8') AS BLOB) WHERE id = {7}",
    "edit one byte": "UPDATE events SET document = CAST(document || ' ' AS BLOB) WHERE id = {7}",
    "edit a hash": "UPDATE events SET hash = zeroblob(32) WHERE id = {7}",
    "swap two documents": "UPDATE events SET document = (SELECT document FROM events e WHERE e.id ="
    " CASE events.id WHEN {4} THEN {5} ELSE {4} END) WHERE id IN ({4}, {5})",
    "swap two events": "UPDATE events SET id = -id WHERE id IN ({4}, {5});"
    " UPDATE events SET id = {4} WHERE id = -{5}; UPDATE events SET id = {5} WHERE id = -{4};"
    " UPDATE event_keys SET id = -id WHERE id IN ({4}, {5});"
    " UPDATE event_keys SET id = {4} WHERE id = -{5}; UPDATE event_keys SET id = {5} WHERE id = -{4}",
    "drop an event": "DELETE FROM events WHERE id = {7}; DELETE FROM event_keys WHERE id = {7}",
    "drop the first": "DELETE FROM events WHERE id = {1}; DELETE FROM event_keys WHERE id = {1}",
    "drop the last": "DELETE FROM events WHERE id = {20}; DELETE FROM event_keys WHERE id = {20}",
    "cut the tail and its head": "DELETE FROM events WHERE id > {10} AND id <= {20};"
    " DELETE FROM event_keys WHERE id > {10} AND id <= {20};"
    " UPDATE streams SET head_n = 10, head_hash = (SELECT hash FROM events WHERE id = {10}) WHERE number = 1",
    "cut the beginning as if it had expired": "DELETE FROM events WHERE id < {5};"
    " UPDATE streams SET pruned_n = 5, pruned_hash = (SELECT hash FROM events WHERE id = {5}) WHERE number = 1;"
    " DELETE FROM event_keys WHERE id <= {5}; DELETE FROM events WHERE id = {5}",
    "insert an event at the end": "INSERT INTO events SELECT {21}, account, time, hash, document FROM events"
    " WHERE id = {20}; INSERT INTO event_keys SELECT account, time, {21}, event_id, request_id, name, source,"
    " read_only, user_name, access_key_id, resources FROM event_keys WHERE id = {20}",
    "insert an event of no stream": "INSERT INTO events SELECT 9 << 40, account, time, hash, document FROM events"
    " WHERE id = {20}; INSERT INTO event_keys SELECT account, time, 9 << 40, event_id, request_id, name, source,"
    " read_only, user_name, access_key_id, resources FROM event_keys WHERE id = {20}",
    "hide an event from look-ups": "DELETE FROM event_keys WHERE id = {7}",
    "add a look-up row": "INSERT INTO event_keys SELECT account, time + 1, id, event_id, request_id, name, source,"
    " read_only, user_name, access_key_id, resources FROM event_keys WHERE id = {7}",
    "hide one and add another": "UPDATE event_keys SET time = time + 1 WHERE id = {7}",
    "move an event in time": "UPDATE event_keys SET time = time + 1 WHERE id = {7};"
    " UPDATE events SET time = time + 1 WHERE id = {7}",
    "move an event to another account": "UPDATE event_keys SET account = '222222222222' WHERE id = {7};"
    " UPDATE events SET account = '222222222222' WHERE id = {7}",
    "remove a stream": "DELETE FROM streams WHERE number = 1; DELETE FROM events WHERE id <= {20};"
    " DELETE FROM event_keys WHERE id <= {20}",
    "remove the newest stream": "DELETE FROM streams WHERE number = 2; DELETE FROM events WHERE id > {20};"
    " DELETE FROM event_keys WHERE id > {20}",
    "remove all streams": "DELETE FROM streams; DELETE FROM events; DELETE FROM event_keys",
    "remove all and the roster": "DELETE FROM streams; DELETE FROM events; DELETE FROM event_keys;"
    " DELETE FROM meta WHERE name = 'streams'",
    "rename a node": "UPDATE streams SET node = 'other' WHERE number = 1",
    "rename a boot": "UPDATE streams SET boot = 'other' WHERE number = 1",
    "forge a head's seal": "UPDATE streams SET head_seal = zeroblob(32) WHERE number = 1",
    "use a head's seal for what is removed": "UPDATE streams SET pruned_n = head_n, pruned_hash = head_hash,"
    " pruned_seal = head_seal WHERE number = 1; DELETE FROM events WHERE id <= {20};"
    " DELETE FROM event_keys WHERE id <= {20}",
    "use another stream's head": "UPDATE streams SET head_n = o.head_n, head_hash = o.head_hash, head_seal ="
    " o.head_seal FROM streams o WHERE streams.number = 1 AND o.number = 2",
    "exchange two streams": "UPDATE streams SET number = -number; UPDATE streams SET number = 3 + number",
} | {
    f"edit {column}": f"UPDATE event_keys SET {column} = {value} WHERE id = {{7}}"
    for column, value in {
        "event_id": "'other'",
        "request_id": "'other'",
        "name": "'other'",
        "source": "'other'",
        "read_only": "1 - read_only",
        "user_name": "'other'",
        "access_key_id": "NULL",
        "resources": "'[]'",
    }.items()
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A database of two streams, of 20 and 5 events, and its bytes."""
    folder = tmp_path_factory.mktemp("audit")
    for numbers in (range(20), range(20, 25)):
        store = open_store(folder)
        for number in numbers:
            shown = (resource("AWS::IAM::User", "bond"),)
            store.record_event(event(number, resources=shown, access_key_id="AKIA1", user_name="bond"))
            if number % 4 == 0:
                store.flush()
        store.close()
    return (folder / "iamd.db").read_bytes()


@pytest.fixture
def database(written, tmp_path):
    (tmp_path / "iamd.db").write_bytes(written)
    return tmp_path


def test_untouched_streams_hold(database):
    assert findings(database) == []
    assert count(database) == 25


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_found(database, name):
    change(database, MUTATIONS[name])
    assert findings(database) != []


def test_every_event_is_protected(database):
    """Dropping or editing any single one of them is found."""
    content = (database / "iamd.db").read_bytes()
    for stream, n in [(1, n) for n in range(1, 21)] + [(2, n) for n in range(1, 6)]:
        for sql in ("DELETE FROM events WHERE id = {0}", "UPDATE events SET document = x'7b7d' WHERE id = {0}"):
            (database / "iamd.db").write_bytes(content)
            execute(database, sql.format((stream << 40) + n))
            assert findings(database) != [], (stream, n, sql)


def test_streams_of_another_key_do_not_hold(database):
    assert len(findings(database, b"other" * 8)) == 5


def test_cascade_of_findings_names_the_event_once(database):
    """One edited event is one finding; those after it are as they were written."""
    change(database, MUTATIONS["edit a document"])
    assert findings(database) == ["audit: stream 1: event 7 is not what was written"]


def test_events_beyond_their_retention_are_removed_behind_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "PRUNED_AT_ONCE", 7)
    now = 1_000_000.0
    store = open_store(tmp_path, clock=Fixed(now), retention=1000.0)
    for number in range(30):
        store.record_event(event(number, time=now - 2000 + number * 50))
    store.write(lambda change: (change.use_once("totp", "old", 5), change.use_once("totp", "new", 2**40))).result()
    for _ in range(5):
        run_upkeep(store)
    store.record_event(event(99, time=now))
    store.close()
    assert findings(tmp_path) == []
    assert count(tmp_path) == 11
    assert execute(tmp_path, "SELECT pruned_n, head_n FROM streams") == [(20, 31)]
    assert execute(tmp_path, "SELECT key FROM used") == [("new",)]
    change(tmp_path, "UPDATE streams SET pruned_n = 21; DELETE FROM events WHERE id = {21};"
                     " DELETE FROM event_keys WHERE id = {21}")  # fmt: skip
    assert findings(tmp_path) != []


def test_old_lines_of_the_change_log_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "KEPT_REVISIONS", 3)
    store, behind = open_store(tmp_path), open_store(tmp_path)
    assert behind.snapshot().revision == 0
    for number in range(10):
        store.write(put(user(number))).result()
    run_upkeep(store)
    assert execute(tmp_path, "SELECT min(revision), max(revision) FROM changes") == [(8, 10)]
    assert behind.snapshot().account(ACCOUNT).count(type(user(1))) == 10
    for opened in (store, behind):
        opened.close()


class Fixed:
    def __init__(self, now):
        self.now = now

    def timestamp(self):
        return self.now


def run_upkeep(store):
    store._writer._upkeep.due = 0.0
    store.flush()


def findings(folder, key=KEY):
    log = existing_log(folder)
    try:
        with log.reading() as reading:
            return verify(reading, key)
    finally:
        log.close()


def change(folder, sql):
    """Run SQL in which `{7}` is the id of event 7 of the first stream."""
    before = dump(folder)
    execute(folder, sql.format(*((1 << 40) + n for n in range(30))))
    assert dump(folder) != before


def dump(folder):
    return [execute(folder, f"SELECT * FROM {table}") for table in ("streams", "events", "event_keys", "meta")]


def count(folder):
    return execute(folder, "SELECT count(*) FROM events")[0][0]


def execute(folder, sql):
    connection = apsw.Connection(str(folder / "iamd.db"))
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()
