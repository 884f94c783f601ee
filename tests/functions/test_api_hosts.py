"""APIs at hosts of their own, and what no request of whichever host, path or header comes to.

AWS: API Gateway Developer Guide, "Invoke REST APIs in API Gateway" (how-to-call-api), "Invoke URLs of HTTP APIs"
(http-api-publish): api-id.execute-api.region.amazonaws.com.
"""

import http.client
import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing
from functions.apis import Api
from functions.conftest import code
from functions.rest import ECHO, FORBIDDEN, MISSING, Rest, simple
from functions.test_urls import Answer, ask
from gateway.tricks import TRICKS, Request
from running import REGION, allow

NOT_FOUND = {"message": "Not Found"}


@pytest.fixture
def both(cloud, functions):
    """A REST API and an HTTP API before the same function, for everybody."""
    rest = simple(cloud, functions)
    http_api = Api(cloud)
    http_api.route("$default", http_api.integration(PayloadFormatVersion="1.0"))
    http_api.stage()
    http_api.stage("dev")
    cloud.client("lambda").add_permission(
        FunctionName="fn", StatementId="http", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn=f"{http_api.arn}/*",
    )  # fmt: skip
    http_api.host = f"{http_api.id}.execute-api.{REGION}.amazonaws.com"
    return rest, http_api


def test_a_host_names_an_api_of_either_kind(cloud, both):
    rest, http_api = both
    for host in (rest.host, rest.host.upper(), f"{rest.host}:443", f"{rest.id}.execute-api.localhost:4566"):
        event = ask(cloud.endpoint, path="/dev/a?x=1", host=host).value
        assert (event["path"], event["requestContext"]["path"], event["headers"]["host"]) == ("/a", "/dev/a", host)
        assert event["requestContext"]["apiId"] == rest.id
    event = ask(cloud.endpoint, path="/a", host=http_api.host).value
    assert (event["path"], event["requestContext"]["stage"]) == ("/a", "$default")
    assert ask(cloud.endpoint, path="/dev/a", host=http_api.host).value["requestContext"]["stage"] == "dev"
    told = ask(cloud.endpoint, path="/v1/a", host=rest.host)
    assert (told.status, told.value) == (403, FORBIDDEN)
    told = ask(cloud.endpoint, path="/dev/a/../b", host=rest.host)
    assert (told.status, told.value) == (403, MISSING)


def test_a_host_of_no_api_is_forbidden(cloud, both):
    rest, http_api = both
    for host in (
        "nothing123.execute-api.us-east-1.amazonaws.com", rest.host.replace(REGION, "eu-west-1"),
        http_api.host.replace(REGION, "eu-west-1"),
    ):  # fmt: skip
        told = ask(cloud.endpoint, path="/dev/a", host=host)
        assert (told.status, told.value, told.headers["x-amzn-errortype"]) == (403, FORBIDDEN, "ForbiddenException")
    # What is no such host is no API's, whatever it begins with.
    for host in (
        f"x.{rest.host}",
        f"{rest.host}.example.com",
        f"{rest.id}.execute-api.example.com",
        "execute-api.localhost",
    ):
        assert "requestContext" not in ask(cloud.endpoint, path="/dev/a", host=host).body.decode(), host


def test_the_host_counts_and_not_the_path(cloud, both):
    """Whoever signs for a host signs for no other API, and reaches no door of iamd's by it."""
    rest, http_api = both
    path = f"/_iamd/execute-api/{rest.id}/dev/a"
    assert ask(cloud.endpoint, path=path, host=http_api.host).value["requestContext"]["apiId"] == http_api.id
    assert ask(cloud.endpoint, path=f"/_iamd/execute-api/{http_api.id}/a", host=rest.host).value == FORBIDDEN
    for door in ("/_iamd/health", "/_iamd/signin", "/_localstack/health"):
        assert ask(cloud.endpoint, path=door, host=http_api.host).value["path"] == door
    reset = ask(cloud.endpoint, "POST", "/_iamd/reset", host=http_api.host)
    assert reset.value["path"] == "/_iamd/reset"
    assert ask(cloud.endpoint, path="/dev/a", host=rest.host).status == 200


def test_a_token_is_no_signature(cloud, both):
    rest, _ = both
    for value in ("Bearer x", "AWS4-HMAC-SHA256 nonsense", "Basic YTpi", "AWS a:b"):
        event = ask(cloud.endpoint, path="/dev/a", host=rest.host, Authorization=value).value
        assert event["headers"]["Authorization"] == value


def test_cookies_at_a_host_are_for_all_of_it(cloud, both):
    rest, _ = both
    cloud.client("lambda").update_function_code(FunctionName="fn", ZipFile=code(SETS))
    told = ask(cloud.endpoint, path="/dev/a", host=rest.host)
    assert told.headers.get_all("set-cookie") == ["a=1; Path=/x"]
    assert rest.ask("/dev/a").headers.get_all("set-cookie") == [f"a=1; Path=/_iamd/execute-api/{rest.id}/x"]


SETS = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'Set-Cookie': 'a=1; Path=/x'}}\n"


def test_a_signature_is_of_one_host(cloud, functions):
    """What is signed for one API is good for no other one."""
    functions.make(ECHO)
    apis = []
    for _ in range(2):
        api = Rest(cloud)
        api.method("GET /a", authorizationType="AWS_IAM")
        api.deploy()
        apis.append(api)
    one, two = apis
    cloud.client("lambda").add_permission(
        FunctionName="fn", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    user = cloud.user("ann", allow("execute-api:Invoke", "*"))
    plain = Request("execute-api", "GET", "/dev/a", "", (), b"", one.host)
    assert send(cloud, plain, user).status == 200
    for host in (two.host, None, f"{one.id}.execute-api.localhost"):
        told = send(cloud, plain, user, sent_to=host or urlsplit(cloud.endpoint).netloc)
        assert told.status in {400, 403, 404}, host
        assert b"requestContext" not in told.body
    assert send(cloud, Request("execute-api", "GET", "/dev/a", "", (), b"", two.host), user).status == 200


def send(cloud, request: Request, credentials, sent_to=None) -> Answer:
    """Sign a request for its host, and send it, to another host where one is told."""
    parts = urlsplit(cloud.endpoint)
    host = request.host or parts.netloc
    headers = {name: value for name, value in request.headers if name != "content-length"} | {"host": host}
    signed = AWSRequest(request.method, f"http://{host}{request.target}", headers, request.body or None)
    key = Signing(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(key, request.service, REGION).add_auth(signed)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    told = dict(signed.headers.items()) | {"host": sent_to or host}
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in told.items():
        connection.putheader(name, value)
    for name, value in [pair for pair in request.headers if pair[1] != told.get(pair[0])]:
        connection.putheader(name, value)
    if request.body:
        connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body or None)
    answer = connection.getresponse()
    found = Answer(answer.status, answer.headers, answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("by_host", [True, False])
@pytest.mark.parametrize("kind", ["REST", "HTTP"])
def test_a_function_is_told_what_was_decided(cloud, functions, kind, by_host):
    """Whatever is written into a signed request, the API, stage, method and path of the event are those decided."""
    functions.make(ECHO)
    if kind == "REST":
        api = Rest(cloud)
        api.method("ANY /{proxy+}", authorizationType="AWS_IAM")
        api.deploy()
        api.deploy("other")
    else:
        api = Api(cloud)
        api.route("$default", api.integration(PayloadFormatVersion="1.0"), AuthorizationType="AWS_IAM")
        api.stage("dev")
        api.stage("other")
        api.host = f"{api.id}.execute-api.{REGION}.amazonaws.com"
    api.permit()
    user = cloud.user("ann", allow("execute-api:Invoke", f"{api.arn}/dev/GET/a*"))
    below = "" if by_host else f"/_iamd/execute-api/{api.id}"
    host = api.host if by_host else None
    plain = Request("execute-api", "GET", f"{below}/dev/a/b", "x=1", (("accept", "*/*"),), b"", host)
    ran, wrong = 0, []
    for name, trick in TRICKS.items():
        for sent in trick(plain):
            told = send(cloud, sent, user)
            event = echoed(told)
            if event is None:
                continue
            ran += 1
            context = event["requestContext"]
            inner = context["path"].removeprefix(f"/{context['stage']}")
            arn = f"arn:aws:execute-api:{REGION}:{context['accountId']}:{context['apiId']}"
            invoked = f"{arn}/{context['stage']}/{context['httpMethod']}{inner}"
            decisions = [(one["Action"], one["Resource"]) for one in cloud.explain(context["requestId"])["Decisions"]]
            meant = unquote(sent.path.removeprefix(below)) == context["path"] and sent.method == context["httpMethod"]
            given = dict(parse_qsl(sent.query, keep_blank_values=True))
            same = (event["queryStringParameters"] or {}) == given
            if ("execute-api:Invoke", invoked) not in decisions or not meant or not same:
                wrong.append((name, sent, invoked, decisions))
            if not invoked.startswith(f"{api.arn}/dev/GET/a"):
                wrong.append((name, sent, invoked, "is not allowed"))
    assert wrong == []
    assert ran > 40


def echoed(told: Answer):
    """The event that a function has answered with; None when none has."""
    try:
        value = json.loads(told.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "requestContext" in value else None
