"""What requests to SNS are decided on: topics by name, ARN and a subscription's ARN; endpoints and telephones.

AWS: SNS Developer Guide, "Amazon SNS API permissions: Actions and resources reference".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import trusting
from gateway.parameters import ACCOUNT, REGION, ROLE
from gateway.two_accounts import OTHER, everybody, policy, to, user_of
from running import allow, deny

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
FIFO = f"{TOPIC}.fifo"
SUBSCRIPTION = f"{TOPIC}:01234567-89ab-cdef-0123-456789abcdef"
THEIRS = f"arn:aws:sns:{REGION}:111122223333:news"
ENDPOINT = f"arn:aws:sns:{REGION}:{ACCOUNT}:endpoint/GCM/app/01234567-89ab-cdef-0123-456789abcdef"
TAGS = [{"Key": "team", "Value": "blue"}]


def on(resource, *actions):
    return [(f"sns:{action}", resource) for action in actions]


CASES = [
    ("Publish", {"TopicArn": TOPIC, "Message": "m"}, on(TOPIC, "Publish")),
    ("Publish", {"TargetArn": FIFO, "Message": "m"}, on(FIFO, "Publish")),
    ("Publish", {"TargetArn": ENDPOINT, "Message": "m"}, on(ENDPOINT, "Publish")),
    ("Publish", {"PhoneNumber": "+12065550100", "Message": "m"}, on("+12065550100", "Publish")),
    # A batch is decided as its single form, once for its topic.
    (
        "PublishBatch",
        {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "1", "Message": "a"}, {"Id": "2", "Message": "b"}]},
        on(TOPIC, "Publish"),
    ),
    ("CreateTopic", {"Name": "news"}, on(TOPIC, "CreateTopic")),
    (
        "CreateTopic",
        {"Name": "news", "Tags": TAGS, "DataProtectionPolicy": "{}"},
        on(TOPIC, "CreateTopic", "TagResource", "PutDataProtectionPolicy"),
    ),
    ("Subscribe", {"TopicArn": TOPIC, "Protocol": "email"}, on(TOPIC, "Subscribe")),
    *[
        (name, {"SubscriptionArn": SUBSCRIPTION, **more}, on(TOPIC, name))
        for name, more in (
            ("Unsubscribe", {}),
            ("GetSubscriptionAttributes", {}),
            ("SetSubscriptionAttributes", {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"}),
        )
    ],
    ("ListTagsForResource", {"ResourceArn": TOPIC}, on(TOPIC, "ListTagsForResource")),
    ("ListTopics", {}, on("*", "ListTopics")),
    ("DeleteEndpoint", {"EndpointArn": ENDPOINT}, on("*", "DeleteEndpoint")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("sns", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_topic_of_another_account_is_decided_on_as_its_owners(counted):
    told = counted.call("sns", "Publish", {"TopicArn": THEIRS, "Message": "m"})
    assert (told.asked, told.sent, told.code) == (on(THEIRS, "Publish"), 0, "AuthorizationError")
    assert "because no resource-based policy allows the SNS:Publish action" in told.message


@pytest.mark.parametrize(
    "arn",
    ["news", "", TOPIC.replace(REGION, "eu-west-1"), TOPIC.replace("arn:aws", "arn:aws-cn"), f"{TOPIC}*", f"{TOPIC}:x",
     f"{TOPIC}/x", TOPIC.replace(":sns:", ":sqs:"), TOPIC.replace(ACCOUNT, "1"), SUBSCRIPTION],
)  # fmt: skip
def test_an_arn_that_names_no_topic_here_is_refused(counted, arn):
    told = counted.call("sns", "GetTopicAttributes", {"TopicArn": arn})
    assert (told.status, told.code, told.sent) == (400, "InvalidParameter", 0)


@pytest.mark.parametrize(
    "given",
    [{}, {"TopicArn": TOPIC, "PhoneNumber": "+12065550100"}, {"TopicArn": TOPIC, "TargetArn": FIFO},
     {"PhoneNumber": "arn:aws:sns:*"}, {"PhoneNumber": "*"}, {"TopicArn": ENDPOINT}],
)  # fmt: skip
def test_a_message_has_one_plain_target(counted, given):
    told = counted.call("sns", "Publish", {**given, "Message": "m"})
    assert (told.status, told.code, told.sent) == (400, "InvalidParameter", 0)


def test_no_policy_on_topics_lets_send_to_telephones(counted):
    """AWS: a number is no ARN, so that only `*` in a policy matches it."""
    caller = Caller.new(counted, "sns-phone")
    caller.may(allow("sns:Publish", "arn:aws:sns:*:*:*"))
    call = {"PhoneNumber": "+12065550100", "Message": "m"}
    assert caller.call("sns", "Publish", call).sent == 0
    caller.may(allow("sns:Publish"))
    assert caller.call("sns", "Publish", call).sent > 0


def test_a_role_in_an_attribute_is_handed_over(counted):
    counted.aws.client("iam").create_role(RoleName="sender", AssumeRolePolicyDocument=trusting("sns.amazonaws.com"))
    role = ROLE.replace("app", "sender")
    wanted = ("iam:PassRole", role)
    attribute = {"AttributeName": "SubscriptionRoleArn", "AttributeValue": role}
    for name, given in (
        ("Subscribe", {"TopicArn": TOPIC, "Protocol": "firehose", "Attributes": {"SubscriptionRoleArn": role}}),
        ("SetSubscriptionAttributes", {"SubscriptionArn": SUBSCRIPTION, **attribute}),
        ("SetTopicAttributes", {"TopicArn": TOPIC, **attribute, "AttributeName": "SQSSuccessFeedbackRoleArn"}),
        ("SetSMSAttributes", {"attributes": {"DeliveryStatusIAMRole": role}}),
        ("SetPlatformApplicationAttributes",
         {"PlatformApplicationArn": ENDPOINT, "Attributes": {"SuccessFeedbackRoleArn": role}}),
    ):  # fmt: skip
        told = counted.call("sns", name, given)
        assert wanted in told.asked, name
        assert told.context("iam:PassRole")["iam:passedtoservice"] == "sns.amazonaws.com"
    caller = Caller.new(counted, "sns-no-roles")
    caller.may(allow("sns:*"))
    told = caller.call("sns", "SetSubscriptionAttributes", {"SubscriptionArn": SUBSCRIPTION, **attribute})
    assert (told.sent, told.code) == (0, "AuthorizationError")


MAKE = ("sns:CreateTopic", "CreateTopic")
SUBSCRIBE = ("sns:Subscribe", "Subscribe")
KEYS = [
    Key("sns:Protocol", "https", *SUBSCRIBE, {"TopicArn": TOPIC, "Protocol": "https"},
        {"TopicArn": TOPIC, "Protocol": "http"}),
    Key("sns:Endpoint", "https://example.com/in", *SUBSCRIBE,
        {"TopicArn": TOPIC, "Protocol": "https", "Endpoint": "https://example.com/in"},
        {"TopicArn": TOPIC, "Protocol": "https", "Endpoint": "https://example.org/in"}),
    Key("aws:RequestTag/team", "blue", *MAKE, {"Name": "news", "Tags": TAGS}, {"Name": "news"}),
    Key("aws:TagKeys", "team", "sns:UntagResource", "UntagResource", {"ResourceArn": TOPIC, "TagKeys": ["team"]},
        {"ResourceArn": TOPIC, "TagKeys": ["env"]}, "ForAnyValue:StringEquals"),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    name = f"sns-{key.name.rpartition(':')[2].replace('/', '-')}"
    check(Caller.new(counted, name), "sns", key)


# A topic's own policy, before the embedded backend.


@pytest.fixture
def topic(cloud):
    return cloud.client("sns").create_topic(Name="news")["TopicArn"]


def may(call, **parameters):
    """Whether SNS lets it."""
    try:
        call(**parameters)
    except call.__self__.exceptions.AuthorizationErrorException:
        return False
    return True


def set_policy(cloud, text):
    cloud.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=text)


def test_a_topics_policy_lets_in_and_keeps_out(cloud, topic):
    sender = cloud.client("sns", cloud.user("sender"))
    send = {"TopicArn": topic, "Message": "m"}
    assert not may(sender.publish, **send)
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/sender"}
    set_policy(cloud, policy(to(named, allow("sns:Publish", TOPIC))))
    assert may(sender.publish, **send)
    assert may(sender.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
    assert not may(sender.get_topic_attributes, TopicArn=topic)
    set_policy(cloud, policy(everybody(deny("sns:Publish", TOPIC))))
    assert not may(cloud.client("sns").publish, **send)


def test_a_topic_is_made_with_its_policy_and_takes_it_along(cloud):
    text = policy(everybody(allow("sns:Publish", TOPIC)))
    owner, sender = cloud.client("sns"), cloud.client("sns", cloud.user("sender"))
    owner.create_topic(Name="news", Attributes={"Policy": text})
    assert may(sender.publish, TopicArn=TOPIC, Message="m")
    owner.delete_topic(TopicArn=TOPIC)
    owner.create_topic(Name="news")
    assert not may(sender.publish, TopicArn=TOPIC, Message="m")


def test_a_permission_of_a_topic_is_added_under_its_label_and_removed_by_it(cloud, topic, other):
    owner, able = cloud.client("sns"), cloud.client("sns", user_of(cloud, other, "able", allow("sns:*")))
    plain = cloud.client("sns", user_of(cloud, other, "plain"))
    send = {"TopicArn": topic, "Message": "m"}
    assert not may(able.publish, **send)
    owner.add_permission(TopicArn=topic, Label="theirs", AWSAccountId=[OTHER], ActionName=["Publish"])
    assert (may(able.publish, **send), may(plain.publish, **send)) == (True, False)
    assert not may(able.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    with pytest.raises(owner.exceptions.InvalidParameterException):
        owner.add_permission(TopicArn=topic, Label="theirs", AWSAccountId=[OTHER], ActionName=["Publish"])
    owner.remove_permission(TopicArn=topic, Label="theirs")
    assert not may(able.publish, **send)


def test_a_policy_that_sns_does_not_take_is_refused_and_changes_nothing(cloud, topic):
    with pytest.raises(cloud.client("sns").exceptions.InvalidParameterException):
        set_policy(cloud, '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}')
    assert may(cloud.client("sns").publish, TopicArn=topic, Message="m")
