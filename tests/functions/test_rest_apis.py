"""REST APIs before functions: which method answers, what the function is given, and what is made of its answer.

AWS: API Gateway Developer Guide, "Set up API resources" (api-gateway-method-settings-method-request), "Lambda proxy
integrations in API Gateway" (set-up-lambda-proxy-integrations), "Gateway response types"
(supported-gateway-response-types), "Deploy REST APIs in API Gateway" (how-to-deploy-api).
"""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from functions.apis import APIGATEWAY, DEEP, FN, events
from functions.conftest import code
from functions.rest import BROKEN, ECHO, FORBIDDEN, MISSING, SAYS, Rest, simple, uri
from functions.test_urls import ask
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust

NAME = (
    "import json\ndef handler(event, context):\n"
    "    told = [event['resource'], event['httpMethod'], event['pathParameters']]\n"
    "    return {'statusCode': 200, 'body': json.dumps(told)}\n"
)


def test_the_most_specific_resource_answers_and_there_is_no_way_back(cloud, functions):
    functions.make(NAME)
    api = Rest(cloud)
    for key in (
        "GET /", "ANY /{proxy+}", "GET /pets", "ANY /pets/{id}", "GET /pets/dog", "POST /pets/dog", "GET /pets/{id}/toys",
        "ANY /pets/{id}/{rest+}", "ANY /both", "GET /both", "GET /a/b",
    ):  # fmt: skip
        api.method(key)
    api.deploy()
    api.permit()
    asked = {
        ("GET", ""): ["/", "GET", None],
        ("GET", "/"): ["/", "GET", None],
        ("GET", "/pets"): ["/pets", "GET", None],
        ("PUT", "/pets/7"): ["/pets/{id}", "PUT", {"id": "7"}],
        ("GET", "/pets/a%20b%2Fc"): ["/pets/{id}", "GET", {"id": "a b/c"}],
        ("GET", "/pets/dog"): ["/pets/dog", "GET", None],
        ("GET", "/pets/7/toys"): ["/pets/{id}/toys", "GET", {"id": "7"}],
        ("GET", "/pets/7/x/y"): ["/pets/{id}/{rest+}", "GET", {"id": "7", "rest": "x/y"}],
        ("GET", "/other/x"): ["/{proxy+}", "GET", {"proxy": "other/x"}],
        ("DELETE", "/other/"): ["/{proxy+}", "DELETE", {"proxy": "other/"}],
        ("GET", "/both"): ["/both", "GET", None],
        ("PATCH", "/both"): ["/both", "PATCH", None],
        ("GET", "/%70ets"): ["/pets", "GET", None],
    }
    assert {one: api.ask(f"/dev{one[1]}", one[0]).value for one in asked} == asked
    # A resource that is there stands for itself, whatever a generic one beside it has: for methods, and for what is
    # below it.
    for method, path in (
        ("POST", "/"), ("POST", "/pets"), ("PUT", "/pets/dog"), ("GET", "/a"), ("GET", "/a/c"), ("POST", "/pets/7/toys"),
        ("TRACE", "/other"), ("GET", "/pets/"), ("GET", "/pets/dog/"), ("GET", "//pets"), ("GET", "/other//x"),
        ("GET", "/other/./x"), ("GET", "/other/../pets"), ("GET", "/other/%2e%2e/x"), ("GET", "/other%2F..%2Fx"),
        ("GET", "/other/.."), ("GET", "/other%2F%2Fx"), ("GET", "/{proxy+}/.."),
    ):  # fmt: skip
        told = api.ask(f"/dev{path}", method)
        assert (told.status, told.value) == (403, MISSING), (method, path)
        assert told.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    # The name of a variable is no part of a path.
    assert api.ask("/dev/pets/%7Bid%7D").value == ["/pets/{id}", "GET", {"id": "{id}"}]


def test_a_stage_is_the_first_part_of_the_path(cloud, functions):
    api = simple(cloud, functions)
    for path in ("/x", "", "/", "/Dev/x", "/%64ev/x", "/dev2/x", "//dev/x"):
        told = api.ask(path)
        assert (told.status, told.value) == (403, FORBIDDEN), path
        assert told.headers["x-amzn-errortype"] == "ForbiddenException"
    deployment = api.deploy("v1", variables={"color": "blue"})
    assert api.ask("/v1/x").value["stageVariables"] == {"color": "blue"}
    event = api.ask("/dev/v1").value
    assert (event["requestContext"]["stage"], event["path"], event["stageVariables"]) == ("dev", "/v1", None)
    api.client.update_stage(
        restApiId=api.id, stageName="dev", patchOperations=[{"op": "replace", "path": "/variables/a", "value": "1"}]
    )
    # Another deployment to a stage leaves the stage as it is.
    api.deploy("dev", variables={"b": "2"})
    assert api.ask("/dev/x").value["stageVariables"] == {"a": "1", "b": "2"}
    with pytest.raises(ClientError) as caught:
        api.client.delete_deployment(restApiId=api.id, deploymentId=deployment)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
    api.client.delete_stage(restApiId=api.id, stageName="v1")
    assert api.ask("/v1/x").value == FORBIDDEN
    api.client.delete_deployment(restApiId=api.id, deploymentId=deployment)
    api.client.delete_rest_api(restApiId=api.id)
    assert api.ask("/dev/x").status == 404


def test_a_stage_is_what_is_asked_for_or_not_at_all(cloud, functions):
    api = simple(cloud, functions)
    client = api.client

    def stage(name="dev"):
        return client.get_stage(restApiId=api.id, stageName=name)

    def changed(*steps):
        operations = [dict(zip(("op", "path", "value"), step, strict=False)) for step in steps]
        client.update_stage(restApiId=api.id, stageName="dev", patchOperations=operations)

    variable = ("replace", "/variables/a", "1")
    for wrong in (
        ("replace", "/canarySettings/percentTraffic", "50"), ("copy", "/canarySettings/deploymentId", "x"),
        ("replace", "/nothing", "x"), ("add", "/variables/a", "x"), ("remove", "/deploymentId"),
        ("replace", "/x/deploymentId", "x"), ("replace", "/~1orders/GET/nothing", "x"), ("replace", "/variables/a/b", "x"),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            changed(variable, wrong)
        assert caught.value.response["Error"]["Code"] == "BadRequestException", wrong
    assert stage().get("variables", {}) == {}
    changed(variable, ("replace", "/documentationVersion", "v"), ("replace", "/~1orders/GET/metrics/enabled", "true"))
    told = stage()
    assert (told["variables"], told["documentationVersion"]) == ({"a": "1"}, "v")
    assert told["methodSettings"]["~1orders/GET"]["metricsEnabled"]
    api.deploy("v-1", stageDescription="d", tracingEnabled=True)
    assert (stage("v-1")["description"], stage("v-1")["tracingEnabled"]) == ("d", True)
    deployment = stage()["deploymentId"]
    made = client.create_stage(restApiId=api.id, stageName="v2", deploymentId=deployment, documentationVersion="v")
    assert made["documentationVersion"] == stage("v2")["documentationVersion"] == "v"
    canary = {"percentTraffic": 50.0}
    for given, refusal in (
        (lambda: api.deploy("dev", canarySettings=canary), "NotImplemented"),
        (lambda: client.create_stage(
            restApiId=api.id, stageName="v3", deploymentId=deployment, canarySettings=canary), "NotImplemented"),
        (lambda: api.deploy("a/b"), "BadRequestException"), (lambda: api.deploy("$default"), "BadRequestException"),
        (lambda: client.create_stage(restApiId=api.id, stageName="*", deploymentId=deployment), "BadRequestException"),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            given()
        assert caught.value.response["Error"]["Code"] == refusal
    assert stage()["deploymentId"] == deployment
    assert {one["stageName"] for one in client.get_stages(restApiId=api.id)["item"]} == {"dev", "v-1", "v2"}


def test_only_what_is_deployed_is_served(cloud, functions):
    """A change of the API is in the next deployment, and a stage may go back to an earlier one."""
    functions.make(NAME)
    api = Rest(cloud)
    api.method("GET /a")
    assert api.ask("/dev/a").value == FORBIDDEN
    first = api.deploy()
    api.permit()
    api.method("GET /b")
    place = {"restApiId": api.id, "resourceId": api.resources["/a"]}
    api.client.delete_method(**place, httpMethod="GET")
    assert [api.ask(path).status for path in ("/dev/a", "/dev/b")] == [200, 403]
    second = api.deploy()
    assert [api.ask(path).status for path in ("/dev/a", "/dev/b")] == [403, 200]
    for deployment, statuses in ((first, [200, 403]), (second, [403, 200])):
        api.client.update_stage(
            restApiId=api.id,
            stageName="dev",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
        )
        assert [api.ask(path).status for path in ("/dev/a", "/dev/b")] == statuses
    for given in (
        lambda: api.client.create_stage(restApiId=api.id, stageName="x", deploymentId="nothing"),
        lambda: api.client.update_stage(
            restApiId=api.id,
            stageName="dev",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": "nothing"}],
        ),
    ):
        with pytest.raises(ClientError) as caught:
            given()
        assert caught.value.response["Error"]["Message"] == "Deployment id does not exist"
    api.client.create_stage(restApiId=api.id, stageName="old", deploymentId=first)
    assert [api.ask(path).status for path in ("/old/a", "/old/b")] == [200, 403]


def test_a_disabled_endpoint_is_forbidden_from_the_next_deployment_on(cloud, functions):
    api = simple(cloud, functions)
    api.patch("/disableExecuteApiEndpoint", "True")
    assert api.ask("/dev/x").status == 200
    api.deploy()
    assert (api.ask("/dev/x").status, api.ask("/dev/x").value) == (403, FORBIDDEN)
    api.patch("/disableExecuteApiEndpoint", "False")
    api.deploy()
    assert api.ask("/dev/x").status == 200


def test_the_event_of_a_request(cloud, functions):
    api = simple(cloud, functions, key="POST /a/{id}")
    api.deploy("v1", variables={"color": "blue"})
    told = api.ask(
        "/v1/a/7?x=1&x=2&y=", "POST", body=b'{"a": 1}', Content_Type="application/json", User_Agent="mine",
        Cookie="a=1; iamd-session=secret", X_Own="v",
    )  # fmt: skip
    event = told.value
    assert "version" not in event
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/a/{id}", "/a/7", "POST")
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    # REST APIs hand on the names of headers as they were written.
    assert (event["headers"]["X-Own"], event["multiValueHeaders"]["Cookie"]) == ("v", ["a=1"])
    assert (event["headers"]["Content-Type"], event["headers"]["X-Forwarded-For"]) == ("application/json", "127.0.0.1")
    assert (event["pathParameters"], event["stageVariables"]) == ({"id": "7"}, {"color": "blue"})
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    context = event["requestContext"]
    assert (context["resourcePath"], context["path"], context["stage"]) == ("/a/{id}", "/v1/a/7", "v1")
    assert (context["accountId"], context["apiId"], context["resourceId"]) == (
        ACCOUNT,
        api.id,
        api.resources["/a/{id}"],
    )
    assert (context["domainName"], context["domainPrefix"], "authorizer" in context) == (api.host, api.id, False)
    assert (context["identity"]["sourceIp"], context["identity"]["userArn"]) == ("127.0.0.1", None)
    assert context["requestId"] == told.headers["x-amzn-requestid"]
    [asked, *_] = events(cloud, "execute-api.amazonaws.com")
    assert asked["requestParameters"] == {
        "apiId": api.id, "stage": "v1", "httpMethod": "POST", "resourcePath": "/a/{id}",
    }  # fmt: skip
    empty = api.ask("/dev/a/7", "POST").value
    assert (empty["body"], empty["queryStringParameters"], empty["stageVariables"]) == (None, None, None)


def test_a_client_says_nothing_of_where_it_is(cloud, functions):
    api = simple(cloud, functions)
    event = api.ask("/dev/x", X_FORWARDED_FOR="6.6.6.6", x_amzn_Trace_id="mine").value
    for headers in (event["headers"], event["multiValueHeaders"]):
        told = {name.lower(): value for name, value in headers.items()}
        assert len(told) == len(headers)
    assert event["multiValueHeaders"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert event["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")


def test_one_header_in_several_spellings_is_one(cloud, functions):
    api = simple(cloud, functions)
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("GET", f"{parts.path}/dev/x")
    for name, value in (("X-Own", "one"), ("x-own", "two")):
        connection.putheader(name, value)
    connection.endheaders()
    event = json.loads(connection.getresponse().read())
    connection.close()
    assert (event["headers"]["X-Own"], event["multiValueHeaders"]["X-Own"]) == ("two", ["one", "two"])
    assert "x-own" not in event["headers"]


def test_bodies_are_binary_where_the_api_says_so(cloud, functions):
    api = simple(cloud, functions, binaryMediaTypes=["image/png", "application/*"])
    for kind, body, told in (
        ("image/png", b"\0\xff", ("AP8=", True)),
        ("application/x; a=b", b"a", ("YQ==", True)),
        ("text/plain", b"\xff", ("�", False)),
    ):
        event = api.ask("/dev/x", "POST", body=body, content_type=kind).value
        assert (event["body"], event["isBase64Encoded"]) == told, kind
    functions.cloud.client("lambda").update_function_code(FunctionName="fn", ZipFile=code(SAYS))
    said = {"statusCode": 200, "body": base64.b64encode(b"\0\xff").decode(), "isBase64Encoded": True}
    given = {"method": "POST", "body": json.dumps(said), "content_type": "text/plain"}
    for accept, told in (("image/png", b"\0\xff"), ("text/html, image/png", b"AP8="), ("*/*", b"AP8=")):
        assert api.ask("/dev/x", accept=accept, **given).body == told, accept
    api.client.update_rest_api(
        restApiId=api.id,
        patchOperations=[
            {"op": "add", "path": "/binaryMediaTypes/*~1*"},
            {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
        ],
    )
    assert api.client.get_rest_api(restApiId=api.id)["binaryMediaTypes"] == ["application/*", "*/*"]
    api.deploy()
    assert api.ask("/dev/x", "POST", body=b"a", content_type="text/plain").status == 502


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        ({"statusCode": 201, "body": "m"}, 201, b"m"),
        ({"statusCode": "202"}, 202, b""),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"AP8="),
        ({"a": 1}, 502, None),
        ("hello", 502, None),
        (None, 502, None),
        ({"statusCode": 200, "body": {"a": 1}}, 502, None),
        ({"statusCode": 99}, 502, None),
    ],
)
def test_the_answer_of_a_function(cloud, functions, said, status, body):
    told = simple(cloud, functions, SAYS).ask("/dev/x", "POST", body=json.dumps(said), content_type="application/json")
    assert told.status == status
    if body is not None:
        assert told.body == body
    else:
        assert (told.body, told.headers["x-amzn-errortype"]) == (
            b'{"message": "Internal server error"}', "InternalServerErrorException",
        )  # fmt: skip


def test_headers_and_cookies_are_the_functions(cloud, functions):
    api = simple(cloud, functions, SAYS)
    headers = {"X-N": 7, "X-Bad": "a\r\nx-evil: 1", "Clear-Site-Data": "*", "x-amzn-RequestId": "mine"}
    said = {"statusCode": 200, "headers": headers, "multiValueHeaders": {"x-n": [7, 2], "Set-Cookie": ["a=1; Path=/"]}}
    told = api.ask("/dev/x", "POST", body=json.dumps(said), content_type="application/json", accept="text/html")
    assert told.headers.get_all("x-n") == ["7", "2"]
    assert told.headers.get_all("set-cookie") == [f"a=1; Path=/_iamd/execute-api/{api.id}/"]
    assert {"x-evil", "clear-site-data"}.isdisjoint(name.lower() for name in told.headers)
    assert told.headers.get_all("x-amzn-requestid") != ["mine"]
    page = {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<script>"}
    told = api.ask("/dev/x", "POST", body=json.dumps(page), content_type="application/json", accept="text/html")
    assert told.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "source",
    [
        "def handler(event, context):\n    1 / 0\n",
        "def handler(event, context):\n    import os; os._exit(1)\n",
        DEEP.format(answer="deep"),
    ],
)
def test_a_function_that_fails_is_answered_502(cloud, functions, source):
    told = simple(cloud, functions, source).ask("/dev/x")
    assert (told.status, told.value) == (502, BROKEN)
    explained = cloud.explain(told.headers["x-amzn-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "InternalServerError")


def test_a_function_is_not_waited_for_longer_than_the_integration_says(cloud, functions):
    functions.make("import time\ndef handler(event, context):\n    time.sleep(30)\n", Timeout=60)
    api = Rest(cloud)
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(), "timeoutInMillis": 50}
    api.method("GET /", integration=proxy)
    api.deploy()
    api.permit()
    told = api.ask()
    assert (told.status, told.body) == (504, b'{"message": "Endpoint request timed out"}')


@pytest.mark.parametrize(
    ("key", "path", "sources"),
    [
        ("GET /a/{id}", "/a/1", {"*/GET/a/*": 200, "*/*/a/{id}": 200, "dev/GET/a/{id}": 200, "*/*/a/1": 500}),
        ("GET /a/{id}", "/a/1", {"*": 200, "*/POST/*": 500, "v1/*": 500, "authorizers/*": 500}),
        ("GET /", "", {"*/GET/": 200, "*/GET": 500}),
        ("ANY /b", "/b", {"*/*/b": 200, "*/GET/b": 500, "*/ANY/b": 500}),
    ],
)
def test_the_functions_policy_lets_the_method_in(cloud, functions, key, path, sources):
    functions.make(ECHO)
    api = Rest(cloud)
    api.method(key)
    api.deploy()
    told = api.ask(f"/dev{path}")
    assert (told.status, told.body) == (500, b'{"message": "Internal server error"}')
    explained = cloud.explain(told.headers["x-amzn-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "InternalServerError")
    assert "is not authorized to perform: lambda:InvokeFunction" in explained["ErrorMessage"]
    for source, status in sources.items():
        api.permit(source)
        assert api.ask(f"/dev{path}").status == status, source
        cloud.client("lambda").remove_permission(FunctionName="fn", StatementId="api")


def test_a_role_of_the_integration_invokes_the_function(cloud, functions):
    functions.make(ECHO)
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    api = Rest(cloud)
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri()}
    api.method("GET /", integration={**proxy, "credentials": role})
    api.deploy()
    functions.permit(allow("lambda:InvokeFunction", FN), role="caller")
    assert (api.ask().status, api.ask().value) == (500, BROKEN)
    iam.update_assume_role_policy(RoleName="caller", PolicyDocument=trust(APIGATEWAY))
    assert api.ask().status == 200
    functions.permit(allow("lambda:InvokeFunction", f"{FN}2"), role="caller")
    # What lets API Gateway itself in lets no role in.
    api.permit()
    assert api.ask().status == 500


def test_a_function_is_named_by_a_variable_of_the_stage(cloud, functions):
    functions.make(
        "def handler(event, context):\n    return {'statusCode': 200, 'body': context.invoked_function_arn}\n"
    )
    api = Rest(cloud)
    api.method("GET /", function=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:${{stageVariables.name}}")
    api.deploy("one", variables={"name": "fn"})
    api.deploy("two")
    api.deploy("three", variables={"name": "fn/invocations/x"})
    api.permit()
    assert (api.ask("/one").status, api.ask("/one").body.decode()) == (200, FN)
    assert (api.ask("/two").status, api.ask("/two").value) == (500, BROKEN)
    assert api.ask("/three").status == 501


CORS = {
    "method.response.header.Access-Control-Allow-Origin": "'*'",
    "method.response.header.Access-Control-Allow-Headers": "'Content-Type,X-Amz-Date,Authorization'",
}


def mocked(cloud, template='{"statusCode": 200}', status="200", responses=None, **given):
    """An API whose OPTIONS are a mock, deployed to `dev`."""
    api = Rest(cloud)
    templates = {"requestTemplates": {"application/json": template}} if template is not None else {}
    api.method("OPTIONS /", integration={"type": "MOCK", **templates, **given})
    place = {"restApiId": api.id, "resourceId": api.resources["/"], "httpMethod": "OPTIONS"}
    for one in responses or [{"statusCode": status, "responseParameters": CORS}]:
        api.client.put_method_response(
            **place,
            statusCode=one["statusCode"],
            responseParameters=dict.fromkeys(one.get("responseParameters", {}), True),
        )
        api.client.put_integration_response(**place, **one)
    api.deploy()
    return api


@pytest.mark.parametrize(
    ("template", "status", "more", "body"),
    [
        ('{"statusCode": 200}', "200", {}, b""),
        ("{ statusCode: 204 }", "204", {}, b""),
        ('{\n  "statusCode" : 200\n}\n', "200", {"responseTemplates": {"application/json": "{}\n"}}, b"{}\n"),
        (None, "200", {}, b""),
    ],
)
def test_a_mock_answers_what_cors_asks(cloud, template, status, more, body):
    """As SAM, CDK and the console write it."""
    response = {"statusCode": status, "responseParameters": CORS, **more}
    told = mocked(cloud, template, responses=[response]).ask(method="OPTIONS", origin="https://app.example")
    assert (told.status, told.body) == (int(status), body)
    assert told.headers["access-control-allow-origin"] == "*"
    assert told.headers["access-control-allow-headers"] == "Content-Type,X-Amz-Date,Authorization"
    assert told.headers["content-type"] == "application/json"


def test_a_mock_answers_by_the_status_that_it_is_asked_for(cloud):
    responses = [
        {"statusCode": "200"},
        {"statusCode": "404", "selectionPattern": "404|410", "responseTemplates": {"text/plain": "none"}},
    ]
    api = mocked(cloud, '{"statusCode": 410}', responses=responses)
    told = api.ask(method="OPTIONS")
    assert (told.status, told.body, told.headers["content-type"]) == (404, b"none", "text/plain")
    assert api.ask(method="OPTIONS", content_type="text/plain").status == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"template": "{}"}, 500),
        ({"template": '#if(true){"statusCode": 200}#end'}, 501),
        ({"template": '{"statusCode": $input.params("s")}'}, 501),
        ({"responses": [{"statusCode": "200", "responseTemplates": {"application/json": "$input.body"}}]}, 501),
        (
            {
                "responses": [
                    {
                        "statusCode": "200",
                        "responseParameters": {"method.response.header.A": "integration.response.body"},
                    }
                ]
            },
            501,
        ),
        ({"responses": [{"statusCode": "200", "selectionPattern": ".*"}]}, 501),
        ({"responses": [{"statusCode": "404", "selectionPattern": "404"}]}, 500),
        ({"template": None, "passthroughBehavior": "NEVER"}, 415),
    ],
)
def test_a_mock_that_says_more_is_not_guessed(cloud, given, status):
    assert mocked(cloud, **given).ask(method="OPTIONS").status == status


def test_a_mock_is_deployed_as_all_else_is(cloud):
    api = mocked(cloud)
    place = {"restApiId": api.id, "resourceId": api.resources["/"], "httpMethod": "OPTIONS", "statusCode": "200"}
    changed = CORS | {"method.response.header.Access-Control-Allow-Origin": "'https://app.example'"}
    api.client.put_integration_response(**place, responseParameters=changed)
    for origin in ("*", "https://app.example"):
        assert api.ask(method="OPTIONS").headers["access-control-allow-origin"] == origin
        api.deploy()
    api.client.delete_integration_response(**place)
    for status in (200, 500):
        assert api.ask(method="OPTIONS").status == status
        api.deploy()


NOT_AN_APIS = {
    "Content-Length": "'0'",
    "Transfer-Encoding": "'chunked'",
    "Connection": "'close'",
    "Clear-Site-Data": "'\"*\"'",
    "Set-Cookie": "'a=b; Domain=example.com; Path=/'",
}


def test_a_mock_says_nothing_for_the_connection_or_the_host(cloud):
    headers = {f"method.response.header.{name}": value for name, value in NOT_AN_APIS.items()}
    response = {"statusCode": "200", "responseParameters": headers, "responseTemplates": {"application/json": "{}"}}
    api = mocked(cloud, responses=[response])
    told = api.ask(method="OPTIONS")
    assert (told.status, told.body) == (200, b"{}")
    assert told.headers["content-length"] == "2"
    assert not {"transfer-encoding", "clear-site-data"} & {name.lower() for name in told.headers}
    assert told.headers["set-cookie"] == f"a=b; Path=/_iamd/execute-api/{api.id}/"


@pytest.mark.parametrize("status", ["101", "199", "700"])
def test_a_status_that_is_none_of_an_answer_is_refused(cloud, status):
    api = mocked(cloud, responses=[{"statusCode": status}])
    assert api.ask(method="OPTIONS").status == 501
    api.client.put_gateway_response(restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode=status)
    api.deploy()
    assert api.ask(method="GET").status == 501


@pytest.mark.parametrize(
    "given",
    [
        {"type": "AWS", "integrationHttpMethod": "POST", "uri": uri()},
        {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(), "connectionType": "VPC_LINK", "connectionId": "l"},
        {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(), "tlsConfig": {"insecureSkipVerification": True}},
        {
            "type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(),
            "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
        },
        {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri("${stageVariables.place}")},
    ],
)  # fmt: skip
def test_what_is_not_served_is_refused_by_its_name(cloud, functions, given):
    functions.make(ECHO)
    api = Rest(cloud)
    api.method("GET /", integration=given)
    api.deploy(variables={"place": "secret"})
    api.permit()
    told = api.ask()
    assert told.status == 501
    assert told.value["message"].startswith("iamd does not serve this: ")
    assert not any(own in told.value["message"] for own in ("secret", "arn:"))


def test_an_integration_is_asked_by_post(cloud, functions):
    functions.make(ECHO)
    api = Rest(cloud)
    api.method("GET /", integration={"type": "AWS_PROXY", "integrationHttpMethod": "GET", "uri": uri()})
    api.deploy()
    api.permit()
    assert (api.ask().status, api.ask().value) == (500, BROKEN)


def test_a_private_api_is_refused(cloud, functions):
    api = simple(cloud, functions, endpointConfiguration={"types": ["PRIVATE"]})
    assert api.ask("/dev/x").status == 501


def test_no_two_resources_are_for_the_same_requests(cloud):
    """One of them would be passed over, and with it who may ask; AWS's words are those that clients report."""
    api = Rest(cloud)
    api.resource("/a/{id}")
    api.resource("/a/{rest+}")
    for path, code_, words in (
        ("/a", "ConflictException", "Another resource with the same parent already has this name: a"),
        (
            "/a/{name}",
            "BadRequestException",
            "A sibling ({id}) of this resource already has a variable path part -- only one is allowed",
        ),
        (
            "/a/{more+}",
            "BadRequestException",
            "A sibling ({rest+}) of this resource already has a variable path part -- only one is allowed",
        ),
        (
            "/a/{rest+}/x",
            "BadRequestException",
            "Cannot create a child of a resource with a greedy path variable: {rest+}",
        ),
    ):
        above, _, part = path.rpartition("/")
        with pytest.raises(ClientError) as caught:
            api.client.create_resource(restApiId=api.id, parentId=api.resources[above or "/"], pathPart=part)
        told = caught.value.response["Error"]
        assert (told["Code"], told["Message"]) == (code_, words)
    api.client.delete_resource(restApiId=api.id, resourceId=api.resources["/a"])
    assert [one["path"] for one in api.client.get_resources(restApiId=api.id)["items"]] == ["/"]


def test_a_body_has_a_largest_size(cloud, functions):
    api = simple(cloud, functions)
    body = b"x" * (7 * 1024 * 1024)
    assert api.ask("/dev/x", "POST", body=body, content_type="text/plain").status == 413
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("POST", f"{parts.path}/dev/x")
    connection.putheader("content-length", str(11 * 1024 * 1024))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_gateway_responses_are_as_the_api_has_them(cloud, functions):
    api = simple(cloud, functions, key="GET /a")
    client = api.client
    client.put_gateway_response(
        restApiId=api.id, responseType="DEFAULT_4XX", statusCode="418",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.x-asked-by": "method.request.header.Origin",
        },
    )  # fmt: skip
    # They are deployed as all else is.
    assert api.ask("/dev/x").status == 403
    api.deploy()
    told = api.ask("/dev/x", origin="https://app.example")
    assert (told.status, told.value) == (418, MISSING)
    assert (told.headers["access-control-allow-origin"], told.headers["x-asked-by"]) == ("*", "https://app.example")
    template = '{"why":$context.error.messageString,"kind":"$context.error.responseType"}'
    client.put_gateway_response(
        restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404",
        responseTemplates={"application/json": template},
    )  # fmt: skip
    api.deploy()
    told = api.ask("/dev/x")
    assert (told.status, told.value) == (
        404, {"why": "Missing Authentication Token", "kind": "MISSING_AUTHENTICATION_TOKEN"},
    )  # fmt: skip
    for template in ("$context.identity.sourceIp", "$stageVariables.a", "${x}", "$util.escape('a')"):
        client.put_gateway_response(
            restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN",
            responseTemplates={"application/json": template},
        )  # fmt: skip
        api.deploy()
        assert api.ask("/dev/x").status == 501, template


def test_gateway_responses_say_nothing_for_the_connection_or_the_host(cloud, functions):
    api = simple(cloud, functions, key="GET /a")
    headers = {f"gatewayresponse.header.{name}": value for name, value in NOT_AN_APIS.items()}
    headers["gatewayresponse.header.x-cookies"] = "method.request.header.Cookie"
    api.client.put_gateway_response(restApiId=api.id, responseType="DEFAULT_4XX", responseParameters=headers)
    api.deploy()
    told = api.ask("/dev/x", cookie="mine=1; iamd-session=secret; iamd-signin=secret")
    assert (told.status, told.value) == (403, MISSING)
    assert not {"transfer-encoding", "clear-site-data"} & {name.lower() for name in told.headers}
    assert told.headers["set-cookie"] == f"a=b; Path=/_iamd/execute-api/{api.id}/"
    assert "secret" not in told.headers["x-cookies"]
    assert "mine=1" in told.headers["x-cookies"]


def test_a_tag_chooses_no_id(cloud):
    """By moto itself an API could take the place of another one."""
    first = Rest(cloud)
    second = Rest(cloud, tags={"_custom_id_": first.id})
    assert second.id != first.id
    assert second.client.get_rest_api(restApiId=second.id)["tags"] == {"_custom_id_": first.id}
    assert len(first.client.get_rest_apis()["items"]) == 2


def test_an_api_is_made_of_what_its_request_says_alone(cloud):
    """moto by itself imports a definition that stands beside it, whose roles and policy nobody has seen."""
    definition = {
        "openapi": "3.0.1",
        "info": {"title": "evil", "version": "1", "description": "d"},
        "paths": {"/x": {}},
    }
    body = json.dumps({"name": "plain", **definition}).encode()
    told = ask(cloud.endpoint, "POST", "/restapis", cloud.server.administrator, body, "apigateway")
    assert (told.status, cloud.client("apigateway").get_rest_apis()["items"]) == (400, [])


def test_patches_of_an_api_work_or_are_refused(cloud):
    api = Rest(cloud)
    for path, value in (("/name", "new"), ("/description", "d"), ("/apiKeySource", "AUTHORIZER")):
        api.patch(path, value)
    told = api.client.get_rest_api(restApiId=api.id)
    assert (told["name"], told["description"], told["apiKeySource"]) == ("new", "d", "AUTHORIZER")
    for kind, path in (("replace", "/nothing"), ("add", "/name"), ("remove", "/policy"), ("replace", "/name/x")):
        with pytest.raises(ClientError) as caught:
            api.patch(path, "x", kind)
        assert caught.value.response["Error"]["Code"] == "BadRequestException", path
