"""What principals of an account asked for last, as the account's events tell."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from iamd import ids
from iamd.call import Call
from iamd.policy.request import lower
from iamd.store.errors import Unavailable
from iamd.store.log import Access

TRACKED_SECONDS = 400 * 24 * 3600
"""AWS: activity of at least the last 400 days is reported (IAM API Reference, GenerateServiceLastAccessedDetails)."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """Accesses by service prefix and principal, and by action and principal."""

    of_service: dict[tuple[str, str], Access] = field(default_factory=dict)
    of_action: dict[tuple[str, str], Access] = field(default_factory=dict)
    newest: dict[str, Access] = field(default_factory=dict)
    """Of each service, the last access of anybody."""

    def service(self, prefix: str, who: Iterable[str]) -> list[Access]:
        """The last access of each of these to a service, of those that had one; newest first."""
        return _newest_first(self.of_service.get((prefix, one)) for one in who)

    def action(self, action: str, who: Iterable[str]) -> list[Access]:
        """The last access of each of these to an action, of those that had one; newest first."""
        return _newest_first(self.of_action.get((lower(action), one)) for one in who)

    def add(self, access: Access) -> None:
        """Take an access in."""
        action = lower(access.action)
        prefix = action.partition(":")[0]
        self.of_action[action, access.who] = access
        self.of_service[prefix, access.who] = _newer(self.of_service.get((prefix, access.who)), access)
        self.newest[prefix] = _newer(self.newest.get(prefix), access)


def accesses(call: Call, account_id: str) -> Accesses:
    """The accesses of an account's principals; all that was answered before this request is known."""
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    found = Accesses()
    for access in call.store.accesses(account_id, call.now - TRACKED_SECONDS):
        # Who an identity provider vouches for is no principal of the account yet.
        if access.who == account_id or access.who.startswith((ids.USER, ids.ROLE)):
            found.add(access)
    return found


def _newer(known: Access | None, access: Access) -> Access:
    return access if known is None or known.time < access.time else known


def _newest_first(found: Iterable[Access | None]) -> list[Access]:
    return sorted((one for one in found if one is not None), key=lambda one: (-one.time, one.who))
