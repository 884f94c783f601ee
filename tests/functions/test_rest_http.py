"""HTTP and HTTP_PROXY integrations of REST APIs: what an endpoint is asked, what it answers, and which may be asked.

AWS: API Gateway Developer Guide, "HTTP integrations for REST APIs" (setup-http-integrations), "API request and response
data mapping reference" (request-response-data-mappings), "Integration passthrough behaviors", "Gateway response types".
"""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from functions.rest import BROKEN, Rest
from functions.test_urls import ask
from running import allow

UNREACHED = {"message": "Network error communicating with endpoint"}


class Endpoint:
    """A server that keeps what it was asked, and answers what it is told to."""

    def __init__(self):
        self.asked = []
        self.answer = (200, [("content-type", "text/plain"), ("x-own", "yes")], b"hello")
        self.goes_on = threading.Event()
        self.goes_on.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Say nothing."""

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = [(name.lower(), value) for name, value in self.headers.items()]
                endpoint.asked.append((self.command, self.path, headers, body))
                endpoint.goes_on.wait(60)
                status, told, content = endpoint.answer
                self.send_response(status)
                for name, value in told:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

        for name in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"):
            setattr(Handler, f"do_{name}", Handler.handle_one)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.goes_on.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def last(self):
        """What was asked last: method, target, and body."""
        method, target, _, body = self.asked[-1]
        return method, target, body

    def headers(self, name):
        """The values of a header of what was asked last."""
        return [value for key, value in self.asked[-1][2] if key == name]


@pytest.fixture
def endpoint():
    found = Endpoint()
    yield found
    found.stop()


def proxied(cloud, uri, key="ANY /{proxy+}", kind="HTTP_PROXY", method="ANY", responses=(), stage=None, **given):
    """An API whose method an endpoint answers."""
    api = Rest(cloud)
    given = {"requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"}, **given}
    authorization = given.pop("authorizationType", "NONE")
    integration = {"type": kind, "integrationHttpMethod": method, "uri": uri, **given}
    api.method(key, integration=integration, authorizationType=authorization)
    name, _, path = key.partition(" ")
    place = {"restApiId": api.id, "resourceId": api.resources[path], "httpMethod": name}
    for one in responses:
        api.client.put_integration_response(**place, **one)
    api.deploy(**({"variables": stage} if stage else {}))
    return api


def test_a_proxy_hands_on_the_request_and_the_answer(cloud, endpoint):
    api = proxied(cloud, f"{endpoint.url}/shop/{{proxy}}?fixed=1")
    told = api.ask(
        "/dev/pets/a%20b/c?q=1&q=2&r=%C3%A9&s=", "POST", body=b"\x00\xff", content_type="application/x-own", x_api_key="k",
        authorization="Bearer t", accept="text/plain", user_agent="tests", connection="close", te="trailers",
        x_forwarded_for="6.6.6.6", x_amz_security_token="secret", cookie="a=b; iamd_session=secret",
    )  # fmt: skip
    assert (told.status, told.body, told.headers["x-own"], told.headers["content-type"]) == (
        200,
        b"hello",
        "yes",
        "text/plain",
    )
    assert endpoint.last == ("POST", "/shop/pets/a%20b/c?fixed=1&q=1&q=2&r=%C3%A9&s=", b"\x00\xff")
    for name, values in (
        ("host", [f"localhost:{endpoint.port}"]), ("content-type", ["application/x-own"]), ("authorization", ["Bearer t"]),
        ("accept", ["text/plain"]), ("user-agent", ["tests"]), ("x-amzn-apigateway-api-id", [api.id]), ("te", []),
        ("x-forwarded-for", ["127.0.0.1"]), ("x-forwarded-proto", ["http"]), ("x-api-key", ["k"]),
        ("x-amz-security-token", []), ("content-length", ["2"]),
    ):  # fmt: skip
        assert endpoint.headers(name) == values, name
    assert len(endpoint.headers("x-amzn-trace-id")) == 1
    endpoint.answer = (
        404,
        [("set-cookie", "a=b; Path=/x"), ("set-cookie", "c=d"), ("www-authenticate", "Basic")],
        b"{}",
    )
    told = api.ask("/dev/x", "DELETE")
    assert (told.status, told.value, told.headers["www-authenticate"]) == (404, {}, "Basic")
    assert told.headers.get_all("set-cookie") == [f"a=b; Path=/_iamd/execute-api/{api.id}/x", "c=d"]
    assert endpoint.last == ("DELETE", "/shop/x?fixed=1", b"")
    assert endpoint.headers("user-agent") == [f"AmazonAPIGateway_{api.id}"]
    # Where an endpoint leads to is the client's to follow.
    endpoint.answer = (302, [("location", "http://127.0.0.1:1/")], b"")
    told = api.ask("/dev/x")
    assert (told.status, told.headers["location"]) == (302, "http://127.0.0.1:1/")
    endpoint.answer = (200, [("content-encoding", "gzip")], b"not decoded")
    assert api.ask("/dev/x").body == b"not decoded"
    assert api.ask("/dev/x", "HEAD").status == 200


def test_cookies_of_iamds_own_are_not_handed_on(cloud, endpoint):
    from iamd.web.cookies import SAME_SITE

    api = proxied(cloud, f"{endpoint.url}/{{proxy}}")
    own = next(iter(SAME_SITE))
    api.ask("/dev/x", cookie=f"a=b; {own}=secret; c=d")
    assert endpoint.headers("cookie") == ["a=b; c=d"]


def test_what_signs_a_request_is_not_handed_on(cloud, endpoint):
    """A session's token would be another's to use."""
    api = proxied(cloud, f"{endpoint.url}/{{proxy}}", authorizationType="AWS_IAM")
    ann = cloud.user("ann", allow("execute-api:Invoke"))
    assert api.ask("/dev/x?q=1", credentials=ann).status == 200
    assert endpoint.headers("authorization") == endpoint.headers("x-amz-security-token") == []
    unsigned = proxied(cloud, f"{endpoint.url}/{{proxy}}")
    unsigned.ask("/dev/x?X-Amz-Signature=a&X-Amz-Security-Token=b&x-amz-other=c&q=1")
    assert endpoint.last[1] == "/x?q=1"
    unsigned.ask("/dev/x?x-amz-other=c&q=1")
    assert endpoint.last[1] == "/x?x-amz-other=c&q=1"


def test_parameters_are_mapped(cloud, endpoint):
    mapped = {
        "path.proxy": "method.request.path.proxy", "path.id": "method.request.header.X-Id", "querystring.q": "'static'",
        "querystring.stage": "context.stage", "querystring.none": "method.request.querystring.none",
        "header.x-color": "stageVariables.color", "header.X-Q": "method.request.querystring.q", "header.x-own": "'a b'",
    }  # fmt: skip
    parameters = {f"integration.request.{name}": value for name, value in mapped.items()}
    uri = "http://${stageVariables.host}/{id}/{proxy}"
    host = endpoint.url.removeprefix("http://")
    api = proxied(cloud, uri, requestParameters=parameters, stage={"host": host, "color": "blue"}, method="PUT")
    assert api.ask("/dev/a/b?q=1%0d%0aevil:%20x&r=2", x_id="7/8?#", x_own="client").status == 200
    assert endpoint.last[:2] == ("PUT", "/7/8%3F%23/a/b?r=2&q=static&stage=dev")
    assert endpoint.headers("x-color") == ["blue"]
    assert (endpoint.headers("x-q"), endpoint.headers("evil")) == (["1??evil: x"], [])
    assert endpoint.headers("x-own") == ["a b"]
    before = len(endpoint.asked)
    # What is not there can't be in the path, and nothing leads out of it.
    assert (api.ask("/dev/a").status, api.ask("/dev/a").value) == (500, BROKEN)
    for wrong in ("..", ".", "a/../b"):
        assert api.ask("/dev/a", x_id=wrong).status == 501
    assert len(endpoint.asked) == before
    assert proxied(cloud, uri).ask("/dev/a").value == BROKEN


@pytest.mark.parametrize(
    "given",
    [
        {"connectionType": "VPC_LINK", "connectionId": "x"}, {"tlsConfig": {"insecureSkipVerification": True}},
        {"contentHandling": "CONVERT_TO_TEXT"}, {"responseTransferMode": "STREAM"},
        {"requestParameters": {"integration.request.header.host": "'x'"}},
        {"requestParameters": {"integration.request.header.a": "method.request.body.a"}},
        {"requestParameters": {"integration.request.header.a": "context.authorizer.claims.sub"}},
        {"requestParameters": {"header.a": "'x'"}},
        {"uri": "http://{proxy}/"}, {"uri": "http://a.example/?q={proxy}"}, {"uri": "http://a:b@a.example/"},
        {"kind": "HTTP", "requestTemplates": {"application/json": "$input.body"}},
        {"kind": "AWS", "uri": "arn:aws:apigateway:us-east-1:sqs:path/x"},
    ],
)  # fmt: skip
def test_what_is_not_served_is_told(cloud, endpoint, given):
    api = proxied(cloud, **{"uri": f"{endpoint.url}/{{proxy}}", **given})
    told = api.ask("/dev/x")
    assert (told.status, endpoint.asked) == (501, [])
    assert told.value["message"].startswith("iamd does not serve this: ")


def test_a_custom_integration_maps_requests_and_answers(cloud, endpoint):
    responses = [
        {
            "statusCode": "201", "responseParameters": {
                "method.response.header.X-Own": "integration.response.header.x-OWN", "method.response.header.a": "'b'",
                "method.response.header.stage": "context.stage", "method.response.header.none": "integration.response.header.no",
            },
        },
        {"statusCode": "410", "selectionPattern": "4\\d{2}", "responseTemplates": {"application/json": '{"gone": true}', "text/plain": "gone"}},
    ]  # fmt: skip
    api = proxied(
        cloud, f"{endpoint.url}/{{proxy}}", kind="HTTP", method="POST", responses=responses,
        requestTemplates={"application/json": '{"fixed": 1}'}, passthroughBehavior="WHEN_NO_MATCH",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy", "integration.request.header.x-a": "method.request.header.x-a"},
    )  # fmt: skip
    told = api.ask("/dev/x?q=1", "PUT", body=b"{}", x_a="1", x_b="2", authorization="Bearer t")
    assert (told.status, told.body, told.headers["content-type"]) == (201, b"hello", "application/json")
    assert (told.headers["x-own"], told.headers["a"], told.headers["stage"], told.headers["none"]) == (
        "yes",
        "b",
        "dev",
        None,
    )
    assert endpoint.last == ("POST", "/x", b'{"fixed": 1}')
    assert (endpoint.headers("x-a"), endpoint.headers("x-b"), endpoint.headers("authorization")) == (["1"], [], [])
    assert endpoint.headers("accept") == endpoint.headers("content-type") == ["application/json"]
    assert api.ask("/dev/x", "PUT", body=b"<a/>", content_type="text/xml").status == 201
    assert (endpoint.last[2], endpoint.headers("content-type")) == (b"<a/>", ["text/xml"])
    endpoint.answer = (404, [("x-own", "yes")], b"nothing")
    told = api.ask("/dev/x")
    assert (told.status, told.value, told.headers["x-own"]) == (410, {"gone": True}, None)
    told = api.ask("/dev/x", accept="text/plain, */*")
    assert (told.body, told.headers["content-type"]) == (b"gone", "text/plain")
    never = proxied(
        cloud, f"{endpoint.url}/x", kind="HTTP", method="POST", responses=responses, passthroughBehavior="NEVER"
    )
    assert never.ask("/dev/x").status == 415
    # Without a default response there is none for another status.
    endpoint.answer = (200, [], b"")
    assert (
        proxied(cloud, endpoint.url, kind="HTTP", responses=responses[1:], requestParameters={}).ask("/dev/x").value
        == BROKEN
    )


def test_an_endpoint_that_does_not_answer_is_told(cloud, endpoint):
    slow = proxied(cloud, f"{endpoint.url}/{{proxy}}", timeoutInMillis=50)
    endpoint.goes_on.clear()
    told = slow.ask("/dev/x")
    assert (told.status, told.value) == (504, {"message": "Endpoint request timed out"})
    endpoint.goes_on.set()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        # Nobody listens there, and nobody else can.
        told = proxied(cloud, f"http://localhost:{free.getsockname()[1]}/").ask("/dev/x")
    assert (told.status, told.value) == (504, UNREACHED)
    assert told.headers["x-amzn-errortype"] == "InternalServerErrorException"
    # It speaks no TLS.
    assert proxied(cloud, f"https://localhost:{endpoint.port}/").ask("/dev/x").value == UNREACHED
    endpoint.answer = (200, [], b"x" * (10 * 1024 * 1024 + 1))
    assert proxied(cloud, f"{endpoint.url}/").ask("/dev/x").status == 502


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "127.1", "2130706433", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1",
        "[::ffff:127.0.0.1]", "168.63.129.16", "100.100.100.200", "192.168.0.1", "localhost.",
    ],
)  # fmt: skip
def test_no_endpoint_is_asked_at_an_address_of_this_machines_own(cloud, endpoint, host):
    """SECURITY: an API's maker must not reach what iamd alone reaches; the client is not told why."""
    api = proxied(cloud, f"http://{host}:{endpoint.port}/")
    told = api.ask("/dev/x")
    assert (told.status, told.value, endpoint.asked) == (500, BROKEN, [])
    why = next(one["errorMessage"] for one in cloud.events("Invoke"))
    assert "in `integration_hosts` to allow it" in why or "was not found" in why or "is no address" in why


def test_iamd_itself_is_no_endpoint(cloud):
    """Its own door is at an address of this machine's own."""
    port = cloud.endpoint.rpartition(":")[2]
    api = proxied(cloud, f"http://127.0.0.1:{port}/_iamd/reset", method="POST")
    assert (api.ask("/dev/x").status, api.ask("/dev/x").value) == (500, BROKEN)


def test_a_definition_has_endpoints(cloud, endpoint):
    integration = {
        "type": "http_proxy", "httpMethod": "ANY", "uri": f"{endpoint.url}/{{proxy}}",
        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
    }  # fmt: skip
    paths = {
        "/{proxy+}": {
            "x-amazon-apigateway-any-method": {"responses": {}, "x-amazon-apigateway-integration": integration}
        }
    }
    api = Rest(cloud)
    body = json.dumps({"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": paths})
    api.client.put_rest_api(restApiId=api.id, mode="overwrite", body=body)
    api.deploy()
    assert api.ask("/dev/a/b").body == b"hello"
    host = f"{api.id}.execute-api.us-east-1.amazonaws.com"
    assert ask(cloud.endpoint, path="/dev/c", host=host).body == b"hello"
    assert endpoint.last[1] == "/c"
