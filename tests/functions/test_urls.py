"""Functions behind URLs: who may ask, what the function is given, and what is made of its answer.

AWS: Lambda Developer Guide, "Control access to Lambda function URLs" (urls-auth), "Invoking Lambda function URLs"
(urls-invocation), "Creating and managing Lambda function URLs" (urls-configuration).
"""

import base64
import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing
from botocore.exceptions import ClientError
from functions.conftest import LAMBDA, Functions
from gateway.two_accounts import OTHER
from running import ACCOUNT, AWS, REGION, Credentials, allow
from services.iamd.test_workloads import trust

ECHO = "def handler(event, context):\n    return event\n"
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
BOTH = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]


@dataclass
class Answer:
    """What a URL answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def value(self):
        return json.loads(self.body)


def ask(url, method="GET", path="", credentials=None, body=None, service="lambda", region=REGION, **headers):
    """Ask a URL, signed when there are credentials."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, url + path, names, body)
    if credentials is not None:
        key = Signing(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
        SigV4Auth(key, service, region).add_auth(request)
    prepared, parts = request.prepare(), urlsplit(url + path)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, body=prepared.body, headers=dict(prepared.headers.items()))
    answer = connection.getresponse()
    told = Answer(answer.status, answer.headers, answer.read())
    connection.close()
    return told


@pytest.fixture
def slow(start):
    """The URL of a function of an iamd that slows an address down after ten refusals."""
    cloud = AWS(start("--backend", "moto", "--dev", "--refusals-per-second", "1"))
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
    Functions(cloud).make(ECHO)
    cors = {"AllowOrigins": ["*"]}
    made = cloud.client("lambda").create_function_url_config(FunctionName="fn", AuthType="AWS_IAM", Cors=cors)
    return made["FunctionUrl"]


@pytest.mark.parametrize("origin", [{}, {"origin": "https://app.example"}])
def test_a_flood_of_unknown_callers_loses_its_connections(slow, origin):
    nobody = Credentials("AKIAEXAMPLEEXAMPLE00", "x" * 40)
    told = [ask(slow, credentials=nobody, **origin) for _ in range(15)]
    assert {(one.status, one.headers["connection"]) for one in told} == {(403, None), (429, "close")}


@pytest.fixture
def put(cloud, functions):
    """`put(source, auth)` is the URL of a function."""

    def make(source=ECHO, auth="AWS_IAM", **config):
        functions.make(source)
        made = cloud.client("lambda").create_function_url_config(FunctionName="fn", AuthType=auth, **config)
        return made["FunctionUrl"]

    return make


@pytest.fixture
def let(cloud):
    """`let(principal, auth)` lets a principal ask by the URL, as the console does."""

    def add(principal="*", auth="NONE", actions=("url", "function")):
        client = cloud.client("lambda")
        if "url" in actions:
            client.add_permission(
                FunctionName="fn", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal=principal,
                FunctionUrlAuthType=auth,
            )  # fmt: skip
        if "function" in actions:
            client.add_permission(
                FunctionName="fn", StatementId="function", Action="lambda:InvokeFunction", Principal=principal,
                InvokedViaFunctionUrl=True,
            )  # fmt: skip

    return add


def denial(cloud):
    """The last event of an invocation that was refused."""
    named = [{"AttributeKey": "EventName", "AttributeValue": "Invoke"}]
    events = [json.loads(one["CloudTrailEvent"]) for one in cloud.client("cloudtrail").lookup_events(
        LookupAttributes=named)["Events"]]  # fmt: skip
    return next(one for one in events if "errorCode" in one)


def test_a_signature_is_of_one_url(cloud, functions, put):
    """Signers leave dots and empty parts out of a path: what was signed for one URL would be good for another one."""
    one, administrator = put(), cloud.server.administrator
    functions.make(ECHO, "other")
    other = cloud.client("lambda").create_function_url_config(FunctionName="other", AuthType="AWS_IAM")["FunctionUrl"]
    below, name = one.rstrip("/").rsplit("/", 1)
    for path in (
        f"{other.rstrip('/')}/../{name}/x",
        f"{below}/{name}//x",
        f"{below}/{name}/y/../x",
        f"{below}/{name}/./x",
    ):
        told = ask(path, credentials=administrator)
        assert (told.status, told.value) == (403, {"Message": FORBIDDEN}), path
    assert ask(one, path="x/", credentials=administrator).status == 200


def test_a_user_needs_both_permissions(cloud, put):
    url = put()
    for name, actions, status in (
        ("url", BOTH[:1], 403), ("function", BOTH[1:], 403), ("both", BOTH, 200), ("none", ["s3:ListAllMyBuckets"], 403),
    ):  # fmt: skip
        user = cloud.user(name, allow(actions))
        told = ask(url, credentials=user)
        assert told.status == status, name
        if status == 403:
            assert told.value == {"Message": FORBIDDEN}
            assert told.headers["x-amzn-errortype"] == "AccessDeniedException"
    event = denial(cloud)
    assert event["errorCode"] == "AccessDeniedException"
    assert event["errorMessage"] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/none is not authorized to perform: lambda:InvokeFunctionUrl on resource: "
        f"{FN} because no identity-based policy allows the lambda:InvokeFunctionUrl action"
    )


def test_who_does_not_sign_as_lambda_asks_is_refused(cloud, put):
    url, administrator = put(), cloud.server.administrator
    assert (ask(url).status, ask(url).value) == (403, {"Message": FORBIDDEN})
    assert ask(url, credentials=administrator, service="s3").status == 403
    told = cloud.explain(ask(url).headers["x-amzn-RequestId"])
    assert (told["EventName"], told["ErrorCode"]) == ("Invoke", "AccessDeniedException")
    wrong = Credentials(administrator.access_key_id, "wrong" * 8)
    assert ask(url, credentials=wrong).status == 403
    assert ask(url, credentials=administrator).status == 200


def test_conditions_tell_urls_from_invocations(cloud, put):
    url = put()
    by_url = allow("lambda:InvokeFunction", FN) | {"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}
    of_iam = allow("lambda:InvokeFunctionUrl", FN) | {
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    }
    user = cloud.user("ann", by_url, of_iam)
    assert ask(url, credentials=user).status == 200
    with pytest.raises(ClientError) as caught:
        cloud.client("lambda", user).invoke(FunctionName="fn")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    cloud.client("lambda").update_function_url_config(FunctionName="fn", AuthType="NONE")
    # Nobody signs now, and nobody is let in.
    assert ask(url, credentials=user).status == 403


@pytest.mark.parametrize("actions", [(), ("url",), ("function",), ("url", "function")])
def test_the_public_needs_both_statements(cloud, put, let, actions):
    url = put(auth="NONE")
    let(actions=actions)
    told = ask(url)
    assert told.status == (200 if len(actions) == 2 else 403)
    if told.status == 200:
        assert "authorizer" not in told.value["requestContext"]
        # What lets the public ask by the URL lets it ask in no other way.
        with pytest.raises(ClientError):
            cloud.client("lambda", cloud.user("nobody")).invoke(FunctionName="fn")


def test_another_account_needs_its_own_permission_and_the_functions(cloud, put, let):
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))
    url = put()
    assert ask(url, credentials=other).status == 403
    let(principal=OTHER, auth="AWS_IAM")
    assert ask(url, credentials=other).value["requestContext"]["authorizer"]["iam"]["accountId"] == OTHER


def test_the_function_is_given_the_request(cloud, put):
    url = put()
    user = cloud.user("ann", allow(BOTH))
    told = ask(
        url, "POST", "a%20b/c?x=1&x=2&y=", user, b'{"a": 1}', content_type="application/json", cookie="one=1; two=2",
        user_agent="mine",
    )  # fmt: skip
    event = told.value
    url_id = urlsplit(url).path.split("/")[3]
    assert (event["version"], event["routeKey"]) == ("2.0", "$default")
    assert (event["rawPath"], event["rawQueryString"]) == ("/a b/c", "x=1&x=2&y=")
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert "cookie" not in event["headers"]
    assert event["headers"]["content-type"] == "application/json"
    assert event["headers"]["x-forwarded-proto"] == "http"
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["domainPrefix"]) == (ACCOUNT, url_id, url_id)
    assert context["domainName"] == f"{url_id}.lambda-url.{REGION}.on.aws"
    assert context["http"] == {
        "method": "POST", "path": "/a b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "mine",
    }  # fmt: skip
    ann = cloud.client("iam").get_user(UserName="ann")["User"]
    assert context["authorizer"]["iam"] == {
        "accessKey": user.access_key_id, "accountId": ACCOUNT, "callerId": ann["UserId"], "cognitoIdentity": None,
        "principalOrgId": None, "userArn": ann["Arn"], "userId": ann["UserId"],
    }  # fmt: skip
    binary = ask(url, "PUT", "", user, b"\0\xff", content_type="application/octet-stream").value
    assert binary["isBase64Encoded"]
    assert base64.b64decode(binary["body"]) == b"\0\xff"
    assert "body" not in ask(url, credentials=user).value


@pytest.mark.parametrize(
    ("said", "status", "body", "kind"),
    [
        ("{'a': 1}", 200, b'{"a":1}', "application/json"),
        ("'hello'", 200, b"hello", "application/json"),
        ("None", 200, b"null", "application/json"),
        ("{'statusCode': 201, 'body': 'made', 'headers': {'Content-Type': 'text/plain'}}", 201, b"made", "text/plain"),
        ("{'statusCode': '204'}", 204, b"", None),
        ("{'statusCode': 200, 'body': 'AP8=', 'isBase64Encoded': True}", 200, b"\0\xff", "application/json"),
        (
            "{'statusCode': 200, 'body': '!', 'isBase64Encoded': True}",
            502,
            b"Internal Server Error",
            "application/json",
        ),
        ("{'statusCode': 'many'}", 502, b"Internal Server Error", "application/json"),
        ("{'statusCode': 1000}", 502, b"Internal Server Error", "application/json"),
        ("1 / 0", 502, b"Internal Server Error", "application/json"),
    ],
)
def test_the_answer_is_what_the_function_says(cloud, put, said, status, body, kind):
    told = ask(put(f"def handler(event, context):\n    return {said}\n"), credentials=cloud.server.administrator)
    assert (told.status, told.body) == (status, body)
    if kind is not None:
        assert told.headers["content-type"] == kind


def test_headers_and_cookies_are_the_functions(cloud, put):
    source = (
        "def handler(event, context):\n    return {'statusCode': 302, 'cookies': ['a=1', 'b=2; HttpOnly'],"
        " 'headers': {'Location': 'https://example.com/', 'X-N': 7, 'X-Bad': 'a\\r\\nx-evil: 1', 'Content-Length': '9'}}\n"
    )
    told = ask(put(source), credentials=cloud.server.administrator)
    assert (told.status, told.headers["location"], told.headers["x-n"]) == (302, "https://example.com/", "7")
    assert told.headers.get_all("set-cookie") == ["a=1", "b=2; HttpOnly"]
    assert (told.headers["content-length"], told.headers["x-evil"]) == ("0", None)
    url = cloud.client("lambda").get_function_url_config(FunctionName="fn")["FunctionUrl"]
    assert url.startswith(cloud.endpoint)
    head = ask(url, "HEAD", credentials=cloud.server.administrator)
    assert (head.status, head.body) == (302, b"")


def test_other_origins_ask_as_the_configuration_says(cloud, put, let):
    cors = {
        "AllowOrigins": ["https://app.example"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-mine"],
        "ExposeHeaders": ["x-told"], "MaxAge": 60, "AllowCredentials": True,
    }  # fmt: skip
    url = put(auth="NONE", Cors=cors)
    let()
    asking = {"origin": "https://app.example", "access_control_request_method": "POST"}
    told = ask(url, "OPTIONS", **asking)
    assert (told.status, told.body) == (200, b"")
    allowed = {name: told.headers[f"access-control-allow-{name}"] for name in ("origin", "methods", "headers")}
    assert allowed == {"origin": "https://app.example", "methods": "GET,POST", "headers": "x-mine"}
    assert (told.headers["access-control-max-age"], told.headers["access-control-allow-credentials"]) == ("60", "true")
    other = ask(url, "OPTIONS", **asking | {"origin": "https://evil.example"})
    assert other.headers["access-control-allow-origin"] is None
    read = ask(url, origin="https://app.example")
    assert (read.status, read.headers["access-control-expose-headers"]) == (200, "x-told")
    assert read.headers["access-control-allow-origin"] == "https://app.example"
    assert ask(url, origin="https://evil.example").headers["access-control-allow-origin"] is None
    cloud.client("lambda").update_function_url_config(FunctionName="fn", Cors={})
    # Without a configuration the function itself is asked.
    assert ask(url, "OPTIONS", **asking).value["requestContext"]["http"]["method"] == "OPTIONS"


def test_a_url_ends_with_its_configuration(cloud, put):
    url, administrator = put(), cloud.server.administrator
    assert ask(url, credentials=administrator).status == 200
    cloud.client("lambda").delete_function_url_config(FunctionName="fn")
    gone = ask(url, credentials=administrator)
    assert (gone.status, gone.value) == (404, {"Message": None})


def test_an_alias_has_a_url_of_its_own(cloud, functions):
    client = cloud.client("lambda")
    functions.make(
        "def handler(event, context):\n    return [context.function_version, context.invoked_function_arn]\n"
    )
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    own = client.create_function_url_config(FunctionName="fn", AuthType="AWS_IAM")
    made = client.create_function_url_config(FunctionName="fn", Qualifier="live", AuthType="NONE")
    assert made["FunctionArn"] == f"{FN}:live"
    assert client.get_function_url_config(FunctionName="fn:live")["FunctionUrl"] == made["FunctionUrl"]
    told = client.list_function_url_configs(FunctionName="fn", MaxItems=1)
    assert [one["FunctionArn"] for one in told["FunctionUrlConfigs"]] == [FN]
    told = client.list_function_url_configs(FunctionName="fn", Marker=told["NextMarker"])
    assert [one["FunctionArn"] for one in told["FunctionUrlConfigs"]] == [f"{FN}:live"]
    assert "NextMarker" not in told
    with pytest.raises(ClientError) as caught:
        client.list_function_url_configs(FunctionName="fn", Marker="nowhere")
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    url, administrator = made["FunctionUrl"], cloud.server.administrator
    # What lets others ask the function's own URL lets nobody ask the alias'.
    for qualifier, status in ({}, 403), ({"Qualifier": "live"}, 200):
        given = {"FunctionName": "fn", "Principal": "*", **qualifier}
        client.add_permission(StatementId="u", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **given)
        client.add_permission(StatementId="f", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True, **given)
        assert ask(url).status == status
    assert ask(url).value == ["1", f"{FN}:live"]
    assert ask(own["FunctionUrl"], credentials=administrator).value == ["$LATEST", FN]
    client.delete_alias(FunctionName="fn", Name="live")
    assert (ask(url).status, ask(own["FunctionUrl"], credentials=administrator).status) == (404, 200)


def test_a_function_has_one_url(cloud, functions, put):
    url, client = put(), cloud.client("lambda")
    for given, code in (({}, "ResourceConflictException"), ({"Qualifier": "nobody"}, "ResourceNotFoundException")):
        with pytest.raises(ClientError) as caught:
            client.create_function_url_config(FunctionName="fn", AuthType="NONE", **given)
        assert caught.value.response["Error"]["Code"] == code
    assert ask(url).status == 403


def test_what_is_not_served_is_refused(cloud, functions):
    functions.make(ECHO)
    with pytest.raises(ClientError) as caught:
        cloud.client("lambda").create_function_url_config(
            FunctionName="fn", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
        )
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_body_has_a_largest_size(cloud, put):
    url, administrator = put(), cloud.server.administrator
    assert ask(url, "POST", "", administrator, b"x" * (7 * 1024 * 1024)).status == 413


SAYS = "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n"


@pytest.fixture
def says(put, let):
    """`says(answer, **headers)` is what a browser or program is told when a function answers that."""
    url = put(SAYS, "NONE")
    let()

    def answered(answer, **headers):
        return ask(url, "POST", body=json.dumps(answer).encode(), content_type="application/json", **headers)

    answered.path = urlsplit(url).path
    return answered


def test_a_function_gets_its_own_cookies_and_nobodys_session(put, let):
    url = put(auth="NONE")
    let()
    told = ask(url, cookie="a=1; iamd-session=secret; b=2;iamd-signin=secret").value
    assert told["cookies"] == ["a=1", "b=2"]
    assert "secret" not in json.dumps(told)


def test_a_function_sets_cookies_of_its_own_url(says):
    cookies = [
        "iamd-session=x; Path=/_iamd/; HttpOnly",
        "a=1; Domain=localhost; path=/shop; Secure",
        "b=2; Path=x",
        "c=3",
    ]
    told = says({"statusCode": 200, "headers": {"Set-Cookie": "d=4; Path=/"}, "cookies": cookies})
    assert told.headers.get_all("set-cookie") == [
        f"d=4; Path={says.path}", f"iamd-session=x; Path={says.path}_iamd/; HttpOnly", f"a=1; Path={says.path}shop; Secure",
        "b=2", "c=3",
    ]  # fmt: skip


PAGE = {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": "<script>"}


@pytest.mark.parametrize(
    ("headers", "kind", "is_sandboxed"),
    [
        ({"accept": "text/html,*/*;q=0.8"}, "text/html", True),
        ({"accept": "TEXT/HTML"}, "application/xhtml+xml", True),
        ({"accept": "*/*", "sec_fetch_dest": "iframe"}, "image/svg+xml", True),
        ({"accept": "text/html"}, "nonsense", True),
        ({"accept": "text/html"}, "image/png", False),
        ({"accept": "text/html"}, "text/plain; charset=utf-8", False),
        ({"accept": "*/*", "sec_fetch_dest": "empty"}, "text/html", False),
        ({}, "text/html", False),
    ],
)
def test_a_page_of_a_functions_is_none_of_iamds_origin(says, headers, kind, is_sandboxed):
    told = says(PAGE | {"headers": {"content-type": kind, "content-security-policy": "default-src 'self'"}}, **headers)
    policies = told.headers.get_all("content-security-policy")
    assert policies[0] == "default-src 'self'"
    assert [policy.split()[0] for policy in policies[1:]] == ["sandbox"] * is_sandboxed
    assert "allow-same-origin" not in "".join(policies)


def test_a_function_says_nothing_of_the_whole_host(says):
    names = ["Clear-Site-Data", "Strict-Transport-Security", "Service-Worker-Allowed", "NEL", "Alt-Svc", "X-Own"]
    told = says(PAGE | {"headers": dict.fromkeys(names, "x")})
    assert {name.lower() for name in names} & {name.lower() for name in told.headers} == {"x-own"}


@pytest.mark.parametrize("status", [100, 103, 199, 600, 0, -200])
def test_no_answer_is_one_before_the_answer(says, status):
    told = says({"statusCode": status, "body": "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"})
    assert (told.status, told.body) == (502, b"Internal Server Error")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(says, status):
    told = says({"statusCode": status, "body": "x"})
    assert (told.status, told.body) == (status, b"")


@pytest.mark.parametrize("name", ["a b", "content-length ", "", "\u00e9", "x:y"])
def test_a_header_that_has_no_name_is_no_answer(says, name):
    assert says({"statusCode": 200, "headers": {name: "x"}, "body": "fine"}).status == 502


def test_a_signature_is_for_the_region_of_the_url(cloud, put):
    url, user = put(), cloud.user("ann", allow(BOTH))
    assert ask(url, credentials=user, region="eu-west-1").status == 403
    assert ask(url, credentials=user).status == 200
