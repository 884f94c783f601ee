"""moto's global clusters of RDS and Neptune: deletion protection, and that it is taken away; which ones are told of.

AWS: RDS API Reference, CreateGlobalCluster, ModifyGlobalCluster and DeleteGlobalCluster. Of the errors there
InvalidGlobalClusterStateFault is taken for a protected one, and its words are iamd's. DescribeGlobalClusters and
DescribeExportTasks: of what is named alone.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse

from iamd.backend import database_names, restored_databases
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_MODIFIED: Final = frozenset({"deletion_protection", "global_cluster_identifier"})


def install() -> None:
    """Hold what moto keeps and tells."""
    database_names.install()
    restored_databases.install()
    replace(RDSBackend, "delete_global_cluster", _unprotected)
    replace(RDSResponse, "describe_global_clusters", always(_described))
    replace(RDSResponse, "describe_export_tasks", _of_source)
    if not hasattr(RDSResponse, "modify_global_cluster"):
        RDSResponse.modify_global_cluster = _modify  # type: ignore[attr-defined]


def _modify(response: Any) -> ActionResult:
    passed_over = response.params.keys() - _MODIFIED
    if passed_over:
        raise Refused(NOT_TAKEN, "".join(part.capitalize() for part in min(passed_over).split("_")))
    found = _named(response.global_backend, response.params["GlobalClusterIdentifier"])
    protection = response.params.get("DeletionProtection")
    if protection is not None:
        found.deletion_protection = protection
    return ActionResult({"GlobalCluster": found})


def _described(response: Any) -> ActionResult:
    """Tell of the cluster that is asked for: moto tells of all, whose telling nobody has decided on."""
    named = response.params.get("GlobalClusterIdentifier")
    every = response.global_backend.describe_global_clusters()
    return ActionResult({"GlobalClusters": every if named is None else [_named(response.global_backend, named)]})


def _of_source(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Tell of the exports of the snapshot that is asked for, likewise."""

    def described(response: Any) -> Any:
        told, source = original(response), response.params.get("SourceArn")
        if source is None:
            return told
        return ActionResult({"ExportTasks": [one for one in told.result["ExportTasks"] if one.source_arn == source]})

    return described


def _named(backend: Any, identifier: str) -> Any:
    found = backend.global_clusters.get(identifier)
    if found is None:
        raise RDSClientError("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.")
    return found


def _unprotected(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_global_cluster(backend: Any, global_cluster_identifier: str) -> Any:
        found = _named(backend, global_cluster_identifier)
        if found.deletion_protection:
            words = f"Global cluster {found.arn} cannot be deleted while its deletion protection is enabled"
            raise RDSClientError("InvalidGlobalClusterStateFault", words)
        return original(backend, global_cluster_identifier)

    return delete_global_cluster
