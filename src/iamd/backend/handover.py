"""What moto's services would send to one another, and when, waits here, in order, for iamd to fetch."""

import base64
import logging
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any, Final

import msgspec

from iamd.delivery import Delivery, Timing

log = logging.getLogger(__name__)

MOST: Final = 10_000
"""How many deliveries may wait; what comes then is lost, and told."""
AT_ONCE: Final = 100
WAIT_SECONDS: Final = 10.0

_waiting: SimpleQueue[tuple[int, Delivery | Timing]] = SimpleQueue()
_resets = 0


def put(delivery: Delivery) -> None:
    """Have this delivered, after what was put before; from any thread."""
    if _waiting.qsize() >= MOST:
        log.error("a delivery to %s is lost: too many wait", delivery.target)
        return
    _waiting.put((_resets, delivery))


def tell(timing: Timing) -> None:
    """Have it known when something is due; that is never lost, and there is no more of it than requests for it."""
    _waiting.put((_resets, timing))


def taken(_: Mapping[str, Any]) -> dict[str, str]:
    """Give the oldest deliveries and timings, as soon as there are any; none when none come in time.

    Each comes with how many resets there were before it.
    """
    found: list[tuple[int, Delivery | Timing]] = []
    try:
        found.append(_waiting.get(timeout=WAIT_SECONDS))
        while len(found) < AT_ONCE:
            found.append(_waiting.get_nowait())
    except Empty:
        pass
    # A message may hold bytes, and the control socket speaks JSON.
    return {"deliveries": base64.b64encode(msgspec.msgpack.encode(found)).decode()}


def clear() -> int:
    """Forget all that wait; gives how many resets there were with this one."""
    global _resets  # noqa: PLW0603 - as the queue, there is one for the process
    _resets += 1
    try:
        while True:
            _waiting.get_nowait()
    except Empty:
        return _resets
