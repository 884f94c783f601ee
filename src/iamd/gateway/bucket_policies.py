"""What S3 takes as a bucket's policy: its own words for what is wrong, and only what is about this bucket.

AWS: S3 User Guide, "Bucket policies for Amazon S3" (bucket-policies) and "Policy resources" (s3-arn-format). The words
are S3's as its users have met them (aws/aws-cli, issue 2779; hashicorp/terraform, issues 23570 and 28688;
humanmade/S3-Uploads, issue 239).
"""

from collections.abc import Collection, Iterator
from typing import Final

from iamd.data import service_reference
from iamd.data.service_reference import Action
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, checked
from iamd.gateway.policy_errors import InvalidPolicy
from iamd.gateway.resources import Facts
from iamd.policy import syntax
from iamd.policy.request import lower
from iamd.policy.syntax import SyntaxProblem
from iamd.policy.wildcard import has_wildcard, matches

NO_OBJECT: Final = "Policies must be valid JSON and the first byte must be '{'"
NO_JSON: Final = "This policy contains invalid Json"
ACTION: Final = "Policy has invalid action"
RESOURCE: Final = "Policy has invalid resource"
KEY: Final = "Policy has an invalid condition key"
NOT_TOGETHER: Final = "Action does not apply to any resource(s) in statement"
CONDITIONS: Final = "Conditions do not apply to combination of actions and resources in statement"

_OF_EVERY: Final = ("s3:accessgrant", "s3:accesspoint", "s3:buckettag/", "s3:dataaccesspoint")
"""Keys that a request has by its bucket, an access point or a grant, whichever action it is of."""


def put(asked: Asked, arn: str, _: Facts) -> Effect:
    """The bucket has the policy; the error of S3 where it takes none such."""
    text = asked.parameters["Policy"]
    check(text, arn)
    return Effect(Kind.SET_POLICY, arn, text, has_policy=True)


def check(text: str, bucket: str) -> None:
    """Raise unless S3 takes this as the policy of the bucket whose ARN it is: InvalidPolicy or InvalidPrincipal."""
    _check_text(text)
    checked(text, InvalidPolicy)
    for statement in syntax.read(text).statements:
        _check(statement.members, bucket)


def _check_text(text: str) -> None:
    if text[:1] != "{":
        raise InvalidPolicy(NO_OBJECT)
    try:
        _, end = syntax.value_at(text, 0)
    except SyntaxProblem:
        return  # what is wrong with it has words of its own
    except (ValueError, RecursionError):
        raise InvalidPolicy(NO_JSON) from None
    if syntax.skip(text, end) != len(text):
        raise InvalidPolicy(NO_JSON)


def _check(statement: dict[str, object], bucket: str) -> None:
    """Raise unless a statement, which is well formed, is about this bucket and its objects."""
    resources = _strings(statement, "Resource")
    for resource in (*resources, *_strings(statement, "NotResource")):
        if not _is_of(resource, bucket):
            raise InvalidPolicy(RESOURCE)
    listed = {pattern: list(_actions(pattern)) for pattern in _strings(statement, "Action")}
    if not all(listed.values()) or not all(any(_actions(pattern)) for pattern in _strings(statement, "NotAction")):
        raise InvalidPolicy(ACTION)
    if resources:
        _check_together(listed.values(), resources, bucket)
    _check_conditions(statement.get("Condition"), listed)


def _strings(statement: dict[str, object], name: str) -> list[str]:
    return syntax.strings(statement.get(name)) or []


def _is_of(resource: str, bucket: str) -> bool:
    """Whether a resource is the bucket or among its objects, as its text tells."""
    return resource.startswith(bucket) and resource[len(bucket) : len(bucket) + 1] in ("", "/", "*", "?")


def _actions(pattern: str) -> Iterator[Action]:
    """S3's actions that a pattern names."""
    s3 = service_reference.service("s3")
    prefix, _, name = lower(pattern).partition(":")
    if s3 is None or (prefix != "s3" and pattern != "*"):
        return
    named = name if pattern != "*" else "*"
    if has_wildcard(named):
        yield from (action for known, action in s3.actions.items() if matches(named, known))
    elif (only := s3.action(named)) is not None:
        yield only


def _check_together(listed: Collection[list[Action]], resources: list[str], bucket: str) -> None:
    """Raise unless each of the actions has a resource: AWS wants buckets for some, and objects for others."""
    kinds = {kind for resource in resources for kind in _kinds(resource, bucket)}
    for actions in listed:
        if not any(one.name in kinds for action in actions for one in action.resources):
            raise InvalidPolicy(NOT_TOGETHER)


def _kinds(resource: str, bucket: str) -> tuple[str, ...]:
    rest = resource[len(bucket) :]
    if not rest:
        return ("bucket",)
    return ("object",) if rest[0] == "/" else ("bucket", "object")


def _check_conditions(conditions: object, listed: dict[str, list[Action]]) -> None:
    """Raise where a key of S3's is none, or is not one of an action that is named.

    What AWS makes of a key that only some of the actions behind a wildcard have is unknown: it is taken.
    """
    s3 = service_reference.service("s3")
    if not isinstance(conditions, dict) or s3 is None:
        return
    for members in conditions.values():
        for key in members if isinstance(members, dict) else ():
            if not lower(key).startswith("s3:"):
                continue
            known = s3.condition_key(key)
            if known is None:
                raise InvalidPolicy(KEY)
            if lower(key).startswith(_OF_EVERY):
                continue
            for actions in listed.values():
                if not any(known.name in action.every_condition_key for action in actions):
                    raise InvalidPolicy(CONDITIONS)
