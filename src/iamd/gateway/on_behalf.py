"""What services ask of others with their callers' permissions, beside what a request itself is decided on.

What the embedded backend's services go on to do for a caller is decided request by request, when it is done
(`backend/acts.py`); behind other backends nothing is seen of it, so that it is decided with the request.

AWS: IAM User Guide, "Forward access sessions" (access_forward_access_sessions); Athena User Guide, s3-permissions, and
API Reference, GetQueryResults; DynamoDB Developer Guide, S3DataExport_Requesting and S3DataImport.Requesting; Amazon
RDS User Guide, "Permissions required for Secrets Manager integration" (rds-secrets-manager).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from iamd import query_results
from iamd.authz.authorize import Denied
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at, untold
from iamd.wire.models import Operation

_CARRIED: Final = frozenset(
    {("athena", "StartQueryExecution"), ("dynamodb", "ExportTableToPointInTime"), ("dynamodb", "ImportTable")}
)
"""Operations whose services go on with the caller's permissions after they have answered."""
_OF_PASSWORDS: Final = (
    "CreateDBCluster", "CreateDBInstance", "CreateTenantDatabase", "ModifyDBCluster", "ModifyDBInstance",
    "ModifyTenantDatabase", "RestoreDBClusterFromS3", "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceFromS3",
    "RestoreDBInstanceToPointInTime",
)  # fmt: skip
"""RDS's operations that can have Secrets Manager keep a password."""


class NoOutput(AWSError):
    """Athena can't see the bucket that results are to go to, or is told of none."""

    code = "InvalidRequestException"


def asks(operation: Operation) -> bool:
    """Whether the service of an operation asks others for something with the caller's permissions."""
    return (operation.service, operation.name) in _ASKED


def carries_on(operation: Operation) -> bool:
    """Whether the service of an operation goes on with the caller's permissions after it has answered."""
    return (operation.service, operation.name) in _CARRIED


def targets(asked: Asked, *, is_embedded: bool) -> list[Target]:
    """What is asked for with the caller's permissions, and decided with the request."""
    return list(_ASKED[asked.operation.service, asked.operation.name](asked, is_embedded))


def refusal(asked: Asked, _: Denied) -> AWSError | None:
    """The service's own error; None where it has none."""
    if asked.operation.name != "StartQueryExecution":
        return None
    bucket, _key = _output(asked) or ("", "")
    return NoOutput(f"Unable to verify/create output bucket {bucket}")


def _output(asked: Asked) -> tuple[str, str] | None:
    """The bucket that the results of a query go to, and where in it."""
    group = at(asked.told.get("GetWorkGroup") or {}, "WorkGroup.Configuration") or {}
    if query_results.is_managed(group):
        return None
    location = query_results.settings(asked.parameters.get("ResultConfiguration") or {}, group).get("OutputLocation")
    output = query_results.place(location) if location else None
    if location and output is None:
        # SECURITY: a backend may take for a bucket what iamd could not decide on.
        raise NoOutput("outputLocation is not a valid S3 path.")
    return output


def _start_query(asked: Asked, is_embedded: bool) -> Iterator[Target]:
    output = _output(asked)
    if output is None:
        return
    bucket, prefix = output
    yield Target(arn=_bucket(bucket, asked), action="s3:GetBucketLocation")
    if not is_embedded:
        yield Target(arn=_within(bucket, _folder(prefix), asked), action="s3:PutObject", any_of_kind=True)


def _query_results(asked: Asked, _is_embedded: bool) -> Iterator[Target]:
    query = (asked.told.get("GetQueryExecution") or {}).get("QueryExecution") or {}
    location = at(query, "ResultConfiguration.OutputLocation")
    if not location:
        return
    output = query_results.place(location)
    if output is None:
        raise untold(asked.parameters["QueryExecutionId"])
    yield Target(arn=_object(*output, asked), action="s3:GetObject")


def _export(asked: Asked, is_embedded: bool) -> Iterator[Target]:
    if is_embedded:
        return
    given = asked.parameters
    written = _within(given["S3Bucket"], f"{_folder(given.get('S3Prefix') or '')}AWSDynamoDB/", asked)
    for action in ("s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"):
        yield Target(arn=written, action=action, any_of_kind=True)


def _import(asked: Asked, is_embedded: bool) -> Iterator[Target]:
    if is_embedded:
        return
    source = asked.parameters["S3BucketSource"]
    bucket, prefix = source["S3Bucket"], source.get("S3KeyPrefix") or ""
    context = {"s3:prefix": prefix} if prefix else {}
    yield Target(arn=_bucket(bucket, asked), action="s3:ListBucket", context=context)
    yield Target(arn=_within(bucket, prefix, asked), action="s3:GetObject", any_of_kind=True)


def _pipeline(asked: Asked, _is_embedded: bool) -> Iterator[Target]:
    place: Mapping[str, Any] = asked.parameters.get("PipelineDefinitionS3Location") or {}
    if place:
        definition = _object(place["Bucket"], place["ObjectKey"], asked)
        # AWS does not say with whose permissions it is read; and moto reads the newest version, whatever is asked.
        yield Target(arn=definition, action="s3:GetObject")
        if place.get("VersionId"):
            yield Target(arn=definition, action="s3:GetObjectVersion")


def _master_password(asked: Asked, _is_embedded: bool) -> Iterator[Target]:
    """What RDS asks of Secrets Manager to keep a password there; the key is one that it uses for its caller."""
    given = asked.parameters
    secrets = f"arn:{asked.partition}:secretsmanager:{asked.region}:{asked.account}:secret:rds!*"
    if given.get("ManageMasterUserPassword"):
        yield Target(arn=secrets, action="secretsmanager:CreateSecret", makes=True)
        yield Target(arn=secrets, action="secretsmanager:TagResource", makes=True)
    if given.get("RotateMasterUserPassword"):
        yield Target(arn=secrets, action="secretsmanager:RotateSecret", any_of_kind=True)


def _folder(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/" if prefix else ""


def _bucket(name: str, asked: Asked) -> str:
    return f"arn:{asked.partition}:s3:::{name}"


def _object(bucket: str, key: str, asked: Asked) -> str:
    return f"{_bucket(bucket, asked)}/{key}"


def _within(bucket: str, prefix: str, asked: Asked) -> str:
    """Any object whose key begins like this."""
    return _object(bucket, f"{prefix}*", asked)


_ASKED: Final[Mapping[tuple[str, str], Callable[[Asked, bool], Iterator[Target]]]] = {
    ("athena", "StartQueryExecution"): _start_query,
    ("athena", "GetQueryResults"): _query_results,
    ("dynamodb", "ExportTableToPointInTime"): _export,
    ("dynamodb", "ImportTable"): _import,
    **{("rds", name): _master_password for name in _OF_PASSWORDS},
    ("sagemaker", "CreatePipeline"): _pipeline,
    ("sagemaker", "UpdatePipeline"): _pipeline,
}
