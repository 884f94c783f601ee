"""Waiting: what a stack waits for that comes from elsewhere: answers of custom resources, and stacks within it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from iamd import callbacks
from iamd.runtime import Runtime
from iamd.stacks import sealed
from iamd.stacks.client import Stopped
from iamd.stacks.journal import account_in
from iamd.store.change import Change
from iamd.store.stack_records import Callback, Stack

_TURN_SECONDS: Final = 0.05
_CANCELLABLE: Final = "UPDATE_IN_PROGRESS"


class Waiting:
    """What the stacks of one account wait for, by what the store has of it: another process may have written it."""

    def __init__(self, runtime: Runtime, account_id: str) -> None:
        self._runtime = runtime
        self._account_id = account_id

    def stack(self, stack_id: str) -> Stack | None:
        """A stack as it is now."""
        return account_in(self._runtime.store.snapshot(), self._account_id).get(Stack, stack_id)

    def outputs(self, stack_id: str) -> dict[str, str]:
        """The outputs of a stack by their names; none when it is not there."""
        found = self.stack(stack_id)
        state = found.state if found is not None else None
        told = sealed.opened_outputs(self._runtime.keyring, stack_id, state.outputs) if state is not None else []
        return {output.key: output.value for output in told}

    async def pause(self, stack_id: str) -> None:
        """Wait a moment; Stopped when the stack's work was cancelled, or another one was asked for."""
        found = self.stack(stack_id)
        if found is None or found.task != found.running or (found.is_cancelled and found.status == _CANCELLABLE):
            raise Stopped
        await asyncio.sleep(_TURN_SECONDS)

    async def answer(
        self, stack_id: str, logical_id: str, seconds: float, ask: Callable[[str], Awaitable[None]]
    ) -> bytes | None:
        """The first message that is sent to an address that `ask` hands on; None when none comes in time."""
        ends = self._runtime.clock.timestamp() + seconds
        callback = callbacks.made(stack_id, logical_id, ends, 1)
        await self._runtime.store.written(lambda change: change.put(self._account_id, callback))
        try:
            await ask(callbacks.url_of(self._runtime, self._account_id, callback))
            while not (said := self._said(callback.callback_id)) and self._runtime.clock.timestamp() < ends:
                await self.pause(stack_id)
            return said[0] if said else None
        finally:
            await self._runtime.store.written(lambda change: self._forget(change, callback.callback_id))

    def _said(self, callback_id: str) -> list[bytes]:
        found = account_in(self._runtime.store.snapshot(), self._account_id).get(Callback, callback_id)
        return callbacks.contents_of(self._runtime.keyring, found) if found is not None else []

    def _forget(self, change: Change, callback_id: str) -> None:
        account = change.account(self._account_id)
        found = account.get(Callback, callback_id) if account is not None else None
        if found is not None:
            change.delete(self._account_id, found)
