"""The way of one request to another service: the pipeline's first eight steps, then to its backend and back.

`Gateway._serve` is the steps in order. Whatever is refused before the last of them sends no byte to a backend.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from iamd import pipeline, sandbox
from iamd.arn import partition_of
from iamd.auth.identity import ANONYMOUS, TAKING_UNSIGNED, Identity
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.errors import AWSError, Common, CommonError
from iamd.federation.issuers import JWK
from iamd.gateway import (
    batch,
    browser_forms,
    buckets,
    cors,
    encryption_words,
    event_resources,
    events,
    handles,
    kept_by_arns,
    knowing,
    object_acls,
    passed_over,
    placing,
    reading,
    refused_entries,
    request_ids,
    role_usages,
    schedule_checks,
    subscriptions,
    user_pool_tokens,
)
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer, BackendBroke
from iamd.gateway.asking import NotToldError
from iamd.gateway.backend import Backend
from iamd.gateway.backends import Backends, Place
from iamd.gateway.configured import Configuring
from iamd.gateway.deciding import Decider, Step, owner, owners
from iamd.gateway.deliveries import Deliverer
from iamd.gateway.health import Health
from iamd.gateway.key_uses.checking import KeyUses
from iamd.gateway.key_uses.invocations import Variables
from iamd.gateway.ledger import Ledger
from iamd.gateway.notices import Publisher
from iamd.gateway.performing import Performer
from iamd.gateway.placer import Placer
from iamd.gateway.recording import Recording
from iamd.gateway.resources import Facts
from iamd.gateway.traits import of as traits_of
from iamd.gateway.user_pools import Home
from iamd.gateway.watch import ClientGone
from iamd.http import BrokenOff, Headers, HttpResponse
from iamd.notices import Notice
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of
from iamd.store.errors import Unavailable
from iamd.store.records import Role
from iamd.store.report_records import RoleUsage
from iamd.wire import parse, route
from iamd.wire.serialize import host_id, request_id_headers

log = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

WOULD_DENY_HEADER: Final = b"x-iamd-would-deny"
_COPIES: Final = frozenset({"CopyObject", "UploadPartCopy"})


class Gateway:
    """One server's way to its backends."""

    def __init__(self, runtime: Runtime, backends: Backends) -> None:
        self._runtime = runtime
        self._backends = backends
        self._health = Health()
        self._ledger = Ledger(runtime.store)
        self._decider = Decider(runtime)
        self._performer = Performer(runtime, self._decider, self._ledger, backends)
        self._key_uses = KeyUses(runtime, self._decider, self._ledger, backends)
        self._placer = Placer(runtime, backends)
        self._publisher = Publisher(runtime, backends, self._placer.facts_at)
        self._configuring = Configuring(runtime, backends, self._placer.facts_at)
        self._deliverer: Deliverer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def start(cls, runtime: Runtime) -> "Gateway":
        """A gateway to the backends of the settings; the embedded one begins to start, and requests to it wait."""
        gateway = cls(runtime, Backends(runtime.settings, is_owner=runtime.worker == 0))
        await kept_by_arns.settle(runtime.store)
        gateway._begin_backends()
        return gateway

    def _begin_backends(self) -> None:
        self._health.begin(self._backends.places)
        embedded = self._backends.embedded
        if embedded is not None:
            embedded.on_boot(self._forget)
            embedded.start()
            if self._runtime.worker == 0:
                self._deliverer = Deliverer(self._runtime, embedded)
                self._deliverer.begin()

    def _forget(self, boot: str) -> None:
        """What was known of the backend's last life is dropped when its next one begins."""
        if self._deliverer is not None:
            self._deliverer.forget_times()
        task = asyncio.get_running_loop().create_task(self._ledger.forget_others(boot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def health(self) -> dict[str, Any]:
        """The state of each backend."""
        return self._backends.states()

    def facts_of(self, service: str) -> Facts | None:
        """What is known of the resources of a service; None while its backend is not up, or when it has none."""
        try:
            return self._placer.facts_at(self._backends.of(service, region=self._runtime.settings.region))
        except CommonError:
            return None

    def backend_of(self, service: str, account: str, region: str) -> Backend:
        """The backend of a service for an account in a Region; refused when there is none."""
        return self._backends.of(service, account, region).backend

    def boot_of(self, service: str, account: str, region: str) -> str | None:
        """The life of the embedded backend that a service's resources are in; None where they are elsewhere."""
        try:
            embedded = self.backend_of(service, account, region).embedded
        except CommonError:
            return None
        return embedded.boot if embedded is not None else None

    def refused_topic(self, notice: Notice) -> str | None:
        """Why nothing can be published to a topic; None when it can be, or when there is no backend for topics."""
        return self._publisher.refusal(notice)

    async def role_usages(self, role: Role, account: str) -> tuple[RoleUsage, ...] | None:
        """The resources that an account's service-linked role is used for; None when a backend does not tell."""
        try:
            return await role_usages.usages(role, account, self._backends, self._runtime.clock.machine_timestamp())
        except NotToldError as error:
            log.warning("what the role %s is used for is not known: %s", role.role_name, error)
            return None

    async def check_variables(self, function: str, role_arn: str, key: str | None) -> None:
        """Refuse to run a function whose environment variables its execution role can't have decrypted."""
        variables = Variables(function, role_arn, key)
        account, region, _ = variables.place
        place = self._backends.of("lambda", account, region)
        facts = self._placer.facts_at(place)
        if facts is not None:
            await self._key_uses.check_variables(variables, place, facts)

    async def user_pool_keys(self, home: Home) -> Mapping[str, JWK]:
        """The public keys of a user pool by their ids."""
        return await user_pool_tokens.keys(home, self._backends, self._runtime.clock.machine_timestamp())

    async def user_codes(self, account: str, pool: str) -> list[dict[str, Any]] | None:
        """The codes that users of an account's user pool could use now; None where the embedded backend has none such.

        Unavailable while that does not answer.
        """
        embedded = self.embedded
        try:
            return await embedded.user_codes(account, pool) if embedded is not None else None
        except BackendDown as error:
            raise Unavailable("the backend does not answer") from error

    def notify(self, notices: list[Notice]) -> None:
        """Publish what iamd's own services have to tell, behind what is going on."""
        self._publisher.send(notices)

    @property
    def embedded(self) -> EmbeddedBackend | None:
        """The embedded backend, where there is one."""
        return self._backends.embedded

    async def reset(self) -> None:
        """Empty the embedded backend; a backend at a URL keeps what it has. Unavailable when it can't be emptied."""
        await kept_by_arns.settle(self._runtime.store)
        if self._runtime.functions is not None:
            await self._runtime.functions.reset()
        if self._backends.embedded is not None:
            try:
                await self._backends.embedded.reset()
            except BackendDown as error:
                raise Unavailable("the backend does not answer") from error
        if self._deliverer is not None:
            await self._deliverer.clear()

    async def close(self) -> None:
        """Publish what still waits, and end the functions that run, the embedded backend and every connection."""
        self._health.close()
        await self._publisher.close()
        if self._deliverer is not None:
            await self._deliverer.close()
        if self._runtime.functions is not None:
            await self._runtime.functions.close()
        await self._backends.close()

    async def serve(self, progress: Progress, receive: Receive, send: Send) -> HttpResponse | None:
        """Answer one request to another service, whose claim is read; it is answered and recorded once.

        Gives the answer when it is whole; what streams is sent. BrokenOff when an answer that had begun does not
        come to its end.
        """
        begun = _Begun(send)
        try:
            return await self._serve(progress, receive, begun)
        except (ClientGone, BackendBroke) as error:
            if not begun.begun:
                self._lost(progress)
            # Whoever went away themselves need not be told of.
            if isinstance(error, BackendBroke):
                _broken_off(progress, error)
                raise
            return None
        except AWSError as error:
            return await cors.refused(self._refused(progress, error, begun), begun.page)
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
            _broken_off(progress, error)
            raise BrokenOff(str(error)) from error
        return pipeline.refused(self._runtime, progress, error)

    async def _serve(self, progress: Progress, receive: Receive, send: "_Begun") -> HttpResponse | None:
        runtime, method = self._runtime, progress.request.method
        if method == "OPTIONS":
            asked_beforehand = cors.preflight_route(progress.request, progress.claim)
            if asked_beforehand is not None:
                return await self._preflight(progress, asked_beforehand)
        is_form = method == "POST" and browser_forms.is_one(progress)
        posted = await browser_forms.opened(progress, receive) if is_form else None
        if reading.may_have_body(progress.request):
            found = progress.route = await reading.read(progress, receive)
        else:
            found = progress.route = reading.read_without_body(progress)
        operation, traits = found.operation, traits_of(found.operation)
        progress.management, progress.source = traits.is_management, traits.source
        identity = progress.identity = pipeline.identified(runtime, progress, runtime.store.snapshot())
        if posted is not None:
            posted.check(progress, runtime.clock.machine_timestamp())
        reading.check_body(progress, found)
        if operation.name in _COPIES:
            progress.request = reading.with_plain_source(progress.request)
        if identity is ANONYMOUS and not (traits.is_for_users or operation.service in TAKING_UNSIGNED):
            raise CommonError(Common.MISSING_AUTHENTICATION)
        body = progress.request.body
        if body and len(body) > reading.LARGE_BODY:
            parameters = await reading.large_parameters_of(found, progress.request)
        else:
            parameters = parse.parameters(found, progress.request, True)
        if traits.is_batch:
            batch.check(parameters)
        progress.parameters = events.shown(operation, parameters)
        if runtime.vpc_endpoints is not None:
            self._note_endpoint(progress, parameters)
        placed = None if traits.is_for_users else self._placer.at_once(progress, found, parameters)
        place, asked, facts = placed or await self._placer.placed(progress, found, parameters)
        if operation.service == "s3":
            if b"origin" in progress.request.fields:
                send.page = cors.Page(posted.request if posted is not None else progress.request, place, asked, facts)
            if "Bucket" in asked.parameters:
                bucket = facts.bucket(f"arn:{partition_of(asked.region)}:s3:::{asked.parameters['Bucket']}")
                event_resources.note(progress, asked, facts, bucket.record)
                if identity is ANONYMOUS:
                    progress.recipient = progress.bucket_owner or None
                if "Key" in asked.parameters and object_acls.may_ask(asked, bucket):
                    facts = await object_acls.told(asked, identity, place.backend, facts)
        else:
            if identity is ANONYMOUS and subscriptions.may_be_open(operation):
                asked = await subscriptions.told(asked, place.backend)
            if operation.service in handles.SERVICES:
                asked = await handles.told(asked, place.backend, asked.now)
        step = await self._decided(progress, asked, place, facts, identity)
        self._check_place(step)
        if traits.is_checked_further:
            await self._check_further(step, identity)
        step.posted = posted
        recording = step.recording = Recording(runtime, progress, traits.is_read_only)
        answer = await self._performer.perform(step, identity, receive)
        if step.place.backend.embedded is not None and operation.protocol in request_ids.PROTOCOLS:
            number = progress.request.id
            answer = request_ids.told(answer, operation.protocol, number, host_id(number))
        if send.page is not None:
            answer = await cors.shared(answer, send.page)
        if traits.shows_keys and not (traits.shows_keys_by_headers and answer.is_for_all):
            answer = await self._key_uses.check_answer(step, identity, answer)
        # Step 10: the event, when the answer begins.
        code, message = events.error_of(answer, operation.protocol) if answer.status >= 400 else (None, None)
        for event in recording.events(code, message):
            runtime.store.record_event(event)
        headers, whole = self._headers(step, answer), answer.whole
        if whole is not None and method != "HEAD":
            return HttpResponse(answer.status, headers, whole)
        await answer.relay(send, receive, headers)
        return None

    async def _check_further(self, step: Step, identity: Identity) -> None:
        """What else may be refused of what the caller is allowed."""
        traits, embedded = step.traits, step.place.backend.embedded
        if traits.configures:
            self._configuring.check(step.asked, step.targets[0].arn, step.place)
        if traits.has_times and embedded is not None:
            schedule_checks.check(step.asked, self._runtime.clock.timestamp())
        if traits.says_encryption and not step.place.backend.rules.is_aws:
            encryption_words.check(step.asked)
        if traits.uses_keys and not (step.refused and refused_entries.is_empty(step.asked)):
            await self._key_uses.check(step, identity)
        if traits.may_be_passed_over and embedded is not None:
            passed_over.check(step.asked)

    async def _preflight(self, progress: Progress, found: route.Route) -> HttpResponse:
        """Answer a browser that asks whether a page of another origin may send a request; nobody signs that."""
        labels, operation = found.path_parameters, found.operation
        progress.route, progress.identity, progress.parameters = found, ANONYMOUS, labels
        progress.event_name, progress.management, progress.source = cors.EVENT, False, events.source(operation)
        wish, is_object = cors.preflight(progress.request), "Key" in labels
        place, asked, facts = await self._placer.placed(progress, found, labels)
        account = cors.owner_of(asked, facts)
        if account is None:
            raise cors.refusal(cors.NO_BUCKET, wish, is_object=is_object)
        headers = cors.told(await cors.rules_of(asked, place, account), wish, is_object=is_object)
        told = pipeline.outcome(self._runtime, progress, read_only=True)
        self._runtime.store.record_event(event_of(told))
        ids = request_id_headers(operation.protocol, operation.service, progress.request.id)
        return HttpResponse(200, [*headers, *ids], b"")

    def _note_endpoint(self, progress: Progress, parameters: Mapping[str, Any]) -> None:
        """Find out which VPC endpoint the request came through, if any."""
        found = progress.route
        if found is not None:
            service = found.operation.service
            region = buckets.region_of(service, parameters, self._runtime.store.snapshot())
            pipeline.note_endpoint(self._runtime, progress, service, region)

    def _check_place(self, step: Step) -> None:
        """Refuse what the backend does not hold."""
        place, asked = step.place, step.asked
        if self._backends.may_be_split and self._backends.is_split(asked.operation.service):
            step.is_split = True
            placing.check(step.targets, place, asked, self._backends, step.facts)
        if place.forgets or not (step.traits.is_special or step.traits.is_checked_further or step.traits.is_own):
            # What is simply sent there is looked at when it is.
            return
        for account in owners(step) if step.traits.may_be_parted else (owner(step),):
            place.backend.logins.check(asked.operation.service, account)

    async def _decided(self, progress: Progress, asked: Asked, place: Place, facts: Facts, identity: Identity) -> Step:
        """Steps 6 to 8; a denial that rests on tags or an ACL is decided again when the backend has told them."""
        notes = progress.notes
        try:
            step = self._decider.decide(progress, asked, place, facts, identity)
        except CommonError:
            known = await self._known(progress, asked, facts)
            if known is None:
                raise
        else:
            is_denied = step.would_deny is not None or step.refused
            known = await self._known(progress, asked, facts) if is_denied else None
            if known is None:
                return step
        progress.verdicts, progress.notes = (), notes
        return await self._decided(progress, asked, place, known, identity)

    async def _known(self, progress: Progress, asked: Asked, facts: Facts) -> Facts | None:
        """What is known when the backend has told what a denial rests on; None when there is nothing to ask for."""
        now = self._runtime.clock.machine_timestamp()
        return await knowing.told(progress.verdicts, asked, facts, self._backends, now)

    def _headers(self, step: Step, answer: Answer) -> Headers:
        """The headers of the answer; of what is whole the server tells the length."""
        operation, request = step.asked.operation, step.progress.request
        kept = answer.headers
        if not answer.is_for_all and answer.whole is not None and request.method != "HEAD":
            kept = [pair for pair in kept if pair[0] != b"content-length"]
        added = [*kept, *request_id_headers(operation.protocol, operation.service, request.id)]
        if step.would_deny is not None:
            added.append((WOULD_DENY_HEADER, _header_value(step.would_deny.message)))
        return sandbox.shown(request, added)


def _broken_off(progress: Progress, error: Exception) -> None:
    log.warning("the answer to request %s was broken off: %s", progress.request.id, error)


class _Begun(msgspec.Struct):
    """The client's channel, which knows whether the answer has begun, and what page it is for."""

    channel: Send
    begun: bool = False
    page: cors.Page | None = None

    def __call__(self, message: Message) -> Awaitable[None]:
        self.begun = True
        return self.channel(message)


def _header_value(text: str) -> bytes:
    # SECURITY: what a client named a resource must not begin a header of its own.
    return "".join([character if character.isprintable() else "?" for character in text]).encode("ascii", "replace")
