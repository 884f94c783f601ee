"""A start tells once a second how far it has come, and nothing before a second has passed."""

from itertools import count

import pytest

from iamd.store import loading
from iamd.store.log import Row


@pytest.fixture
def lines(monkeypatch):
    """What is told while 2,500 users and as many keys are loaded, of which each takes a millisecond."""
    milliseconds = count()
    monkeypatch.setattr(loading.time, "monotonic", lambda: next(milliseconds) / 1000)
    told = []
    rows = [Row("1", kind, str(number), b"") for number in range(2500) for kind in ("user", "access-key")]
    assert list(loading.Loading(told.append).watched(rows)) == rows
    return told


def test_a_line_a_second_counts_principals_and_nothing_else(lines):
    assert lines == ["loaded 999 of 2,500 principals...\n", "loaded 1,999 of 2,500 principals...\n"]
