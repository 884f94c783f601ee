"""Results of queries: Athena writes them to a bucket with the permissions of who asks for the query.

AWS: Athena User Guide, "Access to Amazon S3" (s3-permissions), "Work with query results" (querying); API Reference,
ResultConfiguration and QueryExecutionStatus.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from moto.athena.exceptions import QueryStillRunning
from moto.athena.models import AthenaBackend, Execution
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

from iamd import query_results
from iamd.arn import PARTITION
from iamd.backend import acts
from iamd.backend.acts import Act
from iamd.backend.handover import NotDone
from iamd.backend.replacement import always, replace

_PRIMARY: Final = "primary"
_NO_LOCATION: Final = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)
_NO_PLACE: Final = "outputLocation is not a valid S3 path."
_DENIED: Final = (
    "Access denied when writing output to url: {}. Please ensure you are allowed to access the S3 bucket. If you are "
    "encrypting query results with KMS key, please ensure you are allowed to access your KMS key"
)
_ENCRYPTIONS: Final = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}


def install() -> None:
    """Write results by requests that iamd decides."""
    replace(AthenaBackend, "start_query_execution", _started)
    replace(AthenaBackend, "get_query_results", _got)
    replace(AthenaBackend, "_store_query_result_in_s3", always(lambda _backend, _id: None))
    replace(AthenaResponse, "get_query_execution", _described)
    replace(Execution, "status", _status)


def _started(original: Callable[..., str]) -> Callable[..., str]:
    def start_query_execution(
        backend: Any,
        query: str,
        context: Any,
        config: Mapping[str, Any] | None,
        workgroup: str | None,
        execution_parameters: list[str] | None,
    ) -> str:
        name = workgroup or _PRIMARY
        group = backend.work_groups.get(name)
        configuration = group.configuration if group is not None else {}
        is_managed = query_results.is_managed(configuration)
        settings = {} if is_managed else _settings(config or {}, configuration)
        act = None if is_managed else _act(backend)
        query_id = original(backend, query, context, settings, name, execution_parameters)
        if act is not None:
            execution = backend.executions[query_id]
            execution.iamd_outcome = "RUNNING"
            try:
                act.begin(lambda act: _write(act, execution, _content(backend, query_id)))
            except JsonRESTError:
                del backend.executions[query_id]
                raise
        return query_id

    return start_query_execution


def _act(backend: Any) -> Act:
    source = f"arn:{PARTITION}:athena:{backend.region_name}:{backend.account_id}:workgroup"
    return acts.for_caller("athena.amazonaws.com", source)


def _settings(given: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that hold; refused when they name no place for the results, or one that iamd can't write."""
    found = dict(query_results.settings(given, group))
    location = found.get("OutputLocation")
    if not location:
        raise _invalid(_NO_LOCATION)
    if query_results.place(location) is None:
        raise _invalid(_NO_PLACE)
    if _encryption(found).get("EncryptionOption", "SSE_S3") not in _ENCRYPTIONS:
        raise _invalid("iamd encrypts no results on the client's side.")
    return found


def _encryption(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = settings.get("EncryptionConfiguration") or {}
    return found


def _invalid(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)


def _content(backend: Any, query_id: str) -> bytes:
    """The rows of a result, in quotes."""
    known = backend.query_results.get(query_id)
    rows = [[one.get("VarCharValue", "") for one in row["Data"]] for row in known.rows] if known is not None else []
    return "".join(",".join(json.dumps(value) for value in row) + "\n" for row in rows).encode()


def _write(act: Act, execution: Any, content: bytes) -> None:
    settings, location = execution.config, execution.config["OutputLocation"]
    bucket, key = query_results.place(location) or ("", "")
    given: dict[str, Any] = {"Bucket": bucket, "Key": key, "Body": content}
    encryption = _encryption(settings)
    if encryption:
        given["ServerSideEncryption"] = _ENCRYPTIONS[encryption["EncryptionOption"]]
    if encryption.get("KmsKey"):
        given["SSEKMSKeyId"] = encryption["KmsKey"]
    if settings.get("ExpectedBucketOwner"):
        given["ExpectedBucketOwner"] = settings["ExpectedBucketOwner"]
    if settings.get("AclConfiguration"):
        given["ACL"] = "bucket-owner-full-control"
    try:
        act.ask("s3", "PutObject", f"arn:{PARTITION}:s3:::{bucket}", **given)
        execution.iamd_outcome = None
    except NotDone as refused:
        execution.iamd_reason = _DENIED.format(location) if refused.status == 403 else refused.message
        execution.iamd_outcome = "FAILED"


def _status(original: Any) -> property:
    def status(execution: Any) -> str | None:
        found: str | None = original.fget(execution)
        outcome: str | None = getattr(execution, "iamd_outcome", None)
        return found if found == "CANCELLED" or outcome is None else outcome

    return property(status, original.fset)


def _got(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def get_query_results(backend: Any, exec_id: str) -> Any:
        execution = backend.executions.get(exec_id)
        if execution is None:
            raise _invalid(f"QueryExecution {exec_id} was not found")
        if execution.status in {"FAILED", "CANCELLED"}:
            raise _invalid(f"Query did not finish successfully. Final query state: {execution.status}")
        if execution.status != "SUCCEEDED":
            raise QueryStillRunning(current_status=execution.status)
        return original(backend, exec_id)

    return get_query_results


def _described(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def get_query_execution(response: Any) -> str:
        told = msgspec.json.decode(original(response))
        execution = response.athena_backend.executions[told["QueryExecution"]["QueryExecutionId"]]
        reason = getattr(execution, "iamd_reason", None)
        if reason is not None:
            told["QueryExecution"]["Status"]["StateChangeReason"] = reason
        return json.dumps(told)

    return get_query_execution
