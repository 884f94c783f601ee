"""Actions that only callers of the account that owns the resource can be allowed, whatever its policy says."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.authz.target import Target

WITHOUT_POLICY: Final = frozenset(
    {
        # AWS: KMS API Reference, "Cross-account use: No".
        "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DeleteImportedKeyMaterial",
        "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyLastUsage",
        "kms:GetKeyPolicy", "kms:GetParametersForImport", "kms:ImportKeyMaterial", "kms:ListKeyPolicies",
        "kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReplicateKey",
        "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
        "kms:UpdateAlias", "kms:UpdateKeyDescription", "kms:UpdatePrimaryRegion",
        # AWS: SQS API Reference, "Cross-account permissions don't apply to this action".
        "sqs:AddPermission", "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:ListQueueTags", "sqs:RemovePermission",
        "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue",
    }
)  # fmt: skip
WITH_OWN_ERROR: Final = frozenset({"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"})
"""What S3 refuses to others by an error of its own when they are allowed it (S3 API Reference, PutBucketPolicy)."""


def closed(target: Target, identity: Identity, action: str, kept: Collection[str] = WITHOUT_POLICY) -> Target:
    """The target as it is for this caller: to other accounts the actions that are kept are open by no policy."""
    if target.policies and action in kept and target.account != identity.account_id:
        return replace(target, policies=())
    return target
