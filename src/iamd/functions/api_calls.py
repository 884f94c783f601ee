"""Functions that API Gateway invokes: each decided as the service's own request, or as its role's, and recorded.

Which answer a client gets for one that is not answered, each kind of API has its own words for.

AWS: API Gateway Developer Guide, "Control access to a HTTP API with Lambda authorizers" (http-api-lambda-authorizer)
and "Troubleshooting issues with HTTP API Lambda integrations" (http-api-troubleshooting-lambda): the function's policy
lets in `apigateway.amazonaws.com`, or a role that API Gateway assumes may invoke it.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

import msgspec

from iamd import forwarded
from iamd.arn import PARTITION
from iamd.auth.identity import Identity, Service
from iamd.authz.authorize import Denied
from iamd.gateway import as_service
from iamd.inner_requests import InnerRequests, Key, Refused
from iamd.pipeline import Via
from iamd.runtime import Runtime
from iamd.service_sessions import NotAssumed, RenewedSession

PRINCIPAL: Final = "apigateway.amazonaws.com"
_INVOKE: Final = "lambda:InvokeFunction"
_KEPT: Final = 256
_PATH: Final = re.compile(
    r"arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(?P<function>[^/]+)/invocations"
)
_FUNCTION: Final = re.compile(
    rf"arn:{PARTITION}:lambda:[a-z0-9-]+:[0-9]{{12}}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?", re.ASCII
)
_VARIABLE: Final = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_-]+)\}", re.ASCII)
_ROLE: Final = re.compile(rf"arn:{PARTITION}:iam::[0-9]{{12}}:role/[^*]+")
CALLERS: Final = f"arn:{PARTITION}:iam::*:user/*"
"""AWS: what stands for the caller's own identity in place of a role (API Reference, "Integration", `credentials`)."""


class Cause(Enum):
    """Why a function is not answered by."""

    BROKEN = auto()
    """It can't be invoked as the API is configured, or may not be."""
    FAILED = auto()
    """It was invoked, and has failed."""
    TIMED_OUT = auto()
    """It takes longer than API Gateway waits."""
    TOO_LARGE = auto()
    """The event is larger than a function takes."""
    UNAVAILABLE = auto()
    """It can't run now."""
    UNSUPPORTED = auto()
    """AWS would do what iamd does not."""


class NotAnswered(Exception):
    """A function does not answer: the cause, why, and what it has said itself where it failed."""

    def __init__(self, cause: Cause, why: str, content: bytes = b"") -> None:
        super().__init__(why)
        self.cause, self.why, self.content = cause, why, content


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An invocation: of which function, for whom, by which role if by any, and how long it is waited for.

    `sources` are what the function's policy may call its reason: every one of them must be let in. `role` may be
    CALLERS; `caller` is who has signed the request, if anybody has.
    """

    function: str
    account: str
    region: str
    sources: Sequence[str]
    role: str | None
    content: bytes
    seconds: float
    caller: Identity | None = None


def variables_in(uri: str | None, variables: Mapping[str, str]) -> str:
    """A URI with a stage's variables in it; NotAnswered when the stage has one not."""
    missing = [name for name in _VARIABLE.findall(uri or "") if name not in variables]
    if missing:
        raise NotAnswered(Cause.BROKEN, f"The stage has no variable {missing[0]}.")
    return _VARIABLE.sub(lambda found: variables[found[1]], uri or "")


def function_of(uri: str | None, variables: Mapping[str, str]) -> str:
    """The ARN of the function that a URI names; NotAnswered when it names none."""
    plain = variables_in(uri, variables)
    path = _PATH.fullmatch(plain)
    function = path["function"] if path is not None else plain
    if not _FUNCTION.fullmatch(function):
        # SECURITY: what a stage's variables hold is not for whoever asks.
        raise NotAnswered(Cause.UNSUPPORTED, "a URI that names no Lambda function by its ARN.")
    return function


class Calls:
    """API Gateway's way to functions."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sessions: dict[tuple[str, str, str], RenewedSession] = {}
        self._tasks: set[asyncio.Task[bytes]] = set()

    async def invoke(self, call: Call) -> bytes:
        """What the function has said; NotAnswered when it may not be invoked, has failed, or takes too long."""
        # AWS: who waits no more does not end the function.
        task = asyncio.get_running_loop().create_task(self._invoked(call))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=call.seconds)
        if not done:
            why = f"The function {call.function} takes longer than {call.seconds:g} seconds."
            raise NotAnswered(Cause.TIMED_OUT, why)
        return task.result()

    def _ended(self, task: "asyncio.Task[bytes]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever waited has it; of what nobody waits for any more nobody is told.
            task.exception()

    async def _invoked(self, call: Call) -> bytes:
        try:
            answer = await self._answer(call)
        except NotAssumed as error:
            why = f"API Gateway can't assume the role {call.role}: {error.message}"
            raise NotAnswered(Cause.BROKEN, why) from error
        except Refused as error:
            raise _not_answered(error, call) from error
        content: bytes = answer["Payload"]
        if "FunctionError" in answer:
            why = f"The function {call.function} has failed: {answer['FunctionError']}."
            raise NotAnswered(Cause.FAILED, why, content)
        return content

    async def _answer(self, call: Call) -> Mapping[str, Any]:
        region = call.function.split(":")[3]
        asking = "lambda", "Invoke", {"FunctionName": call.function, "Payload": call.content}, region
        runtime, services = self._runtime, [Service(PRINCIPAL, call.account, source) for source in call.sources]
        if call.role is None:
            for service in services[1:]:
                self._check(service, call.function, region)
            return await InnerRequests(runtime, PRINCIPAL).call(services[0], *asking)
        if call.role == CALLERS:
            key = self._key_of(call)
            return await InnerRequests(runtime, PRINCIPAL, via=Via(PRINCIPAL, as_caller=True)).call(key, *asking)
        if not _ROLE.fullmatch(call.role):
            raise NotAnswered(Cause.UNSUPPORTED, "credentials that are no role.")
        via = Via(PRINCIPAL, as_caller=False)
        session = self._session(call, call.role, services[0])
        return await InnerRequests(runtime, PRINCIPAL, via=via).call(session.key, *asking)

    def _key_of(self, call: Call) -> Callable[[], Awaitable[Key]]:
        """What gives the key of who has signed the request, to invoke the function by their own permissions."""
        carried = forwarded.of(call.caller, self._runtime.keyring) if call.caller is not None else None
        found = forwarded.key(self._runtime, carried) if carried is not None else None
        if found is None:
            raise NotAnswered(Cause.BROKEN, "Nobody has signed the request, whose identity the integration needs.")

        async def key() -> Key:
            return found

        return key

    def _check(self, service: Service, function: str, region: str) -> None:
        gateway = self._runtime.gateway
        facts = gateway.facts_of("lambda") if gateway is not None else None
        if facts is None:
            raise NotAnswered(Cause.UNAVAILABLE, "The backend is not available.")
        try:
            as_service.decide(self._runtime, facts, service, _INVOKE, function, region)
        except Denied as denied:
            if self._runtime.settings.enforce != "soft":
                why = f"AccessDeniedException: {denied.message} (for {service.source_arn})"
                raise NotAnswered(Cause.BROKEN, why) from denied

    def _session(self, call: Call, role: str, service: Service) -> RenewedSession:
        # One for each API: aws:SourceArn of a trust policy tells them apart.
        source = call.sources[0]
        place = (call.account, source, role)
        found = self._sessions.get(place)
        if found is None:
            if len(self._sessions) >= _KEPT:
                self._sessions.clear()
            name = hashlib.sha256(source.encode()).hexdigest()[:32]
            found = self._sessions[place] = RenewedSession(self._runtime, service, role, name, call.region)
        return found

    async def clear(self) -> None:
        """Wait for nothing that runs, and use no session that was had before."""
        self._sessions.clear()
        ending = list(self._tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


_CAUSES: Final = {
    "RequestTooLargeException": Cause.TOO_LARGE,
    "ServiceUnavailable": Cause.UNAVAILABLE,
    "TooManyRequestsException": Cause.UNAVAILABLE,
}


def _not_answered(error: Refused, call: Call) -> NotAnswered:
    why = f"{error.code}: {error.message} (for {call.role or call.sources[0]})"
    return NotAnswered(_CAUSES.get(error.code, Cause.BROKEN), why)
