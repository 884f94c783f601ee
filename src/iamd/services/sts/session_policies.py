"""Session policies: what narrows a session beyond the role's own policies."""

import zlib
from collections.abc import Mapping, Sequence

from iamd.call import Call
from iamd.policy.document import MalformedPolicy, PolicyType, validate
from iamd.policy.request import Context
from iamd.services.iam import entities
from iamd.services.sts.errors import MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError

MAX_CHARACTERS = 2048
"""AWS: the plaintext of inline and managed session policies together (STS API Reference, AssumeRole, Policy)."""

MAX_ARNS = 10
PACKED_BYTES = 2048
"""The size that PackedPolicySize is a percentage of; AWS keeps its own to itself."""


def checked(
    call: Call, account_id: str, policy: str | None, arns: Sequence[Mapping[str, str]], *, whose: str = "role"
) -> tuple[str, ...]:
    """The ARNs of the managed session policies, once they and the inline one can be session policies.

    They are in the account of the role, or of the user, whose session it is.
    """
    if policy is None and not arns:
        return ()
    if policy is not None:
        _check(policy)
    if len(arns) > MAX_ARNS:
        raise PackedPolicyTooLarge(f"You can attach at most {MAX_ARNS} managed session policies.")
    named = tuple(arn["arn"] for arn in arns if "arn" in arn)
    if len(named) != len(arns):
        raise ValidationError("Every entry of PolicyArns must have an arn.")
    for arn in named:
        if entities.policy_in(call.account_of(account_id), arn) is None:
            raise ValidationError(f"Policy {arn} does not exist in the account of the {whose}.")
    if len(policy or "") + sum(map(len, named)) > MAX_CHARACTERS:
        raise PackedPolicyTooLarge("The session policies exceed 2048 characters.")
    return named


def _check(policy: str) -> None:
    try:
        validate(policy, PolicyType.SESSION)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(error.message) from error


def packed_size(
    policy: str | None, arns: Sequence[str], tags: Mapping[str, str], claims: Context | None = None
) -> int | None:
    """How much of a session's room policies, tags and a token's claims take, in percent; None when there are none."""
    if policy is None and not arns and not tags and not claims:
        return None
    parts = [policy or "", *arns, *(part for tag in tags.items() for part in tag)]
    for key, value in (claims or {}).items():
        parts += [key, *([value] if isinstance(value, str) else value)]
    packed = len(zlib.compress("\0".join(parts).encode(), 9))
    percent = max(1, -(-packed * 100 // PACKED_BYTES))
    if percent > 100:
        raise PackedPolicyTooLarge(f"Packed size of session tags consumes {percent}% of allotted space.")
    return percent
