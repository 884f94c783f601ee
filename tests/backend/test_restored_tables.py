"""Tables are restored as they are asked for, and encrypted anew (DynamoDB API Reference, RestoreTableFromBackup)."""

import pytest
from gateway.two_accounts import code_of


@pytest.fixture
def dynamodb(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def keys(cloud):
    return [cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]


def key(name, kind="HASH"):
    return {"AttributeName": name, "KeyType": kind}


def index(name, *schema, projection="ALL"):
    return {"IndexName": name, "KeySchema": list(schema), "Projection": {"ProjectionType": projection}}


LOCAL = index("local", key("k"), key("b", "RANGE"))
FIRST, SECOND = index("first", key("b")), index("second", key("c"))


@pytest.fixture(params=["backup", "time"])
def restore(request, dynamodb, keys):
    """Restores a table with indexes, of the first key, into another one and gives its description."""
    made = dynamodb.create_table(
        TableName="orders",
        KeySchema=[key("k"), key("a", "RANGE")],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("k", "a", "b", "c")],
        LocalSecondaryIndexes=[LOCAL],
        GlobalSecondaryIndexes=[FIRST, SECOND],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": keys[0]},
        DeletionProtectionEnabled=True,
    )["TableDescription"]
    item = {name: {"S": "1"} for name in ("k", "a", "b", "c")}
    dynamodb.put_item(TableName="orders", Item=item)
    if request.param == "backup":
        backup = dynamodb.create_backup(TableName="orders", BackupName="backup")["BackupDetails"]["BackupArn"]
        call, given = dynamodb.restore_table_from_backup, {"BackupArn": backup}
    else:
        on = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=on)
        given = {"SourceTableArn": made["TableArn"], "UseLatestRestorableTime": True}
        call = dynamodb.restore_table_to_point_in_time

    def restored(**more):
        told = call(TargetTableName="copy", **given, **more)["TableDescription"]
        assert dynamodb.describe_table(TableName="copy")["Table"]["TableName"] == told["TableName"]
        return dynamodb.describe_table(TableName="copy")["Table"]

    restored.refused = lambda **more: code_of(call, TargetTableName="copy", **given, **more)
    return restored


def indexes(table, kind):
    return sorted(one["IndexName"] for one in table.get(kind, []))


def test_without_overrides_a_table_is_as_its_source_was(dynamodb, restore, keys):
    table = restore()
    assert table["SSEDescription"]["KMSMasterKeyArn"] == keys[0]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert indexes(table, "LocalSecondaryIndexes") == ["local"]
    assert indexes(table, "GlobalSecondaryIndexes") == ["first", "second"]
    # AWS: Developer Guide, CreateBackup: deletion protection has to be set up again.
    assert table["DeletionProtectionEnabled"] is False
    assert dynamodb.scan(TableName="copy")["Count"] == 1


def test_a_table_is_encrypted_by_the_key_that_is_given(restore, keys):
    over = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": keys[1]}
    assert restore(SSESpecificationOverride=over)["SSEDescription"]["KMSMasterKeyArn"] == keys[1]


def test_a_table_is_billed_as_is_asked_for(restore):
    given = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    assert restore.refused(ProvisionedThroughputOverride=given) == "ValidationException"
    table = restore(BillingModeOverride="PROVISIONED", ProvisionedThroughputOverride=given)
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert given.items() <= table["ProvisionedThroughput"].items()


def test_indexes_are_those_that_are_chosen_of_the_sources(restore):
    for wrong in (
        index("third", key("b")),
        index("first", key("c")),
        {**FIRST, **index("first", key("b"), projection="KEYS_ONLY")},
    ):
        assert restore.refused(GlobalSecondaryIndexOverride=[wrong]) == "ValidationException"
    table = restore(GlobalSecondaryIndexOverride=[SECOND], LocalSecondaryIndexOverride=[])
    assert indexes(table, "GlobalSecondaryIndexes") == ["second"]
    assert indexes(table, "LocalSecondaryIndexes") == []


def test_without_recovery_there_is_no_point_in_time(dynamodb):
    dynamodb.create_table(
        TableName="plain",
        KeySchema=[key("k")],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    given = {"SourceTableName": "plain", "TargetTableName": "copy", "UseLatestRestorableTime": True}
    code = code_of(dynamodb.restore_table_to_point_in_time, **given)
    assert code == "PointInTimeRecoveryUnavailableException"
    assert dynamodb.list_tables()["TableNames"] == ["plain"]


def test_another_key_of_a_table_is_told(dynamodb, restore, keys):
    restore()
    for name in ("orders", "copy"):
        of = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": keys[1]}
        told = dynamodb.update_table(TableName=name, SSESpecification=of)["TableDescription"]
        assert told["SSEDescription"]["KMSMasterKeyArn"] == keys[1]
        assert dynamodb.describe_table(TableName=name)["Table"]["SSEDescription"]["KMSMasterKeyArn"] == keys[1]
    own = dynamodb.update_table(TableName="copy", SSESpecification={"Enabled": False})["TableDescription"]
    assert "SSEDescription" not in own
