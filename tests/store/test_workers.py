"""Several processes on one data folder see one state, at once, and write it in one order."""

import pytest
from store.making import ACCOUNT, KEY, account, event, open_store, put, user, users
from store.processes import worker

from iamd.store.fsck import check
from iamd.store.log import Query


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    opened.write(put(account())).result()
    yield opened
    opened.close()


@pytest.fixture
def other(store, tmp_path):
    with worker("serve", tmp_path) as started:
        yield started


def test_what_one_writes_the_other_sees_at_once(store, other):
    for number in range(0, 60, 2):
        store.write(put(user(number))).result()
        assert other.ask("users").endswith(f"user-{number}")
        other.ask(f"write {number + 1}")
        assert users(store)[-1] == f"user-{number + 1}"


def test_what_one_revokes_the_other_refuses_at_once(store, other):
    for number in range(20):
        other.ask(f"write {number}")
        assert users(store) == [f"user-{number}"]
        other.ask(f"delete {number}")
        assert users(store) == []


def test_all_processes_write_one_gap_free_order(store, other, tmp_path):
    with worker("serve", tmp_path) as third:
        for process, first in ((other, 1000), (third, 2000)):
            process.tell(f"writes {first} 200")
        futures = [store.write(put(user(number))) for number in range(200)]
        assert len({future.result() for future in futures}) == 200
        for process in (other, third):
            process.line()
        assert store.snapshot().revision == 601
        assert other.ask("users") == third.ask("users") == ",".join(users(store))
    assert check(tmp_path, KEY) == []


def test_one_use_holds_across_processes(store, other):
    assert other.ask("use 1") == "True"
    assert not store.write(lambda change: change.use_once("totp", "1", 2**40)).result()


def test_reset_reaches_every_process(store, other, tmp_path):
    store.write(put(user(1))).result()
    other.ask("record 1")
    other.ask("flush")
    store.record_event(event(2))
    other.ask("reset")
    assert users(store) == []
    assert other.ask("users") == ""
    store.record_event(event(3))
    store.flush()
    assert other.ask("events") == "event-3"
    store.write(put(user(2))).result()
    assert other.ask("users") == "user-2"
    store.reset()
    assert other.ask("users") == ""
    other.ask("record 4")
    other.ask("flush")
    assert [found.facts.event_id for found in store.look_up(Query(account=ACCOUNT, equal={}))] == ["event-4"]
    assert check(tmp_path, KEY) == []


def test_each_process_has_a_stream_of_its_own(store, other, tmp_path):
    for number in range(5):
        store.record_event(event(number))
        other.ask(f"record {10 + number}")
        other.ask("flush")
    store.flush()
    found = store.look_up(Query(account=ACCOUNT, equal={}))
    assert sorted({event.id >> 40 for event in found}) == [1, 2]
    assert len(found) == 10
    assert check(tmp_path, KEY) == []


def test_counter_of_a_folder_that_was_copied_is_corrected(store, other, tmp_path):
    """A counter that is ahead of the database would have every request look for what isn't there."""
    store.close()
    other.close()
    (tmp_path / "revision").write_bytes((10**6).to_bytes(8, "little") + bytes(4088))
    opened = open_store(tmp_path)
    assert (opened._counter.newest[0], opened.snapshot().revision) == (1, 1)
    opened.close()
