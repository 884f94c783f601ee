"""The operations by which a text is sent to a queue, a topic, a function, a stream or a bus, in botocore's shape."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.arn import Arn
from iamd.delivery import queue_url

Sending = tuple[str, str, dict[str, Any]]
"""Service, operation and parameters."""


def to_queue(queue: Arn, text: str, group: str | None = None, deduplication: str | None = None) -> Sending:
    """A message to a queue; `group` and `deduplication` are those of a FIFO queue."""
    given = {"QueueUrl": queue_url(queue), "MessageBody": text}
    given |= {"MessageGroupId": group} if group else {}
    given |= {"MessageDeduplicationId": deduplication} if deduplication else {}
    return "sqs", "SendMessage", given


def to_topic(topic: Arn, text: str) -> Sending:
    """A message to a topic."""
    return "sns", "Publish", {"TopicArn": str(topic), "Message": text}


def to_function(function: Arn, text: str) -> Sending:
    """An event for a function, which nobody waits for."""
    return "lambda", "Invoke", {"FunctionName": str(function), "InvocationType": "Event", "Payload": text.encode()}


def to_firehose(stream: Arn, text: str) -> Sending:
    """A record for a delivery stream."""
    given = {"DeliveryStreamName": stream.resource.rpartition("/")[2], "Record": {"Data": text.encode()}}
    return "firehose", "PutRecord", given


def to_state_machine(machine: Arn, text: str) -> Sending:
    """An execution of a state machine."""
    return "stepfunctions", "StartExecution", {"stateMachineArn": str(machine), "input": text}


def to_stream(stream: Arn, data: bytes, partition_key: str) -> Sending:
    """A record for a data stream."""
    return "kinesis", "PutRecord", {"StreamARN": str(stream), "Data": data, "PartitionKey": partition_key}


TEXTS: Final[Mapping[str, Callable[[Arn, str], Sending]]] = {
    "sqs": to_queue,
    "sns": to_topic,
    "lambda": to_function,
    "firehose": to_firehose,
    "states": to_state_machine,
}
"""How a text is sent, by the service in the target's ARN."""
