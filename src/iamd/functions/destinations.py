"""Where records of events go that were not waited for: asked for with the function's role, and decided like all else.

AWS: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations" (invocation-async-retain-records).
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from iamd import arn as arns
from iamd import ids, senders
from iamd.arn import Arn
from iamd.delivery import queue_url
from iamd.functions.calls import call
from iamd.functions.definition import Function
from iamd.functions.errors import InvalidParameterValue
from iamd.metadata.temporary import Temporary
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

Request = tuple[str, str, Mapping[str, Any]]
Record = Mapping[str, Any]


def check(destinations: Mapping[str, Any]) -> None:
    """A DestinationConfig whose destinations can be sent to."""
    for kind, config in destinations.items():
        named = (config or {}).get("Destination")
        if named and _sender(named) is None:
            raise InvalidParameterValue(f"The destination {named} is of no kind that is supported.")
        if named and kind == "OnSuccess" and named.startswith("arn:aws:s3:"):
            raise InvalidParameterValue("S3 buckets are supported only for on-failure destinations.")


async def send(runtime: Runtime, credentials: Temporary, function: Function, destination: str, record: Record) -> bool:
    """Send a record; whether it was taken."""
    parsed, sender = arns.parse(destination), _sender(destination)
    if parsed is None or sender is None:
        return False
    service, operation, parameters = sender(parsed, record, function)
    region = parsed.region or function.region
    return await asked(runtime, credentials, service, operation, parameters, region)


async def dead_letter(
    runtime: Runtime, credentials: Temporary, function: Function, target: str, content: bytes, about: Mapping[str, str]
) -> bool:
    """Send an event that could not be processed to the function's dead-letter queue or topic; whether it was taken.

    AWS: the message is the event, its attributes are RequestID, ErrorCode and ErrorMessage ("Dead-letter queues").
    """
    parsed = arns.parse(target)
    if parsed is None:
        return False
    attributes = {
        name: {"DataType": "Number" if name == "ErrorCode" else "String", "StringValue": value}
        for name, value in about.items()
        if value
    }
    text = content.decode("utf-8", "replace")
    if parsed.service == "sqs":
        given = {"QueueUrl": queue_url(parsed), "MessageBody": text, "MessageAttributes": attributes}
        return await asked(runtime, credentials, "sqs", "SendMessage", given, parsed.region)
    given = {"TopicArn": target, "Message": text, "MessageAttributes": attributes}
    return await asked(runtime, credentials, "sns", "Publish", given, parsed.region)


async def asked(
    runtime: Runtime, credentials: Temporary, service: str, operation: str, given: Mapping[str, Any], region: str
) -> bool:
    """Ask for an operation; whether it was done."""
    told = await call(runtime, credentials, service, operation, given, region=region)
    if told.code is not None:
        log.warning("a record was not delivered by %s: %s", operation, told.code)
    return told.code is None


def _to_bus(arn: Arn, record: Record, function: Function) -> Request:
    outcome = "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {outcome}",
        "Resources": [record["requestContext"]["functionArn"], str(arn)],
        "Detail": json.dumps(record),
        "EventBusName": str(arn),
    }
    return "events", "PutEvents", {"Entries": [entry]}


def _to_bucket(arn: Arn, record: Record, function: Function) -> Request:
    now = datetime.now(UTC)
    key = f"aws/lambda/async/{function.name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{ids.request_id()}"
    return "s3", "PutObject", {"Bucket": arn.resource, "Key": key, "Body": json.dumps(record).encode()}


_SENDERS: Final[Mapping[str, Callable[[Arn, Record, Function], Request]]] = {
    "sqs": lambda arn, record, _: senders.to_queue(arn, json.dumps(record)),
    "sns": lambda arn, record, _: senders.to_topic(arn, json.dumps(record)),
    "lambda": lambda arn, record, _: senders.to_function(arn, json.dumps(record)),
    "events": _to_bus,
    "s3": _to_bucket,
}


def _sender(destination: str) -> Callable[[Arn, Record, Function], Request] | None:
    parsed = arns.parse(destination)
    return _SENDERS.get(parsed.service) if parsed is not None else None
