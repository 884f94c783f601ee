"""A transaction with a token is done once (DynamoDB API Reference, TransactWriteItems, ClientRequestToken)."""

import time

import pytest
from gateway.two_accounts import code_of

from iamd.backend import transaction_tokens


@pytest.fixture
def dynamodb(cloud):
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="counts",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def adding(number, **more):
    update = {
        "TableName": "counts",
        "Key": {"k": {"S": "a"}},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": str(number)}},
        **more,
    }
    return {"TransactItems": [{"Update": update}]}


def count(dynamodb):
    return dynamodb.get_item(TableName="counts", Key={"k": {"S": "a"}}).get("Item", {}).get("n", {"N": "0"})["N"]


def test_what_is_asked_for_again_is_done_once(dynamodb):
    for _ in range(3):
        dynamodb.transact_write_items(**adding(1), ClientRequestToken="first")
    assert count(dynamodb) == "1"
    # What is to be told beside it is no other transaction.
    dynamodb.transact_write_items(**adding(1), ClientRequestToken="first", ReturnConsumedCapacity="TOTAL")
    assert count(dynamodb) == "1"
    dynamodb.transact_write_items(**adding(1), ClientRequestToken="second")
    dynamodb.transact_write_items(**adding(1))
    assert count(dynamodb) == "3"


def test_another_transaction_with_a_token_is_refused(dynamodb):
    dynamodb.transact_write_items(**adding(1), ClientRequestToken="first")
    code = code_of(dynamodb.transact_write_items, **adding(2), ClientRequestToken="first")
    assert code == "IdempotentParameterMismatchException"
    assert count(dynamodb) == "1"


def test_what_was_not_done_can_be_asked_for_again(dynamodb):
    there = {"ConditionExpression": "attribute_exists(k)"}
    given = {**adding(1, **there), "ClientRequestToken": "first"}
    assert code_of(dynamodb.transact_write_items, **given) == "TransactionCanceledException"
    dynamodb.put_item(TableName="counts", Item={"k": {"S": "a"}, "n": {"N": "5"}})
    dynamodb.transact_write_items(**given)
    assert count(dynamodb) == "6"


def test_a_token_is_its_tables_accounts_and_regions(cloud, dynamodb):
    dynamodb.transact_write_items(**adding(1), ClientRequestToken="first")
    there = cloud.client("dynamodb", region="eu-west-1")
    assert code_of(there.transact_write_items, **adding(1), ClientRequestToken="first") == "ResourceNotFoundException"


def test_statements_of_a_transaction_are_run_once(dynamodb):
    def insert(key):
        return {"TransactStatements": [{"Statement": f"INSERT INTO counts VALUE {{'k': '{key}'}}"}]}

    for _ in range(2):
        dynamodb.execute_transaction(**insert("x"), ClientRequestToken="first")
    dynamodb.delete_item(TableName="counts", Key={"k": {"S": "x"}})
    dynamodb.execute_transaction(**insert("x"), ClientRequestToken="first")
    assert dynamodb.scan(TableName="counts")["Count"] == 0
    code = code_of(dynamodb.execute_transaction, **insert("y"), ClientRequestToken="first")
    assert code == "IdempotentParameterMismatchException"


def test_a_token_is_forgotten_after_ten_minutes(monkeypatch):
    class Backend:
        pass

    backend, begun = Backend(), time.monotonic()
    transaction_tokens._kept(backend)["transact_write_items", "t"] = transaction_tokens._Done(b"", None, begun + 600)
    for later, kept in ((590, 1), (610, 0)):
        monkeypatch.setattr(transaction_tokens.time, "monotonic", lambda later=later: begun + later)
        assert len(transaction_tokens._kept(backend)) == kept
