"""DynamoDB's condition keys, each with its right value in a decision, allowing and denying by a policy.

AWS: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control" (specifying-conditions) and
"IAM security policies with PartiQL for DynamoDB" (ql-iam).
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import ACCOUNT, REGION
from running import allow, deny

PLACE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
UNKNOWN = "unknown-partition-key"
MINE, YOURS = {"pk": {"S": "me"}, "sk": {"N": "1"}}, {"pk": {"S": "you"}, "sk": {"N": "1"}}
BY_PK = {"KeyConditionExpression": "#p = :v", "ExpressionAttributeNames": {"#p": "pk"}}


def keys_of(table, hash_key, sort_key="sk"):
    """How a backend describes a table with an index on `group`."""
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": sort_key, "KeyType": "RANGE"}]
    index = {"IndexName": "by-group", "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}]}
    described = {"TableArn": f"{PLACE}/{table}", "KeySchema": schema, "GlobalSecondaryIndexes": [index]}
    return json.dumps({"Table": described}).encode()


@pytest.fixture(scope="module")
def caller(counted):
    counted.backend.answers.append(answer(keys_of("tbl", "pk")))
    assert counted.call("dynamodb", "DescribeTable", {"TableName": "tbl"}).status == 200
    return Caller.new(counted, "dynamodb-keys")


def item(key, **more):
    return {"TableName": "tbl", "Key": key, **more}


def query(value, **more):
    return {"TableName": "tbl", **BY_PK, "ExpressionAttributeValues": {":v": {"S": value}}, **more}


def sql(text, *values):
    return {"Statement": text, **({"Parameters": list(values)} if values else {})}


def leading(action, operation, given, other, value="me"):
    return Key("dynamodb:LeadingKeys", value, f"dynamodb:{action}", operation, given, other, "ForAnyValue:StringEquals")


def attributes(action, operation, given, other, value):
    return Key("dynamodb:Attributes", value, f"dynamodb:{action}", operation, given, other, "ForAllValues:StringEquals")


GET = ("dynamodb:GetItem", "GetItem")
SELECT = ("dynamodb:PartiQLSelect", "ExecuteStatement")
KEYS = [
    leading("GetItem", "GetItem", item(MINE), item(YOURS)),
    leading("PutItem", "PutItem", {"TableName": "tbl", "Item": MINE}, {"TableName": "tbl", "Item": YOURS}),
    leading("UpdateItem", "UpdateItem", item(MINE), item(YOURS)),
    leading("DeleteItem", "DeleteItem", item(MINE), item(YOURS)),
    leading("Query", "Query", query("me"), query("you")),
    leading(
        "BatchGetItem",
        "BatchGetItem",
        {"RequestItems": {"tbl": {"Keys": [MINE]}}},
        {"RequestItems": {"tbl": {"Keys": [YOURS]}}},
    ),
    leading(
        "BatchWriteItem",
        "BatchWriteItem",
        {"RequestItems": {"tbl": [{"PutRequest": {"Item": MINE}}]}},
        {"RequestItems": {"tbl": [{"DeleteRequest": {"Key": YOURS}}]}},
    ),
    leading(
        "PutItem",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "tbl", "Item": MINE}}]},
        {"TransactItems": [{"Put": {"TableName": "tbl", "Item": YOURS}}]},
    ),
    leading("PartiQLSelect", "ExecuteStatement", sql("SELECT * FROM tbl WHERE pk='me'"), sql("SELECT * FROM tbl")),
    leading(
        "PartiQLSelect",
        "ExecuteStatement",
        sql("SELECT * FROM tbl WHERE pk = ?", {"S": "me"}),
        sql("SELECT * FROM tbl WHERE pk = ?", {"S": "you"}),
    ),
    leading(
        "PartiQLInsert",
        "ExecuteStatement",
        sql("INSERT INTO tbl VALUE {'pk':'me','a':'b'}"),
        sql("INSERT INTO tbl VALUE {'pk':'you','a':'me'}"),
    ),
    leading(
        "PartiQLUpdate",
        "ExecuteStatement",
        sql("UPDATE tbl SET a='b' WHERE pk='me' AND sk=1"),
        sql("UPDATE tbl SET a='me' WHERE pk='you' AND sk=1"),
    ),
    leading(
        "PartiQLDelete",
        "ExecuteStatement",
        sql("DELETE FROM tbl WHERE pk='me' AND sk=1"),
        sql("DELETE FROM tbl WHERE 'you'=pk AND sk=1"),
    ),
    attributes("GetItem", "GetItem", item(MINE, ProjectionExpression="a"), item(MINE, ProjectionExpression="b"),
               ["a", "pk", "sk"]),
    attributes("GetItem", "GetItem", item(MINE, ProjectionExpression="#n[0].x", ExpressionAttributeNames={"#n": "a"}),
               item(MINE, ProjectionExpression="b.a"), ["a", "pk", "sk"]),
    attributes("UpdateItem", "UpdateItem",
               item(MINE, UpdateExpression="SET a = if_not_exists(b, :v) REMOVE c.d ADD e :v",
                    ExpressionAttributeValues={":v": {"N": "1"}}),
               item(MINE, UpdateExpression="REMOVE f"), ["a", "b", "c", "e", "pk", "sk"]),
    attributes("PutItem", "PutItem", {"TableName": "tbl", "Item": {**MINE, "a": {"S": "x"}}},
               {"TableName": "tbl", "Item": {**MINE, "b": {"S": "x"}}}, ["a", "pk", "sk"]),
    attributes("Query", "Query", query("me", FilterExpression="size(a) > :v", ProjectionExpression="b"),
               query("me", FilterExpression="size(c) > :v"), ["a", "b", "pk"]),
    attributes("PartiQLSelect", "ExecuteStatement", sql("SELECT a, b.c FROM tbl WHERE pk='me'"),
               sql("SELECT a, d FROM tbl WHERE pk='me'"), ["a", "b", "pk"]),
    Key("dynamodb:Select", "SPECIFIC_ATTRIBUTES", *GET, item(MINE, ProjectionExpression="a"), item(MINE)),
    Key("dynamodb:Select", "ALL_ATTRIBUTES", *GET, item(MINE), item(MINE, ProjectionExpression="a")),
    Key("dynamodb:Select", "COUNT", "dynamodb:Query", "Query", query("me", Select="COUNT"), query("me")),
    Key("dynamodb:Select", "ALL_ATTRIBUTES", *SELECT, sql("SELECT * FROM tbl WHERE pk='me'"),
        sql("SELECT a FROM tbl WHERE pk='me'")),
    Key("dynamodb:ReturnValues", "ALL_OLD", "dynamodb:DeleteItem", "DeleteItem", item(MINE, ReturnValues="ALL_OLD"),
        item(MINE, ReturnValues="NONE")),
    Key("dynamodb:ReturnValues", "ALL_OLD", "dynamodb:PartiQLDelete", "ExecuteStatement",
        sql("DELETE FROM tbl WHERE pk='me' AND sk=1 RETURNING ALL OLD *"), sql("DELETE FROM tbl WHERE pk='me' AND sk=1")),
    Key("dynamodb:ReturnConsumedCapacity", "TOTAL", *GET, item(MINE, ReturnConsumedCapacity="TOTAL"), item(MINE)),
    Key("dynamodb:EnclosingOperation", "TransactGetItems", "dynamodb:GetItem", "TransactGetItems",
        {"TransactItems": [{"Get": item(MINE)}]}, {"TransactItems": [{"Get": item(MINE)}]}),
    Key("dynamodb:FullTableScan", "true", *SELECT, sql("SELECT * FROM tbl"), sql("SELECT * FROM tbl WHERE pk='me'"),
        "Bool"),
    Key("dynamodb:FullTableScan", "true", *SELECT, sql("SELECT * FROM tbl WHERE pk='me' OR a='b'"),
        sql("SELECT * FROM tbl WHERE pk IN ['me','you']"), "Bool"),
]  # fmt: skip


@pytest.mark.parametrize("key", [key for key in KEYS if not key.name.endswith("EnclosingOperation")], ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "dynamodb", key)


def test_the_enclosing_operation_tells_a_transaction_from_a_single_request(caller):
    transacted = {"dynamodb:EnclosingOperation": ["TransactGetItems"]}
    caller.may(allow("dynamodb:GetItem", **{"ForAnyValue:StringEquals": transacted}))
    transaction = {"TransactItems": [{"Get": item(MINE)}]}
    assert caller.call("dynamodb", "TransactGetItems", transaction).sent > 0
    assert caller.call("dynamodb", "GetItem", item(MINE)).sent == 0
    caller.may(allow("*"), deny("dynamodb:GetItem", **{"ForAnyValue:StringEquals": transacted}))
    assert caller.call("dynamodb", "TransactGetItems", transaction).sent == 0
    assert caller.call("dynamodb", "GetItem", item(MINE)).sent > 0


# What a policy for one's own items lets through: AWS's own example, `ForAllValues:StringEquals` on LeadingKeys.
OWN = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me"]}}
BOTH = {"RequestItems": {"tbl": {"Keys": [MINE, YOURS]}}}


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("GetItem", item(YOURS)),
        ("Query", query("you")),
        ("Query", {"TableName": "tbl", "KeyConditions": {
            "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "you"}]}}}),
        ("BatchGetItem", BOTH),
        ("ExecuteStatement", sql("SELECT * FROM tbl WHERE pk='me' OR pk='you'")),
        ("ExecuteStatement", sql("SELECT * FROM tbl WHERE NOT pk='me'")),
        ("ExecuteStatement", sql("UPDATE tbl SET a='b' WHERE pk='you' AND sk=1")),
        ("ExecuteStatement", sql("UPDATE tbl SET a='b' WHERE pk < 'z'")),
        ("ExecuteStatement", sql("UPDATE tbl SET pk='me' WHERE sk=1")),
        ("ExecuteStatement", sql("DELETE FROM tbl")),
        ("ExecuteStatement", sql("DELETE FROM tbl WHERE a='me'")),
        ("ExecuteStatement", sql('DELETE FROM tbl WHERE "a"."pk"=\'me\'')),
        ("ExecuteStatement", sql("DELETE FROM tbl WHERE pk='me' || 'x' AND sk=1")),
        ("ExecuteStatement", sql("DELETE FROM tbl WHERE PK='me' AND sk=1")),
    ],
)  # fmt: skip
def test_a_policy_for_ones_own_items_lets_nobody_at_others(caller, operation, given):
    caller.may(allow("dynamodb:*", **OWN))
    told = caller.call("dynamodb", operation, given)
    assert (told.code, told.sent) == ("AccessDeniedException", 0)


@pytest.mark.parametrize("number", ["1", "01", "1.0", "1e0", "10E-1"])
def test_the_keys_of_an_index_are_the_indexs_and_a_number_is_one_key_however_it_is_written(caller, number):
    told = caller.counted.call(
        "dynamodb",
        "Query",
        {
            "TableName": "tbl",
            "IndexName": "by-group",
            "KeyConditionExpression": "group = :g",
            "ExpressionAttributeValues": {":g": {"N": number}},
        },
    )
    assert told.context("dynamodb:Query")["dynamodb:leadingkeys"] == "1"


def test_of_a_table_that_nobody_described_every_value_could_be_the_key(counted):
    """No policy for some keys lets such a request through, and one that denies some keys finds them all."""
    stranger = {"TableName": "stranger"}
    told = counted.call("dynamodb", "GetItem", {**stranger, "Key": {"a": {"S": "me"}, "b": {"S": "you"}}})
    assert sorted(told.context("dynamodb:GetItem")["dynamodb:leadingkeys"]) == ["me", UNKNOWN, "you"]
    told = counted.call("dynamodb", "GetItem", {**stranger, "Key": {"a": {"S": "me"}}})
    assert told.context("dynamodb:GetItem")["dynamodb:leadingkeys"] == "me"


def test_old_and_new_parameters_together_are_refused(caller):
    """A backend could heed either (DynamoDB Developer Guide, "Legacy conditional parameters")."""
    legacy = {"KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "you"}]}}}
    told = caller.counted.call("dynamodb", "Query", query("me", **legacy))
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)
