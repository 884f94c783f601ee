"""The way of one signed request to iamd's own services, top to bottom: read this first.

`serve` is the ten steps in order; the gateway (`gateway/proxy.py`) shares those up to the decision.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd import ids
from iamd.auth import credentials, sigv4
from iamd.auth.claim import Claim, Scope
from iamd.auth.credentials import Credentials
from iamd.auth.identity import ANONYMOUS, Identity, Service, of_service
from iamd.authz import context, vpc_endpoints
from iamd.authz.authorize import Denied, Verdict, authorize
from iamd.authz.regions import region_of
from iamd.call import Call
from iamd.complaints import Complaints
from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpRequest, HttpResponse
from iamd.notices import Notice
from iamd.policy.request import PrincipalKind
from iamd.runtime import Runtime
from iamd.services import registry, session_limits
from iamd.services.cloudtrail.events import Outcome, event_of, events_of
from iamd.services.registry import Authenticate, Registered, Target
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.errors import Unavailable
from iamd.store.log import Use
from iamd.store.records import AccessKey, Role
from iamd.wire import faults, parse, route, serialize, validate
from iamd.wire.catalog import CATALOG
from iamd.wire.models import Operation, to_snake
from iamd.wire.route import Dialect, Route

log = logging.getLogger(__name__)
complaints = Complaints(log, "")

# SIG-04. AWS: how far off a signature's date may be is each service's own, and its refusals name it. Clients report
# "15 min." of IAM (aws/chalice 1170), STS (aws/aws-cli 6676), SNS (aws/aws-sdk-go 884) and SQS (celery/kombu 1937), and
# "5 min." of other Query services too: CloudFormation (hashicorp/terraform 9571), CloudWatch (aws/aws-sdk-js-v3 5192),
# Auto Scaling (aws/aws-parallelcluster 2055), Elastic Load Balancing (aws/aws-sdk-js 142).
WINDOWS = dict.fromkeys(("iam", "s3", "sns", "sqs", "sts"), 900.0)
DEFAULT_WINDOW = 300.0

NAMED_OTHERWISE = frozenset({"sso"})
"""Services whose events have their own name, and not the one that requests to them are signed for."""

READING = ("Get", "List", "Describe", "Lookup")

SHORT_PAGE: Final = 100
"""Pages that may hold more are made outside the event loop."""

# Few at a time: each more would make those who wait for the interpreter wait for a turn longer.
_long_reads = ThreadPoolExecutor(2, "iamd-long-reads")


class Via(msgspec.Struct, frozen=True):
    """A service that makes a request: with its caller's own permissions, or in a session of a role that it has.

    `resource` is that of the service for which it asks, such as a stack.
    """

    service: str
    as_caller: bool
    resource: str | None = None

    def seen(self, identity: Identity) -> Identity:
        """The caller as decisions and events have it."""
        called_via = (self.service,) if self.as_caller else ()
        return replace(identity, invoked_by=self.service, called_via=called_via)


class Progress(msgspec.Struct):
    """What is known of a request so far: what its event and its error are made of when a step refuses it."""

    request: HttpRequest
    claim: Claim | None = None
    route: Route | None = None
    identity: Identity | None = None
    parameters: Mapping[str, Any] = {}
    verdicts: Sequence[Verdict] = ()
    notes: Mapping[str, Any] = {}
    view: Snapshot | None = None
    management: bool = True
    """Whether the event is a management event; the gateway's data operations are not."""
    source: str | None = None
    """The event's source where it is not the service's name."""
    region: str | None = None
    """The region that the request is made to, once it is known."""
    via: Via | None = None
    """The service that makes the request for the caller who signed it."""
    service: Service | None = None
    """The service that makes the request for itself, within this process: its signature is nobody's."""
    event_name: str | None = None
    """The event's name where it is not the operation's."""
    recipient: str | None = None
    """The account whose event it is, where that is not the caller's."""
    bucket_owner: str | None = None
    """The account whose bucket it names, empty where that is not known; None where it names none."""

    def seen(self, identity: Identity) -> Identity:
        """The caller with the service that makes the request, where one does."""
        return identity if self.via is None else self.via.seen(identity)


def serve(runtime: Runtime, progress: Progress) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
    """Answer a request to one of iamd's own services, at once or, what writes, when it is durable.

    Whatever happens, it is answered and recorded.
    """
    try:
        return _answer(runtime, progress)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is answered)
        return _failed(runtime, progress, error)


def _failed(runtime: Runtime, progress: Progress, error: Exception) -> HttpResponse:
    if isinstance(error, AWSError):
        return refused(runtime, progress, error)
    if isinstance(error, Unavailable):
        return refused(runtime, progress, unavailable(error))
    log.error("request %s failed", progress.request.id, exc_info=error)
    return refused(runtime, progress, CommonError(Common.INTERNAL))


def unavailable(error: Unavailable) -> CommonError:
    """What a caller is told of the store's trouble, which the log tells the operator."""
    complaints.tell(f"requests are refused: {error}")
    return CommonError(Common.UNAVAILABLE)


def _answer(runtime: Runtime, progress: Progress) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
    request = progress.request
    # Without a claim there is no signature, or one that is refused in so many words.
    claim = progress.claim = progress.claim or sigv4.claim(request)
    found_route = progress.route = route.operation_of(request, claim.service if claim is not None else None)
    operation = found_route.operation
    if runtime.vpc_endpoints is not None:
        note_endpoint(runtime, progress, operation.service)
    snapshot = runtime.store.snapshot()
    identity = progress.identity = identified(runtime, progress, snapshot)
    if identity is ANONYMOUS and not operation.unsigned:
        raise CommonError(Common.MISSING_AUTHENTICATION)
    session_limits.check(identity, operation)
    parameters = progress.parameters = parse.parameters(found_route, request)
    _check(found_route, parameters)
    registered = registry.find(operation.service, operation.name)
    work = Work(runtime, progress, operation, registered, identity, arguments(parameters))
    if registered.writes or registered.prepare is not None or registered.authenticate is not None:
        return _later(work, snapshot)
    if registered.is_long or parameters.get("MaxItems", 0) > SHORT_PAGE:
        return _apart(work, snapshot)
    return _read(work, snapshot)


def _read(work: "Work", snapshot: Snapshot) -> HttpResponse:
    return _response(work, work.read(snapshot) or {})


def _response(work: "Work", result: Mapping[str, Any]) -> HttpResponse:
    request = work.progress.request
    in_json = serialize.wants_json(work.operation.service, request)
    return serialize.response(work.operation, result, request.id, in_json=in_json)


async def _apart(work: "Work", snapshot: Snapshot) -> HttpResponse:
    """Read and write down what is long where it holds up nobody for longer than threads take turns."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_long_reads, _read, work, snapshot)
    except Exception as error:  # noqa: BLE001 (as in `serve`)
        return _failed(work.runtime, work.progress, error)


def _check(found: Route, parameters: Mapping[str, Any]) -> None:
    """Parameters keep the model's constraints; those of a form that is remembered are checked once."""
    remembered = found.remembered
    if remembered is not None and remembered.is_valid:
        return
    validate.validate(found.operation, parameters)
    if remembered is not None and remembered.parameters is not None:
        remembered.is_valid = True


async def _later(work: "Work", snapshot: Snapshot) -> HttpResponse:
    try:
        if work.registered.authenticate is not None:
            await work.authenticate(work.registered.authenticate, snapshot)
        result = await (work.write() if work.registered.writes else work.read_prepared())
        return _response(work, result or {})
    except Exception as error:  # noqa: BLE001 (as in `serve`)
        return _failed(work.runtime, work.progress, error)


def note_endpoint(runtime: Runtime, progress: Progress, service: str, region: str | None = None) -> None:
    """Find out which VPC endpoint a request came through, if any, to a service in a Region, its signature's by default.

    AWS: what a service asks for somebody has left the endpoint behind (IAM User Guide, aws:SourceVpce: it "is not
    preserved").
    """
    endpoints = runtime.vpc_endpoints
    if endpoints is None or progress.via is not None or progress.service is not None:
        return
    asked_in = region or _region(runtime, progress.claim, service)
    found = endpoints.of(progress.request, service, asked_in, runtime.facts_of_ec2)
    if found is not None:
        progress.request = replace(progress.request, vpc_endpoint=found)


def identified(runtime: Runtime, progress: Progress, snapshot: Snapshot) -> Identity:
    """The caller, its signature checked; a request without one is anonymous."""
    if progress.service is not None:
        return of_service(progress.service)
    claim, request = progress.claim, progress.request
    if claim is None:
        return ANONYMOUS
    clock, scope = runtime.clock, claim.scope
    now = clock.seconds()
    found = credentials.identify(scope.access_key_id, claim.session_token, snapshot, runtime.keyring, now)
    window = WINDOWS.get(scope.service, DEFAULT_WINDOW)
    machine_now = clock.machine_timestamp()
    if found is None:
        raise sigv4.check_unknown_key(claim, request, machine_now, window)
    may_be_unsigned = True if progress.route is not None and progress.route.operation.unsigned_body else None
    sigv4.check(claim, request, found.secret_access_key, machine_now, window, None, may_be_unsigned)
    note_use(runtime, found.identity, scope, now)
    return found.identity if progress.via is None else progress.seen(found.identity)


def note_use(runtime: Runtime, identity: Identity, scope: Scope, now: int) -> None:
    """Remember that a key, or a role by one of its sessions, was used now."""
    if identity.session is None:
        kind, key = AccessKey.kind, identity.access_key_id
    elif identity.kind is PrincipalKind.ROLE_SESSION:
        kind, key = Role.kind, identity.entity_id
    else:
        return
    # A scope names one Region and service.
    if key is not None and not runtime.store.has_noted(key, scope, now):
        used = Use(now, region_of(scope.service, scope.region or runtime.settings.region), scope.service)
        runtime.store.note_use(identity.account_id, kind, key, used)


def known(runtime: Runtime, claim: Claim, snapshot: Snapshot) -> Credentials | None:
    """The credentials that a claim names, unverified yet."""
    now = runtime.clock.seconds()
    return credentials.identify(claim.access_key_id, claim.session_token, snapshot, runtime.keyring, now)


def arguments(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's parameters as its function takes them: `user_name` for `UserName`."""
    return dict(zip(_snakes(tuple(parameters)), parameters.values(), strict=True)) if parameters else {}


@lru_cache(maxsize=1024)
def _snakes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of parameters as functions have them; most clients send the same ones each time."""
    return tuple(map(to_snake, names))


class Work(msgspec.Struct):
    """Steps 6 to 10 for one operation: what it touches, the decision, the work itself, its event."""

    runtime: Runtime
    progress: Progress
    operation: Operation
    registered: Registered
    identity: Identity
    arguments: Mapping[str, Any]
    notices: list[Notice] = []
    """What the operation has to tell when it is durable."""

    async def authenticate(self, authenticate: Authenticate, snapshot: Snapshot) -> None:
        """Let the operation tell who calls: nobody signs AssumeRoleWithSAML, the assertion is the proof."""
        self.identity = self.progress.identity = await authenticate(self._call(snapshot), **self.arguments)

    def read(self, snapshot: Snapshot, prepared: Any = None) -> Mapping[str, Any] | None:
        """Decide and run a reading operation where the request is, on the snapshot."""
        call = self._call(snapshot, prepared)
        self._decide(call)
        result = self.registered.function(call, **self.arguments)
        for event in events_of(self._outcome(call, result)):
            self.runtime.store.record_event(event)
        return result

    async def read_prepared(self) -> Mapping[str, Any] | None:
        """The same, of an operation with a slow part, on the snapshot of after that."""
        prepared = await self._prepared()
        return self.read(self.runtime.store.snapshot(), prepared)

    async def write(self) -> Mapping[str, Any] | None:
        """Decide and run a writing operation in the store's writer thread, on the newest state, with its event."""
        prepared = await self._prepared() if self.registered.prepare is not None else None
        written = await self.runtime.store.written(lambda change: self._write(change, prepared))
        if isinstance(written, AWSError):
            raise written
        self.runtime.notify(self.notices)
        return written

    async def _prepared(self) -> Any:
        """The value of the operation's slow part, done where it holds up no other request."""
        prepare = self.registered.prepare
        if prepare is None:
            return None
        if not inspect.iscoroutinefunction(prepare):
            return await asyncio.to_thread(self._prepare, prepare)
        waiting = self._prepare(prepare)
        return await waiting

    def _prepare(self, prepare: Callable[..., Any]) -> Any:
        """Do the slow part of an operation before the lock; nobody who may not run it makes us do it."""
        call = self._call(self.runtime.store.snapshot())
        self._decide(call)
        return prepare(call, **self.arguments)

    def _write(self, change: Change, prepared: Any) -> Mapping[str, Any] | AWSError | None:
        try:
            return self._written(change, prepared)
        except AWSError as error:
            # SECURITY: nothing that the operation wrote stays, but a code that it used stays used.
            change.discard()
            return error

    def _written(self, change: Change, prepared: Any) -> Mapping[str, Any] | None:
        # SECURITY: the caller is looked up again in the state that is written to: a key deleted since is refused.
        self._still_known(change)
        call = self._call(change, prepared)
        self._decide(call)
        result = self.registered.function(call, **self.arguments)
        for event in events_of(self._outcome(call, result)):
            change.record_event(event)
        self.notices = call.notices
        return result

    def _still_known(self, change: Change) -> None:
        claim = self.progress.claim
        if claim is None or self.registered.authenticate is not None:
            return
        now = self.runtime.clock.seconds()
        found = credentials.identify(claim.access_key_id, claim.session_token, change, self.runtime.keyring, now)
        if found is None:
            raise CommonError(Common.UNKNOWN_ACCESS_KEY, "The security token included in the request is invalid.")
        self.identity = self.progress.identity = self.progress.seen(found.identity)

    def _call(self, view: Snapshot | Change, prepared: Any = None) -> Call:
        runtime, progress, registered = self.runtime, self.progress, self.registered
        # An event names the statements that decided: they stand in the state before the operation changed it.
        progress.view = view.base if isinstance(view, Change) else view
        if progress.region is None:
            progress.region = _region(runtime, progress.claim, registered.service)
        clock = runtime.clock
        # By their order: the interpreter makes a dict of so many names at each call.
        return Call(
            self.identity,
            progress.request,
            registered.service,
            registered.name,
            progress.region,
            clock.seconds(),
            clock,
            runtime.keyring,
            runtime.store,
            runtime.issuers,
            runtime.settings.issuer_url,
            runtime.settings.workload_session_seconds,
            view,
            runtime.metadata_endpoint,
            runtime.refused_topic,
            runtime.role_usages,
            runtime.user_codes,
            runtime.stacks,
            progress.via.resource if progress.via is not None else None,
            runtime.vpc_endpoint,
            prepared,
        )

    def _decide(self, call: Call) -> None:
        if self.identity is ANONYMOUS:
            raise CommonError(Common.MISSING_AUTHENTICATION)
        progress, now = self.progress, call.now
        targets = self.registered.on(call, **self.arguments)
        try:
            progress.verdicts = authorize(
                self.identity,
                call.view,
                f"{call.service}:{self.operation.name}",
                [targets] if isinstance(targets, Target) else targets,
                lambda: {
                    **context.of_request(
                        call.request, call.region, now, by_service=self.identity.invoked_by is not None
                    ),
                    **context.of_tags(progress.parameters),
                },
                now,
                endpoint=vpc_endpoints.of(call.request, self.identity),
            )
        except Denied as denied:
            progress.verdicts = denied.verdicts
            raise

    def _outcome(self, call: Call, result: Mapping[str, Any] | None) -> Outcome:
        self.progress.notes = call.notes
        reads = not self.registered.writes
        return outcome(self.runtime, self.progress, response=result, read_only=reads, time=call.now)


def refused(runtime: Runtime, progress: Progress, error: AWSError) -> HttpResponse:
    """The error in the protocol the client speaks, recorded."""
    request = progress.request
    # LIM-03: who is not known is slowed down; who is known is not, whatever others at the same address do.
    is_unknown = (progress.identity is None or progress.identity is ANONYMOUS) and _is_callers(error)
    slowed = is_unknown and not runtime.refusals.allows(request.source_ip)
    if slowed:
        error = CommonError(Common.THROTTLED)
    if progress.route is not None:
        spoken = Dialect(progress.route.service, progress.route.protocol)
    elif progress.claim is not None:
        spoken = route.dialect(request, progress.claim.service)
    else:
        spoken = route.dialect(request, sigv4.named_service(request))
    operation = progress.route.operation if progress.route is not None else None
    in_json = serialize.wants_json(spoken.service, request)
    response = faults.fault(error, spoken.service, operation, spoken.protocol, request.id, in_json=in_json)
    code, message = faults.told(error, spoken.service, spoken.protocol)
    refusal = outcome(runtime, progress, service=spoken.service, code=code, message=message)
    try:
        runtime.store.record_event(event_of(refusal))
    except Unavailable as lost:
        # The audit queue is full: the refusal stands, and the log tells that events of refusals are lost.
        complaints.tell(f"events of refused requests are lost: {lost}")
    return replace(response, closes=True) if slowed else response


def _is_callers(error: AWSError) -> bool:
    return not (isinstance(error, CommonError) and error.kind in {Common.UNAVAILABLE, Common.INTERNAL})


def outcome(
    runtime: Runtime,
    progress: Progress,
    service: str | None = None,
    response: Mapping[str, Any] | None = None,
    read_only: bool | None = None,
    code: str | None = None,
    message: str | None = None,
    time: int | None = None,
) -> Outcome:
    """What the event of this request says; it is of now unless a time is given."""
    claim, identity = progress.claim, progress.identity
    named = progress.route.operation if progress.route is not None else None
    service = named.service if named is not None else service or "unknown"
    name = progress.event_name or (named.name if named is not None else "Unknown")
    # By their order: the interpreter makes a dict of so many names at each call.
    return Outcome(
        progress.request,
        runtime.clock.seconds() if time is None else time,
        service,
        progress.source or _source(service),
        name,
        progress.region or _region(runtime, claim, service),
        identity,
        _reads(service, name) if read_only is None else read_only,
        progress.management,
        progress.parameters,
        response,
        progress.verdicts,
        code,
        message,
        progress.notes,
        recipient(runtime, progress),
        progress.view,
        claim.scope.access_key_id if claim is not None else None,
        progress.bucket_owner,
    )


def _region(runtime: Runtime, claim: Claim | None, service: str) -> str:
    """The region that a request is made to."""
    signed = claim.scope.region if claim is not None else ""
    return region_of(service, signed or runtime.settings.region)


@lru_cache(maxsize=1024)
def _source(service: str) -> str:
    """The event's source: the service as requests to it are signed (`access-analyzer`, `states`, `ses` of `sesv2`)."""
    entry = CATALOG.by_name.get(service)
    name = service if entry is None or service in NAMED_OTHERWISE else entry.signing_name
    return f"{name.lower()}.amazonaws.com"


def _reads(service: str, name: str) -> bool:
    """Whether an operation changes nothing: as it is registered, or else by its name."""
    registered = registry.get(service, name)
    return name.startswith(READING) if registered is None else not registered.writes


def recipient(runtime: Runtime, progress: Progress) -> str:
    """The account whose event it is: the caller's, or of one whose signature did not hold that of the key it named.

    What a user pool's users ask is its account's.
    """
    identity, claim = progress.identity, progress.claim
    if progress.recipient is not None:
        return progress.recipient
    if identity is not None and identity.service is not None:
        return identity.service.source_account
    if identity is not None and identity.account_id:
        return identity.account_id
    claimed_account = ids.account_of_key(claim.access_key_id) if claim is not None else None
    known = claimed_account is not None and runtime.store.snapshot().account(claimed_account) is not None
    return claimed_account if claimed_account is not None and known else runtime.settings.account
