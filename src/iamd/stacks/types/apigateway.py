"""AWS::ApiGateway::RestApi, Deployment, Stage and Account: what a REST API is as a whole."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.client import RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work
from iamd.stacks.types import api_documents

SERVICE = "apigateway"


def patch(path: str, value: Any) -> dict[str, str]:
    """One step of an update."""
    return {"op": "replace", "path": path, "value": "" if value is None else shaping.text(value)}


def tags(place: str) -> Tags:
    """The tags of what has this place in an ARN, `{}` being its id and `{RestApiId}` a property."""

    def arn(work: Work) -> str:
        # AWS: API Gateway Developer Guide, "ARNs": they have no account.
        client = work.client
        path = place.format(work.id, RestApiId=work["RestApiId"])
        return f"arn:{client.partition}:apigateway:{client.region}::/{path}"

    async def tag(work: Work, changed: Any) -> None:
        await work.call(SERVICE, "TagResource", resourceArn=arn(work), tags=changed)

    async def untag(work: Work, keys: Any) -> None:
        await work.call(SERVICE, "UntagResource", resourceArn=arn(work), tagKeys=keys)

    return Tags(tag, untag)


# AWS: API Gateway API Reference, "Patch operations" of a RestApi.
_OF_APIS: Mapping[str, str] = {
    "ApiKeySourceType": "/apiKeySource",
    "Description": "/description",
    "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
    "MinimumCompressionSize": "/minimumCompressionSize",
    "Name": "/name",
    "Policy": "/policy",
}
_OF_BODIES = (*api_documents.PLACES, "FailOnWarnings", "Mode", "Parameters")
_FIXED = ("BinaryMediaTypes", "EndpointConfiguration")


class RestApi(Kind):
    """A REST API, of properties or of an OpenAPI document."""

    type = "AWS::ApiGateway::RestApi"
    properties = (*_OF_APIS, *_OF_BODIES, *_FIXED)
    parts = (tags("restapis/{}"),)
    attributes = ("RestApiId", "RootResourceId")

    def check(self, properties: Mapping[str, Any]) -> None:
        """It has a name, or a document that may have one."""
        if not {"Name", *api_documents.PLACES} & properties.keys():
            raise InvalidProperties("#: required key [Name] not found")

    async def make(self, work: Work) -> None:
        """Make the API."""
        body = await api_documents.text_of(work)
        given = work.given(
            "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration",
            "MinimumCompressionSize", "Policy", ApiKeySourceType="apiKeySource",
        )  # fmt: skip
        name = work["Name"] or _title(body) or work.wanted.logical_id
        answer = await work.call(SERVICE, "CreateRestApi", name=name, tags=work.tags, **given)
        work.made_as(answer["id"], RestApiId=answer["id"])
        if body is not None:
            await _put_body(work, body)
        await _learn_root(work)

    async def change(self, work: Work) -> None:
        """Put another document over it, then set what has changed."""
        for name in _FIXED:
            if work.changes(name):
                raise InvalidProperties(f"iamd can't change the property {name} of an API that is there.")
        if work.changes(*_OF_BODIES):
            body = await api_documents.text_of(work)
            if body is None:
                raise InvalidProperties("iamd can't take the property Body away again; set it anew.")
            await _put_body(work, body)
            await _learn_root(work)
        steps = [patch(path, work[name]) for name, path in _OF_APIS.items() if work.changes(name)]
        if steps:
            await work.call(SERVICE, "UpdateRestApi", restApiId=work.id, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the API."""
        await work.call(SERVICE, "DeleteRestApi", restApiId=work.id)


def _title(body: str | None) -> str | None:
    document = shaping.document(body) if body is not None else {}
    information = document.get("info")
    title = information.get("title") if isinstance(information, Mapping) else None
    return None if title is None else shaping.text(title)


async def _put_body(work: Work, body: str) -> None:
    given = work.given("FailOnWarnings", "Mode", "Parameters")
    await work.call(SERVICE, "PutRestApi", restApiId=work.id, body=body, **{"mode": "overwrite", **_lower(given)})


def _lower(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in given.items()}


async def _learn_root(work: Work) -> None:
    answer = await work.call(SERVICE, "GetResources", restApiId=work.id, limit=500)
    roots = [one["id"] for one in answer["items"] if one["path"] == "/"]
    work.learn({"RootResourceId": roots[0] if roots else ""})


class Deployment(Kind):
    """A deployment of a REST API, to a stage when it names one."""

    type = "AWS::ApiGateway::Deployment"
    properties = ("Description", "RestApiId", "StageName")
    attributes = ("DeploymentId",)

    async def make(self, work: Work) -> None:
        """Deploy the API."""
        answer = await work.call(SERVICE, "CreateDeployment", **work.given("Description", "RestApiId", "StageName"))
        work.made_as(answer["id"], DeploymentId=answer["id"])

    async def change(self, work: Work) -> None:
        """Say something else of it; another stage is another deployment's."""
        if work.changes("StageName"):
            raise InvalidProperties("iamd can't change the property StageName of a deployment that is there.")
        if work.changes("Description"):
            steps = [patch("/description", work["Description"])]
            named = {"restApiId": work["RestApiId"], "deploymentId": work.id}
            await work.call(SERVICE, "UpdateDeployment", **named, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the deployment, with the stage that it made if that is its own still."""
        named = {"restApiId": work["RestApiId"], "deploymentId": work.id}
        try:
            await work.call(SERVICE, "DeleteDeployment", **named)
        except RequestFailed as error:
            if error.code != "BadRequestException" or work["StageName"] is None:
                raise
            stage = {"restApiId": work["RestApiId"], "stageName": work["StageName"]}
            answer = await work.call(SERVICE, "GetStage", **stage)
            if answer["deploymentId"] != work.id:
                raise
            await work.call(SERVICE, "DeleteStage", **stage)
            await work.call(SERVICE, "DeleteDeployment", **named)


# AWS: API Gateway API Reference, "Patch operations" of a Stage.
_OF_STAGES: Mapping[str, str] = {
    "CacheClusterEnabled": "/cacheClusterEnabled",
    "CacheClusterSize": "/cacheClusterSize",
    "ClientCertificateId": "/clientCertificateId",
    "DeploymentId": "/deploymentId",
    "Description": "/description",
    "DocumentationVersion": "/documentationVersion",
    "TracingEnabled": "/tracingEnabled",
}
_OF_METHODS: Mapping[str, str] = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}
_AT_CREATION = (
    "CacheClusterEnabled", "CacheClusterSize", "DeploymentId", "Description", "DocumentationVersion", "RestApiId",
    "TracingEnabled", "Variables",
)  # fmt: skip
_BY_PATCH = ("AccessLogSetting", "ClientCertificateId", "MethodSettings")


class Stage(Kind):
    """A stage of a REST API."""

    type = "AWS::ApiGateway::Stage"
    properties = ("AccessLogSetting", "MethodSettings", "RestApiId", "StageName", "Variables", *_OF_STAGES)
    parts = (tags("restapis/{RestApiId}/stages/{}"),)

    async def make(self, work: Work) -> None:
        """Make the stage."""
        name = work.name("StageName", 128)
        await work.call(SERVICE, "CreateStage", stageName=name, tags=work.tags, **work.given(*_AT_CREATION))
        work.made_as(name)
        await self._patched(work, list(_BY_PATCH))

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        await self._patched(work, [*_OF_STAGES, "AccessLogSetting", "MethodSettings", "Variables"])

    async def remove(self, work: Work) -> None:
        """Delete the stage."""
        await work.call(SERVICE, "DeleteStage", restApiId=work["RestApiId"], stageName=work.id)

    @staticmethod
    async def _patched(work: Work, names: list[str]) -> None:
        steps = [step for name in names if work.changes(name) for step in _steps(work, name)]
        if steps:
            named = {"restApiId": work["RestApiId"], "stageName": work.id}
            await work.call(SERVICE, "UpdateStage", **named, patchOperations=steps)


def _steps(work: Work, name: str) -> list[dict[str, str]]:
    old, new = work.before(name) or {}, work.after(name) or {}
    if name == "Variables":
        gone = [{"op": "remove", "path": f"/variables/{one}"} for one in old if one not in new]
        return [*gone, *(patch(f"/variables/{one}", value) for one, value in new.items())]
    if name == "AccessLogSetting":
        gone = [{"op": "remove", "path": "/accessLogSettings"}] if not new else []
        places = {"DestinationArn": "destinationArn", "Format": "format"}
        return [*gone, *(patch(f"/accessLogSettings/{places[one]}", value) for one, value in new.items())]
    if name == "MethodSettings":
        return [step for setting in new or () for step in _method_steps(setting)]
    return [patch(_OF_STAGES[name], work[name])]


def _method_steps(setting: Mapping[str, Any]) -> list[dict[str, str]]:
    """The steps that set what holds for every method of every resource."""
    if setting.get("ResourcePath") != "/*" or setting.get("HttpMethod") != "*":
        raise InvalidProperties("iamd supports MethodSettings of every method (`/*` and `*`) only.")
    values = {name: value for name, value in setting.items() if name in _OF_METHODS}
    return [patch(f"/*/*/{_OF_METHODS[name]}", value) for name, value in values.items()]


class Account(Kind):
    """What an account's API Gateway writes logs with; it stays so when the stack ends."""

    type = "AWS::ApiGateway::Account"
    properties = ("CloudWatchRoleArn",)
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Set the role."""
        await self._put(work)
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def change(self, work: Work) -> None:
        """Set another role."""
        if work.changes("CloudWatchRoleArn"):
            await self._put(work)

    async def remove(self, work: Work) -> None:
        """There is nothing to be removed."""

    @staticmethod
    async def _put(work: Work) -> None:
        steps = [patch("/cloudwatchRoleArn", work["CloudWatchRoleArn"])]
        await work.call(SERVICE, "UpdateAccount", patchOperations=steps)
