"""Function URLs: requests over HTTP that anybody may make to a function whose policy lets them, and what comes of them.

A URL is `/_iamd/lambda-url/ID/` at the address that the client used: names under `on.aws` lead to AWS.

AWS: Lambda Developer Guide, "Control access to Lambda function URLs" (urls-auth) and "Invoking Lambda function URLs"
(urls-invocation).
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd import pipeline, sandbox
from iamd.auth import canonical, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import context
from iamd.authz.authorize import Denied, Verdict, authorize
from iamd.authz.partly_known import Unknowns
from iamd.authz.target import Target
from iamd.doors import FUNCTION_URLS
from iamd.errors import AWSError, Common, CommonError
from iamd.functions import definition, url_cors
from iamd.functions.definition import Function
from iamd.functions.environment import Result
from iamd.functions.errors import TooManyRequests
from iamd.functions.runtime_events import Event, event_of
from iamd.functions.url_payloads import answer_of, content_of
from iamd.gateway import resources
from iamd.gateway.actions import unknown_keys
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of as recorded
from iamd.wire import models
from iamd.wire.route import Route

_FORBIDDEN: Final = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_REQUEST_ID: Final = b"x-amzn-requestid"
_THROUGH_URL: Final = "lambda:InvokeFunctionUrl"
_INVOKING: Final = "lambda:InvokeFunction"


class Forbidden(AWSError):
    """A request without a signature, where one is asked for."""

    code = "AccessDeniedException"
    status = 403


class Url(msgspec.Struct, frozen=True):
    """A function's URL, as the embedded backend holds it; `cors` is its configuration for other origins."""

    id: str
    account: str
    region: str
    name: str
    alias: str | None
    arn: str
    auth: str
    cors: dict[str, Any] | None = None


Find = Callable[[str], Awaitable[Url | None]]
Named = Callable[[str, str, str, str | None], Awaitable[Function]]
Run = Callable[[Function, Event], Awaitable[tuple[Result, bytes]]]


class Urls:
    """The function URLs of one process."""

    def __init__(self, runtime: Runtime, find: Find, named: Named, run: Run) -> None:
        self._runtime = runtime
        self._find = find
        self._named = named
        self._run = run

    async def serve(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to a URL; whatever happens, it is recorded once it is known whose URL it is."""
        url_id, _, rest = request.path.removeprefix(FUNCTION_URLS).partition(b"/")
        try:
            url = await self._find(url_id.decode("ascii", "replace"))
        except CommonError as error:
            return _told(503, error.message)
        if url is None:
            return _told(404, None)
        preflight = url_cors.preflight(request, url.cors)
        if preflight is not None:
            return preflight
        answer = await self._answered(request, url, b"/" + rest)
        shared = url_cors.shared(answer, request, url.cors)
        named = [pair for pair in shared.headers if pair[0].lower() != _REQUEST_ID]
        headers = [*named, (_REQUEST_ID, request.id.encode())]
        return replace(shared, headers=sandbox.shown(request, headers))

    async def _answered(self, request: HttpRequest, url: Url, path: bytes) -> HttpResponse:
        progress = _progress(request, url)
        try:
            identity = self._identified(progress, url)
            self._decide(progress, url, identity)
            function = await self._named(url.account, url.region, url.name, url.alias)
            definition.check_runs(function)
            caller = None if identity is ANONYMOUS else identity
            content = content_of(request, url.id, url.region, url.account, path, caller)
            result, _ = await self._run(function, event_of(request.id, content, url.arn))
        except TooManyRequests as error:
            pipeline.refused(self._runtime, progress, error)
            return _told(429, "Rate exceeded")
        except (Denied, Forbidden) as denied:
            if isinstance(denied, Denied):
                progress.verdicts = denied.verdicts
            pipeline.refused(self._runtime, progress, denied)
            return _told(403, _FORBIDDEN, b"AccessDeniedException")
        except AWSError as error:
            return pipeline.refused(self._runtime, progress, error)
        self._runtime.store.record_event(recorded(pipeline.outcome(self._runtime, progress, read_only=False)))
        return answer_of(result, request, url.id)

    def _identified(self, progress: Progress, url: Url) -> Identity:
        """Who asks: nobody in particular where the URL asks for no signature."""
        identity = ANONYMOUS
        if url.auth == "AWS_IAM":
            progress.claim = claim = sigv4.claim(progress.request)
            # SECURITY: on AWS the host, which is signed, is the URL's alone. Here a function that is given a signed
            # request could make one to another URL of it, `/OTHER/../URL`.
            if claim is None or not canonical.is_normal(progress.request.path):
                raise Forbidden(_FORBIDDEN)
            sigv4.check_scope(claim, service="lambda", region=url.region)
            identity = pipeline.identified(self._runtime, progress, self._runtime.store.snapshot())
        progress.identity = identity
        return identity

    def _decide(self, progress: Progress, url: Url, identity: Identity) -> None:
        """Both actions must be allowed (urls-auth); Denied when one is not."""
        gateway, now = self._runtime.gateway, self._runtime.clock.seconds()
        facts = gateway.facts_of("lambda") if gateway is not None else None
        if facts is None:
            raise CommonError(Common.UNAVAILABLE, "The backend is not available.")
        through = {"lambda:functionurlauthtype": url.auth, "lambda:functionarn": url.arn}
        wanted = [
            Target(arn=url.arn, action=_THROUGH_URL, context=through),
            Target(arn=url.arn, action=_INVOKING, context={"lambda:invokedviafunctionurl": "true"}),
        ]
        targets = resources.decided(wanted, facts, url.account)
        request, region = progress.request, url.region
        progress.view = facts.view

        def of_request() -> context.Context:
            return context.of_request(request, region, now)

        try:
            verdicts: list[Verdict] = authorize(identity, facts.view, _THROUGH_URL, targets, of_request, now, _unknown)
        except Denied as denied:
            if self._runtime.settings.enforce != "soft" or identity is ANONYMOUS:
                raise
            progress.verdicts = denied.verdicts
            progress.notes = {"additionalEventData": {"iamdWouldDeny": denied.message}}
        else:
            progress.verdicts = verdicts


def _unknown(_: str, action: str) -> Unknowns:
    return unknown_keys.of("lambda", action, creates=False)


def _progress(request: HttpRequest, url: Url) -> Progress:
    operation = models.service("lambda").operation("Invoke")
    return Progress(
        request,
        None,
        Route(operation),
        parameters={"FunctionName": url.arn},
        management=False,
        region=url.region,
    )


def _told(status: int, message: str | None, kind: bytes | None = None) -> HttpResponse:
    headers = [(b"content-type", b"application/json")]
    if kind is not None:
        headers.append((b"x-amzn-errortype", kind))
    return HttpResponse(status, headers, msgspec.json.encode({"Message": message}))
