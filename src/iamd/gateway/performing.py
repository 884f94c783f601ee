"""What a decided request does: it goes to its backend, and the facts about resources keep in step with the answer."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec.structs import replace

from iamd import forwarded, pipeline, policy_places, service_sessions
from iamd.auth import chunked, credentials, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz.authorize import Denied, Verdict
from iamd.authz.target import Target
from iamd.backend.verdict import Origin
from iamd.backend.verdict import Verdict as Decided
from iamd.delivery import Forwarded
from iamd.errors import Common, CommonError
from iamd.gateway import (
    access_points,
    account_parts,
    api_policies,
    batch,
    bodies,
    bucket_abac,
    bucket_ownership,
    bucket_tags,
    copied_tags,
    deciding,
    effects,
    execution_roles,
    guarded_headers,
    identity_pools,
    instances,
    invocation,
    kept_policies,
    learned,
    making_roles,
    missing,
    object_acls,
    object_locks,
    placing,
    point_effects,
    policies,
    policy_validation,
    public_access,
    reached,
    refused_entries,
    resources,
    shared_buckets,
    shown_policies,
    user_sessions,
)
from iamd.gateway.actions import passed_roles
from iamd.gateway.answer import Answer
from iamd.gateway.backends import Backends
from iamd.gateway.bucket_tags import BucketTags
from iamd.gateway.deciding import Decider, Step
from iamd.gateway.forward import NothingDone, forward
from iamd.gateway.identities import Identities
from iamd.gateway.knowing import fully_known
from iamd.gateway.ledger import Entry, Ledger
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.own_answers import check_there
from iamd.gateway.payload import EMPTY, Payload
from iamd.gateway.resources import NoSuchBucket
from iamd.http import HttpRequest
from iamd.runtime import Functions, Runtime

Receive = Callable[[], Awaitable[Any]]


def _request(step: Step) -> HttpRequest:
    """The request as it is for the backend."""
    request = step.progress.request
    if step.traits.may_bypass:
        request = object_locks.forwarded(request, step.asked)
    if step.traits.has_session:
        request = user_sessions.opened(request, step.asked.parameters)
    if step.sealing is not None:
        written = step.sealing.written(request.headers, whole=step.place.backend.embedded is not None)
        request = replace(request, headers=written, fields={}, repeats_headers=False)
    return request if step.asked.through is None else access_points.rewritten(request, step.asked, _style(step))


def _told(step: Step, answer: Answer) -> Answer:
    """The answer as the client gets it."""
    if step.posted is not None:
        answer = step.posted.answered(answer)
    if step.traits.shows_policy:
        answer = shown_policies.shown(step.asked, step.targets[0].arn, answer, step.facts)
    return answer if step.asked.through is None else access_points.told(answer, step.asked, _style(step))


def _style(step: Step) -> str | None:
    """How the request names its bucket."""
    route = step.progress.route
    return route.style if route is not None else None


class Performer:
    """Sends what is decided to its backend, and keeps the ledger of what is known of resources."""

    def __init__(self, runtime: Runtime, decider: Decider, ledger: Ledger, backends: Backends) -> None:
        self._runtime = runtime
        self._decider = decider
        self._ledger = ledger
        self._backends = backends
        self._identities = Identities(runtime, backends, ledger)

    async def perform(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """The backend's answer, with the facts about resources kept in step with it."""
        if step.traits.is_special or step.refused:
            return await self._specially(step, identity, receive)
        request = _request(step)
        payload = EMPTY if request.body == b"" else await self._payload(step, request, receive)
        answer = _told(step, await self._answer(step, request, payload, receive))
        if step.traits.has_guarded_headers and not answer.is_for_all and guarded_headers.are_told(answer):
            answer = await self._guarded(step, identity, answer)
        if answer.status == 404 or step.first_uses:
            await self._finish(step, identity, answer)
        return answer

    async def _guarded(self, step: Step, identity: Identity, answer: Answer) -> Answer:
        """The answer without the headers that tell what the caller may not read; the request itself is allowed."""
        denied: set[str] = set()
        for action, target in guarded_headers.readers(step.asked, answer):
            try:
                await self._verdicts(step, identity, self._reached(step, identity, [target]))
            except Denied:
                if self._runtime.settings.enforce != "soft" or identity is ANONYMOUS:
                    denied.add(action)
        return guarded_headers.without(answer, denied) if denied else answer

    async def _finish(self, step: Step, identity: Identity, answer: Answer) -> None:
        """Do what an answer leads to; Denied when the caller may not be told that there is no such thing."""
        if answer.status == 404:
            await self._check_listing(step, identity, answer)
        if step.first_uses and answer.status < 300:
            await making_roles.make(self._runtime, step, identity)

    async def _specially(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """The answer to a request of which more is known or done than that it is sent to its backend."""
        traits, request = step.traits, _request(step)
        entries: Sequence[Entry] = ()
        if traits.is_batch:
            return await self._batched(step, identity, receive)
        if step.refused:
            if refused_entries.is_empty(step.asked):
                return refused_entries.own_answer(request, step.asked, step.refused)
            request = refused_entries.without(request, step.asked, step.refused)
        if traits.may_be_parted and len(deciding.owners(step)) > 1:
            return await self._parted(step, request, receive)
        if step.asked.operation.name == "CopyObject":
            await self._check(step, identity, await copied_tags.further(step, self._backends))
        if traits.invokes and step.place.backend.embedded is not None:
            return await self._invoked(step)
        if traits.reads_policy:
            own = policies.own_answer(step.asked, step.targets[0].arn, step.facts)
            if own is not None:
                return own
        is_held = traits.changes_function and step.place.backend.embedded is not None
        runs = self._runtime.functions if is_held else None
        if is_held:
            reached.check_polled(step.asked, runs=runs is not None)
        if runs is not None:
            await runs.check(step.asked)
            await self._check_role(step, runs)
        if traits.changes:
            entries = await self._begun(step)
        payload = EMPTY if request.body == b"" else await self._payload(step, request, receive)
        answering = partial(self._settled, step, entries, request, payload, receive)
        if traits.is_for_users and step.asked.operation.service == identity_pools.SERVICE:
            return await self._identities.answer(step, answering)
        answer = await answering()
        if step.refused:
            answer = await refused_entries.merged(answer, _request(step), step.asked, step.refused)
        if traits.has_session:
            answer = user_sessions.told(answer, step.asked.parameters)
        answer = _told(step, answer)
        await self._finish(step, identity, answer)
        if runs is not None:
            runs.changed(step.asked.operation.name, step.targets[0].arn)
        return answer

    async def _check_role(self, step: Step, runs: Functions) -> None:
        """Refuse what the function's execution role would have to be allowed and is not."""
        asked, view = step.asked, step.facts.view
        if self._runtime.settings.enforce == "soft" or not execution_roles.may_need(asked.operation.name):
            return
        if asked.operation.name == "UpdateEventSourceMapping":
            asked = await runs.mapped(asked)
        needed = execution_roles.needed(asked)
        name, role_arn = await runs.named_with_role(asked) if needed else ("", "")
        role = service_sessions.role_of(view, role_arn)
        for one in needed:
            if role is None:
                raise execution_roles.NotAllowed(one.refusal)
            session = credentials.session_now(*role, name, self._runtime.clock.seconds())
            identity = replace(session, invoked_by=execution_roles.SERVICE)
            try:
                await self._verdicts(step, identity, resources.decided([one.target], step.facts, session.account_id))
            except Denied as denied:
                # What is refused in these words is the role's to be allowed: the event tells what, and of whom.
                step.progress.verdicts = [*step.progress.verdicts, *denied.verdicts]
                raise execution_roles.NotAllowed(one.refusal) from denied

    async def _invoked(self, step: Step) -> Answer:
        """A function is run here: moto has none but a canned answer."""
        if self._runtime.functions is None:
            raise invocation.NotRun("iamd does not run Lambda functions here: the setting `functions` is off.")
        return await self._runtime.functions.invoke(invocation.of(step.asked, step.progress.request.id))

    async def _begun(self, step: Step) -> Sequence[Entry]:
        """What the request will do to the facts, in the ledger."""
        asked, target = step.asked, step.targets[0]
        changes = effects.of(asked, target.arn, step.facts)
        if not changes:
            return ()
        now = self._runtime.clock.seconds()
        owner, place = target.account or asked.account, step.place.name if step.is_split else None
        return await self._ledger.begin(changes, owner, step.facts.boot, now, place)

    async def _check_listing(self, step: Step, identity: Identity, answer: Answer) -> None:
        listing = missing.listing(step.asked, answer, step.facts)
        if listing is not None:
            await self._check(step, identity, [listing])

    async def _check(self, step: Step, identity: Identity, wanted: list[Target]) -> None:
        """What turns out to be needed after the request itself was allowed; Denied when it is not."""
        if wanted:
            targets = self._reached(step, identity, wanted)
            with suppress(Denied):
                await self._verdicts(step, identity, targets)
            self._decider.authorize(step, identity, targets)

    def _reached(self, step: Step, identity: Identity, wanted: list[Target]) -> Sequence[Target]:
        """What is wanted of resources, as it is decided: with the access points that it is asked through."""
        behind = resources.decided(wanted, step.facts, step.asked.account)
        return access_points.before(behind, step.asked, identity, step.facts)

    async def _verdicts(self, step: Step, identity: Identity, targets: Sequence[Target]) -> list[Verdict]:
        return await fully_known(step, identity, targets, self._decider, self._backends, self._runtime)

    async def _settled(
        self, step: Step, entries: Sequence[Entry], request: HttpRequest, payload: Payload, receive: Receive
    ) -> Answer:
        status = None
        try:
            answer = await self._answer(step, request, payload, receive)
            if step.traits.tells_instances:
                answer = await instances.whole(answer)
                now = self._runtime.clock.seconds()
                await self._ledger.learn_all(instances.of(step.asked, answer, step.facts, now))
            status = answer.status
            if step.traits.tells:
                await self._learn(step, answer)
            return answer
        except (BackendUnavailable, NothingDone, NoSuchBucket):
            # Nothing was done.
            status = 400
            raise
        finally:
            if entries:
                await self._ledger.settle(entries, status)
            if step.traits.tells_instances and (status is None or status >= 500):
                now = self._runtime.clock.seconds()
                await self._ledger.learn_all(instances.doubtful(step.asked, step.facts, now))

    async def _answer(self, step: Step, request: HttpRequest, payload: Payload, receive: Receive) -> Answer:
        asked, backend, now = step.asked, step.place.backend, self._runtime.clock.machine_timestamp()
        verdict = self._verdict(step)
        own = await self._own_answer(step, verdict.account_id, now) if step.traits.is_own else None
        if own is not None:
            return own
        answer = await forward(
            request,
            payload,
            backend,
            verdict,
            now,
            receive,
            passed_roles.mirrored(step.passed, step.facts.view) if step.passed else (),
            passed_roles.mirrored_profiles(asked, step.facts.view) if step.passed else (),
            step.recording.foresee if step.recording is not None else None,
        )
        if step.traits.makes_bucket and answer.status < 300 and not backend.rules.is_aws:
            await self._tag_new(step, answer, verdict.account_id, now)
        if step.traits.is_retold and answer.status == 200 and not backend.rules.is_aws:
            if shared_buckets.is_list(asked.operation):
                return await shared_buckets.own(answer, asked, step.facts, is_shared=backend.is_shared)
            bucket = policy_places.bucket_of(step.targets[0].arn)
            return object_acls.rewritten(answer, asked, bucket, verdict.account_id, step.facts)
        return answer

    async def _own_answer(self, step: Step, account: str, now: float) -> Answer | None:
        """What iamd answers in the backend's place; None when the request is to be forwarded."""
        asked, backend, arn = step.asked, step.place.backend, step.targets[0].arn
        status = point_effects.status_answer(asked, arn, step.facts)
        if status is not None:
            return status
        if bucket_abac.is_kept(asked.operation):
            await check_there(str(asked.parameters["Bucket"]), asked, backend, account, now)
            return bucket_abac.answer(asked, arn, step.facts)
        embedded, aws = backend.embedded is not None, backend.rules.is_aws
        if bucket_ownership.is_kept(asked, arn, step.facts, embedded=embedded, aws=aws):
            await check_there(str(asked.parameters["Bucket"]), asked, backend, account, now)
            return bucket_ownership.answer(asked, arn, account, step.facts)
        if public_access.may_be_kept(asked.operation) and not backend.rules.is_aws:
            if asked.operation.service == "s3":
                await check_there(str(asked.parameters["Bucket"]), asked, backend, account, now)
            return public_access.answer(asked, arn, step.facts)
        if bucket_tags.is_own(asked, arn):
            home = placing.of_bucket(arn, asked, self._backends, step.facts).backend
            return await BucketTags(arn, asked, home, account, now).answer()
        if embedded and identity_pools.may_be_kept(asked.operation):
            return identity_pools.answer(asked)
        if embedded and policy_validation.may_be_answered(asked.operation):
            identity = step.progress.identity or ANONYMOUS
            return await policy_validation.answer(asked, arn, identity, step.facts, backend, now)
        if kept_policies.is_kept(asked.operation, backend):
            return await kept_policies.answer(asked, backend, account, now)
        return None

    async def _tag_new(self, step: Step, answer: Answer, account: str, now: float) -> None:
        """Give a bucket that was made its tags; backends but AWS need not read them in CreateBucket."""
        arn = step.targets[0].arn
        tags = bucket_tags.of_new(step.asked, arn, step.facts)
        if tags is None:
            return
        try:
            await BucketTags(arn, step.asked, step.place.backend, account, now).set_on_new(tags)
        except CommonError:
            answer.close()
            raise

    async def _learn(self, step: Step, answer: Answer) -> None:
        if learned.may_tell(step.asked.operation):
            for record in learned.of(step.asked, answer, step.facts, self._runtime.clock.seconds()):
                await self._ledger.learn(record)
        for told in policies.all_told(step.asked, step.targets[0].arn, answer, step.facts):
            await self._ledger.reconcile(told, step.facts.boot)

    def _verdict(self, step: Step) -> Decided:
        asked, progress = step.asked, step.progress
        found, operation = progress.route, asked.operation
        if found is None:
            raise TypeError("no route")
        virtual = found.style == "virtual" and (asked.through is None or asked.through.bucket is None)
        verdict = Decided(
            operation.service,
            operation.name,
            str(operation.protocol),
            step.owner or deciding.owner(step),
            asked.region,
            progress.request.fields.get(b"host", b"localhost").decode("latin-1"),
            asked.parameters.get("Bucket") if virtual else None,
        )
        return self._told_further(step, verdict) if step.traits.is_told_further or step.acl is not None else verdict

    def _told_further(self, step: Step, verdict: Decided) -> Decided:
        """The verdict with what the backend is told for what it does later, or of others."""
        asked, traits = step.asked, step.traits
        return replace(
            verdict,
            origin=_origin(step, self._runtime.clock.timestamp()) if traits.notifies else None,
            caller=self._carried(step) if traits.carries_caller else None,
            acl=step.acl if step.place.backend.embedded is not None else None,
            reached=reached.of(asked, step.targets) if traits.reaches else (),
            principals=self._principals(step) if traits.sets_api_policy else (),
        )

    def _principals(self, step: Step) -> tuple[str, ...]:
        """Whom the policy of a REST API names, for the embedded backend, whose APIs iamd decides on."""
        if step.place.backend.embedded is None:
            return ()
        return api_policies.principals(step.asked, step.facts.view)

    def _carried(self, step: Step) -> Forwarded | None:
        """The caller, for what the embedded backend's service does with its permissions later."""
        identity = step.progress.identity
        if identity is None or step.place.backend.embedded is None:
            return None
        return forwarded.of(identity, self._runtime.keyring)

    async def _batched(self, step: Step, identity: Identity, receive: Receive) -> Answer:
        """DeleteObjects: each key by itself; it goes on without the denied ones, which come back as entries."""
        allowed, refused = [], []
        for index, target in enumerate(step.targets):
            try:
                wanted = access_points.before(batch.with_bypass(step.asked, target), step.asked, identity, step.facts)
                verdicts = await self._verdicts(step, identity, wanted)
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
        plan = batch.plan(_request(step), step.asked, allowed, refused)
        if plan.request is None:
            return Answer(200, [(b"content-type", b"application/xml")], plan.whole_answer())
        body = plan.request.body or b""
        answer = await self._settled(step, (), plan.request, Payload(body, len(body)), receive)
        return await plan.merged(answer)

    async def _parted(self, step: Step, request: HttpRequest, receive: Receive) -> Answer:
        """A batch for resources of several accounts: each part is done in its own."""
        done: list[tuple[account_parts.Part, Answer]] = []
        for part in account_parts.parts(request, step.asked, step.targets):
            body = part.request.body or b""
            alone = replace(step, owner=part.account, recording=None if done else step.recording)
            answer = await self._settled(alone, (), part.request, Payload(body, len(body)), receive)
            content = b"".join([piece async for piece in answer])
            done.append((part, Answer(answer.status, answer.headers, content)))
        return account_parts.merged(step.asked, done)

    async def _payload(self, step: Step, request: HttpRequest, receive: Receive) -> Payload:
        claim, found = step.progress.claim, step.progress.route
        if step.posted is not None:
            return await step.posted.payload(request, str(self._runtime.settings.data))
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


def _origin(step: Step, now: float) -> Origin:
    progress = step.progress
    identity = progress.identity or ANONYMOUS
    service = identity.service.name if identity.service is not None else identity.invoked_by or ""
    form = "form" if step.posted is not None else ""
    return Origin(
        progress.request.id, identity.asks_in, identity.user_id, progress.request.source_ip, str(now), service, form
    )
