"""Events that nobody waits for: retries, records, dead letters.

AWS: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation", "Capturing records of
Lambda asynchronous invocations" and "Adding a dead-letter queue".
"""

import asyncio
import json
from types import SimpleNamespace

import pytest
from functions.conftest import Functions
from functions.test_invoke import FUNCTION, refused, waiting
from functions.test_logs import written
from running import ACCOUNT, REGION, allow, asking, deny

from iamd.functions import asynchronous
from iamd.functions.errors import TooManyRequests
from iamd.functions.runtime_events import event_of

# Every try sends a message, so that a test sees when it has been.
TRY = """
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody=context.aws_request_id)
    if event.get("fails"):
        raise ValueError("no luck")
    return "done"
"""


def messages(functions: Functions, url: str, **more: object) -> list[dict]:
    """The next messages of a queue, deleted; waits until there is one."""
    sqs = functions.cloud.client("sqs", read_timeout=60)
    found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10, **more).get("Messages", [])
    for one in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def bodies(functions, url):
    return [one["Body"] for one in messages(functions, url)]


def reported(cloud, count):
    """Wait until so many tries have ended, as the log tells."""
    for wanted in range(1, 1000):
        found = [one for one in written(cloud, wanted) if one.startswith("REPORT")]
        if len(found) >= count:
            return
    raise AssertionError(count)


def refusal(cloud, name):
    """The newest refused event of an operation, once there is one."""
    for _ in asking():
        for one in cloud.events(name):
            if "errorCode" in one:
                return one
    raise AssertionError(name)


@pytest.fixture
def tries(functions):
    """The URL of a queue that a function `fn` tells of each try."""
    url, arn = functions.queue("tries")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.make(TRY)
    return url


def test_an_event_is_answered_at_once_and_run(functions, tries):
    client = functions.cloud.client("lambda")
    told = client.invoke(FunctionName="fn", InvocationType="Event", Payload=json.dumps({"url": tries}))
    assert (told["StatusCode"], told["Payload"].read()) == (202, b"")
    assert bodies(functions, tries) == [told["ResponseMetadata"]["RequestId"]]


def test_the_older_operation_does_the_same(functions, tries):
    told = functions.cloud.client("lambda").invoke_async(FunctionName="fn", InvokeArgs=json.dumps({"url": tries}))
    assert told["Status"] == 202
    assert len(bodies(functions, tries)) == 1


def test_a_failing_event_is_tried_twice_more_a_minute_and_two_minutes_later(functions, tries):
    functions.permit(allow("sqs:SendMessage"), allow("logs:*"))
    failed, arn = functions.queue("failed")
    functions.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fn", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    event = {"url": tries, "fails": True}
    functions.invoke(event, InvocationType="Event")
    first = bodies(functions, tries)
    reported(functions.cloud, 1)
    functions.cloud.advance(60)
    assert bodies(functions, tries) == first
    reported(functions.cloud, 2)
    functions.cloud.advance(60)
    assert waiting(functions.cloud, tries) == 0, "not after a minute"
    functions.cloud.advance(60)
    assert bodies(functions, tries) == first
    [record] = [json.loads(one) for one in bodies(functions, failed)]
    assert record["requestContext"] == {
        "requestId": first[0],
        "functionArn": f"{FUNCTION}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == event
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert (record["version"], record["responsePayload"]["errorMessage"]) == ("1.0", "no luck")


def test_how_often_it_is_tried_can_be_set(functions, tries):
    functions.permit(allow("sqs:SendMessage"))
    failed, arn = functions.queue("failed")
    functions.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fn", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    functions.invoke({"url": tries, "fails": True}, InvocationType="Event")
    [record] = bodies(functions, failed)
    assert json.loads(record)["requestContext"]["approximateInvokeCount"] == 1
    client = functions.cloud.client("lambda")
    client.update_function_event_invoke_config(FunctionName="fn", MaximumRetryAttempts=1)
    told = client.get_function_event_invoke_config(FunctionName="fn")
    assert (told["MaximumRetryAttempts"], told["DestinationConfig"]["OnFailure"]) == (1, {"Destination": arn})


def test_an_event_that_is_too_old_is_tried_no_more(functions, tries):
    functions.permit(allow("sqs:SendMessage"), allow("logs:*"))
    failed, arn = functions.queue("failed")
    functions.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fn", MaximumEventAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    functions.invoke({"url": tries, "fails": True}, InvocationType="Event")
    assert len(bodies(functions, tries)) == 1
    reported(functions.cloud, 1)
    functions.cloud.advance(61)
    [record] = bodies(functions, failed)
    assert json.loads(record)["requestContext"]["condition"] == "EventAgeExceeded"
    assert waiting(functions.cloud, tries) == 0


def test_records_of_success_go_to_a_function_too(functions, tries):
    functions.permit(allow("sqs:SendMessage"), allow("lambda:InvokeFunction", f"{FUNCTION[:-2]}next"))
    url, _ = functions.queue("next")
    source = TRY.replace('event["url"]', repr(url)).replace("context.aws_request_id", "str(event['responsePayload'])")
    target = functions.make(source, name="next")
    functions.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fn", DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    functions.invoke({"url": tries}, InvocationType="Event")
    assert bodies(functions, url) == ["done"]


def test_a_record_that_the_role_may_not_send_goes_nowhere(functions, tries):
    failed, arn = functions.queue("failed")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="fn", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    functions.permit(allow("sqs:SendMessage"), deny("sqs:SendMessage", arn))
    functions.invoke({"url": tries, "fails": True}, InvocationType="Event")
    event = refusal(functions.cloud, "SendMessage")
    assert (event["errorCode"], event["userIdentity"]["arn"]) == (
        "AccessDeniedException",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn",
    )
    assert arn in event["errorMessage"]
    assert waiting(functions.cloud, failed) == 0


def test_a_dead_letter_queue_has_the_event_itself(functions, tries):
    functions.permit(allow("sqs:SendMessage"))
    dead, arn = functions.queue("dead")
    client = functions.cloud.client("lambda")
    client.update_function_configuration(FunctionName="fn", DeadLetterConfig={"TargetArn": arn})
    assert client.get_function_configuration(FunctionName="fn")["DeadLetterConfig"] == {"TargetArn": arn}
    client.put_function_event_invoke_config(FunctionName="fn", MaximumRetryAttempts=0)
    event = {"url": tries, "fails": True}
    functions.invoke(event, InvocationType="Event")
    [letter] = messages(functions, dead, MessageAttributeNames=["All"])
    assert json.loads(letter["Body"]) == event
    about = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert about == {"RequestID": about["RequestID"], "ErrorCode": "200", "ErrorMessage": "no luck"}


def test_with_a_reserved_concurrency_of_zero_events_go_at_once_where_failed_ones_go(functions, tries):
    functions.permit(allow("sqs:SendMessage"))
    dead, arn = functions.queue("dead")
    client = functions.cloud.client("lambda")
    client.update_function_configuration(FunctionName="fn", DeadLetterConfig={"TargetArn": arn})
    client.put_function_concurrency(FunctionName="fn", ReservedConcurrentExecutions=0)
    functions.invoke({"url": tries}, InvocationType="Event")
    assert len(bodies(functions, dead)) == 1
    assert waiting(functions.cloud, tries) == 0


def test_what_can_not_be_delivered_to_is_refused(functions, tries):
    client = functions.cloud.client("lambda")
    for kind, destination in (
        ("OnFailure", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"),
        ("OnSuccess", "arn:aws:s3:::bucket"),
    ):
        refused(
            "InvalidParameterValueException",
            "",
            client.put_function_event_invoke_config,
            FunctionName="fn",
            DestinationConfig={kind: {"Destination": destination}},
        )


def test_one_accounts_events_keep_no_other_from_theirs():
    async def never():
        await asyncio.Event().wait()

    async def fill():
        events = asynchronous.Events(SimpleNamespace(clock=SimpleNamespace(timestamp=lambda: 0.0)), None, None)
        one = event_of("id", b"{}", "arn")
        for _ in range(asynchronous.MOST_OF_ONE):
            events.put(one, None, never, "one")
        with pytest.raises(TooManyRequests):
            events.put(one, None, never, "one")
        events.put(one, None, never, "other")
        await events.clear()
        events.put(one, None, never, "one")
        await events.clear()

    asyncio.run(fill())
