"""Policy documents that IAM stores: checked as AWS checks them, and held to their quotas."""

import msgspec

from iamd.policy import document
from iamd.policy.kinds import PolicyType
from iamd.services.iam import quotas
from iamd.services.iam.errors import MalformedPolicyDocument

# AWS: white space does not count (IAM User Guide, "IAM and AWS STS quotas", reference_iam-quotas); these four
# characters are what JSON calls white space.
_WHITE_SPACE = " \t\r\n"


def size(text: str) -> int:
    """The characters of a document that count against its quota."""
    return len(text) - sum(map(text.count, _WHITE_SPACE))


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def check(text: str, kind: PolicyType) -> None:
    """Raise MalformedPolicyDocument unless `text` may be stored as a policy of this kind."""
    try:
        document.validate(text, kind)
    except document.MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.message) from malformed


def check_managed(text: str) -> None:
    """Raise AWS's refusal unless `text` may be a version of a customer managed policy."""
    check(text, PolicyType.IDENTITY)
    quotas.check("PolicySize", size(text), quotas.MANAGED_POLICY_SIZE)


def check_trust(text: str) -> None:
    """Raise AWS's refusal unless `text` may be a role's trust policy, whoever it names."""
    try:
        check(text, PolicyType.TRUST)
    except MalformedPolicyDocument:
        # AWS: a trust policy that is no JSON is called so; other policies have syntax errors (recorded, February 2026).
        if not _is_json(text):
            raise MalformedPolicyDocument("This policy contains invalid Json") from None
        raise
    quotas.check("ACLSizePerRole", size(text), quotas.ASSUME_ROLE_POLICY_SIZE)
