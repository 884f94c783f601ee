"""OpenAPI definitions of REST APIs: what is made of one, or why nothing is.

AWS: API Gateway Developer Guide, "Develop REST APIs using OpenAPI in API Gateway" (api-gateway-import-api), the pages
of its extensions (api-gateway-swagger-extensions), "Set the OpenAPI basePath property"
(api-gateway-import-api-basePath).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from iamd.api_variables import resolved
from iamd.arn import PARTITION
from iamd.backend import rest_integrations as integrations
from iamd.backend import rest_security as security
from iamd.backend.open_api_values import Invalid, listed, mapping, number, one_of, text, texts, truth
from iamd.backend.rest_values import members

_ANY: Final = "x-amazon-apigateway-any-method"
_BINARY: Final = "x-amazon-apigateway-binary-media-types"
_ENDPOINT: Final = "x-amazon-apigateway-endpoint-configuration"
_KEYS: Final = "x-amazon-apigateway-api-key-source"
_POLICY: Final = "x-amazon-apigateway-policy"
_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
_SIZE: Final = "x-amazon-apigateway-minimum-compression-size"
_VALIDATOR: Final = "x-amazon-apigateway-request-validator"
_VALIDATORS: Final = "x-amazon-apigateway-request-validators"
_OWN: Final = frozenset({_BINARY, _KEYS, _POLICY, _RESPONSES, _SIZE, _VALIDATOR, _VALIDATORS})
_TWO: Final = frozenset(
    {
        "basePath", "consumes", "definitions", "externalDocs", "host", "info", "parameters", "paths", "produces",
        "responses", "schemes", "securityDefinitions", "swagger", "tags", _ENDPOINT, *_OWN,
    }
)  # fmt: skip
_THREE: Final = frozenset(
    {"components", "externalDocs", "info", "openapi", "paths", "servers", "tags", _ENDPOINT, *_OWN}
)
_METHODS: Final = {
    **{name: name.upper() for name in ("delete", "get", "head", "options", "patch", "post", "put")},
    _ANY: "ANY",
}
_PATH_ITEM: Final = frozenset({"description", "parameters", "servers", "summary", *_METHODS})
_OPERATION: Final = frozenset(
    {
        "callbacks", "consumes", "deprecated", "description", "externalDocs", "operationId", "parameters", "produces",
        "requestBody", "responses", "schemes", "security", "servers", "summary", "tags", integrations.NAME,
        security.AUTH, _VALIDATOR,
    }
)  # fmt: skip
_PART: Final = re.compile(r"\{?[a-zA-Z0-9._:-]+\+?\}?")
_JSON: Final = "application/json"
_PLACES: Final = {"header": "header", "path": "path", "query": "querystring"}


@dataclass(slots=True)
class Method:
    """A method of a path, with the parameters of PutMethod and of what belongs to it, as moto calls them.

    `models` are schemas of bodies by their content types.
    """

    name: str
    authorization: security.Asked
    operation: str | None
    validator: str | None
    parameters: dict[str, bool]
    models: dict[str, Any]
    integration: integrations.Read | None
    responses: dict[str, dict[str, bool]]


@dataclass(slots=True)
class Definition:
    """What a definition makes of an API; None for what it does not say."""

    name: str
    version: str | None
    description: str | None
    policy: str | None = None
    key_source: str | None = None
    binary: list[str] | None = None
    size: int | None = None
    endpoint: dict[str, Any] | None = None
    is_disabled: bool | None = None
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    validators: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    gateway_responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, list[Method]] = field(default_factory=dict)


def read(body: str, base_path: str, account: str, region: str) -> Definition:
    """The definition in a text of JSON; Invalid when it is none, or has what iamd makes no API of."""
    root = _root(body, account, region)
    is_two = "swagger" in root
    information = mapping(root.get("info"), "info")
    components = root if is_two else mapping(root.get("components", {}), "components")
    schemes_at, models_at = ("securityDefinitions", "definitions") if is_two else ("securitySchemes", "schemas")
    schemes = security.Schemes(components.get(schemes_at, {}), schemes_at)
    found = Definition(
        name=text(information.get("title"), "info.title", 1024),
        version=text(information["version"], "info.version", 64) if information.get("version") else None,
        description=str(information["description"]) if information.get("description") else None,
        authorizers=schemes.authorizers,
        models=dict(mapping(components.get(models_at, {}), models_at)),
    )
    _read_own(found, root)
    _read_endpoint(found, root)
    prefix = _prefix(root, base_path)
    for path, item in mapping(root.get("paths"), "paths").items():
        where = f"paths.'{path}'"
        methods = list(_methods(members(item, where, _PATH_ITEM), where, schemes, root))
        whole = _checked(f"{prefix}{path}", where)
        if whole in found.paths:
            raise Invalid(where, "is there once more.")
        found.paths[whole] = methods
    for methods in found.paths.values():
        for method in methods:
            if method.validator is not None and method.validator not in found.validators:
                raise Invalid(_VALIDATOR, f"{method.validator} is none of {_VALIDATORS}.")
    return found


def _root(body: str, account: str, region: str) -> Mapping[str, Any]:
    try:
        decoded = resolved(msgspec.json.decode(body), account, PARTITION, region)
    except msgspec.DecodeError:
        raise Invalid("the text", "is no JSON.") from None
    given = mapping(decoded, "the definition")
    if given.get("swagger") == "2.0" and "openapi" not in given:
        return members(given, "", _TWO)
    version = given.get("openapi")
    if "swagger" in given or not isinstance(version, str) or not version.startswith("3.0."):
        # AWS: OpenAPI 2.0 and 3.0 (api-gateway-import-api).
        raise Invalid("openapi", "must be a version 3.0.x, or swagger 2.0.")
    # SECURITY: of `security` at the root nothing would come: a method is what itself asks for.
    return members(given, "", _THREE)


def _read_own(found: Definition, root: Mapping[str, Any]) -> None:
    """What API Gateway's extensions say of the API as a whole."""
    if _POLICY in root:
        found.policy = json.dumps(mapping(root[_POLICY], _POLICY))
    if _KEYS in root:
        found.key_source = one_of(root[_KEYS], _KEYS, frozenset({"AUTHORIZER", "HEADER"}))
    if _BINARY in root:
        found.binary = [one.replace("~1", "/") for one in texts(root[_BINARY], _BINARY)]
    if _SIZE in root:
        found.size = number(root[_SIZE], _SIZE, 0, 10_485_760)
    for name, one in mapping(root.get(_VALIDATORS, {}), _VALIDATORS).items():
        where = f"{_VALIDATORS}.{name}"
        given = members(one, where, frozenset({"validateRequestBody", "validateRequestParameters"}))
        found.validators[name] = (
            truth(given.get("validateRequestBody", False), f"{where}.validateRequestBody"),
            truth(given.get("validateRequestParameters", False), f"{where}.validateRequestParameters"),
        )
    for name, one in mapping(root.get(_RESPONSES, {}), _RESPONSES).items():
        where = f"{_RESPONSES}.{name}"
        given = members(one, where, frozenset({"responseParameters", "responseTemplates", "statusCode"}))
        found.gateway_responses[name] = {
            "status_code": str(given["statusCode"]) if given.get("statusCode") is not None else None,
            "response_parameters": dict(mapping(given.get("responseParameters", {}), f"{where}.responseParameters")),
            "response_templates": dict(mapping(given.get("responseTemplates", {}), f"{where}.responseTemplates")),
        }


def _read_endpoint(found: Definition, root: Mapping[str, Any]) -> None:
    """AWS: the extension stands at the root, or in OpenAPI 3 in a server."""
    places = [(root[_ENDPOINT], _ENDPOINT)] if _ENDPOINT in root else []
    for index, server in enumerate(listed(root.get("servers", []), "servers")):
        given = members(server, f"servers[{index}]", frozenset({"description", "url", "variables", _ENDPOINT}))
        if _ENDPOINT in given:
            places.append((given[_ENDPOINT], f"servers[{index}].{_ENDPOINT}"))
    if len(places) > 1:
        raise Invalid(places[1][1], f"is there once more: {_ENDPOINT} must be told once.")
    for value, where in places:
        given = members(value, where, frozenset({"disableExecuteApiEndpoint", "types", "vpcEndpointIds"}))
        if "disableExecuteApiEndpoint" in given:
            disabled = given["disableExecuteApiEndpoint"]
            found.is_disabled = truth(disabled, f"{where}.disableExecuteApiEndpoint")
        if "types" in given:
            found.endpoint = {name: texts(given[name], f"{where}.{name}") for name in given if name.endswith("s")}


def _prefix(root: Mapping[str, Any], base_path: str) -> str:
    """What precedes each path: nothing, the base path (prepend), or that without its first part (split)."""
    if base_path == "ignore":
        return ""
    if base_path not in {"prepend", "split"}:
        raise Invalid("basepath", "must be one of ignore, prepend, split.")
    given = root.get("basePath", "")
    for server in listed(root.get("servers", []), "servers")[:1]:
        variables = mapping(mapping(server, "servers[0]").get("variables", {}), "servers[0].variables")
        given = mapping(variables.get("basePath", {}), "servers[0].variables.basePath").get("default", "")
    parts = [part for part in str(given).split("/") if part]
    return "".join(f"/{part}" for part in (parts if base_path == "prepend" else parts[1:]))


def _checked(path: str, place: str) -> str:
    plain = path.rstrip("/") or "/"
    if not path.startswith("/") or not all(_PART.fullmatch(part) for part in plain.split("/")[1:] if plain != "/"):
        raise Invalid(place, "is no path of resources.")
    return plain


def _methods(
    item: Mapping[str, Any], place: str, schemes: security.Schemes, root: Mapping[str, Any]
) -> Iterator[Method]:
    shared = listed(item.get("parameters", []), f"{place}.parameters")
    for name, value in item.items():
        if name not in _METHODS:
            continue
        where = f"{place}({name})"
        operation = members(value, where, _OPERATION)
        validator = operation.get(_VALIDATOR, root.get(_VALIDATOR))
        given = operation.get(integrations.NAME)
        parameters = [*shared, *listed(operation.get("parameters", []), f"{where}.parameters")]
        yield Method(
            name=_METHODS[name],
            authorization=schemes.of(operation, where),
            operation=text(operation["operationId"], f"{where}.operationId") if "operationId" in operation else None,
            validator=text(validator, f"{where}.{_VALIDATOR}") if validator is not None else None,
            parameters=_parameters(parameters, root),
            models=_bodies(operation, parameters, root, where),
            integration=integrations.read(given, f"{where}.{integrations.NAME}") if given is not None else None,
            responses=_answers(mapping(operation.get("responses", {}), f"{where}.responses"), where),
        )


def _parameters(given: list[Any], root: Mapping[str, Any]) -> dict[str, bool]:
    """The parameters of requests, and whether they are required."""
    found = {}
    for one in given:
        parameter = _referred(one, root)
        place, name = _PLACES.get(str(parameter.get("in"))), parameter.get("name")
        if place is not None and isinstance(name, str):
            found[f"method.request.{place}.{name}"] = parameter.get("required") is True
    return found


def _bodies(operation: Mapping[str, Any], parameters: list[Any], root: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The schemas of bodies by their content types; in OpenAPI 2 one parameter is the body of all that is consumed."""
    if "swagger" not in root:
        given = _referred(operation.get("requestBody", {}), root)
        content = mapping(given.get("content", {}), f"{place}.requestBody.content")
        return {kind: one["schema"] for kind, one in content.items() if isinstance(one, Mapping) and "schema" in one}
    kinds = texts(operation.get("consumes", root.get("consumes", [_JSON])), f"{place}.consumes")
    bodies = [one for one in (_referred(value, root) for value in parameters) if one.get("in") == "body"]
    return {kind: body["schema"] for body in bodies if "schema" in body for kind in kinds}


def _referred(value: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands there, or what it refers to; nothing for what refers to what is not there."""
    found: Any = mapping(value, "parameters")
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found = root
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _answers(given: Mapping[str, Any], place: str) -> dict[str, dict[str, bool]]:
    """The statuses that a method may answer, each with the headers that it may have."""
    found = {}
    for status, one in given.items():
        headers = mapping(mapping(one, f"{place}.responses.{status}").get("headers", {}), f"{place}.responses.{status}")
        if status.isascii() and status.isdigit():
            found[status] = {f"method.response.header.{name}": False for name in headers}
    return found
