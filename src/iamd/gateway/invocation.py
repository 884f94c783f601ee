"""Invocations of Lambda functions that the embedded backend holds: decided here, and run by iamd."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.gateway.actions import lambda_
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import Operation

_INVOKING: Final = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_CHANGING: Final = frozenset(
    {
        "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction",
        "PublishVersion", "CreateAlias", "UpdateAlias", "DeleteAlias",
        "PutFunctionConcurrency", "DeleteFunctionConcurrency",
        "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig",
        "CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping",
        "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig",
    }
)  # fmt: skip
"""Operations that are checked by what runs functions, and told to it afterwards."""


class NotRun(AWSError):
    """Functions are not run here."""

    code = "InvalidRuntimeException"


class Invocation(msgspec.Struct, frozen=True):
    """What a request to invoke a function says."""

    operation: Operation
    request_id: str
    account: str
    region: str
    name: str
    qualifier: str | None
    parameters: Mapping[str, Any]


def invokes(operation: Operation) -> bool:
    """Whether an operation runs a function."""
    return operation.service == "lambda" and operation.name in _INVOKING


def changes(operation: Operation) -> bool:
    """Whether after an operation a function is another, or is run otherwise."""
    return operation.service == "lambda" and operation.name in _CHANGING


def of(asked: Asked, request_id: str) -> Invocation:
    """The invocation that was asked for."""
    given = asked.parameters
    whole, qualifier = lambda_.function_arn(given["FunctionName"], given.get("Qualifier"), asked)
    parsed = arns.parse(whole)
    if parsed is None:
        raise TypeError(whole)
    name = parsed.resource.partition(":")[2]
    return Invocation(asked.operation, request_id, parsed.account, parsed.region, name, qualifier, given)
