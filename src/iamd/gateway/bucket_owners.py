"""What a bucket's owner keeps: S3 refuses it to other accounts in words of its own, even if they are allowed it."""

from collections.abc import Sequence

from iamd.auth.identity import Identity
from iamd.authz.owners_only import WITH_OWN_ERROR
from iamd.authz.target import Target
from iamd.errors import AWSError


class MethodNotAllowed(AWSError):
    """What S3 lets the owner's account alone do (S3 API Reference, "Error responses")."""

    code = "MethodNotAllowed"
    status = 405


def may_refuse(action: str) -> bool:
    """Whether S3 keeps an action to a bucket's owner, and says so in words of its own."""
    return action in WITH_OWN_ERROR


def check(targets: Sequence[Target], identity: Identity) -> None:
    """Refuse to others what S3 keeps to a bucket's owner.

    AWS: S3 API Reference, PutBucketPolicy, GetBucketPolicy and DeleteBucketPolicy: "405 Method Not Allowed".
    """
    if targets[0].account != identity.account_id:
        raise MethodNotAllowed("The specified method is not allowed against this resource.")
