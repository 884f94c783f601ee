"""Functions that are given the messages of a queue.

AWS: Lambda Developer Guide, "Using Lambda with Amazon SQS" (with-sqs) and "Handling errors for an SQS event source in
Lambda" (services-sqs-errorhandling).
"""

import json

import pytest
from functions.test_asynchronous import bodies
from functions.test_invoke import refused, waiting
from running import ACCOUNT, REGION, allow, asking

RELAY = """
import json, os
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event["Records"]))
    return {"batchItemFailures": [
        {"itemIdentifier": one["messageId"]} for one in event["Records"] if one["body"] == "bad"
    ]}
"""
POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


@pytest.fixture
def queues(functions):
    """Two queues' URLs: what comes into the first, a function sends on to the second once it is mapped."""
    (into, into_arn), (out, out_arn) = functions.queue("into", VisibilityTimeout="600"), functions.queue("out")
    functions.permit(allow(POLL, into_arn), allow("sqs:SendMessage", out_arn))
    functions.make(RELAY, Environment={"Variables": {"OUT": out}})
    return into, out, into_arn


def mapped(functions, arn, **more):
    return functions.cloud.client("lambda").create_event_source_mapping(FunctionName="fn", EventSourceArn=arn, **more)


def begun_later(functions, arn, **more):
    """Map a source that is not polled yet; gives what has it polled, when the role may have lost its rights."""
    made = mapped(functions, arn, Enabled=False, **more)
    client = functions.cloud.client("lambda")
    return lambda: client.update_event_source_mapping(UUID=made["UUID"], Enabled=True)


def gone(functions, url, *, visible=0, hidden=0):
    """Whether a queue comes to have so many messages, those that are being processed apart."""
    sqs = functions.cloud.client("sqs")
    for _ in asking():
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        found = int(told["ApproximateNumberOfMessages"]), int(told["ApproximateNumberOfMessagesNotVisible"])
        if found == (visible, hidden):
            return True
    return False


def test_messages_reach_the_function_and_are_deleted(functions, queues):
    into, out, arn = queues
    mapped(functions, arn)
    attribute = {"DataType": "String", "StringValue": "blue"}
    sent = functions.cloud.client("sqs").send_message(
        QueueUrl=into, MessageBody="hello", MessageAttributes={"team": attribute}
    )
    [[record]] = [json.loads(one) for one in bodies(functions, out)]
    assert (record["body"], record["messageId"], record["eventSourceARN"]) == ("hello", sent["MessageId"], arn)
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", REGION)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["team"] == {
        "stringValue": "blue",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert gone(functions, into)


def test_the_poller_is_the_execution_role(functions, queues):
    into, out, arn = queues
    begin = begun_later(functions, arn)
    functions.permit(allow("sqs:SendMessage"))
    begin()
    functions.cloud.client("sqs").send_message(QueueUrl=into, MessageBody="hello")
    denied = functions.cloud.events("GetQueueAttributes")[0]
    assert (denied["errorCode"], denied["userIdentity"]["arn"]) == (
        "AccessDeniedException",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn",
    )
    assert (waiting(functions.cloud, into), waiting(functions.cloud, out)) == (1, 0)
    functions.permit(allow("sqs:SendMessage"), allow(POLL, arn))
    assert len(bodies(functions, out)) == 1


def test_the_poller_goes_on_with_a_role_that_was_made_anew(functions, queues):
    into, out, arn = queues
    mapped(functions, arn)
    iam, sqs = functions.cloud.client("iam"), functions.cloud.client("sqs")
    sqs.send_message(QueueUrl=into, MessageBody="first")
    assert len(bodies(functions, out)) == 1
    # The poller deletes it with the role that is about to go.
    assert gone(functions, into)
    for policy in iam.list_role_policies(RoleName="worker")["PolicyNames"]:
        iam.delete_role_policy(RoleName="worker", PolicyName=policy)
    trusting = json.dumps(iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"])
    iam.delete_role(RoleName="worker")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trusting)
    functions.permit(allow("sqs:SendMessage"), allow(POLL, arn))
    sqs.send_message(QueueUrl=into, MessageBody="second")
    assert gone(functions, into)


def test_only_the_messages_that_failed_come_back(functions, queues):
    into, out, arn = queues
    sqs = functions.cloud.client("sqs")
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=into, MessageBody=body)
    mapped(functions, arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    [records] = [json.loads(one) for one in bodies(functions, out)]
    assert [one["body"] for one in records] == ["good", "bad"]
    assert gone(functions, into, hidden=1)


def test_a_batch_that_failed_comes_back_whole(functions, queues):
    into, out, arn = queues
    source = RELAY.replace("    return", "    raise ValueError\n    return")
    functions.make(source, name="failing", Environment={"Variables": {"OUT": out}})
    sqs = functions.cloud.client("sqs")
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=into, MessageBody=body)
    functions.cloud.client("lambda").create_event_source_mapping(
        FunctionName="failing", EventSourceArn=arn, BatchSize=2
    )
    assert len(bodies(functions, out)) == 1
    assert gone(functions, into, hidden=2)


def test_a_mapping_that_is_disabled_or_deleted_polls_no_more(functions, queues):
    into, out, arn = queues
    client, sqs = functions.cloud.client("lambda"), functions.cloud.client("sqs")
    made = mapped(functions, arn, Enabled=False)
    sqs.send_message(QueueUrl=into, MessageBody="early")
    assert waiting(functions.cloud, into) == 1
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    assert len(bodies(functions, out)) == 1
    assert gone(functions, into)
    client.delete_event_source_mapping(UUID=made["UUID"])
    # What it polls for now it finishes; after that nobody takes anything.
    sqs.send_message(QueueUrl=into, MessageBody="late")
    bodies(functions, out)
    sqs.send_message(QueueUrl=into, MessageBody="later")
    assert waiting(functions.cloud, into) == 1


def test_what_can_not_be_polled_is_refused(functions, queues):
    _, _, arn = queues
    topic = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/c/1"
    refused("InvalidParameterValueException", "iamd polls SQS queues", mapped, functions, topic)
    refused("InvalidParameterValueException", "StartingPosition", mapped, functions, arn, StartingPosition="LATEST")
    words = "Batching window is not supported for FIFO queues."
    more = {"MaximumBatchingWindowInSeconds": 1}
    refused("InvalidParameterValueException", words, mapped, functions, f"{arn}.fifo", **more)
    refused("InvalidParameterValueException", "at most 10", mapped, functions, f"{arn}.fifo", BatchSize=11)
    criteria = {"Filters": [{"Pattern": json.dumps({"body": [{"cidr": "10.0.0.0/8"}]})}]}
    refused("InvalidParameterValueException", "cidr", mapped, functions, arn, FilterCriteria=criteria)


def test_an_id_that_was_not_given_fails_the_batch(functions, queues):
    into, out, arn = queues
    source = RELAY.replace('one["messageId"]', '"nobody"')
    functions.make(source, name="wrong", Environment={"Variables": {"OUT": out}})
    functions.cloud.client("sqs").send_message(QueueUrl=into, MessageBody="bad")
    functions.cloud.client("lambda").create_event_source_mapping(
        FunctionName="wrong", EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    assert len(bodies(functions, out)) == 1
    assert gone(functions, into, hidden=1)
