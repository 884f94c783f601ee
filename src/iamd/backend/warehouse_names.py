"""moto's clusters of Redshift that get another name: none takes the place of one that has it.

AWS: Redshift API Reference, ModifyCluster (ClusterAlreadyExists).
"""

from collections.abc import Callable
from typing import Any

from moto.redshift.exceptions import ClusterAlreadyExistsFaultError
from moto.redshift.models import RedshiftBackend

from iamd.backend.replacement import replace


def install() -> None:
    """SECURITY: nobody has decided that the other one ends."""
    replace(RedshiftBackend, "modify_cluster", _cluster)


def _cluster(original: Callable[..., Any]) -> Callable[..., Any]:
    def modify_cluster(backend: Any, **given: Any) -> Any:
        named = given.get("new_cluster_identifier")
        if named is not None and named != given["cluster_identifier"] and named in backend.clusters:
            raise ClusterAlreadyExistsFaultError
        return original(backend, **given)

    return modify_cluster
