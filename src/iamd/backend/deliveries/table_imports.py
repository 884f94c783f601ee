"""Imports of tables: DynamoDB reads them from a bucket with the permissions of who asks for them.

AWS: DynamoDB Developer Guide, "Requesting a table import" (S3DataImport.Requesting) and "Amazon S3 import formats"
(S3DataImport.Format); API Reference, ImportTable and ImportTableDescription.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ResourceInUseException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table_import import TableImport
from moto.dynamodb.responses import DynamoHandler

from iamd.arn import PARTITION
from iamd.backend import acts
from iamd.backend.acts import Act
from iamd.backend.deliveries import table_jobs
from iamd.backend.handover import NotDone
from iamd.backend.replacement import always, replace

_PIECE: Final = 8 * 1024 * 1024
"""How many bytes of an object are read at a time."""
_LARGEST: Final = 256 * 1024 * 1024
"""How many bytes an object may have, packed and unpacked: what is imported lives in memory."""
_REFUSED: Final = (("InputFormat", "ION"), ("InputCompressionType", "ZSTD"))
_TOLD: Final = (
    "ClientToken", "S3BucketSource", "InputFormat", "InputFormatOptions", "InputCompressionType",
    "TableCreationParameters",
)  # fmt: skip
_DELIMITERS: Final = frozenset(",;:|\t ")
_GIVEN: ContextVar[Mapping[str, Any]] = ContextVar("given")


def install() -> None:
    """Import by requests that iamd decides."""
    replace(DynamoHandler, "import_table", _import)
    replace(DynamoDBBackend, "describe_import", _described)
    replace(TableImport, "__init__", _made)
    replace(TableImport, "start", always(_start))
    replace(TableImport, "response", _shown)


def _import(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def import_table(response: Any) -> ActionResult:
        given, backend = response.body, response.dynamodb_backend
        _check(given)
        known = table_jobs.of_token(backend.table_imports.values(), given, "ImportConflictException")
        if known is not None:
            return ActionResult({"ImportTableDescription": known.response()})
        name = given["TableCreationParameters"]["TableName"]
        if name in backend.tables:
            raise ResourceInUseException(f"Table already exists: {name}")
        _GIVEN.set(given)
        return original(response)

    return import_table


def _check(given: Mapping[str, Any]) -> None:
    for name, value in _REFUSED:
        if given.get(name) == value:
            raise table_jobs.error("ValidationException", f"iamd imports no table by the {name} {value}.")
    if _delimiter(given) not in _DELIMITERS:
        raise table_jobs.error("ValidationException", "The delimiter is one of , ; : | tab and blank.")


def _delimiter(given: Mapping[str, Any]) -> str:
    return str((given.get("InputFormatOptions") or {}).get("Csv", {}).get("Delimiter") or ",")


def _made(original: Callable[..., None]) -> Callable[..., None]:
    def make(job: Any, **given: Any) -> None:
        original(job, **given)
        job.given = _GIVEN.get()
        job.began = datetime.now(UTC)
        job.ended = None
        job.act = acts.for_caller("dynamodb.amazonaws.com", job.table_arn)

    return make


def _start(job: Any) -> None:
    try:
        job.act.begin(lambda _: _run(job))
    except JsonRESTError as error:
        job.failure_code, job.failure_message, job.status = error.error_type, error.message, "FAILED"
        raise


def _run(job: Any) -> None:
    """Make the table of what is in the bucket; there is none when that can't be read."""
    backend = dynamodb_backends[job.account_id][job.region_name]
    try:
        keys = list(_keys(job.act, job.given["S3BucketSource"]))
        job.table = _table(backend, job)
        for key, size in keys:
            _load(job, _content(job.act, job.given["S3BucketSource"], key, size))
        job.status = "COMPLETED" if job.error_count == 0 else "FAILED"
    except NotDone as refused:
        told = table_jobs.failure(refused)
        _failed(backend, job, told["FailureCode"], told["FailureMessage"])
    except Exception as error:  # noqa: BLE001 - whatever is wrong with what was read, the import has failed
        _failed(backend, job, "UNKNOWN", str(error))
    job.ended = datetime.now(UTC)


def _failed(backend: Any, job: Any, code: str, message: str) -> None:
    job.failure_code, job.failure_message, job.status = code, message, "FAILED"
    if job.table is not None and backend.tables.get(job.table_name) is job.table:
        del backend.tables[job.table_name]


def _table(backend: Any, job: Any) -> Any:
    return backend.create_table(
        name=job.table_name,
        billing_mode=job.billing_mode,
        throughput=job.throughput,
        schema=job.key_schema,
        global_indexes=job.global_indexes,
        indexes=None,
        attr=job.attrs,
        sse_specification=job.given["TableCreationParameters"].get("SSESpecification"),
        streams=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def _keys(act: Act, source: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The keys of the objects to be read, with their sizes."""
    prefix = {"Prefix": source["S3KeyPrefix"]} if source.get("S3KeyPrefix") else {}
    more: dict[str, Any] = {}
    while True:
        told = _asked(act, source, "ListObjectsV2", **prefix, **more)
        for one in told.get("Contents") or ():
            yield one["Key"], one["Size"]
        if not told.get("IsTruncated"):
            return
        more = {"ContinuationToken": told["NextContinuationToken"]}


def _content(act: Act, source: Mapping[str, Any], key: str, size: int) -> bytes:
    """What is in an object, read piece by piece; an empty one is read too, for that must be allowed."""
    if size > _LARGEST:
        raise ValueError(f"{key} is larger than iamd imports.")
    if size == 0:
        return bytes(_asked(act, source, "GetObject", Key=key)["Body"])
    pieces = []
    for start in range(0, size, _PIECE):
        wanted = f"bytes={start}-{min(start + _PIECE, size) - 1}"
        pieces.append(_asked(act, source, "GetObject", Key=key, Range=wanted)["Body"])
    return b"".join(pieces)


def _asked(act: Act, source: Mapping[str, Any], operation: str, **given: Any) -> dict[str, Any]:
    bucket, owner = source["S3Bucket"], source.get("S3BucketOwner") or act.account
    # AWS: without an owner, the bucket is one of the caller's account (S3DataImport.Requesting).
    return act.ask("s3", operation, f"arn:{PARTITION}:s3:::{bucket}", Bucket=bucket, ExpectedBucketOwner=owner, **given)


def _load(job: Any, content: bytes) -> None:
    if job.given.get("InputCompressionType") == "GZIP":
        content = _unpacked(content)
    text = content.decode()
    items = _of_csv(text, job) if job.given["InputFormat"] == "CSV" else _of_json(text)
    for size, item in items:
        job.processed_count += 1
        job.processed_bytes += size
        try:
            job.table.put_item(item_attrs=item())
            job.imported_count += 1
        except Exception as error:  # noqa: BLE001 - one item that can't be imported does not end the import
            job.failure_message = str(error)
            job.error_count += 1


def _unpacked(content: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        found = packed.read(_LARGEST + 1)
    if len(found) > _LARGEST:
        raise ValueError("What is packed is larger than iamd imports.")
    return found


def _of_json(text: str) -> Iterator[tuple[int, Callable[[], dict[str, Any]]]]:
    for line in text.split("\n"):
        if line.strip():
            yield len(line), partial(_item_of_json, line)


def _of_csv(text: str, job: Any) -> Iterator[tuple[int, Callable[[], dict[str, Any]]]]:
    """Each row as an item: keys have the type that they are defined with, all else are strings."""
    types = {one["AttributeName"]: one["AttributeType"] for one in job.attrs}
    options = (job.given.get("InputFormatOptions") or {}).get("Csv") or {}
    rows = csv.reader(io.StringIO(text), delimiter=_delimiter(job.given), strict=True)
    header = options.get("HeaderList") or next(rows, [])
    for row in rows:
        if row:
            yield sum(map(len, row)), partial(_item_of_row, header, row, types)


def _item_of_json(line: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(line)["Item"]
    return found


def _item_of_row(header: list[str], row: list[str], types: Mapping[str, str]) -> dict[str, Any]:
    return {name: {types.get(name, "S"): value} for name, value in zip(header, row, strict=True)}


def _shown(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def response(job: Any) -> dict[str, Any]:
        told = {name: job.given[name] for name in _TOLD if name in job.given}
        times = {"StartTime": job.began, "EndTime": job.ended}
        shown = {**told, **times, **original(job)}
        return {name: value for name, value in shown.items() if value is not None}

    return response


def _described(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def describe_import(backend: Any, import_arn: str) -> Any:
        if import_arn not in backend.table_imports:
            raise table_jobs.error("ImportNotFoundException", f"Import not found: {import_arn}")
        return original(backend, import_arn)

    return describe_import
