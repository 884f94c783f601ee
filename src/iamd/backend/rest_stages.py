"""Deployments and stages of REST APIs as moto keeps them: a deployment is a snapshot, and a stage points to one.

AWS: API Gateway API Reference, "CreateDeployment", "CreateStage", "UpdateStage" and "Patch operations"; Developer
Guide, "Deploy REST APIs in API Gateway" (how-to-deploy-api): what is changed later is not in a deployment.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from moto.apigateway.exceptions import BadRequestException, DeploymentNotFoundException, StageStillActive
from moto.apigateway.models import APIGatewayBackend, RestAPI, Stage
from moto.apigateway.responses import APIGatewayResponse

from iamd.backend.replacement import replace, supply
from iamd.backend.rest_models import BUILT_IN
from iamd.backend.rest_patches import REPLACE, Row, Table, anything, operations_of, setting
from iamd.backend.verdict import NOT_TAKEN, Refused

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_REPLACED: Final = re.compile(
    r"/variables/[A-Za-z0-9_]+|/cacheClusterEnabled|/cacheClusterSize|/deploymentId|/description|/tracingEnabled"
    r"|/accessLogSettings/(destinationArn|format)|/clientCertificateId|/documentationVersion"
    r"|/(\*|~1[^/]*)/(\*|[A-Z]+)/(caching/(dataEncrypted|enabled|requireAuthorizationForCacheControl|ttlInSeconds"
    r"|unauthorizedCacheControlHeaderStrategy)|logging/(dataTrace|loglevel)|metrics/enabled"
    r"|throttling/(burstLimit|rateLimit))",
    re.ASCII,
)
_REMOVED: Final = re.compile(r"/variables/[A-Za-z0-9_]+|/accessLogSettings", re.ASCII)
_TOLD: Final = ("clientCertificateId", "documentationVersion")
"""What stages tell, and nothing here goes by."""


def install() -> None:
    """Have deployments be snapshots, and stages be what they are asked to be."""
    replace(APIGatewayResponse, "create_deployment", _deployed)
    replace(APIGatewayResponse, "create_stage", _staged)
    replace(RestAPI, "create_deployment", _snapshot)
    replace(RestAPI, "delete_deployment", _unless_active)
    replace(RestAPI, "create_stage", _of_deployment)
    replace(APIGatewayBackend, "update_stage", _in_force)
    replace(Stage, "to_json", _telling)
    supply(APIGatewayResponse, "update_deployment", _update_deployment)


def _deployed(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a deployment, with all that the request says of its stage."""

    def deployed(response: Any) -> Any:
        given = _given(response)
        answer = original(response)
        stage = _stage(response, given)
        if stage is not None:
            stage.description = given.get("stageDescription", stage.description)
            stage.tracing_enabled = given.get("tracingEnabled", stage.tracing_enabled)
            stage.cache_cluster_enabled = given.get("cacheClusterEnabled", stage.cache_cluster_enabled)
            stage.cache_cluster_size = given.get("cacheClusterSize", stage.cache_cluster_size)
        return answer

    return deployed


def _staged(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a stage, with all that the request says of it."""

    def staged(response: Any) -> Any:
        given = _given(response)
        original(response)
        stage = _stage(response, given)
        stage.iamd_told = {name: given[name] for name in _TOLD if given.get(name)}
        return 201, {"status": 201}, json.dumps(stage.to_json())

    return staged


def _given(response: Any) -> dict[str, Any]:
    """What a request says; refused where it would have a stage answer in two ways."""
    given: dict[str, Any] = msgspec.json.decode(response.body or b"{}")
    if given.get("canarySettings"):
        raise Refused(NOT_TAKEN, "canarySettings")
    name = given.get("stageName")
    if name is not None and not _NAME.fullmatch(name):
        # AWS: its words, as clients report them (serverless/serverless 4737); hyphens are allowed since (5658).
        raise BadRequestException("Stage name only allows a-zA-Z0-9_")
    return given


def _stage(response: Any, given: Mapping[str, Any]) -> Any:
    return response.backend.get_rest_api(response.path.split("/")[2]).stages.get(given.get("stageName"))


def _telling(original: Callable[..., Any]) -> Callable[..., Any]:
    def told(stage: Any) -> dict[str, Any]:
        return {**original(stage), **getattr(stage, "iamd_told", {})}

    return told


def _snapshot(original: Callable[..., Any]) -> Callable[..., Any]:
    """Deploy an API as it is now, to a stage where one is named: one that is there stays, with what it has."""

    def deploy(api: Any, name: str | None, description: str, stage_variables: Any = None) -> Any:
        # Where it knows no stage it makes none anew, which would lose the variables of the one that is there.
        deployment = original(api, None, description)
        deployment.stage_name = name
        deployment.iamd_snapshot = msgspec.json.decode(msgspec.json.encode({"id": deployment.id, **_whole(api)}))
        if name:
            stage = api.stages.setdefault(name, Stage(name=name, variables={}))
            stage.deployment_id = deployment.id
            stage.variables = {**stage.variables, **(stage_variables or {})}
            api.iamd_is_disabled = bool(api.disableExecuteApiEndpoint)
        return deployment

    return deploy


_DEPLOYMENTS: Final = Table(Row("/description", [REPLACE], setting("description")))


def _update_deployment(response: Any) -> str:
    parts = response.path.split("/")
    api = response.backend.get_rest_api(parts[2])
    deployment = api.deployments.get(parts[4])
    if deployment is None:
        raise DeploymentNotFoundException
    _DEPLOYMENTS.apply(deployment, operations_of(response), anything)
    return json.dumps(deployment.to_json())


def _whole(api: Any) -> dict[str, Any]:
    """What a deployment keeps of an API; `token` tells snapshots apart."""
    return {
        "token": uuid.uuid4().hex,
        "policy": api.policy,
        "principals": getattr(api, "iamd_principals", {}),
        "apiKeySource": api.api_key_source,
        "binaryMediaTypes": api.binaryMediaTypes,
        "endpointTypes": api.endpoint_configuration.get("types") or [],
        "gatewayResponses": [one.to_json() for one in api.gateway_responses.values()],
        "authorizers": [one.to_json() for one in api.authorizers.values()],
        "models": {name: json.dumps(schema) for name, schema in BUILT_IN.items()}
        | {one.name: one.schema for one in api.models.values() if one.schema},
        "validators": [one.to_dict() for one in api.request_validators.values()],
        "resources": [
            {
                "id": one.id,
                "path": one.get_path(),
                "methods": [method.to_json() for method in one.resource_methods.values()],
            }
            for one in api.resources.values()
        ],
    }


def _unless_active(_: Callable[..., Any]) -> Callable[..., Any]:
    """Delete a deployment that no stage points to; moto looks at the stage that it was made for."""

    def deleted(api: Any, deployment_id: str) -> Any:
        deployment = api.deployments.get(deployment_id)
        if deployment is None:
            raise BadRequestException("Invalid Deployment identifier specified")
        if any(stage.deployment_id == deployment_id for stage in api.stages.values()):
            raise StageStillActive
        return api.deployments.pop(deployment_id)

    return deleted


def _of_deployment(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a stage of a deployment that is there."""

    def created(api: Any, name: str, deployment_id: str, *given: Any, **named: Any) -> Any:
        if deployment_id not in api.deployments:
            raise BadRequestException("Deployment id does not exist")
        stage = original(api, name, deployment_id, *given, **named)
        api.iamd_is_disabled = bool(api.disableExecuteApiEndpoint)
        return stage

    return created


def _in_force(original: Callable[..., Any]) -> Callable[..., Any]:
    """Change a stage, all that is asked for, or nothing.

    AWS: whether the endpoint is disabled takes effect with any change of a stage.
    """

    def changed(backend: Any, function_id: str, stage_name: str, operations: list[dict[str, Any]]) -> Any:
        api = backend.get_rest_api(function_id)
        for operation in operations:
            _check_patch(operation)
            if operation["path"] == "/deploymentId" and operation["value"] not in api.deployments:
                raise BadRequestException("Deployment id does not exist")
        plain = [one for one in operations if one["path"].removeprefix("/") not in _TOLD]
        stage = original(backend, function_id, stage_name, plain)
        told = {one["path"].removeprefix("/"): one["value"] for one in operations if one not in plain}
        stage.iamd_told = {name: value for name, value in {**getattr(stage, "iamd_told", {}), **told}.items() if value}
        api.iamd_is_disabled = bool(api.disableExecuteApiEndpoint)
        return stage

    return changed


def _check_patch(operation: Mapping[str, Any]) -> None:
    """Refuse to patch what a stage has not: moto passes over some of it, and takes other paths for a member's."""
    kind, path = operation["op"], operation["path"]
    is_replaced = kind == "replace" and operation.get("value") is not None and _REPLACED.fullmatch(path)
    if not is_replaced and not (kind == "remove" and _REMOVED.fullmatch(path)):
        raise BadRequestException(
            f"Invalid patch path  '{path}' specified for op '{kind}'. Please choose supported operations"
        )
