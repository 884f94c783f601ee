"""What S3 Control's calls do to what iamd knows of access points: their bucket, alias, policy and public access block.

AWS: S3 API Reference, CreateAccessPoint, PutAccessPointPolicy and GetAccessPointPolicyStatus; S3 User Guide, "Access
points naming rules, restrictions, and limitations".
"""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

from iamd.authz.public_access import SETTINGS
from iamd.authz.public_policies import is_public
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.points import ALIAS, ALIAS_END, BLOCKS, BUCKET, INTERNET, ORIGIN, OWNER, VPC, VPC_ID, Point
from iamd.gateway.actions.s3control import InvalidRequest
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Effect, Kind, Of, checked, clear, end
from iamd.gateway.own_answers import written
from iamd.gateway.public_access import blocks
from iamd.gateway.resources import Facts
from iamd.policy_places import is_of_point
from iamd.store.records import Resource
from iamd.wire.models import Operation

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]", re.ASCII)
_ALIAS: Final = re.compile(r"[a-z0-9-]{1,247}" + ALIAS_END, re.ASCII)
_LONGEST_POLICY: Final = 20 * 1024
"""AWS: "Access point policies are limited to 20 KB in size"."""
_POLICY: Final = re.compile(r"<Policy>(.*?)</Policy>", re.DOTALL)


class AccessPointAlreadyOwnedByYou(AWSError):
    """A name that another access point of the account has in the Region (S3 API Reference, "Error responses")."""

    code = "AccessPointAlreadyOwnedByYou"
    status = 409


class BucketHasAccessPointsAttached(AWSError):
    """A bucket that must not go before its access points (S3 API Reference, "Error responses")."""

    code = "BucketHasAccessPointsAttached"
    status = 400


class InvalidPolicy(AWSError):
    """A policy that no access point can have."""

    code = "MalformedPolicy"
    status = 400


class NoSuchAccessPointPolicy(AWSError):
    """An access point without a policy."""

    code = "NoSuchAccessPointPolicy"
    status = 404


def point_of(found: Resource | None) -> Point | None:
    """The access point that a record is of; None when it is not known what it stands for."""
    return Point(found) if found is not None and BUCKET in found.facts else None


def _make(asked: Asked, arn: str, facts: Facts) -> Effect:
    given = asked.parameters
    name, bucket = str(given["Name"]), str(given["Bucket"])
    if "Scope" in given or name.endswith("--xa-s3") or bucket.endswith("--x-s3"):
        raise CommonError(Common.NOT_IMPLEMENTED, "iamd serves no access points of directory buckets.")
    if not _NAME.fullmatch(name) or name.endswith(ALIAS_END):
        raise InvalidRequest(f"{name} is not valid.")
    if point_of(facts.get(arn)) is not None:
        raise AccessPointAlreadyOwnedByYou("An access point with an identical name already exists in your account.")
    if _owner(asked, facts) != (given.get("BucketAccountId") or asked.account):
        # AWS: "For cross-account access point [...] the BucketAccountId is required" (CreateAccessPoint).
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")
    # A policy that was set on another access point of this name is none of this one's.
    return Effect(Kind.MAKE, arn, has_policy=True)


def _owner(asked: Asked, facts: Facts) -> str:
    bucket = facts.get(f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}")
    if bucket is None and facts.forgets:
        raise InvalidRequest("An access point can be created only for an existing bucket.")
    return facts.bucket_owner(bucket, asked.account)


def _put_policy(asked: Asked, arn: str, facts: Facts) -> Effect:
    text = str(asked.parameters["Policy"])
    if len(text.encode()) > _LONGEST_POLICY:
        raise InvalidPolicy("Policy exceeds the maximum allowed document size.")
    policy, point = checked(text, InvalidPolicy), point_of(facts.get(arn))
    if point is not None and point.origin != VPC and is_public(policy) and _blocks_policy(point, asked, facts):
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")
    return Effect(Kind.SET_POLICY, arn, policy, has_policy=True)


def _blocks_policy(point: Point, asked: Asked, facts: Facts) -> bool:
    """AWS: "Blocking public access to your Amazon S3 storage", BlockPublicPolicy.

    A bucket's is for "all of the bucket's same-account access points".
    """
    is_of_same = point.account == point.bucket_account
    bucket = f"arn:{asked.partition}:s3:::{point.bucket}" if is_of_same else None
    return point.blocks("BlockPublicPolicy") or blocks("BlockPublicPolicy", facts, point.account, bucket)


def end_bucket(_: Asked, arn: str, facts: Facts) -> Effect:
    """DeleteBucket: the bucket is gone, unless access points stand for it."""
    name = arn.rpartition(":")[2]
    for record in facts.view.shared.all(Resource):
        if record.facts.get(BUCKET) == name and is_of_point(record.arn) and record.backend_boot == facts.boot:
            raise BucketHasAccessPointsAttached(
                "The bucket you tried to delete has access points attached. Delete your access points before deleting "
                "your bucket."
            )
    return Effect(Kind.END, arn)


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("s3control", "CreateAccessPoint"): _make,
    ("s3control", "DeleteAccessPoint"): end,
    ("s3control", "PutAccessPointPolicy"): _put_policy,
    ("s3control", "DeleteAccessPointPolicy"): clear,
    ("s3", "DeleteBucket"): end_bucket,
}


def told_of(alias: str, asked: Asked) -> tuple[str, dict[str, str]] | None:
    """What making an access point tells of it: once its alias is known, requests can be made through it."""
    if not _ALIAS.fullmatch(alias):
        return None
    given = asked.parameters
    block = given.get("PublicAccessBlockConfiguration") or {}
    # AWS: all settings are on unless the request says otherwise ("Managing public access to access points").
    blocks = " ".join(setting for setting in SETTINGS if block.get(setting, True) is not False)
    arn = f"arn:{asked.partition}:s3:{asked.region}:{asked.account}:accesspoint/{given['Name']}"
    vpc = at(given, "VpcConfiguration.VpcId")
    return arn, {
        **({VPC_ID: str(vpc)} if vpc else {}),
        ALIAS: alias,
        BUCKET: str(given["Bucket"]),
        OWNER: str(given.get("BucketAccountId") or asked.account),
        ORIGIN: VPC if vpc else INTERNET,
        BLOCKS: blocks,
    }


def policy_in(body: bytes) -> str | None:
    """The policy in an answer of GetAccessPointPolicy."""
    match = _POLICY.search(body.decode("utf-8", "replace"))
    return unescape(match[1]) if match is not None else None


def status_answer(asked: Asked, arn: str, facts: Facts) -> Answer | None:
    """The answer of GetAccessPointPolicyStatus; None lets the backend answer for what iamd does not know."""
    point = point_of(facts.get(arn)) if asks_status(asked.operation) else None
    if point is None:
        return None
    if not point.policies:
        raise NoSuchAccessPointPolicy("The specified accesspoint policy does not exist")
    status: dict[str, Any] = {"IsPublic": point.origin != VPC and any(map(is_public, point.policies))}
    return written(asked.operation, {"PolicyStatus": status})


def asks_status(operation: Operation) -> bool:
    """Whether an operation asks if a policy is public."""
    return (operation.service, operation.name) == ("s3control", "GetAccessPointPolicyStatus")
