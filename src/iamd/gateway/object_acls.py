"""Objects' owners and access control lists, where a bucket has any: asked of the backend, and what they come to.

AWS: S3 User Guide, "How Amazon S3 authorizes a request for an object operation": what another account owns in a bucket
is that account's to open, by the object's list; the bucket's owner can refuse it, and delete it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.authz import acls, canonical_ids
from iamd.authz.acls import Acl, Grant
from iamd.authz.authorize import Verdict
from iamd.authz.public_access import NOBODY
from iamd.authz.target import Target
from iamd.gateway import bucket_ownership, placing, public_access
from iamd.gateway.actions import s3
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.backends import Backends
from iamd.gateway.own_answers import written
from iamd.gateway.resources import Bucket, Facts
from iamd.policy.request import PrincipalKind, Request
from iamd.policy_places import bucket_of, is_s3
from iamd.wire.models import Operation

_MAKING: Final = frozenset(
    {"CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "PutObject", "UploadPart", "UploadPartCopy"}
)
_WRITING: Final = _MAKING | {"DeleteObject"}
_OF_SOURCES: Final = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
"""What these ask for of what they copy."""
_READING: Final = frozenset(
    {
        "DeleteObjectAnnotation", "GetObject", "GetObjectAcl", "GetObjectAnnotation", "GetObjectAttributes",
        "GetObjectTorrent", "HeadObject", "ListObjectAnnotations", "PutObjectAcl", "PutObjectAnnotation",
        "SelectObjectContent",
    }
)  # fmt: skip
_OWNERS: Final = frozenset(
    {
        "s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation", "s3:GetObject", "s3:GetObjectAcl",
        "s3:GetObjectAnnotation", "s3:GetObjectAttributes", "s3:GetObjectTorrent", "s3:GetObjectVersion",
        "s3:GetObjectVersionAcl", "s3:GetObjectVersionAnnotation", "s3:GetObjectVersionAttributes",
        "s3:GetObjectVersionTorrent", "s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations",
        "s3:PutObjectAcl", "s3:PutObjectAnnotation", "s3:PutObjectVersionAcl", "s3:PutObjectVersionAnnotation",
    }
)  # fmt: skip
"""What an object's owner opens; all else of an object is its bucket's owner's.

AWS: S3 API Reference, GetObjectTagging, RestoreObject and their like: the bucket's owner has it by
default.
"""
_OF_VERSIONS: Final = frozenset(action for action in _OWNERS if "Version" in action)
_UNTOLD: Final = Acl("", ())
"""The list of an object of which the backend says nothing that can be used: nobody is let in."""
_READ: Final = "read"
_WRITTEN: Final = "written"
_NOBODYS: Final = "nobody"
"""In place of the account of an object's owner that is none of an account."""


# What is asked.


def may_ask(asked: Asked, bucket: Bucket) -> bool:
    """Whether a request that names a key may need to know the list of an object; of nearly all it need not.

    `bucket` is the one that it names.
    """
    return bucket.may_have_acls or "CopySource" in asked.parameters


async def told_later(verdicts: Sequence[Verdict], asked: Asked, facts: Facts, backends: Backends) -> Facts | None:
    """The facts with the list that a denial among the verdicts rests on; None when it rests on none that can be known.

    That is of an object that another service reads for its caller: only its decision tells which one.
    """
    for verdict in verdicts:
        if not verdict.decision.allowed and _rests_on_list(verdict.request, asked, facts):
            arn = verdict.request.resource
            bucket, _, key = arn.partition("/")
            place = placing.of_bucket(bucket, asked, backends, facts)
            found = await _asked(asked, place.backend, bucket, {"Key": key}, facts)
            return replace(facts, object_acls={**facts.object_acls, (_READ, arn): found})
    return None


def _rests_on_list(request: Request, asked: Asked, facts: Facts) -> bool:
    arn = request.resource
    return (
        # S3's own requests, whose objects are known beforehand, have been told all.
        asked.operation.service != "s3"
        and is_s3(arn)
        and acls.may_have_acls(facts.known(bucket_of(arn)))
        and request.action in _OWNERS - _OF_VERSIONS
        and not request.any_of_kind
        and (_READ, arn) not in facts.object_acls
    )


async def told(asked: Asked, identity: Identity, backend: Backend, facts: Facts) -> Facts:
    """The facts with the lists of the objects that a request reads or writes, where lists may count."""
    found: dict[tuple[str, str], Acl | None] = {}
    for how, bucket, named in _wanted(asked, identity, facts):
        found[how, f"{bucket}/{named['Key']}"] = await _asked(asked, backend, bucket, named, facts)
    return replace(facts, object_acls=found) if found else facts


def _wanted(asked: Asked, identity: Identity, facts: Facts) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    given, name = asked.parameters, asked.operation.name
    bucket = f"arn:{asked.partition}:s3:::{given['Bucket']}"
    if acls.may_have_acls(facts.known(bucket)):
        if name in _READING:
            yield _READ, bucket, {one: given[one] for one in ("Key", "VersionId") if one in given}
        elif name in _WRITING and "WRITE" in _of_bucket(bucket, asked, identity, facts):
            yield _WRITTEN, bucket, {"Key": given["Key"]}
    if "CopySource" in given:
        source = s3.values(asked)
        place = f"arn:{asked.partition}:s3:::{source['source_bucket']}"
        if acls.may_have_acls(facts.known(place)):
            version = {"VersionId": source["source_version"]} if "source_version" in source else {}
            yield _READ, place, {"Key": source["source_key"], **version}


async def _asked(asked: Asked, backend: Backend, bucket: str, named: Mapping[str, str], facts: Facts) -> Acl | None:
    """The list of an object; None for one that is not there."""
    account = facts.bucket_owner(facts.get(bucket), asked.account)
    owner = canonical_ids.of_account(account, facts.view)
    if backend.embedded is None:
        # Nothing gets there but what is the bucket owner's alone.
        return acls.private(owner)
    given = {"Bucket": bucket.rpartition(":")[2], **named}
    try:
        found = await ask(backend, "s3", "GetObjectAcl", given, account=account, region=asked.region, now=asked.now)
    except NotToldError:
        return _UNTOLD
    return _list_in(found, owner, facts) if found is not None else None


def _list_in(found: Mapping[str, Any], bucket_owner: str, facts: Facts) -> Acl:
    """The list that an answer tells: iamd's own, or that of what was written without one."""
    owner = found["Owner"]["ID"]
    known = owner in {bucket_owner, canonical_ids.ANONYMOUS} or canonical_ids.account_of(owner, facts.view) is not None
    if not known:
        return acls.private(bucket_owner)
    grants = found.get("Grants") or ()
    return Acl(owner, tuple(Grant(one["Permission"], _grantee(one["Grantee"])) for one in grants))


def _grantee(told: Mapping[str, str]) -> str:
    return told.get("URI") or told.get("ID") or ""


# What is decided.


def decided(targets: Sequence[Target], identity: Identity, asked: Asked, facts: Facts, action: str) -> Sequence[Target]:
    """The targets as lists leave them for this caller; most are of no bucket that may have any."""
    for one in targets:
        if is_s3(one.arn) and facts.bucket(one.arn.partition("/")[0]).may_have_acls:
            return _all_decided(targets, identity, asked, facts, action)
    return targets


def _all_decided(
    targets: Sequence[Target], identity: Identity, asked: Asked, facts: Facts, action: str
) -> Sequence[Target]:
    return [found for target in targets for found in _decided(target, identity, asked, facts, action)]


def _decided(target: Target, identity: Identity, asked: Asked, facts: Facts, action: str) -> Sequence[Target]:
    bucket, named = bucket_of(target.arn), target.action or action
    if target.account is None or not is_s3(target.arn) or not acls.may_have_acls(facts.known(bucket)):
        return [target]
    is_made = asked.operation.service == "s3" and asked.operation.name in _MAKING and named not in _OF_SOURCES
    if bucket == target.arn or named not in _OWNERS or is_made:
        return [acls.opened(target, identity, _of_list(target, named, identity, asked, facts))]
    acl = facts.object_acls.get((_READ, target.arn), _UNTOLD)
    if acl is None:
        return [target]
    if acl is _UNTOLD:
        # SECURITY: what may be another account's is opened by nothing of the bucket's.
        return [replace(target, policies=(*target.policies, NOBODY))]
    return _of_object(target, acl, identity, asked, facts)


def _of_object(target: Target, acl: Acl, identity: Identity, asked: Asked, facts: Facts) -> Sequence[Target]:
    """An object: before its bucket's policies, or, where it is another account's, before what its owner opens."""
    account, bucket = target.account or "", bucket_of(target.arn)
    owner = canonical_ids.account_of(acl.owner, facts.view, account)
    lists = (acl,) if acls.has_acls(facts.known(bucket)) else ()
    given = acls.granted(lists, identity, facts.view, ignores_public=_ignores(bucket, account, asked, facts))
    allowed = acls.actions(given, acls.ON_OBJECT)
    if owner == account:
        return [acls.opened(target, identity, allowed)]
    refusing = replace(target, policies=acls.denying(target.policies))
    return [
        # The bucket's owner has a say, and its organization: it can refuse.
        acls.opened(refusing, identity, {"s3:*"}),
        acls.opened(replace(refusing, account=owner or _NOBODYS), identity, allowed),
    ]


def _of_list(target: Target, named: str, identity: Identity, asked: Asked, facts: Facts) -> frozenset[str]:
    """What the bucket's list allows a caller of another account on the bucket, or on an object that is written."""
    bucket = bucket_of(target.arn)
    given = _of_bucket(bucket, asked, identity, facts)
    if bucket == target.arn:
        return acls.actions(given, acls.ON_BUCKET)
    if "WRITE" not in given or asked.operation.service != "s3":
        return frozenset()
    present = facts.object_acls.get((_WRITTEN, target.arn), _UNTOLD)
    is_own = present is not None and _is_callers(present, identity, facts)
    if named == "s3:DeleteObject":
        return frozenset({named}) if is_own else frozenset()
    if present is not None and not is_own:
        # AWS: who does not own an object can't overwrite it by WRITE on the bucket.
        return frozenset()
    is_signed = identity.kind is not PrincipalKind.ANONYMOUS
    return frozenset({"s3:PutObject", "s3:PutObjectAcl"} if is_signed else {"s3:PutObject"})


def _is_callers(acl: Acl, identity: Identity, facts: Facts) -> bool:
    account = identity.account_id
    return account != "" and acl.owner == canonical_ids.of_account(account, facts.view)


def _of_bucket(bucket: str, asked: Asked, identity: Identity, facts: Facts) -> frozenset[str]:
    """The permissions that the bucket's list gives to a caller; to its owner's account it gives none."""
    account = facts.bucket_owner(facts.get(bucket), asked.account)
    if identity.account_id == account:
        return frozenset()
    lists = acls.of_bucket(facts.known(bucket))
    return acls.granted(lists, identity, facts.view, ignores_public=_ignores(bucket, account, asked, facts))


def _ignores(bucket: str, account: str, asked: Asked, facts: Facts) -> bool:
    if public_access.blocks("IgnorePublicAcls", facts, account, bucket):
        return True
    points = (asked.through.bucket, asked.through.source) if asked.through is not None else ()
    return any(point is not None and public_access.point_blocks("IgnorePublicAcls", facts, point) for point in points)


# What is answered.


def may_be_rewritten(operation: Operation) -> bool:
    """Whether the answers to an operation tell of a list that is iamd's to tell."""
    return operation.service == "s3" and operation.name == "GetObjectAcl"


def rewritten(answer: Answer, asked: Asked, bucket: str, account: str, facts: Facts) -> Answer:
    """The backend's answer of a list with the one that counts.

    AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage": what is in force is told.
    """
    acl = facts.object_acls.get((_READ, f"{bucket}/{asked.parameters['Key']}"))
    if acl is None or acl is _UNTOLD or not acls.has_acls(facts.known(bucket)):
        acl = acls.private(canonical_ids.of_account(account, facts.view))
    if _ignores(bucket, account, asked, facts):
        acl = acl.without(acls.PUBLIC)
    answer.close()
    own = written(asked.operation, bucket_ownership.shown(acl))
    kept = [pair for pair in answer.headers if pair[0] in {b"x-amz-version-id", b"x-amz-request-charged"}]
    return Answer(own.status, [*own.headers, *kept], own.whole or b"")
