"""Policies of moto's SQS queues: they stay when other attributes are set, and permissions are added to any of them.

moto expects a list of statements that all have a Sid. AWS: in a policy a Sid is optional, and Statement may be a single
object (IAM User Guide, "IAM JSON policy elements"); SQS API Reference, AddPermission and RemovePermission.
"""

from collections.abc import Callable
from typing import Any

from moto.sqs.models import Queue, SQSBackend

from iamd.backend.replacement import argument, replace


class _Statement(dict[str, Any]):
    """A statement whose Sid is None where it has none."""

    def __missing__(self, name: str) -> None:
        """What it does not have; as JSON it has it no more than before."""


def install() -> None:
    """Have both read any policy, and keep it."""
    replace(Queue, "_set_attributes", _keeping_policy)
    replace(SQSBackend, "add_permission", _among_statements)
    replace(SQSBackend, "remove_permission", _among_statements)


def _keeping_policy(original: Callable[..., None]) -> Callable[..., None]:
    """AWS: SetQueueAttributes sets the attributes that it names (SQS API Reference)."""

    def change(queue: Any, attributes: Any, now: float | None = None) -> None:
        kept = getattr(queue, "policy", None)
        original(queue, attributes, now)
        if "Policy" not in attributes and kept is not None:
            queue.policy = kept

    return change


def _among_statements(original: Callable[..., None]) -> Callable[..., None]:
    def change(backend: Any, *given: Any, **named: Any) -> None:
        name = argument(original, "queue_name", backend, *given, **named)
        policy = backend.get_queue(name)._policy_json  # noqa: SLF001 - where moto keeps it
        statements = policy.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        policy["Statement"] = [_Statement(one) for one in listed]
        original(backend, *given, **named)

    return change
