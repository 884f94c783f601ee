"""Amazon RDS: the ARN of what each parameter names, by identifier, name or ARN, and what keys say of a new instance.

Identifiers have no case: RDS keeps them in lower case (API Reference, CreateDBInstance: DBInstanceIdentifier).
"""

from collections.abc import Mapping
from typing import Any, Final

from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked, Value
from iamd.gateway.actions.forms import Form, InvalidParameterValue, arn, name

# Automated snapshots are `rds:...`, default option groups `default:mysql-8-0`.
# SECURITY: of colons only these, and no wildcard.
_NAME: Final = name(r"(?:(?:rds|default|awsbackup:job):)?[A-Za-z0-9][A-Za-z0-9._ /-]{0,254}")
_ENDED: Final = r"(?:(?:rds|default|awsbackup:job):)?[A-Za-z0-9][A-Za-z0-9._ /-]{0,254}"
_PART: Final = name(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "db": (
        "DBInstanceIdentifier", "DBInstanceIdentifiers", "SourceDBInstanceArn", "SourceDBInstanceIdentifier",
        "TargetDBInstanceIdentifier",
    ),
    "cluster": (
        "DBClusterIdentifier", "DBClusterIdentifiers", "DbClusterIdentifier", "SourceDBClusterIdentifier",
        "TargetDbClusterIdentifier",
    ),
    "snapshot": ("DBSnapshotIdentifier", "SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier"),
    "cluster-snapshot": (
        "DBClusterSnapshotIdentifier", "SourceDBClusterSnapshotIdentifier", "TargetDBClusterSnapshotIdentifier",
    ),
    "pg": (
        "DBInstanceParameterGroupName", "DBParameterGroupName", "SourceDBParameterGroupIdentifier",
        "TargetDBParameterGroupIdentifier", "TargetDBParameterGroupName",
    ),
    "cluster-pg": (
        "DBClusterParameterGroupName", "SourceDBClusterParameterGroupIdentifier",
        "TargetDBClusterParameterGroupIdentifier", "TargetDBClusterParameterGroupName",
    ),
    "og": ("OptionGroupName", "SourceOptionGroupIdentifier", "TargetOptionGroupIdentifier"),
    "subgrp": ("DBSubnetGroupName",),
    "secgrp": ("DBSecurityGroupName", "DBSecurityGroups"),
    "es": ("SubscriptionName",),
    "global-cluster": ("GlobalClusterIdentifier",),
    "deployment": ("BlueGreenDeploymentIdentifier",),
    "integration": ("IntegrationIdentifier",),
    "cluster-endpoint": ("DBClusterEndpointIdentifier",),
    "ri": ("ReservedDBInstanceId",),
    "db-capacity-reservation": ("DBCapacityReservationIdentifier",),
    "auto-backup": ("DBInstanceAutomatedBackupsArn", "SourceDBInstanceAutomatedBackupsArn"),
}  # fmt: skip
_MEMBERS: Final = {member: kind for kind, members in _KINDS.items() for member in members}
# Members that name what can be of several kinds, always by ARN.
_WHOLE: Final = ("ResourceArn", "ResourceIdentifier", "ResourceName", "Source", "SourceArn")
_ANY: Final = "[a-z-]+:" + _ENDED
# AWS: a global cluster's ARN names no region (Service Authorization Reference, list_amazonrds).
_GLOBAL: Final = "global-cluster"
# What the keys of an instance are, of one that is made; a change's parameters are not what the instance has.
_MAKING: Final = ("CreateDB", "RestoreDB")


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of what each parameter names, in the parameter's place, and what keys say of what is made."""
    given, found = asked.parameters, dict[str, Any]()
    for member, kind in _MEMBERS.items():
        value = given.get(member)
        if value and not (member == "DBSecurityGroups" and value == [""]):
            found[member] = (
                [_arn(one, kind, member, asked) for one in value]
                if isinstance(value, list)
                else _arn(value, kind, member, asked)
            )
    if "DbClusterIdentifier" in found:
        found["DBClusterIdentifier"] = found["DbClusterIdentifier"]
    for member in _WHOLE:
        if _names(member, asked):
            found[member] = _whole(given[member], member, asked)
    found |= _snapshots(asked)
    for member in ("Engine", "EngineVersion"):
        if given.get(member) and not _PART.fits(given[member], asked):
            raise _refused(member, str(given[member]))
    return {**found, **_keys(asked)}


def _names(member: str, asked: Asked) -> bool:
    # Elsewhere `Source` filters parameters, and is no ARN (API Reference, DescribeDBParameters).
    return bool(asked.parameters.get(member)) and (
        member != "Source" or asked.operation.name == "CreateBlueGreenDeployment"
    )


def _arn(value: Any, kind: str, member: str, asked: Asked) -> str:
    text = str(value)
    if text.startswith("arn:"):
        return _held(text, arn("rds", f"{kind}:{_ENDED}", is_global=kind == _GLOBAL), member, asked)
    if not _NAME.fits(text, asked):
        raise _refused(member, text)
    region = "" if kind == _GLOBAL else asked.region
    return f"arn:{asked.partition}:rds:{region}:{asked.account}:{kind}:{text.lower()}"


def _whole(value: Any, member: str, asked: Asked) -> str:
    text = str(value)
    is_global = f":{_GLOBAL}:" in text
    return _held(text, arn("rds", _ANY, is_global=is_global), member, asked)


def _held(text: str, form: Form, member: str, asked: Asked) -> str:
    if not form.fits(text, asked):
        raise _refused(member, text)
    prefix, _, end = text.rpartition(":")
    return f"{prefix}:{end.lower()}"


def _refused(member: str, value: str) -> Exception:
    return InvalidParameterValue(f"The parameter {member} is not a valid identifier: {value}")


def _snapshots(asked: Asked) -> dict[str, str]:
    """What a cluster is restored from, and the snapshot that is made of it at its end."""
    given, found = asked.parameters, dict[str, str]()
    named = given.get("SnapshotIdentifier")
    if named and asked.operation.name == "RestoreDBClusterFromSnapshot":
        kind = "snapshot" if ":snapshot:" in str(named) else "cluster-snapshot"
        found["SnapshotIdentifier"] = _arn(named, kind, "SnapshotIdentifier", asked)
    final = given.get("FinalDBSnapshotIdentifier")
    if final and asked.operation.name == "DeleteDBCluster":
        found["final_cluster_snapshot"] = _arn(final, "cluster-snapshot", "FinalDBSnapshotIdentifier", asked)
    return found


def _keys(asked: Asked) -> dict[str, Any]:
    given, found = asked.parameters, dict[str, Any]()
    request_tags: Mapping[str, Value] = tags.of(given)
    found["request_tags"] = {
        key.removeprefix("aws:requesttag/"): value
        for key, value in request_tags.items()
        if key.startswith("aws:requesttag/")
    }
    if asked.operation.name.startswith(_MAKING):
        found |= {
            "new_class": given.get("DBInstanceClass"),
            "new_engine": given.get("Engine"),
            "new_name": given.get("DBName"),
            "new_multi_az": given.get("MultiAZ"),
            "new_iops": given.get("Iops"),
            "new_encrypted": given.get("StorageEncrypted"),
            "new_size": given.get("AllocatedStorage"),
        }
    return {name: value for name, value in found.items() if value not in (None, {})}
