"""AWS::ApiGatewayV2::Api, Stage, Integration and Route: HTTP and WebSocket APIs."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work, tags_of
from iamd.stacks.types import api_documents

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


_OF_DOCUMENTS = (*api_documents.PLACES, "BasePath", "FailOnWarnings")


def _has_document(properties: Mapping[str, Any]) -> bool:
    return not properties.keys().isdisjoint(api_documents.PLACES)


class _TagsOfApi(Tags):
    """The tags of an API; one that is imported has those of its document, and its stack's that are not among them."""

    async def apply(self, work: Work) -> None:
        """Tag what is new or changed, untag what is there no more."""
        if work.new is None or not _has_document(work.new.properties):
            await super().apply(work)
            return
        own = _tags_in(await api_documents.text_of(work))
        old, new = (
            {name: value for name, value in tags_of(wanted).items() if name not in own}
            for wanted in (work.old, work.new)
        )
        # An import may have taken away those that the document before had.
        is_imported = work.changes(*_OF_DOCUMENTS)
        changed = {name: value for name, value in new.items() if is_imported or old.get(name) != value}
        if changed:
            await _tag(work, changed)
        gone = [name for name in old if name not in new]
        if gone:
            await _untag(work, gone)


def _tags_in(body: str | None) -> frozenset[str]:
    """The names of the tags that a document gives its API."""
    tags = shaping.document(body or "").get("tags")
    found = (one.get("name") for one in (tags if isinstance(tags, list) else []) if isinstance(one, Mapping))
    return frozenset(name for name in found if isinstance(name, str))


class Api(Kind):
    """An API, of properties or of an OpenAPI document."""

    type = "AWS::ApiGatewayV2::Api"
    _given: ClassVar = (
        "ApiKeySelectionExpression", "CorsConfiguration", "CredentialsArn", "Description", "DisableExecuteApiEndpoint",
        "DisableSchemaValidation", "IpAddressType", "Name", "RouteKey", "RouteSelectionExpression", "Target", "Version",
    )  # fmt: skip
    properties = ("ProtocolType", *_given, *_OF_DOCUMENTS)
    parts = (_TagsOfApi(_tag, _untag),)
    attributes = ("ApiEndpoint", "ApiId")

    def check(self, properties: Mapping[str, Any]) -> None:
        """AWS: an API is one of properties or of a document (AWS::ApiGatewayV2::Api, Body)."""
        if _has_document(properties):
            _check_beside_document(properties)
            return
        for name in ("Name", "ProtocolType"):
            if name not in properties:
                raise InvalidProperties(f"#: required key [{name}] not found")
        for name in _OF_DOCUMENTS:
            if name in properties:
                raise InvalidProperties(f"The property {name} has no meaning without Body or BodyS3Location.")

    async def make(self, work: Work) -> None:
        """Make the API."""
        if _has_document(work.wanted.properties):
            answer = await work.call(_SERVICE, "ImportApi", **await self._imported(work))
        else:
            answer = await work.call(_SERVICE, "CreateApi", Tags=work.tags, **work.given("ProtocolType", *self._given))
        work.made_as(answer["ApiId"], ApiId=answer["ApiId"], ApiEndpoint=answer["ApiEndpoint"])

    async def change(self, work: Work) -> None:
        """Put another document over it, or set what has changed."""
        if work.changes(*_OF_DOCUMENTS):
            await work.call(_SERVICE, "ReimportApi", ApiId=work.id, **await self._imported(work))
        if work.changes(*self._given):
            _check_kept(work, self._given)
            await work.call(_SERVICE, "UpdateApi", ApiId=work.id, **work.given(*self._given))

    async def _imported(self, work: Work) -> dict[str, Any]:
        given = work.given("FailOnWarnings", BasePath="Basepath")
        return {"Body": await api_documents.text_of(work), **given}

    async def remove(self, work: Work) -> None:
        """Delete the API."""
        await work.call(_SERVICE, "DeleteApi", ApiId=work.id)


def _check_beside_document(properties: Mapping[str, Any]) -> None:
    if properties.keys() >= set(api_documents.PLACES):
        raise InvalidProperties("Only one of Body and BodyS3Location can be specified.")
    redundant = [name for name in properties if name not in _OF_DOCUMENTS]
    if redundant:
        # AWS's words (issues 15754 of CDK and 3615 of SAM).
        told = ", ".join(f"{_lower(name)}={_shown(name, properties[name])}" for name in redundant)
        raise InvalidProperties(f"Redundant fields [{told}] provided when either Body or BodyS3Location is not empty")


def _shown(name: str, value: Any) -> str:
    """A property as AWS shows it: as the service has it."""
    if name == "CorsConfiguration" and isinstance(value, Mapping):
        value = {_lower(member): one for member, one in value.items()}
    return msgspec.json.encode(value).decode()


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


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
