"""Operations by their names in AWS's SDKs, with parameters as JSON: what a schedule's universal target calls.

AWS: EventBridge Scheduler User Guide, "Using universal targets in EventBridge Scheduler" (managing-targets-universal).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from iamd.errors import CommonError
from iamd.wire import models, parse_json, scalars
from iamd.wire.catalog import CATALOG
from iamd.wire.models import Operation
from iamd.wire.shapes import Member, Shape

_ARN: Final = re.compile(r"arn:(?:aws[a-z-]*):scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)", re.ASCII)
_BEGINNINGS: Final = (
    "get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover",
    "validate", "batchget", "batchdescribe", "batchread", "transactget", "adminget", "adminlist", "testmigration",
    "retrieve", "testconnection", "translatedocument", "isauthorized", "invokemodel",
)  # fmt: skip
"""What the names of operations begin with that are no targets."""
_INTEGERS: Final = frozenset({"integer", "long"})
_NUMBERS: Final = frozenset({"float", "double", "bigdecimal"})


class NotCallable(Exception):
    """An ARN that names no operation, or none that may be called; or parameters that are not the operation's."""


def is_universal(arn: str) -> bool:
    """Whether a target is an operation, and no resource."""
    return ":scheduler:::aws-sdk:" in arn


def operation_of(arn: str) -> Operation:
    """The operation that an ARN names; NotCallable when it names none that a schedule may call."""
    read = _ARN.fullmatch(arn)
    entry = CATALOG.in_sdks(read[1]) if read is not None else None
    if read is None or entry is None:
        raise NotCallable("no such service")
    name = _names(entry.name).get(read[2].lower())
    if name is None:
        raise NotCallable("no such operation")
    if name.lower().startswith(_BEGINNINGS):
        raise NotCallable("the operation only reads")
    return models.service(entry.name).operation(name)


@cache
def _names(service: str) -> Mapping[str, str]:
    """The operations of a service by their names in small letters: SDKs write their capitals otherwise."""
    return {name.lower(): name for name in models.service(service).operation_names}


def parameters(operation: Operation, text: str) -> dict[str, Any]:
    """The parameters that a JSON object gives an operation, in botocore's shape; NotCallable when it can't be."""
    try:
        given = parse_json.decode(text.encode())
    except CommonError as error:
        raise NotCallable("it is not well-formed JSON") from error
    if not isinstance(given, dict):
        raise NotCallable("it is no JSON object")
    return _structure(operation.input, given) if operation.input is not None else _nothing(given)


def _nothing(given: Mapping[str, Any]) -> dict[str, Any]:
    if given:
        raise NotCallable(f"The field '{next(iter(given))}' is not supported")
    return {}


def _structure(shape: Shape, given: Any) -> dict[str, Any]:
    """Members by their names, whose capitals SDKs write in their own way."""
    members = {name.lower(): member for name, member in shape.members.items()}
    found: dict[str, Any] = {}
    for name, value in _object(given).items():
        member = members.get(name.lower())
        if member is None or member.name in found:
            raise NotCallable(f"The field '{name}' is not supported")
        if value is not None:
            found[member.name] = _value(member, value)
    return found


def _object(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise NotCallable(f"an object is expected instead of {given!r}"[:200])
    return given


def _value(member: Member, given: Any) -> Any:
    shape = member.shape
    if shape.document:
        return given
    if shape.type == "structure":
        return _structure(shape, given)
    if shape.type == "map":
        return {name: _value(shape.value, value) for name, value in _object(given).items()}
    if shape.type == "list" and isinstance(given, list):
        return [_value(shape.element, item) for item in given]
    return _scalar(shape, given)


def _scalar(shape: Shape, given: Any) -> Any:
    if shape.type == "blob" and isinstance(given, str):
        # AWS: the Payload of an invocation is given as the text that it is.
        return given.encode()
    if shape.type == "timestamp":
        return _moment(given)
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if (
        (shape.type == "string" and isinstance(given, str))
        or (shape.type == "boolean" and isinstance(given, bool))
        or (shape.type in _INTEGERS and is_number and isinstance(given, int))
        or (shape.type in _NUMBERS and is_number)
    ):
        return given
    raise NotCallable(f"the type {shape.type} is expected instead of {given!r}"[:200])


def _moment(given: Any) -> datetime:
    """A date as ISO 8601 writes it, or in seconds since the epoch."""
    try:
        if isinstance(given, str):
            return scalars.timestamp(given, "iso8601")
        return datetime.fromtimestamp(float(given), UTC)
    except (CommonError, ValueError, TypeError, OverflowError, OSError) as error:
        raise NotCallable(f"a timestamp is expected instead of {given!r}"[:200]) from error
