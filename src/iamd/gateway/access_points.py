"""Requests through S3's access points: which bucket one stands for, what is decided on it, and what is sent on.

AWS: S3 User Guide, "Configuring IAM policies for using access points": the access point and its bucket must both
permit the request. What a point is, iamd knows from the requests that made it and set its policy.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from msgspec.structs import replace

from iamd.arn import partition_of
from iamd.auth.identity import Identity
from iamd.authz.public_access import NOBODY
from iamd.authz.public_policies import is_public
from iamd.authz.target import Target
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import ALIAS, ALIAS_END, BUCKET, VPC, Point, Through, point_of
from iamd.gateway.actions.s3 import InvalidBucketName
from iamd.gateway.answer import Answer
from iamd.gateway.public_access import point_blocks
from iamd.gateway.resources import Facts, policies_of
from iamd.http import HttpRequest
from iamd.store.account import Snapshot
from iamd.store.records import Resource
from iamd.vpc_endpoint import VpcEndpoint
from iamd.wire.route import Route

IsAlive = Callable[[Resource], bool]

# AWS: S3 User Guide, "Access point compatibility"; from PutObjectAcl on, the guide's earlier page on it, "Using access
# points with compatible Amazon S3 operations".
_SUPPORTED: Final = frozenset(
    {
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
        "DeleteObjectTagging", "DeleteObjects", "GetBucketAcl", "GetBucketCors", "GetBucketLocation",
        "GetBucketNotificationConfiguration", "GetBucketPolicy", "GetObject", "GetObjectAcl", "GetObjectAttributes",
        "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "HeadBucket", "HeadObject",
        "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts", "PutObject",
        "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "RestoreObject", "UploadPart",
        "UploadPartCopy",
    }
)  # fmt: skip
_OTHER_ENDS: Final = ("--ol-s3", ".mrap")
_NO_BUCKETS: Final = (ALIAS_END, *_OTHER_ENDS)
"""The ends of names that no bucket has."""
"""How aliases of Object Lambda's and of several regions' access points end, which iamd does not serve."""

_LABEL: Final = re.compile(r"arn:aws:s3:(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}):accesspoint/(?P<name>[a-z0-9-]+)")
# SECURITY: read in this one way, and sent on as the bucket's name; every other ARN is refused.
_SOURCE: Final = re.compile(
    r"/?arn(?::|%3A)(?P<partition>[a-z-]+)(?::|%3A)s3(?::|%3A)(?P<region>[a-z0-9-]+)(?::|%3A)(?P<account>[0-9]{12})"
    r"(?::|%3A)accesspoint(?:/|%2F)(?P<name>[a-z0-9-]+)(?:/|%2F)object(?:/|%2F)(?P<rest>[!-~]+)",
    re.ASCII | re.IGNORECASE,
)
_COPY_SOURCE: Final = b"x-amz-copy-source"


class NoSuchAccessPoint(AWSError):
    """An access point that is not there (S3 API Reference, "Error responses")."""

    code = "NoSuchAccessPoint"
    status = 404


class InvalidAlias(AWSError):
    """An alias that no access point has (S3 API Reference, "Error responses")."""

    code = "InvalidAccessPointAliasError"
    status = 400


def opened(asked: Asked, found: Route, view: Snapshot, is_alive: IsAlive, endpoint: VpcEndpoint | None = None) -> Asked:
    """The request as it is for the buckets behind the access points that it names; as it was when it names none.

    `endpoint` is the VPC endpoint that it came through.
    """
    points = _Points(asked.region, view, is_alive)
    _check_name(asked)
    bucket, source = points.of_bucket(found, asked.parameters), points.of_source(asked.parameters)
    if bucket is None and source is None:
        return asked
    if asked.operation.name not in _SUPPORTED:
        raise CommonError(Common.UNKNOWN_OPERATION, "The specified method is not allowed against this resource.")
    named = {"Bucket": bucket.bucket} if bucket is not None else {}
    copied = {"CopySource": source[1]} if source is not None else {}
    vpc = endpoint.vpc if endpoint is not None else None
    through = Through(bucket, source[0] if source is not None else None, vpc)
    return replace(asked, parameters={**asked.parameters, **named, **copied}, through=through)


def region_of(parameters: Mapping[str, Any]) -> str | None:
    """The Region that the host of an access point tells; None where it tells none, or is another."""
    match = _LABEL.fullmatch(str(parameters.get("Bucket")))
    return match["region"] or None if match is not None else None


def may_name_one(found: Route, parameters: Mapping[str, Any]) -> bool:
    """Whether a request may be for an access point; nearly all surely name buckets alone."""
    if found.style == "access point" or "CopySource" in parameters:
        return True
    return str(parameters.get("Bucket")).endswith(_NO_BUCKETS)


def _check_name(asked: Asked) -> None:
    """AWS: S3 User Guide, "General purpose bucket naming rules": the ends of names that buckets must not have."""
    name = asked.parameters.get("Bucket")
    if asked.operation.name == "CreateBucket" and str(name).endswith(_NO_BUCKETS):
        raise InvalidBucketName("The specified bucket is not valid.", members={"BucketName": name})


class _Points:
    """The access points of a Region, as one view has them."""

    def __init__(self, region: str, view: Snapshot, is_alive: IsAlive) -> None:
        self._region = region
        self._view = view
        self._is_alive = is_alive

    def of_bucket(self, found: Route, parameters: Mapping[str, Any]) -> Point | None:
        """The access point in the place of the bucket's name; None when it is a bucket's."""
        name = parameters.get("Bucket")
        if not isinstance(name, str):
            return None
        if found.style != "access point":
            return self._of_alias(name)
        match = _LABEL.fullmatch(name)
        if match is None:
            raise NoSuchAccessPoint("The specified access point does not exist.")
        if match["region"] not in {"", self._region}:
            raise CommonError(
                Common.SIGNATURE_MISMATCH, f"Credential should be scoped to the region of the host: {match['region']}. "
            )
        return self._of_arn(partition_of(self._region), match["account"], match["name"])

    def _of_arn(self, partition: str, account: str, name: str) -> Point:
        found = self._view.shared.get(Resource, f"arn:{partition}:s3:{self._region}:{account}:accesspoint/{name}")
        if found is None or not self._is_alive(found) or BUCKET not in found.facts:
            raise NoSuchAccessPoint("The specified access point does not exist.")
        return Point(found)

    def _of_alias(self, name: str) -> Point | None:
        """The access point of this alias; None for the name of a bucket."""
        if name.endswith(_OTHER_ENDS):
            raise CommonError(
                Common.NOT_IMPLEMENTED, "iamd serves no access points of several regions or of Object Lambda."
            )
        if not name.endswith(ALIAS_END):
            return None
        for found in self._view.shared.find(Resource, ALIAS, name):
            if self._is_alive(found) and BUCKET in found.facts and f":s3:{self._region}:" in found.arn:
                return Point(found)
        raise InvalidAlias("The specified access point alias name is not valid.")

    def of_source(self, parameters: Mapping[str, Any]) -> tuple[Point, str] | None:
        """The access point of what is copied, and the source with its bucket's name."""
        text = parameters.get("CopySource")
        if not isinstance(text, str):
            return None
        match = _SOURCE.fullmatch(text)
        if match is not None and (match["partition"], match["region"]) == (partition_of(self._region), self._region):
            point = self._of_arn(match["partition"], match["account"], match["name"])
            return point, f"{point.bucket}/{match['rest']}"
        name, _slash, rest = text.removeprefix("/").partition("/")
        found = self._of_alias(unquote(name))
        if found is None:
            # Everything else that is no bucket's name is refused where sources are read.
            return None
        if not rest.isascii() or not rest.isprintable():
            raise CommonError(Common.MALFORMED_HEADER, "The copy source is not one line of ASCII.")
        return found, f"{found.bucket}/{rest}"


def check(asked: Asked) -> None:
    """Refuse whom no access point lets in."""
    if not asked.account:
        # AWS: S3 User Guide, "Access points restrictions and limitations": no anonymous access.
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")


def before(behind: Sequence[Target], asked: Asked, identity: Identity, facts: Facts) -> Sequence[Target]:
    """All that must be allowed: on the access points, then what is asked of the buckets behind them, with their keys.

    What goes through no access point stays as it is.
    """
    through = asked.through
    if through is None:
        return behind
    on_points: dict[tuple[str, str | None, tuple[str, ...]], Target] = {}
    on_buckets: list[Target] = []
    for target in behind:
        point = point_of(through, asked.operation.name, target.action or "")
        if point is None:
            on_buckets.append(target)
            continue
        _check_bucket(target, point)
        on_buckets.append(replace(target, context={**target.context, **point.keys}))
        for one in _on_point(target, point, through.vpc, identity, facts):
            on_points[one.arn, one.action, one.policies] = one
    return [*on_points.values(), *on_buckets]


def _check_bucket(target: Target, point: Point) -> None:
    # SECURITY: a bucket of the same name that another account has made since is not the one that the point is for.
    if target.account != point.bucket_account:
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")


def _on_point(target: Target, point: Point, vpc: str | None, identity: Identity, facts: Facts) -> list[Target]:
    """What is asked of the access point: twice while it is not settled which policy it has."""
    context = {**target.context, **point.keys, "s3:resourceaccount": point.account}
    closed = (NOBODY,) if _is_closed(point, vpc, identity, facts) else ()
    return [
        Target(
            arn=point.arn_of(target.arn),
            action=target.action,
            account=point.account,
            context=context,
            policies=(*texts, *closed),
        )
        for texts in policies_of(point.record)
    ]


def _is_closed(point: Point, vpc: str | None, identity: Identity, facts: Facts) -> bool:
    """Whether an access point is closed to a caller, whatever its policy says; `vpc` is where it comes from."""
    if point.origin == VPC:
        # AWS: S3 User Guide, "Creating access points restricted to a virtual private cloud": requests that do not come
        # from that VPC are refused, and such a point's policy is never public.
        return vpc is None or vpc != point.vpc
    if identity.service is not None or identity.account_id in {point.account, point.bucket_account}:
        return False
    # AWS: "Blocking public access to your Amazon S3 storage", RestrictPublicBuckets.
    return any(map(is_public, point.policies)) and point_blocks("RestrictPublicBuckets", facts, point)


def rewritten(request: HttpRequest, asked: Asked, style: str | None) -> HttpRequest:
    """The request as the backend of the buckets gets it, which knows no access points: with buckets in their place.

    SECURITY: the bucket that was decided on stands in the path, whatever host or path named its access point.
    """
    through = asked.through
    if through is None:
        return request
    path, headers = request.path, request.headers
    if through.bucket is not None:
        key = path if style != "path" else b"/" + path[1:].partition(b"/")[2]
        path = b"/" + through.bucket.bucket.encode() + (key if key != b"/" else b"")
    if through.source is not None:
        source = str(asked.parameters["CopySource"]).encode("ascii")
        headers = [*(pair for pair in headers if pair[0] != _COPY_SOURCE), (_COPY_SOURCE, source)]
    return replace(request, path=path, headers=headers, fields={}, repeats_headers=False)


def told(answer: Answer, asked: Asked, style: str | None) -> Answer:
    """The answer, of HeadBucket with what S3 tells of the name that was used (S3 API Reference, HeadBucket)."""
    if asked.operation.name == "HeadBucket" and asked.through is not None and answer.status < 300:
        by_alias = b"false" if style == "access point" else b"true"
        answer.headers = [*answer.headers, (b"x-amz-access-point-alias", by_alias)]
    return answer
