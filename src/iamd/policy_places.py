"""Where resources that have several policies under names keep them: the place of a resource, and the names within.

AWS: SES Developer Guide, "Creating a sending authorization policy in Amazon SES": an identity has zero, one or many.
"""

import re
from typing import Final

from iamd.arn import PARTITION

SEVERAL: Final = frozenset({"rekognition", "ses"})
"""The services, as ARNs name them, whose resources have several policies."""
# No name of a resource has a blank (`holder_of` relies on it); `check` sees to that.
_MARK: Final = " policy "
_PROJECT: Final = re.compile(r"(arn:[^:]*:rekognition:[^:]*:[0-9]{12}:project/[^/]+)/.*", re.DOTALL)


def place(arn: str) -> str:
    """What the policies of a resource are known by: of a project, its name, which those of its models have too.

    AWS: Rekognition Custom Labels Guide, "Attaching a project policy (SDK)": the policy of a project names models.
    """
    found = _PROJECT.fullmatch(arn)
    return found[1] if found is not None else arn


def of_account(service: str, region: str, account: str) -> str:
    """What the policies of an account in a Region are known by."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:resource-policy"


def is_plain(text: str) -> bool:
    """Whether a text can be a part of an ARN: without blanks and what is not printed."""
    return bool(text) and text.isprintable() and " " not in text


def key(holder: str, name: str) -> str:
    """What a policy is kept under."""
    return f"{holder}{_MARK}{name}"


def beginning(holder: str) -> str:
    """How begins what the policies of a resource are kept under."""
    return f"{holder}{_MARK}"


def holder_of(kept: str) -> str:
    """The resource whose policy is kept under this; every other ARN is its own."""
    return kept.partition(_MARK)[0]
