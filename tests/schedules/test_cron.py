"""AWS's cron expressions, against the guide's examples and against every minute looked at by itself.

AWS: EventBridge User Guide, "Cron expressions" (eb-scheduled-rule-pattern).
"""

import calendar
from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.schedules import cron
from iamd.schedules.cron import NotValid

NEW_YEAR = datetime(2026, 1, 1)


def minutes(fields, after=NEW_YEAR, count=3):
    return [str(found)[:16] for found in islice(cron.parse(fields, needs_year=True).after(after), count)]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("0 10 * * ? *", ["2026-01-01 10:00", "2026-01-02 10:00", "2026-01-03 10:00"]),
        ("15 12 * * ? *", ["2026-01-01 12:15", "2026-01-02 12:15", "2026-01-03 12:15"]),
        ("0 18 ? * MON-FRI *", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("0 8 1 * ? *", ["2026-01-01 08:00", "2026-02-01 08:00", "2026-03-01 08:00"]),
        ("0/15 * * * ? *", ["2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45"]),
        ("1/10 * * * ? *", ["2026-01-01 00:01", "2026-01-01 00:11", "2026-01-01 00:21"]),
        ("5,35 14 * * ? *", ["2026-01-01 14:05", "2026-01-01 14:35", "2026-01-02 14:05"]),
        ("15 10 ? * 6L 2019-2026", ["2026-01-30 10:15", "2026-02-27 10:15", "2026-03-27 10:15"]),
        ("0 0 ? * 3#2 *", ["2026-01-13 00:00", "2026-02-10 00:00", "2026-03-10 00:00"]),
        ("0 0 ? * SUN#5 *", ["2026-03-29 00:00", "2026-05-31 00:00", "2026-08-30 00:00"]),
        ("0 0 3W * ? *", ["2026-01-02 00:00", "2026-02-03 00:00", "2026-03-03 00:00"]),
        ("0 0 1W * ? *", ["2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]),
        ("0 0 31W * ? *", ["2026-01-30 00:00", "2026-03-31 00:00", "2026-05-29 00:00"]),
        ("0 0 L * ? *", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 ? * L *", ["2026-01-03 00:00", "2026-01-10 00:00", "2026-01-17 00:00"]),
        ("0 20-2/3 1 JAN ? *", ["2026-01-01 02:00", "2026-01-01 20:00", "2026-01-01 23:00"]),
        ("0 0 29 FEB ? *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 30 2 ? *", []),
        ("0 0 1 1 ? 2198", ["2198-01-01 00:00"]),
        ("0 0 1 1 ? 2025", []),
        ("0 0 ? nov-feb fri *", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-16 00:00"]),
    ],
)
def test_minutes_that_are_meant(fields, wanted):
    assert minutes(fields) == wanted


@pytest.mark.parametrize(
    "fields",
    [
        "", "0 10 * * ?", "0 10 * * ? * *", "0 10 * * * *", "0 10 ? * ? *", "60 10 * * ? *", "0 24 * * ? *",
        "0 10 0 * ? *", "0 10 32 * ? *", "0 10 ? 13 MON *", "0 10 ? * 0 *", "0 10 ? * 8 *", "0 10 * * ? 1969",
        "0 10 * * ? 2200", "0/0 10 * * ? *", "0 10 ? * 3#6 *", "0 10 ? * 3#1,6#3 *", "0 10 ? * MON-FRI/2 *",
        "0 10 * NOT ? *", "0 10 32W * ? *", "0 10 1,L * ? *", "? 10 * * ? *", "0 10 * ? MON *", "0 10 * * ? 2027-2026",
        "0, 10, *, *, ?, *", "-1 10 * * ? *", "1- 10 * * ? *", "MON 10 * * ? *", "٣ 10 * * ? *",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(fields):
    with pytest.raises(NotValid):
        cron.parse(fields, needs_year=True)


def test_a_schedule_may_leave_out_the_year():
    # EventBridge Scheduler User Guide, "Cron-based schedules": the year is optional.
    found = next(cron.parse("0 10 * * ?", needs_year=False).after(NEW_YEAR))
    assert found == datetime(2026, 1, 1, 10)


def field(first, last):
    value = st.integers(first, last)
    spans = st.tuples(value, value).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    stepped = st.tuples(st.one_of(value.map(str), spans, st.just("*")), st.integers(1, last)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    item = st.one_of(value.map(str), spans, stepped)
    return st.one_of(st.just("*"), st.lists(item, min_size=1, max_size=3).map(",".join))


def holds(text, value, last):
    """Whether a field means a value, read without the code that is tested."""
    for item in text.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            low, high = "0" if last in {59, 23} else "1", str(last)
        elif not high:
            high = str(last) if step else low
        if int(low) <= value <= int(high) and (value - int(low)) % int(step or 1) == 0:
            return True
    return False


@given(
    fields=st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12)),
    start=st.datetimes(datetime(1999, 1, 1), datetime(2032, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_the_next_minute_is_the_first_that_every_field_means(fields, start):
    minute, hour, day, month = fields
    found = next(cron.parse(f"{minute} {hour} {day} {month} ? *", needs_year=True).after(start), None)
    first = first_by_looking(fields, start)
    assert found == first


def first_by_looking(fields, start):
    minute, hour, day, month = fields
    looked = start + timedelta(minutes=1)
    for _ in range(9 * 366):
        if holds(month, looked.month, 12) and holds(day, looked.day, 31):
            end = looked.replace(hour=0, minute=0) + timedelta(days=1)
            while looked < end:
                if holds(hour, looked.hour, 23) and holds(minute, looked.minute, 59):
                    return looked
                looked += timedelta(minutes=1)
        else:
            looked = looked.replace(hour=0, minute=0) + timedelta(days=1)
    return None


@given(st.integers(1, 31), st.dates(datetime(1999, 1, 1).date(), datetime(2100, 1, 1).date()))
def test_the_nearest_weekday_is_a_weekday_of_the_month_and_none_is_nearer(day, of):
    days = cron.parse(f"0 0 {day}W * ? *", needs_year=True).days(of.year, of.month)
    length = calendar.monthrange(of.year, of.month)[1]
    weekdays = [one for one in range(1, length + 1) if calendar.weekday(of.year, of.month, one) < 5]
    if day > length:
        assert days == []
    else:
        assert days[0] in weekdays
        assert abs(days[0] - day) == min(abs(one - day) for one in weekdays)
