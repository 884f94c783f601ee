"""The one source of time: handed in, so that a test controls it, and never going back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache


class Clock:
    """The time that iamd issues and expires by: the machine's plus what `--dev` advanced it; it never goes back."""

    def __init__(self, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._latest = machine()
        self.advanced_seconds = 0.0

    def machine_timestamp(self) -> float:
        """Seconds since the epoch by the machine's clock: for signature dates and TOTP steps, which clients keep."""
        return self._machine()

    def timestamp(self) -> float:
        """Seconds since the epoch; a machine clock that steps back does not bring anything expired back to life."""
        self._latest = max(self._latest, self._machine())
        return self._latest + self.advanced_seconds

    def seconds(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.timestamp())

    def now(self) -> datetime:
        """The moment, in UTC, in whole seconds as AWS's dates are."""
        return datetime.fromtimestamp(int(self.timestamp()), UTC)

    def advance(self, seconds: float) -> None:
        """Move what iamd issued or timed itself by `seconds` (`POST /_iamd/clock`)."""
        self.advanced_seconds += seconds

    def reset(self) -> None:
        """Go back to the machine's time."""
        self.advanced_seconds = 0.0


def iso(moment: datetime) -> str:
    """The form of a date in AWS's XML and in `aws:CurrentTime`: `2026-01-31T12:00:00Z`."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(count: float) -> timedelta:
    """A duration of `count` seconds."""
    return timedelta(seconds=count)


def iso_of(timestamp: int) -> str:
    """`iso` of whole seconds since the epoch."""
    return _iso_of(timestamp)


@lru_cache(maxsize=64)
def _iso_of(timestamp: int) -> str:
    return iso(datetime.fromtimestamp(timestamp, UTC))
