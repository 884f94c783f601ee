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


def are_left(call: Call, whose: str, allowed: int) -> bool:
    """Whether fewer than `allowed` attempts have failed in this quarter of an hour; none is taken."""
    return not all(call.change.was_used(_KIND, attempt) for attempt in _attempts(call, whose, allowed))


def note_failed(call: Call, whose: str, allowed: int) -> None:
    """Count one more failed attempt of those that `are_left` looks at."""
    expires = (_window(call) + 1) * WINDOW_SECONDS
    any(call.change.use_once(_KIND, attempt, expires) for attempt in _attempts(call, whose, allowed))


def forget(call: Call, whose: str) -> None:
    """Count from nothing again: somebody knew the secret."""
    for attempt in _attempts(call, whose):
        call.change.delete_used(_KIND, attempt)


def _attempts(call: Call, whose: str, allowed: int = ALLOWED) -> Iterator[str]:
    return (f"{whose} {_window(call)} {number}" for number in range(allowed))


def _window(call: Call) -> int:
    return call.now // WINDOW_SECONDS
