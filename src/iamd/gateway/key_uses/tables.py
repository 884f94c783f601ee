"""The keys that DynamoDB uses for its callers: who makes a table with a key has it granted, who uses one decrypts.

AWS: KMS Developer Guide, services-dynamodb; DynamoDB Developer Guide, encryption.usagenotes.
"""

from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.key_uses.named import KEY, of_table, whole
from iamd.gateway.key_uses.set_keys import told, use_of
from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, DESCRIBE, Use, Work

_MAKING = frozenset({"CreateTable", "UpdateTable"})


async def of_tables(work: Work) -> list[Use]:
    """What DynamoDB asks of KMS."""
    if work.name in _MAKING:
        arn = work.step.targets[0].arn
        key = of_table(work.given)
        if key is None:
            return []
        return [*await _changed(key, arn, work), *made_with(key, arn, work)]
    tables = dict.fromkeys(_table(one.arn) for one in work.step.targets if ":table/" in one.arn)
    return [use(DECRYPT, key, arn, work) for arn in tables if (key := await key_of(arn, work))]


def made_with(key: str, arn: str, work: Work) -> list[Use]:
    """What a table needs that gets a key."""
    return [use(action, key, arn, work) for action in (DESCRIBE, CREATE_GRANT)] if key else []


async def _changed(key: str, arn: str, work: Work) -> list[Use]:
    """What is there is encrypted anew, and nobody gets at it by a key of their own."""
    if work.name != "UpdateTable":
        return []
    present = await key_of(arn, work)
    return [use(DECRYPT, present, arn, work)] if present and present != whole(key, work.asked) else []


def _table(arn: str) -> str:
    return arn.partition("/index/")[0].partition("/stream/")[0]


async def key_of(arn: str, work: Work) -> str | None:
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


def use(action: str, key: str, arn: str, work: Work) -> Use:
    """One use of a table's key."""
    account = account_of(arn) or work.asked.account
    context = {"aws:dynamodb:tableName": arn.partition(":table/")[2], "aws:dynamodb:subscriberId": account}
    return use_of(action, key, context, arn, work)
