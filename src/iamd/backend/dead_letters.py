"""Dead-letter queues of moto's SQS: whose they may be, and messages that are moved out of them.

AWS: SQS API Reference, SetQueueAttributes (RedriveAllowPolicy), StartMessageMoveTask, ListMessageMoveTasks and
CancelMessageMoveTask; SQS Developer Guide, "Learn how to configure a dead-letter queue redrive": messages that are
moved are new ones, and the queues are of the same type. The words for what is refused are iamd's, but for those of a
source that is none, which are seen in SQS's answers.
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from threading import Lock, Thread
from typing import Any, Final
from uuid import uuid4
from weakref import WeakKeyDictionary

import msgspec
from moto.core.responses import ActionResult
from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import SQSException
from moto.sqs.models import Message, Queue
from moto.sqs.responses import SQSResponse

from iamd.backend import queue_attributes, queue_permissions
from iamd.backend.replacement import replace

_ATTRIBUTE: Final = "RedriveAllowPolicy"
_ALLOWED: Final = "redrive_allow_policy"
_SOURCES: Final = 10
"""The queues that a RedriveAllowPolicy may name at most."""

_TOLD: Final = 10
"""The tasks of a queue that ListMessageMoveTasks tells at most."""
_FASTEST: Final = 500
_RUNNING: Final = "RUNNING"
_UNTOLD: Final = "CouldNotDetermineMessageSource"
_GONE: Final = "AWS.SimpleQueueService.NonExistentQueue"


def install() -> None:
    """Have dead-letter queues be those of the queues that they allow, and their messages be moved."""
    queue_attributes.install()
    queue_permissions.install()
    Queue.BASE_ATTRIBUTES.append(_ATTRIBUTE)
    setattr(Queue, _ALLOWED, None)
    replace(Queue, "_set_attributes", _checked)
    replace(Queue, "_setup_dlq", _allowed)
    replace(Queue, "add_message", _traced)
    for name, function in (
        ("start_message_move_task", _start),
        ("list_message_move_tasks", _list),
        ("cancel_message_move_task", _cancel),
    ):
        if not hasattr(SQSResponse, name):
            setattr(SQSResponse, name, function)


# Whose dead letters a queue takes.


def _checked(original: Callable[..., None]) -> Callable[..., None]:
    def change(queue: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        if attributes.get(_ATTRIBUTE):
            _sources(attributes[_ATTRIBUTE])
        original(queue, {**attributes, **({_ATTRIBUTE: None} if attributes.get(_ATTRIBUTE) == "" else {})}, now)

    return change


def _sources(text: str) -> frozenset[str] | None:
    """The queues whose dead letters a RedriveAllowPolicy allows; None for all."""
    try:
        told = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise _invalid(_ATTRIBUTE, text, "It is no JSON object.") from None
    permission, named = told.get("redrivePermission"), told.get("sourceQueueArns")
    by_queue = permission == "byQueue"
    if permission not in {"allowAll", "denyAll", "byQueue"} or (named is not None) != by_queue:
        raise _invalid(_ATTRIBUTE, text, "redrivePermission and sourceQueueArns do not belong together.")
    if by_queue and not (isinstance(named, list) and 1 <= len(named) <= _SOURCES):
        raise _invalid(_ATTRIBUTE, text, f"sourceQueueArns are not one to {_SOURCES} queues.")
    return None if permission == "allowAll" else frozenset(map(str, named or ()))


def _allowed(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def setup_dlq(queue: Any, policy: Any) -> None:
        before = getattr(queue, "redrive_policy", None), queue.dead_letter_queue
        original(queue, policy)
        text = getattr(queue.dead_letter_queue, _ALLOWED, None)
        sources = _sources(text) if text else None
        if sources is not None and queue.queue_arn not in sources:
            queue.redrive_policy, queue.dead_letter_queue = before
            raise _invalid("RedrivePolicy", policy, "The dead-letter queue does not allow this queue as a source.")

    return setup_dlq


def _invalid(parameter: str, value: Any, reason: str) -> SQSException:
    return SQSException(
        "InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )


# Where messages come from.


def _traced(original: Callable[[Any, Message], None]) -> Callable[[Any, Message], None]:
    def add_message(queue: Any, message: Any) -> None:
        """Take a message, which knows in which queue it was before this one."""
        message.came_from, message.is_in = getattr(message, "is_in", None), queue.queue_arn
        original(queue, message)

    return add_message


# What is moved.


class _Task:
    """One move of a queue's messages: to one queue, or to those that they came from."""

    def __init__(self, source: Any, destination: str | None, rate: int | None) -> None:
        self.id = str(uuid4())
        self.source, self.destination, self.rate = source.queue_arn, destination, rate
        self.started = int(unix_time_millis())
        self.waiting = list(source.messages)
        self.to_move, self.moved = len(self.waiting), 0
        self.status, self.failure = _RUNNING, ""

    @property
    def handle(self) -> str:
        """What names the task, and tells the gateway which queue it is of."""
        return b64encode(msgspec.json.encode({"taskId": self.id, "sourceArn": self.source})).decode()

    def told(self) -> dict[str, Any]:
        """The task as ListMessageMoveTasks tells it."""
        found = {
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "TaskHandle": self.handle if self.status == _RUNNING else None,
            "FailureReason": self.failure or None,
        }
        return {name: value for name, value in found.items() if value is not None}


_TASKS: Final[WeakKeyDictionary[Any, list[_Task]]] = WeakKeyDictionary()
"""The tasks of each queue, newest first."""
_MOVING: Final = Lock()


def _start(response: Any) -> ActionResult:
    asked = response._get_param  # noqa: SLF001 - moto's responses have no other way
    queues = response.sqs_backend.queues
    source = _of(queues, asked("SourceArn"), "SourceArn")
    if all(one.dead_letter_queue is not source for one in queues.values()):
        raise SQSException("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    to, rate = asked("DestinationArn"), asked("MaxNumberOfMessagesPerSecond")
    destination = _of(queues, to, "DestinationArn") if to else None
    if destination is source:
        raise _invalid("DestinationArn", to, "It is the queue that the messages are in.")
    if destination is not None and destination.fifo_queue != source.fifo_queue:
        raise _invalid("DestinationArn", to, "The queues are not of the same type.")
    if rate is not None and not 1 <= rate <= _FASTEST:
        raise _invalid("MaxNumberOfMessagesPerSecond", rate, f"It is not between 1 and {_FASTEST}.")
    task = _Task(source, to, rate)
    with _MOVING:
        tasks = _TASKS.setdefault(source, [])
        if any(one.status == _RUNNING for one in tasks):
            raise SQSException("UnsupportedOperation", "There is a message move task of this queue that is running.")
        tasks.insert(0, task)
        del tasks[_TOLD:]
    moves = _moves(task, source, queues)
    if rate is None:
        for _ in moves:
            pass
    else:
        Thread(target=_slowly, args=(moves, rate), daemon=True).start()
    return ActionResult({"TaskHandle": task.handle})


def _slowly(moves: Iterator[None], rate: int) -> None:
    for _ in moves:
        time.sleep(1 / rate)


def _moves(task: _Task, source: Any, queues: Mapping[str, Any]) -> Iterator[None]:
    """Move the messages that could be received when the task was started, the oldest first, one at a time."""
    for message in task.waiting:
        with _MOVING:
            if task.status != _RUNNING:
                task.status = "CANCELLED"
                return
            if message not in source.messages:
                continue
            arn = task.destination or message.came_from
            destination = queues.get(arn.rpartition(":")[2]) if arn is not None else None
            if destination is None or destination.queue_arn != arn:
                task.status, task.failure = "FAILED", _UNTOLD if arn is None else _GONE
                return
            source._messages.remove(message)  # noqa: SLF001 - as moto does
            destination.add_message(_anew(message))
            task.moved += 1
        yield
    with _MOVING:
        task.status = "COMPLETED" if task.status == _RUNNING else "CANCELLED"


def _anew(message: Any) -> Message:
    """The message as a new one, with an id and a time of its own."""
    made = Message(str(uuid4()), message.body, message.system_attributes)
    made.message_attributes, made.sender_id = message.message_attributes, message.sender_id
    if message.group_id is not None:
        made.group_id, made.deduplication_id, made.sequence_number = message.group_id, made.id, message.sequence_number
    made.mark_sent()
    return made


def _list(response: Any) -> ActionResult:
    asked = response._get_param  # noqa: SLF001
    source, most = _of(response.sqs_backend.queues, asked("SourceArn"), "SourceArn"), asked("MaxResults")
    if most is not None and not 1 <= most <= _TOLD:
        raise _invalid("MaxResults", most, f"It is not between 1 and {_TOLD}.")
    return ActionResult({"Results": [task.told() for task in _TASKS.get(source, [])[: most or 1]]})


def _cancel(response: Any) -> ActionResult:
    # The gateway has read it.
    told = msgspec.json.decode(b64decode(response._get_param("TaskHandle"), validate=True))  # noqa: SLF001
    source = _of(response.sqs_backend.queues, told["sourceArn"], "TaskHandle")
    with _MOVING:
        for task in _TASKS.get(source, []):
            if task.id == told.get("taskId") and task.status == _RUNNING:
                task.status = "CANCELLING"
                return ActionResult({"ApproximateNumberOfMessagesMoved": task.moved})
    raise SQSException("ResourceNotFoundException", "There is no such message move task that is running.")


def _of(queues: Mapping[str, Any], arn: str, parameter: str) -> Any:
    """The queue of an ARN, in the account and Region that were decided."""
    found = queues.get(arn.rpartition(":")[2])
    if found is None or found.queue_arn != arn:
        # SECURITY: moto knows queues by their names, and the decision was about one Region and account.
        words = f"The resource that you specified for the {parameter} parameter doesn't exist."
        raise SQSException("ResourceNotFoundException", words)
    return found
