"""The events of requests to APIs: one for each, whatever becomes of it."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from iamd import pipeline
from iamd.auth.identity import ANONYMOUS
from iamd.authz.authorize import Denied
from iamd.errors import CommonError
from iamd.functions.api_answers import Refusal
from iamd.functions.api_callers import SERVICE
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of
from iamd.store.errors import Unavailable

log = logging.getLogger(__name__)

Words = Callable[[str], Refusal]
"""Gives the refusal for a failure of iamd's own, of which it is told why."""


def begun(request: HttpRequest, account: str, region: str, parameters: Mapping[str, str]) -> Progress:
    """What is known of a request to an API at first."""
    return Progress(
        request,
        identity=ANONYMOUS,
        parameters=parameters,
        management=False,
        source=f"{SERVICE}.amazonaws.com",
        region=region,
        event_name="Invoke",
        recipient=account,
    )


class Recording:
    """Records what becomes of requests; `failed` and `unavailable` are a kind of API's words for iamd's own trouble."""

    def __init__(
        self, runtime: Runtime, *, failed: Words, unavailable: Words, denied: Callable[[Denied], Refusal]
    ) -> None:
        self._runtime = runtime
        self._failed = failed
        self._unavailable = unavailable
        self._denied = denied

    async def answered(self, progress: Progress, answering: Awaitable[HttpResponse]) -> HttpResponse | Refusal:
        """The answer that comes of something, recorded, or the refusal, recorded too."""
        try:
            answer = await answering
        except Refusal as refusal:
            return self._refused(progress, refusal)
        except Denied as denied:
            progress.verdicts = [*progress.verdicts, *denied.verdicts]
            return self._refused(progress, self._denied(denied))
        except (CommonError, Unavailable) as error:
            return self._refused(progress, self._unavailable(str(error)))
        except Exception:
            log.exception("request %s failed", progress.request.id)
            return self._refused(progress, self._failed("The request failed."))
        self._record(progress)
        return answer

    def _refused(self, progress: Progress, refusal: Refusal) -> Refusal:
        # LIM-03: who is not known is slowed down; who is known is not, whatever others at the same address do.
        is_unknown = progress.identity is ANONYMOUS and refusal.status in {401, 403}
        if is_unknown and not self._runtime.refusals.allows(progress.request.source_ip):
            refusal = refusal.throttled("Too many requests of this address were refused.")
        try:
            self._record(progress, refusal.code, refusal.why)
        except Unavailable as lost:
            pipeline.complaints.tell(f"events of refused requests are lost: {lost}")
        return refusal

    def _record(self, progress: Progress, code: str | None = None, message: str | None = None) -> None:
        told = pipeline.outcome(self._runtime, progress, service=SERVICE, read_only=False, code=code, message=message)
        self._runtime.store.record_event(event_of(told))
