"""Tumbling windows: the state that a function hands on from batch to batch.

AWS: Lambda Developer Guide, services-kinesis-windows and services-ddb-windows.
"""

import json
from datetime import datetime

import pytest
from functions.relay import READ, STREAM
from functions.streaming import put, table
from functions.test_asynchronous import bodies
from functions.test_invoke import refused
from functions.test_mappings import mapped
from running import allow

# Tells of each event, without its records' data, and adds the records' texts to the state.
AGGREGATE = """
import base64, json, os
import boto3

def handler(event, context):
    records = event.pop("Records")
    texts = [base64.b64decode(one["kinesis"]["data"]).decode() if "kinesis" in one else
             one["dynamodb"]["Keys"]["id"]["S"] for one in records]
    state = event["state"]
    told = event | {"texts": texts, "state": state if len(json.dumps(state)) < 1000 else "long"}
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(told))
    if "poison" in texts:
        raise ValueError("poison")
    if "stateless" in texts:
        return {"batchItemFailures": []}
    state["texts"] = state.get("texts", []) + texts
    if "long" in texts:
        state["more"] = "x" * 1_100_000
    return {"state": state}
"""


@pytest.fixture
def out(functions):
    """The URL of the queue that the function tells of its events; its role may read the stream `s` of one shard."""
    url, arn = functions.queue("out")
    functions.permit(allow(READ, STREAM), allow("sqs:SendMessage", arn))
    functions.cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    functions.make(AGGREGATE, Environment={"Variables": {"OUT": url}})
    return url


def start(functions, **more):
    given = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 1, "TumblingWindowInSeconds": 900, **more}
    return mapped(functions, STREAM, **given)


def events(functions, url, count):
    found = []
    while len(found) < count:
        found += [json.loads(one) for one in bodies(functions, url)]
    return found


def seen(event):
    return event["texts"], event["state"].get("texts", []), event["isFinalInvokeForWindow"]


def arrival(functions):
    kinesis = functions.cloud.client("kinesis")
    shard = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    [record] = kinesis.get_records(ShardIterator=shard["ShardIterator"], Limit=1)["Records"]
    return record["ApproximateArrivalTimestamp"]


def test_the_state_is_handed_on_and_seen_at_the_end(functions, out):
    put(functions, "a", "b")
    made = start(functions)
    assert made["TumblingWindowInSeconds"] == 900
    first, second = events(functions, out, 2)
    assert [seen(first), seen(second)] == [(["a"], [], False), (["b"], ["a"], False)]
    window = first["window"]
    begins, ends = (datetime.fromisoformat(window[name]) for name in ("start", "end"))
    assert begins <= arrival(functions) < ends
    assert (begins.timestamp() % 900, (ends - begins).seconds) == (0, 900)
    assert window["start"].endswith("Z")
    assert (first["shardId"], first["eventSourceARN"]) == ("shardId-000000000000", STREAM)
    assert (second["window"], second["isWindowTerminatedEarly"]) == (window, False)
    # Without new records it ends two minutes after its end.
    functions.cloud.advance(900 + 120)
    [last] = events(functions, out, 1)
    assert (seen(last), last["window"], last["isWindowTerminatedEarly"]) == (([], ["a", "b"], True), window, False)
    put(functions, "c")
    [fresh] = events(functions, out, 1)
    assert seen(fresh) == (["c"], [], False)


def test_a_record_of_the_next_window_ends_one(functions, out):
    start(functions, TumblingWindowInSeconds=1)
    found = []
    while not any(one["isFinalInvokeForWindow"] for one in found):
        put(functions, "a")
        found += events(functions, out, 1)
    place = next(number for number, one in enumerate(found) if one["isFinalInvokeForWindow"])
    before, last = found[place - 1], found[place]
    assert last["window"] == before["window"]
    assert seen(last) == ([], [*before["state"].get("texts", []), "a"], True)
    [after] = (found[place + 1 :] or events(functions, out, 1))[:1]
    assert (after["window"]["start"] >= last["window"]["end"], seen(after)) == (True, (["a"], [], False))


def test_the_end_of_a_shard_ends_its_window(functions, out):
    kinesis = functions.cloud.client("kinesis")
    put(functions, "a")
    [shard] = kinesis.list_shards(StreamName="s")["Shards"]
    kinesis.split_shard(StreamName="s", ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127))
    put(functions, "b")
    start(functions)
    first, last, other = events(functions, out, 3)
    assert [seen(first), seen(last)] == [(["a"], [], False), ([], ["a"], True)]
    assert (seen(other), other["shardId"] != first["shardId"]) == ((["b"], [], False), True)


@pytest.mark.parametrize("text", ["poison", "stateless"])
def test_what_fails_or_answers_no_state_leaves_it_as_it_was(functions, out, text):
    put(functions, "a", text, "b")
    start(functions, MaximumRetryAttempts=1)
    assert [seen(one) for one in events(functions, out, 4)] == [
        (["a"], [], False),
        ([text], ["a"], False),
        ([text], ["a"], False),
        (["b"], ["a"], False),
    ]


def test_a_state_that_is_too_large_ends_its_window_early(functions, out):
    put(functions, "long", "b")
    start(functions)
    first, early, after = events(functions, out, 3)
    assert (early["state"], early["isFinalInvokeForWindow"], early["isWindowTerminatedEarly"]) == ("long", True, True)
    assert (after["window"], seen(after)) == (first["window"], (["b"], [], False))


def test_a_window_goes_on_when_the_mapping_does(functions, out):
    put(functions, "a")
    made = start(functions)
    assert seen(events(functions, out, 1)[0]) == (["a"], [], False)
    update = functions.cloud.client("lambda").update_event_source_mapping
    update(UUID=made["UUID"], BatchSize=2)
    put(functions, "b")
    assert seen(events(functions, out, 1)[0]) == (["b"], ["a"], False)
    update(UUID=made["UUID"], TumblingWindowInSeconds=0)
    put(functions, "c")
    functions.make(
        AGGREGATE.replace('event["state"]', "event.get('state', {'texts': ['none']})"),
        name="other",
        Environment={"Variables": {"OUT": out}},
    )
    update(UUID=made["UUID"], FunctionName="other")
    [told] = events(functions, out, 1)
    assert (told["texts"], told["state"], "window" in told) == (["c"], {"texts": ["none"]}, False)


def test_tables_have_windows_too(functions, out):
    arn = table(functions)
    functions.cloud.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "a"}})
    mapped(functions, arn, StartingPosition="TRIM_HORIZON", TumblingWindowInSeconds=60)
    [told] = events(functions, out, 1)
    assert (seen(told), told["eventSourceARN"]) == ((["a"], [], False), arn)
    functions.cloud.advance(180)
    assert seen(events(functions, out, 1)[0]) == ([], ["a"], True)


def test_windows_that_can_not_be_are_refused(functions, out):
    given = {"FunctionName": "fn", "EventSourceArn": STREAM, "StartingPosition": "LATEST"}
    make = functions.cloud.client("lambda").create_event_source_mapping
    refused("InvalidParameterValueException", "ParallelizationFactor", make,
            **given, TumblingWindowInSeconds=30, ParallelizationFactor=2)  # fmt: skip
    _, queue = functions.queue("q")
    refused("InvalidParameterValueException", "TumblingWindowInSeconds", make,
            FunctionName="fn", EventSourceArn=queue, TumblingWindowInSeconds=30)  # fmt: skip
