"""What the rules of EventBridge's buses send to their targets.

AWS: EventBridge User Guide, "Event bus targets" (eb-targets), "Input transformation" (eb-transform-target-input),
"Using resource-based policies" (eb-use-resource-based), "Dead-letter queues" (eb-rule-dlq); API Reference, Target.
"""

import copy
import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import EventsBackend, Rule, events_backends

from iamd import arn as arns
from iamd import event_paths, senders
from iamd.arn import Arn
from iamd.backend import handover
from iamd.backend.deliveries import transformer
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace
from iamd.backend.verdict import Origin
from iamd.delivery import DeadLetter, Delivery
from iamd.senders import Sending

log = logging.getLogger(__name__)

PRINCIPAL: Final = "events.amazonaws.com"
_OWN_FIELDS: Final = ("ingestion-time", "archive-arn")
"""What moto alone has in its events."""
_NOT_AUTHORIZED: Final = {
    "ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source.",
}  # fmt: skip
"""AWS: sources that begin with `aws.` are its services' own (API Reference, PutEventsRequestEntry)."""
_BY_ROLE: Final = frozenset({"kinesis", "firehose", "states", "events"})
"""Targets that EventBridge can send to only as a role."""


def install() -> None:
    """Hand over what rules send."""
    replace(Rule, "send_to_targets", _sent)
    replace(EventsBackend, "put_events", _put_events)


def receive(event: dict[str, Any], account_id: str, region: str) -> None:
    """Give an event of a service to the default bus of an account and Region."""
    bus = events_backends[account_id][region].event_buses["default"]
    for rule in list(bus.rules.values()):
        given: Any = {**copy.deepcopy(event), "ingestion-time": datetime.now(UTC).timestamp()}
        rule.send_to_targets(given)


def send_scheduled(rule: Any, time: float) -> None:
    """Send what a rule sends at a time of its own.

    AWS: EventBridge User Guide, "Creating a rule that runs on a schedule": the event is of aws.events, and of the rule.
    """
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account_id,
        "time": time,
        "region": rule.region_name,
        "resources": [rule.arn],
        "detail": {},
    }
    for target in rule.targets:
        _put(rule, target, _shown(event))


def _put_events(original: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[dict[str, Any]]]:
    def put_events(backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        origin = _origin_of_events()
        # SECURITY: rules take these for what a service has done. What comes of a rule may be of one.
        is_rules = origin is not None and origin.service == PRINCIPAL
        taken = [is_rules or not str(event.get("Source", "")).startswith("aws.") for event in events]
        found = iter(original(backend, [event for event, is_taken in zip(events, taken, strict=True) if is_taken]))
        return [next(found) if is_taken else dict(_NOT_AUTHORIZED) for is_taken in taken]

    return put_events


def _sent(original: Callable[..., None]) -> Callable[..., None]:
    def send_to_targets(rule: Any, event: dict[str, Any], transform_input: bool = True) -> None:
        origin = _origin_of_events()
        if origin is not None:
            # AWS: an event of another account is of that account (User Guide, eb-cross-account).
            event = {**event, "account": origin.account_id}
        if rule.managed_by is not None:
            # moto keeps its archives by rules of its own.
            original(rule, event, transform_input)
            return
        is_by_schedule = not rule.event_pattern.get_pattern()
        if rule.state == "DISABLED" or is_by_schedule or not rule.event_pattern.matches_event(event):
            return
        shown = _shown(event)
        for target in rule.targets:
            # AWS: what came from another bus is not sent to a third one (User Guide, eb-bus-to-bus).
            if origin is not None and origin.service == PRINCIPAL and _is_bus(target):
                log.warning("a rule sends nothing to %s: the event came from another bus", target["Arn"])
                continue
            _put(rule, target, shown)

    return send_to_targets


def _origin_of_events() -> Origin | None:
    """Where events come from that are put now; None where a service or a replay gives them to the bus."""
    verdict = CURRENT.get(None)
    is_put = verdict is not None and (verdict.service, verdict.operation) == ("events", "PutEvents")
    return verdict.origin if verdict is not None and is_put else None


def _is_bus(target: Mapping[str, Any]) -> bool:
    return ":event-bus/" in target["Arn"]


def _shown(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as targets are given it."""
    found = {name: value for name, value in event.items() if name not in _OWN_FIELDS}
    if not isinstance(found["time"], str):
        found["time"] = datetime.fromtimestamp(float(found["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return found


def _put(rule: Any, target: Mapping[str, Any], event: dict[str, Any]) -> None:
    arn = arns.parse(target["Arn"])
    if arn is None:
        return
    text = _input(rule, target, event)
    for service, operation, parameters in _sendings(arn, target, event, text):
        handover.put(
            Delivery(
                principal=PRINCIPAL,
                account=rule.account_id,
                source=rule.arn,
                service=service,
                operation=operation,
                region=arn.region,
                parameters=parameters,
                target=target["Arn"],
                role=target.get("RoleArn") if arn.service != "logs" else None,
                dead_letter=_dead_letter(rule, target, text),
            )
        )


def _input(rule: Any, target: Mapping[str, Any], event: dict[str, Any]) -> str:
    """What the target is given: the event, a part of it, a constant, or a text made of parts."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(event_paths.at(target["InputPath"], event, None))
    if target.get("InputTransformer"):
        return transformer.transformed(target["InputTransformer"], event, rule.arn, rule.name)
    return json.dumps(event)


def _sendings(arn: Arn, target: Mapping[str, Any], event: dict[str, Any], text: str) -> list[Sending]:
    """What is asked for, one after the other; nothing where iamd does not send to the kind of target."""
    if arn.service in _BY_ROLE and not target.get("RoleArn"):
        log.error("a rule sends nothing to %s: its target has no role", target["Arn"])
        return []
    if arn.service == "sqs":
        return [senders.to_queue(arn, text, (target.get("SqsParameters") or {}).get("MessageGroupId"))]
    if arn.service == "logs":
        return _to_log_group(arn, text)
    if arn.service == "kinesis":
        return [senders.to_stream(arn, text.encode(), _partition_key(target, event))]
    if arn.service == "events" and arn.resource.startswith("event-bus/"):
        return [_to_bus(arn, event)]
    sender = senders.TEXTS.get(arn.service)
    if sender is None:
        log.error("a rule sends nothing to %s: iamd does not send to %s", target["Arn"], arn.service)
        return []
    return [sender(arn, text)]


def _to_log_group(arn: Arn, text: str) -> list[Sending]:
    name, stream = arn.resource.removeprefix("log-group:").removesuffix(":*"), str(uuid.uuid4())
    place = {"logGroupName": name, "logStreamName": stream}
    entry = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": text}
    return [("logs", "CreateLogStream", place), ("logs", "PutLogEvents", {**place, "logEvents": [entry]})]


def _to_bus(arn: Arn, event: Mapping[str, Any]) -> Sending:
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": list(event["resources"]),
        "Time": event["time"],
        "EventBusName": str(arn),
    }
    return "events", "PutEvents", {"Entries": [entry]}


def _partition_key(target: Mapping[str, Any], event: dict[str, Any]) -> str:
    path = (target.get("KinesisParameters") or {}).get("PartitionKeyPath")
    return str(event_paths.at(path, event, event["id"]) if path else event["id"])


def _dead_letter(rule: Any, target: Mapping[str, Any], text: str) -> DeadLetter | None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return None
    told = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"]}
    return DeadLetter(
        queue=queue,
        body=text,
        attributes={name: {"DataType": "String", "StringValue": value} for name, value in told.items()},
        code_attribute="ERROR_CODE",
        message_attribute="ERROR_MESSAGE",
        group=hashlib.sha256(rule.arn.encode()).hexdigest() if queue.endswith(".fifo") else None,
    )
