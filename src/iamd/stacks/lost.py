"""Lost: what stacks had in the embedded backend, whose data ends with its process.

A stack forgets such resources when the backend begins anew, as iamd does with all that it knew of the backend's former
life: the next change of the stack makes them again, by decided requests, and its deletion asks for what is there alone.
What lives on in iamd, such as roles, stays the stack's.
"""

from typing import Final

from msgspec.structs import replace

from iamd.stacks.journal import Page
from iamd.store.change import Change
from iamd.store.stack_records import Stack, StackResource, Thing, Undo

REASON: Final = "It ended with the embedded backend."
STACK_REASON: Final = "Resources ended with the embedded backend; an update of the stack makes them again."


def forget_others(change: Change, boot: str | None, now: float) -> None:
    """Forget what stacks had in earlier lives of the embedded backend than this one; in all, where it has none yet."""
    for account_id in change.account_ids():
        page = Page(change, account_id, now)
        lost = [one for one in page.account.all(StackResource) if any(_is_lost(thing, boot) for thing in _things(one))]
        for resource in lost:
            _forget(page, resource, boot)
        for stack_id in sorted({one.stack_id for one in lost if one.now is not None and _is_lost(one.now, boot)}):
            stack = page.account.get(Stack, stack_id)
            if stack is not None and stack.deleted is None:
                page.put(replace(stack, reason=STACK_REASON))


def _things(resource: StackResource) -> list[Thing]:
    was = resource.undo.was if resource.undo is not None else None
    return [thing for thing in (resource.now, was, *resource.leftovers) if thing is not None]


def _is_lost(thing: Thing, boot: str | None) -> bool:
    return thing.backend_boot is not None and thing.backend_boot != boot


def _forget(page: Page, resource: StackResource, boot: str | None) -> None:
    left = tuple(thing for thing in resource.leftovers if not _is_lost(thing, boot))
    undo = resource.undo
    if undo is not None and undo.was is not None and _is_lost(undo.was, boot):
        undo = Undo(was=None)
    kept = replace(resource, leftovers=left, undo=undo)
    stack = page.account.get(Stack, resource.stack_id)
    if resource.now is None or not _is_lost(resource.now, boot) or stack is None:
        page.put(kept)
    else:
        page.resource(stack, replace(kept, now=None, status="DELETE_COMPLETE", reason=REASON))
