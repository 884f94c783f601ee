"""Executions: schedules that are due ask their targets, in sessions of their roles.

A role has to trust the scheduler for the schedule's group. What can't be done now is tried again by the clock; what
can't be done at all, and what was tried often or long enough, goes to the schedule's dead-letter queue.

AWS: EventBridge Scheduler User Guide, "Configuring a schedule's dead-letter queue" (configuring-schedule-dlq),
"Confused deputy prevention" (cross-service-confused-deputy-prevention); API Reference, RetryPolicy.
"""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec

from iamd.alarms import Alarms
from iamd.clock import Clock
from iamd.delivery import DeadLetter, Delivery, Scheduled
from iamd.errors import AWSError
from iamd.gateway import schedule_targets
from iamd.gateway.schedule_targets import Context
from iamd.gateway.sdk_calls import NotCallable
from iamd.inner_requests import Refused

log = logging.getLogger(__name__)

PRINCIPAL: Final = "scheduler.amazonaws.com"
_AT_ONCE: Final = 16
"""How many targets are asked at a time for one account."""
_MOST_RETRIES: Final = 185
_LONGEST_AGE: Final = 86_400
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 900.0
_LONGEST_LETTER: Final = 240 * 1024
"""So that a message of SQS has room for it with its attributes (256 KB)."""
_THROTTLING: Final = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "ProvisionedThroughput", "SlowDown")
_INTERNAL: Final = Refused(
    "AWS.Scheduler.InternalServerError", "Unexpected error occurred while processing the request", 400
)


class Sender(Protocol):
    """What sends for the schedules."""

    async def attempt(self, delivery: Delivery) -> Refused | None:
        """Send it; why it was refused, when it was."""

    async def bury(self, delivery: Delivery, letter: DeadLetter, refusal: Refused) -> None:
        """Send a message of what could not be delivered."""


class Execution(msgspec.Struct, frozen=True):
    """One time that a schedule is due, for which moment; its target as it was then, and when it began."""

    of: Scheduled
    schedule: str
    target: Mapping[str, Any]
    moment: float
    began: float

    @property
    def group(self) -> str:
        """The ARN of the schedule's group, for which the scheduler asks."""
        return self.schedule.partition(":schedule/")[0] + f":schedule-group/{self.of.group}"


class Executions:
    """Asks targets."""

    def __init__(self, clock: Clock, alarms: Alarms, sender: Sender) -> None:
        self._clock = clock
        self._alarms = alarms
        self._sender = sender
        # SECURITY: whose schedules wait for long answers holds up no other account's.
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))

    async def run(self, execution: Execution) -> None:
        """Ask the target until it takes it, or it is given up."""
        attempt = 0
        while True:
            attempt += 1
            context = _context(execution, attempt)
            refusal = await self._refusal(execution, context)
            if refusal is None:
                return
            pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
            condition = self._exhausted(execution, attempt, pause)
            is_permanent = not _may_pass(refusal)
            if is_permanent or condition is not None:
                await self._bury(execution, context, refusal, None if is_permanent else condition)
                return
            await self._alarms.until(self._clock.timestamp() + pause)

    async def _refusal(self, execution: Execution, context: Context) -> Refused | None:
        """Ask the target once; why it was refused, when it was."""
        try:
            (service, operation, parameters), region = schedule_targets.asked(execution.target, context)
            delivery = msgspec.structs.replace(
                _delivery(execution), service=service, operation=operation, parameters=parameters, region=region
            )
            async with self._at_once[execution.of.account]:
                return await self._sender.attempt(delivery)
        except (NotCallable, AWSError) as error:
            return Refused("ValidationException", str(error), 400)
        except Exception:
            log.exception("the schedule %s failed", execution.schedule)
            return _INTERNAL

    def _exhausted(self, execution: Execution, attempt: int, pause: float) -> str | None:
        """Why it is not tried again; None when it may be."""
        policy = execution.target.get("RetryPolicy") or {}
        if attempt > policy.get("MaximumRetryAttempts", _MOST_RETRIES):
            return "MaximumRetryAttempts"
        age = self._clock.timestamp() + pause - execution.began
        return "MaximumEventAgeInSeconds" if age > policy.get("MaximumEventAgeInSeconds", _LONGEST_AGE) else None

    async def _bury(self, execution: Execution, context: Context, refusal: Refused, condition: str | None) -> None:
        """Send what was asked to the dead-letter queue, where there is one, as the schedule's role."""
        queue = (execution.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        text = schedule_targets.text_of(execution.target, context).encode()
        told = {
            "SCHEDULE_ARN": execution.schedule,
            "TARGET_ARN": execution.target["Arn"],
            "SCHEDULED_TIME": context.time,
            "EXECUTION_ID": context.execution_id,
            "RETRY_ATTEMPTS": str(context.attempt - 1),
            "IS_PAYLOAD_TRUNCATED": "true" if len(text) > _LONGEST_LETTER else "false",
        }
        told |= {"EXHAUSTED_RETRY_CONDITION": condition} if condition is not None else {}
        letter = DeadLetter(
            queue=queue,
            body=text[:_LONGEST_LETTER].decode("utf-8", "ignore"),
            attributes={name: {"DataType": "String", "StringValue": value} for name, value in told.items()},
            code_attribute="ERROR_CODE",
            message_attribute="ERROR_MESSAGE",
            is_by_role=True,
        )
        await self._sender.bury(_delivery(execution), letter, refusal)


def _context(execution: Execution, attempt: int) -> Context:
    return Context(
        schedule=execution.schedule,
        account=execution.of.account,
        region=execution.of.region,
        moment=execution.moment,
        execution_id=secrets.token_hex(8),
        attempt=attempt,
    )


def _delivery(execution: Execution) -> Delivery:
    """A delivery of the schedule's that asks for nothing yet."""
    return Delivery(
        principal=PRINCIPAL,
        account=execution.of.account,
        source=execution.group,
        service="",
        operation="",
        region=execution.of.region,
        parameters={},
        target=execution.target["Arn"],
        role=execution.target["RoleArn"],
    )


def _may_pass(refusal: Refused) -> bool:
    """Whether what was refused may be taken later."""
    if refusal.status == HTTPStatus.NOT_IMPLEMENTED:
        return False
    is_throttled = refusal.status == HTTPStatus.TOO_MANY_REQUESTS or refusal.code.startswith(_THROTTLING)
    return is_throttled or refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR
