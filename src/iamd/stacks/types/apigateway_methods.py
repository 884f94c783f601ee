"""AWS::ApiGateway::Resource, Method and Authorizer: what a REST API has at its paths."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks.kinds import Kind, Work
from iamd.stacks.types.apigateway import SERVICE, patch


class Resource(Kind):
    """A path of a REST API."""

    type = "AWS::ApiGateway::Resource"
    properties = ("ParentId", "PathPart", "RestApiId")
    attributes = ("ResourceId",)

    async def make(self, work: Work) -> None:
        """Make the resource."""
        answer = await work.call(SERVICE, "CreateResource", **work.given(*self.properties))
        work.made_as(answer["id"], ResourceId=answer["id"])

    async def remove(self, work: Work) -> None:
        """Delete the resource."""
        await work.call(SERVICE, "DeleteResource", restApiId=work["RestApiId"], resourceId=work.id)


_OF_METHODS = (
    "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RequestModels",
    "RequestParameters", "RequestValidatorId",
)  # fmt: skip
_PLACE = ("HttpMethod", "ResourceId", "RestApiId")


class Method(Kind):
    """A method at a path, what answers it, and what its answers are."""

    type = "AWS::ApiGateway::Method"
    properties = ("Integration", "MethodResponses", *_OF_METHODS, *_PLACE)

    async def make(self, work: Work) -> None:
        """Put the method with its integration and its responses."""
        given = {"AuthorizationType": "NONE", **work.given(*_OF_METHODS)}
        await work.call(SERVICE, "PutMethod", **_place(work), **given)
        if work.made is None:
            work.made_as(work.wanted.generated_name)
        for response in work["MethodResponses"] or ():
            await work.call(SERVICE, "PutMethodResponse", **_place(work), **response)
        integration = dict(work["Integration"] or {})
        responses = integration.pop("IntegrationResponses", ())
        if integration:
            await work.call(SERVICE, "PutIntegration", **_place(work), **integration)
        for response in responses:
            await work.call(SERVICE, "PutIntegrationResponse", **_place(work), **response)

    async def change(self, work: Work) -> None:
        """Put another method in its place."""
        if work.changes("Integration", "MethodResponses", *_OF_METHODS):
            await self.remove(work)
            await self.make(work)

    async def remove(self, work: Work) -> None:
        """Delete the method with all that it has."""
        await work.call(SERVICE, "DeleteMethod", **_place(work))


def _place(work: Work) -> dict[str, Any]:
    return work.given(HttpMethod="httpMethod", ResourceId="resourceId", RestApiId="restApiId")


# AWS: API Gateway API Reference, "Patch operations" of an Authorizer.
_OF_AUTHORIZERS: Mapping[str, str] = {
    "AuthType": "/authType",
    "AuthorizerCredentials": "/authorizerCredentials",
    "AuthorizerResultTtlInSeconds": "/authorizerResultTtlInSeconds",
    "AuthorizerUri": "/authorizerUri",
    "IdentitySource": "/identitySource",
    "IdentityValidationExpression": "/identityValidationExpression",
    "Name": "/name",
    "Type": "/type",
}

# AWS: API Reference, "Authorizer": what counts where it is not set.
_DEFAULTS: Mapping[str, int] = {"AuthorizerResultTtlInSeconds": 300}


class Authorizer(Kind):
    """What decides who may use a method."""

    type = "AWS::ApiGateway::Authorizer"
    properties = ("ProviderARNs", "RestApiId", *_OF_AUTHORIZERS)
    attributes = ("AuthorizerId",)

    async def make(self, work: Work) -> None:
        """Make the authorizer."""
        answer = await work.call(SERVICE, "CreateAuthorizer", **work.given(*self.properties))
        work.made_as(answer["id"], AuthorizerId=answer["id"])

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        steps = [
            patch(path, _DEFAULTS.get(name) if work[name] is None else work[name])
            for name, path in _OF_AUTHORIZERS.items()
            if work.changes(name)
        ]
        steps += _of_pools(work)
        if steps:
            named = {"restApiId": work["RestApiId"], "authorizerId": work.id}
            await work.call(SERVICE, "UpdateAuthorizer", **named, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the authorizer."""
        await work.call(SERVICE, "DeleteAuthorizer", restApiId=work["RestApiId"], authorizerId=work.id)


def _of_pools(work: Work) -> list[dict[str, str]]:
    """The steps from the user pools of an authorizer to those that it is to have."""
    old, new = work.before("ProviderARNs") or [], work.after("ProviderARNs") or []
    added = [{"op": "add", "path": "/providerARNs", "value": one} for one in new if one not in old]
    return added + [{"op": "remove", "path": "/providerARNs", "value": one} for one in old if one not in new]
