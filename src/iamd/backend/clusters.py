"""moto's ECS clusters: those that were deleted are not listed.

moto keeps them, with their status INACTIVE, and lists them for ever. AWS: Amazon ECS API Reference, DeleteCluster: they
may remain discoverable for a period of time, on which nothing may rely.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.ecs.models import EC2ContainerServiceBackend

from iamd.backend.replacement import replace

_DELETED: Final = "INACTIVE"


def install() -> None:
    """List those that are there."""
    replace(EC2ContainerServiceBackend, "list_clusters", _listed)


def _listed(original: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    def list_clusters(backend: Any) -> list[str]:
        deleted = {cluster.arn for cluster in backend.clusters.values() if cluster.status == _DELETED}
        return [arn for arn in original(backend) if arn not in deleted]

    return list_clusters
