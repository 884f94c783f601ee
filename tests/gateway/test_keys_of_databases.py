"""RDS's use of KMS keys for its callers.

AWS: RDS User Guide, "AWS KMS key management" (Overview.Encryption.Keys): kms:CreateGrant and kms:DescribeKey for who
makes a resource with a key; "Permissions required for Secrets Manager integration" (rds-secrets-manager).
"""

import pytest
from gateway.two_accounts import error_of
from running import REGION, allow, deny

NEW = {"DBInstanceClass": "db.t3.micro", "Engine": "mysql", "AllocatedStorage": 20, "MasterUsername": "admin"}
PASSWORD = {"MasterUserPassword": "password1"}
THROUGH = {"kms:ViaService": f"rds.{REGION}.amazonaws.com"}
CODE = "KMSKeyNotAccessibleFault"


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def user(cloud):
    """Makes a client of RDS for a user who may do all of RDS, and what is said besides."""
    own = (allow("rds:*"), allow("iam:CreateServiceLinkedRole"))
    return lambda name, *statements: cloud.client("rds", cloud.user(name, *own, *statements))


def inaccessible(key):
    words = f"Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it."
    return {"Type": "Sender", "Code": CODE, "Message": words}


def may_use(key):
    bools = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return (
        allow("kms:CreateGrant", key, **bools, StringEquals=THROUGH),
        allow("kms:DescribeKey", key, StringEquals=THROUGH),
    )


def test_databases_of_a_customer_key(cloud, user, key):
    plain, half, whole = user("plain"), user("half", may_use(key)[1]), user("whole", *may_use(key))
    given = {**NEW, **PASSWORD, "DBInstanceIdentifier": "orders", "StorageEncrypted": True, "KmsKeyId": key}
    for client in (plain, half):
        assert error_of(client.create_db_instance, **given) == inaccessible(key)
    assert whole.create_db_instance(**given)["DBInstance"]["KmsKeyId"] == key
    assert cloud.events("CreateGrant")[0]["userIdentity"]["invokedBy"] == "rds.amazonaws.com"
    cluster = {
        "DBClusterIdentifier": "orders", "Engine": "aurora-mysql", "MasterUsername": "admin", **PASSWORD,
        "StorageEncrypted": True, "KmsKeyId": key,
    }  # fmt: skip
    assert error_of(plain.create_db_cluster, **cluster)["Code"] == CODE
    whole.create_db_cluster(**cluster)
    insights = {**NEW, **PASSWORD, "DBInstanceIdentifier": "seen", "PerformanceInsightsKMSKeyId": key}
    assert error_of(plain.create_db_instance, **insights, EnablePerformanceInsights=True)["Code"] == CODE
    whole.create_db_instance(**insights, EnablePerformanceInsights=True)
    plain.create_db_instance(**NEW, **PASSWORD, DBInstanceIdentifier="open")
    cloud.client("kms").disable_key(KeyId=key)
    assert error_of(whole.create_db_instance, **{**given, "DBInstanceIdentifier": "late"}) == inaccessible(key)


def test_what_is_made_of_what_is_encrypted(cloud, user, key):
    admin, second = cloud.client("rds"), cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    admin.create_db_instance(**NEW, **PASSWORD, DBInstanceIdentifier="orders", StorageEncrypted=True, KmsKeyId=key)
    admin.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="one")
    plain, whole = user("plain"), user("whole", *may_use(key))
    thief, both = user("thief", *may_use(second)), user("both", *may_use([key, second]))
    copy = {"SourceDBSnapshotIdentifier": "one", "TargetDBSnapshotIdentifier": "two"}
    # The key that a copy is read by, and the one that it gets.
    assert error_of(plain.copy_db_snapshot, **copy) == inaccessible(key)
    assert error_of(thief.copy_db_snapshot, **copy, KmsKeyId=second) == inaccessible(key)
    assert error_of(whole.copy_db_snapshot, **copy, KmsKeyId=second) == inaccessible(second)
    assert both.copy_db_snapshot(**copy, KmsKeyId=second)["DBSnapshot"]["KmsKeyId"] == second
    restored = {"DBInstanceIdentifier": "again", "DBSnapshotIdentifier": "one"}
    assert error_of(thief.restore_db_instance_from_db_snapshot, **restored) == inaccessible(key)
    whole.restore_db_instance_from_db_snapshot(**restored)
    cluster = {"Engine": "aurora-mysql", "MasterUsername": "admin", **PASSWORD, "StorageEncrypted": True}
    admin.create_db_cluster(DBClusterIdentifier="orders", **cluster, KmsKeyId=key)
    admin.create_db_cluster_snapshot(DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="all")
    given = {"DBClusterIdentifier": "anew", "SnapshotIdentifier": "all", "Engine": "aurora-mysql"}
    assert error_of(thief.restore_db_cluster_from_snapshot, **given) == inaccessible(key)
    whole.restore_db_cluster_from_snapshot(**given)
    replica = {"DBInstanceIdentifier": "replica", "SourceDBInstanceIdentifier": "orders"}
    assert error_of(plain.create_db_instance_read_replica, **replica) == inaccessible(key)
    whole.create_db_instance_read_replica(**replica)


def test_the_own_key_of_rds_needs_no_permissions_and_can_be_denied(user):
    plain, refused = user("plain"), user("refused", deny("kms:*"))
    given = {**NEW, **PASSWORD, "StorageEncrypted": True}
    plain.create_db_instance(**given, DBInstanceIdentifier="orders")
    assert error_of(refused.create_db_instance, **given, DBInstanceIdentifier="other")["Code"] == CODE
    refused.create_db_instance(**{**given, "StorageEncrypted": False}, DBInstanceIdentifier="other")


def test_the_key_of_a_managed_password(cloud, user, key):
    keeps = allow(["secretsmanager:CreateSecret", "secretsmanager:TagResource"])
    by_secrets = {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
    encrypts = allow(["kms:Decrypt", "kms:GenerateDataKey"], key, StringEquals=by_secrets)
    given = {**NEW, "DBInstanceIdentifier": "orders", "ManageMasterUserPassword": True}
    half, whole = user("half", keeps, *may_use(key)), user("whole", keeps, encrypts, *may_use(key))
    named = {**given, "MasterUserSecretKmsKeyId": key}
    assert error_of(half.create_db_instance, **named) == inaccessible(key)
    whole.create_db_instance(**named)
    # AWS: kms:DescribeKey is needed for Secrets Manager's own key too.
    other = {**given, "DBInstanceIdentifier": "other"}
    assert error_of(whole.create_db_instance, **other)["Code"] == CODE
    user("looks", keeps, allow("kms:DescribeKey")).create_db_instance(**other)
