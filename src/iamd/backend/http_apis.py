"""HTTP APIs that moto imports: ImportApi, which it does not have, and ReimportApi, of which it takes the least part;
those that are quickly created, of which it drops all but the API; and what it takes into one that AWS refuses.

AWS: API Reference of HTTP APIs, "ImportApi" and "ReimportApi"; Developer Guide, "Errors and warnings from importing
your API": what is wrong leaves the API as it was.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from moto.apigatewayv2.exceptions import APIGatewayV2Error, BadRequestException
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend
from moto.apigatewayv2.responses import ApiGatewayV2Response

from iamd.backend import http_api_endpoints, open_api
from iamd.backend.open_api_values import Invalid
from iamd.backend.replacement import always, replace


def install() -> None:
    """Have both read the whole definition, APIs that are quickly created be whole, and tell where iamd serves them."""
    responses: Any = ApiGatewayV2Response
    responses.import_api = _import
    replace(ApiGatewayV2Response, "reimport_api", always(_reimport))
    replace(ApiGatewayV2Response, "create_api", _created)
    replace(Api, "update_integration", _timed)
    replace(Api, "create_integration", _timed)
    replace(ApiGatewayV2Backend, "create_route", _once)
    replace(ApiGatewayV2Backend, "update_route", _once)
    http_api_endpoints.install()


class Conflict(APIGatewayV2Error):
    """What is there already stands against a request."""

    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


_LONGEST: Final = {"HTTP": 30_000, "WEBSOCKET": 29_000}
"""AWS: API Reference of HTTP APIs, CreateIntegration, `timeoutInMillis`."""


def _timed(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make or change an integration that is waited for no longer than API Gateway waits."""

    def checked(api: Any, **given: Any) -> Any:
        wanted, longest = given.get("timeout_in_millis"), _LONGEST[api.protocol_type]
        if wanted is not None and not 50 <= int(wanted) <= longest:
            raise BadRequestException(f"Timeout should be between 50 ms and {longest} ms")
        return original(api, **given)

    return checked


_VARIABLE: Final = re.compile(r"\{[^{}]*?(\+?)\}")


def _shape(key: str) -> str:
    """A route's key without the names of its variables, which tell no two requests apart."""
    return _VARIABLE.sub(r"{\1}", key)


def _once(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make or change a route that is for other requests than all others.

    SECURITY: of two for the same requests one would be passed over, and what guards it with it. AWS's words, as clients
    report them: anomalyco/sst 5031, plutomi/plutomi 271.
    """

    def checked(backend: Any, **given: Any) -> Any:
        key, own = given["route_key"], given.get("route_id")
        if key is not None:
            routes = backend.get_api(given["api_id"]).routes
            _check_key(key, [route.route_key for route_id, route in routes.items() if route_id != own])
        return original(backend, **given)

    return checked


def _check_key(key: str, others: Sequence[str]) -> None:
    if key in others:
        raise Conflict(f"Route with key {key} already exists for this API")
    alike = [other for other in others if _shape(other) == _shape(key)]
    if alike:
        raise Conflict(
            f'The provided route key "{key}" has a conflicting variable on the same hierarchical level as "{alike[0]}"'
        )


_QUICK: Final = ("target", "routeKey", "credentialsArn")


def _created(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make an API as moto does, and of what is told of a quick one its integration, its route and its stage.

    AWS: API Reference of HTTP APIs, CreateApi, `target`: "Quick create produces an API with an integration, a default
    catch-all route, and a default stage which is configured to automatically deploy changes".
    """

    def create(response: Any) -> Any:
        given = msgspec.json.decode(response.body)
        quick = {name: given[name] for name in _QUICK if given.get(name) is not None}
        if quick and (given.get("protocolType") != "HTTP" or "target" not in quick):
            raise BadRequestException("target is required for quick create, which is of HTTP APIs.")
        status, headers, body = original(response)
        if quick:
            _complete(response.apigatewayv2_backend.get_api(msgspec.json.decode(body)["apiId"]), quick)
        return status, headers, body

    return create


def _complete(api: Any, quick: Mapping[str, str]) -> None:
    """Add what a quick API has; AWS: "The type of the integration will be HTTP_PROXY or AWS_PROXY, respectively"."""
    is_function = quick["target"].startswith("arn:")
    integration = api.create_integration(
        connection_type="INTERNET",
        description=None,
        integration_method="POST" if is_function else "ANY",
        integration_type="AWS_PROXY" if is_function else "HTTP_PROXY",
        integration_uri=quick["target"],
        credentials_arn=quick.get("credentialsArn"),
        payload_format_version="2.0" if is_function else "1.0",
    )
    api.create_route(
        api_key_required=False,
        authorization_scopes=[],
        route_key=quick.get("routeKey", "$default"),
        target=f"integrations/{integration.id}",
        authorization_type="NONE",
    )
    api.create_stage({"stageName": "$default", "autoDeploy": True})


def _import(response: Any) -> tuple[int, dict[str, str], str]:
    definition = _definition(response)
    api = response.apigatewayv2_backend.create_api(
        api_key_selection_expression=None,
        cors_configuration=None,
        description=None,
        disable_schema_validation=None,
        disable_execute_api_endpoint=None,
        name=definition.name,
        protocol_type="HTTP",
        route_selection_expression=None,
        tags={},
        version=None,
    )
    return _imported(api, definition)


def _reimport(response: Any) -> tuple[int, dict[str, str], str]:
    api = response.apigatewayv2_backend.get_api(response.path.split("/")[-1])
    if api.protocol_type != "HTTP":
        raise BadRequestException("Only HTTP APIs can be imported.")
    return _imported(api, _definition(response))


def _definition(response: Any) -> open_api.Definition:
    """The definition of a request; nothing is made of one that is refused."""
    asked = response.querystring
    try:
        body, base_path = msgspec.json.decode(response.body)["body"], asked.get("basepath", ["ignore"])[0].lower()
        found = open_api.read(body, base_path, response.current_account, response.region)
    except Invalid as invalid:
        raise BadRequestException(str(invalid)) from invalid
    for at, route in enumerate(found.routes):
        _check_key(route.key, [other.key for other in found.routes[:at]])
    if found.warnings and asked.get("failOnWarnings", ["false"])[0].lower() == "true":
        raise BadRequestException("Warnings found during import:" + "".join(f"\n\t{one}" for one in found.warnings))
    return found


def _imported(api: Any, definition: open_api.Definition) -> tuple[int, dict[str, str], str]:
    """Make an API what its definition says; its stages stay."""
    for kept in (api.authorizers, api.integrations, api.routes):
        kept.clear()
    api.name, api.version, api.description = definition.name, definition.version, definition.description
    api.cors_configuration = definition.cors
    api.disable_execute_api_endpoint = definition.is_endpoint_disabled
    _tag(api, definition)
    authorizers = {name: api.create_authorizer(**one).id for name, one in definition.authorizers.items()}
    made = [api.create_integration(**one).id for one in definition.integrations]
    for route in definition.routes:
        api.create_route(
            api_key_required=False,
            authorization_scopes=route.scopes,
            route_key=route.key,
            target=f"integrations/{made[route.integration]}",
            authorization_type=route.authorization,
            authorizer_id=authorizers[route.authorizer] if route.authorizer is not None else None,
            operation_name=route.operation,
        )
    warnings = {"warnings": definition.warnings} if definition.warnings else {}
    return 201, {}, json.dumps({**api.to_json(), **warnings})


def _tag(api: Any, definition: open_api.Definition) -> None:
    """Tag an API as its definition says; tags of the definition before, which this one has not, go with it."""
    gone = [name for name in getattr(api, "iamd_tags", ()) if name not in definition.tags]
    api.backend.untag_resource(api.arn, gone)
    api.backend.tag_resource(api.arn, definition.tags)
    api.iamd_tags = tuple(definition.tags)
