"""Deliveries of the embedded backend's services to one another: each decided, recorded and forwarded as its request.

AWS: IAM User Guide, "The confused deputy problem": a service is let in by the resource's policy, which tells by
aws:SourceArn and aws:SourceAccount for whom; where the service is given a role, in a session of that role.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from iamd import arn as arns
from iamd import forwarded
from iamd.auth.identity import Service
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.delivery import DeadLetter, Delivery, Forwarded, Outcome, Timing, queue_url
from iamd.gateway.schedules import Schedules
from iamd.inner_requests import Caller, InnerRequests, Key, Refused
from iamd.pipeline import Via
from iamd.runtime import Runtime
from iamd.service_sessions import NotAssumed, RenewedSession
from iamd.store.errors import Unavailable

log = logging.getLogger(__name__)

MOST_FETCHED: Final = 1000
"""How many deliveries that were fetched may wait, beside those of the last answer."""
_PAUSE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.05
_KEPT: Final = 256
_LONGEST_MESSAGE: Final = 1024


class Deliverer:
    """The one process's that owns the embedded backend: it fetches what waits there, and sends it."""

    def __init__(self, runtime: Runtime, embedded: EmbeddedBackend) -> None:
        self._runtime = runtime
        self._embedded = embedded
        self._lanes: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._sessions: dict[tuple[str, str, str], RenewedSession] = {}
        self._schedules: Schedules | None = None

    def begin(self) -> None:
        """Begin to fetch."""
        self._following = asyncio.get_running_loop().create_task(self._follow())

    def forget_times(self) -> None:
        """The backend has begun anew: nothing is due at any time."""
        if self._schedules is not None:
            self._schedules.forget()

    async def clear(self) -> None:
        """Forget what was fetched."""
        self._lanes.clear()
        self._sessions.clear()
        if self._schedules is not None:
            await self._schedules.clear()
        await _ended(self._tasks)

    async def close(self) -> None:
        """Fetch no more, and forget what was fetched."""
        if self._following is not None:
            await _ended({self._following})
        await self.clear()

    async def _follow(self) -> None:
        while True:
            try:
                await self._room()
                for item in await self._embedded.deliveries():
                    self._take(item)
            except BackendDown:
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:
                log.exception("deliveries can't be fetched")
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _room(self) -> None:
        """Wait while too many are fetched and not sent: what more comes waits at the backend, which bounds it."""
        while sum(map(len, self._lanes.values())) >= MOST_FETCHED:  # noqa: ASYNC110 (any lane may shorten)
            await asyncio.sleep(_LOOK_SECONDS)

    def _take(self, item: Delivery | Timing) -> None:
        if isinstance(item, Delivery):
            self._put(item)
            return
        if self._schedules is None:
            self._schedules = Schedules(self._runtime, self._embedded, self)
        self._schedules.learn(item)

    def _put(self, delivery: Delivery) -> None:
        """Have it sent after those before it of the same lane."""
        lane = self._lanes.get(delivery.lane)
        if lane is not None:
            lane.append(delivery)
            return
        self._lanes[delivery.lane] = lane = deque((delivery,))
        task = asyncio.get_running_loop().create_task(self._send_all(delivery.lane, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_all(self, name: str, lane: deque[Delivery]) -> None:
        while lane:
            await self._send(lane.popleft())
        if self._lanes.get(name) is lane:
            del self._lanes[name]

    async def _send(self, delivery: Delivery) -> None:
        if delivery.reply is not None:
            await self._reply(delivery, delivery.reply)
            return
        try:
            refusal = await self.attempt(delivery)
            if refusal is not None and delivery.dead_letter is not None:
                await self.bury(delivery, delivery.dead_letter, refusal)
        except Exception:
            log.exception("a delivery to %s is lost", delivery.target)

    async def _reply(self, delivery: Delivery, reply: str) -> None:
        """Ask for what a service waits for, and tell it the outcome."""
        try:
            found = await self._asked(delivery)
            outcome = Outcome({name: value for name, value in found.items() if name != "ResponseMetadata"})
        except Refused as refused:
            outcome = Outcome(code=refused.code, message=refused.message, status=refused.status)
        except Exception:
            log.exception("%s can't ask for %s", delivery.source, delivery.operation)
            outcome = Outcome(code="InternalFailure", message="The request failed.", status=500)
        try:
            await self._embedded.replied(reply, outcome)
        except BackendDown:
            log.warning("%s is not told what came of %s", delivery.source, delivery.operation)

    async def attempt(self, delivery: Delivery) -> Refused | None:
        """Send it; why it was refused, when it was."""
        if _is_anothers_stream(delivery):
            return _told(delivery, Refused("ResourceNotFoundException", f"{delivery.target} not found.", 400))
        try:
            entry = _failed_entry(await self._asked(delivery))
        except Refused as refused:
            return _told(delivery, refused)
        return _told(delivery, entry) if entry is not None else None

    async def _asked(self, delivery: Delivery) -> Mapping[str, Any]:
        """What its operation is answered; Refused with the error."""
        caller, requests = self._asking(delivery, by_role=True)
        asking = delivery.service, delivery.operation, delivery.parameters, delivery.region
        try:
            return await requests.call(caller, *asking)
        except NotAssumed as error:
            raise Refused(error.code, error.message, 403) from error
        except Unavailable as error:
            raise Refused("ServiceUnavailable", str(error), 503) from error

    def _asking(self, delivery: Delivery, *, by_role: bool) -> tuple[Caller, InnerRequests]:
        """Who asks, and how: who had it done, a session of the role that was given for it, or the service itself."""
        runtime, principal = self._runtime, delivery.principal
        if delivery.caller is not None:
            key = partial(self._key_of, delivery.caller)
            return key, InnerRequests(runtime, principal, via=Via(principal, as_caller=True))
        if delivery.role is None or not by_role:
            return _service_of(delivery), InnerRequests(runtime, principal)
        via = Via(principal, as_caller=False)
        return self._session(delivery, delivery.role).key, InnerRequests(runtime, principal, via=via)

    async def _key_of(self, caller: Forwarded) -> Key:
        """The key of who had a service do something; Refused when it counts no more."""
        key = forwarded.key(self._runtime, caller)
        if key is None:
            raise Refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        return key

    def _session(self, delivery: Delivery, role: str) -> RenewedSession:
        place = (delivery.principal, delivery.source, role)
        found = self._sessions.get(place)
        if found is None:
            if len(self._sessions) >= _KEPT:
                self._sessions.clear()
            name = hashlib.sha256(delivery.source.encode()).hexdigest()[:32]
            service, external_id = _service_of(delivery), delivery.external_id
            found = RenewedSession(self._runtime, service, role, name, delivery.region, external_id)
            self._sessions[place] = found
        return found

    async def bury(self, delivery: Delivery, letter: DeadLetter, refusal: Refused) -> None:
        """Send a message of what could not be delivered to the queue that is told for that."""
        queue = arns.parse(letter.queue)
        if queue is None:
            return
        told = {letter.code_attribute: refusal.code, letter.message_attribute: refusal.message[:_LONGEST_MESSAGE]}
        named = {name: _text(value) for name, value in told.items() if name is not None and value}
        given = {
            "QueueUrl": queue_url(queue),
            "MessageBody": letter.body,
            "MessageAttributes": letter.attributes | named,
        }
        if letter.group is not None:
            given["MessageGroupId"] = letter.group
        caller, requests = self._asking(delivery, by_role=letter.is_by_role)
        try:
            await requests.call(caller, "sqs", "SendMessage", given, queue.region)
        except (Refused, NotAssumed) as refused:
            log.warning("a message of %s to the dead-letter queue %s is lost: %s", delivery.source, queue, refused.code)


def _is_anothers_stream(delivery: Delivery) -> bool:
    """Whether it is for another account's delivery stream: Firehose takes names, and would find the role's own."""
    role, target = arns.parse(delivery.role or ""), arns.parse(delivery.target)
    if delivery.service != "firehose" or role is None or target is None:
        return False
    return target.account != role.account


def _service_of(delivery: Delivery) -> Service:
    return Service(delivery.principal, delivery.account, delivery.source)


def _told(delivery: Delivery, refusal: Refused) -> Refused:
    log.warning("%s does not deliver to %s: %s", delivery.source, delivery.target, refusal.code)
    return refusal


def _failed_entry(found: Mapping[str, Any]) -> Refused | None:
    """The error of an event that a bus did not take, which is no error of the request."""
    for entry in found.get("Entries") or ():
        if entry.get("ErrorCode"):
            return Refused(str(entry["ErrorCode"]), str(entry.get("ErrorMessage", "")), 400)
    return None


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
