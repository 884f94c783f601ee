"""AWS::SQS::Queue and QueuePolicy."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Part, Tags, Work

# AWS: SQS API Reference, SetQueueAttributes: what an attribute is when it is not given; None where that has changed
# over the years, so that nobody can tell.
_DEFAULTS: Mapping[str, str | None] = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": None,
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": None,
    "VisibilityTimeout": "30",
}


async def _tag(work: Work, changed: Any) -> None:
    await work.call("sqs", "TagQueue", QueueUrl=work.id, Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("sqs", "UntagQueue", QueueUrl=work.id, TagKeys=keys)


class Queue(Kind):
    """A queue."""

    type = "AWS::SQS::Queue"
    properties = ("FifoQueue", "QueueName", *_DEFAULTS)
    parts = (Tags(_tag, _untag),)
    attributes = ("Arn", "QueueName", "QueueUrl")

    async def make(self, work: Work) -> None:
        """Make the queue."""
        fifo = work["FifoQueue"] is not None and shaping.text(work["FifoQueue"]).lower() == "true"
        name = work.name("QueueName", 75 if fifo else 80)
        if fifo and work["QueueName"] is None:
            name += ".fifo"
        # AWS: CreateQueue: FifoQueue is true or not there.
        given = {name: shaping.text(value) for name, value in work.given(*_DEFAULTS).items()}
        attributes = given | ({"FifoQueue": "true"} if fifo else {})
        answer = await work.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes, tags=work.tags)
        url = answer["QueueUrl"]
        work.made_as(url, Arn=work.arn("sqs", name), QueueName=name, QueueUrl=url)

    async def change(self, work: Work) -> None:
        """Set what has changed; what is there no more is what it is by default."""
        changed = {name: work[name] for name in _DEFAULTS if work.changes(name)}
        for name, value in changed.items():
            if value is None and _DEFAULTS[name] is None:
                raise InvalidProperties(f"iamd can't take the property {name} away again; set it anew.")
        if changed:
            attributes = {name: _DEFAULTS[name] if one is None else shaping.text(one) for name, one in changed.items()}
            await work.call("sqs", "SetQueueAttributes", QueueUrl=work.id, Attributes=attributes)

    async def remove(self, work: Work) -> None:
        """Delete the queue."""
        await work.call("sqs", "DeleteQueue", QueueUrl=work.id)


class _OfQueues(Part):
    """One policy of several queues."""

    properties = ("PolicyDocument", "Queues")
    clears = True

    async def apply(self, work: Work) -> None:
        """Set it on the queues that are to have it, then take it from those that are not."""
        old, new = work.before("Queues") or [], work.after("Queues") or []
        for url in new:
            if url not in old or work.changes("PolicyDocument"):
                policy = {"Policy": shaping.text(work["PolicyDocument"])}
                await work.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=policy)
        for url in old:
            if url not in new:
                await work.call_unless_gone("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})


class QueuePolicy(Kind):
    """The policy of several queues."""

    type = "AWS::SQS::QueuePolicy"
    parts = (_OfQueues(),)
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """There is nothing but the policy of each."""
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def remove(self, work: Work) -> None:
        """There was nothing but the policy of each."""
