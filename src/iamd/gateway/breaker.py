"""A circuit breaker: after failures in a row a backend is left alone for a while, and then one request may try."""

import time
from collections.abc import Callable
from typing import Final

CLOSED: Final = "up"
UNTRIED: Final = "configured"


class OpenError(Exception):
    """The backend is left alone just now."""


class Breaker:
    """`failures` in a row open it for `seconds`; with 0 it never opens."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = failures, seconds, clock
        self._failed = 0
        self._why = ""
        self._until: float | None = None
        """Until when it is open; None while it is closed."""
        self._is_probing = False
        self._was_used = False

    def enter(self) -> None:
        """Begin a request, whose end must be told; OpenError when none may be sent."""
        if self._until is None:
            return
        if self._is_probing or self._clock() < self._until:
            raise OpenError
        self._is_probing = True

    def succeeded(self) -> None:
        """The backend has answered."""
        self._failed, self._until, self._is_probing, self._was_used = 0, None, False, True

    def failed(self, why: str) -> None:
        """The backend could not be reached, broke off, or was silent."""
        self._failed, self._why, self._was_used = self._failed + 1, why, True
        if self._most and (self._until is not None or self._failed >= self._most):
            self.open(why)

    def open(self, why: str) -> None:
        """Leave it alone from now on."""
        self._why, self._is_probing, self._was_used = why, False, True
        if self._most:
            self._until = self._clock() + self._seconds

    def abandoned(self) -> None:
        """The request ended without telling anything of the backend."""
        self._is_probing = False

    @property
    def state(self) -> str:
        """How the backend is, in words."""
        if self._until is None:
            if self._failed:
                return f"failing: {self._why} ({self._failed} in a row)"
            return CLOSED if self._was_used else UNTRIED
        left = self._until - self._clock()
        if self._is_probing or left <= 0:
            return f"down: {self._why}; the next request tries again"
        return f"down: {self._why}; tried again in {left:.0f} s"
