"""moto's EKS clusters: deletion protection, which it does not have.

AWS: EKS API Reference, CreateCluster, UpdateClusterConfig and DeleteCluster; EKS User Guide, "Protect EKS clusters from
accidental deletion", which names the error and not its words: those are iamd's.
"""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.eks.exceptions import InvalidRequestException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

from iamd.backend.replacement import replace


def install() -> None:
    """Keep it with the cluster, where answers are made of, and hold it."""
    replace(EKSResponse, "create_cluster", _told)
    replace(EKSResponse, "update_cluster_config", _told)
    replace(EKSBackend, "delete_cluster", _unprotected)


def _told(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def change(response: Any) -> ActionResult:
        answer = original(response)
        cluster = response.eks_backend.clusters[response._get_param("name")]  # noqa: SLF001 - as moto's own do
        given = response._get_param("deletionProtection")  # noqa: SLF001
        cluster.deletion_protection = given if given is not None else getattr(cluster, "deletion_protection", False)
        return answer

    return change


def _unprotected(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_cluster(backend: Any, name: str) -> Any:
        if getattr(backend.clusters.get(name), "deletion_protection", False):
            raise InvalidRequestException(
                clusterName=name,
                nodegroupName=None,
                addonName=None,
                message=f"Cluster {name} cannot be deleted while its deletion protection is enabled",
            )
        return original(backend, name)

    return delete_cluster
