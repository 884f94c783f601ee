"""What iamd knows of a backend's resources: who owns them, and the policies that were set on them through the gateway.

Facts are `Resource` records. Those of a backend that forgets on restart carry its boot id and count for that boot only.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import msgspec
from msgspec.structs import replace

from iamd import arn as arns
from iamd import policy_places
from iamd.auth.identity import Identity
from iamd.authz.acls import Acl, may_have_acls
from iamd.authz.target import Target
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import kms_keys
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.policy_places import holder, is_of_point, is_s3
from iamd.store.account import Snapshot
from iamd.store.records import Resource

UNKNOWN_OWNER: Final = ""
"""The owner of what is found on a backend that belongs to no account: nobody is allowed on it."""


class NoSuchBucket(AWSError):
    """A bucket that is not there."""

    code = "NoSuchBucket"
    status = 404


class Bucket(msgspec.Struct, frozen=True):
    """What is known of a bucket: its record, if there is one, what stands in that, and what follows from it.

    `policies` are the sets of policies that must each allow; `may_have_acls` is that objects may be another account's.
    """

    record: Resource | None
    known: Mapping[str, str]
    policies: tuple[tuple[str, ...], ...]
    may_have_acls: bool


class Facts(msgspec.Struct, frozen=True):
    """The facts of one backend in one view. `boot` is its life; `account` owns what iamd has no facts of, if any does.

    `records` are the view's of all backends and lives, by ARN. `forgets` says that the backend's data ends with its
    boot: what is not known there was made by its own services. `tags` are those of the resources, by ARN, that were
    asked for; `object_acls` the lists of the objects that a request reads or writes, by how and by ARN, None for one
    that is not there.
    """

    view: Snapshot
    records: Mapping[str, Resource]
    boot: str | None
    account: str | None
    forgets: bool
    tags: Mapping[str, Mapping[str, str]] = {}
    object_acls: Mapping[tuple[str, str], Acl | None] = {}
    _buckets: dict[str, Bucket] = {}

    @classmethod
    def of(cls, view: Snapshot, boot: str | None, account: str | None, *, forgets: bool) -> "Facts":
        """What a view has of a backend."""
        return cls(view, view.shared.by_key(Resource), boot, account, forgets)

    def with_tags(self, arn: str, tags: Mapping[str, str]) -> "Facts":
        """The same, with the tags of one more resource."""
        return replace(self, tags={**self.tags, arn: tags})

    def get(self, arn: str) -> Resource | None:
        """The resource of this ARN, unless the facts are of another life of the backend."""
        found = self.records.get(arn)
        return found if found is not None and found.backend_boot == self.boot else None

    def known(self, arn: str) -> Mapping[str, str]:
        """What is known of a resource beyond owner and policy; empty when nothing is."""
        found = self.records.get(arn)
        return found.facts if found is not None and found.backend_boot == self.boot else _NOTHING

    def bucket(self, arn: str) -> Bucket:
        """What is known of a bucket."""
        found = self._buckets.get(arn)
        return found if found is not None else self._looked_at(arn)

    def _looked_at(self, arn: str) -> Bucket:
        record = self.get(arn)
        if record is None:
            # There is no end of buckets that are not known.
            return _UNKNOWN_BUCKET
        found = Bucket(record, record.facts, policies_of(record), may_have_acls(record.facts))
        self._buckets[arn] = found
        return found

    def named(self, name: str) -> str | None:
        """The ARN of the newest resource that is known by this name."""
        found = self.all_named(name)
        return found[-1].arn if found else None

    def all_named(self, name: str) -> list[Resource]:
        """The resources that are known by this name, the newest last."""
        return [one for one in self.view.shared.find(Resource, "name", name) if one.backend_boot == self.boot]

    def log_policies(self, region: str, account: str) -> tuple[tuple[str, ...], ...]:
        """The sets of resource policies of CloudWatch Logs that must each allow what is done with a log group."""
        return self.policies_at(policy_places.of_account("logs", region, account))

    def policies_at(self, place: str) -> tuple[tuple[str, ...], ...]:
        """The sets of policies of a place, each of which must allow.

        There is more than one while it is not known which of two policies of a name is in force.
        """
        found = self.all_named(place)
        if not found:
            return _NO_POLICY
        settled = [one.policy for one in found]
        sets = [settled]
        for index, one in enumerate(found):
            if one.has_pending:
                sets.append([*settled[:index], one.pending_policy, *settled[index + 1 :]])
        return tuple(tuple(text for text in texts if text is not None) for texts in sets)

    def bucket_owner(self, found: Resource | None, caller: str) -> str:
        """Whose a bucket is that this is known of."""
        if found is not None:
            return found.owner
        if self.forgets:
            # SECURITY: moto holds the request to this account, so that a bucket of another's is not reached by it.
            return caller
        return self.account or UNKNOWN_OWNER


_NOTHING: Final[Mapping[str, str]] = {}


def policies_of(found: Resource | None) -> tuple[tuple[str, ...], ...]:
    """The sets of policies that must each allow: one, or two while it is not known which of two is in force."""
    if found is None:
        return _NO_POLICY
    present = (found.policy,) if found.policy is not None else ()
    if not found.has_pending:
        return (present,)
    return (present, (found.pending_policy,) if found.pending_policy is not None else ())


def policies_over(arn: str, found: Resource | None, facts: Facts) -> tuple[tuple[str, ...], ...]:
    """The sets of policies of a resource, and of what it lies below: a vector bucket's are those of its indexes too."""
    sets = policies_of(found)
    # A telephone's number is no ARN.
    service = arn.split(":", 3)[2] if ":" in arn else ""
    if service in policy_places.SEVERAL:
        return facts.policies_at(policy_places.place(arn))
    if service not in policy_places.WITH_PARTS:
        return sets
    for beginning in policy_places.above(arn):
        known = facts.get(beginning)
        if known is not None:
            sets = tuple((*one, *other) for one, other in product(sets, policies_of(known)))
    return sets


_NO_POLICY: Final[tuple[tuple[str, ...], ...]] = ((),)
_UNKNOWN_BUCKET: Final = Bucket(None, _NOTHING, _NO_POLICY, may_have_acls=False)


def decided(targets: list[Target], facts: Facts, caller: str, creates: frozenset[str] = frozenset()) -> list[Target]:
    """The targets with their owners and policies.

    A policy whose setting is not settled makes two targets of one: both must allow, so the stricter answer wins.
    `creates` are the ARNs of what the request makes: it has no owner and no policy yet, but for the account that it is
    made in.
    """
    found: list[Target] = []
    for target in targets:
        arn, keys = target.arn, target.context
        if arn == "*" or arn in creates or target.trust:
            # SECURITY: what is made is its own account's, so that nobody makes a thing in another's.
            found.append(target if target.account else replace(target, account=account_of(arn)))
            continue
        if is_s3(arn):
            bucket = facts.bucket(arn.partition("/")[0])
            owner = target.account or facts.bucket_owner(bucket.record, caller)
            sets, keys = bucket.policies, {**keys, "s3:resourceaccount": owner}
        else:
            known = facts.get(holder(arn))
            owner = target.account or account_of(arn) or caller
            if target.any_of_kind:
                found += _others_of_kind(target, facts, owner)
            parsed = arns.parse(arn) if ":logs:" in arn else None
            if parsed is not None and not parsed.resource.startswith(policy_places.DESTINATIONS):
                found += _log_groups(target, owner, facts.log_policies(parsed.region, parsed.account))
                continue
            if arn.endswith(_ALL_SECRETS):
                found += _secrets(target, facts, owner)
                continue
            if ":kms:" in arn and kms_keys.is_key(arn):
                kms_keys.check_known(arn, known, forgets=facts.forgets)
                found += kms_keys.targets(replace(target, account=owner), known, policies_of(known))
                continue
            sets = policies_over(arn, known, facts)
        if owner == UNKNOWN_OWNER:
            raise CommonError(Common.ACCESS_DENIED, "iamd does not know which account owns this resource.")
        for texts in sets:
            found.append(
                Target(
                    arn=arn,
                    action=target.action,
                    account=owner,
                    context=keys,
                    policies=texts,
                    any_of_kind=target.any_of_kind,
                )
            )
    return found


def _log_groups(target: Target, owner: str, sets: tuple[tuple[str, ...], ...]) -> list[Target]:
    return [replace(target, account=owner, policies=texts) for texts in sets]


_ALL_SECRETS: Final = ":secret:*"


def _secrets(target: Target, facts: Facts, owner: str) -> list[Target]:
    """All secrets of an account, of which some have policies of their own, each of which must not deny."""
    beginning = target.arn.removesuffix("*")
    known = [one for one in facts.view.shared.find(Resource, "owner", owner) if one.arn.startswith(beginning)]
    return [
        replace(target, account=owner),
        *(
            replace(target, arn=one.arn, account=owner, policies=texts)
            for one in known
            if one.backend_boot == facts.boot
            for texts in policies_of(one)
            if texts
        ),
    ]


def _others_of_kind(target: Target, facts: Facts, owner: str) -> list[Target]:
    """All of a kind that an account has, which one is meant not being told: the policy of each must not deny."""
    fits = re.compile(".*".join(map(re.escape, target.arn.split("*"))), re.DOTALL).fullmatch
    return [
        replace(target, arn=policy_places.holder_of(one.arn), account=owner, policies=texts)
        for one in facts.view.shared.find(Resource, "owner", owner)
        if one.backend_boot == facts.boot and fits(policy_places.holder_of(one.arn))
        for texts in policies_of(one)
        if texts
    ]


UNLOCKING: Final = frozenset(
    {
        "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
        "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SetQueueAttributes",
    }
)  # fmt: skip
"""What a bucket's or queue's own policy keeps no root user of its account from, so that nobody is locked out for good.

AWS: S3 API Reference, PutBucketPolicy; IAM User Guide, "Tasks that require root user credentials" (root-user-tasks),
which has editing and deleting a policy of SQS that denies all principals beside the same of S3.
"""


def unlocked(targets: Sequence[Target], identity: Identity, action: str) -> Sequence[Target]:
    """The targets as they are for this caller: without the policies that can't lock it out."""
    if not identity.is_root:
        return targets
    # SECURITY: the owner's root user alone, and these actions alone; SCPs and RCPs bind it as they do elsewhere.
    return [
        replace(one, policies=()) if one.account == identity.account_id and _unlocks(one, action) else one
        for one in targets
    ]


def _unlocks(target: Target, action: str) -> bool:
    """Whether it is the bucket or queue itself that is unlocked, not what is reached through an access point."""
    return (target.action or action) in UNLOCKING and not is_of_point(target.arn)


_EXPECTED: Final = {"ExpectedBucketOwner": True, "ExpectedSourceBucketOwner": False}
"""Members, and whether they are about the bucket of the request, not of a copy's source."""


def check_expected_owner(asked: Asked, targets: Sequence[Target]) -> None:
    """Refuse when the client expects another owner (S3 User Guide, "Verifying bucket ownership with bucket owner
    condition").
    """
    parameters = asked.parameters
    if asked.operation.service == "s3control":
        _check_named_account(parameters["AccountId"], targets)
    elif "ExpectedBucketOwner" in parameters or "ExpectedSourceBucketOwner" in parameters:
        _check_expected_members(asked, targets)


def _check_named_account(account: str, targets: Sequence[Target]) -> None:
    # AWS: "The AWS account ID of the resource owner" (S3 API Reference, S3 Control's ListTagsForResource).
    if any(is_s3(one.arn) and one.account != account for one in targets):
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")


def _check_expected_members(asked: Asked, targets: Sequence[Target]) -> None:
    parameters = asked.parameters
    bucket = f"arn:{asked.partition}:s3:::{parameters['Bucket']}" if "Bucket" in parameters else None
    of_s3 = [target for target in targets if is_s3(target.arn)]
    for member, is_own in _EXPECTED.items():
        account = parameters.get(member)
        if account is None:
            continue
        # A copy within one bucket has no other: that bucket is the source, too.
        concerned = [target for target in of_s3 if (holder(target.arn) == bucket) is is_own] or of_s3
        if any(target.account != account for target in concerned):
            raise CommonError(Common.ACCESS_DENIED, "Access Denied")
