"""When a secret's next rotation is due, and rules that can't be.

AWS: Secrets Manager User Guide, "Schedule expressions in Secrets Manager rotation" (rotate-secrets_schedule).
"""

from datetime import UTC, datetime

import pytest

from iamd.backend.deliveries import rotation_rules


def rules(expression, duration=None):
    days = {"AutomaticallyAfterDays": expression} if isinstance(expression, int) else {}
    expression = {} if days else {"ScheduleExpression": expression}
    return days | expression | ({"Duration": duration} if duration is not None else {})


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("given", "last", "opens", "closes"),
    [
        (rules(1), "2026-03-01 14:30", "2026-03-02 00:00", "2026-03-02 23:59:59"),
        (rules("rate(10 days)"), "2026-03-01 00:00", "2026-03-11 00:00", "2026-03-11 23:59:59"),
        (rules("rate(1 day)", "4h"), "2026-03-01 23:59", "2026-03-02 00:00", "2026-03-02 04:00"),
        (rules("rate(4 hours)"), "2026-03-01 04:00", "2026-03-01 08:00", "2026-03-01 09:00"),
        (rules("rate(6 hours)", "6h"), "2026-03-01 19:00", "2026-03-02 00:00", "2026-03-02 06:00"),
        (rules("cron(0 8 1 * ? *)"), "2026-03-01 08:00", "2026-04-01 08:00", "2026-04-01 23:59:59"),
        (rules("cron(0 4/12 * * ? *)"), "2026-03-01 04:00", "2026-03-01 16:00", "2026-03-01 17:00"),
        (rules("cron(0 16 ? * FRI#1 *)", "2h"), "2026-03-06 16:00", "2026-04-03 16:00", "2026-04-03 18:00"),
    ],
)
def test_the_window_after_the_last_rotation(given, last, opens, closes):
    assert rotation_rules.problem(given) is None
    assert rotation_rules.window(given, seconds(last)) == (seconds(opens), seconds(closes))


def test_without_rules_nothing_is_due():
    assert rotation_rules.window({}, 0) is None


@pytest.mark.parametrize(
    "given",
    [
        rules("rate(1000 days)"),
        rules("rate(0 days)"),
        rules("rate(3 hours)"),
        rules("cron(5 8 * * ? *)"),
        rules("cron(0 8 * * ? 2027)"),
        rules("cron(0 24 * * ? *)"),
        rules("cron(0 8 * * *)"),
        rules("rate(4 hours)", "5h"),
        rules("cron(0 22 * * ? *)", "3h"),
        rules("cron(0 4/6 * * ? *)", "7h"),
        rules("rate(10 days)", "0h"),
    ],
)
def test_what_is_never_due_or_does_not_end_in_time_is_not_valid(given):
    assert rotation_rules.problem(given)
