"""moto's databases of RDS, Neptune and DocumentDB that get another name: none takes the place of one that has it.

AWS: RDS API Reference, ModifyDBInstance (DBInstanceAlreadyExists) and ModifyDBCluster (DBClusterAlreadyExistsFault).
"""

from collections.abc import Callable, Mapping
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend

from iamd.backend.replacement import replace


def install() -> None:
    """SECURITY: nobody has decided that the other one ends, and it may be protected from deletion."""
    replace(RDSBackend, "modify_db_instance", _instance)
    replace(RDSBackend, "modify_db_cluster", _cluster)


def _instance(original: Callable[..., Any]) -> Callable[..., Any]:
    def modify_db_instance(backend: Any, db_instance_identifier: str, db_kwargs: Mapping[str, Any]) -> Any:
        named = db_kwargs.get("new_db_instance_identifier")
        if named is not None and named != db_instance_identifier and named in backend.databases:
            raise RDSClientError("DBInstanceAlreadyExists", "DB instance already exists")
        return original(backend, db_instance_identifier, db_kwargs)

    return modify_db_instance


def _cluster(original: Callable[..., Any]) -> Callable[..., Any]:
    def modify_db_cluster(backend: Any, kwargs: Mapping[str, Any]) -> Any:
        named = kwargs.get("new_db_cluster_identifier")
        if named is not None and named != kwargs["db_cluster_identifier"] and named in backend.clusters:
            raise RDSClientError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        return original(backend, kwargs)

    return modify_db_cluster
