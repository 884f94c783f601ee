"""ECS's task metadata endpoint, version 4: what a task and its container are told of themselves.

AWS: ECS Developer Guide, "Amazon ECS task metadata endpoint version 4" (task-metadata-endpoint-v4) and its fields
(task-metadata-endpoint-v4-response).
"""

from typing import Any, Final

import msgspec

from iamd.framing import Head
from iamd.http import HttpResponse
from iamd.metadata.containers import answer, refused

PREFIX: Final = b"/v4/"
_CPU: Final = 2
_NAME: Final = "app"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task of one container: a program."""

    id: str
    account_id: str
    region: str
    program: str
    created: str
    """When it began, as AWS writes it."""

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return f"arn:aws:ecs:{self.region}:{self.account_id}:task/iamd/{self.id}"


def metadata(head: Head, task: Task) -> HttpResponse | None:
    """The answer to a request for a task's metadata; None for every other path."""
    own = PREFIX + task.id.encode()
    if head.path not in {own, own + b"/", own + b"/task"}:
        return None
    if head.method != "GET":
        return refused("MethodNotAllowed", "Metadata is read with GET", 405)
    return answer(200, _task(task) if head.path.endswith(b"/task") else _container(task))


def _task(task: Task) -> dict[str, Any]:
    return {
        "Cluster": f"arn:aws:ecs:{task.region}:{task.account_id}:cluster/iamd",
        "TaskARN": task.arn,
        "Family": "iamd",
        "Revision": "1",
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Containers": [_container(task)],
        "LaunchType": "EXTERNAL",
    }


def _container(task: Task) -> dict[str, Any]:
    return {
        "DockerId": task.id,
        "Name": _NAME,
        "DockerName": f"iamd-1-{_NAME}",
        "Image": task.program,
        "ImageID": "",
        "Labels": {
            "com.amazonaws.ecs.cluster": f"arn:aws:ecs:{task.region}:{task.account_id}:cluster/iamd",
            "com.amazonaws.ecs.container-name": _NAME,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": "iamd",
            "com.amazonaws.ecs.task-definition-version": "1",
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": _CPU},
        "CreatedAt": task.created,
        "StartedAt": task.created,
        "Type": "NORMAL",
        "ContainerARN": f"arn:aws:ecs:{task.region}:{task.account_id}:container/iamd/{task.id}/{task.id}",
        "Networks": [],
    }
