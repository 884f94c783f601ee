"""How large a request body may be before it is refused, by service: what AWS publishes, in the form it has on the wire.

Where AWS's figure is about decoded data, base64's four thirds are added; where it is about text in JSON or a form,
room for escapes is.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

LARGEST_OBJECT: Final = 5 * GIB
"""One PutObject or UploadPart (S3 User Guide, "Amazon S3 multipart upload limits")."""

_OTHERS: Final = 6 * MIB
_LARGEST: Final = {
    # BatchWriteItem: 16 MB (DynamoDB API Reference).
    "dynamodb": 16 * MIB,
    # UploadLayerPart: 20 MiB (ECR User Guide, "Amazon ECR service quotas"), base64.
    "ecr": 28 * MIB,
    # PutEvents: 1 MB (EventBridge User Guide, "Calculating PutEvents event entry size"), escaped.
    "events": 2 * MIB,
    # PutRecordBatch: 4 MiB (Firehose Developer Guide, "Amazon Data Firehose quota"), base64.
    "firehose": 6 * MIB,
    # PutRecords: 10 MiB (Kinesis Data Streams API Reference), base64.
    "kinesis": 14 * MIB,
    # Keys are data of at most 4,096 bytes (KMS Developer Guide, "Request quotas").
    "kms": MIB,
    # CreateFunction: 50 MB zipped, base64 (Lambda Developer Guide, "Lambda quotas").
    "lambda": 70_167_211,
    # PutLogEvents: 1,048,576 bytes (CloudWatch Logs API Reference), escaped.
    "logs": 3 * MIB,
    # DeleteObjects names a thousand keys of 1,024 bytes, escaped; CompleteMultipartUpload ten thousand parts.
    "s3": 8 * MIB,
    # A secret has at most 65,536 bytes (Secrets Manager User Guide, "Secrets Manager quotas").
    "secretsmanager": MIB,
    # SendRawEmail: 40 MB by the v2 API (SES Developer Guide, "Service quotas"), base64.
    "ses": 54 * MIB,
    "sesv2": 54 * MIB,
    # PublishBatch: 262,144 bytes in all (SNS API Reference), percent-encoded.
    "sns": MIB,
    # SendMessageBatch: 1 MiB in all (SQS Developer Guide, "Amazon SQS message quotas"), percent-encoded.
    "sqs": 3 * MIB,
}


def largest_body(service: str) -> int:
    """Give the largest body, in bytes, that is read whole for this service (botocore's name)."""
    return _LARGEST.get(service, _OTHERS)
