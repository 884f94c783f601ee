"""Functions that are invoked and waited for.

AWS: Lambda API Reference, Invoke.
"""

from running import ACCOUNT, allow

ECHO = "def handler(event, context):\n    return {'got': event}\n"
WHO = """
import boto3

def handler(event, context):
    told = boto3.client("sts").get_caller_identity()
    return {"arn": told["Arn"], "account": told["Account"]}
"""
SEND = """
import boto3

def handler(event, context):
    return boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody="hello")["MessageId"]
"""


def test_a_function_answers_what_it_returns(functions):
    functions.make(ECHO)
    told = functions.invoke({"a": [1, "ä"]})
    assert (told.status, told.error, told.version) == (200, None, "$LATEST")
    assert told.value == {"got": {"a": [1, "ä"]}}


def test_without_a_payload_the_event_is_empty(functions):
    functions.make(ECHO)
    assert functions.invoke().value == {"got": {}}


def test_the_function_has_its_roles_session_named_by_its_name(functions):
    functions.make(WHO)
    told = functions.invoke(Qualifier="$LATEST")
    assert told.value["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn", told


def test_a_function_that_may_send_to_one_queue_cannot_send_to_another(functions):
    url, arn = functions.queue("mine")
    other, _ = functions.queue("other")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.make(SEND)
    assert functions.invoke({"url": url}).error is None
    told = functions.invoke({"url": other})
    assert told.error == "Unhandled"
    assert "is not authorized to perform: sqs:SendMessage" in told.value["errorMessage"], told.value
    counts = [
        functions.cloud.client("sqs").get_queue_attributes(QueueUrl=one, AttributeNames=["All"])["Attributes"][
            "ApproximateNumberOfMessages"
        ]
        for one in (url, other)
    ]
    assert counts == ["1", "0"]
