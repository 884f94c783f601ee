"""Requests that a stack makes: decided and recorded as those of whom it acts for."""

from collections.abc import Mapping
from typing import Any, Protocol


class RequestFailed(Exception):
    """The service's error: its code, words and HTTP status."""

    def __init__(self, code: str, message: str, status: int, operation: str) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.operation = code, message, status, operation


class Client(Protocol):
    """Calls operations of AWS's services, as whom the stack acts for, in the stack's account and Region."""

    account: str
    region: str
    partition: str

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation's answer in botocore's shape, by botocore's service name (`s3`, `CreateBucket`).

        RequestFailed with the service's error.
        """
