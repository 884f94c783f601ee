"""The way of one request to another service: the pipeline's first eight steps, then to its backend and back.

`Gateway._serve` is the steps in order. Whatever is refused before the last of them sends no byte to a backend.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from iamd import pipeline
from iamd.arn import REGION
from iamd.auth import checksums, chunked, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz.authorize import Denied
from iamd.backend.embedded import BackendDown
from iamd.backend.verdict import Verdict as Decided
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import batch, bodies, deciding, effects, events, learned, missing, policies, resources
from iamd.gateway.actions import passed_roles
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer, BackendBroke
from iamd.gateway.backends import Backends, Place
from iamd.gateway.body_limits import largest_body
from iamd.gateway.cloudformation import effects as stack_effects
from iamd.gateway.deciding import Decider, Step
from iamd.gateway.forward import BackendUnavailable, forward
from iamd.gateway.ledger import Entry, Ledger
from iamd.gateway.payload import EMPTY, Payload
from iamd.gateway.resources import Facts
from iamd.gateway.watch import ClientGone
from iamd.http import HttpRequest
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of
from iamd.store.errors import Unavailable
from iamd.wire import parse, route, validate
from iamd.wire.catalog import CATALOG
from iamd.wire.hosts import host_of
from iamd.wire.models import Operation, Protocol
from iamd.wire.serialize import request_id_headers

log = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

WOULD_DENY_HEADER: Final = b"x-iamd-would-deny"
# AWS: only these take requests that nobody signed; all others refuse them before any policy is looked at.
LARGE_BODY: Final = 64 * 1024
"""From here on lengths are checked before anything is read out of a body; below it the backend does that."""

_ANONYMOUS_SERVICES: Final = frozenset({"s3", "sqs", "sns"})


class Gateway:
    """One server's way to its backends."""

    def __init__(self, runtime: Runtime, backends: Backends) -> None:
        self._runtime = runtime
        self._backends = backends
        self._ledger = Ledger(runtime.store)
        self._decider = Decider(runtime)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def start(cls, runtime: Runtime) -> "Gateway":
        """A gateway to the backends of the settings; the embedded one begins to start, and requests to it wait."""
        gateway = cls(runtime, Backends(runtime.settings, is_owner=runtime.worker == 0))
        gateway._begin_backend()
        return gateway

    def _begin_backend(self) -> None:
        embedded = self._backends.embedded
        if embedded is not None:
            embedded.on_boot(self._forget)
            embedded.start()

    def _forget(self, boot: str) -> None:
        """What was known of the backend's last life is dropped when its next one begins."""
        task = asyncio.get_running_loop().create_task(self._ledger.forget_others(boot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def health(self) -> dict[str, Any]:
        """The state of each backend."""
        return {place.name: _state(place) for place in self._backends.places}

    async def reset(self) -> None:
        """Empty the embedded backend; a backend at a URL keeps what it has. Unavailable when it can't be emptied."""
        if self._backends.embedded is not None:
            try:
                await self._backends.embedded.reset()
            except BackendDown as error:
                raise Unavailable("the backend does not answer") from error

    async def close(self) -> None:
        """End the embedded backend and every connection."""
        await self._backends.close()

    async def serve(self, progress: Progress, receive: Receive, send: Send) -> None:
        """Answer one request to another service, whose claim is read; it is answered and recorded once."""
        begun = _Begun(send)
        try:
            await self._serve(progress, receive, begun)
        except (ClientGone, BackendBroke) as error:
            if not begun.begun:
                self._lost(progress)
            # Whoever went away themselves need not be told of.
            if isinstance(error, BackendBroke):
                raise
        except AWSError as error:
            await self._refuse(progress, error, begun)
        except Unavailable as error:
            await self._refuse(progress, pipeline.unavailable(error), begun)
        except Exception:
            log.exception("request %s failed", progress.request.id)
            await self._refuse(progress, CommonError(Common.INTERNAL), begun)

    def _lost(self, progress: Progress) -> None:
        pipeline.refused(self._runtime, progress, CommonError(Common.UNAVAILABLE, "The client closed its connection."))

    async def _refuse(self, progress: Progress, error: AWSError, begun: "_Begun") -> None:
        if begun.begun:
            # The event and the head of the answer are out: all that is left is to break off, so that nobody takes
            # what came for whole.
            raise ConnectionError(str(error)) from error
        response = pipeline.refused(self._runtime, progress, error)
        headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
        await begun({"type": "http.response.start", "status": response.status, "headers": headers})
        await begun({"type": "http.response.body", "body": response.body})

    async def _serve(self, progress: Progress, receive: Receive, send: "_Begun") -> None:
        await self._read(progress, receive)
        snapshot = self._runtime.store.snapshot()
        identity = progress.identity = pipeline.identified(self._runtime, progress, snapshot)
        _check_body(progress)
        operation = self._operation(progress, identity)
        place = self._backends.of(operation.service)
        facts = await self._facts(place)
        parameters = await self._parameters(progress)
        asked = self._asked(progress, identity, facts, parameters)
        step = await self._decided(progress, asked, place, facts, identity)
        answer = await self._forwarded(step, identity, receive)
        self._record(step, answer)
        headers = self._headers(step, answer)
        await answer.relay(send, receive, headers)

    async def _read(self, progress: Progress, receive: Receive) -> None:
        """Steps 1 and 2: whose signature, which operation; the body is read unless it is an object's."""
        request, claim = progress.request, progress.claim
        scope = claim.service if claim is not None else None
        entries = CATALOG.scoped(scope) if scope is not None else ()
        if scope is None or any(entry.name == "s3" for entry in entries):
            found = _streaming(request, scope)
            if found is not None:
                progress.route = found
                _note(progress, found.operation)
                return
        service = entries[0].name if entries else "s3"
        body = await bodies.whole(request, receive, largest_body(service))
        request = progress.request = request.with_body(body)
        found = progress.route = route.operation_of(request, scope)
        _note(progress, found.operation)

    def _operation(self, progress: Progress, identity: Identity) -> Operation:
        found = progress.route
        if found is None:
            raise CommonError(Common.UNKNOWN_OPERATION)
        if identity is ANONYMOUS and found.service not in _ANONYMOUS_SERVICES:
            raise CommonError(Common.MISSING_AUTHENTICATION)
        return found.operation

    async def _parameters(self, progress: Progress) -> Mapping[str, Any]:
        """Step 5: the parameters; a large body is read beside the loop, so that others don't wait for it."""
        found = progress.route
        if found is None:
            raise CommonError(Common.UNKNOWN_OPERATION)
        if len(progress.request.body or b"") > LARGE_BODY:
            parameters = await asyncio.to_thread(_read_large, found, progress.request)
        else:
            parameters = parse.parameters(found, progress.request)
        batch.check(found.operation, parameters)
        progress.parameters = events.shown(found.operation, parameters)
        return parameters

    def _asked(self, progress: Progress, identity: Identity, facts: Facts, parameters: Mapping[str, Any]) -> Asked:
        """Where the parameters are asked."""
        found, claim = progress.route, progress.claim
        if found is None:
            raise CommonError(Common.UNKNOWN_OPERATION)
        region = claim.region if claim is not None else self._runtime.settings.region
        if not REGION.fullmatch(region):
            raise CommonError(Common.SIGNATURE_MISMATCH, "Credential should be scoped to a valid region. ")
        now = self._runtime.clock.machine_timestamp()
        account = identity.account_id
        return Asked(found.operation, parameters, account, region, claim, now, facts.known, facts.named)

    async def _facts(self, place: Place) -> Facts:
        """What is known of this backend's resources; it has to be up, as its boot says which facts count."""
        embedded = place.backend.embedded
        if embedded is None:
            return Facts(self._runtime.store.snapshot(), None, place.account, forgets=False)
        try:
            boot = embedded.boot or await embedded.ready()
        except BackendDown as error:
            raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error
        return Facts(self._runtime.store.snapshot(), boot, None, forgets=True)

    async def _decided(self, progress: Progress, asked: Asked, place: Place, facts: Facts, identity: Identity) -> Step:
        if asked.operation.service == "cloudformation":
            # A template takes long to read, and others are not to wait for it.
            return await asyncio.to_thread(self._decider.decide, progress, asked, place, facts, identity)
        return self._decider.decide(progress, asked, place, facts, identity)

    async def _forwarded(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """The backend's answer, with the facts about resources kept in step with it."""
        asked, progress = step.asked, step.progress
        if batch.is_batch(asked.operation):
            return await self._batched(step, identity, receive)
        own = policies.own_answer(asked, step.targets[0].arn, step.facts)
        if own is not None:
            return own
        owner = step.targets[0].account or asked.account
        changes = [*effects.of(asked, step.targets[0].arn, step.facts), *stack_effects.of(step)]
        entries: Sequence[Entry] = ()
        if changes:
            entries = await self._ledger.begin(changes, owner, step.facts.boot, self._runtime.clock.seconds())
        payload = await self._payload(progress, receive)
        answer = await self._settled(step, entries, progress.request, payload, receive)
        listing = missing.listing(asked, answer, step.facts)
        if listing is not None:
            self._decider.authorize(step, identity, resources.decided([listing], step.facts, asked.account))
        return answer

    async def _settled(
        self, step: Step, entries: Sequence[Entry], request: HttpRequest, payload: Payload, receive: Receive
    ) -> Answer:
        status = None
        try:
            answer = await forward(
                request,
                payload,
                step.place.backend,
                self._verdict(step),
                now=self._runtime.clock.machine_timestamp(),
                receive=receive,
                roles=passed_roles.mirrored(step.passed, step.facts.view),
                profiles=passed_roles.mirrored_profiles(step.asked, step.facts.view),
            )
            status = answer.status
            await self._learn(step, answer)
            return answer
        except BackendUnavailable:
            # Nothing was sent.
            status = 400
            raise
        finally:
            if entries:
                await self._ledger.settle(entries, status)

    async def _learn(self, step: Step, answer: Answer) -> None:
        if learned.may_tell(step.asked.operation):
            record = learned.of(step.asked, answer, step.facts, self._runtime.clock.seconds())
            if record is not None:
                await self._ledger.learn(record)
        told = policies.told(step.asked, step.targets[0].arn, answer, step.facts)
        if told is not None:
            await self._ledger.reconcile(told, step.facts.boot)

    def _verdict(self, step: Step) -> Decided:
        asked, progress = step.asked, step.progress
        found = progress.route
        if found is None:
            raise TypeError("no route")
        virtual = found.style == "virtual"
        return Decided(
            service=asked.operation.service,
            operation=asked.operation.name,
            protocol=str(found.protocol),
            account_id=deciding.owner(step),
            region=asked.region,
            host=progress.request.header(b"host") or "localhost",
            bucket_host=asked.parameters.get("Bucket") if virtual else None,
        )

    async def _batched(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """DeleteObjects: each key by itself; it goes on without the denied ones, which come back as entries."""
        allowed, refused = [], []
        for index, target in enumerate(step.targets):
            try:
                verdicts = self._decider.verdicts(step, identity, batch.with_bypass(step.asked, target))
            except Denied as denied:
                step.progress.verdicts = [*step.progress.verdicts, *denied.verdicts]
                if self._runtime.settings.enforce == "soft" and identity is not ANONYMOUS:
                    step.would_deny = denied
                    allowed.append(index)
                else:
                    refused.append(
                        (index, deciding.worded(denied, step.asked, self._runtime.keyring).message or "Access Denied")
                    )
            else:
                step.progress.verdicts = [*step.progress.verdicts, *verdicts]
                allowed.append(index)
        plan = batch.plan(step.progress.request, step.asked, allowed, refused)
        if plan.request is None:
            return Answer(200, [(b"content-type", b"application/xml")], plan.whole_answer())
        body = plan.request.body or b""
        answer = await self._settled(step, (), plan.request, Payload(body, len(body)), receive)
        return await plan.merged(answer)

    async def _payload(self, progress: Progress, receive: Receive) -> Payload:
        request, claim, found = progress.request, progress.claim, progress.route
        if request.body is not None:
            return Payload(request.body, len(request.body)) if request.body else EMPTY
        declared = claim.content_sha256 if claim is not None else None
        decoder = None
        if claim is not None and declared in sigv4.STREAMING_PAYLOADS:
            known = pipeline.known(self._runtime, claim, self._runtime.store.snapshot())
            if known is None or found is None:
                raise CommonError(Common.UNKNOWN_ACCESS_KEY)
            decoder = chunked.decoder(claim, known.secret_access_key)
        folder = str(self._runtime.settings.data)
        return await bodies.s3_object(request, receive, content_sha256=declared, decoder=decoder, folder=folder)

    def _record(self, step: Step, answer: Answer) -> None:
        """Step 10: the event, when the answer begins."""
        progress, operation = step.progress, step.asked.operation
        code, message = events.error_of(answer, operation.protocol)
        told = pipeline.outcome(
            self._runtime, progress, read_only=events.is_read_only(operation), code=code, message=message
        )
        self._runtime.store.record_event(event_of(told))

    def _headers(self, step: Step, answer: Answer) -> list[tuple[bytes, bytes]]:
        operation, request = step.asked.operation, step.progress.request
        protocol = operation.protocol if operation.protocol is not Protocol.EC2 else Protocol.QUERY
        added = [*answer.headers, *request_id_headers(protocol, operation.service, request.id)]
        if step.would_deny is not None:
            added.append((WOULD_DENY_HEADER, _header_value(step.would_deny.message)))
        if answer.whole is not None and request.method != "HEAD":
            length = str(len(answer.whole)).encode()
            fields = dict(added)
            if fields.get(b"content-length") != length or len(fields) != len(added):
                added = [pair for pair in added if pair[0] != b"content-length"]
                added.append((b"content-length", length))
        return added


class _Begun:
    """The client's channel, which knows whether the answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


def _note(progress: Progress, operation: Operation) -> None:
    """What the event says of the operation, whatever comes of it."""
    progress.management = events.is_management(operation)
    progress.source = events.source(operation)


def _streaming(request: HttpRequest, scope: str | None) -> route.Route | None:
    """The operation when its body is an object that streams; None while the body has to be read to know."""
    if request.method not in {"PUT", "POST"} or request.header(b"x-amz-target") is not None:
        return None
    named = host_of(request.header(b"host") or "").entries
    if named and not any(entry.name == "s3" for entry in named):
        return None
    found = route.operation_of(request, scope)
    return found if found.service == "s3" and found.operation.streaming_input else None


def _check_body(progress: Progress) -> None:
    """What S3's headers declare of a body that was read whole holds."""
    request, claim, found = progress.request, progress.claim, progress.route
    if request.body is None or found is None or found.service != "s3":
        return
    if claim is not None and claim.content_sha256 in sigv4.STREAMING_PAYLOADS:
        # SECURITY: such a body is signed chunk by chunk, and only objects are read so.
        words = "A header you provided implies functionality that is not implemented."
        raise CommonError(Common.NOT_IMPLEMENTED, words)
    if found.operation.name != "CompleteMultipartUpload":
        checksums.verify(request.headers, request.body)


def _read_large(found: route.Route, request: HttpRequest) -> Mapping[str, Any]:
    parameters = parse.parameters(found, request)
    validate.check_lengths(found.operation, parameters)
    return parameters


def _header_value(text: str) -> bytes:
    # SECURITY: what a client named a resource must not begin a header of its own.
    return "".join([character if character.isprintable() else "?" for character in text]).encode("ascii", "replace")


def _state(place: Place) -> str:
    embedded = place.backend.embedded
    if embedded is None:
        return "configured"
    return "running" if embedded.boot is not None else "starting"
