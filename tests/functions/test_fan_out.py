"""Consumers of Kinesis streams with a throughput of their own: subscriptions, and functions that are mapped to one.

AWS: Kinesis Data Streams API Reference, SubscribeToShard; Lambda Developer Guide, with-kinesis ("Using dedicated-
throughput consumers", "Execution role permissions").
"""

import pytest
from botocore.exceptions import ClientError
from functions.relay import RELAY, STREAM
from functions.streaming import batches, put, texts, told
from functions.test_asynchronous import refusal
from functions.test_invoke import refused, waiting
from functions.test_mappings import mapped
from running import ACCOUNT, allow

DESCRIBE = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:ListShards"]
FIRST = "shardId-000000000000"


@pytest.fixture
def consumer(functions):
    """The ARN of a consumer of the stream `s`, which has one shard."""
    kinesis = functions.cloud.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.register_stream_consumer(StreamARN=STREAM, ConsumerName="other")
    return kinesis.register_stream_consumer(StreamARN=STREAM, ConsumerName="c")["Consumer"]["ConsumerARN"]


@pytest.fixture
def out(functions, consumer):
    """The URL of the queue that the function tells of its batches; its role may subscribe, and not ask for records."""
    url, arn = functions.queue("out")
    functions.permit(allow(DESCRIBE, STREAM), allow("kinesis:SubscribeToShard", consumer), allow("sqs:*", arn))
    functions.make(RELAY, Environment={"Variables": {"OUT": url}})
    return url


def subscribed(functions, consumer, credentials=None, shard=FIRST, **position):
    kinesis = functions.cloud.client("kinesis", credentials)
    answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=position)
    [event] = [one["SubscribeToShardEvent"] for one in answer["EventStream"]]
    return event


def test_a_subscription_tells_what_is_there_and_how_to_go_on(functions, consumer):
    put(functions, "a", "b")
    event = subscribed(functions, consumer, Type="TRIM_HORIZON")
    assert [one["Data"] for one in event["Records"]] == [b"a", b"b"]
    first, last = event["Records"]
    assert (last["PartitionKey"], event["ContinuationSequenceNumber"]) == ("k", last["SequenceNumber"])
    put(functions, "c")
    for position, wanted in (
        ({"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": event["ContinuationSequenceNumber"]}, [b"c"]),
        ({"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": last["SequenceNumber"]}, [b"b", b"c"]),
        ({"Type": "LATEST"}, []),
        ({"Type": "AT_TIMESTAMP", "Timestamp": first["ApproximateArrivalTimestamp"]}, [b"a", b"b", b"c"]),
    ):
        found = subscribed(functions, consumer, **position)["Records"]
        assert [one["Data"] for one in found] == wanted, position
    put(functions, *["x" * 900_000] * 4)
    assert len(subscribed(functions, consumer, Type="AT_TIMESTAMP", Timestamp=0)["Records"]) == 4


def test_the_end_of_a_shard_tells_of_those_that_follow(functions, consumer):
    kinesis = functions.cloud.client("kinesis")
    put(functions, "a")
    kinesis.split_shard(StreamName="s", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    event = subscribed(functions, consumer, Type="TRIM_HORIZON")
    assert [one["Data"] for one in event["Records"]] == [b"a"]
    assert "ContinuationSequenceNumber" not in event
    shards = [one["ShardId"] for one in kinesis.list_shards(StreamName="s")["Shards"] if one.get("ParentShardId")]
    assert [one["ShardId"] for one in event["ChildShards"]] == shards
    assert event["ChildShards"][0]["ParentShards"] == [FIRST]


def test_who_subscribes_needs_the_right_on_the_consumer(functions, consumer):
    user = functions.cloud.user("u", allow("kinesis:*", STREAM))
    with pytest.raises(ClientError) as denied:
        subscribed(functions, consumer, user, Type="LATEST")
    assert f"kinesis:SubscribeToShard on resource: {consumer}" in denied.value.response["Error"]["Message"]
    kinesis = functions.cloud.client("kinesis")
    ask = kinesis.subscribe_to_shard
    given = {"ConsumerARN": consumer, "ShardId": FIRST, "StartingPosition": {"Type": "LATEST"}}
    position = {"Type": "AT_SEQUENCE_NUMBER"}
    refused("InvalidArgumentException", "StartingSequenceNumber", ask, **given | {"StartingPosition": position})
    refused("ResourceNotFoundException", "", ask, **given | {"ShardId": "nobody"})
    kinesis.deregister_stream_consumer(StreamARN=STREAM, ConsumerName="c")
    refused("ResourceNotFoundException", "", ask, **given)
    left = kinesis.list_stream_consumers(StreamARN=STREAM)["Consumers"]
    assert [one["ConsumerName"] for one in left] == ["other"]


def test_a_function_is_given_what_its_role_may_subscribe_to(functions, consumer, out):
    put(functions, "a", "b")
    made = mapped(functions, consumer, StartingPosition="TRIM_HORIZON", BatchSize=1)
    assert made["EventSourceArn"] == consumer
    first, second = batches(functions, out, 2)
    assert (texts(first), texts(second), first[0]["eventSourceARN"]) == (["a"], ["b"], consumer)
    put(functions, "c")
    assert told(functions, out, 1) == [["c"]]
    client, kinesis = functions.cloud.client("lambda"), functions.cloud.client("kinesis")
    client.update_event_source_mapping(UUID=made["UUID"], BatchSize=10)
    kinesis.split_shard(StreamName="s", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    put(functions, "d")
    assert told(functions, out, 1) == [["d"]]


def test_a_role_that_may_read_the_stream_alone_is_given_nothing(functions, consumer, out):
    put(functions, "a")
    functions.permit(allow([*DESCRIBE, "kinesis:Get*"], STREAM), allow("sqs:*"))
    mapped(functions, consumer, StartingPosition="TRIM_HORIZON")
    denied = refusal(functions.cloud, "SubscribeToShard")
    assert denied["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"
    assert waiting(functions.cloud, out) == 0
    functions.permit(allow(DESCRIBE, STREAM), allow("kinesis:SubscribeToShard", consumer), allow("sqs:*"))
    assert told(functions, out, 1) == [["a"]]


def test_latest_begins_with_what_comes(functions, consumer, out):
    put(functions, "before")
    mapped(functions, consumer, StartingPosition="LATEST")
    while not waiting(functions.cloud, out):
        put(functions, "after")
    assert set(told(functions, out, 1)[0]) == {"after"}


def test_a_consumer_that_is_not_there_is_not_mapped(functions, consumer, out):
    given = {"FunctionName": "fn", "StartingPosition": "LATEST", "EventSourceArn": f"{consumer}x"}
    refused("ResourceNotFoundException", "", functions.cloud.client("lambda").create_event_source_mapping, **given)
