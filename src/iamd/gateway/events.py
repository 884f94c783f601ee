"""What a forwarded request's event says: data or management, the backend's error, parameters without secrets."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from iamd.gateway.answer import Answer
from iamd.services.cloudtrail.shown import HIDDEN, AsWritten
from iamd.wire.models import Operation, Protocol, service
from iamd.wire.shapes import Member, Shape

# AWS: CloudTrail User Guide, "Logging data events", names what is a data event of each service; the operations are
# those of the services' own pages on CloudTrail.
_DATA: Final[Mapping[str, frozenset[str]]] = {
    "s3": frozenset(
        {
            "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
            "DeleteObjectTagging", "DeleteObjects", "GetObject", "GetObjectAcl", "GetObjectAttributes",
            "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "HeadObject",
            "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts", "HeadBucket",
            "PutObject", "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging",
            "RestoreObject", "SelectObjectContent", "UploadPart", "UploadPartCopy", "DeleteObjectAnnotation",
            "GetObjectAnnotation", "ListObjectAnnotations", "PutObjectAnnotation", "RenameObject",
        }
    ),
    "sqs": frozenset(
        {
            "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch",
            "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "ListQueues",
            "ReceiveMessage", "SendMessage", "SendMessageBatch",
        }
    ),
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem", "ExecuteStatement",
            "ExecuteTransaction", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems", "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "cognito-identity": frozenset(
        {
            "GetCredentialsForIdentity", "GetId", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity",
            "UnlinkIdentity",
        }
    ),
    "dynamodbstreams": frozenset({"GetRecords", "GetShardIterator"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "logs": frozenset({"FilterLogEvents", "GetLogEvents", "PutLogEvents", "StartLiveTail"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "kinesis": frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "cloudwatch": frozenset({"PutMetricData", "GetMetricData", "GetMetricStatistics"}),
}  # fmt: skip
# What requests carry rather than say: never in an event, whatever the model thinks of it.
_CONTENT: Final = frozenset(
    {
        "MessageBody", "Message", "Item", "Entries", "ExpressionAttributeValues", "AttributeUpdates", "Payload",
        "logEvents", "RequestItems", "TransactItems", "Parameters", "Data", "Records", "PublishBatchRequestEntries",
        "TemplateBody", "Body", "Environment", "MessageAttributes", "MessageSystemAttributes", "Subject", "AuthToken",
        "UserData", "Expected", "KeyConditions", "QueryFilter", "ScanFilter", "Input", "environment",
        "PlatformCredential", "ClientMetadata", "ConfirmationCode", "DeviceSecretVerifierConfig",
    }
)  # fmt: skip
# Members that are secrets of this operation alone.
_SECRETS: Final[Mapping[tuple[str, str], str]] = {
    ("apigateway", "CreateApiKey"): "value",
    ("cognito-idp", "CompleteWebAuthnRegistration"): "Credential",
}
# AWS: "Non key attribute values will be redacted in the CloudTrail logs of actions using the PartiQL API" (DynamoDB
# Developer Guide, "Understanding DynamoDB log file entries"). Which values are keys a statement does not say.
_STATEMENTS: Final = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_LITERAL: Final = re.compile(r"(\"[^\"]*\")|'(?:[^']|'')*(?:'|\Z)|(?<![\w.])[0-9][0-9.eE+-]*", re.ASCII)
_REDACTED: Final = "'***(Redacted)'"
_SCALARS: Final = frozenset({str, int, bool, float})
_READS: Final = ("Get", "List", "Describe", "Lookup", "Head", "Search", "Query", "Scan", "BatchGet", "Select")
_XML_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9._:-]{1,128})</Code>")
_XML_MESSAGE: Final = re.compile(rb"<Message>([^<]{0,1024})</Message>")


def is_management(operation: Operation) -> bool:
    """Tell whether CloudTrail calls this a management event."""
    return operation.name not in _DATA.get(operation.service, ())


def is_read_only(operation: Operation) -> bool:
    """Tell whether the operation changes nothing, by its name, but for those that CloudTrail's records say change."""
    # AWS: Cognito Developer Guide, "Example Amazon Cognito events".
    return operation.name.startswith(_READS) and operation.name not in _DATA["cognito-identity"]


def source(operation: Operation) -> str:
    """The service as events name it, which is as signatures do (CloudTrail User Guide, `eventSource`)."""
    return f"{service(operation.service).signing_name}.amazonaws.com"


def shown(operation: Operation, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters without what the model calls sensitive, and without the content that requests carry."""
    if operation.input is None:
        return parameters
    masked = _structure(parameters, operation.input)
    secret = _SECRETS.get((operation.service, operation.name))
    if secret is not None and secret in masked:
        masked = {**masked, secret: HIDDEN}
    return _without_literals(masked) if operation.name in _STATEMENTS else masked


def _structure(value: Mapping[str, Any], shape: Shape) -> Mapping[str, Any]:
    if _open(shape).issuperset(value) and _SCALARS.issuperset(map(type, value.values())):
        return value
    return _partly_hidden(value, _hidden(shape), shape.members)


def _partly_hidden(
    value: Mapping[str, Any], hidden: frozenset[str], members: Mapping[str, Member]
) -> Mapping[str, Any]:
    return {
        name: HIDDEN if name in hidden else item if type(item) in _SCALARS else _masked(item, members[name])
        for name, item in value.items()
        if name in members
    }


@cache
def _open(shape: Shape) -> frozenset[str]:
    """The members of a structure that are shown."""
    return frozenset(shape.members) - _hidden(shape)


@cache
def _hidden(shape: Shape) -> frozenset[str]:
    """The members of a structure that are hidden whole."""
    return frozenset(name for name, member in shape.members.items() if name in _CONTENT or _is_secret(member.shape))


def _is_secret(shape: Shape) -> bool:
    """Whether the model calls it sensitive; the id of a user pool's client, which it does, stands in AWS's records.

    AWS: Cognito Developer Guide, "Example Amazon Cognito events": `client_id`.
    """
    return shape.sensitive and shape.name != "ClientIdType"


def _without_literals(value: Any, name: str = "") -> Any:
    """PartiQL statements without the values that stand in them."""
    if isinstance(value, Mapping):
        found = {key: _without_literals(item, key) for key, item in value.items()}
        return AsWritten(found) if isinstance(value, AsWritten) else found
    if isinstance(value, list):
        return [_without_literals(item, name) for item in value]
    if name == "Statement" and isinstance(value, str):
        return _LITERAL.sub(lambda match: match[1] or _REDACTED, value)
    return value


def _masked(value: Any, member: Member) -> Any:
    shape = member.shape
    if _is_secret(shape):
        return HIDDEN
    if shape.type == "structure" and isinstance(value, Mapping):
        return _structure(value, shape)
    if shape.type == "list" and isinstance(value, list):
        return [_masked(item, shape.element) for item in value]
    if shape.type == "map" and isinstance(value, Mapping):
        return AsWritten(
            {key: HIDDEN if key in _CONTENT else _masked(item, shape.value) for key, item in value.items()}
        )
    return value


def error_of(answer: Answer, protocol: Protocol) -> tuple[str | None, str | None]:
    """The code and words of the backend's error, as far as they can be read."""
    body = answer.whole or b""
    header = next((value.decode("latin-1") for name, value in answer.headers if name == b"x-amzn-errortype"), "")
    if protocol in {Protocol.QUERY, Protocol.EC2, Protocol.REST_XML}:
        code, message = _XML_CODE.search(body), _XML_MESSAGE.search(body)
        return (
            code[1].decode() if code else str(answer.status),
            message[1].decode("utf-8", "replace") if message else None,
        )
    return _json_error(body, header, answer.status)


def _json_error(body: bytes, header: str, status: int) -> tuple[str, str | None]:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        told = {}
    told = told if isinstance(told, dict) else {}
    code = header.partition(":")[0] or str(told.get("__type") or told.get("code") or status)
    message = told.get("message") or told.get("Message")
    return code.rpartition("#")[2], message if isinstance(message, str) else None
