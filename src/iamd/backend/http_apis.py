"""HTTP APIs that moto imports: ImportApi, which it does not have, and ReimportApi, of which it takes the least part;
and those that are quickly created, of which it drops all but the API.

AWS: API Reference of HTTP APIs, "ImportApi" and "ReimportApi"; Developer Guide, "Errors and warnings from importing
your API": what is wrong leaves the API as it was.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from moto.apigatewayv2.exceptions import BadRequestException
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
    http_api_endpoints.install()


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
