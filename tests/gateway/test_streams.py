"""Readers of streams before the embedded backend: shards keep their records and end, iterators name their stream.

AWS: Kinesis Data Streams API Reference, GetShardIterator, GetRecords and SplitShard; Developer Guide, "After resharding";
DynamoDB Developer Guide, "Change data capture for DynamoDB Streams", and API Reference, UpdateTable and GetRecords.
"""

from functions.test_invoke import refused
from gateway.two_accounts import policy, to
from running import allow

SHARD = "shardId-000000000000"
NEW, KEYS = ({"StreamEnabled": True, "StreamViewType": view} for view in ("NEW_IMAGE", "KEYS_ONLY"))
OFF = {"StreamEnabled": False}


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
            StreamSpecification=KEYS,
        )
        arns.append(made["TableDescription"]["LatestStreamArn"])
        if len(arns) == 1:
            dynamodb.delete_table(TableName="table")
    refused("ResourceNotFoundException", "Stream", streams.describe_stream, StreamArn=arns[0])
    assert streams.describe_stream(StreamArn=arns[1])["StreamDescription"]["StreamArn"] == arns[1]


def table(dynamodb, **more):
    """The ARN of the stream of a new table."""
    made = dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    return made["TableDescription"].get("LatestStreamArn")


def write(dynamodb, *names):
    for name in names:
        dynamodb.put_item(TableName="table", Item={"id": {"S": name}, "n": {"N": "1"}})


def set_stream(dynamodb, wanted):
    return dynamodb.update_table(TableName="table", StreamSpecification=wanted)["TableDescription"]


def described(streams, arn):
    return streams.describe_stream(StreamArn=arn)["StreamDescription"]


def changes(streams, arn):
    """The items that a table's stream tells of, with what it tells of them, and whether there may come more."""
    [shard] = described(streams, arn)["Shards"]
    given = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(StreamArn=arn, **given)["ShardIterator"]
    assert iterator.startswith(f"{arn}|")
    told = streams.get_records(ShardIterator=iterator)
    found = [(one["dynamodb"]["Keys"]["id"]["S"], "NewImage" in one["dynamodb"]) for one in told["Records"]]
    return found, told.get("NextShardIterator") is not None


def test_a_tables_stream_that_is_disabled_ends_and_another_one_begins(cloud):
    dynamodb, streams = cloud.client("dynamodb"), cloud.client("dynamodbstreams")
    first = table(dynamodb, StreamSpecification=NEW)
    write(dynamodb, "a")
    assert changes(streams, first) == ([("a", True)], True)
    assert described(streams, first)["StreamStatus"] == "ENABLED"
    told = set_stream(dynamodb, OFF)
    assert (told["LatestStreamArn"], "StreamSpecification" in told) == (first, False)
    write(dynamodb, "b")
    dynamodb.delete_item(TableName="table", Key={"id": {"S": "a"}})
    assert [one["id"]["S"] for one in dynamodb.scan(TableName="table")["Items"]] == ["b"]
    assert changes(streams, first) == ([("a", True)], False)
    shown = described(streams, first)
    assert (shown["StreamStatus"], shown["StreamViewType"]) == ("DISABLED", "NEW_IMAGE")
    [shard] = shown["Shards"]
    assert shard["SequenceNumberRange"].keys() == {"StartingSequenceNumber", "EndingSequenceNumber"}
    told = set_stream(dynamodb, KEYS)
    second = told["LatestStreamArn"]
    assert (second != first, told["StreamSpecification"]) == (True, KEYS)
    write(dynamodb, "c")
    assert changes(streams, second) == ([("c", False)], True)
    assert changes(streams, first) == ([("a", True)], False)
    assert [described(streams, arn)["StreamStatus"] for arn in (first, second)] == ["DISABLED", "ENABLED"]
    assert [one["StreamArn"] for one in streams.list_streams(TableName="table")["Streams"]] == [first, second]
    dynamodb.delete_table(TableName="table")
    for arn in (first, second):
        refused("ResourceNotFoundException", "", streams.describe_stream, StreamArn=arn)


def test_a_stream_is_enabled_and_disabled_once(cloud):
    dynamodb = cloud.client("dynamodb")
    assert table(dynamodb) is None
    update = {"TableName": "table"}
    refused("ValidationException", "no enabled stream", dynamodb.update_table, **update, StreamSpecification=OFF)
    no_view = {"StreamEnabled": True}
    refused("ValidationException", "StreamViewType", dynamodb.update_table, **update, StreamSpecification=no_view)
    assert "LatestStreamArn" not in dynamodb.describe_table(TableName="table")["Table"]
    set_stream(dynamodb, NEW)
    for wanted in (NEW, KEYS):
        refused("ValidationException", "an enabled stream", dynamodb.update_table, **update, StreamSpecification=wanted)
    assert dynamodb.describe_table(TableName="table")["Table"]["StreamSpecification"] == NEW
    set_stream(dynamodb, OFF)
    refused("ValidationException", "no enabled stream", dynamodb.update_table, **update, StreamSpecification=OFF)


def test_a_shard_that_a_stream_does_not_have_is_not_found(cloud):
    arn = table(cloud.client("dynamodb"), StreamSpecification=NEW)
    given = {"StreamArn": arn, "ShardId": "shardId-00000000000000000000-none", "ShardIteratorType": "LATEST"}
    iterate = cloud.client("dynamodbstreams").get_shard_iterator
    refused("ResourceNotFoundException", "Shard does not exist", iterate, **given)


def test_the_policy_of_a_stream_stays_its_own_when_another_one_begins(cloud):
    dynamodb = cloud.client("dynamodb")
    first = table(dynamodb, StreamSpecification=NEW)
    allowed = to("*", {"Sid": "a", **allow("dynamodb:DescribeStream", first)})
    dynamodb.put_resource_policy(ResourceArn=first, Policy=policy(allowed))
    set_stream(dynamodb, OFF)
    second = set_stream(dynamodb, NEW)["LatestStreamArn"]
    reader = cloud.client("dynamodbstreams", cloud.user("reader"))
    assert described(reader, first)["StreamStatus"] == "DISABLED"
    refused("AccessDeniedException", "dynamodb:DescribeStream", reader.describe_stream, StreamArn=second)
    assert "DescribeStream" in dynamodb.get_resource_policy(ResourceArn=first)["Policy"]
