"""The sessions of functions' execution roles, which Lambda assumes."""

from collections.abc import Callable
from typing import Final

from iamd.auth.identity import Service
from iamd.functions.definition import Function
from iamd.functions.errors import AccessDenied, ServiceFault
from iamd.metadata import sessions
from iamd.metadata.temporary import Temporary, Unobtainable, is_due
from iamd.runtime import Runtime
from iamd.service_sessions import role_now

SERVICE: Final = "lambda.amazonaws.com"
_LONGEST_NAME: Final = 64
_KEPT: Final = 256


Look = Callable[[], object]


class Session:
    """Credentials, when they began by iamd's clock, and the role as it was then; `look` tells how it is."""

    def __init__(self, credentials: Temporary, since: float, role: object, look: Look) -> None:
        self.credentials = credentials
        self._since = since
        self._role = role
        self._look = look

    def lasts(self, now: float, seconds: float) -> bool:
        """Whether they hold for so long from now, their end is not near, and their role is still the same."""
        age = now - self._since
        holds = not is_due(self.credentials, age) and age + seconds < self.credentials.lasts
        return holds and self._look() == self._role


class Roles:
    """Sessions of execution roles: those of functions' code, and those of what Lambda itself does for a function."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kept: dict[tuple[str, str], Session] = {}

    async def of_code(self, function: Function) -> Session:
        """A session for a process that runs the function.

        AWS: its requests carry the function's ARN (Lambda Developer Guide, "Using source function ARN to control
        function access behavior").
        """
        return await self._assumed(function, {"lambda:sourcefunctionarn": function.arn})

    async def of_lambda(self, function: Function) -> Temporary:
        """Credentials for what Lambda does outside of the function: polling, destinations (the same page)."""
        place, now = (function.arn, function.role), self._runtime.clock.timestamp()
        known = self._kept.get(place)
        if known is None or not known.lasts(now, 0):
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            known = self._kept[place] = await self._assumed(function, {})
        return known.credentials

    async def _assumed(self, function: Function, keys: dict[str, str]) -> Session:
        service = Service(SERVICE, function.account, function.arn, keys)

        def look() -> object:
            return role_now(self._runtime.store.snapshot(), function.role)

        since, role = self._runtime.clock.timestamp(), look()
        name = function.name[:_LONGEST_NAME]
        try:
            given = await sessions.assume(self._runtime, service, function.role, name, function.region)
        except Unobtainable as error:
            if error.status >= 500:
                raise ServiceFault(error.message) from error
            raise AccessDenied("The role defined for the function cannot be assumed by Lambda.") from error
        return Session(given, since, role, look)

    def forget(self) -> None:
        """Use nothing that was obtained before."""
        self._kept.clear()
