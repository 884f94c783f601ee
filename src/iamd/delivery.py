"""Deliveries: what the embedded backend's services send to one another, told to iamd, which decides and sends it."""

from typing import Any

import msgspec

from iamd.arn import Arn


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """The queue that gets what could not be delivered, the message, and its attributes.

    `code_attribute` and `message_attribute` are the names under which the error is told there, where it is.
    """

    queue: str
    body: str
    attributes: dict[str, dict[str, Any]] = {}
    code_attribute: str | None = None
    message_attribute: str | None = None
    group: str | None = None
    """The message group of a FIFO queue."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that a service asks for: of its own accord, or in a session of a role.

    `principal` is the service (`sns.amazonaws.com`), `account` the one that it acts for, `source` the ARN of the topic,
    rule or bucket for which it acts. `parameters` are in botocore's shape. `target` is the ARN of what it is sent to:
    deliveries to one target are sent in turn. `role` is the role whose session the service asks in,
    `external_id` what it tells the role's trust policy.
    """

    principal: str
    account: str
    source: str
    service: str
    operation: str
    region: str
    parameters: dict[str, Any]
    target: str
    role: str | None = None
    external_id: str | None = None
    dead_letter: DeadLetter | None = None


def queue_url(queue: Arn) -> str:
    """The URL by which a queue is asked for."""
    return f"http://localhost/{queue.account}/{queue.resource}"
