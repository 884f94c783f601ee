"""Which attributes queues are given: moto sets what a request names, the queue's ARN and account among it.

AWS: SQS API Reference, CreateQueue and SetQueueAttributes.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.sqs.exceptions import InvalidAttributeName
from moto.sqs.responses import SQSResponse

from iamd.backend.replacement import replace

_KNOWN: Final = frozenset(
    {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "Policy",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    }
)


def install() -> None:
    """Take the attributes that there are."""
    for name in ("create_queue", "set_queue_attributes"):
        replace(SQSResponse, name, _checked)


def _checked(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def change(response: Any) -> Any:
        given = response._get_param("Attributes", {})  # noqa: SLF001 - moto's responses have no other way
        if unknown := sorted(given.keys() - _KNOWN):
            raise InvalidAttributeName(unknown[0])
        return original(response)

    return change
