"""Schedule expressions: `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(2026-11-20T13:00:00)`, and when they are due.

AWS: EventBridge User Guide, "Creating a rule that runs on a schedule" (eb-create-rule-schedule); EventBridge Scheduler
User Guide, "Schedule types in EventBridge Scheduler" (schedule-types).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from iamd.schedules import cron
from iamd.schedules.cron import Cron, NotValid

_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86400}
_RATE: Final = re.compile(r"rate\(([1-9][0-9]{0,8}) (minute|hour|day)(s?)\)")
_CRON: Final = re.compile(r"cron\(([^()]*)\)")
_AT: Final = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")
_LONGEST: Final = 256
"""AWS: the longest expression, in characters (API References, PutRule and CreateSchedule)."""
_LONGEST_RATE: Final = 366 * 100 * 86_400


class Rate(msgspec.Struct, frozen=True):
    """At a regular rate."""

    seconds: int

    def due(self, begins: float, after: float) -> float | None:
        """The first moment after `after` that is a whole number of rates from `begins`."""
        count = max(0, int((after - begins) // self.seconds) + 1)
        return begins + count * self.seconds


class Once(msgspec.Struct, frozen=True):
    """At one moment; on a day when the clock does not show it, at none."""

    moment: float | None

    def due(self, begins: float, after: float) -> float | None:
        """The moment, when it is later than `after`."""
        del begins
        return self.moment if self.moment is not None and self.moment > after else None


class Recurring(msgspec.Struct, frozen=True):
    """At the minutes of a cron expression, as the clock of a time zone shows them."""

    cron: Cron
    zone: tzinfo

    def due(self, begins: float, after: float) -> float | None:
        """The first minute meant that is after `after` and not before `begins`."""
        after = max(after, begins - 1)
        # A clock that was set back shows an hour again: what is meant in it may be before what it shows.
        shown = datetime.fromtimestamp(after, self.zone).replace(tzinfo=None) - timedelta(hours=3)
        for local in self.cron.after(shown):
            moment = moment_of(local, self.zone)
            if moment is not None and moment > after:
                return moment
        return None


Expression = Rate | Once | Recurring


def at(moment: float) -> str:
    """The expression of one moment, in whole seconds of UTC."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("at(%Y-%m-%dT%H:%M:%S)")


def of_rule(text: str) -> Expression:
    """The expression of a rule, which is of UTC; NotValid when it is none."""
    _check_length(text)
    rate = _RATE.fullmatch(text)
    if rate is not None:
        # AWS: rate(1 hours) and rate(5 hour) are not valid.
        if (rate[1] == "1") == bool(rate[3]):
            raise NotValid(text)
        return _rate(rate)
    found = _CRON.fullmatch(text)
    if found is None:
        raise NotValid(text)
    return Recurring(cron.parse(found[1], needs_year=True), UTC)


def of_schedule(text: str, zone: str | None) -> Expression:
    """The expression of a schedule in a time zone, UTC where none is named; NotValid when it is none."""
    _check_length(text)
    at, rate, found = _AT.fullmatch(text), _RATE.fullmatch(text), _CRON.fullmatch(text)
    clock = zone_of(zone or "UTC")
    if at is not None:
        return _once(at[1], clock)
    if rate is not None:
        # AWS: the guide's own example is rate(1 days).
        if rate[1] != "1" and not rate[3]:
            raise NotValid(text)
        return _rate(rate)
    if found is None:
        raise NotValid(text)
    return Recurring(cron.parse(found[1], needs_year=False), clock)


def _check_length(text: str) -> None:
    if len(text) > _LONGEST:
        raise NotValid(text)


def _rate(read: re.Match[str]) -> Rate:
    seconds = int(read[1]) * _UNITS[read[2]]
    if seconds > _LONGEST_RATE:
        raise NotValid(read[0])
    return Rate(seconds)


def _once(text: str, zone: tzinfo) -> Once:
    try:
        return Once(moment_of(datetime.fromisoformat(text), zone))
    except ValueError as error:
        raise NotValid(text) from error


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str) -> tzinfo:
    """The time zone of a name of IANA's; NotValid when there is none."""
    # SECURITY: only names of the list are looked for in the file system.
    if name not in _zones():
        raise NotValid(name)
    return ZoneInfo(name)


def moment_of(local: datetime, zone: tzinfo) -> float | None:
    """The moment when a zone's clock shows this, the first time; None when it is set forward over it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment.timestamp() if moment.astimezone(zone).replace(tzinfo=None) == local else None


def dues(expression: Expression, begins: float, after: float, until: float) -> Iterator[float]:
    """Every moment after `after` and not after `until` when it is due, in order."""
    found = expression.due(begins, after)
    while found is not None and found <= until:
        yield found
        found = expression.due(begins, found)
