"""A condition key as a policy sees it: its value in the decision, an Allow and a Deny that rest on it."""

import json
from dataclasses import dataclass
from typing import Any

from gateway.counting import CountedCloud, Outcome
from running import Credentials, allow, deny


@dataclass(frozen=True)
class Key:
    """`name` has `value` in the decision on `action` when `operation` is called with `given`, and not with `other`."""

    name: str
    value: Any
    action: str
    operation: str
    given: dict[str, Any]
    other: dict[str, Any]
    operator: str = "StringEquals"

    def __str__(self) -> str:
        return f"{self.name} of {self.operation}"

    @property
    def condition(self) -> dict[str, Any]:
        """The condition that the value fulfils."""
        return {self.operator: {self.name: self.value}}


@dataclass
class Caller:
    """A user of the counted iamd whose policy is what the test says."""

    counted: CountedCloud
    name: str
    credentials: Credentials

    @classmethod
    def new(cls, counted: CountedCloud, name: str) -> "Caller":
        """A user without a policy."""
        return cls(counted, name, counted.user(name))

    def may(self, *statements: dict[str, Any]) -> None:
        """Give it these statements, and no others."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.counted.aws.client("iam").put_user_policy(UserName=self.name, PolicyName="test", PolicyDocument=document)

    def call(self, service: str, operation: str, given: dict[str, Any]) -> Outcome:
        """Call as this user."""
        return self.counted.call(service, operation, given, self.credentials)


def check(caller: Caller, service: str, key: Key, value: Any = None) -> None:
    """The value is the decision's; an Allow on it lets this request through alone, and a Deny on it stops it alone.

    `value` is the decision's where the policy has a pattern.
    """
    others = {"Effect": "Allow", "NotAction": key.action, "Resource": "*"}
    caller.may(others, allow(key.action, **key.condition))
    told = caller.call(service, key.operation, key.given)
    assert told.context(key.action)[key.name.lower()] == (value or key.value)
    assert told.sent > 0, told.message
    refused(caller.call(service, key.operation, key.other), "no identity-based policy allows")
    caller.may(allow("*"), deny(key.action, **key.condition))
    assert caller.call(service, key.operation, key.other).sent > 0
    refused(caller.call(service, key.operation, key.given), "explicit deny in an identity-based policy")


def refused(told: Outcome, why: str) -> None:
    """It was denied for this reason, and nothing was sent."""
    assert told.sent == 0
    assert told.decisions[-1]["Outcome"] != "Allowed"
    assert why in told.decisions[-1]["Message"]
