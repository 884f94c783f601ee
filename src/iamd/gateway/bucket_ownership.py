"""Who owns the objects of a bucket, and whether access control lists count in it: facts that iamd keeps of a bucket.

AWS: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket"; S3 API Reference,
PutBucketOwnershipControls, PutBucketAcl and GetBucketAcl. The words of refusals are those that others have recorded.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import acls, canonical_ids
from iamd.authz.acls import ACL, ACL_PENDING, ENFORCED, NO_CONTROLS, OWNERSHIP, OWNERSHIP_PENDING, PREFERRED, Acl
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import acl_requests, public_access
from iamd.gateway.acl_requests import BUCKET_OWNER_FULL_CONTROL, InvalidArgument
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Effect, Kind, Of
from iamd.gateway.own_answers import written
from iamd.gateway.resources import Facts
from iamd.wire.models import Operation

_SETTINGS: Final = frozenset({ENFORCED, PREFERRED, acls.WRITER})
_MAKING: Final = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})
"""The operations that make an object, with its owner and its list."""
_CHECKED: Final = _MAKING | {"CreateBucket", "PutBucketAcl", "PutBucketOwnershipControls", "PutObjectAcl"}
_ANSWERED: Final = frozenset(
    {
        "DeleteBucketOwnershipControls", "GetBucketAcl", "GetBucketOwnershipControls", "PutBucketAcl",
        "PutBucketOwnershipControls",
    }
)  # fmt: skip
_TOLD: Final = frozenset({"DeleteBucketOwnershipControls", "PutBucketAcl", "PutBucketOwnershipControls"})
"""What the embedded backend is told."""
_TOLD_AWS: Final = frozenset({"DeleteBucketOwnershipControls", "PutBucketOwnershipControls"})


class AccessControlListNotSupported(AWSError):
    """A list for what can have none (S3 User Guide, object-ownership-error-responses)."""

    code = "AccessControlListNotSupported"
    status = 400


class InvalidBucketAclWithObjectOwnership(AWSError):
    """A bucket whose list gives something to others, and whose lists are to be off (the same page)."""

    code = "InvalidBucketAclWithObjectOwnership"
    status = 400


class OwnershipControlsNotFoundError(AWSError):
    """A bucket without ownership controls (S3 API Reference, GetBucketOwnershipControls)."""

    code = "OwnershipControlsNotFoundError"
    status = 404


# What requests may say.


def is_checked(operation: Operation) -> bool:
    """Whether requests of an operation may make or set a list."""
    return operation.service == "s3" and operation.name in _CHECKED


def check(asked: Asked, identity: Identity, facts: Facts, *, is_kept: bool) -> str | None:
    """The list of what a request makes or sets, as the backend is to keep it; None for none.

    `is_kept` says whether the backend keeps the lists and owners of objects. Refused is a list where none counts, one
    that is wrong, and an object whose owner and list nobody would keep.
    """
    if not is_checked(asked.operation):
        return None
    name = asked.operation.name
    bucket = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}"
    if name == "CreateBucket":
        return _check_new(asked, facts.known(bucket), facts)
    if name == "PutBucketOwnershipControls":
        _check_controls(asked, facts.known(bucket), canonical_ids.of_account(_owner(asked, bucket, facts), facts.view))
        return None
    return _check_list(asked, bucket, identity, facts, is_kept=is_kept)


def _owner(asked: Asked, bucket: str, facts: Facts) -> str:
    return facts.bucket_owner(facts.get(bucket), asked.account)


def _check_new(asked: Asked, known: Mapping[str, str], facts: Facts) -> str | None:
    """The list that a bucket is made with, or that is set anew by making once more the one that is known."""
    setting = asked.parameters.get("ObjectOwnership", ENFORCED)
    if setting not in _SETTINGS:
        raise InvalidArgument(
            f"Invalid x-amz-object-ownership header: {setting}", members={"ArgumentName": "x-amz-object-ownership"}
        )
    acl = _of_new(asked, facts)
    is_enforced = ENFORCED in (setting, *acls.settings(known))
    if acl is not None and is_enforced and acl.gives_to_others:
        raise InvalidBucketAclWithObjectOwnership(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        )
    return acl.text if acl is not None else None


def _of_new(asked: Asked, facts: Facts) -> Acl | None:
    own = canonical_ids.of_account(asked.account, facts.view)
    return acl_requests.read(asked, own, own)


def _check_controls(asked: Asked, known: Mapping[str, str], owner: str) -> None:
    if _setting(asked) != ENFORCED:
        return
    lists = [acls.read(known[name]) for name in (ACL, ACL_PENDING) if name in known]
    if any(one.gives_to_others or one.owner != owner for one in lists):
        raise InvalidBucketAclWithObjectOwnership(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        )


def _setting(asked: Asked) -> str:
    rules = at(asked.parameters["OwnershipControls"], "Rules") or []
    setting = rules[0].get("ObjectOwnership") if len(rules) == 1 else None
    if setting not in _SETTINGS:
        raise CommonError(Common.MALFORMED)
    return str(setting)


def _check_list(asked: Asked, bucket: str, identity: Identity, facts: Facts, *, is_kept: bool) -> str | None:
    """The list that a bucket or an object is to have."""
    known, account = facts.known(bucket), _owner(asked, bucket, facts)
    setting = acls.settings(known)
    if (
        not acls.may_have_acls(known)
        and not acl_requests.names_acl(asked.parameters)
        and "Acl" not in asked.operation.name
    ):
        return None
    bucket_owner, writer = canonical_ids.of_account(account, facts.view), _id_of(identity, facts)
    owner = _owner_of_list(asked, bucket, bucket_owner, writer, facts)
    acl = acl_requests.read(asked, owner, bucket_owner)
    if "Acl" in asked.operation.name:
        acl = acl_requests.required(acl)
    if not acls.has_acls(known):
        _check_without_lists(asked, acl, bucket_owner, is_unknown=not setting)
        return None
    if asked.operation.name == "PutBucketAcl":
        return acl.text if acl is not None else None
    acl = acl or acls.private(owner)
    if not is_kept and (acl.owner != bucket_owner or acl.gives_to_others):
        raise CommonError(Common.NOT_IMPLEMENTED, "The backend does not keep owners and ACLs of objects.")
    return acl.text


def _id_of(identity: Identity, facts: Facts) -> str:
    if identity is ANONYMOUS:
        return canonical_ids.ANONYMOUS
    return canonical_ids.of_account(identity.asks_in, facts.view)


def _owner_of_list(asked: Asked, bucket: str, bucket_owner: str, writer: str, facts: Facts) -> str:
    """The canonical user id of who owns what the list is of."""
    name, known = asked.operation.name, facts.known(bucket)
    if name == "PutBucketAcl" or not acls.may_have_acls(known):
        return bucket_owner
    if name == "PutObjectAcl":
        present = facts.object_acls.get(("read", f"{bucket}/{asked.parameters['Key']}"))
        return present.owner if present is not None else bucket_owner
    is_handed_over = asked.parameters.get("ACL") == BUCKET_OWNER_FULL_CONTROL
    is_preferred = all(one == PREFERRED for one in acls.settings(known))
    return bucket_owner if is_preferred and is_handed_over else writer


def _check_without_lists(asked: Asked, acl: Acl | None, bucket_owner: str, *, is_unknown: bool) -> None:
    """Refuse what a bucket without lists does not take.

    AWS: it takes bucket-owner-full-control and what says the same in XML. A bucket whose setting iamd does not know
    takes whatever gives nothing to others.
    """
    given = asked.parameters.get("ACL")
    if acl is None or given == BUCKET_OWNER_FULL_CONTROL or (is_unknown and not acl.gives_to_others):
        return
    if given is not None or acl.owner != bucket_owner or acl != acls.private(bucket_owner):
        raise AccessControlListNotSupported("The bucket does not allow ACLs")


# What becomes of a bucket.


def of_new(asked: Asked, facts: Facts) -> Mapping[str, str]:
    """What is known of a bucket that is being made.

    AWS: S3 User Guide, "Default settings for new S3 buckets FAQ": since April 2023 it has no lists.
    """
    acl = _of_new(asked, facts) or acls.private(canonical_ids.of_account(asked.account, facts.view))
    return {OWNERSHIP: str(asked.parameters.get("ObjectOwnership", ENFORCED)), ACL: acl.text}


def remade(asked: Asked, facts: Facts) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """What becomes of a bucket whose owner makes it once more.

    AWS: its list is set anew (S3 API Reference, CreateBucket, of us-east-1).
    """
    acl = _of_new(asked, facts) or acls.private(canonical_ids.of_account(asked.account, facts.view))
    # Lists of a bucket that has none are as good as not set.
    return lambda known: {**known, ACL: acl.text} if acls.has_acls(known) else known


def _noted(arn: str, facts: Facts, names: tuple[str, str], value: str) -> Effect:
    """A fact is set; until that is settled, both what it was and what it is to be decide."""
    settled, pending = names
    before = facts.known(arn)
    unsettled = {pending: before[pending]} if pending in before else {}

    def without(known: Mapping[str, str]) -> dict[str, str]:
        return {name: one for name, one in known.items() if name != pending or one != value}

    return Effect(
        Kind.NOTE,
        arn,
        begun=lambda known: {**known, pending: value},
        done=lambda known: {**without(known), settled: value},
        refused=(lambda known: {**without(known), **unsettled}) if facts.get(arn) is not None else None,
    )


def _put_controls(asked: Asked, arn: str, facts: Facts) -> Effect:
    return _noted(arn, facts, (OWNERSHIP, OWNERSHIP_PENDING), _setting(asked))


def _delete_controls(_: Asked, arn: str, facts: Facts) -> Effect | None:
    if not acls.settings(facts.known(arn)):
        return None
    return _noted(arn, facts, (OWNERSHIP, OWNERSHIP_PENDING), NO_CONTROLS)


def _put_acl(asked: Asked, arn: str, facts: Facts) -> Effect | None:
    if not acls.settings(facts.known(arn)):
        return None
    account = _owner(asked, arn, facts)
    own = canonical_ids.of_account(account, facts.view)
    acl = acl_requests.required(acl_requests.read(asked, own, own))
    return _noted(arn, facts, (ACL, ACL_PENDING), acl.text)


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("s3", "PutBucketOwnershipControls"): _put_controls,
    ("s3", "DeleteBucketOwnershipControls"): _delete_controls,
    ("s3", "PutBucketAcl"): _put_acl,
}


# What is answered.


def may_be_kept(operation: Operation) -> bool:
    """Whether iamd may answer an operation by itself."""
    return operation.service == "s3" and operation.name in _ANSWERED


def is_kept(asked: Asked, arn: str, facts: Facts, *, embedded: bool, aws: bool) -> bool:
    """Whether iamd answers a request in its backend's place."""
    name = asked.operation.name
    if not may_be_kept(asked.operation) or (embedded and name in _TOLD) or (aws and name in _TOLD_AWS):
        return False
    return not aws or bool(acls.settings(facts.known(arn)))


def answer(asked: Asked, arn: str, account: str, facts: Facts) -> Answer:
    """The answer for a bucket that is there, whose owner is `account`."""
    known = facts.known(arn)
    match asked.operation.name:
        case "GetBucketOwnershipControls":
            return written(asked.operation, {"OwnershipControls": {"Rules": [{"ObjectOwnership": _shown(known)}]}})
        case "GetBucketAcl":
            present = acls.of_bucket(known)
            owner = canonical_ids.of_account(account, facts.view)
            acl = present[0] if present else acls.private(owner)
            ignores = public_access.blocks("IgnorePublicAcls", facts, account, arn)
            return written(asked.operation, shown(acl.without(acls.PUBLIC) if ignores else acl))
        case _:
            return written(asked.operation, {})


def _shown(known: Mapping[str, str]) -> str:
    setting = known.get(OWNERSHIP, NO_CONTROLS)
    if setting == NO_CONTROLS:
        raise OwnershipControlsNotFoundError("The bucket ownership controls were not found")
    return setting


def shown(acl: Acl) -> dict[str, Any]:
    """A list as the operations that read it answer it."""
    return {"Owner": {"ID": acl.owner}, "Grants": [_grant(*one) for one in acl.grants]}


def _grant(permission: str, grantee: str) -> dict[str, Any]:
    group = grantee in acls.GROUPS
    named = {"Type": "Group", "URI": grantee} if group else {"Type": "CanonicalUser", "ID": grantee}
    return {"Grantee": named, "Permission": permission}
