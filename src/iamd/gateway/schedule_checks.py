"""What EventBridge and EventBridge Scheduler refuse of a rule's or a schedule's times and targets.

The embedded backend keeps whatever it is given, and what it keeps iamd is to do: so iamd refuses what can't be.

AWS: EventBridge API Reference, PutRule; EventBridge Scheduler API Reference, CreateSchedule, UpdateSchedule, Target,
FlexibleTimeWindow; User Guide, "Schedule types" and "Managing targets". Where AWS's words for a refusal are not public,
they are iamd's.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from iamd import arn as arns
from iamd import event_paths
from iamd.errors import AWSError, CommonError
from iamd.gateway import schedule_targets, sdk_calls
from iamd.gateway.actions.asked import Asked
from iamd.gateway.schedule_targets import KINDS, Kind
from iamd.gateway.sdk_calls import NotCallable
from iamd.schedules import expressions
from iamd.schedules.cron import NotValid
from iamd.schedules.expressions import Once
from iamd.wire import parse_json
from iamd.wire.validate import validate

_EARLIEST_START: Final = 300
_LONGEST_INPUT: Final = 256 * 1024
_BY_ROLE: Final = frozenset({"kinesis", "firehose", "states", "events"})
_OTHERS: Final = (
    "EcsParameters",
    "EventBridgePutEventsV2Parameters",
    "EventBridgePutRawEventsParameters",
    "SageMakerPipelineParameters",
)
"""Parameters of targets that iamd does not send to."""


class ValidationException(AWSError):
    """A rule or a schedule that can't be."""

    code = "ValidationException"
    status = 400


def has_times(service: str, name: str) -> bool:
    """Whether an operation says what is due, or what is sent then."""
    return (service, name) in _CHECKS


def check(asked: Asked, now: float) -> None:
    """Refuse a rule or a schedule that can't be."""
    _CHECKS[asked.operation.service, asked.operation.name](asked, now)


def _rule(asked: Asked, now: float) -> None:
    del now
    expression = asked.parameters.get("ScheduleExpression")
    if not expression:
        return
    try:
        expressions.of_rule(expression)
    except NotValid as error:
        raise ValidationException("Parameter ScheduleExpression is not valid.") from error


def _targets(asked: Asked, now: float) -> None:
    """AWS: to these EventBridge can send only as a role (User Guide, eb-use-identity-based, eb-bus-to-bus)."""
    del now
    for target in asked.parameters["Targets"] or ():
        arn = arns.parse(target["Arn"])
        if arn is not None and arn.service in _BY_ROLE and not target.get("RoleArn"):
            raise ValidationException(f"RoleArn is required for target {target['Arn']}.")
        wrong = next((path for path in _paths(target) if not event_paths.is_path(path)), None)
        if wrong is not None:
            raise ValidationException(f"Invalid JSONPath {wrong} for target {target['Id']}.")


def _paths(target: Mapping[str, Any]) -> Iterator[str]:
    """Where a target looks for what it is given in events."""
    places = (target.get("InputPath"), (target.get("KinesisParameters") or {}).get("PartitionKeyPath"))
    yield from (path for path in places if path is not None)
    yield from ((target.get("InputTransformer") or {}).get("InputPathsMap") or {}).values()


def _schedule(asked: Asked, now: float) -> None:
    given = asked.parameters
    validate(asked.operation, given)
    if given.get("KmsKeyArn"):
        raise ValidationException("KmsKeyArn: iamd does not encrypt schedules with keys of customers.")
    _times(given, now)
    _window(given["FlexibleTimeWindow"])
    _target(given["Target"])


def _times(given: Mapping[str, Any], now: float) -> None:
    text, zone = given["ScheduleExpression"], given.get("ScheduleExpressionTimezone")
    try:
        expressions.zone_of(zone or "UTC")
    except NotValid as error:
        raise ValidationException(f"Invalid Schedule Expression Timezone {zone}.") from error
    try:
        expression = expressions.of_schedule(text, zone)
    except NotValid as error:
        raise ValidationException(f"Invalid Schedule Expression {text}.") from error
    if not isinstance(expression, Once):
        _dates(given.get("StartDate"), given.get("EndDate"), now)
    elif expression.moment is None or expression.moment <= now:
        raise ValidationException(f"Invalid Schedule Expression {text}.")


def _dates(starts: datetime | None, ends: datetime | None, now: float) -> None:
    if starts is not None and starts.timestamp() < now - _EARLIEST_START:
        raise ValidationException("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if ends is not None and ends.timestamp() <= now:
        raise ValidationException("The EndDate you specify cannot be in the past.")
    if starts is not None and ends is not None and starts >= ends:
        raise ValidationException("The StartDate you specify must be earlier than the EndDate.")


def _window(given: Mapping[str, Any]) -> None:
    is_flexible, has_length = given["Mode"] == "FLEXIBLE", given.get("MaximumWindowInMinutes") is not None
    if is_flexible and not has_length:
        raise ValidationException("MaximumWindowInMinutes is required when the FlexibleTimeWindow's Mode is FLEXIBLE.")
    if has_length and not is_flexible:
        raise ValidationException("MaximumWindowInMinutes is not allowed when the FlexibleTimeWindow's Mode is OFF.")


def _target(target: Mapping[str, Any]) -> None:
    text = target.get("Input")
    if text is not None and len(text.encode()) > _LONGEST_INPUT:
        raise ValidationException("The Input you specify is longer than 256 KB.")
    if sdk_calls.is_universal(target["Arn"]):
        _universal(target)
        _only(target, None)
        return
    arn = arns.parse(target["Arn"])
    if arn is None or not arn.resource:
        raise ValidationException(f"Provided Arn is not in correct format: {target['Arn']}.")
    kind = schedule_targets.kind_of(arn)
    if kind is None:
        raise ValidationException(
            f"{target['Arn']} is not supported as a target: iamd has templated targets of {', '.join(sorted(KINDS))}, "
            "and universal ones."
        )
    _templated(target, kind)


def _templated(target: Mapping[str, Any], kind: Kind) -> None:
    _only(target, kind.parameters)
    if kind.needs_parameters and not target.get(kind.parameters or ""):
        raise ValidationException(f"{kind.parameters} is required for the target {target['Arn']}.")
    if target["Arn"].endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise ValidationException(f"SqsParameters with a MessageGroupId is required for the target {target['Arn']}.")
    if kind.takes_json and target.get("Input") is not None:
        _well_formed(target["Input"])


def _only(target: Mapping[str, Any], parameters: str | None) -> None:
    """Parameters of another kind of target would be of no effect."""
    own = {kind.parameters for kind in KINDS.values() if kind.parameters}
    for name in sorted(own | set(_OTHERS)):
        if name != parameters and target.get(name):
            raise ValidationException(f"{name} is not supported for the target {target['Arn']}.")


def _universal(target: Mapping[str, Any]) -> None:
    try:
        operation = sdk_calls.operation_of(target["Arn"])
    except NotCallable as error:
        raise ValidationException(f"{target['Arn']} is not a supported target: {error}.") from error
    try:
        sdk_calls.parameters(operation, target.get("Input") or "{}")
    except NotCallable as error:
        raise ValidationException(f"Invalid RequestJson provided. Reason: {error}") from error


def _well_formed(text: str) -> None:
    try:
        parse_json.decode(text.encode())
    except CommonError as error:
        raise ValidationException("The Input you specify must be well-formed JSON.") from error


_CHECKS: Final[Mapping[tuple[str, str], Callable[[Asked, float], None]]] = {
    ("events", "PutRule"): _rule,
    ("events", "PutTargets"): _targets,
    ("scheduler", "CreateSchedule"): _schedule,
    ("scheduler", "UpdateSchedule"): _schedule,
}
