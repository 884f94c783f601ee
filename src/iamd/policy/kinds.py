"""The kinds of policy, which differ in what their documents may say and in what they do to a decision."""

from enum import StrEnum


class PolicyType(StrEnum):
    """AWS's policy types (IAM User Guide, "Policies and permissions", access_policies)."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    TRUST = "trust"
    RESOURCE = "resource"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"


WITHOUT_PRINCIPAL = frozenset({PolicyType.IDENTITY, PolicyType.BOUNDARY, PolicyType.SESSION, PolicyType.SCP})
"""The types whose statements speak of whoever the policy is attached to."""

IAM_DOCUMENTS = frozenset({PolicyType.IDENTITY, PolicyType.BOUNDARY, PolicyType.SESSION})
"""The types that IAM itself stores, or STS takes, under one set of rules."""
