"""ImportRestApi and PutRestApi, of which moto takes the least part: what a definition says is put into an API.

AWS: API Gateway Developer Guide, "Import an OpenAPI file to update an existing API definition"
(api-gateway-import-api-update); what is wrong with a definition leaves the API as it was.
"""

import json
import uuid
from typing import Any, Final

from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.apigateway.responses import APIGatewayResponse
from moto.apigateway.utils import ApigwAuthorizerIdentifier

from iamd import api_models
from iamd.backend import rest_definitions
from iamd.backend.open_api_values import Invalid
from iamd.backend.replacement import always, replace
from iamd.backend.rest_apis import check_part, keep_policy
from iamd.backend.rest_definitions import Definition, Method
from iamd.backend.verdict import NOT_TAKEN, Refused

_PARAMETERS: Final = frozenset({"basepath", "endpointconfigurationtypes", "failonwarnings", "ignore", "mode"})
_TRIAL: Final[Any] = RestAPI
_KEPT: Final = (
    "api_key_source", "authorizers", "binaryMediaTypes", "disableExecuteApiEndpoint", "gateway_responses",
    "iamd_principals", "minimum_compression_size", "models", "policy", "request_validators", "resources",
)  # fmt: skip


def install() -> None:
    """Have both read the whole definition."""
    replace(APIGatewayResponse, "import_rest_api", always(_import))
    replace(APIGatewayResponse, "put_rest_api", always(_put))


def _import(response: Any) -> tuple[int, dict[str, str], str]:
    definition = _definition(response)
    types = _asked(response).get("endpointconfigurationtypes")
    endpoint = {"types": types.split(",")} if types else definition.endpoint
    api = response.backend.create_rest_api(definition.name, definition.description, endpoint_configuration=endpoint)
    api.version = definition.version
    try:
        _apply(response.backend, api, definition, overwrite=True)
    except BadRequestException:
        response.backend.delete_rest_api(api.id)
        raise
    return 201, {}, json.dumps(api.to_dict())


def _put(response: Any) -> tuple[int, dict[str, str], str]:
    api = response.backend.get_rest_api(response.path.split("/")[2])
    mode = _asked(response).get("mode", "merge")
    if mode not in {"merge", "overwrite"}:
        raise BadRequestException("Invalid mode specified. Please specify one of: merge, overwrite")
    definition = _definition(response)
    before = {name: getattr(api, name, {}) for name in _KEPT}
    before |= {name: dict(value) for name, value in before.items() if isinstance(value, dict)}
    methods = {key: dict(one.resource_methods) for key, one in api.resources.items()}
    try:
        _apply(response.backend, api, definition, overwrite=mode == "overwrite")
    except BadRequestException:
        for name, value in before.items():
            setattr(api, name, value)
        for key, one in api.resources.items():
            one.resource_methods = methods[key]
        raise
    return 200, {}, json.dumps(api.to_dict())


def _asked(response: Any) -> dict[str, str]:
    """The parameters of an import, their names in lower case."""
    return {name.lower(): values[0] for name, values in response.querystring.items()}


def _definition(response: Any) -> Definition:
    asked = _asked(response)
    for name in asked:
        if name not in _PARAMETERS:
            raise Refused(NOT_TAKEN, f"the parameter {name} of an import")
    try:
        base_path = asked.get("basepath", "ignore").lower()
        found = rest_definitions.read(response.body, base_path, response.current_account, response.region)
    except Invalid as invalid:
        raise BadRequestException(str(invalid)) from invalid
    _check_paths(found)
    return found


def _check_paths(found: Definition) -> None:
    """Refuse paths of which no resources can be made, before any is."""
    trial = _TRIAL("trial", "", "", "trial", "")
    for path in found.paths:
        _resource(trial, path)


def _apply(backend: APIGatewayBackend, api: Any, definition: Definition, *, overwrite: bool) -> None:
    """Make an API what a definition says; AWS: its stages, its keys and its endpoint configuration stay."""
    if overwrite:
        # One that is there already stays itself: what points to it goes on doing so.
        wanted = {path[:end] or "/" for path in definition.paths for end in _ends(path)}
        api.resources = {key: one for key, one in api.resources.items() if one.get_path() in wanted | {"/"}}
        for one in api.resources.values():
            one.resource_methods = {}
        api.models, api.gateway_responses, api.request_validators = {}, {}, {}
    authorizers = _authorizers(api, definition, overwrite=overwrite)
    validators = {name: api.create_request_validator(name, *one).id for name, one in definition.validators.items()}
    for name, schema in definition.models.items():
        api.add_model(name, "", json.dumps(api_models.resolved(schema, api.id)), "application/json")
    for name, response in definition.gateway_responses.items():
        api.put_gateway_response(name, **response)
    for path, methods in definition.paths.items():
        resource = _resource(api, path)
        for method in methods:
            _put_method(backend, api, resource, method, authorizers, validators)
    _set(api, definition)


def _ends(path: str) -> list[int]:
    return [index for index, letter in enumerate(path) if letter == "/"] + [len(path)]


def _set(api: Any, definition: Definition) -> None:
    """What holds for the API as a whole; what the definition does not say stays."""
    if definition.policy is not None:
        keep_policy(api, definition.policy)
    if definition.key_source is not None:
        api.api_key_source = definition.key_source
    if definition.binary is not None:
        api.binaryMediaTypes = definition.binary
    if definition.size is not None:
        api.minimum_compression_size = definition.size
    if definition.is_disabled is not None:
        api.disableExecuteApiEndpoint = definition.is_disabled


def _authorizers(api: Any, definition: Definition, *, overwrite: bool) -> dict[str, str]:
    """The ids of the authorizers by their names; one that is there keeps its id."""
    known = {one.name: one.id for one in api.authorizers.values()}
    if overwrite:
        api.authorizers = {}
    found = {}
    for name, one in definition.authorizers.items():
        authorizer_id = known.get(name) or ApigwAuthorizerIdentifier(api.account_id, api.region_name, name).generate()
        found[name] = api.create_authorizer(authorizer_id=authorizer_id, **one).id
    return found


def _resource(api: Any, path: str) -> Any:
    """The resource at a path, which is made with those above it where there is none."""
    [resource] = [one for one in api.resources.values() if one.parent_id is None]
    for part in path.split("/")[1:] if path != "/" else ():
        below = [one for one in api.resources.values() if one.parent_id == resource.id and one.path_part == part]
        if below:
            resource = below[0]
        else:
            check_part(api, resource.id, part)
            resource = api.add_child(part, resource.id)
    return resource


def _put_method(
    backend: Any, api: Any, resource: Any, method: Method, authorizers: dict[str, str], validators: dict[str, str]
) -> None:
    asked = method.authorization
    place = (api.id, resource.id, method.name)
    backend.put_method(
        *place,
        asked.kind,
        api_key_required=asked.needs_key,
        request_parameters=method.parameters or None,
        operation_name=method.operation,
        authorizer_id=authorizers[asked.authorizer] if asked.authorizer is not None else None,
        authorization_scopes=asked.scopes or None,
        request_models=_models(api, method.models) or None,
        request_validator_id=validators[method.validator] if method.validator is not None else None,
    )
    for status, headers in method.responses.items():
        backend.put_method_response(*place, status, None, headers or None)
    if method.integration is not None:
        backend.put_integration(*place, **method.integration.given)
        for one in method.integration.responses:
            backend.put_integration_response(*place, **one)


def _models(api: Any, schemas: dict[str, Any]) -> dict[str, str]:
    """The models of bodies by their content types; AWS: a schema that stands there itself is made a model of."""
    found = {}
    for kind, schema in schemas.items():
        name = api_models.named(schema)
        if name is None:
            name = f"MODEL{uuid.uuid4().hex[:12]}"
            api.add_model(name, "", json.dumps(api_models.resolved(schema, api.id)), kind)
        found[kind] = name
    return found
