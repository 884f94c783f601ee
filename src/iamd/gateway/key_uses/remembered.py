"""What backends have told a moment ago, so that they need not be asked each time: bounded in number and in time."""

from collections import OrderedDict
from typing import Any, Final

LONGEST: Final = 60.0
"""Seconds for which an answer counts."""
MOST: Final = 4096


class Remembered:
    """Answers by what was asked."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, ...], tuple[float, Any]] = OrderedDict()

    def get(self, asked: tuple[str, ...], now: float) -> tuple[Any] | None:
        """The answer, alone in a tuple, as it may be None; None when there is none that counts."""
        found = self._answers.get(asked)
        if found is None or not 0 <= now - found[0] < LONGEST:
            return None
        return (found[1],)

    def put(self, asked: tuple[str, ...], answer: Any, now: float) -> None:
        """Remember an answer; the oldest goes when there are too many."""
        self._answers.pop(asked, None)
        self._answers[asked] = (now, answer)
        if len(self._answers) > MOST:
            self._answers.popitem(last=False)
