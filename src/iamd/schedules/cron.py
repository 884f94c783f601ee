"""AWS's cron expressions: six fields in UTC or in a time zone, with its wildcards `? L W #`.

AWS: EventBridge User Guide, "Cron expressions" (eb-scheduled-rule-pattern); EventBridge Scheduler User Guide,
"Cron-based schedules" (schedule-types), where the year may be left out.
"""

import calendar
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_ITEM: Final = re.compile(
    r"(?:\*|(?P<first>[A-Z]{3}|[0-9]{1,4})(?:-(?P<last>[A-Z]{3}|[0-9]{1,4}))?)(?:/(?P<step>[0-9]{1,4}))?"
)
_NEAREST: Final = re.compile(r"([0-9]{1,2})W")
_LAST_OF_KIND: Final = re.compile(r"([A-Z]{3}|[1-7])L")
_NTH_OF_KIND: Final = re.compile(r"([A-Z]{3}|[1-7])#([1-5])")
_SATURDAY: Final = 7

Days = Callable[[int, int], list[int]]
"""The days of a month of a year, in order."""


class NotValid(Exception):
    """An expression that AWS does not take, or of which it can't be known what AWS would take it for."""


class Field(msgspec.Struct, frozen=True):
    """What a field may hold: its values, the names of some, whether a range may go round, and steps be taken."""

    first: int
    last: int
    names: Mapping[str, int] = {}
    goes_round: bool = True
    has_steps: bool = True


MINUTES: Final = Field(0, 59)
HOURS: Final = Field(0, 23)
DAYS: Final = Field(1, 31)
MONTHS: Final = Field(1, 12, _MONTHS)
WEEKDAYS: Final = Field(1, 7, _WEEKDAYS, has_steps=False)
YEARS: Final = Field(FIRST_YEAR, LAST_YEAR, goes_round=False)


class Cron(msgspec.Struct, frozen=True):
    """A cron expression that is understood."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every minute that is meant after this moment, in order; of one clock, whatever its time zone."""
        for day in self._days_from(moment):
            for hour in self.hours:
                for minute in self.minutes:
                    found = day + timedelta(hours=hour, minutes=minute)
                    if found > moment:
                        yield found

    def _days_from(self, moment: datetime) -> Iterator[datetime]:
        for year in self.years[bisect_left(self.years, moment.year) :]:
            for month in self.months:
                if (year, month) < (moment.year, moment.month):
                    continue
                for day in self.days(year, month):
                    if (year, month, day) >= (moment.year, moment.month, moment.day):
                        yield datetime(year, month, day)  # noqa: DTZ001 - of the schedule's own clock


def parse(fields: str, *, needs_year: bool) -> Cron:
    """Understand what stands within `cron(...)`; NotValid when it can't be."""
    told = fields.upper().split()
    if len(told) == 5 and not needs_year:
        told.append("*")
    if len(told) != 6:
        raise NotValid(fields)
    minutes, hours, days, months, weekdays, years = told
    # AWS: one of the two is `?`, and only one.
    if (days == "?") == (weekdays == "?"):
        raise NotValid(fields)
    return Cron(
        values(minutes, MINUTES),
        values(hours, HOURS),
        _of_month(days) if weekdays == "?" else _of_week(weekdays),
        values(months, MONTHS),
        values(years, YEARS),
    )


def values(text: str, field: Field) -> tuple[int, ...]:
    """The values that a field without further wildcards stands for, in order."""
    found: set[int] = set()
    for item in text.split(","):
        found.update(_item(item, field))
    return tuple(sorted(found))


def _item(item: str, field: Field) -> Iterator[int]:
    """`*`, a value, a range; and every so-maniest of these, where a value with a step goes on to the field's end."""
    read = _ITEM.fullmatch(item)
    if read is None or (read["step"] is not None and not field.has_steps):
        raise NotValid(item)
    first = _value(read["first"], field) if read["first"] else field.first
    ends_there = read["first"] is not None and read["last"] is None and read["step"] is None
    last = _value(read["last"], field) if read["last"] else first if ends_there else field.last
    step = int(read["step"]) if read["step"] else 1
    if step == 0 or (last < first and not field.goes_round):
        raise NotValid(item)
    count = field.last - field.first + 1
    # AWS: 20-2 is from 20 hours on one day to 2 hours on the next.
    end = last if last >= first else last + count
    return ((value - field.first) % count + field.first for value in range(first, end + 1, step))


def _value(text: str, field: Field) -> int:
    found = field.names.get(text)
    if found is None:
        if not (text.isascii() and text.isdigit()) or not field.first <= int(text) <= field.last:
            raise NotValid(text)
        found = int(text)
    return found


def _of_month(text: str) -> Days:
    """The days that the field Day-of-month names."""
    if text == "L":
        return _last_day
    nearest = _NEAREST.fullmatch(text)
    if nearest is not None:
        return partial(_nearest_weekday, _value(nearest[1], DAYS))
    return partial(_among, values(text, DAYS))


def _of_week(text: str) -> Days:
    """The days that the field Day-of-week names; 1 is Sunday."""
    if text == "L":
        return partial(_on_weekdays, (_SATURDAY,))
    last, nth = _LAST_OF_KIND.fullmatch(text), _NTH_OF_KIND.fullmatch(text)
    if last is not None:
        return partial(_nth_weekday, _value(last[1], WEEKDAYS), -1)
    if nth is not None:
        return partial(_nth_weekday, _value(nth[1], WEEKDAYS), int(nth[2]) - 1)
    return partial(_on_weekdays, values(text, WEEKDAYS))


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _last_day(year: int, month: int) -> list[int]:
    return [_length(year, month)]


def _among(wanted: tuple[int, ...], year: int, month: int) -> list[int]:
    length = _length(year, month)
    return [day for day in wanted if day <= length]


def _nearest_weekday(day: int, year: int, month: int) -> list[int]:
    """The Monday to Friday of the month that is nearest to a day; none where the month has no such day."""
    length = _length(year, month)
    if day > length:
        return []
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return [day - 1 if day > 1 else day + 2]
    if weekday == calendar.SUNDAY:
        return [day + 1 if day < length else day - 2]
    return [day]


def _on_weekdays(wanted: tuple[int, ...], year: int, month: int) -> list[int]:
    return [day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in wanted]


def _nth_weekday(weekday: int, index: int, year: int, month: int) -> list[int]:
    found = _on_weekdays((weekday,), year, month)
    return [found[index]] if index < len(found) else []


def _weekday(year: int, month: int, day: int) -> int:
    return (calendar.weekday(year, month, day) + 1) % 7 + 1
