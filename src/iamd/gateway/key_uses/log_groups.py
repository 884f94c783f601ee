"""The keys that CloudWatch Logs gets for log groups: it uses them for itself, so that their policies must let it.

AWS: CloudWatch Logs User Guide, encrypt-log-data-kms: the principal `logs.REGION.amazonaws.com` and the encryption
context `aws:logs:arn`; a key that it can't use is refused when it is given.
"""

from iamd.auth.identity import Service
from iamd.errors import AWSError
from iamd.gateway.actions import kms
from iamd.gateway.key_uses.use import DECRYPT, GENERATE, Use, Work


async def of_group(work: Work) -> list[Use]:
    """What CloudWatch Logs asks of KMS when a log group gets a key."""
    named = work.given.get("kmsKeyId")
    if not named:
        return []
    if is_decided_by_backend(str(named), work):
        return []
    arn, owner = work.step.targets[0].arn.partition(":log-stream:")[0].removesuffix(":*"), work.owner
    service = Service(f"logs.{work.asked.region}.amazonaws.com", owner, arn)
    context = {"aws:logs:arn": arn}
    return [
        Use(action=action, key=named, account=owner, region=work.asked.region, context=context, itself=service)
        for action in (GENERATE, DECRYPT)
    ]


def is_decided_by_backend(named: str, work: Work) -> bool:
    """Whether the backend alone can say whom the policy of a key lets in, as iamd has not seen it."""
    try:
        return not work.facts.forgets and work.facts.get(kms.key_arn(named, work.asked)) is None
    except AWSError:
        return not work.facts.forgets
