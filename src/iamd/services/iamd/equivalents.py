"""What AWS's policies say of iamd's own operations: each that changes something stands beside an action of AWS's.

Policies written for AWS know no `iamd:SetRootPassword`; whom they deny `iam:*` they mean to keep from what it does.
"""

import json
from collections.abc import Callable
from typing import Any

from iamd import arn
from iamd.call import Call
from iamd.services.registry import Target


def beside(*actions: str) -> Callable[..., list[Target]]:
    """The `on` of an operation without a resource that whoever is denied one of these actions may not call."""

    def on(call: Call, **_parameters: Any) -> list[Target]:
        return [Target(), *(not_denied(call, action) for action in actions)]

    return on


def beside_root_passwords(call: Call, *, account_id: str | None = None, **_parameters: Any) -> list[Target]:
    """The same of the password of a root user."""
    root = arn.root(account_id or call.identity.account_id)
    return [
        Target(),
        not_denied(call, "iam:CreateLoginProfile", root),
        not_denied(call, "iam:UpdateLoginProfile", root),
    ]


def not_denied(call: Call, action: str, resource: str = "*") -> Target:
    """An action of AWS's that is allowed unless something denies it: the right to iamd's operation is another."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": call.identity.arn},
        "Action": action,
        "Resource": resource,
    }
    policies = (json.dumps({"Version": "2012-10-17", "Statement": statement}),)
    return Target(action=action, arn=resource, policies=policies)
