"""Functions that are given the records of Kinesis streams and of DynamoDB tables' streams.

AWS: Lambda Developer Guide, "Using Lambda to process records from Amazon Kinesis Data Streams" (with-kinesis) and "Using
AWS Lambda with Amazon DynamoDB" (with-ddb), with what they say of errors, batches and partial responses.
"""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from functions.conftest import ROLE
from functions.relay import READ, READ_TABLE, RELAY, STREAM
from functions.streaming import batches, put, start, table, texts, told
from functions.test_asynchronous import refusal
from functions.test_invoke import waiting
from functions.test_mappings import begun_later, mapped
from running import ACCOUNT, REGION, allow


def test_records_of_a_kinesis_stream_reach_the_function_in_their_order(functions, out):
    put(functions, "one", "two")
    start(functions)
    [[first, second]] = batches(functions, out, 1)
    assert texts([first, second]) == ["one", "two"]
    sequence = first["kinesis"].pop("sequenceNumber")
    arrived = first["kinesis"].pop("approximateArrivalTimestamp")
    assert abs(datetime.now(UTC).timestamp() - arrived) < 600
    assert first == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "data": base64.b64encode(b"one").decode(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": ROLE,
        "awsRegion": REGION,
        "eventSourceARN": STREAM,
    }
    put(functions, "three")
    assert told(functions, out, 1) == [["three"]]


def test_changes_of_a_table_reach_the_function(functions, out):
    arn, dynamodb = table(functions), functions.cloud.client("dynamodb")
    mapped(functions, arn, StartingPosition="TRIM_HORIZON")
    item = {"id": {"S": "a"}, "raw": {"B": b"\x00\xff"}, "list": {"L": [{"N": "1.50"}, {"BS": [b"x"]}]}}
    dynamodb.put_item(TableName="table", Item=item)
    [[record]] = batches(functions, out, 1)
    assert (record["eventName"], record["eventSource"], record["eventVersion"]) == ("INSERT", "aws:dynamodb", "1.1")
    assert (record["awsRegion"], record["eventSourceARN"]) == (REGION, arn)
    change = record["dynamodb"]
    assert change["Keys"] == {"id": {"S": "a"}}
    image = {"id": {"S": "a"}, "raw": {"B": "AP8="}, "list": {"L": [{"N": "1.50"}, {"BS": ["eA=="]}]}}
    assert change["NewImage"] == image
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert "OldImage" not in change
    assert change["ApproximateCreationDateTime"] == int(change["ApproximateCreationDateTime"])
    dynamodb.delete_item(TableName="table", Key={"id": {"S": "a"}})
    [[record]] = batches(functions, out, 1)
    assert (record["eventName"], record["dynamodb"]["OldImage"]) == ("REMOVE", image)
    assert int(record["dynamodb"]["SequenceNumber"]) > int(change["SequenceNumber"])


def test_the_reader_is_the_execution_role(functions, out):
    put(functions, "one")
    begin = begun_later(functions, STREAM, StartingPosition="TRIM_HORIZON")
    functions.permit(allow([one for one in READ if one != "kinesis:GetRecords"], STREAM), allow("sqs:*"))
    begin()
    denied = refusal(functions.cloud, "GetRecords")
    assert denied["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"
    assert waiting(functions.cloud, out) == 0
    functions.permit(allow(READ, STREAM), allow("sqs:*"))
    assert told(functions, out, 1) == [["one"]]
    # A role that loses the right gets nothing more.
    functions.permit(allow("sqs:*"))
    put(functions, "two")
    seen = {one["eventID"] for one in functions.cloud.events("GetRecords") if "errorCode" in one}
    while {one["eventID"] for one in functions.cloud.events("GetRecords") if "errorCode" in one} == seen:
        pass
    assert waiting(functions.cloud, out) == 0


@pytest.mark.parametrize("missing", ["DescribeStream", "DescribeStreamSummary", "ListShards"])
def test_a_role_needs_all_that_the_cdk_gives_it(functions, out, missing):
    put(functions, "one")
    begin = begun_later(functions, STREAM, StartingPosition="TRIM_HORIZON")
    functions.permit(allow([one for one in READ if one != f"kinesis:{missing}"], STREAM), allow("sqs:SendMessage"))
    begin()
    assert refusal(functions.cloud, missing)["errorCode"].startswith("AccessDenied")
    assert waiting(functions.cloud, out) == 0


def test_a_table_is_read_by_the_execution_role(functions, out):
    arn = table(functions)
    functions.permit(allow(READ_TABLE, arn), allow("sqs:SendMessage"))
    functions.cloud.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "a"}})
    mapped(functions, arn, StartingPosition="TRIM_HORIZON")
    assert refusal(functions.cloud, "ListStreams")["userIdentity"]["arn"].endswith(":assumed-role/worker/fn")
    assert waiting(functions.cloud, out) == 0
    functions.permit(allow("dynamodb:ListStreams"), allow(READ_TABLE, arn), allow("sqs:SendMessage"))
    [[record]] = batches(functions, out, 1)
    assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}


def test_latest_begins_with_what_comes(functions, out):
    put(functions, "before")
    start(functions, StartingPosition="LATEST")
    count = 0
    while not waiting(functions.cloud, out):
        put(functions, f"after {count}")
        count += 1
    assert "before" not in told(functions, out, 1)[0]


def test_a_moment_begins_with_what_came_after_it(functions, out):
    put(functions, "one", "two")
    kinesis = functions.cloud.client("kinesis")
    shard = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    second = kinesis.get_records(ShardIterator=shard["ShardIterator"])["Records"][1]["ApproximateArrivalTimestamp"]
    made = start(functions, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=second)
    assert abs(made["StartingPositionTimestamp"] - second) < timedelta(seconds=1)
    assert told(functions, out, 1)[0][-1] == "two"


def test_a_batch_has_no_more_records_than_its_size(functions, out):
    put(functions, *"abcde")
    start(functions, BatchSize=2)
    assert told(functions, out, 3) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_batch_has_no_more_than_six_megabytes(functions, out):
    source = RELAY.replace('json.dumps(event["Records"])', 'str(len(event["Records"]))')
    functions.make(source, name="counting", Environment={"Variables": {"OUT": out}})
    put(functions, *["x" * 900_000] * 6)
    functions.cloud.client("lambda").create_event_source_mapping(
        FunctionName="counting", EventSourceArn=STREAM, StartingPosition="TRIM_HORIZON"
    )
    assert batches(functions, out, 2) == [5, 1]


def test_a_window_gathers_what_comes_within_it(functions, out):
    put(functions, "one")
    start(functions, MaximumBatchingWindowInSeconds=300, BatchSize=2)
    while not [one for one in functions.cloud.events("GetRecords") if "errorCode" not in one]:
        assert waiting(functions.cloud, out) == 0
    put(functions, "two")
    assert told(functions, out, 1) == [["one", "two"]]


def test_a_window_ends(functions, out):
    put(functions, "one")
    start(functions, MaximumBatchingWindowInSeconds=1)
    assert told(functions, out, 1) == [["one"]]


def test_lanes_hold_up_the_records_of_their_keys_alone(functions, out):
    put(functions, "poison", "after", key="k0")
    for key in ("k1", "k2", "k3", "k4", "k5"):
        put(functions, key, key=key)
    start(functions, ParallelizationFactor=10, BatchSize=1)
    found = []
    while found.count(["poison"]) < 2 or not any(text.startswith("k") for [text] in found):
        found += told(functions, out, 1)
    assert ["after"] not in found


def test_a_mapping_goes_on_where_it_was(functions, out):
    client = functions.cloud.client("lambda")
    put(functions, "one")
    made = start(functions)
    assert told(functions, out, 1) == [["one"]]
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    put(functions, "two")
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=True, BatchSize=10)
    assert told(functions, out, 1) == [["two"]]
    client.delete_event_source_mapping(UUID=made["UUID"])
    put(functions, "three")
    assert start(functions)["UUID"] != made["UUID"]
    assert told(functions, out, 1) == [["one", "two", "three"]]


def test_shards_are_read_after_those_that_they_came_from(functions, out):
    kinesis = functions.cloud.client("kinesis")
    put(functions, *"abc")
    shards = kinesis.describe_stream(StreamName="s")["StreamDescription"]["Shards"]
    kinesis.split_shard(StreamName="s", ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(2**127))
    put(functions, *"def")
    start(functions, BatchSize=2)
    found = told(functions, out, 4)
    assert found[:2] == [["a", "b"], ["c"]]
    assert [text for batch in found[2:] for text in batch] == ["d", "e", "f"]
    children = [one["ShardId"] for one in kinesis.list_shards(StreamName="s")["Shards"] if one.get("ParentShardId")]
    kinesis.merge_shards(StreamName="s", ShardToMerge=children[0], AdjacentShardToMerge=children[1])
    put(functions, "g")
    assert told(functions, out, 1) == [["g"]]


def test_a_shard_that_appears_later_loses_no_record(functions, out):
    kinesis = functions.cloud.client("kinesis")
    start(functions, StartingPosition="LATEST")
    while not waiting(functions.cloud, out):
        put(functions, "before")
    shards = kinesis.list_shards(StreamName="s")["Shards"]
    kinesis.split_shard(StreamName="s", ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(2**127))
    put(functions, "after")
    found = []
    while "after" not in found:
        found += [text for batch in told(functions, out, 1) for text in batch]
    assert found.count("after") == 1
