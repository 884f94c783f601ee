"""Who may use the routes of HTTP APIs: callers who sign, holders of tokens, and those whom a function lets in.

AWS: API Gateway Developer Guide, "Control access to HTTP APIs with IAM authorization" (http-api-access-control-iam),
"... with JWT authorizers" (http-api-jwt-authorizer), "... with AWS Lambda authorizers" (http-api-lambda-authorizer).
"""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from functions.apis import APIGATEWAY, DEEP, ECHO, FN, Api, events
from functions.conftest import LAMBDA, Functions, code
from functions.test_urls import ask
from gateway.test_organizations import Organization
from issuer import Issuer, jwk, rsa_key
from running import ACCOUNT, AWS, REGION, Credentials, Server, allow, deny
from services.iamd.test_workloads import trust

FORBIDDEN = {"message": "Forbidden"}
UNAUTHORIZED = {"message": "Unauthorized"}
BROKEN = {"message": "Internal Server Error"}
INVOKE = "execute-api:Invoke"
HEADER = ["$request.header.Authorization"]
GUARD = f"{FN[:-2]}guard"


@pytest.fixture
def signed(cloud, functions):
    """An API with routes that ask for signatures."""
    functions.make(ECHO)
    api = Api(cloud)
    integration = api.integration()
    for key in ("GET /orders/{id}", "POST /orders", "$default"):
        api.route(key, integration, AuthorizationType="AWS_IAM")
    api.stage()
    api.permit()
    return api


def test_callers_may_invoke_what_their_policies_say(cloud, signed):
    orders = f"{signed.arn}/$default/GET/orders/"
    for name, statements, statuses in (
        ("all", [allow(INVOKE, f"{signed.arn}/*")], (200, 200, 200)),
        ("get", [allow(INVOKE, f"{signed.arn}/*/GET/orders/*")], (200, 403, 403)),
        ("one", [allow(INVOKE, f"{orders}1")], (200, 403, 403)),
        ("two", [allow(INVOKE, f"{orders}2")], (403, 403, 403)),
        ("rest", [allow(INVOKE, "*"), deny(INVOKE, f"{orders}1")], (403, 200, 200)),
        ("stage", [allow(INVOKE, f"{signed.arn}/dev/*")], (403, 403, 403)),
        ("lambda", [allow("lambda:*", "*")], (403, 403, 403)),
    ):
        user = cloud.user(name, *statements)
        asked = (("/orders/1", "GET"), ("/orders", "POST"), ("/other", "GET"))
        assert tuple(signed.ask(*one, credentials=user).status for one in asked) == statuses, name
    told = signed.ask("/orders/1", credentials=user)
    assert (told.value, told.headers["x-amzn-errortype"]) == (FORBIDDEN, None)
    explained = cloud.explain(told.headers["apigw-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "AccessDenied")
    [event, *_] = events(cloud, "execute-api.amazonaws.com")
    assert event["errorMessage"] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/lambda is not authorized to perform: execute-api:Invoke on resource: "
        f"{orders}1 because no identity-based policy allows the execute-api:Invoke action"
    )


def test_a_path_is_decided_as_it_is_routed(cloud, signed):
    """Neither an encoded letter nor an encoded slash leads past a policy."""
    denied = cloud.user("denied", allow(INVOKE, "*"), deny(INVOKE, f"{signed.arn}/*/GET/orders/1"))
    assert [signed.ask(f"/orders/{one}", credentials=denied).status for one in ("1", "%31", "2")] == [403, 403, 200]
    within = cloud.user("within", allow(INVOKE, f"{signed.arn}/*/GET/other/a/*"))
    assert [signed.ask(f"/other/{one}", credentials=within).status for one in ("a/b", "a%2Fb")] == [200, 403]


def test_a_signature_is_of_one_path(cloud, signed):
    """Signers leave dots and empty parts out of a path: what was signed for one API would be good for another one."""
    another = Api(cloud)
    another.route("$default", AuthorizationType="AWS_IAM")
    another.stage()
    below, administrator = f"{cloud.endpoint}/_iamd/execute-api", cloud.server.administrator
    for path in (
        f"{another.id}/../{signed.id}/orders/1", f"{another.id}/./../{signed.id}/orders/1", f"{signed.id}//orders/1",
        f"{signed.id}/x/../orders/1", f"{signed.id}/orders/./1",
    ):  # fmt: skip
        told = ask(f"{below}/{path}", credentials=administrator, service="execute-api")
        assert (told.status, told.value) == (403, FORBIDDEN), path
        assert cloud.explain(told.headers["apigw-requestid"])["ErrorCode"] == "InvalidSignatureException"
    assert signed.ask("/orders/1/", credentials=administrator).status == 200


def test_who_does_not_sign_as_the_api_asks_is_refused(cloud, signed):
    administrator = cloud.server.administrator
    wrong = Credentials(administrator.access_key_id, "wrong" * 8)
    url = f"{signed.url}/orders/1"
    for told in (
        ask(url),
        ask(url, credentials=wrong, service="execute-api"),
        ask(url, credentials=administrator, service="lambda"),
        ask(url, credentials=administrator, service="execute-api", region="eu-west-1"),
    ):
        assert (told.status, told.value) == (403, FORBIDDEN)
    assert ask(url, credentials=administrator, service="execute-api").status == 200
    unknown = Credentials("AKIAIOSFODNN7EXAMPLE", "x" * 40)
    told = ask(url, credentials=unknown, service="execute-api")
    assert (told.status, told.value) == (403, FORBIDDEN)
    assert cloud.explain(told.headers["apigw-requestid"])["ErrorCode"] == "UnrecognizedClientException"


def test_the_function_is_told_who_has_signed(cloud, signed):
    user = cloud.user("ann", allow(INVOKE, "*"))
    ann = cloud.client("iam").get_user(UserName="ann")["User"]
    context = signed.ask("/orders/1", credentials=user).value["requestContext"]
    told = cloud.explain(context["requestId"])
    assert [(one["Action"], one["Resource"]) for one in told["Decisions"]] == [
        (INVOKE, f"{signed.arn}/$default/GET/orders/1")
    ]
    assert context["authorizer"] == {
        "iam": {
            "accessKey": user.access_key_id, "accountId": ACCOUNT, "callerId": ann["UserId"], "cognitoIdentity": None,
            "principalOrgId": None, "userArn": ann["Arn"], "userId": ann["UserId"],
        }
    }  # fmt: skip


def test_another_account_is_let_in_by_nothing(cloud, signed, other):
    """HTTP APIs have no resource policies, and so nobody of another account is let in."""
    assert signed.ask("/orders/1", credentials=other).status == 403


def test_a_service_control_policy_binds_the_caller(cloud):
    organization = Organization(cloud)
    account, member = organization.member("dev")
    api = Api(cloud, member)
    api.route("$default", AuthorizationType="AWS_IAM")
    api.stage()
    # Who is let in finds that there is no function.
    assert (api.ask(credentials=member).status, api.ask(credentials=cloud.server.administrator).status) == (500, 403)
    organization.attach(account, deny(INVOKE, "*"))
    assert api.ask(credentials=member).status == 403


def test_a_boundary_and_a_session_policy_bind_the_caller(cloud, signed):
    user, iam = cloud.user("ann", allow("*", "*")), cloud.client("iam")
    assert signed.ask("/orders/1", credentials=user).status == 200
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*", "*")]})
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=boundary)
    assert signed.ask("/orders/1", credentials=user).status == 403
    iam.delete_user_permissions_boundary(UserName="ann")
    given = cloud.client("sts", user).get_federation_token(Name="bob", Policy=document)["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert signed.ask("/orders/1", credentials=session).status == 403


def test_format_one_of_the_event_tells_who_has_signed(cloud, functions):
    functions.make(
        "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    )
    api = Api(cloud)
    api.route("$default", api.integration(PayloadFormatVersion="1.0"), AuthorizationType="AWS_IAM")
    api.stage()
    api.permit()
    user = cloud.user("ann", allow(INVOKE, "*"))
    context = api.ask(credentials=user).value["requestContext"]
    assert (context["identity"]["accessKey"], context["identity"]["userArn"]) == (
        user.access_key_id, f"arn:aws:iam::{ACCOUNT}:user/ann",
    )  # fmt: skip
    assert "authorizer" not in context


@pytest.fixture
def issuer():
    """An issuer of tokens."""
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def tokens(cloud, functions, issuer):
    """An API with routes that ask for tokens of the issuer, with and without a scope."""
    functions.make(ECHO)
    api = Api(cloud)
    configuration = {"Issuer": issuer.url, "Audience": ["orders", "carts"]}
    authorizer = api.authorizer(AuthorizerType="JWT", IdentitySource=HEADER, JwtConfiguration=configuration)
    given = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    api.route("GET /plain", **given)
    api.route("GET /read", AuthorizationScopes=["read", "all"], **given)
    api.stage()
    api.permit()
    return api


def test_a_token_lets_in_and_the_function_is_told_its_claims(tokens, issuer):
    token = issuer.token(aud="orders", admin=True, groups=["a", "b"], scope="read write")
    for given in (token, f"Bearer {token}", f"bearer {token}"):
        told = tokens.ask("/plain", authorization=given)
        assert told.status == 200
    proven = told.value["requestContext"]["authorizer"]["jwt"]
    claims = proven["claims"]
    assert (claims["sub"], claims["admin"], claims["groups"]) == ("repo:octo/app", "true", "[a b]")
    assert (claims["exp"].isdigit(), proven["scopes"]) == (True, None)
    proven = tokens.ask("/read", authorization=token).value["requestContext"]["authorizer"]["jwt"]
    assert proven["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": "carts"}, 200),
        ({"aud": ["x", "carts"]}, 200),
        ({"aud": None, "client_id": "orders"}, 200),
        ({"aud": "x", "client_id": "orders"}, 401),
        ({"aud": "x"}, 401),
        ({"aud": None}, 401),
        ({"iss": "http://127.0.0.1:9"}, 401),
        ({"exp": int(time.time()) - 1}, 401),
        ({"exp": None}, 401),
        ({"nbf": int(time.time()) + 10**6}, 401),
        ({"iat": int(time.time()) + 10**6}, 401),
    ],
)
def test_what_a_token_must_say(tokens, issuer, claims, status):
    told = tokens.ask("/plain", authorization=issuer.token(**{"aud": "orders"} | claims))
    assert told.status == status
    if status == 401:
        assert told.value == UNAUTHORIZED
        assert told.headers["www-authenticate"].startswith('Bearer scope="" error="invalid_token" error_description="')


def test_a_token_has_one_of_the_scopes(tokens, issuer):
    for given, status in (
        ({"scope": "read"}, 200), ({"scope": "x all"}, 200), ({"scp": ["read"]}, 200), ({"scope": "reading"}, 403),
        ({}, 403), ({"scope": ""}, 403),
    ):  # fmt: skip
        told = tokens.ask("/read", authorization=issuer.token(aud="orders", **given))
        assert told.status == status, given
    assert told.value == FORBIDDEN
    assert 'error="insufficient_scope"' in told.headers["www-authenticate"]


def test_a_scope_begins_no_header_of_its_own(tokens, issuer):
    [route] = [one for one in tokens.client.get_routes(ApiId=tokens.id)["Items"] if one["RouteKey"] == "GET /read"]
    tokens.client.update_route(ApiId=tokens.id, RouteId=route["RouteId"], AuthorizationScopes=["a\r\nx-evil: 1"])
    told = tokens.ask("/read", authorization=issuer.token(aud="orders"))
    assert (told.status, told.headers["x-evil"]) == (403, None)
    assert told.headers["www-authenticate"].startswith('Bearer scope="a??x-evil: 1"')


def test_what_is_no_token_of_the_issuers_proves_nothing(cloud, tokens, issuer):
    assert (tokens.ask("/plain").status, tokens.ask("/plain").headers["www-authenticate"]) == (401, "Bearer")
    unnamed = tokens.ask("/plain", authorization=jwt.encode(issuer.claims(aud="orders"), issuer.key, "RS256"))
    assert (unnamed.status, unnamed.value) == (401, UNAUTHORIZED)
    elliptic = ec.generate_private_key(ec.SECP256R1())
    issuer.keys.append(jwk(elliptic, "curve"))
    for token in (
        "nonsense",
        issuer.token(aud="orders", key=rsa_key()),
        issuer.token(aud="orders", headers={"kid": "second"}),
        issuer.token(aud="orders", key=elliptic, algorithm="ES256", headers={"kid": "curve"}),
    ):
        told = tokens.ask("/plain", authorization=token)
        assert (told.status, told.value) == (401, UNAUTHORIZED)
    explained = cloud.explain(told.headers["apigw-requestid"])
    assert (explained["EventName"], explained["ErrorCode"]) == ("Invoke", "Unauthorized")


def test_an_issuer_that_can_not_be_reached_proves_nothing(tokens, issuer):
    nowhere = "http://127.0.0.1:9"
    configuration = {"Issuer": nowhere, "Audience": ["orders"]}
    authorizer = tokens.authorizer(AuthorizerType="JWT", IdentitySource=HEADER, JwtConfiguration=configuration)
    tokens.route("GET /nowhere", AuthorizationType="JWT", AuthorizerId=authorizer)
    told = tokens.ask("/nowhere", authorization=issuer.token(aud="orders", iss=nowhere))
    assert (told.status, told.value) == (401, UNAUTHORIZED)


def test_tokens_may_be_in_the_query(cloud, functions, issuer):
    functions.make(
        "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    )
    api = Api(cloud)
    configuration = {"Issuer": issuer.url, "Audience": ["orders"]}
    source = ["$request.querystring.token"]
    authorizer = api.authorizer(AuthorizerType="JWT", IdentitySource=source, JwtConfiguration=configuration)
    integration = api.integration(PayloadFormatVersion="1.0")
    api.route("$default", integration, AuthorizationType="JWT", AuthorizerId=authorizer)
    api.stage()
    api.permit()
    token = issuer.token(aud="orders")
    authorizer = api.ask(f"/?token={token}").value["requestContext"]["authorizer"]
    assert (authorizer["claims"]["aud"], authorizer["scopes"]) == ("orders", None)
    assert api.ask("/", authorization=token).status == 401


@pytest.fixture
def signed_in(cloud):
    """`signed_in(name)` makes a user pool, and gives its issuer, its client and the tokens of a user."""

    def make(name):
        client = cloud.client("cognito-idp")
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
        return f"https://cognito-idp.{REGION}.amazonaws.com/{pool}", app, told["IdToken"], told["AccessToken"]

    return make


def by_tokens(cloud, configuration):
    """An API whose only route takes tokens, and the id of its authorizer."""
    api = Api(cloud)
    authorizer = api.authorizer(AuthorizerType="JWT", IdentitySource=HEADER, JwtConfiguration=configuration)
    api.route("$default", AuthorizationType="JWT", AuthorizerId=authorizer)
    api.stage()
    api.permit()
    return api, authorizer


def test_users_of_a_user_pool_are_let_in_by_their_tokens(cloud, functions, signed_in):
    functions.make(ECHO)
    issuer, app, id_token, access_token = signed_in("one")
    _, _, others, _ = signed_in("two")
    configuration = {"Issuer": issuer, "Audience": [app]}
    api, authorizer = by_tokens(cloud, configuration)
    told = api.ask(authorization=f"Bearer {id_token}").value["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (told["cognito:username"], told["iss"], told["aud"]) == ("ann", issuer, app)
    told = api.ask(authorization=access_token).value["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (told["client_id"], told["token_use"]) == (app, "access")
    assert api.ask(authorization=others).status == 401
    api.client.update_authorizer(
        ApiId=api.id, AuthorizerId=authorizer, JwtConfiguration=configuration | {"Audience": ["another"]}
    )
    assert [api.ask(authorization=token).status for token in (id_token, access_token)] == [401, 401]


def test_a_user_pool_makes_no_token_of_another_one(cloud, functions, signed_in, other):
    """Whatever the attributes of its users are called, and in whichever account it is."""
    functions.make(ECHO)
    issuer, app, _, _ = signed_in("one")
    configuration = {"Issuer": issuer, "Audience": [app]}
    api, _ = by_tokens(cloud, configuration)
    claims = {"iss": issuer, "aud": app, "client_id": app, "token_use": "access", "cognito:groups": "admins"}
    client = cloud.client("cognito-idp", other)
    schema = [{"Name": name, "AttributeDataType": "String", "Mutable": True} for name in claims]
    pool = client.create_user_pool(PoolName="theirs", Schema=schema)["UserPool"]["Id"]
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = client.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows, ReadAttributes=list(claims)
    )
    own = made["UserPoolClient"]["ClientId"]
    attributes = [{"Name": name, "Value": value} for name, value in claims.items()]
    client.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS", UserAttributes=attributes)
    client.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Secret-12345", Permanent=True)
    told = client.admin_initiate_auth(
        UserPoolId=pool, ClientId=own, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": "Secret-12345"},
    )["AuthenticationResult"]  # fmt: skip
    assert [api.ask(authorization=told[kind]).status for kind in ("IdToken", "AccessToken")] == [401, 401]
    said = jwt.decode(told["IdToken"], options={"verify_signature": False})
    assert (said["iss"].rpartition("/")[2], said["aud"], said["token_use"]) == (pool, own, "id")
    assert "cognito:groups" not in said


GUARDING = """import json
def handler(event, context):
    if event['headers']['authorization'] == 'event':
        return {'isAuthorized': True, 'context': {'event': event, 'asked': context.aws_request_id}}
    return json.loads(event['headers']['authorization'])
"""


@pytest.fixture
def guarded(cloud, functions):
    """`guarded(**authorizer)` is an API whose routes a function guards, which says what it is told to say."""

    def make(permit=True, **given):
        functions.make(GUARDING, "guard")
        functions.make(ECHO)
        api = Api(cloud)
        whole = {
            "AuthorizerType": "REQUEST", "AuthorizerPayloadFormatVersion": "2.0", "IdentitySource": HEADER,
            "AuthorizerUri": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{GUARD}/invocations",
        }  # fmt: skip
        api.guard = api.authorizer(**whole | given)
        for key in ("GET /a/{id}", "GET /b"):
            api.route(key, AuthorizationType="CUSTOM", AuthorizerId=api.guard)
        api.stage()
        api.permit()
        if permit:
            api.permit(f"authorizers/{api.guard}", "guard")
        return api

    return make


def says(api, answer, path="/a/1"):
    """The answer when the guard says this."""
    return api.ask(path, authorization=answer if isinstance(answer, str) else json.dumps(answer))


def policy(resource, effect="Allow", action=INVOKE):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}


def test_a_guard_answers_yes_or_no(guarded):
    api = guarded(EnableSimpleResponses=True)
    told = says(api, {"isAuthorized": True, "context": {"who": "ann", "n": [1]}})
    assert told.value["requestContext"]["authorizer"] == {"lambda": {"who": "ann", "n": [1]}}
    told = says(api, {"isAuthorized": True})
    assert told.value["requestContext"]["authorizer"] == {"lambda": None}
    no = says(api, {"isAuthorized": False})
    assert (no.status, no.value) == (403, FORBIDDEN)
    for answer in ({}, {"isAuthorized": "true"}, {"isAuthorized": 1}, [], {"policyDocument": policy("*")}):
        told = says(api, answer)
        assert (told.status, told.value) == (500, BROKEN), answer
    # A function that fails lets nobody in.
    assert says(api, "no json").status == 500
    missing = api.ask("/a/1")
    assert (missing.status, missing.value) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_guard_answers_with_a_policy(guarded, version):
    api = guarded(AuthorizerPayloadFormatVersion=version)
    one = f"{api.arn}/$default/GET/a/1"
    for document, statuses in (
        (policy(one), (200, 403)),
        (policy(f"{api.arn}/*"), (200, 200)),
        (policy(one, "Deny"), (403, 403)),
        (policy(one, action="s3:*"), (403, 403)),
    ):
        answer = {"principalId": "ann", "policyDocument": document, "context": {"who": "ann"}}
        assert tuple(says(api, answer, path).status for path in ("/a/1", "/b")) == statuses, document
    answer["policyDocument"] = policy(one)
    assert says(api, answer).value["requestContext"]["authorizer"] == {"lambda": {"who": "ann"}}
    for broken in ({"isAuthorized": True}, {**answer, "policyDocument": "x"}, {"policyDocument": policy("*")}):
        assert says(api, broken).status == 500
    for document in ({"Statement": "x"}, {"Version": "2012-10-17", "Statement": []}):
        assert says(api, {**answer, "policyDocument": document}).status == 500


def test_format_one_of_the_event_tells_what_a_guard_has_said(guarded, functions):
    api = guarded()
    functions.cloud.client("lambda").update_function_code(
        FunctionName="fn",
        ZipFile=code(
            "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
        ),
    )
    first = api.integration(PayloadFormatVersion="1.0")
    api.route("GET /one", first, AuthorizationType="CUSTOM", AuthorizerId=api.guard)
    answer = {"principalId": "ann", "policyDocument": policy("*"), "context": {"who": "x", "iam": {"userArn": "root"}}}
    context = says(api, answer, "/one").value["requestContext"]
    assert context["authorizer"] == {"principalId": "ann", "who": "x", "iam": {"userArn": "root"}}
    assert context["identity"]["userArn"] is None


def test_what_a_guard_is_asked(guarded):
    api = guarded(EnableSimpleResponses=True, IdentitySource=[*HEADER, "$request.querystring.Q", "$context.routeKey"])
    told = api.ask("/a/1?Q=7", authorization="event").value["requestContext"]["authorizer"]["lambda"]["event"]
    assert (told["version"], told["type"]) == ("2.0", "REQUEST")
    assert told["routeArn"] == f"{api.arn}/$default/GET/a/1"
    assert told["identitySource"] == ["event", "7", "GET /a/{id}"]
    assert (told["pathParameters"], told["routeKey"], "body" in told) == ({"id": "1"}, "GET /a/{id}", False)
    # Names in the query are told apart by their capitals.
    assert api.ask("/a/1?q=7", authorization="event").status == 401


def test_what_a_guard_of_format_one_is_asked(cloud, functions, guarded):
    api = guarded(AuthorizerPayloadFormatVersion="1.0")
    source = (
        "import json\ndef handler(event, context):\n    statement = {'Effect': 'Allow', 'Action': 'execute-api:Invoke',"
        " 'Resource': event['methodArn']}\n    document = {'Version': '2012-10-17', 'Statement': [statement]}\n"
        "    return {'principalId': 'ann', 'policyDocument': document, 'context': {'event': json.dumps(event)}}\n"
    )
    cloud.client("lambda").update_function_code(FunctionName="guard", ZipFile=code(source))
    told = api.ask("/a/1?x=1", authorization="key").value["requestContext"]["authorizer"]["lambda"]
    event = json.loads(told["event"])
    assert (event["version"], event["type"], event["methodArn"]) == ("1.0", "REQUEST", f"{api.arn}/$default/GET/a/1")
    assert (event["identitySource"], event["authorizationToken"]) == ("key", "key")
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/a/{id}", "/a/1", {"id": "1"})
    assert "body" not in event


def test_a_guard_s_policy_lets_api_gateway_in(cloud, functions, guarded):
    api = guarded(permit=False, EnableSimpleResponses=True)
    yes = {"isAuthorized": True}
    assert (says(api, yes).status, says(api, yes).value) == (500, BROKEN)
    for source, status in (("*/GET/*", 500), ("authorizers/other", 500), (f"authorizers/{api.guard}", 200)):
        api.permit(source, "guard")
        assert says(api, yes).status == status, source
        cloud.client("lambda").remove_permission(FunctionName="guard", StatementId="api")
    role = cloud.client("iam").create_role(RoleName="asker", AssumeRolePolicyDocument=trust(APIGATEWAY))["Role"]["Arn"]
    api.client.update_authorizer(ApiId=api.id, AuthorizerId=api.guard, AuthorizerCredentialsArn=role)
    assert says(api, yes).status == 500
    functions.permit(allow("lambda:InvokeFunction", GUARD), role="asker")
    assert says(api, yes).status == 200


def test_a_guard_that_can_not_be_asked_lets_nobody_in(cloud, guarded):
    api = guarded(EnableSimpleResponses=True)
    assert says(api, {"isAuthorized": True}).status == 200
    cloud.client("lambda").put_function_concurrency(FunctionName="guard", ReservedConcurrentExecutions=0)
    told = says(api, {"isAuthorized": True})
    assert (told.status, told.value) == (500, BROKEN)


def test_what_a_guard_has_said_holds_as_long_as_its_authorizer_says(cloud, guarded):
    api = guarded(EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=60)

    def asked(path="/a/1"):
        return api.ask(path, authorization="event").value["requestContext"]["authorizer"]["lambda"]["asked"]

    first = asked()
    assert (asked(), asked("/b")) == (first, first)
    cloud.advance(61)
    second = asked()
    assert second != first
    # An authorizer that has been changed is another one.
    api.client.update_authorizer(ApiId=api.id, AuthorizerId=api.guard, AuthorizerResultTtlInSeconds=0)
    third = asked()
    assert third != second
    assert asked() != third


def test_what_another_guard_has_said_is_not_used(cloud, functions, guarded):
    """Also when a variable of the stage names the guard."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{GUARD}${{stageVariables.one}}/invocations"
    api = guarded(EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=60, AuthorizerUri=uri)
    functions.make("def handler(event, context):\n    return {'isAuthorized': False}\n", "guardtwo")
    api.permit(f"authorizers/{api.guard}", "guardtwo")
    statuses = []
    for one in ("", "two"):
        api.client.delete_stage(ApiId=api.id, StageName="$default")
        api.stage(StageVariables={"one": one})
        statuses.append(says(api, {"isAuthorized": True}).status)
    assert statuses == [200, 403]


@pytest.mark.parametrize("is_simple", [True, False])
def test_an_answer_of_a_guard_that_is_nested_too_deeply_is_none(cloud, functions, guarded, is_simple):
    api = guarded(EnableSimpleResponses=is_simple)
    answer = {"isAuthorized": True, "principalId": "ann", "policyDocument": policy("*")}
    source = DEEP.format(answer=f"{{**{answer!r}, 'context': {{'deep': deep}}}}")
    cloud.client("lambda").update_function_code(FunctionName="guard", ZipFile=code(source))
    told = says(api, "any")
    assert (told.status, told.value) == (500, BROKEN)
    assert cloud.explain(told.headers["apigw-requestid"])["ErrorCode"] == "InternalServerError"


def test_a_policy_that_is_kept_is_decided_for_each_route(guarded):
    api = guarded(AuthorizerResultTtlInSeconds=60)
    answer = {"principalId": "ann", "policyDocument": policy(f"{api.arn}/$default/GET/a/1")}
    assert [says(api, answer, path).status for path in ("/a/1", "/b", "/a/2", "/a/1")] == [200, 403, 403, 200]


def test_a_route_without_its_authorizer_lets_nobody_in(cloud, guarded):
    api = guarded(EnableSimpleResponses=True)
    assert says(api, {"isAuthorized": True}).status == 200
    api.client.delete_authorizer(ApiId=api.id, AuthorizerId=api.guard)
    assert says(api, {"isAuthorized": True}).status == 500


@pytest.fixture(scope="module")
def soft_server(tmp_path_factory):
    """An iamd that lets pass what it would deny."""
    server = Server(tmp_path_factory.mktemp("soft") / "data", "--backend", "moto", "--dev", "--enforce", "soft")
    yield server
    assert server.stop() == 0


def test_in_soft_mode_who_would_be_denied_is_let_in(soft_server):
    with AWS(soft_server).reset() as cloud:
        cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
        Functions(cloud).make(ECHO)
        api = Api(cloud)
        api.route("ANY /any", AuthorizationType="AWS_IAM")
        api.stage()
        told = api.ask("/any", credentials=cloud.user("nobody"))
        assert told.status == 200
        [event, *_] = events(cloud, "execute-api.amazonaws.com")
        assert "is not authorized to perform: execute-api:Invoke" in event["additionalEventData"]["iamdWouldDeny"]
        # Who does not sign is nobody there either.
        assert api.ask("/any").status == 403


def test_where_no_functions_run_nothing_is_served(tmp_path):
    server = Server(tmp_path / "data", "--backend", "moto", "--dev", "--functions", "off")
    told = Api(AWS(server)).ask()
    assert server.stop() == 0
    assert told.status == 404
    assert "nothing is at" in told.value["message"]


def test_without_a_backend_nothing_is_served(aws):
    told = ask(f"{aws.endpoint}/_iamd/execute-api/abc/")
    assert told.status == 404
    assert "nothing is at" in told.value["message"]
