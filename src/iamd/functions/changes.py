"""What functions are told to be from now on, checked before the embedded backend is told: it would take anything."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.errors import Common, CommonError
from iamd.functions import destinations, mapped
from iamd.functions.errors import InvalidParameterValue, ResourceNotFound
from iamd.gateway.actions import lambda_
from iamd.gateway.actions.asked import Asked
from iamd.runtime import Runtime
from iamd.wire import validate

_LATEST: Final = "$LATEST"
_UNQUALIFIED: Final = frozenset(
    {
        "CreateAlias", "CreateFunction", "DeleteAlias", "DeleteFunctionConcurrency", "PublishVersion",
        "PutFunctionConcurrency", "UpdateAlias", "UpdateFunctionCode", "UpdateFunctionConfiguration",
    }
)  # fmt: skip
"""Operations on whole functions."""


async def check(runtime: Runtime, embedded: EmbeddedBackend, asked: Asked) -> None:
    """What a function is told to do can be done; refused when it can't."""
    operation, parameters = asked.operation.name, asked.parameters
    validate.validate(asked.operation, parameters)
    if operation in _UNQUALIFIED:
        _check_whole(asked)
    now = runtime.clock.timestamp()
    if operation in {"CreateEventSourceMapping", "UpdateEventSourceMapping"} and parameters.get("FunctionName"):
        _check_own(asked)
    if operation == "CreateEventSourceMapping":
        mapped.check(operation, parameters, {}, now)
    elif operation in {"UpdateEventSourceMapping", "DeleteEventSourceMapping"}:
        known = await mapping(embedded, asked)
        if operation == "UpdateEventSourceMapping":
            mapped.check(operation, parameters, known, now)
    elif operation in _CHECKS:
        _CHECKS[operation](parameters)


def _check_whole(asked: Asked) -> None:
    # SECURITY: the right to change a function is decided on the function; a version that is named beside it would be
    # changed in its place, and versions stay as they were published.
    _, qualifier = lambda_.function_arn(asked.parameters["FunctionName"], None, asked)
    if qualifier not in {None, _LATEST}:
        raise InvalidParameterValue(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )


def _check_own(asked: Asked) -> None:
    # SECURITY: what is decided by `lambda:FunctionArn` is the function that is named; the embedded backend maps the one
    # of this name in the account and the Region where the mapping is made.
    whole, _ = lambda_.function_arn(asked.parameters["FunctionName"], None, asked)
    found = arns.parse(whole)
    if found is None or (found.account, found.region) != (asked.account, asked.region):
        raise ResourceNotFound(f"Function not found: {whole}")


async def mapping(embedded: EmbeddedBackend, asked: Asked) -> Mapping[str, Any]:
    """The mapping that is asked for, as it is; ResourceNotFound when there is none."""
    wanted = asked.account, asked.region, asked.parameters.get("UUID")
    try:
        every = await embedded.mappings()
    except BackendDown as error:
        raise CommonError(Common.UNAVAILABLE, "The backend is not available.") from error
    for known in every:
        if (known["account"], known["region"], known["UUID"]) == wanted:
            return known
    raise ResourceNotFound("The resource you requested does not exist.")


def _check_configuration(parameters: Mapping[str, Any]) -> None:
    if ((parameters.get("SnapStart") or {}).get("ApplyOn") or "None") != "None":
        raise InvalidParameterValue("iamd takes no snapshots of functions: SnapStart is not supported.")


def _check_events(parameters: Mapping[str, Any]) -> None:
    destinations.check(parameters.get("DestinationConfig") or {})


def _check_url(parameters: Mapping[str, Any]) -> None:
    if parameters.get("InvokeMode") not in {None, "BUFFERED"}:
        raise InvalidParameterValue("iamd answers at function URLs when the function has ended: InvokeMode BUFFERED.")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "CreateFunction": _check_configuration,
    "UpdateFunctionConfiguration": _check_configuration,
    "PutFunctionEventInvokeConfig": _check_events,
    "UpdateFunctionEventInvokeConfig": _check_events,
    "CreateFunctionUrlConfig": _check_url,
    "UpdateFunctionUrlConfig": _check_url,
}
