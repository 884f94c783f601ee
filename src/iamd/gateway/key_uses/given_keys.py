"""The keys that delivery streams and file systems get, for which their services make grants.

AWS: Firehose API Reference, DeliveryStreamEncryptionConfigurationInput (KeyType) and InvalidKMSResourceException; EFS
User Guide, "Using AWS KMS keys for Amazon EFS" (EFSKMS): what is required of KMS.
"""

from typing import Final

from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, DESCRIBE, GENERATE_UNSEEN, Use, Work

_OF_FILES: Final = (DESCRIBE, CREATE_GRANT, GENERATE_UNSEEN, DECRYPT)


async def of_delivery_stream(work: Work) -> list[Use]:
    """What Firehose asks of KMS when a delivery stream gets a customer's key."""
    given = work.given.get("DeliveryStreamEncryptionConfigurationInput") or {}
    if given.get("KeyType") != "CUSTOMER_MANAGED_CMK" or not given.get("KeyARN"):
        return []
    return [_use(CREATE_GRANT, str(given["KeyARN"]), work)]


async def of_file_system(work: Work) -> list[Use]:
    """What EFS asks of KMS when a file system, or its copy, is encrypted."""
    given = work.given
    if work.name == "CreateReplicationConfiguration":
        return [
            _use(action, str(one["KmsKeyId"]), work, one.get("Region"))
            for one in given.get("Destinations") or ()
            if one.get("KmsKeyId")
            for action in _OF_FILES
        ]
    if not given.get("Encrypted") and not given.get("KmsKeyId"):
        return []
    return [_use(action, given.get("KmsKeyId") or None, work) for action in _OF_FILES]


def _use(action: str, key: str | None, work: Work, region: str | None = None) -> Use:
    return Use(action=action, key=key, account=work.owner, region=region or work.asked.region, context={})
