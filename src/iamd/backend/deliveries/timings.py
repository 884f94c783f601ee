"""When something of moto's is due: iamd is told of each change, for moto never looks at a clock."""

import itertools
from typing import Any

from iamd.backend import handover
from iamd.backend.dispatch import CURRENT
from iamd.delivery import Scheduled, Timing

_versions = itertools.count(1)


def asked_at() -> float:
    """When the request of this thread was made, by iamd's clock, in seconds since the epoch."""
    origin = CURRENT.get().origin
    if origin is None:
        raise TypeError("nobody told when this was asked")
    return float(origin.time)


def tell(thing: Any, of: Scheduled, expression: str | None, *, told: float, **more: Any) -> None:
    """Have it due from then on as it is told, or without an expression no more, with what was due and waits."""
    thing.timing_version = version = next(_versions)
    handover.tell(Timing(of=of, version=version, told=told, expression=expression, **more))
