"""Which attributes topics are given: moto sets what a request names, its ARN and account among it.

AWS: SNS API Reference, CreateTopic and SetTopicAttributes; SNS Developer Guide, "Amazon SNS message archiving and
replay" and "Message data protection".
"""

from collections.abc import Callable
from typing import Any, Final

from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.responses import SNSResponse

from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_RECEIVERS: Final = ("Application", "Firehose", "HTTP", "Lambda", "SQS")
_FEEDBACK: Final = ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
_ARCHIVE: Final = "ArchivePolicy"
_SET: Final = frozenset(
    {
        _ARCHIVE,
        "ContentBasedDeduplication",
        "DeliveryPolicy",
        "DisplayName",
        "FifoThroughputScope",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "Policy",
        "SignatureVersion",
        "TracingConfig",
        *(f"{receiver}{feedback}" for receiver in _RECEIVERS for feedback in _FEEDBACK),
    }
)
_MADE_WITH: Final = _SET | {"FifoTopic"}
_NO_ARCHIVE: Final = frozenset({"", "{}"})
_DATA: Final = "DataProtectionPolicy"


def install() -> None:
    """Take the attributes that there are, and none that would protect a topic's messages but for moto."""
    replace(SNSResponse, "create_topic", _made)
    replace(SNSResponse, "set_topic_attributes", _set)


def _made(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def create_topic(response: Any) -> Any:
        given = response._get_param("Attributes", {})  # noqa: SLF001 - moto's responses have no other way
        if unknown := sorted(given.keys() - _MADE_WITH):
            raise SNSInvalidParameter(f"Invalid parameter: Attributes Reason: Unknown attribute {unknown[0]}")
        _check_archive(given.get(_ARCHIVE, ""))
        if response._get_param(_DATA):  # noqa: SLF001
            raise Refused(NOT_TAKEN, f"{_DATA} of CreateTopic")
        return original(response)

    return create_topic


def _set(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def set_topic_attributes(response: Any) -> Any:
        name = response._get_param("AttributeName")  # noqa: SLF001
        if name not in _SET:
            raise SNSInvalidParameter("Invalid parameter: AttributeName")
        if name == _ARCHIVE:
            _check_archive(response._get_param("AttributeValue") or "")  # noqa: SLF001
        return original(response)

    return set_topic_attributes


def _check_archive(policy: str) -> None:
    """Refuse to archive: moto would keep no message, and delete a topic that AWS does not delete while it does."""
    if policy not in _NO_ARCHIVE:
        raise Refused(NOT_TAKEN, f"the topic attribute {_ARCHIVE}")
