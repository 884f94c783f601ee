"""DynamoDB's use of KMS keys for its callers, and CloudWatch Logs' for itself.

AWS: KMS Developer Guide, services-dynamodb: DescribeKey and CreateGrant for who makes a table with a key, Decrypt for
who uses it; DynamoDB API Reference, SSESpecification; CloudWatch Logs User Guide, encrypt-log-data-kms.
"""

from typing import Any

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
