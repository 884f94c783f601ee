"""What tests of deliveries share: queues that let services in, what services were told, functions and roles for them."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from functions.conftest import Functions
from gateway.two_accounts import OTHER
from running import ACCOUNT, AWS, REGION, Credentials, allow
from services.iamd.test_workloads import trust

DEADLINE = 30
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/records"
SAVING = """
import boto3, json, os

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""
"""A function that sends what it is given to a queue."""


@pytest.fixture
def other(cloud: AWS) -> Credentials:
    """The administrator of a second account."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


@dataclass
class Inbox:
    """A queue, and what comes in."""

    sqs: Any
    url: str
    arn: str

    def let(self, service: str, action: str = "sqs:SendMessage", **condition: Any) -> None:
        """Let a service send to it, under a condition."""
        policy = statement(service, action, self.arn, **condition)
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def got(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many messages, and give them in order."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + DEADLINE
        while len(found) < count and time.monotonic() < deadline:
            told = self.sqs.receive_message(
                QueueUrl=self.url, WaitTimeSeconds=1, MaxNumberOfMessages=10, MessageAttributeNames=["All"],
                AttributeNames=["All"],
            )  # fmt: skip
            for message in told.get("Messages", []):
                found.append(message)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) == count, found
        return found

    def read(self, count: int = 1) -> list[Any]:
        """Wait for so many messages, and give what is in them."""
        return [json.loads(message["Body"]) for message in self.got(count)]

    def waiting(self) -> int:
        """How many messages wait."""
        told = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(told["Attributes"]["ApproximateNumberOfMessages"])


def statement(service: str, action: str, resource: str, **condition: Any) -> str:
    """The policy of a resource that lets a service in."""
    one = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [one | ({"Condition": condition} if condition else {})]})


def of_source(arn: str) -> dict[str, Any]:
    """The condition that a service asks for the sake of this resource."""
    return {"ArnEquals": {"aws:SourceArn": arn}}


@pytest.fixture
def inbox(cloud: AWS) -> Callable[..., Inbox]:
    """`inbox(name)` is a new queue."""

    def make(name: str = "inbox", credentials: Credentials | None = None, account: str = ACCOUNT, **more: str) -> Inbox:
        sqs = cloud.client("sqs", credentials)
        url = sqs.create_queue(QueueName=name, Attributes=more)["QueueUrl"]
        return Inbox(sqs, url, f"arn:aws:sqs:{REGION}:{account}:{name}")

    return make


@pytest.fixture
def denied(cloud: AWS) -> Callable[..., dict[str, Any]]:
    """`denied(operation, service)` waits for the event of what a service was refused, and gives it.

    `times` is how often it was refused by then.
    """

    def find(operation: str, service: str, times: int = 1) -> dict[str, Any]:
        trail = cloud.client("cloudtrail")
        named = [{"AttributeKey": "EventName", "AttributeValue": operation}]
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            told = [json.loads(one["CloudTrailEvent"]) for one in trail.lookup_events(LookupAttributes=named)["Events"]]
            refused = [one for one in told if one["userIdentity"].get("invokedBy") == service and "errorCode" in one]
            if len(refused) >= times:
                event: dict[str, Any] = refused[0]
                assert event["userIdentity"]["type"] in {"AWSService", "AssumedRole"}
                assert event["sourceIPAddress"] == event["userAgent"] == service
                return event
            time.sleep(0.05)
        raise AssertionError(f"{service} was refused no {operation}")

    return find


@pytest.fixture
def saving(cloud: AWS) -> Callable[[Inbox], str]:
    """`saving(inbox)` is the ARN of a function that sends what it is given there."""

    def make(inbox: Inbox) -> str:
        cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        functions = Functions(cloud)
        functions.permit(allow("sqs:SendMessage", inbox.arn))
        return functions.make(SAVING, name="saving", Environment={"Variables": {"QUEUE": inbox.url}})

    return make


@pytest.fixture
def role(cloud: AWS) -> Callable[..., str]:
    """`role(service, statements)` is the ARN of a role that a service may assume and that may do this."""

    def make(service: str, *statements: dict[str, Any], **condition: Any) -> str:
        iam = cloud.client("iam")
        one = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        one |= {"Condition": condition} if condition else {}
        document = json.dumps({"Version": "2012-10-17", "Statement": [one]})
        arn: str = iam.create_role(RoleName="sender", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        allowed = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName="sender", PolicyName="own", PolicyDocument=allowed)
        return arn

    return make


@pytest.fixture
def stream(cloud: AWS) -> Callable[[], list[Any]]:
    """`stream()` waits for records of the data stream `records`, which is new, and gives them."""
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="records", ShardCount=1)

    def read() -> list[Any]:
        shard = kinesis.get_shard_iterator(
            StreamName="records", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[Any] = []
        deadline = time.monotonic() + DEADLINE
        while not found and time.monotonic() < deadline:
            told = kinesis.get_records(ShardIterator=shard)
            found, shard = told["Records"], told["NextShardIterator"]
        return found

    return read
