"""When secrets are rotated, as RotateSecret says it.

AWS: Secrets Manager API Reference, RotationRulesType; User Guide, "Schedule expressions in Secrets Manager rotation"
(rotate-secrets_schedule).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any, Final, NamedTuple

from iamd.schedules import cron
from iamd.schedules.cron import Cron, NotValid
from iamd.schedules.expressions import Recurring

_DAY: Final = 86_400
_HOUR: Final = 3_600
_RATE: Final = re.compile(r"rate\(([1-9][0-9]{0,3}) (hour|day)s?\)", re.ASCII)
_CRON: Final = re.compile(r"cron\(([^()]*)\)", re.ASCII)
_DURATION: Final = re.compile(r"([1-9]|1[0-9]|2[0-4])h", re.ASCII)
_SHORTEST: Final = 4 * _HOUR
_MOST_DAYS: Final = 1000
_LONGEST: Final = 999 * _DAY


class Window(NamedTuple):
    """The time in which a secret is rotated once, in seconds since the epoch."""

    opens: float
    closes: float


def problem(rules: Mapping[str, Any]) -> str | None:
    """What is wrong with rules; None when nothing is."""
    days, expression, duration = (
        rules.get(name) for name in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration")
    )
    if days is not None and expression is not None:
        return "RotationRules can have AutomaticallyAfterDays or ScheduleExpression, but not both."
    if days is not None and not 1 <= days <= _MOST_DAYS:
        return "RotationRules.AutomaticallyAfterDays must be within 1-1000."
    if expression is not None and not _is_schedule(expression):
        return "RotationRules.ScheduleExpression is not valid."
    if duration is None:
        return None
    is_length = _DURATION.fullmatch(duration) is not None
    return None if is_length and _has_room(rules) else "RotationRules.Duration is not valid."


def window(rules: Mapping[str, Any], last: float) -> Window | None:
    """When the next rotation is due after the last one, both in UTC; None where rules say nothing, or never."""
    seconds, calendar = _seconds(rules), _cron(rules.get("ScheduleExpression") or "")
    if seconds is not None:
        # AWS: windows of rates start at midnight.
        begins = last - last % _DAY
        opens: float | None = begins + ((last - begins) // seconds + 1) * seconds
    else:
        opens = Recurring(calendar, UTC).due(0, last) if calendar is not None else None
    return Window(opens, opens + _length(rules, opens)) if opens is not None else None


def shown(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules as DescribeSecret shows them."""
    seconds = _seconds(rules) or 0
    return {**({"AutomaticallyAfterDays": seconds // _DAY} if seconds >= _DAY else {}), **rules}


def _length(rules: Mapping[str, Any], opens: float) -> float:
    """How long a window is: as it is told, or an hour, or of a schedule in days the rest of the day."""
    if rules.get("Duration"):
        return int(rules["Duration"][:-1]) * _HOUR
    return _HOUR if _is_in_hours(rules) else _DAY - opens % _DAY - 1


def _is_in_hours(rules: Mapping[str, Any]) -> bool:
    seconds, calendar = _seconds(rules), _cron(rules.get("ScheduleExpression") or "")
    return seconds < _DAY if seconds is not None else calendar is not None and len(calendar.hours) > 1


def _has_room(rules: Mapping[str, Any]) -> bool:
    """Whether windows of this length end before the next one and the next day begin."""
    length, seconds = int(rules["Duration"][:-1]), _seconds(rules)
    if seconds is not None:
        return length * _HOUR <= seconds
    calendar = _cron(rules.get("ScheduleExpression") or "")
    if calendar is None:
        return True
    ends = (*calendar.hours[1:], 24)
    return all(length <= end - hour for hour, end in zip(calendar.hours, ends, strict=True))


def _is_schedule(expression: str) -> bool:
    rate = _RATE.fullmatch(expression)
    return _SHORTEST <= _rate(rate) <= _LONGEST if rate is not None else _cron(expression) is not None


def _seconds(rules: Mapping[str, Any]) -> int | None:
    """The seconds from one rotation to the next; None where a calendar tells."""
    days, rate = rules.get("AutomaticallyAfterDays"), _RATE.fullmatch(rules.get("ScheduleExpression") or "")
    if days is not None:
        return int(days) * _DAY
    return _rate(rate) if rate is not None else None


def _rate(rate: re.Match[str]) -> int:
    return int(rate[1]) * (_DAY if rate[2] == "day" else _HOUR)


@lru_cache(maxsize=256)
def _cron(expression: str) -> Cron | None:
    """The calendar of an expression; None when it is none. AWS: on the hour, and in every year."""
    found = _CRON.fullmatch(expression)
    try:
        read = cron.parse(found[1], needs_year=True) if found is not None else None
    except NotValid:
        return None
    return read if found is not None and read is not None and _is_on_the_hour(found[1].split()) else None


def _is_on_the_hour(fields: list[str]) -> bool:
    return (fields[0], fields[5]) == ("0", "*")
