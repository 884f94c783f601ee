"""Databases that are made of others have what is said for them (RDS API Reference, RestoreDBInstanceFromDBSnapshot)."""

import pytest

INHERITED = ("DeletionProtection", "IAMDatabaseAuthenticationEnabled")
LOGIN = {"MasterUsername": "u", "MasterUserPassword": "Correct-horse-1"}


@pytest.fixture
def rds(cloud):
    return cloud.client("rds")


@pytest.fixture(params=["snapshot", "time", "replica"])
def make(request, rds):
    """Makes an instance of one that is protected, public and has IAM authentication."""
    rds.create_db_instance(
        DBInstanceIdentifier="source",
        DBInstanceClass="db.m5.large",
        Engine="postgres",
        AllocatedStorage=20,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        PubliclyAccessible=True,
        **LOGIN,
    )
    if request.param == "snapshot":
        rds.create_db_snapshot(DBInstanceIdentifier="source", DBSnapshotIdentifier="snapshot")
        given = {"DBInstanceIdentifier": "made", "DBSnapshotIdentifier": "snapshot"}
        call = rds.restore_db_instance_from_db_snapshot
    elif request.param == "time":
        given = {"TargetDBInstanceIdentifier": "made", "SourceDBInstanceIdentifier": "source"}
        given |= {"UseLatestRestorableTime": True}
        call = rds.restore_db_instance_to_point_in_time
    else:
        given = {"DBInstanceIdentifier": "made", "SourceDBInstanceIdentifier": "source"}
        call = rds.create_db_instance_read_replica

    def made(**more):
        told = call(**given, **more)["DBInstance"]
        [found] = rds.describe_db_instances(DBInstanceIdentifier="made")["DBInstances"]
        assert [told[name] for name in INHERITED] == [found[name] for name in INHERITED]
        [source] = rds.describe_db_instances(DBInstanceIdentifier="source")["DBInstances"]
        assert [source[name] for name in (*INHERITED, "PubliclyAccessible")] == [True, True, True]
        return found

    return made


def test_an_instance_inherits_neither_protection_nor_authentication(rds, make):
    found = make()
    assert [found[name] for name in INHERITED] == [False, False]
    rds.delete_db_instance(DBInstanceIdentifier="made", SkipFinalSnapshot=True)


def test_an_instance_has_what_is_said_for_it(make):
    found = make(DeletionProtection=True, EnableIAMDatabaseAuthentication=True, PubliclyAccessible=False)
    assert [found[name] for name in (*INHERITED, "PubliclyAccessible")] == [True, True, False]


def test_an_instance_is_what_is_said_to_be_false(make):
    found = make(DeletionProtection=False, EnableIAMDatabaseAuthentication=False)
    assert [found[name] for name in INHERITED] == [False, False]


@pytest.mark.parametrize("way", ["snapshot", "time"])
@pytest.mark.parametrize("is_asked", [True, False])
def test_a_cluster_inherits_neither_protection_nor_authentication(rds, way, is_asked):
    rds.create_db_cluster(
        DBClusterIdentifier="source",
        Engine="aurora-postgresql",
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        **LOGIN,
    )
    more = {"DeletionProtection": True, "EnableIAMDatabaseAuthentication": True} if is_asked else {}
    if way == "snapshot":
        rds.create_db_cluster_snapshot(DBClusterIdentifier="source", DBClusterSnapshotIdentifier="snapshot")
        given = {"SnapshotIdentifier": "snapshot", "Engine": "aurora-postgresql", "DBClusterIdentifier": "made"}
        told = rds.restore_db_cluster_from_snapshot(**given, **more)["DBCluster"]
    else:
        given = {"DBClusterIdentifier": "made", "SourceDBClusterIdentifier": "source", "UseLatestRestorableTime": True}
        told = rds.restore_db_cluster_to_point_in_time(**given, **more)["DBCluster"]
    [found] = rds.describe_db_clusters(DBClusterIdentifier="made")["DBClusters"]
    for one in (told, found):
        assert [one[name] for name in INHERITED] == [is_asked, is_asked]
    [source] = rds.describe_db_clusters(DBClusterIdentifier="source")["DBClusters"]
    assert [source[name] for name in INHERITED] == [True, True]
