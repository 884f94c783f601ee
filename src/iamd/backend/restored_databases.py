"""moto's databases that are restored or replicated: what they do not inherit of their source, and what is said of them.

moto hands on the source's deletion protection and IAM authentication, and passes over whatever is said to be false.
AWS: RDS API Reference, RestoreDBInstanceFromDBSnapshot, RestoreDBInstanceToPointInTime, RestoreDBClusterFromSnapshot,
RestoreDBClusterToPointInTime and CreateDBInstanceReadReplica: "By default, deletion protection isn't enabled", "By
default, mapping isn't enabled" of EnableIAMDatabaseAuthentication.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from moto.rds.responses import RDSResponse

from iamd.backend.replacement import replace

_MADE: Final = {
    "create_db_instance_read_replica": "DBInstanceIdentifier",
    "restore_db_cluster_from_snapshot": "DBClusterIdentifier",
    "restore_db_cluster_to_point_in_time": "DBClusterIdentifier",
    "restore_db_instance_from_db_snapshot": "DBInstanceIdentifier",
    "restore_db_instance_to_point_in_time": "TargetDBInstanceIdentifier",
}
"""What makes a database of another one, and the member that names it."""
_NOT_INHERITED: Final = {
    "DeletionProtection": ("deletion_protection",),
    "EnableIAMDatabaseAuthentication": ("enable_iam_database_authentication", "iam_auth"),
}
_SAID: Final = {
    "AutoMinorVersionUpgrade": ("auto_minor_version_upgrade",),
    "CopyTagsToSnapshot": ("copy_tags_to_snapshot",),
    "MultiAZ": ("multi_az",),
    "PubliclyAccessible": ("publicly_accessible",),
}
"""Members that are true or false, and what moto's databases have them as."""


def install() -> None:
    """Set what moto does not."""
    for name, member in _MADE.items():
        replace(RDSResponse, name, partial(_made, member))


def _made(member: str, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def make(response: Any) -> Any:
        given: Mapping[str, Any] = response.params
        name = given.get(member)
        answer = original(response)
        backend = response.backend
        found = (backend.clusters if member == "DBClusterIdentifier" else backend.databases)[name]
        values = {one: given.get(one) or False for one in _NOT_INHERITED}
        values |= {one: given.get(one) for one in _SAID if given.get(one) is not None}
        for one, value in values.items():
            for attribute in (_NOT_INHERITED | _SAID)[one]:
                if hasattr(found, attribute):
                    setattr(found, attribute, value)
        return answer

    return make
