"""Request validators of REST APIs: what is not let through, in AWS's words.

AWS: API Gateway Developer Guide, "Request validation for REST APIs in API Gateway"
(api-gateway-method-request-validation), "Test basic request validation" (api-gateway-request-validation-test).
"""

import json

import pytest
from functions.rest import BROKEN, UNAUTHORIZED, Rest

YES = {
    "type": "MOCK",
    "passthroughBehavior": "WHEN_NO_MATCH",
    "requestTemplates": dict.fromkeys(("application/json", "text/plain", "application/xml"), '{"statusCode": 200}'),
}
BAD = {"message": "Invalid request body"}
PET = {
    "type": "object",
    "required": ["name", "price"],
    "properties": {
        "id": {"type": "integer"},
        "type": {"type": "string", "enum": ["dog", "cat", "fish"]},
        "name": {"type": "string", "pattern": "^[A-Z]"},
        "price": {"type": "number", "minimum": 25, "maximum": 500},
        "tags": {"type": "array", "uniqueItems": True},
    },
    "patternProperties": {"^x-": {"type": "string"}},
    "additionalProperties": False,
}
GOOD = {"name": "Marco", "price": 260}


def checked(cloud, schema=PET, key="POST /pets", validator=(True, True), **given):
    """An API with a method that looks at bodies and parameters, deployed to `dev`."""
    api = Rest(cloud)
    api.client.create_model(restApiId=api.id, name="Pet", contentType="application/json", schema=json.dumps(schema))
    body, parameters = validator
    made = api.client.create_request_validator(
        restApiId=api.id, name="v", validateRequestBody=body, validateRequestParameters=parameters
    )
    given = {"requestModels": {"application/json": "Pet"}, **given}
    method(api, key, requestValidatorId=made["id"], **given)
    api.deploy()
    return api


def method(api, key, **given):
    """Put a method that answers 200."""
    api.method(key, integration=YES, **given)
    name, _, path = key.partition(" ")
    place = {"restApiId": api.id, "resourceId": api.resources[path], "httpMethod": name}
    api.client.put_integration_response(**place, statusCode="200")


def send(api, value, path="/dev/pets", **headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return api.ask(path, "POST", body=body, **headers)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Marco"}, {**GOOD, "type": "bird"}, {**GOOD, "price": 501}, {**GOOD, "price": "260"}, [GOOD], None,
        {**GOOD, "name": "marco"}, {**GOOD, "other": 1}, {**GOOD, "x-a": 1}, {**GOOD, "tags": [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}]},
        b"", b"{", b'{"name": "Marco", "price": 260, "price": 900}', b'{"name": "Marco", "price": NaN}', b"\xff",
        b"[" * 100_000 + b"]" * 100_000, {**GOOD, "id": True},
    ],
)  # fmt: skip
def test_a_body_that_is_not_as_its_model_has_it_is_refused(cloud, value):
    told = send(checked(cloud), value)
    assert (told.status, told.value) == (400, BAD)
    assert told.headers["x-amzn-errortype"] == "BadRequestException"


def test_a_body_that_is_as_its_model_has_it_is_let_through(cloud):
    api = checked(cloud)
    for value in (GOOD, {**GOOD, "type": "dog", "id": 1, "x-a": "b", "tags": [1, "1", [1]]}):
        assert send(api, value).status == 200
        assert send(api, value, content_type="Application/JSON; charset=utf-8").status == 200
    # Of a content type without a model nothing is looked at; `$default` stands for every one.
    assert send(api, b"<pet/>", content_type="application/xml").status == 200
    api = checked(cloud, requestModels={"$default": "Pet", "text/plain": "Empty"})
    assert send(api, b"<pet/>", content_type="application/xml").value == BAD
    assert send(api, GOOD, content_type="application/xml").status == 200
    assert [send(api, one, content_type="text/plain").status for one in ({}, [])] == [200, 400]


def test_models_refer_to_one_another_and_nowhere_else(cloud):
    api = checked(cloud)
    place = f"https://apigateway.amazonaws.com/restapis/{api.id}/models/"
    pets = {"type": "array", "items": {"$ref": f"{place}Pet"}, "maxItems": 2}
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "pet": {"$ref": f"{place}Pet#/properties/name"}}}
    validator = api.client.get_request_validators(restApiId=api.id)["items"][0]["id"]
    for name, schema in (("Pets", pets), ("Node", node)):
        api.client.create_model(restApiId=api.id, name=name, contentType="application/json", schema=json.dumps(schema))
        method(api, f"POST /{name}", requestValidatorId=validator, requestModels={"application/json": name})
    api.deploy()
    for value, status in (([GOOD], 200), ([GOOD, {}], 400), ([GOOD] * 3, 400)):
        assert send(api, value, "/dev/Pets").status == status
    for value, status in (({"next": {"next": {"pet": "Ann"}}}, 200), ({"next": {"next": {"pet": "ann"}}}, 400)):
        assert send(api, value, "/dev/Node").status == status
    # A deployment is a snapshot: what is changed later is not in it, and what is gone is.
    api.client.update_model(
        restApiId=api.id, modelName="Pet", patchOperations=[{"op": "replace", "path": "/schema", "value": "{}"}]
    )
    assert send(api, {}).value == BAD
    api.deploy()
    assert send(api, {}).status == 200
    api.client.delete_request_validator(restApiId=api.id, requestValidatorId=validator)
    assert send(api, {}).status == 200
    api.deploy()
    assert (send(api, {}).status, send(api, {}).value) == (500, BROKEN)


def test_a_pattern_that_takes_for_ever_is_given_up(cloud):
    api = checked(cloud, {"type": "string", "pattern": "^(a|aa)+$"})
    assert send(api, "aaa").status == 200
    assert send(api, "a" * 60 + "!").value == BAD


def test_parameters_that_must_be_there_are(cloud):
    wanted = {
        "method.request.querystring.q1": True, "method.request.querystring.q2": False, "method.request.header.h1": True,
        "method.request.path.id": True, "method.request.header.Cookie": True,
    }  # fmt: skip
    api = checked(cloud, key="GET /pets/{id}", requestParameters=wanted, requestModels={})
    told = api.ask("/dev/pets/7")
    assert (told.status, told.value) == (400, {"message": "Missing required request parameters: [q1, h1, Cookie]"})
    assert told.headers["x-amzn-errortype"] == "BadRequestException"
    cookie = {"cookie": "a=b"}
    for query, headers, missing in (
        ("?q1=", {"h1": "v", **cookie}, "q1"), ("?q1=%20", {"h1": "v", **cookie}, "q1"), ("?Q1=a", {"h1": "v", **cookie}, "q1"),
        ("?q1=a", {"h1": " ", **cookie}, "h1"), ("?q2=a", cookie, "q1, h1"), ("?q1=a", {"h1": "v"}, "Cookie"),
    ):  # fmt: skip
        assert api.ask(f"/dev/pets/7{query}", **headers).value == {
            "message": f"Missing required request parameters: [{missing}]"
        }, query
    assert api.ask("/dev/pets/7?q1=a", **cookie, h1="v").status == 200
    # Parameters come first, and a validator looks at what it is for alone.
    both = checked(cloud, requestParameters=wanted)
    assert send(both, {}).value["message"].startswith("Missing")
    assert send(checked(cloud, validator=(True, False), requestParameters=wanted), {}).value == BAD
    assert send(checked(cloud, validator=(False, True)), {}).status == 200


def test_who_may_not_ask_is_not_told_what_is_wrong(cloud):
    authorizer = {"name": "a", "type": "COGNITO_USER_POOLS"}
    api = checked(cloud)
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abcdefghi"
    guard = api.authorizer(**authorizer, providerARNs=[pool])
    place = {"restApiId": api.id, "resourceId": api.resources["/pets"], "httpMethod": "POST"}
    patches = [("/authorizationType", "COGNITO_USER_POOLS"), ("/authorizerId", guard)]
    api.client.update_method(
        **place, patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in patches]
    )
    api.deploy()
    assert send(api, {}).value == UNAUTHORIZED


def test_gateway_responses_tell_what_is_wrong_as_the_api_has_it(cloud):
    api = checked(cloud, requestParameters={"method.request.querystring.q": True})
    for kind, status in (("BAD_REQUEST_BODY", "422"), ("BAD_REQUEST_PARAMETERS", "418")):
        template = '{"kind": "$context.error.responseType", "why": $context.error.messageString}'
        api.client.put_gateway_response(
            restApiId=api.id, responseType=kind, statusCode=status, responseTemplates={"application/json": template}
        )
    api.deploy()
    told = send(api, {}, "/dev/pets?q=1")
    assert (told.status, told.value) == (422, {"kind": "BAD_REQUEST_BODY", "why": "Invalid request body"})
    told = send(api, {})
    assert (told.status, told.value["why"]) == (418, "Missing required request parameters: [q]")


@pytest.mark.parametrize("version", ["2", "3"])
def test_what_a_definition_asks_of_requests_is_looked_at(cloud, version):
    """AWS: x-amazon-apigateway-request-validators, and the schemas that a definition has for bodies."""
    integration = {
        "type": "mock", "requestTemplates": YES["requestTemplates"], "responses": {"default": {"statusCode": "200"}},
    }  # fmt: skip
    query = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    own = {"responses": {}, "x-amazon-apigateway-integration": integration}
    inline = {"type": "array", "items": {"$ref": "#/definitions/Pet" if version == "2" else "#/components/schemas/Pet"}}
    if version == "2":
        begun = {"swagger": "2.0", "definitions": {"Pet": PET}, "consumes": ["application/json", "text/plain"]}
        bodies = [
            {"parameters": [query, {"name": "b", "in": "body", "schema": schema}]}
            for schema in ({"$ref": "#/definitions/Pet"}, inline)
        ]
    else:
        begun = {"openapi": "3.0.1", "components": {"schemas": {"Pet": PET}}}
        bodies = [
            {
                "parameters": [query],
                "requestBody": {"content": {key: {"schema": schema} for key in ["application/json", "text/plain"]}},
            }
            for schema in ({"$ref": "#/components/schemas/Pet"}, inline)
        ]
    definition = {
        **begun, "info": {"title": "pets", "version": "1"}, "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
        "paths": {path: {"post": {**own, **body}} for path, body in zip(("/pet", "/pets"), bodies, strict=True)},
    }  # fmt: skip
    client = cloud.client("apigateway")
    api = Rest(cloud)
    client.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(definition))
    api.deploy()
    assert send(api, GOOD, "/dev/pet").value == {"message": "Missing required request parameters: [q]"}
    for kind in ("application/json", "text/plain"):
        for path, value, status in (("pet", GOOD, 200), ("pet", {}, 400), ("pets", [GOOD], 200), ("pets", [{}], 400)):
            assert send(api, value, f"/dev/{path}?q=1", content_type=kind).status == status, (kind, path, value)
