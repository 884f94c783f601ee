"""What requests to RDS are decided on: identifiers without case, ARNs, groups that an instance is made of, and roles.

AWS: Amazon RDS User Guide, "Identity-based policy examples for Amazon RDS".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, KEY, RDS, REGION, ROLE
from running import allow

TAGS = {"Tags": [{"Key": "team", "Value": "blue"}]}
NEW = {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t3.micro", "Engine": "mysql"}
DEFAULTS = (f"{RDS}:og:default*", f"{RDS}:pg:default*", f"{RDS}:subgrp:default")
GLOBAL = f"arn:aws:rds::{ACCOUNT}:global-cluster:all"


def on(action, *resources):
    return [(f"rds:{action}", one if one.startswith(("arn:", "*")) else f"{RDS}:{one}") for one in resources]


CASES = [
    ("DeleteDBInstance", {"DBInstanceIdentifier": "Orders"}, on("DeleteDBInstance", "db:orders")),
    ("DescribeDBInstances", {}, on("DescribeDBInstances", "db:*")),
    ("DescribeDBInstances", {"DBInstanceIdentifier": f"{RDS}:db:orders"}, on("DescribeDBInstances", "db:orders")),
    ("CreateDBInstance", NEW, on("CreateDBInstance", "db:orders", *DEFAULTS)),
    (
        "CreateDBInstance",
        {**NEW, "DBSubnetGroupName": "net", "DBParameterGroupName": "par", "OptionGroupName": "opt", **TAGS},
        [*on("CreateDBInstance", "db:orders"), *on("AddTagsToResource", "db:orders"),
         *on("CreateDBInstance", "og:opt", "pg:par", "subgrp:net")],
    ),
    (
        "CreateDBInstance",
        {**NEW, "DBClusterIdentifier": "aurora"},
        on("CreateDBInstance", "db:orders", "cluster:aurora"),
    ),
    (
        "CreateDBInstance",
        {**NEW, "MonitoringRoleArn": ROLE, "DomainIAMRoleName": "app"},
        [*on("CreateDBInstance", "db:orders", *DEFAULTS), ("iam:PassRole", ROLE), ("iam:PassRole", ROLE)],
    ),
    (
        "CreateDBSnapshot",
        {"DBSnapshotIdentifier": "snap", "DBInstanceIdentifier": "orders"},
        on("CreateDBSnapshot", "snapshot:snap", "db:orders"),
    ),
    ("DeleteDBSnapshot", {"DBSnapshotIdentifier": "rds:orders-1"}, on("DeleteDBSnapshot", "snapshot:rds:orders-1")),
    (
        "DeleteDBCluster",
        {"DBClusterIdentifier": "aurora", "FinalDBSnapshotIdentifier": "last"},
        on("DeleteDBCluster", "cluster:aurora", "cluster-snapshot:last"),
    ),
    (
        "RestoreDBClusterFromSnapshot",
        {"DBClusterIdentifier": "new", "SnapshotIdentifier": "old", "Engine": "aurora-mysql",
         "OptionGroupName": "o", "DBSubnetGroupName": "n", "DBClusterParameterGroupName": "p"},
        on("RestoreDBClusterFromSnapshot", "cluster:new", "cluster-pg:p", "og:o", "subgrp:n", "cluster-snapshot:old"),
    ),
    ("DeleteGlobalCluster", {"GlobalClusterIdentifier": "all"}, on("DeleteGlobalCluster", GLOBAL)),
    ("AddTagsToResource", {"ResourceName": f"{RDS}:pg:par", **TAGS}, on("AddTagsToResource", "pg:par")),
    ("DeleteDBProxy", {"DBProxyName": "p"}, on("DeleteDBProxy", "db-proxy:*")),
    ("DescribeDBParameters", {"DBParameterGroupName": "p", "Source": "user"}, on("DescribeDBParameters", "pg:p")),
    (
        "StartExportTask",
        {"ExportTaskIdentifier": "e", "SourceArn": f"{RDS}:snapshot:s", "S3BucketName": "b", "IamRoleArn": ROLE,
         "KmsKeyId": "k"},
        [
            *on("StartExportTask", "snapshot:s"), ("iam:PassRole", ROLE),
            *((f"kms:{name}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k") for name in ("DescribeKey", "CreateGrant")),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("rds", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DeleteDBInstance", {"DBInstanceIdentifier": "*"}),
        ("DeleteDBInstance", {"DBInstanceIdentifier": "a:b"}),
        ("DeleteDBInstance", {"DBInstanceIdentifier": f"{RDS}:cluster:a"}),
        ("DeleteDBInstance", {"DBInstanceIdentifier": f"{RDS}:db:a".replace(REGION, "eu-west-1")}),
        ("AddTagsToResource", {"ResourceName": f"{RDS}:db:*", **TAGS}),
        ("DeleteCustomDBEngineVersion", {"Engine": "custom/*", "EngineVersion": "1"}),
    ],
)
def test_what_names_nothing_plainly_is_refused(counted, name, given):
    told = counted.call("rds", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterValue", 0)


def test_a_deny_on_an_instance_holds_in_whatever_case_it_is_named(counted):
    ann = Caller.new(counted, "databases")
    ann.may(allow("rds:*"), {**allow("rds:DeleteDBInstance", f"{RDS}:db:prod"), "Effect": "Deny"})
    assert ann.call("rds", "DeleteDBInstance", {"DBInstanceIdentifier": "test"}).sent > 0
    for name in ("prod", "PROD", f"{RDS}:db:Prod"):
        told = ann.call("rds", "DeleteDBInstance", {"DBInstanceIdentifier": name})
        refused(told, "explicit deny")
        assert told.code == "AccessDenied"


def test_a_monitoring_role_is_passed_to_the_service_that_monitors(counted):
    ann = Caller.new(counted, "monitoring")
    given = {**NEW, "MonitoringRoleArn": ROLE}
    to = {"StringEquals": {"iam:PassedToService": "monitoring.rds.amazonaws.com"}}
    ann.may(allow("rds:*"))
    refused(ann.call("rds", "CreateDBInstance", given), "the iam:PassRole action")
    ann.may(allow("rds:*"), allow("iam:PassRole", ROLE, **to))
    assert ann.call("rds", "CreateDBInstance", given).sent > 0


MAKE = ("rds:CreateDBSubnetGroup", "CreateDBSubnetGroup")
GROUP = {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d", "SubnetIds": ["subnet-1"]}
KEYS = [
    Key("rds:req-tag/team", "blue", *MAKE, {**GROUP, **TAGS}, GROUP),
    Key("aws:RequestTag/team", "blue", *MAKE, {**GROUP, **TAGS}, GROUP),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"rds-{key.name.partition(':')[0]}"), "rds", key)


def test_the_class_of_a_new_instance_is_a_key_of_the_instance_alone(counted):
    ann = Caller.new(counted, "classes")
    small = {"StringEquals": {"rds:DatabaseClass": "db.t3.micro"}}
    rest = {"Effect": "Allow", "Action": "rds:*", "NotResource": f"{RDS}:db:*"}
    ann.may(rest, allow("rds:CreateDBInstance", f"{RDS}:db:*", **small))
    assert ann.call("rds", "CreateDBInstance", NEW).sent > 0
    told = ann.call("rds", "CreateDBInstance", {**NEW, "DBInstanceClass": "db.r5.large"})
    refused(told, "no identity-based policy allows")
    found = counted.call("rds", "CreateDBInstance", NEW).decisions
    assert ["rds:databaseclass" in one["Context"] for one in found] == [True, False, False, False]


def test_a_password_is_kept_elsewhere_with_the_callers_permissions(counted):
    secrets = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!*"
    keeping = [(f"secretsmanager:{name}", secrets) for name in ("CreateSecret", "TagResource")]
    any_key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"
    # A key of this test's own: what others on this server have made known of a key counts.
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/89abcdef-89ab-cdef-0123-456789abcdef"
    of_key = [(f"kms:{name}", key) for name in ("DescribeKey", "Decrypt", "GenerateDataKey", "CreateGrant")]
    ann, managed = Caller.new(counted, "passwords"), {**NEW, "ManageMasterUserPassword": True}
    made = on("CreateDBInstance", "db:orders", *DEFAULTS)
    ann.may(allow("rds:*"), allow("kms:*"))
    refused(ann.call("rds", "CreateDBInstance", managed), "the secretsmanager:CreateSecret action")
    via = {"Bool": {"aws:ViaAWSService": "true"}}
    ann.may(allow("rds:*"), allow("kms:*"), allow("secretsmanager:*", **via))
    told = ann.call("rds", "CreateDBInstance", managed)
    # Another test on this server may have had it learn the managed key's id, which is asked for beside all of its kind.
    known = [one for one in told.asked if one == ("kms:DescribeKey", KEY)]
    assert told.asked == [*made, *keeping, *known, ("kms:DescribeKey", any_key)]
    assert told.sent > 0
    told = ann.call("rds", "CreateDBInstance", {**managed, "MasterUserSecretKmsKeyId": key})
    assert told.asked == [*made, *keeping, *of_key]
    told = ann.call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "orders", "RotateMasterUserPassword": True})
    assert told.asked == [*on("ModifyDBInstance", "db:orders"), ("secretsmanager:RotateSecret", secrets)]
