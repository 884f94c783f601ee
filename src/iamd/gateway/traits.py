"""Traits: what the steps of a request take from its operation alone, worked out once for each operation."""

from functools import cache
from typing import Final

import msgspec
from msgspec.structs import replace

from iamd.gateway import (
    account_parts,
    api_policies,
    batch,
    bucket_abac,
    bucket_owners,
    bucket_ownership,
    bucket_tags,
    configured,
    effects,
    encryption_words,
    events,
    first_use,
    for_users,
    guarded_headers,
    identity_pools,
    instances,
    invocation,
    kept_policies,
    learned,
    new_things,
    object_acls,
    object_locks,
    on_behalf,
    passed_over,
    point_effects,
    policies,
    policy_validation,
    public_access,
    reached,
    refused_entries,
    schedule_checks,
    shared_buckets,
    shown_policies,
    user_sessions,
)
from iamd.gateway.actions import passed_roles
from iamd.gateway.key_uses import operations as key_uses
from iamd.wire.models import Operation

_NOTIFYING: Final = frozenset({"s3", "events", "scheduler", "secretsmanager"})


class Traits(msgspec.Struct, frozen=True):
    """An operation's own action, what its events say of it, and which of the rarer steps its requests take.

    Its targets may be decided one by one (`is_batch`), or be their owner's alone (`is_owners_alone`), or some of its
    entries be refused while the others go on (`refuses_entries`); it may make something (`may_make`), or say of S3 who
    may use something (`gives_access`); it may hand roles to services (`passes_roles`), have a service make its
    service-linked role (`makes_roles`), change the facts about resources (`changes`), or read a policy that iamd knows
    (`reads_policy`); its backend's answers may show one (`shows_policy`). iamd may answer it in its backend's place
    (`is_own`); it may make a bucket, to which iamd gives its tags (`makes_bucket`), or list buckets or tell an ACL, of
    which iamd knows better (`is_retold`). Its answers may tell of resources (`tells`), or of instances
    (`tells_instances`). It may run a Lambda function (`invokes`), or change one that runs (`changes_function`). Its
    backend may notify others of what it does, and of where and when it came from (`notifies`). It may have its service
    send something to others from then on (`configures`), or at times (`has_times`), or ask others for something with
    its caller's permissions, before it answers (`asks_for_caller`) or afterwards (`carries_caller`). Its service may
    use KMS keys for the caller (`uses_keys`), or its answer tell that it did (`shows_keys`), perhaps by its headers
    alone (`shows_keys_by_headers`). It may say how S3 is to encrypt something (`says_encryption`), or bypass an
    object's lock (`may_bypass`). Its targets may rest on what iamd knows of them (`retargets`), or be allowed by either
    of two rights (`asks_either`); it may set a policy that would lock its caller out (`locks_out`). It may be for users
    of a pool, whose permissions nobody asks about (`is_for_users`), and have to do with the session of a sign-in
    (`has_session`). It may reach things of other accounts beside what it is for (`reaches`), or be done in parts, one
    in each account (`may_be_parted`). It may set the policy of a REST API (`sets_api_policy`), or ask for what the
    embedded backend would pass over (`may_be_passed_over`). Its answers may tell in headers what not everybody may read
    who gets them (`has_guarded_headers`). It is `is_special` when for one of these reasons its request is not simply
    sent to its backend and the answer given back; more than its rights is looked at before (`is_checked_further`) for
    some others of them, more than its action is decided (`is_decided_further`) for others, and its backend is told more
    than what is to be done (`is_told_further`) for others again.
    """

    action: str
    source: str
    is_management: bool
    is_read_only: bool
    is_batch: bool
    is_owners_alone: bool
    refuses_entries: bool
    may_make: bool
    gives_access: bool
    passes_roles: bool
    makes_roles: bool
    changes: bool
    reads_policy: bool
    shows_policy: bool
    is_own: bool
    makes_bucket: bool
    is_retold: bool
    tells: bool
    tells_instances: bool
    invokes: bool
    changes_function: bool
    notifies: bool
    configures: bool
    has_times: bool
    asks_for_caller: bool
    carries_caller: bool
    uses_keys: bool
    shows_keys: bool
    shows_keys_by_headers: bool
    says_encryption: bool
    may_bypass: bool
    retargets: bool
    asks_either: bool
    locks_out: bool
    is_for_users: bool
    has_session: bool
    reaches: bool
    may_be_parted: bool
    sets_api_policy: bool
    may_be_passed_over: bool
    has_guarded_headers: bool
    is_special: bool = False
    is_checked_further: bool = False
    is_decided_further: bool = False
    is_told_further: bool = False


_SPECIAL: Final = (
    "is_batch", "may_be_parted", "invokes", "reads_policy", "changes_function", "changes", "is_for_users",
    "has_session", "tells", "tells_instances",
)  # fmt: skip
_CHECKED_FURTHER: Final = ("configures", "has_times", "may_be_passed_over", "says_encryption", "uses_keys")
_DECIDED_FURTHER: Final = (
    "passes_roles", "makes_roles", "asks_for_caller", "is_owners_alone", "gives_access", "locks_out",
)  # fmt: skip
_TOLD_FURTHER: Final = ("notifies", "carries_caller", "reaches", "sets_api_policy")


@cache
def of(operation: Operation) -> Traits:
    """The traits of an operation."""
    found = _of(operation)
    is_copy = operation.name == "CopyObject"
    return replace(
        found,
        is_special=is_copy or _has_one(found, _SPECIAL),
        is_checked_further=_has_one(found, _CHECKED_FURTHER),
        is_decided_further=_has_one(found, _DECIDED_FURTHER),
        is_told_further=_has_one(found, _TOLD_FURTHER),
    )


def _has_one(found: Traits, names: tuple[str, ...]) -> bool:
    return any(getattr(found, name) for name in names)


def _of(operation: Operation) -> Traits:
    return Traits(
        action=f"{operation.service}:{operation.name}",
        source=events.source(operation),
        is_management=events.is_management(operation),
        is_read_only=events.is_read_only(operation),
        is_batch=batch.is_batch(operation),
        is_owners_alone=bucket_owners.may_refuse(f"{operation.service}:{operation.name}"),
        refuses_entries=refused_entries.may_have(operation),
        may_make=new_things.may_make(operation),
        gives_access=bucket_ownership.is_checked(operation) or public_access.is_checked(operation),
        passes_roles=passed_roles.may_pass(operation),
        makes_roles=first_use.may_make(operation),
        changes=effects.may_change(operation),
        reads_policy=policies.may_answer(operation),
        shows_policy=shown_policies.may_show(operation),
        is_own=(
            point_effects.asks_status(operation)
            or bucket_abac.is_kept(operation)
            or bucket_ownership.may_be_kept(operation)
            or bucket_tags.may_be_own(operation)
            or identity_pools.may_be_kept(operation)
            or kept_policies.may_be_kept(operation)
            or policy_validation.may_be_answered(operation)
            or public_access.may_be_kept(operation)
        ),
        makes_bucket=bucket_tags.makes(operation),
        is_retold=shared_buckets.is_list(operation) or object_acls.may_be_rewritten(operation),
        tells=learned.may_tell(operation) or policies.may_tell(operation),
        tells_instances=instances.may_tell(operation),
        invokes=invocation.invokes(operation),
        changes_function=invocation.changes(operation),
        notifies=operation.service in _NOTIFYING and not events.is_read_only(operation),
        configures=configured.may_configure(operation.service, operation.name),
        has_times=schedule_checks.has_times(operation.service, operation.name),
        asks_for_caller=on_behalf.asks(operation),
        carries_caller=on_behalf.carries_on(operation),
        uses_keys=key_uses.uses(operation),
        shows_keys=key_uses.shows(operation),
        shows_keys_by_headers=key_uses.shows_by_headers(operation),
        says_encryption=encryption_words.may_say(operation),
        may_bypass=object_locks.may_bypass(operation),
        retargets=operation.service == "xray" or (operation.service, operation.name) == ("kms", "RetireGrant"),
        asks_either=(operation.service, operation.name) == ("logs", "CreateLogGroup"),
        locks_out=operation.service in {"kms", "xray"},
        is_for_users=for_users.is_one(operation),
        has_session=user_sessions.may_have(operation),
        reaches=reached.reaches(operation),
        may_be_parted=account_parts.may_be_parted(operation),
        sets_api_policy=api_policies.may_set(operation),
        may_be_passed_over=passed_over.may_be(operation),
        has_guarded_headers=guarded_headers.may_have(operation),
    )
