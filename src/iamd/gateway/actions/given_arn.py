"""ARNs that clients give: one counts only when it is of the service, partition and region that the request is for.

SECURITY: a backend serves one region and often looks at an ARN's end alone; the rest must be where the decision is.
"""

import re
from typing import Any, Final

from iamd import arn as arns
from iamd.arn import Arn
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked

ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)


def given(value: Any, service: str, asked: Asked) -> Arn | None:
    """The ARN of a resource of this service in the request's region and partition, of whatever account; else None."""
    found = arns.parse(value) if isinstance(value, str) else None
    if found is None or (found.partition, found.service, found.region) != (asked.partition, service, asked.region):
        return None
    return found if ACCOUNT.fullmatch(found.account) else None


def formed(value: Any, service: str, pattern: re.Pattern[str], asked: Asked, refusal: AWSError) -> str:
    """The ARN that `given` takes, whose resource has this form; else the refusal is raised."""
    found = given(value, service, asked)
    if found is None or not pattern.fullmatch(found.resource):
        raise refusal
    return str(found)


def own(service: str, resource: str, asked: Asked) -> str:
    """The ARN of a resource of the caller's own account."""
    return f"arn:{asked.partition}:{service}:{asked.region}:{asked.account}:{resource}"
