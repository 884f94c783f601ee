"""What a schedule asks of its target: a common operation of a few services, or any operation by its name.

AWS: EventBridge Scheduler User Guide, "Using templated targets" (managing-targets-templated), "Using universal targets"
(managing-targets-universal) and "Adding context attributes" (managing-schedule-context-attributes); API Reference,
Target.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd import senders
from iamd.arn import Arn
from iamd.clock import iso_of
from iamd.gateway import sdk_calls
from iamd.senders import Sending
from iamd.wire.validate import validate


class Context(msgspec.Struct, frozen=True):
    """What a schedule can tell its target of an attempt."""

    schedule: str
    account: str
    region: str
    moment: float
    execution_id: str
    attempt: int

    @property
    def time(self) -> str:
        """The moment for which the target is asked."""
        return iso_of(int(self.moment))


class Kind(msgspec.Struct, frozen=True):
    """A kind of resource that can be a target: how its ARN's resource begins, its parameters, how it is asked."""

    beginning: str
    sending: Callable[[Arn, str, Mapping[str, Any]], Sending]
    parameters: str | None = None
    needs_parameters: bool = False
    takes_json: bool = False


def _to_queue(queue: Arn, text: str, given: Mapping[str, Any]) -> Sending:
    return senders.to_queue(queue, text, given.get("MessageGroupId"))


def _to_stream(stream: Arn, text: str, given: Mapping[str, Any]) -> Sending:
    return senders.to_stream(stream, text.encode(), given["PartitionKey"])


def _to_bus(bus: Arn, text: str, given: Mapping[str, Any]) -> Sending:
    event = {"Source": given["Source"], "DetailType": given["DetailType"], "Detail": text, "EventBusName": str(bus)}
    return "events", "PutEvents", {"Entries": [event]}


def _plain(sender: Callable[[Arn, str], Sending]) -> Callable[[Arn, str, Mapping[str, Any]], Sending]:
    return lambda target, text, _: sender(target, text)


KINDS: Final[Mapping[str, Kind]] = {
    "sqs": Kind("", _to_queue, "SqsParameters"),
    "sns": Kind("", _plain(senders.to_topic)),
    "lambda": Kind("function:", _plain(senders.to_function), takes_json=True),
    "states": Kind("stateMachine:", _plain(senders.to_state_machine), takes_json=True),
    "events": Kind("event-bus/", _to_bus, "EventBridgeParameters", needs_parameters=True, takes_json=True),
    "kinesis": Kind("stream/", _to_stream, "KinesisParameters", needs_parameters=True),
    "firehose": Kind("deliverystream/", _plain(senders.to_firehose)),
}
"""Templated targets, by the service in their ARNs."""


def kind_of(target: Arn) -> Kind | None:
    """The kind of target that an ARN names; None where it is none that iamd sends to."""
    kind = KINDS.get(target.service)
    return kind if kind is not None and target.resource.startswith(kind.beginning) else None


def asked(target: Mapping[str, Any], context: Context) -> tuple[Sending, str]:
    """What is asked of a target, and in which Region; NotCallable when it can't be."""
    text = text_of(target, context)
    if sdk_calls.is_universal(target["Arn"]):
        operation = sdk_calls.operation_of(target["Arn"])
        parameters = sdk_calls.parameters(operation, text)
        validate(operation, parameters)
        return (operation.service, operation.name, parameters), context.region
    arn = arns.parse(target["Arn"])
    kind = kind_of(arn) if arn is not None else None
    if arn is None or kind is None:
        raise sdk_calls.NotCallable(f"{target['Arn']} is no target")
    return kind.sending(arn, text, target.get(kind.parameters or "") or {}), arn.region


def text_of(target: Mapping[str, Any], context: Context) -> str:
    """What the target is given, with what is told of the attempt in the place of its keywords."""
    text = target.get("Input")
    if text is None:
        return "{}" if sdk_calls.is_universal(target["Arn"]) else _notification(context)
    told = {
        "schedule-arn": context.schedule,
        "scheduled-time": context.time,
        "execution-id": context.execution_id,
        "attempt-number": str(context.attempt),
    }
    for name, value in told.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)


def _notification(context: Context) -> str:
    """AWS: without an Input the target is given a notification of the schedule (API Reference, Target)."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": context.account,
        "time": context.time,
        "region": context.region,
        "resources": [context.schedule],
        "detail": "{}",
    }
    return json.dumps(event)
