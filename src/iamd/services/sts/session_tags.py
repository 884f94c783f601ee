"""Session tags: those that a request passes, and those that a chain of roles hands on.

AWS: IAM User Guide, "Pass session tags in AWS STS" (id_session-tags), its rules and "Chaining roles with session tags".
"""

from collections.abc import Mapping, Sequence

from iamd.auth.tokens import Session
from iamd.policy.request import lower
from iamd.services.sts.errors import InvalidParameterValue, ValidationError

MAX_TAGS = 50
"""What one request can pass, and here what a session can have: a chain of roles would gather tags without end."""
RESERVED = "aws:"


def check(tags: Sequence[Mapping[str, str]], transitive_tag_keys: Sequence[str], caller: Session | None) -> None:
    """Refuse tags that no session may have, or that this caller's session does not let be set."""
    if not tags and not transitive_tag_keys and caller is None:
        return
    keys = [lower(tag["Key"]) for tag in tags]
    handed_on = {lower(key) for key in inherited(caller)}
    check_keys(keys)
    # AWS: session tags keep the rules of naming tags, by which no key and no value begins so (id_tags, "Naming tags").
    if any(text.startswith(RESERVED) for text in (*keys, *(lower(tag["Value"]) for tag in tags))):
        raise InvalidParameterValue("System tags cannot be added by a session.")
    if {lower(key) for key in transitive_tag_keys} - set(keys):
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    if handed_on & set(keys):
        # SECURITY: a transitive tag stays what the first session of the chain said (STS-11).
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    if len(keys) + len(handed_on) > MAX_TAGS:
        raise ValidationError(f"A session can have {MAX_TAGS} tags at most, those of the calling session included.")


def check_keys(keys: Sequence[str]) -> None:
    """Refuse a key that stands there twice."""
    if len({lower(key) for key in keys}) != len(keys):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def inherited(caller: Session | None) -> dict[str, str]:
    """The transitive tags that the caller's session hands on."""
    if caller is None:
        return {}
    transitive = {lower(key) for key in caller.transitive_tag_keys}
    return {key: value for key, value in caller.tags.items() if lower(key) in transitive}
