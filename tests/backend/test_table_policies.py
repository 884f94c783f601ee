"""The policy of a table is replaced when it is the one that is expected, and goes with the table (PutResourcePolicy)."""

import json

import pytest
from gateway.two_accounts import code_of, error_of
from running import ACCOUNT, REGION

ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/things"
NONE = "PolicyNotFoundException"


def policy(action="dynamodb:GetItem"):
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": action, "Resource": ARN}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture
def tables(cloud):
    tables = cloud.client("dynamodb")
    create(tables)
    return tables


def create(tables):
    tables.create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_a_revision_is_not_expected_where_there_is_no_policy(tables):
    given = {"ResourceArn": ARN, "Policy": policy()}
    error = error_of(tables.put_resource_policy, **given, ExpectedRevisionId="1")
    words = f"Resource-based policy not found for the provided ResourceArn: {ARN}"
    assert (error["Code"], error["Message"]) == (NONE, words)
    assert code_of(tables.get_resource_policy, ResourceArn=ARN) == NONE
    first = tables.put_resource_policy(**given, ExpectedRevisionId="NO_POLICY")["RevisionId"]
    assert code_of(tables.put_resource_policy, **given, ExpectedRevisionId="NO_POLICY") == NONE
    given["Policy"] = policy("dynamodb:Query")
    assert code_of(tables.put_resource_policy, **given, ExpectedRevisionId="1") == NONE
    tables.put_resource_policy(**given, ExpectedRevisionId=first)


def test_a_policy_is_removed_more_than_once(tables):
    tables.put_resource_policy(ResourceArn=ARN, Policy=policy())
    assert code_of(tables.delete_resource_policy, ResourceArn=ARN, ExpectedRevisionId="1") == NONE
    for _ in range(2):
        tables.delete_resource_policy(ResourceArn=ARN)
    assert code_of(tables.delete_resource_policy, ResourceArn=ARN, ExpectedRevisionId="1") == NONE
    other = ARN.replace("things", "other")
    assert code_of(tables.delete_resource_policy, ResourceArn=other) == "ResourceNotFoundException"


def test_a_policy_goes_with_its_table(tables):
    tables.put_resource_policy(ResourceArn=ARN, Policy=policy())
    tables.delete_table(TableName="things")
    create(tables)
    assert code_of(tables.get_resource_policy, ResourceArn=ARN) == NONE
