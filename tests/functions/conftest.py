"""Fixtures: `cloud`, a freshly reset iamd before the embedded backend, with an execution role; `make`, its functions."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from functions.relay import READ, RELAY, STREAM
from gateway.two_accounts import OTHER
from running import ACCOUNT, AWS, REGION, Credentials, Server, allow
from services.iamd.test_workloads import trust

LAMBDA = "lambda.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
POISON = {
    "AWS_PROFILE": "poison",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "PYTHONSTARTUP": "/nowhere/poison.py",
    "POISONED_SECRET": "poison",
}


@pytest.fixture(scope="session")
def functions_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One iamd that runs functions for all tests of this process; its home folder and its environment are poisoned."""
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = POISON\naws_secret_access_key = poison\n"
    )
    data = tmp_path_factory.mktemp("functions") / "data"
    options = ("--backend", "moto", "--dev", "--federation-hosts", "127.0.0.1", "--integration-hosts", "localhost")
    server = Server(data, *options, environment=POISON | {"HOME": str(home)})
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def shared_cloud(functions_server: Server) -> AWS:
    """The clients of that iamd."""
    return AWS(functions_server)


@pytest.fixture
def cloud(shared_cloud: AWS) -> Iterator[AWS]:
    """A freshly reset iamd with an empty backend, and a role `worker` that Lambda may assume."""
    with shared_cloud.reset() as cloud:
        cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
        yield cloud


@pytest.fixture
def other(cloud: AWS) -> Credentials:
    """The administrator of a second account."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


def package(files: dict[str, str]) -> bytes:
    """A zip file of these."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


@dataclass
class Told:
    """What an invocation answered."""

    status: int
    error: str | None
    version: str | None
    log: str
    raw: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Functions:
    """Makes functions, and invokes them."""

    cloud: AWS

    def make(self, source: str, name: str = "fn", **more: Any) -> str:
        """A function of this source, whose module is `app`; gives its ARN."""
        given = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code(source)}}
        made = self.cloud.client("lambda").create_function(FunctionName=name, **given | more)
        return made["FunctionArn"]

    def invoke(self, event: Any = None, name: str = "fn", credentials: Any = None, **more: Any) -> Told:
        """Invoke it with the end of its log."""
        import base64

        given = {} if event is None else {"Payload": json.dumps(event)}
        client = self.cloud.client("lambda", credentials, read_timeout=60)
        told = client.invoke(FunctionName=name, **{"LogType": "Tail", **given, **more})
        log = base64.b64decode(told.get("LogResult", "")).decode()
        error, version = told.get("FunctionError"), told.get("ExecutedVersion")
        return Told(told["StatusCode"], error, version, log, told["Payload"].read())

    def permit(self, *statements: dict[str, Any], role: str = "worker") -> None:
        """Give the role a policy of these statements alone."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.cloud.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document)

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """A queue: its URL and its ARN."""
        url = self.cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def code(source: str) -> bytes:
    """The package of one module."""
    return package({"app.py": source})


@pytest.fixture
def functions(cloud: AWS) -> Functions:
    """The functions of that iamd."""
    return Functions(cloud)


@pytest.fixture
def out(functions: Functions) -> str:
    """The URL of the queue that the function tells of its batches; its role may read the stream `s` of one shard."""
    url, arn = functions.queue("out")
    functions.permit(allow(READ, STREAM), allow("sqs:SendMessage", arn))
    functions.cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    functions.make(RELAY, Environment={"Variables": {"OUT": url}})
    return url


Make = Callable[..., str]
__all__ = ["allow"]
