"""REST APIs as they are deployed to a stage, and which method of which resource a request is for.

AWS: API Gateway Developer Guide, "Set up API resources" (api-gateway-method-settings-method-request): a resource takes
precedence over a generic one beside it, which then stands for nothing at or below that resource.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from iamd.arn import PARTITION

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""AWS: those that ANY stands for."""
_ANY: Final = "ANY"


class IntegrationResponse(msgspec.Struct, frozen=True, rename="camel"):
    """What is made of what an integration answers."""

    status_code: str
    selection_pattern: str | None = None
    response_templates: Mapping[str, str | None] | None = None
    response_parameters: Mapping[str, str] | None = None
    content_handling: str | None = None


class Integration(msgspec.Struct, frozen=True, rename="camel"):
    """What answers."""

    type: str | None = None
    uri: str | None = None
    http_method: str | None = None
    credentials: str | None = None
    connection_type: str | None = None
    passthrough_behavior: str | None = None
    request_parameters: Mapping[str, Any] | None = None
    request_templates: Mapping[str, str | None] | None = None
    timeout_in_millis: int | None = None
    tls_config: Mapping[str, Any] | None = None
    content_handling: str | None = None
    response_transfer_mode: str | None = None
    integration_responses: Mapping[str, IntegrationResponse] | None = None


class Method(msgspec.Struct, frozen=True, rename="camel"):
    """A method of a resource; `http_method` may be ANY."""

    http_method: str
    authorization_type: str | None = None
    authorizer_id: str | None = None
    authorization_scopes: list[str] | None = None
    api_key_required: bool | None = None
    request_validator_id: str | None = None
    request_models: Mapping[str, str] | None = None
    request_parameters: Mapping[str, bool] | None = None
    method_integration: Integration | None = None


class Resource(msgspec.Struct, frozen=True):
    """A path with its methods."""

    id: str
    path: str
    methods: list[Method]


class Authorizer(msgspec.Struct, frozen=True, rename={
    "authorizer_uri": "authorizerUri",
    "authorizer_credentials": "authorizerCredentials",
    "authorizer_result_ttl_in_seconds": "authorizerResultTtlInSeconds",
    "identity_source": "identitySource",
    "identity_validation_expression": "identityValidationExpression",
    "provider_arns": "providerARNs",
}):  # fmt: skip
    """What decides who may use a method."""

    id: str
    type: str | None = None
    authorizer_uri: str | None = None
    authorizer_credentials: str | None = None
    authorizer_result_ttl_in_seconds: int | None = None
    identity_source: str | None = None
    identity_validation_expression: str | None = None
    provider_arns: list[str] | None = None


class Validator(msgspec.Struct, frozen=True, rename="camel"):
    """What of requests to a method is looked at."""

    id: str
    validate_request_body: bool = False
    validate_request_parameters: bool = False


class GatewayResponse(msgspec.Struct, frozen=True, rename="camel"):
    """What API Gateway answers of its own accord, as an API has it."""

    response_type: str
    status_code: str | int | None = None
    response_parameters: Mapping[str, str] | None = None
    response_templates: Mapping[str, str | None] | None = None


class Deployment(msgspec.Struct, frozen=True, rename="camel", dict=True):
    """A snapshot of an API; `principals` are the unique ids of the users and roles that its policy names."""

    id: str
    token: str
    policy: str | None
    principals: Mapping[str, str]
    api_key_source: str
    binary_media_types: list[str]
    endpoint_types: list[str]
    gateway_responses: list[GatewayResponse]
    authorizers: list[Authorizer]
    models: Mapping[str, str]
    validators: list[Validator]
    resources: list[Resource]

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """The models that bodies were held against, by their names, as they are done with."""
        return {}

    @cached_property
    def tree(self) -> "Node":
        """The resources by the parts of their paths."""
        root = Node()
        for resource in self.resources:
            node = root
            for part in _parts(resource.path):
                node = node.children.setdefault(part, Node())
            node.resource = resource
        return root

    def authorizer_of(self, method: Method) -> Authorizer | None:
        """What decides who may use a method."""
        return next((one for one in self.authorizers if one.id == method.authorizer_id), None)


class Node:
    """A resource in the tree of an API, None where there is none at a path, and those below it."""

    def __init__(self) -> None:
        self.resource: Resource | None = None
        self.children: dict[str, Node] = {}

    def variable(self, *, greedy: bool) -> tuple[str, "Node"] | None:
        """The child that stands for any part, or for all that follows, with the variable's name."""
        for part, child in self.children.items():
            if part.startswith("{") and part.endswith("+}") is greedy:
                return part[1:-1].removesuffix("+"), child
        return None


class Limits(msgspec.Struct, frozen=True, rename="camel"):
    """How fast somebody may ask: requests in a second, and how many at once."""

    rate_limit: float | None = None
    burst_limit: int | None = None


class Quota(msgspec.Struct, frozen=True):
    """How many requests there may be in a period, which begins on the day that the offset says."""

    limit: int
    period: str
    offset: int = 0


class Key(msgspec.Struct, frozen=True):
    """An API key of a usage plan that a stage is in, with what the plan lets it ask for; `methods` are those alone.

    A method is named by its path and its own name, `/pets/GET`.
    """

    id: str
    value: str
    plan: str
    throttle: Limits | None
    quota: Quota | None
    methods: Mapping[str, Limits]


class Stage(msgspec.Struct, frozen=True):
    """A stage with what is deployed to it, which may not be told a second time."""

    name: str
    variables: Mapping[str, str]
    token: str
    deployment: Deployment | None
    keys: list[Key]


class RestApi(msgspec.Struct, frozen=True, rename="camel"):
    """A REST API with the stage that a request names; None when it has no such stage."""

    id: str
    account: str
    region: str
    is_disabled: bool
    stage: Stage | None

    @property
    def arn(self) -> str:
        """What the ARNs of its stages, methods and authorizers begin with."""
        return f"arn:{PARTITION}:execute-api:{self.region}:{self.account}:{self.id}"


class Found(msgspec.Struct, frozen=True):
    """What a request is for; `path` is decoded and without the stage, `raw` as it came."""

    api: RestApi
    stage: Stage
    deployment: Deployment
    resource: Resource
    route: Method
    method: str
    path: str
    raw: str
    parameters: Mapping[str, str]

    @property
    def whole_path(self) -> str:
        """The path with the stage."""
        return f"/{self.stage.name}{self.path}"

    @property
    def arn(self) -> str:
        """What is invoked, as policies call it: with the method and path of the request."""
        return self._arn(self.path)

    @property
    def arns(self) -> list[str]:
        """The same in every spelling that a policy could mean: all of them must be allowed.

        As it came, where a slash of the path was within a part of it, and without a slash at its end.
        """
        paths = [self.path]
        if self.raw.count("/") != self.path.count("/"):
            paths.append(self.raw)
        if self.path != "/":
            paths += [path.rstrip("/") for path in paths]
        return list(dict.fromkeys(map(self._arn, paths)))

    def _arn(self, path: str) -> str:
        return f"{self.api.arn}/{self.stage.name}/{self.method}{path}"

    @property
    def source_arns(self) -> list[str]:
        """The method as the policies of functions call it.

        AWS: with the resource's own path, and `*` for a variable (what SAM, CDK and the console write); of ANY the
        pages don't tell whether the method is the request's: both must be let in.
        """
        methods = dict.fromkeys((self.method, self.route.http_method))
        return [f"{self.api.arn}/{self.stage.name}/{method}{self.resource.path}" for method in methods]


def found(api: RestApi, stage: Stage, deployment: Deployment, method: str, raw: str) -> Found | None:
    """The method that a request is for; None when there is none. `raw` is the path without the stage, as it came."""
    path = unquote(raw)
    if method not in METHODS or not _is_plain(path):
        return None
    reached = _reached(deployment.tree, [unquote(part) for part in _parts(raw)])
    if reached is None:
        return None
    resource, parameters = reached
    named = {one.http_method: one for one in resource.methods}
    route = named.get(method) or named.get(_ANY)
    if route is None:
        return None
    return Found(api, stage, deployment, resource, route, method, path, raw, parameters)


def _is_plain(path: str) -> bool:
    """Whether no part of a decoded path is empty, but behind a slash at its end, or says where others lead."""
    # SECURITY: AWS's pages don't tell what such a path comes to, and who reads it later may take it for another one.
    parts = path.split("/")[1:]
    return "" not in parts[:-1] and {".", ".."}.isdisjoint(parts)


def _reached(node: Node, parts: Sequence[str]) -> tuple[Resource, dict[str, str]] | None:
    """The resource at a path, with the values of its variables: part by part, and there is no way back."""
    parameters: dict[str, str] = {}
    for number, part in enumerate(parts):
        child = node.children.get(part) if not part.startswith("{") else None
        plain = node.variable(greedy=False) if child is None and part else None
        greedy = node.variable(greedy=True) if child is None and plain is None else None
        if child is not None:
            node = child
        elif plain is not None:
            name, node = plain
            parameters[name] = part
        elif greedy is not None and any(parts[number:]):
            name, node = greedy
            parameters[name] = "/".join(parts[number:])
            break
        else:
            return None
    return (node.resource, parameters) if node.resource is not None else None


def _parts(path: str) -> list[str]:
    """The parts of a path; of the root there are none."""
    return path.removeprefix("/").split("/") if path not in {"", "/"} else []
