"""AWS::ApiGatewayV2::Api, Stage, Integration and Route: HTTP and WebSocket APIs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work

_SERVICE = "apigatewayv2"


def _check_kept(work: Work, names: tuple[str, ...]) -> None:
    """AWS: such an operation leaves what it is not told as it was."""
    for name in names:
        if work[name] is None and work.before(name) is not None:
            raise InvalidProperties(f"iamd can't take the property {name} away again; set it anew.")


async def _tag(work: Work, changed: Any) -> None:
    await work.call(_SERVICE, "TagResource", ResourceArn=_arn(work), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call(_SERVICE, "UntagResource", ResourceArn=_arn(work), TagKeys=keys)


def _arn(work: Work) -> str:
    # AWS: API Gateway Developer Guide, "ARNs": they have no account.
    client = work.client
    stage = f"{work['ApiId']}/stages/{work.id}" if work.wanted.type == Stage.type else work.id
    return f"arn:{client.partition}:apigateway:{client.region}::/apis/{stage}"


class Api(Kind):
    """An API of properties: no document of one is imported."""

    type = "AWS::ApiGatewayV2::Api"
    _given: ClassVar = (
        "ApiKeySelectionExpression", "CorsConfiguration", "CredentialsArn", "Description", "DisableExecuteApiEndpoint",
        "DisableSchemaValidation", "IpAddressType", "Name", "RouteKey", "RouteSelectionExpression", "Target", "Version",
    )  # fmt: skip
    properties = ("ProtocolType", *_given)
    parts = (Tags(_tag, _untag),)
    attributes = ("ApiEndpoint", "ApiId")

    def check(self, properties: Mapping[str, Any]) -> None:
        """AWS: both are required where there is no document (AWS::ApiGatewayV2::Api)."""
        for name in ("Name", "ProtocolType"):
            if name not in properties:
                raise InvalidProperties(f"#: required key [{name}] not found")

    async def make(self, work: Work) -> None:
        """Make the API."""
        answer = await work.call(_SERVICE, "CreateApi", Tags=work.tags, **work.given("ProtocolType", *self._given))
        work.made_as(answer["ApiId"], ApiId=answer["ApiId"], ApiEndpoint=answer["ApiEndpoint"])

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        if work.changes(*self._given):
            _check_kept(work, self._given)
            await work.call(_SERVICE, "UpdateApi", ApiId=work.id, **work.given(*self._given))

    async def remove(self, work: Work) -> None:
        """Delete the API."""
        await work.call(_SERVICE, "DeleteApi", ApiId=work.id)


class Stage(Kind):
    """A stage of an API."""

    type = "AWS::ApiGatewayV2::Stage"
    _given: ClassVar = (
        "AccessLogSettings", "AutoDeploy", "ClientCertificateId", "DefaultRouteSettings", "DeploymentId", "Description",
        "RouteSettings", "StageVariables",
    )  # fmt: skip
    properties = ("ApiId", "StageName", *_given)
    parts = (Tags(_tag, _untag),)

    async def make(self, work: Work) -> None:
        """Make the stage."""
        given = work.given("ApiId", "StageName", *self._given)
        await work.call(_SERVICE, "CreateStage", Tags=work.tags, **given)
        work.made_as(shaping.text(work["StageName"]))

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        if work.changes(*self._given):
            _check_kept(work, self._given)
            await work.call(_SERVICE, "UpdateStage", **work.given("ApiId", "StageName", *self._given))

    async def remove(self, work: Work) -> None:
        """Delete the stage."""
        await work.call(_SERVICE, "DeleteStage", **work.given("ApiId", "StageName"))


class _OfApi(Kind):
    """What an API has, with an id of its own."""

    _noun: ClassVar[str]

    async def make(self, work: Work) -> None:
        """Make it."""
        answer = await work.call(_SERVICE, f"Create{self._noun}", **work.given(*self.properties))
        made = answer[f"{self._noun}Id"]
        work.made_as(made, **{f"{self._noun}Id": made})

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        if work.changes(*self.properties):
            _check_kept(work, self.properties)
            named = {f"{self._noun}Id": work.id}
            await work.call(_SERVICE, f"Update{self._noun}", **named, **work.given(*self.properties))

    async def remove(self, work: Work) -> None:
        """Delete it."""
        await work.call(_SERVICE, f"Delete{self._noun}", **{f"{self._noun}Id": work.id}, **work.given("ApiId"))


class Integration(_OfApi):
    """What answers an API's requests."""

    type = "AWS::ApiGatewayV2::Integration"
    _noun = "Integration"
    properties = (
        "ApiId", "ConnectionId", "ConnectionType", "ContentHandlingStrategy", "CredentialsArn", "Description",
        "IntegrationMethod", "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PassthroughBehavior",
        "PayloadFormatVersion", "RequestParameters", "RequestTemplates", "TemplateSelectionExpression",
        "TimeoutInMillis", "TlsConfig",
    )  # fmt: skip
    attributes = ("IntegrationId",)


class Route(_OfApi):
    """Which requests go to which integration."""

    type = "AWS::ApiGatewayV2::Route"
    _noun = "Route"
    properties = (
        "ApiId", "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId",
        "ModelSelectionExpression", "OperationName", "RequestModels", "RequestParameters", "RouteKey",
        "RouteResponseSelectionExpression", "Target",
    )  # fmt: skip
    attributes = ("RouteId",)


class Authorizer(_OfApi):
    """What decides who may use a route."""

    type = "AWS::ApiGatewayV2::Authorizer"
    _noun = "Authorizer"
    properties = (
        "ApiId", "AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds",
        "AuthorizerType", "AuthorizerUri", "EnableSimpleResponses", "IdentitySource", "IdentityValidationExpression",
        "JwtConfiguration", "Name",
    )  # fmt: skip
    attributes = ("AuthorizerId",)
