"""Publishing what iamd's own services have to tell: decided by the topic's policy as the service, recorded, in order.

Notices are sent behind the requests that they are of, once; what became of each is in its event and in the log.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from iamd import arn as arns
from iamd import ids, pipeline
from iamd.auth.identity import Service, of_service
from iamd.authz import context
from iamd.authz.authorize import Denied, Verdict, authorize
from iamd.authz.target import Target
from iamd.backend.embedded import BackendDown
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import events, resources
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Backends, Place
from iamd.gateway.resources import Facts
from iamd.http import HttpRequest
from iamd.notices import Notice
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of
from iamd.store.errors import Unavailable
from iamd.wire import models
from iamd.wire.route import Route

log = logging.getLogger(__name__)

_SERVICE: Final = "sns"
_NAME: Final = "Publish"
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
            self._verdicts(notice, facts, _request())
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
                except (Unavailable, BackendDown) as error:
                    log.warning("a notice to %s is lost: %s", notice.topic_arn, error)
                except Exception:
                    log.exception("a notice to %s is lost", notice.topic_arn)

    async def _publish(self, notice: Notice) -> None:
        place, runtime = self._place(notice), self._runtime
        if place is None:
            return
        if place.backend.embedded is not None:
            await place.backend.embedded.ready()
        facts = self._facts_at(place)
        progress = _progress(notice)
        try:
            if facts is None:
                raise CommonError(Common.UNAVAILABLE, "The backend is not available.")
            progress.view, progress.verdicts = facts.view, self._verdicts(notice, facts, progress.request)
            await self._forward(notice, place)
        except Denied as denied:
            progress.verdicts = denied.verdicts
            _lost(runtime, progress, notice, denied)
        except AWSError as error:
            _lost(runtime, progress, notice, error)
        else:
            runtime.store.record_event(event_of(pipeline.outcome(runtime, progress, read_only=False)))

    def _verdicts(self, notice: Notice, facts: Facts, request: HttpRequest) -> list[Verdict]:
        region, now = _region(notice), self._runtime.clock.seconds()
        targets = resources.decided([Target(arn=notice.topic_arn)], facts, notice.account_id)
        identity = of_service(Service(notice.service, notice.account_id))
        return authorize(identity, facts.view, _ACTION, targets, lambda: context.of_request(request, region, now), now)

    async def _forward(self, notice: Notice, place: Place) -> None:
        given = {"TopicArn": notice.topic_arn, "Message": notice.message}
        owner, now = _owner(notice), self._runtime.clock.machine_timestamp()
        try:
            told = await ask(place.backend, _SERVICE, _NAME, given, account=owner, region=_region(notice), now=now)
        except NotToldError as error:
            raise CommonError(Common.UNAVAILABLE, str(error)) from error
        if told is None:
            raise CommonError(Common.VALIDATION, "Topic does not exist")


def _request() -> HttpRequest:
    return HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "")


def _progress(notice: Notice) -> Progress:
    operation = models.service(_SERVICE).operation(_NAME)
    given: dict[str, Any] = {"TopicArn": notice.topic_arn, "Message": notice.message}
    return Progress(
        _request(),
        None,
        Route(operation),
        of_service(Service(notice.service, notice.account_id)),
        # SECURITY: a notice may hold a token; no event has the message.
        events.shown(operation, given),
        management=events.is_management(operation),
        source=events.source(operation),
        region=_region(notice),
    )


def _lost(runtime: Runtime, progress: Progress, notice: Notice, error: AWSError) -> None:
    log.warning("a notice to %s is lost: %s", notice.topic_arn, error.message)
    pipeline.refused(runtime, progress, error)


def _region(notice: Notice) -> str:
    return notice.topic_arn.split(":")[3]


def _owner(notice: Notice) -> str:
    parsed = arns.parse(notice.topic_arn)
    return notice.account_id if parsed is None else parsed.account
