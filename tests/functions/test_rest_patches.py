"""Patches of what REST APIs are made of: each documented one works, and no other.

AWS: API Gateway API Reference, "Patch operations"; Developer Guide, "Create, configure, and test usage plans using the
API Gateway CLI and REST API" (api-gateway-create-usage-plans-with-rest-api).
"""

import json

import pytest
from botocore.exceptions import ClientError
from functions.rest import Rest

URL = "https://orders.example/{proxy}"
SCHEMA = json.dumps({"type": "object"})


@pytest.fixture
def api(cloud):
    return Rest(cloud)


def steps(*given):
    return [dict(zip(("op", "path", "value"), one, strict=False)) for one in given]


def refused(call, *given, code="BadRequestException", **named):
    """What is said of a patch that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**named, patchOperations=steps(*given))
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


def test_a_method_is_patched(api):
    client = api.client
    api.method("GET /", integration={"type": "MOCK"})
    place = {"restApiId": api.id, "resourceId": api.resources["/"], "httpMethod": "GET"}
    authorizer = api.authorizer(
        type="COGNITO_USER_POOLS", providerARNs=["arn:aws:cognito-idp:us-east-1:1:userpool/u_1"]
    )
    validator = client.create_request_validator(restApiId=api.id, name="v")["id"]
    client.create_model(restApiId=api.id, name="Order", contentType="application/json", schema=SCHEMA)
    told = client.update_method(**place, patchOperations=steps(
        ("replace", "/authorizationType", "COGNITO_USER_POOLS"), ("replace", "/authorizerId", authorizer),
        ("add", "/authorizationScopes", "a/read"), ("add", "/authorizationScopes", "a/write"),
        ("remove", "/authorizationScopes", "a/read"), ("replace", "/apiKeyRequired", "true"),
        ("replace", "/operationName", "ListOrders"), ("replace", "/requestValidatorId", validator),
        ("add", "/requestModels/application~1json", "Order"), ("add", "/requestModels/text~1xml", "Empty"),
        ("remove", "/requestModels/text~1xml"), ("add", "/requestParameters/method.request.header.a", "true"),
        ("replace", "/requestParameters/method.request.header.a", "false"),
        ("add", "/requestParameters/method.request.querystring.q", "true"),
        ("add", "/requestParameters/method.request.path.p", "true"),
        ("remove", "/requestParameters/method.request.path.p"),
    ))  # fmt: skip
    wanted = {
        "authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer, "authorizationScopes": ["a/write"],
        "apiKeyRequired": True, "operationName": "ListOrders", "requestValidatorId": validator,
        "requestModels": {"application/json": "Order"},
        "requestParameters": {"method.request.header.a": False, "method.request.querystring.q": True},
    }  # fmt: skip
    found = client.get_method(**place)
    assert {name: found[name] for name in wanted} == wanted == {name: told[name] for name in wanted}
    assert found["methodIntegration"]["type"] == "MOCK"
    for wrong in (
        ("add", "/apiKeyRequired", "true"), ("replace", "/apiKeyRequired", "yes"), ("replace", "/apiKeyRequired"),
        ("replace", "/httpMethod", "PUT"), ("replace", "/authorizationScopes", "x"), ("add", "/authorizationScopes", ""),
        ("copy", "/authorizationType", "x"), ("replace", "/authorizationType", "OTHER"), ("replace", "/authorizerId", "x"),
        ("replace", "/requestValidatorId", "x"), ("replace", "/requestModels/application~1json", "Missing"),
        ("add", "/requestParameters/header.a", "true"), ("add", "/requestParameters/method.request.header.b", "x"),
        ("replace", "/x/authorizationType", "NONE"), ("replace", "authorizationType", "NONE"),
    ):  # fmt: skip
        # Nothing of a request is done where one operation can't be.
        refused(client.update_method, ("replace", "/operationName", "Other"), wrong, **place)
    found = client.get_method(**place)
    assert {name: found[name] for name in wanted} == wanted
    message = refused(client.update_method, ("add", "/operationName", "x"), **place)
    assert message == (
        "Invalid patch path  '/operationName' specified for op 'add'. Must be one of: [/authorizationScopes, "
        "/requestModels/<name>, /requestParameters/<name>]"
    )
    client.update_method(**place, patchOperations=steps(("replace", "/requestValidatorId", "")))
    assert "requestValidatorId" not in client.get_method(**place)
    refused(
        client.update_method,
        ("replace", "/operationName", "x"),
        **{**place, "httpMethod": "PUT"},
        code="NotFoundException",
    )


def test_a_resource_is_moved_to_where_none_is(api):
    client, place = api.client, {"restApiId": api.id}
    for path in ("/a/b/{c}", "/d/{e}", "/f/{g+}"):
        api.resource(path)

    def moved(path, *given):
        client.update_resource(**place, resourceId=api.resources[path], patchOperations=steps(*given))
        return sorted(one["path"] for one in client.get_resources(**place)["items"])

    moved("/a/b", ("replace", "/pathPart", "x"), ("replace", "/parentId", api.resources["/d"]))
    assert moved("/a", ("replace", "/pathPart", "{a}")) == [
        "/", "/d", "/d/x", "/d/x/{c}", "/d/{e}", "/f", "/f/{g+}", "/{a}",
    ]  # fmt: skip
    told = moved("/a/b", ("replace", "/pathPart", "y"))
    for path, wrong in (
        ("/", ("replace", "/pathPart", "x")), ("/a/b", ("replace", "/pathPart", "{z}")), ("/a/b", ("replace", "/pathPart", "a/b")),
        ("/a/b", ("replace", "/pathPart", "")), ("/a/b", ("replace", "/pathPart", "{c+}")), ("/a/b", ("replace", "/parentId", "no")),
        ("/d", ("replace", "/parentId", api.resources["/a/b/{c}"])), ("/d", ("replace", "/parentId", api.resources["/d"])),
        ("/a/b", ("replace", "/parentId", api.resources["/f/{g+}"])), ("/a/b", ("replace", "/path", "/x")),
        ("/a/b", ("add", "/pathPart", "x")),
    ):  # fmt: skip
        refused(
            client.update_resource, ("replace", "/pathPart", "other"), wrong, **place, resourceId=api.resources[path]
        )
    refused(
        client.update_resource,
        ("replace", "/pathPart", "f"),
        **place,
        resourceId=api.resources["/d"],
        code="ConflictException",
    )
    refused(client.update_resource, ("replace", "/pathPart", "x"), **place, resourceId="no", code="NotFoundException")
    assert sorted(one["path"] for one in client.get_resources(**place)["items"]) == told


def test_an_integration_is_patched(api):
    client = api.client
    api.method(
        "ANY /{proxy+}", integration={"type": "HTTP", "integrationHttpMethod": "GET", "uri": URL, "cacheKeyParameters": ["a"]}
    )  # fmt: skip
    place = {"restApiId": api.id, "resourceId": api.resources["/{proxy+}"], "httpMethod": "ANY"}
    assert client.get_integration(**place)["cacheKeyParameters"] == ["a"]
    client.update_integration(**place, patchOperations=steps(
        ("add", "/cacheKeyParameters", "b"), ("add", "/cacheKeyParameters/c", ""), ("remove", "/cacheKeyParameters/a"),
        ("replace", "/cacheNamespace", "n"), ("replace", "/connectionId", "link"), ("replace", "/connectionType", "VPC_LINK"),
        ("replace", "/contentHandling", "CONVERT_TO_TEXT"), ("replace", "/httpMethod", "POST"),
        ("replace", "/integrationTarget", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/b"),
        ("replace", "/passthroughBehavior", "NEVER"), ("add", "/requestParameters/integration.request.header.a", "'x'"),
        ("replace", "/requestParameters/integration.request.header.a", "'y'"),
        ("add", "/requestTemplates/application~1json", "{}"), ("add", "/requestTemplates/text~1xml", "<a/>"),
        ("remove", "/requestTemplates/text~1xml"), ("replace", "/responseTransferMode", "STREAM"),
        ("replace", "/timeoutInMillis", "50"), ("replace", "/tlsConfig/insecureSkipVerification", "true"),
        ("replace", "/uri", "http://other.example/"),
    ))  # fmt: skip
    wanted = {
        "cacheKeyParameters": ["b", "c"], "cacheNamespace": "n", "connectionId": "link", "connectionType": "VPC_LINK",
        "contentHandling": "CONVERT_TO_TEXT", "httpMethod": "POST", "passthroughBehavior": "NEVER",
        "integrationTarget": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/b",
        "requestParameters": {"integration.request.header.a": "'y'"}, "requestTemplates": {"application/json": "{}"},
        "responseTransferMode": "STREAM", "timeoutInMillis": 50, "tlsConfig": {"insecureSkipVerification": True},
        "uri": "http://other.example/", "type": "HTTP",
    }  # fmt: skip

    def found():
        told = client.get_integration(**place)
        return {name: told[name] for name in wanted}

    assert found() == wanted
    for wrong in (
        ("replace", "/type", "MOCK"), ("replace", "/credentials", "arn:aws:iam::1:role/r"), ("add", "/uri", "http://a/"),
        ("replace", "/uri", "nowhere"), ("replace", "/uri", ""), ("replace", "/httpMethod", ""),
        ("replace", "/timeoutInMillis", "49"), ("replace", "/timeoutInMillis", "1e3"),
        ("replace", "/connectionType", "OTHER"), ("replace", "/passthroughBehavior", "never"),
        ("replace", "/tlsConfig", "{}"), ("add", "/requestParameters", "{}"), ("replace", "/responseTransferMode", "X"),
        ("replace", "/integrationResponses/200", "x"),
    ):  # fmt: skip
        refused(client.update_integration, ("replace", "/cacheNamespace", "other"), wrong, **place)
    assert found() == wanted
    api.method("GET /mock", integration={"type": "MOCK"})
    mock = {**place, "resourceId": api.resources["/mock"], "httpMethod": "GET"}
    refused(client.update_integration, ("replace", "/uri", "http://a/"), **mock)
    client.put_method(**{**mock, "httpMethod": "PUT"}, authorizationType="NONE")
    refused(
        client.update_integration,
        ("replace", "/cacheNamespace", "x"),
        **{**mock, "httpMethod": "PUT"},
        code="NotFoundException",
    )


def test_responses_and_deployments_are_patched(api):
    client = api.client
    api.method("GET /", integration={"type": "MOCK"})
    place = {"restApiId": api.id, "resourceId": api.resources["/"], "httpMethod": "GET"}
    status = {**place, "statusCode": "200"}
    client.put_method_response(**status)
    client.put_integration_response(**status)
    client.update_method_response(**status, patchOperations=steps(
        ("add", "/responseModels/application~1json", "Empty"), ("add", "/responseParameters/method.response.header.a", "true"),
        ("replace", "/responseParameters/method.response.header.a", "false"),
    ))  # fmt: skip
    found = client.get_method_response(**status)
    assert found["responseModels"] == {"application/json": "Empty"}
    assert found["responseParameters"] == {"method.response.header.a": False}
    client.update_integration_response(**status, patchOperations=steps(
        ("replace", "/contentHandling", "CONVERT_TO_BINARY"), ("replace", "/selectionPattern", "2.."),
        ("add", "/responseParameters/method.response.header.a", "'x'"), ("add", "/responseTemplates/text~1plain", "hi"),
    ))  # fmt: skip
    found = client.get_integration_response(**status)
    assert (found["contentHandling"], found["selectionPattern"]) == ("CONVERT_TO_BINARY", "2..")
    assert (found["responseParameters"], found["responseTemplates"]) == (
        {"method.response.header.a": "'x'"},
        {"text/plain": "hi"},
    )
    for call in (client.update_method_response, client.update_integration_response):
        refused(call, ("replace", "/statusCode", "201"), **status)
        refused(call, ("replace", "/x", "201"), **{**status, "statusCode": "500"}, code="NotFoundException")
    deployment = {"restApiId": api.id, "deploymentId": api.deploy(description="one")}
    assert (
        client.update_deployment(**deployment, patchOperations=steps(("replace", "/description", "two")))["description"]
        == "two"
    )
    assert client.get_deployment(**deployment)["description"] == "two"
    refused(client.update_deployment, ("replace", "/description", "three"), ("remove", "/description"), **deployment)
    refused(client.update_deployment, ("replace", "/stageName", "x"), **deployment)
    refused(
        client.update_deployment,
        ("replace", "/description", "x"),
        **{**deployment, "deploymentId": "x"},
        code="NotFoundException",
    )
    assert client.get_deployment(**deployment)["description"] == "two"


def test_models_validators_and_gateway_responses_are_patched(api):
    client, place = api.client, {"restApiId": api.id}
    client.create_model(**place, name="Order", contentType="application/json", schema=SCHEMA)
    named = {**place, "modelName": "Order"}
    other = json.dumps({"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Order"})
    client.create_model(**place, name="Orders", contentType="application/json", schema=other)
    client.update_model(
        **named, patchOperations=steps(("replace", "/schema", '{"type": "array"}'), ("replace", "/description", "d"))
    )
    found = client.get_model(**named)
    assert (found["schema"], found["description"]) == ('{"type": "array"}', "d")
    for schema in (
        "x", "[]", '{"type": "thing"}', '{"required": []}', '{"example": 1}', '{"properties": {"a": {"nullable": true}}}',
        '{"$ref": "https://elsewhere.example/"}', f'{{"$ref": "https://apigateway.amazonaws.com/restapis/{api.id}/models/No"}}',
        '{"pattern": "("}', "",
    ):  # fmt: skip
        refused(client.update_model, ("replace", "/description", "e"), ("replace", "/schema", schema), **named)
        with pytest.raises(ClientError, match="BadRequestException"):
            client.create_model(**place, name="Wrong", contentType="application/json", schema=schema)
    message = refused(client.update_model, ("replace", "/schema", '{"example": 1}'), **named)
    assert message.endswith('[Invalid model schema specified. Unsupported keyword(s): ["example"]]')
    refused(client.update_model, ("replace", "/name", "x"), **named)
    assert client.get_model(**named)["description"] == "d"
    for name, code in (("Order", "ConflictException"), ("a-b", "BadRequestException")):
        with pytest.raises(ClientError, match=code):
            client.create_model(**place, name=name, contentType="application/json", schema=SCHEMA)
    api.method("GET /", integration={"type": "MOCK"}, requestModels={"application/json": "Order"})
    with pytest.raises(ClientError, match="ConflictException"):
        client.delete_model(**named)
    for wrong in ({"requestModels": {"a/b": "No"}}, {"requestValidatorId": "x"}, {"requestParameters": {"a": True}}):
        with pytest.raises(ClientError, match="BadRequestException"):
            api.method("PUT /", integration={"type": "MOCK"}, **wrong)
    validator = client.create_request_validator(**place, name="v", validateRequestBody=True)["id"]
    named = {**place, "requestValidatorId": validator}
    client.update_request_validator(**named, patchOperations=steps(
        ("replace", "/name", "w"), ("replace", "/validateRequestBody", "false"), ("replace", "/validateRequestParameters", "true"),
    ))  # fmt: skip
    found = client.get_request_validator(**named)
    assert (found["name"], found["validateRequestBody"], found["validateRequestParameters"]) == ("w", False, True)
    refused(client.update_request_validator, ("replace", "/validateRequestBody", "1"), **named)
    missing = {**named, "requestValidatorId": "x"}
    refused(client.update_request_validator, ("replace", "/name", "w"), **missing, code="NotFoundException")
    named = {**place, "responseType": "QUOTA_EXCEEDED"}
    assert client.get_gateway_response(**named)["statusCode"] == "429"
    client.update_gateway_response(**named, patchOperations=steps(
        ("replace", "/statusCode", "420"), ("add", "/responseParameters/gatewayresponse.header.a", "'b'"),
        ("replace", "/responseTemplates/application~1json", "{}"),
    ))  # fmt: skip
    found = client.get_gateway_response(**named)
    told = (found["statusCode"], found["responseParameters"], found["responseTemplates"], found["defaultResponse"])
    assert told == ("420", {"gatewayresponse.header.a": "'b'"}, {"application/json": "{}"}, False)
    refused(client.update_gateway_response, ("replace", "/statusCode", "999"), **named)
    assert len(client.get_gateway_responses(**place)["items"]) == 21


def test_a_usage_plan_is_patched(api):
    client = api.client
    api.method("GET /", integration={"type": "MOCK"})
    for stage in ("dev", "v1"):
        api.deploy(stage)
    plan = {"usagePlanId": client.create_usage_plan(name="gold")["id"]}
    dev, v1 = f"{api.id}:dev", f"{api.id}:v1"

    def changed(*given):
        client.update_usage_plan(**plan, patchOperations=steps(*given))
        told = client.get_usage_plan(**plan)
        return {name: one for name, one in told.items() if name not in {"id", "ResponseMetadata"}}

    throttle = f"/apiStages/{dev}/throttle"
    assert changed(
        ("replace", "/name", "silver"), ("replace", "/description", "d"), ("add", "/productCode", "p"),
        ("add", "/quota/limit", "10"), ("add", "/quota/period", "MONTH"), ("add", "/quota/offset", "27"),
        ("add", "/throttle/rateLimit", "1.5"), ("add", "/throttle/burstLimit", "2"), ("add", "/apiStages", dev),
        ("add", "/apiStages", v1), ("replace", f"{throttle}/~1orders/GET/rateLimit", "0.5"),
        ("replace", f"{throttle}//orders/GET/burstLimit", "1"), ("replace", f"{throttle}/orders/PUT/burstLimit", "3"),
    ) == {
        "name": "silver", "description": "d", "productCode": "p",
        "quota": {"limit": 10, "period": "MONTH", "offset": 27}, "throttle": {"rateLimit": 1.5, "burstLimit": 2},
        "apiStages": [
            {"apiId": api.id, "stage": "dev", "throttle": {
                "/orders/GET": {"rateLimit": 0.5, "burstLimit": 1}, "/orders/PUT": {"burstLimit": 3},
            }},
            {"apiId": api.id, "stage": "v1"},
        ],
    }  # fmt: skip
    # The text of JSON within a text is how the page has it.
    inner = json.dumps({"//GET": {"rateLimit": 1.0, "burstLimit": 1}})
    found = changed(
        ("replace", "/productCode", "q"), ("replace", "/quota/limit", "11"), ("replace", "/throttle/rateLimit", "3"),
        ("replace", f"/apiStages/{v1}/throttle", json.dumps(inner)), ("remove", f"{throttle}/~1orders/GET"),
    )  # fmt: skip
    assert (found["productCode"], found["quota"]["limit"], found["throttle"]["rateLimit"]) == ("q", 11, 3.0)
    assert [one.get("throttle") for one in found["apiStages"]] == [
        {"/orders/PUT": {"burstLimit": 3}},
        json.loads(inner),
    ]
    for wrong in (
        ("add", "/name", "x"), ("remove", "/name"), ("replace", "/id", "x"), ("replace", "/apiStages", dev),
        ("add", "/apiStages", "x"), ("remove", "/apiStages"), ("add", "/quota", "{}"), ("remove", "/quota/limit"),
        ("replace", "/quota/period", "YEAR"), ("replace", "/quota/offset", "28"), ("replace", "/quota/limit", "-1"),
        ("replace", "/throttle", "{}"), ("replace", "/throttle/rateLimit", "fast"), ("replace", "/throttle/burstLimit", "1.5"),
        ("remove", f"/apiStages/{dev}"), ("replace", throttle, "x"), ("replace", throttle, '{"/a/GET": {"limit": 1}}'),
        ("replace", f"{throttle}/~1orders/GET", "1"),
    ):  # fmt: skip
        refused(client.update_usage_plan, ("replace", "/description", "e"), wrong, **plan)
    for wrong in (
        ("add", "/apiStages", f"{api.id}:no"),
        ("remove", "/apiStages", "x:y"),
        ("add", "/apiStages/x:y/throttle", "{}"),
    ):
        refused(client.update_usage_plan, wrong, **plan, code="NotFoundException")
    refused(client.update_usage_plan, ("add", "/apiStages", dev), **plan, code="ConflictException")
    message = refused(client.update_usage_plan, ("replace", "/quota/period", "DAY"), **plan)
    assert message == "Usage Plan quota offset must be zero in the DAY period"
    assert changed()["description"] == "d"
    with pytest.raises(ClientError, match=f"associated with it, including {dev}"):
        client.delete_usage_plan(**plan)
    assert changed(
        ("remove", "/quota"), ("remove", "/throttle"), ("remove", "/productCode"), ("remove", "/apiStages", dev),
        ("remove", f"/apiStages/{v1}/throttle"),
    ) == {"name": "silver", "description": "d", "apiStages": [{"apiId": api.id, "stage": "v1"}]}  # fmt: skip
    changed(("remove", "/apiStages", v1))
    client.delete_usage_plan(**plan)
    refused(client.update_usage_plan, ("replace", "/name", "x"), **plan, code="NotFoundException")


def test_keys_are_in_one_plan_of_a_stage(api):
    """AWS: "a given API key can only be associated with one usage plan for each stage"."""
    client = api.client
    api.method("GET /", integration={"type": "MOCK"})
    api.deploy()
    stages = [{"apiId": api.id, "stage": "dev"}]
    one, two = (client.create_usage_plan(name=name, apiStages=stages)["id"] for name in ("one", "two"))
    empty = client.create_usage_plan(name="three")["id"]
    key = client.create_api_key(name="k", enabled=True)["id"]

    def add(plan, key=key, kind="API_KEY"):
        return client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType=kind)

    add(one)
    add(empty)
    for wrong, code in (
        ((two,), "ConflictException"), ((one,), "ConflictException"), (("x",), "NotFoundException"),
        ((two, "x"), "NotFoundException"), ((two, key, "OTHER"), "BadRequestException"),
    ):  # fmt: skip
        with pytest.raises(ClientError, match=code):
            add(*wrong)
    patch = ("add", "/apiStages", f"{api.id}:dev")
    refused(client.update_usage_plan, patch, usagePlanId=empty, code="ConflictException")
    client.delete_usage_plan_key(usagePlanId=one, keyId=key)
    add(two)
    with pytest.raises(ClientError, match="NotFoundException"):
        client.delete_usage_plan_key(usagePlanId=one, keyId=key)
    client.update_api_key(
        apiKey=key, patchOperations=steps(("replace", "/name", "l"), ("replace", "/enabled", "false"))
    )
    assert client.get_usage_plan_key(usagePlanId=two, keyId=key)["name"] == "l"
    refused(client.update_api_key, ("replace", "/name", "m"), ("replace", "/value", "v"), apiKey=key)
    refused(client.update_api_key, ("add", "/stages", f"{api.id}/no"), apiKey=key)
    refused(client.update_api_key, ("add", "/labels", "a"), apiKey=key, code="NotImplemented")
    assert client.get_api_key(apiKey=key)["name"] == "l"
    client.delete_api_key(apiKey=key)
    assert client.get_usage_plan_keys(usagePlanId=two)["items"] == []
    for wrong, code in (
        ({"apiStages": [{"apiId": api.id}]}, "BadRequestException"), ({"apiStages": stages * 2}, "ConflictException"),
        ({"apiStages": [{"apiId": api.id, "stage": "no"}]}, "NotFoundException"),
        ({"throttle": {"rateLimit": -1.0}}, "BadRequestException"), ({"quota": {"limit": 1}}, "BadRequestException"),
        ({"quota": {"limit": 1, "period": "WEEK", "offset": 7}}, "BadRequestException"),
    ):  # fmt: skip
        with pytest.raises(ClientError, match=code):
            client.create_usage_plan(name="wrong", **wrong)
    with pytest.raises(ClientError, match="BadRequestException"):
        client.create_api_key(name="k", stageKeys=[{"restApiId": api.id, "stageName": "no"}])


def test_what_an_api_is_made_of_has_tags(api):
    client = api.client
    api.method("GET /", integration={"type": "MOCK"})
    api.deploy()
    key, plan = client.create_api_key(name="k")["id"], client.create_usage_plan(name="p")["id"]
    for place in (f"restapis/{api.id}", f"restapis/{api.id}/stages/dev", f"apikeys/{key}", f"usageplans/{plan}"):
        arn = f"arn:aws:apigateway:us-east-1::/{place}"
        client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        client.tag_resource(resourceArn=arn, tags={"b": "3"})
        client.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert client.get_tags(resourceArn=arn)["tags"] == {"b": "3"}, place
    assert client.get_rest_api(restApiId=api.id)["tags"] == {"b": "3"}
    with pytest.raises(ClientError, match="NotFoundException"):
        client.get_tags(resourceArn="arn:aws:apigateway:us-east-1::/apikeys/x")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.get_tags(resourceArn="arn:aws:apigateway:us-east-1::/vpclinks/x")
