"""What principals of an account asked for last, as the account's events tell."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from iamd.call import Call
from iamd.policy.request import lower
from iamd.store.errors import Unavailable
from iamd.store.log import Access

TRACKED_SECONDS = 400 * 24 * 3600
"""AWS: activity of at least the last 400 days is reported (IAM API Reference, GenerateServiceLastAccessedDetails)."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """Accesses by service prefix and principal, and by action."""

    of_service: dict[tuple[str, str], Access] = field(default_factory=dict)
    of_action: dict[tuple[str, str], Access] = field(default_factory=dict)

    def service(self, prefix: str, who: Iterable[str]) -> list[Access]:
        """The last access of each of these to a service, of those that had one; newest first."""
        return _newest_first(self.of_service.get((prefix, one)) for one in who)

    def action(self, action: str, who: Iterable[str]) -> list[Access]:
        """The last access of each of these to an action, of those that had one; newest first."""
        return _newest_first(self.of_action.get((lower(action), one)) for one in who)

    def everybody(self) -> set[str]:
        """Everyone who asked for anything."""
        return {who for _, who in self.of_service}


def accesses(call: Call, account_id: str) -> Accesses:
    """The accesses of an account's principals; all that was answered before this request is known."""
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    found = Accesses()
    for access in call.store.accesses(account_id, call.now - TRACKED_SECONDS):
        action = lower(access.action)
        found.of_action[action, access.who] = access
        place = (action.partition(":")[0], access.who)
        known = found.of_service.get(place)
        if known is None or known.time < access.time:
            found.of_service[place] = access
    return found


def _newest_first(found: Iterable[Access | None]) -> list[Access]:
    return sorted((one for one in found if one is not None), key=lambda one: (-one.time, one.who))
