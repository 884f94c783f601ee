"""Journal: what is written of a stack: its status, its resources, and an event for each step.

AWS: CloudFormation User Guide, "Stack events", and API Reference, StackEvent.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from msgspec.structs import replace

from iamd.stacks import entities
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.stack_records import Callback, ChangeSet, Stack, StackEvent, StackResource
from iamd.store.store import Store

STACK_TYPE: Final = "AWS::CloudFormation::Stack"
KEPT_SECONDS: Final = 90 * 86400
"""AWS: deleted stacks are listed for 90 days (API Reference, ListStacks), and so are events kept here."""

T = TypeVar("T")


class Superseded(Exception):
    """The stack is gone, or another work on it was asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """One stack, open for one write."""

    change: Change
    account_id: str
    now: float

    @property
    def account(self) -> Account:
        """The stack's account, with what was written."""
        return self.change.account(self.account_id) or Account(self.account_id)

    def put(self, record: Stack | StackResource | StackEvent | ChangeSet) -> None:
        """Write a record."""
        self.change.put(self.account_id, record)

    def stack(self, stack: Stack, status: str, reason: str | None = None) -> Stack:
        """Write a stack with a new status, and the event of that."""
        written = replace(stack, status=status, reason=reason)
        self.put(written)
        self._event(written, stack.name, stack.stack_id, STACK_TYPE, status, reason)
        return written

    def resource(self, stack: Stack, resource: StackResource) -> None:
        """Write a resource as it is now, and the event of that."""
        self.put(replace(resource, changed=self.now))
        self.step(stack, resource, resource.status, resource.reason, resource.physical_id)

    def step(
        self, stack: Stack, resource: StackResource, status: str, reason: str | None, physical_id: str | None
    ) -> None:
        """Write an event of a resource."""
        self._event(stack, resource.logical_id, physical_id, resource.type, status, reason)

    def _event(
        self, stack: Stack, logical_id: str, physical_id: str | None, type: str, status: str, reason: str | None
    ) -> None:
        before = entities.events_of(self.account, stack.stack_id)
        is_stack = type == STACK_TYPE
        self.put(
            StackEvent(
                event_id=str(uuid.uuid4()) if is_stack else f"{logical_id}-{status}-{uuid.uuid4()}",
                stack_id=stack.stack_id,
                number=before[-1].number + 1 if before else 1,
                time=self.now,
                logical_id=logical_id,
                physical_id=physical_id,
                type=type,
                status=status,
                reason=reason,
                token=stack.token,
            )
        )

    def forget_old(self) -> None:
        """Forget stacks that were deleted long ago, and all that belongs to them; and old events of all others."""
        for callback in self.account.all(Callback):
            if callback.expires < self.now:
                self.change.delete(self.account_id, callback)
        for stack in self.account.all(Stack):
            is_over = stack.deleted is not None and stack.deleted < self.now - KEPT_SECONDS
            for event in entities.events_of(self.account, stack.stack_id):
                if is_over or event.time < self.now - KEPT_SECONDS:
                    self.change.delete(self.account_id, event)
            if is_over:
                for resource in entities.resources_of(self.account, stack):
                    self.change.delete(self.account_id, resource)
                self.change.delete(self.account_id, stack)


@dataclass(frozen=True, slots=True)
class Journal:
    """The writes of one work on a stack."""

    store: Store
    timestamp: Callable[[], float]
    account_id: str
    stack_id: str
    task: str

    def account(self) -> Account:
        """The account as it is now."""
        return account_in(self.store.snapshot(), self.account_id)

    def stack(self) -> Stack:
        """The stack as it is now; Superseded when this work is no more that which it waits for."""
        return self._current(self.account())

    def is_superseded(self) -> bool:
        """Whether the stack is gone, or another work on it was asked for."""
        found = self.account().get(Stack, self.stack_id)
        return found is None or found.task != self.task

    def _current(self, account: Account) -> Stack:
        found = account.get(Stack, self.stack_id)
        if found is None or found.task != self.task:
            raise Superseded
        return found

    async def write(self, work: Callable[[Page, Stack], T]) -> T:
        """Write what this work has come to."""
        return await self._written(lambda page: work(page, self._current(page.account)))

    async def note(self, work: Callable[[Page, Stack], T]) -> T:
        """Write what has happened, though another work may be waited for by now."""

        def written(page: Page) -> T:
            found = page.account.get(Stack, self.stack_id)
            if found is None:
                raise Superseded
            return work(page, found)

        return await self._written(written)

    async def _written(self, work: Callable[[Page], T]) -> T:
        return await self.store.written(lambda change: work(Page(change, self.account_id, self.timestamp())))


def account_in(snapshot: Snapshot, account_id: str) -> Account:
    """An account, an empty one when it is gone."""
    return snapshot.account(account_id) or Account(account_id)
