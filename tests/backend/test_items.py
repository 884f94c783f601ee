"""Items of DynamoDB: nothing is shown that was not asked for, and nothing deleted that is not as expected.

AWS: DynamoDB API Reference, GetItem (AttributesToGet), TransactGetItems (ProjectionExpression), DeleteItem (Expected);
Developer Guide, "Using IAM policy conditions for fine-grained access control".
"""

import pytest
from gateway.two_accounts import code_of
from running import ACCOUNT, allow

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
KEY = {"id": {"S": "1"}}
CONDITIONS = {"id": {"AttributeValueList": [{"S": "1"}], "ComparisonOperator": "EQ"}}


@pytest.fixture
def table(cloud):
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {**KEY, "secret": {"S": "x"}, "of": {"M": {"name": {"S": "ann"}, "card": {"S": "y"}}}}
    client.put_item(TableName="orders", Item=item)
    return client


@pytest.fixture
def reader(cloud, table):
    """Who may read the attributes `id` and `of`, by their names alone."""
    some = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "of"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    return cloud.client("dynamodb", cloud.user("reader", allow("dynamodb:*", TABLE, **some)))


def test_attributes_that_are_not_asked_for_are_not_shown(reader):
    only = {"TableName": "orders", "AttributesToGet": ["id"]}
    assert reader.get_item(**only, Key=KEY)["Item"] == KEY
    assert reader.query(**only, KeyConditions=CONDITIONS)["Items"] == [KEY]
    assert reader.query(**only, KeyConditions=CONDITIONS, Select="SPECIFIC_ATTRIBUTES")["Items"] == [KEY]
    assert reader.scan(**only)["Items"] == [KEY]
    batch = reader.batch_get_item(RequestItems={"orders": {"Keys": [KEY], "AttributesToGet": ["id"]}})
    assert batch["Responses"] == {"orders": [KEY]}
    more = {"TableName": "orders", "AttributesToGet": ["id", "secret"]}
    assert code_of(reader.get_item, **more, Key=KEY) == "AccessDeniedException"
    assert code_of(reader.get_item, TableName="orders", Key=KEY) == "AccessDeniedException"


def test_a_transaction_shows_what_its_projections_name(reader, table):
    def read(**given):
        get = {"TableName": "orders", "Key": KEY, **given}
        return reader.transact_get_items(TransactItems=[{"Get": get}])["Responses"]

    assert read(ProjectionExpression="id") == [{"Item": KEY}]
    names = {"#of": "of", "#name": "name"}
    nested = {"of": {"M": {"name": {"S": "ann"}}}}
    assert read(ProjectionExpression="#of.#name", ExpressionAttributeNames=names) == [{"Item": nested}]
    missing = {"TableName": "orders", "Key": {"id": {"S": "2"}}, "ProjectionExpression": "id"}
    whole = {"TableName": "orders", "Key": KEY}
    both = table.transact_get_items(TransactItems=[{"Get": missing}, {"Get": whole}])["Responses"]
    assert both[0] == {}
    assert both[1]["Item"]["secret"] == {"S": "x"}


def test_an_item_that_is_not_as_expected_is_not_deleted(table):
    for expected in (
        {"secret": {"Value": {"S": "other"}}},
        {"secret": {"Exists": False}},
        {"secret": {"ComparisonOperator": "NULL"}},
    ):
        given = {"TableName": "orders", "Key": KEY, "Expected": expected}
        assert code_of(table.delete_item, **given) == "ConditionalCheckFailedException"
    assert table.get_item(TableName="orders", Key=KEY)["Item"]
    table.delete_item(TableName="orders", Key=KEY, Expected={"secret": {"Value": {"S": "x"}}})
    assert "Item" not in table.get_item(TableName="orders", Key=KEY)
    gone = {"TableName": "orders", "Key": KEY, "Expected": {"secret": {"Value": {"S": "x"}}}}
    assert code_of(table.delete_item, **gone) == "ConditionalCheckFailedException"
