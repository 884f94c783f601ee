"""What topics send to their subscriptions: to queues, functions and delivery streams by iamd.

AWS: SNS Developer Guide, "Fanout to Amazon SQS queues" (sns-sqs-as-subscriber), "Fanout to Lambda functions"
(sns-lambda-as-subscriber), "Fanout to Firehose delivery streams" (sns-firehose-as-subscriber), "Amazon SNS raw message
delivery" (sns-large-payload-raw-message-delivery) and "Amazon SNS dead-letter queues" (sns-dead-letter-queues).
"""

import base64
import json
import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from flask import has_request_context, request
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription

from iamd import arn as arns
from iamd import senders
from iamd.backend import handover
from iamd.backend.replacement import always, replace
from iamd.delivery import DeadLetter, Delivery
from iamd.senders import Sending

log = logging.getLogger(__name__)

PRINCIPAL: Final = "sns.amazonaws.com"
_PROTOCOLS: Final = frozenset({"sqs", "lambda", "firehose"})
_NAMED_OTHERWISE: Final = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
"""Members that events of functions name in another way than messages do."""


def install() -> None:
    """Hand over what is sent to other services."""
    replace(Subscription, "publish", _published)
    replace(SNSBackend, "set_subscription_attributes", _set)
    # moto would make a key for each subscription, which takes longer than all else.
    replace(Subscription, "private_key", always(lambda _: _signing_key()))


@cache
def _signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _published(original: Callable[..., None]) -> Callable[..., None]:
    def publish(
        subscription: Any,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> None:
        if subscription.protocol not in _PROTOCOLS:
            original(
                subscription, message, message_id, subject, message_attributes, group_id, deduplication_id,
                message_structure,
            )  # fmt: skip
            return
        try:
            if not _is_wanted(subscription, message, message_attributes):
                return
            if message_structure == "json":
                message = subscription._parse_message_structure(message, subscription.protocol)  # noqa: SLF001 - moto has no other way
            told = subscription.get_post_data(message, message_id, subject, message_attributes=message_attributes)
            _put(subscription, told, group_id, deduplication_id)
        except Exception:
            # SECURITY: who subscribes keeps nobody from publishing, and the others from what is published.
            log.exception("the subscription %s is sent nothing", subscription.arn)

    return publish


def _is_wanted(subscription: Any, message: str, attributes: dict[str, Any] | None) -> bool:
    matcher = subscription._filter_policy_matcher  # noqa: SLF001 - moto has no other way
    return matcher is None or bool(matcher.matches(attributes, message))


def _set(original: Callable[..., None]) -> Callable[..., None]:
    def set_subscription_attributes(backend: Any, arn: str, name: str, value: Any) -> None:
        if value and not _VALUES.get(name, lambda _: True)(value):
            # AWS: API Reference, SetSubscriptionAttributes.
            raise SNSInvalidParameter(f"Invalid parameter: {name}: Reason: the value is none that it can have")
        original(backend, arn, name, value)

    return set_subscription_attributes


def _is_redrive_policy(value: Any) -> bool:
    try:
        policy = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return False
    named = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
    queue = arns.parse(named) if isinstance(named, str) else None
    return queue is not None and queue.service == "sqs"


_VALUES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "FilterPolicyScope": lambda value: value in {"MessageAttributes", "MessageBody"},
    "RedrivePolicy": _is_redrive_policy,
}
"""Attributes of subscriptions that moto takes whatever their value is, and whether they can have it."""


def _put(subscription: Any, told: dict[str, Any], group: str | None, deduplication: str | None) -> None:
    topic, endpoint = arns.parse(subscription.topic.arn), arns.parse(subscription.endpoint)
    if topic is None or endpoint is None:
        return
    # It leads to iamd, at the address that the publisher used.
    told["UnsubscribeURL"] = f"http://{_host()}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
    service, operation, parameters = _sending(subscription, endpoint, told, group, deduplication)
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=topic.account,
            source=subscription.topic.arn,
            service=service,
            operation=operation,
            region=endpoint.region,
            parameters=parameters,
            target=subscription.endpoint,
            role=subscription.attributes.get("SubscriptionRoleArn") if subscription.protocol == "firehose" else None,
            dead_letter=_dead_letter(subscription, json.dumps(told), group),
        )
    )


def _host() -> str:
    return str(request.host) if has_request_context() else "localhost"


def _sending(
    subscription: Any, endpoint: arns.Arn, told: dict[str, Any], group: str | None, deduplication: str | None
) -> Sending:
    if subscription.protocol == "lambda":
        return senders.to_function(endpoint, json.dumps({"Records": [_event(subscription, told)]}))
    is_raw = subscription.attributes.get("RawMessageDelivery") in {True, "true", "True"}
    text = told["Message"] if is_raw else json.dumps(told, indent=2)
    if subscription.protocol == "firehose":
        return senders.to_firehose(endpoint, text + "\n")
    service, operation, parameters = senders.to_queue(endpoint, text, group, deduplication)
    if is_raw and told.get("MessageAttributes"):
        parameters["MessageAttributes"] = {name: _attribute(value) for name, value in told["MessageAttributes"].items()}
    return service, operation, parameters


def _attribute(told: Mapping[str, Any]) -> dict[str, Any]:
    kind, value = str(told["Type"]), told["Value"]
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": _bytes(value)}
    return {"DataType": "String" if kind.startswith("String.Array") else kind, "StringValue": str(value)}


def _bytes(text: str) -> bytes:
    """What a publisher's text of base64 holds, or the text when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _event(subscription: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    notification = {_NAMED_OTHERWISE.get(name, name): value for name, value in told.items()}
    return {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "EventSource": "aws:sns",
        "Sns": {"Subject": None, "MessageAttributes": {}, **notification},
    }


def _dead_letter(subscription: Any, body: str, group: str | None) -> DeadLetter | None:
    told = subscription.attributes.get("RedrivePolicy")
    policy = json.loads(told) if isinstance(told, str) else told
    queue = (policy or {}).get("deadLetterTargetArn")
    if not queue:
        return None
    return DeadLetter(queue=queue, body=body, group=group)
