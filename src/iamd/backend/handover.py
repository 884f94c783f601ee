"""What moto's services would send to one another, and when, waits here, in order, for iamd to fetch."""

import base64
import logging
import uuid
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd.backend.turns import Turns
from iamd.delivery import Delivery, Outcome, Timing

log = logging.getLogger(__name__)

MOST: Final = 2_000
"""How many deliveries of an account may wait; what comes then is lost, and told."""
AT_ONCE: Final = 100
WAIT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 1200.0
"""How long an outcome is waited for: a function may run for fifteen minutes."""

_waiting: Turns[tuple[int, Delivery | Timing]] = Turns()
_asked: dict[str, Future[Outcome]] = {}
_lock = Lock()
_resets = 0


class NotDone(Exception):
    """What a service asked for was not done: the error's code, words and HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def put(delivery: Delivery) -> None:
    """Have this delivered, after what was put before; from any thread."""
    if _waiting.waiting(delivery.account) >= MOST:
        log.error("a delivery to %s is lost: too many wait", delivery.target)
        return
    _waiting.put(delivery.account, (_resets, delivery))


def tell(timing: Timing) -> None:
    """Have it known when something is due; that is never lost, and there is no more of it than requests for it."""
    _waiting.put(timing.of.account, (_resets, timing))


def life() -> int:
    """Which life of the data this is; the next begins with a reset."""
    return _resets


def ask(delivery: Delivery, begun_in: int) -> dict[str, Any]:
    """Have this asked for, and wait for what it is answered; NotDone when it is refused.

    What was begun in a former life of the data gets nothing done in this one.
    """
    reply, awaited = uuid.uuid4().hex, Future[Outcome]()
    with _lock:
        if begun_in != _resets or _waiting.waiting(delivery.account) >= MOST:
            raise NotDone("ServiceUnavailable", "The request can't be made now.", 503)
        _asked[reply] = awaited
        _waiting.put(delivery.account, (_resets, replace(delivery, reply=reply)))
    try:
        outcome = awaited.result(ANSWER_SECONDS)
    except (CancelledError, TimeoutError) as error:
        raise NotDone("ServiceUnavailable", "There was no answer.", 503) from error
    finally:
        _asked.pop(reply, None)
    if outcome.code is not None:
        raise NotDone(outcome.code, outcome.message, outcome.status)
    return outcome.output


def replied(told: Mapping[str, Any]) -> None:
    """Take the outcome of what was asked for; nobody waits for it any more after a reset."""
    outcome = msgspec.msgpack.decode(base64.b64decode(told["outcome"], validate=True), type=Outcome)
    awaited = _asked.pop(told["reply"], None)
    if awaited is not None and awaited.set_running_or_notify_cancel():
        awaited.set_result(outcome)


def taken(_: Mapping[str, Any]) -> dict[str, str]:
    """Give the oldest deliveries and timings of each account in turn, as soon as there are any; none when none come.

    Each comes with how many resets there were before it.
    """
    found = _waiting.take(AT_ONCE, WAIT_SECONDS)
    # A message may hold bytes, and the control socket speaks JSON.
    return {"deliveries": base64.b64encode(msgspec.msgpack.encode(found)).decode()}


def clear() -> int:
    """Forget all that wait; gives how many resets there were with this one."""
    global _resets  # noqa: PLW0603 - as the queue, there is one for the process
    with _lock:
        _resets += 1
        for awaited in list(_asked.values()):
            awaited.cancel()
        _waiting.clear()
        return _resets
