"""Recovery: what a process worked on when it ended has failed, at its next start, and can be deleted or changed."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from iamd.runtime import Runtime
from iamd.stacks.journal import Page
from iamd.stacks.removing import replaced
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.stack_records import Stack, StackResource

REASON: Final = "iamd ended while this was in progress."
_FAILED: Final[Mapping[str, str]] = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
}


async def recover(runtime: Runtime) -> None:
    """End what this process had in progress, and the first one what processes had that there are no more."""
    snapshot = runtime.store.snapshot()
    if not any(_is_ours(stack, runtime) for number in snapshot.account_ids() for stack in _stacks(snapshot, number)):
        return

    def recovered(change: Change) -> None:
        for account_id in change.account_ids():
            for stack in _stacks(change, account_id):
                if _is_ours(stack, runtime):
                    _recovered(Page(change, account_id, runtime.clock.timestamp()), stack, runtime)

    await runtime.store.written(recovered)


def _stacks(view: Snapshot | Change, account_id: str) -> list[Stack]:
    account = view.account(account_id)
    return account.all(Stack) if account is not None else []


def _is_ours(stack: Stack, runtime: Runtime) -> bool:
    return _is_of(stack.running, runtime) or (stack.status in _FAILED and _is_of(stack.task, runtime))


def _is_of(task: str | None, runtime: Runtime) -> bool:
    if task is None:
        return False
    number = int(task.partition("-")[0])
    return number == runtime.worker or (runtime.worker == 0 and number >= runtime.settings.workers)


def _recovered(page: Page, stack: Stack, runtime: Runtime) -> None:
    if stack.status in _FAILED and _is_of(stack.task, runtime):
        end(page, stack, REASON)
    else:
        page.put(replace(stack, running=None))


def end(page: Page, stack: Stack, reason: str) -> None:
    """What is in progress of a stack is told as failed."""
    status = _FAILED.get(stack.status, stack.status)
    is_whole = status.endswith("COMPLETE")
    for resource in page.account.find(StackResource, "stack", stack.stack_id):
        if resource.status.endswith("_IN_PROGRESS"):
            failed = resource.status.replace("IN_PROGRESS", "FAILED")
            page.resource(stack, replace(resource, status=failed, reason=reason))
        elif is_whole:
            # What was to be removed is remembered, for the next change or the end of the stack.
            left = (*resource.leftovers, *replaced(resource))
            page.put(replace(resource, undo=None, is_new=False, leftovers=left))
    former = None if is_whole else stack.former
    page.stack(
        replace(stack, running=None, task=None, is_cancelled=False, is_held=False, former=former), status, reason
    )
