"""REST APIs: requests over HTTP to what is deployed to a stage, which a method lets in, and its integration answers.

AWS: API Gateway Developer Guide, "Deploy REST APIs in API Gateway" (how-to-deploy-api), "Control and manage access to
REST APIs in API Gateway" (apigateway-control-access-to-api), "Lambda proxy integrations in API Gateway"
(set-up-lambda-proxy-integrations).
"""

from typing import Final

from iamd.api_places import Place
from iamd.functions import api_recording, rest_mocks, rest_validation
from iamd.functions.api_answers import Refusal, first_format
from iamd.functions.api_calls import Call, Calls, NotAnswered, function_of
from iamd.functions.api_recording import Recording
from iamd.functions.rest_access import Access, key_of
from iamd.functions.rest_answers import (
    API_BROKEN,
    BAD_ANSWER,
    MISSING_TOKEN,
    NOWHERE,
    UNAVAILABLE,
    GatewayRefusal,
    denied,
    of_call,
    unsupported,
)
from iamd.functions.rest_events import Authorized, content_of, is_binary
from iamd.functions.rest_http import Endpoints
from iamd.functions.rest_routes import Deployment, Found, Integration, Key, RestApi, found
from iamd.functions.rest_usage import Usage
from iamd.http import HttpRequest, HttpResponse
from iamd.pipeline import Progress
from iamd.runtime import Runtime

REQUEST_ID: Final = b"x-amzn-requestid"
_MOST_MILLISECONDS: Final = 29_000
"""AWS: Developer Guide, "Quotas for configuring and running a REST API": 29 seconds by default."""


def forbidden(why: str) -> GatewayRefusal:
    """What is answered where there is no API or no stage, or its endpoint is disabled."""
    return GatewayRefusal(NOWHERE, why)


class RestApis:
    """The REST APIs of one process."""

    def __init__(self, runtime: Runtime, calls: Calls) -> None:
        self._calls = calls
        self._access = Access(runtime, calls)
        self._endpoints = Endpoints(runtime)
        self._usage = Usage(runtime.clock)
        self._recording = Recording(
            runtime,
            failed=lambda why: GatewayRefusal(API_BROKEN, why),
            unavailable=lambda why: GatewayRefusal(UNAVAILABLE, why),
            denied=denied,
        )

    def clear(self) -> None:
        """Begin anew: nothing known of before is used."""
        self._access.clear()
        self._usage.clear()

    async def answered(self, request: HttpRequest, api: RestApi, place: Place) -> HttpResponse:
        """The answer to a request; Refusal where it is not known yet whose it is."""
        # AWS: 403 for an endpoint that is disabled (rest-api-disable-default-endpoint).
        if api.is_disabled:
            raise forbidden("The endpoint of the API is disabled.")
        stage = api.stage
        if stage is None or stage.deployment is None:
            raise forbidden("The API has no such stage.")
        raw = place.path.removeprefix(f"/{stage.name}") or "/"
        asked = found(api, stage, stage.deployment, request.method, raw)
        path = asked.resource.path if asked is not None else raw
        named = {"apiId": api.id, "stage": stage.name, "httpMethod": request.method, "resourcePath": path}
        progress = api_recording.begun(request, api.account, api.region, named)
        answer = await self._recording.answered(progress, self._of_method(progress, asked, stage.deployment, place))
        if isinstance(answer, GatewayRefusal):
            return answer.answered(stage.deployment.gateway_responses, request, place.below)
        return answer.answer() if isinstance(answer, Refusal) else answer

    async def _of_method(
        self, progress: Progress, asked: Found | None, deployment: Deployment, place: Place
    ) -> HttpResponse:
        """The answer of a method's integration to who may use it."""
        if "PRIVATE" in deployment.endpoint_types:
            raise unsupported("a private API, which is reached through VPC endpoints alone.")
        if asked is None:
            raise GatewayRefusal(MISSING_TOKEN, "No method of a resource is for this.")
        authorized = await self._access.authorized(progress, asked)
        key = key_of(asked, progress.request, authorized)
        if key is not None:
            self._usage.count(asked, key)
        await rest_validation.check(progress.request, asked)
        integration = asked.route.method_integration
        if integration is None:
            raise GatewayRefusal(API_BROKEN, "The method has no integration.")
        match integration.type:
            case "MOCK":
                return rest_mocks.answer(integration, progress.request, place.below)
            case "AWS_PROXY":
                return await self._of_function(progress.request, asked, integration, authorized, key, place.below)
            case "HTTP" | "HTTP_PROXY":
                return await self._endpoints.answer(integration, progress.request, asked, place.below)
            case other:
                raise unsupported(f"the integration {other}.")

    async def _of_function(
        self,
        request: HttpRequest,
        asked: Found,
        integration: Integration,
        authorized: Authorized,
        key: Key | None,
        below: str,
    ) -> HttpResponse:
        _check(integration)
        try:
            call = Call(
                function=function_of(integration.uri, asked.stage.variables),
                account=asked.api.account,
                region=asked.api.region,
                sources=asked.source_arns,
                role=integration.credentials,
                content=content_of(request, asked, authorized, key),
                seconds=(integration.timeout_in_millis or _MOST_MILLISECONDS) / 1000,
                caller=authorized.caller,
            )
            content = await self._calls.invoke(call)
        except NotAnswered as error:
            raise of_call(error) from error
        accepted = request.header(b"accept") or "application/json"
        decodes = is_binary(accepted, asked.deployment.binary_media_types)
        answer = first_format(content, request, below, decodes=decodes)
        if answer is None:
            raise GatewayRefusal(BAD_ANSWER, "The function's answer has no form of an answer.")
        return answer


def _check(integration: Integration) -> None:
    """A Lambda function answers, and is given the request as it is."""
    if integration.connection_type not in {None, "INTERNET"} or integration.tls_config:
        raise unsupported("an integration by a VPC link or with tlsConfig.")
    if integration.response_transfer_mode == "STREAM":
        raise unsupported("an integration with the response transfer mode STREAM.")
    if integration.request_parameters:
        raise unsupported("an integration with AWS_PROXY that maps parameters.")
    if integration.http_method != "POST":
        # AWS: "you must use the HTTP method of POST for the integration request".
        raise GatewayRefusal(API_BROKEN, "The integration's method is not POST, by which functions are invoked.")
