"""Fixtures: `cloud`, a freshly reset iamd before the embedded backend; `metadata`, its instance metadata as bytes."""

import http.client
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from running import AWS, IMAGE, Server, allow
from services.iamd.test_workloads import trust

TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


@pytest.fixture
def cloud(shared_cloud: AWS) -> Iterator[AWS]:
    """A freshly reset iamd with an empty backend, and two roles with an instance profile each."""
    with shared_cloud.reset() as cloud:
        iam = cloud.client("iam")
        for name in ("web", "batch"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
            policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers")})
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
            iam.create_instance_profile(InstanceProfileName=f"{name}-profile")
            iam.add_role_to_instance_profile(InstanceProfileName=f"{name}-profile", RoleName=name)
        yield cloud


@dataclass
class Answer:
    """What an endpoint answered."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Metadata:
    """A client of instance metadata that sends what it is told, as curl does."""

    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    source: str = "127.0.0.1"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send one request."""
        place = urlsplit(self.endpoint).netloc
        connection = http.client.HTTPConnection(place, timeout=30, source_address=(self.source, 0))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={**self.headers, **sent})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return Answer(answer.status, content, {name.lower(): value for name, value in answer.getheaders()})

    def token(self, seconds: int = 60) -> "Metadata":
        """The same with a session token."""
        told = self.ask("/latest/api/token", "PUT", **{TTL: str(seconds)})
        assert told.status == 200, told
        return Metadata(self.endpoint, {TOKEN: told.text}, self.source)

    def get(self, path: str) -> str:
        """What stands at a path under `latest`."""
        told = self.ask(f"/latest/{path}")
        assert told.status == 200, (path, told)
        return told.text


def health(server: Server) -> dict[str, object]:
    """What `/_iamd/health` shows."""
    with urllib.request.urlopen(f"{server.endpoint}/_iamd/health", timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def metadata(cloud_server: Server) -> Metadata:
    """The metadata of the only instance with a profile."""
    return Metadata(health(cloud_server)["metadata"]["default"])


def run_instance(cloud: AWS, profile: str | None = "web-profile", credentials=None, **more) -> str:
    """Start an instance, and give its id."""
    ec2 = cloud.client("ec2", credentials)
    given = {"IamInstanceProfile": {"Name": profile}} if profile else {}
    told = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.micro", **given, **more)
    return told["Instances"][0]["InstanceId"]
