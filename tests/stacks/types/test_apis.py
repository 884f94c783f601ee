"""AWS::ApiGateway and AWS::ApiGatewayV2, as SAM and CDK make them.

AWS: CloudFormation Template Reference, the page of each type.
"""

import json
import re

import pytest
from running import ACCOUNT, REGION, allow
from stacks.resources import Stack
from stacks.types.test_functions import trust

from iamd.stacks import handlers
from iamd.stacks.client import RequestFailed
from iamd.stacks.handlers import InvalidProperties

URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:{ACCOUNT}:function:f/invocations"
INTEGRATION = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}


def openapi(*paths):
    methods = {"get": {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": INTEGRATION}}
    return {"openapi": "3.0.1", "info": {"title": "orders", "version": "1.0"}, "paths": dict.fromkeys(paths, methods)}


def paths(client, api):
    return sorted(one["path"] for one in client.get_resources(restApiId=api.ref)["items"])


def test_a_rest_api_is_as_sam_makes_it(cloud, stack):
    client = cloud.client("apigateway")
    api = stack.create(
        "AWS::ApiGateway::RestApi", "Api", tags={"env": "test"}, Body=openapi("/orders"), Description="d"
    )
    found = client.get_rest_api(restApiId=api.ref)
    assert (found["name"], found["tags"]) == ("orders", {"env": "test"})
    assert api["RestApiId"] == api.ref
    roots = [one["id"] for one in client.get_resources(restApiId=api.ref)["items"] if one["path"] == "/"]
    assert roots == [api["RootResourceId"]]
    assert paths(client, api) == ["/", "/orders"]
    deployment = stack.create(
        "AWS::ApiGateway::Deployment", "Deployed", RestApiId=api.ref, Description="one", StageName="Stage"
    )
    assert deployment["DeploymentId"] == deployment.ref
    everything = [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True, "LoggingLevel": "ERROR"}]
    stage = stack.create(
        "AWS::ApiGateway::Stage", "Prod", tags={"env": "test"}, RestApiId=api.ref, DeploymentId=deployment.ref, StageName="Prod",
        Variables={"a": 1}, TracingEnabled=True, MethodSettings=everything,
    )  # fmt: skip
    assert stage.ref == "Prod"
    found = client.get_stage(restApiId=api.ref, stageName="Prod")
    assert (found["deploymentId"], found["variables"], found["tracingEnabled"]) == (deployment.ref, {"a": "1"}, True)
    assert found["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    api = stack.update(api, Body=openapi("/orders", "/carts"), Description="e")
    assert paths(client, api) == ["/", "/carts", "/orders"]
    assert client.get_rest_api(restApiId=api.ref)["description"] == "e"
    again = stack.create("AWS::ApiGateway::Deployment", "Again", RestApiId=api.ref, StageName="Stage")
    stage = stack.update(stage, DeploymentId=again.ref, Variables={"b": "2"}, TracingEnabled=None)
    found = client.get_stage(restApiId=api.ref, stageName="Prod")
    assert (found["deploymentId"], found["variables"], found["tracingEnabled"]) == (again.ref, {"b": "2"}, False)
    # The embedded backend takes the stage for the first deployment's still, as long as it is there.
    for one in (stage, again, deployment, api):
        stack.delete(one)
    assert client.get_rest_apis()["items"] == []
    stack.delete(stage)


def test_methods_are_put_at_paths(cloud, stack):
    client = cloud.client("apigateway")
    api = stack.create("AWS::ApiGateway::RestApi", "Api", Name="orders")
    resource = stack.create(
        "AWS::ApiGateway::Resource", RestApiId=api.ref, ParentId=api["RootResourceId"], PathPart="orders"
    )
    assert resource["ResourceId"] == resource.ref
    method = stack.create(
        "AWS::ApiGateway::Method", RestApiId=api.ref, ResourceId=resource.ref, HttpMethod="GET", AuthorizationType="AWS_IAM",
        MethodResponses=[{"StatusCode": "200"}],
        Integration={"Type": "MOCK", "RequestTemplates": {"application/json": "{}"}, "IntegrationResponses": [{"StatusCode": 200}]},
    )  # fmt: skip
    named = {"restApiId": api.ref, "resourceId": resource.ref, "httpMethod": "GET"}
    found = client.get_method(**named)
    assert found["authorizationType"] == "AWS_IAM"
    assert found["methodIntegration"]["type"] == "MOCK"
    assert "200" in found["methodIntegration"]["integrationResponses"]
    method = stack.update(
        method, AuthorizationType="NONE", Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": URI}
    )
    found = client.get_method(**named)
    assert (found["authorizationType"], found["methodIntegration"]["type"]) == ("NONE", "AWS_PROXY")
    authorizer = stack.create(
        "AWS::ApiGateway::Authorizer",
        RestApiId=api.ref,
        Name="a",
        Type="TOKEN",
        AuthorizerUri=URI,
        IdentitySource="method.request.header.A",
    )
    assert client.get_authorizer(restApiId=api.ref, authorizerId=authorizer["AuthorizerId"])["name"] == "a"
    authorizer = stack.update(authorizer, Name="b")
    assert client.get_authorizer(restApiId=api.ref, authorizerId=authorizer.ref)["name"] == "b"
    stack.delete(authorizer)
    stack.delete(method)
    stack.delete(resource)
    assert paths(client, api) == ["/"]


def test_an_authorizer_changes_with_its_properties(cloud, stack):
    client = cloud.client("apigateway")
    api = stack.create("AWS::ApiGateway::RestApi", "Api", Name="orders")
    pools = [f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_{name}" for name in "abc"]
    source = "method.request.header.A"
    authorizer = stack.create(
        "AWS::ApiGateway::Authorizer",
        RestApiId=api.ref,
        Name="a",
        Type="COGNITO_USER_POOLS",
        IdentitySource=source,
        IdentityValidationExpression="x",
        AuthorizerResultTtlInSeconds=60,
        ProviderARNs=pools[:2],
    )
    stack.update(
        authorizer, IdentityValidationExpression=None, AuthorizerResultTtlInSeconds=None, ProviderARNs=pools[1:]
    )
    found = client.get_authorizer(restApiId=api.ref, authorizerId=authorizer.ref)
    assert (found["providerARNs"], found["identitySource"]) == (pools[1:], source)
    assert (found["authorizerResultTtlInSeconds"], "identityValidationExpression" in found) == (300, False)


def test_an_account_has_a_role_for_logs(cloud, stack):
    role = stack.create("AWS::IAM::Role", "Role", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    account = stack.create("AWS::ApiGateway::Account", CloudWatchRoleArn=role["Arn"])
    assert account["Id"] == account.ref
    assert cloud.client("apigateway").get_account()["cloudwatchRoleArn"] == role["Arn"]
    stack.delete(account)


def test_what_iamd_does_not_set_on_single_methods_is_refused(stack):
    api = stack.create("AWS::ApiGateway::RestApi", "Api", Body=openapi("/orders"))
    deployment = stack.create("AWS::ApiGateway::Deployment", RestApiId=api.ref)
    one = [{"ResourcePath": "/orders", "HttpMethod": "GET", "MetricsEnabled": True}]
    with pytest.raises(InvalidProperties, match="every method"):
        stack.create(
            "AWS::ApiGateway::Stage",
            RestApiId=api.ref,
            DeploymentId=deployment.ref,
            StageName="Prod",
            MethodSettings=one,
        )
    with pytest.raises(InvalidProperties, match="Name"):
        handlers.check("AWS::ApiGateway::RestApi", {"Description": "d"})


def http_api(*paths, title="orders", tags=(), **integration):
    integration = {**INTEGRATION, "payloadFormatVersion": "2.0", **integration}
    methods = {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}
    document = {"openapi": "3.0.1", "info": {"title": title, "version": "1.0"}, "paths": dict.fromkeys(paths, methods)}
    return document | {"tags": [{"name": name, "x-amazon-apigateway-tag-value": "own"} for name in tags]}


def route_keys(client, api):
    return sorted(one["RouteKey"] for one in client.get_routes(ApiId=api.ref)["Items"])


def test_an_http_api_is_what_its_document_says(cloud, stack):
    client = cloud.client("apigatewayv2")
    api = stack.create("AWS::ApiGatewayV2::Api", "Api", Body=http_api("/orders", "/carts"))
    found = client.get_api(ApiId=api.ref)
    assert (api["ApiId"], api["ApiEndpoint"]) == (api.ref, found["ApiEndpoint"])
    assert (found["Name"], found["ProtocolType"]) == ("orders", "HTTP")
    assert route_keys(client, api) == ["GET /carts", "GET /orders"]
    stage = stack.create("AWS::ApiGatewayV2::Stage", "Stage", ApiId=api.ref, StageName="$default", AutoDeploy=True)
    changed = http_api("/orders", "/shops", title="shops", timeoutInMillis=500)
    api = stack.update(api, Body=changed)
    assert client.get_api(ApiId=api.ref)["Name"] == "shops"
    assert route_keys(client, api) == ["GET /orders", "GET /shops"]
    assert {one["TimeoutInMillis"] for one in client.get_integrations(ApiId=api.ref)["Items"]} == {500}
    assert [one["StageName"] for one in client.get_stages(ApiId=api.ref)["Items"]] == ["$default"]
    stack.update(api, Body=json.dumps(changed | {"info": {"title": "text"}}))
    assert client.get_api(ApiId=api.ref)["Name"] == "text"
    stack.delete(stage)
    stack.delete(api)
    assert client.get_apis()["Items"] == []
    stack.delete(api)


def test_an_http_api_has_the_tags_of_its_document_and_its_stack(cloud, stack):
    client = cloud.client("apigatewayv2")

    def tags():
        return client.get_api(ApiId=api.ref).get("Tags", {})

    api = stack.create(
        "AWS::ApiGatewayV2::Api", "Api", tags={"env": "test", "team": "stack"}, Body=http_api("/a", tags=["team", "a"])
    )
    assert tags() == {"env": "test", "team": "own", "a": "own"}
    api = stack.update(api, tags={"env": "prod", "team": "other"})
    assert tags() == {"env": "prod", "team": "own", "a": "own"}
    api = stack.update(api, tags={"team": "other", "b": "stack"}, Body=http_api("/a", tags=["b"]))
    assert tags() == {"team": "other", "b": "own"}
    api = stack.update(api, tags={})
    assert tags() == {"b": "own"}
    assert "apigatewayv2:ImportApi" in stack.client.called


def test_properties_of_an_import_are_those_of_the_operation(cloud, stack):
    client = cloud.client("apigatewayv2")
    servers = {"servers": [{"url": "/{basePath}", "variables": {"basePath": {"default": "v1"}}}]}
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/None"}}}
    warned = http_api("/a")
    warned["paths"]["/a"]["get"]["responses"] = {"200": {"description": "ok", "content": schema}}
    with pytest.raises(RequestFailed, match="Warnings found during import"):
        stack.create("AWS::ApiGatewayV2::Api", "Api", Body=warned, FailOnWarnings=True)
    assert client.get_apis()["Items"] == []
    api = stack.create(
        "AWS::ApiGatewayV2::Api", "Api", Body=warned | servers, BasePath="prepend", FailOnWarnings="false"
    )
    assert route_keys(client, api) == ["GET /v1/a"]
    with pytest.raises(RequestFailed, match="Warnings found during import"):
        stack.update(api, FailOnWarnings=True)
    api = stack.update(api, BasePath=None)
    assert route_keys(client, api) == ["GET /a"]
    with pytest.raises(RequestFailed, match=r"cacheNamespace is not supported"):
        stack.update(api, Body=http_api("/b", cacheNamespace="x"))
    assert route_keys(client, api) == ["GET /a"]


@pytest.mark.parametrize(("type", "etag"), [("AWS::ApiGatewayV2::Api", "Etag"), ("AWS::ApiGateway::RestApi", "ETag")])
def test_a_document_stands_in_s3(cloud, stack, type, etag):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="documents")
    version = "2.0" if type == "AWS::ApiGatewayV2::Api" else "1.0"
    text = json.dumps(http_api("/a", payloadFormatVersion=version))
    written = """
openapi: 3.0.1
info: {title: carts, version: "1.0"}
paths:
  /b:
    get:
      responses: {200: {description: ok}}
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", uri: URI}
""".replace("2.0", version)
    tags = {}
    for name, content in (("a.json", text), ("b.yaml", written.replace("URI", URI)), ("none", "- a"), ("raw", b"\xff")):
        tags[name] = s3.put_object(Bucket="documents", Key=name, Body=content)["ETag"]

    def at(key, **more):
        return {"BodyS3Location": {"Bucket": "documents", "Key": key, **more}}

    def name(api):
        if type == "AWS::ApiGatewayV2::Api":
            return cloud.client("apigatewayv2").get_api(ApiId=api.ref)["Name"]
        return paths(cloud.client("apigateway"), api)[-1]

    api = stack.create(type, "Api", **at("a.json", **{etag: tags["a.json"]}))
    assert name(api) in {"orders", "/a"}
    api = stack.update(api, **at("b.yaml"))
    assert name(api) in {"carts", "/b"}
    for place, words in (
        (at("none"), "no document of JSON or YAML"),
        (at("raw"), "no document of JSON or YAML"),
        (at("missing"), "does not exist"),
        (at("a.json", **{etag: tags["b.yaml"]}), "pre-conditions"),
        ({"BodyS3Location": {"Bucket": "documents"}}, r"required key \[Key\] not found"),
    ):
        with pytest.raises((InvalidProperties, RequestFailed), match=words):
            stack.update(api, **place)
    ann = Stack(cloud, cloud.user("ann", allow("apigateway:*")))
    with pytest.raises(RequestFailed, match="s3:GetObject"):
        ann.create(type, "Api", **at("a.json"))


def test_an_http_api_is_one_of_properties_or_of_a_document():
    """The words are those that issues 15754 of CDK and 3615 of SAM tell of CloudFormation."""
    document = {"Body": http_api("/a")}
    cors = {"AllowOrigins": ["*"]}
    for given, words in (
        ({"Name": "a"}, 'Redundant fields [name="a"] provided when either Body or BodyS3Location is not empty'),
        ({"Tags": {"a": "b"}}, 'Redundant fields [tags={"a":"b"}] provided'),
        (
            {"ProtocolType": "HTTP", "CorsConfiguration": cors},
            'Redundant fields [protocolType="HTTP", corsConfiguration={"al',
        ),
        ({"BodyS3Location": {"Bucket": "b", "Key": "k"}}, "Only one of Body and BodyS3Location can be specified."),
    ):
        with pytest.raises(InvalidProperties, match=re.escape(words)):
            handlers.check("AWS::ApiGatewayV2::Api", document | given)
    whole = {"Name": "a", "ProtocolType": "HTTP"}
    for name, value in (("FailOnWarnings", True), ("BasePath", "split")):
        with pytest.raises(InvalidProperties, match=f"The property {name} has no meaning without Body"):
            handlers.check("AWS::ApiGatewayV2::Api", whole | {name: value})
    for missing in ({"Name": "a"}, {"ProtocolType": "HTTP"}):
        with pytest.raises(InvalidProperties, match="required key"):
            handlers.check("AWS::ApiGatewayV2::Api", missing)
    assert handlers.replaces("AWS::ApiGatewayV2::Api", whole, document)
    assert handlers.replaces("AWS::ApiGatewayV2::Api", document, whole)


def test_an_http_api_has_every_part(cloud, stack):
    client = cloud.client("apigatewayv2")
    api = stack.create(
        "AWS::ApiGatewayV2::Api", "Api", tags={"env": "test"}, Name="orders", ProtocolType="HTTP", Description="d",
        CorsConfiguration={"AllowOrigins": ["*"], "MaxAge": "5"},
    )  # fmt: skip
    found = client.get_api(ApiId=api.ref)
    assert (api["ApiId"], api["ApiEndpoint"]) == (api.ref, found["ApiEndpoint"])
    assert (found["Tags"], found["CorsConfiguration"]["MaxAge"]) == ({"env": "test"}, 5)
    api = stack.update(api, tags={"env": "prod"}, Description="e")
    found = client.get_api(ApiId=api.ref)
    assert (found["Description"], found["Tags"]) == ("e", {"env": "prod"})
    with pytest.raises(InvalidProperties, match="Description"):
        stack.update(api, Description=None)
    stage = stack.create(
        "AWS::ApiGatewayV2::Stage",
        "Stage",
        ApiId=api.ref,
        StageName="$default",
        AutoDeploy=True,
        StageVariables={"a": "b"},
    )
    assert stage.ref == "$default"
    assert client.get_stage(ApiId=api.ref, StageName="$default")["StageVariables"] == {"a": "b"}
    integration = stack.create(
        "AWS::ApiGatewayV2::Integration",
        ApiId=api.ref,
        IntegrationType="AWS_PROXY",
        IntegrationUri=URI,
        PayloadFormatVersion="2.0",
    )
    assert integration["IntegrationId"] == integration.ref
    integration = stack.update(integration, Description="i")
    assert client.get_integration(ApiId=api.ref, IntegrationId=integration.ref)["Description"] == "i"
    route = stack.create(
        "AWS::ApiGatewayV2::Route", ApiId=api.ref, RouteKey="GET /", Target=f"integrations/{integration.ref}"
    )
    assert route["RouteId"] == route.ref
    route = stack.update(route, RouteKey="GET /orders")
    assert client.get_route(ApiId=api.ref, RouteId=route.ref)["RouteKey"] == "GET /orders"
    jwt = {"Audience": ["a"], "Issuer": "https://issuer.example.com"}
    authorizer = stack.create(
        "AWS::ApiGatewayV2::Authorizer", ApiId=api.ref, Name="a", AuthorizerType="JWT", JwtConfiguration=jwt,
        IdentitySource=["$request.header.Authorization"],
    )  # fmt: skip
    assert client.get_authorizer(ApiId=api.ref, AuthorizerId=authorizer["AuthorizerId"])["JwtConfiguration"] == jwt
    for one in (authorizer, route, integration, stage, api):
        stack.delete(one)
    assert client.get_apis()["Items"] == []
    stack.delete(route)


SCHEMA = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["a"]}


def deployed(stack, **of_api):
    """A REST API with a stage `dev`."""
    api = stack.create("AWS::ApiGateway::RestApi", "Api", Body=openapi("/orders"), **of_api)
    stack.create("AWS::ApiGateway::Deployment", RestApiId=api.ref, StageName="dev")
    return api


def test_an_api_key_changes_with_its_properties(cloud, stack):
    client = cloud.client("apigateway")
    api = deployed(stack)
    key = stack.create(
        "AWS::ApiGateway::ApiKey", "Key", tags={"env": "test"}, Enabled="true", Description="d", CustomerId="c",
        Value="v" * 30, StageKeys=[{"RestApiId": api.ref, "StageName": "dev"}],
    )  # fmt: skip
    assert key["APIKeyId"] == key.ref
    found = client.get_api_key(apiKey=key.ref, includeValue=True)
    assert found["name"].startswith("orders-Key-")
    told = (found["enabled"], found["description"], found["customerId"], found["value"], found["tags"])
    assert told == (True, "d", "c", "v" * 30, {"env": "test"})
    assert found["stageKeys"] == [f"{api.ref}/dev"]
    client.create_deployment(restApiId=api.ref, stageName="v1")
    stages = [{"RestApiId": api.ref, "StageName": "v1"}]
    key = stack.update(key, tags={"team": "a"}, Enabled=None, Description="e", CustomerId=None, StageKeys=stages)
    found = client.get_api_key(apiKey=key.ref)
    assert found["stageKeys"] == [f"{api.ref}/v1"]
    assert (found["enabled"], found["description"], found.get("customerId")) == (False, "e", None)
    assert found["tags"] == {"team": "a"}
    stack.delete(key)
    assert client.get_api_keys()["items"] == []
    stack.delete(key)


def test_a_usage_plan_changes_with_its_properties(cloud, stack):
    client = cloud.client("apigateway")
    api = deployed(stack)
    client.create_deployment(restApiId=api.ref, stageName="v1")
    stages = [{"ApiId": api.ref, "Stage": "dev", "Throttle": {"/orders/GET": {"RateLimit": 1.5, "BurstLimit": "2"}}}]
    plan = stack.create(
        "AWS::ApiGateway::UsagePlan", "Plan", tags={"env": "test"}, UsagePlanName="gold", Description="d", ApiStages=stages,
        Quota={"Limit": "10", "Period": "WEEK", "Offset": 2}, Throttle={"RateLimit": 5, "BurstLimit": 6},
    )  # fmt: skip
    assert plan["Id"] == plan.ref

    def found():
        told = client.get_usage_plan(usagePlanId=plan.ref)
        return {name: one for name, one in told.items() if name not in {"id", "ResponseMetadata"}}

    assert found() == {
        "name": "gold",
        "description": "d",
        "apiStages": [
            {"apiId": api.ref, "stage": "dev", "throttle": {"/orders/GET": {"rateLimit": 1.5, "burstLimit": 2}}}
        ],
        "quota": {"limit": 10, "period": "WEEK", "offset": 2},
        "throttle": {"rateLimit": 5.0, "burstLimit": 6},
        "tags": {"env": "test"},
    }
    other = [{"ApiId": api.ref, "Stage": "v1", "Throttle": {"//GET": {"RateLimit": 2}}}]
    plan = stack.update(
        plan, tags={"team": "a"}, UsagePlanName="silver", Description=None, ApiStages=other, Quota=None,
        Throttle={"RateLimit": 7},
    )  # fmt: skip
    assert found() == {
        "name": "silver",
        "apiStages": [{"apiId": api.ref, "stage": "v1", "throttle": {"//GET": {"rateLimit": 2.0}}}],
        "throttle": {"rateLimit": 7.0},
        "tags": {"team": "a"},
    }
    key = stack.create("AWS::ApiGateway::ApiKey", "Key")
    member = stack.create("AWS::ApiGateway::UsagePlanKey", KeyId=key.ref, KeyType="API_KEY", UsagePlanId=plan.ref)
    assert member.ref == member["Id"] == f"{key.ref}:{plan.ref}"
    assert [one["id"] for one in client.get_usage_plan_keys(usagePlanId=plan.ref)["items"]] == [key.ref]
    stack.delete(member)
    assert client.get_usage_plan_keys(usagePlanId=plan.ref)["items"] == []
    stack.delete(plan)
    assert client.get_usage_plans()["items"] == []
    for one in (member, plan):
        stack.delete(one)


def test_models_validators_and_gateway_responses_change_with_their_properties(cloud, stack):
    client = cloud.client("apigateway")
    api = stack.create("AWS::ApiGateway::RestApi", "Api", Name="orders")
    place = {"restApiId": api.ref}
    model = stack.create("AWS::ApiGateway::Model", "Order", RestApiId=api.ref, Schema=SCHEMA, Description="d")
    assert re.fullmatch("ordersOrder[0-9A-F]{12}", model.ref)
    found = client.get_model(**place, modelName=model.ref)
    assert (found["contentType"], found["description"]) == ("application/json", "d")
    assert json.loads(found["schema"]) == SCHEMA
    model = stack.update(model, Schema={"type": "array"}, Description="e")
    found = client.get_model(**place, modelName=model.ref)
    assert (json.loads(found["schema"]), found["description"]) == ({"type": "array"}, "e")
    validator = stack.create("AWS::ApiGateway::RequestValidator", RestApiId=api.ref, Name="v", ValidateRequestBody=True)
    named = {**place, "requestValidatorId": validator["RequestValidatorId"]}
    found = client.get_request_validator(**named)
    assert (found["name"], found["validateRequestBody"], found["validateRequestParameters"]) == ("v", True, False)
    validator = stack.update(validator, ValidateRequestBody=None, ValidateRequestParameters="true")
    found = client.get_request_validator(**named)
    assert (found["validateRequestBody"], found["validateRequestParameters"]) == (False, True)
    given = {"RestApiId": api.ref, "ResponseType": "THROTTLED", "StatusCode": 420}
    parameters = {"gatewayresponse.header.x": "'y'"}
    answer = stack.create("AWS::ApiGateway::GatewayResponse", **given, ResponseParameters=parameters)
    assert answer["Id"] == answer.ref
    found = client.get_gateway_response(**place, responseType="THROTTLED")
    assert (found["statusCode"], found["responseParameters"], found["defaultResponse"]) == ("420", parameters, False)
    stack.update(answer, ResponseParameters=None, StatusCode="429", ResponseTemplates={"text/plain": "slow"})
    found = client.get_gateway_response(**place, responseType="THROTTLED")
    assert (found["statusCode"], found.get("responseParameters", {})) == ("429", {})
    assert found["responseTemplates"] == {"text/plain": "slow"}
    for one in (answer, validator, model):
        stack.delete(one)
        stack.delete(one)
    assert client.get_gateway_response(**place, responseType="THROTTLED")["defaultResponse"]
    assert client.get_request_validators(**place)["items"] == []
    assert {one["name"] for one in client.get_models(**place)["items"]} == {"Empty", "Error"}


def test_keys_and_plans_are_made_by_who_may_make_them(cloud):
    """Each type asks for what its operations ask for; what may not be done leaves nothing behind."""
    own = Stack(cloud, cloud.user("ann", allow("apigateway:GET")))
    api = cloud.client("apigateway").create_rest_api(name="orders")["id"]
    for kind, given in (
        ("ApiKey", {}), ("UsagePlan", {}), ("UsagePlanKey", {"KeyId": "k", "KeyType": "API_KEY", "UsagePlanId": "p"}),
        ("Model", {"RestApiId": api, "Schema": SCHEMA}), ("RequestValidator", {"RestApiId": api}),
        ("GatewayResponse", {"RestApiId": api, "ResponseType": "THROTTLED"}),
    ):  # fmt: skip
        with pytest.raises(RequestFailed, match="not authorized to perform: apigateway:P"):
            own.create(f"AWS::ApiGateway::{kind}", **given)
