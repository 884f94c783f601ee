"""Event sources of other accounts: mapped and polled with the function's role, where their own policies let it too.

AWS: Lambda Developer Guide, "Tutorial: Using a cross-account Amazon SQS queue as an event source"
(with-sqs-cross-account-example); Kinesis Data Streams Developer Guide, "Share access with cross-account AWS Lambda
functions" (resource-based-policy-examples); DynamoDB Developer Guide, "Resource-based policy examples".
"""

import json

import pytest
from functions.conftest import ROLE
from functions.relay import READ, READ_TABLE, RELAY
from functions.streaming import batches, texts
from functions.test_asynchronous import bodies
from functions.test_mappings import POLL, mapped
from functions.test_mappings import RELAY as RELAY_MESSAGES
from gateway.two_accounts import OTHER, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

QUEUE = f"arn:aws:sqs:{REGION}:{OTHER}:into"
STREAM = f"arn:aws:kinesis:{REGION}:{OTHER}:stream/s"


def role(statement):
    return to({"AWS": ROLE}, statement)


@pytest.fixture
def into(functions, other):
    """The URL of the other account's queue, and its policy's setter."""
    sqs = functions.cloud.client("sqs", other)
    url = sqs.create_queue(QueueName="into", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    # There is one of that name in the function's account, too.
    functions.queue("into")

    def open_to(*statements):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(*statements)})

    return sqs, url, open_to


@pytest.fixture
def out(functions):
    """The URL of the queue that the function tells of what it is given; its role may poll everything."""
    url, _ = functions.queue("out")
    functions.permit(allow(["sqs:*", "kinesis:*", "dynamodb:*"]))
    functions.make(RELAY_MESSAGES, Environment={"Variables": {"OUT": url}})
    return url


def refusal(functions, arn, **more):
    return error_of(mapped, functions=functions, arn=arn, **more)


def test_messages_of_another_accounts_queue_reach_the_function(functions, out, into):
    sqs, url, open_to = into
    open_to(role(allow(POLL, QUEUE)))
    made = mapped(functions, QUEUE)
    assert made["EventSourceArn"] == QUEUE
    assert made["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello")["MessageId"]
    [[record]] = [json.loads(one) for one in bodies(functions, out)]
    assert (record["messageId"], record["body"], record["eventSourceARN"]) == (sent, "hello", QUEUE)
    lists = functions.cloud.client("lambda").list_event_source_mappings(EventSourceArn=QUEUE)
    assert [one["UUID"] for one in lists["EventSourceMappings"]] == [made["UUID"]]


@pytest.mark.parametrize("missing", [action.partition(":")[2] for action in POLL])
def test_the_queues_policy_must_let_the_role_poll(functions, out, into, missing):
    _, _, open_to = into
    open_to(role(allow([one for one in POLL if one != f"sqs:{missing}"], QUEUE)))
    told = refusal(functions, QUEUE)
    assert told["Code"] == "InvalidParameterValueException"
    assert told["Message"] == f"The function execution role does not have permissions to call {missing} on SQS"
    assert functions.cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_so_must_the_roles_own_policy(functions, out, into):
    _, _, open_to = into
    open_to(role(allow(POLL, QUEUE)))
    functions.permit(allow("sqs:*", f"arn:aws:sqs:{REGION}:{ACCOUNT}:*"))
    assert "ReceiveMessage" in refusal(functions, QUEUE)["Message"]
    functions.permit(allow("sqs:*"))
    assert mapped(functions, QUEUE, Enabled=False)["EventSourceArn"] == QUEUE


@pytest.mark.parametrize("statements", [[], [role(allow(POLL, QUEUE)), role(deny("sqs:ReceiveMessage", QUEUE))]])
def test_a_queue_that_lets_nobody_poll_is_not_mapped(functions, out, into, statements):
    if statements:
        into[2](*statements)
    assert "ReceiveMessage" in refusal(functions, QUEUE)["Message"]


def test_what_is_polled_is_decided_each_time(functions, out, into):
    sqs, url, open_to = into
    open_to(role(allow(POLL, QUEUE)))
    made = mapped(functions, QUEUE, Enabled=False)
    open_to(to({"AWS": OTHER}, allow("sqs:*", QUEUE)))
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    functions.cloud.client("lambda").update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    for _ in range(50):
        denied = [one for one in functions.cloud.events("GetQueueAttributes") if one.get("errorCode")]
        if denied:
            break
    assert denied[0]["userIdentity"]["arn"].endswith("assumed-role/worker/fn")
    assert "Messages" not in functions.cloud.client("sqs").receive_message(QueueUrl=out)


def test_a_queue_that_is_not_there_is_none(functions, out, into):
    _, _, open_to = into
    # A policy can't be set on what there is not: the role is let by no policy.
    assert refusal(functions, QUEUE.replace("into", "nowhere"))["Code"] == "InvalidParameterValueException"
    own = f"arn:aws:sqs:{REGION}:{ACCOUNT}:nowhere"
    assert refusal(functions, own)["Code"] == "ResourceNotFoundException"
    open_to(role(allow(POLL, QUEUE)))
    wrong = QUEUE.replace(REGION, "eu-west-1")
    assert refusal(functions, wrong)["Code"] in {"InvalidParameterValueException", "ResourceNotFoundException"}


@pytest.fixture
def stream(functions, other):
    """Kinesis of the other account, with a stream `s`; the function tells of records."""
    url, _ = functions.queue("out")
    functions.permit(allow(["sqs:*", "kinesis:*", "dynamodb:*"]))
    functions.make(RELAY, Environment={"Variables": {"OUT": url}})
    kinesis = functions.cloud.client("kinesis", other)
    kinesis.create_stream(StreamName="s", ShardCount=1)
    functions.cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    return kinesis, url


def test_records_of_another_accounts_stream_reach_the_function(functions, stream):
    kinesis, url = stream
    assert "Cannot access stream" in refusal(functions, STREAM, StartingPosition="TRIM_HORIZON")["Message"]
    kinesis.put_resource_policy(ResourceARN=STREAM, Policy=policy(role(allow(READ, STREAM))))
    mapped(functions, STREAM, StartingPosition="TRIM_HORIZON")
    kinesis.put_record(StreamName="s", Data=b"theirs", PartitionKey="k")
    [batch] = batches(functions, url, 1)
    assert (texts(batch), batch[0]["eventSourceARN"]) == (["theirs"], STREAM)


def test_a_consumer_of_another_accounts_stream_is_mapped_where_the_role_may_subscribe(functions, stream):
    kinesis, url = stream
    made = kinesis.register_stream_consumer(StreamARN=STREAM, ConsumerName="c")["Consumer"]["ConsumerARN"]
    kinesis.put_resource_policy(ResourceARN=STREAM, Policy=policy(role(allow(READ, STREAM))))
    start = {"StartingPosition": "TRIM_HORIZON"}
    assert refusal(functions, made, **start)["Code"] == "InvalidParameterValueException"
    kinesis.put_resource_policy(
        ResourceARN=made,
        Policy=policy(role(allow(["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"], made))),
    )
    mapped(functions, made, **start)
    kinesis.put_record(StreamName="s", Data=b"theirs", PartitionKey="k")
    [batch] = batches(functions, url, 1)
    assert texts(batch) == ["theirs"]


def test_changes_of_another_accounts_table_reach_the_function(functions, stream, other):
    _, url = stream
    dynamodb = functions.cloud.client("dynamodb", other)
    arn = dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]["LatestStreamArn"]
    start = {"StartingPosition": "TRIM_HORIZON"}
    assert "Cannot access stream" in refusal(functions, arn, **start)["Message"]
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy(role(allow(READ_TABLE, arn))))
    assert json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])["Statement"][0]["Resource"] == arn
    mapped(functions, arn, **start)
    dynamodb.put_item(TableName="table", Item={"id": {"S": "theirs"}})
    [[record]] = batches(functions, url, 1)
    assert (record["dynamodb"]["Keys"], record["eventSourceARN"]) == ({"id": {"S": "theirs"}}, arn)
    dynamodb.delete_resource_policy(ResourceArn=arn)
    assert "Cannot access stream" in refusal(functions, arn, **start)["Message"]
    gone = error_of(dynamodb.put_resource_policy, ResourceArn=arn[:-1] + "x", Policy=policy(role(allow("dynamodb:*"))))
    assert gone["Code"] == "ResourceNotFoundException"
