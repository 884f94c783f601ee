"""STO-05, STO-06: what fails, fails whole and says so; reads go on; and all is well again without a restart."""

import threading
import time

import apsw
import pytest
from store.disk import Disk
from store.making import ACCOUNT, KEY, account, event, open_store, put, user, users
from store.worker import write

from iamd.clock import Clock
from iamd.store import last_used, queue, writer
from iamd.store.audit import verify
from iamd.store.chain import Chain
from iamd.store.counter import OwnCounter
from iamd.store.errors import Unavailable
from iamd.store.fsck import check
from iamd.store.log import Query, Use
from iamd.store.sqlite import DATABASE, file_log
from iamd.store.sqlite_writing import SQLiteWriting
from iamd.store.store import Limits, Store


@pytest.fixture
def disk(request):
    made = Disk(f"failing-{request.node.name[:40]}-{id(request)}")
    yield made
    made.unregister()


@pytest.fixture
def store(disk, tmp_path):
    log = file_log(tmp_path / DATABASE, vfs=disk.name, lock_seconds=0.1)
    made = Store(log, OwnCounter(), Clock(), Chain("node", "boot", KEY), Limits(max_staleness=0.5))
    made.write(put(account())).result()
    yield made
    disk.full = disk.broken = False
    made.close()


def set_full(disk, value):
    disk.full = value


def set_broken(disk, value):
    disk.broken = value


@pytest.mark.parametrize(
    ("fail", "why"), [(set_full, "the disk that holds the database is full"), (set_broken, "can't be used")]
)
def test_disk_that_fails_fails_writes_only(store, disk, tmp_path, fail, why):
    store.write(write(1)).result()
    fail(disk, True)
    futures = [store.write(write(number)) for number in range(2, 8)]
    for future in futures:
        with pytest.raises(Unavailable, match=why):
            future.result()
    assert users(store) == ["user-1"]
    assert len(store.by_request_id("request-1")) == 1
    store.record_event(event(9))
    fail(disk, False)
    store.write(write(10)).result()
    assert users(store) == ["user-1", "user-10"]
    assert [found.facts.event_id for found in store.look_up(Query(account=ACCOUNT, equal={}, newest_first=False))] == [
        "event-1",
        "event-9",
        "event-10",
    ]
    assert check(tmp_path, KEY) == []


@pytest.mark.parametrize("fail", [set_full, set_broken])
def test_event_that_failed_is_committed_once_when_the_disk_is_well(store, disk, fail):
    fail(disk, True)
    for number in range(5):
        store.record_event(event(number))
    time.sleep(0.25)
    store.record_event(event(5))
    fail(disk, False)
    deadline = time.monotonic() + 5
    while len(store.look_up(Query(account=ACCOUNT, equal={}))) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    found = store.look_up(Query(account=ACCOUNT, equal={}, newest_first=False))
    assert [f.facts.event_id for f in found] == [f"event-{number}" for number in range(6)]
    with store._log.reading() as reading:
        assert verify(reading, KEY) == []


@pytest.mark.parametrize("fail", [set_full, set_broken])
def test_failure_inside_a_batch_keeps_no_half_of_it(store, tmp_path, monkeypatch, fail):
    """The database fails at each statement of a batch in turn; after each, all of it is gone."""
    real, calls, fail_at = SQLiteWriting._insert, [], 0

    def insert_or_fail(self, table, *given):
        calls.append(table)
        if len(calls) == fail_at:
            raise apsw.FullError("no space left")
        real(self, table, *given)

    def work(change):
        for number in range(6):
            change.put(ACCOUNT, user(number))
        change.record_event(event(1))

    monkeypatch.setattr(SQLiteWriting, "_insert", insert_or_fail)
    for fail_at in range(1, 5):
        calls.clear()
        with pytest.raises(Unavailable, match="full"):
            store.write(work).result()
        assert len(calls) == fail_at
        assert users(store) == []
    assert store.by_request_id("request-1") == []
    assert check(tmp_path, KEY) == []
    assert store.snapshot().revision == 1


def test_lock_held_too_long_fails_the_write(store, tmp_path):
    other = apsw.Connection(str(tmp_path / DATABASE))
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    with pytest.raises(Unavailable, match="locked by another process"):
        store.write(put(user(1))).result()
    assert time.monotonic() - start < 1
    other.execute("ROLLBACK")
    store.write(put(user(1))).result()
    assert users(store) == ["user-1"]
    other.close()


def test_lock_held_shortly_is_waited_for(store, tmp_path):
    other = apsw.Connection(str(tmp_path / DATABASE))
    other.execute("BEGIN IMMEDIATE")
    future = store.write(put(user(1)))
    time.sleep(0.03)
    other.execute("ROLLBACK")
    other.close()
    future.result()
    assert users(store) == ["user-1"]


def test_decisions_stop_when_their_events_are_too_old(store, disk):
    disk.full = True
    store.record_event(event(1))
    time.sleep(0.3)
    store.record_event(event(2))
    time.sleep(0.3)
    with pytest.raises(Unavailable, match="for too long"):
        store.record_event(event(3))
    disk.full = False
    store.flush()
    store.record_event(event(4))
    store.flush()
    found = store.look_up(Query(account=ACCOUNT, equal={}, newest_first=False))
    assert [f.facts.event_id for f in found] == ["event-1", "event-2", "event-4"]


def test_decisions_stop_when_the_queue_is_full(store, disk, monkeypatch):
    store._events._size = 10
    disk.full = True
    for number in range(10):
        store.record_event(event(number))
    with pytest.raises(Unavailable, match="too many audit events"):
        store.record_event(event(11))
    time.sleep(0.25)
    with pytest.raises(Unavailable, match="too many audit events"):
        store.record_event(event(12))
    disk.full = False
    store.flush()
    store.record_event(event(13))


def test_writes_are_refused_when_too_many_wait(store, monkeypatch):
    monkeypatch.setattr(writer, "WRITES_WAITING", 5)
    started, go = threading.Event(), threading.Event()
    store.write(lambda change: (started.set(), go.wait()))
    started.wait()
    futures = [store.write(put(user(number))) for number in range(5)]
    with pytest.raises(Unavailable, match="too many writes"):
        store.write(put(user(9)))
    go.set()
    assert [future.exception() for future in futures] == [None] * 5


def test_writer_does_not_spin_while_the_disk_fails(store, disk, monkeypatch):
    tries = []
    real = store._writer._commit
    monkeypatch.setattr(store._writer, "_commit", lambda: (tries.append(1), real()))
    disk.full = True
    store.record_event(event(1))
    time.sleep(0.5)
    assert 1 <= len(tries) <= 4


def test_idle_writer_sleeps(store, monkeypatch):
    tries = []
    monkeypatch.setattr(store._writer, "_commit", lambda: tries.append(1))
    time.sleep(0.3)
    assert tries == []


def test_worker_that_cannot_catch_up_refuses(tmp_path):
    """SECURITY: it knows that the state has changed, and not how: a key may have been revoked."""
    store, behind = open_store(tmp_path), open_store(tmp_path)
    store.write(put(account())).result()
    behind._log.reading = broken_reading
    with pytest.raises(Unavailable):
        behind.snapshot()
    del behind._log.reading
    assert behind.snapshot().revision == 1
    for opened in (store, behind):
        opened.close()


def broken_reading():
    raise Unavailable("the database can't be used")


def test_snapshot_that_is_current_asks_no_database(store, monkeypatch):
    monkeypatch.setattr(store._log, "reading", broken_reading)
    monkeypatch.setattr(store._log, "writing", broken_reading)
    first = store.snapshot()
    assert all(store.snapshot() is first for _ in range(1000))


def test_last_uses_are_stored_now_and_then_and_survive_a_failure(store, disk, monkeypatch):
    store.note_use(ACCOUNT, "role", "AROA1", Use(5, "", ""))
    store.flush()
    assert stored_use(store) is None
    monkeypatch.setattr(last_used, "FLUSH_SECONDS", 0.0)
    disk.full = True
    with pytest.raises(Unavailable):
        store.write(put(user(1))).result()
    assert store.last_used(ACCOUNT, "role", "AROA1").time == 5
    disk.full = False
    store.flush()
    assert stored_use(store) == Use(5, "", "")


def stored_use(store):
    with store._log.reading() as reading:
        return reading.last_used((ACCOUNT, "role", "AROA1"))


def test_queue_hands_over_each_event_once_under_load(monkeypatch):
    """Threads put while another takes: no event is lost, doubled, or left without a time to be taken."""
    waiting = queue.EventQueue(size=10**6)
    woken = threading.Event()
    waiting.wake = woken.set
    taken, done = [], threading.Event()

    def take():
        while not done.is_set() or waiting.due() is not None:
            if woken.wait(0.001):
                woken.clear()
            if waiting.due() is not None:
                taken.extend(waiting.take())
                waiting.committed()

    def put_many(thread):
        for number in range(3000):
            waiting.put((thread, number))

    taker = threading.Thread(target=take)
    putters = [threading.Thread(target=put_many, args=(number,)) for number in range(4)]
    for thread in (taker, *putters):
        thread.start()
    for thread in putters:
        thread.join()
    done.set()
    taker.join(10)
    for thread in range(4):
        assert [number for owner, number in taken if owner == thread] == list(range(3000))
