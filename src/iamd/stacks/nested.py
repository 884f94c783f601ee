"""Nested stacks: what stacks that are resources of others have of those, and wait for.

AWS: CloudFormation User Guide, "Nested stacks" (using-cfn-nested-stacks). A nested stack's update is part of its
parent's: it is complete when that one is, and goes back when that one does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.call import Call
from iamd.stacks.faults import ValidationError
from iamd.store.account import Account
from iamd.store.stack_records import Stack

TYPE: Final = "AWS::CloudFormation::Stack"
DEEPEST: Final = 10
"""Stacks within stacks; a template that nests itself would have no end."""
UPDATING: Final = "UPDATE_IN_PROGRESS"
MADE: Final = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
"""A stack that is all that its template asks for, while something is still to be removed."""

_GOES_BACK: Final = frozenset(
    {
        "ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)  # fmt: skip


def parent_of(call: Call) -> Stack | None:
    """The stack whose resource the one is that a call makes or changes; None where somebody else calls."""
    return call.account.get(Stack, call.made_for) if call.made_for is not None else None


def new_in(call: Call, parent: Stack | None) -> dict[str, str]:
    """Where a new stack belongs; ValidationError where it would be too deep."""
    if parent is None:
        return {}
    if sum(1 for _ in ancestors(call.account, parent)) >= DEEPEST:
        raise ValidationError(f"Stacks can't be nested more than {DEEPEST} deep.")
    return {"parent_id": parent.stack_id, "root_id": parent.root_id or parent.stack_id}


def with_role(given: Mapping[str, Any], parent: Stack | None) -> Mapping[str, Any]:
    """What a parent gives, with its service role, which was passed to it: a nested stack has the same."""
    return given if parent is None or parent.role_arn is None else {**given, "role_arn": parent.role_arn}


def ancestors(account: Account, stack: Stack) -> Iterator[Stack]:
    """The stacks that a stack is within, the next one first."""
    found: Stack | None = stack
    while found is not None and found.parent_id is not None:
        found = account.get(Stack, found.parent_id)
        if found is not None:
            yield found


def root_of(account: Account, stack: Stack) -> Stack:
    """The outermost stack: itself, where it is within none."""
    return (account.get(Stack, stack.root_id) if stack.root_id is not None else None) or stack


def is_agreed(account: Account, stack: Stack) -> bool | None:
    """Whether an update that is made is to stay: None while an update that it is part of is not made itself."""
    if not stack.is_held:
        return True
    for ancestor in ancestors(account, stack):
        if ancestor.status in _GOES_BACK:
            return False
        if ancestor.status == UPDATING:
            return None
        if not (ancestor.status == MADE and ancestor.is_held):
            break
    return True


def is_unfinished(account: Account, stack: Stack) -> bool:
    """Whether a stack within this one is still in progress."""
    return any(one.status.endswith("_IN_PROGRESS") for one in account.find(Stack, "parent", stack.stack_id))
