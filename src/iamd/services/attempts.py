"""Attempts: how often a code or password may be guessed before further guesses are refused unread."""

from collections.abc import Iterator

from iamd.call import Call

ALLOWED = 5
WINDOW_SECONDS = 15 * 60
_KIND = "attempt"


def begin(call: Call, whose: str) -> bool:
    """Take one of the attempts on the secret that `whose` names; False when none is left in this quarter of an hour.

    It counts as failed until `forget`. Attempts are counted in the write itself, so of many at once no more count.
    """
    expires = (_window(call) + 1) * WINDOW_SECONDS
    return any(call.change.use_once(_KIND, attempt, expires) for attempt in _attempts(call, whose))


def forget(call: Call, whose: str) -> None:
    """Count from nothing again: somebody knew the secret."""
    for attempt in _attempts(call, whose):
        call.change.delete_used(_KIND, attempt)


def _attempts(call: Call, whose: str) -> Iterator[str]:
    return (f"{whose} {_window(call)} {number}" for number in range(ALLOWED))


def _window(call: Call) -> int:
    return call.now // WINDOW_SECONDS
