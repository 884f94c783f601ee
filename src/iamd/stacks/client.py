"""Requests that a stack makes: decided and recorded as those of whom it acts for; and what it waits for."""

from collections.abc import Mapping
from typing import Any, Protocol

from iamd.store.stack_records import Stack


class RequestFailed(Exception):
    """The service's error: its code, words and HTTP status."""

    def __init__(self, code: str, message: str, status: int, operation: str) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.operation = code, message, status, operation


class Stopped(Exception):
    """What was waited for is not waited for any more: the stack's work was cancelled, or another one was asked for."""


class Client(Protocol):
    """Calls operations of AWS's services, as whom the stack acts for, in the stack's account and Region."""

    account: str
    region: str
    partition: str

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation's answer in botocore's shape, by botocore's service name (`s3`, `CreateBucket`).

        RequestFailed with the service's error.
        """

    def boot_of(self, type: str) -> str | None:
        """The life of the embedded backend that resources of a type are in; None for those that outlive it."""

    def stack(self, stack_id: str) -> Stack | None:
        """A stack of the account as it is now: CloudFormation itself asks nobody for it."""

    def outputs(self, stack_id: str) -> dict[str, str]:
        """The outputs of a stack by their names."""

    async def pause(self, stack_id: str) -> None:
        """Wait a moment for what a stack waits for; Stopped when it need not be waited for."""

    async def opened(self, stack_id: str, logical_id: str, seconds: float, most: int = 1) -> tuple[str, str]:
        """A callback of a resource, which ends after so many seconds or messages: its id, and its address."""

    async def closed(self, callback_id: str) -> None:
        """A callback takes no more."""

    def messages(self, stack_id: str, callback_id: str) -> list[bytes]:
        """What was sent to a callback of a stack so far; none to one that is closed."""

    def callback_of(self, stack_id: str, address: str) -> str | None:
        """The callback of a stack that has this address."""

    def timestamp(self) -> float:
        """What time it is."""
