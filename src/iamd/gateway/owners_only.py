"""Actions that only callers of the account that owns the resource can be allowed, whatever its policy says."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked

_WITHOUT_POLICY: Final = frozenset(
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
_OF_S3: Final = frozenset({"DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"})


def closed(targets: Sequence[Target], identity: Identity, action: str) -> Sequence[Target]:
    """The targets as they are for this caller: to other accounts these actions of KMS and SQS are open by no policy.

    `action` is the operation's own.
    """
    return [
        replace(one, policies=())
        if one.policies and (one.action or action) in _WITHOUT_POLICY and one.account != identity.account_id
        else one
        for one in targets
    ]


def check(asked: Asked, targets: Sequence[Target], identity: Identity) -> None:
    """Refuse to others what S3 keeps to a bucket's owner, even if they are allowed to.

    AWS: S3 API Reference, PutBucketPolicy, GetBucketPolicy and DeleteBucketPolicy: "405 Method Not Allowed".
    """
    operation = asked.operation
    if operation.service == "s3" and operation.name in _OF_S3 and targets[0].account != identity.account_id:
        raise CommonError(Common.UNKNOWN_OPERATION)
