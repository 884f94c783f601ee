"""Stacks and change sets by what they are called in requests."""

import re
import uuid
from typing import Final

from iamd import arn as arns
from iamd.stacks.faults import ChangeSetNotFound, ValidationError
from iamd.store.account import Account
from iamd.store.stack_records import ChangeSet, Stack, StackEvent, StackResource

_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", re.ASCII)

REVIEW: Final = "REVIEW_IN_PROGRESS"
DELETED: Final = "DELETE_COMPLETE"
UPDATABLE: Final = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
)
"""AWS: the states of a stack that can be updated (CloudFormation User Guide, "Stack status codes", and "Choose how to
handle failures when provisioning resources" for those that failed).
"""


def check_name(name: str) -> None:
    """A new stack can have this name."""
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def new_stack_id(account_id: str, region: str, name: str) -> str:
    """The ARN of a new stack."""
    return f"arn:{arns.PARTITION}:cloudformation:{region}:{account_id}:stack/{name}/{uuid.uuid4()}"


def new_change_set_id(account_id: str, region: str, name: str) -> str:
    """The ARN of a new change set."""
    return f"arn:{arns.PARTITION}:cloudformation:{region}:{account_id}:changeSet/{name}/{uuid.uuid4()}"


def find_stack(account: Account, region: str, name: str) -> Stack | None:
    """The stack of a name, or of an id, which a deleted one has too."""
    if not name.startswith("arn:"):
        return account.one(Stack, "name", f"{region}/{name}")
    found = account.get(Stack, name)
    return found if found is not None and found.region == region else None


def named_stack(account: Account, region: str, name: str) -> Stack:
    """The stack of a name or id that is not deleted; ValidationError when there is none."""
    found = find_stack(account, region, name)
    if found is None or found.deleted is not None:
        raise ValidationError(f"Stack [{name}] does not exist")
    return found


def is_worked_on(stack: Stack) -> bool:
    """Whether something of a stack is in progress."""
    return stack.status.endswith("_IN_PROGRESS") and stack.status != REVIEW


def is_reviewed(stack: Stack) -> bool:
    """Whether there is nothing of a stack but change sets."""
    return stack.status == REVIEW


def is_late(stack: Stack, now: float) -> bool:
    """Whether a stack is still being made when it should have been (CreateStack, TimeoutInMinutes)."""
    minutes = stack.timeout_minutes if stack.status == "CREATE_IN_PROGRESS" else None
    return minutes is not None and now > stack.created + minutes * 60


def resources_of(account: Account, stack: Stack) -> list[StackResource]:
    """The resources of a stack, in the order in which they came."""
    return account.find(StackResource, "stack", stack.stack_id)


def resource_of(account: Account, stack: Stack, logical_id: str) -> StackResource | None:
    """A resource of a stack."""
    return account.get(StackResource, f"{stack.stack_id}/{logical_id}")


def events_of(account: Account, stack_id: str) -> list[StackEvent]:
    """The events of a stack, oldest first."""
    return account.find(StackEvent, "stack", stack_id)


def change_sets_of(account: Account, stack: Stack) -> list[ChangeSet]:
    """The change sets of a stack."""
    return account.find(ChangeSet, "stack", stack.stack_id)


def find_change_set(account: Account, region: str, name: str, stack_name: str | None) -> ChangeSet | None:
    """The change set of an ARN, or of a name within a stack."""
    if name.startswith("arn:"):
        return account.get(ChangeSet, name)
    if not stack_name:
        raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = find_stack(account, region, stack_name)
    if stack is None:
        return None
    return next((one for one in change_sets_of(account, stack) if one.name == name), None)


def named_change_set(account: Account, region: str, name: str, stack_name: str | None) -> ChangeSet:
    """The same; ChangeSetNotFound when there is none."""
    found = find_change_set(account, region, name, stack_name)
    if found is None:
        raise ChangeSetNotFound(name)
    return found
