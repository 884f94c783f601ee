"""Which attributes topics are given: moto sets what a request names, its ARN and account among it.

AWS: SNS API Reference, CreateTopic and SetTopicAttributes; SNS Developer Guide, "Amazon SNS message archiving and
replay" and "Message data protection". The words for a topic that is there are those that SNS is seen to answer
(localstack, tests/aws/services/sns).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from moto.core.utils import camelcase_to_underscores
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend
from moto.sns.responses import SNSResponse
from moto.sns.utils import make_arn_for_topic

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
    replace(SNSBackend, "create_topic", _same)


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


def _same(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to make a topic anew with other attributes or tags than it has, which moto would pass over."""

    def create_topic(
        backend: Any, name: str, attributes: dict[str, Any] | None = None, tags: dict[str, str] | None = None
    ) -> Any:
        there = backend.topics.get(make_arn_for_topic(backend.account_id, name, backend.region_name))
        if there is not None:
            for attribute, value in (attributes or {}).items():
                if _plain(getattr(there, camelcase_to_underscores(attribute), "")) != _plain(value):
                    raise _exists("Attributes")
            if tags and tags != there._tags:  # noqa: SLF001 - moto has no other way
                raise _exists("Tags")
        return original(backend, name, attributes, tags)

    return create_topic


def _exists(what: str) -> SNSInvalidParameter:
    return SNSInvalidParameter(f"Invalid parameter: {what} Reason: Topic already exists with different {what.lower()}")


def _plain(value: Any) -> Any:
    """An attribute's value, however it was written."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


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
