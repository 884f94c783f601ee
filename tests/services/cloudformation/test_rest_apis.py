"""Stacks with REST APIs, as SAM and CDK write them: what they deploy answers.

AWS: SAM Developer Guide, AWS::Serverless::Api, Api event source, ApiAuth; Template Reference, AWS::ApiGateway::RestApi.
"""

import json

import pytest
from functions.rest import MISSING, UNAUTHORIZED
from functions.test_rest_access import INVOKE, policy
from functions.test_urls import ask
from running import ACCOUNT, REGION, allow
from services.cloudformation.conftest import body
from services.cloudformation.test_http_apis import why

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: "'https://app.example'"
      Variables: {color: blue}
      GatewayResponses:
        DEFAULT_4XX: {ResponseParameters: {Headers: {Access-Control-Allow-Origin: "'https://app.example'"}}}
      Auth:
        AddDefaultAuthorizerToCorsPreflight: false
        DefaultAuthorizer: Guard
        Authorizers:
          Guard:
            FunctionArn: !GetAtt Guard.Arn
            Identity: {Header: X-Token, ReauthorizeEvery: 0}
        ResourcePolicy:
          CustomStatements:
            - {Effect: Allow, Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*"}
            - {Effect: Deny, Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*/*/secret"}
  Guard:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            return json.loads(event["authorizationToken"])
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            told = [event["resource"], event["httpMethod"], event["pathParameters"], event["stageVariables"]]
            return {"statusCode": 200, "body": json.dumps(told)}
      Events:
        Order: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/orders/{id}", Method: get}}
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/open/{proxy+}", Method: ANY, Auth: {Authorizer: NONE}}}
        Signed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /signed, Method: post, Auth: {Authorizer: AWS_IAM}}}
        Secret: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /secret, Method: get, Auth: {Authorizer: NONE}}}
        Keyed:
          {Type: Api, Properties: {RestApiId: !Ref Api, Path: /keyed, Method: get, Auth: {Authorizer: NONE, ApiKeyRequired: true}}}
Outputs:
  Api: {Value: !Ref Api}
"""
PLANNED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        ApiKeyRequired: true
        UsagePlan: {CreateUsagePlan: PER_API, Quota: {Limit: 2, Period: DAY}, Throttle: {RateLimit: 100, BurstLimit: 200}}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': event['requestContext']['identity']['apiKeyId']}"
      Events: {One: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /hello, Method: get}}}
Outputs:
  Api: {Value: !Ref Api}
"""
CHECKED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Models:
        User: {type: object, required: [name], properties: {name: {type: string}}}
      GatewayResponses:
        BAD_REQUEST_BODY: {StatusCode: 422}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': event['body']}"
      Events:
        One:
          Type: Api
          Properties:
            RestApiId: !Ref Api
            Path: /users
            Method: post
            RequestModel: {Model: User, Required: true, ValidateBody: true, ValidateParameters: true}
            RequestParameters: [{method.request.querystring.team: {Required: true}}]
Outputs:
  Api: {Value: !Ref Api}
"""
DEFAULT = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': event['resource'] + SUFFIX}"
      Events: {One: {Type: Api, Properties: {Path: "/hello/{name}", Method: get}}}
Outputs:
  Api: {Value: !Ref ServerlessRestApi}
"""


@pytest.fixture
def client(cloud):
    return cloud.client("cloudformation")


def deployed(client, ended, template):
    """The API of a stack of this template."""
    client.create_stack(StackName="tour", TemplateBody=template, Capabilities=CAPABILITIES)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [stack] = client.describe_stacks(StackName="tour")["Stacks"]
    return stack["Outputs"][0]["OutputValue"]


def test_what_sam_deploys_can_be_called(cloud, client, ended):
    api = deployed(client, ended, SAM)
    url = f"{cloud.endpoint}/_iamd/execute-api/{api}/v1"
    yes = json.dumps(policy())
    assert ask(url, path="/orders/7").value == UNAUTHORIZED
    assert ask(url, path="/orders/7", x_token=json.dumps(policy(effect="Deny"))).status == 403
    told = ask(url, path="/orders/7", x_token=yes)
    assert told.value == ["/orders/{id}", "GET", {"id": "7"}, {"color": "blue"}]
    assert ask(url, "PUT", "/open/a/b").value[:3] == ["/open/{proxy+}", "PUT", {"proxy": "a/b"}]
    preflight = ask(url, "OPTIONS", "/orders/7", origin="https://app.example")
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "https://app.example")
    assert ask(url, path="/nowhere").headers["access-control-allow-origin"] == "https://app.example"
    assert ask(url, "POST", "/signed").value == MISSING
    assert ask(url, "POST", "/signed", credentials=cloud.server.administrator, service="execute-api").status == 200
    assert ask(url, path="/secret").status == 403
    assert ask(url, path="/keyed").value == {"message": "Forbidden"}
    # The same at the host that the template's own addresses name.
    host = f"{api}.execute-api.{REGION}.amazonaws.com"
    told = ask(cloud.endpoint, path="/v1/orders/7", x_token=yes, host=host)
    assert told.value == ["/orders/{id}", "GET", {"id": "7"}, {"color": "blue"}]


def test_what_sam_deploys_with_a_usage_plan_takes_its_keys(cloud, client, ended):
    """SAM Developer Guide, ApiUsagePlan: a plan, a key and the key of the plan."""
    api = deployed(client, ended, PLANNED)
    url = f"{cloud.endpoint}/_iamd/execute-api/{api}/v1"
    gateway = cloud.client("apigateway")
    [key] = gateway.get_api_keys(includeValues=True)["items"]
    [plan] = gateway.get_usage_plans()["items"]
    assert (plan["apiStages"], plan["quota"]["limit"]) == ([{"apiId": api, "stage": "v1"}], 2)
    assert ask(url, path="/hello").value == {"message": "Forbidden"}
    assert ask(url, path="/hello", x_api_key=key["value"]).body.decode() == key["id"]
    client.delete_stack(StackName="tour")
    client.get_waiter("stack_delete_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    assert gateway.get_usage_plans()["items"] == gateway.get_api_keys()["items"] == []


def test_what_sam_deploys_with_models_looks_at_requests(cloud, client, ended):
    """SAM Developer Guide, RequestModel."""
    api = deployed(client, ended, CHECKED)
    url = f"{cloud.endpoint}/_iamd/execute-api/{api}/v1"
    told = ask(url, "POST", "/users", body=b'{"name": "Ann"}')
    assert (told.status, told.value["message"]) == (400, "Missing required request parameters: [team]")
    assert ask(url, "POST", "/users?team=a", body=b"{}").status == 422
    assert ask(url, "POST", "/users?team=a", body=b'{"name": "Ann"}').value == {"name": "Ann"}


def test_an_update_of_what_sam_deploys_is_deployed(cloud, client, ended):
    api = deployed(client, ended, DEFAULT.replace("SUFFIX", "'1'"))
    url = f"{cloud.endpoint}/_iamd/execute-api/{api}"
    assert [ask(url, path=f"/{stage}/hello/x").status for stage in ("Prod", "Stage")] == [200, 200]
    changed = DEFAULT.replace("SUFFIX", "'2'").replace("/hello/{name}", "/bye/{name}")
    client.update_stack(StackName="tour", TemplateBody=changed, Capabilities=CAPABILITIES)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert ask(url, path="/Prod/bye/x").body == b"/bye/{name}2"
    assert ask(url, path="/Prod/hello/x").value == MISSING
    client.delete_stack(StackName="tour")
    client.get_waiter("stack_delete_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    assert ask(url, path="/Prod/bye/x").status == 404


def of_api(kind, **properties):
    return {"Type": f"AWS::ApiGateway::{kind}", "Properties": {"RestApiId": {"Ref": "Api"}, **properties}}


def test_what_cdk_deploys_can_be_called(cloud, client, ended):
    """As RestApi with a LambdaIntegration and defaultCorsPreflightOptions is written."""
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    function = {"Fn::GetAtt": ["Function", "Arn"]}
    uri = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":apigateway:", {"Ref": "AWS::Region"}, ":lambda:path/2015-03-31/functions/", function, "/invocations"],
        ]
    }  # fmt: skip
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": "{ statusCode: 204 }"},
        "IntegrationResponses": [
            {
                "StatusCode": "204",
                "ResponseParameters": {
                    "method.response.header.Access-Control-Allow-Headers": "'Content-Type,X-Amz-Date'",
                    "method.response.header.Access-Control-Allow-Origin": "'*'",
                },
            }
        ],
    }
    source = "def handler(event, context): return {'statusCode': 200, 'body': event['resource']}"
    template = body(
        Api={"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "books"}},
        Role={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]}}},
        Function={
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12", "Handler": "index.handler", "Code": {"ZipFile": source},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        Permission={
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": function, "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:${{Api}}/${{Prod}}/GET/books/*"},
            },
        },
        Books=of_api("Resource", ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="books"),
        Book=of_api("Resource", ParentId={"Ref": "Books"}, PathPart="{id}"),
        Get=of_api(
            "Method", HttpMethod="GET", ResourceId={"Ref": "Book"}, AuthorizationType="AWS_IAM",
            Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri},
        ),
        Options=of_api(
            "Method", HttpMethod="OPTIONS", ResourceId={"Ref": "Book"}, AuthorizationType="NONE", Integration=mock,
            MethodResponses=[{"StatusCode": "204", "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": True}}],
        ),
        Deployed={**of_api("Deployment"), "DependsOn": ["Get", "Options"]},
        Prod=of_api("Stage", DeploymentId={"Ref": "Deployed"}, StageName="prod"),
    )  # fmt: skip
    client.create_stack(StackName="tour", TemplateBody=template, Capabilities=CAPABILITIES)
    assert ended("tour") == "CREATE_COMPLETE", why(client)
    [api] = cloud.client("apigateway").get_rest_apis()["items"]
    url = f"{cloud.endpoint}/_iamd/execute-api/{api['id']}/prod"
    told = ask(url, "OPTIONS", "/books/1", origin="https://app.example")
    assert (told.status, told.headers["access-control-allow-origin"]) == (204, "*")
    assert ask(url, path="/books/1").value == MISSING
    user = cloud.user("ann", allow(INVOKE, f"arn:aws:execute-api:*:*:{api['id']}/prod/GET/books/1"))
    assert ask(url, path="/books/1", credentials=user, service="execute-api").body == b"/books/{id}"
    assert ask(url, path="/books/2", credentials=user, service="execute-api").status == 403
