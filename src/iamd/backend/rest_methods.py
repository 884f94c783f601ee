"""Methods, their integrations and responses of REST APIs: what moto drops of them, and patches, of which it has none.

AWS: API Gateway API Reference, "PutMethod", "PutIntegration", "Patch operations".
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from moto.apigateway.exceptions import BadRequestException, NoIntegrationDefined, NotFoundException
from moto.apigateway.models import APIGatewayBackend, Integration
from moto.apigateway.responses import APIGatewayResponse

from iamd.backend.replacement import replace, supply
from iamd.backend.rest_authorizers import check_authorization
from iamd.backend.rest_models import BUILT_IN
from iamd.backend.rest_patches import (
    ADD,
    ANY,
    REMOVE,
    REPLACE,
    Row,
    Table,
    anything,
    integer,
    of_list,
    of_map,
    one_of,
    operations_of,
    optional,
    setting,
    truth,
)

_PARAMETER: Final = re.compile(r"method\.request\.(header|path|querystring)\.[^\s]+", re.ASCII)
_TOLD: Final = ("connectionId", "integrationTarget", "responseTransferMode")
_HANDLING: Final = optional(one_of("CONVERT_TO_BINARY", "CONVERT_TO_TEXT"))


def install() -> None:
    """Have methods name what there is, integrations be whole, and both be patched."""
    replace(APIGatewayBackend, "put_method", _with_models)
    replace(APIGatewayResponse, "put_integration", _whole)
    replace(Integration, "to_json", _telling)
    supply(APIGatewayResponse, "update_method", _update_method)
    supply(APIGatewayResponse, "update_integration", _update_integration)
    supply(APIGatewayResponse, "update_integration_response", _update_integration_response)
    supply(APIGatewayResponse, "update_method_response", _update_method_response)


def _with_models(original: Callable[..., Any]) -> Callable[..., Any]:
    """Put a method whose models, validator and parameters there are."""

    def put(backend: Any, function_id: str, *given: Any, **named: Any) -> Any:
        api = backend.get_rest_api(function_id)
        _check_models(api, named.get("request_models"))
        _check_validator(api, named.get("request_validator_id"))
        _check_parameters(named.get("request_parameters"))
        return original(backend, function_id, *given, **named)

    return put


def _check_models(api: Any, models: Mapping[str, str] | None) -> None:
    for name in (models or {}).values():
        if name not in api.models and name not in BUILT_IN:
            # AWS: its words, as users of the console report them.
            raise BadRequestException(f"Invalid model identifier specified: {name}")


def _check_validator(api: Any, validator_id: str | None) -> None:
    if validator_id and validator_id not in api.request_validators:
        raise BadRequestException("Invalid Request Validator identifier specified")


def _check_parameters(parameters: Mapping[str, Any] | None) -> None:
    for name in parameters or {}:
        if not _PARAMETER.fullmatch(name):
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping "
                f"expression parameter specified: {name}]"
            )


_METHODS: Final = Table(
    Row("/apiKeyRequired", [REPLACE], setting("api_key_required", truth)),
    Row("/authorizationScopes", [ADD, REMOVE], of_list("authorization_scopes")),
    Row("/authorizationType", [REPLACE], setting("authorization_type")),
    Row("/authorizerId", [REPLACE], setting("authorizer_id")),
    Row("/operationName", [REPLACE], setting("operation_name")),
    Row("/requestModels/{}", ANY, of_map("request_models")),
    Row("/requestParameters/{}", ANY, of_map("request_parameters", truth)),
    Row("/requestValidatorId", [REPLACE], setting("request_validator_id")),
)


def _update_method(response: Any) -> str:
    api, method = _method(response)

    def check(changed: Any) -> None:
        _check_models(api, changed.request_models)
        _check_validator(api, changed.request_validator_id)
        _check_parameters(changed.request_parameters)
        check_authorization(api, changed)

    _METHODS.apply(method, operations_of(response), check)
    return json.dumps(method.to_json())


def _milliseconds(value: str) -> int:
    # AWS: "Quotas for configuring and running a REST API": more than 29 seconds where the account's quota allows it.
    found = integer(value)
    if not 50 <= found <= 300_000:
        raise BadRequestException("Timeout should be between 50 ms and 29000 ms")
    return found


def _set_verification(thing: Any, _: str, __: Sequence[str], value: str) -> None:
    thing.tls_config = {**(thing.tls_config or {}), "insecureSkipVerification": truth(value)}


def _told(name: str, read: Callable[[str], Any] = optional()) -> Callable[..., None]:  # noqa: B008 - a function
    def change(thing: Any, _: str, __: Sequence[str], value: str) -> None:
        told = {**getattr(thing, "iamd_told", {}), name: read(value)}
        thing.iamd_told = {key: one for key, one in told.items() if one is not None}

    return change


_INTEGRATIONS: Final = Table(
    Row("/cacheKeyParameters", [ADD, REMOVE], of_list("cache_key_parameters")),
    Row("/cacheKeyParameters/{}", [ADD, REMOVE], of_list("cache_key_parameters")),
    Row("/cacheNamespace", [REPLACE], setting("cache_namespace")),
    Row("/connectionId", [REPLACE], _told("connectionId")),
    Row("/connectionType", [REPLACE], setting("connection_type", one_of("INTERNET", "VPC_LINK"))),
    Row("/contentHandling", [REPLACE], setting("content_handling", _HANDLING)),
    Row("/httpMethod", [REPLACE], setting("http_method")),
    Row("/integrationTarget", [REPLACE], _told("integrationTarget")),
    Row(
        "/passthroughBehavior",
        [REPLACE],
        setting("passthrough_behaviour", one_of("NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES")),
    ),
    Row("/requestParameters/{}", ANY, of_map("request_parameters")),
    Row("/requestTemplates/{}", ANY, of_map("request_templates")),
    Row("/responseTransferMode", [REPLACE], _told("responseTransferMode", one_of("BUFFERED", "STREAM"))),
    Row("/timeoutInMillis", [REPLACE], setting("timeout_in_millis", _milliseconds)),
    Row("/tlsConfig/insecureSkipVerification", [REPLACE], _set_verification),
    Row("/uri", [REPLACE], setting("uri")),
)
_NOT_OF_MOCKS: Final = frozenset({"/httpMethod", "/uri"})


def _update_integration(response: Any) -> str:
    _, method = _method(response)
    integration = method.method_integration
    if integration is None:
        raise NoIntegrationDefined
    operations = operations_of(response)
    for operation in operations:
        if integration.integration_type == "MOCK" and operation.get("path") in _NOT_OF_MOCKS:
            raise BadRequestException(
                f"Invalid patch path  '{operation['path']}' specified for op '{operation['op']}'. Please choose "
                "supported operations"
            )
    _INTEGRATIONS.apply(integration, operations, _check_integration)
    return json.dumps(integration.to_json())


def _check_integration(changed: Any) -> None:
    """AWS: what PutIntegration refuses."""
    kind, uri = changed.integration_type, changed.uri or ""
    if kind == "MOCK":
        return
    if not changed.http_method:
        raise BadRequestException("Enumeration value for HttpMethod must be non-empty")
    if kind in {"HTTP", "HTTP_PROXY"} and not re.match(r"https?://[^/]", uri):
        raise BadRequestException("Invalid HTTP endpoint specified for URI")
    if kind in {"AWS", "AWS_PROXY"}:
        if not re.match(r"arn:[a-z-]+:", uri):
            raise BadRequestException("Invalid ARN specified in the request")
        if not re.match(r"arn:[a-z-]+:apigateway:[a-zA-Z0-9-]+:[a-zA-Z0-9-.]+:(path|action)/", uri):
            raise BadRequestException("AWS ARN for integration must contain path or action")


_INTEGRATION_RESPONSES: Final = Table(
    Row("/contentHandling", [REPLACE], setting("content_handling", _HANDLING)),
    Row("/responseParameters/{}", ANY, of_map("response_parameters")),
    Row("/responseTemplates/{}", ANY, of_map("response_templates", optional())),
    Row("/selectionPattern", [REPLACE], setting("selection_pattern")),
)
_METHOD_RESPONSES: Final = Table(
    Row("/responseModels/{}", ANY, of_map("response_models")),
    Row("/responseParameters/{}", ANY, of_map("response_parameters", truth)),
)


def _update_integration_response(response: Any) -> str:
    _, method = _method(response)
    if method.method_integration is None:
        raise NoIntegrationDefined
    found = method.method_integration.get_integration_response(response.path.split("/")[9])
    _INTEGRATION_RESPONSES.apply(found, operations_of(response), anything)
    return json.dumps(found.to_json())


def _update_method_response(response: Any) -> str:
    _, method = _method(response)
    found = method.get_response(response.path.split("/")[8])
    if found is None:
        raise NotFoundException("Invalid Response status code specified")
    _METHOD_RESPONSES.apply(found, operations_of(response), anything)
    return json.dumps(found.to_json())


def _method(response: Any) -> tuple[Any, Any]:
    """The API and the method of a path."""
    parts = response.path.split("/")
    return response.backend.get_rest_api(parts[2]), response.backend.get_method(parts[2], parts[4], parts[6])


def _whole(original: Callable[..., Any]) -> Callable[..., Any]:
    """Put an integration with all that the request says of it."""

    def put(response: Any) -> Any:
        given: dict[str, Any] = msgspec.json.decode(response.body or b"{}")
        if given.get("timeoutInMillis") is not None:
            _milliseconds(str(given["timeoutInMillis"]))
        original(response)
        _, method = _method(response)
        integration = method.method_integration
        integration.cache_key_parameters = list(given.get("cacheKeyParameters") or ())
        integration.iamd_told = {name: given[name] for name in _TOLD if given.get(name)}
        return 201, {"status": 201}, json.dumps(integration.to_json())

    return put


def _telling(original: Callable[..., Any]) -> Callable[..., Any]:
    def told(integration: Any) -> dict[str, Any]:
        return {**original(integration), **getattr(integration, "iamd_told", {})}

    return told
