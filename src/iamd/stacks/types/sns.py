"""AWS::SNS::Topic, TopicPolicy and Subscription."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Items, Kind, Part, Tags, Work

# AWS: SNS API Reference, SetTopicAttributes: what an attribute is when it is not given.
_OF_TOPICS: Mapping[str, str] = {
    "ArchivePolicy": "{}",
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
# AWS: SNS API Reference, SetSubscriptionAttributes.
_OF_SUBSCRIPTIONS: Mapping[str, str] = {
    "DeliveryPolicy": "{}",
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "{}",
    "ReplayPolicy": "{}",
    "SubscriptionRoleArn": "",
}
# AWS: SNS Developer Guide, "Example cases for Amazon SNS access control": what a new topic's policy lets its owner do.
_OWNERS = (
    "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
    "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
)  # fmt: skip


async def _tag(work: Work, changed: Any) -> None:
    await work.call("sns", "TagResource", ResourceArn=work.id, Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("sns", "UntagResource", ResourceArn=work.id, TagKeys=keys)


async def _subscribe(work: Work, subscription: Any) -> None:
    await work.call("sns", "Subscribe", TopicArn=work.id, **subscription)


async def _unsubscribe(work: Work, subscription: Any) -> None:
    following: str | None = ""
    while following is not None:
        more = {"NextToken": following} if following else {}
        answer = await work.call("sns", "ListSubscriptionsByTopic", TopicArn=work.id, **more)
        for one in answer["Subscriptions"]:
            if all(one[name] == subscription[name] for name in ("Endpoint", "Protocol")):
                await work.call_unless_gone("sns", "Unsubscribe", SubscriptionArn=one["SubscriptionArn"])
        following = answer.get("NextToken")


class Topic(Kind):
    """A topic, with subscriptions of its own."""

    type = "AWS::SNS::Topic"
    properties = ("FifoTopic", "TopicName", *_OF_TOPICS)
    parts = (Items("Subscription", _subscribe, _unsubscribe, clears=False), Tags(_tag, _untag))
    attributes = ("TopicArn", "TopicName")

    async def make(self, work: Work) -> None:
        """Make the topic."""
        fifo = work["FifoTopic"] is not None and shaping.text(work["FifoTopic"]).lower() == "true"
        name = work.name("TopicName", 251 if fifo else 256)
        if fifo and work["TopicName"] is None:
            name += ".fifo"
        given = {name: shaping.text(value) for name, value in work.given(*_OF_TOPICS).items()}
        attributes = given | ({"FifoTopic": "true"} if fifo else {})
        answer = await work.call("sns", "CreateTopic", Name=name, Attributes=attributes, Tags=work.tags)
        work.made_as(answer["TopicArn"], TopicArn=answer["TopicArn"], TopicName=name)

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        for name, default in _OF_TOPICS.items():
            if work.changes(name):
                value = default if work[name] is None else shaping.text(work[name])
                await work.call("sns", "SetTopicAttributes", TopicArn=work.id, AttributeName=name, AttributeValue=value)

    async def remove(self, work: Work) -> None:
        """Delete the topic with its subscriptions."""
        await work.call("sns", "DeleteTopic", TopicArn=work.id)


class _OfTopics(Part):
    """One policy of several topics; a topic without one has that of a new topic."""

    properties = ("PolicyDocument", "Topics")
    clears = True

    async def apply(self, work: Work) -> None:
        """Set it on the topics that are to have it, then take it from those that are not."""
        old, new = work.before("Topics") or [], work.after("Topics") or []
        for topic in new:
            if topic not in old or work.changes("PolicyDocument"):
                await _set_policy(work, topic, work["PolicyDocument"])
        for topic in old:
            if topic not in new:
                await _set_policy(work, topic, _default_policy(topic))


async def _set_policy(work: Work, topic: str, policy: Any) -> None:
    named = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": shaping.text(policy)}
    if work.new is None:
        await work.call_unless_gone("sns", "SetTopicAttributes", **named)
    else:
        await work.call("sns", "SetTopicAttributes", **named)


def _default_policy(topic: str) -> dict[str, Any]:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(_OWNERS),
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class TopicPolicy(Kind):
    """The policy of several topics."""

    type = "AWS::SNS::TopicPolicy"
    parts = (_OfTopics(),)
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """There is nothing but the policy of each."""
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def remove(self, work: Work) -> None:
        """There was nothing but the policy of each."""


class Subscription(Kind):
    """A subscription to a topic."""

    type = "AWS::SNS::Subscription"
    properties = ("Endpoint", "Protocol", "TopicArn", *_OF_SUBSCRIPTIONS)
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Subscribe."""
        attributes = {name: shaping.text(value) for name, value in work.given(*_OF_SUBSCRIPTIONS).items()}
        given = work.given("Endpoint", "Protocol", "TopicArn")
        answer = await work.call("sns", "Subscribe", ReturnSubscriptionArn=True, Attributes=attributes, **given)
        work.made_as(answer["SubscriptionArn"], Arn=answer["SubscriptionArn"])

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        if work.changes("SubscriptionRoleArn") and work["SubscriptionRoleArn"] is None:
            raise InvalidProperties("iamd can't take the property SubscriptionRoleArn away again; set it anew.")
        for name, default in _OF_SUBSCRIPTIONS.items():
            if work.changes(name):
                value = default if work[name] is None else shaping.text(work[name])
                named = {"SubscriptionArn": work.id, "AttributeName": name, "AttributeValue": value}
                await work.call("sns", "SetSubscriptionAttributes", **named)

    async def remove(self, work: Work) -> None:
        """Unsubscribe."""
        await work.call("sns", "Unsubscribe", SubscriptionArn=work.id)
