"""The schedule or group that a request to EventBridge Scheduler is for: by name, or a group's ARN.

AWS: EventBridge Scheduler User Guide, "Using identity-based policies in EventBridge Scheduler".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import formed, own

# EventBridge Scheduler API Reference: Name, GroupName.
_NAME: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}", re.ASCII)
_GROUP: Final = re.compile(r"schedule-group/[0-9A-Za-z_.-]{1,64}", re.ASCII)


class ValidationException(AWSError):
    """A name or an ARN that nothing of the scheduler has."""

    code = "ValidationException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of the schedule or the group."""
    parameters, name = asked.parameters, asked.operation.name
    if "ResourceArn" in parameters:
        named = parameters["ResourceArn"]
        return {"group": formed(named, "scheduler", _GROUP, asked, ValidationException(f"Invalid ARN: {named}"))}
    if name.endswith("ScheduleGroup"):
        return {"group": own("scheduler", f"schedule-group/{_checked(parameters['Name'])}", asked)}
    if name.endswith("Schedule"):
        # AWS: without a group it is of the default one.
        group = _checked(parameters.get("GroupName") or "default")
        return {"schedule": own("scheduler", f"schedule/{group}/{_checked(parameters['Name'])}", asked)}
    return {}


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValidationException(f"{name} is not a valid name.")
    return name
