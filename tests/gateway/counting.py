"""An iamd before a backend that counts: what each boto3 call was decided on, and what of it reached the backend."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import ClientError
from gateway.raw_backend import RawBackend
from gateway.two_accounts import OTHER, user_of
from gateway.wire import Reply, Wire
from running import ACCOUNT, AWS, Credentials, Server, allow

from iamd.gateway import first_use


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """An answer for the backend to give."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


NOTHING = answer()
JSON = answer(b"{}")
CONFIG = """
[backends.counting]
url = "{url}"
account = "{account}"
access_key_id = "AKIABACKENDBACKEND01"
secret_access_key = "the-backends-own-secret"
retries = 0
breaker_failures = 0
"""

TRUSTED = tuple(
    f"{name}.amazonaws.com"
    for name in (
        "access-grants.s3", "apigateway", "batchoperations.s3",
        "autoscaling", "bedrock", "cloudtrail", "cognito-idp",
        "export.rds", "firehose", "spotfleet", "ec2", "ecs", "ecs-tasks", "glue", "kinesis", "lambda", "logs", "monitoring.rds",
        "rds", "s3", "scheduler", "ssm", "states", "streams.metrics.cloudwatch",
        "vpc-flow-logs", "vmie",
    )
)  # fmt: skip


def trusting(*services: str) -> str:
    """A trust policy that lets these services assume the role."""
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def plain_answer(head: bytes, body: bytes) -> bytes:
    """An answer that says nothing, in the form that the request's protocol has."""
    if head.startswith(b"GET") and b"?tagging" in head.partition(b"\r\n")[0] and b"/s3/aws4_request" in head:
        return answer(b"<Tagging><TagSet/></Tagging>")
    if b"/s3/aws4_request" in head or b"/route53/aws4_request" in head:
        return NOTHING
    if b"application/x-www-form-urlencoded" in head.lower():
        name = parse_qs(body)[b"Action"][0]
        return answer(b"<%sResponse><%sResult/></%sResponse>" % (name, name, name))
    if b"rpc-v2-cbor" in head.lower():
        return answer(b"\xa0", "200 OK", "content-type: application/cbor", "smithy-protocol: rpc-v2-cbor")
    return JSON


@dataclass
class Held:
    """An answer that is given when `go` is set; `asked` is set when it is waited for."""

    answer: bytes
    asked: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def given(self) -> bytes:
        """The answer, when its time has come."""
        self.asked.set()
        assert self.go.wait(30)
        return self.answer


class Counting:
    """The backend, in a thread of its own. It says yes to everything; `answers` holds what it is to say first.

    An answer that is None is none: the connection is closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.raw = RawBackend(self._answer)
        self._run(self.raw.__aenter__())
        self.answers: list[bytes | Held | None] = []

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _answer(self, raw: RawBackend, reader: Any, writer: Any) -> None:
        while await raw.request(reader):
            told: bytes | Held | None = plain_answer(raw.heads[-1], raw.bodies[-1])
            if self.answers:
                told = self.answers.pop(0)
            if isinstance(told, Held):
                told = await asyncio.to_thread(told.given)
            if told is None:
                return
            writer.write(told)
            await writer.drain()

    @property
    def received(self) -> int:
        """How many bytes came, ever."""
        return self.raw.bytes

    @property
    def last(self) -> tuple[bytes, bytes]:
        """Head and body of the last request."""
        return self.raw.heads[-1], self.raw.bodies[-1]

    def close(self) -> None:
        """End it."""
        self._run(self.raw.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass(frozen=True)
class Outcome:
    """What came of one call: the answer, how many bytes the backend got, and what was decided (asked when wanted)."""

    status: int
    code: str
    message: str
    headers: dict[str, str]
    sent: int
    told: dict[str, Any]
    explain: Callable[[], dict[str, Any]]

    @cached_property
    def explained(self) -> dict[str, Any]:
        """What iamd's Explain says of it."""
        return self.explain()

    @property
    def event(self) -> tuple[str, str]:
        """The event's source and name."""
        return self.explained["EventSource"], self.explained["EventName"]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """Each decision with its action, resource, outcome and context."""
        return self.explained["Decisions"]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Action and resource of each decision."""
        return [(one["Action"], one["Resource"]) for one in self.decisions]

    def context(self, action: str) -> dict[str, Any]:
        """The condition keys of the one decision on an action, each value as text or several."""
        (found,) = [one["Context"] for one in self.decisions if one["Action"] == action]
        return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


class CountedCloud:
    """Calls through boto3, with what was decided read back by iamd's Explain."""

    def __init__(self, folder: Path) -> None:
        self.backend = Counting()
        config = folder / "iamd.toml"
        config.write_text(CONFIG.format(url=self.backend.raw.url, account=ACCOUNT))
        self.server = Server(folder / "data", "--backend", "none", "--dev", "--config", str(config))
        self.aws = AWS(self.server)
        self.wire = Wire(self.server)
        self.nobody = self.aws.user("nobody")
        self._users: dict[str, Credentials] = {}
        iam = self.aws.client("iam")
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trusting(*TRUSTED))
        iam.create_instance_profile(InstanceProfileName="app")
        iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
        # Services have been used before: what a first use needs is tested by itself (test_first_use.py).
        for service in {row.service for rows in first_use.table().values() for one in rows.values() for row in one}:
            iam.create_service_linked_role(AWSServiceName=service)

    def user(self, name: str, *statements: dict[str, Any]) -> Credentials:
        """A user of this name, made when it is first asked for: xdist may set a module's fixtures up again."""
        if name not in self._users:
            self._users[name] = self.aws.user(name, *statements)
        return self._users[name]

    def stranger(self) -> Credentials:
        """A user of another account, whose own policy allows everything."""
        if "stranger" not in self._users:
            other = Credentials.of(self.aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
            self._users["stranger"] = user_of(self.aws, other, "stranger", allow("*"))
        return self._users["stranger"]

    def call(
        self, service: str, operation: str, given: dict[str, Any], credentials: Credentials | None = None, **config: Any
    ) -> Outcome:
        """Call an operation by the model's name; an error is an outcome as well."""
        client = self.aws.client(service, credentials, inject_host_prefix=False, **config)
        before = self.backend.received
        try:
            told = client._make_api_call(operation, dict(given))  # botocore adds to it
            error = {"Code": "", "Message": ""}
        except ClientError as refused:
            told, error = refused.response, refused.response["Error"]
        _drained(told)
        sent = self.backend.received - before
        meta = told["ResponseMetadata"]
        # botocore reads no request id out of the answer to a HEAD that was refused, nor out of an empty one in XML.
        headers = meta["HTTPHeaders"]
        request_id = meta.get("RequestId") or headers.get("x-amz-request-id") or headers["x-amzn-requestid"]
        return Outcome(
            meta["HTTPStatusCode"],
            error.get("Code", ""),
            error.get("Message", ""),
            meta["HTTPHeaders"],
            sent,
            told,
            partial(self.aws.explain, request_id),
        )

    def says(self, told: dict[str, Any]) -> None:
        """Have the backend answer its next request with this JSON."""
        self.backend.answers.append(answer(json.dumps(told).encode()))

    def explained(self, reply: Reply) -> dict[str, Any]:
        """What iamd's Explain says of a request that went over the wire."""
        return self.aws.explain(reply.headers.get("x-amzn-requestid") or reply.headers["x-amz-request-id"])

    def asked_by(self, reply: Reply) -> list[tuple[str, str]]:
        """Action and resource of each decision on such a request."""
        return [(one["Action"], one["Resource"]) for one in self.explained(reply)["Decisions"]]

    def close(self) -> None:
        """End both."""
        self.wire.close()
        code = self.server.stop()
        self.backend.close()
        assert code == 0


def _drained(told: dict[str, Any]) -> None:
    for value in told.values():
        close = getattr(value, "close", None)
        if close is not None:
            close()
