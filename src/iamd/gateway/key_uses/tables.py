"""The keys that DynamoDB uses for its callers: who makes a table with a key has it granted, who uses one decrypts.

AWS: KMS Developer Guide, services-dynamodb; DynamoDB Developer Guide, encryption.usagenotes.
"""

from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.key_uses.named import KEY, of_table
from iamd.gateway.key_uses.set_keys import told, use_of
from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, DESCRIBE, Use, Work

_MAKING = frozenset({"CreateTable", "UpdateTable"})


async def of_tables(work: Work) -> list[Use]:
    """What DynamoDB asks of KMS."""
    if work.name in _MAKING:
        arn = work.step.targets[0].arn
        key = of_table(work.given)
        return [_use(action, key, arn, work) for action in (DESCRIBE, CREATE_GRANT)] if key else []
    tables = dict.fromkeys(_table(one.arn) for one in work.step.targets if ":table/" in one.arn)
    return [_use(DECRYPT, key, arn, work) for arn in tables if (key := await _key_of(arn, work))]


def _table(arn: str) -> str:
    return arn.partition("/index/")[0].partition("/stream/")[0]


async def _key_of(arn: str, work: Work) -> str | None:
    """The key of a table, None for DynamoDB's own in no account."""
    known = work.facts.known(arn).get(KEY)
    if known is not None:
        return known or None
    if arn.endswith("*") or not (work.is_embedded or work.step.place.backend.rules.is_aws):
        return None
    found = await told("DescribeTable", {"TableName": arn.partition(":table/")[2]}, arn, work)
    if found is None:
        return None
    key = str(((found.get("Table") or {}).get("SSEDescription") or {}).get("KMSMasterKeyArn") or "")
    await work.note(arn, {KEY: key})
    return key or None


def _use(action: str, key: str, arn: str, work: Work) -> Use:
    account = account_of(arn) or work.asked.account
    context = {"aws:dynamodb:tableName": arn.partition(":table/")[2], "aws:dynamodb:subscriberId": account}
    return use_of(action, key, context, arn, work)
