"""S3 Block Public Access as decisions see it: which settings are on, and whom they keep out of a public bucket.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from collections.abc import Mapping
from typing import Final

from iamd import arn as arns
from iamd.auth.identity import Identity
from iamd.authz.public_policies import is_public
from iamd.authz.target import Target
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import Resource

SETTINGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
SETTLED: Final = "public_access_block"
PENDING: Final = "public_access_block_pending"
"""The facts of a bucket, or of an account: the settings that are on, and those that are on once a request is done."""

# What nothing in a policy can let through: put beside the policies of what is closed to a caller.
NOBODY: Final = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}'
)


def place_of(account: str) -> str:
    """What the settings of an account are known by."""
    return f"arn:{arns.PARTITION}:s3::{account}:public-access-block"


def of_account(view: Snapshot | Change, account: str) -> Mapping[str, str]:
    """What is known of an account's settings; they are of no backend, so that no backend's end ends them."""
    found = view.shared.get(Resource, place_of(account)) if account else None
    return found.facts if found is not None else {}


def blocks(setting: str, view: Snapshot | Change, account: str, bucket: Mapping[str, str]) -> bool:
    """Whether a setting is on for an account, or for the bucket of these facts, settled or not."""
    known = (of_account(view, account), bucket)
    return any(setting in text.split() for one in known for text in (one.get(SETTLED, ""), one.get(PENDING, "")))


def is_closable(target: Target, identity: Identity) -> bool:
    """Whether RestrictPublicBuckets would close a bucket, or what is in it, to a caller.

    Its policy is public, and the caller is neither of its account nor a service of AWS's.
    """
    if not target.policies or identity.service is not None or identity.account_id == target.account:
        return False
    return any(is_public(text, of_bucket=True) for text in target.policies)
