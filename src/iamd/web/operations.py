"""Operations that a person asks for on a page: decided, run and recorded as those that a key signs."""

from collections.abc import Callable, Mapping
from typing import Any

from iamd import pipeline
from iamd.auth.identity import Identity
from iamd.errors import AWSError, Common, CommonError
from iamd.pipeline import Progress, Work
from iamd.services import registry
from iamd.services.registry import On, Registered
from iamd.services.signin import sessions
from iamd.store.change import Change
from iamd.store.errors import Unavailable
from iamd.web import cookies
from iamd.web.visit import Visit
from iamd.wire import models, validate
from iamd.wire.route import Route

Recheck = Callable[[Change], Identity | None]


class PersonsWork(Work, kw_only=True):
    """The work on an operation whose caller is known by a cookie."""

    recheck: Recheck

    def _still_known(self, change: Change) -> None:
        # SECURITY: as for access keys, the caller is looked up again in the state that is written to.
        found = self.recheck(change)
        if found is None:
            raise CommonError(Common.UNKNOWN_ACCESS_KEY, "You are not signed in any more.")
        self.identity = self.progress.identity = found


async def perform(
    visit: Visit,
    identity: Identity,
    recheck: Recheck,
    name: str,
    parameters: Mapping[str, Any],
    *,
    function: Callable[..., Any] | None = None,
    on: On | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Mapping[str, Any] | None:
    """Run an operation of IAM as the person; raises its AWSError, which is recorded.

    `function` does it in place of the operation's own, with `arguments` beside the parameters; `on` says what that
    touches, when it is not what the operation does.
    """
    operation = models.service("iam").operation(name)
    found = registry.find("iam", name)
    registered = (
        found
        if function is None
        else Registered(found.service, found.name, function, found.on if on is None else on, writes=True)
    )
    progress = Progress(visit.request, None, Route(operation), identity, dict(parameters))
    try:
        if function is None:
            validate.validate(operation, parameters)
        given = pipeline.arguments(parameters) | dict(arguments or {})
        return await PersonsWork(
            visit.runtime, progress, operation, registered, identity, given, recheck=recheck
        ).write()
    except AWSError as error:
        pipeline.refused(visit.runtime, progress, error)
        raise
    except Unavailable as error:
        raise pipeline.unavailable(error) from error


def read(visit: Visit, identity: Identity, name: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a reading operation of IAM as the person; raises its AWSError, which is recorded."""
    operation = models.service("iam").operation(name)
    progress = Progress(visit.request, None, Route(operation), identity, dict(parameters))
    work = Work(
        visit.runtime, progress, operation, registry.find("iam", name), identity, pipeline.arguments(parameters)
    )
    try:
        validate.validate(operation, parameters)
        return work.read(visit.runtime.store.snapshot()) or {}
    except AWSError as error:
        pipeline.refused(visit.runtime, progress, error)
        raise
    except Unavailable as error:
        raise pipeline.unavailable(error) from error


def recheck_of(visit: Visit) -> Recheck:
    """Whether who is signed in still is."""

    def recheck(change: Change) -> Identity | None:
        now = visit.runtime.clock.seconds()
        still = sessions.opened(visit.cookies[cookies.SESSION], change, visit.runtime.keyring, now)
        return None if still is None else still.identity

    return recheck
