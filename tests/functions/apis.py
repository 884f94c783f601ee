"""HTTP APIs before functions, as the tests of them make them."""

import json
from typing import Any

from functions.conftest import Functions
from functions.test_urls import Answer, ask
from running import ACCOUNT, AWS, REGION, Credentials

ECHO = "def handler(event, context):\n    return event\n"
SAYS = "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n"
DEEP = """import sys
sys.setrecursionlimit(10**6)
deep = []
for _ in range(5000):
    deep = [deep]
def handler(event, context):
    return {answer}
"""
FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
APIGATEWAY = "apigateway.amazonaws.com"


class Api:
    """An HTTP API with one integration of the function `fn`, which lets API Gateway in."""

    def __init__(self, cloud: AWS, credentials: Credentials | None = None, **given: Any) -> None:
        self.cloud = cloud
        self.client = cloud.client("apigatewayv2", credentials)
        made = self.client.create_api(**{"Name": "orders", "ProtocolType": "HTTP", **given})
        self.id, self.url = made["ApiId"], made["ApiEndpoint"]
        self.arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}"

    def integration(self, uri: str = FN, **given: Any) -> str:
        """The id of an integration of the function."""
        whole = {"IntegrationType": "AWS_PROXY", "IntegrationUri": uri, "PayloadFormatVersion": "2.0", **given}
        return self.client.create_integration(ApiId=self.id, **whole)["IntegrationId"]

    def route(self, key: str, integration: str | None = None, **given: Any) -> str:
        """The id of a route."""
        target = f"integrations/{integration or self.integration()}"
        return self.client.create_route(ApiId=self.id, RouteKey=key, Target=target, **given)["RouteId"]

    def stage(self, name: str = "$default", **given: Any) -> None:
        """Make a stage."""
        self.client.create_stage(ApiId=self.id, StageName=name, **{"AutoDeploy": True, **given})

    def authorizer(self, **given: Any) -> str:
        """The id of an authorizer."""
        return self.client.create_authorizer(ApiId=self.id, Name="own", **given)["AuthorizerId"]

    def permit(self, source: str | None = None, function: str = "fn", **given: Any) -> None:
        """Let API Gateway invoke a function for this reason, by default for all of the API."""
        self.cloud.client("lambda").add_permission(
            FunctionName=function, StatementId="api", Action="lambda:InvokeFunction", Principal=APIGATEWAY,
            **({"SourceArn": f"{self.arn}/{source or '*'}"} | given),
        )  # fmt: skip

    def ask(self, path: str = "/", method: str = "GET", **given: Any) -> Answer:
        """Ask a path."""
        return ask(self.url, method, path, service="execute-api", **given)


def simple(cloud: AWS, functions: Functions, source: str = ECHO, key: str = "$default", **given: Any) -> Api:
    """An API whose one route anybody may ask."""
    functions.make(source)
    api = Api(cloud, **given)
    api.route(key)
    api.stage()
    api.permit()
    return api


def events(cloud: AWS, source: str) -> list[dict[str, Any]]:
    """The events of requests to APIs, or of what API Gateway asked of Lambda, the newest first."""
    named = [{"AttributeKey": "EventName", "AttributeValue": "Invoke"}]
    found = cloud.client("cloudtrail").lookup_events(LookupAttributes=named)["Events"]
    every = [json.loads(one["CloudTrailEvent"]) for one in found]
    return [one for one in every if one["eventSource"] == source]
