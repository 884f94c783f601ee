"""Checks of length against AWS's quotas.

AWS: IAM User Guide, "IAM and AWS STS quotas" (reference_iam-quotas); Organizations User Guide, "Quotas"
(orgs_reference_limits; of SCPs 10,240 since 15 May 2026). That identity policies count against 10,240 is seen in
recorded answers.
"""

from collections.abc import Iterator
from typing import Final

from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import AttachedTo, DocumentType
from iamd.policy.tree import Place

IDENTITY: Final = 10_240
TRUST: Final = 2_048
SCP: Final = 10_240
RCP: Final = 5_120
TYPED_RESOURCE: Final = 20_480
"""Of buckets, access points and tables: 20 KB (S3 User Guide, bucket-policies; DynamoDB, rbac-considerations)."""
RESOURCE: Final = 32_768
"""Of a resource that is not named; the longest of the common ones is a KMS key's (KMS, resource-limits)."""


def check(text: str, type: DocumentType, attached_to: AttachedTo | None, place: Place) -> Iterator[Note]:
    """Whether the text is longer than its type's quota; the place is that of the whole document."""
    name, size, quota = _measured(text, type, attached_to)
    if size > quota:
        yield note(name, place, policySize=size, policySizeQuota=quota)


def _measured(text: str, type: DocumentType, attached_to: AttachedTo | None) -> tuple[str, int, int]:
    match type:
        case DocumentType.IDENTITY:
            # AWS counts one more than there are (six recorded answers).
            return "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", _without_space(text) + 1, IDENTITY
        case DocumentType.SCP:
            return "POLICY_SIZE_EXCEEDS_SCP_QUOTA", len(text), SCP
        case DocumentType.RCP:
            return "POLICY_SIZE_EXCEEDS_RCP_QUOTA", len(text), RCP
        case DocumentType.RESOURCE if attached_to is AttachedTo.ROLE_TRUST:
            return "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", _without_space(text), TRUST
        case DocumentType.RESOURCE:
            quota = RESOURCE if attached_to is None else TYPED_RESOURCE
            return "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", len(text), quota


def _without_space(text: str) -> int:
    return len(text) - sum(map(text.count, " \t\n\r"))
