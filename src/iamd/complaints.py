"""What the log is told once, and not at every request: that something does not work, and that it works again."""

import logging
import time
from typing import Final

AGAIN_SECONDS: Final = 60.0
"""After how long a complaint that still holds is told again."""

QUIET_SECONDS: Final = 1.0
"""How long nothing may have failed before it is said to work again: on a full disk a small write may still fit."""

_MOST: Final = 64


class Complaints:
    """What is told of one thing; nobody's requests can fill the log with it."""

    def __init__(self, log: logging.Logger, over: str) -> None:
        self._log = log
        self._over = over
        self._told: dict[str, float] = {}
        self._failed_at = 0.0

    def tell(self, text: str) -> None:
        """Tell what does not work, unless that was told within the last minute."""
        now = self._failed_at = time.monotonic()
        told = self._told.get(text)
        if told is None or now - told > AGAIN_SECONDS:
            if len(self._told) >= _MOST:
                self._told.clear()
            self._told[text] = now
            self._log.warning("%s", text)

    def end(self) -> None:
        """Tell that it works again, if it was told that it does not."""
        if self._told and time.monotonic() - self._failed_at > QUIET_SECONDS:
            self._told.clear()
            self._log.warning("%s", self._over)
