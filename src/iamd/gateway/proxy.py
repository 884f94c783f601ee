"""The way of one request to another service: the pipeline's first eight steps, then to its backend and back.

`Gateway._serve` is the steps in order. Whatever is refused before the last of them sends no byte to a backend.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from iamd import pipeline
from iamd.arn import REGION
from iamd.auth import checksums, chunked, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz.authorize import Denied
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.backend.verdict import Verdict as Decided
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import (
    batch,
    bodies,
    deciding,
    effects,
    events,
    handles,
    instances,
    learned,
    missing,
    policies,
    resource_tags,
    resources,
)
from iamd.gateway.actions import passed_roles
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer, BackendBroke
from iamd.gateway.backend import Backend
from iamd.gateway.backends import Backends, Place
from iamd.gateway.body_limits import largest_body
from iamd.gateway.cloudformation import effects as stack_effects
from iamd.gateway.deciding import Decider, Step
from iamd.gateway.forward import BackendUnavailable, forward
from iamd.gateway.ledger import Entry, Ledger
from iamd.gateway.payload import EMPTY, Payload
from iamd.gateway.resources import Facts
from iamd.gateway.traits import of as traits_of
from iamd.gateway.watch import ClientGone
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of
from iamd.store.errors import Unavailable
from iamd.wire import parse, route, validate
from iamd.wire.catalog import CATALOG
from iamd.wire.hosts import host_of
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

    def facts_of(self, service: str) -> Facts | None:
        """What is known of the resources of a service; None while its backend is not up, or when it has none."""
        try:
            place = self._backends.of(service)
        except CommonError:
            return None
        embedded = place.backend.embedded
        if embedded is not None and embedded.boot is None:
            return None
        boot = embedded.boot if embedded is not None else None
        return Facts(self._runtime.store.snapshot(), boot, place.account, embedded is not None)

    def backend_of(self, service: str) -> Backend:
        """The backend of a service; refused when there is none."""
        return self._backends.of(service).backend

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

    async def serve(self, progress: Progress, receive: Receive, send: Send) -> HttpResponse | None:
        """Answer one request to another service, whose claim is read; it is answered and recorded once.

        Gives the answer when it is whole; what streams is sent.
        """
        begun = _Begun(send)
        try:
            return await self._serve(progress, receive, begun)
        except (ClientGone, BackendBroke) as error:
            if not begun.begun:
                self._lost(progress)
            # Whoever went away themselves need not be told of.
            if isinstance(error, BackendBroke):
                raise
            return None
        except AWSError as error:
            return self._refused(progress, error, begun)
        except Unavailable as error:
            return self._refused(progress, pipeline.unavailable(error), begun)
        except Exception:
            log.exception("request %s failed", progress.request.id)
            return self._refused(progress, CommonError(Common.INTERNAL), begun)

    def _lost(self, progress: Progress) -> None:
        pipeline.refused(self._runtime, progress, CommonError(Common.UNAVAILABLE, "The client closed its connection."))

    def _refused(self, progress: Progress, error: AWSError, begun: "_Begun") -> HttpResponse:
        if begun.begun:
            # The event and the head of the answer are out: all that is left is to break off, so that nobody takes
            # what came for whole.
            raise ConnectionError(str(error)) from error
        return pipeline.refused(self._runtime, progress, error)

    async def _serve(self, progress: Progress, receive: Receive, send: "_Begun") -> HttpResponse | None:
        runtime = self._runtime
        found = progress.route = await self._read(progress, receive)
        operation, traits = found.operation, traits_of(found.operation)
        progress.management, progress.source = traits.is_management, traits.source
        identity = progress.identity = pipeline.identified(runtime, progress, runtime.store.snapshot())
        _check_body(progress, found)
        if identity is ANONYMOUS and operation.service not in _ANONYMOUS_SERVICES:
            raise CommonError(Common.MISSING_AUTHENTICATION)
        place = self._backends.of(operation.service)
        embedded = place.backend.embedded
        boot = await _boot(embedded) if embedded is not None else None
        facts = Facts(runtime.store.snapshot(), boot, place.account, embedded is not None)
        parameters = await _parameters(found, progress.request)
        progress.parameters = events.shown(operation, parameters)
        asked = self._asked(progress, facts, found, parameters)
        if operation.service in handles.SERVICES:
            asked = await handles.told(asked, place.backend, asked.now)
        step = await self._decided(progress, asked, place, facts, identity)
        answer = await self._forwarded(step, identity, receive)
        self._record(step, answer)
        headers, whole = self._headers(step, answer), answer.whole
        if whole is not None and progress.request.method != "HEAD":
            return HttpResponse(answer.status, headers, whole)
        await answer.relay(send, receive, headers)
        return None

    async def _read(self, progress: Progress, receive: Receive) -> route.Route:
        """Steps 1 and 2: whose signature, which operation; the body is read unless it is an object's."""
        request, claim = progress.request, progress.claim
        scope = claim.service if claim is not None else None
        may_stream, largest = _bodies_of(scope)
        if may_stream and request.method in {"PUT", "POST"}:
            found = _streaming(request, scope)
            if found is not None:
                return found
        body = await bodies.whole(request, receive, largest) if bodies.has_body(request) else b""
        request = progress.request = request.with_body(body)
        return route.operation_of(request, scope)

    def _asked(self, progress: Progress, facts: Facts, found: route.Route, parameters: Mapping[str, Any]) -> Asked:
        """Where the parameters are asked."""
        claim, identity = progress.claim, progress.identity or ANONYMOUS
        region = claim.region if claim is not None else self._runtime.settings.region
        if not REGION.fullmatch(region):
            raise CommonError(Common.SIGNATURE_MISMATCH, "Credential should be scoped to a valid region. ")
        now = self._runtime.clock.machine_timestamp()
        return Asked(found.operation, parameters, identity.account_id, region, claim, now, facts.known, facts.named)

    async def _decided(self, progress: Progress, asked: Asked, place: Place, facts: Facts, identity: Identity) -> Step:
        """Steps 6 to 8; a denial that rests on tags is decided again when the backend has told them."""
        refusal: CommonError | None = None
        step: Step | None = None
        notes = progress.notes
        try:
            step = await self._decide(progress, asked, place, facts, identity)
        except CommonError as error:
            refusal = error
        known = await self._told_tags(progress, asked, facts) if step is None or step.would_deny is not None else None
        if known is not None:
            progress.verdicts, progress.notes = (), notes
            return await self._decided(progress, asked, place, known, identity)
        if step is None:
            raise refusal or TypeError("neither decided nor refused")
        return step

    async def _decide(self, progress: Progress, asked: Asked, place: Place, facts: Facts, identity: Identity) -> Step:
        if traits_of(asked.operation).is_work:
            # A template takes long to read, and others are not to wait for it.
            return await asyncio.to_thread(self._decider.decide, progress, asked, place, facts, identity)
        return self._decider.decide(progress, asked, place, facts, identity)

    async def _told_tags(self, progress: Progress, asked: Asked, facts: Facts) -> Facts | None:
        """The facts with the tags that the last denial rests on; None when it rests on none that can be known."""
        verdict = resource_tags.missed(progress.verdicts, facts.tags)
        if verdict is None:
            return None
        now = self._runtime.clock.machine_timestamp()
        tags = await resource_tags.of(verdict, asked, self._backends, now)
        return facts.with_tags(verdict.request.resource, tags) if tags is not None else None

    async def _forwarded(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """The backend's answer, with the facts about resources kept in step with it."""
        traits, request = step.traits, step.progress.request
        entries: Sequence[Entry] = ()
        if traits.is_batch:
            return await self._batched(step, identity, receive)
        if traits.reads_policy:
            own = policies.own_answer(step.asked, step.targets[0].arn, step.facts)
            if own is not None:
                return own
        if traits.changes:
            entries = await self._begun(step)
        payload = EMPTY if request.body == b"" else await self._payload(step.progress, receive)
        answer = await self._settled(step, entries, request, payload, receive)
        if answer.status == 404:
            self._check_listing(step, identity, answer)
        return answer

    async def _begun(self, step: Step) -> Sequence[Entry]:
        """What the request will do to the facts, in the ledger."""
        asked, target = step.asked, step.targets[0]
        changes = [*effects.of(asked, target.arn, step.facts), *stack_effects.of(step)]
        if not changes:
            return ()
        now = self._runtime.clock.seconds()
        return await self._ledger.begin(changes, target.account or asked.account, step.facts.boot, now)

    def _check_listing(self, step: Step, identity: Identity, answer: Answer) -> None:
        listing = missing.listing(step.asked, answer, step.facts)
        if listing is not None:
            self._decider.authorize(step, identity, resources.decided([listing], step.facts, step.asked.account))

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
                roles=passed_roles.mirrored(step.passed, step.facts.view) if step.passed else (),
                profiles=passed_roles.mirrored_profiles(step.asked, step.facts.view) if step.passed else (),
            )
            if step.traits.tells_instances:
                answer = await instances.whole(answer)
                now = self._runtime.clock.seconds()
                await self._ledger.learn_all(instances.of(step.asked, answer, step.facts, now))
            status = answer.status
            if step.traits.tells:
                await self._learn(step, answer)
            return answer
        except BackendUnavailable:
            # Nothing was sent.
            status = 400
            raise
        finally:
            if entries:
                await self._ledger.settle(entries, status)
            if step.traits.tells_instances and (status is None or status >= 500):
                now = self._runtime.clock.seconds()
                await self._ledger.learn_all(instances.doubtful(step.asked, step.facts, now))

    async def _learn(self, step: Step, answer: Answer) -> None:
        if learned.may_tell(step.asked.operation):
            for record in learned.of(step.asked, answer, step.facts, self._runtime.clock.seconds()):
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
            host=progress.request.fields.get(b"host", b"localhost").decode("latin-1"),
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
            return Payload(request.body, len(request.body))
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
        told = pipeline.outcome(self._runtime, progress, read_only=step.traits.is_read_only, code=code, message=message)
        self._runtime.store.record_event(event_of(told))

    def _headers(self, step: Step, answer: Answer) -> list[tuple[bytes, bytes]]:
        """The headers of the answer; of what is whole the server tells the length."""
        operation, request = step.asked.operation, step.progress.request
        kept = answer.headers
        if answer.whole is not None and request.method != "HEAD":
            kept = [pair for pair in kept if pair[0] != b"content-length"]
        added = [*kept, *request_id_headers(operation.protocol, operation.service, request.id)]
        if step.would_deny is not None:
            added.append((WOULD_DENY_HEADER, _header_value(step.would_deny.message)))
        return added


class _Begun:
    """The client's channel, which knows whether the answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    def __call__(self, message: Message) -> Awaitable[None]:
        self.begun = True
        return self._send(message)


@lru_cache(maxsize=1024)
def _bodies_of(scope: str | None) -> tuple[bool, int]:
    """Whether bodies of requests signed for this service may be objects that stream, and the longest that is read."""
    entries = CATALOG.scoped(scope) if scope is not None else ()
    may_stream = scope is None or any(entry.name == "s3" for entry in entries)
    return may_stream, largest_body(entries[0].name if entries else "s3")


def _streaming(request: HttpRequest, scope: str | None) -> route.Route | None:
    """The operation when its body is an object that streams; None while the body has to be read to know."""
    if request.header(b"x-amz-target") is not None:
        return None
    named = host_of(request.header(b"host") or "").entries
    if named and not any(entry.name == "s3" for entry in named):
        return None
    found = route.operation_of(request, scope)
    return found if found.service == "s3" and found.operation.streaming_input else None


async def _boot(embedded: EmbeddedBackend) -> str:
    """The boot of a backend that forgets; it has to be up, as its boot says which facts about its resources count."""
    try:
        return embedded.boot or await embedded.ready()
    except BackendDown as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend is not available.") from error


async def _parameters(found: route.Route, request: HttpRequest) -> Mapping[str, Any]:
    """Step 5: the parameters; a large body is read beside the loop, so that others don't wait for it."""
    if request.body and len(request.body) > LARGE_BODY:
        parameters = await asyncio.to_thread(_read_large, found, request)
    else:
        parameters = parse.parameters(found, request)
    batch.check(found.operation, parameters)
    return parameters


def _check_body(progress: Progress, found: route.Route) -> None:
    """What S3's headers declare of a body that was read whole holds."""
    request, claim, operation = progress.request, progress.claim, found.operation
    if request.body is None or operation.service != "s3":
        return
    if claim is not None and claim.content_sha256 in sigv4.STREAMING_PAYLOADS:
        # SECURITY: such a body is signed chunk by chunk, and only objects are read so.
        words = "A header you provided implies functionality that is not implemented."
        raise CommonError(Common.NOT_IMPLEMENTED, words)
    if operation.name != "CompleteMultipartUpload":
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
