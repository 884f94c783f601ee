"""A running iamd, and what tests do with it: as its users do, through boto3."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as SigningCredentials

ACCOUNT = "123456789012"
REGION = "us-east-1"
IMAGE = "ami-03cf127a"
"""One of the thousand images that the embedded backend has from its start; to list them takes seconds."""
READY_SECONDS = 60


class Refusal(Exception):
    """An error that iamd's own service answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Credentials:
    """An access key, with its session token when it is temporary."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Credentials":
        """The credentials in an answer of STS or CreateAccessKey."""
        return cls(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("SessionToken"))


def asking(seconds: float = 60) -> Iterator[int]:
    """Counts as long as something that comes about by itself is asked for; how often that is, machines differ in."""
    end = time.monotonic() + seconds
    for number in count(1):
        yield number
        if time.monotonic() > end:
            return
        time.sleep(0.005)


class Server:
    """An iamd of its own, in a data folder of its own."""

    def __init__(self, data: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.data = data
        command = [sys.executable, "-m", "iamd", "serve", "--port", "0", "--data", str(data), *options]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("IAMD_", "AWS_"))}
        self.log = data.parent / f"{data.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**clean, **(environment or {})},
                start_new_session=True,
            )
        self.ready_line = self._ready()
        self.endpoint = self.ready_line.split()[3]

    def _ready(self) -> str:
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        try:
            line = self.process.stdout.readline().decode()
        finally:
            watchdog.cancel()
        if not line.startswith("iamd ready on "):
            self.process.wait()
            raise RuntimeError(f"iamd did not start: {self.log.read_text()}")
        return line.strip()

    @property
    def administrator(self) -> Credentials:
        """The key that the first start wrote for the CLI."""
        lines = (self.data / "aws" / "credentials").read_text().splitlines()
        values = dict(line.split(" = ") for line in lines if " = " in line)
        return Credentials(values["aws_access_key_id"], values["aws_secret_access_key"])

    def post(self, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send JSON to one of iamd's own doors."""
        request = urllib.request.Request(self.endpoint + path, json.dumps(content or {}).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    @classmethod
    @contextmanager
    def serving(cls, data: Path, *options: str) -> Iterator["Server"]:
        """One that serves until the block ends, and ends well."""
        server = cls(data, *options)
        yield server
        assert server.stop() == 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(20)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.stdout.close()
        return code


def sent_to_the_address(request: Any, **_: Any) -> None:
    """Send what botocore signed for a host before the address (S3 Control, access points) to the address."""
    url = urlsplit(request.url)
    request.headers["Host"] = url.netloc
    request.url = url._replace(netloc=url.netloc[url.netloc.index("127.0.0.1") :]).geturl()


@dataclass
class AWS:
    """What a test does with iamd: clients, users, the clock, the events."""

    server: Server
    account_id: str = ACCOUNT
    _clients: dict[Any, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return self.server.endpoint

    def client(self, service: str, credentials: Credentials | None = None, region: str = REGION, **config: Any) -> Any:
        """A boto3 client; the administrator's unless other credentials are given."""
        of = credentials or self.server.administrator
        key = (service, of, region, repr(sorted(config.items())))
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=region,
                aws_access_key_id=of.access_key_id,
                aws_secret_access_key=of.secret_access_key,
                aws_session_token=of.session_token,
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
            for named in ("s3-control", "s3"):
                self._clients[key].meta.events.register(f"before-send.{named}", sent_to_the_address)
        return self._clients[key]

    @contextmanager
    def reset(self) -> Iterator["AWS"]:
        """Emptied for the block; connections that it opened for others than the administrator end with it."""
        self.server.post("/_iamd/reset")
        yield self
        self.hang_up()

    def hang_up(self) -> None:
        """Close the clients of all but the administrator, with the connections they keep."""
        for key in [key for key in self._clients if key[1] != self.server.administrator]:
            self._clients.pop(key).close()

    def user(self, name: str, *statements: dict[str, Any]) -> Credentials:
        """A new user with an inline policy of these statements, and an access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)
        return Credentials.of(iam.create_access_key(UserName=name)["AccessKey"])

    def iamd(self, operation: str, credentials: Credentials | None = None, **parameters: Any) -> dict[str, Any]:
        """Call an operation of iamd's own service, signed by botocore; raises Refusal."""
        of = credentials or self.server.administrator
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"iamd.{operation}"}
        request = AWSRequest("POST", self.endpoint + "/", headers, json.dumps(parameters).encode())
        key = SigningCredentials(of.access_key_id, of.secret_access_key, of.session_token)
        SigV4Auth(key, "iamd", REGION).add_auth(request)
        sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()), method="POST")
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)
            raise Refusal(
                error.code, told["__type"].rpartition("#")[2], told.get("message") or told.get("Message", "")
            ) from None

    def explain(self, request_id: str, credentials: Credentials | None = None) -> dict[str, Any]:
        """What was decided for a request, and why."""
        return self.iamd("Explain", credentials, RequestId=request_id)

    def advance(self, seconds: float) -> None:
        """Move the clock by which iamd issues and expires."""
        self.server.post("/_iamd/clock", {"advance_seconds": seconds})

    def events(self, event_name: str | None = None) -> list[dict[str, Any]]:
        """CloudTrail records, newest first; of one operation when it is named."""
        chosen = [{"AttributeKey": "EventName", "AttributeValue": event_name}] if event_name else []
        deadline = time.monotonic() + 5
        while True:
            found = self.client("cloudtrail").lookup_events(LookupAttributes=chosen)["Events"]
            if found or time.monotonic() > deadline:
                return [json.loads(event["CloudTrailEvent"]) for event in found]
            time.sleep(0.05)


def allow(action: str | list[str], resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    """An Allow statement."""
    return _statement("Allow", action, resource, condition)


def deny(action: str | list[str], resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    """A Deny statement."""
    return _statement("Deny", action, resource, condition)


def _statement(effect: str, action: Any, resource: Any, condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def is_running(process: int) -> bool:
    """Whether a process runs; one that has ended and is not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        # It may end while it is looked at.
        return False
