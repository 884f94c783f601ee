"""Tables of moto's DynamoDB that are restored, as they are asked for; and other encryption of a table that is there.

moto gives a restored table neither the encryption nor the billing of its source, whatever is asked for, and restores
without point-in-time recovery. AWS: DynamoDB API Reference, RestoreTableFromBackup and RestoreTableToPointInTime (the
members that end in Override: "The indexes provided should match existing secondary indexes"), UpdateTable
(SSESpecification); Developer Guide, PointInTimeRecovery_Howitworks. The words of refusals are iamd's.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from moto.dynamodb.exceptions import MockValidationException, PointInTimeRecoveryUnavailable
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from iamd.backend.replacement import replace

_PROVISIONED: Final = "PROVISIONED"


def install() -> None:
    """Do what is asked for beside the restoring."""
    replace(DynamoHandler, "restore_table_from_backup", _from_backup)
    replace(DynamoHandler, "restore_table_to_point_in_time", _to_point_in_time)
    replace(DynamoHandler, "update_table", _updated)


def _from_backup(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def restore_table_from_backup(response: Any) -> Any:
        backup = response.dynamodb_backend.get_backup(response.body["BackupArn"])
        return _restored(original, response, backup.table)

    return restore_table_from_backup


def _to_point_in_time(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def restore_table_to_point_in_time(response: Any) -> Any:
        body, arn = response.body, response.body.get("SourceTableArn")
        if arn is not None:
            body["SourceTableName"] = arn.rpartition("/")[2]
        source = response.dynamodb_backend.tables.get(body.get("SourceTableName"))
        if source is None:
            return original(response)
        recovery = source.continuous_backups["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            raise PointInTimeRecoveryUnavailable(source.name)
        return _restored(original, response, source)

    return restore_table_to_point_in_time


def _restored(original: Callable[[Any], Any], response: Any, source: Any) -> Any:
    given: Mapping[str, Any] = response.body
    local = _chosen(given.get("LocalSecondaryIndexOverride"), source.indexes)
    everywhere = _chosen(given.get("GlobalSecondaryIndexOverride"), source.global_indexes)
    billing = given.get("BillingModeOverride") or source.billing_mode
    throughput = given.get("ProvisionedThroughputOverride")
    if throughput and billing not in {None, _PROVISIONED}:
        raise MockValidationException("A table that is billed by its requests has no provisioned throughput.")
    original(response)
    table = response.dynamodb_backend.tables[given["TargetTableName"]]
    table.billing_mode = billing
    if throughput:
        table.throughput = {**throughput, "NumberOfDecreasesToday": 0}
    table.indexes = [one for one in table.indexes if one.name in local]
    table.global_indexes = [one for one in table.global_indexes if one.name in everywhere]
    for one in table.global_indexes:
        one.throughput = everywhere[one.name].get("ProvisionedThroughput") or one.throughput
    _encrypt(table, given.get("SSESpecificationOverride") or source.sse_specification)
    return DynamoResult(table.describe())


def _chosen(given: Iterable[Mapping[str, Any]] | None, there: Iterable[Any]) -> Mapping[str, Mapping[str, Any]]:
    """The indexes that are restored, by their names; all where none are given."""
    known = {one.name: one for one in there}
    if given is None:
        return {name: {} for name in known}
    for one in given:
        found = known.get(one["IndexName"])
        if found is None or not _is_same(one, found):
            raise MockValidationException(f"{one['IndexName']} is no index of the source table.")
    return {one["IndexName"]: one for one in given}


def _is_same(given: Mapping[str, Any], index: Any) -> bool:
    ours, theirs = given["Projection"], index.projection
    projected = [(one.get("ProjectionType"), sorted(one.get("NonKeyAttributes") or ())) for one in (ours, theirs)]
    return _key(given["KeySchema"]) == _key(index.schema) and projected[0] == projected[1]


def _key(schema: Iterable[Mapping[str, str]]) -> list[tuple[str, str]]:
    return sorted((one["AttributeName"], one["KeyType"]) for one in schema)


def _updated(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def update_table(response: Any) -> Any:
        answer = original(response)
        encryption = response.body.get("SSESpecification")
        if encryption is None:
            return answer
        table = response.dynamodb_backend.get_table(response.body["TableName"])
        _encrypt(table, encryption)
        return DynamoResult(table.describe())

    return update_table


def _encrypt(table: Any, specification: Mapping[str, Any] | None) -> None:
    """Have a table say by which key it is encrypted; without one by DynamoDB's in the account."""
    if not specification or not specification.get("Enabled"):
        table.sse_specification = None
        return
    usual = table._get_default_encryption_key  # noqa: SLF001 - as moto does
    key = specification.get("KMSMasterKeyId") or usual(table.account_id, table.region_name)
    table.sse_specification = {**specification, "KMSMasterKeyId": key}
