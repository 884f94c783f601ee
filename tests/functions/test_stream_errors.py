"""Batches of streams' records that fail: retried, split, told of in part, and given up.

AWS: Lambda Developer Guide, with-kinesis and with-ddb: "Error handling", "Reporting batch item failures"; kinesis-on-failure-destination.
"""

import json
from datetime import UTC, datetime

from functions.relay import READ, READ_TABLE, STREAM
from functions.streaming import batches, put, start, table, told
from functions.test_asynchronous import bodies
from functions.test_invoke import waiting
from functions.test_mappings import mapped
from running import ACCOUNT, REGION, allow

FROM_TOPICS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
}


def test_a_batch_that_fails_holds_up_its_shard_and_is_retried(functions, out):
    put(functions, "poison", "after")
    start(functions, BatchSize=1)
    assert told(functions, out, 3) == [["poison"]] * 3


def test_a_batch_is_given_up_after_its_retries(functions, out):
    dead, arn = functions.queue("dead")
    put(functions, "poison", "one")
    functions.permit(allow(READ, STREAM), allow("sqs:SendMessage"))
    start(functions, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": arn}})
    assert told(functions, out, 2) == [["poison", "one"]] * 2
    [body] = bodies(functions, dead)
    record = json.loads(body)
    assert record["requestContext"].pop("requestId")
    assert record["requestContext"] == {
        "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    info = record["KinesisBatchInfo"]
    assert (info["shardId"], info["batchSize"], info["streamArn"]) == ("shardId-000000000000", 2, STREAM)
    assert int(info["endSequenceNumber"]) == int(info["startSequenceNumber"]) + 1
    assert info["approximateArrivalOfFirstRecord"] <= info["approximateArrivalOfLastRecord"]
    assert (record["version"], "payload" in record) == ("1.0", False)
    put(functions, "next")
    assert told(functions, out, 1) == [["next"]]


def test_a_bucket_is_given_what_was_given_up(functions, out):
    s3 = functions.cloud.client("s3")
    s3.create_bucket(Bucket="dead")
    functions.permit(allow(READ, STREAM), allow("sqs:SendMessage"), allow("s3:PutObject", "arn:aws:s3:::dead/*"))
    put(functions, "poison")
    made = start(
        functions, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::dead"}}
    )
    [[given]] = batches(functions, out, 1)
    while not (found := s3.list_objects_v2(Bucket="dead").get("Contents")):
        pass
    assert found[0]["Key"].startswith(f"aws/lambda/{made['UUID']}/shardId-000000000000/{datetime.now(UTC):%Y/%m}")
    record = json.load(s3.get_object(Bucket="dead", Key=found[0]["Key"])["Body"])
    assert json.loads(record["payload"]) == {"Records": [given]}
    assert record["KinesisBatchInfo"]["batchSize"] == 1


def test_a_topic_is_told_of_changes_that_were_given_up(functions, out):
    sns, (dead, dead_arn) = (
        functions.cloud.client("sns"),
        functions.queue("dead", Policy=json.dumps({"Statement": [FROM_TOPICS]})),
    )
    topic = sns.create_topic(Name="dead")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=dead_arn, Attributes={"RawMessageDelivery": "true"})
    arn = table(functions)
    functions.permit(
        allow("dynamodb:ListStreams"), allow(READ_TABLE, arn), allow("sqs:SendMessage"), allow("sns:Publish", topic)
    )
    functions.cloud.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "poison"}})
    destination = {"OnFailure": {"Destination": topic}}
    mapped(functions, arn, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=0, DestinationConfig=destination)
    [body] = bodies(functions, dead)
    info = json.loads(body)["DDBStreamBatchInfo"]
    assert (info["batchSize"], info["streamArn"]) == (1, arn)


def test_records_that_are_too_old_are_given_up(functions, out):
    dead, arn = functions.queue("dead")
    functions.permit(allow(READ, STREAM), allow("sqs:SendMessage"))
    put(functions, "poison")
    start(functions, MaximumRecordAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}})
    assert told(functions, out, 1) == [["poison"]]
    functions.cloud.advance(61)
    [body] = bodies(functions, dead)
    assert json.loads(body)["requestContext"]["condition"] == "RecordAgeExceeded"


def test_a_batch_that_fails_is_bisected(functions, out):
    put(functions, "a", "b", "poison", "d")
    start(functions, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    found = told(functions, out, 5)
    assert found == [["a", "b", "poison", "d"], ["a", "b"], ["poison", "d"], ["poison"], ["d"]]


def test_a_function_tells_from_where_a_batch_is_retried(functions, out):
    put(functions, "a", "b", "bad", "d")
    start(functions, FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    assert told(functions, out, 2) == [["a", "b", "bad", "d"], ["bad", "d"]]
    put(functions, "next")
    assert told(functions, out, 1) == [["next"]]


def test_what_is_told_is_nothing_without_the_response_type(functions, out):
    put(functions, "bad")
    start(functions)
    assert told(functions, out, 1) == [["bad"]]
    put(functions, "next")
    assert told(functions, out, 1) == [["next"]]


def test_an_id_that_was_not_given_fails_the_batch(functions, out):
    put(functions, "a", "wrong")
    start(functions, FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    assert told(functions, out, 2) == [["a", "wrong"]] * 2
    put(functions, "next")
    assert told(functions, out, 1) == [["next"]]


def test_a_batch_is_bisected_where_the_function_tells(functions, out):
    put(functions, "a", "b", "bad", "d")
    more = {"FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": True}
    start(functions, MaximumRetryAttempts=0, **more)
    assert told(functions, out, 4) == [["a", "b", "bad", "d"], ["bad", "d"], ["bad"], ["d"]]


def test_records_that_the_stream_has_no_more_are_forgotten(functions, out):
    put(functions, "poison")
    start(functions)
    assert told(functions, out, 1) == [["poison"]]
    functions.cloud.advance(25 * 3600)
    put(functions, "next")
    found = []
    while ["next"] not in found:
        found += told(functions, out, 1)
    assert found.count(["next"]) == 1


def test_a_function_that_could_not_be_run_has_used_no_retry(functions, out):
    client = functions.cloud.client("lambda")
    client.put_function_concurrency(FunctionName="fn", ReservedConcurrentExecutions=0)
    put(functions, "one")
    start(functions, MaximumRetryAttempts=0)
    assert functions.cloud.events("GetRecords")
    assert waiting(functions.cloud, out) == 0
    client.delete_function_concurrency(FunctionName="fn")
    assert told(functions, out, 1) == [["one"]]
