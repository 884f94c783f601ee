"""OpenAPI definitions of HTTP APIs: what is made of one, or why nothing is.

AWS: API Gateway Developer Guide, "Use OpenAPI definitions for HTTP APIs" (http-api-open-api) and the pages of its
extensions; "Set the OpenAPI basePath property"; "AWS variables for OpenAPI import". Of what OpenAPI has besides, for
people and for the validation of requests, HTTP APIs have nothing, and AWS imports them without it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from iamd.api_variables import resolved
from iamd.arn import PARTITION
from iamd.backend import open_api_integrations as integrations
from iamd.backend import open_api_security as security
from iamd.backend.open_api_values import (
    Invalid,
    listed,
    mapping,
    members,
    number,
    text,
    texts,
    truth,
)

_ANY: Final = "x-amazon-apigateway-any-method"
_CORS: Final = "x-amazon-apigateway-cors"
_ENDPOINT: Final = "x-amazon-apigateway-endpoint-configuration"
_IMPORT_VERSION: Final = "x-amazon-apigateway-importexport-version"
_TAG_VALUE: Final = "x-amazon-apigateway-tag-value"
_DEFAULT: Final = "$default"

_ROOT: Final = frozenset(
    {"components", "externalDocs", "info", "openapi", "paths", "servers", "tags", _CORS, _IMPORT_VERSION}
)
_INFO: Final = frozenset({"contact", "description", "license", "summary", "termsOfService", "title", "version"})
_COMPONENTS: Final = frozenset(
    {
        "callbacks", "examples", "headers", "links", "parameters", "requestBodies", "responses", "schemas",
        "securitySchemes", integrations.SHARED,
    }
)  # fmt: skip
_METHODS: Final = {
    **{name: name.upper() for name in ("delete", "get", "head", "options", "patch", "post", "put")},
    _ANY: "ANY",
}
_PATH_ITEM: Final = frozenset({"description", "parameters", "servers", "summary", *_METHODS})
_OPERATION: Final = frozenset(
    {
        "callbacks", "deprecated", "description", "externalDocs", "isDefaultRoute", "operationId", "parameters",
        "requestBody", "responses", "security", "servers", "summary", "tags", integrations.NAME, security.AUTH,
    }
)  # fmt: skip
_PATH: Final = re.compile(r"/[^\s?#]*")


@dataclass(frozen=True, slots=True)
class Route:
    """A route: `integration` is one of the definition's, by its place among them."""

    key: str
    integration: int
    authorization: str
    authorizer: str | None
    scopes: list[str]
    operation: str | None


@dataclass(slots=True)
class Definition:
    """What a definition makes of an API; members of its parts are called as the service has them."""

    name: str
    version: str | None
    description: str | None
    cors: dict[str, Any] | None
    tags: dict[str, str]
    is_endpoint_disabled: bool
    authorizers: dict[str, dict[str, Any]]
    integrations: list[dict[str, Any]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read(body: str, base_path: str, account: str, region: str) -> Definition:
    """The definition in a text of JSON; Invalid when it is none, or has what iamd makes no API of."""
    root = _root(body, account, region)
    information = members(root.get("info"), "info", _INFO)
    components = members(root.get("components", {}), "components", _COMPONENTS)
    servers = listed(root.get("servers", []), "servers")
    schemes = security.Schemes(components.get("securitySchemes", {}), "components.securitySchemes")
    found = Definition(
        name=text(information.get("title"), "info.title", 128),
        version=_optional(information, "version", "info.version", 64),
        description=_optional(information, "description", "info.description", 1024),
        cors=_cors(root[_CORS]) if _CORS in root else None,
        tags=_tags(root.get("tags", [])),
        is_endpoint_disabled=_is_disabled(servers),
        authorizers=schemes.authorizers,
    )
    found.warnings += _missing(root, root, "")
    _Paths(found, schemes, components, _prefix(servers, base_path)).read(root.get("paths"))
    return found


def _root(body: str, account: str, region: str) -> Mapping[str, Any]:
    try:
        decoded = resolved(msgspec.json.decode(body), account, PARTITION, region)
    except msgspec.DecodeError:
        raise Invalid("the text", "is no JSON.") from None
    version = mapping(decoded, "the definition").get("openapi")
    if not isinstance(version, str) or not version.startswith("3.0."):
        # AWS: "HTTP APIs support only the OpenAPI 3.0 specification".
        raise Invalid("openapi", "must be a version 3.0.x of OpenAPI.")
    root = members(decoded, "", _ROOT)
    if str(root.get(_IMPORT_VERSION, "1.0")) != "1.0":
        # AWS: "Currently, the only supported value is 1.0" (api-gateway-extensions-importexport-version).
        raise Invalid(_IMPORT_VERSION, "must be 1.0.")
    return root


def _optional(given: Mapping[str, Any], name: str, place: str, longest: int) -> str | None:
    return text(given[name], place, longest) if given.get(name) not in (None, "") else None


def _cors(value: Any) -> dict[str, Any]:
    lists = ("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders")
    given = members(value, _CORS, frozenset({"allowCredentials", "maxAge", *lists}))
    found: dict[str, Any] = {name: texts(given[name], f"{_CORS}.{name}") for name in lists if name in given}
    if "allowCredentials" in given:
        found["allowCredentials"] = truth(given["allowCredentials"], f"{_CORS}.allowCredentials")
    if "maxAge" in given:
        # AWS: IntegerWithLengthBetweenMinus1And86400 (API Reference of HTTP APIs, "Cors").
        found["maxAge"] = number(given["maxAge"], f"{_CORS}.maxAge", -1, 86_400)
    return found


def _tags(value: Any) -> dict[str, str]:
    """AWS: a tag without a value has an empty one (api-gateway-openapi-extensions-x-amazon-apigateway-tag-value)."""
    found: dict[str, str] = {}
    for index, one in enumerate(listed(value, "tags")):
        given = members(one, f"tags[{index}]", frozenset({"description", "externalDocs", "name", _TAG_VALUE}))
        name = text(given.get("name"), f"tags[{index}].name", 128)
        if name in found:
            raise Invalid(f"tags[{index}].name", "is that of another tag.")
        tag_value = given.get(_TAG_VALUE, "")
        found[name] = text(tag_value, f"tags[{index}].{_TAG_VALUE}", 256) if tag_value != "" else ""
    return found


def _is_disabled(servers: list[Any]) -> bool:
    """Whether the endpoint of API Gateway's own is closed; AWS: in OpenAPI 3 the extension stands in a server."""
    said = set()
    for index, one in enumerate(servers):
        place = f"servers[{index}]"
        given = members(one, place, frozenset({"description", "url", "variables", _ENDPOINT}))
        if _ENDPOINT in given:
            where = f"{place}.{_ENDPOINT}"
            endpoint = members(given[_ENDPOINT], where, frozenset({"disableExecuteApiEndpoint"}))
            said.add(truth(endpoint.get("disableExecuteApiEndpoint", False), f"{where}.disableExecuteApiEndpoint"))
    if len(said) > 1:
        raise Invalid("servers", f"say different things of {_ENDPOINT}.")
    return True in said


def _prefix(servers: list[Any], base_path: str) -> str:
    """What precedes each path: nothing, the base path (prepend), or that without its first part (split)."""
    if base_path == "ignore":
        return ""
    if base_path not in {"prepend", "split"}:
        raise Invalid("basepath", "must be one of ignore, prepend, split.")
    if not servers:
        return ""
    variables = mapping(servers[0].get("variables", {}), "servers[0].variables")
    variable = mapping(variables.get("basePath", {}), "servers[0].variables.basePath")
    parts = text(variable.get("default"), "servers[0].variables.basePath.default").strip("/").split("/")
    return "".join(f"/{part}" for part in (parts if base_path == "prepend" else parts[1:]))


def _missing(value: Any, root: Mapping[str, Any], place: str) -> Iterator[str]:
    """What refers to a part of the definition that is not there: AWS warns of it."""
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str) and not _is_there(root, reference):
            yield f"Parse issue: attribute {place}.{reference} is missing"
        for name, one in value.items():
            yield from _missing(one, root, _within(place, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _missing(one, root, f"{place}[{index}]")


def _within(place: str, name: str) -> str:
    """The place of a member."""
    if place == "paths":
        return f"paths.'{name}'"
    if place.endswith("'") and name in _METHODS:
        return f"{place}({name})"
    return f"{place}.{name}".removeprefix(".")


def _is_there(root: Mapping[str, Any], reference: str) -> bool:
    if not reference.startswith("#/"):
        return True
    found: Any = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            return False
        found = found[name]
    return True


class _Paths:
    """Reads the paths of a definition, which have its routes and integrations."""

    def __init__(
        self, found: Definition, schemes: security.Schemes, components: Mapping[str, Any], prefix: str
    ) -> None:
        self._found, self._schemes, self._prefix = found, schemes, prefix
        shared = mapping(components.get(integrations.SHARED, {}), f"components.{integrations.SHARED}")
        self._shared: dict[str, int] = {}
        for name, one in shared.items():
            self._shared[name] = self._add(one, f"components.{integrations.SHARED}.{name}")

    def _add(self, value: Any, place: str) -> int:
        self._found.integrations.append(integrations.integration(value, place))
        return len(self._found.integrations) - 1

    def read(self, paths: Any) -> None:
        """Read them all."""
        for path, item in mapping(paths, "paths").items():
            if path == _DEFAULT:
                # AWS's words (SAM's issue 2297).
                self._found.warnings.append(f"Parse issue: attribute paths. Resource {path} should start with /")
            for name, operation in members(item, f"paths.'{path}'", _PATH_ITEM).items():
                if name in _METHODS:
                    self._read_operation(path, name, operation)

    def _read_operation(self, path: str, method: str, value: Any) -> None:
        place = f"paths.'{path}'({method})"
        operation = members(value, place, _OPERATION)
        authorization, authorizer, scopes = self._schemes.of(operation, place)
        route = Route(
            key=self._key(path, method, operation, place),
            integration=self._integration(operation, f"{place}.{integrations.NAME}"),
            authorization=authorization,
            authorizer=authorizer,
            scopes=scopes,
            operation=_optional(operation, "operationId", f"{place}.operationId", 64),
        )
        if any(one.key == route.key for one in self._found.routes):
            raise Invalid(place, f"is the route {route.key} once more.")
        self._found.routes.append(route)

    def _integration(self, operation: Mapping[str, Any], place: str) -> int:
        if integrations.NAME not in operation:
            raise Invalid(place, "is required.")
        value = operation[integrations.NAME]
        name = integrations.shared_name(value, place)
        if name is None:
            return self._add(value, place)
        if name not in self._shared:
            raise Invalid(f"{place}.$ref", "names no integration.")
        return self._shared[name]

    def _key(self, path: str, method: str, operation: Mapping[str, Any], place: str) -> str:
        """AWS: isDefaultRoute makes the route of all other requests (api-gateway-swagger-extensions-any-method)."""
        is_default = truth(operation.get("isDefaultRoute", False), f"{place}.isDefaultRoute")
        is_named_so = path.removeprefix("/") == _DEFAULT
        if is_default != is_named_so or (is_default and method != _ANY):
            raise Invalid(f"{place}.isDefaultRoute", f"is true for {_ANY} of /$default, and nowhere else.")
        if is_default:
            return _DEFAULT
        if not _PATH.fullmatch(path):
            raise Invalid(f"paths.'{path}'", "must start with / and have no blanks.")
        return f"{_METHODS[method]} {self._prefix}{path}"
