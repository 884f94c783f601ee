"""Where AWS speaks otherwise than botocore's models say: one table for each kind, each entry with its reason."""

from collections.abc import Mapping
from typing import Final

import msgspec

from iamd.wire.shapes import RawShape

# The model of SQS is JSON's alone since 2023. Query answers bear the API version's namespace, and Query's lists and
# maps their old names (Amazon SQS API Reference, "Making Query API requests" and each action's example).
NAMESPACES: Final[Mapping[str, str]] = {"sqs": "http://queue.amazonaws.com/doc/2012-11-05/"}
QUERY_NAMES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "sqs": {
        "AWSAccountIdList": {"member": "AWSAccountId"},
        "ActionNameList": {"member": "ActionName"},
        "AttributeNameList": {"member": "AttributeName"},
        "BatchResultErrorEntryList": {"member": "BatchResultErrorEntry"},
        "BinaryList": {"member": "BinaryListValue"},
        "ChangeMessageVisibilityBatchRequestEntryList": {"member": "ChangeMessageVisibilityBatchRequestEntry"},
        "ChangeMessageVisibilityBatchResultEntryList": {"member": "ChangeMessageVisibilityBatchResultEntry"},
        "DeleteMessageBatchRequestEntryList": {"member": "DeleteMessageBatchRequestEntry"},
        "DeleteMessageBatchResultEntryList": {"member": "DeleteMessageBatchResultEntry"},
        "MessageAttributeNameList": {"member": "MessageAttributeName"},
        "MessageBodyAttributeMap": {"key": "Name", "value": "Value"},
        "MessageBodySystemAttributeMap": {"key": "Name", "value": "Value"},
        "MessageList": {"member": "Message"},
        "MessageSystemAttributeList": {"member": "MessageSystemAttributeName"},
        "MessageSystemAttributeMap": {"key": "Name", "value": "Value"},
        "QueueAttributeMap": {"key": "Name", "value": "Value"},
        "QueueUrlList": {"member": "QueueUrl"},
        "SendMessageBatchRequestEntryList": {"member": "SendMessageBatchRequestEntry"},
        "SendMessageBatchResultEntryList": {"member": "SendMessageBatchResultEntry"},
        "StringList": {"member": "StringListValue"},
        "TagKeyList": {"member": "TagKey"},
        "TagMap": {"key": "Key", "value": "Value"},
    },
}
# Names of the uses of flattened maps, which stand in no list's name.
QUERY_MEMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "sqs": {
        "Attributes": "Attribute",
        "MessageAttributes": "MessageAttribute",
        "MessageSystemAttributes": "MessageSystemAttribute",
        "Tags": "Tag",
        "tags": "Tag",
    },
}
# IAM API Reference, InlinePolicyIdentifierType: AttachmentName takes wildcards, which its pattern leaves out.
PATTERNS: Final[Mapping[str, Mapping[str, str]]] = {"iam": {"AttachmentName": "[\\w+=,.@*?-]+"}}


def corrected(service: str, raw: Mapping[str, RawShape]) -> Mapping[str, RawShape]:
    """Give the shapes with the patterns that hold."""
    patterns = PATTERNS.get(service)
    if patterns is None:
        return raw
    changed = {name: msgspec.structs.replace(raw[name], pattern=pattern) for name, pattern in patterns.items()}
    return {**raw, **changed}


def for_query(service: str, raw: Mapping[str, RawShape]) -> Mapping[str, RawShape]:
    """Give the shapes with the names that the service's Query protocol has for them."""
    parts, members = QUERY_NAMES.get(service), QUERY_MEMBERS.get(service, {})
    if parts is None:
        return raw
    return {name: _renamed(shape, parts.get(name, {}), members) for name, shape in raw.items()}


def _renamed(shape: RawShape, parts: Mapping[str, str], members: Mapping[str, str]) -> RawShape:
    uses = {
        name: msgspec.structs.replace(use, location_name=members.get(name, use.location_name))
        for name, use in shape.members.items()
    }
    changed = {part: msgspec.structs.replace(getattr(shape, part), location_name=word) for part, word in parts.items()}
    return msgspec.structs.replace(shape, members=uses, **changed)
