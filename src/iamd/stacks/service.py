"""The stacks of a server: who acts for them, and the work on them that goes on in this process."""

import asyncio
from typing import Final

from iamd import call as calls
from iamd.runtime import Runtime
from iamd.services.sts import sessions
from iamd.stacks import entities, lost, recovery
from iamd.stacks.acting import Acting, AsCaller, AsRole
from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.faults import ValidationError
from iamd.stacks.journal import account_in
from iamd.stacks.requests import ServiceClient
from iamd.stacks.work import Work
from iamd.store.stack_records import Stack

_PATIENCE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.02


class Stacks:
    """One for each process, on its event loop."""

    def __init__(self, runtime: Runtime, loop: asyncio.AbstractEventLoop) -> None:
        self._runtime = runtime
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def worker(self) -> int:
        """The number of this process among several."""
        return self._runtime.worker

    def client(self, call: calls.Call, role_arn: str | None, stack_id: str) -> Client:
        """What asks other services for the stack: as its service role, or as the caller."""
        return self._client(call, self._acting(call, role_arn, stack_id))

    async def able_client(self, call: calls.Call, role_arn: str | None, stack_id: str) -> Client:
        """The same; ValidationError at once when the role is not there or does not let CloudFormation assume it."""
        acting = self._acting(call, role_arn, stack_id)
        if role_arn is not None:
            try:
                await acting.key()
            except RequestFailed as error:
                raise ValidationError(error.message) from error
        return self._client(call, acting)

    def _acting(self, call: calls.Call, role_arn: str | None, stack_id: str) -> Acting:
        if role_arn is None:
            return AsCaller(self._runtime, call.identity, stack_id or None)
        return AsRole(self._runtime, role_arn, stack_id, sessions.ancestors(call))

    def _client(self, call: calls.Call, acting: Acting) -> Client:
        host = call.request.header(b"host") or ""
        account: str = call.identity.account_id
        return ServiceClient(self._runtime, acting, account=account, region=call.region, host=host)

    def begin(self, account_id: str, stack_id: str, task: str, client: Client) -> None:
        """Have the work on a stack done that is being written; from any thread."""
        work = Work(self._runtime.store, self._runtime.clock, self._runtime.keyring, account_id, stack_id, task, client)
        self._loop.call_soon_threadsafe(self._start, work)

    def _start(self, work: Work) -> None:
        self._keep(self._loop.create_task(work.run()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, account_id: str, stack_id: str) -> None:
        """Wait until nothing of a stack is in progress, for a few seconds at most."""
        ends = self._loop.time() + _PATIENCE_SECONDS
        while self._loop.time() < ends:
            found = account_in(self._runtime.store.snapshot(), account_id).get(Stack, stack_id)
            if found is None or not entities.is_worked_on(found):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def recover(self) -> None:
        """End what was in progress when this process ended before."""
        await recovery.recover(self._runtime)

    async def forget_others(self, boot: str | None) -> None:
        """Have stacks forget what they had in earlier lives of the embedded backend."""
        now = self._runtime.clock.timestamp()
        await self._runtime.store.written(lambda change: lost.forget_others(change, boot, now))

    def begun_anew(self, boot: str) -> None:
        """The embedded backend has begun another life, without data."""
        self._keep(self._loop.create_task(self.forget_others(boot)))

    async def clear(self) -> None:
        """End the work that goes on in this process; what it was on is told as broken off at the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def stacks_of(call: calls.Call) -> Stacks:
    """The stacks of the server that a call is made to."""
    found = call.stacks() if call.stacks is not None else None
    if not isinstance(found, Stacks):
        raise TypeError("this process has no stacks yet")
    return found
