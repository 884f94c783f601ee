"""What SNS lets everybody do with a subscription: confirm it by its token, and end it where no signature is asked for."""

import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from gateway.counting import answer
from gateway.parameters import ACCOUNT
from running import REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:open"
SUBSCRIPTION = f"{TOPIC}:01234567-89ab-cdef-0123-456789abcdef"


def attributes(**given):
    """What the backend tells of a subscription."""
    entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in given.items())
    name = "GetSubscriptionAttributes"
    result = f"<{name}Result><Attributes>{entries}</Attributes></{name}Result>"
    return answer(f"<{name}Response>{result}</{name}Response>".encode())


@pytest.fixture
def backend(counted):
    """The backend that counts, which has nothing left to say to others."""
    yield counted.backend
    counted.backend.answers.clear()


def visit(aws, action, **given):
    """What comes of following an address that a message of SNS's has: the status, and what it says."""
    try:
        with urllib.request.urlopen(f"{aws.endpoint}/?{urlencode({'Action': action, **given})}") as told:
            return told.status, told.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def asked(counted, count):
    """What the backend was asked for, the last requests."""
    raw = counted.backend.raw
    sent = [head + body for head, body in zip(raw.heads[-count:], raw.bodies[-count:], strict=True)]
    return [one.partition(b"Action=")[2].partition(b"&")[0].decode() for one in sent]


def test_a_subscription_that_needs_no_signature_to_end_is_ended_by_everybody(counted, backend):
    backend.answers.append(attributes(Protocol="https", ConfirmationWasAuthenticated="false"))
    assert visit(counted.aws, "Unsubscribe", SubscriptionArn=SUBSCRIPTION)[0] == 200
    assert asked(counted, 2) == ["GetSubscriptionAttributes", "Unsubscribe"]


@pytest.mark.parametrize(
    "told",
    [
        attributes(Protocol="https", ConfirmationWasAuthenticated="true"),
        attributes(Protocol="sqs", ConfirmationWasAuthenticated="false"),
        attributes(Protocol="https"),
        attributes(ConfirmationWasAuthenticated="false"),
        answer(b"", "500 Internal Server Error"),
        answer(b"<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>", "404 Not Found"),
    ],
)
def test_every_other_subscription_is_ended_by_whoever_may(counted, backend, told):
    backend.answers.append(told)
    status, words = visit(counted.aws, "Unsubscribe", SubscriptionArn=SUBSCRIPTION)
    assert (status, "<Code>AuthorizationError</Code>" in words) == (403, True)
    assert asked(counted, 1) == ["GetSubscriptionAttributes"]


def test_who_signs_is_decided_on_as_ever(counted, backend):
    backend.answers.append(attributes(Protocol="https", ConfirmationWasAuthenticated="false"))
    told = counted.call("sns", "Unsubscribe", {"SubscriptionArn": SUBSCRIPTION}, counted.nobody)
    assert (told.code, told.sent) == ("AuthorizationError", 0)


def test_a_subscription_is_confirmed_by_its_token_alone(counted, backend):
    assert visit(counted.aws, "ConfirmSubscription", TopicArn=TOPIC, Token="t")[0] == 200
    assert asked(counted, 1) == ["ConfirmSubscription"]
    before = backend.received
    given = {"TopicArn": TOPIC, "Token": "t", "AuthenticateOnUnsubscribe": "true"}
    assert visit(counted.aws, "ConfirmSubscription", **given)[0] == 403
    assert backend.received == before


def test_the_region_is_the_subscriptions(counted, backend):
    backend.answers.append(attributes(Protocol="email", ConfirmationWasAuthenticated="false"))
    visit(counted.aws, "Unsubscribe", SubscriptionArn=SUBSCRIPTION.replace(REGION, "eu-west-1"))
    assert b"/eu-west-1/sns/aws4_request" in backend.last[0]


def test_at_snss_own_address_a_form_will_do(counted, backend):
    backend.answers.append(attributes(Protocol="email", ConfirmationWasAuthenticated="false"))
    form = urlencode({"Action": "Unsubscribe", "Version": "2010-03-31", "SubscriptionArn": SUBSCRIPTION}).encode()
    headers = [("host", f"sns.{REGION}.amazonaws.com"), ("content-type", "application/x-www-form-urlencoded")]
    assert counted.wire.send_unsigned("POST", "/", headers, form).status == 200


def test_nothing_else_is_asked_for_without_a_version(counted, backend):
    before = backend.received
    assert visit(counted.aws, "Publish", TopicArn=TOPIC, Message="m")[0] >= 400
    assert backend.received == before


def test_before_the_embedded_backend_no_token_is_one_and_queues_stay_subscribed(cloud):
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    queue = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    assert visit(cloud, "Unsubscribe", SubscriptionArn=subscription)[0] == 403
    assert visit(cloud, "ConfirmSubscription", TopicArn=topic, Token="t")[0] == 403
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
