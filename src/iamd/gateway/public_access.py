"""S3 Block Public Access of buckets and of accounts: which settings are on, and what they refuse over every backend.

iamd keeps the settings and answers for them by itself, but before AWS, which gets them as well. AWS: S3 User Guide,
"Blocking public access to your Amazon S3 storage"; S3 API Reference, PutPublicAccessBlock of S3 and of S3 Control.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.authz import public_access as restrictions
from iamd.authz.public_access import NOBODY, PENDING, SETTINGS, SETTLED, of_account, place_of
from iamd.authz.public_policies import has_public_acl, is_public
from iamd.authz.target import Target
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import bucket_policies, policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import Point
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Effect, Kind, Of
from iamd.gateway.own_answers import written
from iamd.gateway.resources import Facts
from iamd.policy.trust import InvalidPrincipal
from iamd.policy_places import bucket_of, is_s3
from iamd.wire.models import Operation

_CONFIGURATION: Final = "PublicAccessBlockConfiguration"
_KEPT: Final = frozenset({"DeletePublicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock"})
_WITH_ACL: Final = frozenset({"CopyObject", "CreateMultipartUpload", "PutBucketAcl", "PutObject", "PutObjectAcl"})
# AWS: the words of the denials are those that others have recorded.
_POLICY_WORDS: Final = "public policies are blocked by the BlockPublicPolicy block public access setting"
_ACL_WORDS: Final = "public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting"


class NoSuchPublicAccessBlock(AWSError):
    """A bucket or an account without a block (S3 API Reference, "Error responses")."""

    code = "NoSuchPublicAccessBlockConfiguration"
    status = 404


class PublicAclOfNew(AWSError):
    """A bucket that is to be made with a public ACL; others have recorded code and words from AWS."""

    code = "InvalidBucketAclWithBlockPublicAccessError"
    status = 400


class PublicPolicy(AWSError):
    """A secret's policy for everybody, where that is blocked (Secrets Manager API Reference, PutResourcePolicy)."""

    code = "PublicPolicyException"
    status = 400


# Which settings are on.


def blocks(setting: str, facts: Facts, account: str, bucket: str | None = None) -> bool:
    """Whether a setting is on for a bucket of an account, or for the account: for one of both, settled or not."""
    return restrictions.blocks(setting, facts.view, account, facts.known(bucket) if bucket is not None else {})


def point_blocks(setting: str, facts: Facts, point: Point) -> bool:
    """Whether a setting is on for what goes through an access point: for it, its account, its bucket or the bucket's
    account.
    """
    bucket = f"{point.arn.partition(':s3:')[0]}:s3:::{point.bucket}"
    return (
        point.blocks(setting)
        or blocks(setting, facts, point.account)
        or blocks(setting, facts, point.bucket_account, bucket)
    )


# What they refuse.


def is_checked(operation: Operation) -> bool:
    """Whether requests of an operation may be refused for what they make public."""
    if (operation.service, operation.name) == _OF_SECRET:
        return True
    return operation.service == "s3" and operation.name in _WITH_ACL | {"CreateBucket", "PutBucketPolicy"}


def check(asked: Asked, targets: Sequence[Target], identity: Identity, facts: Facts) -> None:
    """Refuse a public policy and public ACLs where they are blocked."""
    if (asked.operation.service, asked.operation.name) == _OF_SECRET:
        _check_secret(asked.parameters)
    if asked.operation.service != "s3" or "Bucket" not in asked.parameters:
        return
    name = asked.operation.name
    if name == "PutBucketPolicy":
        _check_policy(asked, targets, identity, facts)
    elif name in _WITH_ACL and has_public_acl(asked.parameters) and _is_blocked("BlockPublicAcls", asked, facts):
        raise _denied(_ACL_WORDS, asked, targets, identity)
    elif name == "CreateBucket" and has_public_acl(asked.parameters):
        # A new bucket blocks them.
        raise PublicAclOfNew("Bucket cannot have public ACLs set with BlockPublicAccess enabled")


_OF_SECRET: Final = ("secretsmanager", "PutResourcePolicy")


def _check_secret(parameters: Mapping[str, Any]) -> None:
    """AWS: Secrets Manager API Reference, PutResourcePolicy, BlockPublicPolicy; what is broad access is S3's rule."""
    if parameters.get("BlockPublicPolicy") is True and is_public(str(parameters.get("ResourcePolicy"))):
        raise PublicPolicy("The BlockPublicPolicy parameter is set to true, and the policy gives broad access.")


def _check_policy(asked: Asked, targets: Sequence[Target], identity: Identity, facts: Facts) -> None:
    text = asked.parameters.get("Policy")
    if isinstance(text, str) and _is_blocked("BlockPublicPolicy", asked, facts) and is_public(text, of_bucket=True):
        try:
            bucket_policies.check(text, f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}")
        except InvalidPrincipal as problem:
            raise policy_principals.refused(problem.member, problem.value, asked) from None
        raise _denied(_POLICY_WORDS, asked, targets, identity)


def _is_blocked(setting: str, asked: Asked, facts: Facts) -> bool:
    bucket = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}"
    if blocks(setting, facts, facts.bucket_owner(facts.get(bucket), asked.account), bucket):
        return True
    point = asked.through.bucket if asked.through is not None else None
    return point is not None and point_blocks(setting, facts, point)


def _denied(words: str, asked: Asked, targets: Sequence[Target], identity: Identity) -> CommonError:
    own = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}"
    found = next(one for one in targets if bucket_of(one.arn) == own and not (one.action or "").startswith("s3:Get"))
    if found.account != identity.account_id or identity.arn is None:
        # AWS: callers of other accounts are told nothing.
        return CommonError(Common.ACCESS_DENIED, "Access Denied")
    action = found.action or f"s3:{asked.operation.name}"
    message = f'User: {identity.arn} is not authorized to perform: {action} on resource: "{found.arn}" because {words}.'
    return CommonError(Common.ACCESS_DENIED, message)


def closed(targets: Sequence[Target], identity: Identity, asked: Asked, facts: Facts) -> Sequence[Target]:
    """The targets as they are for this caller, whatever service asks for them.

    Buckets with public policies are closed to all but their own account's callers and AWS's services where that is set.
    """
    return [
        replace(one, policies=(*one.policies, NOBODY))
        if one.policies and _is_closed(one, identity, asked, facts)
        else one
        for one in targets
    ]


def _is_closed(target: Target, identity: Identity, asked: Asked, facts: Facts) -> bool:
    account = target.account
    if account is None or not is_s3(target.arn) or not restrictions.is_closable(target, identity):
        return False
    # SECURITY: that the caller's account has the access point opens nothing: anybody may make one on this bucket.
    bucket = bucket_of(target.arn)
    points = (asked.through.bucket, asked.through.source) if asked.through is not None else ()
    return blocks("RestrictPublicBuckets", facts, account, bucket) or any(
        point is not None
        and bucket.endswith(f":{point.bucket}")
        and point_blocks("RestrictPublicBuckets", facts, point)
        for point in points
    )


# The settings themselves.


def may_be_kept(operation: Operation) -> bool:
    """Whether an operation is about the settings of a bucket or an account."""
    return operation.service in {"s3", "s3control"} and operation.name in _KEPT


def answer(asked: Asked, arn: str, facts: Facts) -> Answer:
    """The answer for an account, or for a bucket that is there."""
    if asked.operation.name != "GetPublicAccessBlock":
        return written(asked.operation, {})
    known = of_account(facts.view, asked.account) if asked.operation.service == "s3control" else facts.known(arn)
    if SETTLED not in known:
        raise NoSuchPublicAccessBlock("The public access block configuration was not found")
    on = known[SETTLED].split()
    return written(asked.operation, {_CONFIGURATION: {setting: setting in on for setting in SETTINGS}})


def _text(given: Mapping[str, Any]) -> str:
    """The settings that are on; one that is not named is off."""
    return " ".join(setting for setting in SETTINGS if given.get(setting) is True)


def _put(asked: Asked, arn: str, facts: Facts) -> Effect:
    text, is_of_account = _text(asked.parameters[_CONFIGURATION]), asked.operation.service == "s3control"
    before = of_account(facts.view, asked.account) if is_of_account else facts.known(arn)
    unsettled = {PENDING: before[PENDING]} if PENDING in before else {}

    def begun(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**known, PENDING: text}

    def done(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**_without(known, text), SETTLED: text}

    def refused(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**unsettled, **_without(known, text)}

    if is_of_account:
        return Effect(Kind.NOTE, place_of(asked.account), begun=begun, done=done, refused=refused, lasts=True)
    is_known = facts.get(arn) is not None
    return Effect(Kind.NOTE, arn, begun=begun, done=done, refused=refused if is_known else None)


def of_new(known: Mapping[str, str]) -> Mapping[str, str]:
    """What is known of a bucket that is being made.

    AWS: S3 User Guide, "Default settings for new S3 buckets FAQ": since April 2023 all four settings are on.
    """
    return {SETTLED: " ".join(SETTINGS), **known}


def _without(known: Mapping[str, str], pending: str) -> dict[str, str]:
    """What is known once a request is settled: nothing of it is pending any more, but what came behind it is."""
    return {name: value for name, value in known.items() if name != PENDING or value != pending}


def _delete(asked: Asked, arn: str, facts: Facts) -> Effect | None:
    """Until it is done, the settings count."""
    if asked.operation.service == "s3control":
        return Effect(Kind.END, place_of(asked.account), lasts=True)
    if facts.get(arn) is None:
        return None
    return Effect(Kind.NOTE, arn, done=lambda known: dict(_others(known)))


def _others(known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in known.items() if name not in {SETTLED, PENDING})


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    (service, name): effect
    for service in ("s3", "s3control")
    for name, effect in (("PutPublicAccessBlock", _put), ("DeletePublicAccessBlock", _delete))
}
