"""HTTP APIs of OpenAPI definitions, in the embedded backend.

AWS: API Gateway Developer Guide, "Use OpenAPI definitions for HTTP APIs" (http-api-open-api) and the pages of the
extensions; API Reference of HTTP APIs, "ImportApi" and "ReimportApi".
"""

import json
from copy import deepcopy

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, REGION, allow, deny

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/caller"
LAMBDA = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI, "payloadFormatVersion": "2.0"}
HTTP = {"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "https://example.com/", "payloadFormatVersion": 1.0}
INTEGRATION = "x-amazon-apigateway-integration"
SHARED = "x-amazon-apigateway-integrations"
ANY = "x-amazon-apigateway-any-method"
CORS = "x-amazon-apigateway-cors"
AUTHORIZER = "x-amazon-apigateway-authorizer"
ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
PLACE = "paths.'/a'(get)"


def of(integration=LAMBDA, **more):
    return {INTEGRATION: integration, "responses": {"200": {"description": "ok"}}, **more}


def definition(paths=None, **more):
    return {
        "openapi": "3.0.1",
        "info": {"title": "orders", "version": 1.5, "description": "d"},
        "paths": paths if paths is not None else {"/a": {"get": of()}},
        **more,
    }


def refusal(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def client(cloud):
    return cloud.client("apigatewayv2")


@pytest.fixture
def imported(client):
    def make(document, **given):
        return client.import_api(Body=json.dumps(document), **given)

    return make


def routes(client, api):
    """The routes of an API by their keys, each with its integration and authorizer in place of their ids."""
    found = {}
    for route in client.get_routes(ApiId=api)["Items"]:
        target = route.pop("Target").removeprefix("integrations/")
        integration = client.get_integration(ApiId=api, IntegrationId=target)
        del integration["ResponseMetadata"], route["RouteId"]
        route["Integration"] = integration
        if "AuthorizerId" in route:
            authorizer = client.get_authorizer(ApiId=api, AuthorizerId=route.pop("AuthorizerId"))
            del authorizer["ResponseMetadata"]
            route["Authorizer"] = authorizer
        found[route["RouteKey"]] = route
    return found


def keys(client, api):
    return sorted(one["RouteKey"] for one in client.get_routes(ApiId=api)["Items"])


def test_an_api_is_what_its_definition_says(client, imported):
    cors = {
        "allowOrigins": ["https://a.example.com"], "allowMethods": ["GET", "POST"], "allowHeaders": ["x-a"],
        "exposeHeaders": ["x-b"], "maxAge": "60", "allowCredentials": True,
    }  # fmt: skip
    tags = [{"name": "team", "x-amazon-apigateway-tag-value": "blue"}, {"name": "bare"}]
    servers = [{"url": "https://example.com", ENDPOINT: {"disableExecuteApiEndpoint": True}}]
    version = {"x-amazon-apigateway-importexport-version": "1.0"}
    made = imported(definition(servers=servers, tags=tags, **{CORS: cors}, **version))
    found = client.get_api(ApiId=made["ApiId"])
    for told in (made, found):
        assert (told["Name"], told["Version"], told["Description"]) == ("orders", "1.5", "d")
        assert (told["ProtocolType"], told["DisableExecuteApiEndpoint"]) == ("HTTP", True)
        assert told["Tags"] == {"team": "blue", "bare": ""}
        assert told["CorsConfiguration"] == {
            "AllowOrigins": ["https://a.example.com"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-a"],
            "ExposeHeaders": ["x-b"], "MaxAge": 60, "AllowCredentials": True,
        }  # fmt: skip
        assert told["ApiEndpoint"] == f"{client.meta.endpoint_url}/_iamd/execute-api/{made['ApiId']}"


def test_each_operation_is_a_route(client, imported):
    methods = ("delete", "get", "head", "options", "patch", "post", "put", ANY)
    paths = {"/a": {**{name: of() for name in methods}, "parameters": [], "summary": "s"}, "/{proxy+}": {"get": of()}}
    paths["/$default"] = {ANY: of(isDefaultRoute=True)}
    made = imported(definition(paths))
    wanted = {f"{name.upper()} /a" for name in methods[:-1]} | {"ANY /a", "GET /{proxy+}", "$default"}
    assert set(keys(client, made["ApiId"])) == wanted


def test_an_integration_has_all_that_is_said_of_it(client, imported):
    linked = {
        **HTTP, "connectionType": "VPC_LINK", "connectionId": "abc", "tlsConfig": {"serverNameToVerify": "a.example.com"},
        "requestParameters": {"append:header.a": "$context.requestId"}, "timeoutInMillis": "50",
        "passthroughBehavior": "when_no_match",
    }  # fmt: skip
    send = {
        "type": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage", "payloadFormatVersion": "1.0", "credentials": ROLE,
        "requestParameters": {"QueueUrl": "u", "MessageBody": "$request.body"},
    }  # fmt: skip
    reference = {"$ref": f"#/components/{SHARED}/one"}
    paths = {
        "/lambda": {"post": of(operationId="Make Order")},
        "/linked": {"get": of(linked)},
        "/send": {"post": of(send)},
        "/b": {"get": of(reference)},
        "/c": {"get": of(reference)},
    }
    made = imported(definition(paths, components={SHARED: {"one": HTTP}}))
    found = routes(client, made["ApiId"])
    assert found["POST /lambda"]["OperationName"] == "Make Order"
    one = found["POST /lambda"]["Integration"]
    assert (one["IntegrationType"], one["IntegrationUri"], one["IntegrationMethod"]) == ("AWS_PROXY", URI, "POST")
    assert (one["PayloadFormatVersion"], one["ConnectionType"], one["TimeoutInMillis"]) == ("2.0", "INTERNET", 30000)
    one = found["GET /linked"]["Integration"]
    assert (one["ConnectionType"], one["ConnectionId"], one["IntegrationMethod"]) == ("VPC_LINK", "abc", "ANY")
    assert (one["TlsConfig"], one["TimeoutInMillis"]) == ({"ServerNameToVerify": "a.example.com"}, 50)
    assert one["RequestParameters"] == {"append:header.a": "$context.requestId"}
    assert (one["PassthroughBehavior"], one["PayloadFormatVersion"]) == ("WHEN_NO_MATCH", "1.0")
    one = found["POST /send"]["Integration"]
    assert (one["IntegrationSubtype"], one["CredentialsArn"]) == ("SQS-SendMessage", ROLE)
    assert found["GET /b"]["Integration"]["IntegrationId"] == found["GET /c"]["Integration"]["IntegrationId"]


def test_an_operation_asks_for_its_authorizer(client, imported):
    jwt = {
        "type": "jwt", "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://issuer.example.com", "audience": ["a", "b"]},
    }  # fmt: skip
    request = {
        "type": "request", "authorizerUri": URI, "authorizerPayloadFormatVersion": 2.0, "authorizerCredentials": ROLE,
        "authorizerResultTtlInSeconds": 30, "enableSimpleResponses": True,
        "identitySource": "$request.header.a, $request.querystring.b",
    }  # fmt: skip
    found_at = "https://issuer.example.com/pool/.well-known/openid-configuration"
    without = {**jwt, "jwtConfiguration": {"audience": ["c"]}}
    schemes = {
        "Jwt": {"type": "oauth2", AUTHORIZER: jwt},
        "Found": {"type": "openIdConnect", "openIdConnectUrl": found_at, AUTHORIZER: without},
        "Asked": {"type": "apiKey", "name": "a", "in": "header", AUTHORIZER: request},
        "Signed": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
        "Documented": {"type": "http", "scheme": "basic"},
    }  # fmt: skip
    paths = {
        "/jwt": {"get": of(security=[{"Jwt": ["read", "write"]}])},
        "/found": {"get": of(security=[{"Found": []}])},
        "/asked": {"get": of(security=[{"Asked": []}])},
        "/signed": {"get": of(security=[{"Signed": []}])},
        "/iam": {"get": of(**{"x-amazon-apigateway-auth": {"type": "aws_iam"}})},
        "/none": {"get": of(security=[{"NONE": []}])},
        "/open": {"get": of(security=[])},
    }
    made = imported(definition(paths, components={"securitySchemes": schemes}))
    found = routes(client, made["ApiId"])
    types = {key.removeprefix("GET /"): route["AuthorizationType"] for key, route in found.items()}
    assert types == {
        "jwt": "JWT", "found": "JWT", "asked": "CUSTOM", "signed": "AWS_IAM", "iam": "AWS_IAM", "none": "NONE",
        "open": "NONE",
    }  # fmt: skip
    assert found["GET /jwt"]["AuthorizationScopes"] == ["read", "write"]
    one = found["GET /jwt"]["Authorizer"]
    assert (one["Name"], one["AuthorizerType"]) == ("Jwt", "JWT")
    assert one["JwtConfiguration"] == {"Issuer": "https://issuer.example.com", "Audience": ["a", "b"]}
    assert one["IdentitySource"] == ["$request.header.Authorization"]
    wanted = {"Issuer": "https://issuer.example.com/pool", "Audience": ["c"]}
    assert found["GET /found"]["Authorizer"]["JwtConfiguration"] == wanted
    one = found["GET /asked"]["Authorizer"]
    assert (one["AuthorizerType"], one["AuthorizerUri"], one["AuthorizerCredentialsArn"]) == ("REQUEST", URI, ROLE)
    assert (one["AuthorizerPayloadFormatVersion"], one["AuthorizerResultTtlInSeconds"]) == ("2.0", 30)
    assert one["EnableSimpleResponses"] is True
    assert one["IdentitySource"] == ["$request.header.a", "$request.querystring.b"]


def changed(place, value):
    """A whole definition, at one place of which another value stands, or nothing (None)."""
    jwt = {
        "type": "jwt",
        "identitySource": "$request.header.A",
        "jwtConfiguration": {"issuer": "https://a.example.com"},
    }
    request = {"type": "request", "authorizerUri": URI, "authorizerPayloadFormatVersion": "1.0"}
    schemes = {"Jwt": {"type": "oauth2", AUTHORIZER: jwt}, "Asked": {"type": "apiKey", AUTHORIZER: request}}
    schemes["Basic"] = {"type": "http", "scheme": "basic"}
    found = deepcopy(
        definition(
            {"/a": {"get": of(), ANY: of(HTTP)}}, components={"securitySchemes": schemes}, servers=[{"url": "/"}],
            **{CORS: {}}, tags=[{"name": "a"}],
        )
    )  # fmt: skip
    at = found
    for name in place[:-1]:
        at = at[name]
    if value is None:
        del at[place[-1]]
    elif isinstance(at, list):
        at.append(value)
    else:
        at[place[-1]] = value
    return found


OPERATION = ("paths", "/a", "get")
OF_HTTP = ("paths", "/a", ANY, INTEGRATION)
SCHEMES = ("components", "securitySchemes")
AS_JWT, AS_ASKED = (*SCHEMES, "Jwt", AUTHORIZER), (*SCHEMES, "Asked", AUTHORIZER)
AT_JWT, AT_ASKED = (f"components.securitySchemes.{name}.{AUTHORIZER}" for name in ("Jwt", "Asked"))
AT = f"{PLACE}.{INTEGRATION}"
AT_HTTP = f"paths.'/a'({ANY}).{INTEGRATION}"
REFUSED = [
    (("openapi",), "3.1.0", "openapi"),
    (("openapi",), None, "openapi"),
    (("swagger",), "2.0", "swagger"),
    (("info", "title"), None, "info.title"),
    (("info", "x-amazon-apigateway-documentation"), {}, "info.x-amazon-apigateway-documentation"),
    (("paths",), None, "paths"),
    (("security",), [{"Jwt": []}], "security"),
    (("x-amazon-apigateway-policy",), {}, "x-amazon-apigateway-policy"),
    (("x-amazon-apigateway-gateway-responses",), {}, "x-amazon-apigateway-gateway-responses"),
    ((ENDPOINT,), {}, ENDPOINT),
    (("x-amazon-apigateway-importexport-version",), "2.0", "x-amazon-apigateway-importexport-version"),
    (("components", "x-amazon-apigateway-request-validators"), {}, "components.x-amazon-apigateway-request-validators"),
    (("servers", 0, ENDPOINT), {"vpcEndpointIds": ["vpce-1"]}, f"servers[0].{ENDPOINT}.vpcEndpointIds"),
    (("tags", 1), {"name": "a"}, "tags[1].name"),
    (("tags", 1), {"name": "a" * 129}, "tags[1].name"),
    ((CORS, "allowOrigin"), ["*"], f"{CORS}.allowOrigin"),
    ((CORS, "allowOrigins"), "*", f"{CORS}.allowOrigins"),
    ((CORS, "maxAge"), 86401, f"{CORS}.maxAge"),
    ((CORS, "allowCredentials"), "yes", f"{CORS}.allowCredentials"),
    (("paths", "/a", "trace"), of(), "paths.'/a'.trace"),
    (("paths", "/a", "$ref"), "#/x", "paths.'/a'.$ref"),
    (("paths", "/a", "get"), "x", PLACE),
    (("paths", "/a b"), {"get": of()}, "paths.'/a b'"),
    (("paths", "b"), {"get": of()}, "paths.'b'"),
    (("paths", "/$default"), {ANY: of()}, f"paths.'/$default'({ANY}).isDefaultRoute"),
    (("paths", "/$default"), {"get": of(isDefaultRoute=True)}, "paths.'/$default'(get).isDefaultRoute"),
    ((*OPERATION, "isDefaultRoute"), True, f"{PLACE}.isDefaultRoute"),
    ((*OPERATION, "operationId"), "a" * 65, f"{PLACE}.operationId"),
    ((*OPERATION, "x-amazon-apigateway-request-validator"), "all", f"{PLACE}.x-amazon-apigateway-request-validator"),
    ((*OPERATION, "produces"), [], f"{PLACE}.produces"),
    ((*OPERATION, "security"), [{"Jwt": []}, {"Asked": []}], f"{PLACE}.security"),
    ((*OPERATION, "security"), [{"Jwt": [], "Asked": []}], f"{PLACE}.security"),
    ((*OPERATION, "security"), [{}], f"{PLACE}.security"),
    ((*OPERATION, "security"), [{"Basic": []}], f"{PLACE}.security[0].Basic"),
    ((*OPERATION, "security"), [{"None": []}], f"{PLACE}.security[0].None"),
    ((*OPERATION, "security"), [{"Asked": ["read"]}], f"{PLACE}.security[0].Asked"),
    ((*OPERATION, "x-amazon-apigateway-auth"), {"type": "JWT"}, f"{PLACE}.x-amazon-apigateway-auth.type"),
    ((*OPERATION, INTEGRATION), None, AT),
    ((*OPERATION, INTEGRATION), {"$ref": "#/components/x/one"}, f"{AT}.$ref"),
    ((*OPERATION, INTEGRATION), {"$ref": f"#/components/{SHARED}/none"}, f"{AT}.$ref"),
    ((*OPERATION, INTEGRATION), {**LAMBDA, "$ref": f"#/components/{SHARED}/none"}, f"{AT}.$ref"),
    ((*OPERATION, INTEGRATION, "type"), "aws", f"{AT}.type"),
    ((*OPERATION, INTEGRATION, "type"), "mock", f"{AT}.type"),
    ((*OPERATION, INTEGRATION, "uri"), None, f"{AT}.uri"),
    ((*OPERATION, INTEGRATION, "httpMethod"), "GET", f"{AT}.httpMethod"),
    ((*OPERATION, INTEGRATION, "payloadFormatVersion"), None, f"{AT}.payloadFormatVersion"),
    ((*OPERATION, INTEGRATION, "payloadFormatVersion"), "3.0", f"{AT}.payloadFormatVersion"),
    ((*OPERATION, INTEGRATION, "integrationSubtype"), "SQS-SendMessage", f"{AT}.httpMethod"),
    ((*OPERATION, INTEGRATION, "timeoutInMillis"), 30001, f"{AT}.timeoutInMillis"),
    ((*OPERATION, INTEGRATION, "timeoutInMillis"), "soon", f"{AT}.timeoutInMillis"),
    ((*OPERATION, INTEGRATION, "connectionType"), "VPC_LINK", f"{AT}.connectionId"),
    ((*OPERATION, INTEGRATION, "connectionId"), "abc", f"{AT}.connectionId"),
    ((*OPERATION, INTEGRATION, "passthroughBehavior"), "always", f"{AT}.passthroughBehavior"),
    ((*OPERATION, INTEGRATION, "tlsConfig"), {"insecureSkipVerification": True}, f"{AT}.tlsConfig.insecureSkipVerification"),
    ((*OPERATION, INTEGRATION, "responseParameters"), {"200": {}}, f"{AT}.responseParameters"),
    ((*OPERATION, INTEGRATION, "requestParameters"), {"a": {}}, f"{AT}.requestParameters.a"),
    *(
        ((*OPERATION, INTEGRATION, name), {}, f"{AT}.{name}")
        for name in ("cacheKeyParameters", "cacheNamespace", "contentHandling", "requestTemplates", "responses")
    ),
    ((*OF_HTTP, "httpMethod"), None, f"{AT_HTTP}.httpMethod"),
    ((*OF_HTTP, "payloadFormatVersion"), "2.0", f"{AT_HTTP}.payloadFormatVersion"),
    ((*OF_HTTP, "integrationSubtype"), "SQS-SendMessage", f"{AT_HTTP}.httpMethod"),
    ((*SCHEMES, "Jwt", "$ref"), "#/x", "components.securitySchemes.Jwt.$ref"),
    ((*SCHEMES, "Basic", "x-amazon-apigateway-authtype"), "custom", "components.securitySchemes.Basic.x-amazon-apigateway-authtype"),
    ((*AS_JWT, "type"), "token", f"{AT_JWT}.type"),
    ((*AS_JWT, "identitySource"), None, f"{AT_JWT}.identitySource"),
    ((*AS_JWT, "jwtConfiguration"), None, f"{AT_JWT}.jwtConfiguration"),
    ((*AS_JWT, "jwtConfiguration"), {"audience": ["a"]}, f"{AT_JWT}.jwtConfiguration.issuer"),
    ((*AS_JWT, "jwtConfiguration"), {"Issuer": "https://a.example.com"}, f"{AT_JWT}.jwtConfiguration.Issuer"),
    ((*AS_JWT, "authorizerUri"), URI, f"{AT_JWT}.authorizerUri"),
    ((*AS_ASKED, "authorizerUri"), None, f"{AT_ASKED}.authorizerUri"),
    ((*AS_ASKED, "authorizerPayloadFormatVersion"), None, f"{AT_ASKED}.authorizerPayloadFormatVersion"),
    ((*AS_ASKED, "authorizerPayloadFormatVersion"), "3.0", f"{AT_ASKED}.authorizerPayloadFormatVersion"),
    ((*AS_ASKED, "authorizerResultTtlInSeconds"), 3601, f"{AT_ASKED}.authorizerResultTtlInSeconds"),
    ((*AS_ASKED, "enableSimpleResponses"), True, f"{AT_ASKED}.enableSimpleResponses"),
    ((*AS_ASKED, "identityValidationExpression"), ".", f"{AT_ASKED}.identityValidationExpression"),
]  # fmt: skip


def test_what_can_not_be_put_into_effect_is_refused_by_its_place(client, imported):
    whole = changed(("info", "title"), "whole")
    api = imported(whole)["ApiId"]
    for place, value, told in REFUSED:
        body = json.dumps(changed(place, value))
        for call in (client.import_api, lambda **given: client.reimport_api(ApiId=api, **given)):
            code, message = refusal(call, Body=body)
            assert code == "BadRequestException", (place, message)
            assert message.startswith(f"Invalid OpenAPI definition: {told} "), (place, message)
    # AWS: "When an error occurs, the new API definition is discarded and no change is made to the existing API."
    assert [one["Name"] for one in client.get_apis()["Items"]] == ["whole"]
    assert keys(client, api) == ["ANY /a", "GET /a"]


def test_what_can_not_stand_together_is_refused(client):
    default = {ANY: of(isDefaultRoute=True)}
    disabled = [{ENDPOINT: {"disableExecuteApiEndpoint": value}} for value in (True, False)]
    basic = {"securitySchemes": {"NONE": {"type": "http", "scheme": "basic"}}}
    send = {"type": "http_proxy", "integrationSubtype": "SQS-SendMessage", "payloadFormatVersion": "1.0"}
    beside = {**LAMBDA, "$ref": f"#/components/{SHARED}/one"}
    both = of(security=[{"NONE": []}], **{"x-amazon-apigateway-auth": {"type": "NONE"}})
    for document, told in (
        (
            definition({"$default": default, "/$default": default}),
            f"paths.'/$default'({ANY}) is the route $default once",
        ),
        (definition(servers=disabled), f"servers say different things of {ENDPOINT}."),
        (definition({"/a": {"get": of(security=[{"NONE": []}])}}, components=basic), f"{PLACE}.security[0].NONE is no"),
        (
            definition({"/a": {"get": of(beside)}}, components={SHARED: {"one": HTTP}}),
            f"{PLACE}.{INTEGRATION}.$ref must",
        ),
        (definition({"/a": {"get": both}}), f"{PLACE}.x-amazon-apigateway-auth can't stand beside security."),
        (definition({"/a": {"get": of(send)}}), f"{PLACE}.{INTEGRATION}.integrationSubtype is of AWS_PROXY alone."),
    ):
        code, message = refusal(client.import_api, Body=json.dumps(document))
        assert (code, message.startswith(f"Invalid OpenAPI definition: {told}")) == ("BadRequestException", True), (
            message
        )


def test_routes_of_a_definition_that_are_for_the_same_requests_are_refused(client, imported):
    """AWS refuses such routes, as clients report it (plutomi/plutomi 271)."""
    api = imported(definition())["ApiId"]
    both = definition({f"/a/{{{name}}}": {"get": of()} for name in ("x", "y")})
    told = refusal(client.reimport_api, ApiId=api, Body=json.dumps(both))
    words = (
        'The provided route key "GET /a/{y}" has a conflicting variable on the same hierarchical level as "GET /a/{x}"'
    )
    assert told == ("ConflictException", words)
    assert keys(client, api) == ["GET /a"]


def test_the_base_path_is_read_as_asked(client, imported):
    paths = {"/e": {"get": of()}, "/$default": {ANY: of(isDefaultRoute=True)}}
    servers = [{"url": "https://example.com/{basePath}", "variables": {"basePath": {"default": "/a/b/c"}}}]
    for asked, wanted in (({}, "/e"), ("ignore", "/e"), ("prepend", "/a/b/c/e"), ("split", "/b/c/e")):
        given = {"Basepath": asked} if asked else {}
        api = imported(definition(paths, servers=servers), **given)["ApiId"]
        assert keys(client, api) == ["$default", f"GET {wanted}"]
    assert keys(client, imported(definition(), Basepath="prepend")["ApiId"]) == ["GET /a"]
    for given in ({"servers": servers, "asked": "append"}, {"servers": [{"url": "/v1"}], "asked": "prepend"}):
        body = json.dumps(definition(paths, servers=given["servers"]))
        code, message = refusal(client.import_api, Body=body, Basepath=given["asked"])
        assert (code, "base" in message) == ("BadRequestException", True)


def test_an_import_that_is_to_fail_on_warnings_does(client, imported):
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
    missing = definition({"/a": {"get": of(requestBody={"content": schema})}})
    unrooted = definition({"$default": {ANY: of(isDefaultRoute=True)}})
    words = {
        "$default": "Parse issue: attribute paths. Resource $default should start with /",
        "GET /a": f"Parse issue: attribute {PLACE}.requestBody.content.application/json.schema.#/components/schemas/Order is missing",
    }  # fmt: skip
    for document in (missing, unrooted):
        made = imported(document)
        [key] = keys(client, made["ApiId"])
        assert made["Warnings"] == [words[key]]
        wanted = ("BadRequestException", f"Warnings found during import:\n\t{words[key]}")
        assert refusal(client.import_api, Body=json.dumps(document), FailOnWarnings=True) == wanted
    assert len(client.get_apis()["Items"]) == 2
    whole = {**missing, "components": {"schemas": {"Order": {"type": "object"}}}}
    assert "Warnings" not in imported(whole, FailOnWarnings=True)


def test_a_definition_takes_the_place_of_the_one_before(client, imported):
    scheme = {"type": "oauth2", AUTHORIZER: {"type": "jwt", "identitySource": "$request.header.A"}}
    scheme[AUTHORIZER]["jwtConfiguration"] = {"issuer": "https://issuer.example.com"}
    first = definition(
        {"/a": {"get": of(security=[{"Jwt": []}])}, "/b": {"get": of()}}, components={"securitySchemes": {"Jwt": scheme}},
        **{CORS: {"allowOrigins": ["*"]}}, tags=[{"name": "a"}, {"name": "b"}],
        servers=[{ENDPOINT: {"disableExecuteApiEndpoint": True}}],
    )  # fmt: skip
    api = imported(first)["ApiId"]
    [authorizer] = [one["AuthorizerId"] for one in client.get_routes(ApiId=api)["Items"] if "AuthorizerId" in one]
    client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    arn = f"arn:aws:apigateway:{REGION}::/apis/{api}"
    client.tag_resource(ResourceArn=arn, Tags={"own": "1"})
    second = definition({"/b": {"get": of(HTTP)}, "/c": {"get": of()}}, tags=[{"name": "b"}])
    second["info"] = {"title": "carts"}
    told = client.reimport_api(ApiId=api, Body=json.dumps(second))
    assert told["ApiId"] == api
    found = client.get_api(ApiId=api)
    assert (found["Name"], found["DisableExecuteApiEndpoint"]) == ("carts", False)
    assert not {"Version", "Description", "CorsConfiguration"} & found.keys()
    assert found["Tags"] == {"b": "", "own": "1"}
    now = routes(client, api)
    assert sorted(now) == ["GET /b", "GET /c"]
    assert now["GET /b"]["Integration"]["IntegrationType"] == "HTTP_PROXY"
    assert len(client.get_integrations(ApiId=api)["Items"]) == 2
    assert refusal(client.get_authorizer, ApiId=api, AuthorizerId=authorizer)[0] == "NotFoundException"
    assert [one["StageName"] for one in client.get_stages(ApiId=api)["Items"]] == ["$default"]


def test_only_http_apis_are_imported(client):
    made = client.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]  # fmt: skip
    body = json.dumps(definition())
    assert refusal(client.reimport_api, ApiId=made, Body=body)[0] == "BadRequestException"
    assert refusal(client.reimport_api, ApiId="none", Body=body)[0] == "NotFoundException"


def test_a_role_is_handed_over_however_it_is_written(cloud, client):
    """API Gateway Developer Guide, "AWS variables for OpenAPI import"."""
    uri = (
        URI.replace(ACCOUNT, "${AWS::AccountId}")
        .replace(REGION, "${AWS::Region}")
        .replace(":aws:", ":${AWS::Partition}:")
    )
    role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/caller"
    body = json.dumps(definition({"/a": {"get": of({**LAMBDA, "uri": uri, "credentials": role})}}))
    found = routes(client, client.import_api(Body=body)["ApiId"])["GET /a"]["Integration"]
    assert (found["IntegrationUri"], found["CredentialsArn"]) == (URI, ROLE)
    maker = cloud.client("apigatewayv2", cloud.user("ann", allow("apigateway:*")))
    api = maker.import_api(Body=json.dumps(definition()))["ApiId"]
    for written in (body, body.replace("${", r"\u0024{")):
        for call in (maker.import_api, lambda **given: maker.reimport_api(ApiId=api, **given)):
            code, message = refusal(call, Body=written)
            assert (code, "iam:PassRole" in message, ROLE in message) == ("AccessDeniedException", True, True)


def test_tags_of_a_definition_are_those_of_the_request(cloud):
    """Service Authorization Reference: apigateway:PUT has aws:RequestTag and aws:TagKeys."""
    condition = {
        "StringEquals": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    maker = cloud.client("apigatewayv2", cloud.user("ann", {**allow("apigateway:PUT"), "Condition": condition}))

    def tagged(**values):
        tags = [{"name": name, "x-amazon-apigateway-tag-value": value} for name, value in values.items()]
        return json.dumps(definition(tags=tags))

    api = maker.import_api(Body=tagged(team="blue"))["ApiId"]
    maker.reimport_api(ApiId=api, Body=tagged(team="blue"))
    for body in (json.dumps(definition()), tagged(team="red"), tagged(team="blue", other="x")):
        for call in (maker.import_api, lambda **given: maker.reimport_api(ApiId=api, **given)):
            assert refusal(call, Body=body)[0] == "AccessDeniedException"


@pytest.mark.parametrize(
    "key", ["ApiName", "AuthorizerType", "AuthorizerUri", "DisableExecuteApiEndpoint", "RouteAuthorizationType"]
)
def test_what_else_a_definition_says_denies(cloud, client, key):
    """Service Authorization Reference: keys that are there at an import too, by which iamd can't decide one."""
    denied = {**deny("apigateway:PUT"), "Condition": {"StringEquals": {f"apigateway:Request/{key}": "x"}}}
    maker = cloud.client("apigatewayv2", cloud.user("ann", allow("apigateway:*"), denied))
    api = client.import_api(Body=json.dumps(definition()))["ApiId"]
    for given in ({}, {"ApiId": api}):
        call = maker.reimport_api if given else maker.import_api
        assert refusal(call, Body=json.dumps(definition()), **given)[0] == "AccessDeniedException"
