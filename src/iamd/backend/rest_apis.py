"""REST APIs as moto keeps them: what it drops or mistakes of them, and what is told of one that is asked.

AWS: API Gateway API Reference, "CreateRestApi", "Patch operations", "CreateResource" and "PutIntegration".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from moto.apigateway.exceptions import BadRequestException, ConflictException, InvalidResourcePathException
from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.apigateway.responses import APIGatewayResponse

from iamd.arn import PARTITION
from iamd.backend import rest_authorizers, rest_keys, rest_methods, rest_models, rest_stages, rest_tags
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace, supply
from iamd.backend.rest_patches import REPLACE, Row, Table, operations_of, setting
from iamd.backend.verdict import NOT_TAKEN, Refused

_PART: Final = re.compile(r"[a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\+?\}", re.ASCII)
_CALLERS: Final = f"arn:{PARTITION}:iam::*:user/*"
"""AWS: "To require that the caller's identity be passed through" (API Reference, "Integration", `credentials`)."""


def install() -> None:
    """Have moto keep what is decided by."""
    replace(APIGatewayResponse, "create_rest_api", always(_create))
    replace(RestAPI, "apply_patch_operations", always(_patch))
    replace(APIGatewayBackend, "create_resource", _with_siblings)
    replace(APIGatewayBackend, "delete_resource", _with_children)
    supply(APIGatewayResponse, "update_resource", _update_resource)
    replace(APIGatewayBackend, "put_integration", _by_callers)
    rest_authorizers.install()
    rest_methods.install()
    rest_models.install()
    rest_keys.install()
    rest_stages.install()
    rest_tags.install()
    # It builds on what stands here.
    from iamd.backend import rest_imports  # noqa: PLC0415

    rest_imports.install()


def _create(response: Any) -> tuple[int, dict[str, str], str]:
    """Make an API of what the request says alone: moto would import a definition that stands beside it."""
    given = msgspec.json.decode(response.body)
    if given.get("cloneFrom"):
        raise Refused(NOT_TAKEN, "cloneFrom")
    api = response.backend.create_rest_api(
        given["name"],
        given.get("description"),
        api_key_source=given.get("apiKeySource"),
        endpoint_configuration=given.get("endpointConfiguration"),
        tags=given.get("tags"),
        policy=given.get("policy"),
        minimum_compression_size=given.get("minimumCompressionSize"),
        disable_execute_api_endpoint=given.get("disableExecuteApiEndpoint"),
    )
    api.binaryMediaTypes = list(given.get("binaryMediaTypes") or ())
    api.version = given.get("version")
    keep_policy(api, given.get("policy"))
    rest_models.add_built_in(api)
    return 201, {}, json.dumps(api.to_dict())


def keep_policy(api: Any, policy: str | None) -> None:
    """Have an API have this policy, and whom it means by those that it names."""
    told = CURRENT.get().principals
    api.policy = policy or None
    api.iamd_principals = dict(zip(told[::2], told[1::2], strict=True))


def _patch(api: Any, operations: list[dict[str, Any]]) -> None:
    """Set what patch operations of an API set; those that it has not are refused."""
    for operation in operations:
        kind, path, value = operation["op"], operation["path"], operation.get("value")
        name, _, rest = path.removeprefix("/").partition("/")
        if name == "binaryMediaTypes":
            _patch_types(api, kind, rest, value)
        elif kind == "replace" and name in _PATCHED and not rest:
            _PATCHED[name](api, value or "")
        elif kind == "replace" and name == "endpointConfiguration" and rest.startswith("types/"):
            api.endpoint_configuration = {**api.endpoint_configuration, "types": [value]}
        else:
            raise BadRequestException(
                f"Invalid patch path  '{path}' specified for op '{kind}'. Please choose supported operations"
            )


def _patch_types(api: Any, kind: str, rest: str, value: Any) -> None:
    """AWS: a media type stands in the path, its slash as `~1`."""
    given = rest.replace("~1", "/").replace("~0", "~")
    if kind == "replace":
        api.binaryMediaTypes = [one for one in api.binaryMediaTypes if one != given] + [value or given]
    elif kind == "add":
        api.binaryMediaTypes = [*api.binaryMediaTypes, given or value]
    elif kind == "remove":
        api.binaryMediaTypes = [one for one in api.binaryMediaTypes if one != (given or value)]


def _setting(name: str) -> Callable[[Any, str], None]:
    return lambda api, value: setattr(api, name, value)


def _patch_disabled(api: Any, value: str) -> None:
    api.disableExecuteApiEndpoint = value.lower() == "true"


def _patch_size(api: Any, value: str) -> None:
    api.minimum_compression_size = int(value) if value else None


_PATCHED: Final[Mapping[str, Callable[[Any, str], None]]] = {
    "apiKeySource": _setting("api_key_source"),
    "description": _setting("description"),
    "disableExecuteApiEndpoint": _patch_disabled,
    "minimumCompressionSize": _patch_size,
    "name": _setting("name"),
    "policy": keep_policy,
}


def _with_siblings(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a resource that is for other requests than those beside it.

    SECURITY: of two for the same requests one would be passed over, and what guards it with it.
    """

    def created(backend: Any, function_id: str, parent_resource_id: str, path_part: str) -> Any:
        check_part(backend.get_rest_api(function_id), parent_resource_id, path_part)
        return original(backend, function_id, parent_resource_id, path_part)

    return created


def check_part(api: Any, parent_id: str, part: str) -> None:
    """Refuse what can't be a part of a path below a resource.

    AWS: its words, as clients report them (serverless/serverless 2730 and 3075). A variable and a greedy one may stand
    beside one another (Developer Guide, api-gateway-method-settings-method-request).
    """
    parent = api.resources.get(parent_id)
    if parent is not None and parent.path_part.endswith("+}"):
        raise BadRequestException(
            f"Cannot create a child of a resource with a greedy path variable: {parent.path_part}"
        )
    for one in api.resources.values():
        if one.parent_id != parent_id:
            continue
        if one.path_part == part:
            raise ConflictException(f"Another resource with the same parent already has this name: {part}")
        if _kind(one.path_part) and _kind(one.path_part) == _kind(part):
            raise BadRequestException(
                f"A sibling ({one.path_part}) of this resource already has a variable path part -- only one is allowed"
            )


_RESOURCES: Final = Table(
    Row("/parentId", [REPLACE], setting("parent_id")),
    Row("/pathPart", [REPLACE], setting("path_part")),
)


def _update_resource(response: Any) -> str:
    """Move a resource, with all that is below it, to where it is for other requests than what is there."""
    _, _, api_id, _, resource_id = response.path.rstrip("/").split("/")
    api, resource = response.backend.get_rest_api(api_id), response.backend.get_resource(api_id, resource_id)
    if resource.parent_id is None:
        raise BadRequestException("The root resource can't be updated")
    others = {key: one for key, one in api.resources.items() if key != resource_id}

    def check(changed: Any) -> None:
        above = others.get(changed.parent_id)
        if above is None or not changed.path_part:
            raise BadRequestException("Invalid parent or path part specified")
        if not _PART.fullmatch(changed.path_part):
            raise InvalidResourcePathException
        check_part(SimpleNamespace(resources=others), changed.parent_id, changed.path_part)
        if changed.path_part.endswith("+}") and any(one.parent_id == resource_id for one in others.values()):
            raise BadRequestException(
                f"Cannot create a child of a resource with a greedy path variable: {changed.path_part}"
            )
        while above is not None:
            # What is within itself is nowhere.
            if above.parent_id == resource_id:
                raise BadRequestException("Invalid parent specified: it is below the resource")
            above = others.get(above.parent_id)

    _RESOURCES.apply(resource, operations_of(response), check)
    return json.dumps(resource.to_dict())


def _kind(part: str) -> str:
    """Whether a part of a path is a variable, and which kind of one."""
    if not part.startswith("{"):
        return ""
    return "greedy" if part.endswith("+}") else "plain"


def _with_children(original: Callable[..., Any]) -> Callable[..., Any]:
    """Delete a resource with all that is below it (AWS: DeleteResource)."""

    def deleted(backend: Any, function_id: str, resource_id: str) -> Any:
        api = backend.get_rest_api(function_id)
        backend.get_resource(function_id, resource_id)
        for child in [one.id for one in api.resources.values() if one.parent_id == resource_id]:
            deleted(backend, function_id, child)
        return original(backend, function_id, resource_id)

    return deleted


def _by_callers(original: Callable[..., Any]) -> Callable[..., Any]:
    """Put an integration that may ask with its callers' own identity, which moto takes for another account's role."""

    def put(backend: Any, *given: Any, credentials: str | None = None, **named: Any) -> Any:
        is_callers = credentials == _CALLERS
        integration = original(backend, *given, credentials=None if is_callers else credentials, **named)
        integration.credentials = credentials
        return integration

    return put


def found(backends: Any, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """A REST API by its id, with what is deployed to a stage of it; None when there is no such API.

    `known` is the token of a snapshot that needs not be told once more.
    """
    for account_id in list(backends):
        for region, backend in list(backends[account_id].items()):
            api = backend.apis.get(given["id"])
            if api is not None:
                return {
                    "id": api.id,
                    "account": account_id,
                    "region": region,
                    "isDisabled": bool(getattr(api, "iamd_is_disabled", False)),
                    "stage": _stage(api, backend, given),
                }
    return None


def _stage(api: Any, backend: Any, given: Mapping[str, Any]) -> dict[str, Any] | None:
    stage = api.stages.get(given["stage"])
    deployment = api.deployments.get(stage.deployment_id) if stage is not None else None
    if deployment is None:
        return None
    snapshot = deployment.iamd_snapshot
    return {
        "name": stage.name,
        "variables": {name: str(value) for name, value in stage.variables.items()},
        "token": snapshot["token"],
        "deployment": snapshot if snapshot["token"] not in given["known"] else None,
        "keys": list(_keys(api.id, stage.name, backend)),
    }


def _keys(api_id: str, stage: str, backend: Any) -> Iterator[dict[str, Any]]:
    """The API keys of the usage plans that a stage is in, with their limits; those of no plan open nothing."""
    for plan in list(backend.usage_plans.values()):
        within = [one for one in plan.api_stages if (one.get("apiId"), one.get("stage")) == (api_id, stage)]
        for key_id in list(backend.usage_plan_keys.get(plan.id, {})) if within else ():
            key = backend.keys.get(key_id)
            if key is not None and key.enabled:
                yield {
                    "id": key.id,
                    "value": key.value,
                    "plan": plan.id,
                    "throttle": plan.throttle or None,
                    "quota": plan.quota or None,
                    "methods": within[0].get("throttle") or {},
                }
