"""SQLite does what every database must, on files and in memory; and how a file is opened or refused."""

import stat

import apsw
import pytest
from store.conformance import Conformance
from store.making import account, open_store, put, user, users

from iamd.store import connection
from iamd.store.connection import APPLICATION_ID
from iamd.store.errors import DamagedStore, NewerStore, UnsupportedStore
from iamd.store.sqlite import SQLiteLog


class TestFile(Conformance):
    @pytest.fixture
    def store(self, tmp_path):
        self.folder = tmp_path
        self.opened = [open_store(tmp_path)]
        yield self.opened[0]
        for store in self.opened:
            store.close()

    def reopened(self, store):
        store.close()
        self.opened.append(open_store(self.folder))
        return self.opened[-1]


class TestMemory(Conformance):
    """A store in memory ends with its process: opening it anew is reading all of it anew."""

    @pytest.fixture
    def store(self):
        store = open_store(":memory:")
        yield store
        store.close()

    def reopened(self, store):
        store.flush()
        store._writer._last_used._flushed_at -= 3600
        store.flush()
        with store._log.reading() as reading:
            store._current.load(reading)
        return store


def test_database_is_its_owners_alone(tmp_path):
    store = open_store(tmp_path / "data")
    store.write(put(user(1))).result()
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    store.close()
    assert files == dict.fromkeys(("iamd.db", "iamd.db-wal", "iamd.db-shm", "revision"), 0o600)


def test_connection_syncs_every_commit(tmp_path):
    log = SQLiteLog((tmp_path / "x.db").as_uri())
    pragmas = {name: log._writer.pragma(name) for name in ("journal_mode", "synchronous", "application_id")}
    log.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "application_id": APPLICATION_ID}


def test_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "iamd.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(DamagedStore, match=r"^the database is damaged or no database of iamd: file is not a database$"):
        open_store(tmp_path)


def test_database_of_another_program_is_refused(tmp_path):
    other = apsw.Connection(str(tmp_path / "iamd.db"))
    other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(DamagedStore, match="the file is a database of another program"):
        open_store(tmp_path)
    assert apsw.Connection(str(tmp_path / "iamd.db")).execute("SELECT name FROM sqlite_schema").get == "notes"


def test_damaged_page_is_refused(tmp_path):
    store = open_store(tmp_path)
    for number in range(200):
        store.write(put(user(number, "n" * 500)))
    store.close()
    content = bytearray((tmp_path / "iamd.db").read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    (tmp_path / "iamd.db").write_bytes(content)
    with pytest.raises(DamagedStore, match="the database is damaged"):
        open_store(tmp_path)


def test_damaged_record_is_refused(tmp_path):
    store = open_store(tmp_path)
    store.write(put(user(1))).result()
    store.close()
    changed(tmp_path, "UPDATE records SET document = x'7b'")
    with pytest.raises(DamagedStore, match="the user `AIDA1` in the database can't be read"):
        open_store(tmp_path)


def test_newer_database_is_refused(tmp_path):
    open_store(tmp_path).close()
    changed(tmp_path, "PRAGMA user_version = 999")
    with pytest.raises(NewerStore, match="the database has version 999, written by a newer iamd"):
        open_store(tmp_path)


def test_record_of_an_unknown_kind_is_refused(tmp_path):
    store = open_store(tmp_path)
    store.write(put(user(1))).result()
    store.close()
    changed(tmp_path, "UPDATE records SET kind = 'quantum-role'")
    with pytest.raises(NewerStore, match="records of the kind `quantum-role`"):
        open_store(tmp_path)


def test_database_that_is_not_built_in_is_refused():
    with pytest.raises(UnsupportedStore, match="a store on `postgresql` is not built into this iamd"):
        open_store("postgresql://user@host/iamd")


def test_database_of_each_version_is_brought_up_to_date(tmp_path, monkeypatch):
    steps = connection.migrations()
    for count in range(1, len(steps)):
        folder = tmp_path / str(count)
        folder.mkdir()
        monkeypatch.setattr(connection, "migrations", lambda count=count: steps[:count])
        SQLiteLog((folder / "iamd.db").as_uri()).close()
        monkeypatch.setattr(connection, "migrations", lambda: steps)
        store = open_store(folder)
        store.write(put(account())).result()
        store.close()


def test_failed_migration_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    steps = connection.migrations()
    open_store(tmp_path).close()
    broken = [*steps, (steps[-1][0] + 1, "CREATE TABLE one (a); CREATE TABLE one (a);")]
    monkeypatch.setattr(connection, "migrations", lambda: broken)
    with pytest.raises(Exception, match="table one already exists"):
        open_store(tmp_path)
    monkeypatch.setattr(connection, "migrations", lambda: steps)
    store = open_store(tmp_path)
    store.write(put(user(1))).result()
    assert users(store) == ["user-1"]
    store.close()


def changed(folder, sql):
    other = apsw.Connection(str(folder / "iamd.db"))
    other.execute(sql)
    other.close()
