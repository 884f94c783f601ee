"""Which actions IAM tracks: those whose last use a report tells, beside that of the service.

AWS: IAM User Guide, "IAM action last accessed information services and actions"; data events are not tracked, nor is
passing a role, which is no request. The page's list is not at hand: this is a rule that its recorded reports keep.
"""

from collections.abc import Mapping
from typing import Final

from iamd.data.service_reference import Action, ServiceReference

UNTRACKED: Final[Mapping[str, frozenset[str]]] = {
    "iam": frozenset({"PassRole"}),
    "s3": frozenset({"ListBucket", "ListBucketMultipartUploads", "ListBucketVersions"}),
    "sqs": frozenset({"ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage", "SendMessage"}),
    "sns": frozenset({"Publish"}),
    "lambda": frozenset({"InvokeAsync", "InvokeFunction", "InvokeFunctionUrl"}),
    "logs": frozenset({"FilterLogEvents", "GetLogEvents", "PutLogEvents", "StartLiveTail"}),
    "cloudwatch": frozenset({"GetMetricData", "GetMetricStatistics", "PutMetricData"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "kinesis": frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"}),
    "dynamodb": frozenset(
        {
            "BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "GetRecords",
            "GetShardIterator", "PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate", "PutItem", "Query",
            "Scan", "UpdateItem",
        }
    ),
}  # fmt: skip
"""By service, the actions of data events, and those that are no request."""

READS_UNTRACKED: Final = frozenset({"ec2"})
"""Services of which only what changes something is tracked."""


def is_tracked(reference: ServiceReference, action: str) -> bool:
    """Whether the last use of a service's action is told."""
    if action in UNTRACKED.get(reference.prefix, ()):
        return False
    found = reference.action(action)
    return found is not None and not _is_of_object(reference, found) and not _is_untracked_read(reference, found)


def _is_of_object(reference: ServiceReference, action: Action) -> bool:
    return reference.prefix == "s3" and any(resource.name == "object" for resource in action.resources)


def _is_untracked_read(reference: ServiceReference, action: Action) -> bool:
    return reference.prefix in READS_UNTRACKED and action.access_level in {"List", "Read"}
