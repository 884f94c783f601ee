"""What browsers may do with buckets from pages of other origins: asked beforehand, and told with each answer.

AWS: S3 User Guide, "Using cross-origin resource sharing (CORS)" and "Elements of a CORS configuration"; S3 API
Reference, "Appendix: OPTIONS object". Of errors and headers, what others recorded of S3.
"""

import pytest
from gateway.counting import answer
from gateway.forms import body, send
from gateway.wire import Wire
from running import ACCOUNT, AWS

APP = "https://app.example"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
RULES = [
    {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [APP, "http://*.example"], "AllowedHeaders": ["X-Amz-*"]}
    | {"ExposeHeaders": ["ETag", "x-amz-id-2"], "MaxAgeSeconds": 300},
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["content-type"]},
]


@pytest.fixture
def s3(cloud: AWS):
    owner = cloud.client("s3", signature_version="s3v4")
    owner.create_bucket(Bucket="web")
    owner.put_bucket_cors(Bucket="web", CORSConfiguration={"CORSRules": RULES})
    owner.put_object(Bucket="web", Key="k", Body=b"hello")
    return owner


@pytest.fixture
def wire(cloud: AWS):
    opened = Wire(cloud.server)
    yield opened
    opened.close()


def ask(wire, target="/web/k", origin=APP, method="PUT", headers=None, host="localhost"):
    """A browser's question."""
    given = {"host": host, "origin": origin, "access-control-request-method": method}
    given["access-control-request-headers"] = headers
    return wire.send_unsigned("OPTIONS", target, [(name, value) for name, value in given.items() if value is not None])


def told(reply):
    """What an answer says to a browser."""
    return {
        name.removeprefix("access-control-"): value
        for name, value in reply.headers.items()
        if name.startswith("access-control-") or name == "vary"
    }


def refused(reply):
    """The members of an error."""
    text = reply.body.decode()
    found = {
        name: text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]
        for name in ("Code", "Message", "Method", "ResourceType")
        if f"<{name}>" in text
    }
    return reply.status, found


def forbidden(method, kind, message=NOT_ALLOWED):
    return 403, {"Code": "AccessForbidden", "Message": message, "Method": method, "ResourceType": kind}


BY_FIRST = {
    "allow-methods": "GET, PUT", "expose-headers": "ETag, x-amz-id-2", "max-age": "300", "allow-credentials": "true",
    "vary": VARY,
}  # fmt: skip
ALLOWED = {
    "an origin by name": ({}, {"allow-origin": APP, **BY_FIRST}),
    "an origin by a pattern": ({"origin": "http://a.b.example"}, {"allow-origin": "http://a.b.example", **BY_FIRST}),
    "headers of any case, by a pattern": (
        {"headers": "X-AMZ-Meta-A, x-amz-acl"},
        {"allow-origin": APP, "allow-headers": "x-amz-meta-a, x-amz-acl", **BY_FIRST},
    ),
    "a bucket": ({"target": "/web", "method": "GET"}, {"allow-origin": APP, **BY_FIRST}),
    "a bucket in the host": (
        {"target": "/k", "host": "web.s3.localhost.localstack.cloud"},
        {"allow-origin": APP, **BY_FIRST},
    ),
    "a later rule, for everybody": (
        {"origin": "https://other", "method": "GET"},
        {"allow-origin": "*", "allow-methods": "GET", "vary": VARY},
    ),
    "the first rule that allows all": (
        {"method": "GET", "headers": "content-type"},
        {"allow-origin": "*", "allow-methods": "GET", "allow-headers": "content-type", "vary": VARY},
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_a_browser_may_ask_what_a_rule_allows(wire, s3, case):
    given, expected = ALLOWED[case]
    reply = ask(wire, **given)
    assert (reply.status, told(reply), reply.body) == (200, expected, b"")
    assert reply.headers["x-amz-request-id"]


REFUSED = {
    "a method": ({"method": "DELETE"}, forbidden("DELETE", "OBJECT")),
    "an origin": ({"origin": "https://other"}, forbidden("PUT", "OBJECT")),
    "an origin that only begins alike": ({"origin": APP + ".evil"}, forbidden("PUT", "OBJECT")),
    "a header": ({"headers": "x-amz-acl, authorization"}, forbidden("PUT", "OBJECT")),
    "a bucket": ({"target": "/web", "method": "POST"}, forbidden("POST", "BUCKET")),
    "no origin": (
        {"origin": None},
        (400, {"Code": "BadRequest", "Message": "Insufficient information. Origin request header needed."}),
    ),
    "no method": (
        {"method": None},
        (400, {"Code": "BadRequest", "Message": "Invalid Access-Control-Request-Method: null"}),
    ),
    "no method of S3's": (
        {"method": "PATCH"},
        (400, {"Code": "BadRequest", "Message": "Invalid Access-Control-Request-Method: PATCH"}),
    ),
    "no bucket": ({"target": "/other/k"}, forbidden("PUT", "OBJECT", "CORSResponse: Bucket not found")),
    "no bucket and no method": (
        {"target": "/other", "method": None},
        forbidden("OPTIONS", "BUCKET", "CORSResponse: Bucket not found"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_rule_allows_is_refused(wire, s3, case):
    given, expected = REFUSED[case]
    reply = ask(wire, **given)
    assert refused(reply) == expected
    assert told(reply) == {}


@pytest.mark.parametrize("method", ["PUT", None])
def test_a_bucket_without_rules_is_closed(wire, s3, method):
    s3.delete_bucket_cors(Bucket="web")
    assert refused(ask(wire, method=method)) == forbidden(
        method or "OPTIONS", "OBJECT", "CORSResponse: CORS is not enabled for this bucket."
    )


def test_a_presigned_url_is_asked_for_unsigned_and_recorded(cloud, wire, s3):
    url = s3.generate_presigned_url("put_object", {"Bucket": "web", "Key": "k"}).removeprefix(cloud.endpoint)
    assert ask(wire, url).status == 200
    (event,) = cloud.events("PreflightRequest")
    assert event["userIdentity"]["accountId"] == "anonymous"
    assert event["requestParameters"] == {"bucketName": "web", "key": "k"}
    assert (event["eventSource"], event["managementEvent"], event["readOnly"]) == ("s3.amazonaws.com", False, True)
    assert "Signature" not in str(event)


def test_a_refused_question_is_recorded(cloud, wire, s3):
    assert ask(wire, method="DELETE").status == 403
    assert [event["errorCode"] for event in cloud.events("PreflightRequest")] == ["AccessForbidden"]


def test_a_bucket_of_another_account_is_found(cloud, wire, s3, other):
    theirs = cloud.client("s3", other)
    theirs.create_bucket(Bucket="theirs")
    theirs.put_bucket_cors(Bucket="theirs", CORSConfiguration={"CORSRules": RULES})
    assert told(ask(wire, "/theirs/k"))["allow-origin"] == APP


def test_a_question_gives_no_right(cloud, wire, s3):
    assert ask(wire).status == 200
    put = wire.send_unsigned("PUT", "/web/k", [("host", "localhost"), ("origin", APP)], b"no")
    assert put.status == 403
    assert s3.get_object(Bucket="web", Key="k")["Body"].read() == b"hello"


ANSWERS = {
    "of the rule": (APP, {"allow-origin": APP, **BY_FIRST}),
    "of the rule for everybody": ("https://other", {"allow-origin": "*", "allow-methods": "GET", "vary": VARY}),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_says_which_pages_may_see_it(wire, s3, case):
    origin, expected = ANSWERS[case]
    reply = wire.send("s3", "GET", "/web/k", [("origin", origin)])
    assert (reply.body, told(reply)) == (b"hello", expected)


def test_an_answer_to_what_no_rule_allows_says_nothing(wire, s3):
    assert told(wire.send("s3", "PUT", "/web/k", [("origin", "https://other")], b"x")) == {}
    assert told(wire.send("s3", "GET", "/web/k")) == {}


def test_the_answer_to_a_form_is_for_the_page_that_posted_it(cloud, s3):
    rules = [{"AllowedMethods": ["POST"], "AllowedOrigins": [APP]}]
    s3.put_bucket_cors(Bucket="web", CORSConfiguration={"CORSRules": rules})
    form = s3.generate_presigned_post("web", "posted")
    reply = send(form["url"], body(form["fields"].items()), ("Origin", APP))
    assert (reply.status, told(reply)["allow-origin"], told(reply)["allow-methods"]) == (204, APP, "POST")


def test_rules_begin_no_header_of_their_own(wire, s3):
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["a\r\nset-cookie: b"]}]
    s3.put_bucket_cors(Bucket="web", CORSConfiguration={"CORSRules": rules})
    reply = ask(wire, method="GET")
    assert reply.status == 200
    assert "set-cookie" not in reply.headers
    assert "set-cookie" in told(reply)["expose-headers"]


def test_another_backend_is_asked_for_its_rules_alone(counted):
    wire = Wire(counted.server)
    rules = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    document = f"<CORSConfiguration><CORSRule>{rules}</CORSRule></CORSConfiguration>".encode()
    before = counted.backend.received
    assert ask(wire, "/cors-bkt/k", origin=None).status == 400
    assert counted.backend.received == before
    counted.backend.answers.append(answer(document))
    assert told(ask(wire, "/cors-bkt/k", method="GET"))["allow-origin"] == "*"
    assert counted.backend.last[0].startswith(b"GET /cors-bkt?cors ")
    counted.backend.answers.append(answer(b"", "500 Internal Server Error"))
    assert ask(wire, "/cors-bkt/k", method="GET").status == 503
    wire.close()


def test_a_refusal_says_which_pages_may_see_it(cloud, wire, s3):
    """S3 API Reference, PutBucketCors: the rules are evaluated for each cross-origin request, whatever comes of it."""
    nobody = cloud.user("nobody")
    reply = wire.send("s3", "GET", "/web/k", [("origin", APP)], credentials=nobody)
    assert (reply.status, told(reply)) == (403, {"allow-origin": APP, **BY_FIRST})
    assert b"AccessDenied" in reply.body
    reply = wire.send_unsigned("PUT", "/web/k", [("host", "localhost"), ("origin", APP)], b"no")
    assert (reply.status, told(reply)) == (403, {"allow-origin": APP, **BY_FIRST})
    reply = wire.send("s3", "GET", "/web/none", [("origin", APP)])
    assert (reply.status, told(reply)["allow-origin"]) == (404, APP)
    reply = wire.send("s3", "HEAD", "/web/k", [("origin", APP)], credentials=nobody)
    assert (reply.status, told(reply)) == (403, {})


def test_a_refusal_of_what_no_rule_allows_says_nothing(cloud, wire, s3):
    nobody = cloud.user("nobody")
    for method, origin in (("PUT", "https://other"), ("DELETE", APP)):
        reply = wire.send("s3", method, "/web/k", [("origin", origin)], credentials=nobody)
        assert (reply.status, told(reply)) == (403, {})
    assert told(wire.send("s3", "GET", "/web/k", credentials=nobody)) == {}
    assert told(wire.send("s3", "GET", "/none/k", [("origin", APP)], credentials=nobody)) == {}
    s3.delete_bucket_cors(Bucket="web")
    assert told(wire.send("s3", "GET", "/web/k", [("origin", APP)], credentials=nobody)) == {}


def test_the_method_that_is_asked_for_decides_by_which_rule_an_answer_is(wire, s3):
    """What s3-tests expects of S3, and what LocalStack's tests recorded of it in March 2025."""
    reply = wire.send("s3", "GET", "/web/k", [("origin", "https://other"), ("access-control-request-method", "PUT")])
    assert (reply.status, told(reply)) == (200, {})
    given = [("host", "localhost"), ("origin", "https://other"), ("access-control-request-method", "GET")]
    reply = wire.send_unsigned("PUT", "/web/k", given, b"")
    assert (reply.status, told(reply)["allow-origin"]) == (403, "*")


@pytest.fixture
def point(cloud, s3):
    """The alias of an access point of the bucket, and its host."""
    made = cloud.client("s3control").create_access_point(AccountId=ACCOUNT, Name="pages", Bucket="web")
    return made["Alias"], f"pages-{ACCOUNT}.s3-accesspoint.us-east-1.amazonaws.com"


def test_the_rules_of_the_bucket_hold_for_its_access_points(cloud, wire, s3, point):
    alias, host = point
    nobody, expected = cloud.user("nobody"), {"allow-origin": APP, **BY_FIRST}
    for target, given in ((f"/{alias}/k", {}), ("/k", {"host": host})):
        reply = wire.send("s3", "GET", target, [("origin", APP)], **given)
        assert (reply.status, reply.body, told(reply)) == (200, b"hello", expected)
        reply = wire.send("s3", "GET", target, [("origin", APP)], credentials=nobody, **given)
        assert (reply.status, told(reply)) == (403, expected)
        reply = ask(wire, target, **given)
        assert (reply.status, told(reply)) == (200, expected)
        assert refused(ask(wire, target, origin="https://other", **given)) == forbidden("PUT", "OBJECT")
    assert ask(wire, "/k", host=host.replace("pages", "none")).status == 404


def test_an_access_point_of_another_region_is_asked_by_its_host(cloud, wire):
    far = cloud.client("s3", region="eu-west-1")
    far.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    far.put_bucket_cors(Bucket="far", CORSConfiguration={"CORSRules": RULES})
    control = cloud.client("s3control", region="eu-west-1")
    control.create_access_point(AccountId=ACCOUNT, Name="pages", Bucket="far")
    reply = ask(wire, "/k", host=f"pages-{ACCOUNT}.s3-accesspoint.eu-west-1.amazonaws.com")
    assert (reply.status, told(reply)) == (200, {"allow-origin": APP, **BY_FIRST})
