"""Whether EBS encrypts what says nothing of it, and by which key: an account's settings in a Region.

AWS: EBS User Guide, "Amazon EBS encryption" ("Default KMS key for EBS encryption", "Encryption by default").
"""

from iamd.gateway.key_uses.ebs_effects import BY_DEFAULT, DEFAULT_KEY, ON, place
from iamd.gateway.key_uses.set_keys import key_of, told
from iamd.gateway.key_uses.use import Work


async def is_on(work: Work) -> bool:
    """Whether all volumes and copies are encrypted."""
    where = place(work.asked, work.owner, BY_DEFAULT)

    async def ask() -> str:
        found = await told("GetEbsEncryptionByDefault", {}, where, work) or {}
        return ON if found.get("EbsEncryptionByDefault") else ""

    return await key_of(where, work, ask) is not None


async def key(work: Work) -> str | None:
    """The key of what is encrypted without a key being named; None for EBS's own."""
    where = place(work.asked, work.owner, DEFAULT_KEY)

    async def ask() -> str:
        return str((await told("GetEbsDefaultKmsKeyId", {}, where, work) or {}).get("KmsKeyId") or "")

    found = await key_of(where, work, ask)
    return None if found is None or "alias/aws/ebs" in found else found
