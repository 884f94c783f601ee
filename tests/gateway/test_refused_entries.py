"""Batches of which single entries are denied: which services tell it of the entry, and which refuse the whole.

AWS: Secrets Manager API Reference, BatchGetSecretValue ("errors such as AccessDeniedException while attempting to
retrieve any of the secrets" are told in Errors); DynamoDB API Reference, BatchStatementError (AccessDenied is a
statement's error); Resource Groups Tagging API Reference, FailureInfo (AccessDeniedException). The results of the other batches have no error for what may not be done: API References,
BatchGetItem, BatchWriteItem, ExecuteTransaction, GetParameters.
"""

from typing import Any

import pytest
from gateway.two_accounts import error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
PARTIQL = "dynamodb:PartiQL*"


def words(user: str, action: str, resource: str) -> str:
    return (
        f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


@pytest.fixture
def tables(cloud) -> Any:
    """Two tables, each with the item `a`."""
    owner = cloud.client("dynamodb")
    for name in ("open", "shut"):
        owner.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        owner.put_item(TableName=name, Item={"pk": {"S": "a"}})
    return owner


def select(table: str, key: str = "a") -> dict[str, Any]:
    return {"Statement": f'SELECT * FROM "{table}" WHERE pk = ?', "Parameters": [{"S": key}]}


def insert(table: str, key: str) -> dict[str, Any]:
    return {"Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': '{key}'}}"}


def keys(owner: Any, table: str) -> list[str]:
    return sorted(item["pk"]["S"] for item in owner.scan(TableName=table)["Items"])


def test_a_denied_statement_has_an_error_in_its_place_and_the_others_are_done(cloud, tables):
    caller = cloud.client("dynamodb", cloud.user("caller", allow(PARTIQL, f"{TABLES}/open")))
    told = caller.batch_execute_statement(Statements=[select("shut"), select("open"), select("shut"), select("open")])
    denied = {"Error": {"Code": "AccessDenied", "Message": words("caller", "dynamodb:PartiQLSelect", f"{TABLES}/shut")}}
    found = {"TableName": "open", "Item": {"pk": {"S": "a"}}}
    assert told["Responses"] == [denied, found, denied, found]
    told = caller.batch_execute_statement(Statements=[insert("open", "b"), insert("shut", "b")])
    assert [one.get("Error", {}).get("Code") for one in told["Responses"]] == [None, "AccessDenied"]
    assert (keys(tables, "open"), keys(tables, "shut")) == (["a", "b"], ["a"])


def test_when_every_statement_is_denied_each_has_its_error(cloud, tables):
    nobody = cloud.client("dynamodb", cloud.user("nobody"))
    told = nobody.batch_execute_statement(Statements=[insert("open", "b"), insert("shut", "b")])
    assert [one["Error"]["Code"] for one in told["Responses"]] == ["AccessDenied", "AccessDenied"]
    assert told["Responses"][1]["Error"]["Message"] == words("nobody", "dynamodb:PartiQLInsert", f"{TABLES}/shut")
    assert (keys(tables, "open"), keys(tables, "shut")) == (["a"], ["a"])


def test_a_statement_is_denied_by_a_key_of_its_own(cloud, tables):
    own = allow(PARTIQL) | {"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"]}}}
    caller = cloud.client("dynamodb", cloud.user("caller", own))
    told = caller.batch_execute_statement(Statements=[select("open"), select("open", "b")])
    assert [one.get("Error", {}).get("Code") for one in told["Responses"]] == [None, "AccessDenied"]


def test_a_statement_may_be_allowed_by_the_tags_of_its_table(cloud, tables):
    tables.tag_resource(ResourceArn=f"{TABLES}/open", Tags=[{"Key": "team", "Value": "blue"}])
    tagged = allow(PARTIQL) | {"Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}}
    caller = cloud.client("dynamodb", cloud.user("caller", tagged))
    told = caller.batch_execute_statement(Statements=[select("shut"), select("open")])
    assert [one.get("Error", {}).get("Code") for one in told["Responses"]] == ["AccessDenied", None]


def test_the_key_of_a_table_whose_statement_is_denied_is_not_asked_for(cloud, tables):
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    tables.update_table(TableName="shut", SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    caller = cloud.client("dynamodb", cloud.user("caller", allow(PARTIQL, f"{TABLES}/open")))
    told = caller.batch_execute_statement(Statements=[select("shut"), select("open")])
    assert [one.get("Error", {}).get("Code") for one in told["Responses"]] == ["AccessDenied", None]
    assert (
        caller.batch_execute_statement(Statements=[select("shut")])["Responses"][0]["Error"]["Code"] == "AccessDenied"
    )


def test_more_statements_than_a_batch_may_have_are_refused_though_some_are_denied(cloud, tables):
    caller = cloud.client("dynamodb", cloud.user("caller", allow(PARTIQL, f"{TABLES}/open")))
    many = [insert("open", f"k{number}") for number in range(25)]
    refused = error_of(caller.batch_execute_statement, Statements=[*many, select("shut")])
    assert refused["Code"] == "ValidationException"
    assert refused["Message"].endswith(
        "'statements' failed to satisfy constraint: Member must have length less than or equal to 25"
    )
    assert keys(tables, "open") == ["a"]


def test_what_dynamodb_does_whole_is_denied_whole(cloud, tables):
    may = allow(["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", PARTIQL], f"{TABLES}/open")
    caller = cloud.client("dynamodb", cloud.user("caller", may))
    gets = {name: {"Keys": [{"pk": {"S": "a"}}]} for name in ("open", "shut")}
    writes = {name: [{"PutRequest": {"Item": {"pk": {"S": "b"}}}}] for name in ("open", "shut")}
    statements = [insert("open", "b"), insert("shut", "b")]
    for refused, resource in (
        (error_of(caller.batch_get_item, RequestItems=gets), "dynamodb:BatchGetItem"),
        (error_of(caller.batch_write_item, RequestItems=writes), "dynamodb:BatchWriteItem"),
        (error_of(caller.execute_transaction, TransactStatements=statements), "dynamodb:PartiQLInsert"),
    ):
        assert refused == {"Code": "AccessDeniedException", "Message": words("caller", resource, f"{TABLES}/shut")}
    assert keys(tables, "open") == ["a"]


@pytest.fixture
def secrets(cloud) -> Any:
    """The secrets `open` and `shut`."""
    owner = cloud.client("secretsmanager")
    for name in ("open", "shut"):
        owner.create_secret(Name=name, SecretString=f"of {name}")
    return owner


def secret_reader(cloud, *more: Any) -> Any:
    may = allow("secretsmanager:BatchGetSecretValue"), allow("secretsmanager:GetSecretValue", f"{SECRETS}:open-*")
    return cloud.client("secretsmanager", cloud.user("caller", *may, *more))


def values(told: Any) -> list[str]:
    return sorted(one["SecretString"] for one in told["SecretValues"])


def test_a_denied_secret_is_told_among_the_errors_and_the_others_are_shown(cloud, secrets):
    shut = secrets.describe_secret(SecretId="shut")["ARN"]
    caller = secret_reader(cloud)
    told = caller.batch_get_secret_value(SecretIdList=["shut", "open"])
    message = words("caller", "secretsmanager:GetSecretValue", shut)
    assert values(told) == ["of open"]
    assert told["Errors"] == [{"SecretId": "shut", "ErrorCode": "AccessDeniedException", "Message": message}]
    told = caller.batch_get_secret_value(SecretIdList=[shut])
    assert told["SecretValues"] == []
    assert told["Errors"] == [{"SecretId": shut, "ErrorCode": "AccessDeniedException", "Message": message}]


def test_who_may_not_ask_for_secrets_by_batch_is_denied_whole(cloud, secrets):
    caller = cloud.client("secretsmanager", cloud.user("caller", allow("secretsmanager:GetSecretValue")))
    refused = error_of(caller.batch_get_secret_value, SecretIdList=["open"])
    assert (refused["Code"], "secretsmanager:BatchGetSecretValue" in refused["Message"]) == (
        "AccessDeniedException",
        True,
    )


def test_a_secret_of_another_account_is_decided_by_its_own_policy(cloud, other, secrets):
    theirs = cloud.client("secretsmanager", other)
    arn = theirs.create_secret(Name="theirs", SecretString="of theirs")["ARN"]
    owner = cloud.client("secretsmanager", cloud.user("ann", allow("secretsmanager:*")))
    [error] = owner.batch_get_secret_value(SecretIdList=[arn, "open"])["Errors"]
    assert (error["SecretId"], error["ErrorCode"]) == (arn, "AccessDeniedException")


def test_a_secret_may_be_allowed_by_its_tags_or_denied_by_its_policy(cloud, secrets):
    secrets.tag_resource(SecretId="shut", Tags=[{"Key": "team", "Value": "blue"}])
    tagged = allow("secretsmanager:GetSecretValue") | {"Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}}
    caller = secret_reader(cloud, tagged)
    assert values(caller.batch_get_secret_value(SecretIdList=["shut", "open"])) == ["of open", "of shut"]
    denial = to("*", deny("secretsmanager:GetSecretValue"))
    secrets.put_resource_policy(SecretId="open", ResourcePolicy=policy(denial))
    told = caller.batch_get_secret_value(SecretIdList=["shut", "open"])
    assert (values(told), [one["SecretId"] for one in told["Errors"]]) == (["of shut"], ["open"])


def test_what_there_is_not_is_told_beside_what_is_denied(cloud, secrets):
    caller = secret_reader(cloud, allow("secretsmanager:GetSecretValue", f"{SECRETS}:none*"))
    told = caller.batch_get_secret_value(SecretIdList=["none", "shut", "open"])
    codes = {one["SecretId"]: one["ErrorCode"] for one in told["Errors"]}
    assert codes == {"none": "ResourceNotFoundException", "shut": "AccessDeniedException"}
    assert values(told) == ["of open"]


def test_the_event_has_each_entrys_decision(cloud, secrets):
    caller = secret_reader(cloud)
    answer = caller.batch_get_secret_value(SecretIdList=["shut", "open"])
    told = cloud.explain(answer["ResponseMetadata"]["RequestId"])
    assert [(one["Action"].partition(":")[2], one["Outcome"]) for one in told["Decisions"]] == [
        ("BatchGetSecretValue", "Allowed"), ("GetSecretValue", "ImplicitlyDenied"), ("GetSecretValue", "Allowed"),
        ("Decrypt", "Allowed"),
    ]  # fmt: skip
    assert "ErrorCode" not in told


def test_parameters_are_denied_whole(cloud):
    owner = cloud.client("ssm")
    for name in ("open", "shut"):
        owner.put_parameter(Name=name, Value=name, Type="String")
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    caller = cloud.client("ssm", cloud.user("caller", allow("ssm:GetParameters", f"{arn}/open")))
    refused = error_of(caller.get_parameters, Names=["open", "shut"])
    assert refused == {"Code": "AccessDeniedException", "Message": words("caller", "ssm:GetParameters", f"{arn}/shut")}


def test_a_resource_that_may_not_be_tagged_is_told_and_the_others_are_tagged(cloud, tables):
    may = allow(["dynamodb:TagResource", "dynamodb:UntagResource"], f"{TABLES}/open")
    caller = cloud.client("resourcegroupstaggingapi", cloud.user("caller", allow("tag:*"), may))
    shut, listed = f"{TABLES}/shut", [f"{TABLES}/shut", f"{TABLES}/open"]

    def failed(action: str) -> dict[str, Any]:
        message = words("caller", action, shut)
        return {shut: {"StatusCode": 400, "ErrorCode": "AccessDeniedException", "ErrorMessage": message}}

    def tags() -> list[Any]:
        return [tables.list_tags_of_resource(ResourceArn=f"{TABLES}/{name}")["Tags"] for name in ("open", "shut")]

    told = caller.tag_resources(ResourceARNList=listed, Tags={"team": "red"})
    assert told["FailedResourcesMap"] == failed("dynamodb:TagResource")
    assert tags() == [[{"Key": "team", "Value": "red"}], []]
    told = caller.untag_resources(ResourceARNList=listed, TagKeys=["team"])
    assert told["FailedResourcesMap"] == failed("dynamodb:UntagResource")
    assert tags() == [[], []]
    told = caller.tag_resources(ResourceARNList=[shut], Tags={"a": "b"})
    assert told["FailedResourcesMap"] == failed("dynamodb:TagResource")


def test_a_role_that_a_batch_names_must_be_passed_as_elsewhere(cloud, tables):
    """By rule: what speaks of a role and is one's ARN."""
    role = f"arn:aws:iam::{ACCOUNT}:role/worker"
    caller = cloud.client(
        "resourcegroupstaggingapi", cloud.user("caller", allow(["tag:TagResources", "dynamodb:TagResource"]))
    )
    refused = error_of(caller.tag_resources, ResourceARNList=[f"{TABLES}/open"], Tags={"role": role})
    assert "iam:PassRole" in refused["Message"]
    assert tables.list_tags_of_resource(ResourceArn=f"{TABLES}/open")["Tags"] == []


def test_batches_for_one_resource_are_denied_whole(cloud):
    """Each is one request on one resource: what is denied is denied for all of its entries."""
    url = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    cloud.client("logs").create_log_group(logGroupName="g")
    cloud.client("logs").create_log_stream(logGroupName="g", logStreamName="s")
    nobody = cloud.user("nobody")
    sqs, sns, kinesis, logs = (cloud.client(name, nobody) for name in ("sqs", "sns", "kinesis", "logs"))
    messages = [{"Id": name, "MessageBody": "m"} for name in "ab"]
    entries = [{"Id": name, "ReceiptHandle": "h"} for name in "ab"]
    records = [{"Data": b"d", "PartitionKey": name} for name in "ab"]
    for ask, given, action in (
        (sqs.send_message_batch, {"QueueUrl": url, "Entries": messages}, "sqs:sendmessage"),
        (sqs.delete_message_batch, {"QueueUrl": url, "Entries": entries}, "sqs:deletemessage"),
        (
            sns.publish_batch,
            {"TopicArn": topic, "PublishBatchRequestEntries": [{"Id": "a", "Message": "m"}]},
            "sns:publish",
        ),
        (kinesis.put_records, {"StreamName": "s", "Records": records}, "kinesis:putrecords"),
        (
            logs.put_log_events,
            {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
            "logs:putlogevents",
        ),
    ):
        error = error_of(ask, **given)
        assert f"perform: {action} " in error["Message"].lower(), error
    told = cloud.client("sqs").receive_message(QueueUrl=url)
    assert "Messages" not in told


def test_one_event_that_may_not_be_put_keeps_the_others_from_being_put(cloud):
    """Which entries AWS would put is not public (docs/divergences.md): none is."""
    cloud.client("events").create_event_bus(Name="shut")
    default = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    caller = cloud.client("events", cloud.user("caller", allow("events:PutEvents", default)))
    entries = [
        {"Source": "shop", "DetailType": "d", "Detail": "{}", "EventBusName": bus} for bus in ("default", "shut")
    ]
    assert error_of(caller.put_events, Entries=entries)["Code"] == "AccessDeniedException"
    assert caller.put_events(Entries=entries[:1])["FailedEntryCount"] == 0
