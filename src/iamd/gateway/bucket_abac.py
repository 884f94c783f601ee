"""Whether the tags of a bucket decide who may use it (ABAC): a fact that iamd keeps and answers by itself.

AWS: S3 User Guide, "Enabling ABAC in general purpose buckets"; S3 API Reference, PutBucketAbac and GetBucketAbac.
"""

from collections.abc import Mapping
from typing import Final

from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Effect, Kind, Of
from iamd.gateway.own_answers import written
from iamd.gateway.resources import Facts
from iamd.policy_places import bucket_of, is_s3
from iamd.wire.models import Operation

_ENABLED: Final = "Enabled"
_DISABLED: Final = "Disabled"
_STATUS: Final = "abac"
_PENDING: Final = "abac_pending"
_KEPT: Final = frozenset({"GetBucketAbac", "PutBucketAbac"})


class TaggedOtherwise(AWSError):
    """A request to tag a bucket with ABAC in the way of those without it.

    No page of AWS's has code or words; others have recorded them from AWS.
    """

    code = "BadRequest"
    status = 400


class OperationAborted(AWSError):
    """Something that must wait for what goes on (S3 API Reference, "Error responses")."""

    code = "OperationAborted"
    status = 409


def is_enabled(facts: Facts, bucket: str) -> bool | None:
    """Whether a bucket has ABAC; None while it is not settled."""
    known = facts.known(bucket)
    status = known.get(_STATUS, _DISABLED)
    return None if known.get(_PENDING, status) != status else status == _ENABLED


def may_count(facts: Facts, arn: str) -> bool:
    """Whether tags may be keys of decisions on a resource: those of a bucket without ABAC are not."""
    # SECURITY: what stands for every bucket may be for one with ABAC.
    return not is_s3(arn) or bucket_of(arn).endswith(":*") or is_enabled(facts, bucket_of(arn)) is not False


def is_kept(operation: Operation) -> bool:
    """Whether iamd itself answers an operation."""
    return operation.service == "s3" and operation.name in _KEPT


def answer(asked: Asked, arn: str, facts: Facts) -> Answer:
    """The answer for a bucket that is there."""
    result = {"AbacStatus": {"Status": facts.known(arn).get(_STATUS, _DISABLED)}}
    return written(asked.operation, result if asked.operation.name == "GetBucketAbac" else {})


def _put(asked: Asked, arn: str, facts: Facts) -> Effect:
    """ABAC is set; until that is settled, the tags may count or not, and nobody knows."""
    status = at(asked.parameters["AbacStatus"], "Status")
    if status not in {_ENABLED, _DISABLED}:
        raise CommonError(Common.MALFORMED)
    before = facts.known(arn)
    unsettled = {_PENDING: before[_PENDING]} if _PENDING in before else {}

    def done(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**_others(known), _STATUS: status} if status == _ENABLED else _others(known)

    def refused(known: Mapping[str, str]) -> Mapping[str, str]:
        return {**{name: value for name, value in known.items() if name != _PENDING}, **unsettled}

    return Effect(
        Kind.NOTE,
        arn,
        begun=lambda known: {**known, _PENDING: status},
        done=done,
        refused=refused if facts.get(arn) is not None else None,
    )


def _others(known: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in known.items() if name not in {_STATUS, _PENDING}}


def _check_tagging(words: str) -> Of:
    """Nothing, for a bucket without ABAC."""

    def check(_: Asked, arn: str, facts: Facts) -> None:
        has = is_enabled(facts, arn)
        if has is None:
            raise OperationAborted(
                "A conflicting conditional operation is currently in progress against this resource. Try again."
            )
        if has:
            raise TaggedOtherwise(
                "This S3 general purpose bucket has attribute-based access control (ABAC) enabled. " + words
            )

    return check


_TO_DELETE: Final = "To delete tags from this bucket, initiate an UntagResource request."
EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("s3", "PutBucketAbac"): _put,
    ("s3", "PutBucketTagging"): _check_tagging(
        f"To add tags to this bucket, initiate a TagResource request. {_TO_DELETE}"
    ),
    ("s3", "DeleteBucketTagging"): _check_tagging(_TO_DELETE),
}
