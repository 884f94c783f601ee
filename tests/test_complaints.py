"""The log is told of trouble once, not at every request."""

import logging

import pytest

from iamd import complaints
from iamd.complaints import Complaints


@pytest.fixture
def now(monkeypatch):
    at = [1000.0]
    monkeypatch.setattr(complaints.time, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def store():
    return Complaints(logging.getLogger("iamd.test"), "it works again")


def test_a_complaint_is_told_once_a_minute(now, told, store):
    for _ in range(1000):
        store.tell("the disk is full")
    now[0] += 61
    store.tell("the disk is full")
    assert told() == ["the disk is full"] * 2


def test_another_complaint_is_told_at_once(now, told, store):
    for _ in range(10):
        store.tell("the disk is full")
        store.tell("the lock is held")
    assert told() == ["the disk is full", "the lock is held"]


def test_the_end_is_told_when_nothing_fails_any_more(now, told, store):
    store.end()
    store.tell("the disk is full")
    for _ in range(10):
        store.end()
        store.tell("the disk is full")
    now[0] += 2
    store.end()
    store.end()
    assert told() == ["the disk is full", "it works again"]
    store.tell("the disk is full")
    assert told()[2:] == ["the disk is full"]


def test_texts_are_not_kept_without_bound(now, told, store):
    for number in range(1000):
        store.tell(str(number))
    assert len(store._told) <= 64
