"""Who may use the methods of REST APIs: resource policies, callers who sign, tokens, Lambda authorizers, API keys.

AWS: API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow"
(apigateway-authorization-flow), "Use API Gateway Lambda authorizers" (apigateway-use-lambda-authorizer), "Integrate a REST
API with an Amazon Cognito user pool" (apigateway-enable-cognito-user-pool), "Choose an API key source"
(api-gateway-api-key-source).
"""

import http.client
import json
import time
from urllib.parse import urlsplit

import jwt
import pytest
from botocore.exceptions import ClientError
from functions.apis import APIGATEWAY, FN, events
from functions.conftest import Functions, code
from functions.rest import ECHO, FORBIDDEN, MISSING, UNAUTHORIZED, Rest, says, simple, uri
from functions.test_urls import ask
from gateway.test_organizations import Organization
from gateway.two_accounts import OTHER
from running import ACCOUNT, AWS, REGION, Credentials, Server, allow, deny
from services.iamd.test_workloads import trust

INVOKE = "execute-api:Invoke"
GUARD = f"{FN[:-2]}guard"
NULL = {"message": None}
HERE = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}}
AWAY = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
DENIED = {"message": "User is not authorized to access this resource"}


def words(api, user, path, end):
    """What is said to whom policies do not let in: but for its last digits the account is hidden."""
    hidden = api.arn.replace(ACCOUNT, f"********{ACCOUNT[-4:]}")
    return {"Message": f"User: {user} is not authorized to perform: {INVOKE} on resource: {hidden}/dev/{path} {end}"}


def test_a_resource_policy_alone_must_allow(cloud, functions):
    """Evaluation "involves seeking an explicit allow": neither is a denial."""
    api = simple(cloud, functions)
    assert api.ask("/dev/a").status == 200
    whole = f"{api.arn}/*"
    for statements, status in (
        ([says("*")], 200),
        ([says({"AWS": "*"}, resource=whole)], 200),
        ([says("*", **HERE)], 200),
        ([says("*", **AWAY)], 403),
        ([says("*"), says("*", "Deny", **HERE)], 403),
        ([says("*"), says("*", "Deny", **AWAY)], 200),
        ([says("*", "Deny", **AWAY)], 403),
        ([says("*", resource="execute-api:/dev/GET/a")], 200),
        ([says("*", resource="execute-api:/dev/GET/b")], 403),
        ([says("*", resource="execute-api:/v1/*")], 403),
        ([says("*", resource="execute-api:/dev/POST/*")], 403),
        ([says("*", resource=f"{api.arn}/")], 403),
        ([says("*", NotResource=["execute-api:/dev/GET/b"]) | {"Resource": None}], 200),
        ([says({"AWS": ACCOUNT})], 403),
        ([says({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], 403),
    ):
        plain = [{name: value for name, value in one.items() if value is not None} for one in statements]
        api.set_policy(*plain)
        assert api.ask("/dev/a").status == status, statements
    told = api.ask("/dev/a")
    end = f"because no resource-based policy allows the {INVOKE} action"
    assert (told.value, told.headers["x-amzn-errortype"]) == (
        words(api, "anonymous", "GET/a", end), "AccessDeniedException",
    )  # fmt: skip
    explained = cloud.explain(told.headers["x-amzn-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "AccessDenied")
    assert explained["ErrorMessage"].startswith(
        f"User: anonymous is not authorized to perform: {INVOKE} on resource: {api.arn}"
    )
    # Whom nobody knows signs in vain: the method asks for no signature.
    assert api.ask("/dev/a", credentials=cloud.server.administrator).status == 403
    api.set_policy(says("*"), says("*", "Deny"))
    end = "with an explicit deny in a resource-based policy"
    assert api.ask("/dev/a").value == words(api, "anonymous", "GET/a", end)
    api.set_policy()
    assert api.ask("/dev/a").status == 200


def test_a_resource_policy_counts_from_the_next_deployment_on(cloud, functions):
    api = simple(cloud, functions)
    api.patch("/policy", json.dumps({"Version": "2012-10-17", "Statement": [says("*", "Deny")]}))
    assert api.ask("/dev/a").status == 200
    api.deploy("v1")
    assert [api.ask(path).status for path in ("/dev/a", "/v1/a")] == [200, 403]
    made = json.dumps({"Version": "2012-10-17", "Statement": [says("*", "Deny")]})
    cloud.client("lambda").delete_function(FunctionName="fn")
    assert simple(cloud, functions, policy=made).ask("/dev/a").status == 403


def test_a_path_is_decided_in_every_spelling(cloud, functions):
    api = simple(cloud, functions)
    api.set_policy(says("*"), says("*", "Deny", resource="execute-api:/dev/GET/secret/1"))
    for path, status in (
        ("secret/1", 403), ("secret/%31", 403), ("secret/1/", 403), ("secret%2F1", 403), ("secret%2f1/", 403),
        ("secret/2", 200),
    ):  # fmt: skip
        assert api.ask(f"/dev/{path}").status == status, path
    api.set_policy(says("*", resource="execute-api:/dev/GET/a/*"))
    for path, status in (("a/b", 200), ("a%2Fb", 403), ("b", 403)):
        assert api.ask(f"/dev/{path}").status == status, path


TWICE = """{"Version": "2012-10-17", "Statement":
    {"Effect": "Deny", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"""


def test_what_is_no_policy_is_refused_when_it_is_set(cloud):
    invalid = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
    api = Rest(cloud)
    for text in (
        "{", "[]", json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [says({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"})]}),
        json.dumps({"Version": "2012-10-17", "Statement": [says({"AWS": "999999999999"})]}),
        json.dumps({"Version": "2012-10-17", "Statement": [says({"AWS": "arn:aws:iam::*:role/x"})]}),
        TWICE,
    ):  # fmt: skip
        for ask_for in (
            lambda text=text: api.patch("/policy", text),
            lambda text=text: api.client.create_rest_api(name="x", policy=text),
        ):
            with pytest.raises(ClientError) as caught:
                ask_for()
            told = caught.value.response["Error"]
            assert (told["Code"], told["Message"]) == ("BadRequestException", invalid), text
    assert api.client.get_rest_api(restApiId=api.id).get("policy") is None


@pytest.fixture
def signed(cloud, functions):
    """An API with methods that ask for signatures."""
    functions.make(ECHO)
    api = Rest(cloud)
    for key in ("GET /orders/{id}", "POST /orders", "ANY /{proxy+}"):
        api.method(key, authorizationType="AWS_IAM")
    api.deploy()
    api.permit()
    return api


def test_callers_may_invoke_what_their_policies_say(cloud, signed):
    orders = f"{signed.arn}/dev/GET/orders/"
    for name, statements, statuses in (
        ("all", [allow(INVOKE, f"{signed.arn}/*")], (200, 200, 200)),
        ("get", [allow(INVOKE, f"{signed.arn}/*/GET/orders/*")], (200, 403, 403)),
        ("one", [allow(INVOKE, f"{orders}1")], (200, 403, 403)),
        ("two", [allow(INVOKE, f"{orders}2")], (403, 403, 403)),
        ("rest", [allow(INVOKE, "*"), deny(INVOKE, f"{orders}1")], (403, 200, 200)),
        ("stage", [allow(INVOKE, f"{signed.arn}/v1/*")], (403, 403, 403)),
        ("lambda", [allow("lambda:*", "*")], (403, 403, 403)),
    ):
        user = cloud.user(name, *statements)
        asked = (("/dev/orders/1", "GET"), ("/dev/orders", "POST"), ("/dev/other", "GET"))
        assert tuple(signed.ask(*one, credentials=user).status for one in asked) == statuses, name
    told = signed.ask("/dev/orders/1", credentials=user)
    end = f"because no identity-based policy allows the {INVOKE} action"
    assert told.value == words(signed, f"arn:aws:iam::{ACCOUNT}:user/lambda", "GET/orders/1", end)
    [event, *_] = events(cloud, "execute-api.amazonaws.com")
    assert (event["errorCode"], event["userIdentity"]["userName"]) == ("AccessDenied", "lambda")


@pytest.mark.parametrize(
    ("identity", "resource", "own", "others"),
    [
        ("Allow", "Allow", 200, 200),
        ("Allow", None, 200, 403),
        ("Allow", "Deny", 403, 403),
        (None, "Allow", 200, 403),
        (None, None, 403, 403),
        (None, "Deny", 403, 403),
        ("Deny", "Allow", 403, 403),
        ("Deny", None, 403, 403),
        ("Deny", "Deny", 403, 403),
    ],
)
def test_tables_a_and_b_of_callers_who_sign(cloud, signed, other, identity, resource, own, others):
    """Table A of callers of the API's own account, table B of those of another one."""
    statements = {None: [], "Allow": [allow(INVOKE, "*")], "Deny": [allow(INVOKE, "*"), deny(INVOKE, "*")]}[identity]
    user = cloud.user("ann", *statements)
    theirs = their_user(cloud, other, statements)
    # "Neither" is a policy that is there and says nothing of the request.
    signed.set_policy(says("*", resource="execute-api:/v9/*"), *([says("*", resource)] if resource else []))
    for caller, status in ((user, own), (theirs, others)):
        assert signed.ask("/dev/orders/1", credentials=caller).status == status
    assert signed.ask("/dev/orders/1").value == MISSING


def their_user(cloud, other, statements):
    """The credentials of a user of another account with a policy of these statements."""
    iam = cloud.client("iam", other)
    iam.create_user(UserName="bob")
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def test_another_account_is_let_in_by_both_accounts(cloud, signed, other):
    theirs = their_user(cloud, other, [allow(INVOKE, "*")])
    assert signed.ask("/dev/orders/1", credentials=theirs).status == 403
    for principal, status in (
        ({"AWS": OTHER}, 200), ({"AWS": f"arn:aws:iam::{OTHER}:user/bob"}, 200), ({"AWS": ACCOUNT}, 403),
    ):  # fmt: skip
        signed.set_policy(says(principal))
        assert signed.ask("/dev/orders/1", credentials=theirs).status == status, principal
    assert signed.ask("/dev/orders/1", credentials=cloud.user("ann")).status == 403


def test_a_policy_means_who_had_the_name_when_it_was_set(cloud, signed):
    """AWS: the ARN of a user or role becomes its unique id, and a later namesake gains nothing."""
    ann, iam = cloud.user("ann"), cloud.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    signed.set_policy(says({"AWS": arn}))
    assert signed.ask("/dev/orders/1", credentials=ann).status == 200
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    iam.delete_user(UserName="ann")
    again = cloud.user("ann")
    assert signed.ask("/dev/orders/1", credentials=again).status == 403
    signed.deploy()
    assert signed.ask("/dev/orders/1", credentials=again).status == 403
    signed.set_policy(says({"AWS": arn}))
    assert signed.ask("/dev/orders/1", credentials=again).status == 200
    # What is denied to who is no more is denied to no namesake.
    signed.set_policy(says("*"), says({"AWS": arn}, "Deny"))
    assert signed.ask("/dev/orders/1", credentials=again).status == 403


def test_who_does_not_sign_as_the_api_asks_is_refused(cloud, signed):
    administrator = cloud.server.administrator
    url = f"{signed.url}/dev/orders/1"
    wrong, unknown = (
        Credentials(administrator.access_key_id, "wrong" * 8),
        Credentials("AKIAIOSFODNN7EXAMPLE", "x" * 40),
    )
    for told, kind in (
        (ask(url), "MissingAuthenticationTokenException"),
        (ask(url, credentials=wrong, service="execute-api"), "InvalidSignatureException"),
        (ask(url, credentials=administrator, service="lambda"), "InvalidSignatureException"),
        (ask(url, credentials=administrator, service="execute-api", region="eu-west-1"), "InvalidSignatureException"),
        (ask(url, credentials=unknown, service="execute-api"), "UnrecognizedClientException"),
    ):
        assert (told.status, told.headers["x-amzn-errortype"]) == (403, kind)
        assert "message" in told.value
    assert ask(url, credentials=administrator, service="execute-api").status == 200


def test_a_signature_is_of_one_path(cloud, signed):
    another = Rest(cloud)
    below, administrator = f"{cloud.endpoint}/_iamd/execute-api", cloud.server.administrator
    for path, status in (
        (f"{another.id}/../{signed.id}/dev/orders/1", 403), (f"{signed.id}/dev//orders/1", 403),
        (f"{signed.id}/v1/../dev/orders/1", 403), (f"{signed.id}/dev/x/../orders/1", 403),
    ):  # fmt: skip
        assert ask(f"{below}/{path}", credentials=administrator, service="execute-api").status == status, path


def test_the_function_is_told_who_has_signed(cloud, signed):
    user = cloud.user("ann", allow(INVOKE, "*"))
    ann = cloud.client("iam").get_user(UserName="ann")["User"]
    context = signed.ask("/dev/orders/1", credentials=user).value["requestContext"]
    identity = context["identity"]
    assert (identity["accessKey"], identity["userArn"], identity["caller"], identity["user"]) == (
        user.access_key_id, ann["Arn"], ann["UserId"], ann["UserId"],
    )  # fmt: skip
    assert "authorizer" not in context
    told = cloud.explain(context["requestId"])
    assert [(one["Action"], one["Resource"]) for one in told["Decisions"]] == [
        (INVOKE, f"{signed.arn}/dev/GET/orders/1")
    ]


def test_a_function_is_invoked_by_the_callers_own_permissions(cloud, functions):
    """AWS: `arn:aws:iam::*:user/*` passes the caller's identity through; SAM writes it for `Authorizer: AWS_IAM`."""
    functions.make(ECHO)
    api = Rest(cloud)
    own = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(), "credentials": "arn:aws:iam::*:user/*"}
    api.method("GET /", integration=own, authorizationType="AWS_IAM")
    api.method("GET /open", integration=own)
    api.deploy()
    api.permit()
    for name, statements, status in (
        ("neither", [], 403),
        ("asks", [allow(INVOKE, "*")], 500),
        ("both", [allow(INVOKE, "*"), allow("lambda:InvokeFunction", FN)], 200),
    ):
        user = cloud.user(name, *statements)
        assert api.ask(credentials=user).status == status, name
    assert (api.ask("/dev/open", credentials=user).status, api.ask("/dev/open").status) == (500, 500)
    with pytest.raises(ClientError):
        api.method("GET /other", integration={**own, "credentials": f"arn:aws:iam::{OTHER}:role/x"})


def test_in_soft_mode_who_signs_is_let_in_and_nobody_else(tmp_path):
    server = Server(tmp_path / "data", "--backend", "moto", "--dev", "--enforce", "soft")
    cloud = AWS(server)
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    api = simple(cloud, Functions(cloud))
    api.method("GET /signed", authorizationType="AWS_IAM")
    api.set_policy(says("*", "Deny"))
    nobody = cloud.user("nobody")
    told = [api.ask("/dev/signed", credentials=nobody).status, api.ask("/dev/signed").status, api.ask("/dev/x").status]
    recorded = [event.get("additionalEventData") for event in events(cloud, "execute-api.amazonaws.com")]
    assert server.stop() == 0
    assert told == [200, 403, 403]
    [would] = [one["iamdWouldDeny"] for one in recorded if one and "iamdWouldDeny" in one]
    assert f"is not authorized to perform: {INVOKE}" in would


def test_an_organization_binds_the_caller(cloud):
    organization = Organization(cloud)
    account, member = organization.member("dev")
    api = Rest(cloud, member, account=account)
    api.method("GET /", authorizationType="AWS_IAM")
    api.deploy()
    # Who is let in finds that there is no function.
    assert (api.ask(credentials=member).status, api.ask(credentials=cloud.server.administrator).status) == (500, 403)
    organization.attach(account, deny(INVOKE, "*"))
    assert api.ask(credentials=member).status == 403


GUARDING = """import json
def handler(event, context):
    said = event.get('authorizationToken') or event['headers'].get('Authorization') or event['headers']['authorization']
    if said == 'fail':
        raise Exception('Unauthorized')
    if said.startswith('event'):
        statement = {'Effect': 'Allow', 'Action': '*', 'Resource': '*'}
        document = {'Version': '2012-10-17', 'Statement': [statement]}
        told = {'event': json.dumps(event), 'asked': context.aws_request_id}
        return {'principalId': 'ann', 'policyDocument': document, 'context': told}
    return json.loads(said)
"""


@pytest.fixture
def guarded(cloud, functions):
    """`guarded(**authorizer)` is an API whose methods a function guards, which says what it is told to say."""

    def make(permit=True, **given):
        functions.make(GUARDING, "guard")
        functions.make(ECHO)
        api = Rest(cloud)
        whole = {
            "type": "TOKEN", "identitySource": "method.request.header.Authorization", "authorizerUri": uri(GUARD),
            "authorizerResultTtlInSeconds": 0,
        }  # fmt: skip
        api.guard = api.authorizer(**whole | given)
        for key in ("GET /a/{id}", "GET /b", "POST /b"):
            api.method(key, authorizationType="CUSTOM", authorizerId=api.guard)
        api.deploy()
        api.permit()
        if permit:
            api.permit(f"authorizers/{api.guard}", "guard")
        return api

    return make


def policy(resource="*", effect="Allow", action=INVOKE, **more):
    """What a guard says."""
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


def guard_says(api, answer, path="/dev/a/1", method="GET"):
    """The answer when the guard says this."""
    said = answer if isinstance(answer, str) else json.dumps(answer)
    return api.ask(path, method, authorization=said)


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_a_guard_answers_with_a_policy(cloud, guarded, kind):
    api = guarded(type=kind)
    one = f"{api.arn}/dev/GET/a/1"
    for answer, statuses in (
        (policy(one), (200, 403)),
        (policy(f"{api.arn}/*"), (200, 200)),
        (policy(f"{api.arn}/dev/GET/b"), (403, 200)),
        (policy(one, "Deny"), (403, 403)),
        (policy(action="s3:*"), (403, 403)),
    ):
        assert tuple(guard_says(api, answer, path).status for path in ("/dev/a/1", "/dev/b")) == statuses, answer
    told = guard_says(api, policy(f"{api.arn}/v1/*"))
    assert (told.status, told.value, told.headers["x-amzn-errortype"]) == (
        403, {"Message": DENIED["message"]}, "AccessDeniedException",
    )  # fmt: skip
    told = guard_says(api, policy(one, "Deny"))
    end = " with an explicit deny in an identity-based policy"
    assert told.value == {"Message": f"{DENIED['message']}{end}"}
    context = {"who": "ann", "n": 7, "yes": True, "principalId": "other"}
    told = guard_says(api, policy(context=context)).value["requestContext"]["authorizer"]
    assert told == {"who": "ann", "n": "7", "yes": "true", "principalId": "ann"}


def test_a_guard_that_says_nothing_that_counts_lets_nobody_in(cloud, guarded):
    api = guarded()
    for broken in (
        {"isAuthorized": True}, {"principalId": "ann"}, policy() | {"policyDocument": "x"}, [], None,
        policy() | {"principalId": 1}, policy(context={"a": [1]}), policy(context={"a": {"b": 1}}),
        policy(context={"a": None}), policy() | {"policyDocument": {"Statement": "x"}},
        policy() | {"policyDocument": {"Version": "2012-10-17", "Statement": []}}, "no json",
    ):  # fmt: skip
        told = guard_says(api, broken)
        assert (told.status, told.value) == (500, NULL), broken
        assert told.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    told = guard_says(api, "fail")
    assert (told.status, told.value, told.headers["x-amzn-errortype"]) == (401, UNAUTHORIZED, "UnauthorizedException")
    explained = cloud.explain(told.headers["x-amzn-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "Unauthorized")
    cloud.client("lambda").put_function_concurrency(FunctionName="guard", ReservedConcurrentExecutions=0)
    assert (guard_says(api, policy()).status, guard_says(api, policy()).value) == (500, NULL)


def test_a_token_is_one_that_fits(guarded):
    api = guarded(identitySource="method.request.header.X-Token", identityValidationExpression="event-[a-z]+")
    for headers, status in (
        ({"X_Token": "event-ab"}, 200),
        ({"x_token": "event-ab"}, 200),
        ({}, 401),
        ({"X_Token": ""}, 401),
        ({"X_Token": "event-12"}, 401),
        ({"X_Token": "event-ab1"}, 401),
        ({"X_Token": "an event-ab"}, 401),
        ({"Authorization": "event-ab"}, 401),
    ):
        told = api.ask("/dev/a/1", **headers)
        assert told.status == status, headers
    assert told.value == UNAUTHORIZED


def status_with(api, path, name, values):
    """The status of an answer to a request that has a header once with each of some values."""
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("GET", f"{parts.path}{path}")
    for value in values:
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_of_two_tokens_none_counts(guarded):
    """The authorizer would be asked about one, and the function behind it might take the other."""
    api = guarded()
    for tokens, status in ((["event"], 200), (["event", "evil"], 401), (["evil", "event"], 401)):
        assert status_with(api, "/dev/a/1", "Authorization", tokens) == status, tokens


def test_the_cookies_of_iamd_are_no_identity(guarded):
    """Whoever has them is signed in at its pages."""
    api = guarded(type="REQUEST", identitySource="method.request.header.Cookie", authorizerResultTtlInSeconds=60)
    for cookie, status in (("iamd-session=secret", 401), ("iamd-session=secret; own=1", 200), ("own=1", 200)):
        assert api.ask("/dev/a/1", authorization="event", cookie=cookie).status == status, cookie
    told = api.ask("/dev/a/1", authorization="event", cookie="own=1; iamd-session=secret")
    assert b"secret" not in told.body


def test_what_a_guard_of_tokens_is_asked(guarded):
    api = guarded()
    told = guard_says(api, "event").value["requestContext"]["authorizer"]
    assert json.loads(told["event"]) == {
        "type": "TOKEN", "authorizationToken": "event", "methodArn": f"{api.arn}/dev/GET/a/1",
    }  # fmt: skip


def test_what_a_guard_of_requests_is_asked(guarded):
    sources = "method.request.header.Authorization, method.request.querystring.Q, stageVariables.v, context.httpMethod"
    api = guarded(type="REQUEST", identitySource=sources, authorizerResultTtlInSeconds=300)
    api.deploy(variables={"v": "1"})
    event = json.loads(guard_says(api, "event", "/dev/a/1?Q=7").value["requestContext"]["authorizer"]["event"])
    assert (event["type"], event["methodArn"]) == ("REQUEST", f"{api.arn}/dev/GET/a/1")
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/a/{id}", "/a/1", {"id": "1"})
    assert (event["queryStringParameters"], event["stageVariables"], "body" in event) == ({"Q": "7"}, {"v": "1"}, False)
    # Names in the query are told apart by their capitals.
    for path in ("/dev/a/1", "/dev/a/1?q=7", "/dev/a/1?Q="):
        assert (guard_says(api, "event", path).status, guard_says(api, "event", path).value) == (401, UNAUTHORIZED)


def test_without_keeping_nothing_is_looked_at_beforehand(guarded):
    api = guarded(type="REQUEST", identitySource="method.request.querystring.Q", authorizerResultTtlInSeconds=0)
    assert guard_says(api, "event").status == 200


def test_what_a_guard_has_said_holds_for_all_methods_as_long_as_its_authorizer_says(cloud, guarded):
    """A policy is kept, and evaluated for each request: what it does not say of another method is not allowed there."""
    api = guarded(authorizerResultTtlInSeconds=60)

    def asked(path="/dev/a/1", method="GET", token="event"):
        return api.ask(path, method, authorization=token).value["requestContext"]["authorizer"]["asked"]

    first = asked()
    assert asked("/dev/a/2") == asked("/dev/b") == asked("/dev/b", "POST") == first
    assert asked(token="event2") != first
    api.deploy("v1")
    assert asked("/v1/b") != first
    answer = json.dumps(policy(f"{api.arn}/dev/GET/b"))
    for path, method, status in (("/dev/b", "GET", 200), ("/dev/b", "POST", 403), ("/dev/a/1", "GET", 403)):
        assert guard_says(api, answer, path, method).status == status
    cloud.advance(61)
    second = asked()
    assert second != first
    api.client.update_authorizer(
        restApiId=api.id,
        authorizerId=api.guard,
        patchOperations=[{"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "59"}],
    )
    assert asked() == second
    api.deploy()
    assert asked() != second


def test_what_is_kept_is_of_the_function_that_the_stage_names(cloud, functions, guarded):
    functions.make(GUARDING.replace("'ann'", "'bob'"), "other")
    named = uri(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:${{stageVariables.guard}}")
    api = guarded(authorizerUri=named, authorizerResultTtlInSeconds=60)
    api.permit(f"authorizers/{api.guard}", "other")
    for name, principal in (("guard", "ann"), ("other", "bob"), ("guard", "ann")):
        api.client.update_stage(
            restApiId=api.id,
            stageName="dev",
            patchOperations=[{"op": "replace", "path": "/variables/guard", "value": name}],
        )
        told = guard_says(api, "event").value["requestContext"]["authorizer"]
        assert told["principalId"] == principal


def test_nothing_is_kept_for_requests_that_are_not_told_apart(guarded):
    api = guarded(type="REQUEST", identitySource="", authorizerResultTtlInSeconds=60)
    assert guard_says(api, policy()).status == 200
    assert guard_says(api, policy(effect="Deny")).status == 403


def test_what_is_kept_is_kept_for_each_value_by_itself(guarded):
    sources = "method.request.header.Authorization,method.request.querystring.q"
    api = guarded(type="REQUEST", identitySource=sources, authorizerResultTtlInSeconds=60)

    def asked(query, token="event"):
        told = guard_says(api, token, f"/dev/a/1?{query}").value
        return told["requestContext"]["authorizer"]["asked"]

    first = asked("q=a")
    assert asked("q=a&x=1") == first
    every = [
        first,
        asked("q=b"),
        asked("q=a&q=b"),
        asked("q=a,b"),
        asked("q=a%2Cb", "event2"),
        asked("q=event", "event"),
    ]
    assert len(set(every)) == len(every)


def test_a_guard_s_policy_lets_api_gateway_in(cloud, functions, guarded):
    api = guarded(permit=False)
    assert (guard_says(api, policy()).status, guard_says(api, policy()).value) == (500, NULL)
    for source, status in (("*/GET/*", 500), ("authorizers/other", 500), (f"authorizers/{api.guard}", 200)):
        api.permit(source, "guard")
        assert guard_says(api, policy()).status == status, source
        cloud.client("lambda").remove_permission(FunctionName="guard", StatementId="api")
    role = cloud.client("iam").create_role(RoleName="asker", AssumeRolePolicyDocument=trust(APIGATEWAY))["Role"]["Arn"]
    api.client.update_authorizer(
        restApiId=api.id,
        authorizerId=api.guard,
        patchOperations=[{"op": "replace", "path": "/authorizerCredentials", "value": role}],
    )
    api.deploy()
    assert guard_says(api, policy()).status == 500
    functions.permit(allow("lambda:InvokeFunction", GUARD), role="asker")
    assert guard_says(api, policy()).status == 200


@pytest.mark.parametrize(
    ("guard", "resource", "status"),
    [
        ("Allow", "Allow", 200),
        ("Allow", None, 200),
        ("Allow", "Deny", 403),
        (None, "Allow", 200),
        (None, None, 403),
        (None, "Deny", 403),
        ("Deny", "Allow", 403),
        ("Deny", None, 403),
        ("Deny", "Deny", 403),
    ],
)
def test_table_a_of_a_guard(cloud, guarded, guard, resource, status):
    api = guarded()
    api.set_policy(says("*", resource="execute-api:/v9/*"), *([says("*", resource)] if resource else []))
    answer = policy(f"{api.arn}/v9/*") if guard is None else policy(effect=guard)
    assert guard_says(api, answer).status == status


def test_a_guard_s_policy_is_of_every_spelling(guarded):
    api = guarded()
    statements = [
        {"Effect": "Allow", "Action": INVOKE, "Resource": "*"},
        {"Effect": "Deny", "Action": INVOKE, "Resource": f"{api.arn}/dev/GET/a/1"},
    ]
    answer = {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": statements}}
    for path, status in (("a/2", 200), ("a/1", 403), ("a/%31", 403), ("%61/1", 403), ("a/1/", 403)):
        assert guard_says(api, answer, f"/dev/{path}").status == status, path
    for spelling in ("b%2F*", "b/*"):
        assert guard_says(api, policy(f"{api.arn}/dev/GET/a/{spelling}"), "/dev/a/b%2Fc").status == 403
    assert guard_says(api, policy(f"{api.arn}/dev/GET/a/*"), "/dev/a/b%2Fc").status == 200


def test_what_the_policy_denies_is_denied_before_a_guard_is_asked(cloud, guarded):
    api = guarded()
    api.set_policy(says("*"), says("*", "Deny", resource="execute-api:/dev/GET/a/*"))
    before = len(events(cloud, "lambda.amazonaws.com"))
    told = guard_says(api, policy())
    assert told.value == words(api, "anonymous", "GET/a/1", "with an explicit deny in a resource-based policy")
    assert len(events(cloud, "lambda.amazonaws.com")) == before
    assert guard_says(api, policy(), "/dev/b").status == 200


def test_table_b_of_a_guard_of_another_account(cloud, functions, other):
    """Both must allow, where the API has a policy; without one the guard alone decides, as in its own account."""
    theirs, iam = cloud.client("lambda", other), cloud.client("iam", other)
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    guard = theirs.create_function(
        FunctionName="guard", Runtime="python3.12", Handler="app.handler", Role=role, Code={"ZipFile": code(GUARDING)}
    )["FunctionArn"]
    functions.make(ECHO)
    api = Rest(cloud)
    authorizer = api.authorizer(
        type="TOKEN", identitySource="method.request.header.Authorization", authorizerUri=uri(guard),
        authorizerResultTtlInSeconds=0,
    )  # fmt: skip
    api.method("GET /", authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    api.permit()
    assert guard_says(api, policy(), "/dev").status == 500
    theirs.add_permission(
        FunctionName="guard", StatementId="api", Action="lambda:InvokeFunction", Principal=APIGATEWAY,
        SourceArn=f"{api.arn}/authorizers/{authorizer}",
    )  # fmt: skip
    assert guard_says(api, policy(), "/dev").status == 200
    for statements, answer, status in (
        ([says("*")], policy(), 200),
        ([says("*")], policy(f"{api.arn}/v9/*"), 403),
        ([says("*", resource="execute-api:/v9/*")], policy(), 403),
        ([says("*"), says("*", "Deny")], policy(), 403),
    ):
        api.set_policy(*statements)
        assert guard_says(api, answer, "/dev").status == status


def test_an_authorizer_is_changed_as_asked_or_not_at_all(cloud):
    api = Rest(cloud)
    own = api.authorizer(type="TOKEN", authorizerUri=uri(GUARD), identitySource="method.request.header.A")
    pools = [f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_{name}" for name in "ab"]

    def changed(*steps):
        operations = [dict(zip(("op", "path", "value"), step, strict=False)) for step in steps]
        return api.client.update_authorizer(restApiId=api.id, authorizerId=own, patchOperations=operations)

    name = ("replace", "/name", "new")
    for wrong in (
        ("replace", "/authorizerUriOfMine", "x"), ("replace", "/a/name", "x"), ("remove", "/authorizerCredentials"),
        ("add", "/name", "x"), ("replace", "/providerARNs", "x"), ("replace", "/authorizerResultTtlInSeconds", "3601"),
        ("replace", "/authorizerResultTtlInSeconds", "-1"), ("replace", "/authorizerResultTtlInSeconds", "x"),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            changed(name, wrong)
        assert caught.value.response["Error"]["Code"] == "BadRequestException", wrong
    assert api.client.get_authorizer(restApiId=api.id, authorizerId=own)["name"] == "own"
    told = changed(name, *(("add", "/providerARNs", one) for one in pools), ("remove", "/providerARNs", pools[0]))
    assert (told["name"], told["providerARNs"]) == ("new", pools[1:])
    for seconds in (-1, 3601):
        with pytest.raises(ClientError) as caught:
            api.authorizer(type="TOKEN", authorizerUri=uri(GUARD), authorizerResultTtlInSeconds=seconds)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert len(api.client.get_authorizers(restApiId=api.id)["items"]) == 1


def test_a_method_needs_an_authorizer_that_there_is(cloud):
    api = Rest(cloud)
    for given in (
        {"authorizationType": "CUSTOM"}, {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "nothing"},
        {"authorizationType": "OTHER"},
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            api.method("GET /", **given)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert "resourceMethods" not in api.client.get_resource(restApiId=api.id, resourceId=api.resources["/"])
    authorizer = api.authorizer(type="TOKEN", identitySource="method.request.header.A", authorizerUri=uri(GUARD))
    api.method("GET /", authorizationType="CUSTOM", authorizerId=authorizer)
    api.client.delete_authorizer(restApiId=api.id, authorizerId=authorizer)
    api.deploy()
    assert (api.ask().status, api.ask().value) == (500, NULL)


@pytest.fixture
def signed_in(cloud):
    """`signed_in(name)` makes a user pool, and gives its ARN, its client and the tokens of a user."""

    def make(name, credentials=None, account=ACCOUNT):
        client = cloud.client("cognito-idp", credentials)
        pool = client.create_user_pool(PoolName=name)["UserPool"]["Id"]
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = client.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
        app = made["UserPoolClient"]["ClientId"]
        client.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
        client.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Secret-12345", Permanent=True)
        told = client.admin_initiate_auth(
            UserPoolId=pool, ClientId=app, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": "Secret-12345"},
        )["AuthenticationResult"]  # fmt: skip
        arn = f"arn:aws:cognito-idp:{REGION}:{account}:userpool/{pool}"
        return arn, app, told["IdToken"], told["AccessToken"]

    return make


def of_pools(cloud, functions, *pools, scopes=(), **given):
    """An API whose method takes tokens of these user pools."""
    functions.make(ECHO)
    api = Rest(cloud)
    whole = {"type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization"}
    authorizer = api.authorizer(**whole, providerARNs=list(pools), **given)
    given = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer}
    api.method("GET /id", **given)
    api.method("GET /scoped", authorizationScopes=list(scopes or ["aws.cognito.signin.user.admin", "other"]), **given)
    api.deploy()
    api.permit()
    return api


def test_id_tokens_and_access_tokens_with_scopes(cloud, functions, signed_in):
    pool, app, id_token, access_token = signed_in("one")
    _, _, others, _ = signed_in("two")
    api = of_pools(cloud, functions, pool)
    for token in (id_token, f"Bearer {id_token}"):
        told = api.ask("/dev/id", authorization=token)
        assert told.status == 200
    claims = told.value["requestContext"]["authorizer"]["claims"]
    assert (claims["cognito:username"], claims["aud"], claims["token_use"]) == ("ann", app, "id")
    issued = jwt.decode(id_token, options={"verify_signature": False})["iat"]
    assert claims["iat"] == time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(issued))
    # The other kind of token is for the other kind of method.
    assert api.ask("/dev/id", authorization=access_token).status == 401
    assert api.ask("/dev/scoped", authorization=id_token).status == 401
    assert api.ask("/dev/scoped", authorization=access_token).status == 200
    for given in ({}, {"authorization": "nonsense"}, {"authorization": others}, {"authorization": ""}):
        told = api.ask("/dev/id", **given)
        assert (told.status, told.value) == (401, UNAUTHORIZED)
        assert told.headers["x-amzn-errortype"] == "UnauthorizedException"
    explained = cloud.explain(told.headers["x-amzn-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "Unauthorized")


def test_a_token_without_one_of_the_scopes_is_refused(cloud, functions, signed_in):
    pool, _, _, access_token = signed_in("one")
    api = of_pools(cloud, functions, pool, scopes=["orders/read"])
    told = api.ask("/dev/scoped", authorization=access_token)
    assert (told.status, told.value) == (401, UNAUTHORIZED)


def test_a_token_is_of_one_of_the_pools_and_for_a_client_that_fits(cloud, functions, signed_in, other):
    one, app, id_token, _ = signed_in("one")
    theirs, _, their_token, _ = signed_in("theirs", other, OTHER)
    api = of_pools(cloud, functions, one, theirs, identityValidationExpression=app)
    assert [api.ask("/dev/id", authorization=token).status for token in (id_token, their_token)] == [200, 401]
    cloud.client("lambda").delete_function(FunctionName="fn")
    api = of_pools(cloud, functions, one, theirs)
    assert [api.ask("/dev/id", authorization=token).status for token in (id_token, their_token)] == [200, 200]


def test_a_token_that_was_changed_or_has_ended_proves_nothing(cloud, functions, signed_in):
    pool, _, id_token, _ = signed_in("one")
    api = of_pools(cloud, functions, pool)
    head, body, signature = id_token.split(".")
    for token in (f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}"):
        assert api.ask("/dev/id", authorization=token).status == 401
    claims = jwt.decode(id_token, options={"verify_signature": False})
    forged = jwt.encode(claims, "secret" * 8, "HS256", {"kid": jwt.get_unverified_header(id_token)["kid"]})
    assert api.ask("/dev/id", authorization=forged).status == 401


@pytest.mark.parametrize(("resource", "status"), [("Allow", 200), (None, 403), ("Deny", 403)])
def test_a_policy_must_allow_besides_a_token(cloud, functions, signed_in, resource, status):
    """ "The resource policy is evaluated independently, and an explicit allow is required." """
    pool, _, id_token, _ = signed_in("one")
    api = of_pools(cloud, functions, pool)
    api.set_policy(says("*", resource="execute-api:/v9/*"), *([says("*", resource)] if resource else []))
    assert api.ask("/dev/id", authorization=id_token).status == status
    # Who is not known yet is not told what the policy says.
    assert api.ask("/dev/id").status == 401


def keyed(cloud, functions, **given):
    """An API whose method asks for an API key, and the value of one in its usage plan."""
    functions.make(ECHO)
    api = Rest(cloud, **given)
    api.method("GET /", apiKeyRequired=True)
    api.method("GET /open")
    api.deploy()
    api.permit()
    client = api.client
    plan = client.create_usage_plan(name="p", apiStages=[{"apiId": api.id, "stage": "dev"}])["id"]
    key = client.create_api_key(name="k", enabled=True)
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return api, plan, key


def test_a_method_asks_for_an_api_key(cloud, functions):
    api, plan, key = keyed(cloud, functions)
    told = api.ask(x_api_key=key["value"])
    identity = told.value["requestContext"]["identity"]
    assert (told.status, identity["apiKey"], identity["apiKeyId"]) == (200, key["value"], key["id"])
    assert api.ask("/dev/open").status == 200
    client = api.client
    outside = client.create_api_key(name="outside", enabled=True)
    for value in (None, "", "wrong", outside["value"], key["value"].lower() + "x", key["id"]):
        told = api.ask(**({} if value is None else {"x_api_key": value}))
        assert (told.status, told.value, told.headers["x-amzn-errortype"]) == (403, FORBIDDEN, "ForbiddenException")
    # A plan is of a stage, and a key may be switched off.
    api.deploy("v1")
    assert api.ask("/v1", x_api_key=key["value"]).status == 403
    for value, status in (("false", 403), ("true", 200)):
        client.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": value}])
        assert api.ask(x_api_key=key["value"]).status == status
    client.delete_usage_plan_key(usagePlanId=plan, keyId=key["id"])
    assert api.ask(x_api_key=key["value"]).status == 403


def test_of_two_api_keys_none_counts(cloud, functions):
    api, _, key = keyed(cloud, functions)
    for keys, status in (([key["value"]], 200), ([key["value"], "other"], 403), ([key["value"]] * 2, 403)):
        assert status_with(api, "/dev", "x-api-key", keys) == status


def test_an_api_key_is_of_its_own_api(cloud, functions):
    _, _, key = keyed(cloud, functions)
    cloud.client("lambda").delete_function(FunctionName="fn")
    other, _, _ = keyed(cloud, functions)
    assert other.ask(x_api_key=key["value"]).status == 403


def test_a_guard_may_give_the_api_key(cloud, functions, guarded):
    api = guarded()
    client = api.client
    api.method("GET /keyed", authorizationType="CUSTOM", authorizerId=api.guard, apiKeyRequired=True)
    api.method("GET /unguarded", apiKeyRequired=True)
    api.patch("/apiKeySource", "AUTHORIZER")
    api.deploy()
    plan = client.create_usage_plan(name="p", apiStages=[{"apiId": api.id, "stage": "dev"}])["id"]
    key = client.create_api_key(name="k", enabled=True)
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert guard_says(api, policy(usageIdentifierKey=key["value"]), "/dev/keyed").status == 200
    for answer in (policy(), policy(usageIdentifierKey="wrong")):
        told = api.ask("/dev/keyed", authorization=json.dumps(answer), x_api_key=key["value"])
        assert (told.status, told.value) == (403, FORBIDDEN)
    assert api.ask("/dev/unguarded", x_api_key=key["value"]).status == 403
