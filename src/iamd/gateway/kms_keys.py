"""Decisions on KMS keys: by the key policy, which nobody gets past, the root user included, and by grants.

AWS: KMS Developer Guide, "Key policies in AWS KMS" ("Allows access to the AWS account and enables IAM policies") and
"Grants in AWS KMS". A key whose policy iamd does not know, as it was made beside it, is decided by identity policies;
on a backend that lives with iamd a key is made through it, or is not there.
"""

from typing import Final

from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.authz import kms_grants
from iamd.authz.authorize import caller_of
from iamd.authz.policies import EVERYTHING
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.kms import NotFound
from iamd.policy.document import MalformedPolicy, PolicyType, load, validate
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.request import Request
from iamd.policy.trust import InvalidPrincipal
from iamd.store.account import Snapshot
from iamd.store.records import Resource

LARGEST_POLICY: Final = 32_768
"""KMS Developer Guide, "Resource quotas"."""
INVALID_PRINCIPALS: Final = "Policy contains a statement with one or more invalid principals."
_SETS_POLICY: Final = frozenset({"CreateKey", "PutKeyPolicy", "ReplicateKey"})


class MalformedPolicyDocument(AWSError):
    """A key policy that KMS does not take (KMS API Reference, PutKeyPolicy)."""

    code = "MalformedPolicyDocumentException"
    status = 400


class LimitExceeded(AWSError):
    """A key policy that is too large (KMS Developer Guide, "Resource quotas")."""

    code = "LimitExceededException"
    status = 400


def is_key(arn: str) -> bool:
    """Tell whether the ARN is a KMS key's."""
    return ":kms:" in arn and ":key/" in arn and arn.split(":", 3)[2] == "kms"


def check_known(arn: str, known: Resource | None, *, forgets: bool) -> None:
    """On a backend that forgets, a key that iamd has not seen made is none."""
    # SECURITY: its policy could not be seen; `key/*` stands for keys of which each would have to be allowed.
    if forgets and known is None and not arn.endswith(":key/*"):
        raise NotFound(f"Key '{arn}' does not exist")


def targets(target: Target, known: Resource | None, sets: tuple[tuple[str, ...], ...]) -> list[Target]:
    """The key as it is decided on: for each set of policies that may be in force, with its grants beside."""
    found = kms_grants.policies(known.facts) if known is not None else ()
    return [replace(target, policies=(*texts, *found), kms_key=bool(texts)) for texts in sets]


def check_lockout(asked: Asked, arn: str, identity: Identity, view: Snapshot, now: int) -> None:
    """A new key policy must be one, and let its caller change it again, unless the caller wants it otherwise.

    AWS: KMS API Reference, PutKeyPolicy: BypassPolicyLockoutSafetyCheck; the policies of the caller do not count.
    """
    text = asked.parameters.get("Policy")
    if asked.operation.name not in _SETS_POLICY or text is None:
        return
    if len(text.encode()) > LARGEST_POLICY:
        raise LimitExceeded(f"The key policy is larger than {LARGEST_POLICY} bytes.")
    try:
        validate(text, PolicyType.RESOURCE)
    except InvalidPrincipal:
        raise MalformedPolicyDocument(INVALID_PRINCIPALS) from None
    except MalformedPolicy as problem:
        raise MalformedPolicyDocument(f"{problem}") from None
    if asked.parameters.get("BypassPolicyLockoutSafetyCheck"):
        return
    caller = caller_of(identity, view, now)
    keys = {**caller.context, "kms:calleraccount": asked.account}
    request = Request(caller.principal, "kms:PutKeyPolicy", arn, asked.account, keys)
    everything = (load(EVERYTHING, PolicyType.IDENTITY),)
    layers = Layers(identity=everything, resource=(load(text, PolicyType.RESOURCE),), gate=Gate.KMS_KEY)
    if not decide(request, layers).allowed:
        raise MalformedPolicyDocument("The new key policy will not allow you to update the key policy in the future.")
