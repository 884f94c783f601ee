"""Deliveries: what the embedded backend's services send to one another, told to iamd, which decides and sends it."""

from typing import Any, Literal

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
    is_by_role: bool = False
    """Whether it is sent in a session of the delivery's role, and not by the service itself."""


class Forwarded(msgspec.Struct, frozen=True):
    """What a caller is found by again: the key id, and the token of a session. Neither signs anything."""

    access_key_id: str
    session_token: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, tag="delivery"):
    """An operation that a service asks for: of its own accord, in a session of a role, or with a caller's permissions.

    `principal` is the service (`sns.amazonaws.com`), `account` the one that it acts for, `source` the ARN of the topic,
    rule or bucket for which it acts. `parameters` are in botocore's shape. `target` is the ARN of what it is sent to:
    deliveries to one target are sent in turn. `role` is the role whose session the service asks in,
    `external_id` what it tells the role's trust policy. `caller` is who had the service do it, and with whose
    permissions it asks. `reply` is what the service waits for the outcome by, where it does.
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
    caller: Forwarded | None = None
    dead_letter: DeadLetter | None = None
    reply: str | None = None

    @property
    def lane(self) -> str:
        """Deliveries of one lane are sent in turn; nobody who waits for an outcome waits for others."""
        return self.reply or self.target


class Outcome(msgspec.Struct, frozen=True):
    """What an operation was answered, in botocore's shape; or the error's code, words and HTTP status."""

    output: dict[str, Any] = {}
    code: str | None = None
    message: str = ""
    status: int = 200


class Scheduled(msgspec.Struct, frozen=True):
    """What has times: a rule of EventBridge's default bus, a schedule of EventBridge Scheduler with its group, a secret
    that is rotated.
    """

    kind: Literal["rule", "schedule", "secret"]
    account: str
    region: str
    name: str
    group: str = ""


class Timing(msgspec.Struct, frozen=True, kw_only=True, tag="timing"):
    """When something is due from now on; without an expression it is not due any more.

    `version` is another whenever it was put, changed, enabled or disabled, which was at the time `told`. `starts` and
    `ends` are in seconds since the epoch. What is due may wait as many minutes as its `window` has.
    """

    of: Scheduled
    version: int
    told: float = 0.0
    expression: str | None = None
    zone: str | None = None
    starts: float | None = None
    ends: float | None = None
    window: int = 0


def queue_url(queue: Arn) -> str:
    """The URL by which a queue is asked for."""
    return f"http://localhost/{queue.account}/{queue.resource}"
