"""Functions that decide who may ask an API, of whichever kind: answers that are kept, and what policies in them say.

AWS: API Gateway Developer Guide, "Use API Gateway Lambda authorizers" (apigateway-use-lambda-authorizer) and "Control
access to HTTP APIs with AWS Lambda authorizers in API Gateway" (http-api-lambda-authorizer).
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from iamd.arn import PARTITION
from iamd.authz import context
from iamd.functions.api_callers import INVOKE
from iamd.http import HttpRequest
from iamd.policy.decision import Decision
from iamd.policy.document import Policy, read
from iamd.policy.evaluate import Layers, decide
from iamd.policy.kinds import PolicyType
from iamd.policy.request import Principal, PrincipalKind, Request

SECONDS: Final = 10.0
"""AWS: an authorizer of an HTTP API has 10 seconds ("Quotas for configuring and running an HTTP API")."""
_KEPT: Final = 1024

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """Answers of functions, each for as long as its authorizer says; the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def clear(self) -> None:
        """Keep none of them any longer."""
        self._kept.clear()

    def get(self, key: bytes, now: float) -> Answer | None:
        """The answer that is kept, and still holds."""
        known = self._kept.get(key)
        return known[1] if known is not None and now < known[0] else None

    def put(self, key: bytes, until: float, answer: Answer) -> None:
        """Keep an answer until then."""
        self._kept[key] = (until, answer)
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class PolicyAnswer(msgspec.Struct, kw_only=True):
    """A policy as an answer; a text of it would be another policy than an object."""

    principalId: str  # noqa: N815 - as functions write it
    policyDocument: dict[str, Any]  # noqa: N815 - likewise
    context: dict[str, Any] | None = None
    usageIdentifierKey: str | None = None  # noqa: N815 - likewise


def policy_of(answer: PolicyAnswer) -> Policy:
    """The policy of an answer, which may be unreadable."""
    return read(msgspec.json.encode(answer.policyDocument).decode(), PolicyType.IDENTITY)


def decision(policy: Policy, request: HttpRequest, arn: str, account: str, region: str, now: int) -> Decision:
    """What a policy says of the invocation of a thing; the caller is nobody that policies could call otherwise."""
    principal = Principal(PrincipalKind.USER, account, f"arn:{PARTITION}:iam::{account}:user/authorized")
    keys: Mapping[str, Any] = context.of_request(request, region, now)
    return decide(Request(principal, INVOKE, arn, account, keys), Layers(identity=(policy,)))
