"""What moto's services do for somebody request by request: each is iamd's to decide and to make."""

import logging
from collections.abc import Callable
from threading import BoundedSemaphore, Thread
from typing import Any, Final

from moto.core.exceptions import JsonRESTError

from iamd.backend import handover
from iamd.backend.dispatch import CURRENT
from iamd.delivery import Delivery, Forwarded

log = logging.getLogger(__name__)

MOST: Final = 300
"""How many acts go on at a time; who asks for more is told to ask later."""
_room = BoundedSemaphore(MOST)


class Act:
    """An act of a service for a resource of its own, in the life of the data in which it began.

    It asks in a session of `role`, with the permissions of `caller`, or of its own accord.
    """

    def __init__(
        self, principal: str, source: str, *, role: str | None = None, caller: Forwarded | None = None
    ) -> None:
        self._principal = principal
        self._source = source
        self._role = role
        self._caller = caller
        self._life = handover.life()
        self.region, self.account = source.split(":")[3:5]

    def ask(self, service: str, operation: str, target: str, **parameters: Any) -> dict[str, Any]:
        """What an operation on a resource is answered; NotDone when it is refused."""
        delivery = Delivery(
            principal=self._principal,
            account=self.account,
            source=self._source,
            service=service,
            operation=operation,
            region=self.region,
            parameters=parameters,
            target=target,
            role=self._role,
            caller=self._caller,
        )
        return handover.ask(delivery, self._life)

    def begin(self, work: Callable[["Act"], None]) -> None:
        """Do something beside the request."""
        if not _room.acquire(blocking=False):
            raise JsonRESTError("ThrottlingException", "Rate exceeded")
        Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[["Act"], None]) -> None:
        try:
            work(self)
        except Exception:
            log.exception("what %s does for %s failed", self._principal, self._source)
        finally:
            _room.release()


def for_caller(principal: str, source: str) -> Act:
    """An act with the permissions of who makes the present request; refused where nobody can be asked for."""
    caller = CURRENT.get().caller
    if caller is None:
        # SECURITY: without a caller it would be done of the service's own accord.
        raise JsonRESTError("AccessDeniedException", "The caller has no permissions that could be carried on.")
    return Act(principal, source, caller=caller)
