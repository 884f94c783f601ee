"""Schedule expressions of rules and of schedules: what is taken, and when it is due.

AWS: EventBridge User Guide, "Rate expressions" (eb-scheduled-rule-pattern); EventBridge Scheduler User Guide, "Schedule
types in EventBridge Scheduler" (schedule-types), of time zones and daylight saving time too.
"""

from datetime import UTC, datetime

import pytest

from iamd.schedules.cron import NotValid
from iamd.schedules.expressions import of_rule, of_schedule


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(expression, after, count=1, begins=0.0):
    found = []
    for _ in range(count):
        after = expression.due(begins, after)
        found.append(after and datetime.fromtimestamp(after, UTC).isoformat()[:19])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 hours)", "rate(5 hour)", "rate(0 minutes)", "rate(-1 minutes)", "rate(5)", "rate(5 seconds)",
        "rate(5 minutes) ", " rate(5 minutes)", "rate( 5 minutes )", "rate(1.5 hours)", "Rate(5 minutes)",
        "rate(999999999 days)", "cron(0 10 * * ?)", "cron()", "0 10 * * ? *", "at(2026-01-01T00:00:00)", "",
        "cron(0 10 * * ? *)\n",
        f"cron({'0,' * 130}0 10 * * ? *)", "rate(٥ minutes)",
    ],
)  # fmt: skip
def test_what_no_rule_has_is_refused(text):
    with pytest.raises(NotValid):
        of_rule(text)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("at(2026-13-01T00:00:00)", None), ("at(2026-01-01)", None), ("at(2026-01-01T00:00:00Z)", None),
        ("at(2026-02-30T00:00:00)", None), ("rate(5 minute)", None), ("rate(5 seconds)", None), ("", None),
        ("cron(0 10 * * * *)", None), ("rate(5 minutes)", "Mars/Olympus"), ("rate(5 minutes)", "../../etc/passwd"),
        ("rate(5 minutes)", "+02:00"),
    ],
)  # fmt: skip
def test_what_no_schedule_has_is_refused(text, zone):
    with pytest.raises(NotValid):
        of_schedule(text, zone)


@pytest.mark.parametrize(
    ("text", "seconds"), [("rate(1 minute)", 60), ("rate(2 hours)", 7200), ("rate(3 days)", 259200)]
)
def test_a_rate_counts_from_when_it_begins(text, seconds):
    expression = of_rule(text)
    assert expression.due(1000.0, 0.0) == 1000.0
    assert expression.due(1000.0, 1000.0) == 1000.0 + seconds
    assert expression.due(1000.0, 1000.0 + 5 * seconds - 0.5) == 1000.0 + 5 * seconds


def test_a_schedule_takes_the_guides_rate_of_one_day():
    assert of_schedule("rate(1 days)", None) == of_schedule("rate(1 day)", None)


def test_one_moment_is_due_once_and_by_the_clock_of_its_zone():
    # EventBridge Scheduler User Guide, "One-time schedules": 1pm UTC-8 on November 20.
    expression = of_schedule("at(2026-11-20T13:00:00)", "America/Los_Angeles")
    assert due(expression, 0) == ["2026-11-20T21:00:00"]
    assert due(expression, at("2026-11-20T21:00:00")) == [None]


def test_an_hour_that_the_clock_leaps_over_is_skipped():
    expression = of_schedule("cron(30 2 * * ? *)", "America/Los_Angeles")
    assert due(expression, at("2026-03-07T00:00:00"), 3) == [
        "2026-03-07T10:30:00",
        "2026-03-09T09:30:00",
        "2026-03-10T09:30:00",
    ]
    assert due(of_schedule("at(2026-03-08T02:30:00)", "America/Los_Angeles"), 0) == [None]


def test_an_hour_that_the_clock_shows_twice_counts_once():
    expression = of_schedule("cron(30 1 * * ? *)", "America/Los_Angeles")
    assert due(expression, at("2026-10-31T00:00:00"), 3) == [
        "2026-10-31T08:30:00",
        "2026-11-01T08:30:00",
        "2026-11-02T09:30:00",
    ]
    halves = of_schedule("cron(0/30 * * * ? *)", "America/Los_Angeles")
    assert due(halves, at("2026-11-01T08:15:00"), 3) == [
        "2026-11-01T08:30:00",
        "2026-11-01T10:00:00",
        "2026-11-01T10:30:00",
    ]


def test_nothing_is_due_before_it_begins():
    begins = at("2026-06-01T10:00:00")
    assert due(of_rule("cron(0 10 * * ? *)"), 0, 2, begins) == ["2026-06-01T10:00:00", "2026-06-02T10:00:00"]
