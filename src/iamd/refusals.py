"""How many refusals an address gets that nobody has signed for, or nobody known: a bucket for each address."""

import time
from collections import OrderedDict
from typing import Final

BURST_SECONDS: Final = 10.0
"""How many seconds' worth of refusals may come at once."""

_ADDRESSES: Final = 4096


class Refusals:
    """One bucket for each address that was refused lately; it fills by `per_second`."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = per_second * BURST_SECONDS
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Whether this address may be refused once more without being slowed down."""
        now = time.monotonic()
        left, at = self._buckets.pop(address, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_second)
        self._buckets[address] = (max(0.0, left - 1), now)
        if len(self._buckets) > _ADDRESSES:
            # Who was not refused for longest has the fullest bucket.
            self._buckets.popitem(last=False)
        return left >= 1
