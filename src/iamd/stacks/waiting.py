"""Waiting: what a stack waits for that comes from elsewhere: answers and signals, and stacks within it."""

import asyncio
from typing import Final

from iamd import callbacks
from iamd.runtime import Runtime
from iamd.stacks import entities, nested, sealed
from iamd.stacks.client import Stopped
from iamd.stacks.journal import account_in
from iamd.store.change import Change
from iamd.store.stack_records import Callback, Stack

_TURN_SECONDS: Final = 0.05


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
        """Wait a moment; Stopped when the stack's work was cancelled, or another was asked for, or its time is over."""
        found = self.stack(stack_id)
        if found is None or found.task != found.running:
            raise Stopped
        if (found.is_cancelled and found.status == nested.UPDATING) or entities.is_late(found, self.timestamp()):
            raise Stopped
        await asyncio.sleep(_TURN_SECONDS)

    async def opened(self, stack_id: str, logical_id: str, seconds: float, most: int) -> tuple[str, str]:
        """A callback of a resource, which ends after so many seconds or messages: its id, and its address."""
        callback = callbacks.made(stack_id, logical_id, self.timestamp() + seconds, most)
        await self._runtime.store.written(lambda change: change.put(self._account_id, callback))
        return callback.callback_id, callbacks.url_of(self._runtime, self._account_id, callback)

    async def closed(self, callback_id: str) -> None:
        """A callback takes no more."""
        await self._runtime.store.written(lambda change: self._forget(change, callback_id))

    def messages(self, stack_id: str, callback_id: str) -> list[bytes]:
        """What was sent to a callback of a stack so far; none to one that is closed."""
        found = account_in(self._runtime.store.snapshot(), self._account_id).get(Callback, callback_id)
        if found is None or found.stack_id != stack_id:
            return []
        return callbacks.contents_of(self._runtime.keyring, found)

    def callback_of(self, stack_id: str, address: str) -> str | None:
        """The callback of a stack that has this address."""
        named = callbacks.named(self._runtime.keyring, address)
        # SECURITY: what is sent to another account's callback, or another stack's, is none of this one's.
        if named is None or named[0] != self._account_id:
            return None
        found = account_in(self._runtime.store.snapshot(), self._account_id).get(Callback, named[1])
        return found.callback_id if found is not None and found.stack_id == stack_id else None

    def timestamp(self) -> float:
        """What time it is."""
        return self._runtime.clock.timestamp()

    def _forget(self, change: Change, callback_id: str) -> None:
        account = change.account(self._account_id)
        found = account.get(Callback, callback_id) if account is not None else None
        if found is not None:
            change.delete(self._account_id, found)
