"""HTTP APIs that moto imports: ImportApi, which it does not have, and ReimportApi, of which it takes the least part.

AWS: API Reference of HTTP APIs, "ImportApi" and "ReimportApi"; Developer Guide, "Errors and warnings from importing
your API": what is wrong leaves the API as it was.
"""

import json
from typing import Any

import msgspec
from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.responses import ApiGatewayV2Response

from iamd.backend import http_api_endpoints, open_api
from iamd.backend.open_api_values import Invalid
from iamd.backend.replacement import always, replace


def install() -> None:
    """Have both read the whole definition, and APIs tell where iamd serves them."""
    responses: Any = ApiGatewayV2Response
    responses.import_api = _import
    replace(ApiGatewayV2Response, "reimport_api", always(_reimport))
    http_api_endpoints.install()


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
