"""Models, request validators and gateway responses of REST APIs: what moto lets pass of them, and their patches.

AWS: API Gateway Developer Guide, "Data models for REST APIs" (models-mappings-models), "Gateway response types"
(supported-gateway-response-types); API Reference, "Patch operations".
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError
from moto.apigateway.exceptions import BadRequestException, ConflictException, NotFoundException
from moto.apigateway.models import APIGatewayBackend, GatewayResponse, RestAPI
from moto.apigateway.responses import APIGatewayResponse

from iamd.api_models import reference
from iamd.backend.replacement import always, replace, supply
from iamd.backend.rest_patches import (
    ANY,
    REPLACE,
    Row,
    Table,
    anything,
    of_map,
    operations_of,
    optional,
    setting,
    truth,
)

_NAME: Final = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_DRAFT: Final = "http://json-schema.org/draft-04/schema#"
BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = {
    "Empty": {"$schema": _DRAFT, "title": "Empty Schema", "type": "object"},
    "Error": {
        "$schema": _DRAFT,
        "title": "Error Schema",
        "type": "object",
        "properties": {"message": {"type": "string"}},
    },
}
"""The models that each API has without having made them, as AWS's console shows them."""
_KEYWORDS: Final = frozenset(
    {
        "$ref", "$schema", "additionalItems", "additionalProperties", "allOf", "anyOf", "default", "definitions",
        "dependencies", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "id", "items",
        "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
        "multipleOf", "not", "oneOf", "pattern", "patternProperties", "properties", "required", "title", "type",
        "uniqueItems",
    }
)  # fmt: skip
_OF_SCHEMAS: Final = ("definitions", "dependencies", "patternProperties", "properties")
_STATUSES: Final[Mapping[str, str | None]] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
_DEFAULT: Final = '{"message":$context.error.messageString}'


def install() -> None:
    """Have models be schemas, validators and gateway responses be told, and all of them be patched."""
    replace(APIGatewayBackend, "create_model", _created)
    replace(APIGatewayBackend, "delete_model", _unless_used)
    replace(RestAPI, "create_request_validator", _validating)
    replace(RestAPI, "get_request_validator", always(_validator))
    replace(RestAPI, "delete_request_validator", always(_delete_validator))
    replace(APIGatewayResponse, "update_request_validator", always(_update_validator))
    replace(RestAPI, "get_gateway_response", always(_gateway_response))
    replace(RestAPI, "get_gateway_responses", always(_gateway_responses))
    replace(APIGatewayBackend, "put_gateway_response", _known)
    supply(APIGatewayResponse, "update_model", _update_model)
    supply(APIGatewayResponse, "update_gateway_response", _update_gateway_response)


def add_built_in(api: Any) -> None:
    """Give an API the models that each one has."""
    for name, schema in BUILT_IN.items():
        api.add_model(name, f"This is a default {name.lower()} schema model", json.dumps(schema), "application/json")


# Models.


def _created(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a model that is a schema, under a name that is none's yet."""

    def created(
        backend: Any, rest_api_id: str, name: str, content_type: str, description: str | None, schema: str | None
    ) -> Any:
        api = backend.get_rest_api(rest_api_id)
        if name and not _NAME.fullmatch(name):
            raise BadRequestException(f"Model name must be alphanumeric: {name}")
        if name in api.models:
            raise ConflictException("Model name already exists for this REST API")
        check_schema(api, schema, name)
        return original(backend, rest_api_id, name, content_type, description, schema)

    return created


def check_schema(api: Any, text: str | None, name: str) -> None:
    """Refuse what is no JSON schema of draft 4, by which API Gateway goes, and what refers to no model of the API.

    AWS: its words, as clients report them; of keywords that it does not know it names each.
    """
    if not text:
        raise BadRequestException("Model schema must have at least 1 property or array items defined")
    try:
        schema = msgspec.json.decode(text)
        Draft4Validator.check_schema(schema)
    except (msgspec.DecodeError, SchemaError, RecursionError):
        raise _invalid("") from None
    unknown = sorted(set(_unknown(schema)))
    if not isinstance(schema, dict) or unknown:
        raise _invalid(f". Unsupported keyword(s): {json.dumps(unknown)}" if unknown else "")
    known = {reference(api.id, one) for one in (*api.models, *BUILT_IN, name)}
    for told in _references(schema):
        if not told.startswith("#") and told.partition("#")[0] not in known:
            raise BadRequestException(
                "Invalid model specified: Validation Result: warnings : [], errors : [Model reference must be in "
                "canonical form]"
            )


def _references(value: Any) -> Iterator[str]:
    """What a schema refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


def _invalid(more: str) -> BadRequestException:
    return BadRequestException(
        f"Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified{more}]"
    )


def _unknown(schema: Any) -> list[str]:
    """The keywords of a schema, and of those in it, that draft 4 has not."""
    if not isinstance(schema, dict):
        return []
    found = [name for name in schema if name not in _KEYWORDS]
    inner: list[Any] = [one for name in _OF_SCHEMAS for one in (schema.get(name) or {}).values()]
    inner += [one for name in ("allOf", "anyOf", "oneOf") for one in schema.get(name) or ()]
    inner += [schema.get(name) for name in ("additionalItems", "additionalProperties", "not")]
    items = schema.get("items")
    inner += items if isinstance(items, list) else [items]
    return found + [name for one in inner for name in _unknown(one)]


def _unless_used(original: Callable[..., Any]) -> Callable[..., Any]:
    """Delete a model that no method names."""

    def deleted(backend: Any, rest_api_id: str, name: str) -> Any:
        for resource in backend.get_rest_api(rest_api_id).resources.values():
            for method in resource.resource_methods.values():
                answers = [one.response_models for one in method.method_responses.values()]
                if any(name in (models or {}).values() for models in (method.request_models, *answers)):
                    raise ConflictException(f"Cannot delete model '{name}', it is used by a method")
        return original(backend, rest_api_id, name)

    return deleted


_MODELS: Final = Table(
    Row("/description", [REPLACE], setting("description")),
    Row("/schema", [REPLACE], setting("schema")),
)


def _update_model(response: Any) -> str:
    parts = response.path.split("/")
    api, model = response.backend.get_rest_api(parts[2]), response.backend.get_model(parts[2], parts[4])
    _MODELS.apply(model, operations_of(response), lambda changed: check_schema(api, changed.schema, model.name))
    return json.dumps(model.to_json())


# Request validators.


_VALIDATORS: Final = Table(
    Row("/name", [REPLACE], setting("name")),
    Row("/validateRequestBody", [REPLACE], setting("validate_request_body", truth)),
    Row("/validateRequestParameters", [REPLACE], setting("validate_request_parameters", truth)),
)


def _validating(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a validator that does not look at what it is not asked to look at."""

    def made(api: Any, name: str, validateRequestBody: bool | None, validateRequestParameters: bool | None) -> Any:  # noqa: N803 - as moto hands them over
        return original(api, name, bool(validateRequestBody), bool(validateRequestParameters))

    return made


def _update_validator(response: Any) -> str:
    parts = response.path.split("/")
    validator = response.backend.get_request_validator(parts[2], parts[4])
    _VALIDATORS.apply(validator, operations_of(response), anything)
    return json.dumps(validator.to_dict())


def _delete_validator(api: Any, validator_id: str) -> Any:
    """Delete a validator; methods that name it are not deployed with it any more, and answer nobody then."""
    _validator(api, validator_id)
    return api.request_validators.pop(validator_id)


def _validator(api: Any, validator_id: str) -> Any:
    found = api.request_validators.get(validator_id)
    if found is None:
        raise NotFoundException("Invalid Request Validator identifier specified")
    return found


# Gateway responses.


def _default(kind: str) -> Any:
    """The gateway response of a kind that an API has no own of."""
    if kind not in _STATUSES:
        raise BadRequestException(f"Invalid response type specified: {kind}")
    status: Any = _STATUSES[kind]
    found = GatewayResponse(kind, status, {}, {"application/json": _DEFAULT})
    found.default_response = True
    return found


def _gateway_response(api: Any, kind: str) -> Any:
    return api.gateway_responses.get(kind) or _default(kind)


def _gateway_responses(api: Any) -> list[Any]:
    return [_gateway_response(api, kind) for kind in _STATUSES]


def _known(original: Callable[..., Any]) -> Callable[..., Any]:
    """Put a gateway response of a kind that there is."""

    def put(backend: Any, rest_api_id: str, response_type: str, *given: Any, **named: Any) -> Any:
        _default(response_type)
        return original(backend, rest_api_id, response_type, *given, **named)

    return put


def _status(value: str) -> str:
    if not re.fullmatch(r"[1-5][0-9]{2}", value, re.ASCII):
        raise BadRequestException(f"Invalid status code specified: {value}")
    return value


_GATEWAY_RESPONSES: Final = Table(
    Row("/responseParameters/{}", ANY, of_map("response_parameters")),
    Row("/responseTemplates/{}", ANY, of_map("response_templates")),
    Row("/statusCode", [REPLACE], setting("status_code", optional(_status))),
)


def _update_gateway_response(response: Any) -> str:
    """Change one that the API has, or make it the API's own."""
    parts = response.path.split("/")
    api = response.backend.get_rest_api(parts[2])
    changed = copy.copy(_gateway_response(api, parts[4]))
    _GATEWAY_RESPONSES.apply(changed, operations_of(response), anything)
    changed.default_response = False
    api.gateway_responses[parts[4]] = changed
    return json.dumps(changed.to_json())
