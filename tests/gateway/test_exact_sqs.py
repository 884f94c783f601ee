"""What requests to SQS are decided on: queues by URL, name, ARN and a task's handle, in JSON and in Query.

AWS: SQS Developer Guide, "Amazon SQS API permissions: Actions and resource reference" and "Amazon SQS queue and message
identifiers".
"""

import base64

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, REGION

QUEUE, OTHER = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs", f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs.fifo"
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs"
THEIRS = f"arn:aws:sqs:{REGION}:111122223333:jobs"
HANDLE = base64.b64encode(f'{{"taskId":"t","sourceArn":"{QUEUE}"}}'.encode()).decode()
MOVED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]


def on(resource, *actions):
    return [(f"sqs:{action}", resource) for action in actions]


CASES = [
    *[
        ("SendMessage", {"QueueUrl": url, "MessageBody": "m"}, on(QUEUE, "SendMessage"))
        for url in (URL, f"http://localhost:4566/{ACCOUNT}/jobs", f"/{ACCOUNT}/jobs", "jobs")
    ],
    ("ReceiveMessage", {"QueueUrl": f"{URL}.fifo"}, on(OTHER, "ReceiveMessage")),
    # A batch is decided as its single form, once for its queue.
    (
        "SendMessageBatch",
        {"QueueUrl": URL, "Entries": [{"Id": "1", "MessageBody": "m"}, {"Id": "2", "MessageBody": "m"}]},
        on(QUEUE, "SendMessage"),
    ),
    (
        "DeleteMessageBatch",
        {"QueueUrl": URL, "Entries": [{"Id": "1", "ReceiptHandle": "h"}]},
        on(QUEUE, "DeleteMessage"),
    ),
    (
        "ChangeMessageVisibilityBatch",
        {"QueueUrl": URL, "Entries": [{"Id": "1", "ReceiptHandle": "h", "VisibilityTimeout": 1}]},
        on(QUEUE, "ChangeMessageVisibility"),
    ),
    ("CreateQueue", {"QueueName": "jobs"}, on(QUEUE, "CreateQueue")),
    ("CreateQueue", {"QueueName": "jobs", "tags": {"team": "blue"}}, on(QUEUE, "CreateQueue", "TagQueue")),
    ("GetQueueUrl", {"QueueName": "jobs"}, on(QUEUE, "GetQueueUrl")),
    ("ListQueues", {"QueueNamePrefix": "j"}, on("*", "ListQueues")),
    ("ListMessageMoveTasks", {"SourceArn": QUEUE}, on(QUEUE, "ListMessageMoveTasks", "GetQueueAttributes")),
    (
        "StartMessageMoveTask",
        {"SourceArn": QUEUE, "DestinationArn": OTHER},
        [*on(QUEUE, "StartMessageMoveTask", *MOVED), *on(OTHER, "SendMessage")],
    ),
    (
        "StartMessageMoveTask",
        {"SourceArn": QUEUE},
        [*on(QUEUE, "StartMessageMoveTask", *MOVED), *on(f"arn:aws:sqs:{REGION}:{ACCOUNT}:*", "SendMessage")],
    ),
    ("CancelMessageMoveTask", {"TaskHandle": HANDLE}, on(QUEUE, "CancelMessageMoveTask", *MOVED)),
    ("TagQueue", {"QueueUrl": URL, "Tags": {"team": "blue"}}, on(QUEUE, "TagQueue")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("sqs", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_queue_of_another_account_is_decided_on_as_its_owners(counted):
    for given in ({"QueueUrl": URL.replace(ACCOUNT, "111122223333")}, {"QueueUrl": "https://x/111122223333/jobs"}):
        told = counted.call("sqs", "ReceiveMessage", given)
        assert (told.asked, told.sent) == (on(THEIRS, "ReceiveMessage"), 0)
        assert "because no resource-based policy allows the sqs:receivemessage action" in told.message


@pytest.mark.parametrize(
    "url",
    ["https://h/123456789012/*", "https://h/123456789012/a/b", "https://h/123456789012/jobs?x=1", "https://h/1/jobs", "",
     "https://h/123456789012/jobs#x", "https://h/123456789012/jo%62s", "https://h/123456789012/jo\tbs"],
)  # fmt: skip
def test_a_url_that_names_no_queue_plainly_is_refused(counted, url):
    told = counted.call("sqs", "ReceiveMessage", {"QueueUrl": url})
    assert (told.status, told.sent) == (400, 0)
    assert told.code in {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


def test_the_query_protocol_is_decided_alike_at_the_root_and_at_the_queues_own_path(counted):
    body = f"Action=SendMessage&Version=2012-11-05&MessageBody=m&QueueUrl={URL}".encode()
    assert counted.asked_by(counted.wire.send("sqs", "POST", "/", FORM, body)) == on(QUEUE, "SendMessage")
    body = b"Action=SendMessage&Version=2012-11-05&MessageBody=m"
    reply = counted.wire.send("sqs", "POST", f"/{ACCOUNT}/jobs", FORM, body)
    assert counted.asked_by(reply) == on(QUEUE, "SendMessage")


def test_a_queue_in_the_path_and_another_in_the_body_are_refused(counted):
    before = counted.backend.received
    body = f"Action=SendMessage&Version=2012-11-05&MessageBody=m&QueueUrl={URL}".encode()
    reply = counted.wire.send("sqs", "POST", f"/{ACCOUNT}/other", FORM, body)
    assert (reply.status, counted.backend.received) == (400, before)


MAKE = ("sqs:CreateQueue", "CreateQueue")
TAGGED = {"QueueName": "jobs", "tags": {"team": "blue", "env": "test"}}
KEYS = [
    Key("aws:RequestTag/team", "blue", *MAKE, TAGGED, {"QueueName": "jobs", "tags": {"team": "red"}}),
    Key("aws:RequestTag/team", "blue", "sqs:TagQueue", "TagQueue", {"QueueUrl": URL, "Tags": {"team": "blue"}},
        {"QueueUrl": URL, "Tags": {"team": "red"}}),
    Key("aws:TagKeys", ["team", "env"], *MAKE, TAGGED, {"QueueName": "jobs", "tags": {"cost": "1"}},
        "ForAllValues:StringEquals"),
    Key("aws:TagKeys", "team", "sqs:UntagQueue", "UntagQueue", {"QueueUrl": URL, "TagKeys": ["team"]},
        {"QueueUrl": URL, "TagKeys": ["env"]}, "ForAnyValue:StringEquals"),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "sqs-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "sqs", key)
