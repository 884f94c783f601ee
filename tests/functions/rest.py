"""REST APIs before functions, as the tests of them make them."""

import json
from typing import Any

from functions.apis import APIGATEWAY, FN
from functions.conftest import Functions
from functions.test_urls import Answer, ask
from running import ACCOUNT, AWS, REGION, Credentials

ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
SAYS = "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n"
MISSING = {"message": "Missing Authentication Token"}
BROKEN = {"message": "Internal server error"}
FORBIDDEN = {"message": "Forbidden"}
UNAUTHORIZED = {"message": "Unauthorized"}


def uri(function: str = FN) -> str:
    """The URI of a function's invocations."""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"


class Rest:
    """A REST API before the function `fn`."""

    def __init__(
        self, cloud: AWS, credentials: Credentials | None = None, account: str = ACCOUNT, **given: Any
    ) -> None:
        self.cloud = cloud
        self.client = cloud.client("apigateway", credentials)
        made = self.client.create_rest_api(**{"name": "orders", **given})
        self.id = made["id"]
        [root] = self.client.get_resources(restApiId=self.id)["items"]
        self.resources = {"/": root["id"]}
        self.arn = f"arn:aws:execute-api:{REGION}:{account}:{self.id}"
        self.url = f"{cloud.endpoint}/_iamd/execute-api/{self.id}"
        self.host = f"{self.id}.execute-api.{REGION}.amazonaws.com"

    def resource(self, path: str) -> str:
        """The id of the resource at a path, which is made where there is none."""
        if path not in self.resources:
            above, _, part = path.rpartition("/")
            made = self.client.create_resource(restApiId=self.id, parentId=self.resource(above or "/"), pathPart=part)
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, key: str, function: str = FN, integration: dict[str, Any] | None = None, **given: Any) -> None:
        """Put a method, `GET /path`, with its integration, by default of the function."""
        method, _, path = key.partition(" ")
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.client.put_method(**place, **{"authorizationType": "NONE", **given})
        proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(function)}
        self.client.put_integration(**place, **(proxy if integration is None else integration))

    def deploy(self, stage: str = "dev", **given: Any) -> str:
        """Deploy it to a stage; gives the deployment's id."""
        return self.client.create_deployment(restApiId=self.id, stageName=stage, **given)["id"]

    def authorizer(self, **given: Any) -> str:
        """The id of an authorizer."""
        return self.client.create_authorizer(restApiId=self.id, **{"name": "own", **given})["id"]

    def permit(self, source: str | None = None, function: str = "fn", **given: Any) -> None:
        """Let API Gateway invoke a function for this reason, by default for all of the API."""
        self.cloud.client("lambda").add_permission(
            FunctionName=function, StatementId="api", Action="lambda:InvokeFunction", Principal=APIGATEWAY,
            **({"SourceArn": f"{self.arn}/{source or '*'}"} | given),
        )  # fmt: skip

    def set_policy(self, *statements: dict[str, Any]) -> None:
        """Set the resource policy, none of no statements, and deploy it."""
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}) if statements else ""
        self.patch("/policy", text)
        self.deploy()

    def patch(self, path: str, value: str, kind: str = "replace") -> None:
        """Change the API."""
        self.client.update_rest_api(restApiId=self.id, patchOperations=[{"op": kind, "path": path, "value": value}])

    def ask(self, path: str = "/dev", method: str = "GET", **given: Any) -> Answer:
        """Ask a path, the stage first."""
        return ask(self.url, method, path, service="execute-api", **given)


def says(principal: Any, effect: str = "Allow", resource: str = "execute-api:/*", **more: Any) -> dict[str, Any]:
    """A statement of a resource policy."""
    action = "execute-api:Invoke"
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}


def simple(cloud: AWS, functions: Functions, source: str = ECHO, key: str = "ANY /{proxy+}", **given: Any) -> Rest:
    """An API whose one method anybody may use, deployed to `dev`."""
    functions.make(source)
    api = Rest(cloud, **given)
    api.method(key)
    api.deploy()
    api.permit()
    return api
