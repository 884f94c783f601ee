"""HTTP APIs as the embedded backend holds them, and which stage and route of one a request is for.

AWS: API Gateway Developer Guide, "Create routes for HTTP APIs" (http-api-develop-routes), "Routing API requests":
first the stage, then the most specific route: a full match, one with a greedy path variable, `$default`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from iamd.arn import PARTITION

DEFAULT: Final = "$default"
_ANY: Final = "ANY"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""AWS: those that a route may have; a method that none can have is in no ARN that a policy could mean."""


class Stage(msgspec.Struct, frozen=True, rename="camel"):
    """A stage; one that is not deployed at once has what a deployment of it was given."""

    name: str
    is_deployed_at_once: bool
    variables: Mapping[str, str]


class Route(msgspec.Struct, frozen=True, rename="camel"):
    """A route: `route_key` is `METHOD /path` or `$default`."""

    route_key: str
    target: str | None = None
    authorization_type: str | None = None
    authorizer_id: str | None = None
    authorization_scopes: list[str] | None = None
    api_key_required: bool | None = None
    request_parameters: Mapping[str, Any] | None = None

    @property
    def method(self) -> str:
        """The method; ANY is each of them."""
        return self.route_key.partition(" ")[0] if self.route_key != DEFAULT else _ANY

    @property
    def path(self) -> str:
        """The path with its variables; `$default` of the route of all other requests."""
        return self.route_key.partition(" ")[2] if self.route_key != DEFAULT else DEFAULT


class Integration(msgspec.Struct, frozen=True, rename="camel"):
    """What answers."""

    integration_id: str
    integration_type: str | None = None
    integration_subtype: str | None = None
    integration_uri: str | None = None
    connection_type: str | None = None
    connection_id: str | None = None
    credentials_arn: str | None = None
    payload_format_version: str | None = None
    request_parameters: Mapping[str, Any] | None = None
    response_parameters: Mapping[str, Any] | None = None
    timeout_in_millis: int | None = None
    tls_config: Mapping[str, Any] | None = None


class Jwt(msgspec.Struct, frozen=True, rename="camel"):
    """What tokens a JWT authorizer takes."""

    issuer: str | None = None
    audience: list[str] | None = None


class Authorizer(msgspec.Struct, frozen=True, rename="camel"):
    """What decides who may use a route."""

    authorizer_id: str
    authorizer_type: str | None = None
    authorizer_uri: str | None = None
    authorizer_credentials_arn: str | None = None
    authorizer_payload_format_version: str | None = None
    authorizer_result_ttl_in_seconds: int | None = None
    enable_simple_responses: bool | None = None
    identity_source: list[str] | None = None
    jwt_configuration: Jwt | None = None


class Api(msgspec.Struct, frozen=True, rename="camel"):
    """An HTTP API; `cors` is its configuration for other origins."""

    id: str
    account: str
    region: str
    cors: dict[str, Any] | None
    is_disabled: bool
    stages: list[Stage]
    routes: list[Route]
    integrations: list[Integration]
    authorizers: list[Authorizer]

    @property
    def arn(self) -> str:
        """What the ARNs of its stages, routes and authorizers begin with."""
        return f"arn:{PARTITION}:execute-api:{self.region}:{self.account}:{self.id}"

    def integration_of(self, route: Route) -> Integration | None:
        """What answers a route's requests."""
        name = (route.target or "").removeprefix("integrations/")
        return next((one for one in self.integrations if one.integration_id == name), None)

    def authorizer_of(self, route: Route) -> Authorizer | None:
        """What decides who may use a route."""
        return next((one for one in self.authorizers if one.authorizer_id == route.authorizer_id), None)


class Found(msgspec.Struct, frozen=True):
    """What a request is for; `path` is decoded and without the stage, `raw` as it came."""

    api: Api
    stage: Stage
    route: Route
    method: str
    path: str
    raw: str
    parameters: Mapping[str, str]

    @property
    def whole_path(self) -> str:
        """The path with the stage, as functions are told it."""
        return self.path if self.stage.name == DEFAULT else f"/{self.stage.name}{self.path}"

    @property
    def arn(self) -> str:
        """What is invoked, as policies call it: with the method and path of the request."""
        return f"{self.api.arn}/{self.stage.name}/{self.method}{self.path}"

    @property
    def arns(self) -> list[str]:
        """The same, and once more as it came where a slash of the path was within a part of it: all must be allowed."""
        as_it_came = f"{self.api.arn}/{self.stage.name}/{self.method}{self.raw}"
        return [self.arn] if self.raw.count("/") == self.path.count("/") else [self.arn, as_it_came]

    @property
    def source_arns(self) -> list[str]:
        """The route as the policies of functions call it; for ANY, both forms that are in use, and both must let in.

        AWS: the route's own path, `$default` without a method (SAM's issue 1860; what CDK's HttpLambdaIntegration and
        the console write).
        """
        within = f"{self.api.arn}/{self.stage.name}"
        if self.route.route_key == DEFAULT:
            return [f"{within}/{DEFAULT}"]
        methods = dict.fromkeys((self.method, self.route.method))
        return [f"{within}/{method}{self.route.path}" for method in methods]


def found(api: Api, method: str, path: str) -> Found | None:
    """The stage and the route of a request; None when there are none. `path` is as it came."""
    parts = path.split("/")
    plain, decoded = [unquote(part) for part in parts], unquote(path).split("/")
    reached = _reached(api, method, plain)
    if reached is None:
        return None
    stage, route, parameters = reached
    if len(plain) != len(decoded):
        # SECURITY: AWS decodes a path before it looks for its route, as clients tell (ccbrown/cloud-snitch 13), and
        # so may who is given the request: what leads elsewhere then is for neither.
        other = _reached(api, method, decoded)
        if other is None or other[:2] != (stage, route):
            return None
    inner = path if stage.name == DEFAULT else f"/{'/'.join(parts[2:])}"
    return Found(api, stage, route, method, unquote(inner), inner, parameters)


def _reached(api: Api, method: str, parts: Sequence[str]) -> tuple[Stage, Route, dict[str, str]] | None:
    """The stage and the route of a path of these parts, with the values of the path variables; None without them."""
    named = {stage.name: stage for stage in api.stages}
    stage = named.get(parts[1]) if parts[1] != DEFAULT else None
    inner = ["", *(parts[2:] or [""])] if stage is not None else parts
    stage = stage or named.get(DEFAULT)
    if stage is None or method not in _METHODS:
        return None
    matches = sorted(_matches(api, method, inner), key=lambda one: one[0])
    return (stage, matches[0][1], matches[0][2]) if matches else None


Rank = tuple[tuple[int, ...], bool]


def _matches(api: Api, method: str, parts: Sequence[str]) -> Iterator[tuple[Rank, Route, dict[str, str]]]:
    """The routes that a request matches, each with its rank (the lowest wins) and the values of its path variables."""
    for route in api.routes:
        if route.route_key == DEFAULT:
            yield ((_LAST,), True), route, {}
        elif route.method in {method, _ANY}:
            matched = _match(route.path, parts)
            if matched is not None:
                yield (matched[0], route.method == _ANY), route, matched[1]


_EXACT, _VARIABLE, _GREEDY, _LAST = range(4)


def _match(template: str, given: Sequence[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How the parts of a path match, one by one, and the values of the variables; None when they do not."""
    wanted = template.split("/")
    is_greedy = wanted[-1].startswith("{") and wanted[-1].endswith("+}")
    if is_greedy and len(given) >= len(wanted):
        given = [*given[: len(wanted) - 1], "/".join(given[len(wanted) - 1 :])]
    if len(wanted) != len(given):
        return None
    rank, values = [_GREEDY if is_greedy else _EXACT], {}
    for part, value in zip(wanted, given, strict=True):
        if not (part.startswith("{") and part.endswith("}")):
            if part != value:
                return None
            rank.append(_EXACT)
        elif value:
            values[part[1:-1].removesuffix("+")] = value
            rank.append(_GREEDY if part.endswith("+}") else _VARIABLE)
        else:
            return None
    return tuple(rank), values
