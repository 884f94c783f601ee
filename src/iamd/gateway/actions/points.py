"""Access points as decisions on requests through them need them: their names, their bucket, and what they block."""

from collections.abc import Mapping
from typing import Final

import msgspec

from iamd.store.records import Resource

BUCKET: Final = "bucket"
OWNER: Final = "bucket_account"
ORIGIN: Final = "network_origin"
BLOCKS: Final = "blocks"
VPC_ID: Final = "vpc"
ALIAS: Final = "name"
"""What iamd knows of an access point, beside its policy, by the names of the facts of a resource."""

INTERNET: Final = "Internet"
VPC: Final = "VPC"
ALIAS_END: Final = "-s3alias"
"""AWS: no bucket's name ends so (S3 User Guide, "General purpose bucket naming rules")."""


class Point(msgspec.Struct, frozen=True):
    """One access point that a request is made through."""

    record: Resource

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.record.arn

    @property
    def account(self) -> str:
        """The account that it is in."""
        return self.record.owner

    @property
    def bucket(self) -> str:
        """The name of its bucket."""
        return self.record.facts[BUCKET]

    @property
    def bucket_account(self) -> str:
        """Whose the bucket was when the access point was made."""
        return self.record.facts[OWNER]

    @property
    def origin(self) -> str:
        """The network that requests through it must come from."""
        return self.record.facts[ORIGIN]

    @property
    def vpc(self) -> str | None:
        """The VPC that requests through it must come from, where they must."""
        return self.record.facts.get(VPC_ID)

    @property
    def policies(self) -> tuple[str, ...]:
        """Its policy; both while it is not settled which of two is in force."""
        return tuple(text for text in (self.record.policy, self.record.pending_policy) if text is not None)

    def blocks(self, setting: str) -> bool:
        """Whether a setting of its public access block is on."""
        return setting in self.record.facts[BLOCKS].split()

    @property
    def keys(self) -> Mapping[str, str]:
        """The condition keys of requests through it (S3 User Guide, access-points-policies, "Condition keys")."""
        return {
            "s3:dataaccesspointarn": self.arn,
            "s3:dataaccesspointaccount": self.account,
            "s3:accesspointnetworkorigin": self.origin,
        }

    def arn_of(self, arn: str) -> str:
        """A bucket, or an object in it, as a request through the access point has it."""
        _bucket, slash, key = arn.partition("/")
        return f"{self.arn}/object/{key}" if slash else self.arn


class Through(msgspec.Struct, frozen=True):
    """The access points that a request names: in place of its bucket, and of the bucket of what it copies.

    `vpc` is the VPC through whose endpoint it comes, where it comes through one.
    """

    bucket: Point | None = None
    source: Point | None = None
    vpc: str | None = None


_COPIES: Final = frozenset({"CopyObject", "UploadPartCopy"})
_OF_SOURCE: Final = ("s3:Get",)


def point_of(through: Through, operation: str, action: str) -> Point | None:
    """The access point that an action of an operation goes through; what a copy reads is its source."""
    is_source = operation in _COPIES and action.startswith(_OF_SOURCE)
    return through.source if is_source else through.bucket
