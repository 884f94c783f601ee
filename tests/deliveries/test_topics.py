"""What topics send to queues and functions, decided by their policies as SNS.

AWS: SNS Developer Guide, "Fanout to Amazon SQS queues" (sns-sqs-as-subscriber, subscribe-sqs-queue-to-sns-topic) and
"Fanout to Lambda functions" (sns-lambda-as-subscriber).
"""

import contextlib
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import of_source
from gateway.two_accounts import OTHER
from running import ACCOUNT, REGION

SNS = "sns.amazonaws.com"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"


@pytest.fixture
def sns(cloud):
    client = cloud.client("sns")
    client.create_topic(Name="news")
    return client


def test_a_queue_without_a_policy_gets_nothing(cloud, sns, inbox, denied):
    queue = inbox()
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=TOPIC, Message="hello")
    event = denied("SendMessage", SNS)
    assert event["errorCode"] == "AccessDeniedException"
    assert event["errorMessage"] == (
        f"User: {SNS} is not authorized to perform: sqs:sendmessage on resource: {queue.arn} "
        "because no resource-based policy allows the sqs:sendmessage action"
    )
    assert queue.waiting() == 0
    # The report of denials has the statement that lets it in.
    [told] = cloud.iamd("ReportDenials")["Denials"]
    assert (told["PrincipalArn"], told["Action"], told["Resource"]) == (SNS, "sqs:SendMessage", queue.arn)
    document = {"Version": "2012-10-17", "Statement": [json.loads(told["Statement"])]}
    assert document["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps(document)})
    sns.publish(TopicArn=TOPIC, Message="again")
    assert [one["Message"] for one in queue.read()] == ["again"]
    assert cloud.iamd("Explain", RequestId=event["requestID"])["PrincipalArn"] == SNS


def test_a_queue_lets_one_topic_in_and_no_other(cloud, sns, inbox, denied):
    queue = inbox()
    queue.let(SNS, **of_source(TOPIC))
    other = sns.create_topic(Name="other")["TopicArn"]
    for topic in (other, TOPIC):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=other, Message="from the other one")
    denied("SendMessage", SNS)
    attributes = {"color": {"DataType": "String", "StringValue": "blue"}}
    published = sns.publish(TopicArn=TOPIC, Message="hello", Subject="greeting", MessageAttributes=attributes)
    [told] = queue.read()
    assert told["Type"] == "Notification"
    assert told["MessageId"] == published["MessageId"]
    assert (told["TopicArn"], told["Subject"], told["Message"]) == (TOPIC, "greeting", "hello")
    assert told["MessageAttributes"] == {"color": {"Type": "String", "Value": "blue"}}
    # It leads to iamd, where nobody ends a subscription by knowing it.
    assert told["UnsubscribeURL"].startswith(f"{cloud.endpoint}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(told["UnsubscribeURL"])
    assert len(sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]) == 1


@pytest.mark.parametrize(("account", "is_let"), [(ACCOUNT, True), (OTHER, False)])
def test_another_accounts_queue_lets_topics_of_an_account_in(sns, inbox, other, denied, account, is_let):
    queue = inbox(credentials=other, account=OTHER)
    queue.let(SNS, StringEquals={"aws:SourceAccount": account})
    # A queue of the same name stands in the topic's account, and is no part of this.
    namesake = inbox()
    namesake.let(SNS)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=TOPIC, Message="hello")
    if is_let:
        assert [one["Message"] for one in queue.read()] == ["hello"]
    else:
        denied("SendMessage", SNS)
        assert queue.waiting() == 0
    assert namesake.waiting() == 0


def test_messages_are_raw_filtered_and_by_protocol(sns, inbox):
    queue = inbox()
    queue.let(SNS)
    arn = sns.subscribe(
        TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn,
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"color": ["blue"]})},
    )["SubscriptionArn"]  # fmt: skip
    blue, red = ({"color": {"DataType": "String", "StringValue": value}} for value in ("blue", "red"))
    sns.publish(TopicArn=TOPIC, Message="no", MessageAttributes=red)
    message = json.dumps({"default": "for all", "sqs": "for queues"})
    number = {"n": {"DataType": "Number", "StringValue": "7"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}}
    sns.publish(TopicArn=TOPIC, Message=message, MessageStructure="json", MessageAttributes=blue | number)
    [told] = queue.got()
    assert told["Body"] == "for queues"
    attributes = told["MessageAttributes"]
    assert attributes["color"]["StringValue"] == "blue"
    assert (attributes["n"]["DataType"], attributes["n"]["StringValue"]) == ("Number", "7")
    assert attributes["b"]["BinaryValue"] == b"\0\1"
    sns.unsubscribe(SubscriptionArn=arn)
    sns.publish(TopicArn=TOPIC, Message="late", MessageAttributes=blue)
    second = inbox("second")
    second.let(SNS)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=second.arn)
    sns.publish(TopicArn=TOPIC, Message="last")
    second.got()
    assert queue.waiting() == 0


def test_what_a_queue_does_not_take_goes_to_the_dead_letter_queue_that_does(sns, inbox):
    queue, dead = inbox(), inbox("dead")
    dead.let(SNS, **of_source(TOPIC))
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes={"RedrivePolicy": policy})
    sns.publish(TopicArn=TOPIC, Message="hello")
    assert [one["Message"] for one in dead.read()] == ["hello"]
    assert queue.waiting() == 0


def test_a_dead_letter_queue_that_does_not_take_it_either_loses_it(sns, inbox, denied):
    queue, dead = inbox(), inbox("dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes={"RedrivePolicy": policy})
    queue.let(SNS)
    sns.publish(TopicArn=TOPIC, Message="hello")
    assert [one["Message"] for one in queue.read()] == ["hello"]
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": ""})
    sns.publish(TopicArn=TOPIC, Message="again")
    denied("SendMessage", SNS)
    assert (queue.waiting(), dead.waiting()) == (0, 0)


def test_a_fifo_queue_gets_messages_in_their_order(cloud, sns, inbox):
    topic = sns.create_topic(Name="news.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    queue = inbox("inbox.fifo", FifoQueue="true")
    queue.let(SNS)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    for number in range(5):
        sns.publish(TopicArn=topic, Message=str(number), MessageGroupId="g", MessageDeduplicationId=str(number))
    told = queue.got(5)
    assert [json.loads(one["Body"])["Message"] for one in told] == list("01234")
    assert {one["Attributes"]["MessageGroupId"] for one in told} == {"g"}


def test_a_function_runs_when_its_policy_lets_the_topic(cloud, sns, inbox, saving, denied):
    queue = inbox()
    arn = saving(queue)
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="lambda", Endpoint=arn)["SubscriptionArn"]
    sns.publish(TopicArn=TOPIC, Message="hello")
    event = denied("Invoke", SNS)
    assert f"lambda:InvokeFunction on resource: {arn} " in event["errorMessage"]
    cloud.client("lambda").add_permission(
        FunctionName="saving", StatementId="news", Action="lambda:InvokeFunction", Principal=SNS, SourceArn=TOPIC
    )
    sns.publish(TopicArn=TOPIC, Message="hello again", Subject="greeting")
    [[record]] = [one["Records"] for one in queue.read()]
    assert record["EventSource"] == "aws:sns"
    assert record["EventVersion"] == "1.0"
    assert record["EventSubscriptionArn"] == subscription
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("hello again", "greeting")
    assert record["Sns"]["TopicArn"] == TOPIC
    assert record["Sns"]["MessageAttributes"] == {}
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= record["Sns"].keys()


def test_a_reset_forgets_what_is_still_to_be_delivered(cloud, sns, inbox):
    queue = inbox()
    queue.let(SNS)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    for number in range(40):
        sns.publish(TopicArn=TOPIC, Message=f"old {number}")
    cloud.server.post("/_iamd/reset")
    sns.create_topic(Name="news")
    queue = inbox()
    queue.let(SNS)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=TOPIC, Message="new")
    assert [one["Message"] for one in queue.read()] == ["new"]
    assert queue.waiting() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RedrivePolicy", "x"), ("RedrivePolicy", "[1]"), ("RedrivePolicy", '"x"'), ("RedrivePolicy", "{}"),
        ("RedrivePolicy", '{"deadLetterTargetArn": 5}'), ("RedrivePolicy", '{"deadLetterTargetArn": "arn:aws:s3:::b"}'),
        ("FilterPolicyScope", "nowhere"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_none_is_refused(sns, inbox, name, value):
    queue = inbox()
    with pytest.raises(ClientError) as caught:
        sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes={name: value})
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"
    arn = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)["SubscriptionArn"]
    with pytest.raises(ClientError) as caught:
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"


@pytest.mark.parametrize("rule", [{"numeric": ["<", "x"]}, {"prefix": 5}, {"anything-but": {"prefix": 5}}])
def test_a_filter_that_can_not_be_read_keeps_nobody_from_publishing(sns, inbox, rule):
    queue, broken = inbox(), inbox("broken")
    for box in (queue, broken):
        box.let(SNS)
    arn = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=broken.arn)["SubscriptionArn"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    policy = json.dumps({"a": [rule]})
    with contextlib.suppress(ClientError):
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy)
        attributes = {name: {"DataType": kind, "StringValue": "5"} for name, kind in (("a", "Number"), ("b", "String"))}
        sns.publish(TopicArn=TOPIC, Message="hello", MessageAttributes=attributes)
        assert [one["Message"] for one in queue.read()] == ["hello"]
        assert broken.waiting() == 0
