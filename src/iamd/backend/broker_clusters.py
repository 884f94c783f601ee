"""moto's clusters of MSK: one that is not there is said not to be, where moto fails.

AWS: Amazon MSK API Reference, DescribeCluster, DescribeClusterV2, DeleteCluster: NotFoundException (404). The words are
iamd's.
"""

from collections.abc import Callable
from typing import Any

from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import KafkaBackend

from iamd.backend.replacement import replace


class ClusterNotFound(NotFoundException):
    """A cluster that is not there."""

    code = 404


def install() -> None:
    """Say of a cluster whether it is there, before anything is done with it."""
    for name in ("describe_cluster", "describe_cluster_v2", "delete_cluster"):
        replace(KafkaBackend, name, _of_present)


def _of_present(original: Callable[..., Any]) -> Any:
    def checked(backend: KafkaBackend, cluster_arn: str, *given: Any, **named: Any) -> Any:
        if cluster_arn not in backend.clusters:
            raise ClusterNotFound(f"The cluster {cluster_arn} does not exist.")
        return original(backend, cluster_arn, *given, **named)

    return checked
