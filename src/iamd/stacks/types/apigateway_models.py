"""AWS::ApiGateway::Model, RequestValidator and GatewayResponse: what REST APIs take, and answer themselves."""

import re
from collections.abc import Mapping

from iamd.stacks import shaping
from iamd.stacks.kinds import Kind, Work
from iamd.stacks.types.apigateway import SERVICE, patch

_DEFAULT_TYPE = "application/json"


class Model(Kind):
    """A schema of what is sent."""

    type = "AWS::ApiGateway::Model"
    properties = ("ContentType", "Description", "Name", "RestApiId", "Schema")

    async def make(self, work: Work) -> None:
        """Make the model; AWS: names of models are letters and digits."""
        name = work.name("Name", 128) if work["Name"] is not None else re.sub(r"[^A-Za-z0-9]", "", work.name("", 128))
        given = {"ContentType": _DEFAULT_TYPE, **work.given("ContentType", "Description", "RestApiId", "Schema")}
        await work.call(SERVICE, "CreateModel", name=name, **given)
        work.made_as(name)

    async def change(self, work: Work) -> None:
        """Set another schema, or say something else of it."""
        paths = {"Description": "/description", "Schema": "/schema"}
        steps = [patch(path, work[name]) for name, path in paths.items() if work.changes(name)]
        if steps:
            named = {"restApiId": work["RestApiId"], "modelName": work.id}
            await work.call(SERVICE, "UpdateModel", **named, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the model."""
        await work.call(SERVICE, "DeleteModel", restApiId=work["RestApiId"], modelName=work.id)


# AWS: API Gateway API Reference, "Patch operations" of a RequestValidator.
_OF_VALIDATORS: Mapping[str, str] = {
    "ValidateRequestBody": "/validateRequestBody",
    "ValidateRequestParameters": "/validateRequestParameters",
}


class RequestValidator(Kind):
    """What of requests is looked at."""

    type = "AWS::ApiGateway::RequestValidator"
    properties = ("Name", "RestApiId", *_OF_VALIDATORS)
    attributes = ("RequestValidatorId",)

    async def make(self, work: Work) -> None:
        """Make the validator."""
        answer = await work.call(SERVICE, "CreateRequestValidator", **work.given(*self.properties))
        work.made_as(answer["id"], RequestValidatorId=answer["id"])

    async def change(self, work: Work) -> None:
        """Look at more, or at less."""
        steps = [
            patch(path, work[name] if work[name] is not None else False)
            for name, path in _OF_VALIDATORS.items()
            if work.changes(name)
        ]
        if steps:
            named = {"restApiId": work["RestApiId"], "requestValidatorId": work.id}
            await work.call(SERVICE, "UpdateRequestValidator", **named, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the validator."""
        named = {"restApiId": work["RestApiId"], "requestValidatorId": work.id}
        await work.call(SERVICE, "DeleteRequestValidator", **named)


class GatewayResponse(Kind):
    """What an API answers of its own accord."""

    type = "AWS::ApiGateway::GatewayResponse"
    properties = ("ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode")
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Put the response."""
        await work.call(SERVICE, "PutGatewayResponse", **work.given(*self.properties))
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def change(self, work: Work) -> None:
        """Put another one in its place."""
        if work.changes("ResponseParameters", "ResponseTemplates", "StatusCode"):
            await work.call(SERVICE, "PutGatewayResponse", **work.given(*self.properties))

    async def remove(self, work: Work) -> None:
        """Go back to what API Gateway answers."""
        response_type = shaping.text(work["ResponseType"])
        await work.call(SERVICE, "DeleteGatewayResponse", restApiId=work["RestApiId"], responseType=response_type)
