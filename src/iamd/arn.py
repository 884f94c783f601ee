"""Amazon Resource Names: `arn:partition:service:region:account:resource`."""

import re
from dataclasses import dataclass
from functools import lru_cache

PARTITION = "aws"

# SECURITY: a region stands in ARNs, so it must not bring colons, slashes or wildcards of its own.
REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]{2,12})*-[0-9]{1,2}|aws-global", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arn:
    """The six segments of an ARN; the last keeps its own colons and slashes."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


@lru_cache(maxsize=64)
def partition_of(region: str) -> str:
    """The partition that a region is in (IAM User Guide, "Amazon Resource Names")."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def parse(text: str) -> Arn | None:
    """The segments of `text`, or None when it is not an ARN of six segments."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


def iam(account: str, kind: str, path: str, name: str) -> str:
    """The ARN of an IAM entity: `iam("123456789012", "user", "/team/", "ann")`; IAM is global, so it has no region."""
    return f"arn:{PARTITION}:iam::{account}:{kind}{path}{name}"


def root(account: str) -> str:
    """The ARN that stands for an account, and for its root user."""
    return f"arn:{PARTITION}:iam::{account}:root"


def assumed_role(account: str, role_name: str, session_name: str) -> str:
    """The ARN of a role session; it does not carry the role's path."""
    return f"arn:{PARTITION}:sts::{account}:assumed-role/{role_name}/{session_name}"


def federated_user(account: str, name: str) -> str:
    """The ARN of a session made by GetFederationToken."""
    return f"arn:{PARTITION}:sts::{account}:federated-user/{name}"


def caller_itself(account: str) -> str:
    """The ARN that stands for whoever asks, where STS decides what one may have for oneself."""
    return f"arn:{PARTITION}:sts::{account}:self"
