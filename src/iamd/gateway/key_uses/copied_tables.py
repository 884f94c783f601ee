"""The keys of tables that are restored, imported and exported, and of backups.

AWS: DynamoDB Developer Guide, encryption.usagenotes: a backup stays encrypted by the key that its table had, and is
restored by it; PointInTimeRecovery_Howitworks: the copy has the source's encryption where the request says nothing.
S3DataExport_Requesting; API Reference, RestoreTableFromBackup (SSESpecificationOverride) and ImportTable.
"""

from typing import Any, Final

from msgspec.structs import replace

from iamd.gateway.actions.asked import at
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.dynamodb import table_arn
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses import former, tables
from iamd.gateway.key_uses.answers import told_in
from iamd.gateway.key_uses.named import KEY, of_table, whole
from iamd.gateway.key_uses.use import DECRYPT, Use, Work

_COPYING: Final = frozenset(
    {"ExportTableToPointInTime", "ImportTable", "RestoreTableFromBackup", "RestoreTableToPointInTime"}
)
_ANY: Final = "*"
_WINDOW: Final = 35 * 86_400.0
"""How far back a table can be restored (DynamoDB Developer Guide, PointInTimeRecovery_Howitworks)."""


async def of_tables(work: Work) -> list[Use]:
    """What DynamoDB asks of KMS."""
    return await (_copied(work) if work.name in _COPYING else tables.of_tables(work))


async def _copied(work: Work) -> list[Use]:
    match work.name:
        case "RestoreTableFromBackup":
            key, source = await _of_backup(str(work.given["BackupArn"]), work)
            return [*_read([key], source, work), *await _made(_restored(key, work), work)]
        case "RestoreTableToPointInTime":
            source = table_arn(work.given.get("SourceTableArn") or work.given["SourceTableName"], work.asked)
            found = await _at_some_time(source, "RestoreDateTime", work)
            return [*_read(found, source, work), *await _made(_restored(found[0], work), work)]
        case "ExportTableToPointInTime":
            source = str(work.given["TableArn"])
            return _read(await _at_some_time(source, "ExportTime", work), source, work)
        case _:
            named = of_table(work.given.get("TableCreationParameters") or {}) or ""
            return await _made(named, work)


async def after(work: Work, body: bytes) -> list[Use]:
    """Remember the key of what has been made."""
    if work.name != "CreateBackup":
        if work.step.encrypted_by is not None:
            await work.note(_target(work), {KEY: work.step.encrypted_by})
        return []
    source = work.step.targets[0].arn
    try:
        arn, key = at(told_in(body), "BackupDetails.BackupArn"), await tables.key_of(source, work)
    except NotToldError:
        return []
    if isinstance(arn, str):
        # What is known of a table goes with it; its backups stay.
        await work.note(former.keys_of(arn), {KEY: key or ""})
    return []


def _read(keys: list[str], source: str, work: Work) -> list[Use]:
    uses = [tables.use(DECRYPT, key, source, work) for key in dict.fromkeys(keys) if key]
    return [replace(one, key=None, any_key=True) if one.key == _ANY else one for one in uses]


def _restored(source: str, work: Work) -> str:
    """The key of a table that is restored."""
    named = of_table({"SSESpecification": work.given.get("SSESpecificationOverride")})
    return source if named is None else named


async def _made(key: str, work: Work) -> list[Use]:
    """What making a table of a key needs; the key is remembered before there is anything in the table."""
    arn = _target(work)
    named = work.step.encrypted_by = whole(key, work.asked)
    if work.is_embedded and work.facts.get(arn) is None:
        await work.note(arn, {KEY: named})
    return tables.made_with(key, arn, work)


def _target(work: Work) -> str:
    named = work.given.get("TargetTableName") or at(work.given, "TableCreationParameters.TableName")
    return table_arn(str(named), work.asked)


async def _of_backup(arn: str, work: Work) -> tuple[str, str]:
    """The key of a backup, empty for DynamoDB's own in no account, and the table that it is of."""
    source = arn.partition("/backup/")[0]
    known = work.facts.known(former.keys_of(arn)).get(KEY)
    if known is None and (work.is_embedded or work.step.place.backend.rules.is_aws):
        told: Any = await work.told("DescribeBackup", {"BackupArn": arn}, account=account_of(arn))
        described = at(told or {}, "BackupDescription.SourceTableFeatureDetails.SSEDescription.KMSMasterKeyArn")
        known = described or (_ANY if work.is_embedded else None)
    return known or "", source


async def _at_some_time(arn: str, member: str, work: Work) -> list[str]:
    """The keys that a table may have had at the time that a request names, first the one that it has."""
    found = [await tables.key_of(arn, work) or ""]
    if work.given.get(member):
        known = former.periods(work.facts.known(former.keys_of(arn)))
        since = work.now - _WINDOW
        found += [name for name, period in known if period.until is None or period.until > since]
    return found
