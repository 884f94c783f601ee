"""Attempts: how often a code or password may be guessed before further guesses are refused unread.

Each guess takes one of a few places for a quarter of an hour, so that no quarter of an hour, whenever it begins, has
more guesses than places; a place that is free again is taken anew, so that nobody makes the store grow by guessing on.
"""

from collections.abc import Iterator

from iamd.call import Call

ALLOWED = 5
WINDOW_SECONDS = 15 * 60
_KIND = "attempt"


def begin(call: Call, whose: str) -> bool:
    """Take one of the attempts on the secret that `whose` names; False when the last quarter of an hour had them all.

    It counts as failed until `forget`. Attempts are counted in the write itself, so of many at once no more count.
    """
    return _take(call, whose, ALLOWED)


def are_left(call: Call, whose: str, allowed: int) -> bool:
    """Whether fewer than `allowed` attempts have failed in the last quarter of an hour; none is taken."""
    return any(_is_free(call, attempt) for attempt in _attempts(whose, allowed))


def note_failed(call: Call, whose: str, allowed: int) -> None:
    """Count one more failed attempt of those that `are_left` looks at."""
    _take(call, whose, allowed)


def forget(call: Call, whose: str) -> None:
    """Count from nothing again: somebody knew the secret."""
    for attempt in _attempts(whose, ALLOWED):
        call.change.delete_used(_KIND, attempt)


def _take(call: Call, whose: str, allowed: int) -> bool:
    attempt = next((one for one in _attempts(whose, allowed) if _is_free(call, one)), None)
    if attempt is None:
        return False
    # What is past is deleted from time to time only, and until then stands in the way.
    call.change.delete_used(_KIND, attempt)
    return call.change.use_once(_KIND, attempt, call.now + WINDOW_SECONDS)


def _is_free(call: Call, attempt: str) -> bool:
    until = call.change.used_until(_KIND, attempt)
    return until is None or until <= call.now


def _attempts(whose: str, allowed: int) -> Iterator[str]:
    return (f"{whose} {number}" for number in range(allowed))
