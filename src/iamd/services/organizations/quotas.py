"""Organizations' quotas, and the refusal of what would go beyond one.

AWS: Organizations User Guide, "Quotas and service limits for AWS Organizations" (orgs_reference_limits). SCPs have ten
places on each node and 10,240 characters since 15 May 2026. Of accounts AWS allows ten until asked for more; here there
may be as many as it ever allows.
"""

from collections.abc import Mapping

from iamd.data.organization_policies import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from iamd.services.organizations.errors import ConstraintViolation

ACCOUNTS = 50_000
UNITS = 2_000
DEPTH = 5
TAGS = 50
DAYS_BEFORE_REMOVAL = 7
"""AWS: how old a created account must be before it can be removed from the organization (the same page)."""

POLICIES: Mapping[str, int] = {SERVICE_CONTROL_POLICY: 10_000, RESOURCE_CONTROL_POLICY: 1_000}
ATTACHED: Mapping[str, int] = {SERVICE_CONTROL_POLICY: 10, RESOURCE_CONTROL_POLICY: 5}
"""How many policies of a type one root, unit or account has at most, AWS's own included."""

POLICY_SIZE: Mapping[str, int] = {SERVICE_CONTROL_POLICY: 10_240, RESOURCE_CONTROL_POLICY: 5_120}
"""Characters, white space included."""

_WORDS: Mapping[str, str] = {
    "ACCOUNT_NUMBER_LIMIT_EXCEEDED": "You have exceeded the allowed number of AWS accounts.",
    "OU_NUMBER_LIMIT_EXCEEDED": "You have exceeded the allowed number of organizational units.",
    "OU_DEPTH_LIMIT_EXCEEDED": "You have exceeded the allowed depth of organizational units.",
    "POLICY_NUMBER_LIMIT_EXCEEDED": "You have exceeded the allowed number of policies.",
    "POLICY_CONTENT_LIMIT_EXCEEDED": "You have exceeded the maximum policy size.",
    "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED": (
        "You have attached the maximum number of policies to the specified target."
    ),
    "MAX_TAG_LIMIT_EXCEEDED": "You have exceeded the number of tags allowed on this resource.",
    "CLOSE_ACCOUNT_QUOTA_EXCEEDED": "You have exceeded close account quota for the past 30 days.",
}


def check(reason: str, wanted: int, quota: int) -> None:
    """Raise ConstraintViolationException when there would be more of something than its quota."""
    if wanted > quota:
        raise ConstraintViolation(reason, _WORDS[reason])


def closable(members: int) -> int:
    """How many of this many member accounts may be closed within 30 days (CloseAccount)."""
    return min(1_000, max(250, members // 5))
