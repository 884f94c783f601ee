"""The client that stacks have in a running server: requests within the process, as whom the stack acts for."""

import uuid
from collections.abc import Mapping
from typing import Any

from iamd import arn
from iamd.inner_requests import InnerRequests, Refused
from iamd.own_services import OWN_SERVICES
from iamd.runtime import Runtime
from iamd.stacks import handlers
from iamd.stacks.acting import SERVICE, Acting
from iamd.stacks.client import RequestFailed
from iamd.stacks.waiting import Waiting
from iamd.store.stack_records import Stack
from iamd.wire.hosts import host_of
from iamd.wire.models import Operation
from iamd.wire.models import service as model_of


class ServiceClient:
    """Calls operations as whom a stack acts for, in the stack's account and Region.

    `host` is what the client named that asked for the stack's work: addresses that services make (a queue's URL) are
    addresses there.
    """

    def __init__(self, runtime: Runtime, acting: Acting, *, account: str, region: str, host: str) -> None:
        self._requests = InnerRequests(runtime, SERVICE, host=_neutral(host), via=acting.via)
        self._waiting = Waiting(runtime, account)
        self._runtime = runtime
        self._acting = acting
        self.account = account
        self.region = region
        self.partition = arn.PARTITION

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation's answer; RequestFailed with the service's error."""
        given = _with_tokens(model_of(service).operation(operation), parameters)
        try:
            return await self._requests.call(self._acting.key, service, operation, given, self.region)
        except Refused as error:
            raise RequestFailed(error.code, error.message, error.status, operation) from error

    def boot_of(self, type: str) -> str | None:
        """The life of the embedded backend that resources of a type are in; None for those that outlive it."""
        service, gateway = handlers.service_of(type), self._runtime.gateway
        if service in OWN_SERVICES or service is None or gateway is None:
            return None
        return gateway.boot_of(service, self.account, self.region)

    def stack(self, stack_id: str) -> Stack | None:
        """A stack of the account as it is now."""
        return self._waiting.stack(stack_id)

    def outputs(self, stack_id: str) -> dict[str, str]:
        """The outputs of a stack by their names."""
        return self._waiting.outputs(stack_id)

    async def pause(self, stack_id: str) -> None:
        """Wait a moment; Stopped when the stack's work need not go on."""
        await self._waiting.pause(stack_id)

    async def opened(self, stack_id: str, logical_id: str, seconds: float, most: int = 1) -> tuple[str, str]:
        """A callback of a resource: its id, and its address."""
        return await self._waiting.opened(stack_id, logical_id, seconds, most)

    async def closed(self, callback_id: str) -> None:
        """A callback takes no more."""
        await self._waiting.closed(callback_id)

    def messages(self, stack_id: str, callback_id: str) -> list[bytes]:
        """What was sent to a callback of a stack so far."""
        return self._waiting.messages(stack_id, callback_id)

    def callback_of(self, stack_id: str, address: str) -> str | None:
        """The callback of a stack that has this address."""
        return self._waiting.callback_of(stack_id, address)

    def timestamp(self) -> float:
        """What time it is."""
        return self._waiting.timestamp()


def _with_tokens(operation: Operation, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters with the tokens that make a request one that is done once, as SDKs add them."""
    members = operation.input.members.values() if operation.input is not None else ()
    missing = [one.name for one in members if one.idempotency_token and one.name not in parameters]
    return {**parameters, **{name: str(uuid.uuid4()) for name in missing}}


def _neutral(host: str) -> str:
    """The host, or that of this machine when it names a service: requests go to several."""
    named = host_of(host)
    if not named.entries and named.bucket is None and named.point is None:
        return host
    port = host.rpartition(":")[2]
    return f"localhost:{port}" if port.isascii() and port.isdigit() else "localhost"
