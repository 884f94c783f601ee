"""The keys that Kinesis uses for those who write to encrypted streams and read from them.

AWS: Kinesis Data Streams Developer Guide, permissions-user-key-KMS ("Permissions to use user-generated KMS keys"):
producers generate data keys, consumers decrypt.
"""

from functools import partial

from iamd.gateway.key_uses import backlog
from iamd.gateway.key_uses.set_keys import key_of, told, use_of
from iamd.gateway.key_uses.use import GENERATE, Use, Work

_READS = frozenset({"GetRecords", "SubscribeToShard"})


async def of_stream(work: Work) -> list[Use]:
    """What Kinesis asks of KMS."""
    arn = work.step.targets[0].arn.partition("/consumer/")[0]
    if arn.endswith("*"):
        # A shard iterator that nobody can read is of no stream that is known.
        return []
    key = await key_of(arn, work, partial(_told_of_stream, arn, work))
    if work.name in _READS:
        return await backlog.of_stream(arn, key, work)
    return [use_of(GENERATE, key, {"aws:kinesis:arn": arn}, arn, work)] if key else []


async def _told_of_stream(arn: str, work: Work) -> str:
    found = await told("DescribeStreamSummary", {"StreamARN": arn}, arn, work)
    summary = (found or {}).get("StreamDescriptionSummary") or {}
    return str(summary.get("KeyId") or "") if summary.get("EncryptionType") == "KMS" else ""
