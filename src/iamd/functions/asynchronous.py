"""Events that nobody waits for: run, tried again when the function fails, and recorded where the function says.

AWS: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation"
(invocation-async-error-handling).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from iamd.errors import AWSError
from iamd.functions import definition, destinations
from iamd.functions.definition import Function
from iamd.functions.environment import Result
from iamd.functions.errors import ResourceNotFound, TooManyRequests
from iamd.functions.roles import Roles
from iamd.functions.runtime_events import Event
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

PAUSES: Final = (60.0, 120.0)
"""AWS: a minute after the first failure, two after the second."""
ATTEMPTS: Final = 2
"""AWS: how often an event is tried again unless the function says otherwise."""
LONGEST: Final = 6 * 3600.0
MOST: Final = 4000
MOST_OF_ONE: Final = 1000
"""How many events may wait, of all accounts and of one."""
_LOOK_SECONDS: Final = 0.1
_LONGEST_PAUSE: Final = 300.0

Run = Callable[[Function, Event], Awaitable[tuple[Result, bytes]]]
Named = Callable[[], Awaitable[Function]]


class Waiting(msgspec.Struct):
    """An event on its way: how often it was tried, and when by iamd's clock it came."""

    event: Event
    qualifier: str | None
    named: Named
    since: float
    tries: int = 0
    throttled: int = 0


class Settings(msgspec.Struct, frozen=True):
    """How events of a function are handled (Lambda API Reference, PutFunctionEventInvokeConfig)."""

    attempts: int
    oldest: float
    destinations: Mapping[str, Any]

    @classmethod
    def of(cls, function: Function) -> "Settings":
        """The function's own, or AWS's."""
        config = function.events or {}
        attempts = config.get("MaximumRetryAttempts")
        oldest = config.get("MaximumEventAgeInSeconds")
        return cls(
            ATTEMPTS if attempts is None else int(attempts),
            LONGEST if oldest is None else float(oldest),
            config.get("DestinationConfig") or {},
        )

    def destination(self, kind: str) -> str | None:
        """Where records of this outcome go."""
        found: str | None = (self.destinations.get(kind) or {}).get("Destination")
        return found or None


class Events:
    """The events of a server's functions."""

    def __init__(self, runtime: Runtime, roles: Roles, run: Run) -> None:
        self._runtime = runtime
        self._roles = roles
        self._run = run
        self._tasks: dict[asyncio.Task[None], str] = {}

    def put(self, event: Event, qualifier: str | None, named: Named, account: str) -> None:
        """Have an account's event run; TooManyRequests when too many wait."""
        if len(self._tasks) >= MOST or list(self._tasks.values()).count(account) >= MOST_OF_ONE:
            raise TooManyRequests("Rate Exceeded.", members={"Reason": "ConcurrentInvocationLimitExceeded"})
        waiting = Waiting(event, qualifier, named, self._runtime.clock.timestamp())
        task = asyncio.get_running_loop().create_task(self._live(waiting))
        self._tasks[task] = account
        task.add_done_callback(self._tasks.pop)

    async def clear(self) -> None:
        """Forget all that wait."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, waiting: Waiting) -> None:
        try:
            while (pause := await self._tried(waiting)) is not None:
                await self._pass(pause)
        except Exception:
            log.exception("the event %s is lost", waiting.event.request_id)

    async def _pass(self, seconds: float) -> None:
        """Wait by iamd's clock."""
        due = self._runtime.clock.timestamp() + seconds
        left = seconds
        while left > 0:
            await asyncio.sleep(min(left, _LOOK_SECONDS))
            left = due - self._runtime.clock.timestamp()

    async def _tried(self, waiting: Waiting) -> float | None:
        """Try an event, and give how long to wait before the next time; None when there is none."""
        try:
            function = await waiting.named()
        except ResourceNotFound:
            # AWS: events of a function that is deleted go nowhere.
            return None
        settings = Settings.of(function)
        if self._runtime.clock.timestamp() - waiting.since > settings.oldest:
            await self._failed(waiting, function, settings, None, "EventAgeExceeded")
            return None
        try:
            definition.check_runs(function)
            result, _ = await self._run(function, waiting.event)
        except AWSError as error:
            return await self._refused(waiting, function, settings, error)
        waiting.tries += 1
        if result.failure is None:
            await self._record(waiting, function, settings.destination("OnSuccess"), result, "Success")
            return None
        if waiting.tries > settings.attempts:
            await self._failed(waiting, function, settings, result, "RetriesExhausted")
            return None
        return PAUSES[min(waiting.tries, len(PAUSES)) - 1]

    async def _refused(self, waiting: Waiting, function: Function, settings: Settings, error: AWSError) -> float | None:
        """An event that could not be run: it is tried again until it is too old, the pause twice as long each time."""
        if function.reserved == 0:
            # AWS: with a reserved concurrency of zero events go at once where failed ones go.
            await self._failed(waiting, function, settings, None, "RetriesExhausted")
            return None
        log.info("the event %s waits: %s", waiting.event.request_id, error.code)
        waiting.throttled += 1
        return float(min(2 ** (waiting.throttled - 1), _LONGEST_PAUSE))

    async def _failed(
        self, waiting: Waiting, function: Function, settings: Settings, result: Result | None, condition: str
    ) -> None:
        await self._record(waiting, function, settings.destination("OnFailure"), result, condition)
        target = function.other.get("DeadLetterConfig", {}).get("TargetArn")
        if not target:
            return
        credentials = await self._roles.of_lambda(function)
        about = {
            "RequestID": waiting.event.request_id,
            "ErrorCode": "200" if result is not None else "429",
            "ErrorMessage": _message(result)[:1024],
        }
        await destinations.dead_letter(self._runtime, credentials, function, target, waiting.event.content, about)

    async def _record(
        self, waiting: Waiting, function: Function, destination: str | None, result: Result | None, condition: str
    ) -> None:
        if destination is None:
            return
        credentials = await self._roles.of_lambda(function)
        record = record_of(waiting, function, result, condition)
        await destinations.send(self._runtime, credentials, function, destination, record)


def record_of(waiting: Waiting, function: Function, result: Result | None, condition: str) -> dict[str, Any]:
    """The record of an event (the same page, "Example invocation record")."""
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": moment,
        "requestContext": {
            "requestId": waiting.event.request_id,
            "functionArn": f"{function.arn}:{waiting.qualifier or '$LATEST'}",
            "condition": condition,
            "approximateInvokeCount": waiting.tries,
        },
        "requestPayload": msgspec.json.decode(waiting.event.content),
    }
    if result is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": function.version}
        if result.failure is not None:
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
        record["responsePayload"] = _value(result.content)
    return record


def _value(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")


def _message(result: Result | None) -> str:
    told = _value(result.content) if result is not None else {}
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else ""
