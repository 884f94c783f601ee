"""Removing: what a stack leaves behind, and whole stacks, in the order in which nothing rests on what goes."""

from collections.abc import Sequence

from msgspec.structs import replace

from iamd.auth.sealing import Keyring
from iamd.stacks import handlers, sealed
from iamd.stacks.client import Client
from iamd.stacks.handlers import Made, Wanted
from iamd.stacks.journal import Journal, Page
from iamd.stacks.steps import is_other, told
from iamd.store.stack_records import Stack, StackResource, Thing


def in_order(resources: Sequence[StackResource]) -> list[StackResource]:
    """Resources, each after those that it rests on."""
    waiting = {resource.logical_id: resource for resource in resources}
    ordered: list[StackResource] = []
    while waiting:
        ready = [one for one in waiting.values() if not waiting.keys() & set(one.depends_on)]
        # What several templates have left may rest on each other: then any of them comes first.
        ordered += [waiting.pop(one.logical_id) for one in ready or list(waiting.values())[:1]]
    return ordered


class Remover:
    """Removes the resources of one stack."""

    def __init__(self, journal: Journal, keyring: Keyring, client: Client) -> None:
        self._journal, self._keyring, self._client = journal, keyring, client

    async def all(self, stack: Stack, *, rolls_back: bool) -> list[str]:
        """Remove every resource but those that are kept; gives the ids of those that could not be."""
        failed: list[str] = []
        kept: set[str] = set()
        for entry in reversed(in_order(self._entries())):
            if not _things(entry):
                continue
            self._journal.stack()
            if self._is_needed(entry, kept):
                kept.add(entry.logical_id)
            elif _is_retained(entry, stack, undoes=rolls_back):
                await self._skipped(entry)
            elif not await self._removed(entry):
                failed.append(entry.logical_id)
                kept.add(entry.logical_id)
        return failed

    def _is_needed(self, entry: StackResource, kept: set[str]) -> bool:
        """Whether something rests on it that could not be removed."""
        return any(other.logical_id in kept and entry.logical_id in other.depends_on for other in self._entries())

    async def left_over(self, wanted: frozenset[str], *, rolls_back: bool) -> None:
        """Remove what the stack's template does not have any more; what can't be removed is left.

        AWS: the update is complete all the same (CloudFormation User Guide, "Stack status codes").
        """
        stack = self._journal.stack()
        for entry in reversed(in_order(self._entries())):
            if entry.logical_id in wanted:
                for thing in (*entry.leftovers, *replaced(entry)):
                    await self._leftover(entry, thing)
                continue
            if _things(entry) and _is_retained(entry, stack, undoes=rolls_back and entry.is_new):
                await self._skipped(entry)
            else:
                await self._removed(entry)
            await self._forgotten(entry)

    async def _forgotten(self, entry: StackResource) -> None:
        def forgotten(page: Page, _: Stack) -> None:
            found = page.account.get(StackResource, entry.key)
            if found is not None:
                page.change.delete(page.account_id, found)

        await self._journal.write(forgotten)

    async def _leftover(self, entry: StackResource, thing: Thing) -> None:
        """Remove what something else took the place of; the resource itself stays as it is."""
        shown = replace(entry, type=thing.type)
        if thing.replace_policy == "Retain":
            await self._step(shown, "DELETE_SKIPPED", None, thing.physical_id)
            return
        await self._step(shown, "DELETE_IN_PROGRESS", None, thing.physical_id)
        why = await self._deleted(entry, thing)
        await self._step(shown, "DELETE_FAILED" if why else "DELETE_COMPLETE", why, thing.physical_id)

    async def _step(self, entry: StackResource, status: str, reason: str | None, physical_id: str) -> None:
        await self._journal.write(lambda page, stack: page.step(stack, entry, status, reason, physical_id))

    async def _removed(self, entry: StackResource) -> bool:
        """Remove a resource with all that there is of it; whether that could be done."""
        things = _things(entry)
        if not things:
            return True
        begun = replace(entry, status="DELETE_IN_PROGRESS", reason=None)
        await self._journal.write(lambda page, stack: page.resource(stack, begun))
        why = None
        for thing in things:
            why = await self._deleted(entry, thing) or why
        ended = replace(begun, status="DELETE_FAILED", reason=why)
        if why is None:
            ended = replace(begun, status="DELETE_COMPLETE", now=None, undo=None, leftovers=())
        await self._journal.note(lambda page, stack: page.resource(stack, ended))
        return why is None

    async def _skipped(self, entry: StackResource) -> None:
        skipped = replace(entry, status="DELETE_SKIPPED", reason=None, now=None, undo=None, leftovers=())
        await self._journal.write(lambda page, stack: page.resource(stack, skipped))

    async def _deleted(self, entry: StackResource, thing: Thing) -> str | None:
        """Why a thing could not be removed; None when it is gone."""
        inside = sealed.opened_thing(self._keyring, self._journal.stack_id, thing.sealed)
        wanted = Wanted(
            logical_id=entry.logical_id,
            type=thing.type,
            properties=inside.used,
            stack_name=self._journal.stack_id.split("/")[1],
            stack_id=self._journal.stack_id,
            generated_name=inside.name,
            tags=inside.tags,
        )
        made = Made(physical_id=thing.physical_id, attributes=inside.attributes, hidden=inside.hidden)
        try:
            await handlers.delete(wanted, made, self._client)
        except Exception as error:  # noqa: BLE001 (whatever it is, the stack tells it)
            return told(error)
        return None

    def _entries(self) -> list[StackResource]:
        return self._journal.account().find(StackResource, "stack", self._journal.stack_id)


def _things(entry: StackResource) -> list[Thing]:
    """All that there is of a resource, the newest first."""
    return [*([entry.now] if entry.now is not None else []), *entry.leftovers, *replaced(entry)]


def replaced(entry: StackResource) -> list[Thing]:
    """What was there before the work that goes on, and has been replaced."""
    was = entry.undo.was if entry.undo is not None else None
    return [was] if was is not None and (entry.now is None or is_other(entry.now, was)) else []


def _is_retained(entry: StackResource, stack: Stack, *, undoes: bool) -> bool:
    """Whether a resource stays when its stack goes; `undoes` says that the work which made it is rolled back.

    AWS: CloudFormation User Guide, "DeletionPolicy attribute"; API Reference, CreateStack, RetainExceptOnCreate.
    """
    if entry.logical_id in stack.retained:
        return True
    if undoes:
        return entry.deletion_policy == "Retain" and not stack.deletes_retained
    return entry.deletion_policy in {"Retain", "RetainExceptOnCreate"}
