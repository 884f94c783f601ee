"""Which operations' services use KMS keys for the caller, before the backend is asked or when it has answered."""

from typing import Final

from iamd.wire.models import Operation

BEFORE: Final = frozenset(
    (service, name)
    for service, names in {
        "s3": (
            "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "GetObjectAttributes", "ListParts",
            "PutObject", "SelectObjectContent", "UploadPart", "UploadPartCopy",
        ),
        "dynamodb": (
            "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "CreateTable", "DeleteItem", "ExecuteStatement",
            "ExecuteTransaction", "ExportTableToPointInTime", "GetItem", "ImportTable", "PutItem", "Query",
            "RestoreTableFromBackup", "RestoreTableToPointInTime", "Scan", "TransactGetItems", "TransactWriteItems",
            "UpdateItem", "UpdateTable",
        ),
        "dynamodbstreams": ("GetRecords",),
        "ec2": ("AttachVolume", "CopyImage", "CopySnapshot", "CreateVolume", "RunInstances"),
        "efs": ("CreateFileSystem", "CreateReplicationConfiguration"),
        "firehose": ("CreateDeliveryStream", "StartDeliveryStreamEncryption"),
        "kinesis": ("GetRecords", "PutRecord", "PutRecords", "SubscribeToShard"),
        "lambda": (
            "CreateEventSourceMapping", "CreateFunction", "PublishLayerVersion", "UpdateEventSourceMapping",
            "UpdateFunctionCode", "UpdateFunctionConfiguration",
        ),
        "logs": ("AssociateKmsKey", "CreateLogGroup"),
        "rds": (
            "CopyDBClusterSnapshot", "CopyDBSnapshot", "CreateCustomDBEngineVersion", "CreateDBCluster",
            "CreateDBInstance", "CreateDBInstanceReadReplica", "CreateIntegration", "CreateTenantDatabase",
            "ModifyDBCluster", "ModifyDBInstance", "ModifyTenantDatabase", "RestoreDBClusterFromS3",
            "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime",
            "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceFromS3", "RestoreDBInstanceToPointInTime",
            "StartActivityStream", "StartDBInstanceAutomatedBackupsReplication", "StartExportTask",
        ),
        "secretsmanager": ("CreateSecret", "PutSecretValue", "ReplicateSecretToRegions", "UpdateSecret"),
        "sns": ("Publish", "PublishBatch"),
        "sqs": (
            "CancelMessageMoveTask", "ReceiveMessage", "SendMessage", "SendMessageBatch", "StartMessageMoveTask",
        ),
        "ssm": ("PutParameter",),
    }.items()
    for name in names
)  # fmt: skip
"""What is encrypted, and what is read where the answer does not tell how it is encrypted."""
AFTER: Final = frozenset(
    (service, name)
    for service, names in {
        "dynamodb": ("CreateBackup", "ImportTable", "RestoreTableFromBackup", "RestoreTableToPointInTime"),
        "lambda": (
            "CreateFunction", "GetFunction", "GetFunctionConfiguration", "ListFunctions", "ListVersionsByFunction",
            "PublishVersion", "UpdateFunctionCode", "UpdateFunctionConfiguration",
        ),
        "s3": ("CreateMultipartUpload", "GetObject", "HeadObject"),
        "secretsmanager": (
            "BatchGetSecretValue", "CreateSecret", "GetSecretValue", "PutSecretValue", "ReplicateSecretToRegions",
            "UpdateSecret",
        ),
        "ssm": ("GetParameter", "GetParameterHistory", "GetParameters", "GetParametersByPath", "PutParameter"),
    }.items()
    for name in names
)  # fmt: skip
"""What is read where the answer tells how it is encrypted, and what is to be remembered of an answer."""


def uses(operation: Operation) -> bool:
    """Whether the service of an operation may use a key before the backend is asked."""
    return (operation.service, operation.name) in BEFORE


def shows(operation: Operation) -> bool:
    """Whether the answer to an operation tells of a key that was used."""
    return (operation.service, operation.name) in AFTER


def shows_by_headers(operation: Operation) -> bool:
    """Whether the headers of the answer alone tell of it, so that there was none where they say nothing of a key."""
    return (operation.service, operation.name) == ("s3", "GetObject")
