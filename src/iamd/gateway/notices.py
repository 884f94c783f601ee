"""Publishing what iamd's own services have to tell: decided by the topic's policy as the service, recorded, in order.

Notices are sent behind the requests that they are of, once; what became of each is in its event and in the log.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from iamd import arn as arns
from iamd.auth.identity import Service
from iamd.authz.authorize import Denied
from iamd.errors import CommonError
from iamd.gateway import as_service
from iamd.gateway.backends import Backends, Place
from iamd.gateway.resources import Facts
from iamd.inner_requests import InnerRequests, Refused
from iamd.notices import Notice
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_SERVICE: Final = "sns"
_ACTION: Final = "sns:Publish"
CLOSING_SECONDS: Final = 5.0


class Publisher:
    """One process's way to topics."""

    def __init__(self, runtime: Runtime, backends: Backends, facts_at: Callable[[Place], Facts | None]) -> None:
        self._runtime = runtime
        self._backends = backends
        self._facts_at = facts_at
        self._in_turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def refusal(self, notice: Notice) -> str | None:
        """Why nothing can be published to a topic; None when it can be, or when there is no backend for topics."""
        place = self._place(notice)
        if place is None:
            return None
        facts = self._facts_at(place)
        if facts is None or (facts.forgets and facts.get(notice.topic_arn) is None):
            return f"no topic {notice.topic_arn} is there."
        try:
            as_service.decide(self._runtime, facts, _service_of(notice), _ACTION, notice.topic_arn, _region(notice))
        except (Denied, CommonError) as denied:
            return denied.message
        return None

    def send(self, notices: list[Notice]) -> None:
        """Publish these behind what is going on, after those before them."""
        task = asyncio.get_running_loop().create_task(self._send(notices))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Publish what still waits, as far as that takes no longer than a server may take to end."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=CLOSING_SECONDS)
        for task in late:
            log.warning("a notice is lost: the server ends")
            task.cancel()

    def _place(self, notice: Notice) -> Place | None:
        try:
            return self._backends.of(_SERVICE, _owner(notice), _region(notice))
        except CommonError:
            return None

    async def _send(self, notices: list[Notice]) -> None:
        async with self._in_turn:
            for notice in notices:
                try:
                    await self._publish(notice)
                except Refused as refused:
                    log.warning("a notice to %s is lost: %s", notice.topic_arn, refused.message)
                except Exception:
                    log.exception("a notice to %s is lost", notice.topic_arn)

    async def _publish(self, notice: Notice) -> None:
        if self._place(notice) is None:
            return
        given = {"TopicArn": notice.topic_arn, "Message": notice.message}
        requests = InnerRequests(self._runtime, notice.service)
        await requests.call(_service_of(notice), _SERVICE, "Publish", given, _region(notice))


def _service_of(notice: Notice) -> Service:
    return Service(notice.service, notice.account_id)


def _region(notice: Notice) -> str:
    return notice.topic_arn.split(":")[3]


def _owner(notice: Notice) -> str:
    parsed = arns.parse(notice.topic_arn)
    return notice.account_id if parsed is None else parsed.account
