"""The keys that RDS uses for its callers: those of instances, clusters, snapshots, exports and managed passwords.

AWS: RDS User Guide, "AWS KMS key management" (Overview.Encryption.Keys): who makes a resource with a key needs
kms:CreateGrant and kms:DescribeKey; "Permissions required for Secrets Manager integration" (rds-secrets-manager);
RDS API Reference, StartExportTask (KmsKeyId), CreateDBInstance (KmsKeyId, StorageEncrypted).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from iamd.gateway.key_uses import secrets
from iamd.gateway.key_uses.set_keys import told
from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, DESCRIBE, GENERATE, Use, Work

Told = Mapping[str, Any]
_GIVEN: Final = (DESCRIBE, CREATE_GRANT)
_NEW: Final = frozenset({"CreateDBCluster", "CreateDBInstance", "RestoreDBClusterFromS3", "RestoreDBInstanceFromS3"})
# What something is made from: the parameter that names it, the operation and its parameter that tell of it, the list.
_INSTANCES: Final = ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances")
_CLUSTERS: Final = ("DescribeDBClusters", "DBClusterIdentifier", "DBClusters")
_SNAPSHOTS: Final = ("DescribeDBSnapshots", "DBSnapshotIdentifier", "DBSnapshots")
_CLUSTER_SNAPSHOTS: Final = (
    "DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier", "DBClusterSnapshots",
)  # fmt: skip
_SOURCES: Final[Mapping[str, Sequence[tuple[str, tuple[str, str, str]]]]] = {
    "CopyDBClusterSnapshot": [("SourceDBClusterSnapshotIdentifier", _CLUSTER_SNAPSHOTS)],
    "CopyDBSnapshot": [("SourceDBSnapshotIdentifier", _SNAPSHOTS)],
    "CreateDBInstanceReadReplica": [
        ("SourceDBInstanceIdentifier", _INSTANCES), ("SourceDBClusterIdentifier", _CLUSTERS),
    ],
    # AWS: a cluster may be restored from a snapshot of an instance too (RDS API Reference, SnapshotIdentifier).
    "RestoreDBClusterFromSnapshot": [("SnapshotIdentifier", _CLUSTER_SNAPSHOTS), ("SnapshotIdentifier", _SNAPSHOTS)],
    "RestoreDBClusterToPointInTime": [("SourceDBClusterIdentifier", _CLUSTERS)],
    "RestoreDBInstanceFromDBSnapshot": [
        ("DBSnapshotIdentifier", _SNAPSHOTS), ("DBClusterSnapshotIdentifier", _CLUSTER_SNAPSHOTS),
    ],
    "RestoreDBInstanceToPointInTime": [("SourceDBInstanceIdentifier", _INSTANCES)],
}  # fmt: skip
_UNNAMED: Final = "default_kms_key_id"
"""What moto calls RDS's own key."""


async def before(work: Work) -> list[Use]:
    """What RDS asks of KMS before it answers."""
    given = work.given
    found = [*_of_password(work), *_uses(given.get("PerformanceInsightsKMSKeyId"), work)]
    if work.name in _SOURCES:
        return [*found, *await _from_source(work)]
    if work.name not in _NEW:
        return [*found, *_uses(given.get("KmsKeyId") or given.get("KMSKeyId"), work)]
    if work.name == "CreateDBInstance" and given.get("DBClusterIdentifier"):
        # The members of a cluster are encrypted as it is.
        return found
    if given.get("StorageEncrypted") or given.get("KmsKeyId"):
        found += [_use(action, _named(given.get("KmsKeyId")), work) for action in _GIVEN]
    return found


async def _from_source(work: Work) -> list[Use]:
    """What is made from something that is encrypted: by its key, which is read by, or by another that is named."""
    found = [_use(action, key, work) for key in await _keys_of_sources(work) for action in _GIVEN]
    return [*found, *(use for use in _uses(work.given.get("KmsKeyId"), work) if use not in found)]


async def _keys_of_sources(work: Work) -> list[str | None]:
    found = []
    for member, (operation, parameter, listed) in _SOURCES[work.name]:
        named = work.given.get(member)
        if not named or _is_elsewhere(str(named), work):
            continue
        answered = await told(operation, {parameter: named}, str(named), work) or {}
        first = (answered.get(listed) or [{}])[0]
        if first.get("StorageEncrypted") or first.get("Encrypted"):
            found.append(_own_or(first.get("KmsKeyId"), work))
    return found


def _is_elsewhere(named: str, work: Work) -> bool:
    """Whether something lies in another Region, whose keys are not used here."""
    return named.startswith("arn:") and named.split(":")[3] != work.asked.region


def _own_or(key: Any, work: Work) -> str | None:
    """The key that the backend tells, None for RDS's own: all others of the embedded backend iamd has seen made."""
    if not key or key == _UNNAMED:
        return None
    if work.is_embedded and str(key).startswith("arn:") and ":key/" in str(key) and work.facts.get(str(key)) is None:
        return None
    return str(key)


def _of_password(work: Work) -> list[Use]:
    """The key of a password that Secrets Manager keeps: RDS looks at it, Secrets Manager encrypts by it."""
    if not work.given.get("ManageMasterUserPassword"):
        return []
    named = _named(work.given.get("MasterUserSecretKmsKeyId"))
    looked = _use(DESCRIBE, named, work, own=secrets.SERVICE)
    if named is None or named.endswith("alias/aws/secretsmanager"):
        return [looked]
    kept = [_use(action, named, work, through=secrets.SERVICE) for action in (DECRYPT, GENERATE)]
    return [looked, *kept, _use(CREATE_GRANT, named, work, own=secrets.SERVICE)]


def _uses(key: Any, work: Work) -> list[Use]:
    """What is asked for a key that is given to something."""
    return [_use(action, str(key), work) for action in _GIVEN] if key else []


def _named(key: Any) -> str | None:
    return str(key) if key else None


def _use(action: str, key: str | None, work: Work, *, own: str | None = None, through: str | None = None) -> Use:
    return Use(
        action=action,
        key=key,
        account=work.owner,
        region=work.asked.region,
        context={},
        through=through,
        own_alias=own,
        own_service=own,
    )
