"""Effect: one change of what is known of a resource, and the plainest ways to get one from a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.resources import Facts
from iamd.policy.document import MalformedPolicy, PolicyType, validate
from iamd.policy.trust import InvalidPrincipal


class Kind(StrEnum):
    """What happens to the facts."""

    MAKE = "make"
    END = "end"
    SET_POLICY = "set policy"
    NOTE = "note"


Change = Callable[[Mapping[str, str]], Mapping[str, str]]
"""What becomes of what is known, whatever else has changed of it meanwhile."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of one resource's facts; `policy` is the new text, None for no policy."""

    kind: Kind
    arn: str
    policy: str | None = None
    has_policy: bool = False
    within: str | None = None
    """How the ARNs begin of what ends with it."""
    begun: Mapping[str, str] | Change | None = None
    done: Mapping[str, str] | Change | None = None
    refused: Mapping[str, str] | Change | None = None
    """What else is known of it while the request is on its way, once it is done, once the backend refused it; None
    leaves it as it is."""
    lasts: bool = False
    """Whether it is of no backend, and outlives each."""


Of = Callable[[Asked, str, Facts], Effect | None]
"""The effect of a request on its first target, whose ARN it is; None for none."""


def checked(text: str, error: type[AWSError]) -> str:
    """The text of a resource policy; the error when it is none, InvalidPrincipal when nobody can be whom it names."""
    try:
        validate(text, PolicyType.RESOURCE)
    except InvalidPrincipal:
        raise
    except MalformedPolicy as problem:
        raise error(f"{problem}") from None
    return text


def make(_: Asked, arn: str, __: Facts) -> Effect:
    """The resource is made."""
    return Effect(Kind.MAKE, arn)


def end(_: Asked, arn: str, __: Facts) -> Effect:
    """The resource is gone."""
    return Effect(Kind.END, arn)


def clear(_: Asked, arn: str, __: Facts) -> Effect:
    """The resource has no policy any more."""
    return Effect(Kind.SET_POLICY, arn, None, has_policy=True)


def put_policy(member: str, error: type[AWSError]) -> Of:
    """The resource has the policy that a member holds."""

    def put(asked: Asked, arn: str, _: Facts) -> Effect:
        return Effect(Kind.SET_POLICY, arn, checked(asked.parameters[member], error), has_policy=True)

    return put


class Learned(msgspec.Struct, frozen=True):
    """What an answer tells of a resource; `policy` is the one that it was made with, for what iamd had not seen."""

    arn: str
    facts: Mapping[str, str]
    policy: str | None = None
