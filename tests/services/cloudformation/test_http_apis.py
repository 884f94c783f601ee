"""Stacks with HTTP APIs that are made of OpenAPI documents, as SAM writes them.

AWS: SAM Developer Guide, AWS::Serverless::HttpApi, HttpApi event source, HttpApiAuth; Template Reference,
AWS::ApiGatewayV2::Api.
"""

import json

import pytest
from functions.test_urls import ask
from running import ACCOUNT, allow, deny
from services.cloudformation.conftest import body, status_at_last

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/invoker"
SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Tags: {team: blue}
      CorsConfiguration: {AllowOrigins: ["https://a.example.com"], MaxAge: 5}
      DisableExecuteApiEndpoint: true
      FailOnWarnings: true
      Auth:
        EnableIamAuthorizer: true
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt:
            AuthorizationScopes: [read]
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {issuer: "https://issuer.example.com", audience: [orders]}
          Asked:
            FunctionArn: !GetAtt Function.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], QueryStrings: [q], ReauthorizeEvery: 30}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return 1"
      Events:
        Orders: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /orders, Method: get}}
        Open:
          Type: HttpApi
          Properties:
            {ApiId: !Ref Api, Path: "/open/{id}", Method: ANY, TimeoutInMillis: 500, PayloadFormatVersion: "1.0", Auth: {Authorizer: NONE}}
        Signed: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /signed, Method: post, Auth: {Authorizer: AWS_IAM}}}
        Asked: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /asked, Method: put, Auth: {Authorizer: Asked}}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
Outputs:
  Api: {Value: !Ref Api}
  Url: {Value: !GetAtt Api.ApiEndpoint}
  Function: {Value: !GetAtt Function.Arn}
"""


def document(**integration):
    given = {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://example.com", "payloadFormatVersion": "1.0"}
    methods = {"get": {"responses": {}, "x-amazon-apigateway-integration": {**given, **integration}}}
    return {"openapi": "3.0.1", "info": {"title": "orders", "version": "1"}, "paths": {"/a": methods}}


def api(**properties):
    return body(Api={"Type": "AWS::ApiGatewayV2::Api", "Properties": properties})


def routes(cloud, api_id):
    return {one["RouteKey"]: one for one in cloud.client("apigatewayv2").get_routes(ApiId=api_id)["Items"]}


def why(client, name="tour"):
    """Why resources of a stack failed."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(one["ResourceStatusReason"] for one in events if one["ResourceStatus"].endswith("_FAILED"))


@pytest.fixture
def client(cloud):
    return cloud.client("cloudformation")


def test_sam_makes_an_http_api_changes_its_routes_and_removes_it(cloud, client, ended):
    gateway = cloud.client("apigatewayv2")
    client.create_stack(StackName="tour", TemplateBody=SAM, Capabilities=CAPABILITIES)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [stack] = client.describe_stacks(StackName="tour")["Stacks"]
    made = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    found = gateway.get_api(ApiId=made["Api"])
    assert (found["Name"], found["ApiEndpoint"], found["DisableExecuteApiEndpoint"]) == ("tour", made["Url"], True)
    assert found["CorsConfiguration"] == {"AllowOrigins": ["https://a.example.com"], "MaxAge": 5}
    assert found["Tags"] == {"team": "blue", "httpapi:createdBy": "SAM"}
    told = routes(cloud, made["Api"])
    assert {key: (one["AuthorizationType"], one["AuthorizationScopes"]) for key, one in told.items()} == {
        "GET /orders": ("JWT", ["read"]), "ANY /open/{id}": ("NONE", []), "POST /signed": ("AWS_IAM", []),
        "PUT /asked": ("CUSTOM", []), "$default": ("JWT", ["read"]),
    }  # fmt: skip
    jwt = gateway.get_authorizer(ApiId=made["Api"], AuthorizerId=told["GET /orders"]["AuthorizerId"])
    assert jwt["JwtConfiguration"] == {"Issuer": "https://issuer.example.com", "Audience": ["orders"]}
    asked = gateway.get_authorizer(ApiId=made["Api"], AuthorizerId=told["PUT /asked"]["AuthorizerId"])
    assert made["Function"] in asked["AuthorizerUri"]
    assert asked["IdentitySource"] == ["$request.header.Authorization", "$request.querystring.q"]
    target = told["ANY /open/{id}"]["Target"].removeprefix("integrations/")
    integration = gateway.get_integration(ApiId=made["Api"], IntegrationId=target)
    assert made["Function"] in integration["IntegrationUri"]
    assert (integration["PayloadFormatVersion"], integration["TimeoutInMillis"]) == ("1.0", 500)
    assert [one["StageName"] for one in gateway.get_stages(ApiId=made["Api"])["Items"]] == ["$default"]
    changed = SAM.replace("Path: /signed, Method: post, Auth: {Authorizer: AWS_IAM}", "Path: /added, Method: patch")
    changed = changed.replace("Path: /orders, Method: get", "Path: /orders, Method: get, Auth: {Authorizer: NONE}")
    client.update_stack(StackName="tour", TemplateBody=changed, Capabilities=CAPABILITIES)
    assert ended("tour") == "UPDATE_COMPLETE", why(client)
    told = {key: one["AuthorizationType"] for key, one in routes(cloud, made["Api"]).items()}
    assert told == {
        "GET /orders": "NONE", "ANY /open/{id}": "NONE", "PATCH /added": "JWT", "PUT /asked": "CUSTOM", "$default": "JWT",
    }  # fmt: skip
    assert [one["StageName"] for one in gateway.get_stages(ApiId=made["Api"])["Items"]] == ["$default"]
    client.delete_stack(StackName="tour")
    client.get_waiter("stack_delete_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    assert gateway.get_apis()["Items"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []


SERVED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return [event['routeKey'], event.get('pathParameters')]"
      Events:
        One: {Type: HttpApi, Properties: {Path: "/orders/{id}", Method: get}}
        Put: {Type: HttpApi, Properties: {Path: /orders, Method: ANY, Auth: {Authorizer: AWS_IAM}}}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return 'other'"
      Events: {Rest: {Type: HttpApi}}
Outputs:
  Url: {Value: !Sub "${ServerlessHttpApi.ApiEndpoint}"}
"""


def test_what_sam_deploys_can_be_called(cloud, client, ended):
    template = SERVED.replace(
        "Resources:",
        "Globals: {HttpApi: {Auth: {EnableIamAuthorizer: true}, CorsConfiguration: true}}\nResources:",
    )
    client.create_stack(StackName="tour", TemplateBody=template, Capabilities=CAPABILITIES)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [stack] = client.describe_stacks(StackName="tour")["Stacks"]
    url = stack["Outputs"][0]["OutputValue"]
    assert url.startswith(f"{cloud.endpoint}/_iamd/execute-api/")
    assert ask(url, path="/orders/7").value == ["GET /orders/{id}", {"id": "7"}]
    assert ask(url, path="/elsewhere").body == b"other"
    assert ask(url, "PUT", "/orders").status == 403
    signed = ask(url, "PUT", "/orders", credentials=cloud.server.administrator, service="execute-api")
    assert signed.value == ["ANY /orders", None]
    assert ask(url, path="/orders/7", origin="https://a.example.com").headers["access-control-allow-origin"] == "*"


def of_api(kind, **properties):
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": {"Ref": "Api"}, **properties}}


def test_what_cdk_deploys_can_be_called(cloud, client, ended):
    """The permissions of CDK's HttpLambdaIntegration and HttpLambdaAuthorizer name the route's path as it is written."""
    source = "def handler(event, context): return {'isAuthorized': 'key' in event['headers'], **(event.get('pathParameters') or {})}"
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document_of_trust = {"Version": "2012-10-17", "Statement": [trusted]}
    arn, role = {"Fn::GetAtt": ["Function", "Arn"]}, {"Fn::GetAtt": ["Role", "Arn"]}
    within = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"
    permission = {"Action": "lambda:InvokeFunction", "FunctionName": arn, "Principal": "apigateway.amazonaws.com"}
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    template = body(
        outputs={"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}},
        Role={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document_of_trust}},
        Function={
            "Type": "AWS::Lambda::Function",
            "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "Role": role, "Code": {"ZipFile": source}},
        },
        Api={"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "books", "ProtocolType": "HTTP"}},
        Stage=of_api("Stage", StageName="$default", AutoDeploy=True),
        Integration=of_api(
            "Integration", IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        ),
        Authorizer=of_api(
            "Authorizer", Name="keys", AuthorizerType="REQUEST", AuthorizerPayloadFormatVersion="2.0",
            AuthorizerResultTtlInSeconds=300, AuthorizerUri={"Fn::Sub": uri}, EnableSimpleResponses=True,
            IdentitySource=["$request.header.User-Agent"],
        ),
        Route=of_api(
            "Route", RouteKey="GET /books/{id}", AuthorizationType="CUSTOM", AuthorizerId={"Ref": "Authorizer"},
            Target={"Fn::Sub": "integrations/${Integration}"},
        ),
        OfRoute={
            "Type": "AWS::Lambda::Permission",
            "Properties": {**permission, "SourceArn": {"Fn::Sub": f"{within}/*/*/books/{{id}}"}},
        },
        OfAuthorizer={
            "Type": "AWS::Lambda::Permission",
            "Properties": {**permission, "SourceArn": {"Fn::Sub": f"{within}/authorizers/${{Authorizer}}"}},
        },
    )  # fmt: skip
    client.create_stack(StackName="tour", TemplateBody=template, Capabilities=CAPABILITIES)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [stack] = client.describe_stacks(StackName="tour")["Stacks"]
    url = stack["Outputs"][0]["OutputValue"]
    assert ask(url, path="/books/7", user_agent="one", key="k").value == {"isAuthorized": True, "id": "7"}
    assert ask(url, path="/books/7", user_agent="two").status == 403
    assert ask(url, path="/books").status == 404


def test_an_update_that_fails_leaves_the_routes_as_they_were(cloud, client, ended):
    client.create_stack(StackName="tour", TemplateBody=api(Body=document()))
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    changed = json.loads(api(Body=document(httpMethod="POST")))
    changed["Resources"]["Group"] = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "a b"}, "DependsOn": "Api"}
    client.update_stack(StackName="tour", TemplateBody=json.dumps(changed), Capabilities=["CAPABILITY_NAMED_IAM"])
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    gateway = cloud.client("apigatewayv2")
    [made] = gateway.get_apis()["Items"]
    assert [one["IntegrationMethod"] for one in gateway.get_integrations(ApiId=made["ApiId"])["Items"]] == ["GET"]


def test_each_part_of_an_import_is_decided_as_the_caller(cloud, ended, client):
    """The role that an API gets is passed to it, and its document is read from S3, as whoever asks for the stack."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="documents")
    s3.put_object(Bucket="documents", Key="api.json", Body=json.dumps(document()))
    stored = api(BodyS3Location={"Bucket": "documents", "Key": "api.json"})
    with_role = api(Body=document(credentials=ROLE))
    plain = api(Body=document())
    stacks, gateway = allow("cloudformation:*"), allow("apigateway:*")
    cases = [
        ("import", plain, [stacks, allow("apigateway:POST")], "apigateway:PUT"),
        ("role", with_role, [stacks, gateway], f"iam:PassRole on resource: {ROLE}"),
        ("s3", stored, [stacks, gateway], "s3:GetObject"),
    ]
    for name, template, statements, words in cases:
        own = cloud.client("cloudformation", cloud.user(name, *statements))
        own.create_stack(StackName=name, TemplateBody=template)
        assert status_at_last(client, name) == "ROLLBACK_COMPLETE"
        assert words in why(client, name)
    assert cloud.client("apigatewayv2").get_apis()["Items"] == []
    passing = cloud.user("all", stacks, gateway, allow("iam:PassRole", ROLE), allow("s3:GetObject"))
    own = cloud.client("cloudformation", passing)
    for name, template in (("one", with_role), ("two", stored)):
        own.create_stack(StackName=name, TemplateBody=template)
        assert ended(name) == "CREATE_COMPLETE", why(client, name)
    limited = cloud.client("cloudformation", cloud.user("limited", stacks, gateway))
    limited.update_stack(StackName="one", TemplateBody=api(Body=document(credentials=f"{ROLE}2")))
    assert status_at_last(client, "one") == "UPDATE_ROLLBACK_FAILED"
    assert f"iam:PassRole on resource: {ROLE}2" in why(client, "one")


def test_an_import_is_decided_as_the_stack_s_role(cloud, client, ended):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document_of_trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document_of_trust)["Role"]["Arn"]

    def may(*statements):
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName="deploy", PolicyName="deploy", PolicyDocument=policy)

    template = api(Body=document(credentials=ROLE))
    may(allow("apigateway:*"))
    client.create_stack(StackName="denied", TemplateBody=template, RoleARN=arn)
    assert ended("denied") == "ROLLBACK_COMPLETE"
    assert "iam:PassRole" in why(client, "denied")
    may(allow("apigateway:*"), allow("iam:PassRole", ROLE))
    client.create_stack(StackName="tour", TemplateBody=template, RoleARN=arn)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [event] = cloud.events("ImportApi")[-1:]
    assert event["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/AWSCloudFormation"
    may(allow("apigateway:*"), deny("apigateway:DELETE"))
    client.delete_stack(StackName="tour")
    assert ended("tour") == "DELETE_FAILED"
    assert "apigateway:DELETE" in why(client)


def test_what_a_document_has_that_no_api_can_have_fails_the_stack_by_its_name(client, ended):
    client.create_stack(StackName="tour", TemplateBody=api(Body=document(cacheNamespace="x")))
    assert ended("tour") == "ROLLBACK_COMPLETE"
    place = "paths.'/a'(get).x-amazon-apigateway-integration.cacheNamespace"
    assert f"Invalid OpenAPI definition: {place} is not supported for HTTP APIs by iamd." in why(client)


def test_a_document_and_properties_beside_it_fail_the_stack_in_aws_s_words(client, ended):
    client.create_stack(StackName="tour", TemplateBody=api(Body=document(), Name="orders", ProtocolType="HTTP"))
    assert ended("tour") == "ROLLBACK_COMPLETE"
    words = (
        'Redundant fields [name="orders", protocolType="HTTP"] provided when either Body or BodyS3Location is not empty'
    )
    assert words in why(client)
