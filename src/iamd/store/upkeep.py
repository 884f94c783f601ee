"""What is deleted in time: uses that expired, old lines of the change log, and events beyond their retention."""

import time
from typing import Final

from iamd.store.chain import PRUNED, Chain
from iamd.store.log import Writing

UPKEEP_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 1.0
PRUNED_AT_ONCE: Final = 2_000
KEPT_REVISIONS: Final = 10_000
"""How much of the change log is kept; a worker that is further behind reads the whole state."""

RETENTION_SECONDS: Final = 90 * 86400.0
"""How long events are kept (setting `audit_retention_days`; CloudTrail's event history covers 90 days)."""


class Upkeep:
    """When to delete next, and how: a little in each transaction, so that nobody waits for it."""

    def __init__(self, chain: Chain, retention: float = RETENTION_SECONDS) -> None:
        self._chain = chain
        self._retention = retention
        self.due = time.monotonic() + UPKEEP_SECONDS
        """When (by the monotonic clock) to do it next."""

    def do(self, writing: Writing, now: float) -> None:
        """Delete what is due."""
        writing.forget(int(now), KEPT_REVISIONS)
        more = [self._prune(writing, stream.number, now - self._retention) for stream in writing.streams()]
        self.due = time.monotonic() + (AGAIN_SECONDS if any(more) else UPKEEP_SECONDS)

    def _prune(self, writing: Writing, stream: int, before: float) -> bool:
        found = writing.last_before(stream, before, PRUNED_AT_ONCE)
        if found is not None:
            writing.set_pruned(stream, self._chain.sealed(PRUNED, stream, *found))
        return found is not None
