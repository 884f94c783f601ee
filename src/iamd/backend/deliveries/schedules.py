"""When moto's rules and schedules are due, and what is done then.

AWS: EventBridge API Reference, PutRule; EventBridge Scheduler API Reference, CreateSchedule, UpdateSchedule,
CreateScheduleGroup and DeleteScheduleGroup.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from moto.events.models import EventsBackend, events_backends
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.scheduler.responses import EventBridgeSchedulerResponse
from moto.secretsmanager.models import secretsmanager_backends

from iamd.backend.deliveries import eventbridge, rotation
from iamd.backend.deliveries.timings import asked_at, tell
from iamd.backend.replacement import replace
from iamd.delivery import Scheduled

_DEFAULT: Final = "default"
_CREATED: Final = ("create_schedule", "create_schedule_group")
_TOKENS: Final = 10_000


class GroupExists(ValidationException):
    """A group of that name is there (CreateScheduleGroup)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Schedule group {name} already exists.")
        self.error_type = "ConflictException"


def install() -> None:
    """Tell of each change of what is due; and have moto keep what it would forget of schedules."""
    for name in ("put_rule", "enable_rule", "disable_rule", "delete_rule"):
        replace(EventsBackend, name, _rule_told)
    for name in ("create_schedule", "update_schedule"):
        replace(EventBridgeSchedulerBackend, name, _schedule_told)
    replace(EventBridgeSchedulerBackend, "delete_schedule", _schedule_gone)
    replace(EventBridgeSchedulerBackend, "delete_schedule_group", _group_gone)
    replace(EventBridgeSchedulerBackend, "create_schedule_group", _group_made)
    replace(EventBridgeSchedulerResponse, "update_schedule", _updated)
    for name in _CREATED:
        replace(EventBridgeSchedulerResponse, name, _made_once)


def due(given: Mapping[str, Any]) -> dict[str, Any]:
    """Have a rule send what it sends at a time, or a secret rotated, or give what a schedule asks for.

    Nothing where it is another now.
    """
    of = msgspec.convert(given["of"], Scheduled)
    found = _found(of, given["version"])
    if found is None:
        return {"due": None}
    if of.kind == "rule":
        eventbridge.send_scheduled(found, given["time"])
        return {"due": {}}
    if of.kind == "secret":
        rotation.rotate(found, given["time"])
        return {"due": {}}
    return {"due": {"arn": found.arn, "target": found.target}}


def completed(given: Mapping[str, Any]) -> None:
    """Delete a schedule that is to be deleted when it is due no more."""
    of = msgspec.convert(given["of"], Scheduled)
    found = _found(of, given["version"])
    if found is not None and found.action_after_completion == "DELETE":
        scheduler_backends[of.account][of.region].delete_schedule(of.group, of.name)


def _found(of: Scheduled, version: int) -> Any:
    """The rule, schedule or secret, when it still has the version that was told."""
    found: Any
    if of.kind == "rule":
        found = events_backends[of.account][of.region].event_buses[_DEFAULT].rules.get(of.name)
    elif of.kind == "secret":
        found = secretsmanager_backends[of.account][of.region].secrets.get(of.name)
    else:
        group = scheduler_backends[of.account][of.region].schedule_groups.get(of.group)
        found = group.schedules.get(of.name) if group is not None else None
    return found if getattr(found, "timing_version", None) == version else None


def _rule_told(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(backend: Any, name: str, *given: Any, **named: Any) -> Any:
        bus = backend.event_buses[_DEFAULT]
        before = bus.rules.get(name)
        found = original(backend, name, *given, **named)
        rule = bus.rules.get(name)
        # A rule of another bus may have the name too; what is told of this one again changes nothing.
        of = Scheduled("rule", backend.account_id, backend.region_name, name)
        if rule is not None and rule.scheduled_expression and rule.state != "DISABLED":
            tell(rule, of, rule.scheduled_expression, told=asked_at())
        elif before is not None and before.scheduled_expression:
            tell(rule or before, of, None, told=asked_at())
        return found

    return change


def _schedule_told(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(backend: Any, *given: Any, **named: Any) -> Any:
        group_name = named["group_name"] or _DEFAULT
        if group_name not in backend.schedule_groups:
            raise ScheduleGroupNotFound(group_name)
        # AWS: what UpdateSchedule leaves out has its default from then on.
        named["state"] = named["state"] or "ENABLED"
        schedule = original(backend, *given, **named)
        schedule.action_after_completion = schedule.action_after_completion or "NONE"
        if schedule.state == "ENABLED":
            _tell_schedule(backend, schedule)
        else:
            _end(backend, schedule)
        return schedule

    return change


def _tell_schedule(backend: Any, schedule: Any) -> None:
    tell(
        schedule,
        _of_schedule(backend, schedule),
        schedule.schedule_expression,
        told=asked_at(),
        zone=schedule.schedule_expression_timezone,
        starts=_seconds(schedule.start_date),
        ends=_seconds(schedule.end_date),
        window=schedule.flexible_time_window.get("MaximumWindowInMinutes", 0),
    )


def _end(backend: Any, schedule: Any) -> None:
    tell(schedule, _of_schedule(backend, schedule), None, told=asked_at())


def _of_schedule(backend: Any, schedule: Any) -> Scheduled:
    return Scheduled("schedule", backend.account_id, backend.region_name, schedule.name, schedule.group_name)


def _schedule_gone(original: Callable[..., None]) -> Callable[..., None]:
    def delete_schedule(backend: Any, group_name: str | None, name: str) -> None:
        schedule = backend.get_schedule(group_name, name)
        original(backend, group_name, name)
        _end(backend, schedule)

    return delete_schedule


def _group_gone(original: Callable[..., None]) -> Callable[..., None]:
    def delete_schedule_group(backend: Any, name: str) -> None:
        if name == _DEFAULT:
            raise ValidationException("Default schedule group cannot be deleted.")
        group = backend.get_schedule_group(name)
        original(backend, name)
        for schedule in group.schedules.values():
            _end(backend, schedule)

    return delete_schedule_group


def _group_made(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_schedule_group(backend: Any, name: str, tags: Any) -> Any:
        # moto would put an empty group in the place of the one that is there.
        if name in backend.schedule_groups:
            raise GroupExists(name)
        return original(backend, name, tags)

    return create_schedule_group


def _updated(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def update_schedule(response: Any) -> str:
        told = original(response)
        named = response.uri.split("?")[0].split("/")[-1]
        schedule = response.scheduler_backend.get_schedule(response._get_param("GroupName"), named)  # noqa: SLF001
        # moto would leave this as it was.
        schedule.action_after_completion = response._get_param("ActionAfterCompletion") or "NONE"  # noqa: SLF001
        return told

    return update_schedule


def _made_once(original: Callable[[Any], str]) -> Callable[[Any], str]:
    """AWS: what is asked for again with its ClientToken is answered as before, and not refused for being there."""

    def create(response: Any) -> str:
        backend, token = response.scheduler_backend, response._get_param("ClientToken")  # noqa: SLF001
        known: dict[Any, str] = backend.__dict__.setdefault("made_by_token", {})
        asked = (response.uri, token, response.body)
        if token is not None and asked in known and _is_there(backend, known[asked]):
            return known[asked]
        told = original(response)
        if token is not None:
            if len(known) >= _TOKENS:
                known.clear()
            known[asked] = told
        return told

    return create


def _is_there(backend: Any, told: str) -> bool:
    """Whether what an answer gives the ARN of has not been deleted since."""
    groups = backend.schedule_groups.values()
    there = [one.arn for group in groups for one in (group, *group.schedules.values())]
    return any(f'"{arn}"' in told for arn in there)


def _seconds(date: Any) -> float | None:
    """A date of a request in seconds since the epoch."""
    if date is None or isinstance(date, (int, float)):
        return date
    return datetime.fromisoformat(str(date)).replace(tzinfo=UTC).timestamp()
