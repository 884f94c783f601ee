"""AWS managed policies: who they are, and the text of each of their versions, read when it is asked for.

What AWS's recorded answers to GetPolicy alone tell is recorded_policies.tsv beside this file; SOURCES.md says whose.
"""

import csv
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from iamd.data.pack import Pack

PACK = Path(__file__).with_name("managed_policies.pack")
RECORDED = Path(__file__).with_name("recorded_policies.tsv")
ARN_PREFIX = "arn:aws:iam::aws:policy"


class PolicyVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version of a managed policy, and where in the pack its text is."""

    version_id: str
    # None where no source dates it; the default version's date is always known.
    create_date: datetime | None
    block: int
    offset: int
    length: int


class ManagedPolicy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An AWS managed policy as GetPolicy tells it, and its versions."""

    policy_name: str
    path: str
    # The id that AWS gave it where a source has it, else derived from the ARN; `id_is_aws` says which. AWS's id is
    # the same in every account, so an id that is derived must be stable too: it ends in 17 characters of the
    # SHA-256 of the ARN in base32.
    policy_id: str
    id_is_aws: bool
    # AWS: a deprecated policy stays with those who have it and can be attached to nobody else (IAM User Guide,
    # "Deprecated AWS managed policies", access_policies_managed-deprecated). The newest source lists it no more.
    deprecated: bool
    create_date: datetime
    update_date: datetime
    default_version_id: str
    # The versions stay encoded until somebody asks: 6,000 of them as objects would be most of the index's memory.
    encoded_versions: msgspec.Raw

    @property
    def arn(self) -> str:
        """The policy's ARN with its path, the same in every account."""
        return f"{ARN_PREFIX}{self.path}{self.policy_name}"

    @property
    def versions(self) -> tuple[PolicyVersion, ...]:
        """The versions whose text is known, the newest first; AWS's very old ones may be missing."""
        return msgspec.msgpack.decode(self.encoded_versions, type=tuple[PolicyVersion, ...])

    def version(self, version_id: str) -> PolicyVersion | None:
        """The version of that id, or None when there is none whose text is known."""
        return next((version for version in self.versions if version.version_id == version_id), None)


def catalogue() -> Mapping[str, ManagedPolicy]:
    """Every AWS managed policy by its ARN, in the order of their names; the index alone is read for it."""
    return _catalogue()


def description(arn: str) -> str | None:
    """The description that AWS was seen to show of a managed policy, or None: of most no source has it."""
    row = _recorded().get(arn)
    return None if row is None else row["Description"]


@lru_cache(maxsize=64)
def document(arn: str, version_id: str) -> str:
    """The text of a managed policy's version, as JSON; a policy or version that is not known raises KeyError.

    Default versions are kept apart from older ones, so that what is enforced costs one small read.
    """
    version = catalogue()[arn].version(version_id)
    if version is None:
        raise KeyError(version_id)
    text = _pack().block(version.block)[version.offset : version.offset + version.length]
    return text.decode()


@cache
def _pack() -> Pack[tuple[ManagedPolicy, ...]]:
    return Pack(PACK, tuple[ManagedPolicy, ...])


@cache
def _catalogue() -> Mapping[str, ManagedPolicy]:
    found = {policy.arn: policy for policy in _pack().index}
    for arn, row in _recorded().items():
        if row["PolicyId"]:
            found[arn] = replace(found[arn], policy_id=row["PolicyId"], id_is_aws=True)
    return MappingProxyType(found)


@cache
def _recorded() -> Mapping[str, Mapping[str, str]]:
    with RECORDED.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return MappingProxyType({f"{ARN_PREFIX}{row['Policy']}": row for row in rows})
