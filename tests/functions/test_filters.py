"""Filters of event source mappings, by each kind of source.

AWS: Lambda Developer Guide, invocation-eventfiltering, with-sqs-filtering, with-kinesis-filtering and with-ddb-filtering.
"""

import json

import pytest
from functions.streaming import batches, put, start, table, told
from functions.test_asynchronous import bodies
from functions.test_mappings import POLL, gone, mapped
from running import allow

KEPT = [
    ("json", {"data": {"City": ["Seattle"]}}, ["plain", '{"City": "Rome"}', '{"City": "Seattle"}'], 2),
    ("metadata", {"partitionKey": ["wanted"]}, ["plain"], None),
    ("prefix", {"data": {"n": [{"numeric": [">", 2]}]}}, ['{"n": 1}', "3", '{"n": 3}'], 2),
]


@pytest.mark.parametrize(("pattern", "given", "kept"), [one[1:] for one in KEPT], ids=[one[0] for one in KEPT])
def test_filters_choose_records_of_a_stream(functions, out, pattern, given, kept):
    put(functions, *given)
    put(functions, "last", key="wanted")
    start(functions, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    assert told(functions, out, 1) == [[given[kept] if kept is not None else "last"]]


def test_filters_choose_changes_of_a_table(functions, out):
    arn, dynamodb = table(functions), functions.cloud.client("dynamodb")
    patterns = [{"eventName": ["REMOVE"]}, {"dynamodb": {"NewImage": {"state": {"S": ["done"]}}}}]
    mapped(
        functions,
        arn,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": json.dumps(one)} for one in patterns]},
    )
    for state in ("open", "done"):
        dynamodb.put_item(TableName="table", Item={"id": {"S": state}, "state": {"S": state}})
    dynamodb.delete_item(TableName="table", Key={"id": {"S": "open"}})
    found = []
    while len(found) < 2:
        found += [one for batch in batches(functions, out, 1) for one in batch]
    assert [(one["eventName"], one["dynamodb"]["Keys"]["id"]["S"]) for one in found] == [
        ("INSERT", "done"),
        ("REMOVE", "open"),
    ]


SQS = """
import json, os
import boto3

def handler(event, context):
    texts = [one["body"] for one in event["Records"]]
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(texts))
"""
# AWS: the table of with-sqs-filtering: what is not of the pattern's form is dropped.
BODIES = ["plain", '{"City": "Rome"}', '{"City": "Seattle"}']
FORMS = [
    ("plain", {"body": ["plain", BODIES[2]]}, ["plain"]),
    ("json", {"body": {"City": ["Seattle"]}}, [BODIES[2]]),
    ("json that asks for nothing", {"body": {"State": [{"exists": False}]}}, BODIES[1:]),
    ("metadata", {"messageAttributes": {"team": {"stringValue": ["blue"]}}}, ["plain"]),
]


@pytest.mark.parametrize(("pattern", "kept"), [one[1:] for one in FORMS], ids=[one[0] for one in FORMS])
def test_messages_that_filters_drop_are_deleted(functions, pattern, kept):
    (into, into_arn), (out, out_arn) = functions.queue("into", VisibilityTimeout="600"), functions.queue("told")
    functions.permit(allow(POLL, into_arn), allow("sqs:SendMessage", out_arn))
    functions.make(SQS, Environment={"Variables": {"OUT": out}})
    for body in BODIES:
        blue = {"team": {"DataType": "String", "StringValue": "blue"}} if body == "plain" else {}
        functions.cloud.client("sqs").send_message(QueueUrl=into, MessageBody=body, MessageAttributes=blue)
    mapped(functions, into_arn, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    found = []
    while len(found) < len(kept):
        found += [text for one in bodies(functions, out) for text in json.loads(one)]
    assert sorted(found) == sorted(kept)
    assert gone(functions, into)


def test_filters_that_are_taken_away_drop_nothing(functions, out):
    put(functions, "one")
    made = start(functions, FilterCriteria={"Filters": [{"Pattern": '{"partitionKey": ["wanted"]}'}]})
    put(functions, "two", key="wanted")
    assert told(functions, out, 1) == [["two"]]
    functions.cloud.client("lambda").update_event_source_mapping(UUID=made["UUID"], FilterCriteria={})
    put(functions, "three")
    assert told(functions, out, 1) == [["three"]]
