"""Event source mappings as they are made: what each kind of source takes, and what a mapping says.

AWS: Lambda API Reference, CreateEventSourceMapping and UpdateEventSourceMapping; Lambda Developer Guide, "Lambda
parameters" of each source (services-sqs-parameters, services-kinesis-parameters, services-ddb-params).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.arn import Arn
from iamd.functions import filters
from iamd.functions.errors import InvalidParameterValue
from iamd.wire import models, validate

_ALL: Final = frozenset(
    {
        "EventSourceArn", "FunctionName", "Enabled", "BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes", "Tags", "UUID",
    }
)  # fmt: skip
_QUEUES: Final = _ALL | {"ScalingConfig"}
_STREAMS: Final = _ALL | {
    "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "ParallelizationFactor", "StartingPosition", "StartingPositionTimestamp", "TumblingWindowInSeconds",
}  # fmt: skip
_SOURCES: Final[Mapping[str, tuple[str, re.Pattern[str], frozenset[str]]]] = {
    "sqs": ("SQS queues", re.compile("[^/:]+"), _QUEUES),
    "kinesis": ("Kinesis streams", re.compile("stream/[^/:]+(?:/consumer/[^/:]+(?::[0-9]+)?)?"), _STREAMS),
    "dynamodb": ("DynamoDB streams", re.compile("table/[^/:]+/stream/[^/]+"), _STREAMS),
}
"""What each service's sources are called, the resources of their ARNs, and which parameters they take."""
_UNBATCHED: Final = 10
"""AWS: more messages than these a batch has only with a batching window (services-sqs-parameters)."""
_YOUNGEST: Final = 60
_DESTINATIONS: Final = frozenset({"sqs", "sns", "s3"})
"""AWS: where records of discarded batches go (Lambda API Reference, OnFailure)."""
_NOTHING: Final[tuple[object, ...]] = (None, [], {}, "")


class Filter(msgspec.Struct, frozen=True):
    """One event pattern."""

    Pattern: str = ""


class Criteria(msgspec.Struct, frozen=True):
    """The filters of a mapping."""

    Filters: tuple[Filter, ...] | None = None


class Place(msgspec.Struct, frozen=True):
    """Where something is sent."""

    Destination: str = ""


class Destinations(msgspec.Struct, frozen=True):
    """Where a mapping sends records of what was discarded."""

    OnFailure: Place | None = None


class Mapped(msgspec.Struct, frozen=True):
    """A mapping, as the embedded backend holds it."""

    UUID: str
    account: str
    region: str
    enabled: bool
    EventSourceArn: str
    FunctionArn: str
    BatchSize: int = 10
    MaximumBatchingWindowInSeconds: int = 0
    FunctionResponseTypes: tuple[str, ...] = ()
    FilterCriteria: Criteria = Criteria()
    StartingPosition: str = "TRIM_HORIZON"
    StartingPositionTimestamp: float | None = None
    ParallelizationFactor: int = 1
    BisectBatchOnFunctionError: bool = False
    MaximumRetryAttempts: int = -1
    MaximumRecordAgeInSeconds: int = -1
    TumblingWindowInSeconds: int = 0
    DestinationConfig: Destinations = Destinations()

    @property
    def source(self) -> Arn:
        """The ARN of the queue or stream."""
        return _parsed(self.EventSourceArn)

    @property
    def function(self) -> tuple[str, str, str, str | None]:
        """The function's account, Region, name and qualifier."""
        parsed = _parsed(self.FunctionArn)
        _, name, *qualifier = parsed.resource.split(":")
        return parsed.account, parsed.region, name, qualifier[0] if qualifier else None

    @property
    def destination(self) -> str | None:
        """Where records of what was discarded are sent."""
        place = self.DestinationConfig.OnFailure
        return place.Destination or None if place is not None else None

    @property
    def reports(self) -> bool:
        """Whether the function tells which records it could not process."""
        return "ReportBatchItemFailures" in self.FunctionResponseTypes

    @property
    def keeps(self) -> filters.Keeps | None:
        """Whether a record reaches the function."""
        return filters.keeper([one.Pattern for one in self.FilterCriteria.Filters or ()], self.source.service)


def _parsed(text: str) -> Arn:
    parsed = arns.parse(text)
    if parsed is None:
        raise TypeError(text)
    return parsed


def check(operation: str, given: Mapping[str, Any], known: Mapping[str, Any], now: float) -> None:
    """A mapping that can be run as it will be, `known` being what it is so far; refused when it can't."""
    validate.validate(models.service("lambda").operation(operation), given)
    settings = {**known, **given}
    source = _source(settings.get("EventSourceArn") or "")
    words, _, names = _SOURCES[source.service]
    for name, value in given.items():
        is_window = name == "TumblingWindowInSeconds" and value == 0
        if name not in names and value not in _NOTHING and not is_window:
            raise InvalidParameterValue(f"{name} is not supported for event source mappings of {words} here.")
    patterns = [one.get("Pattern", "") for one in (settings.get("FilterCriteria") or {}).get("Filters") or ()]
    filters.check(patterns, source.service)
    _CHECKS[source.service](settings, now)


def _source(text: str) -> Arn:
    source = arns.parse(text)
    known = _SOURCES.get(source.service) if source is not None else None
    if source is None or known is None or not known[1].fullmatch(source.resource):
        raise InvalidParameterValue("iamd polls SQS queues, Kinesis streams and DynamoDB streams, and nothing else.")
    return source


def _check_queue(settings: Mapping[str, Any], _: float) -> None:
    size, window = settings.get("BatchSize") or _UNBATCHED, settings.get("MaximumBatchingWindowInSeconds") or 0
    is_fifo = settings["EventSourceArn"].endswith(".fifo")
    if is_fifo and window:
        raise InvalidParameterValue("Batching window is not supported for FIFO queues.")
    if is_fifo and size > _UNBATCHED:
        raise InvalidParameterValue(f"The batches of FIFO queues have at most {_UNBATCHED} messages.")
    if size > _UNBATCHED and not window:
        words = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        raise InvalidParameterValue(words)


def _check_stream(settings: Mapping[str, Any], now: float) -> None:
    position = settings.get("StartingPosition")
    if position is None:
        raise InvalidParameterValue("Starting position is required for stream event sources.")
    if position == "AT_TIMESTAMP":
        _check_moment(settings, now)
    elif settings.get("StartingPositionTimestamp") is not None:
        raise InvalidParameterValue("StartingPositionTimestamp is only valid with the StartingPosition AT_TIMESTAMP.")
    age = settings.get("MaximumRecordAgeInSeconds")
    if age is not None and age != -1 and age < _YOUNGEST:
        raise InvalidParameterValue(f"MaximumRecordAgeInSeconds must be -1, or at least {_YOUNGEST}.")
    if settings.get("TumblingWindowInSeconds") and (settings.get("ParallelizationFactor") or 1) > 1:
        # The state is one for each shard, and its batches are processed one after the other.
        raise InvalidParameterValue("iamd has tumbling windows with a ParallelizationFactor of 1 alone.")
    for kind, config in (settings.get("DestinationConfig") or {}).items():
        _check_destination(kind, (config or {}).get("Destination"))


def _check_moment(settings: Mapping[str, Any], now: float) -> None:
    if _parsed(settings["EventSourceArn"]).service != "kinesis":
        raise InvalidParameterValue("The StartingPosition AT_TIMESTAMP is not supported for DynamoDB streams.")
    moment = settings.get("StartingPositionTimestamp")
    if moment is None:
        raise InvalidParameterValue("The StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp.")
    if (moment.timestamp() if isinstance(moment, datetime) else float(moment)) > now:
        raise InvalidParameterValue("StartingPositionTimestamp cannot be in the future.")


def _check_destination(kind: str, named: str | None) -> None:
    if not named:
        return
    parsed = arns.parse(named)
    if kind != "OnFailure":
        raise InvalidParameterValue("Event source mappings of streams have an OnFailure destination alone.")
    if parsed is None or parsed.service not in _DESTINATIONS or parsed.resource.endswith(".fifo"):
        raise InvalidParameterValue(f"The destination {named} is of no kind that is supported.")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], float], None]]] = {
    "sqs": _check_queue,
    "kinesis": _check_stream,
    "dynamodb": _check_stream,
}
