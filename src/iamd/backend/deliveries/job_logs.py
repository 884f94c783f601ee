"""Logs of Batch's jobs, which their execution roles write.

AWS: Batch User Guide, "Use the awslogs log driver" (using_awslogs) and "AWS Batch IAM execution role"
(execution-IAM-role): the role writes the log where a job definition has one; where it has none, the instance that the
job runs on does, which moto has not.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from moto.batch.models import Job

from iamd.arn import PARTITION
from iamd.backend.acts import Act
from iamd.backend.handover import NotDone
from iamd.backend.replacement import replace

log = logging.getLogger(__name__)

PRINCIPAL: Final = "ecs-tasks.amazonaws.com"
_THERE: Final = "ResourceAlreadyExistsException"


def install() -> None:
    """Have logs written by requests that iamd decides."""
    replace(Job, "__init__", with_logs)


def with_logs(original: Callable[..., None]) -> Callable[..., None]:
    """A job's `__init__` after which its log is written by its role, or not at all."""

    def make(job: Any, *given: Any, **named: Any) -> None:
        original(job, *given, **named)
        properties = job.job_definition.container_properties or {}
        role = properties.get("executionRoleArn")
        job._log_backend = Logs(Act(PRINCIPAL, job.arn, role=role) if role else None)  # noqa: SLF001 - moto's own

    return make


class Logs:
    """CloudWatch Logs as a job uses it; without a role nothing is written."""

    def __init__(self, act: Act | None) -> None:
        self._act = act

    def ensure_log_group(self, name: str) -> None:
        """Make the log group if it is not there."""
        self._ask("CreateLogGroup", name, logGroupName=name)

    def ensure_log_stream(self, name: str, stream: str) -> None:
        """Make the log stream if it is not there."""
        self._ask("CreateLogStream", name, logGroupName=name, logStreamName=stream)

    def put_log_events(self, name: str, stream: str, events: Sequence[dict[str, Any]]) -> None:
        """Write events."""
        if events:
            self._ask("PutLogEvents", name, logGroupName=name, logStreamName=stream, logEvents=list(events))

    def _ask(self, operation: str, group: str, **given: Any) -> None:
        if self._act is None:
            return
        place = f"{self._act.region}:{self._act.account}"
        try:
            self._act.ask("logs", operation, f"arn:{PARTITION}:logs:{place}:log-group:{group}", **given)
        except NotDone as refused:
            if refused.code != _THERE:
                log.error("a job writes no log: %s: %s", operation, refused.code)  # noqa: TRY400 - nothing is wrong here
