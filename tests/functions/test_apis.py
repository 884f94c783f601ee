"""HTTP APIs before functions: which route answers, what the function is given, and what is made of its answer.

AWS: API Gateway Developer Guide, "Create routes for HTTP APIs" (http-api-develop-routes), "Create AWS Lambda proxy
integrations for HTTP APIs" (http-api-develop-integrations-lambda), "Configure CORS for HTTP APIs" (http-api-cors).
"""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from functions.apis import APIGATEWAY, DEEP, ECHO, FN, SAYS, Api, events, simple
from functions.conftest import code
from functions.test_urls import ask
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust

NOT_FOUND = {"message": "Not Found"}
BROKEN = {"message": "Internal Server Error"}
NAME = "def handler(event, context):\n    return [event['routeKey'], event.get('pathParameters')]\n"


def test_the_most_specific_route_answers(cloud, functions):
    functions.make(NAME)
    api = Api(cloud)
    integration = api.integration()
    for key in (
        "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1", "ANY /pets/dog/{id}/toys",
        "POST /a/{x}", "POST /{y}/b", "ANY /pets/cat", "ANY /pets/both", "GET /pets/both",
        "PATCH /g/{proxy+}", "PATCH /{x}/full",
    ):  # fmt: skip
        api.route(key, integration)
    api.stage()
    api.permit()
    asked = {
        ("GET", "/pets/dog/1"): ["GET /pets/dog/1", None],
        ("GET", "/pets/dog/2"): ["GET /pets/dog/{id}", {"id": "2"}],
        ("GET", "/pets/dog/a%20b"): ["GET /pets/dog/{id}", {"id": "a b"}],
        ("GET", "/pets/cat/a%2Fb"): ["GET /pets/{proxy+}", {"proxy": "cat/a/b"}],
        ("GET", "/pets/cat/1/x"): ["GET /pets/{proxy+}", {"proxy": "cat/1/x"}],
        ("GET", "/pets/cat"): ["ANY /pets/cat", None],
        ("GET", "/pets/both"): ["GET /pets/both", None],
        ("PUT", "/pets/both"): ["ANY /pets/both", None],
        ("PATCH", "/g/full"): ["PATCH /{x}/full", {"x": "g"}],
        ("PATCH", "/g/more"): ["PATCH /g/{proxy+}", {"proxy": "more"}],
        ("POST", "/test/5"): ["ANY /{proxy+}", {"proxy": "test/5"}],
        ("DELETE", "/pets/dog/1"): ["ANY /{proxy+}", {"proxy": "pets/dog/1"}],
        ("PUT", "/pets/dog/7/toys"): ["ANY /pets/dog/{id}/toys", {"id": "7"}],
        ("POST", "/a/b"): ["POST /a/{x}", {"x": "b"}],
    }
    assert {one: api.ask(one[1], one[0]).value for one in asked} == asked
    # A method that no route can have is none of ANY's.
    assert api.ask("/test/5", "TRACE").status == 404
    root = api.ask("/")
    assert (root.status, root.value) == (404, NOT_FOUND)
    api.route("$default", integration)
    assert api.ask("/").value == ["$default", None]


def test_no_encoded_slash_leads_past_a_route_that_asks_for_more(cloud, functions):
    """What the function would be told as `/admin/1` is for the route of that, whoever may use another one."""
    functions.make(NAME)
    api = Api(cloud)
    integration = api.integration()
    api.route("GET /admin/{proxy+}", integration, AuthorizationType="AWS_IAM")
    for key in ("GET /{id}", "$default"):
        api.route(key, integration)
    api.stage()
    api.stage("dev")
    api.permit()
    for path in ("/admin/1", "/admin/1%2F2", "/dev/admin/1", "/d%65v/admin/1"):
        assert api.ask(path).status == 403, path
    for path in ("/admin%2F1", "/admin%2f1/2", "/%61dmin%2F1", "/dev%2Fadmin/1", "/dev/admin%2F1", "/other%2F1"):
        assert (api.ask(path).status, api.ask(path).value) == (404, NOT_FOUND), path
    assert api.ask("/1").value == ["GET /{id}", {"id": "1"}]
    assert api.ask("/a/b%2Fc").value == ["$default", None]


def test_a_stage_is_the_first_part_of_the_path(cloud, functions):
    functions.make(ECHO)
    api = Api(cloud)
    api.route("GET /a")
    api.stage("dev", StageVariables={"color": "blue"})
    api.permit()
    assert [api.ask(path).status for path in ("/dev/a", "/a", "/dev", "/$default/a")] == [200, 404, 404, 404]
    event = api.ask("/dev/a").value
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == ("/dev/a", "/dev/a")
    assert (event["requestContext"]["stage"], event["stageVariables"]) == ("dev", {"color": "blue"})
    api.stage()
    event = api.ask("/a").value
    assert (event["requestContext"]["stage"], "stageVariables" in event) == ("$default", False)
    assert api.ask("/$default/a").status == 404


def test_what_is_not_there_is_not_found(cloud, functions):
    api = simple(cloud, functions)
    assert api.ask().status == 200
    for path in ("nowhere/a", "nowhere"):
        gone = ask(f"{cloud.endpoint}/_iamd/execute-api/", path=path)
        assert (gone.status, gone.value) == (404, NOT_FOUND)
    api.client.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    assert (api.ask().status, api.ask().value) == (404, NOT_FOUND)
    api.client.update_api(ApiId=api.id, DisableExecuteApiEndpoint=False)
    assert api.ask().status == 200
    api.client.delete_api(ApiId=api.id)
    assert (api.ask().status, api.ask().value) == (404, NOT_FOUND)


def test_an_api_tells_the_address_at_which_it_is_served(cloud):
    api = Api(cloud)
    assert api.url == f"{cloud.endpoint}/_iamd/execute-api/{api.id}"
    [listed] = api.client.get_apis()["Items"]
    assert {listed["ApiEndpoint"], api.client.get_api(ApiId=api.id)["ApiEndpoint"]} == {api.url}
    sockets = api.client.create_api(Name="s", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.a")
    assert "_iamd" not in sockets["ApiEndpoint"]
    api.id, api.url = sockets["ApiId"], f"{cloud.endpoint}/_iamd/execute-api/{sockets['ApiId']}"
    api.route("$default")
    api.stage()
    assert (api.ask().status, api.ask().value) == (404, NOT_FOUND)


def test_an_api_that_is_quickly_created_answers(cloud, functions):
    functions.make(NAME)
    for given, path, answers in (
        ({}, "/any", ["$default", None]),
        ({"RouteKey": "GET /a/{id}"}, "/a/7", ["GET /a/{id}", {"id": "7"}]),
    ):
        api = Api(cloud, Target=FN, **given)
        assert api.ask(path).status == 500
        api.permit()
        assert api.ask(path).value == answers
        cloud.client("lambda").remove_permission(FunctionName="fn", StatementId="api")
    assert Api(cloud, Target="https://example.com").ask().status == 501
    for given in ({"RouteKey": "GET /a"}, {"ProtocolType": "WEBSOCKET", "Target": FN}):
        with pytest.raises(ClientError) as caught:
            Api(cloud, **given)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert len(api.client.get_apis()["Items"]) == 3


def test_format_two_of_an_event(cloud, functions):
    api = simple(cloud, functions, key="POST /a/{id}")
    event = api.ask(
        "/a/7?x=1&x=2&y=", "POST", body=b'{"a": 1}', content_type="application/json", user_agent="mine",
        cookie="one=1; iamd-session=secret; two=2", x_own="v",
    ).value  # fmt: skip
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /a/{id}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/a/7", "x=1&x=2&y=")
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["pathParameters"] == {"id": "7"}
    assert event["cookies"] == ["one=1", "two=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert (event["headers"]["x-own"], "cookie" in event["headers"]) == ("v", False)
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["domainPrefix"]) == (ACCOUNT, api.id, api.id)
    assert context["domainName"] == f"{api.id}.execute-api.{REGION}.amazonaws.com"
    assert (context["routeKey"], "authorizer" in context) == ("POST /a/{id}", False)
    assert context["http"] == {
        "method": "POST", "path": "/a/7", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "mine",
    }  # fmt: skip
    binary = api.ask("/a/7", "POST", body=b"\0\xff", content_type="application/octet-stream").value
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\0\xff", True)


def test_format_one_of_an_event(cloud, functions):
    functions.make(
        "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    )
    api = Api(cloud)
    api.route("GET /a/{id}", api.integration(PayloadFormatVersion="1.0"))
    api.stage("dev", StageVariables={"color": "blue"})
    api.permit()
    event = api.ask("/dev/a/7?x=1&x=2", cookie="a=1; iamd-session=secret", user_agent="mine").value
    assert (event["version"], event["resource"], event["path"], event["httpMethod"]) == (
        "1.0", "/a/{id}", "/dev/a/7", "GET",
    )  # fmt: skip
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (event["headers"]["cookie"], event["multiValueHeaders"]["cookie"]) == ("a=1", ["a=1"])
    assert (event["pathParameters"], event["stageVariables"]) == ({"id": "7"}, {"color": "blue"})
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    context = event["requestContext"]
    assert (context["authorizer"], context["resourcePath"]) == ({"claims": None, "scopes": None}, "/a/{id}")
    assert (context["identity"]["sourceIp"], context["identity"]["userArn"]) == ("127.0.0.1", None)
    assert (context["stage"], context["path"], context["apiId"]) == ("dev", "/dev/a/7", api.id)


@pytest.mark.parametrize(
    ("said", "status", "body", "kind"),
    [
        ({"a": 1}, 200, b'{"a":1}', "application/json"),
        ("hello", 200, b"hello", "application/json"),
        ({"statusCode": 201, "body": "m", "headers": {"Content-Type": "text/plain"}}, 201, b"m", "text/plain"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\0\xff", "application/json"),
        ({"statusCode": "many"}, 500, None, "application/json"),
        ({"statusCode": 100}, 500, None, "application/json"),
    ],
)
def test_format_two_of_an_answer(cloud, functions, said, status, body, kind):
    told = simple(cloud, functions, SAYS).ask(method="POST", body=json.dumps(said), content_type="application/json")
    assert (told.status, told.headers["content-type"]) == (status, kind)
    assert told.body == body if body is not None else told.value == BROKEN


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        ({"statusCode": 201, "body": "m"}, 201, b"m"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\0\xff"),
        ({"a": 1}, 500, None),
        ("hello", 500, None),
        ({"statusCode": 200, "body": {"a": 1}}, 500, None),
        ({"statusCode": 200, "body": "!", "isBase64Encoded": True}, 500, None),
    ],
)
def test_format_one_of_an_answer(cloud, functions, said, status, body):
    functions.make(SAYS)
    api = Api(cloud)
    api.route("$default", api.integration(PayloadFormatVersion="1.0"))
    api.stage()
    api.permit()
    told = api.ask(method="POST", body=json.dumps(said), content_type="application/json")
    assert told.status == status
    assert told.body == body if body is not None else told.value == BROKEN


def test_headers_and_cookies_are_the_functions(cloud, functions):
    functions.make(SAYS)
    api = Api(cloud)
    api.route("$default", api.integration(PayloadFormatVersion="1.0"))
    api.route("POST /two", api.integration())
    api.stage()
    api.permit()
    headers = {"X-N": 7, "X-Bad": "a\r\nx-evil: 1", "Content-Length": "9", "Clear-Site-Data": "*"}
    several = {"x-n": [7, 2], "Set-Cookie": ["a=1; Path=/", "b=2"]}
    first = {"statusCode": 200, "headers": headers, "multiValueHeaders": several}
    second = {"statusCode": 200, "headers": headers, "cookies": ["a=1; Path=/", "b=2"]}
    for path, said, numbers in (("/", first, ["7", "2"]), ("/two", second, ["7"])):
        told = api.ask(path, "POST", body=json.dumps(said), content_type="application/json")
        assert told.headers.get_all("x-n") == numbers
        assert told.headers.get_all("set-cookie") == [f"a=1; Path=/_iamd/execute-api/{api.id}/", "b=2"]
        assert {"x-evil", "clear-site-data"}.isdisjoint(name.lower() for name in told.headers)
    page = {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<script>"}
    told = api.ask("/two", "POST", body=json.dumps(page), content_type="application/json", accept="text/html")
    assert told.headers["content-security-policy"].startswith("sandbox")


def test_a_cookie_of_an_api_is_for_no_other_one(cloud, functions):
    """Without a path it is for the folder of the request (RFC 6265, 5.1.4): of the API's bare address, for all APIs."""
    api = simple(cloud, functions, SAYS)
    said = json.dumps({"statusCode": 200, "cookies": ["a=1", "b=2; Path=x; Secure", "c=3; Path=/c"]})
    own = f"/_iamd/execute-api/{api.id}"
    for path, expected in (
        ("", [f"a=1; Path={own}", f"b=2; Secure; Path={own}", f"c=3; Path={own}/c"]),
        ("/", ["a=1", "b=2; Secure", f"c=3; Path={own}/c"]),
    ):
        told = api.ask(path, "POST", body=said, content_type="application/json")
        assert told.headers.get_all("set-cookie") == expected


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_answer_that_is_nested_too_deeply_is_none(cloud, functions, version):
    functions.make(DEEP.format(answer="deep"))
    api = Api(cloud)
    api.route("$default", api.integration(PayloadFormatVersion=version))
    api.stage()
    api.permit()
    told = api.ask()
    assert (told.status, told.value) == (500, BROKEN)
    explained = cloud.explain(told.headers["apigw-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "InternalServerError")


@pytest.mark.parametrize("source", ["    1 / 0", "    import os; os._exit(1)"])
def test_a_function_that_fails_is_answered_500(cloud, functions, source):
    told = simple(cloud, functions, f"def handler(event, context):\n{source}\n").ask()
    assert (told.status, told.value) == (500, BROKEN)


def test_a_function_is_not_waited_for_longer_than_the_integration_says(cloud, functions):
    functions.make("import time\ndef handler(event, context):\n    time.sleep(30)\n", Timeout=60)
    api = Api(cloud)
    api.route("$default", api.integration(TimeoutInMillis=50))
    api.stage()
    api.permit()
    told = api.ask()
    assert (told.status, told.value) == (503, {"message": "Service Unavailable"})


def test_an_integration_is_waited_for_no_longer_than_thirty_seconds(cloud):
    """AWS: API Reference of HTTP APIs, CreateIntegration, `timeoutInMillis`."""
    api = Api(cloud)
    integration = api.integration(TimeoutInMillis=30_000)
    for ask_for in (
        lambda: api.integration(TimeoutInMillis=30_001),
        lambda: api.client.update_integration(ApiId=api.id, IntegrationId=integration, TimeoutInMillis=30_001),
    ):
        with pytest.raises(ClientError) as caught:
            ask_for()
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert api.client.get_integration(ApiId=api.id, IntegrationId=integration)["TimeoutInMillis"] == 30_000
    assert len(api.client.get_integrations(ApiId=api.id)["Items"]) == 1


def test_no_two_routes_are_for_the_same_requests(cloud):
    """One of them would be passed over, and with it who may ask; AWS's words are those that clients report."""
    api = Api(cloud)
    integration = api.integration()
    for key in ("$default", "ANY /{proxy+}"):
        api.route(key, integration, AuthorizationType="AWS_IAM")
    route = api.route("GET /a/{id}", integration, AuthorizationType="AWS_IAM")
    for key, words in (
        ("ANY /{proxy+}", "Route with key ANY /{proxy+} already exists for this API"),
        ("$default", "Route with key $default already exists for this API"),
        (
            "GET /a/{name}",
            'The provided route key "GET /a/{name}" has a conflicting variable on the same hierarchical level as "GET /a/{id}"',
        ),
    ):
        with pytest.raises(ClientError) as caught:
            api.route(key, integration)
        told = caught.value.response
        assert (told["Error"]["Code"], told["Error"]["Message"]) == ("ConflictException", words)
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 409
    for key in ("GET /a/{id+}", "POST /a/{id}", "GET /a/{id}/b"):
        api.route(key, integration)
    with pytest.raises(ClientError) as caught:
        api.client.update_route(ApiId=api.id, RouteId=route, RouteKey="GET /a/{id+}")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    # A route does not stand against itself.
    told = api.client.update_route(ApiId=api.id, RouteId=route, RouteKey="GET /a/{name}")
    assert told["RouteKey"] == "GET /a/{name}"


def test_a_function_that_may_not_run_now_is_unavailable(cloud, functions):
    api = simple(cloud, functions)
    cloud.client("lambda").put_function_concurrency(FunctionName="fn", ReservedConcurrentExecutions=0)
    assert (api.ask().status, api.ask().value) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize(
    ("key", "path", "sources"),
    [
        ("GET /a/{id}", "/a/1", {"*/GET/a/*": 200, "*/*/a/{id}": 200, "$default/GET/a/{id}": 200, "*/*/a/1": 500}),
        ("GET /a/{id}", "/a/1", {"*": 200, "*/POST/*": 500, "dev/*": 500, "authorizers/*": 500}),
        ("$default", "/a/1", {"*/*": 200, "*/$default": 200, "*/*/*": 500, "*/*/$default": 500}),
        ("ANY /b", "/b", {"*/*/b": 200, "*/GET/b": 500, "*/ANY/b": 500}),
    ],
)
def test_the_functions_policy_lets_the_route_in(cloud, functions, key, path, sources):
    functions.make(ECHO)
    api = Api(cloud)
    api.route(key)
    api.stage()
    assert (api.ask(path).status, api.ask(path).value) == (500, BROKEN)
    told = cloud.explain(api.ask(path).headers["apigw-requestid"])
    assert (told["EventName"], told["ErrorCode"]) == ("Invoke", "InternalServerError")
    assert told["ErrorMessage"].endswith(
        f"is not authorized to perform: lambda:InvokeFunction on resource: {FN} because no resource-based policy allows "
        f"the lambda:InvokeFunction action (for {api.arn}/$default/{key.replace(' ', '')})"
    )
    for source, status in sources.items():
        api.permit(source)
        assert api.ask(path).status == status, source
        cloud.client("lambda").remove_permission(FunctionName="fn", StatementId="api")


def test_the_functions_policy_may_name_the_account(cloud, functions):
    functions.make(ECHO)
    api = Api(cloud)
    api.route("$default")
    api.stage()
    for account, status in (("999999999999", 500), (ACCOUNT, 200)):
        cloud.client("lambda").add_permission(
            FunctionName="fn", StatementId=account, Action="lambda:InvokeFunction", Principal=APIGATEWAY,
            SourceAccount=account,
        )  # fmt: skip
        assert api.ask().status == status
    [asked, *_] = events(cloud, "lambda.amazonaws.com")
    assert asked["userIdentity"] == {"type": "AWSService", "invokedBy": APIGATEWAY}
    [asked, *_] = events(cloud, "execute-api.amazonaws.com")
    assert asked["requestParameters"] == {"apiId": api.id, "stage": "$default", "routeKey": "$default"}


def test_a_role_of_the_integration_invokes_the_function(cloud, functions):
    functions.make(ECHO)
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    api = Api(cloud)
    api.route("$default", api.integration(CredentialsArn=role))
    api.route("GET /user", api.integration(CredentialsArn="arn:aws:iam::*:user/*"))
    api.stage()
    functions.permit(allow("lambda:InvokeFunction", FN), role="caller")
    assert (api.ask().status, api.ask().value) == (500, BROKEN)
    iam.update_assume_role_policy(RoleName="caller", PolicyDocument=trust(APIGATEWAY))
    assert api.ask().status == 200
    functions.permit(allow("lambda:InvokeFunction", f"{FN}2"), role="caller")
    assert api.ask().status == 500
    # What lets API Gateway itself in lets no role in, and nobody's identity is none.
    api.permit()
    assert (api.ask().status, api.ask("/user").status) == (500, 500)


def test_a_function_is_invoked_by_the_callers_own_permissions(cloud, functions):
    """AWS: `arn:aws:iam::*:user/*` passes the caller's identity through."""
    functions.make(ECHO)
    api = Api(cloud)
    api.route("$default", api.integration(CredentialsArn="arn:aws:iam::*:user/*"), AuthorizationType="AWS_IAM")
    api.stage()
    # What lets API Gateway itself in lets no caller in.
    api.permit()
    for name, statements, status in (
        ("neither", [], 403),
        ("asks", [allow("execute-api:Invoke", "*")], 500),
        ("both", [allow("execute-api:Invoke", "*"), allow("lambda:InvokeFunction", FN)], 200),
    ):
        assert api.ask(credentials=cloud.user(name, *statements)).status == status, name
    [asked, *_] = events(cloud, "lambda.amazonaws.com")
    assert (asked["userIdentity"]["userName"], asked["userIdentity"]["invokedBy"]) == ("both", APIGATEWAY)


def test_a_function_of_another_account_lets_the_api_in(cloud, functions, other):
    theirs = cloud.client("lambda", other)
    iam = cloud.client("iam", other)
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    function = theirs.create_function(
        FunctionName="fn", Runtime="python3.12", Handler="app.handler", Role=role, Code={"ZipFile": code(NAME)}
    )["FunctionArn"]
    api = Api(cloud)
    api.route("GET /a", api.integration(function))
    api.stage()
    assert (api.ask("/a").status, api.ask("/a").value) == (500, BROKEN)
    theirs.add_permission(
        FunctionName="fn", StatementId="api", Action="lambda:InvokeFunction", Principal=APIGATEWAY,
        SourceArn=f"{api.arn}/*/GET/a",
    )  # fmt: skip
    assert api.ask("/a").value == ["GET /a", None]


def test_an_integration_names_an_alias_by_a_variable_of_the_stage(cloud, functions):
    functions.make("def handler(event, context):\n    return context.invoked_function_arn\n")
    client = cloud.client("lambda")
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FN}:${{stageVariables.alias}}/invocations"
    api = Api(cloud)
    api.route("$default", api.integration(uri))
    api.stage("one", StageVariables={"alias": "live"})
    api.stage("two")
    api.permit()
    assert api.ask("/one").status == 500
    api.permit(Qualifier="live")
    assert (api.ask("/one").status, api.ask("/one").body.decode()) == (200, f"{FN}:live")
    assert (api.ask("/two").status, api.ask("/two").value) == (500, BROKEN)


@pytest.mark.parametrize(
    "given",
    [
        {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com"},
        {"IntegrationSubtype": "SQS-SendMessage"},
        {"RequestParameters": {"overwrite:header.a": "b"}},
        {"ResponseParameters": {"200": {"overwrite:header.a": "b"}}},
        {"ConnectionType": "VPC_LINK", "ConnectionId": "link"},
        {"IntegrationUri": "${stageVariables.place}"},
        {"CredentialsArn": "arn:aws:iam::*:user/ann"},
    ],
)
def test_what_is_not_served_is_refused_by_its_name(cloud, functions, given):
    functions.make(ECHO)
    api = Api(cloud)
    api.route("$default", api.integration(**given))
    api.stage(StageVariables={"place": "secret"})
    api.permit()
    told = api.ask()
    assert told.status == 501
    assert told.value["message"].startswith("iamd does not serve this: ")
    # What the API is made of is not for whoever asks.
    assert not any(own in told.value["message"] for own in ("secret", "arn:"))


def test_a_stage_that_nothing_was_deployed_to_is_refused(cloud, functions):
    functions.make(ECHO)
    api = Api(cloud)
    api.route("$default")
    api.stage(AutoDeploy=False)
    api.permit()
    assert api.ask().status == 501


CORS = {
    "AllowOrigins": ["https://app.example"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-mine"],
    "ExposeHeaders": ["x-told"], "MaxAge": 60, "AllowCredentials": True,
}  # fmt: skip
ASKING = {"origin": "https://app.example", "access_control_request_method": "POST"}


def test_other_origins_ask_as_the_configuration_says(cloud, functions):
    source = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': 'x'}}\n"
    api = simple(cloud, functions, source, CorsConfiguration=CORS)
    told = api.ask("/any", "OPTIONS", **ASKING)
    assert (told.status, told.body) == (204, b"")
    allowed = {name: told.headers[f"access-control-allow-{name}"] for name in ("origin", "methods", "headers")}
    assert allowed == {"origin": "https://app.example", "methods": "GET,POST", "headers": "x-mine"}
    assert (told.headers["access-control-max-age"], told.headers["access-control-allow-credentials"]) == ("60", "true")
    other = api.ask("/any", "OPTIONS", **ASKING | {"origin": "https://evil.example"})
    assert (other.status, other.headers["access-control-allow-origin"]) == (204, None)
    read = api.ask(origin="https://app.example")
    assert read.headers.get_all("access-control-allow-origin") == ["https://app.example"]
    assert (read.headers["access-control-expose-headers"], read.headers["vary"]) == ("x-told", "Origin")
    # What the function says of it is not told.
    for told in (api.ask(origin="https://evil.example"), api.ask()):
        assert (told.status, told.headers["access-control-allow-origin"]) == (200, None)
    for origins, origin, expected in (
        (["*"], "https://any.example", "*"),
        (["https://*"], "https://any.example", "https://any.example"),
        (["https://*"], "http://any.example", None),
    ):
        api.client.update_api(ApiId=api.id, CorsConfiguration={"AllowOrigins": origins})
        assert api.ask(origin=origin).headers["access-control-allow-origin"] == expected
    api.client.delete_cors_configuration(ApiId=api.id)
    # Without a configuration the function itself is asked.
    assert api.ask("/any", "OPTIONS", **ASKING).headers["access-control-allow-origin"] == "x"


def test_a_preflight_of_a_route_with_authorization_is_authorized(cloud, functions):
    functions.make(ECHO)
    api = Api(cloud, CorsConfiguration=CORS)
    api.route("$default", AuthorizationType="AWS_IAM")
    api.stage()
    assert api.ask("/any", "OPTIONS", **ASKING).status == 403
    signed = api.ask("/any", "OPTIONS", credentials=cloud.server.administrator, **ASKING)
    assert (signed.status, signed.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert signed.headers["access-control-allow-methods"] == "GET,POST"
    api.route("OPTIONS /{proxy+}")
    assert api.ask("/any", "OPTIONS", **ASKING).status == 204


def test_a_configuration_begins_no_header_of_its_own(cloud, functions):
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["GET\r\nx-evil: 1"], "ExposeHeaders": ["a\r\nx-evil: 1"]}
    api = simple(cloud, functions, CorsConfiguration=cors)
    preflight, told = api.ask("/any", "OPTIONS", **ASKING), api.ask(origin="https://app.example")
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (204, "GET??x-evil: 1")
    assert (told.status, told.headers["access-control-expose-headers"]) == (200, "a??x-evil: 1")


def test_a_body_has_a_largest_size(cloud, functions):
    api = simple(cloud, functions)
    # What a function takes, and what an API takes, of which nothing more is read than how long it is.
    body = b"x" * (7 * 1024 * 1024)
    assert api.ask(method="POST", body=body, content_type="text/plain").status == 413
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("POST", parts.path)
    connection.putheader("content-length", str(11 * 1024 * 1024))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
