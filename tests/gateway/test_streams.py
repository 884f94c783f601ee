"""Readers of streams before the embedded backend: shards keep their records and end, iterators name their stream.

AWS: Kinesis Data Streams API Reference, GetShardIterator, GetRecords and SplitShard; Developer Guide, "After resharding".
"""

from functions.test_invoke import refused

SHARD = "shardId-000000000000"


def put(kinesis, *texts):
    return [kinesis.put_record(StreamName="s", Data=text, PartitionKey="k")["ShardId"] for text in texts]


def read(kinesis, shard, **more):
    """The data of a shard, and whether there may come more."""
    arn = kinesis.describe_stream(StreamName="s")["StreamDescription"]["StreamARN"]
    given = {"ShardIteratorType": "TRIM_HORIZON", **more}
    iterator = kinesis.get_shard_iterator(StreamARN=arn, ShardId=shard, **given)["ShardIterator"]
    told = kinesis.get_records(StreamARN=arn, ShardIterator=iterator)
    return [one["Data"] for one in told["Records"]], told.get("NextShardIterator") is not None


def test_a_shard_that_was_split_keeps_its_records_and_ends(cloud):
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    assert put(kinesis, b"one", b"two") == [SHARD, SHARD]
    assert read(kinesis, SHARD) == ([b"one", b"two"], True)
    kinesis.split_shard(StreamName="s", ShardToSplit=SHARD, NewStartingHashKey=str(2**127))
    assert read(kinesis, SHARD) == ([b"one", b"two"], False)
    [child] = put(kinesis, b"three")
    assert child != SHARD
    assert read(kinesis, child) == ([b"three"], True)
    others = [one["ShardId"] for one in kinesis.list_shards(StreamName="s")["Shards"] if one.get("ParentShardId")]
    kinesis.merge_shards(StreamName="s", ShardToMerge=others[0], AdjacentShardToMerge=others[1])
    assert read(kinesis, child) == ([b"three"], False)
    [merged] = put(kinesis, b"four")
    assert read(kinesis, merged) == ([b"four"], True)


def test_a_stream_that_a_table_had_before_is_not_the_one_it_has_now(cloud):
    dynamodb, streams = cloud.client("dynamodb"), cloud.client("dynamodbstreams")
    arns = []
    for _ in range(2):
        made = dynamodb.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        arns.append(made["TableDescription"]["LatestStreamArn"])
        if len(arns) == 1:
            dynamodb.delete_table(TableName="table")
    refused("ResourceNotFoundException", "Stream", streams.describe_stream, StreamArn=arns[0])
    assert streams.describe_stream(StreamArn=arns[1])["StreamDescription"]["StreamArn"] == arns[1]
