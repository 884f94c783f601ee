"""Exports of tables: DynamoDB writes them to a bucket with the permissions of who asks for them.

AWS: DynamoDB Developer Guide, "Requesting a table export" (S3DataExport_Requesting) and "Table export output format"
(S3DataExport.Output); API Reference, ExportTableToPointInTime and ExportDescription.
"""

import base64
import gzip
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import PointInTimeRecoveryUnavailable, TableNotFoundException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler

from iamd.arn import PARTITION
from iamd.backend import acts
from iamd.backend.acts import Act
from iamd.backend.deliveries import table_jobs
from iamd.backend.handover import NotDone
from iamd.backend.replacement import always, replace

_PART: Final = 4 * 1024 * 1024
"""How many bytes of items a file of an export has, before it is packed."""
_FORMAT: Final = "DYNAMODB_JSON"
_FULL: Final = "FULL_EXPORT"
_ENCRYPTIONS: Final = {"AES256": "AES256", "KMS": "aws:kms"}
_TOLD: Final = ("ClientToken", "S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "S3SseKmsKeyId")


def install() -> None:
    """Export by requests that iamd decides."""
    replace(DynamoHandler, "export_table_to_point_in_time", always(_export))
    replace(DynamoDBBackend, "describe_export", _described)


class Export:
    """An export of the items that a table has now, with what moto asks of one."""

    def __init__(self, table: Any, given: Mapping[str, Any]) -> None:
        self.table = table
        self.given = given
        self.began = datetime.now(UTC)
        self.id = f"{int(self.began.timestamp() * 1000):014}-{secrets.token_hex(4)}"
        self.arn = f"{table.table_arn}/export/{self.id}"
        self.export_type = _FULL
        self.status = "IN_PROGRESS"
        self.told: dict[str, Any] = {}
        self.items = [dynamo_json_dump(item.to_json(root_attr_name="Item")) for item in table.all_items()]

    def response(self) -> dict[str, Any]:
        """What DescribeExport shows."""
        given = {name: self.given[name] for name in _TOLD if self.given.get(name)}
        return {
            "S3SseAlgorithm": "AES256",
            **given,
            "ExportArn": self.arn,
            "ExportStatus": self.status,
            "ExportType": self.export_type,
            "ExportFormat": _FORMAT,
            "StartTime": self.began,
            "ExportTime": self.began,
            "TableArn": self.table.table_arn,
            **self.told,
        }

    def write(self, act: Act) -> None:
        """Write the export to its bucket, or say why it failed."""
        try:
            self.told = {**self._written(act), "EndTime": datetime.now(UTC)}
            self.status = "COMPLETED"
        except NotDone as refused:
            self.told = {**table_jobs.failure(refused), "EndTime": datetime.now(UTC)}
            self.status = "FAILED"

    def _written(self, act: Act) -> dict[str, Any]:
        prefix = self.given.get("S3Prefix") or ""
        place = f"{prefix.rstrip('/')}/AWSDynamoDB/{self.id}" if prefix else f"AWSDynamoDB/{self.id}"
        self._put(act, f"{place}/_started", b"")
        files = [self._data(act, place, part) for part in _parts(self.items)]
        manifest = f"{place}/manifest-files.json"
        self._with_checksum(act, manifest, "".join(json.dumps(file) + "\n" for file in files))
        told = {"ItemCount": len(self.items), "BilledSizeBytes": sum(map(len, self.items))}
        summary = f"{place}/manifest-summary.json"
        self._with_checksum(act, summary, json.dumps(self._summary(manifest, told)))
        return {**told, "ExportManifest": summary}

    def _data(self, act: Act, place: str, lines: list[str]) -> dict[str, Any]:
        key, content = f"{place}/data/{secrets.token_hex(13)}.json.gz", gzip.compress("".join(lines).encode())
        etag = self._put(act, key, content).get("ETag", "")
        checksum = base64.b64encode(_md5(content).digest()).decode()
        return {"itemCount": len(lines), "md5Checksum": checksum, "etag": etag.strip('"'), "dataFileS3Key": key}

    def _with_checksum(self, act: Act, key: str, text: str) -> None:
        self._put(act, key, text.encode())
        checksum = base64.b64encode(_md5(text.encode()).digest())
        self._put(act, key.removesuffix("json") + "md5", checksum)

    def _summary(self, manifest: str, told: Mapping[str, Any]) -> dict[str, Any]:
        shown = self.response()
        times = {"startTime": self.began, "endTime": datetime.now(UTC), "exportTime": self.began}
        return {
            "version": "2020-06-30",
            "exportArn": self.arn,
            **{name: time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for name, time in times.items()},
            "tableArn": self.table.table_arn,
            "s3Bucket": self.given["S3Bucket"],
            "s3Prefix": self.given.get("S3Prefix"),
            "s3SseAlgorithm": shown["S3SseAlgorithm"],
            "s3SseKmsKeyId": self.given.get("S3SseKmsKeyId"),
            "manifestFilesS3Key": manifest,
            "billedSizeBytes": told["BilledSizeBytes"],
            "itemCount": told["ItemCount"],
            "outputFormat": _FORMAT,
        }

    def _put(self, act: Act, key: str, content: bytes) -> dict[str, Any]:
        given, owner = self.given, self.given.get("S3BucketOwner") or act.account
        encryption = {"ServerSideEncryption": _ENCRYPTIONS[given.get("S3SseAlgorithm") or "AES256"]}
        if given.get("S3SseKmsKeyId"):
            encryption["SSEKMSKeyId"] = given["S3SseKmsKeyId"]
        # AWS: an export needs s3:PutObjectAcl beside s3:PutObject, so that the bucket's owner has what is written.
        return act.ask(
            "s3",
            "PutObject",
            f"arn:{PARTITION}:s3:::{given['S3Bucket']}",
            Bucket=given["S3Bucket"],
            Key=key,
            Body=content,
            ACL="bucket-owner-full-control",
            ExpectedBucketOwner=owner,
            **encryption,
        )


def _export(response: Any) -> ActionResult:
    given, backend = response.body, response.dynamodb_backend
    table = next((one for one in backend.tables.values() if one.table_arn == given["TableArn"]), None)
    if table is None:
        raise TableNotFoundException(name=given["TableArn"])
    recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
        raise PointInTimeRecoveryUnavailable(name=table.name)
    _check(given)
    known = table_jobs.of_token(backend.table_exports.values(), given, "ExportConflictException")
    if known is not None:
        return ActionResult({"ExportDescription": known.response()})
    act = acts.for_caller("dynamodb.amazonaws.com", table.table_arn)
    export = Export(table, given)
    answer = export.response()
    act.begin(export.write)
    backend.table_exports[export.arn] = export
    return ActionResult({"ExportDescription": answer})


def _check(given: Mapping[str, Any]) -> None:
    """Refuse what moto can't export: a table has no past there."""
    time = given.get("ExportTime")
    if time is not None and time.timestamp() > datetime.now(UTC).timestamp():
        raise table_jobs.error("InvalidExportTimeException", "The export time can't be in the future.")
    wanted = {"ExportType": _FULL, "ExportFormat": _FORMAT}
    for name in ("ExportTime", "FilterSpecification", "IncrementalExportSpecification", *wanted):
        if given.get(name) is not None and given[name] != wanted.get(name):
            raise table_jobs.error("ValidationException", f"iamd exports no table by this {name}.")
    if (given.get("S3SseAlgorithm") or "AES256") not in _ENCRYPTIONS:
        raise table_jobs.error("ValidationException", "S3SseAlgorithm is AES256 or KMS.")


def _parts(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines, as many together as make up a file."""
    part: list[str] = []
    size = 0
    for line in lines:
        part.append(line + "\n")
        size += len(line)
        if size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _md5(content: bytes) -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def _described(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def describe_export(backend: Any, export_arn: str) -> Any:
        if export_arn not in backend.table_exports:
            raise table_jobs.error("ExportNotFoundException", f"Export not found: {export_arn}")
        return original(backend, export_arn)

    return describe_export
