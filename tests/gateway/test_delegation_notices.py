"""What partners are told of their delegation requests by the topics that these name, before the embedded backend."""

import json

import pytest
from botocore.exceptions import ClientError
from running import asking
from services.iam.delegating import PARTNER, Partner

TOPIC = f"arn:aws:sns:us-east-1:{PARTNER}:delegations"
QUEUE = f"arn:aws:sqs:us-east-1:{PARTNER}:notices"
SERVICE = "iam.amazonaws.com"


def policy(principal, action, resource, **condition):
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": action, "Resource": resource}
    statement |= {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def partner(cloud):
    return Partner.of(cloud)


@pytest.fixture
def topic(cloud, partner):
    """The partner's topic, which tells a queue of the partner's, and whose policy `topic(...)` sets."""
    sns, sqs = cloud.client("sns", partner.credentials), cloud.client("sqs", partner.credentials)
    sns.create_topic(Name="delegations")
    url = sqs.create_queue(QueueName="notices")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy("sns.amazonaws.com", "sqs:SendMessage", QUEUE)})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "true"})

    def let(text):
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=text)

    return let


@pytest.fixture
def received(cloud, partner):
    """`received(n)` waits for n messages and gives them in order."""
    sqs = cloud.client("sqs", partner.credentials)

    def messages(count):
        url, found = sqs.get_queue_url(QueueName="notices")["QueueUrl"], []
        for _ in range(20):
            told = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", [])
            found += [json.loads(one["Body"]) for one in told]
            for one in told:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            if len(found) >= count:
                break
        return found

    return messages


def test_each_new_state_is_told_in_order_and_the_last_one_with_the_token(cloud, partner, topic, received):
    topic(policy(SERVICE, "sns:Publish", TOPIC))
    iam = cloud.client("iam")
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.update_delegation_request(DelegationRequestId=request_id, Notes="please look")
    iam.accept_delegation_request(DelegationRequestId=request_id)
    iam.send_delegation_token(DelegationRequestId=request_id)
    told = received(4)
    assert [one["State"] for one in told] == ["ASSIGNED", "PENDING_APPROVAL", "ACCEPTED", "FINALIZED"]
    assert {(one["DelegationRequestId"], one["RequestorWorkflowId"], one["OwnerAccountId"]) for one in told} == {
        (request_id, "workflow-1", cloud.account_id)
    }
    assert [one for one in told if "TradeInToken" in one] == told[3:]
    _, answer = partner.exchange(told[3]["TradeInToken"])
    assert answer["AssumedPrincipal"] == f"arn:aws:iam::{cloud.account_id}:user/admin"


def test_a_rejection_is_told_with_its_reason(cloud, partner, topic, received):
    topic(policy(SERVICE, "sns:Publish", TOPIC))
    request_id = partner.ask()
    cloud.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    cloud.client("iam").reject_delegation_request(DelegationRequestId=request_id, Notes="too much")
    assert received(2)[1] | {"State": "REJECTED", "RejectionReason": "too much"} == received_last(partner, request_id)


def received_last(partner, request_id):
    """The last notice as it should be."""
    return {
        **partner.notification(request_id),
        "RequestorWorkflowId": "workflow-1",
        "OwnerAccountId": partner.aws.account_id,
        "RejectionReason": "too much",
        "UpdatedTime": int(
            partner.aws.client("iam")
            .get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]["UpdatedTime"]
            .timestamp()
        ),
    }


def test_it_is_recorded_as_the_services_own_request_without_the_message(cloud, partner, topic, received):
    topic(policy(SERVICE, "sns:Publish", TOPIC))
    token = partner.granted(cloud.client("iam"))
    assert len(received(3)) == 3
    events = cloud.client("cloudtrail", partner.credentials).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Publish"}]
    )["Events"]
    documents = [event["CloudTrailEvent"] for event in events]
    assert len(documents) == 3
    assert token not in "".join(documents)
    last = json.loads(documents[0])
    assert last["userIdentity"] == {"type": "AWSService", "invokedBy": SERVICE}
    assert last["requestParameters"]["topicArn"] == TOPIC
    assert "errorCode" not in last


@pytest.mark.parametrize(
    "text",
    [
        None,
        policy("events.amazonaws.com", "sns:Publish", TOPIC),
        policy(SERVICE, "sns:Subscribe", TOPIC),
        policy(SERVICE, "sns:Publish", TOPIC, StringEquals={"aws:SourceAccount": "999999999999"}),
    ],
)
def test_a_topic_whose_policy_does_not_let_iam_publish_is_no_channel(partner, topic, text):
    if text is not None:
        topic(text)
    with pytest.raises(ClientError, match=rf"InvalidInput.*{SERVICE}.*not authorized to perform: sns:Publish"):
        partner.ask()


def test_a_policy_may_name_the_account_that_it_is_for(partner, topic, received, cloud):
    topic(policy(SERVICE, "sns:Publish", TOPIC, StringEquals={"aws:SourceAccount": PARTNER}))
    request_id = partner.ask()
    cloud.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    assert [one["State"] for one in received(1)] == ["ASSIGNED"]


def test_a_topic_that_is_not_there_is_no_channel(partner):
    with pytest.raises(ClientError, match=r"InvalidInput.*no topic"):
        partner.ask()


def test_a_fifo_topic_is_no_channel(partner):
    with pytest.raises(ClientError, match=r"InvalidInput.*FIFO"):
        partner.ask(NotificationChannel=f"{TOPIC}.fifo")


def test_a_policy_that_was_changed_stops_the_notice_and_not_the_request(cloud, partner, topic):
    topic(policy(SERVICE, "sns:Publish", TOPIC))
    request_id = partner.ask()
    topic(policy("events.amazonaws.com", "sns:Publish", TOPIC))
    cloud.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    assert partner.notification(request_id)["State"] == "ASSIGNED"
    [event] = of_partner(cloud, partner.credentials)
    assert (event["errorCode"], event["userIdentity"]["invokedBy"]) == ("AuthorizationError", SERVICE)


def of_partner(cloud, credentials):
    """The partner's events of Publish, waited for."""
    client = cloud.client("cloudtrail", credentials)
    chosen = [{"AttributeKey": "EventName", "AttributeValue": "Publish"}]
    for _ in asking():
        found = client.lookup_events(LookupAttributes=chosen)["Events"]
        if found:
            return [json.loads(event["CloudTrailEvent"]) for event in found]
    return []
