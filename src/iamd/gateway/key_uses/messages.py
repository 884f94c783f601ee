"""The keys that SQS and SNS use for those who send and receive: those of encrypted queues and topics.

AWS: SQS Developer Guide, sqs-key-management; SNS Developer Guide, sns-key-management; both give the encryption context.
SQS Developer Guide, "Configuring queue permissions for dead-letter queue redrive".
"""

from functools import partial
from typing import Any, Final

from iamd import arn as arns
from iamd.delivery import queue_url
from iamd.gateway.actions.asked import at
from iamd.gateway.key_uses import backlog, former
from iamd.gateway.key_uses.set_keys import key_of, told, use_of
from iamd.gateway.key_uses.use import DECRYPT, GENERATE, Use, Work


async def of_queue(work: Work) -> list[Use]:
    """What SQS asks of KMS: sending generates and decrypts a data key, receiving decrypts it,
    and whatever else it was that messages in the queue are encrypted by.
    """
    arn = work.step.targets[0].arn
    if work.name in _READING:
        key = await key_of(arn, work, partial(_told_of_queue, arn, work))
        found = await backlog.of_queue(arn, key, work)
        return found + [use for queue in _destinations(arn, work) for use in await _of_sending(queue, work)]
    return await _of_sending(arn, work)


_READING: Final = frozenset({"CancelMessageMoveTask", "ReceiveMessage", "StartMessageMoveTask"})


def _destinations(arn: str, work: Work) -> list[str]:
    """Where messages of a dead-letter queue are moved to: without a name, to the queues that they came from."""
    if work.name != "StartMessageMoveTask":
        return []
    named = work.given.get("DestinationArn")
    return [named] if named else list(work.facts.known(former.dead_letters_of(arn)))


async def _of_sending(arn: str, work: Work) -> list[Use]:
    key = await key_of(arn, work, partial(_told_of_queue, arn, work))
    return [use_of(action, key, {"aws:sqs:arn": arn}, arn, work) for action in (GENERATE, DECRYPT)] if key else []


async def of_topic(work: Work) -> list[Use]:
    """What SNS asks of KMS for who publishes."""
    arn = work.step.targets[0].arn
    if ":sns:" not in arn or arn.count(":") != 5:
        # A message to a telephone or an application has no topic.
        return []
    key = await key_of(arn, work, partial(_told_of_topic, arn, work))
    return [use_of(action, key, {"aws:sns:topicArn": arn}, arn, work) for action in (GENERATE, DECRYPT)] if key else []


async def _told_of_queue(arn: str, work: Work) -> str:
    named = arns.parse(arn)
    url = work.given.get("QueueUrl") or (queue_url(named) if named is not None else arn)
    asked = {"QueueUrl": url, "AttributeNames": ["KmsMasterKeyId"]}
    return _key_in(await told("GetQueueAttributes", asked, arn, work))


async def _told_of_topic(arn: str, work: Work) -> str:
    return _key_in(await told("GetTopicAttributes", {"TopicArn": arn}, arn, work))


def _key_in(told: Any) -> str:
    return str(at(told or {}, "Attributes.KmsMasterKeyId") or "")
