"""DynamoDB's use of KMS keys for its callers, and CloudWatch Logs' for itself.

AWS: KMS Developer Guide, services-dynamodb: DescribeKey and CreateGrant for who makes a table with a key, Decrypt for
who uses it; DynamoDB API Reference, SSESpecification; CloudWatch Logs User Guide, encrypt-log-data-kms.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from gateway.two_accounts import code_of, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

SCHEMA: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ITEM = {"TableName": "orders", "Key": {"id": {"S": "1"}}}


def test_a_table_of_a_customer_key(cloud):
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    context = {
        "kms:EncryptionContext:aws:dynamodb:tableName": "orders",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
        "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com",
    }
    grants = allow("kms:CreateGrant", key, Bool={"kms:GrantIsForAWSResource": "true"})

    def client(name, *statements):
        return cloud.client("dynamodb", cloud.user(name, allow("dynamodb:*"), *statements))

    maker, user = (
        client("maker", allow("kms:DescribeKey"), grants),
        client("user", allow("kms:Decrypt", key, StringEquals=context)),
    )
    given = {**SCHEMA, "TableName": "orders", "SSESpecification": {"Enabled": True, "KMSMasterKeyId": key}}
    assert code_of(user.create_table, **given) == "AccessDeniedException"
    maker.create_table(**given)
    user.put_item(TableName="orders", Item={"id": {"S": "1"}})
    assert user.get_item(**ITEM)["Item"] == {"id": {"S": "1"}}
    for call, asked in (
        (maker.get_item, ITEM),
        (maker.put_item, {"TableName": "orders", "Item": {"id": {"S": "2"}}}),
        (maker.scan, {"TableName": "orders"}),
        (maker.batch_get_item, {"RequestItems": {"orders": {"Keys": [ITEM["Key"]]}}}),
        (maker.execute_statement, {"Statement": "SELECT * FROM orders"}),
    ):
        error = error_of(call, **asked)
        assert error["Code"] == "AccessDeniedException"
        assert "kms:Decrypt on the resource associated with this ciphertext" in error["Message"]
    maker.describe_table(TableName="orders")
    kms.disable_key(KeyId=key)
    assert "is disabled" in error_of(user.get_item, **ITEM)["Message"]


def test_tables_of_dynamodbs_own_keys(cloud):
    admin = cloud.client("dynamodb")
    admin.create_table(**SCHEMA, TableName="free")
    admin.create_table(**SCHEMA, TableName="orders", SSESpecification={"Enabled": True})
    plain, refused = (
        cloud.client("dynamodb", cloud.user(name, allow("dynamodb:*"), *more))
        for name, more in (("plain", []), ("refused", [deny("kms:*")]))
    )
    plain.get_item(**ITEM)
    assert code_of(refused.get_item, **ITEM) == "AccessDeniedException"
    # The key that DynamoDB has in no account is asked for by nobody.
    refused.get_item(**{**ITEM, "TableName": "free"})


def test_a_log_group_gets_a_key_that_lets_cloudwatch_logs_in(cloud):
    logs, kms, arn = cloud.client("logs"), cloud.client("kms"), f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app"
    own = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*"))
    key = kms.create_key(Policy=policy(own))["KeyMetadata"]["Arn"]
    given = {"logGroupName": "/app", "kmsKeyId": key}
    words = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
    assert error_of(logs.create_log_group, **given) == {"Code": "AccessDeniedException", "Message": words}
    itself, condition = {"Service": f"logs.{REGION}.amazonaws.com"}, {"kms:EncryptionContext:aws:logs:arn": arn}
    let_in = to(itself, allow(["kms:GenerateDataKey*", "kms:Decrypt*"], ArnEquals=condition))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(own, let_in))
    logs.create_log_group(**given)
    logs.create_log_group(logGroupName="/other")
    assert code_of(logs.associate_kms_key, **{**given, "logGroupName": "/other"}) == "AccessDeniedException"
    kms.disable_key(KeyId=key)
    assert code_of(logs.associate_kms_key, **given) == "InvalidParameterException"


SEALED = {"Enabled": True, "SSEType": "KMS"}


def without(cloud, name: str, *keys: str) -> Any:
    """The client of somebody who may do everything, but nothing with these keys."""
    return cloud.client("dynamodb", cloud.user(name, allow("*"), deny("kms:*", list(keys))))


@pytest.mark.parametrize("how", ["backup", "time"])
def test_a_table_is_restored_by_its_key_and_has_it(cloud, how):
    # AWS: DynamoDB Developer Guide, encryption.usagenotes; API Reference, RestoreTableFromBackup.
    first, second = (cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    admin, mallory, other = cloud.client("dynamodb"), without(cloud, "one", first), without(cloud, "other", second)
    admin.create_table(**SCHEMA, TableName="orders", SSESpecification={**SEALED, "KMSMasterKeyId": first})
    admin.put_item(TableName="orders", Item={"id": {"S": "1"}})
    if how == "backup":
        arn = mallory.create_backup(TableName="orders", BackupName="back")["BackupDetails"]["BackupArn"]
        operation, given = "restore_table_from_backup", {"BackupArn": arn}
        # The backup keeps the key that it was made by.
        admin.update_table(TableName="orders", SSESpecification={**SEALED, "KMSMasterKeyId": second})
        admin.delete_table(TableName="orders")
    else:
        on = {"PointInTimeRecoveryEnabled": True}
        admin.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=on)
        operation = "restore_table_to_point_in_time"
        given = {"SourceTableName": "orders", "UseLatestRestorableTime": True}
    error = error_of(getattr(mallory, operation), TargetTableName="copy", **given)
    assert "kms:Decrypt on the resource associated with this ciphertext" in error["Message"]
    over = {**SEALED, "KMSMasterKeyId": second}
    refused = error_of(getattr(other, operation), TargetTableName="copy", SSESpecificationOverride=over, **given)
    assert "kms:DescribeKey" in refused["Message"]
    getattr(other, operation)(TargetTableName="copy", **given)
    assert code_of(mallory.scan, TableName="copy") == "AccessDeniedException"
    assert other.scan(TableName="copy")["Count"] == 1
    getattr(admin, operation)(TargetTableName="moved", SSESpecificationOverride=over, **given)
    assert mallory.scan(TableName="moved")["Count"] == 1
    assert code_of(other.scan, TableName="moved") == "AccessDeniedException"


def test_another_key_for_a_table_needs_the_one_that_it_has(cloud):
    first, second = (cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    admin, mallory = cloud.client("dynamodb"), without(cloud, "one", first)
    admin.create_table(**SCHEMA, TableName="orders", SSESpecification={**SEALED, "KMSMasterKeyId": first})
    for changed in ({**SEALED, "KMSMasterKeyId": second}, {"Enabled": False}):
        given = {"TableName": "orders", "SSESpecification": changed}
        assert code_of(mallory.update_table, **given) == "AccessDeniedException"
    admin.update_table(TableName="orders", SSESpecification={**SEALED, "KMSMasterKeyId": second})
    mallory.scan(TableName="orders")
    # What was written before may be of the former key.
    on = {"PointInTimeRecoveryEnabled": True}
    admin.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=on)
    given = {"SourceTableName": "orders", "TargetTableName": "copy", "RestoreDateTime": datetime.now(UTC)}
    assert code_of(mallory.restore_table_to_point_in_time, **given) == "AccessDeniedException"


def test_a_table_is_exported_by_its_key(cloud):
    # AWS: DynamoDB Developer Guide, S3DataExport_Requesting.
    first, admin = cloud.client("kms").create_key()["KeyMetadata"]["Arn"], cloud.client("dynamodb")
    cloud.client("s3").create_bucket(Bucket="files")
    made = admin.create_table(**SCHEMA, TableName="orders", SSESpecification={**SEALED, "KMSMasterKeyId": first})
    on = {"PointInTimeRecoveryEnabled": True}
    admin.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=on)
    given = {"TableArn": made["TableDescription"]["TableArn"], "S3Bucket": "files"}
    error = error_of(without(cloud, "one", first).export_table_to_point_in_time, **given)
    assert "kms:Decrypt on the resource associated with this ciphertext" in error["Message"]
    admin.export_table_to_point_in_time(**given)


def test_a_table_is_imported_with_a_key(cloud):
    # AWS: DynamoDB API Reference, TableCreationParameters, SSESpecification.
    first, s3 = cloud.client("kms").create_key()["KeyMetadata"]["Arn"], cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a.json", Body=b'{"Item":{"id":{"S":"1"}}}\n')
    made = {**SCHEMA, "TableName": "orders", "SSESpecification": {**SEALED, "KMSMasterKeyId": first}}
    given = {"S3BucketSource": {"S3Bucket": "files"}, "InputFormat": "DYNAMODB_JSON", "TableCreationParameters": made}
    mallory = without(cloud, "one", first)
    assert "kms:DescribeKey" in error_of(mallory.import_table, **given)["Message"]
    cloud.client("dynamodb").import_table(**given)
    assert code_of(mallory.scan, TableName="orders") == "AccessDeniedException"
