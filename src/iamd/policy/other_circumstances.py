"""Whether a request that is denied would be allowed in other circumstances: with other values of condition keys.

That is a bound from above: each condition is taken to hold in an Allow and to fail in a Deny, whether or not all can at
once. What a condition says of who asks, or of whose the resource is, no circumstances change.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from iamd.policy.conditions import Condition
from iamd.policy.decision import Layer, Match
from iamd.policy.document import Effect, Statement
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import Request
from iamd.policy.sets import PolicySet

FIXED: Final = frozenset(
    {
        "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltype",
        "aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:username",
        "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths",
    }
)  # fmt: skip
"""The keys whose values a principal and a resource have once and for all.

AWS: IAM User Guide, "AWS global condition context keys", "Properties of the principal" and "Properties of the resource"
(reference_policies_condition-keys). Tags change, and `aws:userid` has a session's name in it.
"""


def may_allow(request: Request, layers: Layers, kept: Collection[Layer] = ()) -> bool:
    """Whether other circumstances may allow it; the conditions of the layers that are `kept` stay as they are."""
    return decide(
        request, layers.changed(lambda policies: policies if policies.layer in kept else _Relaxed(policies))
    ).allowed


class _Relaxed(PolicySet):
    """The policies of a layer as they do the most for a caller."""

    def __init__(self, policies: PolicySet) -> None:
        super().__init__(policies.policies, policies.layer, policies.level)

    def fitting(self, action: str) -> Iterator[Match]:
        return (match for match in super().fitting(action) if not _is_avoidable(match.statement))

    def conditions(self, statement: Statement) -> Sequence[Condition]:
        return [one for one in statement.conditions if one.key in FIXED]


def _is_avoidable(statement: Statement) -> bool:
    """Whether it is a Deny that circumstances may keep from applying."""
    return statement.effect is Effect.DENY and any(one.key not in FIXED for one in statement.conditions)
