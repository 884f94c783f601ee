"""Policies that a simulation leaves out though the entity has them.

AWS: IAM API Reference, PolicyIdentifier and InlinePolicyIdentifierType. Identifiers of RCPs match nothing: there are
none in a simulation.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from iamd import arn
from iamd.authz import policies
from iamd.authz.policies import Source
from iamd.policy.wildcard import Matcher, has_wildcard, matcher, tokens
from iamd.services.iam.errors import InvalidInput

AWS_POLICIES: Final = "arn:aws:iam::aws:policy/"
BOUNDARY: Final = "permission-boundary"
ORGANIZATION: Final = "scp"

Excludes = Callable[[Source], bool]


class Exclusions:
    """What a request excludes, checked."""

    def __init__(self, identifiers: Iterable[Mapping[str, Any]]) -> None:
        listed = list(identifiers)
        self.boundary = any(one.get("PolicyType") == BOUNDARY for one in listed)
        self.organization = any(one.get("PolicyType") == ORGANIZATION for one in listed)
        self._tests = [_test(one) for one in listed]

    def exclude(self, source: Source) -> bool:
        """Whether an identity policy is left out."""
        return any(test(source) for test in self._tests)


def _test(identifier: Mapping[str, Any]) -> Excludes:
    match dict(identifier):
        case {"PolicyType": kind, **others} if not others:
            return _of_type(kind)
        case {"PolicyArn": policy_arn, **others} if not others:
            return _of_arn(policy_arn)
        case {"InlinePolicyIdentifier": inline, **others} if not others:
            return _of_name(inline)
        case _:
            raise InvalidInput(
                "A policy identifier must specify exactly one of PolicyType, PolicyArn, or InlinePolicyIdentifier."
            )


def _of_type(kind: str) -> Excludes:
    match kind:
        case "inline":
            return lambda source: source.arn is None
        case "aws-managed":
            return lambda source: source.arn is not None and source.arn.startswith(AWS_POLICIES)
        case "user-managed":
            return lambda source: source.arn is not None and not source.arn.startswith(AWS_POLICIES)
        case _:
            return lambda _source: False


def _of_arn(policy_arn: str) -> Excludes:
    parsed = arn.parse(policy_arn)
    kind, slash, name = parsed.resource.partition("/") if parsed is not None else ("", "", "")
    is_policy = parsed is not None and parsed.service == "iam" and (kind, slash) == ("policy", "/")
    if not is_policy or has_wildcard(policy_arn.removesuffix(name)):
        raise InvalidInput(f"Invalid policy ARN in policy identifier: {policy_arn}")
    matches = _pattern(policy_arn)

    def excludes(source: Source) -> bool:
        if source.arn is None:
            return False
        # AWS was seen to know a policy with a path by its ARN without one; the ARN that it has is taken, too.
        pathless = f"{source.arn.partition('/')[0]}/{source.policy_name}"
        return matches(source.arn) or matches(pathless)

    return excludes


def _of_name(inline: Mapping[str, str]) -> Excludes:
    matches = _pattern(inline["AttachmentName"])

    def excludes(source: Source) -> bool:
        return (
            source.arn is None
            and source.policy_name == inline["PolicyName"]
            and source.bearer.kind == inline["AttachmentType"]
            and matches(policies.name(source.bearer))
        )

    return excludes


def _pattern(text: str) -> Matcher:
    """What matches the text's wildcards: one `*` at most, and any number of `?`."""
    if text.count("*") > 1:
        raise InvalidInput(f"Invalid wildcards in policy identifier: {text}")
    return matcher(tokens(text))
