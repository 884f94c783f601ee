"""The timetable: when rules and schedules of the embedded backend are due, by iamd's clock.

Only the process that owns the backend has one, so that what is due is due once, whatever number of workers there is.

AWS: EventBridge User Guide, "Creating a rule that runs on a schedule" (eb-create-rule-schedule); EventBridge Scheduler
User Guide, "Schedule types in EventBridge Scheduler" (schedule-types); API Reference, CreateSchedule and
FlexibleTimeWindow.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from iamd.alarms import Alarms
from iamd.clock import Clock
from iamd.delivery import Scheduled, Timing
from iamd.schedules import expressions
from iamd.schedules.cron import NotValid
from iamd.schedules.expressions import Expression, Once, Rate

log = logging.getLogger(__name__)

_PRECISION: Final = 60.0
MOST_MADE_UP: Final = 100
"""How many times one thing is due at once when the clock has been moved over more of them."""


class Timer(msgspec.Struct, eq=False):
    """What is due as it is told now, and since when its rate counts.

    `at_once` says that it is due when its rate begins, though that is past; `behind` is how often in turn it was due
    late, `open` how many times that it was due are not done.
    """

    timing: Timing
    expression: Expression
    begins: float
    at_once: bool = False
    behind: int = 0
    open: int = 0
    is_over: bool = False

    def following(self, after: float) -> float | None:
        """When it is due after a moment; None when it is not."""
        found = self.expression.due(self.begins, after)
        ends = self.timing.ends
        # AWS: the dates of one-time schedules are ignored.
        if found is None or (ends is not None and found > ends and not isinstance(self.expression, Once)):
            return None
        return found


class Due(msgspec.Struct, frozen=True):
    """Something is due: for which moment."""

    timer: Timer
    moment: float

    @property
    def of(self) -> Scheduled:
        """What is due."""
        return self.timer.timing.of

    @property
    def version(self) -> int:
        """Which version of it."""
        return self.timer.timing.version


class Timetable:
    """What is due when, and who is told: `ring`."""

    def __init__(self, clock: Clock, alarms: Alarms, ring: Callable[[Due], None]) -> None:
        self._clock = clock
        self._alarms = alarms
        self._ring = ring
        self._timers: dict[Scheduled, Timer] = {}

    def learn(self, timing: Timing) -> None:
        """Have it due from now on as it is told."""
        before = self._timers.pop(timing.of, None)
        if timing.expression is None:
            return
        try:
            timer = self._timer(timing, timing.expression, before)
        except NotValid:
            log.warning("%s is never due: %s", timing.of.name, timing.expression)
            return
        self._timers[timing.of] = timer
        self._wait(timer, timer.following(timer.begins - 1 if timer.at_once else timing.told))

    def done(self, due: Due) -> bool:
        """What was due has been done; whether it is due no more, and nothing of it is left to be done."""
        due.timer.open -= 1
        return due.timer.is_over and not due.timer.open and self._timers.get(due.of) is due.timer

    def forget(self, due: Due) -> None:
        """It is not there any more as it was due."""
        if self._timers.get(due.of) is due.timer:
            del self._timers[due.of]

    def clear(self) -> None:
        """Nothing is there any more."""
        self._timers.clear()

    def _timer(self, timing: Timing, expression: str, before: Timer | None) -> Timer:
        is_rule = timing.of.kind == "rule"
        read = expressions.of_rule(expression) if is_rule else expressions.of_schedule(expression, timing.zone)
        if timing.starts is not None:
            return Timer(timing, read, timing.starts)
        # A change of something else does not begin its rate anew.
        if before is not None and before.timing.starts is None and before.timing.expression == expression:
            return Timer(timing, read, before.begins)
        told = float(int(timing.told))
        # AWS: a schedule without a StartDate begins at once; of rules that is not told, and theirs is a rate later.
        if isinstance(read, Rate) and is_rule:
            return Timer(timing, read, told + read.seconds)
        return Timer(timing, read, told, at_once=isinstance(read, Rate))

    def _wait(self, timer: Timer, moment: float | None) -> None:
        if moment is not None:
            self._alarms.at(moment, partial(self._due, timer, moment))

    def _due(self, timer: Timer, moment: float) -> None:
        if self._timers.get(timer.timing.of) is not timer:
            return
        now = self._clock.timestamp()
        timer.behind = timer.behind + 1 if moment < now - _PRECISION else 0
        following = timer.following(now if timer.behind >= MOST_MADE_UP else moment)
        timer.is_over = following is None
        timer.open += 1
        self._wait(timer, following)
        self._alarms.at(moment + _delay(timer.timing, moment), partial(self._ring, Due(timer, moment)))


def _delay(timing: Timing, moment: float) -> int:
    """How many seconds of its window what is due waits: another number each time, and the same for the same."""
    if not timing.window:
        return 0
    said = f"{timing.of} {moment}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:4]) % (timing.window * 60)
