"""The timetable by itself, with a clock that the test moves: windows, changes, and what is left to be done.

AWS: EventBridge Scheduler API Reference, FlexibleTimeWindow: the target is invoked within the window.
"""

import heapq

import pytest

from iamd.clock import Clock
from iamd.delivery import Scheduled, Timing
from iamd.gateway.timetable import MOST_MADE_UP, Timetable

BEGIN = 1_700_000_000.0
HOUR = 3600
OF = Scheduled("schedule", "123456789012", "us-east-1", "s", "default")


class Table:
    """A timetable whose clock shows what the test says, and which moments were due when."""

    def __init__(self):
        self.now = BEGIN
        self.rung = []
        self._waiting = []
        self.timetable = Timetable(Clock(lambda: self.now), self, self._ring)

    def _ring(self, due):
        self.rung.append((due, self.now))

    def at(self, moment, ring):
        heapq.heappush(self._waiting, (moment, len(self._waiting), id(ring), ring))

    def learn(self, expression, version=1, **more):
        self.timetable.learn(Timing(of=OF, version=version, told=self.now, expression=expression, **more))

    def until(self, moment):
        """Let the clock go on to there; what is due on the way, with the hours at which it rang."""
        self.rung.clear()
        while self._waiting and self._waiting[0][0] <= moment:
            due, *_, ring = heapq.heappop(self._waiting)
            self.now = max(self.now, due)
            ring()
        self.now = moment
        return [(due.moment, now) for due, now in self.rung]


@pytest.fixture
def table():
    return Table()


def test_what_is_due_waits_within_its_window_each_time_as_long_as_it_may(table):
    table.learn("rate(1 day)", window=600)
    rung = table.until(BEGIN + 30 * 24 * HOUR)
    waits = [now - moment for moment, now in rung]
    assert len(rung) >= 29
    assert all(0 <= wait < 600 * 60 for wait in waits)
    assert len(set(waits)) > 20


def test_a_rate_goes_on_as_it_was_when_something_else_changes(table):
    table.learn("rate(2 hours)")
    table.until(BEGIN + HOUR)
    table.learn("rate(2 hours)", version=2)
    assert table.until(BEGIN + 3 * HOUR) == [(BEGIN + 2 * HOUR, BEGIN + 2 * HOUR)]
    table.learn("rate(1 hour)", version=3)
    assert table.until(BEGIN + 4 * HOUR) == [(BEGIN + number * HOUR, BEGIN + number * HOUR) for number in (3, 4)]


def test_what_waits_in_its_window_has_the_version_that_was_due(table):
    """The backend does nothing for a version that is no more."""
    table.learn("rate(1 day)", window=60)
    table.until(BEGIN)
    table.learn("rate(2 days)", version=2, starts=BEGIN + 48 * HOUR)
    table.until(BEGIN + HOUR)
    assert [due.version for due, _ in table.rung] == [1]


def test_a_clock_that_leaps_makes_up_for_a_hundred_times_at_most(table):
    table.learn("rate(1 minute)")
    table.now += 24 * HOUR
    rung = table.until(table.now)
    assert [moment for moment, _ in rung] == [BEGIN + number * 60 for number in range(MOST_MADE_UP)]
    assert table.until(table.now + 60) == [(table.now, table.now)]


def test_it_is_over_when_the_last_time_is_done_and_not_before(table):
    table.learn("rate(1 hour)", ends=BEGIN + HOUR)
    table.until(BEGIN + 5 * HOUR)
    first, second = [due for due, _ in table.rung]
    assert not table.timetable.done(second)
    assert table.timetable.done(first)


def test_what_is_there_no_more_is_due_no_more(table):
    table.learn("rate(1 hour)")
    table.until(BEGIN)
    table.timetable.forget(table.rung[0][0])
    assert table.until(BEGIN + HOUR) == []
    table.learn("rate(1 hour)")
    table.learn(None)
    assert table.until(BEGIN + 2 * HOUR) == []
