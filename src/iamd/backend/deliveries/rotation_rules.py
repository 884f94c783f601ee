"""When secrets are rotated, as RotateSecret says it.

AWS: Secrets Manager API Reference, RotationRulesType; User Guide, "Schedule expressions in Secrets Manager rotation"
(rotate-secrets_schedule).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_DAY: Final = 86_400
_HOUR: Final = 3_600
_RATE: Final = re.compile(r"rate\(([1-9][0-9]{0,3}) (hours?|days?)\)", re.ASCII)
_CRON: Final = re.compile(r"cron\((?:[0-9A-Z#?*,/-]+ ){5}[0-9A-Z#?*,/-]+\)", re.ASCII)
_DURATION: Final = re.compile(r"([1-9]|1[0-9]|2[0-4])h", re.ASCII)
_SHORTEST: Final = 4 * _HOUR
_LONGEST: Final = 1000


def problem(rules: Mapping[str, Any]) -> str | None:
    """What is wrong with rules; None when nothing is."""
    days, expression, duration = (
        rules.get(name) for name in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration")
    )
    if days is not None and expression is not None:
        return "RotationRules can have AutomaticallyAfterDays or ScheduleExpression, but not both."
    if days is not None and not 1 <= days <= _LONGEST:
        return "RotationRules.AutomaticallyAfterDays must be within 1-1000."
    if expression is not None and not _is_schedule(expression):
        return "RotationRules.ScheduleExpression is not valid."
    if duration is not None and not _DURATION.fullmatch(duration):
        return "RotationRules.Duration is not valid."
    return None


def next_date(rules: Mapping[str, Any], now: float) -> int | None:
    """When the next rotation is due, counted from the last one; None where only a calendar would tell."""
    days, rate = rules.get("AutomaticallyAfterDays"), _RATE.fullmatch(rules.get("ScheduleExpression") or "")
    if days is not None:
        return int(now) + int(days) * _DAY
    return int(now) + _seconds(rate) if rate is not None else None


def shown(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules as DescribeSecret shows them."""
    rate = _RATE.fullmatch(rules.get("ScheduleExpression") or "")
    days = {"AutomaticallyAfterDays": _seconds(rate) // _DAY} if rate is not None and _seconds(rate) >= _DAY else {}
    return {**days, **rules}


def _is_schedule(expression: str) -> bool:
    rate = _RATE.fullmatch(expression)
    if rate is None:
        return _CRON.fullmatch(expression) is not None
    return _SHORTEST <= _seconds(rate) <= _LONGEST * _DAY


def _seconds(rate: re.Match[str]) -> int:
    return int(rate[1]) * (_DAY if rate[2].startswith("day") else _HOUR)
