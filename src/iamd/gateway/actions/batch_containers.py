"""The containers in a job of AWS Batch, each as the values of Batch's condition keys: image, user, log, and so on.

AWS: Service Authorization Reference, list_awsbatch. A key has one value; a job with several containers is decided once
for each.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.gateway.actions.asked import at

Given = Mapping[str, Any]

_OF_CONTAINER: Final = {
    "image": "image",
    "privileged": "privileged",
    "user": "user",
    "log_driver": "logConfiguration.logDriver",
}
# The awslogs driver's own options (Batch API Reference, LogConfiguration).
_OF_LOG: Final = {
    "logs_create_group": "awslogs-create-group",
    "logs_group": "awslogs-group",
    "logs_region": "awslogs-region",
    "logs_stream_prefix": "awslogs-stream-prefix",
}
_OF_POD: Final = {"eks_namespace": "metadata.namespace", "eks_service_account": "serviceAccountName"}
_OF_POD_CONTAINER: Final = {
    "eks_image": "image",
    "eks_privileged": "securityContext.privileged",
    "eks_run_as_group": "securityContext.runAsGroup",
    "eks_run_as_user": "securityContext.runAsUser",
}


def containers(job: Given) -> list[dict[str, Any]]:
    """Each container that a definition or its override (`...Override`) has; one that is empty when there is none."""
    found = list(_all(job))
    return [one for index, one in enumerate(found) if one not in found[:index]] or [{}]


def _all(job: Given) -> Iterator[dict[str, Any]]:
    if job.get("containerProperties"):
        yield _container(job["containerProperties"])
    yield from _of_tasks(job.get("ecsProperties") or job.get("ecsPropertiesOverride") or {})
    yield from _of_pod((job.get("eksProperties") or job.get("eksPropertiesOverride") or {}).get("podProperties"))
    for node in at(job, "nodeProperties.nodeRangeProperties") or []:
        if node.get("container"):
            yield _container(node["container"])
        yield from _of_tasks(node.get("ecsProperties") or {})
        yield from _of_pod((node.get("eksProperties") or {}).get("podProperties"))


def _of_tasks(properties: Given) -> Iterator[dict[str, Any]]:
    for task in properties.get("taskProperties") or []:
        for container in task.get("containers") or []:
            yield _container(container)


def _container(container: Given) -> dict[str, Any]:
    options = at(container, "logConfiguration.options") or {}
    return _found(_OF_CONTAINER, container) | {
        name: options[option] for name, option in _OF_LOG.items() if option in options
    }


def _of_pod(pod: Given | None) -> Iterator[dict[str, Any]]:
    if not pod:
        return
    shared = _found(_OF_POD, pod)
    inner = [*(pod.get("containers") or []), *(pod.get("initContainers") or [])]
    for container in inner or [{}]:
        yield shared | _found(_OF_POD_CONTAINER, container)


def _found(paths: Mapping[str, str], given: Given) -> dict[str, Any]:
    return {name: value for name, path in paths.items() if (value := at(given, path)) is not None}
