"""HTTP APIs: requests over HTTP that a route lets in, and that its Lambda function answers.

An API is `/_iamd/execute-api/ID` at the address that the client used: names under `amazonaws.com` lead to AWS.

AWS: API Gateway Developer Guide, "Create routes for HTTP APIs" (http-api-develop-routes), "Control and manage access to
HTTP APIs" (http-api-access-control).
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from iamd import pipeline, sandbox
from iamd.auth import canonical, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import context
from iamd.authz.authorize import Denied, authorize
from iamd.authz.target import Target
from iamd.doors import HTTP_APIS
from iamd.errors import AWSError, CommonError
from iamd.functions import api_cors, api_tokens
from iamd.functions.api_answers import Refusal, answer_of, broken, unsupported
from iamd.functions.api_authorizers import LambdaAuthorizers, identity_sources
from iamd.functions.api_calls import Call, Calls, function_of
from iamd.functions.api_events import VERSIONS, Authorized, content_of
from iamd.functions.api_routes import Api, Authorizer, Found, Integration, Route, found
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import event_of as recorded
from iamd.store.errors import Unavailable
from iamd.wire import faults, models

log = logging.getLogger(__name__)

_SERVICE: Final = "execute-api"
_ACTION: Final = "execute-api:Invoke"
_REQUEST_ID: Final = b"apigw-requestid"
_MOST_MILLISECONDS: Final = 30_000
"""AWS: Developer Guide, "Quotas for configuring and running an HTTP API"."""

Find = Callable[[str], Awaitable[Api | None]]


class Apis:
    """The HTTP APIs of one process."""

    def __init__(self, runtime: Runtime, find: Find) -> None:
        self._runtime = runtime
        self._find = find
        self._calls = Calls(runtime)
        self._authorizers = LambdaAuthorizers(runtime, self._calls)

    async def clear(self) -> None:
        """Begin anew: nothing is waited for, and nothing known of before is used."""
        self._authorizers.clear()
        await self._calls.clear()

    async def serve(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to an API; whatever happens, it is recorded once it is known which API it is."""
        name, _, rest = request.path.removeprefix(HTTP_APIS).partition(b"/")
        try:
            api = await self._find(name.decode("ascii", "replace"))
            answer = await self._answered(request, api, f"/{rest.decode('latin-1')}")
        except Refusal as refusal:
            answer = refusal.answer()
        except CommonError as error:
            answer = Refusal(503, error.message).answer()
        except Unavailable:
            raise
        except Exception:
            log.exception("request %s failed", request.id)
            answer = broken("The request failed.").answer()
        headers = [*(pair for pair in answer.headers if pair[0] != _REQUEST_ID), (_REQUEST_ID, request.id.encode())]
        return HttpResponse(answer.status, sandbox.shown(request, headers), answer.body)

    async def _answered(self, request: HttpRequest, api: Api | None, path: str) -> HttpResponse:
        # AWS: 404 for an endpoint that is disabled (its Knowledge Center, api-gateway-disable-endpoint).
        if api is None or api.is_disabled:
            raise Refusal(404, "There is no such API, or its endpoint is disabled.")
        asked = found(api, request.method, path)
        cors, is_preflight = api.cors or {}, api_cors.is_preflight(request, api.cors)
        if is_preflight and (asked is None or asked.route.authorization_type in _OPEN):
            return api_cors.preflight(request, cors)
        if asked is None:
            raise Refusal(404, "No stage and no route is for this.")
        progress = _progress(request, asked)
        try:
            answer = await self._of_route(progress, asked, is_preflight=is_preflight)
        except Refusal as refusal:
            return self._refused(progress, refusal)
        except Denied as denied:
            progress.verdicts = denied.verdicts
            return self._refused(progress, Refusal(403, denied.message, code="AccessDenied"))
        except (CommonError, Unavailable) as error:
            return self._refused(progress, Refusal(503, str(error)))
        except Exception:
            log.exception("request %s failed", request.id)
            return self._refused(progress, broken("The request failed."))
        self._record(progress)
        return answer if is_preflight else api_cors.shared(answer, request, cors)

    async def _of_route(self, progress: Progress, asked: Found, *, is_preflight: bool) -> HttpResponse:
        """The answer of a route's function to who may ask it."""
        request, api = progress.request, asked.api
        _check_route(asked)
        authorized = await self._authorized(progress, asked)
        if is_preflight:
            return api_cors.preflight(request, api.cors or {})
        integration = api.integration_of(asked.route)
        if integration is None:
            raise broken("The route has no integration.")
        _check_integration(integration)
        version = integration.payload_format_version
        if version not in VERSIONS:
            raise unsupported("an integration without PayloadFormatVersion.")
        call = Call(
            function=function_of(integration.integration_uri, asked.stage.variables),
            account=api.account,
            region=api.region,
            sources=asked.source_arns,
            role=integration.credentials_arn,
            content=content_of(request, asked, authorized, version),
            seconds=(integration.timeout_in_millis or _MOST_MILLISECONDS) / 1000,
        )
        content = await self._calls.invoke(call)
        return answer_of(content, request, f"{HTTP_APIS.decode()}{api.id}", version)

    async def _authorized(self, progress: Progress, asked: Found) -> Authorized:
        """What is known of who asks, once it is known that they may."""
        route = asked.route
        kind = route.authorization_type or "NONE"
        if kind == "NONE":
            return Authorized()
        if kind == "AWS_IAM":
            return Authorized(caller=self._signed(progress, asked))
        authorizer = asked.api.authorizer_of(route)
        if authorizer is None:
            raise broken("The route has no authorizer.")
        if kind == "JWT" and authorizer.authorizer_type == "JWT":
            return await self._by_token(progress.request, asked, authorizer)
        if kind == "CUSTOM" and authorizer.authorizer_type == "REQUEST":
            return await self._authorizers.authorized(progress.request, asked, authorizer)
        raise unsupported(f"the authorization type {kind} with an authorizer of the type {authorizer.authorizer_type}.")

    async def _by_token(self, request: HttpRequest, asked: Found, authorizer: Authorizer) -> Authorized:
        sources = authorizer.identity_source or []
        if len(sources) != 1 or authorizer.jwt_configuration is None:
            raise broken("The authorizer names no place of tokens, or no issuer.")
        try:
            [token] = identity_sources(request, asked, sources)
        except Refusal as refusal:
            raise api_tokens.missing(refusal) from refusal
        # The issuer and its clients keep the machine's time, as signatures do.
        now = self._runtime.clock.machine_timestamp()
        scopes = asked.route.authorization_scopes or ()
        keys = api_tokens.keys_for(self._runtime, asked.api.account)
        return await api_tokens.authorized(token, authorizer.jwt_configuration, scopes, keys, now)

    def _signed(self, progress: Progress, asked: Found) -> Identity:
        """Who has signed the request, and may invoke the route."""
        try:
            progress.claim = claim = sigv4.claim(progress.request)
            if claim is None:
                raise Refusal(403, "The request is not signed.", code="MissingAuthenticationToken")
            if not canonical.is_normal(progress.request.path):
                # SECURITY: on AWS the host, which is signed, is the API's alone. Here a function that is given a signed
                # request could make another API's of it, `/OTHER/../API`, or another route's.
                raise Refusal(403, "The signature is of another path.", code="InvalidSignatureException")
            sigv4.check_scope(claim, service=_SERVICE, region=asked.api.region)
            identity = pipeline.identified(self._runtime, progress, self._runtime.store.snapshot())
        except AWSError as error:
            # Events have Lambda's codes: botocore knows nothing of what is signed for `execute-api`.
            code, message = faults.told(error, "lambda", models.service("lambda").operation("Invoke").protocol)
            raise Refusal(403, message, code=code) from error
        progress.identity, progress.recipient = identity, None
        self._decide(progress, asked, identity)
        return identity

    def _decide(self, progress: Progress, asked: Found, identity: Identity) -> None:
        """The caller's own policies let it invoke the route; Denied when they don't: HTTP APIs have no policies."""
        api, request = asked.api, progress.request
        snapshot, now = self._runtime.store.snapshot(), self._runtime.clock.seconds()
        progress.view = snapshot
        targets = [Target(arn=arn, account=api.account) for arn in asked.arns]

        def of_request() -> context.Context:
            return context.of_request(request, api.region, now)

        try:
            progress.verdicts = authorize(identity, snapshot, _ACTION, targets, of_request, now)
        except Denied as denied:
            if self._runtime.settings.enforce != "soft":
                raise
            progress.verdicts = denied.verdicts
            progress.notes = {"additionalEventData": {"iamdWouldDeny": denied.message}}

    def _refused(self, progress: Progress, refusal: Refusal) -> HttpResponse:
        # LIM-03: who is not known is slowed down; who is known is not, whatever others at the same address do.
        is_unknown = progress.identity is ANONYMOUS and refusal.status in {401, 403}
        if is_unknown and not self._runtime.refusals.allows(progress.request.source_ip):
            refusal = Refusal(429, "Too many requests of this address were refused.")
        try:
            self._record(progress, refusal.code, refusal.why)
        except Unavailable as lost:
            pipeline.complaints.tell(f"events of refused requests are lost: {lost}")
        return refusal.answer()

    def _record(self, progress: Progress, code: str | None = None, message: str | None = None) -> None:
        told = pipeline.outcome(self._runtime, progress, service=_SERVICE, read_only=False, code=code, message=message)
        self._runtime.store.record_event(recorded(told))


_OPEN: Final = frozenset({None, "NONE"})


def _progress(request: HttpRequest, asked: Found) -> Progress:
    api = asked.api
    return Progress(
        request,
        identity=ANONYMOUS,
        parameters={"apiId": api.id, "stage": asked.stage.name, "routeKey": asked.route.route_key},
        management=False,
        source=f"{_SERVICE}.amazonaws.com",
        region=api.region,
        event_name="Invoke",
        recipient=api.account,
    )


def _check_route(asked: Found) -> None:
    route: Route = asked.route
    if not asked.stage.is_deployed_at_once:
        raise unsupported("a stage without AutoDeploy: the embedded backend has no deployments.")
    if route.api_key_required or route.request_parameters:
        raise unsupported("a route with ApiKeyRequired or RequestParameters, which are of WebSocket APIs.")


def _check_integration(integration: Integration) -> None:
    """A Lambda function answers, and is given the request as it is."""
    if integration.integration_type != "AWS_PROXY" or integration.integration_subtype:
        kind = integration.integration_subtype or integration.integration_type
        raise unsupported(f"the integration {kind}: Lambda functions alone answer (AWS_PROXY).")
    if integration.connection_type not in {None, "INTERNET"} or integration.connection_id or integration.tls_config:
        raise unsupported("an integration by a VPC link or with TlsConfig.")
    if integration.request_parameters or integration.response_parameters:
        raise unsupported("an integration that maps parameters.")
