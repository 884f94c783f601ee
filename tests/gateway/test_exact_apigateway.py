"""What requests to API Gateway are decided on: the method on the path, policies, and the roles that an API gets.

AWS: API Gateway Developer Guide, "Control access to a REST API with IAM permissions".
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import REGION, ROLE
from running import allow, deny

PLACE = f"arn:aws:apigateway:{REGION}::"
ONE, TWO = "apigateway", "apigatewayv2"


def on(action, path):
    return (f"apigateway:{action}", f"{PLACE}{path}")


INTEGRATION = {"restApiId": "a", "resourceId": "r", "httpMethod": "GET", "type": "AWS"}
OPEN = {"openapi": "3.0.1", "paths": {"/": {"get": {"x-amazon-apigateway-integration": {"credentials": ROLE}}}}}
# AWS: API Gateway Developer Guide, "AWS variables for OpenAPI import"; `\\u0024` is a `$` to whoever reads JSON.
VARIABLES = json.dumps(OPEN).replace(
    ROLE, f"arn:\\u0024{{AWS::Partition}}:iam::${{AWS::AccountId}}:{ROLE.rpartition(':')[2]}"
)
CASES = [
    (ONE, "GetRestApis", {}, [on("GET", "/restapis")]),
    (ONE, "DeleteRestApi", {"restApiId": "abc"}, [on("DELETE", "/restapis/abc")]),
    (ONE, "CreateRestApi", {"name": "n"}, [on("POST", "/restapis")]),
    (
        ONE, "CreateRestApi", {"name": "n", "policy": "{}"},
        [on("POST", "/restapis"), on("UpdateRestApiPolicy", "/restapis")],
    ),
    (
        ONE, "UpdateRestApi", {"restApiId": "a", "patchOperations": [{"op": "replace", "path": "/policy", "value": "{}"}]},
        [on("PATCH", "/restapis/a"), on("UpdateRestApiPolicy", "/restapis/a")],
    ),
    (ONE, "PutIntegration", INTEGRATION, [on("PUT", "/restapis/a/resources/r/methods/GET/integration")]),
    (
        ONE, "PutIntegration", {**INTEGRATION, "credentials": ROLE},
        [on("PUT", "/restapis/a/resources/r/methods/GET/integration"), ("iam:PassRole", ROLE)],
    ),
    (
        ONE, "PutIntegration", {**INTEGRATION, "credentials": "arn:aws:iam::*:user/*"},
        [on("PUT", "/restapis/a/resources/r/methods/GET/integration")],
    ),
    (
        ONE, "UpdateAccount", {"patchOperations": [{"op": "replace", "path": "/cloudwatchRoleArn", "value": ROLE}]},
        [on("PATCH", "/account"), ("iam:PassRole", ROLE)],
    ),
    (
        ONE, "TagResource", {"resourceArn": f"{PLACE}/restapis/abc", "tags": {"a": "b"}},
        [on("PUT", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc")],
    ),
    (ONE, "ImportRestApi", {"body": json.dumps(OPEN)}, [on("POST", "/restapis"), ("iam:PassRole", ROLE)]),
    (TWO, "GetApis", {}, [on("GET", "/apis")]),
    (TWO, "UpdateStage", {"ApiId": "a", "StageName": "$default"}, [on("PATCH", "/apis/a/stages/$default")]),
    (
        TWO, "CreateIntegration", {"ApiId": "a", "IntegrationType": "AWS_PROXY", "CredentialsArn": ROLE},
        [on("POST", "/apis/a/integrations"), ("iam:PassRole", ROLE)],
    ),
    (
        TWO, "DeleteRouteSettings", {"ApiId": "a", "StageName": "s", "RouteKey": "GET /pets"},
        [on("DELETE", "/apis/a/stages/s/routesettings/GET /pets")],
    ),
    (TWO, "ImportApi", {"Body": json.dumps(OPEN)}, [on("PUT", "/apis"), ("iam:PassRole", ROLE)]),
    *((service, name, {**given, member: VARIABLES}, [on("PUT", path), ("iam:PassRole", ROLE)])
      for service, name, given, member, path in (
          (TWO, "ReimportApi", {"ApiId": "a"}, "Body", "/apis/a"),
          (ONE, "PutRestApi", {"restApiId": "a"}, "body", "/restapis/a"),
      )),
]  # fmt: skip


@pytest.mark.parametrize(("service", "name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, service, name, given, wanted):
    told = counted.call(service, name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("service", "name", "given"),
    [
        (ONE, "DeleteRestApi", {"restApiId": "a/b"}),
        (ONE, "DeleteRestApi", {"restApiId": "*"}),
        (ONE, "TagResource", {"resourceArn": f"{PLACE}/restapis/*", "tags": {"a": "b"}}),
        (ONE, "ImportRestApi", {"body": "openapi: 3.0.1"}),
        (TWO, "ReimportApi", {"ApiId": "a", "Body": "openapi: 3.0.1"}),
        (TWO, "ImportApi", {"Body": "[]"}),
        (TWO, "ImportApi", {"Body": '{"openapi": "3.0.1", "openapi": "3.0.1"}'}),
        (ONE, "PutRestApi", {"restApiId": "a", "body": '{"paths": {}, "paths": {}}'}),
        (TWO, "GetApi", {"ApiId": "a?b"}),
    ],
)
def test_what_names_nothing_plainly_is_refused(counted, service, name, given):
    told = counted.call(service, name, given)
    assert (told.status, told.code, told.sent) == (400, "BadRequestException", 0)


def test_an_api_gets_no_role_from_whoever_may_not_pass_it(counted):
    maker = Caller.new(counted, "apis")
    maker.may(allow("apigateway:*"))
    refused(maker.call(ONE, "ImportRestApi", {"body": json.dumps(OPEN)}), "the iam:PassRole action")


def tagged(value):
    """A definition with a tag (API Gateway Developer Guide, "x-amazon-apigateway-tag-value property")."""
    return {
        "Body": json.dumps({**OPEN, "tags": [{"name": "team", "x-amazon-apigateway-tag-value": value}], "paths": {}})
    }


@pytest.mark.parametrize(
    ("service", "key"),
    [
        (ONE, Key("apigateway:Request/ApiName", "pets", "apigateway:POST", "CreateRestApi", {"name": "pets"},
                  {"name": "x"})),
        (ONE, Key("aws:RequestTag/team", "blue", "apigateway:POST", "CreateRestApi",
                  {"name": "pets", "tags": {"team": "blue"}}, {"name": "pets"})),
        (TWO, Key("aws:RequestTag/team", "blue", "apigateway:PUT", "ImportApi", tagged("blue"), tagged("red"))),
    ],
)  # fmt: skip
def test_a_key_has_its_value_and_decides(counted, service, key):
    check(Caller.new(counted, f"api-{key.name.rpartition('/')[2]}"), service, key)


def test_a_denial_for_the_sake_of_an_authorizer_s_uri_denies(counted):
    """Service Authorization Reference: the key is there at CreateAuthorizer and at imports."""
    maker = Caller.new(counted, "authorizers")
    maker.may(allow("apigateway:*"))
    given = {"ApiId": "a", "AuthorizerType": "REQUEST", "AuthorizerUri": "arn:x", "IdentitySource": [], "Name": "n"}
    assert maker.call(TWO, "CreateAuthorizer", given).sent > 0
    condition = {"StringEquals": {"apigateway:Request/AuthorizerUri": "arn:x"}}
    maker.may(allow("apigateway:*"), {**deny("apigateway:*"), "Condition": condition})
    for name, parameters in (("CreateAuthorizer", given), ("ImportApi", {"Body": "{}"})):
        assert maker.call(TWO, name, parameters).sent == 0
