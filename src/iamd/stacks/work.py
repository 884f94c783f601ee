"""Work: a stack is created, updated, rolled back or deleted, one resource after another.

AWS: CloudFormation User Guide, "Stack status codes" (view-stack-events), "Update behaviors of stack resources",
"Choose how to handle failures when provisioning resources", and the two attributes "DeletionPolicy" and
"UpdateReplacePolicy".
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec.structs import replace

from iamd.auth.sealing import Keyring
from iamd.clock import Clock
from iamd.stacks import entities, nested, order, outside, recovery, scopes, sealed
from iamd.stacks.client import Client
from iamd.stacks.faults import ValidationError
from iamd.stacks.functions import Scope
from iamd.stacks.journal import Journal, Page, Superseded
from iamd.stacks.removing import Remover, in_order
from iamd.stacks.steps import Maker, StepFailed
from iamd.store.errors import Unavailable
from iamd.store.stack_records import Stack, StackResource
from iamd.store.store import Store

log = logging.getLogger(__name__)

_TURN_SECONDS: Final = 0.05
_PAUSE_SECONDS: Final = 1.0


class Cancelled(Exception):
    """The update was cancelled; what is done of it is rolled back."""


class Work:
    """One work on a stack, from the status that asks for it to the one that ends it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keyring: Keyring,
        account_id: str,
        stack_id: str,
        task: str,
        client: Client,
    ) -> None:
        self._clock, self._keyring, self._client = clock, keyring, client
        self._stack_id = stack_id
        self._journal = Journal(store, clock.timestamp, account_id, stack_id, task)
        self._maker = Maker(self._journal, keyring, client)
        self._remover = Remover(self._journal, keyring, client)

    async def run(self) -> None:
        """Do it; whatever happens to it is told by the stack."""
        try:
            await self._begin()
            await self._done()
        except Superseded:
            pass
        except Exception as error:
            log.exception("the work on %s broke off", self._stack_id)
            await self._broken_off(
                "The store was unavailable." if isinstance(error, Unavailable) else "Internal Failure"
            )
        finally:
            await self._end()

    async def _broken_off(self, reason: str) -> None:
        """The stack says that it can't go on; it can be deleted or changed then."""
        while True:
            try:
                await self._journal.write(lambda page, stack: recovery.end(page, stack, reason))
            except Superseded:
                return
            except Unavailable:
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _begin(self) -> None:
        """Wait until another work on the stack, which has seen that it was superseded, has ended."""

        def begun(page: Page, stack: Stack) -> bool:
            if stack.running is not None:
                return False
            page.put(replace(stack, running=stack.task))
            return True

        while not await self._journal.write(begun):  # noqa: ASYNC110 (it may be another process that ends)
            await asyncio.sleep(_TURN_SECONDS)

    async def _end(self) -> None:
        def ended(page: Page, stack: Stack) -> None:
            if stack.running == self._journal.task:
                page.put(replace(stack, running=None))

        with contextlib.suppress(Superseded, Unavailable):
            await self._journal.note(ended)

    async def _done(self) -> None:
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "CREATE_IN_PROGRESS": self._create,
            "UPDATE_IN_PROGRESS": self._update,
            "ROLLBACK_IN_PROGRESS": self._roll_back_creation,
            "UPDATE_ROLLBACK_IN_PROGRESS": self._roll_back_update,
            "DELETE_IN_PROGRESS": self._delete,
        }
        await works[self._journal.stack().status]()

    async def _status(self, status: str, reason: str | None = None) -> None:
        await self._journal.write(lambda page, stack: page.stack(stack, status, reason))

    async def _create(self) -> None:
        try:
            await self._make()
        except StepFailed as failed:
            await self._creation_failed(failed)
            return
        await self._complete("CREATE_COMPLETE")

    async def _creation_failed(self, failed: StepFailed) -> None:
        stack = self._journal.stack()
        if stack.on_failure == "DO_NOTHING":
            await self._status("CREATE_FAILED", failed.reason)
        elif stack.on_failure == "DELETE":
            await self._status("DELETE_IN_PROGRESS", f"{failed.reason}Delete requested by user.")
            await self._delete()
        else:
            await self._status("ROLLBACK_IN_PROGRESS", f"{failed.reason}Rollback requested by user.")
            await self._roll_back_creation()

    async def _roll_back_creation(self) -> None:
        failed = await self._remover.all(self._journal.stack(), rolls_back=True)
        if failed:
            await self._status("ROLLBACK_FAILED", _failed_to_delete(failed))
        else:
            await self._status("ROLLBACK_COMPLETE")

    async def _update(self) -> None:
        try:
            await self._make()
        except (StepFailed, Cancelled) as failed:
            await self._update_failed(failed.reason if isinstance(failed, StepFailed) else "User Initiated")
            return
        await self._status(nested.MADE)
        if not await self._agreed():
            await self._status("UPDATE_ROLLBACK_IN_PROGRESS")
            await self._roll_back_update()
            return
        await self._remover.left_over(self._wanted(), rolls_back=False)
        await self._within_ended()
        await self._complete("UPDATE_COMPLETE")

    async def _agreed(self) -> bool:
        """Whether the update is to stay, once that is known: it may be part of another one, which fails yet."""
        while (agreed := nested.is_agreed(self._journal.account(), self._journal.stack())) is None:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(_TURN_SECONDS)
        return agreed

    async def _within_ended(self) -> None:
        """Wait for the stacks within this one: what they have to remove is part of its update."""
        while nested.is_unfinished(self._journal.account(), self._journal.stack()):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(_TURN_SECONDS)

    async def _update_failed(self, reason: str) -> None:
        await self._journal.write(lambda page, stack: page.put(replace(stack, failure=reason)))
        stack = self._journal.stack()
        if stack.on_failure == "DO_NOTHING":
            await self._status("UPDATE_FAILED", reason)
        elif stack.former is None:
            # There is no state to go back to: it was never made whole.
            await self._status("ROLLBACK_IN_PROGRESS", reason)
            await self._roll_back_creation()
        else:
            await self._status("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            await self._roll_back_update()

    async def _roll_back_update(self) -> None:
        stack = self._journal.stack()
        changed = [one for one in reversed(in_order(self._resources())) if one.undo is not None]
        failed = [one.logical_id for one in changed if not await self._maker.undo(one, stack)]
        if failed:
            reason = f"The following resource(s) failed to update: [{', '.join(failed)}]. "
            await self._status("UPDATE_ROLLBACK_FAILED", reason)
            return
        await self._journal.write(_state_restored)
        await self._remover.left_over(self._wanted(), rolls_back=True)
        await self._align()
        await self._complete("UPDATE_ROLLBACK_COMPLETE")

    async def _delete(self) -> None:
        failed = await self._remover.all(self._journal.stack(), rolls_back=False)
        if failed:
            await self._status("DELETE_FAILED", _failed_to_delete(failed))
        else:
            await self._journal.write(_deleted)

    async def _make(self) -> None:
        """Make and change what the template asks for, and see what it gives out."""
        try:
            scope = await self._scope()
            scope.check()
            wanted = order.dependencies(scope.template, scope.wanted(), scope)
        except ValidationError as error:
            raise StepFailed("", f"{error.message} ") from error
        await self._maker.check_removals(frozenset(wanted))
        for logical_id, rests_on in wanted.items():
            self._check_whether_to_go_on()
            try:
                await self._maker.ensure(scope, logical_id, rests_on)
            except StepFailed:
                # What was waited for may have been given up for a reason of the whole stack's.
                self._check_whether_to_go_on()
                raise
        self._check_whether_to_go_on()
        try:
            outputs = scopes.outputs_of(scope)
            await self._journal.write(lambda page, stack: self._put_outputs(page, stack, scope, outputs))
        except ValidationError as error:
            raise StepFailed("", f"{error.message} ") from error

    def _check_whether_to_go_on(self) -> None:
        stack = self._journal.stack()
        if stack.is_cancelled:
            raise Cancelled
        if entities.is_late(stack, self._clock.timestamp()):
            raise StepFailed("", "Stack creation time exceeded the specified timeout. ")

    async def _scope(self) -> Scope:
        stack = self._journal.stack()
        if stack.state is None:
            raise Superseded
        found = scopes.template_of(stack.state)
        told = sealed.opened_parameters(self._keyring, self._stack_id, stack.state.parameters)
        zones = await outside.zones_for(found, self._client)
        return scopes.scope_of(found, told, self._stack_id, self._journal.account(), self._keyring, zones)

    def _put_outputs(self, page: Page, stack: Stack, scope: Scope, outputs: Sequence[sealed.Output]) -> None:
        exports = [output.export for output in outputs if output.export is not None]
        _check_exports(page, stack, exports, outputs, self._keyring)
        if stack.state is None:
            raise Superseded
        state = replace(stack.state, outputs=sealed.seal(self._keyring, stack.stack_id, outputs))
        used = scope.imported.used if isinstance(scope.imported, scopes.Imports) else set()
        page.put(replace(stack, state=state, exports=tuple(exports), imports=tuple(sorted(used))))

    def _wanted(self) -> frozenset[str]:
        """The logical ids that the stack's template has, where their conditions hold."""
        stack = self._journal.stack()
        if stack.state is None:
            raise Superseded
        found = scopes.template_of(stack.state)
        told = sealed.opened_parameters(self._keyring, self._stack_id, stack.state.parameters)
        scope = scopes.scope_of(found, told, self._stack_id, self._journal.account(), self._keyring, {})
        return frozenset(scope.wanted())

    async def _align(self) -> None:
        """What resources rest on, and what becomes of them at the end, are as the template before had them."""
        scope = await self._scope()
        wanted = order.dependencies(scope.template, scope.wanted(), scope)

        def aligned(page: Page, stack: Stack) -> None:
            for resource in self._resources(page):
                if resource.logical_id in wanted:
                    page.put(
                        replace(
                            resource,
                            depends_on=wanted[resource.logical_id],
                            deletion_policy=scope.template.resources[resource.logical_id].get(
                                "DeletionPolicy", "Delete"
                            ),
                        )
                    )

        await self._journal.write(aligned)

    async def _complete(self, status: str) -> None:
        """The stack is whole: what was kept to go back to is forgotten."""

        def completed(page: Page, stack: Stack) -> None:
            for resource in self._resources(page):
                if resource.undo is not None or resource.leftovers or resource.is_new:
                    page.put(replace(resource, undo=None, leftovers=(), is_new=False))
            policy = stack.next_policy if status == "UPDATE_COMPLETE" and stack.next_policy else stack.policy
            whole = replace(stack, former=None, is_cancelled=False, retained=(), policy=policy)
            page.stack(replace(whole, update_policy=None, next_policy=None, is_held=False), status)

        await self._journal.write(completed)

    def _resources(self, page: Page | None = None) -> list[StackResource]:
        account = page.account if page is not None else self._journal.account()
        return account.find(StackResource, "stack", self._stack_id)


def _failed_to_delete(names: Sequence[str]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(names)}]. "


def _state_restored(page: Page, stack: Stack) -> None:
    former = stack.former
    if former is None:
        raise Superseded
    page.stack(replace(stack, state=former), "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")


def _deleted(page: Page, stack: Stack) -> None:
    gone = replace(stack, deleted=page.now, exports=(), imports=(), former=None, task=None, running=None, retained=())
    page.stack(gone, "DELETE_COMPLETE")


def _check_exports(
    page: Page, stack: Stack, exports: Sequence[str], outputs: Sequence[sealed.Output], keyring: Keyring
) -> None:
    """Names that are exported are unique, and what others import stays as it is."""
    account, region = page.account, stack.region
    for name in exports:
        for other in account.find(Stack, "export", f"{region}/{name}"):
            if other.stack_id != stack.stack_id:
                raise ValidationError(f"Export with name {name} is already exported by stack {other.name}. ")
    if len(set(exports)) < len(exports):
        raise ValidationError(f"Duplicate Export names: {sorted(exports)}. ")
    values = {output.export: output.value for output in outputs if output.export is not None}
    state = stack.former or stack.state
    for before in sealed.opened_outputs(keyring, stack.stack_id, state.outputs if state is not None else None):
        if before.export is None or values.get(before.export) == before.value:
            continue
        users = [other.name for other in account.find(Stack, "import", f"{region}/{before.export}")]
        if users:
            verb = "updated" if before.export in values else "deleted"
            raise ValidationError(f"Export {before.export} cannot be {verb} as it is in use by {', '.join(users)}. ")
