"""moto's ECS clusters: those that were deleted are not listed, and one without instances runs no task on any.

moto keeps the deleted, with their status INACTIVE, and lists them for ever, and fails where there is no container
instance. AWS: Amazon ECS API Reference, DeleteCluster (they may remain discoverable for a period of time, on which
nothing may rely), RunTask and StartTask; Developer Guide, "API failure reasons" (MISSING).
"""

from collections.abc import Callable
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from iamd.backend import task_networks
from iamd.backend.replacement import replace

_DELETED: Final = "INACTIVE"


def install() -> None:
    """List those that are there, and say where there is no instance."""
    task_networks.install()
    replace(EC2ContainerServiceBackend, "list_clusters", _listed)
    replace(EC2ContainerServiceBackend, "run_task", _run)
    replace(EC2ContainerServiceResponse, "start_task", _started)


def _listed(original: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    def list_clusters(backend: Any) -> list[str]:
        deleted = {cluster.arn for cluster in backend.clusters.values() if cluster.status == _DELETED}
        return [arn for arn in original(backend) if arn not in deleted]

    return list_clusters


def _run(original: Callable[..., Any]) -> Callable[..., Any]:
    def run_task(backend: Any, *given: Any, **named: Any) -> Any:
        try:
            return original(backend, *given, **named)
        except Exception as error:
            # AWS: seen in its answers. moto raises a plain exception, once it has checked all else.
            if type(error) is Exception and str(error).startswith("No instances found"):
                raise InvalidParameterException("No Container Instances were found in your cluster.") from None
            raise

    return run_task


def _started(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def start_task(response: Any) -> ActionResult:
        backend = response.ecs_backend
        cluster = backend._get_cluster(response._get_param("cluster", "default"))  # noqa: SLF001 - as moto's own do
        known = backend.container_instances.get(cluster.name, {})
        named = response._get_param("containerInstances") or []  # noqa: SLF001
        missing = [one for one in named if one.split("/")[-1] not in known]
        if not missing:
            return original(response)
        backend.describe_task_definition(response._get_param("taskDefinition"))  # noqa: SLF001
        found = [one for one in named if one not in missing]
        result: Any = original(_Naming(response, found)).result if found else {"tasks": [], "failures": []}
        failures = [{"arn": _arn_of(one, cluster), "reason": "MISSING"} for one in missing]
        return ActionResult({**result, "failures": [*result["failures"], *failures]})

    return start_task


class _Naming:
    """A request that names some container instances only."""

    def __init__(self, response: Any, found: list[str]) -> None:
        self.ecs_backend = response.ecs_backend
        self._response = response
        self._found = found

    def _get_param(self, name: str, otherwise: Any = None) -> Any:
        return self._found if name == "containerInstances" else self._response._get_param(name, otherwise)  # noqa: SLF001


def _arn_of(named: str, cluster: Any) -> str:
    if named.startswith("arn:"):
        return named
    return f"{cluster.arn.replace(':cluster/', ':container-instance/')}/{named}"
