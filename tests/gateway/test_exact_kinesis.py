"""What requests to Kinesis are decided on: streams by name, ARN and iterator, consumers, and their policies.

AWS: Kinesis Data Streams Developer Guide, "Controlling access to Amazon Kinesis Data Streams resources using IAM".
"""

import base64
import json

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import ACCOUNT, KINESIS, REGION, ROLE
from gateway.test_resource_policies import may
from gateway.two_accounts import OTHER, code_of, policy, to, user_of
from running import allow

STREAM = KINESIS.replace("/str", "/orders")
EVERY, CHANNEL = KINESIS.replace("/str", "/*"), KINESIS.replace("stream/str", "channel/*")
THEIRS = STREAM.replace(ACCOUNT, OTHER)
CONSUMER = f"{STREAM}/consumer/app:1700000000"
UNSEEN = f"{STREAM}/consumer/new:??????????"
RECORD = {"Data": b"m", "PartitionKey": "p"}


def iterator(name):
    return base64.b64encode(f"{name}:shardId-000000000000:7".encode()).decode()


def on(resource, *actions):
    return [(f"kinesis:{action}", resource) for action in actions]


@pytest.fixture(scope="module", autouse=True)
def known(counted):
    """iamd has seen one consumer registered."""
    told = {"Consumer": {"ConsumerName": "app", "ConsumerARN": CONSUMER}}
    counted.backend.answers.append(answer(json.dumps(told).encode()))
    made = counted.call("kinesis", "RegisterStreamConsumer", {"StreamARN": STREAM, "ConsumerName": "app"})
    assert made.status == 200


CASES = [
    ("PutRecord", {"StreamName": "orders", **RECORD}, on(STREAM, "PutRecord")),
    ("PutRecord", {"StreamARN": STREAM, **RECORD}, on(STREAM, "PutRecord")),
    ("PutRecords", {"StreamName": "orders", "StreamARN": STREAM, "Records": [RECORD]}, on(STREAM, "PutRecords")),
    ("GetRecords", {"ShardIterator": iterator("orders")}, on(STREAM, "GetRecords")),
    ("GetRecords", {"ShardIterator": "opaque", "StreamARN": STREAM}, on(STREAM, "GetRecords")),
    ("GetRecords", {"ShardIterator": "opaque"}, on(EVERY, "GetRecords")),
    ("ListShards", {"NextToken": "opaque"}, on(EVERY, "ListShards")),
    ("CreateStream", {"StreamName": "orders", "Tags": {"a": "b"}}, on(STREAM, "CreateStream", "AddTagsToStream")),
    ("DescribeStreamConsumer", {"ConsumerARN": CONSUMER}, on(CONSUMER, "DescribeStreamConsumer")),
    ("DescribeStreamConsumer", {"StreamARN": STREAM, "ConsumerName": "app"}, on(CONSUMER, "DescribeStreamConsumer")),
    ("DescribeStreamConsumer", {"StreamARN": STREAM, "ConsumerName": "new"}, on(UNSEEN, "DescribeStreamConsumer")),
    (
        "RegisterStreamConsumer",
        {"StreamARN": STREAM, "ConsumerName": "new", "Tags": {"a": "b"}},
        [*on(STREAM, "RegisterStreamConsumer"), *on(UNSEEN, "TagResource")],
    ),
    ("TagResource", {"ResourceARN": CONSUMER, "Tags": {"a": "b"}}, on(CONSUMER, "TagResource")),
    (
        "CreateChannel",
        {"ChannelName": "c", "ServiceExecutionRoleARN": ROLE, "StreamConfigurationList": [{"StreamARN": STREAM, "RecordConfiguration": {"RecordFormatType": "JSON"}}]},
        [*on(CHANNEL, "CreateChannel", "AssociateStreamsWithChannel"), *on(STREAM, "AssociateStreamsWithChannel"),
         ("iam:PassRole", ROLE)],
    ),
    ("UpdateShardCount", {"StreamName": "orders", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"},
     on("*", "UpdateShardCount")),
    ("ListStreams", {}, on("*", "ListStreams")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("kinesis", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_stream_of_another_account_is_decided_on_as_its_owners(counted):
    told = counted.call("kinesis", "PutRecord", {"StreamARN": THEIRS, **RECORD})
    assert (told.asked, told.sent) == (on(THEIRS, "PutRecord"), 0)
    assert "because no resource-based policy allows the kinesis:PutRecord action" in told.message


@pytest.mark.parametrize(
    ("name", "given"),
    [("DescribeStream", {"StreamARN": arn})
     for arn in (STREAM.replace(REGION, "eu-west-1"), f"{STREAM}*", CONSUMER, STREAM.replace(":kinesis:", ":sqs:"))]
    + [("DescribeStream", {"StreamName": "a*"}), ("DescribeStream", {"StreamName": "other", "StreamARN": STREAM}),
       *[("GetRecords", {"ShardIterator": iterator("other") + more, "StreamARN": STREAM}) for more in ("", "\n", "!", "QUJD", "==QUJD")],
       ("DescribeStreamConsumer", {"ConsumerARN": CONSUMER, "StreamARN": STREAM, "ConsumerName": "new"}),
       ("PutResourcePolicy", {"ResourceARN": CHANNEL, "Policy": "{}"})],
)  # fmt: skip
def test_what_names_no_one_stream_here_is_refused(counted, name, given):
    told = counted.call("kinesis", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidArgumentException", 0)


def test_a_key_has_its_value_and_decides(counted):
    given, other = ({"StreamName": "orders", "Tags": {"team": value}} for value in ("blue", "red"))
    key = Key("aws:RequestTag/team", "blue", "kinesis:AddTagsToStream", "AddTagsToStream", given, other)
    check(Caller.new(counted, "kinesis-keys"), "kinesis", key)


# Policies of streams and consumers, before the embedded backend.


def test_a_streams_policy_lets_another_account_in_until_it_goes(cloud, other):
    owner, able = cloud.client("kinesis"), cloud.client("kinesis", user_of(cloud, other, "able", allow("kinesis:*")))
    plain = cloud.client("kinesis", user_of(cloud, other, "plain"))
    owner.create_stream(StreamName="orders", ShardCount=1)
    put = {"StreamARN": STREAM, **RECORD}
    assert not may(able.put_record, **put)
    text = policy(to({"AWS": OTHER}, allow("kinesis:PutRecord", STREAM)))
    owner.put_resource_policy(ResourceARN=STREAM, Policy=text)
    assert (may(able.put_record, **put), may(plain.put_record, **put)) == (True, False)
    assert not may(able.describe_stream, StreamARN=STREAM)
    assert code_of(owner.put_resource_policy, ResourceARN=STREAM, Policy="{}") == "InvalidArgumentException"
    owner.delete_resource_policy(ResourceARN=STREAM)
    assert not may(able.put_record, **put)
    owner.put_resource_policy(ResourceARN=STREAM, Policy=text)
    owner.delete_stream(StreamName="orders")
    owner.create_stream(StreamName="orders", ShardCount=1)
    assert not may(able.put_record, **put)


def test_what_is_read_by_an_iterator_is_the_streams_own(cloud):
    owner = cloud.client("kinesis")
    for name in ("orders", "other"):
        owner.create_stream(StreamName=name, ShardCount=1)
    reader = cloud.client("kinesis", cloud.user("reader", allow("kinesis:*", STREAM)))
    shard = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterators = {
        name: owner.get_shard_iterator(StreamName=name, **shard)["ShardIterator"] for name in ("orders", "other")
    }
    assert [may(reader.get_records, ShardIterator=iterators[name]) for name in ("orders", "other")] == [True, False]
    assert not may(reader.get_shard_iterator, StreamName="other", **shard)


def test_a_consumers_policy_is_its_own(cloud, other):
    owner, able = cloud.client("kinesis"), cloud.client("kinesis", user_of(cloud, other, "able", allow("kinesis:*")))
    owner.create_stream(StreamName="orders", ShardCount=1)
    arn = owner.register_stream_consumer(StreamARN=STREAM, ConsumerName="app")["Consumer"]["ConsumerARN"]
    text = policy(to({"AWS": OTHER}, allow("kinesis:DescribeStreamConsumer", arn)))
    owner.put_resource_policy(ResourceARN=arn, Policy=text)
    assert may(able.describe_stream_consumer, ConsumerARN=arn)
    assert may(able.describe_stream_consumer, StreamARN=STREAM, ConsumerName="app")
    assert not may(able.describe_stream_summary, StreamARN=STREAM)
