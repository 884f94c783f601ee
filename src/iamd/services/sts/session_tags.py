"""Session tags: those that a request passes, and those that a chain of roles hands on.

AWS: IAM User Guide, "Pass session tags in AWS STS" (id_session-tags), its rules and "Chaining roles with session tags".
"""

from collections.abc import Mapping, Sequence

from iamd.auth.tokens import Session
from iamd.services.sts.errors import InvalidParameterValue, ValidationError

MAX_TAGS = 50
RESERVED = "aws:"


def fold(key: str) -> str:
    """The form in which tag keys are the same: without regard to case."""
    return key.casefold()


def check(tags: Sequence[Mapping[str, str]], transitive_tag_keys: Sequence[str], caller: Session | None) -> None:
    """Refuse tags that no session may have, or that this caller's session does not let be set."""
    keys = [fold(tag["Key"]) for tag in tags]
    if len(keys) > MAX_TAGS:
        raise ValidationError(f"1 validation error detected: a session can have at most {MAX_TAGS} tags.")
    if len(set(keys)) != len(keys):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith(RESERVED) for key in keys):
        raise InvalidParameterValue("System tags cannot be added by a session.")
    if {fold(key) for key in transitive_tag_keys} - set(keys):
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    inherited_keys = {fold(key) for key in caller.transitive_tag_keys} if caller is not None else set()
    if inherited_keys & set(keys):
        # SECURITY: a transitive tag stays what the first session of the chain said (STS-11).
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )


def inherited(caller: Session | None) -> dict[str, str]:
    """The transitive tags that the caller's session hands on."""
    if caller is None:
        return {}
    transitive = {fold(key) for key in caller.transitive_tag_keys}
    return {key: value for key, value in caller.tags.items() if fold(key) in transitive}
