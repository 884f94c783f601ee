"""REST APIs of OpenAPI definitions: what is made of one answers as the definition says, or nothing is made.

AWS: API Gateway Developer Guide, "Develop REST APIs using OpenAPI in API Gateway" (api-gateway-import-api), "Import an
OpenAPI file to update an existing API definition" (api-gateway-import-api-update), the pages of the extensions.
"""

import json

import pytest
from botocore.exceptions import ClientError
from functions.apis import FN
from functions.rest import ECHO, MISSING, Rest, says, uri
from functions.test_rest_access import GUARD, GUARDING, guard_says, policy
from running import ACCOUNT, REGION

PROXY = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri(FN.replace(ACCOUNT, "${AWS::AccountId}"))}
INTEGRATION = "x-amazon-apigateway-integration"
CORS = {
    "responses": {"200": {"description": "ok", "headers": {"Access-Control-Allow-Origin": {"type": "string"}}}},
    INTEGRATION: {
        "type": "mock",
        "requestTemplates": {"application/json": '{\n  "statusCode" : 200\n}\n'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseTemplates": {"application/json": "{}\n"},
                "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
            }
        },
    },
}
SCHEMES = {
    "signed": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
    "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    "guard": {
        "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "token", "authorizerUri": uri(GUARD), "authorizerResultTtlInSeconds": 0,
            "identityValidationExpression": "event.*|\\{.*",
        },
    },
    "pool": {
        "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {
            "type": "cognito_user_pools",
            "providerARNs": [f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_abcdefghi"],
        },
    },
}  # fmt: skip


def asking(*names, **more):
    """An operation that asks for these security schemes."""
    return {"responses": {}, INTEGRATION: PROXY, "security": [{name: []} for name in names], **more}


PATHS = {
    "/": {"get": {"responses": {}, INTEGRATION: PROXY}},
    "/open/{proxy+}": {"x-amazon-apigateway-any-method": {"responses": {}, INTEGRATION: PROXY}, "options": CORS},
    "/signed": {"get": asking("signed"), "put": asking(**{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}})},
    "/keyed": {"get": asking("key"), "put": asking("signed", "key")},
    "/guarded": {"get": asking("guard")},
    "/pool": {"get": asking("pool")},
    "/nobody": {"get": asking("NONE")},
}


def document(version="2.0", paths=PATHS, schemes=SCHEMES, **more):
    """A definition in either version of OpenAPI."""
    whole = {"info": {"title": "orders", "version": "7"}, "paths": paths, **more}
    if version == "2.0":
        return {"swagger": "2.0", "securityDefinitions": schemes, **whole}
    return {"openapi": "3.0.1", "components": {"securitySchemes": schemes}, **whole}


@pytest.fixture
def imported(cloud, functions):
    """`imported(definition)` is an API of a definition, deployed to `dev`."""

    def make(definition, **parameters):
        client = cloud.client("apigateway")
        made = client.import_rest_api(body=json.dumps(definition), parameters=parameters)
        api = Rest.__new__(Rest)
        api.cloud, api.client, api.id = cloud, client, made["id"]
        api.arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}"
        api.url = f"{cloud.endpoint}/_iamd/execute-api/{api.id}"
        api.deploy()
        return api

    functions.make(ECHO)
    functions.make(GUARDING, "guard")
    return make


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_an_imported_api_is_as_open_as_its_definition_says(cloud, imported, version):
    """moto's own import leaves `security` out: every method would be for everybody."""
    api = imported(document(version))
    api.permit()
    api.permit("authorizers/*", "guard")
    assert [api.ask(path).status for path in ("/dev", "/dev/open/a/b", "/dev/nobody")] == [200, 200, 200]
    assert api.ask("/dev/open/a", "DELETE").status == 200
    told = api.ask("/dev/open/a", "OPTIONS")
    assert (told.status, told.body, told.headers["access-control-allow-origin"]) == (200, b"{}\n", "*")
    administrator = cloud.server.administrator
    for method in ("GET", "PUT"):
        assert api.ask("/dev/signed", method).value == MISSING
        assert api.ask("/dev/signed", method, credentials=administrator).status == 200
    assert [api.ask("/dev/keyed", method).status for method in ("GET", "PUT")] == [403, 403]
    assert api.ask("/dev/keyed", "PUT", credentials=administrator).value == {"message": "Forbidden"}
    assert api.ask("/dev/guarded").status == 401
    assert api.ask("/dev/guarded", x_token="other").status == 401
    assert api.ask("/dev/guarded", x_token=json.dumps(policy())).status == 200
    assert guard_says(api, policy(), "/dev/guarded").status == 401
    assert api.ask("/dev/pool").status == 401
    [guard] = [one for one in api.client.get_authorizers(restApiId=api.id)["items"] if one["name"] == "guard"]
    assert (guard["type"], guard["identitySource"]) == ("TOKEN", "method.request.header.X-Token")


def test_the_extensions_of_the_whole_api_count(imported):
    extensions = {
        "x-amazon-apigateway-policy": {
            "Version": "2012-10-17",
            "Statement": [says("*", resource="execute-api:/*/GET/")],
        },
        "x-amazon-apigateway-binary-media-types": ["image/*"],
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.x-own": "'yes'"}}
        },
        "x-amazon-apigateway-documentation": {"version": "1"},
        "definitions": {"Empty": {"type": "object"}},
    }
    api = imported(document(**extensions), endpointConfigurationTypes="REGIONAL")
    api.permit()
    assert [api.ask(path).status for path in ("/dev", "/dev/nobody")] == [200, 403]
    assert api.ask("/dev/nobody").headers["x-own"] == "yes"
    told = api.client.get_rest_api(restApiId=api.id)
    assert (told["binaryMediaTypes"], told["apiKeySource"]) == (["image/*"], "AUTHORIZER")
    assert (told["endpointConfiguration"]["types"], told["name"], told["version"]) == (["REGIONAL"], "orders", "7")
    assert [one["name"] for one in api.client.get_models(restApiId=api.id)["items"]] == ["Empty"]


def put(api, definition, mode="overwrite", **parameters):
    """Put a definition over the API, and deploy it."""
    api.client.put_rest_api(restApiId=api.id, mode=mode, body=json.dumps(definition), parameters=parameters)
    api.deploy()


def paths(api):
    return sorted(one["path"] for one in api.client.get_resources(restApiId=api.id, limit=500)["items"])


def test_a_definition_goes_over_an_api_or_into_it(imported):
    api = imported(document(paths={"/a/b": {"get": asking("guard"), "put": asking()}, "/c": {"get": asking()}}))
    api.permit()
    ids = {one["path"]: one["id"] for one in api.client.get_resources(restApiId=api.id)["items"]}
    [guard] = [one["id"] for one in api.client.get_authorizers(restApiId=api.id)["items"] if one["name"] == "guard"]
    put(api, document(paths={"/a/b": {"get": asking("signed")}, "/d": {"get": asking()}}), "merge")
    assert paths(api) == ["/", "/a", "/a/b", "/c", "/d"]
    assert [api.ask(*one).status for one in (("/dev/a/b",), ("/dev/a/b", "PUT"), ("/dev/c",), ("/dev/d",))] == [
        403, 200, 200, 200,
    ]  # fmt: skip
    put(api, document(paths={"/a/b": {"get": asking("guard")}}))
    assert paths(api) == ["/", "/a", "/a/b"]
    assert [api.ask(*one).status for one in (("/dev/a/b",), ("/dev/a/b", "PUT"), ("/dev/c",))] == [401, 403, 403]
    now = {one["path"]: one["id"] for one in api.client.get_resources(restApiId=api.id)["items"]}
    assert now == {path: ids[path] for path in now}
    assert guard in [one["id"] for one in api.client.get_authorizers(restApiId=api.id)["items"]]
    # A policy that the definition says nothing of stays.
    api.set_policy(says("*", "Deny"))
    put(api, document(paths={"/a/b": {"get": asking()}}))
    assert api.ask("/dev/a/b").status == 403


def test_the_base_path_precedes_the_paths_where_it_is_asked_for(imported):
    given = document(paths={"/a": {"get": asking()}}, basePath="/x/y")
    for asked, path in (("ignore", "/a"), ("prepend", "/x/y/a"), ("split", "/y/a")):
        assert paths(imported(given, basepath=asked))[-1] == path
    servers = [{"url": "https://x/{basePath}", "variables": {"basePath": {"default": "/x/y"}}}]
    api = imported(document("3.0", paths={"/a": {"get": asking()}}, servers=servers), basepath="prepend")
    assert paths(api)[-1] == "/x/y/a"


def changed(**operation):
    return document(paths={"/a": {"get": asking(**operation)}})


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (document() | {"swagger": "1.2"}, "openapi must be a version 3.0.x, or swagger 2.0."),
        (document("3.0") | {"openapi": "3.1.0"}, "openapi must be"),
        (document() | {"security": [{"signed": []}]}, "security is not supported"),
        (document() | {"x-amazon-apigateway-cors": {}}, "x-amazon-apigateway-cors is not supported"),
        (document() | {"x-amazon-apigateway-policy": "text"}, "Invalid policy document."),
        (changed(security=[{"nothing": []}]), "is no security scheme"),
        (document(schemes={**SCHEMES, "o": {"type": "oauth2"}}, paths={"/a": {"get": asking("o")}}), "is no security scheme"),
        (changed(security=[{"signed": []}, {"guard": []}]), "is a second authorization"),
        (changed(security=[{"signed": [], "guard": []}]), "is a second authorization"),
        (changed(security=[{"guard": ["read"]}]), "has scopes"),
        (changed(**{INTEGRATION: {**PROXY, "payloadFormatVersion": "2.0"}}), "payloadFormatVersion must be 1.0"),
        (changed(**{INTEGRATION: {**PROXY, "integrationTarget": "x"}}), "integrationTarget is not supported"),
        (changed(**{INTEGRATION: {**PROXY, "type": "other"}}), "type must be one of"),
        (changed(**{"x-amazon-apigateway-request-validator": "none"}), "none is none of"),
        (document(paths={"a": {}}), "is no path of resources"),
        (document(paths={"/a b": {}}), "is no path of resources"),
        (document(paths={"/a": {"trace": {}}}), "trace is not supported"),
        (document(paths={"/{a}/x": {}, "/{b}/y": {}}), "already has a variable path part"),
        (document(paths={"/{a+}/x": {}}), "greedy path variable"),
        (document(paths={"/a": {}, "/a/": {}}), "is there once more"),
    ],
)  # fmt: skip
def test_what_is_not_understood_leaves_an_api_as_it_was(cloud, imported, definition, words):
    client = cloud.client("apigateway")
    with pytest.raises(ClientError) as caught:
        client.import_rest_api(body=json.dumps(definition))
    told = caught.value.response["Error"]
    assert (told["Code"], words in told["Message"]) == ("BadRequestException", True), told
    assert client.get_rest_apis()["items"] == []
    api = imported(document(paths={"/kept": {"get": asking("signed")}}))
    with pytest.raises(ClientError):
        put(api, definition)
    api.deploy()
    assert (paths(api), api.ask("/dev/kept").value) == (["/", "/kept"], MISSING)


def test_what_fails_on_the_way_leaves_an_api_as_it_was(imported):
    api = imported(document(paths={"/kept": {"get": asking("signed")}}))
    broken = {**PROXY, "uri": "no arn"}
    given = document(paths={"/a": {"get": asking()}, "/b": {"get": {"responses": {}, INTEGRATION: broken}}})
    for mode in ("overwrite", "merge"):
        with pytest.raises(ClientError):
            put(api, given, mode)
        api.deploy()
        assert (paths(api), api.ask("/dev/kept").value) == (["/", "/kept"], MISSING)


def test_whom_a_policy_in_a_definition_names_there_must_be(cloud, imported):
    nobody = says({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"})
    given = document(**{"x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [nobody]}})
    with pytest.raises(ClientError) as caught:
        cloud.client("apigateway").import_rest_api(body=json.dumps(given))
    assert "Invalid policy document" in caught.value.response["Error"]["Message"]
    ann = cloud.user("nobody")
    api = imported(given | {"paths": {"/signed": {"get": asking("signed")}}})
    api.permit()
    assert api.ask("/dev/signed", credentials=ann).status == 200
    cloud.client("iam").delete_access_key(UserName="nobody", AccessKeyId=ann.access_key_id)
    cloud.client("iam").delete_user(UserName="nobody")
    again = cloud.user("nobody")
    assert api.ask("/dev/signed", credentials=again).status == 403
