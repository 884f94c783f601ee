"""HTTP APIs: requests over HTTP that a route lets in, and that its Lambda function answers.

AWS: API Gateway Developer Guide, "Create routes for HTTP APIs" (http-api-develop-routes), "Control and manage access to
HTTP APIs" (http-api-access-control).
"""

from typing import Final

from iamd.api_places import Place
from iamd.auth.identity import Identity
from iamd.authz.authorize import Denied
from iamd.authz.target import Target
from iamd.functions import api_callers, api_cors, api_recording, api_tokens
from iamd.functions.api_answers import Refusal, answer_of, broken, of_call, unsupported
from iamd.functions.api_authorizers import LambdaAuthorizers, identity_sources
from iamd.functions.api_callers import NotSigned
from iamd.functions.api_calls import Call, Calls, NotAnswered, function_of
from iamd.functions.api_events import VERSIONS, Authorized, content_of
from iamd.functions.api_recording import Recording
from iamd.functions.api_routes import Api, Authorizer, Found, Integration, Route, found
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime

REQUEST_ID: Final = b"apigw-requestid"
_MOST_MILLISECONDS: Final = 30_000
"""AWS: Developer Guide, "Quotas for configuring and running an HTTP API"."""


class HttpApis:
    """The HTTP APIs of one process."""

    def __init__(self, runtime: Runtime, calls: Calls) -> None:
        self._runtime = runtime
        self._calls = calls
        self._authorizers = LambdaAuthorizers(runtime, calls)
        self._recording = Recording(runtime, failed=broken, unavailable=lambda why: Refusal(503, why), denied=_denied)

    def clear(self) -> None:
        """Begin anew: nothing known of before is used."""
        self._authorizers.clear()

    async def answered(self, request: HttpRequest, api: Api | None, place: Place) -> HttpResponse:
        """The answer to a request; Refusal where it is not known yet whose it is."""
        # AWS: 404 for an endpoint that is disabled (its Knowledge Center, api-gateway-disable-endpoint).
        if api is None or api.is_disabled:
            raise Refusal(404, "There is no such API, or its endpoint is disabled.")
        asked = found(api, request.method, place.path)
        cors, is_preflight = api.cors or {}, api_cors.is_preflight(request, api.cors)
        if is_preflight and (asked is None or asked.route.authorization_type in _OPEN):
            return api_cors.preflight(request, cors)
        if asked is None:
            raise Refusal(404, "No stage and no route is for this.")
        named = {"apiId": api.id, "stage": asked.stage.name, "routeKey": asked.route.route_key}
        progress = api_recording.begun(request, api.account, api.region, named)
        answering = self._of_route(progress, asked, place.below, is_preflight=is_preflight)
        answer = await self._recording.answered(progress, answering)
        if isinstance(answer, Refusal):
            return answer.answer()
        return answer if is_preflight else api_cors.shared(answer, request, cors)

    async def _of_route(self, progress: Progress, asked: Found, below: str, *, is_preflight: bool) -> HttpResponse:
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
        try:
            call = Call(
                function=function_of(integration.integration_uri, asked.stage.variables),
                account=api.account,
                region=api.region,
                sources=asked.source_arns,
                role=integration.credentials_arn,
                content=content_of(request, asked, authorized, version),
                seconds=(integration.timeout_in_millis or _MOST_MILLISECONDS) / 1000,
                caller=authorized.caller,
            )
            content = await self._calls.invoke(call)
        except NotAnswered as error:
            raise of_call(error) from error
        return answer_of(content, request, below, version)

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
        """Who has signed the request, and may invoke the route: HTTP APIs have no policies."""
        api = asked.api
        try:
            identity = api_callers.signed(self._runtime, progress, api.region)
        except NotSigned as error:
            raise Refusal(403, error.message, code=error.code) from error
        targets = [Target(arn=arn, account=api.account) for arn in asked.arns]
        api_callers.decide(self._runtime, progress, identity, api.region, targets)
        return identity


def _denied(denied: Denied) -> Refusal:
    return Refusal(403, denied.message, code="AccessDenied")


_OPEN: Final = frozenset({None, "NONE"})


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
